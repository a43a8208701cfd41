//! The servers of the lab: they answer with their own address and whom they see.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use kernel::Errno;
use kernel::socket::{SocketKind, SocketOption};
use world::{Args, Fd, Next, Program, Registry, Sys, Wait};

/// Installs `flow-server tcp|udp ADDR:PORT…`.
pub fn install(registry: &mut Registry) {
    registry.install("flow-server", |args| {
        Box::new(Server { args, listeners: Vec::new(), datagrams: Vec::new(), open: BTreeMap::new() })
    });
}

#[derive(Clone, Debug)]
struct Server {
    args: Args,
    listeners: Vec<(Fd, SocketAddr)>,
    datagrams: Vec<(Fd, SocketAddr)>,
    /// Connections that have been answered, until their client closes.
    open: BTreeMap<Fd, SocketAddr>,
}

impl Server {
    fn start(&mut self, sys: &mut dyn Sys) -> Result<(), Errno> {
        for pair in self.args[1..].chunks(2) {
            let [proto, addr] = pair else { return Err(Errno::Inval) };
            let addr: SocketAddr = addr.parse().map_err(|_| Errno::Inval)?;
            if proto == "udp" {
                let fd = sys.socket(SocketKind::Udp)?;
                sys.bind(fd, addr)?;
                self.datagrams.push((fd, addr));
            } else {
                let fd = sys.socket(SocketKind::Tcp)?;
                sys.set_option(fd, SocketOption::ReuseAddr(true))?;
                sys.bind(fd, addr)?;
                sys.listen(fd, 128)?;
                self.listeners.push((fd, addr));
            }
        }
        self.args.clear();
        Ok(())
    }

    fn serve(&mut self, sys: &mut dyn Sys) {
        for &(fd, own) in &self.datagrams {
            while let Ok(received) = sys.recv(fd, 1 << 16) {
                // An answer that can't be sent is lost, as on the wire.
                let _ = sys.send(fd, answer(own, received.from).as_bytes(), Some(received.from));
            }
        }
        for &(listener, own) in &self.listeners {
            while let Ok((fd, peer)) = sys.accept(listener) {
                let _ = sys.send(fd, answer(own, peer).as_bytes(), None);
                self.open.insert(fd, peer);
            }
        }
        self.open.retain(|&fd, _| match sys.recv(fd, 1 << 16) {
            Ok(received) if !received.data.is_empty() => true,
            Err(Errno::Again) => true,
            _ => {
                sys.close(fd);
                false
            }
        });
    }
}

/// `BACKEND PEER`.
fn answer(own: SocketAddr, peer: SocketAddr) -> String {
    format!("{own} {peer}\n")
}

impl Program for Server {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        if !self.args.is_empty()
            && let Err(errno) = self.start(sys)
        {
            let _ = sys.write(Fd::STDERR, format!("flow-server: {errno}\n").as_bytes());
            return Next::Exit(1);
        }
        self.serve(sys);
        let listeners = self.listeners.iter().chain(&self.datagrams).map(|&(fd, _)| fd);
        let fds = listeners.chain(self.open.keys().copied()).collect();
        Next::Wait(Wait { fds, ..Wait::default() })
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
