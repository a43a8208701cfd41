use std::collections::BTreeMap;

use crate::table::ChainId;
use crate::{Chain, Held, Table};

/// A table's chains as they were before changes that hold together: only those that change, so
/// that a small restore of a large table costs little.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal {
    /// Chains that changed or went.
    before: BTreeMap<ChainId, Option<Chain>>,
    /// Number of places for chains.
    len: usize,
    last_handle: u64,
    tracking_rules: usize,
    held: BTreeMap<Held, u32>,
    fresh: usize,
}

impl Table {
    /// Begins changes that are made together or not at all.
    pub(crate) fn begin(&mut self) {
        self.journal = Some(Box::new(Journal {
            before: BTreeMap::new(),
            len: self.chains.len(),
            last_handle: self.last_handle,
            tracking_rules: self.tracking_rules,
            held: self.held.clone(),
            fresh: self.fresh.len(),
        }));
    }

    /// Ends them; they stay.
    pub(crate) fn commit(&mut self) {
        self.journal = None;
    }

    /// Ends them; the table is as it was.
    pub(crate) fn abort(&mut self) {
        let Some(journal) = self.journal.take() else { return };
        let Journal { before, len, last_handle, tracking_rules, held, fresh } = *journal;
        self.chains.truncate(len);
        for (id, chain) in before {
            if let Some(place) = self.chains.get_mut(id) {
                *place = chain;
            }
        }
        let named = self.chains.iter().enumerate();
        self.by_name = named.filter_map(|(id, chain)| Some((chain.as_ref()?.name.clone(), id))).collect();
        (self.last_handle, self.tracking_rules, self.held) = (last_handle, tracking_rules, held);
        self.fresh.truncate(fresh);
    }

    /// The chain of that id, for a change of the ruleset.
    pub(crate) fn edit(&mut self, id: ChainId) -> Option<&mut Chain> {
        let chain = self.chains.get_mut(id)?;
        if let Some(journal) = &mut self.journal
            && id < journal.len
        {
            journal.before.entry(id).or_insert_with(|| chain.clone());
        }
        chain.as_mut()
    }

    /// Takes a chain out of the table.
    pub(crate) fn remove_chain(&mut self, id: ChainId) {
        self.edit(id);
        if let Some(chain) = self.chains.get_mut(id).and_then(Option::take) {
            self.by_name.remove(&chain.name);
        }
    }
}
