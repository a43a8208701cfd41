//! Addresses that are translated wrongly, or not at all.

use std::net::Ipv4Addr;

use super::filter::First;
use super::network::{Network, Node};
use super::probe::{At, Probe, To, Way};
use super::{Case, Fault};
use crate::culprit::{Culprit, Object};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "masquerade-off",
        cause: "flanneld runs without --ip-masq: the world sees pods' addresses and can't answer",
        about: &["I20"],
        cases: masquerade_off,
    },
    Fault {
        name: "masquerade-skipped",
        cause: "a rule in front of the masquerading lets pods' packets out with pods' addresses",
        about: &["I20"],
        cases: masquerade_skipped,
    },
    Fault {
        name: "snat-to-old-address",
        cause: "a rule gives what leaves a node an address that nobody has any more",
        about: &["issue 8"],
        cases: snat_to_old,
    },
    Fault {
        name: "masquerade-to-pods",
        cause: "a rule masquerades what goes between pods: servers see a node instead of the client",
        about: &["issue 8"],
        cases: masquerade_to_pods,
    },
    Fault {
        name: "dnat-of-former-owner",
        cause: "a rule of a former owner sends a Service's address to a pod that is gone",
        about: &["INC-043", "issue 8"],
        cases: dnat_of_former_owner,
    },
    Fault {
        name: "legacy-nat-of-former-proxy",
        cause: "a proxy that used the older iptables left its nat rules there: they still translate",
        about: &["INC-043", "issue 8"],
        cases: legacy_nat,
    },
    Fault {
        name: "host-port-of-former-pod",
        cause: "a rule for a host port leads to a pod that is gone",
        about: &["issue 8"],
        cases: host_port_of_former_pod,
    },
    Fault {
        name: "external-ip-takes-kubelet-port",
        cause: "a Service has a node's address as external IP and the kubelet's port: its rules come first",
        about: &["INC-081"],
        cases: external_ip_takes_kubelet,
    },
    Fault {
        name: "nat-rules-flushed",
        cause: "somebody flushed the nat table of a node, and kube-proxy doesn't notice",
        about: &["issue 8"],
        cases: nat_flushed,
    },
    Fault {
        name: "host-port-rules-flushed",
        cause: "a firewall's restart flushed all tables of a node: nobody writes host ports' rules again",
        about: &["INC-040"],
        cases: host_port_flushed,
    },
];

/// Gives flanneld another first argument.
pub(super) fn ip_masq(value: &str) -> String {
    format!(
        "kubectl -n kube-flannel patch daemonset kube-flannel-ds --type json -p \
         '[{{\"op\":\"replace\",\"path\":\"/spec/template/spec/containers/0/args/0\",\"value\":\"{value}\"}}]' && kubectl -n \
         kube-flannel rollout status daemonset kube-flannel-ds"
    )
}

/// Deletes what a flanneld with `--ip-masq` has left.
pub(super) const DROP_MASQUERADE: &str = "iptables -t nat -D POSTROUTING -m comment --comment 'flanneld masq' -j \
     FLANNEL-POSTRTG && iptables -t nat -F FLANNEL-POSTRTG && iptables -t nat -X FLANNEL-POSTRTG";

fn masquerade_off(network: &Network) -> Vec<Case> {
    if !network.flannel || network.nodes.iter().any(|node| node.bridge.is_none()) {
        return Vec::new();
    }
    let Some(pod) = network.pods.first() else { return Vec::new() };
    let Some(probe) = network.to_internet(pod.at()) else { return Vec::new() };
    let object = Object::Flag { component: "flanneld".to_owned(), flag: "--ip-masq".to_owned() };
    let mut case = Case::new("cluster", probe, Culprit::in_cluster(object))
        .cause("flanneld's --ip-masq is false: what pods send to the world keeps their addresses")
        .breaks(network.admin(), ip_masq("--ip-masq=false"))
        .fix(network.admin(), ip_masq("--ip-masq"));
    for node in &network.nodes {
        // What the old one wrote stays until the node boots again.
        case = case.breaks(&node.name, DROP_MASQUERADE);
    }
    vec![case]
}

fn masquerade_skipped(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let pod = network.pods_on(&node.name).next()?;
        let rule = format!("-s {} -j ACCEPT", network.pod_cidr);
        let first = First { node: &node.name, program: "iptables", table: "nat", chain: "POSTROUTING", rule };
        Some(first.case(network.to_internet(pod.at())?))
    })
}

fn snat_to_old(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let pod = network.pods_on(&node.name).next()?;
        let probe = network.to_internet(pod.at())?;
        let (_, out) = node.gateway.as_ref()?;
        let old = Ipv4Addr::from(u32::from(node.subnet.broadcast()) - 5);
        let rule = format!("-s {} -o {out} -j SNAT --to-source {old}", node.pod_cidr?);
        let first = First { node: &node.name, program: "iptables", table: "nat", chain: "POSTROUTING", rule };
        Some(first.case(probe))
    })
}

fn masquerade_to_pods(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let from = network.pods_on(&node.name).next()?;
        let to = network.pods.iter().find(|pod| pod.node != node.name && pod.image.contains("go-probe"))?;
        // It says who asks.
        let text = format!(
            "curl -s -m 2 http://ADDRESS:{}/ | grep -q \"RemoteAddr: $(ip -4 -o addr show eth0 | sed 's/.*inet \\([0-9.]*\\).*/\\1/'):\"",
            to.tcp()?
        );
        let probe = network.pair(from, to, Way::Typed(text));
        let rule = format!("-s {} -d {} -j MASQUERADE", network.pod_cidr, network.pod_cidr);
        let first = First { node: &node.name, program: "iptables", table: "nat", chain: "POSTROUTING", rule };
        Some(first.case(probe))
    })
}

fn dnat_of_former_owner(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let service = network.tcp_services().next()?;
        let pod = network.pods_on(&node.name).next()?;
        let gone = gone(node)?;
        let rule = format!(
            "-d {}/32 -p tcp -m tcp --dport {} -j DNAT --to-destination {gone}:{}",
            service.ip,
            service.port,
            service.target.unwrap_or(80)
        );
        let first = First { node: &node.name, program: "iptables", table: "nat", chain: "PREROUTING", rule };
        Some(first.case(network.to_service(pod.at(), service)))
    })
}

fn legacy_nat(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let service = network.tcp_services().next()?;
        let pod = network.pods_on(&node.name).next()?;
        let rule = format!(
            "-d {}/32 -p tcp -m tcp --dport {} -j DNAT --to-destination {}:{}",
            service.ip,
            service.port,
            gone(node)?,
            service.target.unwrap_or(80)
        );
        let object =
            Object::Rule { table: "legacy nat".to_owned(), chain: "KUBE-SERVICES".to_owned(), text: rule.clone() };
        let legacy = "iptables-legacy -t nat";
        let case = Case::on(&node.name, network.to_service(pod.at(), service), object)
            .cause(format!("the older iptables of {} still has a proxy's rule for {}", node.name, service.ip))
            .breaks(
                &node.name,
                format!(
                    "{legacy} -N KUBE-SERVICES && {legacy} -A KUBE-SERVICES {rule} && {legacy} -I PREROUTING -j \
                     KUBE-SERVICES"
                ),
            )
            .fix(&node.name, format!("{legacy} -F KUBE-SERVICES"));
        Some(case)
    })
}

/// An address of a node's pods that none has.
fn gone(node: &Node) -> Option<Ipv4Addr> {
    Some(Ipv4Addr::from(u32::from(node.pod_cidr?.broadcast()) - 10))
}

fn host_port_of_former_pod(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let pod = network.pods_on(&node.name).find(|pod| !pod.host_ports.is_empty())?;
        let (host, own) = *pod.host_ports.first()?;
        let client = network.client_of(node)?;
        let probe = Probe::once(client, To::Address(node.ip.into()), Way::Http(host));
        let gone = gone(node)?;
        let rule = format!("-p tcp -m tcp --dport {host} -j DNAT --to-destination {gone}:{own}");
        let first =
            First { node: &node.name, program: "iptables", table: "nat", chain: "CNI-HOSTPORT-DNAT", rule };
        Some(first.case(probe))
    })
}

fn external_ip_takes_kubelet(network: &Network) -> Vec<Case> {
    let admin = network.admin();
    network.each_node(|node| {
        let pod = network.pods_on(&node.name).next().filter(|_| node.name != admin && !admin.is_empty())?;
        let (service, _) = network.single()?;
        let logs = format!("kubectl -n {} logs {}", pod.namespace, pod.name);
        let probe = Probe::once(At::host(admin), To::Address(node.ip.into()), Way::Typed(logs));
        let object = service_field(&service.namespace, "agent", "spec.externalIPs");
        let selector =
            serde_json::json!(service.selector.iter().cloned().collect::<std::collections::BTreeMap<_, _>>());
        let manifest = serde_json::json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "agent", "namespace": service.namespace},
            "spec": {
                "selector": selector,
                "externalIPs": [node.ip.to_string()],
                "ports": [{"port": 10250, "targetPort": service.target.unwrap_or(80)}],
            },
        });
        let case = Case::new(&node.name, probe, Culprit::in_cluster(object))
            .cause(format!(
                "the Service agent takes {}:10250, where the kubelet of {} listens",
                node.ip, node.name
            ))
            .breaks(admin, format!("echo '{manifest}' | kubectl apply -f -"))
            .fix(admin, format!("kubectl -n {} delete service agent", service.namespace));
        Some(case)
    })
}

pub(super) fn service_field(namespace: &str, name: &str, field: &str) -> Object {
    Object::ApiObject {
        kind: "Service".to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        field: field.to_owned(),
    }
}

fn nat_flushed(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let service = network.tcp_services().next()?;
        let pod = network.pods_on(&node.name).next()?;
        let object = Object::Rule { table: "nat".to_owned(), chain: "PREROUTING".to_owned(), text: String::new() };
        // The chains stay, and with them the one by which kube-proxy notices a flush.
        let case = Case::on(&node.name, network.to_service(pod.at(), service), object)
            .cause(format!("the chains of nat on {} are empty", node.name))
            .breaks(&node.name, "iptables -t nat -F")
            .fix(
                network.admin(),
                format!(
                    "kubectl -n kube-system delete pod -l k8s-app=kube-proxy --field-selector spec.nodeName={}",
                    node.name
                ),
            );
        (!network.admin().is_empty()).then_some(case)
    })
}

fn host_port_flushed(network: &Network) -> Vec<Case> {
    let admin = network.admin();
    network.each_node(|node| {
        let pod =
            network.pods_on(&node.name).find(|pod| !pod.host_ports.is_empty() && !pod.owner.is_empty())?;
        let (host, _) = *pod.host_ports.first()?;
        let client = network.client_of(node).filter(|_| !admin.is_empty())?;
        let probe = Probe::once(client, To::Address(node.ip.into()), Way::Http(host));
        let object = Object::Rule {
            table: "nat".to_owned(),
            chain: "CNI-HOSTPORT-DNAT".to_owned(),
            text: String::new(),
        };
        let flush =
            "for table in raw mangle nat filter; do iptables -t $table -F; iptables -t $table -X; done";
        let case = Case::on(&node.name, probe, object)
            .cause(format!("the rules of host ports on {} are gone", node.name))
            .breaks(&node.name, flush)
            .fix(admin, format!("kubectl -n {} delete pod {}", pod.namespace, pod.name));
        Some(case)
    })
}
