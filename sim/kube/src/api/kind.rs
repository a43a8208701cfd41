use std::any::Any;

use k8s_openapi::Metadata;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Admit;

/// A type of object that the API server keeps.
pub trait Kind:
    Metadata<Ty = ObjectMeta> + Admit + Serialize + DeserializeOwned + Clone + PartialEq + Any + Send + Sync
{
    /// Whether its objects live in namespaces.
    const NAMESPACED: bool;

    /// Under what it is kept in its namespace: its name.
    fn key_name(&self) -> String {
        self.metadata().name.clone().unwrap_or_default()
    }
}

/// The key of an object in the store; `namespace` doesn't matter to kinds without.
pub fn key<K: Kind>(namespace: &str, name: &str) -> String {
    format!("{}{name}", prefix::<K>(Some(namespace)))
}

/// What the keys of all objects of a kind begin with, or of those in one namespace.
pub fn prefix<K: Kind>(namespace: Option<&str>) -> String {
    match namespace.filter(|_| K::NAMESPACED) {
        Some(namespace) => format!("/registry/{}/{namespace}/", K::URL_PATH_SEGMENT),
        None => format!("/registry/{}/", K::URL_PATH_SEGMENT),
    }
}

macro_rules! kinds {
    ($($kind:ty: $namespaced:expr),* $(,)?) => {$(
        impl Kind for $kind {
            const NAMESPACED: bool = $namespaced;
        }
    )*};
}

kinds! {
    k8s_openapi::api::core::v1::Namespace: false,
    k8s_openapi::api::core::v1::Node: false,
    k8s_openapi::api::core::v1::Pod: true,
    k8s_openapi::api::core::v1::Service: true,
    k8s_openapi::api::core::v1::Endpoints: true,
    k8s_openapi::api::core::v1::ConfigMap: true,
    k8s_openapi::api::core::v1::ServiceAccount: true,
    k8s_openapi::api::core::v1::Event: true,
    k8s_openapi::api::apps::v1::Deployment: true,
    k8s_openapi::api::apps::v1::ReplicaSet: true,
    k8s_openapi::api::apps::v1::DaemonSet: true,
    k8s_openapi::api::apps::v1::StatefulSet: true,
    k8s_openapi::api::apps::v1::ControllerRevision: true,
    k8s_openapi::api::discovery::v1::EndpointSlice: true,
    k8s_openapi::api::networking::v1::Ingress: true,
    k8s_openapi::api::networking::v1::NetworkPolicy: true,
    k8s_openapi::api::rbac::v1::ClusterRole: false,
    k8s_openapi::api::rbac::v1::ClusterRoleBinding: false,
    k8s_openapi::api::rbac::v1::Role: true,
    k8s_openapi::api::rbac::v1::RoleBinding: true,
}

/// An object of a kind that is kept, listed, and has no effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unsimulated {
    /// As written.
    pub api_version: String,
    /// As written.
    pub kind: String,
    /// Name, namespace, labels….
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// All else.
    #[serde(flatten)]
    pub fields: serde_json::Map<String, Value>,
}

impl Unsimulated {
    /// Under what an object of such a kind is kept: kinds share one place.
    pub fn key_of(api_version: &str, kind: &str, name: &str) -> String {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        format!("{}.{group}~{name}", kind.to_ascii_lowercase())
    }
}

impl Kind for Unsimulated {
    const NAMESPACED: bool = true;

    fn key_name(&self) -> String {
        Self::key_of(&self.api_version, &self.kind, self.metadata.name.as_deref().unwrap_or_default())
    }
}

impl k8s_openapi::Resource for Unsimulated {
    const API_VERSION: &'static str = "hoplab/unsimulated";
    const GROUP: &'static str = "hoplab";
    const KIND: &'static str = "Unsimulated";
    const VERSION: &'static str = "unsimulated";
    const URL_PATH_SEGMENT: &'static str = "unsimulated";
    type Scope = k8s_openapi::NamespaceResourceScope;
}

impl Metadata for Unsimulated {
    type Ty = ObjectMeta;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn metadata_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

impl Admit for Unsimulated {
    const HAS_GENERATION: bool = true;

    fn wants_else(&self, old: &Self) -> bool {
        self.fields != old.fields
    }
}
