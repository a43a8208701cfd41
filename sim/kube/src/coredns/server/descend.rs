use dns::{Message, ResponseCode};

use super::{Asking, Asks, Server};
use crate::coredns::act::{Act, Context, QueryId, Socket};
use crate::coredns::chain::{Frame, Job, Place, Purpose, Reply, Stage, Step};
use crate::coredns::kubernetes;
use crate::coredns::message;
use crate::coredns::plugin::cache::Age;
use crate::coredns::plugin::forward::{Attempt, READ, Try};
use crate::coredns::plugin::rewrite::{BadName, rewrite};
use crate::coredns::plugin::{hosts, log};

/// What a plugin does with a query.
enum Passed {
    /// The next one has it.
    On,
    /// The next one has it, and this one the answer.
    Over(Frame),
    /// It answers.
    Done(Reply),
    /// Something else.
    Other(Step),
}

impl Server {
    /// Takes a query to a plugin and on to the next ones, until one has it.
    pub(super) fn descend(
        &mut self,
        id: QueryId,
        job: &mut Job,
        mut place: Place,
        cx: &mut Context<'_>,
        acts: &mut Vec<Act>,
    ) -> Step {
        loop {
            if self.stage(place).is_none() {
                let last = Place { stage: place.stage.saturating_sub(1), ..place };
                let name = self.stage(last).map_or("", |stage| stage.name());
                let error = format!("plugin/{name}: no next plugin found");
                return Step::Up(Box::new(Reply::code(ResponseCode::ServFail, Some(error))));
            }
            match self.pass(id, job, place, cx, acts) {
                Passed::On => {}
                Passed::Over(frame) => job.frames.push(frame),
                Passed::Done(reply) => return Step::Up(Box::new(reply)),
                Passed::Other(step) => return step,
            }
            place.stage += 1;
        }
    }

    fn pass(
        &mut self,
        id: QueryId,
        job: &mut Job,
        place: Place,
        cx: &mut Context<'_>,
        acts: &mut Vec<Act>,
    ) -> Passed {
        let Some(stage) =
            self.blocks.get_mut(place.block).and_then(|block| block.stages.get_mut(place.stage))
        else {
            return Passed::On;
        };
        let by = stage.name();
        let written = |message: Message| Passed::Done(Reply::written(message, by));
        match stage {
            Stage::Metrics => {
                Passed::Over(Frame::Metrics { size: message::length(&job.query), start: cx.now })
            }
            Stage::Errors(_) => Passed::Over(Frame::Errors(place)),
            Stage::LoadBalance => Passed::Over(Frame::LoadBalance),
            Stage::Log(rules) => match log::rule(rules, &job.query) {
                Some(rule) => Passed::Over(Frame::Log {
                    rule: Box::new(rule.clone()),
                    query: Box::new(job.query.clone()),
                    start: cx.now,
                }),
                None => Passed::On,
            },
            Stage::Rewrite(rules) => match rewrite(rules, &mut job.query) {
                Ok(Some(reverter)) => Passed::Over(Frame::Rewrite(Box::new(reverter))),
                Ok(None) => Passed::On,
                Err(BadName(error)) => Passed::Done(Reply::code(ResponseCode::ServFail, Some(error))),
            },
            Stage::Hosts(hosts) => match hosts.serve(&job.query) {
                hosts::Served::Next => Passed::On,
                hosts::Served::Answer(answer) => written(answer),
                hosts::Served::Failed => Passed::Done(Reply::code(ResponseCode::ServFail, None)),
            },
            Stage::Kubernetes(plugin) => match plugin.serve(&job.query, cx.cluster) {
                kubernetes::Served::Next => Passed::On,
                kubernetes::Served::Answer(answer) => written(*answer),
                kubernetes::Served::Refused => Passed::Done(Reply::code(ResponseCode::Refused, None)),
                kubernetes::Served::Chase(chase) => {
                    let step = Step::Nested(chase.target.clone(), chase.kind);
                    job.frames.push(Frame::Kubernetes { query: Box::new(job.query.clone()), chase });
                    Passed::Other(step)
                }
            },
            Stage::Loop(find) => match find.look(&job.query, job.client.from) {
                Ok(()) => Passed::On,
                Err(fatal) => {
                    acts.push(Act::Fatal(fatal));
                    Passed::On
                }
            },
            Stage::Cache(_) => self.pass_cache(job, place, cx, acts),
            Stage::Forward(forward) => {
                if !forward.takes(&job.query) {
                    return Passed::On;
                }
                match forward.begin(job.client.transport, cx.now, cx.random) {
                    Err(error) => {
                        let name = "coredns_forward_max_concurrent_rejects_total";
                        self.metrics.count(name, String::new());
                        Passed::Done(Reply::code(ResponseCode::Refused, Some(error)))
                    }
                    Ok(mut attempt) => {
                        let next = forward.go_on(&mut attempt, cx.now, cx.random);
                        Passed::Other(self.try_next(id, job, (place, attempt), next, cx, acts))
                    }
                }
            }
        }
    }

    fn pass_cache(
        &mut self,
        job: &mut Job,
        place: Place,
        cx: &mut Context<'_>,
        acts: &mut Vec<Act>,
    ) -> Passed {
        let server = format!("server=\"dns://:{}\"", job.client.to.port());
        let Some(Stage::Cache(cache)) = self.stage(place) else { return Passed::On };
        if !cache.takes(&job.query) {
            return Passed::On;
        }
        let zones: Vec<String> = cache.config.zones.iter().map(ToString::to_string).collect();
        let labels = format!("{server},view=\"\",zones=\"{}\"", zones.join(","));
        let hit = cache.get(&job.query, cx.now);
        let verify = hit.as_ref().is_some_and(|hit| hit.age == Age::Stale && !hit.refresh)
            && cache
                .config
                .serve_stale
                .is_some_and(|stale| stale.refresh == crate::coredns::corefile::Refresh::Verify);
        self.metrics.count("coredns_cache_requests_total", labels.clone());
        match &hit {
            None => self.metrics.count("coredns_cache_misses_total", labels),
            Some(hit) => {
                let labels =
                    format!("{server},type=\"{}\",view=\"\",zones=\"{}\"", hit.side, zones.join(","));
                self.metrics.count("coredns_cache_hits_total", labels);
            }
        }
        match hit {
            Some(hit) if !verify => {
                if hit.refresh {
                    self.refresh(job, place, cx, acts);
                }
                Passed::Done(Reply::written(hit.answer, "cache"))
            }
            stale => {
                let query = Box::new(job.query.clone());
                // What is kept is good for all clients: those that trust the server's validation, too.
                job.query.metadata.authentic_data = true;
                Passed::Over(Frame::Cache { place, query, stale: stale.map(|hit| Box::new(hit.answer)) })
            }
        }
    }

    /// Fetches an answer again, for the cache.
    fn refresh(&mut self, job: &Job, place: Place, cx: &mut Context<'_>, acts: &mut Vec<Act>) {
        let mut query = job.query.clone();
        query.metadata.authentic_data = true;
        let stale = None;
        let frame = Frame::Cache { place, query: Box::new(query.clone()), stale };
        let purpose = Purpose::Refresh(place, Box::new(job.query.clone()));
        // Nobody's buffer limits what is kept.
        let client = message::Client { transport: message::Transport::Tcp, ..job.client };
        self.begin(Job { client, purpose, query, frames: vec![frame] }, cx, acts);
    }

    /// Asks the next server, or gives up.
    pub(super) fn try_next(
        &mut self,
        id: QueryId,
        job: &mut Job,
        (place, attempt): (Place, Attempt),
        next: Try,
        cx: &mut Context<'_>,
        acts: &mut Vec<Act>,
    ) -> Step {
        let Some(Stage::Forward(forward)) = self.stage(place) else { return Step::Waiting };
        match next {
            Try::Ask { to, transport, dial } => {
                let socket = Socket::Kept(forward.config.expire);
                let mut query = job.query.clone();
                query.metadata.id = message::id(cx.random);
                let asks = Asks { to, transport, socket, query, dial, read: READ };
                job.frames.push(Frame::Forward { place, attempt: Box::new(attempt), asked: cx.now });
                self.ask(Asking::Query(id), asks, acts);
                Step::Waiting
            }
            Try::Answer(answer) => {
                forward.end();
                Step::Up(Box::new(Reply::written(*answer, "forward")))
            }
            Try::Failed(error) => {
                forward.end();
                Step::Up(Box::new(Reply::code(ResponseCode::ServFail, Some(error))))
            }
        }
    }
}
