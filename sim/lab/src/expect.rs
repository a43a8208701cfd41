use std::fmt;
use std::net::IpAddr;

use serde::Deserialize;
use trace::{Decision, Disposition, Names, StepKind, Trace};

/// What is expected of the last command: of the first packet it sent, its output or its status.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Expectation {
    /// The packet reached a socket or kernel.
    Delivered {
        /// Devices it passed in this order, `node device`; others may lie between.
        #[serde(default)]
        via: Vec<String>,
        /// Source address as the receiver saw it.
        source_seen: Option<IpAddr>,
        /// Where.
        to: Option<String>,
    },
    /// The packet was dropped.
    Dropped {
        /// `host` or `host/namespace`.
        at: Option<String>,
        /// The kernel's reason.
        reason: Option<String>,
        /// Rule (`filter FORWARD #2`) or policy (`filter FORWARD policy`) that decided.
        by: Option<String>,
    },
    /// The output holds this text.
    OutputContains(String),
    /// The command ended with this status.
    Status(i32),
    /// The other does not hold.
    Not(Box<Expectation>),
}

/// As it would be written in a scenario, without what was not given.
impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn fields(f: &mut fmt::Formatter<'_>, name: &str, fields: &[(&str, Option<String>)]) -> fmt::Result {
            let given: Vec<String> = fields
                .iter()
                .filter_map(|(key, value)| Some(format!("{key}: {}", value.as_ref()?)))
                .collect();
            write!(f, "{name}({})", given.join(", "))
        }
        match self {
            Self::Delivered { via, source_seen, to } => fields(
                f,
                "Delivered",
                &[
                    ("to", to.as_ref().map(|to| format!("{to:?}"))),
                    ("via", (!via.is_empty()).then(|| format!("{via:?}"))),
                    ("source_seen", source_seen.map(|addr| format!("\"{addr}\""))),
                ],
            ),
            Self::Dropped { at, reason, by } => {
                let quote = |text: &Option<String>| text.as_ref().map(|t| format!("{t:?}"));
                fields(f, "Dropped", &[("at", quote(at)), ("reason", quote(reason)), ("by", quote(by))])
            }
            Self::OutputContains(text) => write!(f, "OutputContains({text:?})"),
            Self::Status(status) => write!(f, "Status({status})"),
            Self::Not(other) => write!(f, "Not({other})"),
        }
    }
}

/// Whether an expectation held; if not, what happened instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It held.
    Held,
    /// It didn't; the text says what was seen.
    Failed(String),
}

/// What a command did.
pub(crate) struct Outcome<'a> {
    pub subject: Option<&'a Trace>,
    pub output: &'a str,
    pub status: i32,
    pub names: &'a dyn Names,
}

impl Expectation {
    pub(crate) fn judge(&self, outcome: &Outcome<'_>) -> Verdict {
        match self {
            Self::Delivered { via, source_seen, to } => {
                judge_delivered(outcome, via, *source_seen, to.as_deref())
            }
            Self::Dropped { at, reason, by } => {
                judge_dropped(outcome, at.as_deref(), reason.as_deref(), by.as_deref())
            }
            Self::OutputContains(text) if outcome.output.contains(text.as_str()) => Verdict::Held,
            Self::OutputContains(text) => Verdict::Failed(format!("the output doesn't contain `{text}`")),
            Self::Status(status) if outcome.status == *status => Verdict::Held,
            Self::Status(_) => Verdict::Failed(format!("the command ended with status {}", outcome.status)),
            Self::Not(other) => match other.judge(outcome) {
                Verdict::Held => Verdict::Failed("it holds".to_owned()),
                Verdict::Failed(_) => Verdict::Held,
            },
        }
    }
}

const NOTHING_SENT: &str = "the command sent no packet";

fn end_text(trace: &Trace, names: &dyn Names) -> String {
    match trace.disposition {
        Disposition::Delivered { host, netns, .. } => {
            format!("the packet was delivered to {}", names.node(host, netns))
        }
        Disposition::Dropped { host, netns, reason, .. } => {
            format!("the packet was dropped at {} ({reason})", names.node(host, netns))
        }
        Disposition::Pending => "the packet is still on its way".to_owned(),
    }
}

fn judge_delivered(
    outcome: &Outcome<'_>,
    via: &[String],
    source: Option<IpAddr>,
    to: Option<&str>,
) -> Verdict {
    let Some(trace) = outcome.subject else { return Verdict::Failed(NOTHING_SENT.to_owned()) };
    let Disposition::Delivered { host, netns, .. } = trace.disposition else {
        return Verdict::Failed(end_text(trace, outcome.names));
    };
    let node = outcome.names.node(host, netns);
    if to.is_some_and(|to| to != node) {
        return Verdict::Failed(format!("the packet was delivered to {node}"));
    }
    let seen = trace.last_frame().ip().map(packet::Packet::src);
    if source.is_some() && seen != source {
        let seen = seen.map_or("no address".to_owned(), |addr| addr.to_string());
        return Verdict::Failed(format!("the receiver saw {seen} as source"));
    }
    let passed = devices(trace, outcome.names);
    let mut rest = passed.iter();
    for device in via {
        if !rest.any(|seen| seen == device) {
            return Verdict::Failed(format!("the packet passed {}", passed.join(", ")));
        }
    }
    Verdict::Held
}

/// The devices that a packet passed, `node device`, in order.
fn devices(trace: &Trace, names: &dyn Names) -> Vec<String> {
    let mut devices: Vec<String> = trace
        .hops
        .iter()
        .flat_map(|hop| &hop.steps)
        .filter(|step| matches!(step.kind, StepKind::Receive(_) | StepKind::Transmit(_)))
        .filter_map(|step| {
            let dev = step.place.dev?;
            Some(format!(
                "{} {}",
                names.node(step.place.host, step.place.netns),
                names.dev(step.place.host, dev)
            ))
        })
        .collect();
    devices.dedup();
    devices
}

fn judge_dropped(outcome: &Outcome<'_>, at: Option<&str>, reason: Option<&str>, by: Option<&str>) -> Verdict {
    let Some(trace) = outcome.subject else { return Verdict::Failed(NOTHING_SENT.to_owned()) };
    let Disposition::Dropped { host, netns, reason: seen, .. } = trace.disposition else {
        return Verdict::Failed(end_text(trace, outcome.names));
    };
    if at.is_some_and(|at| at != outcome.names.node(host, netns))
        || reason.is_some_and(|reason| reason != seen.name())
    {
        return Verdict::Failed(end_text(trace, outcome.names));
    }
    let Some(by) = by else { return Verdict::Held };
    let decided = trace.hops.iter().flat_map(|hop| &hop.steps).find_map(|step| match &step.kind {
        StepKind::Drop { decided_by: Some(decision), .. } => Some(place_of(decision)),
        _ => None,
    });
    match decided {
        Some(decided) if decided == by => Verdict::Held,
        Some(decided) => Verdict::Failed(format!("{decided} decided")),
        None => Verdict::Failed("no rule or policy decided".to_owned()),
    }
}

/// `filter FORWARD #2` or `filter FORWARD policy`.
fn place_of(decision: &Decision) -> String {
    match decision {
        Decision::Rule { table, chains, number, .. } => {
            format!("{table} {} #{number}", chains.last().map_or("", String::as_str))
        }
        Decision::Policy { table, chain, .. } => format!("{table} {chain} policy"),
    }
}
