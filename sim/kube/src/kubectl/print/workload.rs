use serde_json::Value;

use super::{Always, Column, Wide, age, labels, list, name, number, selector, text};

/// Names and images of the containers of a template.
fn containers(object: &Value) -> [String; 2] {
    let all = list(object, "/spec/template/spec/containers");
    ["/name", "/image"].map(|field| all.iter().map(|c| text(c, field)).collect::<Vec<_>>().join(","))
}

pub const DEPLOYMENT: &[Column] = &[
    ("NAME", Always),
    ("READY", Always),
    ("UP-TO-DATE", Always),
    ("AVAILABLE", Always),
    ("AGE", Always),
    ("CONTAINERS", Wide),
    ("IMAGES", Wide),
    ("SELECTOR", Wide),
];

pub fn deployment(object: &Value, now: i64) -> Vec<String> {
    let [names, images] = containers(object);
    vec![
        name(object),
        format!("{}/{}", number(object, "/status/readyReplicas"), number(object, "/spec/replicas")),
        number(object, "/status/updatedReplicas").to_string(),
        number(object, "/status/availableReplicas").to_string(),
        age(object, now),
        names,
        images,
        selector(object.pointer("/spec/selector")),
    ]
}

pub const REPLICA_SET: &[Column] = &[
    ("NAME", Always),
    ("DESIRED", Always),
    ("CURRENT", Always),
    ("READY", Always),
    ("AGE", Always),
    ("CONTAINERS", Wide),
    ("IMAGES", Wide),
    ("SELECTOR", Wide),
];

pub fn replica_set(object: &Value, now: i64) -> Vec<String> {
    let [names, images] = containers(object);
    let count = |pointer: &str| number(object, pointer).to_string();
    vec![
        name(object),
        count("/spec/replicas"),
        count("/status/replicas"),
        count("/status/readyReplicas"),
        age(object, now),
        names,
        images,
        selector(object.pointer("/spec/selector")),
    ]
}

pub const DAEMON_SET: &[Column] = &[
    ("NAME", Always),
    ("DESIRED", Always),
    ("CURRENT", Always),
    ("READY", Always),
    ("UP-TO-DATE", Always),
    ("AVAILABLE", Always),
    ("NODE SELECTOR", Always),
    ("AGE", Always),
    ("CONTAINERS", Wide),
    ("IMAGES", Wide),
    ("SELECTOR", Wide),
];

pub fn daemon_set(object: &Value, now: i64) -> Vec<String> {
    let [names, images] = containers(object);
    let count = |pointer: &str| number(object, pointer).to_string();
    vec![
        name(object),
        count("/status/desiredNumberScheduled"),
        count("/status/currentNumberScheduled"),
        count("/status/numberReady"),
        count("/status/updatedNumberScheduled"),
        count("/status/numberAvailable"),
        labels(object.pointer("/spec/template/spec/nodeSelector")),
        age(object, now),
        names,
        images,
        selector(object.pointer("/spec/selector")),
    ]
}

pub const STATEFUL_SET: &[Column] =
    &[("NAME", Always), ("READY", Always), ("AGE", Always), ("CONTAINERS", Wide), ("IMAGES", Wide)];

pub fn stateful_set(object: &Value, now: i64) -> Vec<String> {
    let [names, images] = containers(object);
    vec![
        name(object),
        format!("{}/{}", number(object, "/status/readyReplicas"), number(object, "/spec/replicas")),
        age(object, now),
        names,
        images,
    ]
}

pub const CONTROLLER_REVISION: &[Column] =
    &[("NAME", Always), ("CONTROLLER", Always), ("REVISION", Always), ("AGE", Always)];

pub fn controller_revision(object: &Value, now: i64) -> Vec<String> {
    let owner = list(object, "/metadata/ownerReferences").iter().find(|owner| owner["controller"] == true);
    let controller = owner.map_or_else(
        || "<none>".to_owned(),
        |owner| {
            let group = crate::kubectl::kinds::group(text(owner, "/apiVersion"));
            format!("{}.{group}/{}", text(owner, "/kind").to_lowercase(), text(owner, "/name"))
        },
    );
    vec![name(object), controller, number(object, "/revision").to_string(), age(object, now)]
}
