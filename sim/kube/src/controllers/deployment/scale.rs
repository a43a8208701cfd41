//! Changing the size of a Deployment's ReplicaSets.

use std::cmp::Reverse;
use std::sync::Arc;

use k8s_openapi::api::apps::v1::{DeploymentSpec, ReplicaSet};

use super::{COMPONENT, Context, DESIRED, MAXIMUM, Rollout, available, limits, replicas, revision};
use crate::api::event::Severity;
use crate::api::{modify, name_of, namespace_of};

/// Gives a set another size; answers whether it is one. Kubernetes: `scaleReplicaSet`.
pub fn set_size(
    cx: &mut Context<'_>,
    rollout: &mut Rollout,
    spec: &DeploymentSpec,
    set: &Arc<ReplicaSet>,
    size: i32,
) -> bool {
    let wanted = spec.replicas.unwrap_or(1);
    let maximum = wanted + limits(spec).0;
    let old = replicas(set);
    let changed = modify::<ReplicaSet>(cx.sys, namespace_of(&**set), name_of(&**set), |set| {
        let annotations = set.metadata.annotations.get_or_insert_default();
        annotations.insert(DESIRED.to_owned(), wanted.to_string());
        annotations.insert(MAXIMUM.to_owned(), maximum.to_string());
        if let Some(spec) = &mut set.spec {
            spec.replicas = Some(size);
        }
    });
    let Ok(changed) = changed else { return false };
    rollout.replace(changed);
    if old == size {
        return false;
    }
    let direction = if old < size { "up" } else { "down" };
    let message = format!("Scaled {direction} replica set {} to {size} from {old}", name_of(&**set));
    let deployment = Arc::clone(&rollout.deployment);
    cx.report(COMPONENT, &*deployment, Severity::Normal, "ScalingReplicaSet", &message);
    true
}

/// The set that is to have all pods: the only one with pods, or the latest if none has any.
fn sole(rollout: &Rollout) -> Option<Arc<ReplicaSet>> {
    let active: Vec<_> = rollout.all().filter(|set| replicas(set) > 0).collect();
    match active[..] {
        [] => rollout
            .new
            .as_ref()
            .or_else(|| rollout.old.iter().max_by_key(|set| revision::number(&set.metadata)))
            .cloned(),
        [one] => Some(Arc::clone(one)),
        _ => None,
    }
}

/// Makes the sets of a Deployment that has been scaled, or is paused, as large together as it
/// wants, each by its part. Kubernetes: `(dc *DeploymentController) scale`.
pub fn scale(cx: &mut Context<'_>, rollout: &mut Rollout, spec: &DeploymentSpec) {
    let wanted = spec.replicas.unwrap_or(1);
    if let Some(set) = sole(rollout) {
        if replicas(&set) != wanted || rollout.is_being_scaled(spec) {
            set_size(cx, rollout, spec, &set, wanted);
        }
        return;
    }
    let saturated = rollout.new.as_ref().is_some_and(|set| {
        let desired = set.metadata.annotations.as_ref().and_then(|all| all.get(DESIRED));
        desired.and_then(|text| text.parse().ok()) == Some(wanted)
            && replicas(set) == wanted
            && available(set) == wanted
    });
    if saturated {
        for set in rollout.old.clone().iter().filter(|set| replicas(set) > 0) {
            set_size(cx, rollout, spec, set, 0);
        }
        return;
    }
    if spec.strategy.as_ref().is_some_and(|strategy| strategy.type_.as_deref() == Some("Recreate")) {
        return;
    }
    proportionally(cx, rollout, spec);
}

fn proportionally(cx: &mut Context<'_>, rollout: &mut Rollout, spec: &DeploymentSpec) {
    let wanted = spec.replicas.unwrap_or(1);
    let allowed = if wanted > 0 { wanted + limits(spec).0 } else { 0 };
    let mut sets: Vec<_> = rollout.all().filter(|set| replicas(set) > 0).cloned().collect();
    let total: i32 = sets.iter().map(|set| replicas(set)).sum();
    let to_add = allowed - total;
    // The largest first; among equals the newest when growing, the oldest when shrinking.
    sets.sort_by_cached_key(|set| (Reverse(replicas(set)), set.metadata.creation_timestamp.clone()));
    if to_add > 0 {
        sets.sort_by_cached_key(|set| {
            (Reverse(replicas(set)), Reverse(set.metadata.creation_timestamp.clone()))
        });
    }
    let mut sizes: Vec<i32> = sets.iter().map(|set| replicas(set)).collect();
    let mut added = 0;
    for (set, size) in sets.iter().zip(&mut sizes) {
        let share = share(set, total, wanted, limits(spec).0, to_add, added);
        *size += share;
        added += share;
    }
    if let Some(largest) = sizes.first_mut() {
        *largest = (*largest + to_add - added).max(0);
    }
    for (set, size) in sets.iter().zip(sizes) {
        set_size(cx, rollout, spec, set, size);
    }
}

/// A set's part of what is to be added. Kubernetes: `GetProportion`, `getReplicaSetFraction`.
fn share(set: &ReplicaSet, total: i32, wanted: i32, surge: i32, to_add: i32, added: i32) -> i32 {
    let size = replicas(set);
    if size == 0 || to_add == 0 || to_add == added {
        return 0;
    }
    let fraction = if wanted == 0 {
        -size
    } else {
        let annotations = set.metadata.annotations.as_ref();
        let maximum = annotations.and_then(|all| all.get(MAXIMUM)).and_then(|text| text.parse::<i32>().ok());
        let maximum = maximum.filter(|maximum| *maximum > 0).unwrap_or(total).max(1);
        let scaled = f64::from(size) * f64::from(wanted + surge) / f64::from(maximum);
        #[expect(clippy::cast_possible_truncation, reason = "rounded, and within the numbers it was made of")]
        let scaled = scaled.round() as i32;
        scaled - size
    };
    let allowed = to_add - added;
    if to_add > 0 { fraction.min(allowed) } else { fraction.max(allowed) }
}
