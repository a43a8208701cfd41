//! Packets that are too long for a part of their way, and senders that aren't told.

use super::network::Network;
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
        name: "pod-mtu-large",
        cause: "pods' MTU leaves no room for the tunnel's headers, and a node's rules keep the ICMP that says so",
        about: &["INC-005", "issue 8"],
        cases: pod_mtu,
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
        let router = network.gateway_of(node);
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

fn pod_mtu(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let route =
            node.routes.iter().find(|route| node.tunnels.iter().any(|tunnel| tunnel.dev == route.dev))?;
        let to = network.node(&route.to)?;
        let probe = network.big_between(node, to)?;
        let rule = "-p icmp -m icmp --icmp-type 3/4 -j DROP";
        let object =
            Object::Rule { table: "filter".to_owned(), chain: "OUTPUT".to_owned(), text: rule.to_owned() };
        let mut case = Case::on(&node.name, probe, object)
            .cause(format!("pods of {} send what {} can't carry, and are never told", node.name, route.dev));
        for (node, pod) in [(node, network.pods_on(&node.name).next()?), (to, network.server_on(&to.name)?)] {
            case = case
                .prepares(&node.name, format!("ip link set {} mtu 1500", pod.veth))
                .prepares(&pod.place(), "ip link set eth0 mtu 1500");
        }
        Some(
            case.breaks(&node.name, format!("iptables -I OUTPUT {rule}"))
                .fix(&node.name, format!("iptables -D OUTPUT {rule}")),
        )
    })
}
