//! One HTTP request as a program makes it, over a connection of its own.

use std::net::SocketAddr;
use std::task::Poll;

use kernel::Errno;
use kernel::socket::SocketKind;
use packet::SimTime;
use world::{Fd, Sys, Wait};

use super::http_response::{Progress, Response};

/// A request that is under way.
///
/// Simplified: each request opens a connection and closes it after the answer.
#[derive(Clone, Debug)]
pub struct HttpExchange {
    fd: Fd,
    remote: SocketAddr,
    connected: bool,
    connect_by: Option<SimTime>,
    answer_by: Option<SimTime>,
    to_send: Vec<u8>,
    response: Response,
}

/// Why no answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpFailure {
    /// No connection.
    Connect(Errno),
    /// No connection in time.
    ConnectTimeout,
    /// The connection broke.
    Broken(Errno),
    /// The server closed the connection without an answer.
    Closed,
    /// The server closed the connection within the answer.
    Cut,
    /// No answer in time.
    Timeout,
}

/// Until when things have to happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deadlines {
    /// The connection stands.
    pub connect: Option<SimTime>,
    /// The answer is complete.
    pub answer: Option<SimTime>,
}

impl HttpExchange {
    /// Begins to connect; `request` is head and body.
    ///
    /// # Errors
    /// What `connect(2)` says at once.
    pub fn start(
        sys: &mut dyn Sys,
        remote: SocketAddr,
        request: &str,
        deadlines: Deadlines,
    ) -> Result<Self, HttpFailure> {
        let fd = sys.socket(SocketKind::Tcp).map_err(HttpFailure::Connect)?;
        match sys.connect(fd, remote) {
            Ok(()) | Err(Errno::InProgress) => Ok(Self {
                fd,
                remote,
                connected: false,
                connect_by: deadlines.connect,
                answer_by: deadlines.answer,
                to_send: request.as_bytes().to_vec(),
                response: Response::new(request.starts_with("HEAD ")),
            }),
            Err(errno) => {
                sys.close(fd);
                Err(HttpFailure::Connect(errno))
            }
        }
    }

    /// Whom it asks.
    pub fn remote(&self) -> SocketAddr {
        self.remote
    }

    /// Goes as far as it can. Its connection is closed when it is over.
    pub fn poll(&mut self, sys: &mut dyn Sys) -> Poll<Result<Response, HttpFailure>> {
        let outcome = self.advance(sys);
        if outcome.is_ready() {
            sys.close(self.fd);
        }
        outcome.map_ok(|()| self.response.clone())
    }

    /// Gives it up.
    pub fn cancel(self, sys: &mut dyn Sys) {
        sys.close(self.fd);
    }

    /// What it waits for.
    pub fn wait(&self) -> Wait {
        let connect_by = self.connect_by.filter(|_| !self.connected);
        let until = [connect_by, self.answer_by].into_iter().flatten().min();
        Wait { fds: vec![self.fd], until, ..Wait::default() }
    }

    fn advance(&mut self, sys: &mut dyn Sys) -> Poll<Result<(), HttpFailure>> {
        let now = sys.now();
        if !self.connected {
            if let Some(errno) = sys.take_error(self.fd) {
                return Poll::Ready(Err(HttpFailure::Connect(errno)));
            }
            if sys.peer_addr(self.fd).is_none() || !sys.ready(self.fd).writable {
                let late = self.connect_by.is_some_and(|by| now >= by);
                return if late { Poll::Ready(Err(HttpFailure::ConnectTimeout)) } else { self.pending(now) };
            }
            self.connected = true;
        }
        while !self.to_send.is_empty() {
            match sys.send(self.fd, &self.to_send, None) {
                Ok(n) => drop(self.to_send.drain(..n)),
                Err(Errno::Again) => return self.pending(now),
                Err(errno) => return Poll::Ready(Err(HttpFailure::Broken(errno))),
            }
        }
        loop {
            let progress = match sys.recv(self.fd, 1 << 16) {
                Ok(received) if received.data.is_empty() => match self.response.end() {
                    Progress::Complete => Progress::Complete,
                    Progress::More if self.response.is_empty() => {
                        return Poll::Ready(Err(HttpFailure::Closed));
                    }
                    Progress::More => return Poll::Ready(Err(HttpFailure::Cut)),
                },
                Ok(received) => self.response.take(&received.data),
                Err(Errno::Again) => return self.pending(now),
                Err(errno) => return Poll::Ready(Err(HttpFailure::Broken(errno))),
            };
            if progress == Progress::Complete {
                self.response.finish(now);
                return Poll::Ready(Ok(()));
            }
        }
    }

    fn pending(&self, now: SimTime) -> Poll<Result<(), HttpFailure>> {
        if self.answer_by.is_some_and(|by| now >= by) {
            return Poll::Ready(Err(HttpFailure::Timeout));
        }
        Poll::Pending
    }
}
