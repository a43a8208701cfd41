//! Recorded flows, and whether what the simulated kernel did agrees with one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// A `flows*.json`.
#[derive(Debug, Deserialize)]
pub struct Recording {
    pub lab: Topology,
    pub flows: Vec<Flow>,
}

/// What the flows ran in.
#[derive(Debug, Deserialize)]
pub struct Topology {
    pub node: Node,
    /// Commands, each with the namespace it runs in before it: `n0: ip link add …`.
    pub setup: Vec<String>,
}

/// The node whose rules are tested.
#[derive(Debug, Deserialize)]
pub struct Node {
    pub ips: Vec<IpAddr>,
}

/// Connections from one place to one address and port.
#[derive(Debug, Deserialize)]
pub struct Flow {
    pub from: Client,
    pub to: IpAddr,
    pub port: Option<u16>,
    pub proto: Proto,
    /// `namespace/name`.
    pub service: Option<String>,
    #[serde(default = "once")]
    pub tries: u32,
    pub outcomes: BTreeSet<Outcome>,
    #[serde(default = "first_step")]
    pub step: usize,
}

fn once() -> u32 {
    1
}

fn first_step() -> usize {
    1
}

/// Who connects.
#[derive(Debug, Deserialize)]
pub struct Client {
    pub role: String,
    pub ip: Option<IpAddr>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
pub enum Proto {
    Tcp,
    Udp,
    Icmp,
}

/// How one try ended.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outcome {
    pub result: Ending,
    /// The server's own address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// The address that it saw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Whether the port that it saw is the client's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_kept: Option<bool>,
    /// The ICMP error that came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icmp: Option<IcmpSeen>,
    /// `rst` if none came and the connection was refused nevertheless.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    Connected,
    Refused,
    Timeout,
    Unreachable,
    #[serde(rename = "EPERM")]
    Eperm,
    Reply,
}

/// An ICMP error.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub struct IcmpSeen {
    #[serde(rename = "type")]
    pub kind: u8,
    pub code: u8,
    pub from: IpAddr,
}

impl Outcome {
    /// An outcome without anything more to say.
    pub fn plain(result: Ending) -> Self {
        Self { result, backend: None, source: None, port_kept: None, icmp: None, by: None }
    }

    /// A neighbor is given up after about three seconds, just when a third try of one second ends:
    /// it is a matter of milliseconds whether the error still finds it waiting.
    fn timeless(&self) -> Self {
        let unreachable = self.result == Ending::Unreachable && self.icmp.is_some();
        let result = if unreachable { Ending::Timeout } else { self.result };
        Self { result, ..self.clone() }
    }
}

/// How what happened compares to a recording.
#[derive(Debug, PartialEq, Eq)]
pub enum Agreement {
    /// All that was recorded happened, and nothing else.
    Same,
    /// Nothing else happened, but not yet all.
    Part,
    /// Something else happened.
    Other,
}

impl Flow {
    /// Compares what happened in some tries.
    pub fn compare(&self, got: &BTreeMap<Outcome, u32>) -> Agreement {
        let got: BTreeSet<Outcome> = got.keys().map(Outcome::timeless).collect();
        // A source port is kept unless somebody else uses it: where it was kept once, it may have
        // been taken another time.
        let by_chance = |taken: &Outcome| {
            let kept = Outcome { port_kept: Some(true), ..taken.clone() };
            taken.port_kept == Some(false) && self.outcomes.contains(&kept)
        };
        if got.iter().any(|outcome| !self.outcomes.contains(outcome) && !by_chance(outcome)) {
            return Agreement::Other;
        }
        let all = self.outcomes.iter().all(|outcome| got.contains(outcome) || by_chance(outcome));
        if all { Agreement::Same } else { Agreement::Part }
    }

    /// Whether the recorder gave up: after three tries or five without an answer it did not go on
    /// until each backend had been drawn.
    pub fn given_up(&self) -> bool {
        self.tries <= 5 && self.outcomes.iter().all(|outcome| outcome.result == Ending::Timeout)
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, port, proto, service, tries, step, .. } = self;
        write!(f, "{proto:?} of {}", from.role)?;
        if let Some(ip) = from.ip {
            write!(f, " {ip}")?;
        }
        write!(f, " to {to}:{} {}", port.unwrap_or_default(), service.as_deref().unwrap_or_default())?;
        write!(f, ", {tries} tries, sync {step}")
    }
}
