//! ReplicaSets for one template after another. Kubernetes: `pkg/controller/deployment`.

mod condition;
mod new_set;
mod recreate;
mod rolling;
mod scale;
mod status;

use std::sync::Arc;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, ReplicaSet};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::context::Context;
use super::owner::{controlled, controller_of, reference_to};
use super::revision::{self, REVISION};
use crate::api::labels::selects;
use crate::api::{get, list, modify, name_of, namespace_of};

const COMPONENT: &str = "deployment-controller";
/// The label that tells a template's ReplicaSet and pods from others.
const HASH: &str = "pod-template-hash";
/// How many replicas the Deployment wanted when the set was last scaled.
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
/// How many pods there may be at once.
const MAXIMUM: &str = "deployment.kubernetes.io/max-replicas";

/// A Deployment with the ReplicaSets that it controls.
struct Rollout {
    deployment: Arc<Deployment>,
    /// Those of its template, if there is one yet.
    new: Option<Arc<ReplicaSet>>,
    /// The others, oldest first.
    old: Vec<Arc<ReplicaSet>>,
}

/// Brings the ReplicaSets of a Deployment to what they should be.
pub fn sync(cx: &mut Context<'_>, namespace: &str, name: &str) {
    let Some(deployment) = get::<Deployment>(cx.sys.store(), namespace, name) else { return };
    let Some(spec) = deployment.spec.clone() else { return };
    let mut rollout = Rollout::of(cx, deployment);
    if rollout.deployment.metadata.deletion_timestamp.is_some() {
        status::write(cx, &rollout);
        return;
    }
    condition::note_pause(cx, &mut rollout);
    if spec.paused == Some(true) || rollout.is_being_scaled(&spec) {
        new_set::refresh(cx, &mut rollout);
        scale::scale(cx, &mut rollout, &spec);
        if spec.paused == Some(true) {
            clean_up(cx, &rollout, &spec);
        }
        status::write(cx, &rollout);
        return;
    }
    let recreates =
        spec.strategy.as_ref().is_some_and(|strategy| strategy.type_.as_deref() == Some("Recreate"));
    let moved = match recreates {
        true => recreate::advance(cx, &mut rollout, &spec),
        false => rolling::advance(cx, &mut rollout, &spec),
    };
    if !moved && status::is_complete(&spec, &status::of(cx, &rollout)) {
        clean_up(cx, &rollout, &spec);
    }
    condition::write_progress(cx, &rollout, &spec);
}

impl Rollout {
    /// Finds the sets of a Deployment; those that it selects and nobody controls it adopts.
    fn of(cx: &mut Context<'_>, deployment: Arc<Deployment>) -> Self {
        let uid = deployment.metadata.uid.clone().unwrap_or_default();
        let mut sets = controlled::<ReplicaSet>(cx, "replicasets", &uid);
        if sets.is_empty() && deployment.metadata.deletion_timestamp.is_none() {
            sets = adopt(cx, &deployment);
        }
        sets.sort_by_cached_key(|set| (set.metadata.creation_timestamp.clone(), name_of(&**set).to_owned()));
        let template = deployment.spec.as_ref().map(|spec| &spec.template);
        let is_new = |set: &Arc<ReplicaSet>| {
            let theirs = set.spec.as_ref().and_then(|spec| spec.template.as_ref());
            template.zip(theirs).is_some_and(|(ours, theirs)| new_set::same_template(ours, theirs))
        };
        let new = sets.iter().position(is_new).map(|at| sets.remove(at));
        Self { deployment, new, old: sets }
    }

    /// All sets, the old ones first.
    fn all(&self) -> impl Iterator<Item = &Arc<ReplicaSet>> {
        self.old.iter().chain(&self.new)
    }

    /// Whether the Deployment wants another number of pods than when its sets were last scaled.
    fn is_being_scaled(&self, spec: &DeploymentSpec) -> bool {
        let wanted = spec.replicas.unwrap_or(1).to_string();
        self.all().filter(|set| replicas(set) > 0).any(|set| {
            let annotations = set.metadata.annotations.as_ref();
            annotations.and_then(|all| all.get(DESIRED)).is_some_and(|desired| *desired != wanted)
        })
    }

    /// Takes the place of a set that has changed.
    fn replace(&mut self, set: Arc<ReplicaSet>) {
        let same = |other: &&mut Arc<ReplicaSet>| other.metadata.uid == set.metadata.uid;
        if let Some(old) = self.old.iter_mut().chain(&mut self.new).find(same) {
            *old = set;
        }
    }
}

/// Adopts the ReplicaSets that a Deployment selects and nobody controls.
///
/// Simplified: only one that has no ReplicaSet yet looks for them.
fn adopt(cx: &mut Context<'_>, deployment: &Arc<Deployment>) -> Vec<Arc<ReplicaSet>> {
    let namespace = namespace_of(&**deployment).to_owned();
    let Some(spec) = &deployment.spec else { return Vec::new() };
    let orphans = list::<ReplicaSet>(cx.sys.store(), Some(&namespace)).into_iter().filter(|set| {
        controller_of(&set.metadata).is_none() && selects(&spec.selector, set.metadata.labels.as_ref())
    });
    let orphans: Vec<_> = orphans.collect();
    let adopted = orphans.iter().map(|set| {
        modify::<ReplicaSet>(cx.sys, &namespace, name_of(&**set), |set| {
            set.metadata.owner_references.get_or_insert_default().push(reference_to(&**deployment));
        })
    });
    adopted.filter_map(Result::ok).collect()
}

/// How many pods a set should have.
fn replicas(set: &ReplicaSet) -> i32 {
    set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(0)
}

fn available(set: &ReplicaSet) -> i32 {
    set.status.as_ref().and_then(|status| status.available_replicas).unwrap_or(0)
}

/// A number, or a part of `total`.
pub(super) fn part_of(value: Option<&IntOrString>, total: i32, round_up: bool) -> i32 {
    match value {
        None => 0,
        Some(IntOrString::Int(number)) => *number,
        Some(IntOrString::String(text)) => {
            let percent: i64 = text.strip_suffix('%').and_then(|number| number.parse().ok()).unwrap_or(0);
            let whole = percent.saturating_mul(i64::from(total));
            let part = if round_up { (whole + 99).div_euclid(100) } else { whole.div_euclid(100) };
            i32::try_from(part).unwrap_or(i32::MAX)
        }
    }
}

/// How many pods there may be above the number that is wanted, and below. Kubernetes:
/// `ResolveFenceposts`.
fn limits(spec: &DeploymentSpec) -> (i32, i32) {
    let wanted = spec.replicas.unwrap_or(1);
    let rolling = spec.strategy.as_ref().and_then(|strategy| strategy.rolling_update.as_ref());
    let Some(rolling) = rolling else { return (0, 0) };
    let surge = part_of(rolling.max_surge.as_ref(), wanted, true);
    let unavailable = part_of(rolling.max_unavailable.as_ref(), wanted, false);
    if surge == 0 && unavailable == 0 { (0, 1) } else { (surge, unavailable.min(wanted)) }
}

/// Deletes the oldest of the sets that have no pods, if they are more than are to be kept.
fn clean_up(cx: &mut Context<'_>, rollout: &Rollout, spec: &DeploymentSpec) {
    let Some(limit) = spec.revision_history_limit.and_then(|limit| usize::try_from(limit).ok()) else {
        return;
    };
    let mut sets: Vec<_> =
        rollout.old.iter().filter(|set| set.metadata.deletion_timestamp.is_none()).collect();
    sets.sort_by_key(|set| revision::number(&set.metadata));
    let surplus = sets.len().saturating_sub(limit);
    for set in sets.into_iter().take(surplus) {
        let status = set.status.clone().unwrap_or_default();
        if status.replicas == 0 && replicas(set) == 0 && set.metadata.generation <= status.observed_generation
        {
            let _ = crate::api::delete::<ReplicaSet>(cx.sys, namespace_of(&**set), name_of(&**set), None);
        }
    }
}
