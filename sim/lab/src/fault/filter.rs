//! Rules and policies that refuse what should pass.

use super::network::Network;
use super::probe::{At, Probe, To, Way};
use super::{Case, Fault, Node};
use crate::culprit::{Culprit, Object};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "forward-policy-drop",
        cause: "the policy of FORWARD is DROP on a node, and nothing accepts pods' packets before",
        about: &["I7", "INC-039"],
        cases: forward_policy,
    },
    Fault {
        name: "forward-rule-drop",
        cause: "a rule that somebody put first in FORWARD drops what pods send",
        about: &["I7"],
        cases: forward_rule,
    },
    Fault {
        name: "forward-rule-reject",
        cause: "a rule that somebody put first in FORWARD rejects what is for pods",
        about: &["I7"],
        cases: forward_reject,
    },
    Fault {
        name: "firewalld-forward",
        cause: "firewalld flushed the tables when it started; its last rule rejects what is forwarded",
        about: &["INC-037"],
        cases: firewalld_forward,
    },
    Fault {
        name: "firewalld-overlay",
        cause: "firewalld's zone lets in ssh and nothing else: the tunnel's datagrams are rejected",
        about: &["INC-037"],
        cases: firewalld_overlay,
    },
    Fault {
        name: "ufw-overlay",
        cause: "ufw denies what comes in: the policy of INPUT drops the tunnel's datagrams",
        about: &["issue 8"],
        cases: ufw_overlay,
    },
    Fault {
        name: "overlay-port-dropped",
        cause: "a rule of a node drops the tunnel's UDP port",
        about: &["I3"],
        cases: overlay_port,
    },
    Fault {
        name: "overlay-output-dropped",
        cause: "a rule of a node doesn't let the tunnel's datagrams out",
        about: &["I3"],
        cases: overlay_output,
    },
    Fault {
        name: "legacy-and-nft",
        cause: "rules of the older iptables are still active beside the newer ones, and one of them drops",
        about: &["issue 8"],
        cases: legacy_and_nft,
    },
    Fault {
        name: "raw-drop",
        cause: "a rule in raw PREROUTING drops packets before anything else sees them",
        about: &["I7"],
        cases: raw_drop,
    },
    Fault {
        name: "peer-banned",
        cause: "a daemon that bans hosts has banned another node",
        about: &["issue 8"],
        cases: peer_banned,
    },
    Fault {
        name: "kubelet-port-blocked",
        cause: "a node's firewall drops the API server's connections to the kubelet: no logs, no exec",
        about: &["I15", "issue 8"],
        cases: kubelet_port,
    },
    Fault {
        name: "apiserver-port-blocked",
        cause: "the control plane's firewall drops connections to the API server",
        about: &["I14", "issue 8"],
        cases: api_server_port,
    },
    Fault {
        name: "health-check-blocked",
        cause: "a node's firewall drops the kubelet's probes: its pods are taken out of Services",
        about: &["issue 8"],
        cases: health_check,
    },
    Fault {
        name: "host-port-blocked",
        cause: "a node's firewall drops what clients send to node ports",
        about: &["I7"],
        cases: node_port_blocked,
    },
    Fault {
        name: "pod-firewall",
        cause: "a pod has rules of its own that drop what comes in",
        about: &["I13"],
        cases: pod_firewall,
    },
];

/// A rule that is put first.
pub(super) struct First<'a> {
    /// Where.
    pub node: &'a str,
    /// The program: `iptables` or `iptables-legacy`.
    pub program: &'a str,
    /// Table.
    pub table: &'a str,
    /// Chain.
    pub chain: &'a str,
    /// The rule as `iptables -S` prints it.
    pub rule: String,
}

impl First<'_> {
    pub(super) fn case(&self, probe: Probe) -> Case {
        let Self { node, program, table, chain, rule } = self;
        let which = if *table == "filter" { String::new() } else { format!("-t {table} ") };
        let prefix = if *program == "iptables-legacy" { "legacy " } else { "" };
        let object = Object::Rule {
            table: format!("{prefix}{table}"),
            chain: (*chain).to_owned(),
            text: rule.clone(),
        };
        Case::on(node, probe, object)
            .cause(format!("`{rule}` stands first in {prefix}{table} {chain} of {node}"))
            .breaks(node, format!("{program} {which}-I {chain} {rule}"))
            .fix(node, format!("{program} {which}-D {chain} {rule}"))
    }
}

fn first(node: &Node, chain: &str, rule: String, probe: Probe) -> Case {
    First { node: &node.name, program: "iptables", table: "filter", chain, rule }.case(probe)
}

fn forward_policy(network: &Network) -> Vec<Case> {
    let admin = network.admin();
    network.each_node(|node| {
        let object = Object::Policy { table: "filter".to_owned(), chain: "FORWARD".to_owned() };
        let mut case = Case::on(&node.name, network.to_pod_of(node)?, object)
            .cause(format!("the policy of FORWARD is DROP on {}", node.name));
        if network.flannel {
            // As flannel was before it accepted what is from and for pods.
            let patch = "kubectl -n kube-flannel patch daemonset kube-flannel-ds --type json -p \
                         '[{\"op\":\"add\",\"path\":\"/spec/template/spec/containers/0/args/-\",\"value\":\
                         \"--iptables-forward-rules=false\"}]' && kubectl -n kube-flannel rollout status daemonset \
                         kube-flannel-ds";
            let flush = "iptables -D FORWARD -m comment --comment 'flanneld forward' -j FLANNEL-FWD && iptables -F \
                         FLANNEL-FWD && iptables -X FLANNEL-FWD";
            case = case.prepares(admin, patch).prepares(&node.name, flush);
        }
        Some(case.breaks(&node.name, "iptables -P FORWARD DROP").fix(&node.name, "iptables -P FORWARD ACCEPT"))
    })
}

fn forward_rule(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let rule = format!("-s {} -j DROP", network.pod_cidr);
        Some(first(node, "FORWARD", rule, network.pod_of_to_others(node)?))
    })
}

fn forward_reject(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let rule = format!("-d {} -j REJECT --reject-with icmp-port-unreachable", node.pod_cidr?);
        Some(first(node, "FORWARD", rule, network.to_pod_of(node)?))
    })
}

/// What firewalld with iptables as its backend does when it starts: it flushes all tables, then adds
/// its chains. `zone` is what its public zone lets in.
fn firewalld(chain: &str, zone: &str) -> String {
    let flush = "for table in raw mangle nat filter; do iptables -t $table -F; iptables -t $table -X; done";
    let direct = format!("{chain}_direct");
    let zones = format!("{chain}_ZONES");
    let rules = [
        "*filter".to_owned(),
        format!(":{direct} - [0:0]"),
        format!(":{zones} - [0:0]"),
        format!("-A {chain} -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT"),
        format!("-A {chain} -i lo -j ACCEPT"),
        format!("-A {chain} -j {direct}"),
        format!("-A {chain} -j {zones}"),
        format!("-A {chain} -m conntrack --ctstate INVALID -j DROP"),
        format!("-A {chain} {REJECT}"),
        zone.to_owned(),
        "COMMIT".to_owned(),
    ];
    let rules: Vec<&str> = rules.iter().map(String::as_str).filter(|line| !line.is_empty()).collect();
    format!("{flush}; printf '{}\\n' | iptables-restore --noflush", rules.join("\\n"))
}

/// firewalld's last rule.
const REJECT: &str = "-j REJECT --reject-with icmp-host-prohibited";

fn firewalld_case(node: &Node, chain: &str, zone: &str, probe: Probe) -> Case {
    let object =
        Object::Rule { table: "filter".to_owned(), chain: chain.to_owned(), text: REJECT.to_owned() };
    Case::on(&node.name, probe, object)
        .cause(format!("firewalld's chain {chain} on {} ends with REJECT", node.name))
        .breaks(&node.name, firewalld(chain, zone))
        .fix(&node.name, format!("iptables -D {chain} {REJECT}"))
}

fn firewalld_forward(network: &Network) -> Vec<Case> {
    network.each_node(|node| Some(firewalld_case(node, "FORWARD", "", network.to_pod_of(node)?)))
}

fn firewalld_overlay(network: &Network) -> Vec<Case> {
    let zone = "-A INPUT_ZONES -p tcp -m tcp --dport 22 -j ACCEPT\\n-A INPUT_ZONES -p tcp -m tcp --dport 6443 -j \
                ACCEPT\\n-A INPUT_ZONES -p tcp -m tcp --dport 10250 -j ACCEPT";
    tunneled(network, |node, probe| firewalld_case(node, "INPUT", zone, probe))
}

/// A case for each node to which a tunnel leads from another.
fn tunneled(network: &Network, make: impl Fn(&Node, Probe) -> Case) -> Vec<Case> {
    network.each_node(|node| {
        let from = network.tunnel_to(node)?;
        Some(make(node, network.between(from, node)?))
    })
}

fn ufw_overlay(network: &Network) -> Vec<Case> {
    let rules = [
        "-A INPUT -j ufw-before-input",
        "-A INPUT -j ufw-user-input",
        "-A ufw-before-input -i lo -j ACCEPT",
        "-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "-A ufw-before-input -p icmp --icmp-type echo-request -j ACCEPT",
        "-A ufw-user-input -p tcp -m multiport --dports 22,6443,10250 -j ACCEPT",
    ];
    let restore = format!(
        "printf '*filter\\n:ufw-before-input - [0:0]\\n:ufw-user-input - [0:0]\\n{}\\nCOMMIT\\n' | iptables-restore \
         --noflush && iptables -P INPUT DROP",
        rules.join("\\n")
    );
    tunneled(network, |node, probe| {
        let object = Object::Policy { table: "filter".to_owned(), chain: "INPUT".to_owned() };
        let allow = network.tunnel_match(node);
        Case::on(&node.name, probe, object)
            .cause(format!("ufw on {} drops what no rule of it lets in, the tunnel too", node.name))
            .breaks(&node.name, restore.clone())
            .fix(&node.name, format!("iptables -A ufw-user-input {allow} -j ACCEPT"))
    })
}

fn overlay_port(network: &Network) -> Vec<Case> {
    tunneled(network, |node, probe| {
        first(node, "INPUT", format!("{} -j DROP", network.tunnel_match(node)), probe)
    })
}

fn overlay_output(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let to = network.nodes.iter().find(|to| network.is_tunneled(node, to))?;
        let rule = format!("{} -j DROP", network.tunnel_match(node));
        Some(first(node, "OUTPUT", rule, network.between(node, to)?))
    })
}

fn legacy_and_nft(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let rule = format!("-s {} -j DROP", network.pod_cidr);
        let rule =
            First { node: &node.name, program: "iptables-legacy", table: "filter", chain: "FORWARD", rule };
        Some(rule.case(network.pod_of_to_others(node)?))
    })
}

fn raw_drop(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let rule = format!("-s {} -j DROP", node.pod_cidr?);
        let rule = First { node: &node.name, program: "iptables", table: "raw", chain: "PREROUTING", rule };
        Some(rule.case(network.pod_of_to_others(node)?))
    })
}

fn peer_banned(network: &Network) -> Vec<Case> {
    let mut cases = Vec::new();
    for node in &network.nodes {
        let Some(from) = network.tunnel_to(node) else { continue };
        let Some(probe) = network.between(from, node) else { continue };
        let rule = format!("-s {}/32 -j REJECT --reject-with icmp-port-unreachable", from.ip);
        let object =
            Object::Rule { table: "filter".to_owned(), chain: "f2b-sshd".to_owned(), text: rule.clone() };
        let case = Case::on(&node.name, probe, object)
            .cause(format!("fail2ban on {} has banned {}", node.name, from.name))
            .breaks(
                &node.name,
                format!(
                    "iptables -N f2b-sshd && iptables -A f2b-sshd {rule} && iptables -I INPUT -j f2b-sshd"
                ),
            )
            .fix(&node.name, format!("iptables -D f2b-sshd {rule}"));
        cases.push(case);
    }
    cases
}

fn kubelet_port(network: &Network) -> Vec<Case> {
    let admin = network.admin();
    network.each_node(|node| {
        let pod = network.pods_on(&node.name).next().filter(|_| node.name != admin && !admin.is_empty())?;
        let address = To::Address(node.ip.into());
        let logs = format!("kubectl -n {} logs {}", pod.namespace, pod.name);
        let probe = Probe::once(At::host(admin), address, Way::Typed(logs));
        Some(first(node, "INPUT", "-p tcp -m tcp --dport 10250 -j DROP".to_owned(), probe))
    })
}

fn api_server_port(network: &Network) -> Vec<Case> {
    let Some(master) = network.nodes.iter().find(|node| node.control_plane) else { return Vec::new() };
    let far = network.pods.iter().find(|pod| pod.node != master.name);
    let service = network.services.iter().find(|service| service.name == "kubernetes");
    let (Some(pod), Some(service)) = (far, service) else { return Vec::new() };
    let to = To::Service(service.namespace.clone(), service.name.clone());
    let way = Way::Typed(format!("nc -z -w 2 ADDRESS {}", service.port));
    let probe = Probe::once(pod.at(), to, way);
    let port = service.target.unwrap_or(6443);
    vec![first(master, "INPUT", format!("-p tcp -m tcp --dport {port} -j DROP"), probe)]
}

fn health_check(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        // A Service whose endpoints are all probed and here.
        let service = network
            .tcp_services()
            .find(|service| network.endpoints(service).all(|pod| pod.node == node.name && pod.is_probed))?;
        let client = network.pods.iter().find(|pod| pod.node != node.name)?;
        let rule = format!("-d {} -p tcp -j DROP", node.pod_cidr?);
        Some(first(node, "OUTPUT", rule, network.to_service(client.at(), service)))
    })
}

fn node_port_blocked(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let (_, probe, service) = network.to_node_port(node)?;
        let port = service.node_port?;
        let rule = format!("-p tcp -m tcp --dport {port} -j DROP");
        let rule =
            First { node: &node.name, program: "iptables", table: "mangle", chain: "PREROUTING", rule };
        Some(rule.case(probe))
    })
}

fn pod_firewall(network: &Network) -> Vec<Case> {
    network.each_node(|node| {
        let pod = network.server_on(&node.name)?;
        let place = pod.place();
        let rule = format!("-p tcp -m tcp --dport {} -j DROP", pod.tcp()?);
        let object =
            Object::Rule { table: "filter".to_owned(), chain: "INPUT".to_owned(), text: rule.clone() };
        let case = Case::new(&place, network.to_pod(pod)?, Culprit::on(pod.spot(), object))
            .cause(format!("{place} drops what comes in by a rule of its own"))
            .breaks(&place, format!("iptables -I INPUT {rule}"))
            .fix(&place, format!("iptables -D INPUT {rule}"));
        Some(case)
    })
}
