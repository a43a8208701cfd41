//! EndpointSlices from Endpoints that somebody writes by hand. Kubernetes:
//! `pkg/controller/endpointslicemirroring`.

use k8s_openapi::api::core::v1::{EndpointAddress, EndpointSubset, Endpoints, Service};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointPort, EndpointSlice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::cache::selector_of;
use super::context::Context;
use super::endpoint::TRIGGER;
use super::owner::{controlled, reference_to};
use super::slices::{self, Group, MANAGED_BY, SERVICE_NAME};
use crate::api::get;
use crate::api::ip::{self, FAMILIES};

const MANAGER: &str = "endpointslicemirroring-controller.k8s.io";
/// The label of Endpoints that have slices already.
pub const SKIP: &str = "endpointslice.kubernetes.io/skip-mirror";

/// Brings the slices of Endpoints up to date.
pub fn sync(cx: &mut Context<'_>, namespace: &str, name: &str) {
    let Some(endpoints) = get::<Endpoints>(cx.sys.store(), namespace, name) else { return };
    let service = get::<Service>(cx.sys.store(), namespace, name);
    let labels = endpoints.metadata.labels.clone().unwrap_or_default();
    let annotations = endpoints.metadata.annotations.clone().unwrap_or_default();
    let skipped = labels.get(SKIP).is_some_and(|value| value == "true")
        || annotations.contains_key("control-plane.alpha.kubernetes.io/leader");
    let mirrored = service.is_some_and(|service| selector_of(&service).is_none()) && !skipped;
    let uid = endpoints.metadata.uid.clone().unwrap_or_default();
    let present = controlled::<EndpointSlice>(cx, "endpointslices", &uid);
    let subsets = endpoints.subsets.iter().flatten().filter(|_| mirrored);
    let subsets: Vec<&EndpointSubset> = subsets.collect();
    let mut labels = labels;
    labels.insert(SERVICE_NAME.to_owned(), name.to_owned());
    labels.insert(MANAGED_BY.to_owned(), MANAGER.to_owned());
    let mut annotations = annotations;
    annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    annotations.remove(TRIGGER);
    let metadata = ObjectMeta {
        generate_name: Some(format!("{name}-")),
        namespace: Some(namespace.to_owned()),
        labels: Some(labels),
        annotations: Some(annotations).filter(|annotations| !annotations.is_empty()),
        owner_references: Some(vec![reference_to(&*endpoints)]),
        ..ObjectMeta::default()
    };
    for family in FAMILIES {
        let mine: Vec<_> = present.iter().filter(|slice| slice.address_type == family).cloned().collect();
        let mut wanted: Vec<Group> = Vec::new();
        for new in subsets.iter().map(|subset| group(subset, family)).filter(|new| !new.endpoints.is_empty())
        {
            match wanted.iter_mut().find(|known| known.ports == new.ports) {
                Some(known) => known.endpoints.extend(new.endpoints),
                None => wanted.push(new),
            }
        }
        slices::plan(&mine, wanted, family, &metadata).carry_out(cx, &metadata);
    }
}

/// The ports of a subset and its endpoints of a family, those that are ready first.
pub fn group(subset: &EndpointSubset, family: &str) -> Group {
    let ports = subset.ports.iter().flatten().map(|port| EndpointPort {
        name: Some(port.name.clone().unwrap_or_default()),
        port: Some(port.port),
        protocol: Some(port.protocol.clone().unwrap_or_else(|| "TCP".to_owned())),
        app_protocol: port.app_protocol.clone(),
    });
    let endpoint = |address: &EndpointAddress, ready: bool| Endpoint {
        addresses: vec![address.ip.clone()],
        conditions: Some(EndpointConditions { ready: Some(ready), ..EndpointConditions::default() }),
        hostname: address.hostname.clone(),
        node_name: address.node_name.clone(),
        target_ref: address.target_ref.clone(),
        ..Endpoint::default()
    };
    let mine =
        |address: &&EndpointAddress| ip::parse(&address.ip).is_some_and(|ip| ip::family_of(ip) == family);
    let ready = subset.addresses.iter().flatten().filter(mine).map(|address| endpoint(address, true));
    let unready = subset.not_ready_addresses.iter().flatten().filter(mine);
    let unready = unready.map(|address| endpoint(address, false));
    Group { ports: ports.collect(), endpoints: ready.chain(unready).collect() }
}
