//! Rolling update: the new set grows while the old ones shrink.

use k8s_openapi::api::apps::v1::DeploymentSpec;

use super::scale::set_size;
use super::{Context, Rollout, available, limits, new_set, replicas};

/// Takes the next step; answers whether it took one.
pub fn advance(cx: &mut Context<'_>, rollout: &mut Rollout, spec: &DeploymentSpec) -> bool {
    if !new_set::ensure(cx, rollout, spec) {
        return false;
    }
    resize_new(cx, rollout, spec) || shrink_old(cx, rollout, spec)
}

/// Kubernetes: `reconcileNewReplicaSet`.
fn resize_new(cx: &mut Context<'_>, rollout: &mut Rollout, spec: &DeploymentSpec) -> bool {
    let Some(set) = rollout.new.clone() else { return false };
    let (now, wanted) = (replicas(&set), spec.replicas.unwrap_or(1));
    if now == wanted {
        return false;
    }
    let size = if now > wanted { wanted } else { new_set::size(spec, rollout, now) };
    set_size(cx, rollout, spec, &set, size)
}

/// Kubernetes: `reconcileOldReplicaSets`.
fn shrink_old(cx: &mut Context<'_>, rollout: &mut Rollout, spec: &DeploymentSpec) -> bool {
    let old: i32 = rollout.old.iter().map(|set| replicas(set)).sum();
    let Some(new) = rollout.new.clone().filter(|_| old > 0) else { return false };
    let least = spec.replicas.unwrap_or(1) - limits(spec).1;
    let unavailable = replicas(&new) - available(&new);
    let most = old + replicas(&new) - least - unavailable;
    if most <= 0 {
        return false;
    }
    let sick = shrink_unhealthy(cx, rollout, spec, most);
    let spare = rollout.all().map(|set| available(set)).sum::<i32>() - least;
    let mut left = spare.max(0);
    let mut moved = sick > 0;
    for set in rollout.old.clone() {
        let cut = replicas(&set).min(left);
        if cut > 0 {
            left -= cut;
            moved |= set_size(cx, rollout, spec, &set, replicas(&set) - cut);
        }
    }
    moved
}

/// Pods of old sets that aren't available go first. Kubernetes: `cleanupUnhealthyReplicas`.
fn shrink_unhealthy(cx: &mut Context<'_>, rollout: &mut Rollout, spec: &DeploymentSpec, most: i32) -> i32 {
    let mut cut = 0;
    for set in rollout.old.clone() {
        let sick = (replicas(&set) - available(&set)).min(most - cut);
        if sick > 0 && set_size(cx, rollout, spec, &set, replicas(&set) - sick) {
            cut += sick;
        }
    }
    cut
}
