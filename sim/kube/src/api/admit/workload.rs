use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{
    DaemonSet, DaemonSetSpec, Deployment, DeploymentSpec, ReplicaSet, ReplicaSetSpec, StatefulSet,
    StatefulSetSpec,
};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::pod::{set_spec_defaults, validate_spec};
use super::{Admit, Invalid, label};
use crate::api::labels::selects;

/// Kubernetes: `ValidatePodTemplateSpecForReplicaSet` and its kin.
fn validate_template(
    selector: &LabelSelector,
    template: Option<&PodTemplateSpec>,
    old: Option<&LabelSelector>,
) -> Vec<Invalid> {
    let mut found = label::selector("spec.selector", selector);
    let is_usable = found.is_empty();
    let empty = selector.match_labels.as_ref().is_none_or(BTreeMap::is_empty)
        && selector.match_expressions.as_ref().is_none_or(Vec::is_empty);
    if empty {
        found.push(Invalid::required("spec.selector", ""));
    }
    let Some(template) = template else {
        found.push(Invalid::required("spec.template", ""));
        return found;
    };
    let labels = template.metadata.as_ref().and_then(|metadata| metadata.labels.as_ref());
    if !is_usable {
        let shown = label::go_selector(selector);
        let detail = format!("Invalid value: {shown}: invalid label selector");
        found.push(Invalid { path: "spec.selector".to_owned(), detail });
    } else if !empty && !selects(selector, labels) {
        let shown = labels.map_or_else(|| "{}".to_owned(), label::go_map);
        found.push(Invalid {
            path: "spec.template.metadata.labels".to_owned(),
            detail: format!(
                "Invalid value: map[string]string{shown}: `selector` does not match template `labels`"
            ),
        });
    }
    found.extend(label::labels("spec.template.labels", labels));
    match &template.spec {
        Some(spec) => found.extend(validate_spec(spec, "spec.template.spec")),
        None => found.push(Invalid::required("spec.template.spec.containers", "")),
    }
    if old.is_some_and(|old| old != selector) {
        found.push(Invalid {
            path: "spec.selector".to_owned(),
            detail: "Invalid value: field is immutable".to_owned(),
        });
    }
    found
}

/// A kind whose objects make pods from a template.
pub trait Workload: Sized {
    /// What is wanted.
    type Spec: PartialEq;

    /// What is wanted.
    fn spec(&self) -> Option<&Self::Spec>;

    /// Which pods are meant, and what new ones are made from.
    fn pods(spec: &Self::Spec) -> (&LabelSelector, Option<&PodTemplateSpec>);

    /// Fills in what wasn't said.
    fn fill_in(&mut self) -> Option<&mut PodTemplateSpec>;
}

impl<W: Workload> Admit for W {
    const HAS_GENERATION: bool = true;

    fn set_defaults(&mut self) {
        if let Some(spec) = self.fill_in().and_then(|template| template.spec.as_mut()) {
            set_spec_defaults(spec);
        }
    }

    fn validate(&self, old: Option<&Self>) -> Vec<Invalid> {
        let Some(spec) = self.spec() else { return vec![Invalid::required("spec.selector", "")] };
        let (selector, template) = W::pods(spec);
        validate_template(selector, template, old.and_then(W::spec).map(|spec| W::pods(spec).0))
    }

    fn wants_else(&self, old: &Self) -> bool {
        self.spec() != old.spec()
    }
}

impl Workload for Deployment {
    type Spec = DeploymentSpec;

    fn spec(&self) -> Option<&DeploymentSpec> {
        self.spec.as_ref()
    }

    fn pods(spec: &DeploymentSpec) -> (&LabelSelector, Option<&PodTemplateSpec>) {
        (&spec.selector, Some(&spec.template))
    }

    fn fill_in(&mut self) -> Option<&mut PodTemplateSpec> {
        let spec = self.spec.as_mut()?;
        spec.replicas.get_or_insert(1);
        spec.revision_history_limit.get_or_insert(10);
        spec.progress_deadline_seconds.get_or_insert(600);
        let strategy = spec.strategy.get_or_insert_default();
        if strategy.type_.get_or_insert_with(|| "RollingUpdate".to_owned()) == "RollingUpdate" {
            let rolling = strategy.rolling_update.get_or_insert_default();
            let quarter = || IntOrString::String("25%".to_owned());
            rolling.max_surge.get_or_insert_with(quarter);
            rolling.max_unavailable.get_or_insert_with(quarter);
        }
        Some(&mut spec.template)
    }
}

impl Workload for ReplicaSet {
    type Spec = ReplicaSetSpec;

    fn spec(&self) -> Option<&ReplicaSetSpec> {
        self.spec.as_ref()
    }

    fn pods(spec: &ReplicaSetSpec) -> (&LabelSelector, Option<&PodTemplateSpec>) {
        (&spec.selector, spec.template.as_ref())
    }

    fn fill_in(&mut self) -> Option<&mut PodTemplateSpec> {
        let spec = self.spec.as_mut()?;
        spec.replicas.get_or_insert(1);
        spec.template.as_mut()
    }
}

impl Workload for DaemonSet {
    type Spec = DaemonSetSpec;

    fn spec(&self) -> Option<&DaemonSetSpec> {
        self.spec.as_ref()
    }

    fn pods(spec: &DaemonSetSpec) -> (&LabelSelector, Option<&PodTemplateSpec>) {
        (&spec.selector, Some(&spec.template))
    }

    fn fill_in(&mut self) -> Option<&mut PodTemplateSpec> {
        let spec = self.spec.as_mut()?;
        spec.revision_history_limit.get_or_insert(10);
        let strategy = spec.update_strategy.get_or_insert_default();
        if strategy.type_.get_or_insert_with(|| "RollingUpdate".to_owned()) == "RollingUpdate" {
            let rolling = strategy.rolling_update.get_or_insert_default();
            rolling.max_unavailable.get_or_insert(IntOrString::Int(1));
            rolling.max_surge.get_or_insert(IntOrString::Int(0));
        }
        Some(&mut spec.template)
    }
}

impl Workload for StatefulSet {
    type Spec = StatefulSetSpec;

    fn spec(&self) -> Option<&StatefulSetSpec> {
        self.spec.as_ref()
    }

    fn pods(spec: &StatefulSetSpec) -> (&LabelSelector, Option<&PodTemplateSpec>) {
        (&spec.selector, Some(&spec.template))
    }

    fn fill_in(&mut self) -> Option<&mut PodTemplateSpec> {
        let spec = self.spec.as_mut()?;
        spec.replicas.get_or_insert(1);
        spec.revision_history_limit.get_or_insert(10);
        spec.pod_management_policy.get_or_insert_with(|| "OrderedReady".to_owned());
        let strategy = spec.update_strategy.get_or_insert_default();
        if strategy.type_.get_or_insert_with(|| "RollingUpdate".to_owned()) == "RollingUpdate" {
            strategy.rolling_update.get_or_insert_default().partition.get_or_insert(0);
        }
        Some(&mut spec.template)
    }
}
