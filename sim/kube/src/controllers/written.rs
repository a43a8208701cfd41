//! The EndpointSlices of objects that stand in files, where no controller runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Endpoints, Node, Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::endpoint::selects;
use super::pods::node_of;
use super::slices::{Group, SERVICE_NAME};
use super::{endpoint_mirror, endpoint_slice};
use crate::api::ip::FAMILIES;

/// Namespace and name.
type Name = (String, String);

/// Objects by namespace and name.
type Objects<K> = BTreeMap<Name, Arc<K>>;

/// The objects that decide about slices.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    /// The Services.
    pub services: &'a Objects<Service>,
    /// The slices that somebody wrote.
    pub slices: &'a Objects<EndpointSlice>,
    /// The Endpoints.
    pub endpoints: &'a Objects<Endpoints>,
    /// The pods.
    pub pods: &'a Objects<Pod>,
    /// The Nodes, by name.
    pub nodes: &'a BTreeMap<String, Arc<Node>>,
}

impl Written<'_> {
    /// The slices of Services that have none: from their Endpoints, or else from the pods that they
    /// select.
    pub fn derive(&self) -> Objects<EndpointSlice> {
        let written: BTreeSet<Name> = self
            .slices
            .iter()
            .filter_map(|((namespace, _), slice)| {
                let service = slice.metadata.labels.as_ref()?.get(SERVICE_NAME)?;
                Some((namespace.clone(), service.clone()))
            })
            .collect();
        let mut derived = BTreeMap::new();
        for (name, service) in self.services.iter().filter(|(name, _)| !written.contains(*name)) {
            if let Some(endpoints) = self.endpoints.get(name) {
                // A subset may hold addresses of both families.
                for family in FAMILIES {
                    for subset in endpoints.subsets.iter().flatten() {
                        put(&mut derived, name, family, endpoint_mirror::group(subset, family));
                    }
                }
                continue;
            }
            let families = service.spec.as_ref().and_then(|spec| spec.ip_families.clone());
            for family in FAMILIES {
                let wanted = families.iter().flatten().any(|wanted| wanted == family);
                for group in if wanted { self.groups(name, service, family) } else { Vec::new() } {
                    put(&mut derived, name, family, group);
                }
            }
        }
        derived
    }

    /// The pods of a Service as endpoints of a family.
    fn groups(&self, name: &Name, service: &Service, family: &str) -> Vec<Group> {
        let pods = self.pods.iter().filter(|((namespace, _), _)| *namespace == name.0);
        let pods = pods.map(|(_, pod)| &**pod).filter(|pod| selects(service, pod));
        endpoint_slice::groups(service, pods, |pod| {
            let node = node_of(pod).and_then(|node| self.nodes.get(node));
            endpoint_slice::endpoint(service, pod, family, node.map(|node| &**node))
        })
    }
}

/// Keeps a slice if it isn't empty.
fn put(
    slices: &mut Objects<EndpointSlice>,
    (namespace, service): &Name,
    family: &str,
    Group { ports, endpoints }: Group,
) {
    if endpoints.is_empty() {
        return;
    }
    // No name of an object has a blank: this is no other slice.
    let name = format!("{service} {}", slices.len());
    let labels = [(SERVICE_NAME.to_owned(), service.clone())].into();
    let metadata = ObjectMeta {
        name: Some(name.clone()),
        namespace: Some(namespace.clone()),
        labels: Some(labels),
        ..ObjectMeta::default()
    };
    let address_type = family.to_owned();
    let slice = EndpointSlice { metadata, address_type, endpoints, ports: Some(ports) };
    slices.insert((namespace.clone(), name), Arc::new(slice));
}
