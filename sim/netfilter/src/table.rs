use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use trace::HookName;

use crate::index::RuleIndex;
use crate::journal::Journal;
use crate::{Held, Match, Memory, Rule, Then};

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
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which of the kernel's two rule engines holds a table. Both look at every packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Backend {
    /// `iptables`, which is `iptables-nft`: nf_tables with the matches of xtables.
    #[default]
    Nft,
    /// `iptables-legacy`: ip_tables. Its built-in chains exist as soon as a command looks at the
    /// table, and its rules are checked only where packets can come.
    Legacy,
}

/// A table of one of the engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableId {
    /// The engine.
    pub backend: Backend,
    /// The table.
    pub name: TableName,
}

impl TableId {
    /// Its place in the order of a hook. Kernel: `enum nf_ip_hook_priorities`; but iptables-nft
    /// asks for 150 where `NF_IP_PRI_SECURITY` is 50.
    pub const fn priority(self, hook: HookName) -> i32 {
        match (self.name, hook) {
            (TableName::Raw, _) => -300,
            (TableName::Mangle, _) => -150,
            (TableName::Nat, HookName::Prerouting | HookName::Output) => -100,
            (TableName::Filter, _) => 0,
            (TableName::Security, _) => match self.backend {
                Backend::Nft => 150,
                Backend::Legacy => 50,
            },
            (TableName::Nat, _) => 100,
        }
    }

    /// The name in a trace, where a table of iptables-legacy is called so.
    pub const fn as_str(self) -> &'static str {
        match (self.backend, self.name) {
            (Backend::Nft, name) => name.as_str(),
            (Backend::Legacy, TableName::Mangle) => "legacy mangle",
            (Backend::Legacy, TableName::Security) => "legacy security",
            (Backend::Legacy, TableName::Raw) => "legacy raw",
            (Backend::Legacy, TableName::Filter) => "legacy filter",
            (Backend::Legacy, TableName::Nat) => "legacy nat",
        }
    }
}

/// The table of `iptables`.
impl From<TableName> for TableId {
    fn from(name: TableName) -> Self {
        Self { backend: Backend::Nft, name }
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
    /// Number of rules that lead here.
    pub references: u32,
    /// What the rules' matches remember, one for each rule; empty for a rule whose matches don't.
    pub(crate) memory: Vec<Vec<Memory>>,
    /// Chains that rules lead to, and how many do.
    pub(crate) jumps: BTreeMap<ChainId, u32>,
    /// How packets come here.
    pub(crate) reach: Reach,
    /// Where to look for a packet's rules in a long chain, once one was looked for.
    pub(crate) index: Option<Arc<RuleIndex>>,
}

/// How packets come to a chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Rules (one more for a built-in chain) by which packets of each hook come.
    pub(crate) ways: [u32; 5],
    /// At most so many jumps lead here from a built-in chain.
    pub(crate) depth: usize,
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
    /// Which it is.
    pub id: TableId,
    /// Chains by id; a deleted one leaves a hole.
    pub(crate) chains: Vec<Option<Chain>>,
    /// Ids by name, which is the order of listings.
    pub(crate) by_name: BTreeMap<String, ChainId>,
    pub(crate) last_handle: u64,
    /// Number of rules that need connection tracking.
    pub(crate) tracking_rules: usize,
    /// Tables that its rules keep alive, and how many rules do.
    pub(crate) held: BTreeMap<Held, u32>,
    /// Matches that came since tables were last made.
    pub(crate) fresh: Vec<Match>,
    /// How to go back, while changes are made that hold together.
    pub(crate) journal: Option<Box<Journal>>,
}

impl Table {
    /// A table without rules: one of iptables without chains, one of iptables-legacy with its
    /// built-in chains.
    pub fn new(id: TableId) -> Self {
        let mut table = Self {
            id,
            chains: Vec::new(),
            by_name: BTreeMap::new(),
            last_handle: 0,
            tracking_rules: 0,
            held: BTreeMap::new(),
            fresh: Vec::new(),
            journal: None,
        };
        if id.backend == Backend::Legacy {
            for hook in id.name.hooks() {
                let counters = Some(Counters::default());
                table.add_chain(hook.as_str(), Some(Base { hook: *hook, policy: Policy::Accept, counters }));
            }
        }
        table
    }

    /// The chain of that name.
    pub fn chain(&self, name: &str) -> Option<&Chain> {
        self.get(*self.by_name.get(name)?)
    }

    /// The built-in chain at a hook, once it was used.
    pub(crate) fn base(&self, hook: HookName) -> Option<ChainId> {
        let id = *self.by_name.get(hook.as_str())?;
        self.get(id)?.base.is_some().then_some(id)
    }

    /// The chain of that id.
    pub(crate) fn get(&self, id: ChainId) -> Option<&Chain> {
        self.chains.get(id)?.as_ref()
    }

    /// The chain of that id, for what packets change.
    pub(crate) fn get_mut(&mut self, id: ChainId) -> Option<&mut Chain> {
        self.chains.get_mut(id)?.as_mut()
    }

    /// All chains.
    pub fn chains(&self) -> impl Iterator<Item = &Chain> {
        self.chains.iter().flatten()
    }

    /// User chains, in name order.
    pub fn user_chains(&self) -> impl Iterator<Item = &Chain> {
        self.by_name.values().filter_map(|id| self.get(*id)).filter(|chain| chain.base.is_none())
    }

    /// What its matches remember.
    pub(crate) fn memories(&self) -> impl Iterator<Item = Memory> {
        self.chains.iter().flatten().flat_map(|chain| chain.memory.iter().flatten().copied())
    }

    /// Counts the tables that a new rule keeps alive.
    pub(crate) fn hold(&mut self, rule: &Rule) {
        for m in &rule.matches {
            if let Some(held) = m.held() {
                *self.held.entry(held).or_default() += 1;
                self.fresh.push(m.clone());
            }
        }
    }

    /// Counts the tables that a removed rule kept alive.
    pub(crate) fn release(&mut self, rule: &Rule) {
        for held in rule.matches.iter().filter_map(Match::held) {
            if let Some(count) = self.held.get_mut(&held) {
                *count -= 1;
                if *count == 0 {
                    self.held.remove(&held);
                }
            }
        }
    }

    /// Whether a rule needs connection tracking.
    pub(crate) const fn needs_conntrack(&self) -> bool {
        self.tracking_rules > 0
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
