//! Tunnels between nodes that don't fit together.

use super::network::{Network, Node, Tunnel};
use super::probe::Probe;
use super::{Case, Fault};
use crate::culprit::{Culprit, Object};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "vtep-mac-changed",
        cause: "a node's VXLAN device has another MAC address than the node told the others",
        about: &["issue 8"],
        cases: vtep_mac_changed,
    },
    Fault {
        name: "vtep-mac-duplicate",
        cause: "two nodes of one image have VXLAN devices with one MAC address",
        about: &["INC-019"],
        cases: vtep_mac_duplicate,
    },
    Fault {
        name: "fdb-entry-removed",
        cause: "a node has lost the entry that says on which node a VTEP's MAC address is",
        about: &["issue 8"],
        cases: fdb_removed,
    },
    Fault {
        name: "fdb-entry-stale",
        cause: "a node's entry for a VTEP's MAC address has the node's former address",
        about: &["issue 8"],
        cases: fdb_stale,
    },
    Fault {
        name: "vtep-neighbor-removed",
        cause: "a node has lost the neighbor entry of another node's VTEP: nobody answers ARP there",
        about: &["issue 8"],
        cases: neighbor_removed,
    },
    Fault {
        name: "public-ip-wrong",
        cause: "a node's annotation tells the others an address at which its VTEP isn't",
        about: &["INC-021", "INC-023", "issue 8"],
        cases: public_ip,
    },
    Fault {
        name: "flannel-wrong-iface",
        cause: "flanneld chose the wrong card: the nodes publish addresses that don't reach each other",
        about: &["I17", "INC-021"],
        cases: wrong_iface,
    },
    Fault {
        name: "vxlan-port-mismatch",
        cause: "the pod network's port was changed, and only one node's flanneld has read it",
        about: &["issue 8"],
        cases: port_mismatch,
    },
    Fault {
        name: "vxlan-vni-mismatch",
        cause: "the pod network's VNI was changed, and only one node's flanneld has read it",
        about: &["issue 8"],
        cases: vni_mismatch,
    },
    Fault {
        name: "vxlan-recreated",
        cause: "somebody made a node's VXLAN device anew with another VNI",
        about: &["issue 8"],
        cases: recreated,
    },
    Fault {
        name: "tunnel-down",
        cause: "a node's tunnel device is down, and with it went its routes",
        about: &["issue 8"],
        cases: tunnel_down,
    },
];

/// Restarts a node's flanneld.
fn restart_flannel(node: &str) -> String {
    format!(
        "kubectl -n kube-flannel delete pod -l app=flannel --field-selector spec.nodeName={node} && \
         kubectl -n kube-flannel rollout status daemonset kube-flannel-ds"
    )
}

/// A case for each node with a VXLAN over which another reaches it.
fn each_vxlan(network: &Network, make: impl Fn(&Node, &Tunnel, &Node, Probe) -> Option<Case>) -> Vec<Case> {
    network.each_node(|node| {
        let (tunnel, from) = (node.vxlan()?, network.tunnel_to(node)?);
        make(node, tunnel, from, network.between(from, node)?)
    })
}

fn vtep_mac_changed(network: &Network) -> Vec<Case> {
    let admin = network.admin();
    each_vxlan(network, |node, Tunnel { dev, mac, .. }, _, probe| {
        let case = Case::on(&node.name, probe, Object::Mac { dev: dev.clone() })
            .cause(format!(
                "{dev} of {} has another MAC address than {mac}, which the others know",
                node.name
            ))
            .breaks(&node.name, format!("ip link set {dev} address 02:16:3e:5e:00:01"))
            // It tells the others, and gets back the neighbors that went with the address.
            .fix(admin, restart_flannel(&node.name));
        network.flannel.then_some(case)
    })
}

fn vtep_mac_duplicate(network: &Network) -> Vec<Case> {
    let admin = network.admin();
    let mut cases = Vec::new();
    for node in &network.nodes {
        let twin = network.nodes.iter().find(|twin| twin.name != node.name && twin.vxlan().is_some());
        let Some((tunnel, twin)) = node.vxlan().zip(twin) else { continue };
        let far = network.nodes.iter().find(|far| {
            far.name != node.name
                && far.name != twin.name
                && network.is_tunneled(far, twin)
                && network.is_tunneled(far, node)
                && network.is_tunneled(node, twin)
        });
        // The one that told its address last is believed: the other one is lost.
        let found = far.and_then(|far| Some((far, twin.vxlan()?, network.between(far, twin)?)));
        let Some((far, other, probe)) = found.filter(|_| network.flannel) else { continue };
        let case = Case::on(&node.name, probe, Object::Mac { dev: tunnel.dev.clone() })
            .cause(format!("{} of {} and of {} have one MAC address", tunnel.dev, node.name, twin.name))
            .breaks(&node.name, format!("ip link set {} address {}", tunnel.dev, other.mac))
            .breaks(admin, restart_flannel(&node.name))
            .fix(&node.name, format!("ip link set {} address {}", tunnel.dev, tunnel.mac))
            .fix(admin, restart_flannel(&node.name))
            .fix(admin, restart_flannel(&far.name));
        cases.push(case);
    }
    cases
}

fn entry(tunnel: &Tunnel, address: impl ToString) -> String {
    format!("{} dev {} dst {}", tunnel.mac, tunnel.dev, address.to_string())
}

fn fdb_removed(network: &Network) -> Vec<Case> {
    each_vxlan(network, |node, tunnel, from, probe| {
        let object = Object::FdbEntry { dev: tunnel.dev.clone(), mac: tunnel.mac.to_string() };
        let entry = entry(tunnel, node.ip);
        let case =
            Case::new(format!("{} on {}", node.name, from.name), probe, Culprit::on(&from.name, object))
                .cause(format!(
                    "{} doesn't know where {}, the VTEP of {}, is",
                    from.name, tunnel.mac, node.name
                ))
                .breaks(&from.name, format!("bridge fdb del {entry}"))
                .fix(&from.name, format!("bridge fdb add {entry} self permanent"));
        Some(case)
    })
}

fn fdb_stale(network: &Network) -> Vec<Case> {
    each_vxlan(network, |node, tunnel, from, probe| {
        let object = Object::FdbEntry { dev: tunnel.dev.clone(), mac: tunnel.mac.to_string() };
        let old = std::net::Ipv4Addr::from(u32::from(node.subnet.broadcast()) - 7);
        let case =
            Case::new(format!("{} on {}", node.name, from.name), probe, Culprit::on(&from.name, object))
                .cause(format!(
                    "{} takes {}, the VTEP of {}, to be at {old}",
                    from.name, tunnel.mac, node.name
                ))
                .breaks(
                    &from.name,
                    format!(
                        "bridge fdb del {} && bridge fdb add {} self permanent",
                        entry(tunnel, node.ip),
                        entry(tunnel, old)
                    ),
                )
                .fix(
                    &from.name,
                    format!(
                        "bridge fdb del {} && bridge fdb add {} self permanent",
                        entry(tunnel, old),
                        entry(tunnel, node.ip)
                    ),
                );
        Some(case)
    })
}

fn neighbor_removed(network: &Network) -> Vec<Case> {
    each_vxlan(network, |node, tunnel, from, probe| {
        let via = network.route(&from.name, &node.name)?.via;
        let object = Object::Neighbor { address: via.to_string() };
        let (dev, mac) = (&tunnel.dev, tunnel.mac);
        let case =
            Case::new(format!("{} on {}", node.name, from.name), probe, Culprit::on(&from.name, object))
                .cause(format!(
                    "{} doesn't know the MAC address of {via}, the VTEP of {}",
                    from.name, node.name
                ))
                .breaks(&from.name, format!("ip neigh del {via} dev {dev}"))
                .fix(&from.name, format!("ip neigh replace {via} lladdr {mac} dev {dev} nud permanent"));
        Some(case)
    })
}

fn public_ip(network: &Network) -> Vec<Case> {
    let (admin, key) = (network.admin(), "flannel.alpha.coreos.com/public-ip");
    network.each_node(|node| {
        let from = network.nodes.iter().find(|from| from.name != node.name)?;
        let object = Object::ApiObject {
            kind: "Node".to_owned(),
            namespace: String::new(),
            name: node.name.clone(),
            field: format!("metadata.annotations[{key}]"),
        };
        let annotate = |value: &str| format!("kubectl annotate node {} {key}={value} --overwrite", node.name);
        let probe = network.between(from, node).filter(|_| network.flannel)?;
        let case = Case::new(&node.name, probe, Culprit::in_cluster(object))
            .cause(format!("the node {} says that it is reached at 10.0.2.99", node.name))
            .breaks(admin, annotate("10.0.2.99"))
            .fix(admin, annotate(&node.ip.to_string()));
        Some(case)
    })
}

/// A JSON patch of flannel's first container's arguments.
fn patch_args(operations: &str) -> String {
    format!(
        "kubectl -n kube-flannel patch daemonset kube-flannel-ds --type json -p '[{operations}]' && \
         kubectl -n kube-flannel rollout status daemonset kube-flannel-ds"
    )
}

fn wrong_iface(network: &Network) -> Vec<Case> {
    let admin = network.admin();
    let Some(first) = network.nodes.first() else { return Vec::new() };
    let Some((card, _)) = first.cards.first().filter(|_| network.flannel) else { return Vec::new() };
    let Some(probe) = network.nodes.get(1).and_then(|second| network.between(first, second)) else {
        return Vec::new();
    };
    let path = "/spec/template/spec/containers/0/args/3";
    let set = |dev: &str| format!("{{\"op\":\"replace\",\"path\":\"{path}\",\"value\":\"--iface={dev}\"}}");
    let object = Object::Flag { component: "flanneld".to_owned(), flag: "--iface".to_owned() };
    let case = Case::new("cluster", probe, Culprit::in_cluster(object))
        .cause(format!("flanneld is told --iface={card}; the nodes reach each other by {}", first.dev))
        .breaks(admin, patch_args(&set(card)))
        .fix(admin, patch_args(&set(&first.dev)));
    // With addresses that all routers know it would work all the same.
    let private = network
        .nodes
        .iter()
        .all(|node| node.cards.iter().any(|(_, net)| first.cards[0].1.addr() == net.addr()));
    if private { vec![case] } else { Vec::new() }
}

/// Changes flannel's configuration, and restarts it on one node.
fn half_rolled_out(network: &Network, field: &str, value: &str, what: &str) -> Vec<Case> {
    let admin = network.admin();
    each_vxlan(network, |node, tunnel, _, probe| {
        let edit = |from: &str, to: &str| {
            format!(
                "kubectl -n kube-flannel get configmap kube-flannel-cfg -o yaml | sed 's/{from}/{to}/' | kubectl apply -f -"
            )
        };
        let (old, new) = ("\"Type\":\"vxlan\"".to_owned(), format!("\"Type\":\"vxlan\",\"{field}\":{value}"));
        let case = Case::on(&node.name, probe, Object::Device { dev: tunnel.dev.clone() })
            .cause(format!("the tunnel of {} has another {what} than those of the other nodes", node.name))
            .breaks(admin, edit(&old, &new))
            .breaks(admin, restart_flannel(&node.name))
            .fix(admin, edit(&new, &old))
            // flannel keeps a device whose port it wasn't told.
            .fix(&node.name, format!("ip link del {}", tunnel.dev))
            .fix(admin, restart_flannel(&node.name));
        network.flannel.then_some(case)
    })
}

fn port_mismatch(network: &Network) -> Vec<Case> {
    half_rolled_out(network, "Port", "4789", "port")
}

fn vni_mismatch(network: &Network) -> Vec<Case> {
    half_rolled_out(network, "VNI", "4096", "VNI")
}

fn recreated(network: &Network) -> Vec<Case> {
    each_vxlan(network, |node, tunnel, _, probe| {
        let Tunnel { dev, mac, port, mtu, .. } = tunnel;
        let make = |vni: u32| {
            let routes: String = node
                .routes
                .iter()
                .filter(|route| route.dev == *dev)
                .map(|route| {
                    let peer = network.node(&route.to)?;
                    let other = peer.vxlan()?;
                    Some(format!(
                        " && bridge fdb append {} dev {dev} dst {} self permanent && ip neigh replace {} lladdr {} dev \
                         {dev} nud permanent && ip route replace {} via {} dev {dev} onlink",
                        other.mac, peer.ip, route.via, other.mac, route.dst, route.via
                    ))
                })
                .collect::<Option<String>>()?;
            let own = node.pod_cidr?.network();
            Some(format!(
                "ip link del {dev} && ip link add {dev} address {mac} mtu {mtu} type vxlan id {vni} local {} dev {} dstport \
                 {port} nolearning && ip addr add {own}/32 dev {dev} && ip link set {dev} up{routes}",
                node.ip, node.dev
            ))
        };
        let case = Case::on(&node.name, probe, Object::Device { dev: dev.clone() })
            .cause(format!("{dev} of {} has the VNI 2, those of the other nodes have 1", node.name))
            .breaks(&node.name, make(2)?)
            .fix(&node.name, make(1)?);
        Some(case)
    })
}

fn tunnel_down(network: &Network) -> Vec<Case> {
    let admin = network.admin();
    network.each_node(|node| {
        let route =
            node.routes.iter().find(|route| node.tunnels.iter().any(|tunnel| tunnel.dev == route.dev))?;
        let to = network.node(&route.to)?;
        let dev = &route.dev;
        let case = Case::on(&node.name, network.between(node, to)?, Object::Device { dev: dev.clone() })
            .cause(format!("{dev} of {} is down", node.name))
            .breaks(&node.name, format!("ip link set {dev} down"))
            .fix(&node.name, format!("ip link set {dev} up"))
            .fix(admin, restart_flannel(&node.name));
        network.flannel.then_some(case)
    })
}
