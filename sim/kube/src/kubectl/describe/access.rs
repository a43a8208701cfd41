use k8s_openapi::api::rbac::v1::PolicyRule;
use serde_json::Value;

use super::{Cx, Page, list, text};
use crate::kubectl::rules;

fn head(page: &mut Page, object: &Value) {
    page.field(0, "Name", text(object, "/metadata/name"));
    page.labels("Labels", object.pointer("/metadata/labels"));
    page.annotations("Annotations", object.pointer("/metadata/annotations"));
}

/// A Role or ClusterRole.
pub fn role(page: &mut Page, object: &Value) {
    head(page, object);
    page.line(0, "PolicyRule:");
    page.line(1, rules::HEADINGS.join("\t"));
    page.line(1, rules::HEADINGS.map(|heading| "-".repeat(heading.len())).join("\t"));
    let all: Vec<PolicyRule> = serde_json::from_value(object["rules"].clone()).unwrap_or_default();
    for line in rules::lines(&all) {
        page.line(1, line.join("\t"));
    }
}

/// A RoleBinding or ClusterRoleBinding.
pub fn binding(page: &mut Page, object: &Value) {
    head(page, object);
    page.line(0, "Role:");
    page.field(1, "Kind", text(object, "/roleRef/kind"));
    page.field(1, "Name", text(object, "/roleRef/name"));
    page.line(0, "Subjects:");
    page.line(1, "Kind\tName\tNamespace");
    page.line(1, "----\t----\t---------");
    for subject in list(object, "/subjects") {
        let cell = |field: &str| text(subject, field);
        page.line(1, [cell("/kind"), cell("/name"), cell("/namespace")].join("\t"));
    }
}

/// A ServiceAccount. Kubernetes: `describeServiceAccount`.
pub fn account(cx: &Cx<'_>, page: &mut Page, object: &Value) {
    page.head(object);
    let names = |pointer: &str| -> Vec<String> {
        list(object, pointer).iter().map(|secret| text(secret, "/name").to_owned()).collect()
    };
    page.lines("Image pull secrets", &names("/imagePullSecrets"));
    page.lines("Mountable secrets", &names("/secrets"));
    page.lines("Tokens", &[]);
    page.events(cx, object);
}
