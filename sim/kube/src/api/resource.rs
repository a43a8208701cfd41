use k8s_openapi::api::apps::v1::{ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::{
    ConfigMap, Endpoints, Event, Namespace, Node, Pod, Service, ServiceAccount,
};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use world::{Store, Sys};

use super::{ApiError, Kind, Reason, Unsimulated, create, delete, get, list, update};

/// A kind whose objects are handled as JSON: what kubectl and manifests need.
#[derive(Clone, Copy, Debug)]
pub struct ResourceType {
    /// `Deployment`.
    pub kind: &'static str,
    /// `deployments`.
    pub plural: &'static str,
    /// `deployment`.
    pub singular: &'static str,
    /// `deploy`.
    pub short: &'static [&'static str],
    /// `apps`; empty for the core group.
    pub group: &'static str,
    /// `apps/v1`.
    pub api_version: &'static str,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// The object of that namespace and name.
    pub get: fn(&Store, &str, &str) -> Option<Value>,
    /// All objects, or those of one namespace.
    pub list: fn(&Store, Option<&str>) -> Vec<Value>,
    /// Keeps a new object.
    pub create: fn(&mut dyn Sys, &Value) -> Result<Value, ApiError>,
    /// Replaces an object.
    pub update: fn(&mut dyn Sys, &Value) -> Result<Value, ApiError>,
    /// Deletes an object: namespace, name, seconds of grace.
    pub delete: fn(&mut dyn Sys, &str, &str, Option<i64>) -> Result<(), ApiError>,
    /// Whether JSON is an object of the kind.
    pub check: fn(&Value) -> Result<(), Mismatch>,
}

/// A part of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Its name.
    Name,
    /// Its value.
    Value,
}

/// Why JSON is no object of a kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Mismatch {
    /// The path of the field, e.g. `spec.ports[0].port`.
    pub path: String,
    /// `unknown field "spec.foo"`; what was expected and found.
    pub message: String,
    /// What is wrong: the field's name or its value.
    pub part: Part,
    /// The field that was perhaps meant.
    pub nearest: Option<String>,
}

const fn of<K: Kind>(singular: &'static str, short: &'static [&'static str]) -> ResourceType {
    ResourceType {
        kind: K::KIND,
        plural: K::URL_PATH_SEGMENT,
        singular,
        short,
        group: K::GROUP,
        api_version: K::API_VERSION,
        namespaced: K::NAMESPACED,
        get: |store, namespace, name| get::<K>(store, namespace, name).map(|object| to_json(&*object)),
        list: |store, namespace| {
            list::<K>(store, namespace).iter().map(|object| to_json(&**object)).collect()
        },
        create: |sys, value| create(sys, decode::<K>(value)?).map(|object| to_json(&*object)),
        update: |sys, value| update(sys, decode::<K>(value)?).map(|object| to_json(&*object)),
        delete: delete::<K>,
        check: |value| read::<K>(value).map(drop),
    }
}

/// All kinds, simulated ones first; the last takes every other kind.
pub const RESOURCES: &[ResourceType] = &[
    of::<Pod>("pod", &["po"]),
    of::<Service>("service", &["svc"]),
    of::<Deployment>("deployment", &["deploy"]),
    of::<ReplicaSet>("replicaset", &["rs"]),
    of::<DaemonSet>("daemonset", &["ds"]),
    of::<StatefulSet>("statefulset", &["sts"]),
    of::<ControllerRevision>("controllerrevision", &[]),
    of::<Endpoints>("endpoints", &["ep"]),
    of::<EndpointSlice>("endpointslice", &[]),
    of::<ConfigMap>("configmap", &["cm"]),
    of::<Namespace>("namespace", &["ns"]),
    of::<Node>("node", &["no"]),
    of::<ServiceAccount>("serviceaccount", &["sa"]),
    of::<Ingress>("ingress", &["ing"]),
    of::<NetworkPolicy>("networkpolicy", &["netpol"]),
    of::<Event>("event", &["ev"]),
    of::<ClusterRole>("clusterrole", &[]),
    of::<ClusterRoleBinding>("clusterrolebinding", &[]),
    of::<Role>("role", &[]),
    of::<RoleBinding>("rolebinding", &[]),
    of::<Unsimulated>("unsimulated", &[]),
];

/// The type of that kind and version; [`Unsimulated`] for what hoplab only keeps.
pub fn resource(api_version: &str, kind: &str) -> &'static ResourceType {
    let group =
        |version: &'_ str| version.split_once('/').map_or(String::new(), |(group, _)| group.to_owned());
    let wanted = group(api_version);
    let last = RESOURCES.len() - 1;
    RESOURCES.iter().find(|r| r.kind == kind && r.group == wanted).unwrap_or(&RESOURCES[last])
}

fn to_json<T: Serialize>(object: &T) -> Value {
    serde_json::to_value(object).unwrap_or_default()
}

fn decode<K: Kind>(value: &Value) -> Result<K, ApiError> {
    read(value).map_err(|mismatch| {
        let (kind, version) = (K::KIND, K::VERSION);
        let message = format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {mismatch}");
        ApiError::new(Reason::BadRequest, message)
    })
}

/// Reads an object; no field may be left over.
///
/// # Errors
/// A field that the type doesn't have, or a value that doesn't fit.
pub fn read<T: Serialize + DeserializeOwned>(value: &Value) -> Result<T, Mismatch> {
    let object: T = serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let why = error.into_inner();
        Mismatch { message: format!("json: {path}: {why}"), path, part: Part::Value, nearest: None }
    })?;
    let mut unknown = Vec::new();
    let kept = to_json(&object);
    leftover(value, &kept, String::new(), &mut unknown);
    match &unknown[..] {
        [] => Ok(object),
        [first, ..] => {
            let all: Vec<String> = unknown.iter().map(|path| format!("unknown field {path:?}")).collect();
            Err(Mismatch {
                path: first.clone(),
                message: format!("strict decoding error: {}", all.join(", ")),
                part: Part::Name,
                nearest: nearest(&kept, first),
            })
        }
    }
}

/// The field beside one that is unknown whose name is most like its: one that was written or is
/// never left out.
fn nearest(kept: &Value, path: &str) -> Option<String> {
    let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
    let words = parent.split(['.', '[']).map(|word| word.trim_end_matches(']'));
    let beside = words.filter(|word| !word.is_empty()).try_fold(kept, |at, word| match at {
        Value::Array(items) => items.get(word.parse::<usize>().ok()?),
        other => other.get(word),
    })?;
    let distance = |other: &String| strsim::damerau_levenshtein(&other.to_lowercase(), &name.to_lowercase());
    let names = beside.as_object()?.keys().map(|other| (distance(other), other));
    let is_near = |(distance, other): &(usize, &String)| *distance <= other.len().max(3) / 3;
    names.filter(is_near).min().map(|(_, other)| other.clone())
}

/// The paths of what `given` has and `kept` lost.
fn leftover(given: &Value, kept: &Value, path: String, unknown: &mut Vec<String>) {
    match (given, kept) {
        (Value::Object(given), Value::Object(kept)) => {
            for (key, value) in given {
                let at = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match kept.get(key) {
                    Some(kept) => leftover(value, kept, at, unknown),
                    // An empty value is left out where it is the default.
                    None if is_empty(value) => {}
                    None => unknown.push(at),
                }
            }
        }
        (Value::Array(given), Value::Array(kept)) => {
            for (number, (value, kept)) in given.iter().zip(kept).enumerate() {
                leftover(value, kept, format!("{path}[{number}]"), unknown);
            }
        }
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.values().all(is_empty),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_an_object_can_not_hold_is_named_with_its_path() {
        let check = |value: Value, expected: &str| {
            let kind = value["kind"].as_str().unwrap_or_default().to_owned();
            let found = (resource(value["apiVersion"].as_str().unwrap_or_default(), &kind).check)(&value);
            assert_eq!(found.map_or_else(|mismatch| mismatch.message, |()| String::new()), expected);
        };
        let service = |spec: Value| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": spec});
        check(service(json!({"selector": {}, "ports": [{"port": 80, "targetPort": "http"}]})), "");
        check(
            service(json!({"ports": [{"port": 80, "nodePorts": 1}], "selectors": {"a": "b"}})),
            "strict decoding error: unknown field \"spec.ports[0].nodePorts\", unknown field \"spec.selectors\"",
        );
        check(
            service(json!({"ports": [{"port": "80"}]})),
            "json: spec.ports[0].port: invalid type: string \"80\", expected i32",
        );
        check(
            json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}, "spec": {"x": 1}}),
            "",
        );
    }
}
