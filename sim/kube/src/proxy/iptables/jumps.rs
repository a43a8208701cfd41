use std::borrow::Cow;
use std::fmt;

use crate::proxy::Profile;

/// The tables that hold an empty chain `KUBE-PROXY-CANARY`: if it is gone, somebody flushed them.
pub const CANARY_TABLES: [&str; 3] = ["mangle", "nat", "filter"];

/// The name of that chain.
const CANARY: &str = "KUBE-PROXY-CANARY";

/// Where a rule goes if it isn't there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// To the top of its chain: `-I`.
    First,
    /// To its end: `-A`.
    Last,
}

/// A chain, or a rule of a chain, that must exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ensure {
    /// `iptables -t TABLE -N CHAIN`, if it isn't there.
    Chain {
        /// The table.
        table: &'static str,
        /// The chain.
        chain: &'static str,
    },
    /// `iptables -t TABLE -I CHAIN RULE`, or `-A`, if `-C` doesn't find it.
    Rule {
        /// The table.
        table: &'static str,
        /// The chain.
        chain: &'static str,
        /// Where in the chain.
        place: Place,
        /// The words of the rule.
        rule: Vec<Cow<'static, str>>,
    },
}

impl Ensure {
    /// A rule at the top of a chain.
    pub fn first(table: &'static str, chain: &'static str, rule: &[&'static str]) -> Self {
        let rule = rule.iter().copied().map(Cow::from).collect();
        Self::Rule { table, chain, place: Place::First, rule }
    }

    /// A rule at the end of a chain, with what is done to a packet.
    fn last(
        table: &'static str,
        chain: &'static str,
        rule: &[&'static str],
        target: impl IntoIterator<Item = Cow<'static, str>>,
    ) -> Self {
        let rule = rule.iter().copied().map(Cow::from).chain(target).collect();
        Self::Rule { table, chain, place: Place::Last, rule }
    }
}

impl fmt::Display for Ensure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain { table, chain } => write!(f, "-t {table} -N {chain}"),
            Self::Rule { table, chain, place, rule } => {
                let add = match place {
                    Place::First => "-I",
                    Place::Last => "-A",
                };
                write!(f, "-t {table} {add} {chain}")?;
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
pub(super) fn jumps(profile: Profile, mark: &str) -> Vec<Ensure> {
    match profile {
        Profile::V1_30 => jumps_1_30(),
        Profile::V1_9 => jumps_1_9(),
        Profile::V1_1 => jumps_1_1(mark),
    }
}

/// Kubernetes: `iptablesJumpChains`, `iptablesKubeletJumpChains`.
fn jumps_1_30() -> Vec<Ensure> {
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
        ensure.push(Ensure::first(table, chain, &rule));
    }
    ensure
}

const PORTALS: [&str; 6] =
    ["-m", "comment", "--comment", "kubernetes service portals", "-j", "KUBE-SERVICES"];
const POSTROUTING: [&str; 6] =
    ["-m", "comment", "--comment", "kubernetes postrouting rules", "-j", "KUBE-POSTROUTING"];
const SNAT: [&str; 4] = ["-m", "comment", "--comment", "kubernetes service traffic requiring SNAT"];

fn jumps_1_9() -> Vec<Ensure> {
    vec![
        Ensure::Chain { table: "filter", chain: "KUBE-SERVICES" },
        Ensure::Chain { table: "nat", chain: "KUBE-SERVICES" },
        Ensure::first("filter", "INPUT", &PORTALS),
        Ensure::first("filter", "OUTPUT", &PORTALS),
        Ensure::first("nat", "OUTPUT", &PORTALS),
        Ensure::first("nat", "PREROUTING", &PORTALS),
        Ensure::Chain { table: "nat", chain: "KUBE-POSTROUTING" },
        Ensure::first("nat", "POSTROUTING", &POSTROUTING),
    ]
}

fn jumps_1_1(mark: &str) -> Vec<Ensure> {
    vec![
        Ensure::Chain { table: "nat", chain: "KUBE-SERVICES" },
        Ensure::first("nat", "OUTPUT", &PORTALS),
        Ensure::Chain { table: "nat", chain: "KUBE-SERVICES" },
        Ensure::first("nat", "PREROUTING", &PORTALS),
        Ensure::last("nat", "POSTROUTING", &SNAT, masquerade(mark)),
    ]
}

fn masquerade(mark: &str) -> [Cow<'static, str>; 6] {
    ["-m".into(), "mark".into(), "--mark".into(), mark.to_owned().into(), "-j".into(), "MASQUERADE".into()]
}

/// The mark of a bit, with its mask, as Kubernetes writes it.
pub fn mark_of(bit: u8) -> String {
    let mark = 1_u32.checked_shl(bit.into()).unwrap_or(0);
    format!("0x{mark:08x}/0x{mark:08x}")
}

/// The bit of the mark by which a kubelet drops packets. Kubernetes: `--iptables-drop-bit`.
const DROP_BIT: u8 = 15;

/// What the kubelet of a release's time ensures, from 1.4 to 1.27: a proxier of 1.9 jumps to its
/// `KUBE-MARK-DROP`. The bit says which mark asks for masquerading. Kubernetes: `syncNetworkUtil`.
pub fn kubelet(profile: Profile, masquerade_bit: u8) -> Vec<Ensure> {
    if profile != Profile::V1_9 {
        return Vec::new();
    }
    let (masq, drop) = (mark_of(masquerade_bit), mark_of(DROP_BIT));
    let mark = |mark: &str| ["-j".into(), "MARK".into(), "--set-xmark".into(), mark.to_owned().into()];
    let why = ["-m", "comment", "--comment", "kubernetes firewall for dropping marked packets", "-m", "mark"];
    let dropping = ["--mark".into(), drop.clone().into(), "-j".into(), "DROP".into()];
    vec![
        Ensure::Chain { table: "nat", chain: "KUBE-MARK-DROP" },
        Ensure::last("nat", "KUBE-MARK-DROP", &[], mark(&drop)),
        Ensure::Chain { table: "filter", chain: "KUBE-FIREWALL" },
        Ensure::last("filter", "KUBE-FIREWALL", &why, dropping),
        Ensure::first("filter", "OUTPUT", &["-j", "KUBE-FIREWALL"]),
        Ensure::first("filter", "INPUT", &["-j", "KUBE-FIREWALL"]),
        Ensure::Chain { table: "nat", chain: "KUBE-MARK-MASQ" },
        Ensure::Chain { table: "nat", chain: "KUBE-POSTROUTING" },
        Ensure::last("nat", "KUBE-MARK-MASQ", &[], mark(&masq)),
        Ensure::first("nat", "POSTROUTING", &POSTROUTING),
        Ensure::last("nat", "KUBE-POSTROUTING", &SNAT, masquerade(&masq)),
    ]
}
