//! Objects are read and written.
//!
//! Simplified: dry runs, field managers and options of deletion but the grace period have no effect.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use world::{Store, Sys};

use super::http::{Content, Request, Response};
use crate::api::rbac::{ResourceTarget, User};
use crate::api::token::{self, TokenRequest};
use crate::api::{ApiError, Reason};
use crate::kubectl::change::keep_status;
use crate::kubectl::failure::Failure;
use crate::kubectl::kinds::{self, Type};
use crate::kubectl::output::shaped;
use crate::kubectl::selector::{FieldSelector, LabelSelector};
use crate::kubectl::{files::sorted, patch};

/// The version of the API, the verb, with what.
type Wanted<'a> = (&'a str, &'static str, &'a ResourceTarget);

/// The kind of objects that a path names.
pub fn kind_of(api_version: &str, target: &ResourceTarget) -> Option<Type> {
    kinds::all().into_iter().find(|kind| kind.api_version == api_version && kind.plural == target.resource)
}

/// What a path answers that nobody knows.
fn not_found() -> Response {
    Response { status: 404, content: Content::Text, body: "404 page not found\n".to_owned() }
}

fn not_allowed() -> ApiError {
    let why = "the server does not allow this method on the requested resource";
    ApiError::new(Reason::MethodNotAllowed, why)
}

fn bad_request(why: impl Into<String>) -> ApiError {
    ApiError::new(Reason::BadRequest, why)
}

/// Answers a request for objects.
///
/// # Errors
/// The API server's refusal.
pub fn answer(
    sys: &mut dyn Sys,
    request: &Request,
    user: &User,
    (api_version, verb, target): Wanted<'_>,
) -> Result<Response, ApiError> {
    if let Some(answer) = super::review::answer(sys, request, user, (api_version, verb, target)) {
        return answer;
    }
    let Some(kind) = kind_of(api_version, target) else { return Ok(not_found()) };
    let everywhere = kind.namespaced && target.namespace.is_empty();
    if !kind.namespaced && !target.namespace.is_empty() && target.resource != "namespaces" {
        return Ok(not_found());
    }
    match target.subresource.as_str() {
        "" | "status" => {}
        "token" if kind.kind == "ServiceAccount" => return issue_token(sys, request, (verb, target)),
        other => {
            let what = format!("hoplab: {}/{other} is not simulated over HTTP", target.resource);
            let body = request.print(&json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": what, "code": 501,
            }));
            return Ok(Response { status: 501, content: Content::Json, body });
        }
    }
    if everywhere && verb != "list" {
        return Err(not_allowed());
    }
    let (status, found) = match verb {
        "list" => (200, list(sys.store(), request, &kind, target)?),
        "get" => (200, first_fields(&kind.get(sys.store(), &target.namespace, &target.name)?)),
        "create" if !target.name.is_empty() => return Err(not_allowed()),
        "create" => {
            let mut object = body(request, &kind, target)?;
            keep_status(None, &mut object);
            (201, first_fields(&(kind.resource.create)(sys, &object).map_err(|error| named(error, &kind))?))
        }
        "update" | "patch" => (200, change(sys, request, &kind, (verb, target))?),
        "delete" => delete(sys, request, &kind, target)?,
        _ => return Err(not_allowed()),
    };
    Ok(Response { status, content: Content::Json, body: request.print(&found) })
}

/// The API server knows no word for a kind that it only keeps.
fn named(mut error: ApiError, kind: &Type) -> ApiError {
    error.message = error.message.replace("unsimulated.hoplab", &kind.qualified());
    error
}

/// An object with its kind, version and metadata first, as Go's types have them.
///
/// Simplified: all other fields follow in the order of their names.
pub fn first_fields(object: &Value) -> Value {
    let object = sorted(&shaped(object));
    let mut ordered = Map::new();
    for field in ["kind", "apiVersion", "metadata"] {
        ordered.extend(object.get(field).map(|value| (field.to_owned(), value.clone())));
    }
    for (field, value) in object.as_object().into_iter().flatten() {
        ordered.entry(field.clone()).or_insert_with(|| value.clone());
    }
    Value::Object(ordered)
}

/// Which objects a request selects.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    labels: LabelSelector,
    fields: FieldSelector,
}

impl Selection {
    /// What the query says.
    ///
    /// # Errors
    /// It is no selector.
    pub fn of(request: &Request, kind: &Type) -> Result<Self, ApiError> {
        let wrong = |failure: Failure| bad_request(failure.message());
        let labels =
            LabelSelector::parse(request.param("labelSelector").unwrap_or_default()).map_err(wrong)?;
        let fields =
            FieldSelector::parse(request.param("fieldSelector").unwrap_or_default()).map_err(wrong)?;
        if let Some(field) = fields.unknown(kind.kind) {
            return Err(bad_request(format!("field label not supported: {field}")));
        }
        Ok(Self { labels, fields })
    }

    /// Whether it selects an object.
    pub fn selects(&self, object: &Value) -> bool {
        self.labels.selects(object) && self.fields.selects(object)
    }
}

/// The objects that a request selects, by their places in lists: `NAMESPACE/NAME`.
pub fn selected(
    store: &Store,
    kind: &Type,
    target: &ResourceTarget,
    selection: &Selection,
) -> Vec<(String, Value)> {
    let namespace = Some(target.namespace.as_str()).filter(|namespace| !namespace.is_empty());
    let text =
        |object: &Value, field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    let all = kind.list(store, namespace).into_iter().filter(|object| selection.selects(object));
    all.map(|object| (format!("{}/{}", text(&object, "namespace"), text(&object, "name")), object)).collect()
}

fn list(store: &Store, request: &Request, kind: &Type, target: &ResourceTarget) -> Result<Value, ApiError> {
    let selection = Selection::of(request, kind)?;
    let mut all = selected(store, kind, target, &selection);
    if let Some(token) = request.param("continue").filter(|token| !token.is_empty()) {
        let after =
            read_token(token).ok_or_else(|| bad_request("continue key is not valid: illegal base64 data"))?;
        all.retain(|(place, _)| *place > after);
    }
    let mut metadata = json!({"resourceVersion": store.revision().to_string()});
    let limit = request.param("limit").and_then(|text| text.parse().ok()).filter(|limit: &usize| *limit > 0);
    if let Some(limit) = limit.filter(|limit| *limit < all.len()) {
        let rest = all.split_off(limit);
        let last = all.last().map(|(place, _)| place.as_str()).unwrap_or_default();
        let token = json!({"v": "meta.k8s.io/v1", "rv": store.revision(), "start": format!("{last}\0")});
        metadata["continue"] = URL_SAFE_NO_PAD.encode(token.to_string()).into();
        metadata["remainingItemCount"] = rest.len().into();
    }
    let item = |(_, object): (String, Value)| {
        let mut item = first_fields(&object);
        if let Some(fields) = item.as_object_mut() {
            fields.shift_remove("kind");
            fields.shift_remove("apiVersion");
        }
        item
    };
    let items: Vec<Value> = all.into_iter().map(item).collect();
    Ok(json!({
        "kind": format!("{}List", kind.kind), "apiVersion": kind.api_version, "metadata": metadata, "items": items,
    }))
}

fn read_token(token: &str) -> Option<String> {
    let value: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    Some(value["start"].as_str()?.trim_end_matches('\0').to_owned())
}

/// Reads what a request brings: JSON or YAML.
fn read(request: &Request) -> Result<Value, ApiError> {
    let kind = request.header("content-type").unwrap_or("application/json");
    match kind.split(';').next().unwrap_or_default().trim() {
        "application/json" => serde_json::from_str(&request.body)
            .map_err(|_| bad_request("the object provided is unrecognized (must be of type Object): couldn't get version/kind; json parse error")),
        "application/yaml" => serde_saphyr::from_str(&request.body)
            .map_err(|error| bad_request(format!("error converting YAML to JSON: yaml: {}", error.without_snippet()))),
        _ => Err(ApiError::new(
            Reason::UnsupportedMediaType,
            "the body of the request was in an unknown format - accepted media types include: application/json, \
             application/yaml, application/vnd.kubernetes.protobuf",
        )),
    }
}

/// The object that a request brings, in its namespace.
fn body(request: &Request, kind: &Type, target: &ResourceTarget) -> Result<Value, ApiError> {
    let mut object = read(request)?;
    let text = |object: &Value, field: &str| object[field].as_str().unwrap_or_default().to_owned();
    let (version, named) = (text(&object, "apiVersion"), text(&object, "kind"));
    let expected = kind.api_version;
    if named.is_empty() {
        return Err(bad_request(format!("Object 'Kind' is missing in '{}'", request.body)));
    }
    if version != expected {
        let why = format!(
            "the API version in the data ({version}) does not match the expected API version ({expected})"
        );
        return Err(bad_request(why));
    }
    if named != kind.kind {
        let short = expected.rsplit('/').next().unwrap_or_default();
        let why = format!(
            "{named} in version {short:?} cannot be handled as a {}: converting is impossible",
            kind.kind
        );
        return Err(bad_request(why));
    }
    let metadata = &object["metadata"];
    if kind.namespaced {
        match metadata["namespace"].as_str().filter(|own| !own.is_empty()) {
            Some(own) if own != target.namespace => {
                let why =
                    "the namespace of the provided object does not match the namespace sent on the request";
                return Err(bad_request(why));
            }
            _ => object["metadata"]["namespace"] = target.namespace.clone().into(),
        }
    }
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    if !target.name.is_empty() && target.name != name {
        let why =
            format!("the name of the object ({name}) does not match the name on the URL ({})", target.name);
        return Err(bad_request(why));
    }
    Ok(object)
}

/// PUT and PATCH. The status changes by itself only, or by itself.
fn change(
    sys: &mut dyn Sys,
    request: &Request,
    kind: &Type,
    (verb, target): (&str, &ResourceTarget),
) -> Result<Value, ApiError> {
    let old = kind.get(sys.store(), &target.namespace, &target.name)?;
    let mut new = match verb {
        "update" => body(request, kind, target)?,
        _ => patched(request, kind, &old)?,
    };
    if target.subresource == "status" {
        let status = new.get("status").cloned().unwrap_or_default();
        new = old.clone();
        new["status"] = status;
    } else {
        keep_status(Some(&old), &mut new);
    }
    Ok(first_fields(&(kind.resource.update)(sys, &new).map_err(|error| named(error, kind))?))
}

fn patched(request: &Request, kind: &Type, old: &Value) -> Result<Value, ApiError> {
    let given = request.header("content-type").unwrap_or_default();
    let given = given.split(';').next().unwrap_or_default().trim();
    let patch: Value = serde_json::from_str(&request.body)
        .map_err(|error| bad_request(format!("error decoding patch: {error}")))?;
    let mut new = old.clone();
    let outcome = match given {
        "application/json-patch+json" => patch::json(&mut new, &patch),
        "application/strategic-merge-patch+json" if !kind.is_foreign() => patch::strategic(&mut new, &patch),
        "application/merge-patch+json" => {
            patch::merge(&mut new, &patch);
            Ok(())
        }
        _ => {
            return Err(ApiError::new(
                Reason::UnsupportedMediaType,
                "the body of the request was in an unknown format - accepted media types include: \
                 application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json",
            ));
        }
    };
    let refused = |why| format!("the server rejected our request due to an error in our request: {why}");
    outcome.map_err(|why| ApiError::new(Reason::Invalid, refused(why)))?;
    Ok(new)
}

fn delete(
    sys: &mut dyn Sys,
    request: &Request,
    kind: &Type,
    target: &ResourceTarget,
) -> Result<(u16, Value), ApiError> {
    let old = kind.get(sys.store(), &target.namespace, &target.name)?;
    let options: Value = serde_json::from_str(&request.body).unwrap_or_default();
    let asked = request.param("gracePeriodSeconds").and_then(|text| text.parse().ok());
    let grace = asked.or_else(|| options["gracePeriodSeconds"].as_i64());
    let key = kind.key(&target.name, &old);
    (kind.resource.delete)(sys, kind.home(&target.namespace), &key, grace)
        .map_err(|error| named(error, kind))?;
    match kind.get(sys.store(), &target.namespace, &target.name) {
        Ok(left) => Ok((200, first_fields(&left))),
        Err(_) => {
            let mut details = json!({"name": target.name});
            if !target.group.is_empty() {
                details["group"] = target.group.clone().into();
            }
            details["kind"] = target.resource.clone().into();
            details["uid"] = old["metadata"]["uid"].clone();
            let status = json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details,
            });
            Ok((200, status))
        }
    }
}

/// `POST …/serviceaccounts/NAME/token`. Kubernetes: `TokenRequest`.
fn issue_token(
    sys: &mut dyn Sys,
    request: &Request,
    (verb, target): (&str, &ResourceTarget),
) -> Result<Response, ApiError> {
    if verb != "create" {
        return Err(not_allowed());
    }
    let given = read(request)?;
    let spec = &given["spec"];
    let audiences = spec["audiences"].as_array().into_iter().flatten();
    let wanted = TokenRequest {
        audiences: audiences.filter_map(Value::as_str).map(str::to_owned).collect(),
        seconds: spec["expirationSeconds"].as_i64(),
        pod: spec["boundObjectRef"]["name"].as_str().map(str::to_owned),
    };
    let token = token::issue(sys, &target.namespace, &target.name, &wanted)?;
    let found = json!({
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {"name": target.name, "namespace": target.namespace},
        "spec": spec,
        "status": {"token": token},
    });
    Ok(Response { status: 201, content: Content::Json, body: request.print(&found) })
}
