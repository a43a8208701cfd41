use std::net::SocketAddr;
use std::time::Duration;

use kernel::Errno;
use kernel::socket::SocketKind;
use packet::SimTime;
use tools::net::relay::{OnEnd, Relay};
use world::{Fd, Sys};

use super::balancer::{Affinity, Balancer};
use crate::cni::go_text;
use crate::proxy::ServicePortName;
use crate::time::klog;

/// How long the endpoints that are tried for a client have to answer.
/// Kubernetes: `EndpointDialTimeouts`.
pub const DIAL_TIMEOUTS: [Duration; 4] =
    [Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// The listening socket of a Service's port. It takes one client after the other: while it looks
/// for an endpoint for one, the next ones wait. Kubernetes: `tcpProxySocket`.
#[derive(Clone, Debug)]
pub struct TcpProxy {
    listener: Fd,
    dial: Option<Dial>,
}

/// A client for which an endpoint is looked for.
#[derive(Clone, Debug)]
struct Dial {
    client: Fd,
    from: SocketAddr,
    /// How many endpoints were tried.
    tried: usize,
    /// The one that is asked now: its socket, its address, and until when.
    asked: Option<(Fd, SocketAddr, SimTime)>,
}

impl TcpProxy {
    /// One on a socket that listens.
    pub fn new(listener: Fd) -> Self {
        Self { listener, dial: None }
    }

    /// The descriptors to wait for.
    pub fn fds(&self) -> impl Iterator<Item = Fd> {
        let asked = self.dial.as_ref().and_then(|dial| dial.asked);
        std::iter::once(asked.map_or(self.listener, |(fd, ..)| fd))
    }

    /// When an endpoint that is asked has had its time.
    pub fn until(&self) -> Option<SimTime> {
        self.dial.as_ref()?.asked.map(|(_, _, until)| until)
    }

    /// Stops listening. The client that waits for an endpoint is given up.
    pub fn close(&self, sys: &mut dyn Sys) {
        sys.close(self.listener);
        if let Some(dial) = &self.dial {
            sys.close(dial.client);
            if let Some((fd, ..)) = dial.asked {
                sys.close(fd);
            }
        }
    }

    /// Takes clients as long as endpoints answer at once; answers the connections that stand.
    pub fn turn(&mut self, sys: &mut dyn Sys, name: &ServicePortName, balancer: &mut Balancer) -> Vec<Relay> {
        let mut relays = Vec::new();
        loop {
            let mut dial = match self.dial.take() {
                Some(dial) => dial,
                None => match sys.accept(self.listener) {
                    Ok((client, from)) => Dial { client, from, tried: 0, asked: None },
                    Err(_) => return relays,
                },
            };
            match dial.advance(sys, name, balancer) {
                Dialed::Waits => {
                    self.dial = Some(dial);
                    return relays;
                }
                Dialed::Connected(fd) => relays.push(Relay::new(dial.client, fd, OnEnd::CloseBoth)),
                Dialed::Failed(why) => {
                    let text = format!("Failed to connect to balancer: {why}");
                    klog(sys, 'E', "proxysocket.go:141", &text);
                    sys.close(dial.client);
                }
            }
        }
    }
}

enum Dialed {
    Waits,
    Connected(Fd),
    Failed(&'static str),
}

impl Dial {
    /// Kubernetes: `TryConnectEndpoints`.
    fn advance(&mut self, sys: &mut dyn Sys, name: &ServicePortName, balancer: &mut Balancer) -> Dialed {
        loop {
            let (fd, to, until) = match self.asked {
                Some(asked) => asked,
                None => {
                    let Some(timeout) = DIAL_TIMEOUTS.get(self.tried) else {
                        return Dialed::Failed("failed to connect to an endpoint.");
                    };
                    let affinity = if self.tried == 0 { Affinity::Keep } else { Affinity::Reset };
                    self.tried += 1;
                    let Some(to) = balancer.next(name, self.from.ip(), affinity, sys.now()) else {
                        let why = "missing endpoints";
                        let text = format!("Couldn't find an endpoint for {name}: {why}");
                        klog(sys, 'E', "proxysocket.go:95", &text);
                        return Dialed::Failed(why);
                    };
                    match connect(sys, to) {
                        Ok(fd) => *self.asked.insert((fd, to, sys.now() + *timeout)),
                        Err(errno) => {
                            dial_failed(sys, to, &format!("connect: {}", go_text(errno)));
                            continue;
                        }
                    }
                }
            };
            let error = sys.take_error(fd);
            if error.is_none() && sys.ready(fd).writable {
                self.asked = None;
                return Dialed::Connected(fd);
            }
            let why = match error {
                Some(errno) => format!("getsockopt: {}", go_text(errno)),
                None if sys.now() >= until => "i/o timeout".to_owned(),
                None => return Dialed::Waits,
            };
            sys.close(fd);
            self.asked = None;
            dial_failed(sys, to, &why);
        }
    }
}

fn dial_failed(sys: &mut dyn Sys, to: SocketAddr, why: &str) {
    klog(sys, 'E', "proxysocket.go:106", &format!("Dial failed: dial tcp {to}: {why}"));
}

fn connect(sys: &mut dyn Sys, to: SocketAddr) -> Result<Fd, Errno> {
    let fd = sys.socket(SocketKind::Tcp)?;
    match sys.connect(fd, to) {
        Ok(()) | Err(Errno::InProgress) => Ok(fd),
        Err(errno) => {
            sys.close(fd);
            Err(errno)
        }
    }
}
