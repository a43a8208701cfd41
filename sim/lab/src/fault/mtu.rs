//! Packets that are too long for a part of their way, and senders that aren't told.

use super::network::{Network, Node};
use super::probe::{Probe, To, Way};
use super::{Case, Fault};
use crate::culprit::{Culprit, Object};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "fabric-mtu-small",
        cause: "the network between the nodes carries shorter packets than they think, and says nothing",
        about: &["INC-005"],
        cases: fabric_mtu,
    },
    Fault {
        name: "frag-needed-filtered",
        cause: "a router's next link is narrower, and its rules keep the ICMP that would say so",
        about: &["INC-003", "issue 8"],
        cases: frag_needed,
    },
    Fault {
        name: "tunnel-mtu-large",
        cause: "a tunnel's MTU leaves no room for its headers, and fragments are lost on the way",
        about: &["INC-005"],
        cases: tunnel_mtu,
    },
];

fn fabric_mtu(network: &Network) -> Vec<Case> {
    let mut cases = Vec::new();
    for segment in &network.segments {
        let on = |name: &str| segment.ports.iter().any(|port| port.split(':').next() == Some(name));
        let mut here =
            network.nodes.iter().filter(|node| segment.ports.contains(&node.port()) && on(&node.name));
        let (Some(from), Some(to)) = (here.next(), here.next()) else { continue };
        let Some(probe) = network.big_between(from, to) else { continue };
        let bar = format!("{} longer than 1400", segment.name);
        let case = Case::new(&segment.name, probe, Culprit::in_fabric("longer than 1400"))
            .cause(format!("{} carries no packets longer than 1400 bytes", segment.name))
            .breaks(&from.name, format!("fabric bar {bar}"))
            .fix(&from.name, format!("fabric unbar {bar}"));
        cases.push(case);
    }
    cases
}

fn frag_needed(network: &Network) -> Vec<Case> {
    let mut cases = Vec::new();
    let Some((_, address, port)) = network.internet() else { return cases };
    for node in &network.nodes {
        let Some((gateway, _)) = &node.gateway else { continue };
        let router =
            network.others.iter().find(|other| other.addresses.iter().any(|(_, net)| net.addr() == *gateway));
        let Some(router) = router.filter(|router| router.forwards) else { continue };
        let Some((out, _)) = router.addresses.iter().find(|(_, net)| net.contains(&address)) else {
            continue;
        };
        let Some(pod) = network.pods_on(&node.name).next() else { continue };
        let probe = Probe::once(pod.at(), To::Address(address.into()), Way::Big(port));
        let rule = "-p icmp -m icmp --icmp-type 3/4 -j DROP";
        let object =
            Object::Rule { table: "filter".to_owned(), chain: "OUTPUT".to_owned(), text: rule.to_owned() };
        let case = Case::new(&node.name, probe, Culprit::on(&router.name, object))
            .cause(format!("{} drops what is too long for {out} and tells nobody", router.name))
            .breaks(&router.name, format!("ip link set {out} mtu 1400 && iptables -I OUTPUT {rule}"))
            .fix(&router.name, format!("iptables -D OUTPUT {rule}"));
        cases.push(case);
    }
    cases
}

fn tunnel_mtu(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let on = |node: &Node, dev: &str| node.tunnels.iter().find(|tunnel| tunnel.dev == dev).cloned();
        let route = node.routes.iter().find(|route| on(node, &route.dev).is_some())?;
        let to = network.node(&route.to)?;
        let ends = [(node, on(node, &route.dev)?), (to, on(to, &network.route(&to.name, &node.name)?.dev)?)];
        let segment = network.segment_of(&node.port())?;
        let probe = network.big_between(node, to)?;
        let object = Object::Mtu { dev: route.dev.clone() };
        // A provider whose network carries no fragments: with the right MTU there are none.
        let mut case = Case::on(&node.name, probe, object)
            .cause(format!("{} has the MTU of the card under it, as have the pods", route.dev))
            .prepares(&node.name, format!("fabric bar {} fragments", segment.name));
        for (node, tunnel) in &ends {
            let pod = if node.name == to.name {
                network.server_on(&node.name)
            } else {
                network.pods_on(&node.name).next()
            };
            let (pod, bridge) = (pod?, node.bridge.as_deref()?);
            let set = |mtu: u32| {
                format!(
                    "ip link set {} mtu {mtu} && ip link set {} mtu {mtu} && ip link set {bridge} mtu {mtu}",
                    tunnel.dev, pod.veth
                )
            };
            case = case
                .breaks(&node.name, set(1500))
                .breaks(&pod.place(), "ip link set eth0 mtu 1500")
                .fix(&node.name, set(tunnel.mtu))
                .fix(&pod.place(), format!("ip link set eth0 mtu {}", tunnel.mtu));
        }
        Some(case)
    })
}
