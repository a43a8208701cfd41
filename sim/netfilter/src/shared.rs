use std::collections::BTreeMap;
use std::net::IpAddr;

use packet::{HZ, SimTime, Tuple};

use crate::conntrack::Zone;
use crate::matches::{HashlimitTable, RecentTable};
use crate::{Memory, Table};

/// What matches keep besides a rule's own memory: tables that several rules share by name, and
/// lists that don't fit into two words.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    /// Tables of `-m recent`. Kernel: `struct recent_net`.
    pub recent: BTreeMap<String, RecentTable>,
    /// Tables of `-m hashlimit`. Kernel: `struct hashlimit_net`.
    pub hashlimit: BTreeMap<String, HashlimitTable>,
    /// Connections that `-m connlimit` has seen, by the number in the rule's memory and the key: address
    /// and zone.
    /// Kernel: `struct nf_conncount_data`.
    pub(crate) connlimit: BTreeMap<u64, BTreeMap<(IpAddr, u16), ConnList>>,
    last_list: u64,
    /// A new rule of `-m connbytes` wants connections counted. Kernel: `nf_ct_set_acct`.
    pub(crate) wants_accounting: bool,
}

/// Connections of one address. Kernel: `struct nf_conncount_list`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConnList {
    pub(crate) conns: Vec<(Tuple, Zone)>,
    /// The tick in which it was last looked through. Kernel: `last_gc`.
    pub(crate) last_gc: u64,
}

/// A table that lives as long as a rule names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    /// Of `-m recent`.
    Recent(String),
    /// Of `-m hashlimit`.
    Hashlimit(String),
    /// The counters of connections.
    Accounting,
}

impl Shared {
    /// A new list of `-m connlimit`.
    pub(crate) fn new_list(&mut self) -> u64 {
        self.last_list += 1;
        self.last_list
    }

    /// Makes the tables that new rules name, then forgets those that no rule names any more.
    /// Kernel: `recent_mt_check`, `recent_mt_destroy` and kin.
    pub(crate) fn follow<'a>(&mut self, tables: impl Iterator<Item = &'a mut Table>) {
        let mut tables: Vec<&Table> = tables
            .map(|table| {
                for m in std::mem::take(&mut table.fresh) {
                    m.install(self);
                }
                &*table
            })
            .collect();
        tables.retain(|table| !table.held.is_empty());
        let held = |held: &Held| tables.iter().any(|table| table.held.contains_key(held));
        self.recent.retain(|name, _| held(&Held::Recent(name.clone())));
        self.hashlimit.retain(|name, _| held(&Held::Hashlimit(name.clone())));
    }

    /// Forgets lists of `-m connlimit` whose rules are gone.
    pub(crate) fn forget_lists(&mut self, live: impl Iterator<Item = Memory>) {
        if !self.connlimit.is_empty() {
            let live: Vec<u64> = live.map(|Memory([id, _])| id).collect();
            self.connlimit.retain(|id, _| live.contains(id));
        }
    }
}

/// Ticks at the start of the world: the counter overflows 32 bits five minutes later.
/// Kernel: `INITIAL_JIFFIES`.
const INITIAL_JIFFIES: u64 = (1 << 32) - 300 * HZ;

/// Ticks as the kernel counts them. Kernel: `jiffies`.
pub(crate) const fn jiffies(now: SimTime) -> u64 {
    INITIAL_JIFFIES + now.jiffies()
}
