//! Revisions: numbers in annotations, and the templates that a DaemonSet or StatefulSet had.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use serde_json::{Value, json};

use super::context::Context;
use super::hash::template_hash;
use super::owner::{controlled, reference_to};
use crate::api::labels::Labels;
use crate::api::{Kind, create, delete, modify, name_of, namespace_of};

/// The annotation with a Deployment's revision.
pub const REVISION: &str = "deployment.kubernetes.io/revision";
/// The label of pods that tells their template.
pub const REVISION_HASH: &str = "controller-revision-hash";

/// The revision that an annotation says; 0 if there is none.
pub fn number(metadata: &ObjectMeta) -> i64 {
    let text = metadata.annotations.as_ref().and_then(|all| all.get(REVISION));
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The templates that an object has had.
#[derive(Clone, Debug)]
pub struct History {
    /// The present one.
    pub current: Arc<ControllerRevision>,
    /// The others, oldest first.
    pub old: Vec<Arc<ControllerRevision>>,
}

fn patch(template: &PodTemplateSpec) -> Value {
    let mut template = serde_json::to_value(template).unwrap_or_default();
    template["$patch"] = json!("replace");
    json!({"spec": {"template": template}})
}

/// The template of a revision.
pub fn template_of(revision: &ControllerRevision) -> Option<PodTemplateSpec> {
    let mut template = revision.data.as_ref()?.0.get("spec")?.get("template")?.clone();
    template.as_object_mut()?.remove("$patch");
    serde_json::from_value(template).ok()
}

/// The hash in a revision's name.
pub fn hash_of<'a, K: Kind>(owner: &K, revision: &'a ControllerRevision) -> &'a str {
    let name = name_of(revision);
    name.strip_prefix(name_of(owner)).and_then(|rest| rest.strip_prefix('-')).unwrap_or(name)
}

/// Finds the revisions of an object and makes that of its present template, labelled with its hash.
/// None if it can't be made. Kubernetes: `constructHistory`, `getStatefulSetRevisions`.
///
/// Simplified: two templates with one hash are taken for one.
pub fn history<K: Kind>(
    cx: &mut Context<'_>,
    owner: &K,
    template: &PodTemplateSpec,
    mut labels: Labels,
    hash_label: &str,
) -> Option<History> {
    let uid = owner.metadata().uid.clone().unwrap_or_default();
    let mut old = controlled::<ControllerRevision>(cx, "controllerrevisions", &uid);
    old.sort_by_key(|revision| revision.revision);
    let wanted = patch(template);
    let is_current =
        |revision: &Arc<ControllerRevision>| revision.data.as_ref().map(|data| &data.0) == Some(&wanted);
    let found = old.iter().position(is_current).map(|at| old.remove(at));
    let next = old.last().map_or(0, |last| last.revision) + 1;
    let current = match found {
        Some(found) if found.revision < next => {
            modify::<ControllerRevision>(cx.sys, namespace_of(owner), name_of(&*found), |revision| {
                revision.revision = next;
            })
            .ok()?
        }
        Some(found) => found,
        None => {
            let hash = template_hash(template, 0);
            labels.insert(hash_label.to_owned(), hash.clone());
            let metadata = ObjectMeta {
                name: Some(format!("{}-{hash}", name_of(owner))),
                namespace: Some(namespace_of(owner).to_owned()),
                labels: Some(labels),
                annotations: owner.metadata().annotations.clone(),
                owner_references: Some(vec![reference_to(owner)]),
                ..ObjectMeta::default()
            };
            let data = Some(RawExtension(wanted));
            create(cx.sys, ControllerRevision { metadata, data, revision: next }).ok()?
        }
    };
    Some(History { current, old })
}

/// Deletes the oldest revisions that no pod has, if they are more than are to be kept.
pub fn clean_up(
    cx: &mut Context<'_>,
    history: &History,
    limit: Option<i32>,
    is_used: impl Fn(&ControllerRevision) -> bool,
) {
    let Some(limit) = limit.and_then(|limit| usize::try_from(limit).ok()) else { return };
    let surplus = history.old.len().saturating_sub(limit);
    for revision in history.old.iter().filter(|revision| !is_used(revision)).take(surplus) {
        let _ = delete::<ControllerRevision>(cx.sys, namespace_of(&**revision), name_of(&**revision), None);
    }
}
