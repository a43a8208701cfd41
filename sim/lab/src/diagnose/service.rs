use std::net::IpAddr;

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::list;
use kube::controllers::SERVICE_NAME;
use world::Store;

/// The ready endpoints of a Service: address, port and the name of the Service's port.
pub(super) fn endpoints(store: &Store, namespace: &str, name: &str) -> Vec<(IpAddr, u16, String)> {
    let mut found = Vec::new();
    for slice in list::<EndpointSlice>(store, Some(namespace)) {
        let of = slice.metadata.labels.as_ref().and_then(|labels| labels.get(SERVICE_NAME));
        if of.is_none_or(|of| of != name) {
            continue;
        }
        for port in slice.ports.iter().flatten() {
            let Some(number) = port.port.and_then(|number| u16::try_from(number).ok()) else { continue };
            for endpoint in &slice.endpoints {
                let ready = endpoint.conditions.as_ref().and_then(|conditions| conditions.ready);
                let address = endpoint.addresses.first().and_then(|address| address.parse().ok());
                if let (Some(address), true) = (address, ready != Some(false)) {
                    found.push((address, number, port.name.clone().unwrap_or_default()));
                }
            }
        }
    }
    found
}

/// Whether it finds its endpoints by labels.
pub(super) fn selects(service: &Service) -> bool {
    let selector = service.spec.as_ref().and_then(|spec| spec.selector.as_ref());
    selector.is_some_and(|selector| !selector.is_empty())
}
