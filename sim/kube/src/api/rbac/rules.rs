//! What a rule allows. Kubernetes: `pkg/apis/rbac/v1/evaluation_helpers.go`.

use k8s_openapi::api::rbac::v1::PolicyRule;

use super::{Attributes, ResourceTarget, Target};

const ALL: &str = "*";

/// Whether a rule allows something.
pub fn allows(rule: &PolicyRule, wanted: &Attributes) -> bool {
    let verb = has(&rule.verbs, &wanted.verb);
    match &wanted.target {
        Target::Path(path) => {
            verb && rule.non_resource_urls.iter().flatten().any(|pattern| path_fits(pattern, path))
        }
        Target::Resource(target) => {
            let names = rule.resource_names.as_deref().unwrap_or_default();
            verb && has(rule.api_groups.as_deref().unwrap_or_default(), &target.group)
                && rule.resources.iter().flatten().any(|resource| resource_fits(resource, target))
                && (names.is_empty() || names.contains(&target.name))
        }
    }
}

fn has(words: &[String], wanted: &str) -> bool {
    words.iter().any(|word| word == ALL || word == wanted)
}

fn path_fits(pattern: &str, path: &str) -> bool {
    pattern == path || pattern.strip_suffix('*').is_some_and(|start| path.starts_with(start))
}

/// `pods`, `pods/log`, `*/scale`, `*`.
fn resource_fits(pattern: &str, target: &ResourceTarget) -> bool {
    let ResourceTarget { resource, subresource, .. } = target;
    match (pattern.split_once('/'), subresource.as_str()) {
        (None, "") => pattern == ALL || pattern == resource,
        (None, _) => pattern == ALL,
        (Some(_), "") => false,
        (Some((first, part)), wanted) => (first == ALL || first == resource) && part == wanted,
    }
}
