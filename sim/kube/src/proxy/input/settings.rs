use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use k8s_openapi::api::core::v1::Node;

use super::configuration::KubeProxyConfiguration;
use super::{Document, GoDuration, InputError, Notice, validation};
use crate::proxy::{Family, LocalDetector, Mode, Profile, ProxyConfig};

/// How traffic from pods is told from other traffic. Kubernetes: `LocalMode`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detection {
    /// By the networks of all pods, at most one of a family.
    ClusterNetworks(Vec<IpNet>),
    /// By the networks of the node's pods.
    NodeNetworks,
    /// By a bridge.
    Bridge(String),
    /// By the beginning of interfaces' names.
    Prefix(String),
}

/// Pods are told by the network of a Node that has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoPodNetwork;

/// What a configuration says; the objects say the rest.
#[derive(Clone, Debug)]
pub struct Settings {
    pub config: ProxyConfig,
    pub detection: Detection,
    /// The families if the configuration names them.
    pub families: Option<Vec<Family>>,
    /// Whether node ports are taken on the node's main addresses only.
    pub primary_node_ports: bool,
    pub sysctls: Vec<(String, String)>,
    pub notices: Vec<Notice>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            config: ProxyConfig::default(),
            detection: Detection::ClusterNetworks(Vec::new()),
            families: None,
            primary_node_ports: false,
            sysctls: Vec::new(),
            notices: Vec::new(),
        }
    }
}

/// Feature gates of 1.30 that change what a proxier writes, with their defaults.
const GATES: [(&str, bool); 4] = [
    ("LoadBalancerIPMode", true),
    ("MinimizeIPTablesRestore", true),
    ("ServiceTrafficDistribution", false),
    ("TopologyAwareHints", true),
];

/// A feature gate that is set to what isn't simulated, and a text that says so.
fn other_gate(file: &KubeProxyConfiguration) -> Option<(&'static str, String)> {
    GATES.iter().find_map(|(gate, usual)| {
        let said = file.feature_gates.as_ref()?.get(*gate)?;
        (said != usual).then(|| (*gate, format!("feature gate {gate}={said} is not simulated")))
    })
}

/// What kube-proxy's own configuration says.
pub fn of_configuration(document: &Document<'_>, profile: Profile) -> Result<Settings, Vec<InputError>> {
    let file: KubeProxyConfiguration = crate::api::read(&document.manifest.object)
        .map_err(|mismatch| vec![document.error(&mismatch.path, mismatch.message, None)])?;
    let wrong = validation::validate(&file, profile);
    if !wrong.is_empty() {
        let error = |(path, invalid): &validation::Wrong| document.error(path, invalid.to_string(), None);
        return Err(wrong.iter().map(error).collect());
    }
    if let Some((gate, message)) = other_gate(&file) {
        return Err(vec![document.error(&format!("featureGates.{gate}"), message, None)]);
    }
    Ok(Settings::of(file, profile))
}

/// The first and the last port of a range; none if it says nothing or `0-0`.
/// Kubernetes: `ParsePortRange`.
pub fn port_range(text: &str) -> Result<Option<(u16, u16)>, String> {
    let wrong = || format!("unable to parse port range: {text}");
    let ports = match text.trim().split_once('-') {
        _ if text.trim().is_empty() => return Ok(None),
        Some((first, last)) => (first.parse(), last.parse()),
        None => (text.trim().parse(), text.trim().parse()),
    };
    let (Ok(first), Ok(last)) = ports else { return Err(wrong()) };
    if first > last {
        return Err(format!("end port cannot be less than start port: {text}"));
    }
    Ok(Some((first, last)).filter(|range| *range != (0, 0)))
}

impl Settings {
    /// What a configuration says that stands in no file.
    ///
    /// # Errors
    /// What a kube-proxy of that release says when it ends, or that something isn't simulated.
    pub fn checked(file: KubeProxyConfiguration, profile: Profile) -> Result<Self, String> {
        if let (Profile::V1_1, Some(mode)) = (profile, &file.mode)
            && validation::unknown_mode(mode, profile, false).is_some()
        {
            return Err(format!("Unknown proxy-mode flag: {mode}"));
        }
        let wrong = validation::validate(&file, profile);
        let wrong: Vec<String> = wrong.iter().map(|(_, invalid)| invalid.to_string()).collect();
        match &wrong[..] {
            [] => {}
            [only] => return Err(format!("failed validate: {only}")),
            all => return Err(format!("failed validate: [{}]", all.join(", "))),
        }
        match other_gate(&file) {
            Some((_, message)) => Err(format!("hoplab: {message}")),
            None => Ok(Self::of(file, profile)),
        }
    }

    /// What a configuration without mistakes says, with the defaults of 1.30.
    fn of(file: KubeProxyConfiguration, profile: Profile) -> Self {
        let text = |text: Option<String>| text.unwrap_or_default();
        let local = file.detect_local.unwrap_or_default();
        let detection = match file.detect_local_mode.as_deref().unwrap_or_default() {
            "NodeCIDR" => Detection::NodeNetworks,
            "BridgeInterface" => Detection::Bridge(text(local.bridge_interface)),
            "InterfaceNamePrefix" => Detection::Prefix(text(local.interface_name_prefix)),
            _ => {
                let nets = text(file.cluster_cidr);
                Detection::ClusterNetworks(nets.split(',').filter_map(|net| net.parse().ok()).collect())
            }
        };
        let defaults = ProxyConfig::default();
        let iptables = file.iptables.unwrap_or_default();
        let period = |said: Option<GoDuration>, usual: std::time::Duration| {
            said.map(GoDuration::positive).filter(|period| !period.is_zero()).unwrap_or(usual)
        };
        let node_ports = file.node_port_addresses.unwrap_or_default();
        let conntrack = file.conntrack.unwrap_or_default();
        let bit = iptables.masquerade_bit.and_then(|bit| u8::try_from(bit).ok());
        let bind_address = file.bind_address.and_then(|ip| ip.parse().ok());
        Self {
            config: ProxyConfig {
                profile,
                mode: file.mode.as_deref().and_then(Mode::parse).unwrap_or_default(),
                bind_address: bind_address.unwrap_or(defaults.bind_address),
                port_range: file.port_range.and_then(|range| port_range(&range).ok().flatten()),
                udp_idle_timeout: period(file.udp_idle_timeout, defaults.udp_idle_timeout),
                node_name: text(file.hostname_override).trim().to_lowercase(),
                masquerade_all: iptables.masquerade_all.unwrap_or(false),
                masquerade_bit: bit.unwrap_or(defaults.masquerade_bit),
                localhost_node_ports: iptables.localhost_node_ports.unwrap_or(true),
                node_port_addresses: node_ports.iter().filter_map(|net| net.parse().ok()).collect(),
                tcp_be_liberal: conntrack.tcp_be_liberal.unwrap_or(false),
                min_sync_period: period(iptables.min_sync_period, defaults.min_sync_period),
                sync_period: period(iptables.sync_period, defaults.sync_period),
                ..defaults
            },
            detection,
            primary_node_ports: node_ports.first().is_some_and(|first| first == "primary"),
            sysctls: conntrack.sysctls(),
            ..Self::default()
        }
    }
}

impl Settings {
    /// Decides which node the proxy is on, and takes from its Node what the configuration leaves
    /// open.
    pub fn find_node(
        &mut self,
        asked: Option<&str>,
        nodes: &BTreeMap<String, Arc<Node>>,
    ) -> Result<Option<Arc<Node>>, InputError> {
        if let Some(name) = asked.filter(|name| *name != self.config.node_name) {
            // The addresses that are written down are another node's.
            self.config.node_name = name.to_owned();
            self.config.node_ips.clear();
        }
        if self.config.node_name.is_empty() {
            let mut names = nodes.keys();
            match (names.next(), names.next()) {
                (Some(only), None) => self.config.node_name.clone_from(only),
                (None, _) => {}
                _ => return Err(InputError::WhichNode { names: nodes.keys().cloned().collect() }),
            }
        }
        let name = self.config.node_name.clone();
        let node = nodes.get(&name).cloned();
        if node.is_none() && self.config.node_ips.is_empty() {
            let text = match name.as_str() {
                "" => "no Node: the proxy knows no address of its own, and no endpoint is local".to_owned(),
                name => format!("no Node {name:?}: the proxy knows no address of its own"),
            };
            self.notices.push(Notice { file: String::new(), line: 0, text });
        }
        let missing = |NoPodNetwork| InputError::NoPodNetwork { node: name };
        self.config = self.on_node(node.as_deref()).map_err(missing)?;
        Ok(node)
    }

    /// Takes from a Node what the configuration leaves open. Kubernetes: `detectNodeIPs`,
    /// `getLocalDetector`.
    ///
    /// # Errors
    /// Pods are told by the Node's network, and it has none.
    pub fn on_node(&self, node: Option<&Node>) -> Result<ProxyConfig, NoPodNetwork> {
        let mut config = self.config.clone();
        if config.node_ips.is_empty() {
            config.node_ips = main_addresses(node);
        }
        let ip = config.bind_address;
        if !ip.is_unspecified() {
            config.node_ips.retain(|other| Family::of(other) != Family::of(&ip));
            config.node_ips.insert(0, ip);
        }
        if self.primary_node_ports {
            config.node_port_addresses = config.node_ips.iter().copied().map(IpNet::from).collect();
        }
        let networks = match &self.detection {
            Detection::ClusterNetworks(networks) => networks.clone(),
            Detection::NodeNetworks => pod_networks(node),
            Detection::Bridge(_) | Detection::Prefix(_) => Vec::new(),
        };
        if self.detection == Detection::NodeNetworks && networks.is_empty() {
            return Err(NoPodNetwork);
        }
        config.detectors = [Family::Ipv4, Family::Ipv6].map(|family| {
            let source = networks.iter().find(|net| Family::of(&net.addr()) == family);
            match &self.detection {
                Detection::Bridge(name) => LocalDetector::Bridge(name.clone()),
                Detection::Prefix(prefix) => LocalDetector::Prefix(prefix.clone()),
                _ => source.map_or(LocalDetector::None, |net| LocalDetector::Source(*net)),
            }
        });
        Ok(config)
    }

    /// The families that there is a proxier for: those that the configuration names, or else those
    /// of the node's addresses and of the pods' networks.
    ///
    /// Simplified: a real kube-proxy runs one for IPv6 wherever the kernel has ip6tables.
    pub fn families(&self) -> Vec<Family> {
        if let Some(families) = &self.families {
            return families.clone();
        }
        let sources = self.config.detectors.iter().filter_map(|detector| match detector {
            LocalDetector::Source(net) => Some(Family::of(&net.addr())),
            _ => None,
        });
        let mut families: Vec<Family> = Vec::new();
        for family in self.config.node_ips.iter().map(Family::of).chain(sources) {
            if !families.contains(&family) {
                families.push(family);
            }
        }
        if families.is_empty() { vec![Family::Ipv4] } else { families }
    }

    /// All addresses of the node, its main ones first.
    pub fn addresses(&self, node: Option<&Node>) -> Vec<IpAddr> {
        let mut addresses = self.config.node_ips.clone();
        // External ones are usually another machine's, which translates them.
        for ip in addresses_of(node, "InternalIP") {
            if !addresses.contains(&ip) {
                addresses.push(ip);
            }
        }
        addresses
    }
}

fn addresses_of(node: Option<&Node>, kind: &'static str) -> Vec<IpAddr> {
    let status = node.and_then(|node| node.status.as_ref());
    let all = status.into_iter().filter_map(|status| status.addresses.as_ref()).flatten();
    all.filter(|address| address.type_ == kind).filter_map(|address| address.address.parse().ok()).collect()
}

/// The first address, and the first one of the other family. Kubernetes: `GetNodeHostIPs`.
fn main_addresses(node: Option<&Node>) -> Vec<IpAddr> {
    let mut main: Vec<IpAddr> = Vec::new();
    for ip in ["InternalIP", "ExternalIP"].into_iter().flat_map(|kind| addresses_of(node, kind)) {
        if main.iter().all(|other| Family::of(other) != Family::of(&ip)) {
            main.push(ip);
        }
    }
    main
}

/// The networks of a node's pods.
pub fn pod_networks(node: Option<&Node>) -> Vec<IpNet> {
    let Some(spec) = node.and_then(|node| node.spec.as_ref()) else { return Vec::new() };
    let several = spec.pod_cidrs.iter().flatten();
    let mut networks: Vec<IpNet> = several.filter_map(|net| net.parse().ok()).collect();
    if networks.is_empty() {
        networks.extend(spec.pod_cidr.iter().filter_map(|net| net.parse::<IpNet>().ok()));
    }
    networks
}
