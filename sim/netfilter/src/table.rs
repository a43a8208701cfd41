use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use trace::HookName;

use crate::{Memory, Rule, Then};

/// A table of iptables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableName {
    /// Marks and header fields.
    Mangle,
    /// Mandatory access control.
    Security,
    /// Before connection tracking.
    Raw,
    /// May it pass?
    Filter,
    /// Address translation.
    Nat,
}

impl TableName {
    /// Every table, in the order of `iptables-save`.
    pub const ALL: [Self; 5] = [Self::Mangle, Self::Security, Self::Raw, Self::Filter, Self::Nat];

    /// The name after `-t`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mangle => "mangle",
            Self::Security => "security",
            Self::Raw => "raw",
            Self::Filter => "filter",
            Self::Nat => "nat",
        }
    }

    /// The table of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.as_str() == name)
    }

    /// Its built-in chains, in the order of listings.
    pub const fn hooks(self) -> &'static [HookName] {
        use HookName::{Forward, Input, Output, Postrouting, Prerouting};
        match self {
            Self::Mangle => &[Prerouting, Input, Forward, Output, Postrouting],
            Self::Security | Self::Filter => &[Input, Forward, Output],
            Self::Raw => &[Prerouting, Output],
            Self::Nat => &[Prerouting, Input, Output, Postrouting],
        }
    }

    /// The hook of a built-in chain.
    pub fn hook(self, chain: &str) -> Option<HookName> {
        self.hooks().iter().copied().find(|hook| hook.as_str() == chain)
    }

    /// Its place in the order of a hook. Kernel: `enum nf_ip_hook_priorities`.
    pub const fn priority(self, hook: HookName) -> i32 {
        match (self, hook) {
            (Self::Raw, _) => -300,
            (Self::Mangle, _) => -150,
            (Self::Nat, HookName::Prerouting | HookName::Output) => -100,
            (Self::Filter, _) => 0,
            (Self::Security, _) => 50,
            (Self::Nat, _) => 100,
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Packets and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets.
    pub packets: u64,
    /// Bytes of IP packets.
    pub bytes: u64,
}

/// `[packets:bytes]`.
impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}:{}]", self.packets, self.bytes)
    }
}

impl Counters {
    /// Counts a packet.
    pub(crate) fn count(&mut self, bytes: u64) {
        self.packets += 1;
        self.bytes += bytes;
    }
}

/// What a built-in chain does with a packet at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// Goes on.
    #[default]
    Accept,
    /// Ends.
    Drop,
}

impl Policy {
    /// `ACCEPT` or `DROP`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "ACCEPT",
            Self::Drop => "DROP",
        }
    }

    /// Reads `ACCEPT` or `DROP`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Accept, Self::Drop].into_iter().find(|policy| policy.as_str() == text)
    }
}

/// A chain's place in its table. Not reused while the table lives.
pub type ChainId = usize;

/// A chain. The rules are shared by copies of the world, what changes with packets is not.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    /// Name.
    pub name: String,
    /// The hook of a built-in chain.
    pub base: Option<Base>,
    /// Rules.
    pub rules: Arc<Vec<Installed>>,
    /// Counters, one for each rule.
    pub counters: Vec<Counters>,
    /// What the rules' matches remember, one for each rule; empty for a rule whose matches don't.
    pub(crate) memory: Vec<Vec<Memory>>,
    /// Chains that rules lead to, and how many do.
    pub(crate) jumps: BTreeMap<ChainId, u32>,
}

/// What makes a chain built-in.
#[derive(Clone, Copy, Debug)]
pub struct Base {
    /// The hook.
    pub hook: HookName,
    /// What happens at the end.
    pub policy: Policy,
    /// Counters of packets that came to the end. iptables-nft makes them with the first `-P`,
    /// `-Z` or restored `:CHAIN` line.
    pub counters: Option<Counters>,
}

/// A rule in its chain.
#[derive(Clone, Debug)]
pub struct Installed {
    /// The rule.
    pub rule: Arc<Rule>,
    /// The chain that it leads to.
    pub to: Option<ChainId>,
    /// Its number among the rules and chains of the table, from 1, as TRACE prints it.
    pub handle: u64,
}

/// A table that something was put into.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name.
    pub name: TableName,
    /// Chains by id; a deleted one leaves a hole.
    pub(crate) chains: Vec<Option<Chain>>,
    /// Ids by name, which is the order of listings.
    pub(crate) by_name: BTreeMap<String, ChainId>,
    pub(crate) last_handle: u64,
}

impl Table {
    /// An empty table without chains.
    pub fn new(name: TableName) -> Self {
        Self { name, chains: Vec::new(), by_name: BTreeMap::new(), last_handle: 0 }
    }

    /// The chain of that name.
    pub fn chain(&self, name: &str) -> Option<&Chain> {
        self.get(*self.by_name.get(name)?)
    }

    /// The chain of that id.
    pub(crate) fn get(&self, id: ChainId) -> Option<&Chain> {
        self.chains.get(id)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, id: ChainId) -> Option<&mut Chain> {
        self.chains.get_mut(id)?.as_mut()
    }

    /// User chains, in name order.
    pub fn user_chains(&self) -> impl Iterator<Item = &Chain> {
        self.by_name.values().filter_map(|id| self.get(*id)).filter(|chain| chain.base.is_none())
    }

    /// All chains with their ids, in name order.
    pub(crate) fn chains(&self) -> impl Iterator<Item = (ChainId, &Chain)> {
        self.by_name.values().filter_map(|id| Some((*id, self.get(*id)?)))
    }

    /// Number of rules that lead to a chain.
    pub fn references(&self, name: &str) -> u32 {
        let Some(id) = self.by_name.get(name) else { return 0 };
        self.chains.iter().flatten().filter_map(|chain| chain.jumps.get(id)).sum()
    }

    /// Whether a rule needs connection tracking.
    pub(crate) fn needs_conntrack(&self) -> bool {
        self.chains.iter().flatten().any(|chain| chain.rules.iter().any(|rule| rule.rule.needs_conntrack()))
    }
}

impl Chain {
    /// An empty chain.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// The number, from 1, of the first rule that equals `rule`.
    pub fn position(&self, rule: &Rule) -> Option<usize> {
        self.rules.iter().position(|installed| *installed.rule == *rule).map(|at| at + 1)
    }
}

impl Rule {
    /// The chain it leads to.
    pub(crate) fn chain(&self) -> Option<&str> {
        match &self.then {
            Then::Chain { name, .. } => Some(name),
            Then::Nothing | Then::Target(_) => None,
        }
    }
}
