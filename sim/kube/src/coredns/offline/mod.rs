//! A CoreDNS without a cluster: what it answers, given objects and a Corefile from files.
//!
//! Time passes only as queries say. What it would ask other servers is answered from a zone file.

mod corefile;
mod objects;
mod query;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use dns::zone::{Extent, Zone, Zones};
use dns::{Message, ResponseCode};
use packet::SimTime;

pub use objects::{Input, Options, UNKNOWN_SERVER};
pub use query::{BadQuery, Question, parse_query};

use super::act::{Act, Ask, Came, Context, Why};
use super::cluster::Cluster;
use super::message::{Client, Transport};
use super::server::Server;

/// A CoreDNS that is asked one query after the other.
#[derive(Clone, Debug)]
pub struct Offline {
    server: Server,
    cluster: Cluster,
    upstream: Zones,
    now: SimTime,
    random: u64,
}

/// What came of a query.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The query as it was sent.
    pub query: Message,
    /// The answer, if there is one.
    pub answer: Option<Message>,
    /// The answer's length in bytes.
    pub size: usize,
    /// What CoreDNS has logged.
    pub log: Vec<String>,
    /// The servers that it has asked: how, which, for what.
    pub asked: Vec<String>,
}

/// How queries are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sending {
    /// By datagram or connection.
    pub transport: Transport,
    /// The size that an OPT record says; none without one.
    pub buffer: Option<u16>,
}

/// Where queries come from.
const CLIENT: (Ipv4Addr, u16) = (Ipv4Addr::new(10, 244, 0, 2), 40_000);
/// So many queries to other servers end one query.
const MAX_ASKED: usize = 100;

impl Offline {
    /// One that has what was read, on the port of its first server block.
    pub fn new(input: Input, seed: u64) -> Self {
        let Input { corefile, cluster, upstream, address, .. } = input;
        let mut random = seed;
        let server = Server::new(&corefile, &[address], SimTime::ZERO, &mut || next(&mut random));
        let mut zones = Zones::default();
        zones.insert(upstream);
        Self { server, cluster, upstream: zones, now: SimTime::ZERO, random }
    }

    /// Asks a query.
    pub fn ask(&mut self, question: &Question, sending: &Sending) -> Outcome {
        self.now = self.now.max(SimTime::ZERO + question.at);
        let id = u16::try_from(next(&mut self.random) & 0xffff).unwrap_or_default();
        let mut query = dns::query(id, question.name.clone(), question.kind);
        if let Some(size) = sending.buffer {
            let mut edns = dns::Edns::new();
            edns.set_version(0).set_max_payload(size);
            query.edns = Some(edns);
        }
        let port = self.server.ports().first().copied().unwrap_or(dns::PORT);
        let to = SocketAddr::from((Ipv4Addr::new(10, 96, 0, 10), port));
        let client = Client { from: CLIENT.into(), to, transport: sending.transport };
        let mut outcome =
            Outcome { query: query.clone(), answer: None, size: 0, log: Vec::new(), asked: Vec::new() };
        let (id, acts) = self.with_context(|server, cx| server.query(client, query, cx));
        let mut acts = VecDeque::from(acts);
        while let Some(act) = acts.pop_front() {
            match act {
                Act::Answer { query, message, bytes } if query == id => {
                    (outcome.answer, outcome.size) = (Some(*message), bytes.len());
                }
                Act::Answer { .. } | Act::Silence(_) => {}
                Act::Log(line) | Act::Fatal(line) => outcome.log.push(line),
                Act::Ask(ask) => {
                    let Ask { to, transport, message, .. } = &*ask;
                    if ask.why == Why::Query {
                        let kind = super::message::type_text(super::message::kind(message));
                        let name = super::message::name(message);
                        outcome.asked.push(format!("{} {to} {kind} {name}", transport.name()));
                    }
                    let came = match outcome.asked.len() <= MAX_ASKED {
                        true => self.upstream(&ask),
                        false => Came::Error("too many queries".to_owned()),
                    };
                    let more = self.with_context(|server, cx| server.answered(ask.id, None, came, cx));
                    acts.extend(more);
                }
            }
        }
        outcome
    }

    fn with_context<T>(&mut self, f: impl FnOnce(&mut Server, &mut Context<'_>) -> T) -> T {
        let random = &mut self.random;
        let mut draw = || next(random);
        f(&mut self.server, &mut Context { now: self.now, cluster: &self.cluster, random: &mut draw })
    }

    /// What another server answers, in place of all there are.
    fn upstream(&self, ask: &Ask) -> Came {
        let empty = self.upstream.iter().all(|zone| zone.sets().next().is_none());
        if empty || ask.to.ip().is_loopback() {
            let proto = ask.transport.name();
            return Came::Error(format!("dial {proto} {}: connect: network is unreachable", ask.to));
        }
        let extent = Extent { authority: false, additional: false };
        let question = ask.message.queries.first();
        let found = question.and_then(|asked| self.upstream.answer(&asked.name, asked.query_type, extent));
        let mut answer = super::message::reply(&ask.message, ResponseCode::NXDomain);
        answer.metadata.recursion_available = true;
        if let Some(found) = found {
            answer.metadata.response_code = found.code;
            answer.answers = found.answers.iter().flat_map(dns::zone::RrSet::records).collect();
            answer.authorities = found.authorities.iter().flat_map(dns::zone::RrSet::records).collect();
        }
        match dns::encode(&answer) {
            Ok(bytes) => Came::Bytes(bytes),
            Err(error) => Came::Error(error.to_string()),
        }
    }
}

/// A sequence of numbers that only looks random. Vigna: SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// The zone of all names.
fn root_zone() -> Zone {
    Zone::new(dns::Name::root(), dns::DNSClass::IN)
}

/// The address of a server that is in no Service.
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
