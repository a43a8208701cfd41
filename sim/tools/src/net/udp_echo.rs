//! `udp-echo`: answers every datagram with one text.

use kernel::Errno;
use kernel::socket::SocketKind;
use world::{Args, Fd, Next, Program, Registry, Sys, Wait};

use super::{GoFlags, complain, socket_addr};

/// Installs `udp-echo`.
pub(crate) fn install(registry: &mut Registry) {
    registry.install("udp-echo", |args| {
        Box::new(UdpEcho { args, socket: None, text: String::new(), show_peer: false })
    });
}

#[derive(Clone, Debug)]
struct UdpEcho {
    args: Args,
    socket: Option<Fd>,
    text: String,
    show_peer: bool,
}

impl UdpEcho {
    fn start(&mut self, sys: &mut dyn Sys) -> Result<Fd, String> {
        let flags = GoFlags::parse(&self.args[1..], &["listen", "text"], &["show-peer"])?;
        let listen = flags.get("listen").ok_or("missing -listen ADDR:PORT")?;
        let addr =
            socket_addr(listen).ok_or_else(|| format!("invalid -listen {listen}: expected ADDR:PORT"))?;
        self.text = flags.get("text").unwrap_or("").to_owned();
        self.show_peer = flags.has("show-peer");
        let fail = |errno: Errno| format!("listen: {errno}");
        let fd = sys.socket(SocketKind::Udp).map_err(fail)?;
        sys.bind(fd, addr).map_err(fail)?;
        Ok(fd)
    }
}

impl Program for UdpEcho {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let fd = match self.socket {
            Some(fd) => fd,
            None => match self.start(sys) {
                Ok(fd) => *self.socket.insert(fd),
                Err(message) => {
                    complain(sys, &format!("udp-echo: {message}\n"));
                    return Next::Exit(1);
                }
            },
        };
        loop {
            match sys.recv(fd, 1 << 16) {
                Ok(received) => {
                    let from =
                        if self.show_peer { format!(" from {}", received.from.ip()) } else { String::new() };
                    // An answer that can't be sent is lost, as on the wire.
                    let _ = sys.send(fd, format!("{}{from}", self.text).as_bytes(), Some(received.from));
                }
                Err(Errno::Again) => break,
                // An ICMP error of an earlier answer.
                Err(_) => {}
            }
        }
        Next::Wait(Wait { fds: vec![fd], ..Wait::default() })
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
