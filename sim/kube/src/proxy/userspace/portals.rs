use std::borrow::Cow;
use std::net::IpAddr;

use crate::proxy::ServicePort;
use crate::proxy::iptables::{Ensure, Place};

/// The chains that hold a proxier's rules.
pub const CHAINS: [(&str, &str); 5] = [
    ("nat", "KUBE-PORTALS-CONTAINER"),
    ("nat", "KUBE-PORTALS-HOST"),
    ("nat", "KUBE-NODEPORT-CONTAINER"),
    ("nat", "KUBE-NODEPORT-HOST"),
    ("filter", "KUBE-NODEPORT-NON-LOCAL"),
];

/// The chains, and the jumps to them. Cluster addresses come first, node ports last.
/// Kubernetes: `iptablesInit`.
pub fn foundation() -> Vec<Ensure> {
    let portals = "handle ClusterIPs; NOTE: this must be before the NodePort rules";
    let node_ports = "handle service NodePorts; NOTE: this must be the last rule in the chain";
    let non_local = "Ensure that non-local NodePort traffic can flow";
    let hooks = ["PREROUTING", "OUTPUT", "PREROUTING", "OUTPUT", "INPUT"];
    let mut ensure = Vec::new();
    for ((table, chain), hook) in CHAINS.into_iter().zip(hooks) {
        let is_node_port = matches!(chain, "KUBE-NODEPORT-CONTAINER" | "KUBE-NODEPORT-HOST");
        let (place, matches, comment): (_, &[&str], _) = match table {
            "filter" => (Place::First, &[], non_local),
            _ if is_node_port => (Place::Last, &["-m", "addrtype", "--dst-type", "LOCAL"], node_ports),
            _ => (Place::First, &[], portals),
        };
        let rest = ["-m", "comment", "--comment", comment, "-j", chain];
        let rule = matches.iter().copied().chain(rest).map(Cow::from).collect();
        ensure.push(Ensure::Chain { table, chain });
        ensure.push(Ensure::Rule { table, chain: hook, place, rule });
    }
    ensure
}

/// Where the proxy listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listening {
    /// The address, which may be any.
    pub ip: IpAddr,
    /// The address to which the node's own traffic is sent if that is any.
    pub host_ip: IpAddr,
}

/// Further conditions of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Only {
    /// None.
    All,
    /// Not from a bridge.
    NotBridged,
    /// To an address of the node.
    ToNode,
}

/// The rules that lead traffic to a port at which the proxy listens.
#[derive(Clone, Copy, Debug)]
pub struct Portal<'a> {
    /// The Service's port.
    pub port: &'a ServicePort,
    /// The proxy's port.
    pub proxy_port: u16,
    /// Its addresses.
    pub listening: Listening,
}

impl Portal<'_> {
    /// Those of the cluster address or a balancer's. Kubernetes: `openOnePortal`.
    pub fn inner(&self, ip: IpAddr) -> Vec<Ensure> {
        vec![
            self.rule("KUBE-PORTALS-CONTAINER", Some(ip), self.port.port, Only::All, self.for_containers()),
            self.rule("KUBE-PORTALS-HOST", Some(ip), self.port.port, Only::All, self.for_host()),
        ]
    }

    /// Those of an external address.
    pub fn external(&self, ip: IpAddr) -> Vec<Ensure> {
        let (container, number) = ("KUBE-PORTALS-CONTAINER", self.port.port);
        vec![
            self.rule(container, Some(ip), number, Only::NotBridged, self.for_containers()),
            self.rule(container, Some(ip), number, Only::ToNode, self.for_containers()),
            self.rule("KUBE-PORTALS-HOST", Some(ip), number, Only::ToNode, self.for_host()),
        ]
    }

    /// Those of a node port. Kubernetes: `openNodePort`.
    pub fn node_port(&self, number: u16) -> Vec<Ensure> {
        let name = self.port.name.to_string();
        let mut accept: Vec<String> = ["-m", "comment", "--comment"].map(str::to_owned).to_vec();
        accept.push(name);
        accept.extend(["-m", "state", "--state", "NEW", "-j", "ACCEPT"].map(str::to_owned));
        vec![
            self.rule("KUBE-NODEPORT-CONTAINER", None, number, Only::All, self.for_containers()),
            self.rule("KUBE-NODEPORT-HOST", None, number, Only::All, self.for_host()),
            self.rule("KUBE-NODEPORT-NON-LOCAL", None, self.proxy_port, Only::All, accept),
        ]
    }

    /// What comes by a device goes to the device's own address: its answers come from there.
    fn for_containers(&self) -> Vec<String> {
        if self.listening.ip.is_unspecified() {
            ["-j", "REDIRECT", "--to-ports", &self.proxy_port.to_string()].map(str::to_owned).to_vec()
        } else {
            self.to(self.listening.ip)
        }
    }

    fn for_host(&self) -> Vec<String> {
        let Listening { ip, host_ip } = self.listening;
        self.to(if ip.is_unspecified() { host_ip } else { ip })
    }

    fn to(&self, ip: IpAddr) -> Vec<String> {
        let to = std::net::SocketAddr::new(ip, self.proxy_port).to_string();
        ["-j", "DNAT", "--to-destination", &to].map(str::to_owned).to_vec()
    }

    fn rule(
        &self,
        chain: &'static str,
        ip: Option<IpAddr>,
        number: u16,
        only: Only,
        target: Vec<String>,
    ) -> Ensure {
        let (name, protocol) = (self.port.name.to_string(), self.port.name.protocol.name());
        let mut rule: Vec<Cow<'static, str>> = vec!["-m".into(), "comment".into(), "--comment".into()];
        rule.push(name.into());
        rule.extend(["-p", protocol, "-m", protocol, "--dport"].map(Cow::from));
        rule.push(number.to_string().into());
        if let Some(ip) = ip {
            rule.extend(["-d".into(), format!("{ip}/32").into()]);
        }
        match only {
            Only::All => {}
            Only::NotBridged => rule.extend(["-m", "physdev", "!", "--physdev-is-in"].map(Cow::from)),
            Only::ToNode => rule.extend(["-m", "addrtype", "--dst-type", "LOCAL"].map(Cow::from)),
        }
        rule.extend(target.into_iter().map(Cow::from));
        let table = if chain == "KUBE-NODEPORT-NON-LOCAL" { "filter" } else { "nat" };
        Ensure::Rule { table, chain, place: Place::Last, rule }
    }
}
