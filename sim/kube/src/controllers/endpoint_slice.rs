//! The EndpointSlices of Services that select pods. Kubernetes: `pkg/controller/endpointslice`.

use k8s_openapi::api::core::v1::{Node, Pod, Service};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointPort, EndpointSlice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::cache::selector_of;
use super::context::Context;
use super::endpoint::{
    HEADLESS, TRIGGER, hostname, ip_of, is_headless, pods_of, reference, target_port, wants_unready,
};
use super::hints;
use super::owner::{controlled, reference_to};
use super::pods::{is_deleted, is_ready, node_of};
use super::slices::{self, Group, MANAGED_BY, Plan, SERVICE_NAME};
use crate::api::ip::{self, FAMILIES};
use crate::api::labels::Labels;
use crate::api::{get, name_of};

const MANAGER: &str = "endpointslice-controller.k8s.io";
/// The label with a node's zone.
pub const ZONE: &str = "topology.kubernetes.io/zone";

/// Brings the EndpointSlices of a Service up to date.
pub fn sync(cx: &mut Context<'_>, namespace: &str, name: &str) {
    let Some(service) = get::<Service>(cx.sys.store(), namespace, name) else { return };
    let external = service.spec.as_ref().and_then(|spec| spec.type_.as_deref()) == Some("ExternalName");
    if external || selector_of(&service).is_none() {
        return;
    }
    let uid = service.metadata.uid.clone().unwrap_or_default();
    let mut present = controlled::<EndpointSlice>(cx, "endpointslices", &uid);
    present.retain(|slice| {
        slice
            .metadata
            .labels
            .as_ref()
            .and_then(|labels| labels.get(MANAGED_BY))
            .is_some_and(|by| by == MANAGER)
    });
    let trigger = Labels::from([(TRIGGER.to_owned(), cx.now().0.to_string())]);
    let metadata = ObjectMeta {
        generate_name: Some(format!("{name}-")),
        namespace: Some(namespace.to_owned()),
        labels: Some(labels(&service)),
        annotations: Some(trigger),
        owner_references: Some(vec![reference_to(&*service)]),
        ..ObjectMeta::default()
    };
    let usual = [FAMILIES[0].to_owned()];
    let families = service.spec.as_ref().and_then(|spec| spec.ip_families.as_deref()).unwrap_or(&usual);
    for family in families {
        let (mine, others): (Vec<_>, Vec<_>) =
            present.into_iter().partition(|slice| slice.address_type == *family);
        present = others;
        let pods = pods_of(cx, &service);
        let mut wanted = groups(&service, pods.iter().map(|pod| &**pod), |pod| {
            // A pod whose node isn't known is left out.
            let node = node_of(pod).and_then(|node| get::<Node>(cx.sys.store(), "", node));
            let known = node.is_some() || wants_unready(&service);
            endpoint(&service, pod, family, node.as_deref()).filter(|_| known)
        });
        if wanted.is_empty() {
            // A Service without pods has a slice that says so.
            wanted.push(Group { ports: Vec::new(), endpoints: Vec::new() });
        }
        let mut plan = slices::plan(&mine, wanted, family, &metadata);
        hints::apply(cx, &service, &mut plan, family);
        plan.carry_out(cx, &metadata);
    }
    // Slices of a family that the Service no longer has.
    Plan { delete: present, ..Plan::default() }.carry_out(cx, &metadata);
}

/// Endpoints of pods by their ports: pods may call different ports by one name.
pub fn groups<'a>(
    service: &Service,
    pods: impl Iterator<Item = &'a Pod>,
    endpoint: impl Fn(&Pod) -> Option<Endpoint>,
) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for pod in pods {
        let Some(endpoint) = endpoint(pod) else { continue };
        let ports = ports(service, pod);
        match groups.iter_mut().find(|group| group.ports == ports) {
            Some(group) => group.endpoints.push(endpoint),
            None => groups.push(Group { ports, endpoints: vec![endpoint] }),
        }
    }
    groups
}

fn labels(service: &Service) -> Labels {
    let mut labels = service.metadata.labels.clone().unwrap_or_default();
    labels.insert(SERVICE_NAME.to_owned(), name_of(service).to_owned());
    labels.insert(MANAGED_BY.to_owned(), MANAGER.to_owned());
    if is_headless(service) {
        labels.insert(HEADLESS.to_owned(), String::new());
    }
    labels
}

/// Kubernetes: `getEndpointPorts`.
fn ports(service: &Service, pod: &Pod) -> Vec<EndpointPort> {
    let ports = service.spec.iter().flat_map(|spec| spec.ports.iter().flatten());
    ports
        .filter_map(|port| {
            Some(EndpointPort {
                name: Some(port.name.clone().unwrap_or_default()),
                port: Some(target_port(pod, port)?),
                protocol: Some(port.protocol.clone().unwrap_or_else(|| "TCP".to_owned())),
                app_protocol: port.app_protocol.clone(),
            })
        })
        .collect()
}

/// A pod's addresses of a family. Kubernetes: `getEndpointAddresses`.
fn addresses(pod: &Pod, family: &str) -> Vec<String> {
    let status = pod.status.as_ref();
    let listed = status.iter().flat_map(|status| status.pod_ips.iter().flatten()).map(|one| one.ip.as_str());
    let mut all: Vec<&str> = listed.collect();
    if all.is_empty() {
        all.extend(ip_of(pod));
    }
    let of_family = |text: &&str| ip::parse(text).is_some_and(|ip| ip::family_of(ip) == family);
    all.into_iter().filter(of_family).map(str::to_owned).collect()
}

/// A pod as an endpoint of a Service, if it has an address of the family. Kubernetes:
/// `podToEndpoint`.
pub fn endpoint(service: &Service, pod: &Pod, family: &str, node: Option<&Node>) -> Option<Endpoint> {
    let addresses = addresses(pod, family);
    if addresses.is_empty() {
        return None;
    }
    let unready = wants_unready(service);
    let (serving, terminating) = (is_ready(pod), is_deleted(pod));
    Some(Endpoint {
        addresses,
        conditions: Some(EndpointConditions {
            ready: Some(unready || serving && !terminating),
            serving: Some(serving),
            terminating: Some(terminating),
        }),
        hostname: hostname(pod, service),
        node_name: node_of(pod).map(str::to_owned),
        target_ref: Some(reference(pod)),
        zone: node.and_then(|node| node.metadata.labels.as_ref()?.get(ZONE).cloned()),
        ..Endpoint::default()
    })
}
