//! The source address is not believed.

use trace::{DropReason, Names};

use super::Case;
use crate::culprit::Object;
use crate::diagnose::compare;
use crate::diagnose::suspect::{Fix, Rank, Size, Suspect};

/// Reverse path filtering, or a source address that is one of the host's own.
pub(super) fn suspects(case: &Case<'_>) -> Vec<Suspect> {
    let facts = &case.scene.facts;
    let (host, netns) = (case.end.host, case.end.netns);
    let node = facts.world.node(host, netns);
    let (Some(dev), Some(src)) = (case.end.dev, case.end.packet().map(packet::Packet::src)) else {
        return Vec::new();
    };
    let dev = facts.world.dev(host, dev);
    if case.end.reason() != Some(DropReason::IpRpfilter) {
        let object = Object::Address { address: src.to_string() };
        let text = format!("it is an address of {node}, and packets with it come in by {dev}");
        return vec![Suspect::new(Rank::Seen, node, object, text)];
    }
    let dev = dev.replace('.', "/");
    let mut found = Vec::new();
    for name in ["all".to_owned(), dev] {
        let name = format!("net.ipv4.conf.{name}.rp_filter");
        let value = facts.sysctl(host, netns, &name).unwrap_or_default();
        if value == "0" || value.is_empty() {
            continue;
        }
        let text = format!("it is {value}, and the way back to {src} leads by another device");
        let mut suspect = Suspect::new(Rank::Seen, node.clone(), Object::Sysctl { name: name.clone() }, text)
            .because(format!("{node}: sysctl {name} = {value}"));
        for loose in ["2", "0"] {
            suspect =
                suspect.mended_by(Fix::one(node.clone(), compare::set_sysctl(&name, loose), Size::Value));
        }
        found.push(suspect);
    }
    found
}
