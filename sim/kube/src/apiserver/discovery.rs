//! Paths without objects: health, the version, what kinds there are.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use serde_json::{Value, json};

use super::http::{Content, Request, Response};
use crate::kubectl::{info, kinds};

/// What can be done with objects of every kind.
const VERBS: [&str; 7] = ["create", "delete", "get", "list", "patch", "update", "watch"];

/// Answers a request for such a path.
pub fn answer(request: &Request, address: SocketAddr) -> Response {
    let path = request.path.trim_end_matches('/');
    let text = |status, body: &str| Response { status, content: Content::Text, body: body.to_owned() };
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return text(405, "405 page not allowed\n");
    }
    let found = match path {
        "/healthz" | "/livez" | "/readyz" | "/healthz/ping" | "/livez/ping" | "/readyz/ping" => {
            return text(200, "ok");
        }
        "" => paths(),
        "/version" => info::server_version(),
        "/api" => json!({
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address.to_string()}],
        }),
        "/apis" => {
            let groups: Vec<Value> =
                groups().into_iter().map(|(group, versions)| self::group(&group, &versions)).collect();
            json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
        }
        _ => match found(path) {
            Some(found) => found,
            None => return text(404, "404 page not found\n"),
        },
    };
    Response { status: 200, content: Content::Json, body: request.print(&found) }
}

/// `/apis/GROUP`, `/apis/GROUP/VERSION`, `/api/VERSION`.
fn found(path: &str) -> Option<Value> {
    let words: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match words[..] {
        ["api", version] => resources(version),
        ["apis", group, version] => resources(&format!("{group}/{version}")),
        ["apis", wanted] => {
            let mut found = groups().get(wanted).map(|versions| group(wanted, versions))?;
            found["apiVersion"] = "v1".into();
            Some(found)
        }
        _ => None,
    }
}

/// The groups besides the core one, and their versions.
fn groups() -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut groups: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
    for kind in kinds::all().iter().filter(|kind| !kind.group().is_empty()) {
        groups.entry(kind.group().to_owned()).or_default().insert(kind.api_version);
    }
    groups
}

fn group(name: &str, versions: &BTreeSet<&str>) -> Value {
    let version = |whole: &&str| json!({"groupVersion": whole, "version": whole.rsplit('/').next().unwrap_or_default()});
    let all: Vec<Value> = versions.iter().map(version).collect();
    let preferred = all.first().cloned().unwrap_or_default();
    json!({"kind": "APIGroup", "name": name, "versions": all, "preferredVersion": preferred})
}

fn resources(api_version: &str) -> Option<Value> {
    let all: Vec<Value> = kinds::all()
        .iter()
        .filter(|kind| kind.api_version == api_version)
        .map(|kind| {
            let mut resource = json!({
                "name": kind.plural,
                "singularName": kind.singular,
                "namespaced": kind.namespaced,
                "kind": kind.kind,
                "verbs": VERBS,
            });
            if !kind.short.is_empty() {
                resource["shortNames"] = json!(kind.short);
            }
            resource
        })
        .collect();
    (!all.is_empty()).then(|| {
        json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": all})
    })
}

/// What a root says is below it.
fn paths() -> Value {
    let mut paths: Vec<String> = ["/api", "/api/v1", "/apis"].map(str::to_owned).to_vec();
    for (group, versions) in groups() {
        paths.push(format!("/apis/{group}"));
        paths.extend(versions.iter().map(|version| format!("/apis/{version}")));
    }
    paths.extend(["/healthz", "/livez", "/readyz", "/version"].map(str::to_owned));
    json!({"paths": paths})
}
