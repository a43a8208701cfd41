use std::time::Duration;

use serde::Serialize;

use crate::culprit::{Culprit, Object};

/// Something that may be to blame, and what would mend it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Suspect {
    /// What.
    pub culprit: Culprit,
    /// What is wrong with it, as a sentence.
    pub text: String,
    /// What was seen that says so.
    pub evidence: Vec<String>,
    /// What might mend it.
    pub fixes: Vec<Fix>,
    /// How much speaks for it.
    pub rank: Rank,
}

/// How much speaks for a suspect; the least is tried first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// The packet died by it, and it contradicts what others say.
    Contradicted,
    /// The packet died by it.
    Seen,
    /// It contradicts what others say, on the packet's way.
    Odd,
    /// The packet died near it: mending it hides what is wrong.
    Near,
    /// It contradicts what others say, elsewhere.
    Elsewhere,
}

/// What mends something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// Where the commands are typed.
    pub on: String,
    /// The commands.
    pub commands: Vec<String>,
    /// What is typed elsewhere after them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub then: Vec<Fix>,
    /// How much it changes.
    #[serde(skip)]
    pub(super) size: Size,
}

/// How much a fix changes; the least is printed first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Size {
    /// One value of a running kernel.
    #[default]
    Value,
    /// One rule, route or entry.
    Entry,
    /// A process begins anew.
    Restart,
    /// An object of the cluster.
    Object,
    /// Pods or devices are made anew.
    Remake,
}

impl Size {
    /// How long to wait at most until it shows.
    pub fn patience(self) -> Duration {
        match self {
            Self::Value | Self::Entry => Duration::from_secs(1),
            Self::Restart => Duration::from_secs(20),
            Self::Object | Self::Remake => Duration::from_secs(40),
        }
    }
}

impl Fix {
    /// One command.
    pub(super) fn one(on: impl Into<String>, command: impl Into<String>, size: Size) -> Self {
        Self { on: on.into(), commands: vec![command.into()], then: Vec::new(), size }
    }
}

impl Suspect {
    /// The order in which suspects are tried: by rank, then what has others as its consequences
    /// before those.
    pub fn order(&self) -> (Rank, u8) {
        let depth = match &self.culprit.object {
            Object::Device { .. } | Object::ConntrackTable | Object::NeighborTable => 0,
            Object::ApiObject { .. } | Object::File { .. } | Object::Flag { .. } => 1,
            Object::Address { .. } | Object::Mac { .. } => 2,
            Object::PolicyRule { .. } => 3,
            Object::Route { .. } => 4,
            Object::Process { .. } => 5,
            Object::Rule { .. } | Object::Policy { .. } => 6,
            Object::FdbEntry { .. } | Object::Neighbor { .. } | Object::ConntrackEntry { .. } => 7,
            Object::Mtu { .. } | Object::BridgePort { .. } => 8,
            Object::Sysctl { .. } => 9,
            Object::Fabric { .. } => 10,
        };
        (self.rank, depth)
    }

    /// A suspect without evidence and fixes yet.
    pub fn new(rank: Rank, at: impl Into<String>, object: Object, text: impl Into<String>) -> Self {
        Self {
            culprit: Culprit::on(at, object),
            text: text.into(),
            evidence: Vec::new(),
            fixes: Vec::new(),
            rank,
        }
    }

    /// Adds what was seen.
    pub fn because(mut self, evidence: impl Into<String>) -> Self {
        self.evidence.push(evidence.into());
        self
    }

    /// Adds what might mend it.
    pub fn mended_by(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }
}
