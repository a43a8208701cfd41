use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, Service};
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
                let groups = endpoints.subsets.iter().flatten().map(endpoint_mirror::group);
                // A subset may hold addresses of both families.
                for group in groups.collect::<Vec<_>>() {
                    for family in [Family::Ipv4, Family::Ipv6] {
                        put(&mut derived, name, family, of_family(&group, family));
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
            Some(endpoint_slice::endpoint(service, pod, &address(pod, family)?, node.map(|node| &**node)))
        })
    }
}

/// The address of a pod of a family.
fn address(pod: &Pod, family: Family) -> Option<String> {
    let status = pod.status.as_ref()?;
    let mut all = status.pod_ips.iter().flatten().map(|ip| &ip.ip).chain(&status.pod_ip);
    all.find(|text| text.parse().is_ok_and(|ip: IpAddr| Family::of(&ip) == family)).cloned()
}

fn of_family(group: &Group, family: Family) -> Group {
    let is = |text: &String| text.parse().is_ok_and(|ip: IpAddr| Family::of(&ip) == family);
    let endpoints = group.endpoints.iter().filter(|endpoint| endpoint.addresses.iter().any(is));
    Group { ports: group.ports.clone(), endpoints: endpoints.cloned().collect() }
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
