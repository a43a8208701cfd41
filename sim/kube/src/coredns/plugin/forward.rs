use std::net::SocketAddr;
use std::time::Duration;

use dns::{Message, RecordType, ResponseCode};
use packet::SimTime;

use crate::coredns::corefile::{Forward as Config, Policy, Recursion, Upstream};
use crate::coredns::message::{self, Transport};

/// How long a query is tried.
const DEADLINE: Duration = Duration::from_secs(5);
/// How long an answer may take.
pub const READ: Duration = Duration::from_secs(2);
/// How long the answer to a health check may take.
pub const CHECK_READ: Duration = Duration::from_secs(1);
/// How long a connection for a health check may take to open.
pub const CHECK_DIAL: Duration = Duration::from_secs(2);
/// Bounds of how long a connection may take to open.
const DIAL: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// So many failures of each server end a query.
const ATTEMPTS_EACH: usize = 2;

/// The `forward` plugin: other servers answer. CoreDNS: `plugin/forward` and `plugin/pkg/proxy`.
#[derive(Clone, Debug)]
pub struct Forward {
    /// What the Corefile says.
    pub config: Config,
    proxies: Vec<Proxy>,
    /// How many queries went round.
    robin: u32,
    /// How many queries are under way.
    concurrent: u32,
}

/// A server that is asked.
#[derive(Clone, Debug)]
struct Proxy {
    address: SocketAddr,
    /// How many health checks have failed in a row.
    fails: u32,
    /// How long connections take to open, about.
    dial: Duration,
    check: Check,
}

/// Where the health check of a server stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    /// Nothing has failed.
    Idle,
    /// It is due then.
    Due(SimTime),
    /// It is under way.
    Asking,
}

/// A query on its way through the servers.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The servers in the order in which they are tried.
    order: Vec<usize>,
    next: usize,
    /// How many of them were found down in this round.
    down: usize,
    failures: usize,
    deadline: SimTime,
    /// Which one was asked last.
    server: usize,
    transport: Transport,
    error: Option<String>,
}

/// What is done with a query next.
#[derive(Clone, Debug, PartialEq)]
pub enum Try {
    /// A server is asked.
    Ask {
        /// Which one.
        to: SocketAddr,
        /// How.
        transport: Transport,
        /// How long a connection may take to open.
        dial: Duration,
    },
    /// It has its answer.
    Answer(Box<Message>),
    /// No server has answered.
    Failed(String),
}

impl Forward {
    /// As the Corefile says.
    pub fn new(config: &Config) -> Self {
        let proxy = |address: &SocketAddr| Proxy {
            address: *address,
            fails: 0,
            dial: DIAL.1 / 2,
            check: Check::Idle,
        };
        let proxies = config.to.iter().map(proxy).collect();
        Self { config: config.clone(), proxies, robin: 0, concurrent: 0 }
    }

    /// Whether a query is for it.
    pub fn takes(&self, query: &Message) -> bool {
        let name = message::name(query);
        self.config.from.zone_of(&name)
            && (name == self.config.from || !self.config.except.iter().any(|except| except.zone_of(&name)))
    }

    /// Begins with a query.
    ///
    /// # Errors
    /// There are too many already: in CoreDNS's words.
    pub fn begin(
        &mut self,
        client: Transport,
        now: SimTime,
        random: &mut dyn FnMut() -> u64,
    ) -> Result<Attempt, String> {
        if let Some(limit) = self.config.max_concurrent
            && self.concurrent >= limit
        {
            return Err(format!("concurrent queries exceeded maximum {limit}"));
        }
        self.concurrent += 1;
        let transport = match self.config.protocol {
            Upstream::ForceTcp => Transport::Tcp,
            Upstream::PreferUdp => Transport::Udp,
            Upstream::AsAsked => client,
        };
        Ok(Attempt {
            order: self.order(random),
            next: 0,
            down: 0,
            failures: 0,
            deadline: now + DEADLINE,
            server: 0,
            transport,
            error: None,
        })
    }

    /// A query is over.
    pub fn end(&mut self) {
        self.concurrent = self.concurrent.saturating_sub(1);
    }

    fn order(&mut self, random: &mut dyn FnMut() -> u64) -> Vec<usize> {
        let count = self.proxies.len();
        let mut order: Vec<usize> = (0..count).collect();
        match self.config.policy {
            Policy::Sequential => {}
            Policy::RoundRobin => {
                self.robin = self.robin.wrapping_add(1);
                let first = usize::try_from(self.robin).unwrap_or_default() % count;
                order[..=first].rotate_right(1);
            }
            Policy::Random => {
                for at in (1..count).rev() {
                    order.swap(at, below(at + 1, random));
                }
            }
        }
        order
    }

    /// Tries the next server.
    pub fn go_on(&self, attempt: &mut Attempt, now: SimTime, random: &mut dyn FnMut() -> u64) -> Try {
        let count = self.proxies.len();
        while now < attempt.deadline && attempt.failures < ATTEMPTS_EACH * count {
            if attempt.next >= count {
                (attempt.next, attempt.down) = (0, 0);
            }
            attempt.server = attempt.order[attempt.next];
            attempt.next += 1;
            if self.is_down(attempt.server) {
                attempt.down += 1;
                if attempt.down < count {
                    continue;
                }
                // All are: perhaps the checks are wrong.
                attempt.server = below(count, random);
            }
            return self.ask(attempt);
        }
        Try::Failed(attempt.error.clone().unwrap_or_else(|| "no healthy proxies".to_owned()))
    }

    fn ask(&self, attempt: &Attempt) -> Try {
        let proxy = &self.proxies[attempt.server];
        let dial = match proxy.dial {
            short if short < DIAL.0 => DIAL.0,
            middle if middle < DIAL.1 / 2 => middle * 2,
            _ => DIAL.1,
        };
        Try::Ask { to: proxy.address, transport: attempt.transport, dial }
    }

    fn is_down(&self, server: usize) -> bool {
        self.config.max_fails != 0 && self.proxies[server].fails > self.config.max_fails
    }

    /// The server that was asked last.
    pub fn asked(&self, attempt: &Attempt) -> SocketAddr {
        self.proxies[attempt.server].address
    }

    /// A server has answered.
    pub fn answered(&self, attempt: &mut Attempt, query: &Message, mut answer: Message) -> Try {
        answer.metadata.id = query.metadata.id;
        if answer.metadata.truncation
            && self.config.protocol == Upstream::PreferUdp
            && attempt.transport == Transport::Udp
        {
            attempt.transport = Transport::Tcp;
            return self.ask(attempt);
        }
        if !message::matches(query, &answer) {
            answer = message::reply(query, ResponseCode::FormErr);
        }
        Try::Answer(Box::new(answer))
    }

    /// A server has not answered; its health is checked.
    pub fn failed(
        &mut self,
        attempt: &mut Attempt,
        error: String,
        now: SimTime,
        random: &mut dyn FnMut() -> u64,
    ) -> Try {
        if self.config.max_fails != 0 {
            let check = &mut self.proxies[attempt.server].check;
            if *check == Check::Idle {
                *check = Check::Due(now);
            }
        }
        attempt.failures += 1;
        attempt.error = Some(error);
        if attempt.down >= self.proxies.len() {
            attempt.failures = usize::MAX;
        }
        self.go_on(attempt, now, random)
    }

    /// How long a connection to the server that was asked last took to open, or to fail.
    pub fn dialed(&mut self, attempt: &Attempt, took: Duration) {
        let dial = &mut self.proxies[attempt.server].dial;
        // A quarter of the way to what was seen.
        *dial = (*dial * 3 + took) / 4;
    }

    /// When there is a health check next.
    pub fn next(&self) -> Option<SimTime> {
        let due = self.proxies.iter().filter_map(|proxy| match proxy.check {
            Check::Due(at) => Some(at),
            Check::Idle | Check::Asking => None,
        });
        due.min()
    }

    /// The health checks that are due: which server, its address, the query.
    pub fn tick(
        &mut self,
        now: SimTime,
        random: &mut dyn FnMut() -> u64,
    ) -> Vec<(usize, SocketAddr, Message)> {
        let mut checks = Vec::new();
        for (number, proxy) in self.proxies.iter_mut().enumerate() {
            if matches!(proxy.check, Check::Due(at) if at <= now) {
                proxy.check = Check::Asking;
                let config = &self.config.health_check;
                let mut query = dns::query(message::id(random), config.domain.clone(), RecordType::NS);
                query.metadata.recursion_desired = config.recursion == Recursion::Desired;
                checks.push((number, proxy.address, query));
            }
        }
        checks
    }

    /// How health is checked.
    pub fn check_transport(&self) -> Transport {
        if self.config.protocol == Upstream::ForceTcp { Transport::Tcp } else { Transport::Udp }
    }

    /// What came of a health check.
    pub fn checked(&mut self, server: usize, good: bool, now: SimTime) {
        let Some(proxy) = self.proxies.get_mut(server) else { return };
        if good {
            (proxy.fails, proxy.check) = (0, Check::Idle);
        } else {
            proxy.fails = proxy.fails.saturating_add(1);
            proxy.check = Check::Due(now + self.config.health_check.interval);
        }
    }
}

/// A random number below a limit.
fn below(limit: usize, random: &mut dyn FnMut() -> u64) -> usize {
    let limit = u64::try_from(limit.max(1)).unwrap_or(1);
    usize::try_from(random() % limit).unwrap_or_default()
}

#[cfg(test)]
mod tests;
