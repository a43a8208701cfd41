//! A name's addresses as musl finds them: /etc/hosts, then all servers at once. musl:
//! `src/network/lookup_name.c`, `src/network/res_msend.c`.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use dns::hosts::{Found, Hosts};
use dns::search::musl_names;
use dns::{
    Addresses, Family, Frames, GaiError, Libc, Message, PORT, RData, RecordType, ResolvConf, ResponseCode,
};
use kernel::Errno;
use kernel::socket::SocketKind;
use packet::SimTime;
use world::{Fd, Sys, Wait};

use super::question::{Extras, MAX_DATAGRAM, Question, kinds, text_of};
use super::{Progress, conf};
use crate::net::read_file;

/// Bytes of an answer that are looked at (`ABUF_SIZE`); a longer datagram counts as cut.
const MAX_ANSWER: usize = 768;
/// Addresses that are taken.
const MAX_ADDRESSES: usize = 48;

/// A lookup that goes on.
#[derive(Clone, Debug)]
pub(super) struct ByNames {
    name: String,
    family: Family,
    conf: ResolvConf,
    /// What is left to ask; `None` before /etc/hosts was read.
    names: Option<VecDeque<String>>,
    exchange: Option<Msend>,
}

impl ByNames {
    pub(super) fn new(sys: &mut dyn Sys, name: &str, family: Family) -> Self {
        let conf = conf(sys, Libc::Musl);
        Self { name: name.to_owned(), family, conf, names: None, exchange: None }
    }

    pub(super) fn poll(&mut self, sys: &mut dyn Sys) -> Progress<Result<Addresses, GaiError>> {
        if self.names.is_none() {
            let text = read_file(sys, "/etc/hosts").unwrap_or_default();
            match Hosts::parse(&text).find(Libc::Musl, &self.name, self.family) {
                Found::Addresses(addresses) => return Progress::Done(Ok(addresses)),
                Found::OtherFamily => return Progress::Done(Err(GaiError::NoData)),
                Found::Nothing => {}
            }
            self.names = Some(musl_names(&self.name, &self.conf).unwrap_or_default().into());
        }
        while let Some(name) = self.names.as_ref().and_then(VecDeque::front) {
            let exchange = match &mut self.exchange {
                Some(exchange) => exchange,
                None => match Msend::begin(sys, name, kinds(self.family), &self.conf) {
                    Ok(Some(exchange)) => self.exchange.insert(exchange),
                    // A name that can't be written doesn't exist.
                    Ok(None) => {
                        self.names.as_mut().map(VecDeque::pop_front);
                        continue;
                    }
                    Err(_) => return Progress::Done(Err(GaiError::System)),
                },
            };
            let answers = match exchange.poll(sys) {
                Progress::Wait(wait) => return Progress::Wait(wait),
                Progress::Done(answers) => answers,
            };
            self.exchange = None;
            match addresses(name, kinds(self.family), &answers) {
                Ok(Some(addresses)) => return Progress::Done(Ok(addresses)),
                Ok(None) => drop(self.names.as_mut().map(VecDeque::pop_front)),
                Err(error) => return Progress::Done(Err(error)),
            }
        }
        Progress::Done(Err(GaiError::NoName))
    }

    pub(super) fn cancel(&mut self, sys: &mut dyn Sys) {
        if let Some(mut exchange) = self.exchange.take() {
            exchange.close(sys);
        }
    }
}

/// The addresses in the answers, AAAA before A; `None` if there is no such name.
/// musl: `name_from_dns`.
fn addresses(
    name: &str,
    kinds: &[RecordType],
    answers: &[Option<Message>],
) -> Result<Option<Addresses>, GaiError> {
    for answer in answers {
        match answer.as_ref().map(|answer| answer.metadata.response_code) {
            None | Some(ResponseCode::ServFail) => return Err(GaiError::Again),
            Some(ResponseCode::NXDomain) => return Ok(None),
            Some(ResponseCode::NoError) => {}
            Some(_) => return Err(GaiError::Fail),
        }
    }
    let canonical = name.strip_suffix('.').unwrap_or(name).to_owned();
    let mut found = Addresses { canonical: Some(canonical), ..Addresses::default() };
    for (kind, answer) in kinds.iter().zip(answers).rev() {
        for record in answer.iter().flat_map(|answer| &answer.answers) {
            match &record.data {
                RData::CNAME(target) => found.canonical = Some(text_of(&target.0)),
                RData::A(a) if *kind == RecordType::A => found.addrs.push(IpAddr::V4(a.0)),
                RData::AAAA(aaaa) if *kind == RecordType::AAAA => found.addrs.push(IpAddr::V6(aaaa.0)),
                _ => {}
            }
        }
    }
    found.addrs.truncate(MAX_ADDRESSES);
    if found.addrs.is_empty() { Err(GaiError::NoData) } else { Ok(Some(found)) }
}

/// How far a question is.
#[derive(Clone, Debug)]
enum Slot {
    Open,
    Answered(Message),
    /// Its answer was cut: it is asked again over TCP.
    Tcp {
        fd: Fd,
        to_send: Vec<u8>,
        frames: Frames,
    },
    /// And that went wrong.
    Lost,
}

/// Questions on their way to all servers. musl: `__res_msend_rc`.
///
/// Simplified: its TCP connections ask for no fast open cookie, and its ids are random, not the clock's.
#[derive(Clone, Debug)]
pub(super) struct Msend {
    questions: Vec<Question>,
    slots: Vec<Slot>,
    servers: Vec<SocketAddr>,
    fd: Fd,
    /// When the lookup is given up.
    end: SimTime,
    interval: Duration,
    /// When the servers are asked again.
    again: SimTime,
    /// Answers of SERVFAIL that are answered by asking once more.
    servfail_retries: usize,
}

impl Msend {
    /// `None` if the name can't be written.
    pub(super) fn begin(
        sys: &mut dyn Sys,
        name: &str,
        kinds: &[RecordType],
        conf: &ResolvConf,
    ) -> Result<Option<Self>, Errno> {
        let question = |kind: &RecordType| Question::new(sys, name, *kind, Extras::default());
        let questions: Option<Vec<Question>> = kinds.iter().map(question).collect();
        let Some(questions) = questions else { return Ok(None) };
        let fd = sys.socket(SocketKind::Udp)?;
        if let Err(errno) = sys.bind(fd, SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0)) {
            sys.close(fd);
            return Err(errno);
        }
        let timeout = Duration::from_secs(conf.timeout.into());
        // Simplified: `attempts:0` is as `attempts:1`; musl divides by it.
        let interval = timeout / conf.attempts.max(1);
        Ok(Some(Self {
            slots: vec![Slot::Open; questions.len()],
            questions,
            servers: conf.servers.iter().map(|addr| SocketAddr::new(*addr, PORT)).collect(),
            fd,
            end: sys.now() + timeout,
            interval,
            again: sys.now(),
            servfail_retries: 0,
        }))
    }

    pub(super) fn poll(&mut self, sys: &mut dyn Sys) -> Progress<Vec<Option<Message>>> {
        loop {
            self.receive(sys);
            let broken = self.streams(sys).is_err();
            let open = self.slots.iter().any(|slot| !matches!(slot, Slot::Answered(_)));
            if broken || !open || sys.now() >= self.end {
                self.close(sys);
                let answer = |slot: &Slot| match slot {
                    Slot::Answered(message) => Some(message.clone()),
                    Slot::Open | Slot::Tcp { .. } | Slot::Lost => None,
                };
                return Progress::Done(self.slots.iter().map(answer).collect());
            }
            if sys.now() < self.again {
                return Progress::Wait(self.wait());
            }
            self.ask_all(sys);
        }
    }

    fn wait(&self) -> Wait {
        let tcp = self.slots.iter().filter_map(|slot| match slot {
            Slot::Tcp { fd, .. } => Some(*fd),
            Slot::Open | Slot::Answered(_) | Slot::Lost => None,
        });
        let until = Some(self.again.min(self.end));
        Wait { fds: [self.fd].into_iter().chain(tcp).collect(), until, ..Wait::default() }
    }

    fn ask_all(&mut self, sys: &mut dyn Sys) {
        for (question, _) in self.questions.iter().zip(&self.slots).filter(|(_, s)| matches!(s, Slot::Open)) {
            for server in &self.servers {
                // A server that can't be reached is one that doesn't answer.
                let _ = sys.send(self.fd, &question.bytes, Some(*server));
            }
        }
        self.again = sys.now() + self.interval;
        self.servfail_retries = 2 * self.questions.len();
    }

    /// Takes datagrams.
    fn receive(&mut self, sys: &mut dyn Sys) {
        while self.slots.iter().any(|slot| matches!(slot, Slot::Open)) {
            let Ok(received) = sys.recv(self.fd, MAX_DATAGRAM) else { return };
            if !self.servers.contains(&received.from) {
                continue;
            }
            let Ok(message) = dns::decode(&received.data) else { continue };
            let open = self.questions.iter().zip(&self.slots);
            let which = open.into_iter().position(|(question, slot)| {
                matches!(slot, Slot::Open) && question.id == message.metadata.id
            });
            let Some(which) = which else { continue };
            match message.metadata.response_code {
                ResponseCode::NoError | ResponseCode::NXDomain => {}
                ResponseCode::ServFail if self.servfail_retries > 0 => {
                    self.servfail_retries -= 1;
                    let _ = sys.send(self.fd, &self.questions[which].bytes, Some(received.from));
                    continue;
                }
                _ => continue,
            }
            self.slots[which] = if message.metadata.truncation || received.data.len() > MAX_ANSWER {
                self.by_tcp(sys, which, received.from)
            } else {
                Slot::Answered(message)
            };
        }
    }

    fn by_tcp(&self, sys: &mut dyn Sys, which: usize, server: SocketAddr) -> Slot {
        let Ok(to_send) = dns::framed(&self.questions[which].bytes) else { return Slot::Lost };
        let Ok(fd) = sys.socket(SocketKind::Tcp) else { return Slot::Lost };
        match sys.connect(fd, server) {
            Ok(()) | Err(Errno::InProgress) => Slot::Tcp { fd, to_send, frames: Frames::default() },
            Err(_) => {
                sys.close(fd);
                Slot::Lost
            }
        }
    }

    /// Goes on with what is asked over TCP; anything that goes wrong ends the lookup.
    fn streams(&mut self, sys: &mut dyn Sys) -> Result<(), Errno> {
        'slots: for slot in &mut self.slots {
            let Slot::Tcp { fd, to_send, frames } = slot else { continue };
            let fd = *fd;
            if let Some(errno) = sys.take_error(fd) {
                return Err(errno);
            }
            if sys.peer_addr(fd).is_none() || !sys.ready(fd).writable {
                continue;
            }
            while !to_send.is_empty() {
                match sys.send(fd, to_send, None) {
                    Ok(sent) => drop(to_send.drain(..sent)),
                    Err(Errno::Again) => break,
                    Err(errno) => return Err(errno),
                }
            }
            let message = loop {
                if let Some(bytes) = frames.take() {
                    break dns::decode(&bytes).map_err(|_| Errno::MsgSize)?;
                }
                match sys.recv(fd, 1 << 16) {
                    Ok(received) if received.data.is_empty() => return Err(Errno::Pipe),
                    Ok(received) => frames.push(&received.data),
                    Err(Errno::Again) => continue 'slots,
                    Err(errno) => return Err(errno),
                }
            };
            if !matches!(message.metadata.response_code, ResponseCode::NoError | ResponseCode::NXDomain) {
                return Err(Errno::Proto);
            }
            sys.close(fd);
            *slot = Slot::Answered(message);
        }
        Ok(())
    }

    pub(super) fn close(&mut self, sys: &mut dyn Sys) {
        sys.close(self.fd);
        for slot in &self.slots {
            if let Slot::Tcp { fd, .. } = slot {
                sys.close(*fd);
            }
        }
    }
}
