//! Questions to servers and their answers as glibc asks: servers one after the other, A and AAAA
//! side by side from one port. glibc: `__res_context_send` in `resolv/res_send.c`.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use dns::resolv_conf::{Flag, ResolvConf};
use dns::search::Failure;
use dns::{Message, PORT, ResponseCode};
use kernel::Errno;
use kernel::socket::{SocketKind, SocketOption};
use packet::SimTime;
use world::{Fd, Sys, Wait};

use super::Progress;
use super::question::{MAX_DATAGRAM, Question};
use super::stream::Stream;

/// Bytes of a message's header.
const HEADER: usize = 12;

/// How two questions go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Pace {
    /// Both at once.
    Parallel,
    /// The second when the first is answered.
    OneByOne,
    /// And by another socket.
    Reopened,
}

/// What a resolver keeps between its questions (`struct __res_state`).
#[derive(Clone, Debug)]
pub(super) struct Resolver {
    pub conf: ResolvConf,
    /// The socket for each server.
    sockets: Vec<Option<Fd>>,
    pace: Pace,
    /// `rotate`: who is asked first.
    offset: Option<usize>,
}

impl Resolver {
    pub(super) fn new(conf: ResolvConf) -> Self {
        let pace = match () {
            () if conf.has(Flag::SingleRequestReopen) => Pace::Reopened,
            () if conf.has(Flag::SingleRequest) => Pace::OneByOne,
            () => Pace::Parallel,
        };
        Self { sockets: vec![None; conf.servers.len()], conf, pace, offset: None }
    }

    /// The server that the next questions go to first. glibc: `nameserver_offset`.
    fn rotated(&mut self, sys: &mut dyn Sys) -> usize {
        let count = self.conf.servers.len();
        if count <= 1 || !self.conf.has(Flag::Rotate) {
            return 0;
        }
        let offset = match self.offset {
            Some(offset) => offset + 1,
            None => sys.random() as usize % count,
        };
        self.offset = Some(offset);
        offset % count
    }

    /// How long a server has: more from round to round of a longer list.
    fn patience(&self, server: usize) -> Duration {
        let servers = u32::try_from(self.conf.servers.len()).unwrap_or(1);
        let seconds = match server {
            0 => self.conf.timeout,
            _ => (self.conf.timeout << server) / servers,
        };
        Duration::from_secs(seconds.max(1).into())
    }

    /// The connected socket for a server. glibc: `reopen`.
    fn open(&mut self, sys: &mut dyn Sys, server: usize) -> Option<Fd> {
        if let Some(fd) = self.sockets[server] {
            return Some(fd);
        }
        let fd = sys.socket(SocketKind::Udp).ok()?;
        self.sockets[server] = Some(fd);
        sys.set_option(fd, SocketOption::RecvErr(true)).ok()?;
        sys.connect(fd, self.address(server)).ok()?;
        Some(fd)
    }

    pub(super) fn address(&self, server: usize) -> SocketAddr {
        let addr = self.conf.servers.get(server).copied();
        SocketAddr::new(addr.unwrap_or(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST)), PORT)
    }

    /// glibc: `__res_iclose`.
    pub(super) fn close(&mut self, sys: &mut dyn Sys) {
        for fd in self.sockets.iter_mut().filter_map(Option::take) {
            sys.close(fd);
        }
    }
}

/// The answers, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    pub first: Option<Message>,
    pub second: Option<Message>,
}

/// One or two questions on their way.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    questions: Vec<Question>,
    answers: Answers,
    attempt: u32,
    /// Servers of this round that were asked.
    shift: usize,
    offset: usize,
    stage: Stage,
    got_somewhere: bool,
    /// What the last message said, whether it was taken or not.
    rcode: ResponseCode,
}

#[derive(Clone, Debug)]
enum Stage {
    /// The next server's turn.
    Next,
    Datagrams(Datagrams),
    Stream(Stream),
}

#[derive(Clone, Debug)]
struct Datagrams {
    server: usize,
    fd: Fd,
    deadline: SimTime,
    /// Which questions need no answer any more.
    done: [bool; 2],
    /// `got_somewhere` as it was before this server.
    before: bool,
}

/// What becomes of an attempt.
enum Attempt {
    Waits,
    /// The next server.
    Over,
    Answered,
    /// Goes on with `stage`.
    Changed,
}

impl Exchange {
    pub(super) fn new(sys: &mut dyn Sys, resolver: &mut Resolver, questions: Vec<Question>) -> Self {
        Self {
            questions,
            answers: Answers::default(),
            attempt: 0,
            shift: 0,
            offset: resolver.rotated(sys),
            stage: Stage::Next,
            got_somewhere: false,
            rcode: ResponseCode::NoError,
        }
    }

    /// Goes as far as it can.
    pub(super) fn poll(
        &mut self,
        sys: &mut dyn Sys,
        resolver: &mut Resolver,
    ) -> Progress<Result<Answers, Failure>> {
        loop {
            let attempt = match &mut self.stage {
                Stage::Next => {
                    if self.attempt >= resolver.conf.attempts {
                        return self.end(sys, resolver, None);
                    }
                    let server = (self.offset + self.shift) % resolver.conf.servers.len();
                    self.answers = Answers::default();
                    if resolver.conf.has(Flag::UseVc) {
                        self.begin_stream(sys, resolver, server)
                    } else {
                        self.begin_datagrams(sys, resolver, server)
                    }
                }
                Stage::Datagrams(_) => self.datagrams(sys, resolver),
                Stage::Stream(stream) => match stream.poll(sys, &self.questions, &mut self.answers) {
                    Progress::Wait(_) => Attempt::Waits,
                    Progress::Done(Ok(())) => Attempt::Answered,
                    Progress::Done(Err(errno)) => {
                        // At most one attempt by TCP for each server.
                        if self.shift + 1 == resolver.conf.servers.len() {
                            return self.end(sys, resolver, Some(errno));
                        }
                        self.shift += 1;
                        let server = (self.offset + self.shift) % resolver.conf.servers.len();
                        self.begin_stream(sys, resolver, server)
                    }
                },
            };
            match attempt {
                Attempt::Changed => {}
                Attempt::Waits => return Progress::Wait(self.wait()),
                Attempt::Answered => {
                    resolver.close(sys);
                    return Progress::Done(Ok(std::mem::take(&mut self.answers)));
                }
                Attempt::Over => {
                    self.stage = Stage::Next;
                    self.shift += 1;
                    if self.shift == resolver.conf.servers.len() {
                        self.shift = 0;
                        self.attempt += 1;
                    }
                }
            }
        }
    }

    /// Gives it up; the resolver's sockets are closed by themselves.
    pub(super) fn cancel(&mut self, sys: &mut dyn Sys) {
        if let Stage::Stream(stream) = &mut self.stage {
            stream.close(sys);
        }
    }

    fn wait(&self) -> Wait {
        match &self.stage {
            Stage::Next => Wait::default(),
            Stage::Datagrams(state) => {
                Wait { fds: vec![state.fd], until: Some(state.deadline), ..Wait::default() }
            }
            Stage::Stream(stream) => stream.wait(),
        }
    }

    /// No server is left; by TCP the last one's error is told.
    fn end(
        &self,
        sys: &mut dyn Sys,
        resolver: &mut Resolver,
        by_tcp: Option<Errno>,
    ) -> Progress<Result<Answers, Failure>> {
        resolver.close(sys);
        let refused = by_tcp.map_or(!self.got_somewhere, |errno| errno == Errno::ConnRefused);
        Progress::Done(Err(match self.rcode {
            _ if refused => Failure::Unreachable,
            ResponseCode::ServFail => Failure::ServFail,
            _ => Failure::TimedOut,
        }))
    }

    fn begin_stream(&mut self, sys: &mut dyn Sys, resolver: &mut Resolver, server: usize) -> Attempt {
        resolver.close(sys);
        self.answers = Answers::default();
        self.stage = Stage::Stream(Stream::new(resolver.address(server)));
        Attempt::Changed
    }

    fn begin_datagrams(&mut self, sys: &mut dyn Sys, resolver: &mut Resolver, server: usize) -> Attempt {
        let before = self.got_somewhere;
        self.send_datagrams(sys, resolver, server, before)
    }

    fn send_datagrams(
        &mut self,
        sys: &mut dyn Sys,
        resolver: &mut Resolver,
        server: usize,
        before: bool,
    ) -> Attempt {
        let failed = |sys: &mut dyn Sys, resolver: &mut Resolver| {
            resolver.close(sys);
            Attempt::Over
        };
        let Some(fd) = resolver.open(sys, server) else { return failed(sys, resolver) };
        let deadline = sys.now() + resolver.patience(server);
        let at_once = if resolver.pace == Pace::Parallel { self.questions.len() } else { 1 };
        for question in &self.questions[..at_once] {
            if sys.send(fd, &question.bytes, None).is_err() {
                return failed(sys, resolver);
            }
        }
        let done = [false, self.questions.len() == 1];
        self.stage = Stage::Datagrams(Datagrams { server, fd, deadline, done, before });
        Attempt::Changed
    }

    /// Takes what came. glibc: `send_dg`.
    fn datagrams(&mut self, sys: &mut dyn Sys, resolver: &mut Resolver) -> Attempt {
        loop {
            let Stage::Datagrams(state) = &mut self.stage else { return Attempt::Changed };
            let bytes = match sys.recv(state.fd, MAX_DATAGRAM) {
                Ok(received) => received.data,
                Err(Errno::Again) if !sys.ready(state.fd).error => {
                    return if sys.now() < state.deadline {
                        Attempt::Waits
                    } else {
                        self.out_of_time(sys, resolver)
                    };
                }
                Err(_) => {
                    resolver.close(sys);
                    return Attempt::Over;
                }
            };
            self.got_somewhere = true;
            if bytes.len() < HEADER {
                resolver.close(sys);
                return Attempt::Over;
            }
            // Neither what is no message nor what answers another question counts.
            let Ok(message) = dns::decode(&bytes) else { continue };
            let asks =
                |question: &Question| question.id == message.metadata.id && question.is_asked_by(&message);
            let open = self.questions.iter().zip(state.done).map(|(question, done)| !done && asks(question));
            let Some(which) = open.into_iter().position(|matches| matches) else { continue };
            if let Some(attempt) = self.take(sys, resolver, which, message) {
                return attempt;
            }
        }
    }

    /// Takes the answer to a question; `None` if another is waited for.
    fn take(
        &mut self,
        sys: &mut dyn Sys,
        resolver: &mut Resolver,
        which: usize,
        message: Message,
    ) -> Option<Attempt> {
        let Stage::Datagrams(state) = &mut self.stage else { return None };
        let two = self.questions.len() == 2;
        let first_slot = !two || state.done == [false, false];
        if first_slot {
            self.rcode = message.metadata.response_code;
        }
        if is_failure(&message) {
            if !two {
                resolver.close(sys);
                return Some(Attempt::Over);
            }
            if state.done != [false, false] {
                // The other one's answer, if there is one, must do.
                self.answers.second = None;
                return Some(if self.answers.first.is_some() { Attempt::Answered } else { Attempt::Over });
            }
            self.answers.first = None;
            state.done[which] = true;
            return None;
        }
        if message.metadata.truncation {
            let server = state.server;
            return Some(self.begin_stream(sys, resolver, server));
        }
        if first_slot {
            self.answers.first = Some(message);
        } else {
            self.answers.second = Some(message);
        }
        state.done[which] = true;
        if state.done == [true, true] {
            return Some(Attempt::Answered);
        }
        if resolver.pace > Pace::Parallel {
            if resolver.pace == Pace::Reopened {
                resolver.close(sys);
                match resolver.open(sys, state.server) {
                    Some(fd) => state.fd = fd,
                    None => return Some(Attempt::Over),
                }
            }
            let second = self.questions.get(1)?;
            if sys.send(state.fd, &second.bytes, None).is_err() {
                resolver.close(sys);
                return Some(Attempt::Over);
            }
        }
        None
    }

    /// No answer came in time, or one of two: then both are asked again more carefully.
    fn out_of_time(&mut self, sys: &mut dyn Sys, resolver: &mut Resolver) -> Attempt {
        let Stage::Datagrams(state) = &self.stage else { return Attempt::Changed };
        let (server, before) = (state.server, state.before);
        let one_came = self.questions.len() == 2 && state.done != [false, false];
        if self.answers.first.is_none() || !one_came {
            self.got_somewhere = true;
            return Attempt::Over;
        }
        match resolver.pace {
            Pace::Parallel => resolver.pace = Pace::OneByOne,
            Pace::OneByOne => {
                resolver.pace = Pace::Reopened;
                resolver.close(sys);
            }
            Pace::Reopened => {
                self.answers.second = None;
                return Attempt::Answered;
            }
        }
        self.got_somewhere = before;
        self.send_datagrams(sys, resolver, server, before)
    }
}

/// Whether another server is asked instead: it can't or won't say, or it is no server for the name.
fn is_failure(message: &Message) -> bool {
    let data = &message.metadata;
    let lame = || {
        let additionals = message.additionals.len() + usize::from(message.edns.is_some());
        message.answers.is_empty() && !data.authoritative && !data.recursion_available && additionals == 0
    };
    match data.response_code {
        ResponseCode::ServFail | ResponseCode::NotImp | ResponseCode::Refused => true,
        ResponseCode::NoError => lame(),
        _ => false,
    }
}
