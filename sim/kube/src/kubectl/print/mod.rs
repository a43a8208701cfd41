//! Listings: the columns of each kind. Kubernetes: `pkg/printers/internalversion/printers.go`.

mod access;
mod cluster;
mod network;
mod pod;
mod workload;

pub use cluster::roles;
pub use network::format_endpoints;
pub use pod::pod_ready;

use serde_json::Value;

use super::duration;

/// A column: heading, whether only `-o wide` has it.
pub type Column = (&'static str, Width);

/// Who has a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// Every listing.
    Always,
    /// `-o wide`.
    Wide,
}

use Width::{Always, Wide};

/// How objects of a kind are listed.
#[derive(Clone, Copy)]
pub struct Listing {
    /// The columns.
    pub columns: &'static [Column],
    /// The cells of an object at a second since 1970, wide ones too.
    pub cells: fn(&Value, i64) -> Vec<String>,
}

/// How objects of that kind are listed.
pub fn listing(kind: &str) -> Listing {
    let of = |columns, cells| Listing { columns, cells };
    match kind {
        "Pod" => of(pod::COLUMNS, pod::cells),
        "Service" => of(network::SERVICE, network::service),
        "Endpoints" => of(network::ENDPOINTS, network::endpoints),
        "EndpointSlice" => of(network::ENDPOINT_SLICE, network::endpoint_slice),
        "Ingress" => of(network::INGRESS, network::ingress),
        "NetworkPolicy" => of(network::NETWORK_POLICY, network::network_policy),
        "Deployment" => of(workload::DEPLOYMENT, workload::deployment),
        "ReplicaSet" => of(workload::REPLICA_SET, workload::replica_set),
        "DaemonSet" => of(workload::DAEMON_SET, workload::daemon_set),
        "StatefulSet" => of(workload::STATEFUL_SET, workload::stateful_set),
        "ControllerRevision" => of(workload::CONTROLLER_REVISION, workload::controller_revision),
        "Node" => of(cluster::NODE, cluster::node),
        "Namespace" => of(cluster::NAMESPACE, cluster::namespace),
        "ConfigMap" => of(cluster::CONFIG_MAP, cluster::config_map),
        "ServiceAccount" => of(cluster::SERVICE_ACCOUNT, cluster::service_account),
        "Event" => of(cluster::EVENT, cluster::event),
        "Role" | "ClusterRole" => of(access::ROLE, access::role),
        "RoleBinding" | "ClusterRoleBinding" => of(access::BINDING, access::binding),
        "Secret" => of(cluster::SECRET, cluster::secret),
        _ => of(&[("NAME", Always), ("AGE", Always)], |object, now| vec![name(object), age(object, now)]),
    }
}

/// The text at a pointer; empty if there is none.
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The number at a pointer; 0 if there is none.
pub fn number(object: &Value, pointer: &str) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)
}

/// The list at a pointer; empty if there is none.
pub fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The name of an object.
pub fn name(object: &Value) -> String {
    text(object, "/metadata/name").to_owned()
}

/// How old an object is.
pub fn age(object: &Value, now: i64) -> String {
    duration::since(&object["metadata"]["creationTimestamp"], now)
}

/// Labels as `a=b`, sorted.
pub fn pairs(map: Option<&Value>) -> Vec<String> {
    let all = map.and_then(Value::as_object).into_iter().flatten();
    let mut pairs: Vec<String> =
        all.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    pairs.sort();
    pairs
}

/// Labels as `a=b,c=d`, or `<none>`. Kubernetes: `labels.FormatLabels`.
pub fn labels(map: Option<&Value>) -> String {
    or_none(pairs(map).join(","))
}

/// `<none>` instead of nothing.
pub fn or_none(text: String) -> String {
    if text.is_empty() { "<none>".to_owned() } else { text }
}

/// `SELECTOR` and kin: of a `LabelSelector` object.
pub fn selector(value: Option<&Value>) -> String {
    let text = value.map(|value| super::selector::LabelSelector::of(value).text()).unwrap_or_default();
    or_none(text)
}
