//! Objects of any kind, by their keys in the store.

use k8s_openapi::api::apps::v1::{ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::{
    ConfigMap, Endpoints, Event, Namespace, Node, Pod, Service, ServiceAccount,
};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use world::{Entry, Store, Sys};

use crate::api::{Kind, Unsimulated, delete, modify, prefix};

/// A key taken apart: `/registry/PLURAL/NAMESPACE/NAME`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path<'a> {
    /// `pods`.
    pub plural: &'a str,
    /// Empty for kinds without namespaces.
    pub namespace: &'a str,
    /// Name.
    pub name: &'a str,
}

impl<'a> Path<'a> {
    /// Reads a key; none if it is no object's.
    pub fn read(key: &'a str) -> Option<Self> {
        let (plural, rest) = key.strip_prefix("/registry/")?.split_once('/')?;
        let (namespace, name) = rest.split_once('/').unwrap_or(("", rest));
        Some(Self { plural, namespace, name })
    }
}

/// Who an object is and whose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Its unique id.
    pub uid: String,
    /// The unique ids of its owners.
    pub owners: Vec<String>,
    /// What must happen before it can go.
    pub finalizers: Vec<String>,
    /// Whether it is to go.
    pub is_deleted: bool,
}

impl Identity {
    fn of(metadata: &ObjectMeta) -> Self {
        Self {
            uid: metadata.uid.clone().unwrap_or_default(),
            owners: metadata.owner_references.iter().flatten().map(|owner| owner.uid.clone()).collect(),
            finalizers: metadata.finalizers.clone().unwrap_or_default(),
            is_deleted: metadata.deletion_timestamp.is_some(),
        }
    }
}

/// What can be done with an object whose type isn't known.
#[derive(Clone, Copy)]
pub struct Handle {
    /// Who it is.
    pub identity: fn(&Entry) -> Option<Identity>,
    /// Deletes the object of that namespace and name.
    pub delete: fn(&mut dyn Sys, &str, &str),
    /// Makes it forget an owner.
    pub disown: fn(&mut dyn Sys, &str, &str, owner: &str),
    /// Takes one of its finalizers away.
    pub release: fn(&mut dyn Sys, &str, &str, finalizer: &str),
    /// The names of all objects in a namespace.
    pub names: fn(&Store, &str) -> Vec<String>,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
}

const fn handle<K: Kind>() -> Handle {
    Handle {
        identity: |entry| Some(Identity::of(entry.get::<K>()?.metadata())),
        delete: |sys, namespace, name| {
            // Somebody else may have been faster.
            let _ = delete::<K>(sys, namespace, name, None);
        },
        disown: |sys, namespace, name, owner| {
            let _ = modify::<K>(sys, namespace, name, |object| {
                let owners = &mut object.metadata_mut().owner_references;
                let other = |reference: &OwnerReference| reference.uid != owner;
                *owners = owners.take().map(|all| all.into_iter().filter(other).collect());
            });
        },
        release: |sys, namespace, name, finalizer| {
            let _ = modify::<K>(sys, namespace, name, |object| {
                let finalizers = &mut object.metadata_mut().finalizers;
                let all = finalizers.take().into_iter().flatten().filter(|word| word != finalizer);
                *finalizers = Some(all.collect::<Vec<_>>()).filter(|all| !all.is_empty());
            });
        },
        names: |store, namespace| {
            let prefix = prefix::<K>(Some(namespace));
            store.range(&prefix).filter_map(|(key, _)| Some(key.strip_prefix(&prefix)?.to_owned())).collect()
        },
        namespaced: K::NAMESPACED,
    }
}

/// All kinds. Pods come last: what owns them goes first.
pub const KINDS: &[(&str, Handle)] = &[
    ("deployments", handle::<Deployment>()),
    ("replicasets", handle::<ReplicaSet>()),
    ("daemonsets", handle::<DaemonSet>()),
    ("statefulsets", handle::<StatefulSet>()),
    ("controllerrevisions", handle::<ControllerRevision>()),
    ("services", handle::<Service>()),
    ("endpoints", handle::<Endpoints>()),
    ("endpointslices", handle::<EndpointSlice>()),
    ("configmaps", handle::<ConfigMap>()),
    ("serviceaccounts", handle::<ServiceAccount>()),
    ("ingresses", handle::<Ingress>()),
    ("networkpolicies", handle::<NetworkPolicy>()),
    ("rolebindings", handle::<RoleBinding>()),
    ("roles", handle::<Role>()),
    ("clusterrolebindings", handle::<ClusterRoleBinding>()),
    ("clusterroles", handle::<ClusterRole>()),
    ("unsimulated", handle::<Unsimulated>()),
    ("events", handle::<Event>()),
    ("nodes", handle::<Node>()),
    ("namespaces", handle::<Namespace>()),
    ("pods", handle::<Pod>()),
];

/// The kind of that plural.
pub fn kind(plural: &str) -> Option<&'static Handle> {
    KINDS.iter().find(|(known, _)| *known == plural).map(|(_, handle)| handle)
}
