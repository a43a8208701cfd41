//! A rule or policy dropped it.

use trace::{Decision, Names};

use super::Case;
use crate::culprit::{Culprit, Object};
use crate::diagnose::compare::{both_engines, iptables as command};
use crate::diagnose::owner::Owner;
use crate::diagnose::suspect::{Fix, Rank, Size, Suspect};

pub(super) fn suspects(case: &Case<'_>, decision: &Decision) -> Vec<Suspect> {
    let node = case.scene.facts.world.node(case.end.host, case.end.netns);
    match decision {
        Decision::Rule { table, chains, text, .. } => {
            let chain = chains.last().cloned().unwrap_or_default();
            let bare = text
                .strip_prefix("-A ")
                .map_or(text.as_str(), |rest| rest.strip_prefix(chain.as_str()).unwrap_or(rest));
            let bare = bare.trim();
            let kept = Owner::of_chain(&chain).is_some();
            let rank = if kept { Rank::Near } else { Rank::Contradicted };
            let object =
                Object::Rule { table: (*table).to_owned(), chain: chain.clone(), text: bare.to_owned() };
            let delete = format!("{} -D {chain} {bare}", command(table));
            let mut suspect = Suspect::new(rank, node.clone(), object, "it drops or refuses the packet")
                .because(format!("{node}: the packet meets `-A {chain} {bare}` in {table}"))
                .mended_by(Fix::one(node.clone(), delete, Size::Entry));
            if table.starts_with("legacy") && both_engines(&case.scene.facts, case.end.host, case.end.netns) {
                suspect = suspect.because(format!(
                    "{node}: iptables-save shows other rules: iptables-legacy has its own, and both look at every packet"
                ));
            }
            vec![suspect]
        }
        Decision::Policy { table, chain, nearest } => {
            let object = Object::Policy { table: (*table).to_owned(), chain: chain.clone() };
            let accept = format!("{} -P {chain} ACCEPT", command(table));
            let mut suspect = Suspect::new(
                Rank::Contradicted,
                node.clone(),
                object,
                "no rule accepts the packet, and the policy is DROP",
            )
            .mended_by(Fix::one(node.clone(), accept, Size::Value));
            if let Some((rule, failed)) = nearest {
                suspect = suspect.because(format!("{node}: the nearest rule is `{rule}`, but {failed}"));
            }
            vec![suspect]
        }
        Decision::Fabric { segment, barrier } => {
            let object = Object::Fabric { what: barrier.clone() };
            let unbar = format!("fabric unbar {segment} {barrier}");
            vec![
                Suspect::new(
                    Rank::Contradicted,
                    Culprit::FABRIC.to_owned(),
                    object,
                    "it doesn't carry the packet",
                )
                .because(format!("{node}: the packet leaves, and the segment {segment} bars `{barrier}`"))
                .mended_by(Fix::one(node, unbar, Size::Entry)),
            ]
        }
    }
}
