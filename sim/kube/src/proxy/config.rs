//! What a proxier is told.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

/// One of the two families of addresses; a kube-proxy of both runs a proxier for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl Family {
    /// The family of an address.
    pub fn of(ip: &IpAddr) -> Self {
        if ip.is_ipv6() { Self::Ipv6 } else { Self::Ipv4 }
    }

    /// As objects name it: `IPv4`, `IPv6`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
        }
    }
}

/// Whose proxier it is: each wrote other rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Profile {
    /// Kubernetes 1.30.
    #[default]
    V1_30,
    /// What was to become 1.9, of November 2017.
    V1_9,
    /// What was to become 1.2, of February 2016: the rules of 1.1, but the mark is one bit.
    V1_1,
}

impl Profile {
    /// The profile that a release's number stands for.
    pub fn of(text: &str) -> Option<Self> {
        [Self::V1_30, Self::V1_9, Self::V1_1].into_iter().find(|profile| profile.name() == text)
    }

    /// The profile of a version such as `v1.9.11`; the rules of 1.28 and later are those of 1.30.
    pub fn of_version(text: &str) -> Option<Self> {
        let (major, rest) = text.strip_prefix('v')?.split_once('.')?;
        let minor: u32 = rest.split(['.', '-', '+']).next()?.parse().ok()?;
        match (major, minor) {
            ("1", 28..=32) => Some(Self::V1_30),
            ("1", 9) => Some(Self::V1_9),
            ("1", 1 | 2) => Some(Self::V1_1),
            _ => None,
        }
    }

    /// The release's number: `1.30`, `1.9`, `1.1`.
    pub fn name(self) -> &'static str {
        match self {
            Self::V1_30 => "1.30",
            Self::V1_9 => "1.9",
            Self::V1_1 => "1.1",
        }
    }
}

/// How a kube-proxy brings packets to endpoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// By rules of iptables.
    #[default]
    Iptables,
    /// By virtual servers of the kernel.
    Ipvs,
    /// By rules of nftables.
    Nftables,
    /// By taking connections itself: until 1.25.
    Userspace,
}

impl Mode {
    /// The mode of that name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Iptables, Self::Ipvs, Self::Nftables, Self::Userspace]
            .into_iter()
            .find(|mode| mode.name() == text)
    }

    /// Its name, as configurations have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Iptables => "iptables",
            Self::Ipvs => "ipvs",
            Self::Nftables => "nftables",
            Self::Userspace => "userspace",
        }
    }
}

/// How a proxier tells the traffic of this node's pods from other traffic.
/// Kubernetes: `LocalTrafficDetector`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LocalDetector {
    /// It can't.
    #[default]
    None,
    /// By the source address: `ClusterCIDR`, `NodeCIDR`.
    Source(IpNet),
    /// By the bridge that pods are on: `BridgeInterface`.
    Bridge(String),
    /// By what the names of pods' interfaces begin with: `InterfaceNamePrefix`.
    Prefix(String),
}

impl LocalDetector {
    /// What matches traffic from pods; none if that can't be told.
    pub fn if_local(&self) -> Option<String> {
        Some(match self {
            Self::None => return None,
            Self::Source(net) => format!("-s {net}"),
            Self::Bridge(name) => format!("-i {name}"),
            Self::Prefix(prefix) => format!("-i {prefix}+"),
        })
    }

    /// What matches all other traffic.
    pub fn if_not_local(&self) -> Option<String> {
        self.if_local().map(|local| format!("! {local}"))
    }
}

/// What a proxier is told; the defaults are those of kube-proxy 1.30.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyConfig {
    /// Whose rules are written. Older ones know neither the networks of node ports nor detectors
    /// other than a network of pods, and leave what they don't know aside.
    pub profile: Profile,
    /// How it does its work.
    pub mode: Mode,
    /// What stands for the node's main address unless it is any; where the userspace mode listens.
    pub bind_address: IpAddr,
    /// In userspace mode: the first and the last of the ports that it may take; any if not given.
    pub port_range: Option<(u16, u16)>,
    /// In userspace mode: how long a UDP client may be silent.
    pub udp_idle_timeout: Duration,
    /// Endpoints on the node of this name are local.
    pub node_name: String,
    /// The node's addresses, at most one of a family.
    pub node_ips: Vec<IpAddr>,
    /// How pods of this node are told from others, for IPv4 and IPv6.
    pub detectors: [LocalDetector; 2],
    /// Whether all traffic to cluster addresses is masqueraded.
    pub masquerade_all: bool,
    /// Which bit of the mark asks for masquerading, 0 to 31.
    pub masquerade_bit: u8,
    /// The networks whose addresses take node ports; all if empty.
    pub node_port_addresses: Vec<IpNet>,
    /// Whether node ports work on 127.0.0.0/8.
    pub localhost_node_ports: bool,
    /// Whether conntrack takes packets outside the window (`nf_conntrack_tcp_be_liberal`).
    pub tcp_be_liberal: bool,
    /// The shortest time between two syncs.
    pub min_sync_period: Duration,
    /// How often the rules are looked after, and a failed sync is tried again.
    pub sync_period: Duration,
}

impl Default for ProxyConfig {
    fn default() -> Self {
        Self {
            profile: Profile::V1_30,
            mode: Mode::Iptables,
            bind_address: IpAddr::from([0, 0, 0, 0]),
            port_range: None,
            udp_idle_timeout: Duration::from_millis(250),
            node_name: String::new(),
            node_ips: Vec::new(),
            detectors: Default::default(),
            masquerade_all: false,
            masquerade_bit: 14,
            node_port_addresses: Vec::new(),
            localhost_node_ports: true,
            tcp_be_liberal: false,
            min_sync_period: Duration::from_secs(1),
            sync_period: Duration::from_secs(30),
        }
    }
}

impl ProxyConfig {
    /// The detector of a family.
    pub fn detector(&self, family: Family) -> &LocalDetector {
        let [v4, v6] = &self.detectors;
        match family {
            Family::Ipv4 => v4,
            Family::Ipv6 => v6,
        }
    }

    /// The node's address of a family.
    pub fn node_ip(&self, family: Family) -> Option<IpAddr> {
        self.node_ips.iter().find(|ip| Family::of(ip) == family).copied()
    }

    /// The network of all pods, for profiles that know no other detector.
    pub fn cluster_network(&self, family: Family) -> Option<IpNet> {
        match self.detector(family) {
            LocalDetector::Source(net) => Some(*net),
            LocalDetector::None | LocalDetector::Bridge(_) | LocalDetector::Prefix(_) => None,
        }
    }

    /// The mark that asks for masquerading.
    pub fn mark(&self) -> u32 {
        1_u32.checked_shl(self.masquerade_bit.into()).unwrap_or(0)
    }

    /// Whether node ports work on the loopback addresses of a family: never on IPv6's, and only if
    /// their network takes node ports. Kubernetes: `NewProxier`, `ContainsIPv4Loopback`.
    pub fn has_localhost_node_ports(&self, family: Family) -> bool {
        let loopback = IpAddr::from([127, 0, 0, 1]);
        let taken =
            |nets: Vec<IpNet>| nets.iter().any(|net| net.addr().is_loopback() || net.contains(&loopback));
        self.localhost_node_ports
            && family == Family::Ipv4
            && self.node_port_networks(family).is_none_or(taken)
    }

    /// The networks of a family whose addresses take node ports; none if all addresses do, which
    /// is also so if a list has no network of the family. Kubernetes: `NewNodePortAddresses`.
    pub fn node_port_networks(&self, family: Family) -> Option<Vec<IpNet>> {
        let of_family = |net: &&IpNet| Family::of(&net.addr()) == family;
        let nets: Vec<IpNet> = self.node_port_addresses.iter().filter(of_family).copied().collect();
        let every = nets.is_empty() || nets.iter().any(|net| net.prefix_len() == 0);
        (!every).then_some(nets)
    }
}
