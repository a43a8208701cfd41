//! What the network between the hosts doesn't carry.

use super::network::{Network, Node};
use super::probe::{At, Probe, To, Way};
use super::{Case, Fault};
use crate::culprit::{Culprit, Object};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "fabric-drops-overlay",
        cause: "a provider's network doesn't carry the tunnel's protocol or port",
        about: &["I3", "INC-007"],
        cases: overlay,
    },
    Fault {
        name: "fabric-anti-spoofing",
        cause: "a port of the network lets a node send from its own address only: pods' addresses are dropped",
        about: &["I8", "I9", "INC-010"],
        cases: anti_spoofing,
    },
    Fault {
        name: "fabric-link-cut",
        cause: "the network carries nothing that a node sends",
        about: &["I9"],
        cases: link_cut,
    },
    Fault {
        name: "fabric-acl",
        cause: "an access list of the network drops a port of TCP on its way to a node",
        about: &["I9", "I14"],
        cases: access_list,
    },
    Fault {
        name: "fabric-rate-limit",
        cause: "the network lets a node send a few packets a second and drops the others",
        about: &["INC-017"],
        cases: rate_limit,
    },
    Fault {
        name: "router-drops-overlay",
        cause: "a router between the nodes drops the tunnel's protocol or port",
        about: &["I3", "I9"],
        cases: router_overlay,
    },
];

/// A case of a barrier at a segment.
fn bar(site: &str, node: &Node, segment: &str, what: String, probe: Probe) -> Case {
    Case::new(site, probe, Culprit::in_fabric(&what))
        .cause(format!("{segment} doesn't carry {what}"))
        .breaks(&node.name, format!("fabric bar {segment} {what}"))
        .fix(&node.name, format!("fabric unbar {segment} {what}"))
}

fn overlay(network: &Network) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for node in &network.nodes {
        let to = network.nodes.iter().find(|to| network.is_tunneled(node, to));
        let Some((segment, probe)) =
            to.and_then(|to| Some((network.segment_of(&node.port())?, network.between(node, to)?)))
        else {
            continue;
        };
        let what = match node.vxlan() {
            Some(tunnel) => format!("udp port {}", tunnel.port),
            None => "ipip".to_owned(),
        };
        if cases.iter().all(|case| case.site != segment.name) {
            cases.push(bar(&segment.name, node, &segment.name, what, probe));
        }
    }
    cases
}

fn anti_spoofing(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let to = network.nodes.iter().find(|to| to.name != node.name && !network.is_tunneled(node, to))?;
        let segment = network.segment_of(&node.port())?;
        let what = format!("sources but {} {} from {}", node.ip, node.mac, node.port());
        Some(bar(&node.name, node, &segment.name, what, network.between(node, to)?))
    })
}

fn link_cut(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let segment = network.segment_of(&node.port())?;
        let what = format!("all from {}", node.port());
        Some(bar(&node.name, node, &segment.name, what, network.pod_of_to_others(node)?))
    })
}

fn access_list(network: &Network) -> Vec<Case> {
    let admin = network.admin();
    network.each_node(|node| {
        let pod = network.pods_on(&node.name).next().filter(|_| node.name != admin && !admin.is_empty())?;
        let logs = format!("kubectl -n {} logs {}", pod.namespace, pod.name);
        let probe = Probe::once(At::host(admin), To::Address(node.ip.into()), Way::Typed(logs));
        let segment = network.segment_of(&node.port())?;
        let what = format!("tcp port 10250 to {}", node.port());
        Some(bar(&node.name, node, &segment.name, what, probe))
    })
}

fn rate_limit(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let segment = network.segment_of(&node.port())?;
        let probe = network.pod_of_to_others(node)?;
        let what = format!("more than 8 a second from {}", node.port());
        // Many at a time: one alone gets through.
        let To::Place(_) = &probe.to else { return None };
        let Way::Http(port) = probe.way else { return None };
        let burst = format!(
            "for i in 1 2 3 4 5 6 7 8; do curl -s -o /dev/null -m 1 http://ADDRESS:{port}/ || exit 1; done"
        );
        Some(bar(&node.name, node, &segment.name, what, Probe { way: Way::Typed(burst), ..probe }))
    })
}

/// Routers between subnets of nodes, with a node on each side.
fn between(network: &Network) -> Vec<(&str, &Node, &Node)> {
    let mut found = Vec::new();
    for router in network.others.iter().filter(|router| router.forwards) {
        let near = |node: &&Node| router.addresses.iter().any(|(_, net)| net.trunc() == node.subnet);
        let Some(first) = network.nodes.iter().find(near) else { continue };
        let Some(second) = network.nodes.iter().filter(near).find(|node| node.subnet != first.subnet) else {
            continue;
        };
        found.push((router.name.as_str(), first, second));
    }
    found
}

fn on_router(router: &str, rule: String, probe: Probe) -> Case {
    let object = Object::Rule { table: "filter".to_owned(), chain: "FORWARD".to_owned(), text: rule.clone() };
    Case::on(router, probe, object)
        .cause(format!("{router} drops `{rule}`"))
        .breaks(router, format!("iptables -I FORWARD {rule}"))
        .fix(router, format!("iptables -D FORWARD {rule}"))
}

fn router_overlay(network: &Network) -> Vec<Case> {
    let tunneled = between(network).into_iter().filter(|(_, from, to)| network.is_tunneled(from, to));
    tunneled
        .filter_map(|(router, from, to)| {
            let rule = format!("{} -j DROP", network.tunnel_match(from));
            Some(on_router(router, rule, network.between(from, to)?))
        })
        .collect()
}
