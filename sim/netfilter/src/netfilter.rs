use std::collections::BTreeMap;

use packet::{DevId, SimTime, Skb};
use trace::HookName;

use crate::conntrack::{Conntrack, ConntrackChange};
use crate::table::ChainId;
use crate::{Change, Random, Refused, Restore, Table, TableName, What};

/// Netfilter of one namespace: tables and connections. Empty until something is configured.
#[derive(Clone, Debug, Default)]
pub struct Netfilter(pub(crate) Option<Box<Inner>>);

/// What there is once something was configured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inner {
    pub(crate) tables: BTreeMap<TableName, Table>,
    pub(crate) conntrack: Conntrack,
    pub(crate) random: Option<Random>,
    /// What runs at each hook, in order. Kernel: `struct nf_hook_entries`.
    pub(crate) hooks: [Vec<Owner>; 5],
    /// A rule needs connections. Kernel: `nf_ct_netns_get`.
    pub(crate) tracks: bool,
}

/// What is registered at a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Connection tracking looks the packet up.
    Conntrack,
    /// A chain of a table other than nat.
    Table(TableName, ChainId),
    /// Address translation, asking a chain of table nat first.
    Nat(Option<ChainId>),
    /// Connection tracking enters new connections.
    Confirm,
}

/// Kernel: `NF_IP_PRI_CONNTRACK`.
const PRIORITY_CONNTRACK: i32 = -200;
/// Kernel: `NF_IP_PRI_CONNTRACK_CONFIRM`.
const PRIORITY_CONFIRM: i32 = i32::MAX;

const HOOKS: [HookName; 5] =
    [HookName::Prerouting, HookName::Input, HookName::Forward, HookName::Output, HookName::Postrouting];

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
    pub fn table(&self, name: TableName) -> Option<&Table> {
        self.0.as_ref()?.tables.get(&name)
    }

    /// The connections, if there ever were any.
    pub fn conntrack(&self) -> Option<&Conntrack> {
        self.0.as_ref().map(|inner| &inner.conntrack)
    }

    /// Makes a change.
    ///
    /// # Errors
    /// The kernel's refusal; nothing has changed then.
    pub fn change(&mut self, change: &Change) -> Result<(), Refused> {
        let inner = self.0.get_or_insert_default();
        let table = inner.tables.entry(change.table).or_insert_with(|| Table::new(change.table));
        table.apply(&change.what)?;
        inner.register();
        Ok(())
    }

    /// Makes the changes of one table, all or none.
    ///
    /// # Errors
    /// The index of the refused change and the kernel's refusal; nothing has changed then.
    pub fn restore(&mut self, restore: &Restore) -> Result<(), (usize, Refused)> {
        let inner = self.0.get_or_insert_default();
        let mut table = match inner.tables.get(&restore.table) {
            Some(table) if !restore.flush => table.clone(),
            _ => Table::new(restore.table),
        };
        for (at, what) in restore.changes.iter().enumerate() {
            let result = match what {
                // Naming a chain that exists empties it.
                What::NewChain { chain } if table.chain(chain).is_some() => {
                    table.apply(&What::Flush { chain: Some(chain.clone()) })
                }
                _ => table.apply(what),
            };
            result.map_err(|refused| (at, refused))?;
        }
        inner.tables.insert(restore.table, table);
        inner.register();
        Ok(())
    }

    /// Enters the packet's connection into the table if it isn't there; false if its place was
    /// taken meanwhile. Kernel: `nf_ct_hook->confirm`.
    pub fn confirm(&mut self, skb: &Skb, now: SimTime) -> bool {
        self.0.as_mut().is_none_or(|inner| inner.conntrack.confirm(skb, now))
    }

    /// Changes the table of connections.
    pub fn change_conntrack(&mut self, change: &ConntrackChange, now: SimTime) {
        let Some(inner) = &mut self.0 else { return };
        match change {
            ConntrackChange::Flush => inner.conntrack.flush(),
            ConntrackChange::Delete(filter) => {
                let ids: Vec<_> = inner
                    .conntrack
                    .iter(now)
                    .filter(|conn| filter.matches(conn))
                    .map(|conn| conn.id)
                    .collect();
                for id in ids {
                    inner.conntrack.remove(id);
                }
            }
        }
    }

    /// Forgets connections that MASQUERADE gave an address of `dev`, which went down or lost its
    /// address. Kernel: `masq_device_event`, `masq_inet_event`.
    pub fn device_down(&mut self, dev: DevId, now: SimTime) {
        let Some(inner) = &mut self.0 else { return };
        let ids: Vec<_> = inner
            .conntrack
            .iter(now)
            .filter(|conn| conn.nat.masquerade_dev == Some(dev))
            .map(|conn| conn.id)
            .collect();
        for id in ids {
            inner.conntrack.remove(id);
        }
    }
}

impl Inner {
    /// Registers what the tables need at each hook. Kernel: `nf_register_net_hook`.
    fn register(&mut self) {
        self.tracks = self.tables.values().any(Table::needs_conntrack);
        for hook in HOOKS {
            let mut entries: Vec<(i32, Owner)> = Vec::new();
            for (name, table) in &self.tables {
                if *name == TableName::Nat {
                    continue;
                }
                if let Some(id) = base_of(table, hook) {
                    entries.push((name.priority(hook), Owner::Table(*name, id)));
                }
            }
            // The first built-in chain of table nat registers translation at all four hooks.
            if let Some(nat) = self.tables.get(&TableName::Nat)
                && nat.chains().any(|(_, chain)| chain.base.is_some())
                && hook != HookName::Forward
            {
                entries.push((TableName::Nat.priority(hook), Owner::Nat(base_of(nat, hook))));
            }
            if self.tracks {
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
            self.hooks[hook as usize] = entries.into_iter().map(|(_, owner)| owner).collect();
        }
    }
}

/// The built-in chain of a table at a hook, once it was used.
fn base_of(table: &Table, hook: HookName) -> Option<ChainId> {
    table.chains().find(|(_, chain)| chain.base.is_some_and(|base| base.hook == hook)).map(|(id, _)| id)
}
