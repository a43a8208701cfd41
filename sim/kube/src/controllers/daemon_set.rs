//! A pod on each node. Kubernetes: `pkg/controller/daemon`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{DaemonSet, DaemonSetSpec, DaemonSetStatus};
use k8s_openapi::api::core::v1::{
    Node, NodeAffinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSpec, Toleration,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::context::Context;
use super::deployment::part_of;
use super::owner::{claim_pods, create_pod, delete_pod, pod_from_template};
use super::pods::{count, is_available, is_deleted, is_ready, node_of, phase, seconds_to_available};
use super::queue::Controller;
use super::revision::{self, History, REVISION_HASH};
use crate::api::event::Severity;
use crate::api::labels::selects_pairs;
use crate::api::{get, modify, name_of, namespace_of};
use crate::scheduler::node_affinity;
use crate::scheduler::taint::{self, Effect};

const COMPONENT: &str = "daemonset-controller";

/// The pods of a DaemonSet, by the nodes they are for.
type Placed = BTreeMap<String, Vec<Arc<Pod>>>;

/// What a DaemonSet has to do with a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    /// A pod is to run there.
    Run,
    /// One that runs may stay.
    Stay,
    /// None is to run there.
    No,
}

/// Brings the pods of a DaemonSet to where they should be.
///
/// Simplified: `maxSurge` counts as 0: an old pod goes before the new one comes.
pub fn sync(cx: &mut Context<'_>, namespace: &str, name: &str) {
    let Some(set) = get::<DaemonSet>(cx.sys.store(), namespace, name) else { return };
    let Some(spec) = set.spec.as_ref().filter(|_| set.metadata.deletion_timestamp.is_none()) else { return };
    let labels =
        spec.template.metadata.as_ref().and_then(|metadata| metadata.labels.clone()).unwrap_or_default();
    let Some(history) = revision::history(cx, &*set, &spec.template, labels, REVISION_HASH) else { return };
    let hash = revision::hash_of(&*set, &history.current).to_owned();
    let placed = by_node(claim_pods(cx, &*set, &spec.selector));
    let wishes: Vec<(String, Wish)> =
        cx.cache.nodes().map(|node| (name_of(&**node).to_owned(), wish(spec, node))).collect();
    manage(cx, &set, &placed, &wishes, &hash);
    if spec.update_strategy.as_ref().is_none_or(|strategy| strategy.type_.as_deref() != Some("OnDelete")) {
        roll(cx, &set, &placed, &wishes, &hash);
    }
    clean_up(cx, &history, spec, &placed);
    let now = cx.now();
    let status = status(&set, &placed, &wishes, &hash, &now);
    if set.status.as_ref() != Some(&status) {
        let _ = modify::<DaemonSet>(cx.sys, namespace, name, |set| set.status = Some(status));
    }
    let min_ready = spec.min_ready_seconds.unwrap_or(0);
    let soon = placed.values().flatten().filter_map(|pod| seconds_to_available(pod, min_ready, &now));
    if let Some(seconds) = soon.filter(|left| *left > 0).min().and_then(|seconds| u64::try_from(seconds).ok())
    {
        cx.again(Controller::DaemonSet, namespace, name, Duration::from_secs(seconds));
    }
}

/// The node that a pod is for. Kubernetes: `GetTargetNodeName`.
fn target(pod: &Pod) -> Option<&str> {
    let wanted = || {
        let affinity = pod.spec.as_ref()?.affinity.as_ref()?.node_affinity.as_ref()?;
        let required = affinity.required_during_scheduling_ignored_during_execution.as_ref()?;
        let mut fields =
            required.node_selector_terms.iter().flat_map(|term| term.match_fields.iter().flatten());
        let field = fields.find(|field| field.key == "metadata.name" && field.operator == "In")?;
        field.values.as_ref()?.first().map(String::as_str)
    };
    node_of(pod).or_else(wanted)
}

fn by_node(pods: Vec<Arc<Pod>>) -> Placed {
    let mut placed = Placed::new();
    for pod in pods {
        if let Some(node) = target(&pod).map(str::to_owned) {
            placed.entry(node).or_default().push(pod);
        }
    }
    for pods in placed.values_mut() {
        // The eldest first, and one that runs before one that doesn't.
        pods.sort_by_cached_key(|pod| (node_of(pod).is_none(), pod.metadata.creation_timestamp.clone()));
    }
    placed
}

/// What every daemon's pod tolerates. Kubernetes: `AddOrUpdateDaemonPodTolerations`.
fn tolerate(spec: &mut PodSpec) {
    let host = spec.host_network == Some(true);
    let all = [
        ("not-ready", "NoExecute", true),
        ("unreachable", "NoExecute", true),
        ("disk-pressure", "NoSchedule", true),
        ("memory-pressure", "NoSchedule", true),
        ("pid-pressure", "NoSchedule", true),
        ("unschedulable", "NoSchedule", true),
        ("network-unavailable", "NoSchedule", host),
    ];
    let tolerations = spec.tolerations.get_or_insert_default();
    for (key, effect, _) in all.into_iter().filter(|(.., wanted)| *wanted) {
        let new = Toleration {
            key: Some(format!("node.kubernetes.io/{key}")),
            operator: Some("Exists".to_owned()),
            effect: Some(effect.to_owned()),
            ..Toleration::default()
        };
        let same = |old: &&mut Toleration| (&old.key, &old.effect) == (&new.key, &new.effect);
        match tolerations.iter_mut().find(same) {
            Some(old) => *old = new,
            None => tolerations.push(new),
        }
    }
}

/// Kubernetes: `NodeShouldRunDaemonPod`.
fn wish(set: &DaemonSetSpec, node: &Node) -> Wish {
    let Some(mut spec) = set.template.spec.clone() else { return Wish::No };
    if spec.node_name.as_deref().is_some_and(|wanted| !wanted.is_empty() && wanted != name_of(node)) {
        return Wish::No;
    }
    if !node_affinity::allows(&spec, node) {
        return Wish::No;
    }
    tolerate(&mut spec);
    if taint::untolerated(&spec, node, &[Effect::NoExecute]).is_some() {
        Wish::No
    } else if taint::untolerated(&spec, node, &[Effect::NoSchedule]).is_some() {
        Wish::Stay
    } else {
        Wish::Run
    }
}

/// The pod for a node: the scheduler can place it nowhere else.
fn pod_for(set: &DaemonSet, spec: &DaemonSetSpec, node: &str, hash: &str) -> Pod {
    let mut pod = pod_from_template(set, &spec.template);
    let labels = pod.metadata.labels.get_or_insert_default();
    labels.insert(REVISION_HASH.to_owned(), hash.to_owned());
    labels.insert("pod-template-generation".to_owned(), set.metadata.generation.unwrap_or(1).to_string());
    if let Some(spec) = &mut pod.spec {
        tolerate(spec);
        let affinity = spec.affinity.get_or_insert_default();
        let field = NodeSelectorRequirement {
            key: "metadata.name".to_owned(),
            operator: "In".to_owned(),
            values: Some(vec![node.to_owned()]),
        };
        let term = NodeSelectorTerm { match_fields: Some(vec![field]), ..NodeSelectorTerm::default() };
        let node_affinity: &mut NodeAffinity = affinity.node_affinity.get_or_insert_default();
        node_affinity.required_during_scheduling_ignored_during_execution =
            Some(NodeSelector { node_selector_terms: vec![term] });
    }
    pod
}

/// Kubernetes: `manage`, `podsShouldBeOnNode`.
fn manage(cx: &mut Context<'_>, set: &DaemonSet, placed: &Placed, wishes: &[(String, Wish)], hash: &str) {
    let Some(spec) = &set.spec else { return };
    let none = Vec::new();
    for (node, wish) in wishes {
        let pods = placed.get(node).unwrap_or(&none);
        let mut running = pods.iter().filter(|pod| !is_deleted(pod));
        match wish {
            Wish::Run if pods.is_empty() => {
                if create_pod(cx, COMPONENT, set, pod_for(set, spec, node, hash)).is_err() {
                    cx.again(Controller::DaemonSet, namespace_of(set), name_of(set), Duration::from_secs(1));
                }
            }
            Wish::Run | Wish::Stay => {
                let (ended, going): (Vec<_>, Vec<_>) = running.partition(|pod| phase(pod) == "Failed");
                for pod in ended {
                    let message = format!(
                        "Found failed daemon pod {}/{} on node {node}, will try to kill it",
                        namespace_of(set),
                        name_of(&**pod)
                    );
                    cx.report(COMPONENT, set, Severity::Warning, "FailedDaemonPod", &message);
                    remove(cx, set, pod);
                }
                going.into_iter().skip(1).for_each(|pod| remove(cx, set, pod));
            }
            Wish::No => running.by_ref().for_each(|pod| remove(cx, set, pod)),
        }
    }
}

fn remove(cx: &mut Context<'_>, set: &DaemonSet, pod: &Pod) {
    // It may be gone already.
    let _ = delete_pod(cx, COMPONENT, set, pod);
}

fn is_new(pod: &Pod, hash: &str) -> bool {
    pod.metadata.labels.as_ref().and_then(|labels| labels.get(REVISION_HASH)).is_some_and(|own| own == hash)
}

/// Deletes pods of old templates, as many as may be missing at once. Kubernetes: `rollingUpdate`.
fn roll(cx: &mut Context<'_>, set: &DaemonSet, placed: &Placed, wishes: &[(String, Wish)], hash: &str) {
    let Some(spec) = &set.spec else { return };
    let (now, min_ready) = (cx.now(), spec.min_ready_seconds.unwrap_or(0));
    let nodes: Vec<&String> =
        wishes.iter().filter(|(_, wish)| *wish == Wish::Run).map(|(node, _)| node).collect();
    let rolling = spec.update_strategy.as_ref().and_then(|strategy| strategy.rolling_update.as_ref());
    let most = rolling.and_then(|rolling| rolling.max_unavailable.as_ref());
    let most = part_of(most, i32::try_from(nodes.len()).unwrap_or(i32::MAX), true).max(1);
    let mut missing = 0;
    let (mut broken, mut candidates) = (Vec::new(), Vec::new());
    for node in nodes {
        let pods = placed.get(node).into_iter().flatten().filter(|pod| !is_deleted(pod));
        let (new, old): (Vec<_>, Vec<_>) = pods.partition(|pod| is_new(pod, hash));
        match (new.first(), old.first()) {
            (Some(new), None) if is_available(new, min_ready, &now) => {}
            (None, Some(old)) if is_available(old, min_ready, &now) => candidates.push(*old),
            (None, Some(old)) => {
                missing += 1;
                broken.push(*old);
            }
            _ => missing += 1,
        }
    }
    let free = usize::try_from(most - missing).unwrap_or(0);
    for pod in broken.into_iter().chain(candidates.into_iter().take(free)) {
        remove(cx, set, pod);
    }
}

fn clean_up(cx: &mut Context<'_>, history: &History, spec: &DaemonSetSpec, placed: &Placed) {
    revision::clean_up(cx, history, spec.revision_history_limit, |revision| {
        let hash = revision.metadata.labels.as_ref().and_then(|labels| labels.get(REVISION_HASH));
        let key = REVISION_HASH.to_owned();
        placed
            .values()
            .flatten()
            .any(|pod| selects_pairs(hash.iter().map(|hash| (&key, *hash)), pod.metadata.labels.as_ref()))
    });
}

/// Kubernetes: `updateDaemonSetStatus`.
fn status(
    set: &DaemonSet,
    placed: &Placed,
    wishes: &[(String, Wish)],
    hash: &str,
    now: &Time,
) -> DaemonSetStatus {
    let min_ready = set.spec.as_ref().and_then(|spec| spec.min_ready_seconds).unwrap_or(0);
    let none = Vec::new();
    let on = |node: &String| placed.get(node).unwrap_or(&none);
    let wanted: Vec<&Vec<Arc<Pod>>> =
        wishes.iter().filter(|(_, wish)| *wish == Wish::Run).map(|(node, _)| on(node)).collect();
    let firsts = || wanted.iter().filter_map(|pods| pods.first());
    let available = firsts().filter(|pod| is_available(pod, min_ready, now)).count();
    let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    DaemonSetStatus {
        desired_number_scheduled: number(wanted.len()),
        current_number_scheduled: number(firsts().count()),
        number_misscheduled: number(
            wishes.iter().filter(|(node, wish)| *wish != Wish::Run && !on(node).is_empty()).count(),
        ),
        number_ready: number(firsts().filter(|pod| is_ready(pod)).count()),
        updated_number_scheduled: count(firsts().filter(|pod| is_new(pod, hash)).count()),
        number_available: count(available),
        number_unavailable: count(wanted.len() - available),
        observed_generation: set.metadata.generation,
        collision_count: set.status.as_ref().and_then(|status| status.collision_count),
        conditions: set.status.as_ref().and_then(|status| status.conditions.clone()),
    }
}
