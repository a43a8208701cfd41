use std::sync::Arc;

use kernel::request::Request;
use netfilter::{Backend, Chain, Counters, Restore, Table, TableId, TableName, What};
use packet::NetnsId;

use super::draft::Draft;
use super::makers::Makers;

impl Draft<'_> {
    /// The rules of iptables with counters at zero, a table at a time.
    pub fn tables(&mut self) {
        self.part("Rules");
        for netns in self.spaces.iter().map(|space| space.target).collect::<Vec<_>>() {
            self.tables_of(netns);
        }
    }

    /// The rules in one namespace.
    pub fn tables_of(&mut self, target: NetnsId) {
        if let Some(space) = self.space_of(target)
            && let Some(netns) = self.target().get_ns(target)
        {
            // The newest of the older engine's tables is listed first.
            let mut legacy = netns.netfilter.legacy_tables();
            legacy.reverse();
            let nft = TableName::ALL.into_iter().map(|name| TableId { backend: Backend::Nft, name });
            let legacy = legacy.into_iter().map(|name| TableId { backend: Backend::Legacy, name });
            for id in nft.chain(legacy) {
                let Some(table) = netns.netfilter.table(id) else { continue };
                let (restore, by) = contents(table, target, &self.makers);
                match self.try_out(space, Request::RulesetRestore(Arc::new(restore.clone()))) {
                    Ok(()) => {
                        let (text, by) = text(&restore, &by);
                        self.write(space, &text, by);
                    }
                    Err(why) => {
                        self.remark(format!("refused ({why}): iptables-restore of table {}", id.name))
                    }
                }
            }
        }
    }
}

/// What makes a table, and who made each of it.
fn contents(table: &Table, netns: NetnsId, makers: &Makers<'_>) -> (Restore, Vec<String>) {
    let id = table.id;
    let mut changes = Vec::new();
    let mut by = Vec::new();
    let built_in: Vec<&Chain> =
        id.name.hooks().iter().filter_map(|hook| table.chain(hook.as_str())).collect();
    for chain in &built_in {
        let Some(base) = chain.base else { continue };
        let counters = Counters::default();
        changes.push(What::Policy { chain: chain.name.clone(), policy: base.policy, counters });
        by.push(makers.of_chain(netns, id, &chain.name));
    }
    for chain in table.user_chains() {
        changes.push(What::NewChain { chain: chain.name.clone() });
        by.push(makers.of_chain(netns, id, &chain.name));
    }
    for chain in built_in.into_iter().chain(table.user_chains()) {
        for installed in chain.rules.iter() {
            let rule = Arc::clone(&installed.rule);
            by.push(makers.of_rule(&rule));
            changes.push(What::Append { chain: chain.name.clone(), rule, counters: Counters::default() });
        }
    }
    (Restore { table: id, flush: true, changes }, by)
}

/// The command, with a comment before what somebody else made; and who made it, those who made most
/// of it first. A built-in chain comes with the first rule: that is nobody else's.
fn text(restore: &Restore, by: &[String]) -> (String, String) {
    let mut makers: Vec<(&str, usize)> = Vec::new();
    for maker in by.iter().filter(|maker| *maker != "the kernel") {
        match makers.iter_mut().find(|(known, _)| known == maker) {
            Some((_, count)) => *count += 1,
            None => makers.push((maker, 1)),
        }
    }
    makers.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let names: Vec<&str> = makers.iter().map(|(name, _)| *name).collect();
    let plain = restore.to_string();
    if names.len() < 2 {
        return (plain, names.first().unwrap_or(&"the kernel").to_string());
    }
    let mut text = String::new();
    let mut last = "";
    for (at, line) in plain.lines().enumerate() {
        // The command itself and the table's name stand before the first change.
        if let Some(maker) = at.checked_sub(2).and_then(|at| by.get(at))
            && maker != last
        {
            text.push_str(&format!("# {maker}\n"));
            last = maker;
        }
        text.push_str(line);
        text.push('\n');
    }
    text.pop();
    (text, names.join(", "))
}
