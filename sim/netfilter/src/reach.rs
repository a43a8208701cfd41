//! Which chains packets can come to, kept up to date rule by rule: a rule is checked for the hooks
//! whose packets it sees, and a large table is never walked for a small change.

use std::collections::BTreeMap;

use trace::HookName;

use crate::table::{ChainId, Reach};
use crate::{Backend, Refused, Rule, RuleSite, Table, Then};

/// Kernel: `NFT_JUMP_STACK_SIZE` in `include/net/netfilter/nf_tables.h`, less the built-in chain.
const NFT_MAX_JUMPS: usize = 15;

impl Reach {
    /// Whether any packet comes.
    pub(crate) fn is_reached(&self) -> bool {
        self.ways.iter().any(|ways| *ways > 0)
    }

    /// The hooks whose packets come.
    pub(crate) fn hooks(&self) -> Vec<HookName> {
        HookName::ALL.into_iter().filter(|hook| self.ways[*hook as usize] > 0).collect()
    }
}

impl Table {
    /// Whether packets could jump too often once a rule leads from a chain to another.
    /// Kernel: `nft_chain_validate`, which begins at built-in chains only; `mark_source_chains`.
    pub(crate) fn check_depth(&mut self, from: ChainId, to: ChainId) -> Result<(), Refused> {
        if self.get(from).is_none_or(|chain| !chain.reach.is_reached()) {
            return Ok(());
        }
        let (max, refused) = match self.id.backend {
            Backend::Nft => (NFT_MAX_JUMPS, Refused::TooDeep),
            // A way that is longer than there are chains comes by one of them twice.
            Backend::Legacy => (self.chains.len(), Refused::Loop),
        };
        if self.fits_below(from, to, max) {
            return Ok(());
        }
        // Depths are only bounds once a chain lost a caller.
        self.measure_depths();
        if self.fits_below(from, to, max) { Ok(()) } else { Err(refused) }
    }

    /// Whether no way from a built-in chain by `from` to `to` and below is longer than `max` jumps.
    fn fits_below(&self, from: ChainId, to: ChainId, max: usize) -> bool {
        let depth_of = |id| self.get(id).map_or(0, |chain| chain.reach.depth);
        let mut depths: BTreeMap<ChainId, usize> = BTreeMap::new();
        let mut pending = vec![(to, depth_of(from) + 1)];
        while let Some((id, depth)) = pending.pop() {
            // The way back to `from` goes round and round.
            if depth > max || id == from {
                return false;
            }
            if depth <= depths.get(&id).copied().unwrap_or_else(|| depth_of(id)) {
                continue;
            }
            depths.insert(id, depth);
            let jumps = self.get(id).into_iter().flat_map(|chain| chain.jumps.keys());
            pending.extend(jumps.map(|to| (*to, depth + 1)));
        }
        true
    }

    /// Computes the depths of all chains that packets come to.
    fn measure_depths(&mut self) {
        let mut pending = Vec::new();
        for id in 0..self.chains.len() {
            let Some(chain) = self.edit(id) else { continue };
            chain.reach.depth = 0;
            if chain.base.is_some() {
                pending.push((id, 0));
            }
        }
        while let Some((id, depth)) = pending.pop() {
            let Some(chain) = self.edit(id).filter(|chain| depth == 0 || chain.reach.depth < depth) else {
                continue;
            };
            chain.reach.depth = depth;
            pending.extend(chain.jumps.keys().map(|to| (*to, depth + 1)));
        }
    }

    /// Packets of the hooks that come to `from` now come to `to` by `count` more rules.
    pub(crate) fn connect(&mut self, from: Reach, to: ChainId, count: u32) {
        if !from.is_reached() {
            return;
        }
        let mut pending = vec![(to, from.hooks(), count, from.depth + 1)];
        while let Some((id, hooks, count, depth)) = pending.pop() {
            let Some(chain) = self.edit(id) else { continue };
            let reach = &mut chain.reach;
            let mut fresh = Vec::new();
            for hook in hooks {
                let ways = &mut reach.ways[hook as usize];
                if *ways == 0 {
                    fresh.push(hook);
                }
                *ways += count;
            }
            let deeper = depth > reach.depth;
            reach.depth = reach.depth.max(depth);
            if deeper || !fresh.is_empty() {
                let depth = reach.depth + 1;
                pending.extend(chain.jumps.iter().map(|(to, count)| (*to, fresh.clone(), *count, depth)));
            }
        }
    }

    /// Undoes [`connect`](Self::connect).
    pub(crate) fn disconnect(&mut self, from: Reach, to: ChainId, count: u32) {
        let mut pending = vec![(to, from.hooks(), count)];
        while let Some((id, hooks, count)) = pending.pop() {
            let Some(chain) = self.edit(id).filter(|_| !hooks.is_empty()) else { continue };
            let reach = &mut chain.reach;
            let mut lost = Vec::new();
            for hook in hooks {
                let ways = &mut reach.ways[hook as usize];
                *ways -= count;
                if *ways == 0 {
                    lost.push(hook);
                }
            }
            if !reach.is_reached() {
                reach.depth = 0;
            }
            if !lost.is_empty() {
                pending.extend(chain.jumps.iter().map(|(to, count)| (*to, lost.clone(), *count)));
            }
        }
    }

    /// Whether a rule may stand where packets of these hooks come.
    pub(crate) fn check(&self, id: ChainId, hooks: &[HookName], rule: &Rule) -> Result<(), Refused> {
        let is_built_in = self.get(id).is_some_and(|chain| chain.base.is_some());
        let in_built_in = is_built_in || self.id.backend == Backend::Legacy;
        let site = RuleSite { table: self.id.name, hooks, in_built_in, rule };
        for m in &rule.matches {
            m.check(&site)?;
        }
        match &rule.then {
            Then::Target(target) => target.check(&site),
            Then::Nothing | Then::Chain { .. } => Ok(()),
        }
    }

    /// Checks the rules of a chain and of those it leads to, where packets come for the first time
    /// once a rule leads there from `from`. Kernel: `nft_chain_validate`.
    pub(crate) fn check_below(&self, from: ChainId, to: ChainId) -> Result<(), Refused> {
        let hooks = self.get(from).map_or_else(Vec::new, |chain| chain.reach.hooks());
        let mut seen = Vec::new();
        let mut pending = vec![to];
        while let Some(id) = pending.pop() {
            let Some(chain) = self.get(id).filter(|_| !seen.contains(&id)) else { continue };
            seen.push(id);
            let reached = chain.reach.hooks();
            let fresh: Vec<HookName> = hooks.iter().copied().filter(|hook| !reached.contains(hook)).collect();
            if fresh.is_empty() {
                continue;
            }
            for installed in chain.rules.iter() {
                self.check(id, &fresh, &installed.rule)?;
            }
            pending.extend(chain.jumps.keys());
        }
        Ok(())
    }
}
