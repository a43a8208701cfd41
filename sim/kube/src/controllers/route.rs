//! Which change concerns which controller.

use k8s_openapi::api::core::v1::{Node, Pod};

use super::cache::{Cache, Change, Detail};
use super::endpoint_slice::ZONE;
use super::node_lifecycle::is_ready_node;
use super::object::{Identity, Path};
use super::pods::{is_active, node_of};
use super::queue::{Controller, Queue};
use super::service_account::ROOT_CA;
use super::{endpoint, garbage, hints, service_lb};
use crate::api::name_of;

/// Gives work to those whom a change of the object with that key concerns.
pub fn route(cache: &Cache, key: &str, change: &Change, queue: &mut Queue) {
    let Some(path) = Path::read(key) else { return };
    for identity in [&change.was, &change.is].into_iter().flatten() {
        for owner in owners(cache, identity) {
            wake_owner(owner, queue);
        }
    }
    if let (Some(was), None) = (&change.was, &change.is) {
        for dependent in cache.owned(&was.uid) {
            queue.add(Controller::GarbageCollector, "", dependent);
        }
        for owner in owners(cache, was) {
            garbage::wake(cache, owner, queue);
            // A Deployment that recreates its pods waits for the old ones to go.
            for above in cache.identity(owner).into_iter().flat_map(|identity| owners(cache, identity)) {
                wake_owner(above, queue);
            }
        }
        if cache.is_ending(path.namespace) {
            queue.add(Controller::Namespace, "", path.namespace);
        }
    }
    if change.is.is_some() {
        garbage::wake(cache, key, queue);
    }
    match &change.detail {
        Detail::Pod(old, new) => route_pod(cache, path, old.as_deref(), new.as_deref(), queue),
        Detail::Node(old, new) => route_node(cache, path, old.as_deref(), new.as_deref(), queue),
        Detail::Other => route_other(path, change.is.is_none(), queue),
    }
}

/// The keys of an object's owners that are there.
fn owners<'a>(cache: &'a Cache, identity: &'a Identity) -> impl Iterator<Item = &'a String> {
    identity.owners.iter().filter_map(|uid| cache.key(uid))
}

fn wake_owner(key: &str, queue: &mut Queue) {
    if let Some(controller) = Path::read(key).and_then(|path| controller_for(path.plural)) {
        queue.add_key(controller, key);
    }
}

/// Who looks after the objects of a kind.
fn controller_for(plural: &str) -> Option<Controller> {
    match plural {
        "namespaces" => Some(Controller::Namespace),
        "deployments" => Some(Controller::Deployment),
        "replicasets" => Some(Controller::ReplicaSet),
        "daemonsets" => Some(Controller::DaemonSet),
        "statefulsets" => Some(Controller::StatefulSet),
        "services" => Some(Controller::EndpointSlice),
        "endpoints" => Some(Controller::EndpointSliceMirroring),
        _ => None,
    }
}

fn route_other(path: Path<'_>, is_gone: bool, queue: &mut Queue) {
    if let Some(controller) = controller_for(path.plural) {
        queue.add(controller, path.namespace, path.name);
    }
    match path.plural {
        "namespaces" => {
            queue.add(Controller::ServiceAccount, "", path.name);
            queue.add(Controller::RootCa, "", path.name);
        }
        "serviceaccounts" if path.name == "default" => {
            queue.add(Controller::ServiceAccount, "", path.namespace);
        }
        "configmaps" if path.name == ROOT_CA => queue.add(Controller::RootCa, "", path.namespace),
        "services" => {
            queue.add(Controller::Endpoints, path.namespace, path.name);
            queue.add(Controller::EndpointSliceMirroring, path.namespace, path.name);
            queue.add(Controller::ServiceLb, path.namespace, path.name);
        }
        // Those that are written before their Service are left alone.
        "endpoints" if is_gone => queue.add(Controller::Endpoints, path.namespace, path.name),
        _ => {}
    }
}

fn route_pod(cache: &Cache, path: Path<'_>, old: Option<&Pod>, new: Option<&Pod>, queue: &mut Queue) {
    endpoint::wake(cache, path.namespace, old, new, queue);
    let owners = |pod: &Pod| pod.metadata.owner_references.as_ref().is_some_and(|owners| !owners.is_empty());
    let Some(new) = new else { return };
    // Somebody may want a pod that nobody owns.
    if !owners(new)
        && is_active(new)
        && old.is_none_or(|old| owners(old) || old.metadata.labels != new.metadata.labels)
    {
        for plural in ["replicasets", "daemonsets", "statefulsets"] {
            for key in cache.keys_in(plural, path.namespace) {
                wake_owner(key, queue);
            }
        }
    }
    if node_of(new).is_some() && old.and_then(node_of) != node_of(new) {
        queue.add(Controller::TaintEviction, path.namespace, path.name);
        queue.add(Controller::PodGarbage, path.namespace, path.name);
    }
}

/// What a DaemonSet looks at in a node.
fn places(node: &Node) -> impl PartialEq + '_ {
    (&node.metadata.labels, node.spec.as_ref().map(|spec| (&spec.taints, spec.unschedulable)))
}

fn route_node(cache: &Cache, path: Path<'_>, old: Option<&Node>, new: Option<&Node>, queue: &mut Queue) {
    if old.map(places) != new.map(places) {
        for key in cache.keys_of("daemonsets") {
            queue.add_key(Controller::DaemonSet, key);
        }
    }
    let cidr = |node: Option<&Node>| Some(node?.spec.as_ref()?.pod_cidr.clone());
    if cidr(old) != cidr(new) || old.is_none() {
        queue.add(Controller::NodeIpam, "", "");
        queue.add(Controller::NodeRoute, "", "");
    }
    if new.is_some() {
        queue.add(Controller::NodeLifecycle, "", path.name);
    }
    let is_down = new.is_some_and(|node| !is_ready_node(node));
    if old.is_some_and(is_ready_node) && is_down {
        queue.add(Controller::NodeDown, "", path.name);
    }
    if old.and_then(hints::weight) != new.and_then(hints::weight) {
        queue.add(Controller::Topology, "", "");
    }
    if old.and_then(service_lb::target) != new.and_then(service_lb::target) {
        for key in cache.keys_of("services") {
            queue.add_key(Controller::ServiceLb, key);
        }
    }
    let taints = |node: Option<&Node>| node.and_then(|node| node.spec.as_ref()?.taints.clone());
    let zone = |node: Option<&Node>| node.and_then(|node| node.metadata.labels.as_ref()?.get(ZONE).cloned());
    let moved = zone(old) != zone(new) || old.is_none() != new.is_none();
    if taints(old) == taints(new) && !moved {
        return;
    }
    for key in cache.pods_on(path.name) {
        queue.add_key(Controller::TaintEviction, key);
        if new.is_none() {
            queue.add_key(Controller::PodGarbage, key);
        }
        let labels = cache.pod(key).filter(|_| moved).and_then(|pod| pod.metadata.labels.as_ref());
        let namespace = Path::read(key).map_or("", |path| path.namespace);
        for service in labels.into_iter().flat_map(|labels| cache.services_for(namespace, labels)) {
            queue.add(Controller::EndpointSlice, namespace, name_of(&**service));
        }
    }
}
