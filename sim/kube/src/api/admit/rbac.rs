//! Roles and their bindings. Kubernetes: `pkg/apis/rbac/validation`, `pkg/apis/rbac/v1/defaults.go`.

use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};

use super::{Admit, Invalid, Names};
use crate::api::rbac::GROUP;
use crate::api::server::{DNS_SUBDOMAIN, is_dns_label};

/// Whether a role or binding belongs to a namespace.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Namespace,
    Cluster,
}

/// Kubernetes: `IsValidPathSegmentName`.
fn path_segment(path: &str, name: &str) -> Vec<Invalid> {
    if let "." | ".." = name {
        return vec![Invalid::value(path, name, format!("may not be '{name}'"))];
    }
    let has = |sign: &&str| name.contains(*sign);
    ["/", "%"]
        .iter()
        .filter(|sign| has(sign))
        .map(|sign| Invalid::value(path, name, format!("may not contain '{sign}'")))
        .collect()
}

/// Kubernetes: `validatePolicyRule`.
fn check_rules(rules: Option<&[PolicyRule]>, scope: Scope) -> Vec<Invalid> {
    let mut found = Vec::new();
    for (number, rule) in rules.unwrap_or_default().iter().enumerate() {
        let at = |field: &str| format!("rules[{number}].{field}");
        let count = |words: &Option<Vec<String>>| words.as_ref().map_or(0, Vec::len);
        if rule.verbs.is_empty() {
            found.push(Invalid::required(at("verbs"), "verbs must contain at least one value"));
        }
        let (groups, resources) = (count(&rule.api_groups), count(&rule.resources));
        if let Some(urls) = rule.non_resource_urls.as_ref().filter(|urls| !urls.is_empty()) {
            let mut wrong = |why: &str| {
                let all: Vec<String> = urls.iter().map(|url| format!("{url:?}")).collect();
                let detail = format!("Invalid value: []string{{{}}}: {why}", all.join(", "));
                found.push(Invalid { path: at("nonResourceURLs"), detail });
            };
            if scope == Scope::Namespace {
                wrong("namespaced rules cannot apply to non-resource URLs");
            }
            if groups + resources + count(&rule.resource_names) > 0 {
                wrong("rules cannot apply to both regular resources and non-resource URLs");
            }
            continue;
        }
        if groups == 0 {
            found.push(Invalid::required(
                at("apiGroups"),
                "resource rules must supply at least one api group",
            ));
        }
        if resources == 0 {
            found
                .push(Invalid::required(at("resources"), "resource rules must supply at least one resource"));
        }
    }
    found
}

fn set_binding_defaults(role: &mut RoleRef, subjects: &mut Option<Vec<Subject>>) {
    if role.api_group.is_empty() {
        role.api_group = GROUP.to_owned();
    }
    for subject in subjects.iter_mut().flatten() {
        if let "User" | "Group" = subject.kind.as_str()
            && subject.api_group.as_deref().unwrap_or_default().is_empty()
        {
            subject.api_group = Some(GROUP.to_owned());
        }
    }
}

fn check_reference(role: &RoleRef, old: Option<&RoleRef>, scope: Scope) -> Vec<Invalid> {
    let mut found = Vec::new();
    if role.api_group != GROUP {
        found.push(Invalid::unsupported("roleRef.apiGroup", &role.api_group, &[GROUP]));
    }
    let kinds: &[&str] = match scope {
        Scope::Namespace => &["Role", "ClusterRole"],
        Scope::Cluster => &["ClusterRole"],
    };
    if !kinds.contains(&role.kind.as_str()) {
        found.push(Invalid::unsupported("roleRef.kind", &role.kind, kinds));
    }
    match role.name.as_str() {
        "" => found.push(Invalid::required("roleRef.name", "")),
        name => found.extend(path_segment("roleRef.name", name)),
    }
    if old.is_some_and(|old| old != role) {
        let RoleRef { api_group, kind, name } = role;
        let value = format!("rbac.RoleRef{{APIGroup:{api_group:?}, Kind:{kind:?}, Name:{name:?}}}");
        let detail = format!("Invalid value: {value}: cannot change roleRef");
        found.push(Invalid { path: "roleRef".to_owned(), detail });
    }
    found
}

/// Kubernetes: `validateRoleBindingSubject`.
fn check_subjects(subjects: Option<&[Subject]>, scope: Scope) -> Vec<Invalid> {
    let mut found = Vec::new();
    for (number, subject) in subjects.unwrap_or_default().iter().enumerate() {
        let at = |field: &str| format!("subjects[{number}].{field}");
        let Subject { kind, name, .. } = subject;
        let group = subject.api_group.as_deref().unwrap_or_default();
        if name.is_empty() {
            found.push(Invalid::required(at("name"), ""));
        }
        match kind.as_str() {
            "ServiceAccount" => {
                if !name.is_empty() && !name.split('.').all(is_dns_label) {
                    found.push(Invalid::value(at("name"), name, DNS_SUBDOMAIN));
                }
                if !group.is_empty() {
                    found.push(Invalid::unsupported(at("apiGroup"), group, &[""]));
                }
                if scope == Scope::Cluster && subject.namespace.as_deref().unwrap_or_default().is_empty() {
                    found.push(Invalid::required(at("namespace"), ""));
                }
            }
            "User" | "Group" => {
                if name.is_empty() {
                    let what = if kind == "User" { "user" } else { "group" };
                    found.push(Invalid::value(at("name"), name, format!("{what} name cannot be empty")));
                }
                if group != GROUP {
                    found.push(Invalid::unsupported(at("apiGroup"), group, &[GROUP]));
                }
            }
            other => {
                found.push(Invalid::unsupported(at("kind"), other, &["ServiceAccount", "User", "Group"]));
            }
        }
    }
    found
}

macro_rules! role {
    ($kind:ty, $scope:expr) => {
        impl Admit for $kind {
            const NAMES: Names = Names::PathSegment;

            fn check_name(name: &str) -> Vec<Invalid> {
                path_segment("metadata.name", name)
            }

            fn validate(&self, _: Option<&Self>) -> Vec<Invalid> {
                check_rules(self.rules.as_deref(), $scope)
            }
        }
    };
}

role!(Role, Scope::Namespace);
role!(ClusterRole, Scope::Cluster);

macro_rules! binding {
    ($kind:ty, $scope:expr) => {
        impl Admit for $kind {
            const NAMES: Names = Names::PathSegment;

            fn check_name(name: &str) -> Vec<Invalid> {
                path_segment("metadata.name", name)
            }

            fn set_defaults(&mut self) {
                set_binding_defaults(&mut self.role_ref, &mut self.subjects);
            }

            fn validate(&self, old: Option<&Self>) -> Vec<Invalid> {
                let mut found = check_reference(&self.role_ref, old.map(|old| &old.role_ref), $scope);
                found.extend(check_subjects(self.subjects.as_deref(), $scope));
                found
            }
        }
    };
}

binding!(RoleBinding, Scope::Namespace);
binding!(ClusterRoleBinding, Scope::Cluster);
