//! Two connections whose bytes a process copies in both directions: what proxies are made of.

use kernel::Errno;
use world::{Fd, Sys};

/// What a relay does when one side has no more to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnEnd {
    /// Tells the other side, and goes on in the other direction.
    PassOn,
    /// Closes both connections.
    CloseBoth,
}

/// A client, and the connection that was made for it.
#[derive(Clone, Debug)]
pub struct Relay {
    client: Side,
    backend: Side,
    on_end: OnEnd,
}

/// One side: what it sent and the other side hasn't taken yet.
#[derive(Clone, Debug)]
struct Side {
    fd: Fd,
    unsent: Vec<u8>,
    ended: bool,
    told: bool,
}

impl Side {
    fn new(fd: Fd) -> Self {
        Self { fd, unsent: Vec::new(), ended: false, told: false }
    }

    fn is_done(&self) -> bool {
        self.ended && self.unsent.is_empty()
    }
}

impl Relay {
    /// One between two sockets, of which the second may still be connecting. They are its own now.
    pub fn new(client: Fd, backend: Fd, on_end: OnEnd) -> Self {
        Self { client: Side::new(client), backend: Side::new(backend), on_end }
    }

    /// The descriptors to wait for.
    pub fn fds(&self) -> [Fd; 2] {
        [self.client.fd, self.backend.fd]
    }

    /// Copies what came. Answers whether it goes on; if not, both connections are closed.
    pub fn turn(&mut self, sys: &mut dyn Sys) -> bool {
        let works = sys.take_error(self.backend.fd).is_none()
            && pump(sys, &mut self.client, &mut self.backend, self.on_end)
            && pump(sys, &mut self.backend, &mut self.client, self.on_end);
        let is_over = match self.on_end {
            OnEnd::PassOn => self.client.is_done() && self.backend.is_done(),
            OnEnd::CloseBoth => self.client.is_done() || self.backend.is_done(),
        };
        if !works || is_over {
            self.fds().into_iter().for_each(|fd| sys.close(fd));
        }
        works && !is_over
    }
}

/// Moves bytes from one side to the other; false when the connection is lost.
fn pump(sys: &mut dyn Sys, from: &mut Side, to: &mut Side, on_end: OnEnd) -> bool {
    loop {
        while !from.unsent.is_empty() {
            match sys.send(to.fd, &from.unsent, None) {
                Ok(n) => drop(from.unsent.drain(..n)),
                Err(Errno::Again | Errno::NotConn) => return true,
                Err(_) => return false,
            }
        }
        if from.ended {
            if on_end == OnEnd::PassOn && !to.told {
                to.told = true;
                return sys.shutdown_write(to.fd).is_ok();
            }
            return true;
        }
        match sys.recv(from.fd, 1 << 16) {
            Ok(received) if received.data.is_empty() => from.ended = true,
            Ok(received) => from.unsent.extend(received.data),
            Err(Errno::Again | Errno::NotConn) => return true,
            Err(_) => return false,
        }
    }
}
