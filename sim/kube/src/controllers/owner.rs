//! Who controls what.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta, OwnerReference};

use super::context::Context;
use super::pods::is_active;
use crate::api::event::Severity;
use crate::api::labels::selects;
use crate::api::{ApiError, Kind, Reason, create, delete, modify, name_of, namespace_of};

/// The owner that controls an object.
pub fn controller_of(metadata: &ObjectMeta) -> Option<&OwnerReference> {
    metadata.owner_references.iter().flatten().find(|owner| owner.controller == Some(true))
}

/// A reference to the controller of something. Kubernetes: `metav1.NewControllerRef`.
pub fn reference_to<K: Kind>(owner: &K) -> OwnerReference {
    OwnerReference {
        api_version: K::API_VERSION.to_owned(),
        kind: K::KIND.to_owned(),
        name: name_of(owner).to_owned(),
        uid: owner.metadata().uid.clone().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// The objects of a kind that an object controls.
pub fn controlled<K: Kind>(cx: &Context<'_>, plural: &str, uid: &str) -> Vec<Arc<K>> {
    let prefix = format!("/registry/{plural}/");
    let keys = cx.cache.owned(uid).filter(|key| key.starts_with(&prefix));
    let objects = keys.filter_map(|key| cx.sys.store().get(key)?.get::<K>());
    objects.filter(|object| controller_of(object.metadata()).is_some_and(|owner| owner.uid == uid)).collect()
}

/// The pods that an object controls: it adopts those that it selects and nobody controls, and lets
/// go those that it no longer selects. Kubernetes: `PodControllerRefManager`.
pub fn claim_pods<K: Kind>(cx: &mut Context<'_>, owner: &K, selector: &LabelSelector) -> Vec<Arc<Pod>> {
    let uid = owner.metadata().uid.clone().unwrap_or_default();
    let namespace = namespace_of(owner).to_owned();
    let mut pods = controlled::<Pod>(cx, "pods", &uid);
    if owner.metadata().deletion_timestamp.is_some() {
        return pods;
    }
    let (kept, lost): (Vec<_>, Vec<_>) =
        pods.into_iter().partition(|pod| selects(selector, pod.metadata.labels.as_ref()));
    pods = kept;
    for pod in lost.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()) {
        let _ = modify::<Pod>(cx.sys, &namespace, name_of(&**pod), |pod| {
            let owners = pod.metadata.owner_references.take();
            pod.metadata.owner_references =
                owners.map(|all| all.into_iter().filter(|reference| reference.uid != uid).collect());
        });
    }
    for key in cx.cache.candidates(&namespace, selector) {
        let orphan = cx.cache.pod(key).filter(|pod| {
            controller_of(&pod.metadata).is_none()
                && is_active(pod)
                && selects(selector, pod.metadata.labels.as_ref())
        });
        let Some(orphan) = orphan else { continue };
        let reference = reference_to(owner);
        let adopted = modify::<Pod>(cx.sys, &namespace, name_of(&**orphan), |pod| {
            if controller_of(&pod.metadata).is_none() {
                pod.metadata.owner_references.get_or_insert_default().push(reference);
            }
        });
        if let Ok(adopted) = adopted
            && controller_of(&adopted.metadata).is_some_and(|owner| owner.uid == uid)
        {
            pods.push(adopted);
        }
    }
    pods
}

/// A pod made from a template; without a name yet. Kubernetes: `GetPodFromTemplate`.
pub fn pod_from_template<K: Kind>(owner: &K, template: &PodTemplateSpec) -> Pod {
    let given = template.metadata.clone().unwrap_or_default();
    Pod {
        metadata: ObjectMeta {
            namespace: Some(namespace_of(owner).to_owned()),
            generate_name: Some(format!("{}-", name_of(owner))),
            labels: given.labels,
            annotations: given.annotations,
            finalizers: given.finalizers,
            owner_references: Some(vec![reference_to(owner)]),
            ..ObjectMeta::default()
        },
        spec: template.spec.clone(),
        status: None,
    }
}

/// Makes a pod of an owner, and tells of it. Kubernetes: `RealPodControl`.
///
/// # Errors
/// Why the API server refuses it.
pub fn create_pod<K: Kind>(
    cx: &mut Context<'_>,
    component: &str,
    owner: &K,
    pod: Pod,
) -> Result<(), ApiError> {
    let outcome = create(cx.sys, pod);
    let (severity, reason, message) = match &outcome {
        Ok(pod) => (Severity::Normal, "SuccessfulCreate", format!("Created pod: {}", name_of(&**pod))),
        Err(error) => (Severity::Warning, "FailedCreate", format!("Error creating: {error}")),
    };
    cx.report(component, owner, severity, reason, &message);
    outcome.map(drop)
}

/// Deletes a pod of an owner, and tells of it.
///
/// # Errors
/// Why the API server refuses to.
pub fn delete_pod<K: Kind>(
    cx: &mut Context<'_>,
    component: &str,
    owner: &K,
    pod: &Pod,
) -> Result<(), ApiError> {
    let outcome = delete::<Pod>(cx.sys, namespace_of(pod), name_of(pod), None);
    let (severity, reason, message) = match &outcome {
        Err(error) if error.reason == Reason::NotFound => return outcome,
        Ok(()) => (Severity::Normal, "SuccessfulDelete", format!("Deleted pod: {}", name_of(pod))),
        Err(error) => (Severity::Warning, "FailedDelete", format!("Error deleting: {error}")),
    };
    cx.report(component, owner, severity, reason, &message);
    outcome
}
