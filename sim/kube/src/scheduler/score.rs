//! Where a pod runs best.

use std::cmp::Reverse;

use k8s_openapi::api::core::v1::{Node, Pod};

use super::cluster::{Place, group};
use super::node_affinity;
use super::taint::{taints, tolerates};
use crate::api::name_of;

/// How good a node is for a pod: the least is best.
///
/// Simplified: what the pod prefers comes first, then the node with the fewest pods of its kind,
/// then the one with the fewest pods, then the first by name. Kubernetes weighs these, free
/// resources and images, and throws dice among equals.
pub fn score(pod: &Pod, node: &Node, place: &Place) -> impl Ord {
    let spec = pod.spec.as_ref();
    let tolerations = || spec.into_iter().flat_map(|spec| spec.tolerations.iter().flatten());
    let shunned = taints(node).filter(|taint| {
        taint.effect == "PreferNoSchedule" && !tolerations().any(|toleration| tolerates(toleration, taint))
    });
    (
        shunned.count(),
        Reverse(spec.map_or(0, |spec| node_affinity::preference(spec, node))),
        place.in_group(&group(pod)),
        place.pods.len(),
        name_of(node).to_owned(),
    )
}
