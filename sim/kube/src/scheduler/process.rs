use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, PodCondition};
use world::{Next, Program, Sys, Wait};

use super::cluster::Cluster;
use super::filter::{Unfit, Wanted};
use super::{fit_error, score};
use crate::api::event::{Report, Severity, record};
use crate::api::{API_SERVER, modify, name_of, namespace_of, now};
use crate::controllers::flags::pairs;
use crate::controllers::manager::{fail, watch};
use crate::controllers::pods::{condition, set_condition};

/// Flags that change nothing here.
const INERT: &[&str] = &[
    "authentication-kubeconfig",
    "authorization-kubeconfig",
    "bind-address",
    "feature-gates",
    "kubeconfig",
    "leader-elect",
    "master",
    "profiling",
    "secure-port",
    "v",
];

/// The process `kube-scheduler`.
///
/// Simplified: it makes no room by preemption; a pod that fits nowhere is tried again when a node
/// changes or a pod goes, not after a time.
#[derive(Clone, Debug)]
pub struct Scheduler {
    flags: Result<(), String>,
    /// It has seen the store up to this revision.
    seen: u64,
    cluster: Arc<Cluster>,
}

impl Scheduler {
    /// A process called with these arguments.
    pub fn new(args: &[String]) -> Self {
        let flags = pairs(args.get(1..).unwrap_or_default(), &["leader-elect", "profiling"]);
        let refused = |pairs: Vec<(String, String)>| match pairs
            .iter()
            .find(|(name, _)| !INERT.contains(&name.as_str()))
        {
            Some((name, _)) => Err(format!("hoplab: kube-scheduler --{name} is not simulated")),
            None => Ok(()),
        };
        Self { flags: flags.and_then(refused), seen: 0, cluster: Arc::default() }
    }
}

impl Program for Scheduler {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        if let Err(message) = &self.flags {
            return fail(sys, message);
        }
        let revision = sys.store().revision();
        if sys.store().get(API_SERVER).is_none() {
            let watch = Some(watch(revision, &[API_SERVER]));
            return Next::Wait(Wait { watch, ..Wait::default() });
        }
        let cluster = Arc::make_mut(&mut self.cluster);
        for (key, entry) in sys.store().changes(self.seen) {
            cluster.observe(key, entry);
        }
        self.seen = revision;
        for key in cluster.active() {
            schedule(sys, cluster, &key);
        }
        let watch = Some(watch(self.seen, &[API_SERVER, "/registry/pods/", "/registry/nodes/"]));
        Next::Wait(Wait { watch, ..Wait::default() })
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// Finds the best node for a pod; or why there is none.
fn choose(cluster: &Cluster, pod: &Pod) -> Result<String, Vec<Vec<Unfit>>> {
    let Some(wanted) = Wanted::of(cluster, pod) else { return Err(Vec::new()) };
    let mut objections = Vec::new();
    let mut fit = Vec::new();
    for (node, place) in cluster.places() {
        match wanted.objections(node, place) {
            none if none.is_empty() => fit.push((node, place)),
            some => objections.push(some),
        }
    }
    let best = fit.into_iter().min_by_key(|(node, place)| score::score(pod, node, place));
    best.map(|(node, _)| name_of(&**node).to_owned()).ok_or(objections)
}

fn schedule(sys: &mut dyn Sys, cluster: &mut Cluster, key: &str) {
    let Some(waiting) = cluster.waiting.get_mut(key) else { return };
    waiting.is_active = false;
    let pod = Arc::clone(&waiting.pod);
    match choose(cluster, &pod) {
        Ok(node) => {
            let Some(bound) = bind(sys, &pod, &node) else { return };
            cluster.waiting.remove(key);
            cluster.place(key, &node, bound);
        }
        Err(objections) => refuse(sys, &pod, &fit_error::message(&objections)),
    }
}

fn placed(sys: &dyn Sys, status: &str, reason: Option<&str>, message: Option<&str>) -> PodCondition {
    PodCondition {
        type_: "PodScheduled".to_owned(),
        status: status.to_owned(),
        reason: reason.map(str::to_owned),
        message: message.map(str::to_owned),
        last_transition_time: Some(now(sys)),
        ..PodCondition::default()
    }
}

fn bind(sys: &mut dyn Sys, pod: &Pod, node: &str) -> Option<Arc<Pod>> {
    let (namespace, name) = (namespace_of(pod), name_of(pod));
    let condition = placed(sys, "True", None, None);
    let bound = modify::<Pod>(sys, namespace, name, |pod| {
        if let Some(spec) = pod.spec.as_mut().filter(|spec| spec.node_name.is_none()) {
            spec.node_name = Some(node.to_owned());
            set_condition(pod.status.get_or_insert_default(), condition);
        }
    });
    let bound = bound.ok()?;
    if bound.spec.as_ref()?.node_name.as_deref() != Some(node) {
        return None;
    }
    let message = format!("Successfully assigned {namespace}/{name} to {node}");
    report(sys, &bound, Severity::Normal, "Scheduled", &message);
    Some(bound)
}

fn report(sys: &mut dyn Sys, pod: &Pod, severity: Severity, reason: &str, message: &str) {
    record(sys, pod, &Report { severity, reason, message, component: "default-scheduler", host: "" });
}

fn refuse(sys: &mut dyn Sys, pod: &Pod, message: &str) {
    report(sys, pod, Severity::Warning, "FailedScheduling", message);
    if condition(pod, "PodScheduled").and_then(|known| known.message.as_deref()) == Some(message) {
        return;
    }
    let condition = placed(sys, "False", Some("Unschedulable"), Some(message));
    let _ = modify::<Pod>(sys, namespace_of(pod), name_of(pod), |pod| {
        set_condition(pod.status.get_or_insert_default(), condition);
    });
}
