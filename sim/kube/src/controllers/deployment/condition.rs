//! The condition Progressing.

use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentCondition, DeploymentSpec, DeploymentStatus};

use super::{Context, Rollout, status};
use crate::api::{modify, name_of, namespace_of};
use crate::controllers::context::seconds_between;
use crate::controllers::queue::Controller;

const PROGRESSING: &str = "Progressing";

/// A condition that begins now.
pub fn new(cx: &Context<'_>, kind: &str, state: &str, reason: &str, message: &str) -> DeploymentCondition {
    DeploymentCondition {
        type_: kind.to_owned(),
        status: state.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_update_time: Some(cx.now()),
        last_transition_time: Some(cx.now()),
    }
}

fn progressing(status: &DeploymentStatus) -> Option<&DeploymentCondition> {
    status.conditions.iter().flatten().find(|condition| condition.type_ == PROGRESSING)
}

fn has_deadline(spec: Option<&DeploymentSpec>) -> bool {
    spec.and_then(|spec| spec.progress_deadline_seconds).is_some_and(|seconds| seconds != i32::MAX)
}

fn note(cx: &mut Context<'_>, rollout: &mut Rollout, state: &str, reason: &str, message: &str) {
    let condition = new(cx, PROGRESSING, state, reason, message);
    let (namespace, name) = (namespace_of(&*rollout.deployment), name_of(&*rollout.deployment));
    let changed = modify::<Deployment>(cx.sys, namespace, name, |deployment| {
        status::set(deployment.status.get_or_insert_default(), condition);
    });
    if let Ok(changed) = changed {
        rollout.deployment = changed;
    }
}

/// Says that a rollout has been paused or goes on. Kubernetes: `checkPausedConditions`.
pub fn note_pause(cx: &mut Context<'_>, rollout: &mut Rollout) {
    let spec = rollout.deployment.spec.as_ref();
    if !has_deadline(spec) {
        return;
    }
    let is_paused = spec.is_some_and(|spec| spec.paused == Some(true));
    let reason =
        rollout.deployment.status.as_ref().and_then(progressing).and_then(|known| known.reason.as_deref());
    match (reason, is_paused) {
        (Some("ProgressDeadlineExceeded"), _) => {}
        (Some("DeploymentPaused"), false) => {
            note(cx, rollout, "Unknown", "DeploymentResumed", "Deployment is resumed");
        }
        (Some("DeploymentPaused"), true) | (_, false) => {}
        (_, true) => note(cx, rollout, "Unknown", "DeploymentPaused", "Deployment is paused"),
    }
}

/// Says that the set of the template was there, if nothing has been said yet.
pub fn note_found(cx: &mut Context<'_>, rollout: &mut Rollout, set: &str) {
    let silent = rollout.deployment.status.as_ref().and_then(progressing).is_none();
    if silent && has_deadline(rollout.deployment.spec.as_ref()) {
        note(cx, rollout, "True", "FoundNewReplicaSet", &format!("Found new replica set {set:?}"));
    }
}

/// Says that the set of the template has been made.
pub fn note_created(cx: &mut Context<'_>, rollout: &mut Rollout, set: &str) {
    if has_deadline(rollout.deployment.spec.as_ref()) {
        note(cx, rollout, "True", "NewReplicaSetCreated", &format!("Created new replica set {set:?}"));
    }
}

/// Says that the set of the template can't be made.
pub fn note_failure(cx: &mut Context<'_>, rollout: &mut Rollout, message: &str) {
    if has_deadline(rollout.deployment.spec.as_ref()) {
        note(cx, rollout, "False", "ReplicaSetCreateError", message);
    }
}

/// Writes the status with how the rollout gets on. Kubernetes: `syncRolloutStatus`.
pub fn write_progress(cx: &mut Context<'_>, rollout: &Rollout, spec: &DeploymentSpec) {
    let was = rollout.deployment.status.clone().unwrap_or_default();
    let mut new_status = status::of(cx, rollout);
    let known = progressing(&was).cloned();
    let reason = known.as_ref().and_then(|known| known.reason.as_deref());
    let done = new_status.replicas == new_status.updated_replicas && reason == Some("NewReplicaSetAvailable");
    if !has_deadline(Some(spec)) {
        if let Some(conditions) = &mut new_status.conditions {
            conditions.retain(|condition| condition.type_ != PROGRESSING);
        }
    } else if !done {
        let what = match &rollout.new {
            Some(set) => format!("ReplicaSet {:?}", name_of(&**set)),
            None => format!("Deployment {:?}", name_of(&*rollout.deployment)),
        };
        if status::is_complete(spec, &new_status) {
            let message = format!("{what} has successfully progressed.");
            let next = new(cx, PROGRESSING, "True", "NewReplicaSetAvailable", &message);
            status::set(&mut new_status, next);
        } else if has_moved(&was, &new_status) {
            let mut next =
                new(cx, PROGRESSING, "True", "ReplicaSetUpdated", &format!("{what} is progressing."));
            if let Some(known) = known.as_ref().filter(|known| known.status == "True") {
                next.last_transition_time.clone_from(&known.last_transition_time);
            }
            let conditions = new_status.conditions.get_or_insert_default();
            conditions.retain(|condition| condition.type_ != PROGRESSING);
            conditions.push(next);
        } else if seconds_left(cx, spec, &new_status).is_some_and(|left| left < 0) {
            let message = format!("{what} has timed out progressing.");
            let next = new(cx, PROGRESSING, "False", "ProgressDeadlineExceeded", &message);
            status::set(&mut new_status, next);
        }
    }
    copy_failure(rollout, cx, &mut new_status);
    let left =
        if status::is_complete(spec, &new_status) { None } else { seconds_left(cx, spec, &new_status) };
    status::put(cx, rollout, new_status);
    if let Some(left) = left.and_then(|left| u64::try_from(left + 1).ok()) {
        let (namespace, name) = (namespace_of(&*rollout.deployment), name_of(&*rollout.deployment));
        cx.again(Controller::Deployment, namespace, name, Duration::from_secs(left));
    }
}

/// Kubernetes: `DeploymentProgressing`.
fn has_moved(was: &DeploymentStatus, is: &DeploymentStatus) -> bool {
    let number = |field: Option<i32>| field.unwrap_or(0);
    let old = |status: &DeploymentStatus| number(status.replicas) - number(status.updated_replicas);
    number(is.updated_replicas) > number(was.updated_replicas)
        || old(is) < old(was)
        || number(is.ready_replicas) > number(was.ready_replicas)
        || number(is.available_replicas) > number(was.available_replicas)
}

/// How many seconds it still has for its next step; none if nobody waits for one.
fn seconds_left(cx: &Context<'_>, spec: &DeploymentSpec, status: &DeploymentStatus) -> Option<i64> {
    let deadline = spec.progress_deadline_seconds.filter(|seconds| *seconds != i32::MAX)?;
    let known = progressing(status)?;
    if matches!(known.reason.as_deref(), Some("NewReplicaSetAvailable" | "ProgressDeadlineExceeded")) {
        return None;
    }
    Some(i64::from(deadline) - seconds_between(known.last_update_time.as_ref()?, &cx.now()))
}

/// Why pods can't be made, as a ReplicaSet says.
fn copy_failure(rollout: &Rollout, cx: &Context<'_>, status: &mut DeploymentStatus) {
    let sets = rollout.new.iter().chain(&rollout.old);
    let conditions =
        sets.flat_map(|set| set.status.iter().flat_map(|status| status.conditions.iter().flatten()));
    match conditions.into_iter().find(|condition| condition.type_ == "ReplicaFailure") {
        Some(failure) => {
            let reason = failure.reason.clone().unwrap_or_default();
            let message = failure.message.clone().unwrap_or_default();
            let failure = new(cx, "ReplicaFailure", &failure.status, &reason, &message);
            status::set(status, failure);
        }
        None => {
            if let Some(conditions) = &mut status.conditions {
                conditions.retain(|condition| condition.type_ != "ReplicaFailure");
            }
        }
    }
}
