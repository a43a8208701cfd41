//! Pods of nodes that are gone. Kubernetes: `pkg/controller/podgc`.
//!
//! Simplified: ended pods are kept, however many they are.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod};

use super::context::Context;
use super::pods::node_of;
use super::queue::{Controller, Task};
use crate::api::{delete, get};

/// How long a node must be gone. Kubernetes: `quarantineTime`.
const QUARANTINE: Duration = Duration::from_secs(40);

fn is_orphan(cx: &Context<'_>, namespace: &str, name: &str) -> bool {
    let pod = get::<Pod>(cx.sys.store(), namespace, name);
    pod.is_some_and(|pod| node_of(&pod).is_some_and(|node| get::<Node>(cx.sys.store(), "", node).is_none()))
}

/// Looks whether the node of a pod is gone.
pub fn sync(cx: &mut Context<'_>, namespace: &str, name: &str) {
    let (controller, at) = (Controller::PodGarbageDeadline, cx.sys.now() + QUARANTINE);
    if is_orphan(cx, namespace, name) {
        let task = Task { controller, namespace: namespace.to_owned(), name: name.to_owned() };
        cx.queue.add_at(task, at);
    }
}

/// The node of a pod has been gone for long.
pub fn sync_deadline(cx: &mut Context<'_>, namespace: &str, name: &str) {
    if is_orphan(cx, namespace, name) {
        let _ = delete::<Pod>(cx.sys, namespace, name, Some(0));
    }
}
