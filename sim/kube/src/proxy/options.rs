//! The arguments of `kube-proxy`.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use k8s_openapi::api::core::v1::Node;

use super::input::{Detection, Settings};
use super::{Family, LocalDetector, ProxyConfig};
use crate::controllers::flags::{duration, invalid, pairs};

/// Flags that change nothing here.
const INERT: &[&str] = &[
    "cleanup",
    "config-sync-period",
    "conntrack-max-per-core",
    "conntrack-min",
    "conntrack-tcp-timeout-close-wait",
    "conntrack-tcp-timeout-established",
    "feature-gates",
    "healthz-bind-address",
    "kubeconfig",
    "logtostderr",
    "master",
    "metrics-bind-address",
    "oom-score-adj",
    "profiling",
    "v",
];

/// Flags that may stand without a value.
const SWITCHES: &[&str] =
    &["cleanup", "iptables-localhost-nodeports", "logtostderr", "masquerade-all", "profiling", "version"];

/// What a kube-proxy is told; what depends on its node is found out later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `--config`.
    pub file: Option<String>,
    /// `--hostname-override`.
    pub node_name: Option<String>,
    /// `--version`.
    pub version: bool,
    /// `--proxy-mode`.
    pub mode: String,
    /// `--bind-address`, unless it is any.
    pub bind_address: Option<IpAddr>,
    /// `--detect-local-mode`.
    pub detect: Detect,
    /// `--cluster-cidr`.
    pub cluster_cidrs: Vec<IpNet>,
    /// `--pod-bridge-interface`.
    pub bridge: String,
    /// `--pod-interface-name-prefix`.
    pub prefix: String,
    /// The other settings.
    pub config: ProxyConfig,
}

/// How pods of the node are told from others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detect {
    /// By `--cluster-cidr`.
    #[default]
    ClusterCidr,
    /// By the node's pod CIDRs.
    NodeCidr,
    /// By the bridge.
    BridgeInterface,
    /// By the names of interfaces.
    InterfaceNamePrefix,
}

impl Detect {
    /// Reads the name of a mode.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "" | "ClusterCIDR" => Self::ClusterCidr,
            "NodeCIDR" => Self::NodeCidr,
            "BridgeInterface" => Self::BridgeInterface,
            "InterfaceNamePrefix" => Self::InterfaceNamePrefix,
            _ => return None,
        })
    }
}

fn nets(name: &str, value: &str) -> Result<Vec<IpNet>, String> {
    let texts = value.split(',').filter(|text| !text.is_empty());
    let read = |text: &str| {
        let why = format!("invalid CIDR address: {text}");
        text.trim().parse().map_err(|_| invalid(name, value, &why))
    };
    texts.map(read).collect()
}

/// The first and the last port of a range; none if it says nothing or `0-0`.
/// Kubernetes: `ParsePortRange`.
fn port_range(text: &str) -> Result<Option<(u16, u16)>, String> {
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

impl Options {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    /// What the real one would say, or that a flag isn't simulated.
    pub fn parse(args: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        for (name, value) in pairs(args, SWITCHES)? {
            let wrong = |why: &str| invalid(&name, &value, why);
            let truth = || {
                let why = format!("strconv.ParseBool: parsing {value:?}: invalid syntax");
                value.parse::<bool>().map_err(|_| wrong(&why))
            };
            let period = || -> Result<Duration, String> {
                duration(&value).ok_or_else(|| wrong(&format!("time: invalid duration {value:?}")))
            };
            let config = &mut options.config;
            match name.as_str() {
                "config" => options.file = Some(value),
                "hostname-override" => options.node_name = Some(value.to_lowercase()),
                "version" => options.version = truth()?,
                "proxy-mode" => options.mode = value,
                "bind-address" => {
                    let ip: IpAddr = value.parse().map_err(|_| wrong("not an IP address"))?;
                    options.bind_address = Some(ip).filter(|ip| !ip.is_unspecified());
                    config.bind_address = ip;
                }
                "proxy-port-range" => config.port_range = port_range(&value).map_err(|why| wrong(&why))?,
                "udp-timeout" => config.udp_idle_timeout = period()?,
                "detect-local-mode" => {
                    options.detect = Detect::parse(&value).ok_or_else(|| wrong("unknown LocalMode"))?;
                }
                "cluster-cidr" => options.cluster_cidrs = nets(&name, &value)?,
                "pod-bridge-interface" => options.bridge = value,
                "pod-interface-name-prefix" => options.prefix = value,
                "masquerade-all" => config.masquerade_all = truth()?,
                "iptables-masquerade-bit" => {
                    let bit = value.parse().ok().filter(|bit| *bit < 32);
                    config.masquerade_bit = bit.ok_or_else(|| wrong("must be within the range [0, 31]"))?;
                }
                "iptables-localhost-nodeports" => config.localhost_node_ports = truth()?,
                "iptables-min-sync-period" => config.min_sync_period = period()?,
                "iptables-sync-period" => config.sync_period = period()?,
                "nodeport-addresses" => config.node_port_addresses = nets(&name, &value)?,
                inert if INERT.contains(&inert) => {}
                _ => return Err(format!("hoplab: kube-proxy --{name} is not simulated")),
            }
        }
        Ok(options)
    }

    /// Takes over what the file of `--config` says: but for the node's name, flags don't count then.
    pub fn take(&mut self, settings: Settings) {
        let Settings { config, mode, detection, bind_address, .. } = settings;
        if self.node_name.is_none() && !config.node_name.is_empty() {
            self.node_name = Some(config.node_name.clone());
        }
        self.mode = mode.map(|mode| mode.name().to_owned()).unwrap_or_default();
        self.bind_address = bind_address;
        self.config = config;
        match detection {
            Detection::ClusterNetworks(nets) => {
                (self.detect, self.cluster_cidrs) = (Detect::ClusterCidr, nets);
            }
            Detection::NodeNetworks => self.detect = Detect::NodeCidr,
            Detection::Bridge(name) => (self.detect, self.bridge) = (Detect::BridgeInterface, name),
            Detection::Prefix(prefix) => (self.detect, self.prefix) = (Detect::InterfaceNamePrefix, prefix),
        }
    }

    /// Completes them by what the API server knows of the node; none as long as it knows too
    /// little. Kubernetes: `detectNodeIPs`, `getLocalDetectors`.
    pub fn on_node(&self, name: &str, node: Option<&Node>) -> Option<ProxyConfig> {
        let status = node.and_then(|node| node.status.as_ref());
        let internal = status.and_then(|status| {
            let addresses = status.addresses.iter().flatten();
            addresses
                .filter(|address| address.type_ == "InternalIP")
                .find_map(|address| address.address.parse().ok())
        });
        let mut config = self.config.clone();
        config.node_name = name.to_owned();
        config.node_ips = vec![self.bind_address.or(internal)?];
        let by_net = |nets: &[IpNet]| {
            [Family::Ipv4, Family::Ipv6].map(|family| {
                let net = nets.iter().find(|net| Family::of(&net.addr()) == family);
                net.map_or(LocalDetector::None, |net| LocalDetector::Source(*net))
            })
        };
        config.detectors = match self.detect {
            Detect::ClusterCidr => by_net(&self.cluster_cidrs),
            Detect::NodeCidr => {
                let cidrs = node?.spec.as_ref()?.pod_cidrs.as_ref()?;
                by_net(&cidrs.iter().filter_map(|cidr| cidr.parse().ok()).collect::<Vec<_>>())
            }
            Detect::BridgeInterface => [(); 2].map(|()| LocalDetector::Bridge(self.bridge.clone())),
            Detect::InterfaceNamePrefix => [(); 2].map(|()| LocalDetector::Prefix(self.prefix.clone())),
        };
        Some(config)
    }
}
