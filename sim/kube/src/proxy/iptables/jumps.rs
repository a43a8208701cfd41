use std::fmt;

/// The tables that hold an empty chain `KUBE-PROXY-CANARY`: if it is gone, somebody flushed them.
pub const CANARY_TABLES: [&str; 3] = ["mangle", "nat", "filter"];

/// The name of that chain.
const CANARY: &str = "KUBE-PROXY-CANARY";

/// A chain, or a rule at the top of a chain, that must exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ensure {
    /// `iptables -t TABLE -N CHAIN`, if it isn't there.
    Chain {
        /// The table.
        table: &'static str,
        /// The chain.
        chain: &'static str,
    },
    /// `iptables -t TABLE -I CHAIN RULE`, if `-C` doesn't find it.
    Rule {
        /// The table.
        table: &'static str,
        /// The chain.
        chain: &'static str,
        /// The words of the rule.
        rule: Vec<&'static str>,
    },
}

impl fmt::Display for Ensure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain { table, chain } => write!(f, "-t {table} -N {chain}"),
            Self::Rule { table, chain, rule } => {
                write!(f, "-t {table} -I {chain}")?;
                for word in rule {
                    let quote = if word.contains(' ') { "\"" } else { "" };
                    write!(f, " {quote}{word}{quote}")?;
                }
                Ok(())
            }
        }
    }
}

/// The chains by which a proxier sees that its rules were flushed.
pub fn canaries() -> Vec<Ensure> {
    CANARY_TABLES.map(|table| Ensure::Chain { table, chain: CANARY }).to_vec()
}

/// The jumps from built-in chains into those of kube-proxy; the last stands first in its chain.
/// Kubernetes: `iptablesJumpChains`, `iptablesKubeletJumpChains`.
pub fn jumps() -> Vec<Ensure> {
    const NEW: [&str; 4] = ["-m", "conntrack", "--ctstate", "NEW"];
    let external = ("KUBE-EXTERNAL-SERVICES", "kubernetes externally-visible service portals", true);
    let services = ("KUBE-SERVICES", "kubernetes service portals", true);
    let firewall = ("KUBE-PROXY-FIREWALL", "kubernetes load balancer firewall", true);
    let all_services = ("KUBE-SERVICES", "kubernetes service portals", false);
    let localnet = ("KUBE-FIREWALL", "", false);
    let jumps = [
        ("filter", external, "INPUT"),
        ("filter", external, "FORWARD"),
        ("filter", ("KUBE-NODEPORTS", "kubernetes health check service ports", false), "INPUT"),
        ("filter", services, "FORWARD"),
        ("filter", services, "OUTPUT"),
        ("filter", ("KUBE-FORWARD", "kubernetes forwarding rules", false), "FORWARD"),
        ("filter", firewall, "INPUT"),
        ("filter", firewall, "OUTPUT"),
        ("filter", firewall, "FORWARD"),
        ("nat", all_services, "OUTPUT"),
        ("nat", all_services, "PREROUTING"),
        ("nat", ("KUBE-POSTROUTING", "kubernetes postrouting rules", false), "POSTROUTING"),
        ("filter", localnet, "INPUT"),
        ("filter", localnet, "OUTPUT"),
    ];
    let mut ensure = Vec::new();
    for (table, (target, comment, only_new), chain) in jumps {
        let mut rule = Vec::new();
        if only_new {
            rule.extend(NEW);
        }
        if !comment.is_empty() {
            rule.extend(["-m", "comment", "--comment", comment]);
        }
        rule.extend(["-j", target]);
        ensure.push(Ensure::Chain { table, chain: target });
        ensure.push(Ensure::Rule { table, chain, rule });
    }
    ensure
}
