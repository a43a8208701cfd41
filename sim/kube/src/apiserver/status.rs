//! Refusals as `Status` objects.

use serde_json::{Map, Value, json};

use crate::api::{ApiError, Invalid, Reason};

/// The object that a refusal is.
pub fn of(error: &ApiError) -> Value {
    let mut status = json!({
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": error.message,
        "reason": error.reason.name(),
    });
    if error.reason != Reason::Unauthorized && error.reason != Reason::BadRequest {
        status["details"] = details(error);
    }
    status["code"] = error.reason.code().into();
    status
}

/// What of a message is about an object: `pods "a" not found`, `Service "a" is invalid: …`.
fn details(error: &ApiError) -> Value {
    let message = error.message.strip_prefix("Operation cannot be fulfilled on ").unwrap_or(&error.message);
    let about = match error.reason {
        Reason::NotFound | Reason::AlreadyExists | Reason::Conflict | Reason::Forbidden | Reason::Invalid => {
            message
        }
        _ => "",
    };
    let (kind, rest) = about.split_once(' ').unwrap_or_default();
    let name = rest.strip_prefix('"').and_then(|rest| rest.split_once('"')).map(|(name, _)| name);
    let is_object = name.is_some() || rest.starts_with("is forbidden");
    let mut details = Map::new();
    if is_object {
        details.extend(name.map(|name| ("name".to_owned(), name.into())));
        let (kind, group) = kind.split_once('.').unwrap_or((kind, ""));
        if !group.is_empty() {
            details.insert("group".to_owned(), group.into());
        }
        details.insert("kind".to_owned(), kind.into());
    }
    if !error.fields.is_empty() {
        details.insert("causes".to_owned(), error.fields.iter().map(cause).collect());
    }
    Value::Object(details)
}

/// Kubernetes: `field.ErrorType`.
fn cause(field: &Invalid) -> Value {
    const REASONS: [(&str, &str); 7] = [
        ("Required value", "FieldValueRequired"),
        ("Duplicate value", "FieldValueDuplicate"),
        ("Unsupported value", "FieldValueNotSupported"),
        ("Forbidden", "FieldValueForbidden"),
        ("Too many", "FieldValueTooMany"),
        ("Too long", "FieldValueTooLong"),
        ("Not found", "FieldValueNotFound"),
    ];
    let known = REASONS.iter().find(|(start, _)| field.detail.starts_with(start));
    let reason = known.map_or("FieldValueInvalid", |(_, reason)| reason);
    json!({"reason": reason, "message": field.detail, "field": field.path})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_refusal_is_about() {
        for (reason, message, expected) in [
            (Reason::NotFound, "pods \"a\" not found", json!({"name": "a", "kind": "pods"})),
            (
                Reason::Forbidden,
                "deployments.apps is forbidden: User \"x\" cannot list",
                json!({"group": "apps", "kind": "deployments"}),
            ),
            (Reason::Forbidden, "forbidden: User \"x\" cannot get path \"/\"", json!({})),
            (
                Reason::Conflict,
                "Operation cannot be fulfilled on services \"a\": the object has been modified",
                json!({"name": "a", "kind": "services"}),
            ),
            (Reason::NotFound, "the server could not find the requested resource", json!({})),
        ] {
            assert_eq!(of(&ApiError::new(reason, message))["details"], expected, "{message}");
        }
    }
}
