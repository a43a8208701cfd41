use serde_json::Value;

use super::{Always, Column, Wide, age, list, name, text};

pub const ROLE: &[Column] = &[("NAME", Always), ("CREATED AT", Always)];

pub fn role(object: &Value, _: i64) -> Vec<String> {
    vec![name(object), text(object, "/metadata/creationTimestamp").to_owned()]
}

pub const BINDING: &[Column] = &[
    ("NAME", Always),
    ("ROLE", Always),
    ("AGE", Always),
    ("USERS", Wide),
    ("GROUPS", Wide),
    ("SERVICEACCOUNTS", Wide),
];

/// Kubernetes: `printRoleBinding`.
pub fn binding(object: &Value, now: i64) -> Vec<String> {
    let subjects = |kind: &str| {
        let all = list(object, "/subjects").iter().filter(|subject| text(subject, "/kind") == kind);
        let shown = |subject: &Value| match kind {
            "ServiceAccount" => format!("{}/{}", text(subject, "/namespace"), text(subject, "/name")),
            _ => text(subject, "/name").to_owned(),
        };
        all.map(shown).collect::<Vec<_>>().join(", ")
    };
    let role = format!("{}/{}", text(object, "/roleRef/kind"), text(object, "/roleRef/name"));
    vec![
        name(object),
        role,
        age(object, now),
        subjects("User"),
        subjects("Group"),
        subjects("ServiceAccount"),
    ]
}
