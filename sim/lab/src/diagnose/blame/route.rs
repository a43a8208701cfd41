//! No route, or no leave to forward.

use packet::NetnsId;
use trace::Names;

use super::Case;
use crate::culprit::Object;
use crate::diagnose::compare;
use crate::diagnose::suspect::{Fix, Rank, Size, Suspect};

/// It is for somebody else, and this host doesn't forward.
pub(super) fn forwarding(case: &Case<'_>) -> Vec<Suspect> {
    let (host, netns) = (case.end.host, case.end.netns);
    let node = case.facts.world.node(host, netns);
    let mut found = Vec::new();
    let dev = case.end.dev.map(|dev| case.facts.world.dev(host, dev).replace('.', "/"));
    let mut names = vec!["net.ipv4.ip_forward".to_owned()];
    names.extend(dev.map(|dev| format!("net.ipv4.conf.{dev}.forwarding")));
    for name in names {
        if case.facts.sysctl(host, netns, &name).as_deref() != Some("0") {
            continue;
        }
        let suspect = Suspect::new(
            Rank::Contradicted,
            node.clone(),
            Object::Sysctl { name: name.clone() },
            "it is 0: packets for others are dropped here",
        );
        found.push(suspect.because(format!("{node}: sysctl {name} = 0")).mended_by(Fix::one(
            node.clone(),
            compare::set_sysctl(&name, "1"),
            Size::Value,
        )));
        // One setting for all devices says it; that of a device alone is looked at else.
        break;
    }
    found
}

/// The host has no route to where the packet goes.
pub(super) fn missing(case: &Case<'_>) -> Vec<Suspect> {
    let _ = NetnsId::INIT;
    Vec::new()
}
