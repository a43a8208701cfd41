use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use super::NodeView;
use super::table::Table;
use crate::proxy::names::Chain;
use crate::proxy::{Endpoint, Family, ProxyConfig, ServiceName, ServicePort, Tracker, Usable};

/// Writes what `iptables-restore` gets. Kubernetes: `syncProxyRules`.
pub(super) struct Writer<'a> {
    pub family: Family,
    pub config: &'a ProxyConfig,
    pub tracker: &'a Tracker,
    pub zone: Option<&'a str>,
    pub node: &'a NodeView,
    /// The Services whose own chains are written; all if none are named.
    pub changed: Option<&'a BTreeSet<ServiceName>>,
    /// Whether the cluster is so large that endpoints get no comments.
    pub large: bool,
    /// Whether chains that nobody needs are deleted.
    pub cleans: bool,
}

/// What the filter table does to traffic that has no endpoint.
struct Refusal {
    comment: String,
    target: &'static str,
}

/// A port with what was decided about it.
struct Plan<'a> {
    port: &'a ServicePort,
    usable: Usable<'a>,
    /// What happens to traffic to the cluster address that can't be served.
    internal_refusal: Option<Refusal>,
    /// And to traffic from outside.
    external_refusal: Option<Refusal>,
    cluster_chain: Chain,
    local_chain: Chain,
    external_chain: Chain,
    firewall_chain: Chain,
}

impl<'a> Plan<'a> {
    fn new(port: &'a ServicePort, usable: Usable<'a>) -> Self {
        let refusal = |stays_local: bool| {
            let (what, target) = match () {
                () if !usable.any => ("has no endpoints", "REJECT"),
                () if stays_local && usable.local.is_empty() => ("has no local endpoints", "DROP"),
                () => return None,
            };
            Some(Refusal { comment: format!("\"{} {what}\"", port.name), target })
        };
        Self {
            internal_refusal: refusal(port.internal_local),
            external_refusal: refusal(port.external_local),
            cluster_chain: port.name.chain("KUBE-SVC-"),
            local_chain: port.name.chain("KUBE-SVL-"),
            external_chain: port.name.chain("KUBE-EXT-"),
            firewall_chain: port.name.chain("KUBE-FW-"),
            port,
            usable,
        }
    }

    fn internal_chain(&self) -> Chain {
        if self.port.internal_local { self.local_chain } else { self.cluster_chain }
    }

    fn has_cluster_chain(&self) -> bool {
        self.port.uses_cluster() && !self.usable.cluster.is_empty()
    }

    fn has_local_chain(&self) -> bool {
        self.port.uses_local() && !self.usable.local.is_empty()
    }

    /// The chain of traffic from outside exists even if no such traffic can be served: traffic of
    /// the node's own takes another way in it.
    fn has_external_chain(&self) -> bool {
        self.usable.any && self.port.is_external()
    }

    fn has_firewall_chain(&self) -> bool {
        self.usable.any && !self.port.balancer_ips.is_empty() && !self.port.source_ranges.is_empty()
    }

    /// The port's own chains, in the order of their declaration, without those of endpoints.
    fn chains(&self) -> impl Iterator<Item = Chain> {
        let chains = [
            (self.has_external_chain(), self.external_chain),
            (self.has_firewall_chain(), self.firewall_chain),
            (self.has_cluster_chain(), self.cluster_chain),
            (self.has_local_chain(), self.local_chain),
        ];
        chains.into_iter().filter(|(exists, _)| *exists).map(|(_, chain)| chain)
    }

    /// What matches traffic to a port of an address.
    fn to(&self, ip: IpAddr) -> To {
        To { protocol: self.port.name.protocol.name(), ip, port: self.port.port }
    }
}

/// A match.
struct To {
    protocol: &'static str,
    ip: IpAddr,
    port: u16,
}

impl fmt::Display for To {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, ip, port } = self;
        write!(f, "-m {protocol} -p {protocol} -d {ip} --dport {port}")
    }
}

impl Writer<'_> {
    /// The parts of both tables.
    pub fn write(&self) -> (String, String) {
        let mut filter = Table::new(&[
            "KUBE-SERVICES",
            "KUBE-EXTERNAL-SERVICES",
            "KUBE-FORWARD",
            "KUBE-NODEPORTS",
            "KUBE-PROXY-FIREWALL",
        ]);
        let mut nat = Table::new(&["KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-POSTROUTING", "KUBE-MARK-MASQ"]);
        self.masquerade(&mut nat);
        if self.has_localhost() {
            filter.chain("KUBE-FIREWALL");
            filter.rule(
                "KUBE-FIREWALL",
                "-m comment --comment \"block incoming localnet connections\" -d 127.0.0.0/8 ! -s 127.0.0.0/8 \
                 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP",
            );
        }
        let mut active = BTreeSet::new();
        for port in self.tracker.ports() {
            let usable = Usable::of(self.tracker.endpoints(&port.name), port, self.zone);
            let plan = Plan::new(port, usable);
            self.captures(&plan, &mut nat);
            self.refusals(&plan, &mut filter);
            if self.changed.is_none_or(|changed| changed.contains(&port.service)) {
                self.service_chains(&plan, &mut nat);
            }
            if self.cleans {
                active.extend(plan.chains().map(|chain| chain.to_string()));
                let endpoints = plan.usable.reachable.iter();
                active.extend(endpoints.map(|endpoint| endpoint.chain.to_string()));
            }
        }
        if self.cleans {
            self.delete_others(&active, &mut nat);
        }
        self.node_ports(&mut nat);
        self.forward(&mut filter);
        (filter.text("filter"), nat.text("nat"))
    }

    fn has_localhost(&self) -> bool {
        self.config.has_localhost_node_ports(self.family)
    }

    fn mark(&self) -> String {
        format!("0x{:08x}", self.config.mark())
    }

    fn masquerade(&self, nat: &mut Table) {
        let mark = self.mark();
        nat.rule("KUBE-POSTROUTING", format_args!("-m mark ! --mark {mark}/{mark} -j RETURN"));
        nat.rule("KUBE-POSTROUTING", format_args!("-j MARK --xor-mark {mark}"));
        let why = "kubernetes service traffic requiring SNAT";
        nat.rule(
            "KUBE-POSTROUTING",
            format_args!("-m comment --comment \"{why}\" -j MASQUERADE --random-fully"),
        );
        nat.rule("KUBE-MARK-MASQ", format_args!("-j MARK --or-mark {mark}"));
    }

    /// The rules by which traffic to a port comes to its chains.
    fn captures(&self, plan: &Plan<'_>, nat: &mut Table) {
        let Plan { port, usable, external_chain, .. } = plan;
        let mut capture = |what: &str, ip: IpAddr, target: Chain| {
            let (name, to) = (&port.name, plan.to(ip));
            let comment = format_args!("-m comment --comment \"{name} {what}\"");
            nat.rule("KUBE-SERVICES", format_args!("{comment} {to} -j {target}"));
        };
        if plan.internal_refusal.is_none() {
            capture("cluster IP", port.cluster_ip, plan.internal_chain());
        }
        if !usable.any {
            return;
        }
        for ip in &port.external_ips {
            capture("external IP", *ip, *external_chain);
        }
        for ip in &port.balancer_ips {
            let chain = if plan.has_firewall_chain() { plan.firewall_chain } else { *external_chain };
            capture("loadbalancer IP", *ip, chain);
        }
        if let Some(number) = port.node_port {
            let (name, protocol) = (&port.name, port.name.protocol.name());
            let matches = format!("-m comment --comment {name} -m {protocol} -p {protocol} --dport {number}");
            nat.rule("KUBE-NODEPORTS", format_args!("{matches} -j {external_chain}"));
        }
    }

    /// The rules for traffic to a port that nobody answers, and for health checks.
    fn refusals(&self, plan: &Plan<'_>, filter: &mut Table) {
        let port = plan.port;
        let name = &port.name;
        if let Some(Refusal { comment, target }) = &plan.internal_refusal {
            let to = plan.to(port.cluster_ip);
            filter.rule("KUBE-SERVICES", format_args!("-m comment --comment {comment} {to} -j {target}"));
        }
        let external = "KUBE-EXTERNAL-SERVICES";
        let refuse = |filter: &mut Table, ip: &IpAddr| {
            let Some(Refusal { comment, target }) = &plan.external_refusal else { return };
            filter
                .rule(external, format_args!("-m comment --comment {comment} {} -j {target}", plan.to(*ip)));
        };
        port.external_ips.iter().for_each(|ip| refuse(filter, ip));
        if plan.has_firewall_chain() {
            for ip in &port.balancer_ips {
                let comment = format!("\"{name} traffic not accepted by {}\"", plan.firewall_chain);
                let to = plan.to(*ip);
                filter
                    .rule("KUBE-PROXY-FIREWALL", format_args!("-m comment --comment {comment} {to} -j DROP"));
            }
        }
        port.balancer_ips.iter().for_each(|ip| refuse(filter, ip));
        if let (Some(number), Some(Refusal { comment, target })) = (port.node_port, &plan.external_refusal) {
            let protocol = name.protocol.name();
            let local = "-m addrtype --dst-type LOCAL";
            let matches = format!("{local} -m {protocol} -p {protocol} --dport {number}");
            filter.rule(external, format_args!("-m comment --comment {comment} {matches} -j {target}"));
        }
        if let Some(number) = port.health_check_node_port {
            let comment = format!("\"{name} health check node port\"");
            let matches = format!("-m tcp -p tcp --dport {number}");
            filter.rule("KUBE-NODEPORTS", format_args!("-m comment --comment {comment} {matches} -j ACCEPT"));
        }
    }

    /// The chains of a port and its endpoints.
    fn service_chains(&self, plan: &Plan<'_>, nat: &mut Table) {
        let Plan { port, usable, .. } = plan;
        if plan.internal_refusal.is_none() {
            self.internal_masquerade(plan, nat);
        }
        if plan.has_external_chain() {
            self.external_rules(plan, nat);
        }
        if plan.has_firewall_chain() {
            self.firewall_rules(plan, nat);
        }
        plan.chains().for_each(|chain| nat.chain(chain));
        if plan.has_cluster_chain() {
            self.balance(port, plan.cluster_chain, &usable.cluster, nat);
        }
        if plan.has_local_chain() {
            self.balance(port, plan.local_chain, &usable.local, nat);
        }
        for endpoint in &usable.reachable {
            self.endpoint_rules(port, endpoint, nat);
        }
    }

    /// Traffic to the cluster address from outside the cluster is masqueraded: its answers must
    /// come back through this node.
    fn internal_masquerade(&self, plan: &Plan<'_>, nat: &mut Table) {
        let from = match self.config.detector(self.family).if_not_local() {
            _ if self.config.masquerade_all => String::new(),
            Some(not_local) => format!(" {not_local}"),
            None => return,
        };
        let (name, to) = (&plan.port.name, plan.to(plan.port.cluster_ip));
        let matches = format!("-m comment --comment \"{name} cluster IP\" {to}{from}");
        nat.rule(plan.internal_chain(), format_args!("{matches} -j KUBE-MARK-MASQ"));
    }

    fn external_rules(&self, plan: &Plan<'_>, nat: &mut Table) {
        let Plan { port, external_chain: chain, cluster_chain, local_chain, .. } = plan;
        let comment = |what: &str| {
            let name = &port.name;
            format!("-m comment --comment \"{what} traffic for {name} external destinations\"")
        };
        if port.external_local {
            if let Some(local) = self.config.detector(self.family).if_local() {
                nat.rule(chain, format_args!("{} {local} -j {cluster_chain}", comment("pod")));
            }
            let local = "-m addrtype --src-type LOCAL";
            nat.rule(chain, format_args!("{} {local} -j KUBE-MARK-MASQ", comment("masquerade LOCAL")));
            nat.rule(chain, format_args!("{} {local} -j {cluster_chain}", comment("route LOCAL")));
        } else {
            nat.rule(chain, format_args!("{} -j KUBE-MARK-MASQ", comment("masquerade")));
        }
        if plan.external_refusal.is_none() {
            let policy_chain = if port.external_local { local_chain } else { cluster_chain };
            nat.rule(chain, format_args!("-j {policy_chain}"));
        }
    }

    fn firewall_rules(&self, plan: &Plan<'_>, nat: &mut Table) {
        let Plan { port, firewall_chain: chain, external_chain, .. } = plan;
        let name = &port.name;
        let comment = format!("-m comment --comment \"{name} loadbalancer IP\"");
        for range in &port.source_ranges {
            nat.rule(chain, format_args!("{comment} -s {range} -j {external_chain}"));
        }
        // A node that has the balancer's address itself sends from it.
        let node_ip = self.config.node_ip(self.family);
        if node_ip.is_some_and(|ip| port.source_ranges.iter().any(|range| range.contains(&ip))) {
            for ip in &port.balancer_ips {
                nat.rule(chain, format_args!("{comment} -s {ip} -j {external_chain}"));
            }
        }
        let what = format!("other traffic to {name} will be dropped by KUBE-PROXY-FIREWALL");
        nat.rule(chain, format_args!("-m comment --comment \"{what}\""));
    }

    /// Sends the traffic of a chain to endpoints: to the one that the client had before, else to
    /// each with the same probability. Kubernetes: `writeServiceToEndpointRules`.
    fn balance(&self, port: &ServicePort, chain: Chain, endpoints: &[&Endpoint], nat: &mut Table) {
        let comment = |endpoint: &Endpoint| {
            self.endpoint_comment(format_args!("\"{} -> {}\"", port.name, endpoint.text))
        };
        if let Some(timeout) = port.affinity {
            let seconds = timeout.as_secs();
            for endpoint in endpoints {
                let target = endpoint.chain;
                let recent = format!("-m recent --name {target} --rcheck --seconds {seconds} --reap");
                nat.rule(chain, format_args!("{}{recent} -j {target}", comment(endpoint)));
            }
        }
        for (rank, endpoint) in endpoints.iter().enumerate() {
            let target = endpoint.chain;
            let left = endpoints.len() - rank;
            let share = match left {
                1 => String::new(),
                left => format!("-m statistic --mode random --probability {} ", probability(left)),
            };
            nat.rule(chain, format_args!("{}{share}-j {target}", comment(endpoint)));
        }
    }

    fn endpoint_rules(&self, port: &ServicePort, endpoint: &Endpoint, nat: &mut Table) {
        let chain = endpoint.chain;
        let comment = self.endpoint_comment(format_args!("{}", port.name));
        nat.chain(chain);
        nat.rule(chain, format_args!("{comment}-s {} -j KUBE-MARK-MASQ", endpoint.address.ip()));
        let recent = match port.affinity {
            Some(_) => format!("-m recent --name {chain} --set "),
            None => String::new(),
        };
        let (protocol, to) = (port.name.protocol.name(), &endpoint.text);
        let target = format!("-m {protocol} -p {protocol} -j DNAT --to-destination {to}");
        nat.rule(chain, format_args!("{comment}{recent}{target}"));
    }

    fn endpoint_comment(&self, text: std::fmt::Arguments<'_>) -> String {
        if self.large { String::new() } else { format!("-m comment --comment {text} ") }
    }

    /// Deletes the chains of Services and endpoints that are no more; declaring a chain empties it.
    fn delete_others(&self, active: &BTreeSet<String>, nat: &mut Table) {
        const PREFIXES: [&str; 5] = ["KUBE-SVC-", "KUBE-SVL-", "KUBE-SEP-", "KUBE-FW-", "KUBE-EXT-"];
        for chain in self.node.nat_chains.difference(active) {
            if PREFIXES.iter().any(|prefix| chain.starts_with(prefix)) {
                nat.delete(chain);
            }
        }
    }

    /// The jump to node ports, the last of `KUBE-SERVICES`.
    fn node_ports(&self, nat: &mut Table) {
        let why = "kubernetes service nodeports; NOTE: this must be the last rule in this chain";
        let mut jump = |matches: &str| {
            let rule = format!("-m comment --comment \"{why}\" {matches} -j KUBE-NODEPORTS");
            nat.rule("KUBE-SERVICES", rule);
        };
        let Some(nets) = self.config.node_port_networks(self.family) else {
            return jump(match self.family {
                Family::Ipv6 => "-m addrtype --dst-type LOCAL ! -d ::1/128",
                Family::Ipv4 if self.has_localhost() => "-m addrtype --dst-type LOCAL",
                Family::Ipv4 => "-m addrtype --dst-type LOCAL ! -d 127.0.0.0/8",
            });
        };
        let matching = self.node.addresses.iter().filter(|ip| nets.iter().any(|net| net.contains(*ip)));
        let usable = matching.filter(|ip| self.has_localhost() || !ip.is_loopback());
        for ip in usable.map(ToString::to_string).collect::<BTreeSet<_>>() {
            jump(&format!("-d {ip}"));
        }
    }

    fn forward(&self, filter: &mut Table) {
        let mark = self.mark();
        if !self.config.tcp_be_liberal {
            filter.rule("KUBE-FORWARD", "-m conntrack --ctstate INVALID -j DROP");
        }
        let why = "-m comment --comment \"kubernetes forwarding rules\"";
        filter.rule("KUBE-FORWARD", format_args!("{why} -m mark --mark {mark}/{mark} -j ACCEPT"));
        let why = "-m comment --comment \"kubernetes forwarding conntrack rule\"";
        let state = "-m conntrack --ctstate RELATED,ESTABLISHED";
        filter.rule("KUBE-FORWARD", format_args!("{why} {state} -j ACCEPT"));
    }
}

/// One of so many, as kube-proxy writes it. Kubernetes: `computeProbability`.
fn probability(of: usize) -> String {
    let of = u32::try_from(of).unwrap_or(u32::MAX);
    format!("{:.10}", 1.0 / f64::from(of))
}
