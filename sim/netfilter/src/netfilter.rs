use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use packet::{DevId, SimTime, Skb};
use trace::HookName;

use crate::conntrack::{Conntrack, ConntrackChange, CtEvent, CtSysctl};
use crate::monitor::TraceQueue;
use crate::set::{Listing, SetChange, SetError, Sets};
use crate::table::ChainId;
use crate::{
    AddrMask, Backend, Change, Env, Not, Random, Refused, Restore, Shared, Table, TableId, TableName,
    TraceEvent, What,
};

/// Netfilter of one namespace: tables, connections and sets. Empty until something is configured.
#[derive(Clone, Debug, Default)]
pub struct Netfilter(pub(crate) Option<Box<Inner>>);

/// What there is once something was configured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inner {
    pub(crate) tables: BTreeMap<TableId, Table>,
    /// Built-in chains, as they were registered.
    registered: Vec<(TableId, HookName)>,
    pub(crate) conntrack: Conntrack,
    pub(crate) sets: Sets,
    pub(crate) random: Option<Random>,
    pub(crate) shared: Shared,
    pub(crate) trace: TraceQueue,
    /// What runs at each hook, in order. Kernel: `struct nf_hook_entries`.
    pub(crate) hooks: [Vec<Owner>; 5],
    /// The chains that translation asks at each hook, in order. Kernel: `struct nf_nat_hooks_net`.
    pub(crate) nat_chains: [Vec<(TableId, ChainId)>; 5],
    /// A rule needs connections. Kernel: `nf_ct_netns_get`.
    pub(crate) tracks: bool,
}

/// What is registered at a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Connection tracking looks the packet up.
    Conntrack,
    /// A chain of a table other than nat.
    Table(TableId, ChainId),
    /// Address translation, asking the chains of nat tables first.
    Nat,
    /// Connection tracking enters new connections.
    Confirm,
}

/// Kernel: `NF_IP_PRI_CONNTRACK`.
const PRIORITY_CONNTRACK: i32 = -200;
/// Kernel: `NF_IP_PRI_CONNTRACK_CONFIRM`.
const PRIORITY_CONFIRM: i32 = i32::MAX;

impl Netfilter {
    /// Whether nothing is registered at a hook.
    #[inline]
    pub fn is_idle(&self, hook: HookName) -> bool {
        self.0.as_ref().is_none_or(|inner| inner.hooks[hook as usize].is_empty())
    }

    /// Whether connections are tracked in this namespace.
    #[inline]
    pub fn tracks(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.tracks)
    }

    /// The table, if anything was ever put into it.
    pub fn table(&self, id: impl Into<TableId>) -> Option<&Table> {
        self.0.as_ref()?.tables.get(&id.into())
    }

    /// Every table into which anything was ever put.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.0.iter().flat_map(|inner| inner.tables.values())
    }

    /// The tables of iptables-legacy, the newest first. Kernel: `/proc/net/ip_tables_names`.
    pub fn legacy_tables(&self) -> Vec<TableName> {
        let registered = self.0.iter().flat_map(|inner| inner.registered.iter().rev());
        let mut names = Vec::new();
        for (id, _) in registered.filter(|(id, _)| id.backend == Backend::Legacy) {
            if !names.contains(&id.name) {
                names.push(id.name);
            }
        }
        names
    }

    /// The connections, if there ever were any.
    pub fn conntrack(&self) -> Option<&Conntrack> {
        self.0.as_ref().map(|inner| &inner.conntrack)
    }

    /// Whether a rule came that wants connections counted; asked once.
    pub fn take_wants_accounting(&mut self) -> bool {
        self.0.as_mut().is_some_and(|inner| std::mem::take(&mut inner.shared.wants_accounting))
    }

    /// Says whether anyone listens to traces from now on.
    pub fn set_tracing(&mut self, listening: bool) {
        if let Some(inner) = &mut self.0 {
            inner.trace.listening = listening;
        }
    }

    /// The next message about a traced packet.
    pub fn next_trace(&mut self) -> Option<TraceEvent> {
        self.0.as_mut()?.trace.events.pop_front()
    }

    /// What matches share, if anything was ever configured.
    pub fn shared(&self) -> Option<&Shared> {
        self.0.as_ref().map(|inner| &inner.shared)
    }

    /// What matches share, to change it from outside (/proc/net/xt_recent).
    pub fn shared_mut(&mut self) -> Option<&mut Shared> {
        self.0.as_mut().map(|inner| &mut inner.shared)
    }

    /// Makes a change.
    ///
    /// # Errors
    /// The kernel's refusal; nothing has changed then.
    pub fn change(&mut self, change: &Change) -> Result<(), Refused> {
        let inner = self.0.get_or_insert_default();
        check_alone(change.table, &inner.sets, &change.what)?;
        let table = inner.tables.entry(change.table).or_insert_with(|| Table::new(change.table));
        table.apply(&change.what)?;
        inner.register();
        Ok(())
    }

    /// Makes the changes of one table, all or none.
    ///
    /// # Errors
    /// The indices of the refused changes with the kernel's refusals; nothing has changed then.
    pub fn restore(&mut self, restore: &Restore) -> Result<(), Vec<(usize, Refused)>> {
        let inner = self.0.get_or_insert_default();
        let mut fresh = Table::new(restore.table);
        let table = match inner.tables.get_mut(&restore.table) {
            Some(table) if !restore.flush => table,
            _ => &mut fresh,
        };
        table.begin();
        let refused = apply_all(table, &inner.sets, &restore.changes);
        if !refused.is_empty() {
            table.abort();
            return Err(refused);
        }
        table.commit();
        if restore.flush || !inner.tables.contains_key(&restore.table) {
            inner.tables.insert(restore.table, fresh);
        }
        inner.register();
        Ok(())
    }

    /// Enters the packet's connection into the table if it isn't there; false if its place was
    /// taken meanwhile. Kernel: `nf_ct_hook->confirm`.
    pub fn confirm(&mut self, skb: &mut Skb, now: SimTime) -> bool {
        self.0.as_mut().is_none_or(|inner| inner.conntrack.confirm(skb, now))
    }

    /// The sets, if there ever were any.
    pub fn sets(&self) -> Option<&Sets> {
        self.0.as_ref().map(|inner| &inner.sets)
    }

    /// All sets or one, as `ipset list` shows them.
    pub fn list_sets(&self, name: Option<&str>, now: SimTime) -> Vec<Listing> {
        self.0.as_ref().map_or_else(Vec::new, |inner| inner.sets.list(name, &inner.set_uses(), now))
    }

    /// Changes the sets; `seed` gives the numbers that Linux rolls. Lines for the kernel log are
    /// appended to `log`.
    ///
    /// # Errors
    /// The kernel's refusal. Elements that a range added before the refused one stay.
    pub fn change_sets(
        &mut self,
        change: &SetChange,
        seed: u64,
        now: SimTime,
        log: &mut Vec<String>,
    ) -> Result<(), SetError> {
        let Inner { tables, sets, .. } = &mut **self.0.get_or_insert_default();
        let done = sets.change(change, || uses(tables), seed, now);
        if let (Err(SetError::HashFull), SetChange::Add { name, .. }) = (done, change) {
            log.extend(sets.full_line(name, now));
        }
        done
    }

    /// A TCP reset answers a rejected segment: its connection is closing.
    /// Kernel: `nf_ct_set_closing`.
    pub fn set_closing(&mut self, rejected: &Skb, env: &dyn Env) {
        if let Some(inner) = &mut self.0 {
            let timeout = Duration::from_secs(env.ct_sysctl(CtSysctl::TcpTimeoutClose).into());
            inner.conntrack.set_closing(rejected, timeout, env.now());
        }
    }

    /// Changes the table of connections; `portid` is who asked for it.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn change_conntrack(
        &mut self,
        change: &ConntrackChange,
        env: &dyn Env,
        portid: u32,
    ) -> Result<(), Refused> {
        self.0.get_or_insert_default().conntrack.change(change, env, portid)
    }

    /// Whether there is anything for [`take_conntrack_events`](Self::take_conntrack_events) or
    /// [`take_notices`](Self::take_notices).
    #[inline]
    pub fn has_news(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.conntrack.has_news())
    }

    /// Takes what sockets that listen to connection tracking are to be told.
    #[inline]
    pub fn take_conntrack_events(&mut self) -> Vec<CtEvent> {
        self.0.as_mut().map_or_else(Vec::new, |inner| inner.conntrack.take_events())
    }

    /// Takes lines for the kernel log that every namespace may write.
    #[inline]
    pub fn take_notices(&mut self) -> Vec<String> {
        self.0.as_mut().map_or_else(Vec::new, |inner| inner.conntrack.take_notices())
    }

    /// Someone listens to connection tracking, or nobody.
    #[inline]
    pub fn set_listening(&mut self, on: bool) {
        if let Some(inner) = &mut self.0 {
            inner.conntrack.set_listening(on);
        }
    }

    /// Forgets connections that have expired by now. Kernel: `gc_worker`.
    pub fn conntrack_gc(&mut self, now: SimTime) {
        if let Some(inner) = &mut self.0 {
            inner.conntrack.gc(now);
        }
    }

    /// Forgets connections that MASQUERADE gave an address of `dev`: all when it goes down, those
    /// of one address when that goes. Kernel: `masq_device_event`, `masq_inet_event`.
    pub fn masquerade_gone(&mut self, dev: DevId, addr: Option<IpAddr>, now: SimTime) {
        let Some(inner) = &mut self.0 else { return };
        let ids: Vec<_> = inner
            .conntrack
            .iter(now)
            .filter(|conn| conn.nat.masquerade_dev == Some(dev))
            .filter(|conn| addr.is_none_or(|addr| conn.reply.dst == addr))
            .map(|conn| conn.id)
            .collect();
        for id in ids {
            inner.conntrack.kill(id, now);
        }
    }
}

/// Makes changes that hold together, and answers those that the kernel refuses.
///
/// Once a rule leaves the table invalid, the kernel refuses each further rule with the same error:
/// it validates the whole table again. Kernel: `nft_table_validate` in `nf_tables_newrule`.
fn apply_all(table: &mut Table, sets: &Sets, changes: &[What]) -> Vec<(usize, Refused)> {
    let mut refused = Vec::new();
    let mut invalid = None;
    for (at, what) in changes.iter().enumerate() {
        let adds_rule = matches!(what, What::Append { .. } | What::Insert { .. } | What::Replace { .. });
        let result = match invalid {
            Some(error) if adds_rule => Err(error),
            _ => match check_alone(table.id, sets, what) {
                Ok(()) => table.apply_restored(what),
                // The rule alone is refused: the table stays valid.
                Err(error) => {
                    refused.push((at, error));
                    continue;
                }
            },
        };
        if let Err(error) = result {
            if adds_rule && matches!(error, Refused::Invalid | Refused::TooDeep) {
                invalid = Some(error);
            }
            refused.push((at, error));
        }
    }
    refused
}

/// How often rules use each set.
fn uses(tables: &BTreeMap<TableId, Table>) -> BTreeMap<String, u32> {
    let mut uses = BTreeMap::new();
    let chains = tables.values().flat_map(|table| table.chains.iter().flatten());
    let rules = chains.flat_map(|chain| chain.rules.iter());
    for name in rules.flat_map(|installed| installed.rule.sets()) {
        *uses.entry(name.to_owned()).or_default() += 1;
    }
    uses
}

/// What the kernel asks of a new rule wherever it stands: that its sets exist
/// (`set_match_v1_checkentry`) and, in nf_tables, that each comparison compares something
/// (`nft_cmp_init`): `! -s 0.0.0.0/0` doesn't.
fn check_alone(table: TableId, sets: &Sets, what: &What) -> Result<(), Refused> {
    let (What::Append { rule, .. } | What::Insert { rule, .. } | What::Replace { rule, .. }) = what else {
        return Ok(());
    };
    let selector = &rule.selector;
    let empty = |addr: &Option<Not<AddrMask>>| addr.as_ref().is_some_and(|a| a.invert && a.value.is_any());
    if table.backend == Backend::Nft && (empty(&selector.src) || empty(&selector.dst)) {
        return Err(Refused::Invalid);
    }
    if rule.sets().all(|name| sets.kind(name).is_some()) { Ok(()) } else { Err(Refused::NotFound) }
}

impl Inner {
    /// How often rules use each set. Kernel: `set->ref`, without lists.
    fn set_uses(&self) -> BTreeMap<String, u32> {
        uses(&self.tables)
    }

    /// Registers what the tables need at each hook; of what has the same priority, the newest runs
    /// first. Kernel: `nf_register_net_hook`, `nf_hook_entries_grow`.
    fn register(&mut self) {
        self.shared.follow(self.tables.values_mut());
        self.shared.forget_lists(self.tables.values().flat_map(Table::memories));
        let Self { tables, registered, hooks, nat_chains, tracks, .. } = self;
        registered.retain(|(id, hook)| tables.get(id).is_some_and(|table| table.base(*hook).is_some()));
        for (id, table) in &*tables {
            let new = |hook: &&HookName| table.base(**hook).is_some() && !registered.contains(&(*id, **hook));
            let new: Vec<(TableId, HookName)> =
                id.name.hooks().iter().filter(new).map(|hook| (*id, *hook)).collect();
            registered.extend(new);
        }
        *tracks = tables.values().any(Table::needs_conntrack);
        let translates = registered.iter().any(|(id, _)| id.name == TableName::Nat);
        for hook in HookName::ALL {
            let mut entries: Vec<(i32, Owner)> = Vec::new();
            let nat = &mut nat_chains[hook as usize];
            nat.clear();
            for (id, _) in registered.iter().rev().filter(|(_, at)| *at == hook) {
                let Some(chain) = tables.get(id).and_then(|table| table.base(hook)) else { continue };
                match id.name {
                    TableName::Nat => nat.push((*id, chain)),
                    _ => entries.push((id.priority(hook), Owner::Table(*id, chain))),
                }
            }
            // The first built-in chain of a table nat registers translation at all four hooks.
            if translates && hook != HookName::Forward {
                entries.push((TableId::from(TableName::Nat).priority(hook), Owner::Nat));
            }
            if *tracks {
                match hook {
                    HookName::Prerouting | HookName::Output => {
                        entries.push((PRIORITY_CONNTRACK, Owner::Conntrack))
                    }
                    HookName::Input | HookName::Postrouting => {
                        entries.push((PRIORITY_CONFIRM, Owner::Confirm))
                    }
                    HookName::Forward => {}
                }
            }
            entries.sort_by_key(|(priority, _)| *priority);
            hooks[hook as usize] = entries.into_iter().map(|(_, owner)| owner).collect();
        }
    }
}
