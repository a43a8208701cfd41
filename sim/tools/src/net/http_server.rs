//! HTTP/1.1 over accepted connections, plain or over TLS, for the small servers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use kernel::Errno;
use kernel::socket::{SocketKind, SocketOption};
use world::{Fd, Next, Sys, Wait};

use crate::tls::{Certificate, Identity, ServerFailure, ServerSession};

/// A socket that listens, and the connections that it took.
#[derive(Clone, Debug)]
pub struct HttpServer {
    listener: Fd,
    connections: BTreeMap<ConnectionId, Connection>,
    taken: u64,
    /// Who the server is to those who speak TLS; without, it speaks plain HTTP.
    identity: Option<Arc<Identity>>,
}

/// A connection; its number is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnectionId(u64);

#[derive(Clone, Debug)]
struct Connection {
    fd: Fd,
    peer: SocketAddr,
    secure: Option<ServerSession>,
    received: Vec<u8>,
    to_send: Vec<u8>,
    /// A request waits for its answer; the next one has to wait too.
    asked: bool,
    /// The peer sends no more.
    ended: bool,
}

/// A request that came completely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// Where the answer goes.
    pub connection: ConnectionId,
    /// Who sent it.
    pub peer: SocketAddr,
    /// The sender's certificates, its own first.
    pub certificates: Vec<Certificate>,
    /// Head and body.
    pub text: String,
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
        Ok(Self { listener, connections: BTreeMap::new(), taken: 0, identity: None })
    }

    /// Speaks TLS.
    #[must_use]
    pub fn with_identity(mut self, identity: Identity) -> Self {
        self.identity = Some(Arc::new(identity));
        self
    }

    /// Takes new connections and serves all as far as they go, each request answered at once.
    pub(crate) fn serve(&mut self, sys: &mut dyn Sys, answer: Answer<'_>) -> Next {
        for request in self.receive(sys) {
            self.answer_all(sys, request, answer);
        }
        Next::Wait(Wait { fds: self.fds(), ..Wait::default() })
    }

    /// Answers a request, and those that its connection has brought meanwhile.
    fn answer_all(&mut self, sys: &mut dyn Sys, first: HttpRequest, answer: Answer<'_>) {
        let mut next = Some(first);
        while let Some(request) = next {
            let bytes = answer(sys, request.peer, &request.text);
            next = self.answer(sys, request.connection, bytes);
        }
    }

    /// Takes new connections, and what came completely on all: at most one request of each that
    /// waits for no answer.
    pub fn receive(&mut self, sys: &mut dyn Sys) -> Vec<HttpRequest> {
        while let Ok((fd, peer)) = sys.accept(self.listener) {
            let (received, to_send) = (Vec::new(), Vec::new());
            let secure = self.identity.clone().map(ServerSession::new);
            let connection = Connection { fd, peer, secure, received, to_send, asked: false, ended: false };
            self.connections.insert(ConnectionId(self.taken), connection);
            self.taken += 1;
        }
        let all: Vec<ConnectionId> = self.connections.keys().copied().collect();
        all.into_iter().filter_map(|id| self.turn(sys, id)).collect()
    }

    /// Answers the request of a connection, if it still stands; answers its next request, if that
    /// has come already.
    pub fn answer(&mut self, sys: &mut dyn Sys, id: ConnectionId, bytes: Vec<u8>) -> Option<HttpRequest> {
        let connection = self.connections.get_mut(&id)?;
        connection.send(&bytes);
        connection.asked = false;
        self.turn(sys, id)
    }

    /// Sends a part of an answer, if the connection still stands.
    pub fn push(&mut self, sys: &mut dyn Sys, id: ConnectionId, bytes: Vec<u8>) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.send(&bytes);
            self.turn(sys, id);
        }
    }

    /// Whether a connection still stands.
    pub fn stands(&self, id: ConnectionId) -> bool {
        self.connections.contains_key(&id)
    }

    /// The descriptors to wait for.
    pub fn fds(&self) -> Vec<Fd> {
        std::iter::once(self.listener).chain(self.connections.values().map(|each| each.fd)).collect()
    }

    fn turn(&mut self, sys: &mut dyn Sys, id: ConnectionId) -> Option<HttpRequest> {
        let connection = self.connections.get_mut(&id)?;
        let stands = connection.advance(sys);
        if stands && let Some(text) = connection.next_request() {
            let certificates = connection.secure.iter().flat_map(|secure| secure.client().to_vec()).collect();
            return Some(HttpRequest { connection: id, peer: connection.peer, certificates, text });
        }
        if !stands || connection.ended && connection.to_send.is_empty() {
            sys.close(connection.fd);
            self.connections.remove(&id);
        }
        None
    }
}

impl Connection {
    fn send(&mut self, bytes: &[u8]) {
        match &self.secure {
            None => self.to_send.extend(bytes),
            Some(secure) => self.to_send.extend(secure.seal(bytes)),
        }
    }

    /// Sends what can be sent now; false when the connection failed.
    fn flush(&mut self, sys: &mut dyn Sys) -> bool {
        while !self.to_send.is_empty() {
            match sys.send(self.fd, &self.to_send, None) {
                Ok(n) => drop(self.to_send.drain(..n)),
                Err(Errno::Again) => break,
                Err(_) => return false,
            }
        }
        true
    }

    /// Takes what has been received; false when that ends the connection.
    fn take(&mut self, data: Vec<u8>) -> bool {
        let Some(secure) = &mut self.secure else {
            self.received.extend(data);
            let is_tls = self.received.starts_with(&[22, 3]);
            if is_tls {
                let head = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n";
                self.to_send.extend(format!("{head}400 Bad Request").as_bytes());
            }
            return !is_tls;
        };
        let outcome = secure.take(&data);
        self.to_send.extend(secure.to_send());
        self.received.extend(secure.opened());
        self.ended |= secure.has_ended();
        if outcome == Err(ServerFailure::Http) {
            // Go: `net/http`'s `conn.serve`.
            let text = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
            self.to_send.extend(text.as_bytes());
        }
        outcome.is_ok()
    }

    /// Sends and receives what can be now; false when the connection failed.
    fn advance(&mut self, sys: &mut dyn Sys) -> bool {
        if !self.flush(sys) {
            return false;
        }
        while !self.ended {
            match sys.recv(self.fd, 1 << 16) {
                Ok(received) if received.data.is_empty() => self.ended = true,
                Ok(received) => {
                    let goes_on = self.take(received.data);
                    if !self.flush(sys) || !goes_on {
                        return false;
                    }
                }
                Err(Errno::Again) => break,
                Err(_) => return false,
            }
        }
        self.received.len() <= MAX_HEADERS || request_length(&self.received).is_some()
    }

    fn next_request(&mut self) -> Option<String> {
        let length = request_length(&self.received).filter(|_| !self.asked)?;
        let request: Vec<u8> = self.received.drain(..length).collect();
        self.asked = true;
        Some(String::from_utf8_lossy(&request).into_owned())
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
