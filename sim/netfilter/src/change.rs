use std::fmt;
use std::sync::Arc;

use trace::HookName;

use crate::table::{Base, ChainId};
use crate::{Chain, Counters, Installed, Memory, Policy, Rule, Table, TableName, Then};

/// A change of a ruleset; prints as the command for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The table.
    pub table: TableName,
    /// What changes.
    pub what: What,
}

/// What changes in a table. Rule numbers count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// `-A`.
    Append {
        /// The chain.
        chain: String,
        /// The rule.
        rule: Box<Rule>,
        /// `-c`.
        counters: Counters,
    },
    /// `-I`.
    Insert {
        /// The chain.
        chain: String,
        /// The new rule's number.
        number: usize,
        /// The rule.
        rule: Box<Rule>,
        /// `-c`.
        counters: Counters,
    },
    /// `-R`.
    Replace {
        /// The chain.
        chain: String,
        /// Which.
        number: usize,
        /// The rule.
        rule: Box<Rule>,
        /// `-c`.
        counters: Counters,
    },
    /// `-D` by specification: the first that equals it.
    Delete {
        /// The chain.
        chain: String,
        /// The rule.
        rule: Box<Rule>,
    },
    /// `-D` by number.
    DeleteNumber {
        /// The chain.
        chain: String,
        /// Which.
        number: usize,
    },
    /// `-F`: the rules of a chain, or of all.
    Flush {
        /// The chain.
        chain: Option<String>,
    },
    /// `-Z`: the counters of a rule, a chain, or all.
    Zero {
        /// The chain.
        chain: Option<String>,
        /// The rule.
        number: Option<usize>,
    },
    /// `-N`.
    NewChain {
        /// Its name.
        chain: String,
    },
    /// `-X`: a user chain, or all.
    DeleteChain {
        /// Its name.
        chain: Option<String>,
    },
    /// `-E`.
    Rename {
        /// The old name.
        chain: String,
        /// The new one.
        to: String,
    },
    /// `-P`.
    Policy {
        /// A built-in chain.
        chain: String,
        /// The policy.
        policy: Policy,
        /// Counters to begin with.
        counters: Counters,
    },
}

/// Changes of one table, all or none, as `iptables-restore` makes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restore {
    /// The table.
    pub table: TableName,
    /// Empty the table first; not with `--noflush`.
    pub flush: bool,
    /// In order.
    pub changes: Vec<What>,
}

/// Why the kernel refuses a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// EINVAL: a match or target isn't allowed there.
    #[error("Invalid argument")]
    Invalid,
    /// ENOENT: no such chain or rule.
    #[error("No such file or directory")]
    NotFound,
    /// EEXIST: there is such a chain.
    #[error("File exists")]
    Exists,
    /// EBUSY: the chain is used.
    #[error("Device or resource busy")]
    Busy,
    /// EMLINK: chains would call each other in a circle.
    #[error("Too many links")]
    Loop,
}

/// Where a rule is going to stand, for what checks it.
#[derive(Clone, Copy, Debug)]
pub struct RuleSite<'a> {
    /// The table.
    pub table: TableName,
    /// The hooks from which a packet can come to it.
    pub hooks: &'a [HookName],
    /// It stands in a built-in chain: what the kernel looks at only when a rule is made
    /// (`checkentry`) knows no hooks in other chains.
    pub in_built_in: bool,
    /// The rule.
    pub rule: &'a Rule,
}

impl Table {
    /// Makes a change.
    ///
    /// # Errors
    /// The kernel's refusal; the table is as before then.
    pub fn apply(&mut self, what: &What) -> Result<(), Refused> {
        match what {
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
                self.name.hook(chain).map(|_| ()).ok_or(Refused::NotFound)
            }
            What::Flush { chain: None } => {
                for id in 0..self.chains.len() {
                    self.empty(id);
                }
                Ok(())
            }
            What::Zero { chain, number } => self.zero(chain.as_deref(), *number),
            What::NewChain { chain } => {
                if self.by_name.contains_key(chain) || self.name.hook(chain).is_some() {
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
                let ids: Vec<ChainId> =
                    self.chains().filter(|(_, chain)| chain.base.is_none()).map(|(id, _)| id).collect();
                self.delete_chains(&ids)
            }
            What::Rename { chain, to } => self.rename(chain, to),
            What::Policy { chain, policy, counters } => {
                let id = self.chain_for_rule(chain)?;
                match self.get_mut(id).and_then(|chain| chain.base.as_mut()) {
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

    /// The chain; a built-in one is made at its first use.
    fn chain_for_rule(&mut self, name: &str) -> Result<ChainId, Refused> {
        if let Some(id) = self.by_name.get(name) {
            return Ok(*id);
        }
        let hook = self.name.hook(name).ok_or(Refused::NotFound)?;
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

    fn add_chain(&mut self, name: &str, base: Option<Base>) -> ChainId {
        self.next_handle();
        let id = self.chains.len();
        self.chains.push(Some(Chain { name: name.to_owned(), base, ..Chain::default() }));
        self.by_name.insert(name.to_owned(), id);
        id
    }

    /// Puts a checked rule at a place. Kernel: `nf_tables_newrule`.
    fn put(&mut self, id: ChainId, at: usize, rule: &Rule, counters: Counters) -> Result<(), Refused> {
        let to = match rule.chain() {
            Some(name) => {
                let to = self.existing(name)?;
                if self.get(to).is_some_and(|chain| chain.base.is_some()) {
                    return Err(Refused::Invalid);
                }
                if to == id || self.reaches(to, id) {
                    return Err(Refused::Loop);
                }
                Some(to)
            }
            None => None,
        };
        let hooks = self.hooks_reaching(id);
        self.check(id, &hooks, rule)?;
        if let Some(to) = to {
            self.check_below(to, &hooks)?;
        }
        let handle = self.next_handle();
        if let Some(chain) = self.get_mut(id) {
            let memory = vec![Memory::default(); rule.matches.len()];
            Arc::make_mut(&mut chain.rules)
                .insert(at, Installed { rule: Arc::new(rule.clone()), to, handle });
            chain.counters.insert(at, counters);
            chain.memory.insert(at, memory);
            if let Some(to) = to {
                *chain.jumps.entry(to).or_default() += 1;
            }
        }
        Ok(())
    }

    /// Removes a rule.
    fn take(&mut self, id: ChainId, at: usize) {
        let Some(chain) = self.get_mut(id) else { return };
        let removed = Arc::make_mut(&mut chain.rules).remove(at);
        chain.counters.remove(at);
        chain.memory.remove(at);
        if let Some(to) = removed.to
            && let Some(count) = chain.jumps.get_mut(&to)
        {
            *count -= 1;
            if *count == 0 {
                chain.jumps.remove(&to);
            }
        }
    }

    fn empty(&mut self, id: ChainId) {
        if let Some(chain) = self.get_mut(id) {
            chain.rules = Arc::default();
            chain.counters.clear();
            chain.memory.clear();
            chain.jumps.clear();
        }
    }

    fn zero(&mut self, name: Option<&str>, number: Option<usize>) -> Result<(), Refused> {
        if let (Some(name), Some(number)) = (name, number) {
            let id = self.existing(name)?;
            let at = self.index(id, number)?;
            if let Some(counters) = self.get_mut(id).and_then(|chain| chain.counters.get_mut(at)) {
                *counters = Counters::default();
            }
            return Ok(());
        }
        if let Some(name) = name
            && !self.by_name.contains_key(name)
        {
            return self.name.hook(name).map(|_| ()).ok_or(Refused::NotFound);
        }
        for chain in
            self.chains.iter_mut().flatten().filter(|chain| name.is_none_or(|name| name == chain.name))
        {
            chain.counters.fill(Counters::default());
            if let Some(base) = &mut chain.base {
                base.counters = Some(Counters::default());
            }
        }
        Ok(())
    }

    fn delete_chains(&mut self, ids: &[ChainId]) -> Result<(), Refused> {
        for id in ids {
            let Some(chain) = self.get(*id) else { continue };
            if chain.base.is_some() || !chain.rules.is_empty() || self.references(&chain.name) > 0 {
                return Err(Refused::Busy);
            }
        }
        for id in ids {
            if let Some(chain) = self.chains.get_mut(*id).and_then(Option::take) {
                self.by_name.remove(&chain.name);
            }
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
        for chain in self.chains.iter_mut().flatten() {
            if chain.name == from {
                chain.name = to.to_owned();
            }
            if chain.jumps.contains_key(&id) {
                for installed in Arc::make_mut(&mut chain.rules) {
                    if installed.to == Some(id)
                        && let Then::Chain { name, .. } = &mut Arc::make_mut(&mut installed.rule).then
                    {
                        *name = to.to_owned();
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a packet in chain `from` can come to chain `to`.
    fn reaches(&self, from: ChainId, to: ChainId) -> bool {
        let mut seen = vec![from];
        let mut at = 0;
        while let Some(id) = seen.get(at).copied() {
            at += 1;
            for next in self.get(id).into_iter().flat_map(|chain| chain.jumps.keys()) {
                if *next == to {
                    return true;
                }
                if !seen.contains(next) {
                    seen.push(*next);
                }
            }
        }
        false
    }

    /// The hooks from which a packet can come to a chain.
    fn hooks_reaching(&self, id: ChainId) -> Vec<HookName> {
        self.chains()
            .filter_map(|(base, chain)| Some((base, chain.base?.hook)))
            .filter(|(base, _)| *base == id || self.reaches(*base, id))
            .map(|(_, hook)| hook)
            .collect()
    }

    fn check(&self, id: ChainId, hooks: &[HookName], rule: &Rule) -> Result<(), Refused> {
        let in_built_in = self.get(id).is_some_and(|chain| chain.base.is_some());
        let site = RuleSite { table: self.name, hooks, in_built_in, rule };
        for m in &rule.matches {
            m.check(&site)?;
        }
        match &rule.then {
            Then::Target(target) => target.check(&site),
            Then::Nothing | Then::Chain { .. } => Ok(()),
        }
    }

    /// Checks the rules of a chain and of those it leads to, now that packets of `hooks` come.
    /// Kernel: `nft_chain_validate`.
    fn check_below(&self, id: ChainId, hooks: &[HookName]) -> Result<(), Refused> {
        if hooks.is_empty() {
            return Ok(());
        }
        let Some(chain) = self.get(id) else { return Ok(()) };
        for installed in chain.rules.iter() {
            self.check(id, hooks, &installed.rule)?;
        }
        chain.jumps.keys().try_for_each(|next| self.check_below(*next, hooks))
    }
}

/// The options of the `iptables` command after `-t TABLE`.
impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = |f: &mut fmt::Formatter<'_>, counters: &Counters| match *counters {
            Counters { packets: 0, bytes: 0 } => Ok(()),
            Counters { packets, bytes } => write!(f, " -c {packets} {bytes}"),
        };
        match self {
            Self::Append { chain, rule, counters } => {
                write!(f, "-A {chain}{rule}")?;
                counted(f, counters)
            }
            Self::Insert { chain, number, rule, counters } => {
                write!(f, "-I {chain}")?;
                if *number != 1 {
                    write!(f, " {number}")?;
                }
                write!(f, "{rule}")?;
                counted(f, counters)
            }
            Self::Replace { chain, number, rule, counters } => {
                write!(f, "-R {chain} {number}{rule}")?;
                counted(f, counters)
            }
            Self::Delete { chain, rule } => write!(f, "-D {chain}{rule}"),
            Self::DeleteNumber { chain, number } => write!(f, "-D {chain} {number}"),
            Self::Flush { chain } => write!(f, "-F{}", named(chain)),
            Self::Zero { chain, number } => {
                write!(f, "-Z{}", named(chain))?;
                number.map_or(Ok(()), |number| write!(f, " {number}"))
            }
            Self::NewChain { chain } => write!(f, "-N {chain}"),
            Self::DeleteChain { chain } => write!(f, "-X{}", named(chain)),
            Self::Rename { chain, to } => write!(f, "-E {chain} {to}"),
            Self::Policy { chain, policy, counters } => {
                write!(f, "-P {chain} {}", policy.as_str())?;
                counted(f, counters)
            }
        }
    }
}

fn named(chain: &Option<String>) -> String {
    chain.as_ref().map_or(String::new(), |chain| format!(" {chain}"))
}

/// The `iptables` command.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("iptables ")?;
        if self.table != TableName::Filter {
            write!(f, "-t {} ", self.table)?;
        }
        self.what.fmt(f)
    }
}

/// `iptables-restore` with its input.
impl fmt::Display for Restore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "iptables-restore{} <<EOF\n*{}", if self.flush { "" } else { " --noflush" }, self.table)?;
        for what in &self.changes {
            match what {
                What::Policy { chain, policy, counters } => {
                    writeln!(f, ":{chain} {} {counters}", policy.as_str())?
                }
                What::NewChain { chain } => writeln!(f, ":{chain} - [0:0]")?,
                What::Append { chain, rule, counters } if *counters != Counters::default() => {
                    writeln!(f, "{counters} -A {chain}{rule}")?;
                }
                other => writeln!(f, "{other}")?,
            }
        }
        f.write_str("COMMIT\nEOF")
    }
}
