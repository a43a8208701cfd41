use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Pod};
use world::Entry;

use super::resources::{self, Resources};
use crate::api::{namespace_of, prefix};
use crate::controllers::pods::{is_deleted, is_over, node_of};

/// What the scheduler knows: nodes, what runs on them, who waits.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// Nodes by name. One that isn't there any more may still have pods.
    nodes: BTreeMap<String, Place>,
    /// The nodes of placed pods, by keys.
    placed: BTreeMap<String, String>,
    /// Keys of placed pods that keep others away.
    pub keeping_away: BTreeSet<String>,
    /// Pods to be placed, by keys.
    pub waiting: BTreeMap<String, Waiting>,
    /// Keys of those that care for what runs where.
    affine: BTreeSet<String>,
}

/// A pod that waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The pod.
    pub pod: Arc<Pod>,
    /// The revision at which it was made.
    pub created: u64,
    /// Whether it is worth a try.
    pub is_active: bool,
}

/// A node with what runs on it.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The node.
    pub node: Option<Arc<Node>>,
    /// Its pods, by keys.
    pub pods: BTreeMap<String, Arc<Pod>>,
    /// What they ask for together.
    pub requested: Resources,
    groups: BTreeMap<String, usize>,
}

impl Place {
    /// How many pods of a group it has.
    pub fn in_group(&self, group: &str) -> usize {
        self.groups.get(group).copied().unwrap_or(0)
    }
}

/// What a pod is one of many of: its controller's pods, otherwise those with the same labels.
pub fn group(pod: &Pod) -> String {
    let mut owners = pod.metadata.owner_references.iter().flatten();
    match owners.find(|owner| owner.controller == Some(true)) {
        Some(owner) => owner.uid.clone(),
        None => format!("{}{:?}", namespace_of(pod), pod.metadata.labels),
    }
}

/// Whether a pod keeps others away from its node.
fn keeps_away(pod: &Pod) -> bool {
    let affinity = pod.spec.as_ref().and_then(|spec| spec.affinity.as_ref());
    affinity
        .and_then(|affinity| affinity.pod_anti_affinity.as_ref())
        .is_some_and(|anti| anti.required_during_scheduling_ignored_during_execution.is_some())
}

fn is_mine(pod: &Pod) -> bool {
    let scheduler = pod.spec.as_ref().and_then(|spec| spec.scheduler_name.as_deref());
    let gates = pod.spec.as_ref().and_then(|spec| spec.scheduling_gates.as_ref());
    scheduler.unwrap_or("default-scheduler") == "default-scheduler" && gates.is_none_or(Vec::is_empty)
}

/// What of a node counts when pods are placed.
fn aspects(node: &Node) -> impl PartialEq + '_ {
    let spec = node.spec.as_ref();
    let status = node.status.as_ref();
    (
        &node.metadata.labels,
        spec.map(|spec| (&spec.taints, spec.unschedulable)),
        status.map(|status| &status.allocatable),
    )
}

impl Cluster {
    /// Sees a change of an object.
    pub fn observe(&mut self, key: &str, entry: Option<&Entry>) {
        if key.starts_with(&prefix::<Pod>(None)) {
            let created = entry.map_or(0, |entry| entry.created);
            self.observe_pod(key, created, entry.and_then(Entry::get));
        } else if let Some(name) = key.strip_prefix(&prefix::<Node>(None)) {
            let node = entry.and_then(Entry::get::<Node>);
            let place = self.nodes.entry(name.to_owned()).or_default();
            let better = place.node.as_deref().map(aspects) != node.as_deref().map(aspects);
            place.node = node;
            if place.node.is_none() && place.pods.is_empty() {
                self.nodes.remove(name);
            }
            if better {
                self.retry();
            }
        }
    }

    fn observe_pod(&mut self, key: &str, created: u64, pod: Option<Arc<Pod>>) {
        let pod = pod.filter(|pod| !is_over(pod));
        self.affine.remove(key);
        let node = pod.as_deref().and_then(node_of).map(str::to_owned);
        let labels = |pod: &Arc<Pod>| pod.metadata.labels.clone();
        let known = self.placed.get(key).and_then(|node| self.nodes.get(node)?.pods.get(key)).cloned();
        if let (Some(node), Some(pod), Some(known)) = (&node, &pod, &known)
            && self.placed.get(key) == Some(node)
            && known.spec == pod.spec
            && labels(known) == labels(pod)
        {
            if let Some(place) = self.nodes.get_mut(node) {
                place.pods.insert(key.to_owned(), Arc::clone(pod));
            }
            return;
        }
        if let Some(node) = self.placed.remove(key) {
            self.leave(key, &node);
        }
        match (node, pod) {
            (Some(node), Some(pod)) => {
                self.waiting.remove(key);
                self.place(key, &node, pod);
            }
            (None, Some(pod)) if is_mine(&pod) && !is_deleted(&pod) => {
                let old = self
                    .waiting
                    .get(key)
                    .map(|old| (old.pod.spec == pod.spec && labels(&old.pod) == labels(&pod), old.is_active));
                let is_active = match old {
                    Some((true, is_active)) => is_active,
                    _ => true,
                };
                if pod.spec.as_ref().is_some_and(|spec| spec.affinity.is_some()) {
                    self.affine.insert(key.to_owned());
                }
                self.waiting.insert(key.to_owned(), Waiting { pod, created, is_active });
            }
            _ => {
                self.waiting.remove(key);
            }
        }
    }

    /// Counts a pod on a node.
    pub fn place(&mut self, key: &str, node: &str, pod: Arc<Pod>) {
        self.placed.insert(key.to_owned(), node.to_owned());
        if keeps_away(&pod) {
            self.keeping_away.insert(key.to_owned());
        }
        // It may be what another one wants to be with.
        self.retry_affine();
        let place = self.nodes.entry(node.to_owned()).or_default();
        resources::add(&mut place.requested, &resources::of_pod(&pod));
        *place.groups.entry(group(&pod)).or_default() += 1;
        place.pods.insert(key.to_owned(), pod);
    }

    fn leave(&mut self, key: &str, node: &str) {
        self.keeping_away.remove(key);
        let Some(place) = self.nodes.get_mut(node) else { return };
        let Some(pod) = place.pods.remove(key) else { return };
        let freed = resources::of_pod(&pod).into_iter().map(|(name, amount)| (name, -amount)).collect();
        resources::add(&mut place.requested, &freed);
        if let Some(count) = place.groups.get_mut(&group(&pod)) {
            *count -= 1;
        }
        place.groups.retain(|_, count| *count > 0);
        if place.node.is_none() && place.pods.is_empty() {
            self.nodes.remove(node);
        }
        self.retry();
    }

    fn retry(&mut self) {
        self.waiting.values_mut().for_each(|waiting| waiting.is_active = true);
    }

    /// Tries those again who may want to be with a pod that has been placed.
    fn retry_affine(&mut self) {
        for key in &self.affine {
            if let Some(waiting) = self.waiting.get_mut(key) {
                waiting.is_active = true;
            }
        }
    }

    /// The nodes that are there, sorted by name, with what runs on them.
    pub fn places(&self) -> impl Iterator<Item = (&Arc<Node>, &Place)> {
        self.nodes.values().filter_map(|place| Some((place.node.as_ref()?, place)))
    }

    /// A placed pod with its node.
    pub fn placed(&self, key: &str) -> Option<(&Arc<Pod>, &Arc<Node>)> {
        let place = self.nodes.get(self.placed.get(key)?)?;
        Some((place.pods.get(key)?, place.node.as_ref()?))
    }

    /// The keys of the pods that are worth a try: important ones first, then as they came.
    pub fn active(&self) -> Vec<String> {
        let mut active: Vec<_> = self.waiting.iter().filter(|(_, waiting)| waiting.is_active).collect();
        active.sort_by_key(|(_, waiting)| {
            let priority = waiting.pod.spec.as_ref().and_then(|spec| spec.priority).unwrap_or(0);
            (std::cmp::Reverse(priority), waiting.created)
        });
        active.into_iter().map(|(key, _)| key.clone()).collect()
    }
}
