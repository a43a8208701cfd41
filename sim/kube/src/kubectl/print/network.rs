use serde_json::Value;

use super::{Always, Column, Wide, age, labels, list, name, number, or_none, selector, text};

pub const SERVICE: &[Column] = &[
    ("NAME", Always),
    ("TYPE", Always),
    ("CLUSTER-IP", Always),
    ("EXTERNAL-IP", Always),
    ("PORT(S)", Always),
    ("AGE", Always),
    ("SELECTOR", Wide),
];

/// Kubernetes: `printService`.
pub fn service(object: &Value, now: i64) -> Vec<String> {
    let ports: Vec<String> = list(object, "/spec/ports")
        .iter()
        .map(|port| {
            let proto = text(port, "/protocol");
            match number(port, "/nodePort") {
                0 => format!("{}/{proto}", number(port, "/port")),
                node => format!("{}:{node}/{proto}", number(port, "/port")),
            }
        })
        .collect();
    vec![
        name(object),
        text(object, "/spec/type").to_owned(),
        or_none(text(object, "/spec/clusterIP").to_owned()),
        external_ip(object),
        or_none(ports.join(",")),
        age(object, now),
        labels(object.pointer("/spec/selector")),
    ]
}

/// The addresses of a load balancer.
fn balancer(object: &Value) -> Vec<String> {
    let entries = list(object, "/status/loadBalancer/ingress").iter();
    let mut all: Vec<String> = entries
        .map(|entry| match text(entry, "/ip") {
            "" => text(entry, "/hostname").to_owned(),
            ip => ip.to_owned(),
        })
        .collect();
    all.sort();
    all.dedup();
    all
}

fn external_ip(object: &Value) -> String {
    let strings = list(object, "/spec/externalIPs").iter().filter_map(Value::as_str);
    let external: Vec<String> = strings.map(str::to_owned).collect();
    match text(object, "/spec/type") {
        "LoadBalancer" => {
            let mut all = balancer(object);
            all.extend(external);
            if all.is_empty() { "<pending>".to_owned() } else { all.join(",") }
        }
        "ExternalName" => text(object, "/spec/externalName").to_owned(),
        _ => or_none(external.join(",")),
    }
}

pub const ENDPOINTS: &[Column] = &[("NAME", Always), ("ENDPOINTS", Always), ("AGE", Always)];

pub fn endpoints(object: &Value, now: i64) -> Vec<String> {
    vec![name(object), format_endpoints(object, None), age(object, now)]
}

/// The addresses that are ready, at most three; those of one port if it is named.
/// Kubernetes: `formatEndpoints`.
pub fn format_endpoints(object: &Value, port_name: Option<&str>) -> String {
    let subsets = list(object, "/subsets");
    if subsets.is_empty() {
        return "<none>".to_owned();
    }
    let mut all = Vec::new();
    for subset in subsets {
        let ips = || list(subset, "/addresses").iter().map(|address| text(address, "/ip"));
        let ports = list(subset, "/ports");
        if ports.is_empty() {
            all.extend(ips().map(str::to_owned));
        }
        for port in ports.iter().filter(|port| port_name.is_none_or(|name| text(port, "/name") == name)) {
            all.extend(ips().map(|ip| format!("{ip}:{}", number(port, "/port"))));
        }
    }
    some(&all, ",", 3)
}

/// The first few, and how many more there are.
fn some(all: &[String], separator: &str, most: usize) -> String {
    let shown = all.get(..most.min(all.len())).unwrap_or_default().join(separator);
    match all.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown} + {more} more..."),
    }
}

pub const ENDPOINT_SLICE: &[Column] =
    &[("NAME", Always), ("ADDRESSTYPE", Always), ("PORTS", Always), ("ENDPOINTS", Always), ("AGE", Always)];

pub fn endpoint_slice(object: &Value, now: i64) -> Vec<String> {
    let ports: Vec<String> = list(object, "/ports")
        .iter()
        .map(|port| port["port"].as_i64().map_or_else(|| "*".to_owned(), |port| port.to_string()))
        .collect();
    let addresses: Vec<String> = list(object, "/endpoints")
        .iter()
        .flat_map(|endpoint| list(endpoint, "/addresses"))
        .filter_map(|address| address.as_str().map(str::to_owned))
        .collect();
    let or_unset = |text: String| if text.is_empty() { "<unset>".to_owned() } else { text };
    vec![
        name(object),
        text(object, "/addressType").to_owned(),
        or_unset(some(&ports, ",", 3)),
        or_unset(some(&addresses, ",", 3)),
        age(object, now),
    ]
}

pub const INGRESS: &[Column] = &[
    ("NAME", Always),
    ("CLASS", Always),
    ("HOSTS", Always),
    ("ADDRESS", Always),
    ("PORTS", Always),
    ("AGE", Always),
];

pub fn ingress(object: &Value, now: i64) -> Vec<String> {
    let class = match text(object, "/spec/ingressClassName") {
        "" => "<none>",
        class => class,
    };
    let hosts: Vec<String> = list(object, "/spec/rules")
        .iter()
        .map(|rule| text(rule, "/host").to_owned())
        .filter(|host| !host.is_empty())
        .collect();
    let hosts = if hosts.is_empty() { "*".to_owned() } else { some(&hosts, ",", 3) };
    let ports = if list(object, "/spec/tls").is_empty() { "80" } else { "80, 443" };
    vec![
        name(object),
        class.to_owned(),
        hosts,
        balancer(object).join(","),
        ports.to_owned(),
        age(object, now),
    ]
}

pub const NETWORK_POLICY: &[Column] = &[("NAME", Always), ("POD-SELECTOR", Always), ("AGE", Always)];

pub fn network_policy(object: &Value, now: i64) -> Vec<String> {
    vec![name(object), selector(object.pointer("/spec/podSelector")), age(object, now)]
}
