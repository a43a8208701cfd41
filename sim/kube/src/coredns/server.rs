//! The server: queries go down the plugins of their zone, answers come up.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use dns::{DNSClass, Message, Name, RecordType, ResponseCode};
use packet::SimTime;

use super::act::{Act, Ask, AskId, Came, Context, QueryId, Socket, Why};
use super::chain::{Frame, Job, Place, Purpose, Reply, Stage, Step, stages};
use super::corefile::{Corefile, Key};
use super::message::{self, Client, Transport, answer_edns, bad_version, fit, question, reply};
use super::metrics::{Metrics, Reported};
use super::plugin::{find_loop, forward};

mod ascend;
mod descend;

/// A CoreDNS as a state machine: queries go in, [`Act`]s come out.
///
/// Who runs it gives it clients' queries ([`Self::query`]), what other servers answered
/// ([`Self::answered`]), and the time when [`Self::next_deadline`] has come ([`Self::tick`], also once
/// at the start). It does nothing by itself.
#[derive(Clone, Debug)]
pub struct Server {
    blocks: Vec<Block>,
    jobs: BTreeMap<QueryId, Job>,
    asks: BTreeMap<AskId, Asked>,
    next_query: u64,
    next_ask: u64,
    /// What it counts.
    pub metrics: Metrics,
}

/// A server block.
#[derive(Clone, Debug)]
struct Block {
    keys: Vec<Key>,
    stages: Vec<Stage>,
}

/// A query to another server that is under way.
#[derive(Clone, Debug)]
struct Asked {
    purpose: Asking,
    /// The query's id.
    id: u16,
    transport: Transport,
}

/// What another server is asked for.
#[derive(Clone, Copy, Debug)]
enum Asking {
    /// A query's answer.
    Query(QueryId),
    /// Its health.
    Health(Place, usize),
    /// Whether forwarding goes in a circle.
    Loop(Place),
}

/// How many names are looked up for one another before CoreDNS would run out of memory.
///
/// Simplified: it answers SERVFAIL then.
const MAX_NESTED: usize = 32;

impl Server {
    /// One with the plugins of a Corefile. `local` are the addresses of its host but for loopback's.
    pub fn new(corefile: &Corefile, local: &[IpAddr], now: SimTime, random: &mut dyn FnMut() -> u64) -> Self {
        let block = |server: &super::corefile::Server| {
            let port = server.keys.first().map_or(dns::PORT, |key| key.port);
            let stages = stages(&server.plugins, port, local, now, random);
            Block { keys: server.keys.clone(), stages }
        };
        let blocks = corefile.servers.iter().map(block).collect();
        Self {
            blocks,
            jobs: BTreeMap::new(),
            asks: BTreeMap::new(),
            next_query: 0,
            next_ask: 0,
            metrics: Metrics::default(),
        }
    }

    /// The ports that it listens on, by UDP and TCP.
    pub fn ports(&self) -> BTreeSet<u16> {
        self.blocks.iter().flat_map(|block| &block.keys).map(|key| key.port).collect()
    }

    /// The hosts files that it reads, and how often; never again if the time is zero.
    pub fn hosts_files(&self) -> Vec<(String, Duration)> {
        let stages = self.blocks.iter().flat_map(|block| &block.stages);
        let files = stages.filter_map(|stage| match stage {
            Stage::Hosts(hosts) => Some((hosts.config.path.clone(), hosts.config.reload)),
            _ => None,
        });
        files.collect()
    }

    /// Takes what is in a hosts file.
    pub fn set_hosts_file(&mut self, path: &str, text: &str) {
        for stage in self.blocks.iter_mut().flat_map(|block| &mut block.stages) {
            if let Stage::Hosts(hosts) = stage
                && hosts.config.path == path
            {
                hosts.set_file(text);
            }
        }
    }

    /// A client's query that [`message::accept`] has accepted. Its answer comes among the acts, now or
    /// later.
    pub fn query(&mut self, client: Client, query: Message, cx: &mut Context<'_>) -> (QueryId, Vec<Act>) {
        let mut acts = Vec::new();
        let id =
            self.begin(Job { client, purpose: Purpose::Client, query, frames: Vec::new() }, cx, &mut acts);
        (id, acts)
    }

    fn begin(&mut self, mut job: Job, cx: &mut Context<'_>, acts: &mut Vec<Act>) -> QueryId {
        let id = QueryId(self.next_query);
        self.next_query += 1;
        let step = match &job.purpose {
            Purpose::Client => self.enter(&mut job),
            // The plugins below the cache.
            Purpose::Refresh(place, _) => Step::Down(Place { stage: place.stage + 1, ..*place }),
        };
        self.run(id, job, step, cx, acts);
        id
    }

    /// What came of a query to another server.
    pub fn answered(
        &mut self,
        ask: AskId,
        dialed: Option<Duration>,
        came: Came,
        cx: &mut Context<'_>,
    ) -> Vec<Act> {
        let mut acts = Vec::new();
        let Some(asked) = self.asks.get(&ask).cloned() else { return acts };
        let came = match came {
            Came::Bytes(bytes) => match dns::decode(&bytes) {
                Ok(answer) if answer.metadata.id == asked.id => Ok(answer),
                // In a datagram: somebody else's.
                _ if asked.transport == Transport::Udp => return acts,
                Ok(_) => return acts,
                Err(error) => Err(format!("dns: {error}")),
            },
            Came::Error(error) => Err(error),
        };
        self.asks.remove(&ask);
        match asked.purpose {
            Asking::Query(id) => {
                if let Some(job) = self.jobs.remove(&id) {
                    self.resume(id, job, dialed, came, cx, &mut acts);
                }
            }
            Asking::Health(place, server) => {
                if let Some(Stage::Forward(forward)) = self.stage(place) {
                    forward.checked(server, came.is_ok(), cx.now);
                }
            }
            Asking::Loop(place) => {
                if let Some(Stage::Loop(find)) = self.stage(place) {
                    find.answered(came.is_ok(), cx.now);
                }
            }
        }
        self.tick_into(cx, &mut acts);
        acts
    }

    /// Whether a query to another server still waits for its answer.
    pub fn is_waiting(&self, ask: AskId) -> bool {
        self.asks.contains_key(&ask)
    }

    /// When there is something to do without anybody's asking.
    pub fn next_deadline(&self) -> Option<SimTime> {
        let stages = self.blocks.iter().flat_map(|block| &block.stages);
        let next = stages.filter_map(|stage| match stage {
            Stage::Errors(errors) => errors.next(),
            Stage::Loop(find) => find.next(),
            Stage::Forward(forward) => forward.next(),
            _ => None,
        });
        next.min()
    }

    /// Does what is due.
    pub fn tick(&mut self, cx: &mut Context<'_>) -> Vec<Act> {
        let mut acts = Vec::new();
        self.tick_into(cx, &mut acts);
        acts
    }

    fn tick_into(&mut self, cx: &mut Context<'_>, acts: &mut Vec<Act>) {
        let mut asks = Vec::new();
        for (block, found) in self.blocks.iter_mut().enumerate() {
            for (stage, found) in found.stages.iter_mut().enumerate() {
                let place = Place { block, stage };
                match found {
                    Stage::Errors(errors) => errors.tick(cx.now, acts),
                    Stage::Loop(find) => {
                        let probe = find.tick(cx.now, message::id(cx.random));
                        let read = find_loop::READ;
                        asks.extend(probe.map(|query| {
                            (Asking::Loop(place), find.to, Transport::Udp, query, (read, read))
                        }));
                    }
                    Stage::Forward(forward) => {
                        let transport = forward.check_transport();
                        for (server, to, query) in forward.tick(cx.now, cx.random) {
                            let times = (forward::CHECK_DIAL, forward::CHECK_READ);
                            asks.push((Asking::Health(place, server), to, transport, query, times));
                        }
                    }
                    _ => {}
                }
            }
        }
        for (purpose, to, transport, query, (dial, read)) in asks {
            self.ask(purpose, Asks { to, transport, socket: Socket::Own, query, dial, read }, acts);
        }
    }

    fn ask(&mut self, purpose: Asking, ask: Asks, acts: &mut Vec<Act>) {
        let Asks { to, transport, socket, query, dial, read } = ask;
        let Ok(bytes) = dns::encode(&query) else { return };
        let why = match purpose {
            Asking::Query(_) => Why::Query,
            Asking::Health(..) => Why::Health,
            Asking::Loop(_) => Why::Loop,
        };
        let id = AskId(self.next_ask);
        self.next_ask += 1;
        self.asks.insert(id, Asked { purpose, id: query.metadata.id, transport });
        acts.push(Act::Ask(Box::new(Ask {
            id,
            why,
            to,
            transport,
            socket,
            message: query,
            bytes,
            dial,
            read,
        })));
    }

    fn stage(&mut self, place: Place) -> Option<&mut Stage> {
        self.blocks.get_mut(place.block)?.stages.get_mut(place.stage)
    }

    /// Does all that can be done about a query now.
    fn run(&mut self, id: QueryId, mut job: Job, mut step: Step, cx: &mut Context<'_>, acts: &mut Vec<Act>) {
        loop {
            step = match step {
                Step::Down(place) => self.descend(id, &mut job, place, cx, acts),
                Step::Nested(name, kind) => {
                    job.query = message::with_question(&job.query, name, kind);
                    self.enter(&mut job)
                }
                Step::Up(reply) => match job.frames.pop() {
                    Some(frame) => self.ascend(frame, *reply, &mut job, cx, acts),
                    None => return self.finish(id, job, *reply, acts),
                },
                Step::Waiting => {
                    self.jobs.insert(id, job);
                    return;
                }
            };
        }
    }

    /// A query comes to the server, from a client or from one of its plugins. CoreDNS:
    /// `Server.ServeDNS`.
    fn enter(&mut self, job: &mut Job) -> Step {
        let query = &job.query;
        let port = job.client.to.port();
        let refuse = |code: ResponseCode| {
            let mut answer = reply(query, code);
            answer_edns(query, &mut answer);
            Step::Up(Box::new(Reply::written(answer, "")))
        };
        let mut dropped = |code: ResponseCode| {
            self.metrics.report(&Reported {
                zone: "dropped",
                client: &job.client,
                query,
                size: message::length(query),
                code,
                answer: Some(&reply(query, code)),
                by: "",
                took: Duration::ZERO,
            });
        };
        let Some(asked) = question(query) else { return refuse(ResponseCode::ServFail) };
        let on_port = |block: &&Block| block.keys.iter().any(|key| key.port == port);
        let forwards = |stage: &Stage| matches!(stage, Stage::Forward(_));
        let other_classes = self.blocks.iter().filter(on_port).flat_map(|block| &block.stages).any(forwards);
        if asked.query_class != DNSClass::IN && !other_classes {
            dropped(ResponseCode::Refused);
            return refuse(ResponseCode::Refused);
        }
        if let Some(answer) = bad_version(query) {
            return Step::Up(Box::new(Reply::written(answer, "")));
        }
        let nested = job.frames.iter().filter(|frame| matches!(frame, Frame::Server)).count();
        if nested >= MAX_NESTED {
            return refuse(ResponseCode::ServFail);
        }
        match route(&self.blocks, port, &asked.name, asked.query_type) {
            Some(block) if !self.blocks[block].stages.is_empty() => {
                job.frames.push(Frame::Server);
                Step::Down(Place { block, stage: 0 })
            }
            _ => {
                dropped(ResponseCode::Refused);
                refuse(ResponseCode::Refused)
            }
        }
    }

    fn finish(&mut self, id: QueryId, job: Job, reply: Reply, acts: &mut Vec<Act>) {
        if let Purpose::Refresh(place, query) = &job.purpose {
            if let Some(Stage::Cache(cache)) = self.stage(*place) {
                cache.end_refresh(query);
            }
            return;
        }
        let size = message::size(&job.query, job.client.transport);
        let fitted = reply.message.and_then(|answer| fit(answer, size, &job.client).ok());
        acts.push(match fitted {
            Some((message, bytes)) => Act::Answer { query: id, message: Box::new(message), bytes },
            None => Act::Silence(id),
        });
    }
}

/// A query to be sent.
struct Asks {
    to: std::net::SocketAddr,
    transport: Transport,
    socket: Socket,
    query: Message,
    dial: Duration,
    read: Duration,
}

/// The server block for a name: that with the longest zone. A DS record is its parent's.
fn route(blocks: &[Block], port: u16, name: &Name, kind: RecordType) -> Option<usize> {
    let mut found = None;
    for count in (0..=message::depth(name)).rev() {
        let zone = name.trim_to(count);
        let serves = |block: &Block| block.keys.iter().any(|key| key.port == port && key.zone == zone);
        if let Some(block) = blocks.iter().position(serves) {
            found = Some(block);
            if kind != RecordType::DS || count == 0 {
                return found;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;
