//! Pods with names, one after the other. Kubernetes: `pkg/controller/statefulset`.
//!
//! Simplified: `volumeClaimTemplates` make no volumes, `maxUnavailable` counts as 1.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{ControllerRevision, StatefulSet, StatefulSetSpec, StatefulSetStatus};
use k8s_openapi::api::core::v1::{Pod, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::context::Context;
use super::owner::{claim_pods, controlled, pod_from_template};
use super::pods::{count, is_available, is_deleted, is_over, is_ready, phase, seconds_to_available};
use super::queue::Controller;
use super::revision::{self, REVISION_HASH};
use crate::api::event::Severity;
use crate::api::labels::Labels;
use crate::api::{create, delete, get, modify, name_of, namespace_of};

const COMPONENT: &str = "statefulset-controller";
/// The label of revisions with their hash.
const HASH: &str = "controller.kubernetes.io/hash";

/// A StatefulSet with its pods and templates.
struct Round<'a> {
    set: &'a StatefulSet,
    spec: &'a StatefulSetSpec,
    /// By ordinals.
    pods: BTreeMap<i32, Arc<Pod>>,
    /// The ordinals that there should be: the first, and the one behind the last.
    wanted: (i32, i32),
    current: (String, PodTemplateSpec),
    update: (String, PodTemplateSpec),
    now: Time,
}

/// Brings the pods of a StatefulSet nearer to what they should be.
pub fn sync(cx: &mut Context<'_>, namespace: &str, name: &str) {
    let Some(set) = get::<StatefulSet>(cx.sys.store(), namespace, name) else { return };
    let Some(spec) = &set.spec else { return };
    let pods = claim_pods(cx, &*set, &spec.selector);
    let labels: Labels = spec.selector.match_labels.clone().unwrap_or_default();
    let Some(history) = revision::history(cx, &*set, &spec.template, labels, HASH) else { return };
    let update = name_of(&*history.current).to_owned();
    let was = set.status.as_ref().and_then(|status| status.current_revision.clone());
    let known = was.as_ref().and_then(|was| history.old.iter().find(|old| name_of(&***old) == *was));
    let current =
        match known.and_then(|known| Some((name_of(&**known).to_owned(), revision::template_of(known)?))) {
            Some(current) => current,
            None => (update.clone(), spec.template.clone()),
        };
    let start = spec.ordinals.as_ref().and_then(|ordinals| ordinals.start).unwrap_or(0);
    let round = Round {
        set: &set,
        spec,
        pods: pods.into_iter().filter_map(|pod| Some((ordinal(name, name_of(&*pod))?, pod))).collect(),
        wanted: (start, start + spec.replicas.unwrap_or(1)),
        current,
        update: (update, spec.template.clone()),
        now: cx.now(),
    };
    if set.metadata.deletion_timestamp.is_none() {
        round.advance(cx);
    }
    let status = round.status();
    let soon = round.pods.values().filter_map(|pod| seconds_to_available(pod, round.min_ready(), &round.now));
    let soon = soon.filter(|left| *left > 0).min().and_then(|seconds| u64::try_from(seconds).ok());
    let used: Vec<String> = controlled::<Pod>(cx, "pods", set.metadata.uid.as_deref().unwrap_or_default())
        .iter()
        .filter_map(|pod| revision_of(pod).map(str::to_owned))
        .chain(status.current_revision.clone())
        .collect();
    revision::clean_up(cx, &history, spec.revision_history_limit, |old: &ControllerRevision| {
        used.iter().any(|name| name == name_of(old))
    });
    if set.status.as_ref() != Some(&status) {
        let _ = modify::<StatefulSet>(cx.sys, namespace, name, |set| set.status = Some(status));
    }
    if let Some(seconds) = soon {
        cx.again(Controller::StatefulSet, namespace, name, Duration::from_secs(seconds));
    }
}

/// `web-3` is 3 to the set `web`.
fn ordinal(set: &str, pod: &str) -> Option<i32> {
    pod.strip_prefix(set)?.strip_prefix('-')?.parse().ok().filter(|ordinal| *ordinal >= 0)
}

fn revision_of(pod: &Pod) -> Option<&str> {
    pod.metadata.labels.as_ref()?.get(REVISION_HASH).map(String::as_str)
}

impl Round<'_> {
    fn min_ready(&self) -> i32 {
        self.spec.min_ready_seconds.unwrap_or(0)
    }

    fn is_ordered(&self) -> bool {
        self.spec.pod_management_policy.as_deref() != Some("Parallel")
    }

    fn is_wanted(&self, ordinal: i32) -> bool {
        (self.wanted.0..self.wanted.1).contains(&ordinal)
    }

    /// None if pods are updated only when they are deleted.
    fn partition(&self) -> Option<i32> {
        let strategy = self.spec.update_strategy.as_ref();
        if strategy.and_then(|strategy| strategy.type_.as_deref()) == Some("OnDelete") {
            return None;
        }
        let rolling = strategy.and_then(|strategy| strategy.rolling_update.as_ref());
        Some(rolling.and_then(|rolling| rolling.partition).unwrap_or(0))
    }

    fn is_up(&self, pod: &Pod) -> bool {
        phase(pod) == "Running" && is_available(pod, self.min_ready(), &self.now)
    }

    /// Kubernetes: `updateStatefulSet`, from the processing of replicas on.
    fn advance(&self, cx: &mut Context<'_>) {
        for ordinal in self.wanted.0..self.wanted.1 {
            let is_steady = match self.pods.get(&ordinal) {
                None => {
                    self.make(cx, ordinal);
                    false
                }
                Some(pod) if is_over(pod) && !is_deleted(pod) => {
                    let (namespace, name) = (namespace_of(self.set), name_of(self.set));
                    let what = if phase(pod) == "Failed" { "Failed" } else { "Succeeded" };
                    let message = format!(
                        "StatefulSet {namespace}/{name} is recreating {} Pod {}",
                        what.to_lowercase(),
                        name_of(&**pod)
                    );
                    cx.report(
                        COMPONENT,
                        self.set,
                        Severity::Warning,
                        &format!("Recreating{what}Pod"),
                        &message,
                    );
                    self.remove(cx, pod);
                    false
                }
                Some(pod) => !is_deleted(pod) && self.is_up(pod),
            };
            if self.is_ordered() && !is_steady {
                return;
            }
        }
        let condemned: Vec<&Arc<Pod>> = self
            .pods
            .iter()
            .rev()
            .filter(|(ordinal, _)| !self.is_wanted(**ordinal))
            .map(|(_, pod)| pod)
            .collect();
        let unhealthy = self.pods.values().find(|pod| !self.is_up(pod) || is_deleted(pod));
        for pod in condemned {
            if is_deleted(pod) {
                if self.is_ordered() {
                    return;
                }
                continue;
            }
            let first = unhealthy.is_some_and(|unhealthy| Arc::ptr_eq(unhealthy, pod));
            if self.is_ordered() && !self.is_up(pod) && !first {
                return;
            }
            self.remove(cx, pod);
            if self.is_ordered() {
                return;
            }
        }
        let Some(partition) = self.partition() else { return };
        for ordinal in (self.wanted.0.max(partition)..self.wanted.1).rev() {
            let Some(pod) = self.pods.get(&ordinal) else { return };
            if revision_of(pod) != Some(&self.update.0) && !is_deleted(pod) {
                self.remove(cx, pod);
                return;
            }
            if is_deleted(pod) || !self.is_up(pod) {
                return;
            }
        }
    }

    /// Makes the pod with that ordinal: of the old template if the update hasn't come down to it.
    fn make(&self, cx: &mut Context<'_>, ordinal: i32) {
        let is_old = self.partition().is_some_and(|partition| ordinal < partition);
        let (revision, template) = if is_old { &self.current } else { &self.update };
        let name = format!("{}-{ordinal}", name_of(self.set));
        let mut pod = pod_from_template(self.set, template);
        pod.metadata.name = Some(name.clone());
        pod.metadata.labels.get_or_insert_default().extend([
            (REVISION_HASH.to_owned(), revision.clone()),
            ("statefulset.kubernetes.io/pod-name".to_owned(), name.clone()),
            ("apps.kubernetes.io/pod-index".to_owned(), ordinal.to_string()),
        ]);
        if let Some(spec) = &mut pod.spec {
            spec.hostname = Some(name.clone());
            spec.subdomain = self.spec.service_name.clone().filter(|name| !name.is_empty());
        }
        let set = name_of(self.set);
        match create(cx.sys, pod) {
            Ok(_) => {
                let message = format!("create Pod {name} in StatefulSet {set} successful");
                cx.report(COMPONENT, self.set, Severity::Normal, "SuccessfulCreate", &message);
            }
            Err(error) => {
                let message = format!("create Pod {name} in StatefulSet {set} failed error: {error}");
                cx.report(COMPONENT, self.set, Severity::Warning, "FailedCreate", &message);
                cx.again(Controller::StatefulSet, namespace_of(self.set), set, Duration::from_secs(1));
            }
        }
    }

    fn remove(&self, cx: &mut Context<'_>, pod: &Pod) {
        if delete::<Pod>(cx.sys, namespace_of(pod), name_of(pod), None).is_ok() {
            let message =
                format!("delete Pod {} in StatefulSet {} successful", name_of(pod), name_of(self.set));
            cx.report(COMPONENT, self.set, Severity::Normal, "SuccessfulDelete", &message);
        }
    }

    /// Kubernetes: `updateStatefulSet`, `completeRollingUpdate`.
    fn status(&self) -> StatefulSetStatus {
        let pods = || self.pods.values();
        let of = |revision: &str| {
            count(pods().filter(|pod| !is_deleted(pod) && revision_of(pod) == Some(revision)).count())
        };
        let ready = pods().filter(|pod| phase(pod) == "Running" && is_ready(pod)).count();
        let updated = of(&self.update.0);
        let done = self.partition().is_some()
            && updated == count(self.pods.len())
            && ready == self.pods.len()
            && updated.unwrap_or(0) == self.wanted.1 - self.wanted.0;
        let current = if done { &self.update.0 } else { &self.current.0 };
        StatefulSetStatus {
            replicas: count(self.pods.len()).unwrap_or(0),
            ready_replicas: count(ready),
            available_replicas: Some(count(pods().filter(|pod| self.is_up(pod)).count()).unwrap_or(0)),
            current_replicas: of(current),
            updated_replicas: updated,
            current_revision: Some(current.clone()),
            update_revision: Some(self.update.0.clone()),
            observed_generation: self.set.metadata.generation,
            collision_count: Some(0),
            conditions: None,
        }
    }
}
