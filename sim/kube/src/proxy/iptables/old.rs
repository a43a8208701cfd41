use std::collections::BTreeSet;
use std::net::IpAddr;

use super::table::Table;
use super::{LocalPort, NodeView, mark_of};
use crate::proxy::names::Chain;
use crate::proxy::{Endpoint, Family, Profile, ProxyConfig, ServicePort, Tracker};

/// Writes what `iptables-restore` gets from proxiers before 1.30: everything, at each sync.
/// Kubernetes: `syncProxyRules` of those days.
pub(super) struct Writer<'a> {
    pub family: Family,
    pub config: &'a ProxyConfig,
    pub tracker: &'a Tracker,
    pub node: &'a NodeView,
    /// Ports that somebody else has.
    pub refused: &'a BTreeSet<LocalPort>,
    pub filter: Table,
    pub nat: Table,
    active: BTreeSet<String>,
    held: Vec<LocalPort>,
}

/// What a writer has written.
pub(super) struct Written {
    pub filter: String,
    pub nat: String,
    pub held: Vec<LocalPort>,
}

/// A port with its endpoints and chains.
struct Plan<'a> {
    port: &'a ServicePort,
    endpoints: &'a [Endpoint],
    chain: Chain,
    /// For traffic from outside that stays on the node.
    local_chain: Chain,
}

impl Plan<'_> {
    /// What matches traffic to the port, on an address or on all.
    fn to(&self, what: &str, ip: IpAddr) -> String {
        let (name, protocol) = (&self.port.name, self.port.name.protocol.name());
        let comment = format!("-m comment --comment \"{name} {what}\"");
        format!("{comment} -m {protocol} -p {protocol} -d {} --dport {}", network(ip), self.port.port)
    }

    /// The comment of rules that need no other.
    fn comment(&self) -> String {
        format!("-m comment --comment {}", self.port.name)
    }
}

/// An address as the network of it alone. Kubernetes: `ToCIDR`.
fn network(ip: IpAddr) -> String {
    format!("{ip}/{}", if ip.is_ipv6() { 128 } else { 32 })
}

impl<'a> Writer<'a> {
    pub fn new(
        (family, config): (Family, &'a ProxyConfig),
        tracker: &'a Tracker,
        node: &'a NodeView,
        refused: &'a BTreeSet<LocalPort>,
    ) -> Self {
        let chains: &[&str] = match config.profile {
            Profile::V1_1 => &["KUBE-SERVICES", "KUBE-NODEPORTS"],
            _ => &["KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-POSTROUTING", "KUBE-MARK-MASQ"],
        };
        let (filter, nat) = (Table::new(&["KUBE-SERVICES"]), Table::new(chains));
        let (active, held) = (BTreeSet::new(), Vec::new());
        Self { family, config, tracker, node, refused, filter, nat, active, held }
    }

    fn is_1_1(&self) -> bool {
        self.config.profile == Profile::V1_1
    }

    /// The target that asks for masquerading.
    fn mark_masquerade(&self) -> String {
        match self.config.profile {
            Profile::V1_1 => format!("MARK --set-xmark {}", mark_of(self.config.masquerade_bit)),
            _ => "KUBE-MARK-MASQ".to_owned(),
        }
    }

    pub fn write(mut self) -> Written {
        if !self.is_1_1() {
            let mark = mark_of(self.config.masquerade_bit);
            let why = "-m comment --comment \"kubernetes service traffic requiring SNAT\"";
            self.nat.rule("KUBE-POSTROUTING", format_args!("{why} -m mark --mark {mark} -j MASQUERADE"));
            self.nat.rule("KUBE-MARK-MASQ", format_args!("-j MARK --set-xmark {mark}"));
        }
        for port in self.tracker.ports() {
            self.service(&Plan {
                port,
                endpoints: self.tracker.endpoints(&port.name),
                chain: port.name.chain("KUBE-SVC-"),
                local_chain: port.name.chain("KUBE-XLB-"),
            });
        }
        self.delete_others();
        let why = "kubernetes service nodeports; NOTE: this must be the last rule in this chain";
        let jump = "-m addrtype --dst-type LOCAL -j KUBE-NODEPORTS";
        self.nat.rule("KUBE-SERVICES", format_args!("-m comment --comment \"{why}\" {jump}"));
        // 1.1 has nothing for the table of filters.
        let filter = if self.is_1_1() { String::new() } else { self.filter.text("filter") };
        Written { filter, nat: self.nat.text("nat"), held: self.held }
    }

    fn declare(&mut self, chain: Chain) {
        self.nat.chain(chain);
        self.active.insert(chain.to_string());
    }

    fn service(&mut self, plan: &Plan<'_>) {
        self.declare(plan.chain);
        if plan.port.external_local {
            self.declare(plan.local_chain);
        }
        self.cluster_address(plan);
        for ip in &plan.port.external_ips {
            self.external_address(plan, *ip);
        }
        for ip in &plan.port.balancer_ips {
            self.balancer_address(plan, *ip);
        }
        // The real one gives up the whole Service if it can't have its node port.
        if let Some(number) = plan.port.node_port
            && !self.node_port(plan, number)
        {
            return;
        }
        if plan.endpoints.is_empty() {
            self.reject(&plan.to("has no endpoints", plan.port.cluster_ip));
            return;
        }
        self.balance(plan);
        if plan.port.external_local {
            self.balance_locally(plan);
        }
    }

    /// Traffic to a Service without endpoints.
    fn reject(&mut self, matches: &str) {
        self.filter.rule("KUBE-SERVICES", format_args!("{matches} -j REJECT"));
    }

    fn cluster_address(&mut self, plan: &Plan<'_>) {
        let to = plan.to("cluster IP", plan.port.cluster_ip);
        let from = match self.config.cluster_network(self.family).filter(|_| !self.is_1_1()) {
            _ if self.config.masquerade_all => Some(String::new()),
            Some(net) => Some(format!(" ! -s {net}")),
            None => None,
        };
        if let Some(from) = from {
            let target = self.mark_masquerade();
            self.nat.rule("KUBE-SERVICES", format_args!("{to}{from} -j {target}"));
        }
        self.nat.rule("KUBE-SERVICES", format_args!("{to} -j {}", plan.chain));
    }

    /// Takes a port, unless somebody else has it.
    fn hold(&mut self, port: LocalPort) -> bool {
        let is_free = !self.refused.contains(&port);
        if is_free {
            self.held.push(port);
        }
        is_free
    }

    /// Only traffic from off the machine comes through, and what the node takes for its own.
    fn external_address(&mut self, plan: &Plan<'_>, ip: IpAddr) {
        let is_ours = self.node.addresses.contains(&ip);
        if is_ours && !self.hold(LocalPort::of_address(plan.port, ip)) {
            return;
        }
        let to = plan.to("external IP", ip);
        let target = self.mark_masquerade();
        self.nat.rule("KUBE-SERVICES", format_args!("{to} -j {target}"));
        let outside = "-m physdev ! --physdev-is-in -m addrtype ! --src-type LOCAL";
        self.nat.rule("KUBE-SERVICES", format_args!("{to} {outside} -j {}", plan.chain));
        let own = "-m addrtype --dst-type LOCAL";
        self.nat.rule("KUBE-SERVICES", format_args!("{to} {own} -j {}", plan.chain));
        if plan.endpoints.is_empty() {
            self.reject(&plan.to("has no endpoints", ip));
        }
    }

    fn balancer_address(&mut self, plan: &Plan<'_>, ip: IpAddr) {
        let to = plan.to("loadbalancer IP", ip);
        let masquerade = self.mark_masquerade();
        if self.is_1_1() {
            self.nat.rule("KUBE-SERVICES", format_args!("{to} -j {masquerade}"));
            self.nat.rule("KUBE-SERVICES", format_args!("{to} -j {}", plan.chain));
            return;
        }
        let port = plan.port;
        let chain = port.name.chain("KUBE-FW-");
        self.declare(chain);
        self.nat.rule("KUBE-SERVICES", format_args!("{to} -j {chain}"));
        let comment = format!("-m comment --comment \"{} loadbalancer IP\"", port.name);
        let mut target = plan.local_chain;
        if !port.external_local {
            self.nat.rule(chain, format_args!("{comment} -j {masquerade}"));
            target = plan.chain;
        }
        if port.source_ranges.is_empty() {
            self.nat.rule(chain, format_args!("{comment} -j {target}"));
        }
        for range in &port.source_ranges {
            self.nat.rule(chain, format_args!("{comment} -s {range} -j {target}"));
        }
        // A node that has the balancer's address itself sends from it.
        let node_ip = self.config.node_ip(self.family).unwrap_or(IpAddr::from([127, 0, 0, 1]));
        if port.source_ranges.iter().any(|range| range.contains(&node_ip)) {
            self.nat.rule(chain, format_args!("{comment} -s {} -j {target}", network(ip)));
        }
        self.nat.rule(chain, format_args!("{comment} -j KUBE-MARK-DROP"));
    }

    /// Says whether the proxier has the port.
    fn node_port(&mut self, plan: &Plan<'_>, number: u16) -> bool {
        if !self.hold(LocalPort::of_node(plan.port, number)) {
            return false;
        }
        let protocol = plan.port.name.protocol.name();
        let matches = format!("{} -m {protocol} -p {protocol} --dport {number}", plan.comment());
        if plan.port.external_local {
            self.nat.rule("KUBE-NODEPORTS", format_args!("{matches} -j {}", plan.local_chain));
        } else {
            let target = self.mark_masquerade();
            self.nat.rule("KUBE-NODEPORTS", format_args!("{matches} -j {target}"));
            self.nat.rule("KUBE-NODEPORTS", format_args!("{matches} -j {}", plan.chain));
        }
        if plan.endpoints.is_empty() {
            let comment = format!("-m comment --comment \"{} has no endpoints\"", plan.port.name);
            let local = "-m addrtype --dst-type LOCAL";
            self.reject(&format!("{comment} {local} -m {protocol} -p {protocol} --dport {number}"));
        }
        true
    }

    /// Sends the traffic of a port to its endpoints: to the one that the client had before, else to
    /// each with the same probability.
    fn balance(&mut self, plan: &Plan<'_>) {
        let (port, comment) = (plan.port, plan.comment());
        for endpoint in plan.endpoints {
            self.declare(endpoint.chain);
        }
        if let Some(timeout) = port.affinity {
            for endpoint in plan.endpoints {
                let (target, seconds) = (endpoint.chain, timeout.as_secs());
                let recent = format!("-m recent --name {target} --rcheck --seconds {seconds} --reap");
                self.nat.rule(plan.chain, format_args!("{comment} {recent} -j {target}"));
            }
        }
        let (protocol, masquerade) = (port.name.protocol.name(), self.mark_masquerade());
        for (rank, endpoint) in plan.endpoints.iter().enumerate() {
            let target = endpoint.chain;
            let share = share(rank, plan.endpoints.len());
            self.nat.rule(plan.chain, format_args!("{comment}{share} -j {target}"));
            let from = network(endpoint.address.ip());
            self.nat.rule(target, format_args!("{comment} -s {from} -j {masquerade}"));
            let recent = match port.affinity {
                Some(_) => format!(" -m recent --name {target} --set"),
                None => String::new(),
            };
            let to = format!("-m {protocol} -p {protocol} -j DNAT --to-destination {}", endpoint.text);
            self.nat.rule(target, format_args!("{comment}{recent} {to}"));
        }
    }

    /// Sends traffic from outside to endpoints on the node, and that of pods to all.
    fn balance_locally(&mut self, plan: &Plan<'_>) {
        let chain = plan.local_chain;
        if let Some(net) = self.config.cluster_network(self.family) {
            let why = "Redirect pods trying to reach external loadbalancer VIP to clusterIP";
            let rule = format_args!("-m comment --comment \"{why}\" -s {net} -j {}", plan.chain).to_string();
            self.nat.rule(chain, rule);
        }
        let name = &plan.port.name;
        let local: Vec<&Endpoint> = plan.endpoints.iter().filter(|endpoint| endpoint.is_local).collect();
        if local.is_empty() {
            let comment = format!("-m comment --comment \"{name} has no local endpoints\"");
            self.nat.rule(chain, format_args!("{comment} -j KUBE-MARK-DROP"));
        }
        for (rank, endpoint) in local.iter().enumerate() {
            let comment = format!("-m comment --comment \"Balancing rule {rank} for {name}\"");
            let (share, target) = (share(rank, local.len()), endpoint.chain);
            self.nat.rule(chain, format_args!("{comment}{share} -j {target}"));
        }
    }

    /// Deletes the chains of Services and endpoints that are no more.
    fn delete_others(&mut self) {
        let prefixes: &[&str] = match self.config.profile {
            Profile::V1_1 => &["KUBE-SVC-", "KUBE-SEP-"],
            _ => &["KUBE-SVC-", "KUBE-SEP-", "KUBE-FW-", "KUBE-XLB-"],
        };
        for chain in self.node.nat_chains.difference(&self.active) {
            if prefixes.iter().any(|prefix| chain.starts_with(prefix)) {
                self.nat.delete(chain);
            }
        }
    }
}

/// The match by which the endpoint of a rank gets its share; the last takes the rest.
fn share(rank: usize, of: usize) -> String {
    match of - rank {
        1 => String::new(),
        left => {
            let left = u32::try_from(left).unwrap_or(u32::MAX);
            format!(" -m statistic --mode random --probability {:.5}", 1.0 / f64::from(left))
        }
    }
}
