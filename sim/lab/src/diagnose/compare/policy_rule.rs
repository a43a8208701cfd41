//! `ip rule`: a host's policy rules against those that every kernel begins with and those of its peers.

use kernel::request::RuleSpec;
use kernel::{RouteProto, Rule, RuleAction, TableId};
use packet::NetnsId;
use trace::Names;

use super::Scene;
use crate::culprit::Object;
use crate::diagnose::suspect::{Fix, Rank, Size, Suspect};

/// The rules of a fresh kernel: priority and table.
const FIRST: [(u32, TableId); 3] = [(0, TableId::LOCAL), (32766, TableId::MAIN), (32767, TableId::DEFAULT)];

pub(super) fn suspects(scene: &Scene<'_>) -> Vec<Suspect> {
    let facts = &scene.facts;
    let mut found = Vec::new();
    for (host, netns) in scene.places() {
        let node = facts.world.node(host, netns);
        let rules = facts.kernel(host).rules(netns);
        let peers = if netns == NetnsId::INIT { facts.peers(host) } else { Vec::new() };
        let theirs: Vec<Vec<String>> = peers
            .iter()
            .map(|&peer| facts.kernel(peer).rules(NetnsId::INIT).iter().map(text).collect())
            .collect();
        for rule in rules.iter().filter(|rule| !is_first(rule)) {
            let text = text(rule);
            let common = !theirs.is_empty() && theirs.iter().all(|rules| rules.contains(&text));
            let rank = if common { scene.rank(host, Rank::Near) } else { scene.rank(host, Rank::Odd) };
            let priority = rule.priority;
            found.push(
                Suspect::new(
                    rank,
                    node.clone(),
                    Object::PolicyRule { text: text.clone() },
                    "this rule sends packets to another table than main",
                )
                .because(format!("{node}: ip rule: {priority}: {text}"))
                .mended_by(Fix::one(
                    node.clone(),
                    format!("ip rule del {text} priority {priority}"),
                    Size::Entry,
                )),
            );
        }
        for (priority, table) in FIRST {
            let there = rules.iter().any(|rule| is_first(rule) && rule.action == RuleAction::Lookup(table));
            if !there {
                let word = match table {
                    TableId::LOCAL => "local",
                    TableId::MAIN => "main",
                    _ => "default",
                };
                let text = format!("from all lookup {word}");
                let add = format!("ip rule add {text} priority {priority}");
                found.push(
                    Suspect::new(
                        scene.rank(host, Rank::Contradicted),
                        node.clone(),
                        Object::PolicyRule { text },
                        format!("the rule that asks the table {word} is gone"),
                    )
                    .mended_by(Fix::one(node.clone(), add, Size::Entry)),
                );
            }
        }
    }
    found
}

fn is_first(rule: &Rule) -> bool {
    let fresh = Rule { from: None, ..rule.clone() } == *rule && rule.to.is_none() && !rule.not;
    fresh
        && FIRST
            .iter()
            .any(|&(priority, table)| rule.priority == priority && rule.action == RuleAction::Lookup(table))
}

/// As `ip rule` prints it, without the priority.
fn text(rule: &Rule) -> String {
    let rule = Rule { proto: RouteProto::BOOT, ..rule.clone() };
    let spec = RuleSpec { rule, priority_given: false, action_given: true, duplicate: false };
    let text = spec.to_string();
    let text = text.trim();
    match text.starts_with("from") || text.starts_with("not") {
        true => text.to_owned(),
        false => format!("from all {text}"),
    }
}
