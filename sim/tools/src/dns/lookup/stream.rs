//! Questions over TCP as glibc asks them: both by one connection. glibc: `send_vc` in
//! `resolv/res_send.c`.

use std::net::SocketAddr;

use dns::Frames;
use kernel::Errno;
use kernel::socket::SocketKind;
use world::{Fd, Sys, Wait};

use super::Progress;
use super::exchange::Answers;
use super::question::Question;

/// A connection to one server. It has no deadline but the kernel's.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    server: SocketAddr,
    fd: Option<Fd>,
    connected: bool,
    to_send: Vec<u8>,
    frames: Frames,
    done: [bool; 2],
    /// A connection that a server reset is opened once more.
    reset: bool,
}

impl Stream {
    pub(super) fn new(server: SocketAddr) -> Self {
        Self {
            server,
            fd: None,
            connected: false,
            to_send: Vec::new(),
            frames: Frames::default(),
            done: [false; 2],
            reset: false,
        }
    }

    pub(super) fn wait(&self) -> Wait {
        Wait { fds: self.fd.into_iter().collect(), ..Wait::default() }
    }

    pub(super) fn close(&mut self, sys: &mut dyn Sys) {
        if let Some(fd) = self.fd.take() {
            sys.close(fd);
        }
    }

    pub(super) fn poll(
        &mut self,
        sys: &mut dyn Sys,
        questions: &[Question],
        answers: &mut Answers,
    ) -> Progress<Result<(), Errno>> {
        loop {
            let outcome = match self.advance(sys, questions, answers) {
                Ok(false) => return Progress::Wait(self.wait()),
                Ok(true) => Ok(()),
                Err(errno) => Err(errno),
            };
            self.close(sys);
            if outcome == Err(Errno::ConnReset) && !self.reset {
                *self = Self { reset: true, ..Self::new(self.server) };
                continue;
            }
            return Progress::Done(outcome);
        }
    }

    /// Whether all answers are there.
    fn advance(
        &mut self,
        sys: &mut dyn Sys,
        questions: &[Question],
        answers: &mut Answers,
    ) -> Result<bool, Errno> {
        let fd = match self.fd {
            Some(fd) => fd,
            None => self.open(sys, questions)?,
        };
        if !self.connected {
            if let Some(errno) = sys.take_error(fd) {
                return Err(errno);
            }
            if sys.peer_addr(fd).is_none() || !sys.ready(fd).writable {
                return Ok(false);
            }
            self.connected = true;
        }
        while !self.to_send.is_empty() {
            match sys.send(fd, &self.to_send, None) {
                Ok(sent) => drop(self.to_send.drain(..sent)),
                Err(Errno::Again) => return Ok(false),
                Err(errno) => return Err(errno),
            }
        }
        loop {
            match sys.recv(fd, 1 << 16) {
                // The server has no more to say.
                Ok(received) if received.data.is_empty() => return Err(Errno::Pipe),
                Ok(received) => self.frames.push(&received.data),
                Err(Errno::Again) => return Ok(false),
                Err(errno) => return Err(errno),
            }
            while let Some(bytes) = self.frames.take() {
                let message = dns::decode(&bytes).map_err(|_| Errno::MsgSize)?;
                let open = questions.iter().zip(self.done);
                let which = open.into_iter().position(|(q, done)| !done && q.id == message.metadata.id);
                let Some(which) = which else { continue };
                if self.done == [false, questions.len() == 1] {
                    answers.first = Some(message);
                } else {
                    answers.second = Some(message);
                }
                self.done[which] = true;
                if self.done == [true, true] {
                    return Ok(true);
                }
            }
        }
    }

    fn open(&mut self, sys: &mut dyn Sys, questions: &[Question]) -> Result<Fd, Errno> {
        self.done = [false, questions.len() == 1];
        for question in questions {
            self.to_send.extend(dns::framed(&question.bytes).map_err(|_| Errno::MsgSize)?);
        }
        let fd = sys.socket(SocketKind::Tcp)?;
        self.fd = Some(fd);
        match sys.connect(fd, self.server) {
            Ok(()) | Err(Errno::InProgress) => Ok(fd),
            Err(errno) => Err(errno),
        }
    }
}
