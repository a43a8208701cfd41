//! Nodes that can't be reached, or tell others where they aren't.

use super::network::{Network, Node};
use super::probe::{At, Probe, To, Way};
use super::{Case, Fault};
use crate::culprit::Object;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "node-device-down",
        cause: "a node's card is down",
        about: &["issue 8"],
        cases: device_down,
    },
    Fault {
        name: "node-address-removed",
        cause: "a node has lost the address by which the others know it",
        about: &["INC-048"],
        cases: address_removed,
    },
    Fault {
        name: "kubelet-stopped",
        cause: "a node's kubelet doesn't run: no logs, no exec",
        about: &["issue 8"],
        cases: kubelet_stopped,
    },
    Fault {
        name: "kubelet-node-ip",
        cause: "a kubelet registered an address at which the API server doesn't reach it",
        about: &["I15"],
        cases: node_ip,
    },
    Fault {
        name: "apiserver-stopped",
        cause: "the API server doesn't run",
        about: &["I14"],
        cases: api_server_stopped,
    },
];

fn device_down(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let (gateway, out) = node.gateway.as_ref()?;
        let dev = &node.dev;
        let default = if out == dev {
            format!(" && ip route add default via {gateway} dev {dev}")
        } else {
            String::new()
        };
        let mut case = Case::on(&node.name, to_node(network, node)?, Object::Device { dev: dev.clone() })
            .cause(format!("{dev} of {} is down", node.name))
            .breaks(&node.name, format!("ip link set {dev} down"))
            .fix(&node.name, format!("ip link set {dev} up{default}"));
        if !network.flannel {
            case = case.fix(&node.name, "true");
        }
        Some(case)
    })
}

/// From another node to this one.
fn to_node(network: &Network, node: &Node) -> Option<Probe> {
    let from = network.nodes.iter().find(|from| from.name != node.name)?;
    Some(Probe::once(At::host(&from.name), To::Address(node.ip.into()), Way::Ping))
}

fn address_removed(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let (gateway, out) = node.gateway.as_ref()?;
        let (dev, ip, len) = (&node.dev, node.ip, node.subnet.prefix_len());
        let default = if out == dev {
            format!(" && ip route replace default via {gateway} dev {dev}")
        } else {
            String::new()
        };
        let object = Object::Address { address: format!("{ip}/{len}") };
        let case = Case::on(&node.name, to_node(network, node)?, object)
            .cause(format!("{dev} of {} has no address {ip}", node.name))
            .breaks(&node.name, format!("ip addr del {ip}/{len} dev {dev}"))
            .fix(&node.name, format!("ip addr add {ip}/{len} dev {dev}{default}"));
        Some(case)
    })
}

/// `kubectl logs` of a pod of a node.
fn logs(network: &Network, node: &Node) -> Option<Probe> {
    let admin = network.admin();
    let pod = network.pods_on(&node.name).next().filter(|_| !admin.is_empty())?;
    let logs = format!("kubectl -n {} logs {}", pod.namespace, pod.name);
    Some(Probe::once(At::host(admin), To::Address(node.ip.into()), Way::Typed(logs)))
}

fn kubelet_stopped(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let object = Object::Process { name: "kubelet".to_owned() };
        let case = Case::on(&node.name, logs(network, node)?, object)
            .cause(format!("the kubelet of {} doesn't run", node.name))
            .breaks(&node.name, "systemctl stop kubelet")
            .fix(&node.name, "systemctl start kubelet");
        Some(case)
    })
}

fn node_ip(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        if node.control_plane {
            return None;
        }
        // An address that the control plane doesn't reach: of a card with a network of its own.
        let (_, private) = node.cards.first()?;
        let shared = network.nodes.iter().any(|other| {
            other.name != node.name && other.cards.iter().any(|(_, net)| net.addr() == private.addr())
        });
        let object = Object::Flag { component: "kubelet".to_owned(), flag: "--node-ip".to_owned() };
        let edit = |from: std::net::Ipv4Addr, to: std::net::Ipv4Addr| {
            format!(
                "sed -i 's/--node-ip={from}/--node-ip={to}/' /etc/default/kubelet && systemctl restart kubelet"
            )
        };
        let case = Case::on(&node.name, logs(network, node)?, object)
            .cause(format!("the kubelet of {} registered {}, not {}", node.name, private.addr(), node.ip))
            .breaks(&node.name, edit(node.ip, private.addr()))
            .fix(&node.name, edit(private.addr(), node.ip));
        shared.then_some(case)
    })
}

fn api_server_stopped(network: &Network) -> Vec<Case> {
    let Some(master) = network.nodes.iter().find(|node| node.control_plane) else { return Vec::new() };
    let service = network.services.iter().find(|service| service.name == "kubernetes");
    let far = network.pods.iter().find(|pod| pod.node != master.name);
    let (Some(service), Some(pod)) = (service, far) else { return Vec::new() };
    let to = To::Service(service.namespace.clone(), service.name.clone());
    let probe = Probe::once(pod.at(), to, Way::Typed(format!("nc -z -w 2 ADDRESS {}", service.port)));
    let object = Object::Process { name: "kube-apiserver".to_owned() };
    let case = Case::on(&master.name, probe, object)
        .cause(format!("kube-apiserver doesn't run on {}", master.name))
        .breaks(&master.name, "systemctl stop kube-apiserver")
        .fix(&master.name, "systemctl start kube-apiserver");
    vec![case]
}
