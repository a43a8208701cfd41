//! Taints of nodes, and what pods tolerate.

use k8s_openapi::api::core::v1::{Node, PodSpec, Taint, Toleration};

/// What a taint does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Pods aren't placed there.
    NoSchedule,
    /// Nor do they stay.
    NoExecute,
}

impl Effect {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoSchedule => "NoSchedule",
            Self::NoExecute => "NoExecute",
        }
    }
}

/// Whether a toleration is one of a taint. Kubernetes: `Toleration.ToleratesTaint`.
pub fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let empty = |text: &Option<String>| text.as_deref().unwrap_or_default().is_empty();
    let effect = empty(&toleration.effect) || toleration.effect.as_ref() == Some(&taint.effect);
    let key = empty(&toleration.key) || toleration.key.as_ref() == Some(&taint.key);
    let value = match toleration.operator.as_deref().unwrap_or("Equal") {
        "Exists" => true,
        _ => {
            !empty(&toleration.key)
                && toleration.value.as_deref().unwrap_or_default()
                    == taint.value.as_deref().unwrap_or_default()
        }
    };
    effect && key && value
}

/// The taints of a node.
pub fn taints(node: &Node) -> impl Iterator<Item = &Taint> {
    node.spec.iter().flat_map(|spec| spec.taints.iter().flatten())
}

/// The first taint of a node with one of these effects that a pod doesn't tolerate.
pub fn untolerated<'a>(pod: &PodSpec, node: &'a Node, effects: &[Effect]) -> Option<&'a Taint> {
    taints(node).find(|taint| {
        effects.iter().any(|effect| effect.name() == taint.effect)
            && !pod.tolerations.iter().flatten().any(|toleration| tolerates(toleration, taint))
    })
}
