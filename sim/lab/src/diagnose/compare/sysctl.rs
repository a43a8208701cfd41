//! A host's settings against those of its peers.

use packet::{HostId, NetnsId};
use trace::Names;

use super::Scene;
use crate::culprit::Object;
use crate::diagnose::facts::Facts;
use crate::diagnose::suspect::{Fix, Rank, Size, Suspect};

/// Settings that differ from host to host by nature, or that only count.
const OWN: [&str; 6] = [
    "net.netfilter.nf_conntrack_count",
    "net.ipv4.tcp_fastopen_key",
    "net.ipv4.route.flush",
    "net.netfilter.nf_conntrack_buckets",
    "net.ipv4.fib_multipath_hash_seed",
    "net.ipv4.ping_group_range",
];

/// Settings that differ from what most peers have, or, of a host without peers, from what a kernel
/// begins with.
pub(super) fn suspects(scene: &Scene<'_>) -> Vec<Suspect> {
    let facts = &scene.facts;
    let mut found = Vec::new();
    for (host, netns) in scene.places() {
        for (name, value, usual) in odd(facts, host, netns) {
            let node = facts.world.node(host, netns);
            let text = format!("it is {value}, usually {usual}");
            let rank = scene.rank(host, Rank::Odd);
            found.push(
                Suspect::new(rank, node.clone(), Object::Sysctl { name: name.clone() }, text)
                    .because(format!("{node}: sysctl {name} = {value}; elsewhere {usual}"))
                    .mended_by(Fix::one(node, set(&name, &usual), Size::Value)),
            );
        }
    }
    found
}

/// The command that sets it.
pub(in crate::diagnose) fn set(name: &str, value: &str) -> String {
    match value.contains(char::is_whitespace) || value.is_empty() {
        true => format!("sysctl -w {name}='{value}'"),
        false => format!("sysctl -w {name}={value}"),
    }
}

/// Settings that differ from what most peers have: name, value, usual value. The peers of a
/// namespace are all other namespaces that are none's initial one.
fn odd(facts: &Facts<'_>, host: HostId, netns: NetnsId) -> Vec<(String, String, String)> {
    let peers: Vec<(HostId, NetnsId)> = match netns {
        NetnsId::INIT => facts.peers(host).into_iter().map(|peer| (peer, NetnsId::INIT)).collect(),
        _ => facts.namespaces().into_iter().filter(|&place| place != (host, netns)).collect(),
    };
    let fresh = kernel::Host::new(host, "fresh", 0);
    let values = facts.kernel(host).sysctl_list(netns).into_iter();
    let odd = values.filter(|(name, _)| !OWN.contains(&name.as_str())).filter_map(|(name, value)| {
        let theirs: Vec<String> =
            peers.iter().filter_map(|&(peer, netns)| facts.sysctl(peer, netns, &name)).collect();
        let usual = match common(&theirs) {
            Some(usual) => usual,
            None => {
                let default = fresh.sysctl_get(NetnsId::INIT, &name);
                default.or_else(|_| fresh.sysctl_get(NetnsId::INIT, &of_any_device(&name))).ok()?
            }
        };
        (usual != value).then_some((name, value, usual))
    });
    odd.collect()
}

/// The value that more than half have.
fn common(values: &[String]) -> Option<String> {
    values
        .iter()
        .find(|value| values.iter().filter(|other| other == value).count() * 2 > values.len())
        .cloned()
}

/// The same setting of the device that every kernel has.
fn of_any_device(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    match parts[..] {
        ["net", family, kind @ ("conf" | "neigh"), _, leaf] => format!("net.{family}.{kind}.lo.{leaf}"),
        _ => name.to_owned(),
    }
}
