//! `http-echo`: an HTTP/1.1 server that answers every request with one text.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use kernel::Errno;
use kernel::socket::SocketKind;
use kernel::socket::SocketOption;
use world::{Args, Fd, Next, Program, Registry, Sys, Wait};

use super::{GoFlags, complain, socket_addr};

/// Installs `http-echo`.
pub(crate) fn install(registry: &mut Registry) {
    registry.install("http-echo", |args| {
        Box::new(HttpEcho {
            args,
            listener: None,
            text: String::new(),
            show_peer: false,
            connections: BTreeMap::new(),
        })
    });
}

#[derive(Clone, Debug)]
struct HttpEcho {
    args: Args,
    listener: Option<Fd>,
    text: String,
    show_peer: bool,
    connections: BTreeMap<Fd, Connection>,
}

#[derive(Clone, Debug)]
struct Connection {
    peer: SocketAddr,
    received: Vec<u8>,
    to_send: Vec<u8>,
}

/// Bytes of headers after which a connection is given up.
const MAX_HEADERS: usize = 64 * 1024;

impl HttpEcho {
    fn start(&mut self, sys: &mut dyn Sys) -> Result<Fd, String> {
        let flags = GoFlags::parse(&self.args[1..], &["listen", "text"], &["show-peer"])?;
        let listen = flags.get("listen").unwrap_or(":5678");
        let addr =
            socket_addr(listen).ok_or_else(|| format!("invalid -listen {listen}: expected ADDR:PORT"))?;
        self.text = flags.get("text").unwrap_or("hello-world").to_owned();
        self.show_peer = flags.has("show-peer");
        let fail = |errno: Errno| format!("listen: {errno}");
        let fd = sys.socket(SocketKind::Tcp).map_err(fail)?;
        sys.set_option(fd, SocketOption::ReuseAddr(true)).map_err(fail)?;
        sys.bind(fd, addr).map_err(fail)?;
        sys.listen(fd, 64).map_err(fail)?;
        Ok(fd)
    }

    fn answer(&self, peer: SocketAddr) -> Vec<u8> {
        let from = if self.show_peer { format!(" from {}", peer.ip()) } else { String::new() };
        let body = format!("{}{from}\n", self.text);
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}", body.len())
            .into_bytes()
    }

    /// Serves one connection as far as it goes; false when it is over.
    fn serve(&self, sys: &mut dyn Sys, fd: Fd, connection: &mut Connection) -> bool {
        loop {
            while !connection.to_send.is_empty() {
                match sys.send(fd, &connection.to_send, None) {
                    Ok(n) => drop(connection.to_send.drain(..n)),
                    Err(Errno::Again) => return true,
                    Err(_) => return false,
                }
            }
            match sys.recv(fd, 1 << 16) {
                Ok(received) if received.data.is_empty() => return false,
                Ok(received) => connection.received.extend(received.data),
                Err(Errno::Again) => return true,
                Err(_) => return false,
            }
            while let Some(length) = request_length(&connection.received) {
                connection.received.drain(..length);
                connection.to_send.extend(self.answer(connection.peer));
            }
            if connection.received.len() > MAX_HEADERS {
                return false;
            }
        }
    }
}

/// Length of the first complete request in `bytes`: headers, and a body of Content-Length.
pub(crate) fn request_length(bytes: &[u8]) -> Option<usize> {
    let headers = bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..headers]).to_ascii_lowercase();
    let body =
        text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or(0);
    let length = headers.checked_add(body)?;
    (bytes.len() >= length).then_some(length)
}

impl Program for HttpEcho {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let listener = match self.listener {
            Some(fd) => fd,
            None => match self.start(sys) {
                Ok(fd) => *self.listener.insert(fd),
                Err(message) => {
                    complain(sys, &format!("http-echo: {message}\n"));
                    return Next::Exit(1);
                }
            },
        };
        while let Ok((fd, peer)) = sys.accept(listener) {
            self.connections.insert(fd, Connection { peer, received: Vec::new(), to_send: Vec::new() });
        }
        for (fd, mut connection) in std::mem::take(&mut self.connections) {
            if self.serve(sys, fd, &mut connection) {
                self.connections.insert(fd, connection);
            } else {
                sys.close(fd);
            }
        }
        let fds = std::iter::once(listener).chain(self.connections.keys().copied()).collect();
        Next::Wait(Wait { fds, ..Wait::default() })
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
