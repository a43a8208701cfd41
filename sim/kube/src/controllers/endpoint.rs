//! What pods are to Services: ports and presence, for Endpoints and EndpointSlices.

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Container, ObjectReference, Pod, Service, ServicePort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::cache::{Cache, selector_of};
use super::context::Context;
use super::pods::{is_deleted, is_over, is_ready, node_of};
use super::queue::{Controller, Queue};
use crate::api::labels::selects_pairs;
use crate::api::{name_of, namespace_of};

/// The label of slices and Endpoints of a Service without an address.
pub const HEADLESS: &str = "service.kubernetes.io/headless";
/// When the last change came that made the object change.
pub const TRIGGER: &str = "endpoints.kubernetes.io/last-change-trigger-time";

/// The address of a pod.
pub fn ip_of(pod: &Pod) -> Option<&str> {
    pod.status.as_ref()?.pod_ip.as_deref().filter(|ip| !ip.is_empty())
}

/// The pods that a Service selects and that have an address; sorted by name.
pub fn pods_of(cx: &Context<'_>, service: &Service) -> Vec<Arc<Pod>> {
    let Some(selector) = selector_of(service) else { return Vec::new() };
    let keys = cx.cache.labeled(namespace_of(service), selector);
    let pods = keys.into_iter().filter_map(|key| cx.sys.store().get(key)?.get::<Pod>());
    pods.filter(|pod| selects(service, pod)).collect()
}

/// Whether a pod of the same namespace is one of a Service's: it has an address and hasn't ended.
pub fn selects(service: &Service, pod: &Pod) -> bool {
    let labels = pod.metadata.labels.as_ref();
    let fits = selector_of(service).is_some_and(|selector| selects_pairs(selector.iter(), labels));
    fits && !is_over(pod) && ip_of(pod).is_some()
}

/// Whether a Service has no address of its own.
pub fn is_headless(service: &Service) -> bool {
    service.spec.as_ref().and_then(|spec| spec.cluster_ip.as_deref()) == Some("None")
}

/// Whether a Service wants pods that aren't ready too.
pub fn wants_unready(service: &Service) -> bool {
    service.spec.as_ref().and_then(|spec| spec.publish_not_ready_addresses) == Some(true)
}

/// The number of the port of a pod to which a port of a Service leads. Kubernetes:
/// `podutil.FindPort`.
pub fn target_port(pod: &Pod, port: &ServicePort) -> Option<i32> {
    match port.target_port.as_ref()? {
        IntOrString::Int(number) => Some(*number),
        IntOrString::String(name) => {
            let proto = port.protocol.as_deref().unwrap_or("TCP");
            let named = |container: &Container| {
                let mut ports = container.ports.iter().flatten();
                let found = ports.find(|candidate| {
                    candidate.name.as_ref() == Some(name)
                        && candidate.protocol.as_deref().unwrap_or("TCP") == proto
                });
                found.map(|port| port.container_port)
            };
            let spec = pod.spec.as_ref()?;
            let sidecars = spec.init_containers.iter().flatten();
            let sidecars = sidecars.filter(|container| container.restart_policy.as_deref() == Some("Always"));
            spec.containers.iter().chain(sidecars).find_map(named)
        }
    }
}

/// The name that a pod has below a Service's. Kubernetes: `ShouldSetHostname`.
pub fn hostname(pod: &Pod, service: &Service) -> Option<String> {
    let spec = pod.spec.as_ref()?;
    let name = spec.hostname.clone().filter(|name| !name.is_empty())?;
    (spec.subdomain.as_deref() == Some(name_of(service))).then_some(name)
}

/// A reference to a pod.
pub fn reference(pod: &Pod) -> ObjectReference {
    ObjectReference {
        kind: Some("Pod".to_owned()),
        namespace: Some(namespace_of(pod).to_owned()),
        name: Some(name_of(pod).to_owned()),
        uid: pod.metadata.uid.clone(),
        ..ObjectReference::default()
    }
}

/// What Services look at in a pod.
fn presence(pod: &Pod) -> impl PartialEq + '_ {
    let spec = pod.spec.as_ref();
    (
        &pod.metadata.labels,
        (ip_of(pod), node_of(pod), is_ready(pod), is_deleted(pod), is_over(pod)),
        spec.map(|spec| (&spec.hostname, &spec.subdomain)),
    )
}

/// Wakes the Services that a change of a pod concerns.
pub fn wake(cache: &Cache, namespace: &str, old: Option<&Pod>, new: Option<&Pod>, queue: &mut Queue) {
    if old.map(presence) == new.map(presence) {
        return;
    }
    let labels: BTreeSet<_> =
        old.into_iter().chain(new).filter_map(|pod| pod.metadata.labels.as_ref()).collect();
    for labels in labels {
        for service in cache.services_for(namespace, labels) {
            queue.add(Controller::Endpoints, namespace, name_of(&**service));
            queue.add(Controller::EndpointSlice, namespace, name_of(&**service));
        }
    }
}
