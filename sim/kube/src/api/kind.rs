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
    Unsimulated: true,
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

impl Admit for Unsimulated {}
