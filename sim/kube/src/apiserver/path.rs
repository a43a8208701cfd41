//! What a path and a method mean. Kubernetes: `RequestInfoFactory.NewRequestInfo`.

use super::http::Request;
use crate::api::rbac::{Attributes, ResourceTarget};

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A path without objects.
    Path,
    /// Objects.
    Objects {
        /// `v1`, `apps/v1`.
        api_version: String,
        /// `get`, `list`….
        verb: &'static str,
        /// Which.
        target: ResourceTarget,
    },
}

/// Parts of a namespace that aren't resources in it.
const NAMESPACE_PARTS: [&str; 2] = ["status", "finalize"];

impl Purpose {
    /// What a request is for.
    pub fn of(request: &Request) -> Self {
        Self::objects(request).unwrap_or(Self::Path)
    }

    fn objects(request: &Request) -> Option<Self> {
        let mut parts: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        let mut target = ResourceTarget::default();
        let api_version = match parts[..] {
            ["api", version, _, ..] => {
                parts.drain(..2);
                version.to_owned()
            }
            ["apis", group, version, _, ..] => {
                parts.drain(..3);
                target.group = group.to_owned();
                format!("{group}/{version}")
            }
            _ => return None,
        };
        if let ["namespaces", namespace, rest @ ..] = &parts[..] {
            target.namespace = (*namespace).to_owned();
            if rest.first().is_some_and(|part| !NAMESPACE_PARTS.contains(part)) {
                parts.drain(..2);
            }
        }
        let mut parts = parts.into_iter().map(str::to_owned);
        target.resource = parts.next().unwrap_or_default();
        target.name = parts.next().unwrap_or_default();
        target.subresource = parts.next().unwrap_or_default();
        let many = target.name.is_empty();
        let verb = match request.method.as_str() {
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "patch",
            "DELETE" if many => "deletecollection",
            "DELETE" => "delete",
            _ if !many => "get",
            _ if request.asks_for("watch") => "watch",
            _ => "list",
        };
        if many
            && let Some(name) =
                request.param("fieldSelector").and_then(|text| text.strip_prefix("metadata.name="))
        {
            target.name = name.to_owned();
        }
        Some(Self::Objects { api_version, verb, target })
    }

    /// What has to be allowed.
    pub fn attributes(&self, request: &Request) -> Attributes {
        match self {
            Self::Path => Attributes::path(&request.method.to_ascii_lowercase(), &request.path),
            Self::Objects { verb, target, .. } => Attributes::resource(verb, target.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_requests_mean() {
        for (line, expected) in [
            ("GET /", "path"),
            ("GET /version", "path"),
            ("GET /api/v1", "path"),
            ("GET /apis/apps/v1", "path"),
            ("GET /api/v1/pods", "v1 list pods. in , name , part "),
            ("GET /api/v1/pods?watch=true", "v1 watch pods. in , name , part "),
            ("GET /api/v1/namespaces", "v1 list namespaces. in , name , part "),
            ("GET /api/v1/namespaces/a", "v1 get namespaces. in a, name a, part "),
            ("PUT /api/v1/namespaces/a/finalize", "v1 update namespaces. in a, name a, part finalize"),
            ("GET /api/v1/namespaces/a/pods/", "v1 list pods. in a, name , part "),
            ("GET /api/v1/namespaces/a/pods/p/log", "v1 get pods. in a, name p, part log"),
            (
                "DELETE /apis/apps/v1/namespaces/a/deployments/d",
                "apps/v1 delete deployments.apps in a, name d, part ",
            ),
            (
                "DELETE /apis/apps/v1/namespaces/a/deployments",
                "apps/v1 deletecollection deployments.apps in a, name , part ",
            ),
            ("POST /api/v1/namespaces/a/pods", "v1 create pods. in a, name , part "),
            ("GET /api/v1/pods?fieldSelector=metadata.name%3Dx", "v1 list pods. in , name x, part "),
        ] {
            let found = match Purpose::of(&Request::parse(&format!("{line} HTTP/1.1\r\n\r\n"))) {
                Purpose::Path => "path".to_owned(),
                Purpose::Objects { api_version, verb, target: t } => format!(
                    "{api_version} {verb} {}.{} in {}, name {}, part {}",
                    t.resource, t.group, t.namespace, t.name, t.subresource
                ),
            };
            assert_eq!(found, expected, "{line}");
        }
    }
}
