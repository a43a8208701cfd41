use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use kernel::Errno;
use kernel::socket::SocketKind;
use packet::SimTime;
use world::{Fd, Sys};

use super::balancer::{Affinity, Balancer};
use super::tcp::DIAL_TIMEOUTS;
use crate::cni::go_text;
use crate::proxy::ServicePortName;
use crate::time::klog;

/// The longest datagram that is passed on whole.
const MAX_DATAGRAM: usize = 4096;

/// The socket of a Service's port, and one for each client. Kubernetes: `udpProxySocket`.
#[derive(Clone, Debug)]
pub struct UdpProxy {
    socket: Fd,
    idle_timeout: Duration,
    /// The socket of a client's own, and until when it is kept.
    clients: BTreeMap<SocketAddr, (Fd, SimTime)>,
}

impl UdpProxy {
    /// One on a bound socket, that forgets clients after this time of silence.
    pub fn new(socket: Fd, idle_timeout: Duration) -> Self {
        Self { socket, idle_timeout, clients: BTreeMap::new() }
    }

    /// The descriptors to wait for.
    pub fn fds(&self) -> impl Iterator<Item = Fd> {
        std::iter::once(self.socket).chain(self.clients.values().map(|(fd, _)| *fd))
    }

    /// When the next client is forgotten.
    pub fn until(&self) -> Option<SimTime> {
        self.clients.values().map(|(_, until)| *until).min()
    }

    /// Closes everything.
    pub fn close(&self, sys: &mut dyn Sys) {
        self.fds().for_each(|fd| sys.close(fd));
    }

    /// Passes datagrams on, in both directions.
    pub fn turn(&mut self, sys: &mut dyn Sys, name: &ServicePortName, balancer: &mut Balancer) {
        while let Ok(received) = sys.recv(self.socket, MAX_DATAGRAM) {
            let Some(fd) = self.backend(sys, received.from, name, balancer) else { continue };
            match sys.send(fd, &received.data, None) {
                Ok(_) => drop(self.clients.insert(received.from, (fd, sys.now() + self.idle_timeout))),
                Err(errno) => {
                    klog(sys, 'E', "proxysocket.go:242", &format!("Write failed: {}", go_text(errno)));
                }
            }
        }
        let (socket, idle_timeout) = (self.socket, self.idle_timeout);
        self.clients.retain(|client, (fd, until)| {
            let stays = answers(sys, (*fd, until, idle_timeout), socket, *client);
            if !stays {
                sys.close(*fd);
            }
            stays
        });
    }

    /// The socket of a client, connected to its endpoint.
    fn backend(
        &mut self,
        sys: &mut dyn Sys,
        client: SocketAddr,
        name: &ServicePortName,
        balancer: &mut Balancer,
    ) -> Option<Fd> {
        if let Some((fd, _)) = self.clients.get(&client) {
            return Some(*fd);
        }
        for tried in 0..DIAL_TIMEOUTS.len() {
            let affinity = if tried == 0 { Affinity::Keep } else { Affinity::Reset };
            let Some(to) = balancer.next(name, client.ip(), affinity, sys.now()) else {
                let text = format!("Couldn't find an endpoint for {name}: missing endpoints");
                klog(sys, 'E', "proxysocket.go:95", &text);
                return None;
            };
            match connect(sys, to) {
                Ok(fd) => {
                    self.clients.insert(client, (fd, sys.now() + self.idle_timeout));
                    return Some(fd);
                }
                Err(errno) => {
                    let text = format!("Dial failed: dial udp {to}: connect: {}", go_text(errno));
                    klog(sys, 'E', "proxysocket.go:106", &text);
                }
            }
        }
        None
    }
}

fn connect(sys: &mut dyn Sys, to: SocketAddr) -> Result<Fd, Errno> {
    let fd = sys.socket(SocketKind::Udp)?;
    let connected = sys.connect(fd, to);
    if connected.is_err() {
        sys.close(fd);
    }
    connected.map(|()| fd)
}

/// Passes a client its answers; says whether it is kept.
fn answers(
    sys: &mut dyn Sys,
    (fd, until, idle_timeout): (Fd, &mut SimTime, Duration),
    socket: Fd,
    client: SocketAddr,
) -> bool {
    loop {
        match sys.recv(fd, MAX_DATAGRAM) {
            Ok(received) => {
                *until = sys.now() + idle_timeout;
                if let Err(errno) = sys.send(socket, &received.data, Some(client)) {
                    klog(sys, 'E', "proxysocket.go:303", &format!("WriteTo failed: {}", go_text(errno)));
                    return false;
                }
            }
            Err(Errno::Again) => return sys.now() < *until,
            Err(errno) => {
                klog(sys, 'E', "proxysocket.go:290", &format!("Read failed: {}", go_text(errno)));
                return false;
            }
        }
    }
}
