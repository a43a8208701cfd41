use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::pod::{set_spec_defaults, validate_spec};
use super::{Admit, Invalid};
use crate::api::labels::selects;

fn set_template_defaults(template: &mut PodTemplateSpec) {
    if let Some(spec) = &mut template.spec {
        set_spec_defaults(spec);
    }
}

/// Kubernetes: `ValidatePodTemplateSpecForReplicaSet` and its kin.
fn validate_template(
    selector: &LabelSelector,
    template: Option<&PodTemplateSpec>,
    old: Option<&LabelSelector>,
) -> Vec<Invalid> {
    let mut found = Vec::new();
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
    if !empty && !selects(selector, labels) {
        let shown: Vec<String> = labels.into_iter().flatten().map(|(k, v)| format!("{k:?}:{v:?}")).collect();
        found.push(Invalid {
            path: "spec.template.metadata.labels".to_owned(),
            detail: format!(
                "Invalid value: map[string]string{{{}}}: `selector` does not match template `labels`",
                shown.join(", ")
            ),
        });
    }
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

impl Admit for Deployment {
    fn set_defaults(&mut self) {
        let Some(spec) = &mut self.spec else { return };
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
        set_template_defaults(&mut spec.template);
    }

    fn validate(&self, old: Option<&Self>) -> Vec<Invalid> {
        let Some(spec) = &self.spec else { return vec![Invalid::required("spec.selector", "")] };
        let old = old.and_then(|old| Some(&old.spec.as_ref()?.selector));
        validate_template(&spec.selector, Some(&spec.template), old)
    }

    fn wants_else(&self, old: &Self) -> bool {
        self.spec != old.spec
    }
}

impl Admit for ReplicaSet {
    fn set_defaults(&mut self) {
        let Some(spec) = &mut self.spec else { return };
        spec.replicas.get_or_insert(1);
        if let Some(template) = &mut spec.template {
            set_template_defaults(template);
        }
    }

    fn validate(&self, old: Option<&Self>) -> Vec<Invalid> {
        let Some(spec) = &self.spec else { return vec![Invalid::required("spec.selector", "")] };
        let old = old.and_then(|old| Some(&old.spec.as_ref()?.selector));
        validate_template(&spec.selector, spec.template.as_ref(), old)
    }

    fn wants_else(&self, old: &Self) -> bool {
        self.spec != old.spec
    }
}

impl Admit for DaemonSet {
    fn set_defaults(&mut self) {
        let Some(spec) = &mut self.spec else { return };
        spec.revision_history_limit.get_or_insert(10);
        let strategy = spec.update_strategy.get_or_insert_default();
        if strategy.type_.get_or_insert_with(|| "RollingUpdate".to_owned()) == "RollingUpdate" {
            let rolling = strategy.rolling_update.get_or_insert_default();
            rolling.max_unavailable.get_or_insert(IntOrString::Int(1));
            rolling.max_surge.get_or_insert(IntOrString::Int(0));
        }
        set_template_defaults(&mut spec.template);
    }

    fn validate(&self, old: Option<&Self>) -> Vec<Invalid> {
        let Some(spec) = &self.spec else { return vec![Invalid::required("spec.selector", "")] };
        let old = old.and_then(|old| Some(&old.spec.as_ref()?.selector));
        validate_template(&spec.selector, Some(&spec.template), old)
    }

    fn wants_else(&self, old: &Self) -> bool {
        self.spec != old.spec
    }
}

impl Admit for StatefulSet {
    fn set_defaults(&mut self) {
        let Some(spec) = &mut self.spec else { return };
        spec.replicas.get_or_insert(1);
        spec.revision_history_limit.get_or_insert(10);
        spec.pod_management_policy.get_or_insert_with(|| "OrderedReady".to_owned());
        let strategy = spec.update_strategy.get_or_insert_default();
        if strategy.type_.get_or_insert_with(|| "RollingUpdate".to_owned()) == "RollingUpdate" {
            strategy.rolling_update.get_or_insert_default().partition.get_or_insert(0);
        }
        set_template_defaults(&mut spec.template);
    }

    fn validate(&self, old: Option<&Self>) -> Vec<Invalid> {
        let Some(spec) = &self.spec else { return vec![Invalid::required("spec.selector", "")] };
        let old = old.and_then(|old| Some(&old.spec.as_ref()?.selector));
        validate_template(&spec.selector, Some(&spec.template), old)
    }

    fn wants_else(&self, old: &Self) -> bool {
        self.spec != old.spec
    }
}
