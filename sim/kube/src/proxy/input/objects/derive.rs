use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{Name, Objects};
use crate::controllers::endpoint::selects;
use crate::controllers::pods::node_of;
use crate::controllers::slices::{Group, SERVICE_NAME};
use crate::controllers::{endpoint_mirror, endpoint_slice};
use crate::proxy::{Family, ServiceName};

impl Objects {
    /// The slices of Services that have none in the files: from their Endpoints, or else from the
    /// pods that they select.
    pub(super) fn derive(&self) -> BTreeMap<Name, Arc<EndpointSlice>> {
        let written: BTreeSet<ServiceName> = self
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
                for family in [Family::Ipv4, Family::Ipv6] {
                    for subset in endpoints.subsets.iter().flatten() {
                        put(&mut derived, name, family, endpoint_mirror::group(subset, family.name()));
                    }
                }
                continue;
            }
            let families = service.spec.as_ref().and_then(|spec| spec.ip_families.clone());
            for family in [Family::Ipv4, Family::Ipv6] {
                let wanted = families.iter().flatten().any(|wanted| wanted == family.name());
                for group in if wanted { self.groups(name, service, family) } else { Vec::new() } {
                    put(&mut derived, name, family, group);
                }
            }
        }
        derived
    }

    /// The pods of a Service as endpoints of a family.
    fn groups(&self, name: &ServiceName, service: &Service, family: Family) -> Vec<Group> {
        let pods = self.pods.iter().filter(|((namespace, _), _)| *namespace == name.0);
        let pods = pods.map(|(_, pod)| &**pod).filter(|pod| selects(service, pod));
        endpoint_slice::groups(service, pods, |pod| {
            let node = node_of(pod).and_then(|node| self.nodes.get(node));
            endpoint_slice::endpoint(service, pod, family.name(), node.map(|node| &**node))
        })
    }
}

/// Keeps a slice if it isn't empty.
fn put(
    slices: &mut BTreeMap<Name, Arc<EndpointSlice>>,
    (namespace, service): &ServiceName,
    family: Family,
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
    let address_type = family.name().to_owned();
    let slice = EndpointSlice { metadata, address_type, endpoints, ports: Some(ports) };
    slices.insert((namespace.clone(), name), Arc::new(slice));
}
