//! Which nodes a pod asks for. Kubernetes: `component-helpers/scheduling/corev1/nodeaffinity`.

use k8s_openapi::api::core::v1::{Node, NodeSelectorTerm, PodSpec};

use crate::api::labels::{requirement, selects_pairs};
use crate::api::name_of;

/// Whether `nodeSelector` and required node affinity let a pod run on a node.
pub fn allows(pod: &PodSpec, node: &Node) -> bool {
    let selected = selects_pairs(pod.node_selector.iter().flatten(), node.metadata.labels.as_ref());
    let affinity = pod.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
    let required = affinity.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
    selected
        && required.is_none_or(|required| required.node_selector_terms.iter().any(|term| meets(term, node)))
}

fn is_empty(term: &NodeSelectorTerm) -> bool {
    term.match_expressions.as_ref().is_none_or(Vec::is_empty)
        && term.match_fields.as_ref().is_none_or(Vec::is_empty)
}

/// Whether a node meets a term; an empty one is met by none.
pub fn meets(term: &NodeSelectorTerm, node: &Node) -> bool {
    let labels = node.metadata.labels.as_ref();
    let name = name_of(node).to_owned();
    let mut expressions = term.match_expressions.iter().flatten();
    let mut fields = term.match_fields.iter().flatten();
    !is_empty(term)
        && expressions.all(|wanted| {
            let found = labels.and_then(|labels| labels.get(&wanted.key));
            requirement(&wanted.operator, wanted.values.as_deref(), found)
        })
        && fields.all(|wanted| {
            let found = Some(&name).filter(|_| wanted.key == "metadata.name");
            requirement(&wanted.operator, wanted.values.as_deref(), found)
        })
}

/// How much preferred node affinity speaks for a node.
pub fn preference(pod: &PodSpec, node: &Node) -> i64 {
    let affinity = pod.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
    let preferred = affinity
        .into_iter()
        .flat_map(|a| a.preferred_during_scheduling_ignored_during_execution.iter().flatten());
    preferred.filter(|term| meets(&term.preference, node)).map(|term| i64::from(term.weight)).sum()
}
