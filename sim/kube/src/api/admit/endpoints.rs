//! Endpoints and EndpointSlices. Kubernetes: `ValidateEndpoints`, `ValidateEndpointSlice`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use k8s_openapi::api::core::v1::{EndpointAddress, EndpointSubset, Endpoints};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointPort, EndpointSlice, ForZone};

use super::service::PROTOCOLS;
use super::{Admit, Invalid, ip, label, name};

/// What an EndpointSlice may hold.
const ADDRESS_TYPES: [&str; 3] = ["FQDN", "IPv4", "IPv6"];
/// Endpoints in a slice, addresses of an endpoint, ports of a slice at most.
const MOST: (usize, usize, usize) = (1000, 100, 100);
/// Labels of `deprecatedTopology` at most.
const MOST_TOPOLOGY: usize = 16;
/// Zones of an endpoint's hints at most.
const MOST_ZONES: usize = 8;

fn protocol(path: &str, protocol: Option<&str>, found: &mut Vec<Invalid>) {
    let path = format!("{path}.protocol");
    match protocol.unwrap_or_default() {
        "" => found.push(Invalid::required(path, "")),
        known if PROTOCOLS.contains(&known) => {}
        other => found.push(Invalid::unsupported(path, other, &PROTOCOLS)),
    }
}

impl Admit for Endpoints {
    fn set_defaults(&mut self) {
        let subsets = self.subsets.iter_mut().flatten();
        for port in subsets.flat_map(|subset| subset.ports.iter_mut().flatten()) {
            port.protocol.get_or_insert_with(|| "TCP".to_owned());
        }
    }

    fn validate(&self, old: Option<&Self>) -> Vec<Invalid> {
        if old.is_some_and(|old| old.subsets == self.subsets) {
            return Vec::new();
        }
        let mut found = Vec::new();
        for (number, one) in self.subsets.iter().flatten().enumerate() {
            subset(&format!("subsets[{number}]"), one, &mut found);
        }
        found
    }
}

fn subset(at: &str, subset: &EndpointSubset, found: &mut Vec<Invalid>) {
    let lists = [("addresses", &subset.addresses), ("notReadyAddresses", &subset.not_ready_addresses)];
    if lists.iter().all(|(_, list)| list.iter().flatten().next().is_none()) {
        found.push(Invalid::required(at, "must specify `addresses` or `notReadyAddresses`"));
    }
    for (field, list) in lists {
        for (number, one) in list.iter().flatten().enumerate() {
            address(&format!("{at}.{field}[{number}]"), one, found);
        }
    }
    let many = subset.ports.as_ref().is_some_and(|ports| ports.len() > 1);
    for (number, port) in subset.ports.iter().flatten().enumerate() {
        let at = format!("{at}.ports[{number}]");
        match port.name.as_deref().unwrap_or_default() {
            "" if many => found.push(Invalid::required(format!("{at}.name"), "")),
            "" => {}
            text => found.extend(name::label(&format!("{at}.name"), text)),
        }
        found.extend(name::port_number(&format!("{at}.port"), port.port));
        protocol(&at, port.protocol.as_deref(), found);
        if let Some(text) = &port.app_protocol {
            found.extend(name::qualified(&format!("{at}.appProtocol"), text));
        }
    }
}

fn address(at: &str, address: &EndpointAddress, found: &mut Vec<Invalid>) {
    let path = format!("{at}.ip");
    if ip::parse(&address.ip).is_none() {
        found.push(Invalid::value(&path, &address.ip, ip::NO_IP));
    }
    if let Some(text) = address.hostname.as_deref().filter(|text| !text.is_empty()) {
        found.extend(name::label(&format!("{at}.hostname"), text));
    }
    if let Some(node) = &address.node_name {
        found.extend(name::subdomain(&format!("{at}.nodeName"), node));
    }
    found.extend(ip::special(&path, &address.ip));
}

impl Admit for EndpointSlice {
    const HAS_GENERATION: bool = true;

    fn wants_else(&self, old: &Self) -> bool {
        let Self { metadata, address_type, endpoints, ports } = self;
        *address_type != old.address_type
            || *endpoints != old.endpoints
            || *ports != old.ports
            || metadata.labels != old.metadata.labels
    }

    fn set_defaults(&mut self) {
        for port in self.ports.iter_mut().flatten() {
            port.name.get_or_insert_default();
            port.protocol.get_or_insert_with(|| "TCP".to_owned());
        }
    }

    fn validate(&self, old: Option<&Self>) -> Vec<Invalid> {
        let kind = self.address_type.as_str();
        let mut found = Vec::new();
        if kind.is_empty() {
            found.push(Invalid::required("addressType", ""));
        } else if !ADDRESS_TYPES.contains(&kind) {
            found.push(Invalid::unsupported("addressType", kind, &ADDRESS_TYPES));
        }
        if self.endpoints.len() > MOST.0 {
            found.push(Invalid::too_many("endpoints", self.endpoints.len(), MOST.0));
        } else {
            for (number, one) in self.endpoints.iter().enumerate() {
                endpoint(&format!("endpoints[{number}]"), one, kind, &mut found);
            }
        }
        ports(self.ports.as_deref().unwrap_or_default(), &mut found);
        if old.is_some_and(|old| old.address_type != self.address_type) {
            found.push(Invalid::value("addressType", kind, "field is immutable"));
        }
        found
    }
}

fn endpoint(at: &str, endpoint: &Endpoint, kind: &str, found: &mut Vec<Invalid>) {
    let path = format!("{at}.addresses");
    if endpoint.addresses.is_empty() {
        found.push(Invalid::required(&path, "must contain at least 1 address"));
    } else if endpoint.addresses.len() > MOST.1 {
        found.push(Invalid::too_many(&path, endpoint.addresses.len(), MOST.1));
    }
    for (number, text) in endpoint.addresses.iter().enumerate() {
        let path = format!("{path}[{number}]");
        let parsed = ip::parse(text);
        match kind {
            "IPv4" if !parsed.is_some_and(|ip| ip.is_ipv4()) => {
                found.push(Invalid::value(&path, text, "must be a valid IPv4 address"));
            }
            "IPv6" if !parsed.is_some_and(|ip: IpAddr| ip.is_ipv6()) => {
                found.push(Invalid::value(&path, text, "must be a valid IPv6 address"));
            }
            "FQDN" => found.extend(name::domain(&path, text)),
            _ => {}
        }
        if matches!(kind, "IPv4" | "IPv6") {
            found.extend(ip::special(&path, text));
        }
    }
    if let Some(node) = &endpoint.node_name {
        found.extend(name::subdomain(&format!("{at}.nodeName"), node));
    }
    let path = format!("{at}.deprecatedTopology");
    let topology = endpoint.deprecated_topology.as_ref();
    if let Some(count) = topology.map(BTreeMap::len).filter(|count| *count > MOST_TOPOLOGY) {
        found.push(Invalid::too_many(&path, count, MOST_TOPOLOGY));
    }
    found.extend(label::labels(&path, topology));
    if let Some(text) = &endpoint.hostname {
        found.extend(name::label(&format!("{at}.hostname"), text));
    }
    let zones = endpoint.hints.as_ref().and_then(|hints| hints.for_zones.as_deref());
    hints(&format!("{at}.hints.forZones"), zones.unwrap_or_default(), found);
}

/// The zones that an endpoint is meant for. Kubernetes: `validateHints`.
fn hints(at: &str, zones: &[ForZone], found: &mut Vec<Invalid>) {
    if zones.len() > MOST_ZONES {
        return found.push(Invalid::too_many(at, zones.len(), MOST_ZONES));
    }
    let mut names = BTreeSet::new();
    for (number, zone) in zones.iter().enumerate() {
        let path = format!("{at}[{number}].name");
        if !names.insert(&zone.name) {
            found.push(Invalid::duplicate(&path, format!("{:?}", zone.name)));
        }
        found.extend(label::value(&path, &zone.name));
    }
}

fn ports(ports: &[EndpointPort], found: &mut Vec<Invalid>) {
    if ports.len() > MOST.2 {
        return found.push(Invalid::too_many("ports", ports.len(), MOST.2));
    }
    let mut names = BTreeSet::new();
    for (number, port) in ports.iter().enumerate() {
        let at = format!("ports[{number}]");
        let path = format!("{at}.name");
        let text = port.name.as_deref().unwrap_or_default();
        if !text.is_empty() {
            found.extend(name::label(&path, text));
        }
        if !names.insert(text) {
            found.push(Invalid::duplicate(&path, format!("{text:?}")));
        }
        protocol(&at, port.protocol.as_deref(), found);
        if let Some(text) = &port.app_protocol {
            found.extend(name::qualified(&format!("{at}.appProtocol"), text));
        }
    }
}
