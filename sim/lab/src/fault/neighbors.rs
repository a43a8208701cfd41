//! Link-layer addresses that are wrong, or that two have.

use super::network::{Network, Node};
use super::probe::{Probe, Way};
use super::{Case, Fault};
use crate::culprit::{Culprit, Object};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "neighbor-static",
        cause: "somebody wrote down another node's MAC address for good, and the node has another card now",
        about: &["issue 8"],
        cases: neighbor_static,
    },
    Fault {
        name: "address-twice",
        cause: "two machines have one address: both answer ARP, and the wrong one is believed",
        about: &["issue 8"],
        cases: address_twice,
    },
    Fault {
        name: "mac-twice",
        cause: "two nodes were cloned with one MAC address: the switch finds only one of them",
        about: &["INC-019"],
        cases: mac_twice,
    },
    Fault {
        name: "arp-ignored",
        cause: "a node answers no ARP requests: arp_ignore is 8",
        about: &["issue 8"],
        cases: arp_ignored,
    },
    Fault {
        name: "noarp-device",
        cause: "a node's card does without ARP",
        about: &["issue 8"],
        cases: noarp,
    },
    Fault {
        name: "pod-neighbor-static",
        cause: "a node keeps a wrong MAC address for one of its pods",
        about: &["issue 8"],
        cases: pod_neighbor,
    },
];

/// Another node on the same subnet.
fn beside<'a>(network: &'a Network, node: &Node) -> Option<&'a Node> {
    network.nodes.iter().find(|other| other.name != node.name && other.subnet == node.subnet)
}

/// From a pod of a node beside to a pod of this one, if the nodes' own network is between.
fn from_beside(network: &Network, node: &Node) -> Option<Probe> {
    network.between(beside(network, node)?, node)
}

fn neighbor_static(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let other = beside(network, node)?;
        let probe = network.between(other, node)?;
        let dev = &other.dev;
        let case = Case::new(
            format!("{} on {}", node.name, other.name),
            probe,
            Culprit::on(&other.name, Object::Neighbor { address: node.ip.to_string() }),
        )
        .cause(format!(
            "{} has a permanent neighbor entry for {} with a wrong MAC address",
            other.name, node.ip
        ))
        .breaks(
            &other.name,
            format!("ip neigh replace {} lladdr 02:16:3e:0b:ad:01 dev {dev} nud permanent", node.ip),
        )
        .fix(&other.name, format!("ip neigh del {} dev {dev}", node.ip));
        Some(case)
    })
}

fn address_twice(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let near = network.others.iter().find_map(|other| {
            let (dev, _) = other.addresses.iter().find(|(_, net)| node.subnet.contains(&net.addr()))?;
            Some((other, dev))
        });
        let (other, dev) = near?;
        let ip = node.ip;
        // As keepalived announces an address that it holds.
        let script = format!("while :; do arping -q -A -c 1 -I {dev} {ip}; sleep 1; done");
        let probe = from_beside(network, node)?;
        let Way::Http(port) = probe.way else { return None };
        // The first one may find the right one.
        let again = format!(
            "for i in 1 2 3 4; do curl -s -o /dev/null -m 2 http://ADDRESS:{port}/ || exit 1; sleep 1; done"
        );
        let probe = Probe { way: Way::Typed(again), ..probe };
        let object = Object::Address { address: ip.to_string() };
        let case = Case::new(&node.name, probe, Culprit::on(&other.name, object))
            .cause(format!("{} has the address {ip} of {}, and says so", other.name, node.name))
            .breaks(&other.name, format!("ip addr add {ip}/32 dev {dev}"))
            .breaks(&other.name, format!("echo '{script}' > /tmp/announce.sh"))
            .breaks(&other.name, "sh /tmp/announce.sh &")
            .fix(&other.name, format!("pkill -f announce.sh; ip addr del {ip}/32 dev {dev}"))
            .fix(&node.name, format!("arping -q -A -c 2 -I {} {ip}", node.dev));
        Some(case)
    })
}

fn mac_twice(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let twin = beside(network, node)?;
        let far = network
            .nodes
            .iter()
            .find(|far| far.name != node.name && far.name != twin.name && far.subnet == node.subnet)?;
        let (probe, other) = (network.between(far, node)?, network.server_on(&twin.name)?);
        let Way::Http(port) = probe.way else { return None };
        // Each answer moves the address to another port of the switch.
        let turns = format!(
            "for i in 1 2 3 4; do curl -s -o /dev/null -m 2 http://ADDRESS:{port}/ && curl -s -o /dev/null -m 2 \
             http://{}:{}/ || exit 1; done",
            other.ip,
            other.tcp()?
        );
        let case = Case::on(&node.name, Probe { way: Way::Typed(turns), ..probe }, Object::Mac { dev: node.dev.clone() })
            .cause(format!("{} and {} have one MAC address on {}", node.name, twin.name, node.dev))
            .breaks(&node.name, format!("ip link set {} address {}", node.dev, twin.mac))
            .breaks(&twin.name, format!("arping -q -A -c 2 -I {} {}", twin.dev, twin.ip))
            .fix(&node.name, format!("ip link set {} address {}", node.dev, node.mac))
            .fix(&node.name, format!("arping -q -A -c 2 -I {} {}", node.dev, node.ip))
            .fix(&twin.name, format!("arping -q -A -c 2 -I {} {}", twin.dev, twin.ip));
        Some(case)
    })
}

fn arp_ignored(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let other = beside(network, node)?;
        let key = "net.ipv4.conf.all.arp_ignore";
        let case =
            Case::on(&node.name, network.between(other, node)?, Object::Sysctl { name: key.to_owned() })
                .cause(format!("{} answers no ARP requests", node.name))
                .breaks(&node.name, format!("sysctl -w {key}=8"))
                .breaks(&other.name, format!("ip neigh flush dev {}", other.dev))
                .fix(&node.name, format!("sysctl -w {key}=0"));
        Some(case)
    })
}

fn noarp(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let dev = &node.dev;
        let case = Case::on(&node.name, network.pod_of_to_others(node)?, Object::Device { dev: dev.clone() })
            .cause(format!("{dev} of {} does without ARP", node.name))
            .breaks(&node.name, format!("ip link set {dev} arp off && ip neigh flush dev {dev}"))
            .fix(&node.name, format!("ip link set {dev} arp on && ip neigh flush dev {dev}"));
        Some(case)
    })
}

fn pod_neighbor(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let (pod, bridge) = (network.server_on(&node.name)?, node.bridge.as_deref()?);
        let object = Object::Neighbor { address: pod.ip.to_string() };
        let case = Case::on(&node.name, network.to_pod(pod)?, object)
            .cause(format!(
                "{} has a permanent neighbor entry for {} with a wrong MAC address",
                node.name, pod.ip
            ))
            .breaks(
                &node.name,
                format!("ip neigh replace {} lladdr 02:16:3e:0b:ad:02 dev {bridge} nud permanent", pod.ip),
            )
            .fix(&node.name, format!("ip neigh del {} dev {bridge}", pod.ip));
        Some(case)
    })
}
