//! The kinds that a command line can name.

use serde_json::Value;
use world::Store;

use crate::api::{ApiError, RESOURCES, Reason, ResourceType, Unsimulated, resource};

/// A kind of object, as the API server's discovery tells kubectl.
#[derive(Clone, Copy, Debug)]
pub struct Type {
    /// `Deployment`.
    pub kind: &'static str,
    /// `deployments`.
    pub plural: &'static str,
    /// `deployment`.
    pub singular: &'static str,
    /// `deploy`.
    pub short: &'static [&'static str],
    /// `apps/v1`.
    pub api_version: &'static str,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// How the API server handles its objects.
    pub resource: &'static ResourceType,
}

impl PartialEq for Type {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, self.api_version) == (other.kind, other.api_version)
    }
}

/// Kinds of Kubernetes that hoplab keeps without simulating them: kind, plural, short names, version,
/// whether in namespaces.
const KEPT: &[(&str, &str, &str, &[&str], &str, bool)] = &[
    ("Secret", "secrets", "secret", &[], "v1", true),
    ("PersistentVolume", "persistentvolumes", "persistentvolume", &["pv"], "v1", false),
    ("PersistentVolumeClaim", "persistentvolumeclaims", "persistentvolumeclaim", &["pvc"], "v1", true),
    ("LimitRange", "limitranges", "limitrange", &["limits"], "v1", true),
    ("ResourceQuota", "resourcequotas", "resourcequota", &["quota"], "v1", true),
    ("ReplicationController", "replicationcontrollers", "replicationcontroller", &["rc"], "v1", true),
    (
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        "horizontalpodautoscaler",
        &["hpa"],
        "autoscaling/v2",
        true,
    ),
    ("CronJob", "cronjobs", "cronjob", &["cj"], "batch/v1", true),
    ("Job", "jobs", "job", &[], "batch/v1", true),
    ("IngressClass", "ingressclasses", "ingressclass", &[], "networking.k8s.io/v1", false),
    ("PodDisruptionBudget", "poddisruptionbudgets", "poddisruptionbudget", &["pdb"], "policy/v1", true),
    ("PriorityClass", "priorityclasses", "priorityclass", &["pc"], "scheduling.k8s.io/v1", false),
    ("StorageClass", "storageclasses", "storageclass", &["sc"], "storage.k8s.io/v1", false),
    (
        "CustomResourceDefinition",
        "customresourcedefinitions",
        "customresourcedefinition",
        &["crd", "crds"],
        "apiextensions.k8s.io/v1",
        false,
    ),
];

fn of(resource: &'static ResourceType) -> Type {
    Type {
        kind: resource.kind,
        plural: resource.plural,
        singular: resource.singular,
        short: resource.short,
        api_version: resource.api_version,
        namespaced: resource.namespaced,
        resource,
    }
}

/// All kinds.
pub fn all() -> Vec<Type> {
    let simulated = RESOURCES.iter().filter(|resource| resource.kind != "Unsimulated").map(of);
    let kept = KEPT.iter().map(|&(kind, plural, singular, short, api_version, namespaced)| {
        let resource = resource(api_version, kind);
        Type { kind, plural, singular, short, api_version, namespaced, resource }
    });
    simulated.chain(kept).collect()
}

/// The kind of an object.
pub fn of_object(object: &Value) -> Type {
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
    let (version, kind) = (text("apiVersion"), text("kind"));
    let found =
        all().into_iter().find(|known| known.kind == kind && group(known.api_version) == group(version));
    found.unwrap_or_else(|| of(resource(version, kind)))
}

/// The kind that a word names: `po`, `pods`, `Pod`, `deployments.apps`, `deployments.v1.apps`.
pub fn find(word: &str) -> Option<Type> {
    let word = word.to_ascii_lowercase();
    let (name, rest) = match word.split_once('.') {
        Some((name, rest)) => (name, Some(rest)),
        None => (word.as_str(), None),
    };
    all().into_iter().find(|known| {
        let named = [known.plural, known.singular].contains(&name)
            || known.short.contains(&name)
            || known.kind.eq_ignore_ascii_case(name);
        let group = group(known.api_version);
        let version = known.api_version.rsplit('/').next().unwrap_or_default();
        named
            && rest.is_none_or(|rest| {
                rest.trim_end_matches('.') == group || rest == format!("{version}.{group}")
            })
    })
}

/// The group of a version: `apps` of `apps/v1`.
pub fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

impl Type {
    /// The group: `apps`; empty for the core group.
    pub fn group(&self) -> &'static str {
        group(self.api_version)
    }

    /// `/v1, Resource=pods`: as Go prints it.
    pub fn group_version_resource(&self) -> String {
        let slash = if self.group().is_empty() { "/" } else { "" };
        format!("{slash}{}, Resource={}", self.api_version, self.plural)
    }

    /// `pods`, `deployments.apps`: as in the API server's messages.
    pub fn qualified(&self) -> String {
        match self.group() {
            "" => self.plural.to_owned(),
            group => format!("{}.{group}", self.plural),
        }
    }

    /// `pod`, `deployment.apps`: as in what kubectl prints of its deeds.
    pub fn printed(&self) -> String {
        let singular = if self.singular == "unsimulated" { self.kind } else { self.singular };
        match self.group() {
            "" => singular.to_ascii_lowercase(),
            group => format!("{}.{group}", singular.to_ascii_lowercase()),
        }
    }

    /// The object of that name.
    ///
    /// # Errors
    /// There is none.
    pub fn get(&self, store: &Store, namespace: &str, name: &str) -> Result<Value, ApiError> {
        let key = self.key(name, &Value::Null);
        (self.resource.get)(store, self.home(namespace), &key).ok_or_else(|| self.not_found(name))
    }

    /// `pods "web" not found`.
    pub fn not_found(&self, name: &str) -> ApiError {
        ApiError::new(Reason::NotFound, format!("{} {name:?} not found", self.qualified()))
    }

    /// Whether the API server keeps its objects without knowing them.
    pub fn is_foreign(&self) -> bool {
        self.resource.kind == "Unsimulated"
    }

    /// Under what the API server keeps an object; the object tells its kind if nobody else knows it.
    pub fn key(&self, name: &str, object: &Value) -> String {
        let text = |field: &str| object[field].as_str().unwrap_or_default();
        match (self.is_foreign(), self.kind) {
            (false, _) => name.to_owned(),
            (true, "Unsimulated") => Unsimulated::key_of(text("apiVersion"), text("kind"), name),
            (true, kind) => Unsimulated::key_of(self.api_version, kind, name),
        }
    }

    /// In which namespace the API server keeps an object.
    pub fn home<'a>(&self, namespace: &'a str) -> &'a str {
        if self.is_foreign() && !self.namespaced { "default" } else { namespace }
    }

    /// All objects, or those of one namespace.
    pub fn list(&self, store: &Store, namespace: Option<&str>) -> Vec<Value> {
        let mut objects = (self.resource.list)(store, namespace.filter(|_| self.namespaced));
        objects.retain(|object| !self.is_foreign() || object["kind"].as_str() == Some(self.kind));
        objects
    }
}
