//! `docker-proxy`: passes what conntrack doesn't, from a port of the host to a container's port.
//! libnetwork: `cmd/proxy`.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use kernel::Errno;
use kernel::socket::{SocketKind, SocketOption};
use packet::{NetnsId, Pid};
use world::{Args, Fd, Next, Program, Registry, Spawn, Sys, Wait};

use super::state::Active;
use crate::net::complain;
use crate::net::relay::{OnEnd, Relay};

/// Installs `docker-proxy`.
pub fn install(registry: &mut Registry) {
    registry.install("docker-proxy", |args| {
        Box::new(DockerProxy {
            args,
            listener: None,
            udp: false,
            to: None,
            relays: Vec::new(),
            clients: BTreeMap::new(),
        })
    });
}

/// Starts one for a published port.
///
/// # Errors
/// What `spawn` refuses.
pub fn start(sys: &mut dyn Sys, active: &Active) -> Result<Pid, Errno> {
    let args = format!(
        "docker-proxy -proto {} -host-ip {} -host-port {} -container-ip {} -container-port {}",
        active.proto, active.host_ip, active.host_port, active.address, active.port
    );
    sys.spawn(Spawn {
        args: args.split(' ').map(str::to_owned).collect(),
        netns: Some(NetnsId::INIT),
        fds: Vec::new(),
        ..Spawn::default()
    })
}

#[derive(Clone, Debug)]
struct DockerProxy {
    args: Args,
    listener: Option<Fd>,
    udp: bool,
    to: Option<SocketAddr>,
    relays: Vec<Relay>,
    clients: BTreeMap<SocketAddr, Fd>,
}

impl DockerProxy {
    fn option(&self, name: &str) -> Option<&str> {
        let at = self.args.iter().position(|arg| arg == name)?;
        self.args.get(at + 1).map(String::as_str)
    }

    fn addr(&self, kind: &str) -> Option<SocketAddr> {
        let ip: IpAddr = self.option(&format!("-{kind}-ip"))?.parse().ok()?;
        Some(SocketAddr::new(ip, self.option(&format!("-{kind}-port"))?.parse().ok()?))
    }

    fn start(&mut self, sys: &mut dyn Sys) -> Result<Fd, String> {
        self.udp = self.option("-proto") == Some("udp");
        self.to = Some(self.addr("container").ok_or("missing -container-ip and -container-port")?);
        let from = self.addr("host").ok_or("missing -host-ip and -host-port")?;
        let fail = |errno: Errno| format!("listen {from}: {}", errno.to_string().to_lowercase());
        let fd = sys.socket(if self.udp { SocketKind::Udp } else { SocketKind::Tcp }).map_err(fail)?;
        if !self.udp {
            sys.set_option(fd, SocketOption::ReuseAddr(true)).map_err(fail)?;
        }
        sys.bind(fd, from).map_err(fail)?;
        if !self.udp {
            sys.listen(fd, 4096).map_err(fail)?;
        }
        Ok(fd)
    }

    /// A new client: connects to the container.
    fn accept(&mut self, sys: &mut dyn Sys, client: Fd) {
        let backend = self.to.and_then(|to| {
            let fd = sys.socket(SocketKind::Tcp).ok()?;
            match sys.connect(fd, to) {
                Ok(()) | Err(Errno::InProgress) => Some(fd),
                Err(_) => {
                    sys.close(fd);
                    None
                }
            }
        });
        match backend {
            Some(backend) => self.relays.push(Relay::new(client, backend, OnEnd::PassOn)),
            None => sys.close(client),
        }
    }

    fn serve_udp(&mut self, sys: &mut dyn Sys, listener: Fd) {
        while let Ok(received) = sys.recv(listener, 1 << 16) {
            let backend = match self.clients.get(&received.from) {
                Some(fd) => *fd,
                None => {
                    let Ok(fd) = sys.socket(SocketKind::Udp) else { continue };
                    if self.to.is_none_or(|to| sys.connect(fd, to).is_err()) {
                        sys.close(fd);
                        continue;
                    }
                    *self.clients.entry(received.from).or_insert(fd)
                }
            };
            let _ = sys.send(backend, &received.data, None);
        }
        for (client, fd) in &self.clients {
            while let Ok(received) = sys.recv(*fd, 1 << 16) {
                let _ = sys.send(listener, &received.data, Some(*client));
            }
        }
    }
}

impl Program for DockerProxy {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let listener = match self.listener {
            Some(fd) => fd,
            None => match self.start(sys) {
                Ok(fd) => *self.listener.insert(fd),
                Err(message) => {
                    complain(sys, &format!("docker-proxy: {message}\n"));
                    return Next::Exit(1);
                }
            },
        };
        let mut fds = vec![listener];
        if self.udp {
            self.serve_udp(sys, listener);
            fds.extend(self.clients.values());
            return Next::Wait(Wait { fds, ..Wait::default() });
        }
        while let Ok((client, _)) = sys.accept(listener) {
            self.accept(sys, client);
        }
        self.relays.retain_mut(|relay| relay.turn(sys));
        fds.extend(self.relays.iter().flat_map(Relay::fds));
        Next::Wait(Wait { fds, ..Wait::default() })
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
