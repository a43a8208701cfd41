//! No route, or no leave to forward.

use ipnet::IpNet;
use trace::Names;

use super::Case;
use crate::culprit::Object;
use crate::diagnose::compare;
use crate::diagnose::suspect::{Fix, Rank, Size, Suspect};

/// It is for somebody else, and this host doesn't forward.
pub(super) fn forwarding(case: &Case<'_>) -> Vec<Suspect> {
    let facts = &case.scene.facts;
    let (host, netns) = (case.end.host, case.end.netns);
    let node = facts.world.node(host, netns);
    let dev = case.end.dev.map(|dev| facts.world.dev(host, dev).replace('.', "/"));
    let mut names = vec!["net.ipv4.ip_forward".to_owned()];
    names.extend(dev.map(|dev| format!("net.ipv4.conf.{dev}.forwarding")));
    // One setting for all devices says it; that of a device alone is looked at else.
    let off = names.into_iter().find(|name| facts.sysctl(host, netns, name).as_deref() == Some("0"));
    let suspect = off.map(|name| {
        let object = Object::Sysctl { name: name.clone() };
        let text = "it is 0: packets for others are dropped here";
        Suspect::new(Rank::Contradicted, node.clone(), object, text)
            .because(format!("{node}: sysctl {name} = 0"))
            .mended_by(Fix::one(node.clone(), compare::set_sysctl(&name, "1"), Size::Value))
    });
    suspect.into_iter().collect()
}

/// The host has no route to where the packet goes.
pub(super) fn missing(case: &Case<'_>) -> Vec<Suspect> {
    let facts = &case.scene.facts;
    let (host, netns) = (case.end.host, case.end.netns);
    let dst = case.end.packet().map(packet::Packet::dst).or_else(|| case.scene.target());
    let Some(dst) = dst else { return Vec::new() };
    // What should be there is a comparison's to say; this is for when nothing says so.
    let known = compare::wanted_routes(facts, host, netns).iter().any(|wanted| wanted.dst.contains(&dst));
    if known {
        return Vec::new();
    }
    let node = facts.world.node(host, netns);
    let net = facts.subnet_of(dst).unwrap_or_else(|| IpNet::from(dst));
    let Some(way) = facts.way_to(host, netns, &net) else { return Vec::new() };
    let object = Object::Route { prefix: compare::prefix(&net) };
    let text = format!("there is none, and no other one leads to {dst}");
    vec![
        Suspect::new(Rank::Seen, node.clone(), object, text)
            .because(format!("{node}: ip route get {dst}: no route"))
            .mended_by(Fix::one(node, format!("ip route add {}", way.text()), Size::Entry)),
    ]
}
