//! Pods that want to be with others, or away from them. Kubernetes: plugin `InterPodAffinity`.
//!
//! Simplified: preferred affinity to pods is not heeded; a `namespaceSelector` selects all
//! namespaces if it is empty and no other ones if it isn't; `matchLabelKeys` are not heeded.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Node, Pod, PodAffinityTerm};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::cluster::Cluster;
use super::filter::Unfit;
use crate::api::labels::selects;
use crate::api::namespace_of;

/// What a pod's terms, and those of the others, come to.
#[derive(Default)]
pub struct Terms<'a> {
    /// Topology key and the domains where the pod must be; none if anywhere will do.
    with: Vec<(&'a str, BTreeSet<&'a str>)>,
    /// Topology key and the domains where it must not be.
    away: Vec<(&'a str, BTreeSet<&'a str>)>,
    /// Key and domain of others who don't want it.
    unwanted: Vec<(&'a str, &'a str)>,
}

fn domain<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.metadata.labels.as_ref()?.get(key).map(String::as_str)
}

/// Whether a term of `whose` speaks of a pod.
fn speaks_of(term: &PodAffinityTerm, whose: &Pod, pod: &Pod) -> bool {
    let all = term.namespace_selector.as_ref().is_some_and(|selector| *selector == LabelSelector::default());
    let named = term.namespaces.as_ref().filter(|names| !names.is_empty());
    let namespace = namespace_of(pod);
    let there = all
        || match named {
            Some(names) => names.iter().any(|name| name == namespace),
            None => term.namespace_selector.is_none() && namespace == namespace_of(whose),
        };
    there
        && term
            .label_selector
            .as_ref()
            .is_some_and(|selector| selects(selector, pod.metadata.labels.as_ref()))
}

fn required_away(pod: &Pod) -> impl Iterator<Item = &PodAffinityTerm> {
    let anti = pod.spec.as_ref().and_then(|spec| spec.affinity.as_ref()?.pod_anti_affinity.as_ref());
    anti.into_iter()
        .flat_map(|anti| anti.required_during_scheduling_ignored_during_execution.iter().flatten())
}

fn required_with(pod: &Pod) -> impl Iterator<Item = &PodAffinityTerm> {
    let affinity = pod.spec.as_ref().and_then(|spec| spec.affinity.as_ref()?.pod_affinity.as_ref());
    affinity
        .into_iter()
        .flat_map(|with| with.required_during_scheduling_ignored_during_execution.iter().flatten())
}

/// The domains in which there are pods of which a term speaks.
fn domains<'a>(cluster: &'a Cluster, term: &PodAffinityTerm, whose: &Pod) -> BTreeSet<&'a str> {
    let places =
        cluster.places().filter(|(_, place)| place.pods.values().any(|pod| speaks_of(term, whose, pod)));
    places.filter_map(|(node, _)| domain(node, &term.topology_key)).collect()
}

/// What is asked of the node of a pod.
pub fn terms<'a>(cluster: &'a Cluster, pod: &'a Pod) -> Terms<'a> {
    let mut terms = Terms::default();
    for term in required_with(pod) {
        let found = domains(cluster, term, pod);
        // The first of a group that wants to be together may be anywhere.
        if !found.is_empty() || !speaks_of(term, pod, pod) {
            terms.with.push((&term.topology_key, found));
        }
    }
    terms.away =
        required_away(pod).map(|term| (term.topology_key.as_str(), domains(cluster, term, pod))).collect();
    for (other, node) in cluster.keeping_away.iter().filter_map(|key| cluster.placed(key)) {
        let speaking = required_away(other).filter(|term| speaks_of(term, other, pod));
        terms.unwanted.extend(
            speaking.filter_map(|term| Some((term.topology_key.as_str(), domain(node, &term.topology_key)?))),
        );
    }
    terms
}

impl Terms<'_> {
    /// Why the pod can't be on a node.
    pub fn objection(&self, node: &Node) -> Option<Unfit> {
        let is_in =
            |(key, found): &(&str, BTreeSet<&str>)| domain(node, key).is_some_and(|at| found.contains(at));
        if !self.with.iter().all(is_in) {
            Some(Unfit::Affinity)
        } else if self.away.iter().any(is_in) {
            Some(Unfit::AntiAffinity)
        } else if self.unwanted.iter().any(|(key, at)| domain(node, key) == Some(at)) {
            Some(Unfit::ExistingAntiAffinity)
        } else {
            None
        }
    }
}
