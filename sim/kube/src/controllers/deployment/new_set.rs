//! The ReplicaSet of a Deployment's present template.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, ReplicaSet, ReplicaSetSpec};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{
    COMPONENT, Context, DESIRED, HASH, MAXIMUM, REVISION, Rollout, condition, limits, replicas, revision,
};
use crate::api::event::Severity;
use crate::api::labels::Labels;
use crate::api::{Reason, create, get, modify, name_of, namespace_of, update};
use crate::controllers::hash::template_hash;
use crate::controllers::owner::{controller_of, reference_to};

/// The annotation with the revisions that a set had before.
const HISTORY: &str = "deployment.kubernetes.io/revision-history";

/// Whether two templates are the same but for the label with their hash.
pub fn same_template(ours: &PodTemplateSpec, theirs: &PodTemplateSpec) -> bool {
    let bare = |template: &PodTemplateSpec| {
        let mut labels =
            template.metadata.as_ref().and_then(|metadata| metadata.labels.clone()).unwrap_or_default();
        labels.remove(HASH);
        let annotations = template.metadata.as_ref().and_then(|metadata| metadata.annotations.clone());
        (labels, annotations.unwrap_or_default())
    };
    ours.spec == theirs.spec && bare(ours) == bare(theirs)
}

/// The annotations of a Deployment that its sets have too.
fn inherited(deployment: &Deployment) -> Labels {
    let own = [
        "kubectl.kubernetes.io/last-applied-configuration",
        "deprecated.deployment.rollback.to",
        REVISION,
        HISTORY,
        DESIRED,
        MAXIMUM,
    ];
    let all = deployment.metadata.annotations.iter().flatten();
    all.filter(|(key, _)| !own.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// How many pods a new set should have. Kubernetes: `NewRSNewReplicas`.
pub fn size(spec: &DeploymentSpec, rollout: &Rollout, now: i32) -> i32 {
    let wanted = spec.replicas.unwrap_or(1);
    if spec.strategy.as_ref().is_some_and(|strategy| strategy.type_.as_deref() == Some("Recreate")) {
        return wanted;
    }
    let present: i32 = rollout.all().map(|set| replicas(set)).sum();
    let room = wanted + limits(spec).0 - present;
    if room <= 0 { now } else { now + room.min(wanted - now) }
}

/// The revision that the new set should have.
fn next_revision(rollout: &Rollout) -> i64 {
    rollout.old.iter().map(|set| revision::number(&set.metadata)).max().unwrap_or(0) + 1
}

/// Brings the annotations of the new set and the Deployment's revision up to date. Kubernetes:
/// `getNewReplicaSet` without making one.
pub fn refresh(cx: &mut Context<'_>, rollout: &mut Rollout) {
    let Some(set) = rollout.new.clone() else { return };
    let next = next_revision(rollout);
    let inherited = inherited(&rollout.deployment);
    let min_ready = rollout.deployment.spec.as_ref().and_then(|spec| spec.min_ready_seconds);
    let has = |(key, value): (&String, &String)| {
        set.metadata.annotations.as_ref().and_then(|all| all.get(key)) == Some(value)
    };
    let is_fresh = revision::number(&set.metadata) >= next
        && inherited.iter().all(has)
        && set.spec.as_ref().and_then(|spec| spec.min_ready_seconds) == min_ready;
    let change = |set: &mut ReplicaSet| {
        let old = revision::number(&set.metadata);
        let annotations = set.metadata.annotations.get_or_insert_default();
        annotations.extend(inherited);
        if old < next {
            if old > 0 {
                let history = annotations.entry(HISTORY.to_owned()).or_default();
                let comma = if history.is_empty() { "" } else { "," };
                history.push_str(&format!("{comma}{old}"));
            }
            annotations.insert(REVISION.to_owned(), next.to_string());
        }
        if let Some(spec) = &mut set.spec {
            spec.min_ready_seconds = min_ready;
        }
    };
    let changed = match is_fresh {
        true => Ok(Arc::clone(&set)),
        false => modify::<ReplicaSet>(cx.sys, namespace_of(&*set), name_of(&*set), change),
    };
    if let Ok(changed) = changed {
        let number = revision::number(&changed.metadata);
        rollout.replace(changed);
        set_revision(cx, rollout, number);
    }
    condition::note_found(cx, rollout, name_of(&*set));
}

fn set_revision(cx: &mut Context<'_>, rollout: &mut Rollout, number: i64) {
    let deployment = &rollout.deployment;
    if revision::number(&deployment.metadata) == number {
        return;
    }
    let changed =
        modify::<Deployment>(cx.sys, namespace_of(&**deployment), name_of(&**deployment), |deployment| {
            deployment
                .metadata
                .annotations
                .get_or_insert_default()
                .insert(REVISION.to_owned(), number.to_string());
        });
    if let Ok(changed) = changed {
        rollout.deployment = changed;
    }
}

/// Makes the set of the present template if there is none, or refreshes it; answers whether there
/// is one.
pub fn ensure(cx: &mut Context<'_>, rollout: &mut Rollout, spec: &DeploymentSpec) -> bool {
    if rollout.new.is_some() {
        refresh(cx, rollout);
        return true;
    }
    let deployment = Arc::clone(&rollout.deployment);
    let collisions = deployment.status.as_ref().and_then(|status| status.collision_count).unwrap_or(0);
    let hash = template_hash(&spec.template, collisions);
    let count = size(spec, rollout, 0);
    let next = next_revision(rollout);
    let set = new_set(&deployment, spec, &hash, count, next);
    let name = name_of(&set).to_owned();
    match create(cx.sys, set) {
        Ok(set) => {
            if count > 0 {
                let message = format!("Scaled up replica set {name} to {count}");
                cx.report(COMPONENT, &*deployment, Severity::Normal, "ScalingReplicaSet", &message);
            }
            rollout.new = Some(set);
            set_revision(cx, rollout, next);
            condition::note_created(cx, rollout, &name);
            true
        }
        Err(error) if error.reason == Reason::AlreadyExists => {
            let namespace = namespace_of(&*deployment);
            let known = get::<ReplicaSet>(cx.sys.store(), namespace, &name);
            let mine = known.is_some_and(|set| {
                controller_of(&set.metadata).map(|owner| &owner.uid) == deployment.metadata.uid.as_ref()
            });
            if !mine {
                // Another template has the same hash, or somebody took the name.
                let mut changed = Deployment::clone(&deployment);
                changed.status.get_or_insert_default().collision_count = Some(collisions + 1);
                let _ = update(cx.sys, changed);
            }
            false
        }
        Err(error) => {
            let message = format!("Failed to create new replica set {name:?}: {error}");
            condition::note_failure(cx, rollout, &message);
            cx.report(COMPONENT, &*deployment, Severity::Warning, "ReplicaSetCreateError", &message);
            false
        }
    }
}

fn new_set(
    deployment: &Deployment,
    spec: &DeploymentSpec,
    hash: &str,
    count: i32,
    revision: i64,
) -> ReplicaSet {
    let with_hash = |labels: Option<Labels>| {
        let mut labels = labels.unwrap_or_default();
        labels.insert(HASH.to_owned(), hash.to_owned());
        Some(labels)
    };
    let mut template = spec.template.clone();
    let metadata = template.metadata.get_or_insert_default();
    metadata.labels = with_hash(metadata.labels.take());
    let labels = metadata.labels.clone();
    let mut selector = spec.selector.clone();
    selector.match_labels = with_hash(selector.match_labels.take());
    let mut annotations = inherited(deployment);
    let wanted = spec.replicas.unwrap_or(1);
    annotations.insert(REVISION.to_owned(), revision.to_string());
    annotations.insert(DESIRED.to_owned(), wanted.to_string());
    annotations.insert(MAXIMUM.to_owned(), (wanted + limits(spec).0).to_string());
    ReplicaSet {
        metadata: ObjectMeta {
            name: Some(format!("{}-{hash}", name_of(deployment))),
            namespace: Some(namespace_of(deployment).to_owned()),
            labels,
            annotations: Some(annotations),
            owner_references: Some(vec![reference_to(deployment)]),
            ..ObjectMeta::default()
        },
        spec: Some(ReplicaSetSpec {
            replicas: Some(count),
            min_ready_seconds: spec.min_ready_seconds,
            selector,
            template: Some(template),
        }),
        status: None,
    }
}
