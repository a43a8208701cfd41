use serde_json::Value;

use super::{Always, Column, Wide, age, list, name, number, or_none, text};
use crate::kubectl::duration;

pub const COLUMNS: &[Column] = &[
    ("NAME", Always),
    ("READY", Always),
    ("STATUS", Always),
    ("RESTARTS", Always),
    ("AGE", Always),
    ("IP", Wide),
    ("NODE", Wide),
    ("NOMINATED NODE", Wide),
    ("READINESS GATES", Wide),
];

/// What a listing says about a pod's containers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// `Running`, `CrashLoopBackOff`, `Init:0/1`, `Terminating`…
    pub reason: String,
    /// How many containers are ready.
    pub ready: usize,
    /// Of how many.
    pub total: usize,
    restarts: i64,
    /// The second of the last restart.
    last_restart: Option<i64>,
}

fn has_condition(pod: &Value, kind: &str) -> bool {
    list(pod, "/status/conditions")
        .iter()
        .any(|condition| text(condition, "/type") == kind && text(condition, "/status") == "True")
}

/// Whether a pod is ready.
pub fn pod_ready(pod: &Value) -> bool {
    has_condition(pod, "Ready")
}

/// How a container ended: its reason, or its signal or exit status.
fn ended(terminated: &Value) -> String {
    match (text(terminated, "/reason"), number(terminated, "/signal")) {
        ("", 0) => format!("ExitCode:{}", number(terminated, "/exitCode")),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

/// Kubernetes: `printPod`.
pub fn status(pod: &Value) -> Status {
    let phase = text(pod, "/status/phase");
    let given = text(pod, "/status/reason");
    let init = list(pod, "/spec/initContainers");
    let stays = |status: &Value| {
        init.iter().any(|container| {
            text(container, "/name") == text(status, "/name") && text(container, "/restartPolicy") == "Always"
        })
    };
    let sidecars = init.iter().filter(|container| text(container, "/restartPolicy") == "Always").count();
    let mut found = Status {
        reason: if given.is_empty() { phase } else { given }.to_owned(),
        total: list(pod, "/spec/containers").len() + sidecars,
        ..Status::default()
    };
    let gated = |condition: &&Value| {
        text(condition, "/type") == "PodScheduled" && text(condition, "/reason") == "SchedulingGated"
    };
    if list(pod, "/status/conditions").iter().any(|condition| gated(&condition)) {
        found.reason = "SchedulingGated".to_owned();
    }
    let initializing = init_containers(pod, init, &stays, &mut found);
    if !initializing || has_condition(pod, "Initialized") {
        main_containers(pod, &stays, &mut found);
    }
    let deleted = pod.pointer("/metadata/deletionTimestamp").is_some();
    if deleted && given == "NodeLost" {
        found.reason = "Unknown".to_owned();
    } else if deleted && !["Succeeded", "Failed"].contains(&phase) {
        found.reason = "Terminating".to_owned();
    }
    found
}

fn count_restarts(status: &Value, found: &mut Status) {
    found.restarts += number(status, "/restartCount");
    let finished = status.pointer("/lastState/terminated/finishedAt").and_then(duration::seconds);
    found.last_restart = found.last_restart.max(finished);
}

/// Answers whether one of them hasn't done its work.
fn init_containers(pod: &Value, init: &[Value], stays: &dyn Fn(&Value) -> bool, found: &mut Status) -> bool {
    for (at, status) in list(pod, "/status/initContainerStatuses").iter().enumerate() {
        count_restarts(status, found);
        let terminated = status.pointer("/state/terminated");
        let waiting = text(status, "/state/waiting/reason");
        let started = status["started"].as_bool() == Some(true);
        if terminated.is_some_and(|terminated| number(terminated, "/exitCode") == 0) {
            continue;
        } else if stays(status) && started {
            found.ready += usize::from(status["ready"].as_bool() == Some(true));
            continue;
        }
        found.reason = match terminated {
            Some(terminated) => format!("Init:{}", ended(terminated)),
            None if !waiting.is_empty() && waiting != "PodInitializing" => format!("Init:{waiting}"),
            None => format!("Init:{at}/{}", init.len()),
        };
        return true;
    }
    false
}

fn main_containers(pod: &Value, stays: &dyn Fn(&Value) -> bool, found: &mut Status) {
    // What the others did before counts no more.
    (found.restarts, found.last_restart) = (0, None);
    for status in list(pod, "/status/initContainerStatuses").iter().filter(|status| stays(status)) {
        count_restarts(status, found);
    }
    let mut running = false;
    for status in list(pod, "/status/containerStatuses").iter().rev() {
        count_restarts(status, found);
        let waiting = text(status, "/state/waiting/reason");
        if !waiting.is_empty() {
            found.reason = waiting.to_owned();
        } else if let Some(terminated) = status.pointer("/state/terminated") {
            found.reason = ended(terminated);
        } else if status["ready"].as_bool() == Some(true) && status.pointer("/state/running").is_some() {
            running = true;
            found.ready += 1;
        }
    }
    if found.reason == "Completed" && running {
        found.reason = if pod_ready(pod) { "Running" } else { "NotReady" }.to_owned();
    }
}

/// The cells of a pod.
pub fn cells(pod: &Value, now: i64) -> Vec<String> {
    let Status { reason, ready, total, restarts, last_restart } = status(pod);
    let restarts = match last_restart {
        Some(then) if restarts != 0 => format!("{restarts} ({} ago)", duration::human(now - then)),
        _ => restarts.to_string(),
    };
    let gates = list(pod, "/spec/readinessGates");
    let open = gates.iter().filter(|gate| has_condition(pod, text(gate, "/conditionType"))).count();
    let gates = if gates.is_empty() { "<none>".to_owned() } else { format!("{open}/{}", gates.len()) };
    vec![
        name(pod),
        format!("{ready}/{total}"),
        reason,
        restarts,
        age(pod, now),
        or_none(text(pod, "/status/podIP").to_owned()),
        or_none(text(pod, "/spec/nodeName").to_owned()),
        or_none(text(pod, "/status/nominatedNodeName").to_owned()),
        gates,
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_has_the_reason_that_matters_most() {
        let pod = |status: Value, deleted: bool| {
            let mut pod = json!({
                "metadata": {"name": "a", "creationTimestamp": "1970-01-01T00:01:40Z"},
                "spec": {"containers": [{"name": "x"}, {"name": "y"}], "initContainers": [{"name": "i"}, {"name": "j"}]},
                "status": status,
            });
            if deleted {
                pod["metadata"]["deletionTimestamp"] = "1970-01-01T00:02:00Z".into();
            }
            pod
        };
        let running = |ready: bool| json!({"ready": ready, "state": {"running": {}}, "restartCount": 0});
        let waiting = |reason: &str| json!({"state": {"waiting": {"reason": reason}}});
        let done = json!({"state": {"terminated": {"exitCode": 0, "reason": "Completed"}}});
        let cases = [
            (json!({"phase": "Pending"}), false, "0/2 Pending 0"),
            (
                json!({"phase": "Pending", "containerStatuses": [waiting("ContainerCreating"), waiting("ContainerCreating")]}),
                false,
                "0/2 ContainerCreating 0",
            ),
            (
                json!({"phase": "Pending", "initContainerStatuses": [waiting("PodInitializing")]}),
                false,
                "0/2 Init:0/2 0",
            ),
            (
                json!({"phase": "Pending", "initContainerStatuses": [done, waiting("CrashLoopBackOff")]}),
                false,
                "0/2 Init:CrashLoopBackOff 0",
            ),
            (
                json!({"phase": "Pending", "initContainerStatuses": [
                    {"state": {"terminated": {"exitCode": 3}}, "restartCount": 2}]}),
                false,
                "0/2 Init:ExitCode:3 2",
            ),
            (
                json!({"phase": "Running", "containerStatuses": [running(true), running(false)]}),
                false,
                "1/2 Running 0",
            ),
            (
                json!({"phase": "Running", "containerStatuses": [running(true), {
                    "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                    "lastState": {"terminated": {"finishedAt": "1970-01-01T00:03:00Z"}}}]}),
                false,
                "1/2 CrashLoopBackOff 3 (20s ago)",
            ),
            (
                json!({"phase": "Running", "containerStatuses": [running(true), done]}),
                false,
                "1/2 NotReady 0",
            ),
            (
                json!({"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]}),
                false,
                "0/2 Error 0",
            ),
            (
                json!({"phase": "Running", "containerStatuses": [running(true), running(true)]}),
                true,
                "2/2 Terminating 0",
            ),
            (json!({"phase": "Failed", "reason": "Evicted"}), false, "0/2 Evicted 0"),
        ];
        for (status, deleted, expected) in cases {
            let cells = cells(&pod(status, deleted), 200);
            assert_eq!(cells[1..4].join(" "), expected);
            assert_eq!(cells[4], "100s");
        }
    }
}
