//! The sockets by which queries come.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use dns::{Frames, framed};
use kernel::Errno;
use kernel::socket::{SocketKind, SocketOption};
use packet::SimTime;
use world::{Fd, ReadResult, Sys};

use crate::cni::go_text;
use crate::coredns::{Accepted, Client, Transport, accept};

/// How long a connection may take to send its first query.
const FIRST: Duration = Duration::from_secs(3);
/// How long it may be idle after an answer.
const IDLE: Duration = Duration::from_secs(10);

/// Where an answer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReplyTo {
    /// In a datagram from this socket.
    Datagram(Fd, SocketAddr),
    /// By this connection.
    Connection(u64),
}

/// A query that came.
#[derive(Clone, Debug)]
pub(super) struct Arrived {
    /// Who asks.
    pub client: Client,
    /// What.
    pub message: Box<dns::Message>,
    /// Where the answer goes.
    pub reply: ReplyTo,
}

/// A connection over which queries come, one at a time.
#[derive(Clone, Debug)]
struct Connection {
    fd: Fd,
    peer: SocketAddr,
    own: SocketAddr,
    frames: Frames,
    to_send: Vec<u8>,
    /// A query waits for its answer.
    asked: bool,
    ended: bool,
    /// When it is given up.
    until: SimTime,
}

/// The sockets of all ports.
#[derive(Clone, Debug, Default)]
pub(super) struct Listeners {
    udp: BTreeMap<u16, Fd>,
    tcp: BTreeMap<u16, Fd>,
    connections: BTreeMap<u64, Connection>,
    taken: u64,
}

impl Listeners {
    /// Listens at these ports and at no others.
    pub fn set_ports(&mut self, sys: &mut dyn Sys, ports: &BTreeSet<u16>) -> Result<(), String> {
        for sockets in [&mut self.udp, &mut self.tcp] {
            sockets.retain(|port, fd| {
                let stays = ports.contains(port);
                if !stays {
                    sys.close(*fd);
                }
                stays
            });
        }
        for &port in ports {
            let failed = |what: &str, errno: Errno| {
                let call = if what == "Listen" { "tcp" } else { "udp" };
                format!("{what}: listen {call} :{port}: bind: {}", go_text(errno))
            };
            if let std::collections::btree_map::Entry::Vacant(free) = self.tcp.entry(port) {
                free.insert(listen(sys, port).map_err(|errno| failed("Listen", errno))?);
            }
            if let std::collections::btree_map::Entry::Vacant(free) = self.udp.entry(port) {
                let at = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port);
                let bound = sys.socket(SocketKind::Udp).and_then(|fd| sys.bind(fd, at).map(|()| fd));
                free.insert(bound.map_err(|errno| failed("ListenPacket", errno))?);
            }
        }
        Ok(())
    }

    /// The descriptors to wait for.
    pub fn fds(&self) -> impl Iterator<Item = Fd> {
        let connections = self.connections.values().map(|connection| connection.fd);
        self.udp.values().chain(self.tcp.values()).copied().chain(connections)
    }

    /// When a connection is given up next.
    pub fn next(&self) -> Option<SimTime> {
        self.connections.values().map(|connection| connection.until).min()
    }

    /// Takes what came.
    pub fn receive(&mut self, sys: &mut dyn Sys) -> Vec<Arrived> {
        let mut arrived = Vec::new();
        for (&port, &fd) in &self.udp {
            loop {
                let received = match sys.recv(fd, usize::from(u16::MAX)) {
                    Ok(received) => received,
                    Err(Errno::Again) => break,
                    // An ICMP error for an earlier answer.
                    Err(_) => continue,
                };
                let (from, to) = (received.from, SocketAddr::new(received.dst, port));
                match accept(&received.data) {
                    Accepted::Query(message) => arrived.push(Arrived {
                        client: Client { from, to, transport: Transport::Udp },
                        message,
                        reply: ReplyTo::Datagram(fd, from),
                    }),
                    // What can't be sent is lost, as on the wire.
                    Accepted::Answer(bytes) => drop(sys.send(fd, &bytes, Some(from))),
                    Accepted::Ignored => {}
                }
            }
        }
        for &fd in self.tcp.values() {
            while let Ok((fd, peer)) = sys.accept(fd) {
                let own = sys.local_addr(fd).unwrap_or(peer);
                let until = sys.now() + FIRST;
                let connection = Connection {
                    fd,
                    peer,
                    own,
                    frames: Frames::default(),
                    to_send: Vec::new(),
                    asked: false,
                    ended: false,
                    until,
                };
                self.connections.insert(self.taken, connection);
                self.taken += 1;
            }
        }
        let now = sys.now();
        self.connections.retain(|&number, connection| {
            let stands =
                connection.turn(sys, number, &mut arrived) && (connection.asked || now < connection.until);
            if !stands {
                sys.close(connection.fd);
            }
            stands
        });
        arrived
    }

    /// Sends an answer, or none; answers what its connection has asked next.
    pub fn answer(&mut self, sys: &mut dyn Sys, reply: ReplyTo, bytes: Option<&[u8]>) -> Vec<Arrived> {
        let mut arrived = Vec::new();
        match reply {
            ReplyTo::Datagram(fd, to) => {
                // What can't be sent is lost, as on the wire.
                let _ = bytes.map(|bytes| sys.send(fd, bytes, Some(to)));
            }
            ReplyTo::Connection(number) => {
                let Some(connection) = self.connections.get_mut(&number) else { return arrived };
                connection.asked = false;
                connection.until = sys.now() + IDLE;
                connection.to_send.extend(bytes.and_then(|bytes| framed(bytes).ok()).into_iter().flatten());
                if !connection.turn(sys, number, &mut arrived) {
                    sys.close(connection.fd);
                    self.connections.remove(&number);
                }
            }
        }
        arrived
    }
}

impl Connection {
    /// Sends and reads; answers whether it still stands.
    fn turn(&mut self, sys: &mut dyn Sys, number: u64, arrived: &mut Vec<Arrived>) -> bool {
        while !self.ended {
            match sys.read(self.fd, 1 << 16) {
                Ok(ReadResult::Data(bytes)) => self.frames.push(&bytes),
                Ok(ReadResult::Eof) => self.ended = true,
                Ok(ReadResult::WouldBlock) => break,
                Err(_) => return false,
            }
        }
        while !self.asked
            && let Some(bytes) = self.frames.take()
        {
            match accept(&bytes) {
                Accepted::Query(message) => {
                    self.asked = true;
                    arrived.push(Arrived {
                        client: Client { from: self.peer, to: self.own, transport: Transport::Tcp },
                        message,
                        reply: ReplyTo::Connection(number),
                    });
                }
                Accepted::Answer(bytes) => self.to_send.extend(framed(&bytes).unwrap_or_default()),
                Accepted::Ignored => {}
            }
        }
        while !self.to_send.is_empty() {
            match sys.write(self.fd, &self.to_send) {
                Ok(0) | Err(Errno::Again) => break,
                Ok(sent) => drop(self.to_send.drain(..sent)),
                Err(_) => return false,
            }
        }
        self.asked || !self.to_send.is_empty() || !self.ended
    }
}

fn listen(sys: &mut dyn Sys, port: u16) -> Result<Fd, Errno> {
    let fd = sys.socket(SocketKind::Tcp)?;
    sys.set_option(fd, SocketOption::ReuseAddr(true))?;
    sys.bind(fd, SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port))?;
    sys.listen(fd, 4096)?;
    Ok(fd)
}
