//! HTTP/1.1 over accepted connections, for the small servers.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use kernel::Errno;
use kernel::socket::{SocketKind, SocketOption};
use world::{Fd, Next, Sys, Wait};

/// A socket that listens, and the connections that it took.
#[derive(Clone, Debug)]
pub(crate) struct HttpServer {
    listener: Fd,
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

/// What answers a request: its text, and who sent it.
pub(crate) type Answer<'a> = &'a dyn Fn(&mut dyn Sys, SocketAddr, &str) -> Vec<u8>;

impl HttpServer {
    /// Listens at an address.
    ///
    /// # Errors
    /// `EADDRINUSE` and kin.
    pub fn listen(sys: &mut dyn Sys, addr: SocketAddr, backlog: u32) -> Result<Self, Errno> {
        let listener = sys.socket(SocketKind::Tcp)?;
        sys.set_option(listener, SocketOption::ReuseAddr(true))?;
        sys.bind(listener, addr)?;
        sys.listen(listener, backlog)?;
        Ok(Self { listener, connections: BTreeMap::new() })
    }

    /// Takes new connections and serves all as far as they go.
    pub fn serve(&mut self, sys: &mut dyn Sys, answer: Answer<'_>) -> Next {
        while let Ok((fd, peer)) = sys.accept(self.listener) {
            self.connections.insert(fd, Connection { peer, received: Vec::new(), to_send: Vec::new() });
        }
        for (fd, mut connection) in std::mem::take(&mut self.connections) {
            if connection.serve(sys, fd, answer) {
                self.connections.insert(fd, connection);
            } else {
                sys.close(fd);
            }
        }
        let fds = std::iter::once(self.listener).chain(self.connections.keys().copied()).collect();
        Next::Wait(Wait { fds, ..Wait::default() })
    }
}

impl Connection {
    /// Serves the connection as far as it goes; false when it is over.
    fn serve(&mut self, sys: &mut dyn Sys, fd: Fd, answer: Answer<'_>) -> bool {
        loop {
            while !self.to_send.is_empty() {
                match sys.send(fd, &self.to_send, None) {
                    Ok(n) => drop(self.to_send.drain(..n)),
                    Err(Errno::Again) => return true,
                    Err(_) => return false,
                }
            }
            match sys.recv(fd, 1 << 16) {
                Ok(received) if received.data.is_empty() => return false,
                Ok(received) => self.received.extend(received.data),
                Err(Errno::Again) => return true,
                Err(_) => return false,
            }
            while let Some(length) = request_length(&self.received) {
                let request: Vec<u8> = self.received.drain(..length).collect();
                let request = String::from_utf8_lossy(&request).into_owned();
                self.to_send.extend(answer(sys, self.peer, &request));
            }
            if self.received.len() > MAX_HEADERS {
                return false;
            }
        }
    }
}

/// Length of the first complete request in `bytes`: headers, and a body of Content-Length.
fn request_length(bytes: &[u8]) -> Option<usize> {
    let headers = bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..headers]).to_ascii_lowercase();
    let body =
        text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or(0);
    let length = headers.checked_add(body)?;
    (bytes.len() >= length).then_some(length)
}
