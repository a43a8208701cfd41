//! Pods spread evenly over domains. Kubernetes: plugin `PodTopologySpread`.
//!
//! Simplified: only `whenUnsatisfiable: DoNotSchedule` counts; `minDomains`, `matchLabelKeys` and
//! `nodeTaintsPolicy` are not heeded.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node, Pod, TopologySpreadConstraint};

use super::cluster::Cluster;
use super::filter::Unfit;
use super::node_affinity;
use crate::api::labels::selects;
use crate::api::namespace_of;

/// A pod's constraints, each with the number of pods that each domain has.
pub struct Spread<'a> {
    constraints: Vec<(&'a TopologySpreadConstraint, BTreeMap<&'a str, i32>)>,
    pod: &'a Pod,
}

fn domain<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.metadata.labels.as_ref()?.get(key).map(String::as_str)
}

fn counts(constraint: &TopologySpreadConstraint, whose: &Pod, pod: &Pod) -> bool {
    let selector = constraint.label_selector.as_ref();
    namespace_of(pod) == namespace_of(whose)
        && pod.metadata.deletion_timestamp.is_none()
        && selector.is_some_and(|selector| selects(selector, pod.metadata.labels.as_ref()))
}

/// Counts the pods that a pod's constraints speak of.
pub fn spread<'a>(cluster: &'a Cluster, pod: &'a Pod) -> Spread<'a> {
    let spec = pod.spec.as_ref();
    let all = spec.into_iter().flat_map(|spec| spec.topology_spread_constraints.iter().flatten());
    let hard = all.filter(|constraint| constraint.when_unsatisfiable == "DoNotSchedule");
    let constraints = hard.map(|constraint| {
        let mut found = BTreeMap::new();
        for (node, place) in cluster.places() {
            let allowed = spec.is_some_and(|spec| node_affinity::allows(spec, node));
            if let Some(domain) = domain(node, &constraint.topology_key).filter(|_| allowed) {
                let number = place.pods.values().filter(|other| counts(constraint, pod, other)).count();
                *found.entry(domain).or_insert(0) += i32::try_from(number).unwrap_or(i32::MAX);
            }
        }
        (constraint, found)
    });
    Spread { constraints: constraints.collect(), pod }
}

impl Spread<'_> {
    /// Why the pod can't be on a node.
    pub fn objection(&self, node: &Node) -> Option<Unfit> {
        self.constraints.iter().find_map(|(constraint, found)| {
            let Some(domain) = domain(node, &constraint.topology_key) else {
                return Some(Unfit::TopologyLabel);
            };
            let least = found.values().min().copied().unwrap_or(0);
            let one_more = i32::from(counts(constraint, self.pod, self.pod));
            let there = found.get(domain).copied().unwrap_or(0);
            (there + one_more - least > constraint.max_skew).then_some(Unfit::Topology)
        })
    }
}
