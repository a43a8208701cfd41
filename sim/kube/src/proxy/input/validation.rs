//! What kube-proxy 1.30 says about a configuration that it can't use. Kubernetes:
//! `pkg/proxy/apis/config/validation`.

use std::net::IpAddr;

use ipnet::IpNet;

use super::GoDuration;
use super::configuration::{Conntrack, Ipvs, KubeProxyConfiguration};
use super::settings::port_range;
use crate::api::Invalid;
use crate::proxy::{Family, Mode, Profile};

/// What is wrong: the path of the field in the file, and the real message.
pub type Wrong = (&'static str, Invalid);

/// `Invalid value: VALUE: WHY` with a value that prints as it is.
fn plain(path: &str, value: impl std::fmt::Display, why: &str) -> Invalid {
    Invalid {
        path: format!("KubeProxyConfiguration.{path}"),
        detail: format!("Invalid value: {value}: {why}"),
    }
}

fn quoted(path: &str, value: &str, why: &str) -> Invalid {
    plain(path, format_args!("{value:?}"), why)
}

/// What a release says of a mode that it doesn't know. 1.30 knows nftables behind a feature gate.
pub fn unknown_mode(mode: &str, profile: Profile, knows_nftables: bool) -> Option<Invalid> {
    let (known, why): (&[&str], _) = match profile {
        Profile::V1_30 if knows_nftables => (
            &["iptables", "ipvs", "nftables"],
            "must be iptables, ipvs, nftables or blank (blank means the best-available proxy [currently iptables])",
        ),
        Profile::V1_30 => (
            &["iptables", "ipvs"],
            "must be iptables, ipvs or blank (blank means the best-available proxy [currently iptables])",
        ),
        // The parenthesis is never closed.
        Profile::V1_9 => (
            &["userspace", "iptables", "ipvs"],
            "must be userspace,iptables,ipvs or blank (blank means the best-available proxy (currently iptables)",
        ),
        Profile::V1_1 => (&["userspace", "iptables"], "must be userspace or iptables"),
    };
    (!mode.is_empty() && !known.contains(&mode)).then(|| quoted("Mode.ProxyMode", mode, why))
}

/// Everything that is wrong with a configuration.
pub fn validate(config: &KubeProxyConfiguration, profile: Profile) -> Vec<Wrong> {
    let mut found = Vec::new();
    let iptables = config.iptables.clone().unwrap_or_default();
    let place = ["iptables.masqueradeBit", "iptables.syncPeriod", "iptables.minSyncPeriod"];
    let name = "KubeProxyIPTablesConfiguration";
    bit(iptables.masquerade_bit, place[0], name, &mut found);
    periods(iptables.sync_period, iptables.min_sync_period, true, (place[1], place[2]), name, &mut found);
    let mode = config.mode.as_deref().unwrap_or_default();
    match Mode::parse(mode) {
        Some(Mode::Ipvs) => ipvs(&config.ipvs.clone().unwrap_or_default(), &mut found),
        Some(Mode::Nftables) => {
            let nftables = config.nftables.clone().unwrap_or_default();
            let place = ["nftables.masqueradeBit", "nftables.syncPeriod", "nftables.minSyncPeriod"];
            let name = "KubeProxyNFTablesConfiguration";
            bit(nftables.masquerade_bit, place[0], name, &mut found);
            let (period, shortest) = (nftables.sync_period, nftables.min_sync_period);
            periods(period, shortest, true, (place[1], place[2]), name, &mut found);
        }
        _ => {}
    }
    conntrack(&config.conntrack.clone().unwrap_or_default(), &mut found);
    let gate = config.feature_gates.as_ref().and_then(|gates| gates.get("NFTablesProxyMode"));
    let unknown = unknown_mode(mode, profile, gate == Some(&true));
    found.extend(unknown.map(|invalid| ("mode", invalid)));
    if let Some(burst) = config.client_connection.as_ref().and_then(|client| client.burst).filter(|n| *n < 0)
    {
        let why = "must be greater than or equal to 0";
        found.push(("clientConnection.burst", plain("ClientConnection.Burst", burst, why)));
    }
    if let Some(score) = config.oom_score_adj.filter(|score| !(-1000..=1000).contains(score)) {
        let why = "must be within the range [-1000, 1000]";
        found.push(("oomScoreAdj", plain("OOMScoreAdj", score, why)));
    }
    if let Some(period) = config.config_sync_period.filter(|period| period.nanos < 0) {
        found.push(("configSyncPeriod", plain("ConfigSyncPeriod", period, "must be greater than 0")));
    }
    if let Some(text) = config.bind_address.as_deref().filter(|text| !text.is_empty())
        && text.parse::<IpAddr>().is_err()
    {
        let why = "not a valid textual representation of an IP address";
        found.push(("bindAddress", quoted("BindAddress", text, why)));
    }
    let ports = [
        ("healthzBindAddress", "HealthzBindAddress", &config.healthz_bind_address, "10256"),
        ("metricsBindAddress", "MetricsBindAddress", &config.metrics_bind_address, "10249"),
    ];
    for (field, name, address, port) in ports {
        let Some(text) = address.as_deref().filter(|text| !text.is_empty()) else { continue };
        found.extend(host_port(text, port, name).into_iter().map(|wrong| (field, wrong)));
    }
    if let Some(text) = config.cluster_cidr.as_deref().filter(|text| !text.is_empty()) {
        found.extend(cluster_cidr(text).map(|wrong| ("clusterCIDR", wrong)));
    }
    if let Some(range) = config.port_range.as_deref().filter(|range| port_range(range).is_err()) {
        let why = "must be a valid port range (e.g. 300-2000)";
        found.push(("portRange", quoted("PortRange", range, why)));
    }
    for (number, text) in config.node_port_addresses.iter().flatten().enumerate() {
        let path = format!("NodePortAddresses[{number}]");
        if text == "primary" {
            if number != 0 || config.node_port_addresses.as_ref().is_some_and(|all| all.len() != 1) {
                let why = "can't use both 'primary' and CIDRs";
                found.push(("nodePortAddresses", quoted(&path, text, why)));
            }
            break;
        }
        if text.parse::<IpNet>().is_err() {
            found.push(("nodePortAddresses", quoted(&path, text, "must be a valid CIDR")));
        }
    }
    let local = config.detect_local.clone().unwrap_or_default();
    let empty = |text: &Option<String>| text.as_deref().unwrap_or_default().is_empty();
    let why = "must not be empty";
    match config.detect_local_mode.as_deref().unwrap_or_default() {
        "BridgeInterface" if empty(&local.bridge_interface) => {
            found.push(("detectLocalMode", quoted("InterfaceName", "", why)));
        }
        "InterfaceNamePrefix" if empty(&local.interface_name_prefix) => {
            found.push(("detectLocalMode", quoted("InterfacePrefix", "", why)));
        }
        "" | "ClusterCIDR" | "NodeCIDR" | "BridgeInterface" | "InterfaceNamePrefix" => {}
        other => {
            let known = ["ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix", ""];
            let path = "KubeProxyConfiguration.DetectLocalMode";
            found.push(("detectLocalMode", Invalid::unsupported(path, other, &known)));
        }
    }
    found
}

fn bit(bit: Option<i32>, place: &'static str, name: &str, found: &mut Vec<Wrong>) {
    if let Some(bit) = bit.filter(|bit| !(0..=31).contains(bit)) {
        let why = "must be within the range [0, 31]";
        found.push((place, plain(&format!("{name}.MasqueradeBit"), bit, why)));
    }
}

/// The two periods of a mode; 0 means that nothing was said.
fn periods(
    period: Option<GoDuration>,
    shortest: Option<GoDuration>,
    has_shortest: bool,
    (place, shortest_place): (&'static str, &'static str),
    name: &str,
    found: &mut Vec<Wrong>,
) {
    let said = |period: Option<GoDuration>, seconds: i64| {
        period.filter(|period| period.nanos != 0).unwrap_or(GoDuration::seconds(seconds))
    };
    let (period, shortest) = (said(period, 30), said(shortest, i64::from(has_shortest)));
    let (path, shortest_path) = (format!("{name}.SyncPeriod"), format!("{name}.MinSyncPeriod"));
    if period.nanos <= 0 {
        found.push((place, plain(&path, period, "must be greater than 0")));
    }
    if shortest.nanos < 0 {
        let why = "must be greater than or equal to 0";
        found.push((shortest_place, plain(&shortest_path, shortest, why)));
    }
    if shortest > period {
        let why = format!("must be greater than or equal to KubeProxyConfiguration.{shortest_path}");
        found.push((place, plain(&path, shortest, &why)));
    }
}

const NOT_NEGATIVE: &str = "must be greater than or equal to 0";

fn ipvs(ipvs: &Ipvs, found: &mut Vec<Wrong>) {
    let name = "KubeProxyIPVSConfiguration";
    let places = ("ipvs.syncPeriod", "ipvs.minSyncPeriod");
    periods(ipvs.sync_period, ipvs.min_sync_period, false, places, name, found);
    let timeouts = [
        ("ipvs.tcpTimeout", "TCPTimeout", ipvs.tcp_timeout),
        ("ipvs.tcpFinTimeout", "TCPFinTimeout", ipvs.tcp_fin_timeout),
        ("ipvs.udpTimeout", "UDPTimeout", ipvs.udp_timeout),
    ];
    negative(&timeouts, name, found);
    for (number, text) in ipvs.exclude_cidrs.iter().flatten().enumerate() {
        if text.parse::<IpNet>().is_err() {
            let path = format!("{name}.ExcludeCidrs[{number}]");
            found.push(("ipvs.excludeCIDRs", quoted(&path, text, "must be a valid CIDR")));
        }
    }
}

fn negative(durations: &[(&'static str, &str, Option<GoDuration>)], name: &str, found: &mut Vec<Wrong>) {
    for (place, field, duration) in durations {
        if let Some(duration) = duration.filter(|duration| duration.nanos < 0) {
            found.push((place, plain(&format!("{name}.{field}"), duration, NOT_NEGATIVE)));
        }
    }
}

fn conntrack(conntrack: &Conntrack, found: &mut Vec<Wrong>) {
    let name = "KubeProxyConntrackConfiguration";
    for (place, field, number) in [
        ("conntrack.maxPerCore", "MaxPerCore", conntrack.max_per_core),
        ("conntrack.min", "Min", conntrack.min),
    ] {
        if let Some(number) = number.filter(|number| *number < 0) {
            found.push((place, plain(&format!("{name}.{field}"), number, NOT_NEGATIVE)));
        }
    }
    let timeouts = [
        ("conntrack.tcpEstablishedTimeout", "TCPEstablishedTimeout", conntrack.tcp_established_timeout),
        ("conntrack.tcpCloseWaitTimeout", "TCPCloseWaitTimeout", conntrack.tcp_close_wait_timeout),
        ("conntrack.udpTimeout", "UDPTimeout", conntrack.udp_timeout),
        ("conntrack.udpStreamTimeout", "UDPStreamTimeout", conntrack.udp_stream_timeout),
    ];
    negative(&timeouts, name, found);
}

/// An address with a port; kube-proxy adds the usual port if there is none.
fn host_port(text: &str, usual: &str, name: &str) -> Vec<Invalid> {
    let whole = match text.parse::<IpAddr>() {
        Ok(IpAddr::V6(ip)) => format!("[{ip}]:{usual}"),
        Ok(IpAddr::V4(ip)) => format!("{ip}:{usual}"),
        Err(_) => text.to_owned(),
    };
    let Some((host, port)) = whole.rsplit_once(':') else {
        return vec![quoted(name, &whole, "must be IP:port")];
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let mut found = Vec::new();
    if host.parse::<IpAddr>().is_err() {
        found.push(quoted(name, host, "must be a valid IP"));
    }
    if port.parse::<u16>().ok().is_none_or(|port| port == 0) {
        found.push(quoted(name, port, "must be a valid port"));
    }
    found
}

fn cluster_cidr(text: &str) -> Option<Invalid> {
    let nets: Vec<Option<IpNet>> = text.split(',').map(|cidr| cidr.parse().ok()).collect();
    let why = match nets[..] {
        [Some(_)] => return None,
        [None] => "must be a valid CIDR block (e.g. 10.100.0.0/16 or fde4:8dba:82e1::/48)",
        [Some(a), Some(b)] if Family::of(&a.addr()) != Family::of(&b.addr()) => return None,
        [_, _] => "must be a valid DualStack CIDR (e.g. 10.100.0.0/16,fde4:8dba:82e1::/48)",
        _ => "only one CIDR allowed or a valid DualStack CIDR (e.g. 10.100.0.0/16,fde4:8dba:82e1::/48)",
    };
    Some(quoted("ClusterCIDR", text, why))
}
