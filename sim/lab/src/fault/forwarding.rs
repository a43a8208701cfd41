//! Kernel settings that keep packets from being forwarded.

use super::probe::{At, Probe, To, Way};
use super::{Case, Fault, Network, Node};
use crate::culprit::{Culprit, Object};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "ip-forward-off",
        cause: "a node doesn't forward: net.ipv4.ip_forward is 0",
        about: &["I4", "INC-045"],
        cases: ip_forward_off,
    },
    Fault {
        name: "device-forwarding-off",
        cause: "a node forwards nothing that comes in by one device: its `forwarding` is 0",
        about: &["I4", "INC-045"],
        cases: device_forwarding_off,
    },
    Fault {
        name: "bridge-nf-off",
        cause: "what stays on a node's bridge bypasses iptables, so answers of Services keep the pod's address",
        about: &["I5"],
        cases: bridge_nf_off,
    },
    Fault {
        name: "route-localnet-off",
        cause: "a node refuses packets from 127.0.0.1 on other devices: node ports fail on localhost",
        about: &["I17"],
        cases: route_localnet_off,
    },
    Fault {
        name: "rp-filter-strict",
        cause: "a node drops what comes in by another device than answers would leave by",
        about: &["INC-053"],
        cases: rp_filter_strict,
    },
    Fault {
        name: "ttl-one",
        cause: "a pod sends with a time to live of 1: it is heard on its own node only",
        about: &["issue 8"],
        cases: ttl_one,
    },
];

/// A case that is one sysctl of a host or pod.
fn sysctl(site: &str, at: &str, probe: Probe, key: &str, (good, bad): (&str, &str)) -> Case {
    let object = Object::Sysctl { name: key.to_owned() };
    Case::new(site, probe, Culprit::on(at, object))
        .cause(format!("{key} is {bad} on {at}"))
        .breaks(at, format!("sysctl -w {key}={bad}"))
        .fix(at, format!("sysctl -w {key}={good}"))
}

fn ip_forward_off(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let probe = network.to_pod_of(node)?;
        Some(sysctl(&node.name, &node.name, probe, "net.ipv4.ip_forward", ("1", "0")))
    })
}

fn device_forwarding_off(network: &Network) -> Vec<Case> {
    let bridge = |node: &Node| {
        let probe = network.pod_of_to_others(node)?;
        let key = format!("net.ipv4.conf.{}.forwarding", node.bridge.as_deref()?);
        Some(sysctl(&node.name, &node.name, probe, &key, ("1", "0")))
    };
    network.each_node(bridge)
}

fn bridge_nf_off(network: &Network) -> Vec<Case> {
    let mut cases = Vec::new();
    for node in &network.nodes {
        let found = network.services.iter().find_map(|service| {
            let here = network.endpoints(service).find(|pod| pod.node == node.name)?;
            let client = network.pods_on(&node.name).find(|pod| pod.ip != here.ip)?;
            (service.proto == packet::Proto::TCP).then_some((service, client))
        });
        let Some((service, client)) = found else { continue };
        let key = "net.bridge.bridge-nf-call-iptables";
        cases.push(sysctl(&node.name, &node.name, network.to_service(client.at(), service), key, ("1", "0")));
    }
    cases
}

fn route_localnet_off(network: &Network) -> Vec<Case> {
    let Some(service) = network.node_port_service() else { return Vec::new() };
    network.each_node(|node| {
        let way = Way::Http(service.node_port?);
        let local = To::Address([127, 0, 0, 1].into());
        let probe = Probe::often(At::host(&node.name), local, way);
        let key = "net.ipv4.conf.all.route_localnet";
        Some(sysctl(&node.name, &node.name, probe, key, ("1", "0")))
    })
}

fn rp_filter_strict(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let (from, address, device) = network.asymmetric(node)?;
        let probe = Probe::once(from, To::Address(address.into()), Way::Ping);
        let key = format!("net.ipv4.conf.{device}.rp_filter");
        Some(sysctl(&node.name, &node.name, probe, &key, ("0", "1")))
    })
}

fn ttl_one(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let pod = network.server_on(&node.name)?;
        let probe = network.to_pod(pod)?;
        let case = sysctl(&pod.place(), &pod.place(), probe, "net.ipv4.ip_default_ttl", ("64", "1"));
        Some(Case { culprit: Culprit { at: pod.spot(), ..case.culprit }, ..case })
    })
}
