//! The objects that a proxier watches, and what changed in them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Endpoints, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::conntrack::Stale;
use super::{
    Endpoint, Family, Profile, Protocol, ServiceName, ServicePort, ServicePortName, endpoint, service,
};
use crate::controllers::{Group, SERVICE_NAME, group};

/// The objects that a proxier of a family watches, and what changed since its last sync.
#[derive(Clone, Debug)]
pub struct Tracker {
    family: Family,
    profile: Profile,
    node_name: String,
    ports: BTreeMap<ServicePortName, ServicePort>,
    endpoints: BTreeMap<ServicePortName, Vec<Endpoint>>,
    /// By namespace and name of the slice.
    slices: BTreeMap<(String, String), (ServiceName, Arc<EndpointSlice>)>,
    /// The slices of each Service.
    of_service: BTreeMap<ServiceName, BTreeSet<(String, String)>>,
    pending_services: BTreeMap<ServiceName, Option<Arc<Service>>>,
    pending_endpoints: BTreeSet<ServiceName>,
}

/// What a sync has to do about changes.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// The Services that changed, or whose endpoints did.
    pub services: BTreeSet<ServiceName>,
    /// Connection tracking entries that now mislead.
    pub stale: Stale,
    /// Addresses of endpoints that are not of the proxier's family, with their Service.
    pub other_family: Vec<(ServiceName, String)>,
}

impl Tracker {
    /// One that knows nothing yet.
    pub fn new(family: Family, profile: Profile, node_name: &str) -> Self {
        Self {
            family,
            profile,
            node_name: node_name.to_owned(),
            ports: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            slices: BTreeMap::new(),
            of_service: BTreeMap::new(),
            pending_services: BTreeMap::new(),
            pending_endpoints: BTreeSet::new(),
        }
    }

    /// The ports of all Services, as of the last [`Self::apply`].
    pub fn ports(&self) -> impl Iterator<Item = &ServicePort> {
        self.ports.values()
    }

    /// The endpoints of a port, in the order of the slices or as sorted.
    pub fn endpoints(&self, port: &ServicePortName) -> &[Endpoint] {
        self.endpoints.get(port).map_or(&[], Vec::as_slice)
    }

    /// How many endpoints all ports of Services have.
    pub fn endpoint_count(&self) -> usize {
        self.ports.keys().map(|name| self.endpoints(name).len()).sum()
    }

    /// How many addresses on this node are ready to serve a Service.
    /// Kubernetes: `LocalReadyEndpoints`.
    pub fn local_ready(&self, service: &ServiceName) -> usize {
        let ports = self.ports.values().filter(|port| port.service == *service);
        let endpoints = ports.flat_map(|port| self.endpoints(&port.name));
        let ready = endpoints.filter(|endpoint| endpoint.is_local && endpoint.is_ready);
        ready.map(|endpoint| endpoint.address.ip()).collect::<BTreeSet<_>>().len()
    }

    /// A Service is there, was changed, or is gone.
    pub fn set_service(&mut self, name: ServiceName, service: Option<Arc<Service>>) {
        self.pending_services.insert(name, service);
    }

    /// A slice is there, was changed, or is gone.
    pub fn set_slice(&mut self, namespace: &str, name: &str, slice: Option<Arc<EndpointSlice>>) {
        let key = (namespace.to_owned(), name.to_owned());
        if let Some((service, _)) = self.slices.remove(&key) {
            if let Some(slices) = self.of_service.get_mut(&service) {
                slices.remove(&key);
            }
            self.pending_endpoints.insert(service);
        }
        let Some(slice) = slice else { return };
        let labels = slice.metadata.labels.as_ref();
        let Some(service) = labels.and_then(|labels| labels.get(SERVICE_NAME)) else { return };
        let service = (namespace.to_owned(), service.clone());
        self.pending_endpoints.insert(service.clone());
        self.of_service.entry(service.clone()).or_default().insert(key.clone());
        self.slices.insert(key, (service, slice));
    }

    /// Endpoints are there, were changed, or are gone: releases up to 1.18 watch these. Each subset
    /// counts as a slice.
    pub fn set_endpoints(&mut self, (namespace, name): &ServiceName, endpoints: Option<&Endpoints>) {
        let known: Vec<String> = self
            .of_service
            .get(&(namespace.clone(), name.clone()))
            .map(|keys| keys.iter().map(|(_, slice)| slice.clone()).collect())
            .unwrap_or_default();
        for slice in known {
            self.set_slice(namespace, &slice, None);
        }
        for (number, subset) in endpoints.into_iter().flat_map(|all| &all.subsets).flatten().enumerate() {
            let Group { ports, endpoints } = group(subset, self.family.name());
            let labels = [(SERVICE_NAME.to_owned(), name.clone())].into();
            let metadata = ObjectMeta { labels: Some(labels), ..ObjectMeta::default() };
            let address_type = self.family.name().to_owned();
            let slice = EndpointSlice { address_type, endpoints, metadata, ports: Some(ports) };
            self.set_slice(namespace, &format!("{name}/{number}"), Some(Arc::new(slice)));
        }
    }

    /// Whether anything waits to be applied.
    pub fn is_pending(&self) -> bool {
        !self.pending_services.is_empty() || !self.pending_endpoints.is_empty()
    }

    /// Takes up what changed.
    pub fn apply(&mut self) -> Changes {
        let mut changes = Changes::default();
        for (name, service) in std::mem::take(&mut self.pending_services) {
            let ports = |service: Arc<Service>| service::ports(&service, self.family, self.profile);
            let after = service.map(ports).unwrap_or_default();
            let before = of_service(&self.ports, &name);
            if before.iter().eq(&after) {
                continue;
            }
            for port in &before {
                self.ports.remove(&port.name);
                let stays = after.iter().any(|other| other.name == port.name);
                if port.name.protocol == Protocol::Udp && !stays {
                    changes.stale.addresses.insert(port.cluster_ip);
                }
            }
            self.ports.extend(after.into_iter().map(|port| (port.name.clone(), port)));
            changes.services.insert(name);
        }
        for name in std::mem::take(&mut self.pending_endpoints) {
            let keys = self.of_service.get(&name).into_iter().flatten();
            let slices = keys.filter_map(|key| self.slices.get(key)).map(|(_, slice)| &**slice);
            let (mut after, other_family) =
                endpoint::of_slices(&name, slices, self.family, self.profile, &self.node_name);
            after.values_mut().for_each(|endpoints| endpoint::arrange(endpoints, self.profile));
            changes.other_family.extend(other_family.into_iter().map(|ip| (name.clone(), ip)));
            self.replace_endpoints(&name, after, &mut changes);
            changes.services.insert(name);
        }
        changes.stale.complete(&self.ports, self.profile);
        changes
    }

    fn replace_endpoints(
        &mut self,
        service: &ServiceName,
        after: BTreeMap<ServicePortName, Vec<Endpoint>>,
        changes: &mut Changes,
    ) {
        let before: Vec<ServicePortName> = named(&self.endpoints, service).cloned().collect();
        let before: BTreeMap<_, _> =
            before.into_iter().filter_map(|name| self.endpoints.remove_entry(&name)).collect();
        changes.stale.compare(&before, &after);
        self.endpoints.extend(after);
    }
}

/// The ports of a Service among those of all.
fn of_service(ports: &BTreeMap<ServicePortName, ServicePort>, service: &ServiceName) -> Vec<ServicePort> {
    named(ports, service).filter_map(|name| ports.get(name)).cloned().collect()
}

/// The names in a map that are of a Service: they begin alike, so they stand together.
fn named<'a, T>(
    map: &'a BTreeMap<ServicePortName, T>,
    (namespace, name): &ServiceName,
) -> impl Iterator<Item = &'a ServicePortName> {
    let text = format!("{namespace}/{name}");
    let service = (namespace.clone(), name.clone());
    let first = ServicePortName::new(Profile::V1_30, &service, "", Protocol::Sctp);
    let alike = map.range(first..).map(|(name, _)| name);
    let begin = text.clone();
    alike.take_while(move |name| name.text().starts_with(&begin)).filter(move |name| {
        let rest = name.text().get(text.len()..).unwrap_or_default();
        rest.is_empty() || rest.starts_with(':')
    })
}
