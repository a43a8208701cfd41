//! Judging by family: packets, output, tables.

use std::net::IpAddr;

use trace::{Disposition, Trace};

use super::packet::Seen;
use super::{Expectation, Failure, Verdict, output, tables};
use crate::error::Problem;
use crate::ran::Ran;

impl Expectation {
    /// Whether it holds of what a command did.
    ///
    /// # Errors
    /// A namespace, device, chain or rule that isn't there.
    pub fn judge(&self, ran: &Ran) -> Result<Verdict, Problem> {
        Ok(match self {
            Self::Delivered { .. }
            | Self::Dropped { .. }
            | Self::Rejected { .. }
            | Self::RulesVisited { .. } => {
                return match &ran.subject {
                    Some(trace) => self.judge_packet(ran, trace),
                    None => self.names_exist(ran).map(|()| Verdict::failed("the command sent no packet")),
                };
            }
            Self::Reply(inner) => {
                return match &ran.reply {
                    Some(trace) => inner.judge_packet(ran, trace),
                    None => inner.names_exist(ran).map(|()| Verdict::Failed(no_answer(ran))),
                };
            }
            Self::OutputContains(text) => {
                Verdict::of(ran.output.contains(text.as_str()), || output::quoted(&ran.output))
            }
            Self::OutputEquals(text) => output::judge_equals(&ran.output, text),
            Self::OutputMatches(pattern) => {
                let found = output::regex(pattern)?.is_match(&ran.output);
                Verdict::of(found, || output::quoted(&ran.output))
            }
            Self::Status(status) => Verdict::of(ran.status == *status, || {
                format!("the command ended with status {}\n{}", ran.status, output::quoted(&ran.output))
            }),
            Self::RuleHit { on, rule } => tables::rule_hit(ran, on, rule)?,
            Self::Counter { on, rule, packets, bytes } => tables::counter(ran, on, rule, *packets, *bytes)?,
            Self::Conntrack { on, entry } => tables::conntrack(ran, on, entry)?,
            Self::RoundTrip { below } => {
                let limit = output::duration(below)?;
                let (Some(sent), Some(answer)) = (&ran.subject, &ran.reply) else {
                    return Ok(Verdict::Failed(no_answer(ran)));
                };
                let Disposition::Delivered { at, .. } = answer.disposition else {
                    let around = Some(Box::new(answer.clone()));
                    let instead = "the answer didn't arrive".to_owned();
                    return Ok(Verdict::Failed(Failure { instead, around }));
                };
                let took = at.since(sent.sent_at);
                Verdict::of(took < limit, || format!("it took {}", trace::view::human_duration(took)))
            }
            Self::Not(inner) => match inner.judge(ran)? {
                Verdict::Held => {
                    let around = match &**inner {
                        Self::Reply(_) => ran.reply.clone(),
                        inner if super::check::of_packets(inner) => ran.subject.clone(),
                        _ => None,
                    };
                    Verdict::Failed(Failure { instead: "it holds".to_owned(), around: around.map(Box::new) })
                }
                Verdict::Failed(_) => Verdict::Held,
            },
        })
    }

    /// Judges what is expected of one packet.
    fn judge_packet(&self, ran: &Ran, trace: &Trace) -> Result<Verdict, Problem> {
        self.names_exist(ran)?;
        let seen = Seen { trace, steps: &ran.steps, world: &ran.world };
        match self {
            Self::Delivered { to, via, source_seen, destination_seen, encapsulated } => Ok(seen.delivered(
                to.as_deref(),
                via,
                address(source_seen.as_deref())?,
                address(destination_seen.as_deref())?,
                encapsulated.as_deref(),
            )),
            Self::Dropped { at, reason, by } => seen.dropped(at.as_deref(), reason.as_deref(), by.as_deref()),
            Self::Rejected { at, by, with } => seen.rejected(at.as_deref(), by.as_deref(), with.as_deref()),
            Self::RulesVisited { on, at_least, at_most } => Ok(seen.rules_visited(on, *at_least, *at_most)),
            Self::Not(inner) => Ok(match inner.judge_packet(ran, trace)? {
                Verdict::Held => Verdict::Failed(Failure {
                    instead: "it holds".to_owned(),
                    around: Some(Box::new(trace.clone())),
                }),
                Verdict::Failed(_) => Verdict::Held,
            }),
            other => other.judge(ran),
        }
    }

    /// Namespaces and devices that it names must be there, else nothing was said.
    fn names_exist(&self, ran: &Ran) -> Result<(), Problem> {
        match self {
            Self::Delivered { to, via, .. } => {
                to.iter().try_for_each(|to| crate::lab::locate(&ran.world, to).map(drop))?;
                let passed = ran.passed();
                via.iter()
                    .filter(|device| !passed.contains(device.as_str()))
                    .try_for_each(|device| super::place::locate_device(&ran.world, device).map(drop))
            }
            Self::Dropped { at, .. } | Self::Rejected { at, .. } => {
                at.iter().try_for_each(|at| crate::lab::locate(&ran.world, at).map(drop))
            }
            Self::RulesVisited { on, .. } => crate::lab::locate(&ran.world, on).map(drop),
            Self::Not(inner) => inner.names_exist(ran),
            _ => Ok(()),
        }
    }
}

fn address(text: Option<&str>) -> Result<Option<IpAddr>, Problem> {
    text.map(|text| {
        let invalid = || Problem::Invalid { value: text.to_owned(), expected: "an IP address" };
        text.parse().map_err(|_| invalid())
    })
    .transpose()
}

/// No packet came back: the way of the one that was sent says why.
fn no_answer(ran: &Ran) -> Failure {
    let around = ran.subject.clone().map(Box::new);
    let instead = if around.is_some() { "no answer came back" } else { "the command sent no packet" };
    Failure { instead: instead.to_owned(), around }
}
