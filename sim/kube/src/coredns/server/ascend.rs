use std::time::Duration;

use dns::{Message, Name, ResponseCode};

use super::Server;
use crate::coredns::act::{Act, Context, QueryId};
use crate::coredns::chain::{Frame, Job, Place, Purpose, Reply, Stage, Step};
use crate::coredns::kubernetes::Plugin;
use crate::coredns::message::{self, answer_edns, fit, reply, type_text};
use crate::coredns::metrics::Reported;
use crate::coredns::plugin::cache::Cache;
use crate::coredns::plugin::{loadbalance, log};

impl Server {
    /// Takes an answer up past a plugin.
    pub(super) fn ascend(
        &mut self,
        frame: Frame,
        mut reply: Reply,
        job: &mut Job,
        cx: &mut Context<'_>,
        acts: &mut Vec<Act>,
    ) -> Step {
        match frame {
            Frame::Server => reply = served(&job.query, job, reply),
            Frame::Metrics { size, start } => self.count(job, &reply, size, cx.now.since(start)),
            Frame::Errors(place) => {
                if let Some(error) = &reply.error
                    && let Some(Stage::Errors(errors)) = self.stage(place)
                {
                    let query =
                        format!("{} {}", message::name(&job.query), type_text(message::kind(&job.query)));
                    errors.log(u16::from(reply.code), &query, error, cx.now, acts);
                }
            }
            Frame::Log { rule, query, start } => {
                let logged = log::Logged {
                    query: &query,
                    client: &job.client,
                    answer: reply.message.as_ref(),
                    code: reply.code,
                    nanos: u64::try_from(cx.now.since(start).as_nanos()).unwrap_or(u64::MAX),
                };
                acts.extend(log::line(&rule, &logged).map(Act::Log));
            }
            Frame::LoadBalance => {
                if let Some(answer) = &mut reply.message {
                    loadbalance::shuffle(answer, cx.random);
                }
            }
            Frame::Rewrite(reverter) => {
                if !reply.is_written() && reply.message.is_none() {
                    let mut answer = message::reply(&job.query, reply.code);
                    answer_edns(&job.query, &mut answer);
                    reply = Reply { code: ResponseCode::NoError, message: Some(answer), ..reply };
                }
                if let Some(answer) = &mut reply.message {
                    reverter.revert(answer);
                }
            }
            Frame::Cache { place, query, stale } => {
                reply = self.cached(job, place, *query, stale.map(|stale| *stale), reply, cx);
            }
            Frame::Kubernetes { query, chase } => {
                job.query = *query;
                let answer = Plugin::chased(&job.query, *chase, reply.message);
                reply = Reply::written(answer, "kubernetes");
            }
            // It is waited for: an answer comes to it otherwise.
            Frame::Forward { .. } => {}
        }
        Step::Up(Box::new(reply))
    }

    fn cached(
        &mut self,
        job: &mut Job,
        place: Place,
        asked: Message,
        stale: Option<Message>,
        mut reply: Reply,
        cx: &mut Context<'_>,
    ) -> Reply {
        let is_refresh = matches!(job.purpose, Purpose::Refresh(..));
        job.query = asked;
        let query = &job.query;
        let Some(Stage::Cache(cache)) = self.blocks[place.block].stages.get_mut(place.stage) else {
            return reply;
        };
        if let Some(stale) = stale {
            let good = reply.message.as_ref().is_some_and(|answer| Cache::replaces(query, answer));
            if !good {
                return Reply::written(stale, "cache");
            }
        }
        if let Some(answer) = &mut reply.message
            && (!is_refresh || Cache::replaces(query, answer))
        {
            cache.put(query, answer, cx.now);
            for (side, count) in cache.sizes() {
                let zones: Vec<String> = cache.config.zones.iter().map(Name::to_string).collect();
                let labels = format!(
                    "server=\"dns://:{}\",type=\"{side}\",view=\"\",zones=\"{}\"",
                    job.client.to.port(),
                    zones.join(",")
                );
                self.metrics.set("coredns_cache_entries", labels, count);
            }
        }
        reply
    }

    fn count(&mut self, job: &Job, reply: &Reply, size: usize, took: Duration) {
        let port = job.client.to.port();
        let name = message::question(&job.query).map_or_else(Name::root, |asked| asked.name.clone());
        let keys = self.blocks.iter().flat_map(|block| &block.keys);
        let zones = keys.filter(|key| key.port == port && key.zone.zone_of(&name)).map(|key| &key.zone);
        let zone = zones.max_by_key(|zone| zone.len()).cloned().unwrap_or_else(Name::root).to_string();
        let written = reply.message.as_ref().map(|answer| answer.metadata.response_code);
        self.metrics.report(&Reported {
            zone: &zone,
            client: &job.client,
            query: &job.query,
            size,
            code: if reply.is_written() { written.unwrap_or(ResponseCode::NoError) } else { reply.code },
            answer: reply.message.as_ref(),
            by: reply.by,
            took,
        });
    }

    /// Goes on with a query when the server that was asked for it has answered, or hasn't.
    pub(super) fn resume(
        &mut self,
        id: QueryId,
        mut job: Job,
        dialed: Option<Duration>,
        came: Result<Message, String>,
        cx: &mut Context<'_>,
        acts: &mut Vec<Act>,
    ) {
        let Some(Frame::Forward { place, mut attempt, asked }) = job.frames.pop() else { return };
        let Some(Stage::Forward(forward)) =
            self.blocks.get_mut(place.block).and_then(|block| block.stages.get_mut(place.stage))
        else {
            return;
        };
        if let Some(took) = dialed {
            forward.dialed(&attempt, took);
        }
        let next = match came {
            Ok(answer) => {
                let code = message::code_text(answer.metadata.response_code);
                let labels =
                    format!("proxy_name=\"forward\",rcode=\"{code}\",to=\"{}\"", forward.asked(&attempt));
                let took = cx.now.since(asked).as_secs_f64();
                self.metrics.duration("coredns_proxy_request_duration_seconds", labels, took);
                forward.answered(&mut attempt, &job.query, answer)
            }
            Err(error) => forward.failed(&mut attempt, error, cx.now, cx.random),
        };
        let step = self.try_next(id, &mut job, (place, *attempt), next, cx, acts);
        self.run(id, job, step, cx, acts);
    }
}

/// What the server makes of its plugins' answer.
fn served(query: &Message, job: &Job, reply: Reply) -> Reply {
    let mut answer = match reply.message {
        Some(answer) => answer,
        None if reply.is_written() => return reply,
        None => message::reply(query, reply.code),
    };
    answer_edns(query, &mut answer);
    let size = message::size(query, job.client.transport);
    // What can't be written is a failure.
    let fitted = fit(answer, size, &job.client).ok().map(|(answer, _)| answer);
    let answer = fitted.unwrap_or_else(|| self::reply(query, ResponseCode::ServFail));
    Reply { message: Some(answer), code: ResponseCode::NoError, error: None, by: reply.by }
}
