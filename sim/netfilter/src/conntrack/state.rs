use crate::args::{abbreviated, names_between_commas};
use std::fmt;

/// A set of connection states as rules name them.
/// Kernel: `XT_CONNTRACK_STATE_*`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateSet(u8);

const NAMES: [(&str, StateSet); 7] = [
    ("INVALID", StateSet::INVALID),
    ("NEW", StateSet::NEW),
    ("RELATED", StateSet::RELATED),
    ("ESTABLISHED", StateSet::ESTABLISHED),
    ("UNTRACKED", StateSet::UNTRACKED),
    ("SNAT", StateSet::SNAT),
    ("DNAT", StateSet::DNAT),
];

impl StateSet {
    /// Belongs to no connection.
    pub const INVALID: Self = Self(1);
    /// Begins a connection.
    pub const NEW: Self = Self(2);
    /// Belongs to a connection that has seen both directions.
    pub const ESTABLISHED: Self = Self(4);
    /// Belongs to a connection in another way.
    pub const RELATED: Self = Self(8);
    /// Taken out of tracking.
    pub const UNTRACKED: Self = Self(16);
    /// The connection's source is rewritten.
    pub const SNAT: Self = Self(32);
    /// The connection's destination is rewritten.
    pub const DNAT: Self = Self(64);

    /// Reads `NEW,ESTABLISHED`.
    ///
    /// # Errors
    /// What is left from the first word on that is no state.
    pub fn parse(text: &str) -> Result<Self, &str> {
        let mut set = Self::default();
        names_between_commas(text, |name| {
            let known = abbreviated(&NAMES, name);
            set = known.map_or(set, |at| set.with(NAMES[at].1));
            known.is_some()
        })?;
        Ok(set)
    }

    /// Both sets together.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the sets have a state in common.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether it holds SNAT or DNAT.
    pub const fn has_nat(self) -> bool {
        self.intersects(Self(Self::SNAT.0 | Self::DNAT.0))
    }

    /// The name of a set of one state.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, state)| state.intersects(self)).map_or("NONE", |(name, _)| name)
    }
}

/// Names in the order in which iptables prints them.
impl fmt::Display for StateSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> =
            NAMES.iter().filter(|(_, state)| self.intersects(*state)).map(|(name, _)| *name).collect();
        f.write_str(&names.join(","))
    }
}
