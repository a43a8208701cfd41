//! What a Deployment says of itself.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentCondition, DeploymentSpec, DeploymentStatus};

use super::{Context, Rollout, available, condition, limits, replicas};
use crate::api::{modify, name_of, namespace_of};

fn some(number: i32) -> Option<i32> {
    Some(number).filter(|number| *number != 0)
}

/// What its ReplicaSets amount to. Kubernetes: `calculateStatus`.
pub fn of(cx: &Context<'_>, rollout: &Rollout) -> DeploymentStatus {
    let was = rollout.deployment.status.clone().unwrap_or_default();
    let sum = |of: fn(&k8s_openapi::api::apps::v1::ReplicaSetStatus) -> i32| -> i32 {
        rollout.all().filter_map(|set| set.status.as_ref()).map(of).sum()
    };
    let up = rollout.all().map(|set| available(set)).sum::<i32>();
    let total = rollout.all().map(|set| replicas(set)).sum::<i32>();
    let mut status = DeploymentStatus {
        observed_generation: rollout.deployment.metadata.generation,
        replicas: some(sum(|status| status.replicas)),
        updated_replicas: rollout.new.as_ref().and_then(|set| some(set.status.as_ref()?.replicas)),
        ready_replicas: some(sum(|status| status.ready_replicas.unwrap_or(0))),
        available_replicas: some(up),
        unavailable_replicas: some((total - up).max(0)),
        collision_count: was.collision_count,
        conditions: was.conditions,
        ..DeploymentStatus::default()
    };
    let Some(spec) = &rollout.deployment.spec else { return status };
    let (state, reason, message) = match up >= spec.replicas.unwrap_or(1) - limits(spec).1 {
        true => ("True", "MinimumReplicasAvailable", "Deployment has minimum availability."),
        false => ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability."),
    };
    let available = condition::new(cx, "Available", state, reason, message);
    set(&mut status, available);
    status
}

/// Sets a condition unless it says the same already. Kubernetes: `SetDeploymentCondition`.
pub fn set(status: &mut DeploymentStatus, mut new: DeploymentCondition) {
    let conditions = status.conditions.get_or_insert_default();
    if let Some(at) = conditions.iter().position(|condition| condition.type_ == new.type_) {
        let old = &conditions[at];
        if old.status == new.status && old.reason == new.reason {
            return;
        }
        if old.status == new.status {
            new.last_transition_time.clone_from(&old.last_transition_time);
        }
        conditions.remove(at);
    }
    conditions.push(new);
}

/// Whether all pods are new ones, and available. Kubernetes: `DeploymentComplete`.
pub fn is_complete(spec: &DeploymentSpec, status: &DeploymentStatus) -> bool {
    let wanted = spec.replicas.unwrap_or(1);
    status.updated_replicas.unwrap_or(0) == wanted
        && status.replicas.unwrap_or(0) == wanted
        && status.available_replicas.unwrap_or(0) == wanted
}

/// Writes the status if it has changed.
pub fn write(cx: &mut Context<'_>, rollout: &Rollout) {
    let status = of(cx, rollout);
    put(cx, rollout, status);
}

/// Writes a status if it is another one; answers whether it is.
pub fn put(cx: &mut Context<'_>, rollout: &Rollout, status: DeploymentStatus) -> bool {
    if rollout.deployment.status.as_ref() == Some(&status) {
        return false;
    }
    let (namespace, name) = (namespace_of(&*rollout.deployment), name_of(&*rollout.deployment));
    modify::<Deployment>(cx.sys, namespace, name, |deployment| deployment.status = Some(status)).is_ok()
}
