//! Rules of iptables: those that packets meet and peers lack, those that peers have and are gone.

use std::collections::BTreeMap;

use netfilter::{Backend, Chain, Table, TableId, Then};
use packet::{HostId, NetnsId};
use trace::Names;

use super::Scene;
use crate::culprit::Object;
use crate::diagnose::facts::Facts;
use crate::diagnose::owner::Owner;
use crate::diagnose::suspect::{Fix, Rank, Size, Suspect};

/// Missing rules of one owner that are put back one by one at most.
const FEW: usize = 6;

pub(super) fn suspects(scene: &Scene<'_>) -> Vec<Suspect> {
    let mut found = Vec::new();
    for (host, netns) in scene.places() {
        let Some(tables) = tables(&scene.facts, host, netns) else { continue };
        for table in tables {
            for chain in table.chains() {
                found.extend(met(scene, host, netns, table, chain));
            }
        }
        if netns == NetnsId::INIT {
            found.extend(gone(scene, host));
        }
    }
    found
}

fn tables<'a>(facts: &Facts<'a>, host: HostId, netns: NetnsId) -> Option<impl Iterator<Item = &'a Table>> {
    Some(facts.kernel(host).get_ns(netns)?.netfilter.tables())
}

/// A rule as `iptables -S` prints it, without `-A CHAIN`.
fn text(rule: &netfilter::Rule) -> String {
    rule.to_string().trim().to_owned()
}

/// Rules that the probe's packets met here and that peers lack.
fn met(scene: &Scene<'_>, host: HostId, netns: NetnsId, table: &Table, chain: &Chain) -> Vec<Suspect> {
    let facts = &scene.facts;
    let node = facts.world.node(host, netns);
    let peers = if netns == NetnsId::INIT { facts.peers(host) } else { Vec::new() };
    let before =
        scene.tried.ran.as_ref().and_then(|ran| {
            ran.before.host(host).get_ns(netns)?.netfilter.table(table.id)?.chain(&chain.name)
        });
    let owner = Owner::of_chain(&chain.name);
    let mut found = Vec::new();
    for (at, installed) in chain.rules.iter().enumerate() {
        let now = chain.counters.get(at).map_or(0, |counters| counters.packets);
        let then = before.and_then(|chain| chain.counters.get(at)).map_or(0, |counters| counters.packets);
        if now <= then || is_plumbing(&installed.rule.then) {
            continue;
        }
        let text = text(&installed.rule);
        let shared = peers.iter().any(|&peer| has(facts, peer, table.id, &chain.name, &text));
        if shared || owner.is_some() && peers.is_empty() {
            continue;
        }
        let table = table.id.as_str();
        let object = Object::Rule { table: table.to_owned(), chain: chain.name.clone(), text: text.clone() };
        let delete = format!("{} -D {} {text}", command(table), chain.name);
        let rank = scene.rank(host, if owner.is_some() { Rank::Near } else { Rank::Odd });
        let why =
            if peers.is_empty() { "the packets meet it" } else { "the packets meet it, and no peer has it" };
        let mut suspect = Suspect::new(rank, node.clone(), object, why)
            .because(format!("{node}: `-A {} {text}` of {table} counted {} more", chain.name, now - then))
            .mended_by(Fix::one(node.clone(), delete, Size::Entry));
        if let Some(owner) = owner {
            suspect.fixes.extend(owner.restart(facts, host));
        }
        found.push(suspect);
    }
    found
}

/// Whether a rule only leads to a chain that a component keeps.
fn is_plumbing(then: &Then) -> bool {
    match then {
        Then::Nothing => true,
        Then::Chain { name, .. } => Owner::of_chain(name).is_some(),
        Then::Target(_) => false,
    }
}

fn has(facts: &Facts<'_>, host: HostId, id: TableId, chain: &str, rule: &str) -> bool {
    let netns = facts.kernel(host).get_ns(NetnsId::INIT);
    let table = netns.and_then(|netns| netns.netfilter.table(id));
    let chain = table.and_then(|table| table.chain(chain));
    chain.is_some_and(|chain| chain.rules.iter().any(|installed| text(&installed.rule) == rule))
}

/// Rules that most peers have and this host lacks.
fn gone(scene: &Scene<'_>, host: HostId) -> Vec<Suspect> {
    let facts = &scene.facts;
    let peers = facts.peers(host);
    // Table, chain and rule, with the place in the chain and the number of peers that have it.
    let mut rules: BTreeMap<(TableId, String, String), (usize, usize)> = BTreeMap::new();
    for &peer in &peers {
        for table in tables(facts, peer, NetnsId::INIT).into_iter().flatten() {
            for chain in table.chains() {
                for (at, installed) in chain.rules.iter().enumerate() {
                    let key = (table.id, chain.name.clone(), text(&installed.rule));
                    rules.entry(key).or_insert((at, 0)).1 += 1;
                }
            }
        }
    }
    let lacks = |(key, (_, count)): &(&(TableId, String, String), &(usize, usize))| {
        let (id, chain, rule) = key;
        *count * 2 > peers.len() && !has(facts, host, *id, chain, rule)
    };
    let missing: Vec<_> = rules.iter().filter(lacks).collect();
    let mut by_owner: BTreeMap<Option<Owner>, Vec<_>> = BTreeMap::new();
    for (key, (at, _)) in missing {
        let (_, chain, rule) = key;
        let target = rule.rsplit_once("-j ").map_or("", |(_, target)| target.split(' ').next().unwrap_or(""));
        let owner = Owner::of_chain(chain).or_else(|| Owner::of_chain(target));
        by_owner.entry(owner).or_default().push((key, *at));
    }
    let node = facts.name(host).to_owned();
    let mut found = Vec::new();
    for (owner, mut rules) in by_owner {
        rules.sort_by_key(|(key, at)| (key.0, key.1.clone(), *at));
        let Some(((id, chain, first), _)) = rules.first() else { continue };
        let evidence = format!("{node}: {} has no `-A {chain} {first}`, its peers have", id.as_str());
        if let Some(owner) = owner {
            let text = format!("{} of its rules are gone here; it doesn't put them back", rules.len());
            let object = Object::Process { name: owner.process().to_owned() };
            let mut suspect = Suspect::new(scene.rank(host, Rank::Odd), node.clone(), object, text)
                .because(evidence.clone());
            suspect.fixes = owner.restart(facts, host);
            found.push(suspect);
        }
        if rules.len() <= FEW {
            let whole = rules.iter().all(|((table, other, _), _)| (table, other) == (id, chain));
            let rule = if rules.len() == 1 { first.clone() } else { String::new() };
            let rule = if whole { rule } else { first.clone() };
            let object = Object::Rule { table: id.as_str().to_owned(), chain: chain.clone(), text: rule };
            let mut fix = Fix { on: node.clone(), commands: Vec::new(), then: Vec::new(), size: Size::Entry };
            for ((id, chain, rule), at) in &rules {
                let command = command(id.as_str());
                let there =
                    facts.kernel(host).get_ns(NetnsId::INIT).and_then(|netns| netns.netfilter.table(*id));
                let chain_there = there.and_then(|table| table.chain(chain));
                let builtin = id.name.hook(chain).is_some();
                let made = fix.commands.iter().any(|made| made.ends_with(&format!("-N {chain}")));
                if chain_there.is_none() && !builtin && !made {
                    fix.commands.push(format!("{command} -N {chain}"));
                }
                let length = chain_there.map_or(0, |chain| chain.rules.len());
                fix.commands.push(match *at < length {
                    true => format!("{command} -I {chain} {} {rule}", at + 1),
                    false => format!("{command} -A {chain} {rule}"),
                });
            }
            let text = "it is gone here, and peers have it";
            found.push(
                Suspect::new(scene.rank(host, Rank::Odd), node.clone(), object, text)
                    .because(evidence)
                    .mended_by(fix),
            );
        }
    }
    found
}

/// `iptables` for a table as a trace names it, with `-t` where it needs one.
pub(in crate::diagnose) fn command(table: &str) -> String {
    let (program, table) = match table.strip_prefix("legacy ") {
        Some(table) => ("iptables-legacy", table),
        None => ("iptables", table),
    };
    match table {
        "filter" => program.to_owned(),
        table => format!("{program} -t {table}"),
    }
}

/// Whether both engines have rules of their own here: each looks at every packet.
pub(in crate::diagnose) fn both_engines(facts: &Facts<'_>, host: HostId, netns: NetnsId) -> bool {
    let used = |backend| {
        tables(facts, host, netns)
            .into_iter()
            .flatten()
            .any(|table| table.id.backend == backend && table.chains().any(|chain| !chain.rules.is_empty()))
    };
    used(Backend::Legacy) && used(Backend::Nft)
}
