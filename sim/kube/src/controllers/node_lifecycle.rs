//! Nodes that aren't heard of. Kubernetes: `pkg/controller/nodelifecycle`.
//!
//! Simplified: kubelets show that they live by the heartbeat of the condition Ready, there are no
//! Leases; nodes are tainted at once and whatever happens to the others.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, NodeCondition, Pod, Taint};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::context::{Context, seconds_between};
use super::pods::{is_deleted, is_ready};
use super::queue::Controller;
use crate::api::event::Severity;
use crate::api::{get, modify, name_of, namespace_of};

const COMPONENT: &str = "node-controller";
/// How long a node may be silent. Kubernetes: `--node-monitor-grace-period`.
const GRACE: Duration = Duration::from_secs(40);
/// How long a new node may be silent. Kubernetes: `--node-startup-grace-period`.
const STARTUP_GRACE: Duration = Duration::from_secs(60);
/// Conditions that are unknown when a node is silent.
const JUDGED: [&str; 4] = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

fn condition<'a>(node: &'a Node, kind: &str) -> Option<&'a NodeCondition> {
    node.status.as_ref()?.conditions.iter().flatten().find(|condition| condition.type_ == kind)
}

/// Whether a node says that it is ready.
pub fn is_ready_node(node: &Node) -> bool {
    condition(node, "Ready").is_some_and(|ready| ready.status == "True")
}

/// Looks whether a node is alive, and taints it as its conditions say.
pub fn sync(cx: &mut Context<'_>, _: &str, name: &str) {
    let Some(node) = get::<Node>(cx.sys.store(), "", name) else { return };
    let heartbeat = condition(&node, "Ready").and_then(|ready| ready.last_heartbeat_time.as_ref());
    let (since, grace) = match heartbeat {
        Some(heartbeat) => (Some(heartbeat), cx.flags.node_grace.unwrap_or(GRACE)),
        None => (node.metadata.creation_timestamp.as_ref(), STARTUP_GRACE),
    };
    let now = cx.now();
    let silent = since.map_or(0, |since| seconds_between(since, &now));
    let left = i64::try_from(grace.as_secs()).unwrap_or(i64::MAX) - silent;
    if left >= 0 {
        let after = Duration::from_secs(u64::try_from(left + 1).unwrap_or(1));
        cx.again(Controller::NodeLifecycle, "", name, after);
    } else if condition(&node, "Ready").is_none_or(|ready| ready.status != "Unknown") {
        let _ = modify::<Node>(cx.sys, "", name, |node| doubt(node, &now));
        // The taints follow with the next round.
        return;
    }
    let taints = taints(&node, &now);
    if node.spec.as_ref().and_then(|spec| spec.taints.as_ref()).map_or(&[][..], Vec::as_slice) != taints {
        let _ = modify::<Node>(cx.sys, "", name, |node| {
            node.spec.get_or_insert_default().taints = Some(taints).filter(|taints| !taints.is_empty());
        });
    }
}

/// Makes the conditions of a silent node unknown.
fn doubt(node: &mut Node, now: &Time) {
    let created = node.metadata.creation_timestamp.clone();
    let conditions = node.status.get_or_insert_default().conditions.get_or_insert_default();
    for kind in JUDGED {
        match conditions.iter_mut().find(|condition| condition.type_ == kind) {
            Some(condition) if condition.status == "Unknown" => {}
            Some(condition) => {
                condition.status = "Unknown".to_owned();
                condition.reason = Some("NodeStatusUnknown".to_owned());
                condition.message = Some("Kubelet stopped posting node status.".to_owned());
                condition.last_transition_time = Some(now.clone());
            }
            None => conditions.push(NodeCondition {
                type_: kind.to_owned(),
                status: "Unknown".to_owned(),
                reason: Some("NodeStatusNeverUpdated".to_owned()),
                message: Some("Kubelet never posted node status.".to_owned()),
                last_heartbeat_time: created.clone(),
                last_transition_time: Some(now.clone()),
            }),
        }
    }
}

/// The taints that a node should have: those that follow from its conditions, and other ones that
/// it has. Kubernetes: `doNoScheduleTaintingPass`, `processTaintBaseEviction`.
fn taints(node: &Node, now: &Time) -> Vec<Taint> {
    let is =
        |kind: &str, status: &str| condition(node, kind).is_some_and(|condition| condition.status == status);
    let spec = node.spec.as_ref();
    // A node that has said nothing keeps what it was given when it was made.
    let silent = condition(node, "Ready").is_none();
    let rules = [
        ("not-ready", "NoSchedule", is("Ready", "False")),
        ("unreachable", "NoSchedule", is("Ready", "Unknown")),
        ("not-ready", "NoExecute", is("Ready", "False")),
        ("unreachable", "NoExecute", is("Ready", "Unknown")),
        ("memory-pressure", "NoSchedule", is("MemoryPressure", "True")),
        ("disk-pressure", "NoSchedule", is("DiskPressure", "True")),
        ("pid-pressure", "NoSchedule", is("PIDPressure", "True")),
        ("network-unavailable", "NoSchedule", is("NetworkUnavailable", "True")),
        ("unschedulable", "NoSchedule", spec.is_some_and(|spec| spec.unschedulable == Some(true))),
    ];
    let mut taints: Vec<Taint> = spec.into_iter().flat_map(|spec| spec.taints.clone()).flatten().collect();
    for (word, effect, wanted) in rules {
        let key = format!("node.kubernetes.io/{word}");
        let at = taints.iter().position(|taint| taint.key == key && taint.effect == effect);
        match (at, wanted) {
            (None, true) => {
                taints.push(Taint {
                    key,
                    effect: effect.to_owned(),
                    time_added: Some(now.clone()),
                    value: None,
                });
            }
            (Some(_), false) if silent && word == "not-ready" => {}
            (Some(at), false) => {
                taints.remove(at);
            }
            (Some(_), true) | (None, false) => {}
        }
    }
    taints
}

/// A node is no longer ready: nor are its pods, so that Services leave them out. Kubernetes:
/// `MarkPodsNotReady`.
pub fn sync_down(cx: &mut Context<'_>, _: &str, name: &str) {
    let Some(node) = get::<Node>(cx.sys.store(), "", name).filter(|node| !is_ready_node(node)) else {
        return;
    };
    let message = format!("Node {name} status is now: NodeNotReady");
    cx.report(COMPONENT, &*node, Severity::Normal, "NodeNotReady", &message);
    let now = cx.now();
    let keys: Vec<String> = cx.cache.pods_on(name).cloned().collect();
    for key in keys {
        let pod = cx.sys.store().get(&key).and_then(world::Entry::get::<Pod>);
        let Some(pod) = pod.filter(|pod| is_ready(pod) && !is_deleted(pod)) else { continue };
        let _ = modify::<Pod>(cx.sys, namespace_of(&*pod), name_of(&*pod), |pod| {
            let conditions = pod.status.iter_mut().flat_map(|status| status.conditions.iter_mut().flatten());
            for condition in conditions.filter(|condition| condition.type_ == "Ready") {
                condition.status = "False".to_owned();
                condition.last_transition_time = Some(now.clone());
            }
        });
        cx.report(COMPONENT, &*pod, Severity::Warning, "NodeNotReady", "Node is not ready");
    }
}
