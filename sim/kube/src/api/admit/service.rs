use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Service, ServiceSpec, ServiceStatus};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use world::{Store, Sys};

use super::{Admit, Invalid};
use crate::api::{ClusterSettings, list};

fn is(spec: &ServiceSpec, kind: &str) -> bool {
    spec.type_.as_deref() == Some(kind)
}

fn wants_node_ports(spec: &ServiceSpec) -> bool {
    is(spec, "NodePort") || is(spec, "LoadBalancer") && spec.allocate_load_balancer_node_ports != Some(false)
}

/// The Services other than the one with that unique id.
fn others(store: &Store, but: Option<&str>) -> impl Iterator<Item = Arc<Service>> {
    let is_other = move |service: &Arc<Service>| but.is_none() || service.metadata.uid.as_deref() != but;
    list::<Service>(store, None).into_iter().filter(is_other)
}

/// Whether a Service has that address.
fn has_address(services: &[Arc<Service>], ip: Ipv4Addr) -> bool {
    let ip = ip.to_string();
    let all = services.iter().filter_map(|service| service.spec.as_ref()?.cluster_ips.as_ref());
    all.flatten().any(|taken| *taken == ip)
}

/// All node ports, with their protocols, that Services have.
fn node_ports(services: &[Arc<Service>]) -> BTreeSet<(String, i32)> {
    let mut ports = BTreeSet::new();
    for spec in services.iter().filter_map(|service| service.spec.as_ref()) {
        for port in spec.ports.iter().flatten() {
            let proto = port.protocol.clone().unwrap_or_default();
            ports.extend(port.node_port.map(|number| (proto, number)));
        }
        ports.extend(spec.health_check_node_port.map(|number| ("TCP".to_owned(), number)));
    }
    ports
}

impl Admit for Service {
    fn set_defaults(&mut self) {
        self.status.get_or_insert_with(|| ServiceStatus {
            load_balancer: Some(Default::default()),
            ..ServiceStatus::default()
        });
        let Some(spec) = &mut self.spec else { return };
        spec.type_.get_or_insert_with(|| "ClusterIP".to_owned());
        spec.session_affinity.get_or_insert_with(|| "None".to_owned());
        if spec.session_affinity.as_deref() == Some("ClientIP") {
            let config = spec.session_affinity_config.get_or_insert_default();
            config.client_ip.get_or_insert_default().timeout_seconds.get_or_insert(10800);
        }
        for port in spec.ports.iter_mut().flatten() {
            port.protocol.get_or_insert_with(|| "TCP".to_owned());
            if matches!(port.target_port, None | Some(IntOrString::Int(0))) {
                port.target_port = Some(IntOrString::Int(port.port));
            }
        }
        if is(spec, "ExternalName") {
            return;
        }
        spec.internal_traffic_policy.get_or_insert_with(|| "Cluster".to_owned());
        let external = spec.external_ips.as_ref().is_some_and(|ips| !ips.is_empty());
        if is(spec, "NodePort") || is(spec, "LoadBalancer") || external {
            spec.external_traffic_policy.get_or_insert_with(|| "Cluster".to_owned());
        }
        if is(spec, "LoadBalancer") {
            spec.allocate_load_balancer_node_ports.get_or_insert(true);
        }
        if spec.cluster_ip.is_none() {
            spec.cluster_ip = spec.cluster_ips.as_ref().and_then(|ips| ips.first().cloned());
        }
        if let Some(ip) = spec.cluster_ip.clone().filter(|ip| !ip.is_empty()) {
            spec.cluster_ips = Some(vec![ip]);
        }
        spec.ip_families.get_or_insert_with(|| vec!["IPv4".to_owned()]);
        spec.ip_family_policy.get_or_insert_with(|| "SingleStack".to_owned());
    }

    fn validate(&self, old: Option<&Self>) -> Vec<Invalid> {
        let Some(spec) = &self.spec else { return vec![Invalid::required("spec.ports", "")] };
        let mut found = Vec::new();
        let kinds = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
        let kind = spec.type_.as_deref().unwrap_or_default();
        if !kinds.contains(&kind) {
            found.push(Invalid::unsupported("spec.type", kind, &kinds));
        }
        let headless = spec.cluster_ip.as_deref() == Some("None");
        let ports: Vec<_> = spec.ports.iter().flatten().collect();
        if ports.is_empty() && !headless && kind != "ExternalName" {
            found.push(Invalid::required("spec.ports", ""));
        }
        if headless && matches!(kind, "NodePort" | "LoadBalancer") {
            let why = format!("may not be set to 'None' for {kind} services");
            found.push(Invalid::value("spec.clusterIPs[0]", "None", why));
        }
        if kind == "ExternalName" && spec.external_name.as_deref().unwrap_or_default().is_empty() {
            found.push(Invalid::required("spec.externalName", ""));
        }
        let mut names = BTreeSet::new();
        for (number, port) in ports.iter().enumerate() {
            let at = format!("spec.ports[{number}]");
            let name = port.name.as_deref().unwrap_or_default();
            if name.is_empty() && ports.len() > 1 {
                found.push(Invalid::required(format!("{at}.name"), ""));
            } else if !name.is_empty() && !names.insert(name) {
                found.push(Invalid {
                    path: format!("{at}.name"),
                    detail: format!("Duplicate value: {name:?}"),
                });
            }
            let range = "must be between 1 and 65535, inclusive";
            if !(1..=65535).contains(&port.port) {
                found.push(Invalid::value(format!("{at}.port"), port.port, range));
            }
            if let Some(IntOrString::Int(target)) = &port.target_port
                && !(1..=65535).contains(target)
            {
                found.push(Invalid::value(format!("{at}.targetPort"), target, range));
            }
            let proto = port.protocol.as_deref().unwrap_or_default();
            let protos = ["SCTP", "TCP", "UDP"];
            if !protos.contains(&proto) {
                found.push(Invalid::unsupported(format!("{at}.protocol"), proto, &protos));
            }
            if port.node_port.is_some_and(|port| port != 0) && matches!(kind, "ClusterIP" | "ExternalName") {
                let why = "may not be used when `type` is 'ClusterIP'";
                found.push(Invalid::forbidden(format!("{at}.nodePort"), why));
            }
        }
        let affinity = spec.session_affinity.as_deref().unwrap_or_default();
        if !["ClientIP", "None"].contains(&affinity) {
            found.push(Invalid::unsupported("spec.sessionAffinity", affinity, &["ClientIP", "None"]));
        }
        for (field, value) in [
            ("externalTrafficPolicy", &spec.external_traffic_policy),
            ("internalTrafficPolicy", &spec.internal_traffic_policy),
        ] {
            let policies = ["Cluster", "Local"];
            if let Some(value) = value.as_deref().filter(|value| !policies.contains(value)) {
                found.push(Invalid::unsupported(format!("spec.{field}"), value, &policies));
            }
        }
        let before = old.and_then(|old| old.spec.as_ref()?.cluster_ip.clone()).filter(|ip| !ip.is_empty());
        let stays = old.and_then(|old| old.spec.as_ref()).is_some_and(|old| !is(old, "ExternalName"));
        if let Some(before) = before.filter(|_| stays && kind != "ExternalName")
            && spec.cluster_ip.as_ref().is_some_and(|ip| !ip.is_empty() && *ip != before)
        {
            let now = spec.cluster_ips.clone().unwrap_or_default().join("\",\"");
            found.push(Invalid {
                path: "spec.clusterIPs[0]".to_owned(),
                detail: format!("Invalid value: []string{{\"{now}\"}}: may not change once set"),
            });
        }
        found
    }

    fn allocate(&mut self, sys: &mut dyn Sys, old: Option<&Self>) -> Result<(), Vec<Invalid>> {
        let Some(settings) = ClusterSettings::of(sys.store()) else { return Ok(()) };
        let own = self.metadata.uid.as_deref();
        let services: Vec<Arc<Service>> = others(sys.store(), own).collect();
        let Some(spec) = &mut self.spec else { return Ok(()) };
        if is(spec, "ExternalName") {
            (spec.cluster_ip, spec.cluster_ips) = (None, None);
            return Ok(());
        }
        if let Some(before) = old.and_then(|old| old.spec.as_ref()) {
            if spec.cluster_ip.as_deref().unwrap_or_default().is_empty() {
                spec.cluster_ip.clone_from(&before.cluster_ip);
                spec.cluster_ips.clone_from(&before.cluster_ips);
            }
            for port in spec.ports.iter_mut().flatten().filter(|port| port.node_port.is_none()) {
                let mut same = before.ports.iter().flatten();
                port.node_port = same
                    .find(|was| was.port == port.port && was.protocol == port.protocol)
                    .and_then(|was| was.node_port);
            }
        }
        match spec.cluster_ip.as_deref() {
            Some("None") => {}
            None | Some("") => {
                let ip = free_address(sys, &settings, &services).ok_or_else(|| {
                    vec![Invalid {
                        path: "spec.clusterIPs".to_owned(),
                        detail: "Internal error: failed to allocate a serviceIP: range is full".to_owned(),
                    }]
                })?;
                spec.cluster_ip = Some(ip.to_string());
                spec.cluster_ips = Some(vec![ip.to_string()]);
            }
            Some(text) => {
                let wrong = |why: String| {
                    let shown = format!("Invalid value: []string{{{text:?}}}: {why}");
                    vec![Invalid { path: "spec.clusterIPs".to_owned(), detail: shown }]
                };
                let refused = |why: &str| wrong(format!("failed to allocate IP {text}: {why}"));
                let Ok(ip) = text.parse::<Ipv4Addr>() else {
                    let why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
                    return Err(vec![Invalid::value("spec.clusterIPs[0]", text, why)]);
                };
                if !settings.service_cidr.contains(&ip) {
                    let why = format!(
                        "the provided IP ({ip}) is not in the valid range. The range of valid IPs is {}",
                        settings.service_cidr
                    );
                    return Err(refused(&why));
                }
                if has_address(&services, ip) {
                    return Err(refused("provided IP is already allocated"));
                }
            }
        }
        if !wants_node_ports(spec) {
            for port in spec.ports.iter_mut().flatten() {
                port.node_port = None;
            }
            return Ok(());
        }
        let mut ports = node_ports(&services);
        let (low, high) = settings.node_ports;
        let (low, high) = (i32::from(low), i32::from(high));
        let mut wrong = Vec::new();
        for (number, port) in spec.ports.iter_mut().flatten().enumerate() {
            let proto = port.protocol.clone().unwrap_or_default();
            match port.node_port.filter(|&port| port != 0) {
                Some(wanted) => {
                    let path = format!("spec.ports[{number}].nodePort");
                    if !(low..=high).contains(&wanted) {
                        let why = format!(
                            "provided port is not in the valid range. The range of valid ports is {low}-{high}"
                        );
                        wrong.push(Invalid::value(path, wanted, why));
                    } else if !ports.insert((proto, wanted)) {
                        wrong.push(Invalid::value(path, wanted, "provided port is already allocated"));
                    }
                }
                None => {
                    let number = free_port(sys, (low, high), &proto, &ports).ok_or_else(|| {
                        let detail =
                            "Internal error: failed to allocate a nodePort: range is full".to_owned();
                        vec![Invalid { path: format!("spec.ports[{number}].nodePort"), detail }]
                    })?;
                    ports.insert((proto, number));
                    port.node_port = Some(number);
                }
            }
        }
        let local = spec.external_traffic_policy.as_deref() == Some("Local");
        if is(spec, "LoadBalancer") && local && spec.health_check_node_port.is_none() {
            spec.health_check_node_port = free_port(sys, (low, high), "TCP", &ports);
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

/// A free address: a random one of the range's upper part, as the API server takes them since 1.26.
/// Kubernetes: `ipallocator`, `calculateRangeOffset`.
fn free_address(
    sys: &mut dyn Sys,
    settings: &ClusterSettings,
    services: &[Arc<Service>],
) -> Option<Ipv4Addr> {
    let range = settings.service_cidr;
    let first = u32::from(range.network());
    let size = u32::from(range.broadcast()).saturating_sub(first).saturating_sub(1);
    let offset = if size < 16 { 0 } else { (size / 16).clamp(16, 256) };
    let free = |at: u32| Some(Ipv4Addr::from(first + 1 + at)).filter(|ip| !has_address(services, *ip));
    let upper = size.saturating_sub(offset);
    if upper == 0 {
        return None;
    }
    let start = u32::try_from(sys.random() % u64::from(upper)).unwrap_or(0);
    (0..upper).find_map(|step| free(offset + (start + step) % upper)).or_else(|| (0..offset).find_map(free))
}

fn free_port(
    sys: &mut dyn Sys,
    (low, high): (i32, i32),
    proto: &str,
    taken: &BTreeSet<(String, i32)>,
) -> Option<i32> {
    // Kubernetes: `portallocator` leaves the first part of the range to those who ask for a port.
    let size = high - low + 1;
    let offset = if size < 16 { 0 } else { (size / 32).clamp(16, 128) };
    let upper = size - offset;
    let start = i32::try_from(sys.random() % u64::try_from(upper).ok()?).unwrap_or(0);
    let free = |port: &i32| !taken.contains(&(proto.to_owned(), *port));
    (0..upper)
        .map(|step| low + offset + (start + step) % upper)
        .find(free)
        .or_else(|| (low..low + offset).find(free))
}
