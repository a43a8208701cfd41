use serde_json::Value;

use super::{Cx, Page};
use crate::kubectl::kinds;
use crate::kubectl::print::{format_endpoints, labels, list, number, or_none, text};

fn strings(object: &Value, pointer: &str) -> String {
    list(object, pointer).iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
}

fn or_unset(text: &str) -> &str {
    if text.is_empty() { "<unset>" } else { text }
}

fn get(cx: &Cx<'_>, kind: &str, namespace: &str, name: &str) -> Option<Value> {
    kinds::find(kind)?.get(cx.store, namespace, name).ok()
}

pub fn service(cx: &Cx<'_>, page: &mut Page, object: &Value) {
    page.head(object);
    page.field(0, "Selector", labels(object.pointer("/spec/selector")));
    page.field(0, "Type", text(object, "/spec/type"));
    if !text(object, "/spec/ipFamilyPolicy").is_empty() {
        page.field(0, "IP Family Policy", text(object, "/spec/ipFamilyPolicy"));
    }
    page.field(0, "IP Families", or_none(strings(object, "/spec/ipFamilies")));
    page.field(0, "IP", text(object, "/spec/clusterIP"));
    page.field(0, "IPs", or_none(strings(object, "/spec/clusterIPs")));
    for (name, value) in [
        ("External IPs", strings(object, "/spec/externalIPs")),
        ("IP", text(object, "/spec/loadBalancerIP").to_owned()),
        ("External Name", text(object, "/spec/externalName").to_owned()),
    ] {
        if !value.is_empty() {
            page.field(0, name, value);
        }
    }
    let balancers: Vec<&str> = list(object, "/status/loadBalancer/ingress")
        .iter()
        .map(|entry| match text(entry, "/ip") {
            "" => text(entry, "/hostname"),
            ip => ip,
        })
        .collect();
    if !balancers.is_empty() {
        page.field(0, "LoadBalancer Ingress", balancers.join(", "));
    }
    let found = get(cx, "endpoints", text(object, "/metadata/namespace"), text(object, "/metadata/name"));
    let endpoints = found.unwrap_or_default();
    for port in list(object, "/spec/ports") {
        let (name, proto) = (text(port, "/name"), text(port, "/protocol"));
        let shown = or_unset(name);
        page.field(0, "Port", format!("{shown}\t{}/{proto}", number(port, "/port")));
        let target = port.get("targetPort").and_then(Value::as_str);
        let target = target.map_or_else(|| number(port, "/targetPort").to_string(), str::to_owned);
        page.field(0, "TargetPort", format!("{target}/{proto}"));
        if number(port, "/nodePort") != 0 {
            page.field(0, "NodePort", format!("{shown}\t{}/{proto}", number(port, "/nodePort")));
        }
        page.field(0, "Endpoints", format_endpoints(&endpoints, Some(name)));
    }
    page.field(0, "Session Affinity", text(object, "/spec/sessionAffinity"));
    if !text(object, "/spec/externalTrafficPolicy").is_empty() {
        page.field(0, "External Traffic Policy", text(object, "/spec/externalTrafficPolicy"));
    }
    if number(object, "/spec/healthCheckNodePort") != 0 {
        page.field(0, "HealthCheck NodePort", number(object, "/spec/healthCheckNodePort"));
    }
    let ranges = strings(object, "/spec/loadBalancerSourceRanges");
    if !ranges.is_empty() {
        page.field(0, "LoadBalancer Source Ranges", ranges);
    }
    page.events(cx, object);
}

pub fn endpoints(cx: &Cx<'_>, page: &mut Page, object: &Value) {
    page.head(object);
    page.line(0, "Subsets:");
    for subset in list(object, "/subsets") {
        let ips = |pointer: &str| {
            let all: Vec<&str> = list(subset, pointer).iter().map(|address| text(address, "/ip")).collect();
            or_none(all.join(","))
        };
        page.field(1, "Addresses", ips("/addresses"));
        page.field(1, "NotReadyAddresses", ips("/notReadyAddresses"));
        let ports = list(subset, "/ports");
        if !ports.is_empty() {
            page.line(1, "Ports:");
            page.line(2, "Name\tPort\tProtocol");
            page.line(2, "----\t----\t--------");
        }
        for port in ports {
            let name = or_unset(text(port, "/name"));
            page.line(2, format!("{name}\t{}\t{}", number(port, "/port"), text(port, "/protocol")));
        }
        page.line(0, "");
    }
    page.events(cx, object);
}

pub fn endpoint_slice(cx: &Cx<'_>, page: &mut Page, object: &Value) {
    page.head(object);
    page.field(0, "AddressType", text(object, "/addressType"));
    let ports = list(object, "/ports");
    if ports.is_empty() {
        page.line(0, "Ports: <unset>");
    } else {
        page.line(0, "Ports:");
        page.line(1, "Name\tPort\tProtocol");
        page.line(1, "----\t----\t--------");
    }
    for port in ports {
        let number = port["port"].as_i64().map_or_else(|| "<unset>".to_owned(), |port| port.to_string());
        page.line(1, format!("{}\t{number}\t{}", or_unset(text(port, "/name")), text(port, "/protocol")));
    }
    let all = list(object, "/endpoints");
    page.line(0, if all.is_empty() { "Endpoints: <none>" } else { "Endpoints:" });
    for endpoint in all {
        page.field(1, "- Addresses", or_none(strings(endpoint, "/addresses").replace(',', ", ")));
        page.line(2, "Conditions:");
        let ready = endpoint.pointer("/conditions/ready").and_then(Value::as_bool);
        page.field(3, "Ready", ready.map_or_else(|| "<unset>".to_owned(), |ready| ready.to_string()));
        page.field(2, "Hostname", or_unset(text(endpoint, "/hostname")));
        if let Some(target) = endpoint.get("targetRef") {
            page.field(2, "TargetRef", format!("{}/{}", text(target, "/kind"), text(target, "/name")));
        }
        page.field(2, "NodeName", or_unset(text(endpoint, "/nodeName")));
        page.field(2, "Zone", or_unset(text(endpoint, "/zone")));
    }
    page.events(cx, object);
}

/// `web:80 (10.244.1.2:8080)`.
fn backend(cx: &Cx<'_>, namespace: &str, backend: &Value) -> String {
    let Some(service) = backend.get("service") else {
        let resource = &backend["resource"];
        let group = or_none(text(resource, "/apiGroup").to_owned());
        return format!(
            "APIGroup: {group}, Kind: {}, Name: {}",
            text(resource, "/kind"),
            text(resource, "/name")
        );
    };
    let name = text(service, "/name");
    let wanted = (number(service, "/port/number"), text(service, "/port/name"));
    let shown = match wanted {
        (0, port) => format!("{name}:{port}"),
        (port, _) => format!("{name}:{port}"),
    };
    let Some(endpoints) = get(cx, "endpoints", namespace, name) else {
        return format!("{shown} (<error: endpoints {name:?} not found>)");
    };
    let Some(object) = get(cx, "services", namespace, name) else {
        return format!("{shown}(<error: services {name:?} not found>)");
    };
    let port = list(&object, "/spec/ports").iter().find(|port| match wanted {
        (0, wanted) => text(port, "/name") == wanted,
        (wanted, _) => number(port, "/port") == wanted,
    });
    let port = port.map_or("", |port| text(port, "/name"));
    format!("{shown} ({})", format_endpoints(&endpoints, Some(port)))
}

pub fn ingress(cx: &Cx<'_>, page: &mut Page, object: &Value) {
    let namespace = text(object, "/metadata/namespace");
    page.field(0, "Name", text(object, "/metadata/name"));
    page.labels("Labels", object.pointer("/metadata/labels"));
    page.field(0, "Namespace", namespace);
    let addresses: Vec<&str> = list(object, "/status/loadBalancer/ingress")
        .iter()
        .map(|entry| match text(entry, "/ip") {
            "" => text(entry, "/hostname"),
            ip => ip,
        })
        .collect();
    page.field(0, "Address", addresses.join(","));
    page.field(0, "Ingress Class", or_none(text(object, "/spec/ingressClassName").to_owned()));
    let default = object.pointer("/spec/defaultBackend");
    let default = default.map_or_else(|| "<default>".to_owned(), |default| backend(cx, namespace, default));
    page.field(0, "Default backend", &default);
    let tls = list(object, "/spec/tls");
    if !tls.is_empty() {
        page.line(0, "TLS:");
    }
    for entry in tls {
        let hosts = strings(entry, "/hosts");
        match text(entry, "/secretName") {
            "" => page.line(1, format!("SNI routes {hosts}")),
            secret => page.line(1, format!("{secret} terminates {hosts}")),
        }
    }
    page.line(0, "Rules:\n  Host\tPath\tBackends");
    page.line(1, "----\t----\t--------");
    let rules: Vec<&Value> =
        list(object, "/spec/rules").iter().filter(|rule| rule.get("http").is_some()).collect();
    for rule in &rules {
        let host = match text(rule, "/host") {
            "" => "*",
            host => host,
        };
        page.line(1, format!("{host}\t"));
        for path in list(rule, "/http/paths") {
            page.line(2, format!("\t{} \t{}", text(path, "/path"), backend(cx, namespace, &path["backend"])));
        }
    }
    if rules.is_empty() {
        page.line(1, format!("*\t*\t{default}"));
    }
    page.annotations("Annotations", object.pointer("/metadata/annotations"));
    page.events(cx, object);
}
