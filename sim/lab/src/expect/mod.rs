//! What a scenario expects, and whether it happened.
//!
//! Types here; `check` finds what can't be meant, `judge` looks at what happened.

mod check;
mod judge;
mod output;
mod packet;
mod place;
mod tables;

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use trace::Trace;

use crate::error::Problem;

pub(crate) use check::{Scope, Wrong, check, field_of, needs_run};

/// What is expected of the last command: of the first packet that it sent, its output, its status,
/// or of the kernels' tables after it.
///
/// It prints and parses as it is written in a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Expectation {
    /// The packet reached a socket or kernel.
    Delivered {
        /// `host`, `host/container` or `host/namespace` that took it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
        /// Devices it passed in this order, `host device` or `host/namespace device`; others may lie
        /// between.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        via: Vec<String>,
        /// Source address as the receiver saw it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source_seen: Option<String>,
        /// Destination address as the receiver saw it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        destination_seen: Option<String>,
        /// What it was wrapped in on its way, in this order: `vxlan`, `ipip`. An empty list says: in
        /// nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        encapsulated: Option<Vec<String>>,
    },
    /// The packet was dropped.
    Dropped {
        /// `host`, `host/container` or `host/namespace`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<String>,
        /// The kernel's reason, e.g. `NETFILTER_DROP`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// The rule (`filter FORWARD #2`, or a piece of its text) or policy (`filter FORWARD policy`)
        /// that decided.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// A REJECT rule refused the packet.
    Rejected {
        /// `host`, `host/container` or `host/namespace`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<String>,
        /// The rule: `filter FORWARD #2`, or a piece of its text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// The answer that its sender got, as after `--reject-with`: `icmp-port-unreachable`,
        /// `tcp-reset`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        with: Option<String>,
    },
    /// The packet was compared with so many rules, in all chains that it came through.
    RulesVisited {
        /// `host`, `host/container` or `host/namespace`.
        on: String,
        /// The least number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_least: Option<u32>,
        /// The greatest number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_most: Option<u32>,
    },
    /// A packet of the command met a rule that matched it.
    RuleHit {
        /// `host`, `host/container` or `host/namespace`.
        on: String,
        /// `filter FORWARD #2`, `filter FORWARD policy`, or a piece of the rule's text.
        rule: String,
    },
    /// The output holds this text.
    OutputContains(String),
    /// The output is this text. Blanks at the ends of lines and empty lines at both ends don't count.
    OutputEquals(String),
    /// The regular expression finds something in the output. `^` and `$` are the ends of lines.
    OutputMatches(String),
    /// The command ended with this status.
    Status(i32),
    /// `conntrack -L` prints a line with all these words.
    Conntrack {
        /// `host`, `host/container` or `host/namespace`.
        on: String,
        /// Words of the line, e.g. `udp src=10.0.0.1 dport=53`.
        entry: String,
    },
    /// A rule's counters now, as `iptables-save -c` prints them.
    Counter {
        /// `host`, `host/container` or `host/namespace`.
        on: String,
        /// `nat POSTROUTING #1`, `filter FORWARD policy`, or a piece of the rule's text.
        rule: String,
        /// Packets counted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        packets: Option<u64>,
        /// Bytes counted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bytes: Option<u64>,
    },
    /// The first answer arrived sooner than this after the packet was sent, in virtual time.
    RoundTrip {
        /// A duration such as `5ms` or `1s 200ms`.
        below: String,
    },
    /// The other holds for the first packet back instead of the first packet sent.
    Reply(Box<Expectation>),
    /// The other does not hold.
    Not(Box<Expectation>),
}

/// As it would be written in a scenario, without what was not given.
impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let style = ron::ser::PrettyConfig::new().compact_structs(true).compact_arrays(true);
        let text = crate::syntax::ron_options().to_string_pretty(self, style).map_err(|_| fmt::Error)?;
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match (c, if c == '\\' { chars.next() } else { None }) {
                (_, Some('\'')) => f.write_str("'")?,
                (c, Some(escaped)) => write!(f, "{c}{escaped}")?,
                (c, None) => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

/// The text is no expectation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpectationError {
    /// It is not RON of the right shape.
    #[error("{0}")]
    Syntax(String),
    /// A part of it can't be meant.
    #[error("{0}")]
    Problem(Problem),
}

/// Reads it as it is written in a scenario.
impl FromStr for Expectation {
    type Err = ExpectationError;
    fn from_str(text: &str) -> Result<Self, ExpectationError> {
        let expectation: Self = crate::syntax::ron_options()
            .from_str(text)
            .map_err(|error| ExpectationError::Syntax(error.to_string()))?;
        check(&expectation, &Scope::Anywhere).map_err(|wrong| ExpectationError::Problem(wrong.problem))?;
        Ok(expectation)
    }
}

/// Whether an expectation held; if not, what happened instead.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It held.
    Held,
    /// It didn't.
    Failed(Failure),
}

impl Verdict {
    /// Whether it held.
    pub fn held(&self) -> bool {
        *self == Self::Held
    }

    /// A failure without a packet to look at.
    pub(crate) fn failed(instead: impl Into<String>) -> Self {
        Self::Failed(Failure { instead: instead.into(), around: None })
    }

    /// `Held` if `holds`; else what `instead` says.
    pub(crate) fn of(holds: bool, instead: impl FnOnce() -> String) -> Self {
        if holds { Self::Held } else { Self::failed(instead()) }
    }
}

/// What happened instead of what was expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// In words; may have several lines.
    pub instead: String,
    /// The way of the packet that was judged, if one was.
    pub around: Option<Box<Trace>>,
}
