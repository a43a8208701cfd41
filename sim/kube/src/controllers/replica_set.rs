//! As many pods as wanted. Kubernetes: `pkg/controller/replicaset`.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{ReplicaSet, ReplicaSetCondition, ReplicaSetStatus};
use k8s_openapi::api::core::v1::{Pod, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::context::Context;
use super::owner::{claim_pods, create_pod, delete_pod, pod_from_template};
use super::pods::{
    count, is_active, is_available, is_ready, node_of, phase, ready_since, seconds_to_available,
};
use super::queue::Controller;
use crate::api::labels::selects_pairs;
use crate::api::{get, modify, name_of};

const COMPONENT: &str = "replicaset-controller";

/// Brings the number of pods of a ReplicaSet to what it should be, and its status to what is.
pub fn sync(cx: &mut Context<'_>, namespace: &str, name: &str) {
    let Some(set) = get::<ReplicaSet>(cx.sys.store(), namespace, name) else { return };
    let Some(spec) = &set.spec else { return };
    let mut pods = claim_pods(cx, &*set, &spec.selector);
    pods.retain(|pod| is_active(pod));
    let failure = match set.metadata.deletion_timestamp {
        None => manage(cx, &set, &pods),
        Some(_) => None,
    };
    let now = cx.now();
    let min_ready = spec.min_ready_seconds.unwrap_or(0);
    let status = status(&set, &pods, failure.clone(), &now);
    if set.status.as_ref() != Some(&status) {
        let _ = modify::<ReplicaSet>(cx.sys, namespace, name, |set| set.status = Some(status));
    }
    let soon = pods
        .iter()
        .filter_map(|pod| seconds_to_available(pod, min_ready, &now))
        .filter(|left| *left > 0)
        .min();
    if let Some(seconds) = soon.and_then(|seconds| u64::try_from(seconds).ok()) {
        cx.again(Controller::ReplicaSet, namespace, name, Duration::from_secs(seconds));
    }
    if failure.is_some() {
        cx.again(Controller::ReplicaSet, namespace, name, Duration::from_secs(1));
    }
}

/// Makes or deletes pods; answers why that failed.
///
/// Simplified: all pods are made at once, without slow start; one that can't be made is tried again
/// each second.
fn manage(cx: &mut Context<'_>, set: &ReplicaSet, pods: &[Arc<Pod>]) -> Option<(&'static str, String)> {
    let spec = set.spec.as_ref()?;
    let wanted = usize::try_from(spec.replicas.unwrap_or(1)).unwrap_or(0);
    for _ in pods.len()..wanted {
        let empty = PodTemplateSpec::default();
        let pod = pod_from_template(set, spec.template.as_ref().unwrap_or(&empty));
        if let Err(error) = create_pod(cx, COMPONENT, set, pod) {
            return Some(("FailedCreate", error.message));
        }
    }
    if pods.len() <= wanted {
        return None;
    }
    for pod in in_order_of_deletion(pods).into_iter().take(pods.len() - wanted) {
        if let Err(error) = delete_pod(cx, COMPONENT, set, &pod) {
            return Some(("FailedDelete", error.message));
        }
    }
    None
}

/// Those that go first: not placed, pending, not ready, cheap, doubled up on their node, ready for
/// a short time only, often restarted, young. Kubernetes: `ActivePodsWithRanks`.
fn in_order_of_deletion(pods: &[Arc<Pod>]) -> Vec<Arc<Pod>> {
    let mut on_node: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    for pod in pods {
        *on_node.entry(node_of(pod)).or_default() += 1;
    }
    let rank = |pod: &Arc<Pod>| {
        let annotations = pod.metadata.annotations.as_ref();
        let cost = annotations.and_then(|all| all.get("controller.kubernetes.io/pod-deletion-cost"));
        let cost: i32 = cost.and_then(|cost| cost.parse().ok()).unwrap_or(0);
        let placed = node_of(pod).is_some();
        let running = match phase(pod) {
            "Pending" => 0,
            "Unknown" => 1,
            _ => 2,
        };
        let statuses = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
        let restarts = statuses.map(|status| status.restart_count).max().unwrap_or(0);
        let doubled = on_node.get(&node_of(pod)).copied().unwrap_or(0);
        (
            (placed, running, is_ready(pod), cost),
            Reverse(doubled),
            Reverse(ready_since(pod).cloned()),
            Reverse(restarts),
            Reverse(pod.metadata.creation_timestamp.clone()),
            name_of(&**pod).to_owned(),
        )
    };
    let mut ordered = pods.to_vec();
    ordered.sort_by_cached_key(rank);
    ordered
}

/// Kubernetes: `calculateStatus`.
fn status(
    set: &ReplicaSet,
    pods: &[Arc<Pod>],
    failure: Option<(&str, String)>,
    now: &Time,
) -> ReplicaSetStatus {
    let spec = set.spec.as_ref();
    let template = spec.and_then(|spec| spec.template.as_ref()?.metadata.as_ref()?.labels.as_ref());
    let min_ready = spec.and_then(|spec| spec.min_ready_seconds).unwrap_or(0);
    let labeled =
        |pod: &&Arc<Pod>| selects_pairs(template.into_iter().flatten(), pod.metadata.labels.as_ref());
    let was = set.status.clone().unwrap_or_default();
    let conditions = match failure {
        None => None,
        Some((reason, message)) => {
            let known =
                was.conditions.iter().flatten().find(|condition| condition.reason.as_deref() == Some(reason));
            let new = || ReplicaSetCondition {
                type_: "ReplicaFailure".to_owned(),
                status: "True".to_owned(),
                reason: Some(reason.to_owned()),
                message: Some(message),
                last_transition_time: Some(now.clone()),
            };
            Some(vec![known.cloned().unwrap_or_else(new)])
        }
    };
    ReplicaSetStatus {
        replicas: count(pods.len()).unwrap_or(0),
        fully_labeled_replicas: count(pods.iter().filter(labeled).count()),
        ready_replicas: count(pods.iter().filter(|pod| is_ready(pod)).count()),
        available_replicas: count(pods.iter().filter(|pod| is_available(pod, min_ready, now)).count()),
        observed_generation: set.metadata.generation,
        conditions,
        ..ReplicaSetStatus::default()
    }
}
