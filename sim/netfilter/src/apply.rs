use std::sync::Arc;

use crate::table::{Base, ChainId, Reach};
use crate::{Chain, Counters, Installed, Match, Memory, Policy, Refused, Rule, Table, Then, What};

impl Table {
    /// Makes a change.
    ///
    /// # Errors
    /// The kernel's refusal. Between [`begin`](Self::begin) and its end the table may have changed
    /// nevertheless.
    pub fn apply(&mut self, what: &What) -> Result<(), Refused> {
        match what {
            What::Load => Ok(()),
            What::Append { chain, rule, counters } => {
                let id = self.chain_for_rule(chain)?;
                let at = self.get(id).map_or(0, |chain| chain.rules.len());
                self.put(id, at, rule, *counters)
            }
            What::Insert { chain, number, rule, counters } => {
                let id = self.chain_for_rule(chain)?;
                let len = self.get(id).map_or(0, |chain| chain.rules.len());
                match number.checked_sub(1) {
                    Some(at) if at <= len => self.put(id, at, rule, *counters),
                    _ => Err(Refused::NotFound),
                }
            }
            What::Replace { chain, number, rule, counters } => {
                let id = self.chain_for_rule(chain)?;
                let at = self.index(id, *number)?;
                self.put(id, at, rule, *counters)?;
                self.take(id, at + 1);
                Ok(())
            }
            What::Delete { chain, rule } => {
                let id = self.existing(chain)?;
                let number = self.get(id).and_then(|chain| chain.position(rule)).ok_or(Refused::NotFound)?;
                self.take(id, number - 1);
                Ok(())
            }
            What::DeleteNumber { chain, number } => {
                let id = self.existing(chain)?;
                let at = self.index(id, *number)?;
                self.take(id, at);
                Ok(())
            }
            What::Flush { chain: Some(chain) } => {
                if let Some(id) = self.by_name.get(chain).copied() {
                    self.empty(id);
                    return Ok(());
                }
                // A built-in chain that doesn't exist yet is empty.
                self.id.name.hook(chain).map(|_| ()).ok_or(Refused::NotFound)
            }
            What::Flush { chain: None } => {
                for id in 0..self.chains.len() {
                    self.empty(id);
                }
                Ok(())
            }
            What::Zero { chain, number } => self.zero(chain.as_deref(), *number),
            What::NewChain { chain } => {
                if self.by_name.contains_key(chain) || self.id.name.hook(chain).is_some() {
                    return Err(Refused::Exists);
                }
                self.add_chain(chain, None);
                Ok(())
            }
            What::DeleteChain { chain: Some(chain) } => {
                let id = self.existing(chain)?;
                self.delete_chains(&[id])
            }
            What::DeleteChain { chain: None } => {
                let chains = self.chains.iter().enumerate();
                let user = |chain: &Option<Chain>| chain.as_ref().is_some_and(|chain| chain.base.is_none());
                let ids: Vec<ChainId> = chains.filter(|(_, chain)| user(chain)).map(|(id, _)| id).collect();
                self.delete_chains(&ids)
            }
            What::Rename { chain, to } => self.rename(chain, to),
            What::Policy { chain, policy, counters } => {
                let id = self.chain_for_rule(chain)?;
                match self.edit(id).and_then(|chain| chain.base.as_mut()) {
                    Some(base) => {
                        base.policy = *policy;
                        base.counters = Some(*counters);
                        Ok(())
                    }
                    None => Err(Refused::Invalid),
                }
            }
        }
    }

    /// Makes a change of a restore, where naming a chain that exists empties it.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn apply_restored(&mut self, what: &What) -> Result<(), Refused> {
        match what {
            What::NewChain { chain } if self.by_name.contains_key(chain) => {
                self.apply(&What::Flush { chain: Some(chain.clone()) })
            }
            _ => self.apply(what),
        }
    }

    /// The chain; a built-in one is made at its first use.
    fn chain_for_rule(&mut self, name: &str) -> Result<ChainId, Refused> {
        if let Some(id) = self.by_name.get(name) {
            return Ok(*id);
        }
        let hook = self.id.name.hook(name).ok_or(Refused::NotFound)?;
        Ok(self.add_chain(name, Some(Base { hook, policy: Policy::Accept, counters: None })))
    }

    fn existing(&self, name: &str) -> Result<ChainId, Refused> {
        self.by_name.get(name).copied().ok_or(Refused::NotFound)
    }

    fn index(&self, id: ChainId, number: usize) -> Result<usize, Refused> {
        let len = self.get(id).map_or(0, |chain| chain.rules.len());
        number.checked_sub(1).filter(|at| *at < len).ok_or(Refused::NotFound)
    }

    fn next_handle(&mut self) -> u64 {
        self.last_handle += 1;
        self.last_handle
    }

    pub(crate) fn add_chain(&mut self, name: &str, base: Option<Base>) -> ChainId {
        self.next_handle();
        let id = self.chains.len();
        let mut reach = Reach::default();
        if let Some(base) = base {
            reach.ways[base.hook as usize] = 1;
        }
        self.chains.push(Some(Chain { name: name.to_owned(), base, reach, ..Chain::default() }));
        self.by_name.insert(name.to_owned(), id);
        id
    }

    /// Puts a rule at a place, if it may stand there. Kernel: `nf_tables_newrule`, `translate_table`.
    fn put(&mut self, id: ChainId, at: usize, rule: &Arc<Rule>, counters: Counters) -> Result<(), Refused> {
        let to = match rule.chain() {
            Some(name) => {
                let to = self.existing(name)?;
                if self.get(to).is_some_and(|chain| chain.base.is_some()) {
                    return Err(Refused::Unsupported);
                }
                Some(to)
            }
            None => None,
        };
        let hooks = self.get(id).map_or_else(Vec::new, |chain| chain.reach.hooks());
        self.check(id, &hooks, rule)?;
        if let Some(to) = to {
            self.check_depth(id, to)?;
            self.check_below(id, to)?;
        }
        let handle = self.next_handle();
        let Some(chain) = self.edit(id) else { return Ok(()) };
        let remembering = if rule.matches.iter().any(Match::remembers) { rule.matches.len() } else { 0 };
        let memory = vec![Memory::default(); remembering];
        Arc::make_mut(&mut chain.rules).insert(at, Installed { rule: Arc::clone(rule), to, handle });
        chain.counters.insert(at, counters);
        chain.memory.insert(at, memory);
        chain.index = None;
        let from = chain.reach;
        if let Some(to) = to {
            *chain.jumps.entry(to).or_default() += 1;
            if let Some(called) = self.edit(to) {
                called.references += 1;
            }
            self.connect(from, to, 1);
        }
        self.tracking_rules += usize::from(rule.needs_conntrack());
        self.hold(rule);
        Ok(())
    }

    /// Removes a rule.
    fn take(&mut self, id: ChainId, at: usize) {
        let Some(chain) = self.edit(id).filter(|chain| at < chain.rules.len()) else { return };
        let removed = Arc::make_mut(&mut chain.rules).remove(at);
        chain.counters.remove(at);
        chain.memory.remove(at);
        chain.index = None;
        let from = chain.reach;
        self.tracking_rules -= usize::from(removed.rule.needs_conntrack());
        self.release(&removed.rule);
        if let Some(to) = removed.to {
            self.forget_jumps(id, to, 1);
            self.disconnect(from, to, 1);
        }
    }

    fn empty(&mut self, id: ChainId) {
        if self.get(id).is_none_or(|chain| chain.rules.is_empty()) {
            return;
        }
        let Some(chain) = self.edit(id) else { return };
        let rules = std::mem::take(&mut chain.rules);
        chain.counters.clear();
        chain.memory.clear();
        chain.index = None;
        let (jumps, from) = (chain.jumps.clone(), chain.reach);
        for (to, count) in jumps {
            self.forget_jumps(id, to, count);
            self.disconnect(from, to, count);
        }
        if !self.held.is_empty() {
            rules.iter().for_each(|installed| self.release(&installed.rule));
        }
        self.tracking_rules -= rules.iter().filter(|installed| installed.rule.needs_conntrack()).count();
    }

    fn forget_jumps(&mut self, id: ChainId, to: ChainId, count: u32) {
        if let Some(chain) = self.edit(id)
            && let Some(left) = chain.jumps.get_mut(&to)
        {
            *left -= count;
            if *left == 0 {
                chain.jumps.remove(&to);
            }
        }
        if let Some(called) = self.edit(to) {
            called.references -= count;
        }
    }

    fn zero(&mut self, name: Option<&str>, number: Option<usize>) -> Result<(), Refused> {
        if let (Some(name), Some(number)) = (name, number) {
            let id = self.existing(name)?;
            let at = self.index(id, number)?;
            if let Some(counters) = self.edit(id).and_then(|chain| chain.counters.get_mut(at)) {
                *counters = Counters::default();
            }
            return Ok(());
        }
        let ids: Vec<ChainId> = match name {
            Some(name) => match self.by_name.get(name) {
                Some(id) => vec![*id],
                None => return self.id.name.hook(name).map(|_| ()).ok_or(Refused::NotFound),
            },
            None => (0..self.chains.len()).collect(),
        };
        for id in ids {
            if let Some(chain) = self.edit(id) {
                chain.counters.fill(Counters::default());
                if let Some(base) = &mut chain.base {
                    base.counters = Some(Counters::default());
                }
            }
        }
        Ok(())
    }

    fn delete_chains(&mut self, ids: &[ChainId]) -> Result<(), Refused> {
        let busy = |chain: &Chain| chain.base.is_some() || !chain.rules.is_empty() || chain.references > 0;
        if ids.iter().any(|id| self.get(*id).is_some_and(busy)) {
            return Err(Refused::Busy);
        }
        for id in ids {
            self.remove_chain(*id);
        }
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), Refused> {
        if self.by_name.contains_key(to) {
            return Err(Refused::Exists);
        }
        let id = self.existing(from)?;
        self.by_name.remove(from);
        self.by_name.insert(to.to_owned(), id);
        if let Some(chain) = self.edit(id) {
            chain.name = to.to_owned();
        }
        let callers: Vec<ChainId> = (0..self.chains.len())
            .filter(|at| self.get(*at).is_some_and(|chain| chain.jumps.contains_key(&id)))
            .collect();
        for caller in callers {
            let Some(chain) = self.edit(caller) else { continue };
            for installed in Arc::make_mut(&mut chain.rules).iter_mut().filter(|rule| rule.to == Some(id)) {
                if let Then::Chain { name, .. } = &mut Arc::make_mut(&mut installed.rule).then {
                    *name = to.to_owned();
                }
            }
        }
        Ok(())
    }
}
