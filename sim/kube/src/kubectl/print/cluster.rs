use serde_json::Value;

use super::{Always, Column, Wide, age, list, name, number, text};
use crate::kubectl::duration;

pub const NODE: &[Column] = &[
    ("NAME", Always),
    ("STATUS", Always),
    ("ROLES", Always),
    ("AGE", Always),
    ("VERSION", Always),
    ("INTERNAL-IP", Wide),
    ("EXTERNAL-IP", Wide),
    ("OS-IMAGE", Wide),
    ("KERNEL-VERSION", Wide),
    ("CONTAINER-RUNTIME", Wide),
];

/// The roles that a node's labels give it.
pub fn roles(object: &Value) -> String {
    let labels = object.pointer("/metadata/labels").and_then(Value::as_object).into_iter().flatten();
    let mut roles: Vec<&str> = labels
        .filter_map(|(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => Some(role),
            None if key == "kubernetes.io/role" => value.as_str(),
            None => None,
        })
        .filter(|role| !role.is_empty())
        .collect();
    roles.sort_unstable();
    roles.dedup();
    super::or_none(roles.join(","))
}

/// Kubernetes: `printNode`.
pub fn node(object: &Value, now: i64) -> Vec<String> {
    let ready =
        list(object, "/status/conditions").iter().find(|condition| text(condition, "/type") == "Ready");
    let mut status = match ready {
        Some(condition) if text(condition, "/status") == "True" => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if object.pointer("/spec/unschedulable").and_then(Value::as_bool) == Some(true) {
        status.push_str(",SchedulingDisabled");
    }
    let address = |kind: &str| {
        let found = list(object, "/status/addresses").iter().find(|address| text(address, "/type") == kind);
        found.map_or("<none>", |address| text(address, "/address")).to_owned()
    };
    let info = |field: &str| match text(object, &format!("/status/nodeInfo/{field}")) {
        "" => "<unknown>".to_owned(),
        value => value.to_owned(),
    };
    vec![
        name(object),
        status,
        roles(object),
        age(object, now),
        text(object, "/status/nodeInfo/kubeletVersion").to_owned(),
        address("InternalIP"),
        address("ExternalIP"),
        info("osImage"),
        info("kernelVersion"),
        info("containerRuntimeVersion"),
    ]
}

pub const NAMESPACE: &[Column] = &[("NAME", Always), ("STATUS", Always), ("AGE", Always)];

pub fn namespace(object: &Value, now: i64) -> Vec<String> {
    vec![name(object), text(object, "/status/phase").to_owned(), age(object, now)]
}

pub const CONFIG_MAP: &[Column] = &[("NAME", Always), ("DATA", Always), ("AGE", Always)];

/// How many entries the fields have.
fn entries(object: &Value, fields: &[&str]) -> String {
    let count = |field: &&str| object.get(*field).and_then(Value::as_object).map_or(0, serde_json::Map::len);
    fields.iter().map(count).sum::<usize>().to_string()
}

pub fn config_map(object: &Value, now: i64) -> Vec<String> {
    vec![name(object), entries(object, &["data", "binaryData"]), age(object, now)]
}

pub const SECRET: &[Column] = &[("NAME", Always), ("TYPE", Always), ("DATA", Always), ("AGE", Always)];

pub fn secret(object: &Value, now: i64) -> Vec<String> {
    let kind = match text(object, "/type") {
        "" => "Opaque",
        kind => kind,
    };
    vec![name(object), kind.to_owned(), entries(object, &["data", "stringData"]), age(object, now)]
}

pub const SERVICE_ACCOUNT: &[Column] = &[("NAME", Always), ("SECRETS", Always), ("AGE", Always)];

pub fn service_account(object: &Value, now: i64) -> Vec<String> {
    vec![name(object), list(object, "/secrets").len().to_string(), age(object, now)]
}

/// Wide listings have other columns between.
pub const EVENT: &[Column] = &[
    ("LAST SEEN", Always),
    ("TYPE", Always),
    ("REASON", Always),
    ("OBJECT", Always),
    ("SUBOBJECT", Wide),
    ("SOURCE", Wide),
    ("MESSAGE", Always),
    ("FIRST SEEN", Wide),
    ("COUNT", Wide),
    ("NAME", Wide),
];

/// The component of an event and its host.
pub fn event_source(object: &Value) -> String {
    let or = |first: &'static str, second: &'static str| match text(object, first) {
        "" => text(object, second),
        found => found,
    };
    let component = or("/source/component", "/reportingComponent");
    match or("/source/host", "/reportingInstance") {
        "" => component.to_owned(),
        host => format!("{component}, {host}"),
    }
}

pub fn event(object: &Value, now: i64) -> Vec<String> {
    let since = |field: &str| {
        let time = object.get(field).filter(|time| !time.is_null()).unwrap_or(&object["eventTime"]);
        duration::since(time, now)
    };
    let kind = text(object, "/involvedObject/kind").to_lowercase();
    let target = match text(object, "/involvedObject/name") {
        "" => kind,
        name => format!("{kind}/{name}"),
    };
    vec![
        since("lastTimestamp"),
        text(object, "/type").to_owned(),
        text(object, "/reason").to_owned(),
        target,
        text(object, "/involvedObject/fieldPath").to_owned(),
        event_source(object),
        text(object, "/message").trim().to_owned(),
        since("firstTimestamp"),
        number(object, "/count").max(1).to_string(),
        name(object),
    ]
}
