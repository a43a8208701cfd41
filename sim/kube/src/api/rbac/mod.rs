//! Who may do what. Kubernetes: `plugin/pkg/auth/authorizer/rbac`, `pkg/registry/rbac/validation`.

mod bootstrap;
mod rules;

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use world::Store;

use super::labels;
use super::{ApiError, Reason, get, list, name_of};

pub use bootstrap::bootstrap;
pub use rules::allows;

/// The API group of roles.
pub const GROUP: &str = "rbac.authorization.k8s.io";

/// Everybody who has proved who he is.
pub const AUTHENTICATED: &str = "system:authenticated";
/// Everybody else.
pub const UNAUTHENTICATED: &str = "system:unauthenticated";
/// Whose name begins like this is a ServiceAccount: `system:serviceaccount:NAMESPACE:NAME`.
pub const ACCOUNT: &str = "system:serviceaccount:";
/// Who may do everything, whatever roles say.
const MASTERS: &str = "system:masters";

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// `system:serviceaccount:default:default`.
    pub name: String,
    /// A ServiceAccount's unique id.
    pub uid: String,
    /// `system:authenticated`.
    pub groups: Vec<String>,
    /// What else is known of the user.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl User {
    /// Who hasn't said who he is.
    pub fn anonymous() -> Self {
        let groups = vec![UNAUTHENTICATED.to_owned()];
        Self { name: "system:anonymous".to_owned(), groups, ..Self::default() }
    }

    /// Who has proved to be of that name and in those groups.
    pub fn named(name: &str, groups: &[&str]) -> Self {
        let groups = groups.iter().chain([&AUTHENTICATED]).map(|group| (*group).to_owned()).collect();
        Self { name: name.to_owned(), groups, ..Self::default() }
    }

    /// A ServiceAccount.
    pub fn account(namespace: &str, name: &str) -> Self {
        let own = format!("system:serviceaccounts:{namespace}");
        Self::named(&format!("{ACCOUNT}{namespace}:{name}"), &["system:serviceaccounts", &own])
    }

    /// Who somebody else may pretend to be. Kubernetes: `WithImpersonation`.
    pub fn impersonated(name: &str, groups: &[String]) -> Self {
        let account = name.strip_prefix(ACCOUNT).and_then(|rest| rest.split_once(':'));
        let mut user = match (name, account) {
            ("system:anonymous", _) => Self::anonymous(),
            (_, Some((namespace, account))) if groups.is_empty() => Self::account(namespace, account),
            _ => Self::named(name, &[]),
        };
        user.groups.splice(0..0, groups.iter().cloned());
        user
    }
}

/// What somebody wants to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// `get`, `list`, `watch`, `create`….
    pub verb: String,
    /// With what.
    pub target: Target,
}

/// With what somebody wants to do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Objects.
    Resource(ResourceTarget),
    /// A path that has no objects: `/version`.
    Path(String),
}

/// Objects of a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceTarget {
    /// `apps`; empty for the core group.
    pub group: String,
    /// `pods`.
    pub resource: String,
    /// `log`, or nothing.
    pub subresource: String,
    /// Empty for all, and for resources without.
    pub namespace: String,
    /// Empty for all.
    pub name: String,
}

impl Attributes {
    /// What is done with objects.
    pub fn resource(verb: &str, target: ResourceTarget) -> Self {
        Self { verb: verb.to_owned(), target: Target::Resource(target) }
    }

    /// What is done with a path.
    pub fn path(verb: &str, path: &str) -> Self {
        Self { verb: verb.to_owned(), target: Target::Path(path.to_owned()) }
    }

    /// Why a user must not. Kubernetes: `forbiddenMessage`, `NewForbidden`.
    pub fn forbidden(&self, user: &User, reason: &str) -> ApiError {
        let Self { verb, target } = self;
        let who = &user.name;
        let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        let message = match target {
            Target::Path(path) => {
                format!("forbidden: User {who:?} cannot {verb} path {path:?}{reason}")
            }
            Target::Resource(ResourceTarget { group, resource, subresource, namespace, name }) => {
                let qualified = match group.as_str() {
                    "" => resource.clone(),
                    group => format!("{resource}.{group}"),
                };
                let whole = match subresource.as_str() {
                    "" => resource.clone(),
                    part => format!("{resource}/{part}"),
                };
                let name = if name.is_empty() { String::new() } else { format!(" {name:?}") };
                let place = match namespace.as_str() {
                    "" => "at the cluster scope".to_owned(),
                    namespace => format!("in the namespace {namespace:?}"),
                };
                format!(
                    "{qualified}{name} is forbidden: User {who:?} cannot {verb} resource {whole:?} in API group \
                     {group:?} {place}{reason}"
                )
            }
        };
        ApiError::new(Reason::Forbidden, message)
    }
}

/// A rule that a user has, or a role that isn't there.
type Found = Result<PolicyRule, String>;

/// Whether a user may do something.
///
/// # Errors
/// The API server's refusal.
pub fn authorize(store: &Store, user: &User, wanted: &Attributes) -> Result<(), ApiError> {
    let namespace = match &wanted.target {
        Target::Resource(target) => target.namespace.as_str(),
        Target::Path(_) => "",
    };
    if user.groups.iter().any(|group| group == MASTERS) {
        return Ok(());
    }
    let mut missing = Vec::new();
    for found in rules_of(store, user, namespace) {
        match found {
            Ok(rule) if allows(&rule, wanted) => return Ok(()),
            Ok(_) => {}
            Err(why) => missing.push(why),
        }
    }
    missing.dedup();
    let reason = match &missing[..] {
        [] => String::new(),
        [one] => format!("RBAC: {one}"),
        all => format!("RBAC: [{}]", all.join(", ")),
    };
    Err(wanted.forbidden(user, &reason))
}

/// The rules that a user has in a namespace (or, if that is empty, everywhere).
pub fn rules_of(store: &Store, user: &User, namespace: &str) -> Vec<Found> {
    let mut all = Vec::new();
    for binding in list::<ClusterRoleBinding>(store, None) {
        if is_meant(user, binding.subjects.as_deref(), "") {
            all.extend(role(store, &binding.role_ref, ""));
        }
    }
    if !namespace.is_empty() {
        for binding in list::<RoleBinding>(store, Some(namespace)) {
            if is_meant(user, binding.subjects.as_deref(), namespace) {
                all.extend(role(store, &binding.role_ref, namespace));
            }
        }
    }
    all
}

/// Whether a user is one of the subjects of a binding. Kubernetes: `appliesTo`.
fn is_meant(user: &User, subjects: Option<&[Subject]>, namespace: &str) -> bool {
    subjects.unwrap_or_default().iter().any(|subject| match subject.kind.as_str() {
        "User" => user.name == subject.name,
        "Group" => user.groups.contains(&subject.name),
        "ServiceAccount" => {
            let own = subject.namespace.as_deref().filter(|own| !own.is_empty()).unwrap_or(namespace);
            !own.is_empty() && user.name == format!("{ACCOUNT}{own}:{}", subject.name)
        }
        _ => false,
    })
}

/// The rules of a role.
fn role(store: &Store, reference: &RoleRef, namespace: &str) -> Vec<Found> {
    let name = &reference.name;
    let rules = match reference.kind.as_str() {
        "Role" => get::<Role>(store, namespace, name).map(|role| role.rules.clone().unwrap_or_default()),
        _ => get::<ClusterRole>(store, "", name).map(|role| cluster_rules(store, &role)),
    };
    match rules {
        Some(rules) => rules.into_iter().map(Ok).collect(),
        None => {
            let kind = reference.kind.to_ascii_lowercase();
            vec![Err(format!("{kind}.{GROUP} {name:?} not found"))]
        }
    }
}

/// A ClusterRole's rules.
///
/// Simplified: those of the roles that it gathers are looked up here; no controller writes them into
/// it.
fn cluster_rules(store: &Store, role: &ClusterRole) -> Vec<PolicyRule> {
    let (mut rules, mut seen, mut open) = (Vec::new(), Vec::new(), vec![Arc::new(role.clone())]);
    while let Some(role) = open.pop() {
        if seen.contains(&name_of(&*role).to_owned()) {
            continue;
        }
        seen.push(name_of(&*role).to_owned());
        rules.extend(role.rules.clone().unwrap_or_default());
        let gathers =
            role.aggregation_rule.iter().flat_map(|rule| rule.cluster_role_selectors.iter().flatten());
        for selector in gathers {
            let all = list::<ClusterRole>(store, None).into_iter();
            open.extend(all.filter(|other| labels::selects(selector, other.metadata.labels.as_ref())));
        }
    }
    rules
}

#[cfg(test)]
mod tests;
