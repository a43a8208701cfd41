//! Pods leave nodes whose taints they don't tolerate, or not for ever. Kubernetes:
//! `pkg/controller/tainteviction`.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod, Taint, Toleration};

use super::context::Context;
use super::pods::{is_deleted, node_of};
use super::queue::{Controller, Task};
use crate::api::event::Severity;
use crate::api::{delete, get};
use crate::scheduler::taint::{Effect, taints, tolerates};

const COMPONENT: &str = "taint-eviction-controller";

/// How long a pod may stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stay {
    /// As long as it likes.
    Ever,
    /// For so long from when that is known.
    For(Duration),
}

fn stay(pod: &Pod, node: &Node) -> Stay {
    let evicting: Vec<&Taint> =
        taints(node).filter(|taint| taint.effect == Effect::NoExecute.name()).collect();
    let tolerations = || pod.spec.iter().flat_map(|spec| spec.tolerations.iter().flatten());
    let tolerated = |taint: &&&Taint| tolerations().any(|toleration| tolerates(toleration, taint));
    if evicting.iter().filter(tolerated).count() < evicting.len() {
        return Stay::For(Duration::ZERO);
    }
    let used = |toleration: &&Toleration| evicting.iter().any(|taint| tolerates(toleration, taint));
    let seconds = tolerations().filter(used).filter_map(|toleration| toleration.toleration_seconds).min();
    seconds.map_or(Stay::Ever, |seconds| Stay::For(Duration::from_secs(u64::try_from(seconds).unwrap_or(0))))
}

fn deadline(namespace: &str, name: &str) -> Task {
    let (namespace, name) = (namespace.to_owned(), name.to_owned());
    Task { controller: Controller::TaintDeadline, namespace, name }
}

fn look(cx: &Context<'_>, namespace: &str, name: &str) -> Option<Stay> {
    let pod = get::<Pod>(cx.sys.store(), namespace, name).filter(|pod| !is_deleted(pod))?;
    let node = get::<Node>(cx.sys.store(), "", node_of(&pod)?)?;
    Some(stay(&pod, &node))
}

/// Looks how long a pod may stay where it is.
pub fn sync(cx: &mut Context<'_>, namespace: &str, name: &str) {
    let task = deadline(namespace, name);
    match look(cx, namespace, name) {
        Some(Stay::For(time)) if time.is_zero() => evict(cx, namespace, name),
        Some(Stay::For(time)) => {
            if !cx.queue.is_waiting(&task) {
                let at = cx.sys.now() + time;
                cx.queue.add_at(task, at);
            }
        }
        Some(Stay::Ever) => {
            if cx.queue.cancel(&task)
                && let Some(pod) = get::<Pod>(cx.sys.store(), namespace, name)
            {
                let message = format!("Cancelling deletion of Pod {namespace}/{name}");
                cx.report(COMPONENT, &*pod, Severity::Normal, "TaintManagerEviction", &message);
            }
        }
        None => {
            cx.queue.cancel(&task);
        }
    }
}

/// A pod's time is over, unless its node has recovered.
pub fn sync_deadline(cx: &mut Context<'_>, namespace: &str, name: &str) {
    if matches!(look(cx, namespace, name), Some(Stay::For(_))) {
        evict(cx, namespace, name);
    }
}

fn evict(cx: &mut Context<'_>, namespace: &str, name: &str) {
    let Some(pod) = get::<Pod>(cx.sys.store(), namespace, name) else { return };
    let message = format!("Marking for deletion Pod {namespace}/{name}");
    cx.report(COMPONENT, &*pod, Severity::Normal, "TaintManagerEviction", &message);
    let _ = delete::<Pod>(cx.sys, namespace, name, None);
}
