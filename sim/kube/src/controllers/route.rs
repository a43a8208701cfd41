//! Which change concerns which controller.

use k8s_openapi::api::core::v1::{Node, Pod};

use super::cache::{Cache, Change, Detail};
use super::garbage;
use super::object::{Identity, Path};
use super::pods::is_active;
use super::queue::{Controller, Queue};

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
        Detail::Other => {
            if let Some(controller) = controller_for(path.plural) {
                queue.add(controller, path.namespace, path.name);
            }
        }
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
        _ => None,
    }
}

fn route_pod(cache: &Cache, path: Path<'_>, old: Option<&Pod>, new: Option<&Pod>, queue: &mut Queue) {
    let owners = |pod: &Pod| pod.metadata.owner_references.as_ref().is_some_and(|owners| !owners.is_empty());
    // Somebody may want a pod that nobody owns.
    if let Some(new) = new
        && !owners(new)
        && is_active(new)
        && old.is_none_or(|old| owners(old) || old.metadata.labels != new.metadata.labels)
    {
        for plural in ["replicasets", "daemonsets"] {
            for key in cache.keys_in(plural, path.namespace) {
                wake_owner(key, queue);
            }
        }
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
    let cidr =
        |node: Option<&Node>| node.map(|node| node.spec.as_ref().and_then(|spec| spec.pod_cidr.clone()));
    if cidr(old) != cidr(new) {
        queue.add(Controller::NodeIpam, "", path.name);
    }
}
