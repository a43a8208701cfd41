//! What is wrong with a Service by itself. Kubernetes: `ValidateService`.

use std::collections::BTreeSet;

use ipnet::IpNet;
use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{Invalid, PROTOCOLS, families, is, is_external, is_headless, name, needs_health_check};
use crate::api::admit::{ip, label};

const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const AFFINITIES: [&str; 2] = ["ClientIP", "None"];
const POLICIES: [&str; 2] = ["Cluster", "Local"];
/// The longest affinity, in seconds: a day. Kubernetes: `MaxClientIPServiceAffinitySeconds`.
const LONGEST: i32 = 86400;
const ONLY_BALANCERS: &str = "may only be used when `type` is 'LoadBalancer'";

/// The older annotation for `loadBalancerSourceRanges`.
const RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";
const TOPOLOGY: [&str; 2] =
    ["service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints"];

/// All that is wrong.
pub fn service(service: &Service, old: Option<&Service>) -> Vec<Invalid> {
    let mut found = Vec::new();
    let annotation = |key: &str| service.metadata.annotations.as_ref().and_then(|all| all.get(key));
    if let (Some(mode), Some(hints)) = (annotation(TOPOLOGY[0]), annotation(TOPOLOGY[1]))
        && mode != hints
    {
        let why = format!("must match annotations[{}] when both are specified", TOPOLOGY[1]);
        found.push(Invalid::value(format!("metadata.annotations[{}]", TOPOLOGY[0]), mode, why));
    }
    let unsaid = ServiceSpec::default();
    let spec = service.spec.as_ref().unwrap_or(&unsaid);
    if let Some(old) = old.and_then(|old| old.spec.as_ref()) {
        change(spec, old, &mut found);
    }
    kind(spec, &mut found);
    ports(spec, &mut found);
    found.extend(label::labels("spec.selector", spec.selector.as_ref()));
    affinity(spec, &mut found);
    found.extend(families::validate(spec));
    for (number, text) in spec.external_ips.iter().flatten().enumerate() {
        found.extend(ip::reachable(&format!("spec.externalIPs[{number}]"), text));
    }
    let word = spec.type_.as_deref().unwrap_or_default();
    if !TYPES.contains(&word) {
        found.push(Invalid::unsupported("spec.type", word, &TYPES));
    }
    node_ports(spec, &mut found);
    source_ranges(spec, annotation(RANGES), &mut found);
    balancer(spec, &mut found);
    policies(spec, &mut found);
    found
}

fn change(spec: &ServiceSpec, old: &ServiceSpec, found: &mut Vec<Invalid>) {
    found.extend(families::validate_change(spec, old));
    if is(spec, "LoadBalancer")
        && is(old, "LoadBalancer")
        && spec.load_balancer_class != old.load_balancer_class
    {
        let shown = spec.load_balancer_class.as_ref().map_or("null".to_owned(), |word| format!("{word:?}"));
        found.push(Invalid {
            path: "spec.loadBalancerClass".to_owned(),
            detail: format!("Invalid value: {shown}: may not change once set"),
        });
    }
    if needs_health_check(spec)
        && needs_health_check(old)
        && spec.health_check_node_port != old.health_check_node_port
    {
        found.push(Invalid::forbidden("spec.healthCheckNodePort", "field is immutable"));
    }
}

/// What a type has to say and must not say.
fn kind(spec: &ServiceSpec, found: &mut Vec<Invalid>) {
    let no_ports = spec.ports.as_ref().is_none_or(Vec::is_empty);
    if no_ports && !is_headless(spec) && !is(spec, "ExternalName") {
        found.push(Invalid::required("spec.ports", ""));
    }
    for kind in ["LoadBalancer", "NodePort"] {
        if is(spec, kind) && is_headless(spec) {
            let why = format!("may not be set to 'None' for {kind} services");
            found.push(Invalid::value("spec.clusterIPs[0]", "None", why));
        }
    }
    if !is(spec, "ExternalName") {
        return;
    }
    let has = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
    for (said, field) in [
        (has(&spec.cluster_ips) || spec.cluster_ip.is_some(), "clusterIPs"),
        (has(&spec.ip_families), "ipFamilies"),
        (spec.ip_family_policy.is_some(), "ipFamilyPolicy"),
    ] {
        if said {
            let why = "may not be set for ExternalName services";
            found.push(Invalid::forbidden(format!("spec.{field}"), why));
        }
    }
    let path = "spec.externalName";
    let name = spec.external_name.as_deref().unwrap_or_default();
    match name.strip_suffix('.').unwrap_or(name) {
        "" => found.push(Invalid::required(path, "")),
        name => found.extend(name::subdomain(path, name)),
    }
}

fn ports(spec: &ServiceSpec, found: &mut Vec<Invalid>) {
    let all = spec.ports.as_deref().unwrap_or_default();
    let mut names = BTreeSet::new();
    for (number, port) in all.iter().enumerate() {
        let at = format!("spec.ports[{number}]");
        let path = format!("{at}.name");
        match port.name.as_deref().unwrap_or_default() {
            "" if all.len() > 1 => found.push(Invalid::required(path, "")),
            "" => {}
            text => {
                found.extend(name::label(&path, text));
                if !names.insert(text) {
                    found.push(Invalid::duplicate(path, format!("{text:?}")));
                }
            }
        }
        found.extend(name::port_number(&format!("{at}.port"), port.port));
        match port.protocol.as_deref().unwrap_or_default() {
            "" => found.push(Invalid::required(format!("{at}.protocol"), "")),
            known if PROTOCOLS.contains(&known) => {}
            other => found.push(Invalid::unsupported(format!("{at}.protocol"), other, &PROTOCOLS)),
        }
        let path = format!("{at}.targetPort");
        match &port.target_port {
            Some(IntOrString::Int(target)) => found.extend(name::port_number(&path, *target)),
            Some(IntOrString::String(target)) => found.extend(name::port(&path, target)),
            None => {}
        }
        if let Some(text) = &port.app_protocol {
            found.extend(name::qualified(&format!("{at}.appProtocol"), text));
        }
    }
}

fn affinity(spec: &ServiceSpec, found: &mut Vec<Invalid>) {
    let word = spec.session_affinity.as_deref().unwrap_or_default();
    if !AFFINITIES.contains(&word) {
        found.push(Invalid::unsupported("spec.sessionAffinity", word, &AFFINITIES));
    }
    let config = spec.session_affinity_config.as_ref().and_then(|config| config.client_ip.as_ref());
    if let Some(seconds) = config.and_then(|config| config.timeout_seconds)
        && word == "ClientIP"
        && !(1..=LONGEST).contains(&seconds)
    {
        let path = "spec.sessionAffinityConfig.clientIP.timeoutSeconds";
        let why = format!("must be greater than 0 and less than {LONGEST}");
        found.push(Invalid::value(path, seconds, why));
    }
}

fn node_ports(spec: &ServiceSpec, found: &mut Vec<Invalid>) {
    let all = || spec.ports.iter().flatten().enumerate();
    if is(spec, "ClusterIP") {
        for (number, _) in all().filter(|(_, port)| port.node_port.is_some()) {
            let why = "may not be used when `type` is 'ClusterIP'";
            found.push(Invalid::forbidden(format!("spec.ports[{number}].nodePort"), why));
        }
    }
    let mut known = BTreeSet::new();
    for (number, port) in all() {
        if let Some(node_port) = port.node_port
            && !known.insert((&port.protocol, node_port))
        {
            found.push(Invalid::duplicate(format!("spec.ports[{number}].nodePort"), node_port));
        }
    }
    let mut known = BTreeSet::new();
    for (number, port) in all() {
        if !known.insert((&port.protocol, port.port)) {
            found.push(Invalid::duplicate(format!("spec.ports[{number}]"), go_port(port)));
        }
    }
}

/// A port as Go's `%#v` prints what the check compares of it.
fn go_port(port: &ServicePort) -> String {
    format!(
        "core.ServicePort{{Name:\"\", Protocol:{:?}, AppProtocol:(*string)(nil), Port:{}, \
         TargetPort:intstr.IntOrString{{Type:0, IntVal:0, StrVal:\"\"}}, NodePort:0}}",
        port.protocol.as_deref().unwrap_or_default(),
        port.port
    )
}

/// Kubernetes: `GetLoadBalancerSourceRanges`.
fn source_ranges(spec: &ServiceSpec, annotation: Option<&String>, found: &mut Vec<Invalid>) {
    let listed = spec.load_balancer_source_ranges.as_ref().filter(|list| !list.is_empty());
    let (path, value, ranges) = match (listed, annotation) {
        (Some(list), _) => {
            let shown = format!("[{}]", list.join(" "));
            ("spec.LoadBalancerSourceRanges".to_owned(), shown, list.clone())
        }
        (None, Some(text)) => {
            let list = text.trim().split(',').filter(|_| !text.trim().is_empty());
            let list = list.map(str::to_owned).collect();
            (format!("metadata.annotations[{RANGES}]"), text.clone(), list)
        }
        (None, None) => return,
    };
    if !is(spec, "LoadBalancer") {
        found.push(Invalid::forbidden(&path, ONLY_BALANCERS));
    }
    if ranges.iter().any(|range| range.trim().parse::<IpNet>().is_err()) {
        let why = "must be a list of IP ranges. For example, 10.240.0.0/24,10.250.0.0/24 ";
        found.push(Invalid::value(path, value, why));
    }
}

fn balancer(spec: &ServiceSpec, found: &mut Vec<Invalid>) {
    if is(spec, "LoadBalancer") {
        if let Some(class) = &spec.load_balancer_class {
            found.extend(name::qualified("spec.loadBalancerClass", class));
        }
        return;
    }
    if spec.allocate_load_balancer_node_ports.is_some() {
        found.push(Invalid::forbidden("spec.allocateLoadBalancerNodePorts", ONLY_BALANCERS));
    }
    if spec.load_balancer_class.is_some() {
        found.push(Invalid::forbidden("spec.loadBalancerClass", ONLY_BALANCERS));
    }
}

fn policies(spec: &ServiceSpec, found: &mut Vec<Invalid>) {
    let path = "spec.externalTrafficPolicy";
    if let Some(word) = spec.external_traffic_policy.as_deref() {
        if !is_external(spec) {
            let why = "may only be set for externally-accessible services";
            found.push(Invalid::value(path, word, why));
        } else if !POLICIES.contains(&word) {
            found.push(Invalid::unsupported(path, word, &POLICIES));
        }
    }
    let path = "spec.healthCheckNodePort";
    if let Some(number) = spec.health_check_node_port {
        if needs_health_check(spec) {
            found.extend(name::port_number(path, number));
        } else {
            let why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
            found.push(Invalid::value(path, number, why));
        }
    }
    if let Some(word) = spec.internal_traffic_policy.as_deref().filter(|word| !POLICIES.contains(word)) {
        found.push(Invalid::unsupported("spec.internalTrafficPolicy", word, &POLICIES));
    }
}
