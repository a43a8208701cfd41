//! The sockets by which other servers are asked.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use dns::{Frames, framed};
use kernel::Errno;
use kernel::socket::SocketKind;
use packet::SimTime;
use world::{Fd, ReadResult, Sys};

use crate::cni::go_text;
use crate::coredns::{Ask, AskId, Came, Socket, Transport};

/// A query to another server that is under way.
#[derive(Clone, Debug)]
struct Asked {
    ask: Box<Ask>,
    fd: Fd,
    stage: Stage,
    /// When the stage is over.
    until: SimTime,
    began: SimTime,
    /// How long its connection took to open; none if it was open.
    dialed: Option<Duration>,
    to_send: Vec<u8>,
    frames: Frames,
    ended: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Dialing,
    Reading,
}

/// A socket that was used and may be used again.
#[derive(Clone, Copy, Debug)]
struct Idle {
    fd: Fd,
    until: SimTime,
}

/// The sockets by which other servers are asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Upstream {
    asked: BTreeMap<AskId, Asked>,
    /// The sockets that wait for their next use, in the order in which they were put back.
    idle: BTreeMap<(SocketAddr, Transport), Vec<Idle>>,
}

/// What came of a query.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// Which one.
    pub ask: AskId,
    /// How long its connection took to open, if it was opened for it.
    pub dialed: Option<Duration>,
    /// What came.
    pub came: Came,
}

impl Upstream {
    /// Sends a query; answers what came of it, if that is known at once.
    pub fn send(&mut self, sys: &mut dyn Sys, ask: Box<Ask>) -> Option<Outcome> {
        let key = (ask.to, ask.transport);
        if matches!(ask.socket, Socket::Kept(_))
            && let Some(fd) = self.take_idle(sys, key)
        {
            return self.start(sys, ask, fd, None);
        }
        self.dial(sys, ask)
    }

    /// The socket that was put back last, if it isn't too old.
    fn take_idle(&mut self, sys: &mut dyn Sys, key: (SocketAddr, Transport)) -> Option<Fd> {
        let idle = self.idle.get_mut(&key)?;
        let last = idle.pop()?;
        if sys.now() < last.until {
            return Some(last.fd);
        }
        sys.close(last.fd);
        idle.drain(..).for_each(|old| sys.close(old.fd));
        None
    }

    fn dial(&mut self, sys: &mut dyn Sys, ask: Box<Ask>) -> Option<Outcome> {
        let (kind, name) = match ask.transport {
            Transport::Udp => (SocketKind::Udp, "udp"),
            Transport::Tcp => (SocketKind::Tcp, "tcp"),
        };
        let failed = |call: &str, errno: Errno| Outcome {
            ask: ask.id,
            dialed: Some(Duration::ZERO),
            came: Came::Error(format!("dial {name} {}: {call}: {}", ask.to, go_text(errno))),
        };
        let fd = match sys.socket(kind) {
            Ok(fd) => fd,
            Err(errno) => return Some(failed("socket", errno)),
        };
        match sys.connect(fd, ask.to) {
            Ok(()) => self.start(sys, ask, fd, Some(Duration::ZERO)),
            Err(Errno::InProgress) => {
                let (began, until) = (sys.now(), sys.now() + ask.dial);
                let asked = Asked {
                    fd,
                    stage: Stage::Dialing,
                    until,
                    began,
                    dialed: None,
                    to_send: Vec::new(),
                    frames: Frames::default(),
                    ended: false,
                    ask,
                };
                self.asked.insert(asked.ask.id, asked);
                None
            }
            Err(errno) => {
                sys.close(fd);
                Some(failed("connect", errno))
            }
        }
    }

    /// Sends a query by an open socket.
    fn start(
        &mut self,
        sys: &mut dyn Sys,
        ask: Box<Ask>,
        fd: Fd,
        dialed: Option<Duration>,
    ) -> Option<Outcome> {
        let began = sys.now();
        let until = began + ask.read;
        let (frames, to_send) = (Frames::default(), Vec::new());
        let mut asked =
            Asked { fd, stage: Stage::Reading, until, began, dialed, to_send, frames, ended: false, ask };
        match asked.write(sys) {
            Ok(()) => {
                self.asked.insert(asked.ask.id, asked);
                None
            }
            Err(errno) => {
                let error = asked.error(sys, "write", Some(errno));
                sys.close(fd);
                Some(Outcome { ask: asked.ask.id, dialed, came: Came::Error(error) })
            }
        }
    }

    /// Takes what came, and what didn't in time.
    pub fn poll(&mut self, sys: &mut dyn Sys) -> Vec<Outcome> {
        let now = sys.now();
        for idle in self.idle.values_mut() {
            idle.retain(|socket| {
                let stays = now < socket.until;
                if !stays {
                    sys.close(socket.fd);
                }
                stays
            });
        }
        let mut outcomes = Vec::new();
        let mut redial = Vec::new();
        for asked in self.asked.values_mut() {
            match asked.turn(sys) {
                Turn::Waits => {}
                Turn::Closed => redial.push(asked.ask.id),
                Turn::Came(all) => outcomes.extend(all.into_iter().map(|came| Outcome {
                    ask: asked.ask.id,
                    dialed: asked.dialed,
                    came,
                })),
            }
        }
        for id in redial {
            if let Some(asked) = self.asked.remove(&id) {
                sys.close(asked.fd);
                outcomes.extend(self.dial(sys, asked.ask));
            }
        }
        outcomes
    }

    /// A query is over; its socket is kept if that was asked for and it still works.
    pub fn done(&mut self, sys: &mut dyn Sys, id: AskId, came: &Came) {
        let Some(asked) = self.asked.remove(&id) else { return };
        match (asked.ask.socket, came) {
            (Socket::Kept(expire), Came::Bytes(_)) if !asked.ended => {
                let idle = Idle { fd: asked.fd, until: sys.now() + expire };
                self.idle.entry((asked.ask.to, asked.ask.transport)).or_default().push(idle);
            }
            _ => sys.close(asked.fd),
        }
    }

    /// The descriptors to wait for.
    pub fn fds(&self) -> impl Iterator<Item = Fd> {
        self.asked.values().map(|asked| asked.fd)
    }

    /// When a query has waited long enough.
    pub fn next(&self) -> Option<SimTime> {
        self.asked.values().map(|asked| asked.until).min()
    }

    /// Closes everything.
    pub fn close(&mut self, sys: &mut dyn Sys) {
        let idle = std::mem::take(&mut self.idle).into_values().flatten().map(|idle| idle.fd);
        let asked = std::mem::take(&mut self.asked).into_values().map(|asked| asked.fd);
        idle.chain(asked).for_each(|fd| sys.close(fd));
    }
}

/// How far a query has come.
enum Turn {
    Waits,
    /// The other side has closed a connection that was used before.
    Closed,
    Came(Vec<Came>),
}

impl Asked {
    fn turn(&mut self, sys: &mut dyn Sys) -> Turn {
        let fail = |error: String| Turn::Came(vec![Came::Error(error)]);
        if self.stage == Stage::Dialing {
            let to = self.ask.to;
            if let Some(errno) = sys.take_error(self.fd) {
                self.dialed = Some(sys.now().since(self.began));
                return fail(format!("dial tcp {to}: connect: {}", go_text(errno)));
            }
            if !sys.ready(self.fd).writable {
                if sys.now() < self.until {
                    return Turn::Waits;
                }
                self.dialed = Some(sys.now().since(self.began));
                return fail(format!("dial tcp {to}: i/o timeout"));
            }
            self.dialed = Some(sys.now().since(self.began));
            self.stage = Stage::Reading;
            self.until = sys.now() + self.ask.read;
            if let Err(errno) = self.write(sys) {
                return fail(self.error(sys, "write", Some(errno)));
            }
        } else if !self.to_send.is_empty()
            && let Err(errno) = self.flush(sys)
        {
            return fail(self.error(sys, "write", Some(errno)));
        }
        let came = match self.ask.transport {
            Transport::Udp => self.datagrams(sys),
            Transport::Tcp => self.messages(sys),
        };
        match came {
            Err(None) if self.dialed.is_none() => Turn::Closed,
            Err(None) => fail("EOF".to_owned()),
            Err(Some(errno)) => fail(self.error(sys, "read", Some(errno))),
            Ok(came) if !came.is_empty() => Turn::Came(came),
            Ok(_) if sys.now() >= self.until => fail(self.error(sys, "read", None)),
            Ok(_) => Turn::Waits,
        }
    }

    fn datagrams(&self, sys: &mut dyn Sys) -> Result<Vec<Came>, Option<Errno>> {
        let mut came = Vec::new();
        loop {
            match sys.recv(self.fd, usize::from(u16::MAX)) {
                Ok(received) => came.push(Came::Bytes(received.data)),
                Err(Errno::Again) => return Ok(came),
                Err(errno) if came.is_empty() => return Err(Some(errno)),
                Err(_) => return Ok(came),
            }
        }
    }

    fn messages(&mut self, sys: &mut dyn Sys) -> Result<Vec<Came>, Option<Errno>> {
        while !self.ended {
            match sys.read(self.fd, 1 << 16) {
                Ok(ReadResult::Data(bytes)) => self.frames.push(&bytes),
                Ok(ReadResult::Eof) => self.ended = true,
                Ok(ReadResult::WouldBlock) => break,
                Err(errno) => return Err(Some(errno)),
            }
        }
        let came: Vec<Came> = std::iter::from_fn(|| self.frames.take()).map(Came::Bytes).collect();
        if came.is_empty() && self.ended { Err(None) } else { Ok(came) }
    }

    /// Sends the query.
    fn write(&mut self, sys: &mut dyn Sys) -> Result<(), Errno> {
        match self.ask.transport {
            Transport::Udp => sys.send(self.fd, &self.ask.bytes, None).map(drop),
            Transport::Tcp => {
                self.to_send = framed(&self.ask.bytes).map_err(|_| Errno::MsgSize)?;
                self.flush(sys)
            }
        }
    }

    fn flush(&mut self, sys: &mut dyn Sys) -> Result<(), Errno> {
        match sys.write(self.fd, &self.to_send) {
            Ok(sent) => drop(self.to_send.drain(..sent)),
            Err(Errno::Again) => {}
            Err(errno) => return Err(errno),
        }
        Ok(())
    }

    /// As Go's `net.OpError` says it; without a number it took too long.
    fn error(&self, sys: &dyn Sys, call: &str, errno: Option<Errno>) -> String {
        let name = self.ask.transport.name();
        let own = sys.local_addr(self.fd).map_or(String::new(), |own| own.to_string());
        let why =
            errno.map_or_else(|| "i/o timeout".to_owned(), |errno| format!("{call}: {}", go_text(errno)));
        format!("{call} {name} {own}->{}: {why}", self.ask.to)
    }
}
