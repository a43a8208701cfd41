//! Recreate: the new set starts when the old pods are gone.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::DeploymentSpec;
use k8s_openapi::api::core::v1::Pod;

use super::scale::set_size;
use super::{Context, Rollout, new_set, replicas};
use crate::controllers::owner::controlled;
use crate::controllers::pods::is_over;

/// Takes the next step; answers whether it took one, or waits for one.
pub fn advance(cx: &mut Context<'_>, rollout: &mut Rollout, spec: &DeploymentSpec) -> bool {
    new_set::refresh(cx, rollout);
    let mut moved = false;
    for set in rollout.old.clone().iter().filter(|set| replicas(set) > 0) {
        moved |= set_size(cx, rollout, spec, set, 0);
    }
    if moved || old_pods_run(cx, rollout) {
        return true;
    }
    if !new_set::ensure(cx, rollout, spec) {
        return false;
    }
    let wanted = spec.replicas.unwrap_or(1);
    match rollout.new.clone() {
        Some(set) if replicas(&set) != wanted => set_size(cx, rollout, spec, &set, wanted),
        _ => false,
    }
}

fn old_pods_run(cx: &Context<'_>, rollout: &Rollout) -> bool {
    let uids = rollout.old.iter().filter_map(|set| set.metadata.uid.clone());
    uids.flat_map(|uid| controlled::<Pod>(cx, "pods", &uid)).any(|pod: Arc<Pod>| !is_over(&pod))
}
