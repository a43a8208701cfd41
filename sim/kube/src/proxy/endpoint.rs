//! Endpoints: read from slices, and chosen for a port.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use k8s_openapi::api::discovery::v1::EndpointSlice;

use super::names::Chain;
use super::{Family, Profile, Protocol, ServiceName, ServicePort, ServicePortName};

/// What a proxier knows of an endpoint. Kubernetes: `BaseEndpointInfo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Address and port.
    pub address: SocketAddr,
    /// The same as text: `10.0.0.1:80`, `[fd00::1]:80`.
    pub text: String,
    /// The chain that leads to it.
    pub chain: Chain,
    /// Whether it is on the proxier's node.
    pub is_local: bool,
    /// Whether it takes new connections.
    pub is_ready: bool,
    /// Whether it would, were it not ending.
    pub is_serving: bool,
    /// Whether it is ending.
    pub is_terminating: bool,
    /// The zones that it is meant for.
    pub zones: BTreeSet<String>,
}

impl Endpoint {
    /// Whether it may be used when no endpoint is ready.
    fn is_fallback(&self) -> bool {
        self.is_serving && self.is_terminating
    }
}

/// The endpoints of the ports of a Service, by port, in the order of the slices; and the addresses
/// that were left out because they are of the other family. An address that several slices have
/// counts once. Kubernetes: `EndpointSliceCache`.
pub fn of_slices<'a>(
    service: &ServiceName,
    slices: impl IntoIterator<Item = &'a EndpointSlice>,
    family: Family,
    profile: Profile,
    node_name: &str,
) -> (BTreeMap<ServicePortName, Vec<Endpoint>>, Vec<String>) {
    let mut found: BTreeMap<ServicePortName, Vec<Endpoint>> = BTreeMap::new();
    let mut other_family = Vec::new();
    for slice in slices.into_iter().filter(|slice| slice.address_type != "FQDN") {
        for port in slice.ports.iter().flatten() {
            let number = port.port.and_then(|number| u16::try_from(number).ok());
            let (Some(number), Some(protocol)) = (number, Protocol::of(port.protocol.as_deref())) else {
                continue;
            };
            let port_name = port.name.as_deref().unwrap_or_default();
            let name = ServicePortName::new(profile, service, port_name, protocol);
            let endpoints = found.entry(name.clone()).or_default();
            for endpoint in &slice.endpoints {
                let Some(text) = endpoint.addresses.first() else { continue };
                let Ok(ip) = text.parse::<IpAddr>() else { continue };
                if Family::of(&ip) != family {
                    other_family.push(text.clone());
                    continue;
                }
                let address = SocketAddr::new(ip, number);
                let conditions = endpoint.conditions.clone().unwrap_or_default();
                let zones = endpoint.hints.as_ref().and_then(|hints| hints.for_zones.as_ref());
                let text = address.to_string();
                let new = Endpoint {
                    address,
                    chain: name.endpoint_chain(&text),
                    text,
                    is_local: endpoint.node_name.as_deref().is_some_and(|name| name == node_name),
                    is_ready: conditions.ready.unwrap_or(true),
                    is_serving: conditions.serving.unwrap_or(true),
                    is_terminating: conditions.terminating.unwrap_or(false),
                    zones: zones.into_iter().flatten().map(|zone| zone.name.clone()).collect(),
                };
                match endpoints.iter_mut().find(|known| known.address == address) {
                    None => endpoints.push(new),
                    Some(known) if new.is_local => *known = new,
                    Some(_) => {}
                }
            }
        }
    }
    (found, other_family)
}

/// Which endpoints a node uses for a port. Kubernetes: `CategorizeEndpoints`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usable<'a> {
    /// For traffic that may go to any node.
    pub cluster: Vec<&'a Endpoint>,
    /// For traffic that stays on the node.
    pub local: Vec<&'a Endpoint>,
    /// All of them.
    pub reachable: Vec<&'a Endpoint>,
    /// Whether any node has one.
    pub any: bool,
}

impl<'a> Usable<'a> {
    /// Chooses among the endpoints of a port.
    pub fn of(endpoints: &'a [Endpoint], port: &ServicePort, zone: Option<&str>) -> Self {
        let mut usable = Self::default();
        let chosen = |wanted: &dyn Fn(&Endpoint) -> bool| -> Vec<&'a Endpoint> {
            endpoints.iter().filter(|endpoint| wanted(endpoint)).collect()
        };
        let zone = zone.filter(|zone| port.follows_hints && hints_are_complete(endpoints, zone));
        if port.uses_cluster() {
            usable.cluster = chosen(&|endpoint| {
                endpoint.is_ready && zone.is_none_or(|zone| endpoint.zones.contains(zone))
            });
            if usable.cluster.is_empty() {
                usable.cluster = chosen(&Endpoint::is_fallback);
            }
            usable.any = !usable.cluster.is_empty();
        }
        if !port.uses_local() {
            usable.reachable.clone_from(&usable.cluster);
            return usable;
        }
        usable.any |= endpoints.iter().any(|endpoint| endpoint.is_ready || endpoint.is_fallback());
        usable.local = chosen(&|endpoint| endpoint.is_local && endpoint.is_ready);
        if usable.local.is_empty() {
            usable.local = chosen(&|endpoint| endpoint.is_local && endpoint.is_fallback());
        }
        // Where both lists have to be merged, the real order is that of a Go map; ours is that of
        // the endpoints.
        let used: BTreeSet<SocketAddr> =
            usable.cluster.iter().chain(&usable.local).map(|endpoint| endpoint.address).collect();
        usable.reachable = chosen(&|endpoint| used.contains(&endpoint.address));
        usable
    }
}

/// Whether all ready endpoints have hints and one is meant for the zone.
/// Kubernetes: `canUseTopology`.
fn hints_are_complete(endpoints: &[Endpoint], zone: &str) -> bool {
    let mut ready = endpoints.iter().filter(|endpoint| endpoint.is_ready);
    ready.clone().all(|endpoint| !endpoint.zones.is_empty())
        && ready.any(|endpoint| endpoint.zones.contains(zone))
}

/// Puts endpoints into the order of a profile's rules: since 1.11 that of their text. Before, they
/// keep their own, and those that aren't ready don't count: proxiers watched Endpoints, not slices.
pub fn arrange(endpoints: &mut Vec<Endpoint>, profile: Profile) {
    match profile {
        Profile::V1_30 => endpoints.sort_by(|a, b| a.text.cmp(&b.text)),
        Profile::V1_9 | Profile::V1_1 => endpoints.retain(|endpoint| endpoint.is_ready),
    }
}
