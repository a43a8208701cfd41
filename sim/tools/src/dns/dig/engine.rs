//! How BIND's tools ask: one lookup after the other, each of its servers in turn. Source:
//! `bin/dig/dighost.c`.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use dns::{Frames, Message, MessageType, Name};
use kernel::Errno;
use kernel::socket::{MtuDiscover, SocketKind, SocketOption};
use packet::SimTime;
use world::{Fd, Sys, Wait};

use super::lookup::{Lookup, NoQuery};
use super::settings::{Server, Settings};
use crate::net::say;

mod answer;

/// How long an answer is waited for, over UDP and over TCP.
const UDP_TIMEOUT: u32 = 5;
const TCP_TIMEOUT: u32 = 10;

/// A tool, which says what it hears of.
pub(in crate::dns) trait Front {
    /// A name is about to be asked for.
    fn trying(&mut self, sys: &mut dyn Sys, name: &Name);
    /// An answer has come, or with `sent` a query is sent. Answers further lookups.
    fn message(&mut self, sys: &mut dyn Sys, asked: &Asked<'_>, message: &Message, sent: bool)
    -> Vec<Lookup>;
    /// The last words on an answer.
    fn received(&mut self, sys: &mut dyn Sys, asked: &Asked<'_>, bytes: usize);
    /// What is no part of any answer, as a line after two semicolons.
    fn remark(&mut self, sys: &mut dyn Sys, text: &str) {
        say(sys, &format!(";; {text}\n"));
    }
    /// All lookups are done; answers others, if there are any.
    fn more(&mut self, sys: &mut dyn Sys, engine: &mut Settings) -> More;
}

/// What a tool does when all lookups are done.
pub(in crate::dns) enum More {
    /// It ends.
    Done,
    /// It has others.
    Lookups(Vec<Lookup>),
    /// It waits for its input.
    Wait(Wait),
    /// It ends at once with this status.
    Exit(i32),
}

/// A query and its server, of which a tool speaks.
pub(in crate::dns) struct Asked<'a> {
    pub lookup: &'a Lookup,
    pub settings: &'a Settings,
    pub name: &'a Name,
    pub query: &'a Message,
    pub server: &'a Server,
    pub address: SocketAddr,
    pub took: Duration,
}

/// Asks.
#[derive(Clone, Debug)]
pub(in crate::dns) struct Engine {
    pub settings: Settings,
    pub lookups: VecDeque<Lookup>,
    /// The exit status: 9 when no server answers.
    pub status: i32,
    running: Option<Running>,
}

/// A lookup that is asked for.
#[derive(Clone, Debug)]
struct Running {
    lookup: Lookup,
    name: Name,
    query: Message,
    bytes: Vec<u8>,
    /// Servers, as often as they are to be asked.
    servers: Vec<Server>,
    at: usize,
    contact: Contact,
    sent: SimTime,
}

/// How far it is with a server.
#[derive(Clone, Debug)]
enum Contact {
    /// Nothing is done yet.
    None,
    Udp {
        socket: Fd,
        until: SimTime,
    },
    Connecting {
        socket: Fd,
        until: SimTime,
    },
    Tcp {
        socket: Fd,
        until: SimTime,
        frames: Frames,
    },
}

/// What comes after a step.
enum After {
    /// To wait.
    Wait(Wait),
    /// The next server, or the same again.
    Server,
    /// The lookup is over.
    Over,
}

/// What came of listening.
enum Heard {
    Nothing,
    Bytes(Vec<u8>),
    Failed(&'static str),
}

/// An error in the words of BIND's `isc_result_totext`.
fn words(errno: Errno) -> &'static str {
    match errno {
        Errno::ConnRefused => "connection refused",
        Errno::NetUnreach => "network unreachable",
        Errno::HostUnreach => "host unreachable",
        Errno::ConnReset => "connection reset",
        Errno::TimedOut => "timed out",
        Errno::AddrNotAvail => "address not available",
        Errno::AddrInUse => "address in use",
        Errno::Perm | Errno::Acces => "permission denied",
        _ => "unexpected error",
    }
}

/// Ends a tool.
pub(in crate::dns) struct Exit(pub i32);

impl Engine {
    pub fn new(settings: Settings) -> Self {
        Self { settings, lookups: VecDeque::new(), status: 0, running: None }
    }

    /// Does what can be done now; ends with the exit status.
    pub fn turn(&mut self, sys: &mut dyn Sys, name: &str, front: &mut dyn Front) -> Result<Wait, Exit> {
        loop {
            let Some(mut running) = self.running.take() else {
                match self.lookups.pop_front() {
                    Some(lookup) => self.begin(sys, name, lookup, front)?,
                    None => match front.more(sys, &mut self.settings) {
                        More::Done => return Err(Exit(self.status)),
                        More::Exit(status) => return Err(Exit(status)),
                        More::Lookups(lookups) => self.lookups.extend(lookups),
                        More::Wait(wait) => return Ok(wait),
                    },
                }
                continue;
            };
            match self.step(sys, &mut running, front) {
                After::Wait(wait) => {
                    self.running = Some(running);
                    return Ok(wait);
                }
                After::Server => self.running = Some(running),
                After::Over => {}
            }
        }
    }

    /// Source: `setup_lookup`.
    fn begin(
        &mut self,
        sys: &mut dyn Sys,
        tool: &str,
        mut lookup: Lookup,
        front: &mut dyn Front,
    ) -> Result<(), Exit> {
        lookup.begin_search(&self.settings);
        if lookup.servers.is_empty() {
            lookup.servers.clone_from(&self.settings.servers);
        }
        let name = match lookup.name(&self.settings) {
            Ok(name) => name,
            Err(NoQuery::TooLong) => {
                self.lookups.extend(lookup.next_origin(&self.settings));
                return Ok(());
            }
            Err(NoQuery::Fatal(text)) => {
                crate::net::complain(sys, &format!("{tool}: {text}\n"));
                return Err(Exit(1));
            }
            Err(NoQuery::Warn(text)) => {
                crate::net::complain(sys, &format!("{tool}: {text}\n"));
                return Err(Exit(self.status.max(10)));
            }
        };
        front.trying(sys, &name);
        let id = lookup.id.unwrap_or(sys.random() as u16);
        let query = lookup.message(&name, id, self.settings.cookie);
        let Ok(bytes) = dns::encode(&query) else {
            crate::net::complain(sys, &format!("{tool}: '{}' can't be asked for\n", lookup.text));
            return Err(Exit(1));
        };
        lookup.tcp |= bytes.len() > usize::from(dns::MIN_UDP_SIZE);
        self.running = Some(Running {
            servers: lookup.servers.clone(),
            lookup,
            name,
            query,
            bytes,
            at: 0,
            contact: Contact::None,
            sent: sys.now(),
        });
        Ok(())
    }

    /// How long is waited.
    fn timeout(&self, default: u32) -> Duration {
        let seconds = if self.settings.timeout == 0 { default } else { self.settings.timeout };
        Duration::from_secs(u64::from(seconds))
    }

    fn address(&self, running: &Running) -> Option<SocketAddr> {
        let server = running.servers.get(running.at)?;
        Some(SocketAddr::new(server.addr, self.settings.port))
    }

    fn step(&mut self, sys: &mut dyn Sys, running: &mut Running, front: &mut dyn Front) -> After {
        let Some(address) = self.address(running) else { return After::Over };
        match std::mem::replace(&mut running.contact, Contact::None) {
            Contact::None if running.lookup.tcp => self.connect(sys, running, address, front),
            Contact::None => self.send(sys, running, address, front),
            Contact::Udp { socket, until } => match udp(sys, socket, until) {
                Heard::Nothing => {
                    running.contact = Contact::Udp { socket, until };
                    After::Wait(Wait { fds: vec![socket], until: Some(until), ..Wait::default() })
                }
                heard => {
                    running.contact = Contact::Udp { socket, until };
                    self.heard(sys, running, address, heard, front)
                }
            },
            Contact::Connecting { socket, until } => {
                if let Some(errno) = sys.take_error(socket) {
                    sys.close(socket);
                    return self.not_connected(sys, running, address, words(errno), front);
                }
                if sys.peer_addr(socket).is_some() && sys.ready(socket).writable {
                    return self.connected(sys, running, socket, front);
                }
                if sys.now() >= until {
                    sys.close(socket);
                    return self.not_connected(sys, running, address, "timed out", front);
                }
                running.contact = Contact::Connecting { socket, until };
                After::Wait(Wait { fds: vec![socket], until: Some(until), ..Wait::default() })
            }
            Contact::Tcp { socket, until, mut frames } => {
                let heard = tcp(sys, socket, until, &mut frames);
                running.contact = Contact::Tcp { socket, until, frames };
                match heard {
                    Heard::Nothing => {
                        After::Wait(Wait { fds: vec![socket], until: Some(until), ..Wait::default() })
                    }
                    heard => self.heard(sys, running, address, heard, front),
                }
            }
        }
    }

    /// A socket that is bound and connected, or being connected.
    fn open(&self, sys: &mut dyn Sys, kind: SocketKind, to: SocketAddr) -> Result<Fd, Errno> {
        let socket = sys.socket(kind)?;
        let outcome = (|| {
            if kind == SocketKind::Udp {
                sys.set_option(socket, SocketOption::MtuDiscover(MtuDiscover::Dont))?;
            }
            if let Some(source) = self.settings.source {
                sys.set_option(socket, SocketOption::ReuseAddr(true))?;
                sys.bind(socket, source)?;
            }
            match sys.connect(socket, to) {
                Err(Errno::InProgress) => Ok(()),
                other => other,
            }
        })();
        match outcome {
            Ok(()) => Ok(socket),
            Err(errno) => {
                sys.close(socket);
                Err(errno)
            }
        }
    }

    /// Source: `start_udp`, `udp_ready`.
    fn send(
        &mut self,
        sys: &mut dyn Sys,
        running: &mut Running,
        to: SocketAddr,
        front: &mut dyn Front,
    ) -> After {
        let socket = match self.open(sys, SocketKind::Udp, to) {
            Ok(socket) => socket,
            Err(errno) => return self.not_set_up(sys, running, to, words(errno), "UDP setup with", front),
        };
        self.status = 0;
        running.sent = sys.now();
        // What can't be sent is waited for all the same.
        let _ = sys.send(socket, &running.bytes, None);
        self.sent(sys, running, front);
        running.contact = Contact::Udp { socket, until: sys.now() + self.timeout(UDP_TIMEOUT) };
        After::Server
    }

    fn connect(
        &mut self,
        sys: &mut dyn Sys,
        running: &mut Running,
        to: SocketAddr,
        front: &mut dyn Front,
    ) -> After {
        match self.open(sys, SocketKind::Tcp, to) {
            Ok(socket) => {
                running.contact =
                    Contact::Connecting { socket, until: sys.now() + self.timeout(TCP_TIMEOUT) };
                After::Server
            }
            Err(errno) => self.not_connected(sys, running, to, words(errno), front),
        }
    }

    fn connected(
        &mut self,
        sys: &mut dyn Sys,
        running: &mut Running,
        socket: Fd,
        front: &mut dyn Front,
    ) -> After {
        self.status = 0;
        running.sent = sys.now();
        let framed = dns::framed(&running.bytes).unwrap_or_default();
        let _ = sys.send(socket, &framed, None);
        self.sent(sys, running, front);
        let until = sys.now() + self.timeout(TCP_TIMEOUT);
        running.contact = Contact::Tcp { socket, until, frames: Frames::default() };
        After::Server
    }

    /// `+qr`.
    fn sent(&mut self, sys: &mut dyn Sys, running: &mut Running, front: &mut dyn Front) {
        if running.lookup.show_query {
            let asked = self.asked(running, Duration::ZERO);
            front.message(sys, &asked, &running.query, true);
            running.lookup.greeting.clear();
        }
    }

    fn asked<'a>(&'a self, running: &'a Running, took: Duration) -> Asked<'a> {
        let server = &running.servers[running.at];
        Asked {
            lookup: &running.lookup,
            settings: &self.settings,
            name: &running.name,
            query: &running.query,
            server,
            address: SocketAddr::new(server.addr, self.settings.port),
            took,
        }
    }

    fn not_connected(
        &mut self,
        sys: &mut dyn Sys,
        running: &mut Running,
        to: SocketAddr,
        why: &str,
        front: &mut dyn Front,
    ) -> After {
        self.not_set_up(sys, running, to, why, "Connection to", front)
    }

    /// A server that can't even be asked: the whole lookup begins again, as often as it may.
    /// Source: the failures in `udp_ready` and `tcp_connected`.
    fn not_set_up(
        &mut self,
        sys: &mut dyn Sys,
        running: &mut Running,
        to: SocketAddr,
        why: &str,
        what: &str,
        front: &mut dyn Front,
    ) -> After {
        let text = format!("{what} {}({}) for {} failed: {why}.", hash(to), to.ip(), running.lookup.text);
        front.remark(sys, &text);
        self.status = self.status.max(9);
        if running.lookup.retries > 1 {
            running.lookup.retries -= 1;
            self.lookups.push_front(running.lookup.again());
        } else if running.at + 1 < running.servers.len() {
            running.at += 1;
            return After::Server;
        }
        front.remark(sys, "no servers could be reached");
        After::Over
    }
}

impl Running {
    fn hang_up(&mut self, sys: &mut dyn Sys) {
        match std::mem::replace(&mut self.contact, Contact::None) {
            Contact::None => {}
            Contact::Udp { socket, .. }
            | Contact::Connecting { socket, .. }
            | Contact::Tcp { socket, .. } => {
                sys.close(socket);
            }
        }
    }
}

fn udp(sys: &mut dyn Sys, socket: Fd, until: SimTime) -> Heard {
    match sys.recv(socket, 1 << 16) {
        Ok(received) => Heard::Bytes(received.data),
        Err(Errno::Again) if sys.now() >= until => Heard::Failed("timed out"),
        Err(Errno::Again) => Heard::Nothing,
        Err(errno) => Heard::Failed(words(errno)),
    }
}

fn tcp(sys: &mut dyn Sys, socket: Fd, until: SimTime, frames: &mut Frames) -> Heard {
    loop {
        if let Some(bytes) = frames.take() {
            return Heard::Bytes(bytes);
        }
        match sys.recv(socket, 1 << 16) {
            Ok(received) if received.data.is_empty() => return Heard::Failed("end of file"),
            Ok(received) => frames.push(&received.data),
            Err(Errno::Again) if sys.now() >= until => return Heard::Failed("timed out"),
            Err(Errno::Again) => return Heard::Nothing,
            Err(errno) => return Heard::Failed(words(errno)),
        }
    }
}

/// `10.0.0.53#53`.
pub(in crate::dns) fn hash(addr: SocketAddr) -> String {
    format!("{}#{}", addr.ip(), addr.port())
}

/// Whether it is an answer at all.
pub(in crate::dns) fn is_response(message: &Message) -> bool {
    message.metadata.message_type == MessageType::Response
}
