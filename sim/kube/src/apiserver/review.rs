//! Questions about oneself: may I, who am I. Kubernetes: `SelfSubjectAccessReview`,
//! `SelfSubjectReview`.

use serde_json::{Value, json};
use world::Sys;

use super::http::{Content, Request, Response};
use crate::api::rbac::{Attributes, ResourceTarget, User, authorize};
use crate::api::{ApiError, Reason};

/// Answers such a question; nothing if it is none.
pub fn answer(
    sys: &dyn Sys,
    request: &Request,
    user: &User,
    (api_version, verb, target): (&str, &str, &ResourceTarget),
) -> Option<Result<Response, ApiError>> {
    let kind = match (api_version, target.resource.as_str()) {
        ("authorization.k8s.io/v1", "selfsubjectaccessreviews") => "SelfSubjectAccessReview",
        ("authentication.k8s.io/v1", "selfsubjectreviews") => "SelfSubjectReview",
        _ => return None,
    };
    if verb != "create" {
        let why = "the server does not allow this method on the requested resource";
        return Some(Err(ApiError::new(Reason::MethodNotAllowed, why)));
    }
    let given: Value = serde_json::from_str(&request.body).unwrap_or_default();
    let status = match kind {
        "SelfSubjectReview" => json!({"userInfo": info(user)}),
        _ => review(sys, user, &given["spec"]),
    };
    let mut found = json!({"kind": kind, "apiVersion": api_version, "metadata": {"creationTimestamp": null}, "status": status});
    if kind == "SelfSubjectAccessReview" {
        found["spec"] = given["spec"].clone();
    }
    Some(Ok(Response { status: 201, content: Content::Json, body: request.print(&found) }))
}

/// Kubernetes: `UserInfo`.
pub fn info(user: &User) -> Value {
    let mut info = json!({"username": user.name});
    if !user.uid.is_empty() {
        info["uid"] = user.uid.clone().into();
    }
    info["groups"] = json!(user.groups);
    if !user.extra.is_empty() {
        info["extra"] = json!(user.extra);
    }
    info
}

fn review(sys: &dyn Sys, user: &User, spec: &Value) -> Value {
    let text = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
    let path = &spec["nonResourceAttributes"];
    let wanted = if path.is_object() {
        Attributes::path(&text(path, "verb"), &text(path, "path"))
    } else {
        let given = &spec["resourceAttributes"];
        let target = ResourceTarget {
            group: text(given, "group"),
            resource: text(given, "resource"),
            subresource: text(given, "subresource"),
            namespace: text(given, "namespace"),
            name: text(given, "name"),
        };
        Attributes::resource(&text(given, "verb"), target)
    };
    json!({"allowed": authorize(sys.store(), user, &wanted).is_ok()})
}
