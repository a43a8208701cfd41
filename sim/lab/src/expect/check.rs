//! What can be known to be wrong of an expectation before anything runs.

use netfilter::RejectWith;
use trace::DropReason;

use super::packet::ENCAPSULATIONS;
use super::place::{RuleName, split_device};
use super::{Expectation, output};
use crate::error::{Problem, nearest};

/// What is known of the network that an expectation is about.
pub(crate) enum Scope<'a> {
    /// Nothing.
    Anywhere,
    /// Its hosts.
    Hosts(&'a [String]),
}

impl Scope<'_> {
    /// The host of `host` or `host/namespace`. Namespaces come and go while a scenario runs.
    pub fn check_node(&self, on: &str) -> Result<(), Problem> {
        let host = on.split_once('/').map_or(on, |(host, _)| host);
        match self {
            Self::Hosts(hosts) if !hosts.iter().any(|known| known == host) => Err(Problem::Unknown {
                kind: "host",
                name: host.to_owned(),
                hint: nearest(host, hosts.iter().map(String::as_str)),
            }),
            Self::Anywhere | Self::Hosts(_) => Ok(()),
        }
    }
}

/// A part of an expectation that can't be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// The fields that lead to it, e.g. `.via[0]`; empty for the expectation itself.
    pub field: String,
    /// What is wrong.
    pub problem: Problem,
}

/// # Errors
/// The first part that can't be meant.
pub(crate) fn check(expectation: &Expectation, scope: &Scope<'_>) -> Result<(), Wrong> {
    let of = |field: &str, result: Result<(), Problem>| {
        result.map_err(|problem| Wrong { field: field.to_owned(), problem })
    };
    let given = |field: &str, value: &Option<String>, test: &dyn Fn(&str) -> Result<(), Problem>| {
        value.as_deref().map_or(Ok(()), |value| of(field, test(value)))
    };
    let node = |on: &str| scope.check_node(on);
    let rule = |text: &str| RuleName::parse(text).map(drop);
    match expectation {
        Expectation::Delivered { to, via, source_seen, destination_seen, encapsulated } => {
            given(".to", to, &node)?;
            for (i, device) in via.iter().enumerate() {
                let known = split_device(device).and_then(|(on, _)| scope.check_node(on));
                of(&format!(".via[{i}]"), known)?;
            }
            given(".source_seen", source_seen, &address)?;
            given(".destination_seen", destination_seen, &address)?;
            for (i, kind) in encapsulated.iter().flatten().enumerate() {
                of(&format!(".encapsulated[{i}]"), one_of("encapsulation", kind, &ENCAPSULATIONS))?;
            }
            Ok(())
        }
        Expectation::Dropped { at, reason, by } => {
            given(".at", at, &node)?;
            let names: Vec<&str> = DropReason::ALL.iter().map(|reason| reason.name()).collect();
            given(".reason", reason, &|name| one_of("drop reason", name, &names))?;
            given(".by", by, &rule)
        }
        Expectation::Rejected { at, by, with } => {
            given(".at", at, &node)?;
            given(".by", by, &rule)?;
            let names: Vec<&str> = RejectWith::names().collect();
            given(".with", with, &|name| one_of("answer of REJECT", name, &names))
        }
        Expectation::RuleHit { on, rule: name } | Expectation::Counter { on, rule: name, .. } => {
            of(".on", node(on))?;
            of(".rule", rule(name))?;
            match expectation {
                Expectation::Counter { packets: None, bytes: None, .. } => {
                    of("", Err(Problem::Missing("`packets`, `bytes` or both")))
                }
                _ => Ok(()),
            }
        }
        Expectation::RulesVisited { on, at_least, at_most } => {
            of(".on", node(on))?;
            match (at_least, at_most) {
                (None, None) => of("", Err(Problem::Missing("`at_least`, `at_most` or both"))),
                _ => Ok(()),
            }
        }
        Expectation::OutputMatches(pattern) => of("[0]", output::regex(pattern).map(drop)),
        Expectation::OutputContains(_) | Expectation::OutputEquals(_) | Expectation::Status(_) => Ok(()),
        Expectation::Conntrack { on, entry } => {
            of(".on", node(on))?;
            let empty = Problem::Missing("words of a line of `conntrack -L`");
            of(".entry", if entry.trim().is_empty() { Err(empty) } else { Ok(()) })
        }
        Expectation::RoundTrip { below } => of(".below", output::duration(below).map(drop)),
        Expectation::Reply(inner) if !of_packet(inner) => {
            let expected =
                "something that a packet can be: Delivered, Dropped, Rejected, RulesVisited or their Not";
            of("[0]", Err(Problem::Invalid { value: inner.to_string(), expected }))
        }
        Expectation::Reply(inner) | Expectation::Not(inner) => {
            check(inner, scope).map_err(|wrong| Wrong { field: format!("[0]{}", wrong.field), ..wrong })
        }
    }
}

/// The field that says `text`, or its end; as [`Wrong::field`].
pub(crate) fn field_of(expectation: &Expectation, text: &str) -> String {
    let of = |fields: &[(&str, Option<&String>)]| {
        let says = |value: &String| value == text || value.split([' ', '/']).any(|part| part == text);
        let found = fields.iter().find(|(_, value)| value.is_some_and(says));
        found.map_or(String::new(), |(field, _)| format!(".{field}"))
    };
    match expectation {
        Expectation::Delivered { to, via, .. } => {
            let device = via.iter().position(|device| device.split([' ', '/']).any(|part| part == text));
            match device {
                Some(i) if to.as_deref() != Some(text) => format!(".via[{i}]"),
                _ => of(&[("to", to.as_ref())]),
            }
        }
        Expectation::Dropped { at, by, .. } | Expectation::Rejected { at, by, .. } => {
            of(&[("at", at.as_ref()), ("by", by.as_ref())])
        }
        Expectation::RuleHit { on, .. } | Expectation::Counter { on, .. } => match of(&[("on", Some(on))]) {
            field if field.is_empty() => ".rule".to_owned(),
            field => field,
        },
        Expectation::Conntrack { on, .. } | Expectation::RulesVisited { on, .. } => of(&[("on", Some(on))]),
        Expectation::Reply(inner) | Expectation::Not(inner) => format!("[0]{}", field_of(inner, text)),
        Expectation::OutputContains(_)
        | Expectation::OutputEquals(_)
        | Expectation::OutputMatches(_)
        | Expectation::Status(_)
        | Expectation::RoundTrip { .. } => String::new(),
    }
}

/// Whether it speaks of one packet only.
fn of_packet(expectation: &Expectation) -> bool {
    match expectation {
        Expectation::Delivered { .. }
        | Expectation::Dropped { .. }
        | Expectation::Rejected { .. }
        | Expectation::RulesVisited { .. } => true,
        Expectation::Not(inner) => of_packet(inner),
        _ => false,
    }
}

/// Whether it speaks of the packets of one command, so that nothing else can be judged by it.
pub(crate) fn needs_run(expectation: &Expectation) -> bool {
    match expectation {
        Expectation::RuleHit { .. } => true,
        Expectation::Not(inner) => needs_run(inner),
        other => of_packets(other),
    }
}

/// Whether it speaks of the packets that a command sent.
pub(super) fn of_packets(expectation: &Expectation) -> bool {
    match expectation {
        Expectation::RoundTrip { .. } => true,
        Expectation::Reply(inner) | Expectation::Not(inner) => of_packets(inner),
        other => of_packet(other),
    }
}

fn address(text: &str) -> Result<(), Problem> {
    match text.parse::<std::net::IpAddr>() {
        Ok(_) => Ok(()),
        Err(_) => Err(Problem::Invalid { value: text.to_owned(), expected: "an IP address" }),
    }
}

fn one_of(kind: &'static str, name: &str, known: &[&str]) -> Result<(), Problem> {
    if known.contains(&name) {
        return Ok(());
    }
    Err(Problem::Unknown { kind, name: name.to_owned(), hint: nearest(name, known.iter().copied()) })
}
