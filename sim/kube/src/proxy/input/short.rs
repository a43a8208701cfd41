use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::settings::{Detection, Settings};
use super::{Document, InputError};
use crate::proxy::{Family, Mode, ProxyConfig};

/// The version of the kind that is read.
pub const API_VERSION: &str = "hoplab.example/v1";

/// The short configuration. What isn't said is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProxyConfigFile {
    api_version: String,
    kind: String,
    mode: Option<String>,
    node_name: Option<String>,
    #[serde(rename = "nodeIPs")]
    node_ips: Option<Vec<IpAddr>>,
    #[serde(rename = "clusterCIDR")]
    cluster_cidr: Option<Vec<IpNet>>,
    detect_local: Option<Detect>,
    masquerade_all: Option<bool>,
    masquerade_bit: Option<u8>,
    node_port_addresses: Option<Vec<IpNet>>,
    localhost_node_ports: Option<bool>,
    ip_families: Option<Vec<IpFamily>>,
    about: Option<String>,
    flows: Option<bool>,
}

/// `detectLocal`: a mode of `detectLocalMode`, and what it needs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Detect {
    mode: DetectMode,
    value: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
enum DetectMode {
    #[default]
    ClusterCIDR,
    NodeCIDR,
    BridgeInterface,
    InterfaceNamePrefix,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum IpFamily {
    IPv4,
    IPv6,
}

/// What a short configuration says.
pub fn settings(document: &Document<'_>) -> Result<Settings, Vec<InputError>> {
    let one = |path: &str, message: String, hint: Option<String>| vec![document.error(path, message, hint)];
    let file: ProxyConfigFile = crate::api::read(&document.manifest.object)
        .map_err(|mismatch| one(&mismatch.path, mismatch.message, None))?;
    let defaults = ProxyConfig::default();
    let bit = file.masquerade_bit.unwrap_or(defaults.masquerade_bit);
    if bit > 31 {
        return Err(one("masqueradeBit", format!("{bit} is not within the range [0, 31]"), None));
    }
    let mode = match file.mode.as_deref().filter(|mode| !mode.is_empty()) {
        None => Mode::default(),
        Some(text) => Mode::parse(text).ok_or_else(|| {
            let hint = "iptables, ipvs, nftables or userspace".to_owned();
            one("mode", format!("no mode {text:?}"), Some(hint))
        })?,
    };
    let detect = file.detect_local.unwrap_or_default();
    let value = detect.value.into_iter().flatten().next().unwrap_or_default();
    let needs_name = matches!(detect.mode, DetectMode::BridgeInterface | DetectMode::InterfaceNamePrefix);
    if needs_name && value.is_empty() {
        let hint = "`value: [cni0]` names the bridge, or what interfaces' names begin with".to_owned();
        return Err(one("detectLocal", "this mode needs a `value`".to_owned(), Some(hint)));
    }
    let detection = match detect.mode {
        DetectMode::ClusterCIDR => Detection::ClusterNetworks(file.cluster_cidr.unwrap_or_default()),
        DetectMode::NodeCIDR => Detection::NodeNetworks,
        DetectMode::BridgeInterface => Detection::Bridge(value),
        DetectMode::InterfaceNamePrefix => Detection::Prefix(value),
    };
    let families = file.ip_families.into_iter().flatten().map(|family| match family {
        IpFamily::IPv4 => Family::Ipv4,
        IpFamily::IPv6 => Family::Ipv6,
    });
    let families: Vec<Family> = families.collect();
    Ok(Settings {
        config: ProxyConfig {
            mode,
            node_name: file.node_name.unwrap_or_default(),
            node_ips: file.node_ips.unwrap_or_default(),
            masquerade_all: file.masquerade_all.unwrap_or(false),
            masquerade_bit: bit,
            node_port_addresses: file.node_port_addresses.unwrap_or_default(),
            localhost_node_ports: file.localhost_node_ports.unwrap_or(true),
            ..defaults
        },
        detection,
        families: (!families.is_empty()).then_some(families),
        ..Settings::default()
    })
}
