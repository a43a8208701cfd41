//! `kubectl create role`, `clusterrole`, `rolebinding`, `clusterrolebinding`, `token`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use world::Fd;

use super::cli::{Cli, Then};
use super::create::{make, one_name, wrapped};
use super::failure::Failure;
use super::kinds;
use crate::api::rbac::GROUP;
use crate::api::token::{TokenRequest, issue};

const VERBS: [&str; 14] = [
    "*",
    "get",
    "delete",
    "list",
    "create",
    "update",
    "patch",
    "watch",
    "proxy",
    "deletecollection",
    "use",
    "bind",
    "escalate",
    "impersonate",
];
const PATH_VERBS: [&str; 8] = ["*", "get", "post", "put", "delete", "patch", "head", "options"];
/// What only some resources can be done with.
const SPECIAL: [(&str, &[(&str, &str)]); 4] = [
    ("use", &[("policy", "podsecuritypolicies"), ("extensions", "podsecuritypolicies")]),
    ("bind", &[(GROUP, "roles"), (GROUP, "clusterroles")]),
    ("escalate", &[(GROUP, "roles"), (GROUP, "clusterroles")]),
    (
        "impersonate",
        &[("", "users"), ("", "serviceaccounts"), ("", "groups"), ("authentication.k8s.io", "userextras")],
    ),
];

/// A resource as `--resource` names it.
struct Resource {
    group: String,
    name: String,
    part: String,
}

fn own(text: impl Into<String>) -> Failure {
    Failure::Own(text.into())
}

fn unique(words: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for word in words {
        if !all.contains(&word) {
            all.push(word);
        }
    }
    all
}

fn verbs(cli: &Cli<'_>) -> Result<Vec<String>, Failure> {
    let all = unique(cli.flags.list("verb").into_iter().map(str::to_owned));
    match all.iter().any(|verb| verb == "*") {
        _ if all.is_empty() => Err(own("at least one verb must be specified")),
        true => Ok(vec!["*".to_owned()]),
        false => Ok(all),
    }
}

/// `rs.apps`, `pods/log`: the resources, by their full names.
fn resources(cli: &mut Cli<'_>, verbs: &[String]) -> Result<Vec<Resource>, Failure> {
    for verb in verbs.iter().filter(|verb| !VERBS.contains(&verb.as_str())) {
        cli.err(&format!("Warning: '{verb}' is not a standard resource verb\n"));
    }
    let mut all = Vec::new();
    for word in cli.flags.list("resource") {
        let (whole, part) = word.split_once('/').unwrap_or((word, ""));
        let (name, group) = whole.split_once('.').unwrap_or((whole, ""));
        if name.is_empty() {
            return Err(own("resource must be specified if apiGroup/subresource specified"));
        }
        if name == "*" {
            all.push(Resource { group: group.to_owned(), name: "*".to_owned(), part: part.to_owned() });
            if group.is_empty() && part.is_empty() {
                break;
            }
            continue;
        }
        let known = kinds::find(whole);
        let found = known.map_or((group.to_owned(), name.to_owned()), |kind| {
            (kind.group().to_owned(), kind.plural.to_owned())
        });
        let mut may = known.is_some();
        for (verb, of) in SPECIAL {
            if verbs.iter().any(|given| given == verb) {
                if !of.contains(&(found.0.as_str(), found.1.as_str())) {
                    let (group, name) = &found;
                    return Err(own(format!("can not perform '{verb}' on '{name}' in group '{group}'")));
                }
                may = true;
            }
        }
        if !may {
            return Err(own(match group {
                "" => format!("the server doesn't have a resource type {name:?}"),
                group => format!("the server doesn't have a resource type {name:?} in group {group:?}"),
            }));
        }
        all.push(Resource { group: found.0, name: found.1, part: part.to_owned() });
    }
    Ok(all)
}

/// A rule for each group. kubectl: `generateResourcePolicyRules`.
fn rules(cli: &Cli<'_>, verbs: &[String], resources: &[Resource]) -> Vec<Value> {
    let names = unique(cli.flags.all("resource-name"));
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for Resource { group, name, part } in resources {
        let whole = if part.is_empty() { name.clone() } else { format!("{name}/{part}") };
        let known = groups.entry(group).or_default();
        if !known.contains(&whole) {
            known.push(whole);
        }
    }
    let rule = |(group, resources): (&str, Vec<String>)| {
        let mut rule = Map::new();
        rule.insert("apiGroups".to_owned(), json!([group]));
        if !names.is_empty() {
            rule.insert("resourceNames".to_owned(), json!(names));
        }
        rule.insert("resources".to_owned(), json!(resources));
        rule.insert("verbs".to_owned(), json!(verbs));
        Value::Object(rule)
    };
    groups.into_iter().map(rule).collect()
}

fn object(kind: &str, name: &str) -> Value {
    json!({"apiVersion": format!("{GROUP}/v1"), "kind": kind, "metadata": {"creationTimestamp": null, "name": name}})
}

/// Runs `create role`.
pub fn role(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let name = one_name(cli)?;
    let verbs = verbs(cli)?;
    if cli.flags.list("resource").is_empty() {
        return Err(own("at least one resource must be specified"));
    }
    let resources = resources(cli, &verbs)?;
    let mut role = object("Role", &name);
    role["rules"] = rules(cli, &verbs, &resources).into();
    make(cli, role, "created").map(|_| Then::Exit(0))
}

/// Runs `create clusterrole`.
pub fn cluster_role(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let name = one_name(cli)?;
    let urls = unique(cli.flags.list("non-resource-url").into_iter().map(str::to_owned));
    let gathered: Vec<String> = cli.flags.list("aggregation-rule").into_iter().map(str::to_owned).collect();
    let mut role = object("ClusterRole", &name);
    if !gathered.is_empty() {
        let others = ["verb", "resource", "resource-name", "non-resource-url"];
        if others.iter().any(|flag| cli.flags.get(flag).is_some()) {
            return Err(own(
                "aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames",
            ));
        }
        let mut labels = Map::new();
        for pair in gathered {
            let (key, value) = pair.split_once('=').ok_or_else(|| {
                own(format!("invalid argument {pair:?} for \"--aggregation-rule\" flag: {pair} must be formatted as key=value"))
            })?;
            labels.insert(key.to_owned(), value.into());
        }
        role["aggregationRule"] = json!({"clusterRoleSelectors": [{"matchLabels": labels}]});
        role["rules"] = Value::Null;
        return make(cli, role, "created").map(|_| Then::Exit(0));
    }
    let verbs = verbs(cli)?;
    if cli.flags.list("resource").is_empty() && urls.is_empty() {
        return Err(own("one of resource or nonResourceURL must be specified"));
    }
    let named = !cli.flags.list("resource").is_empty();
    let resources = if named { resources(cli, &verbs)? } else { Vec::new() };
    if !urls.is_empty()
        && let Some(verb) = verbs.iter().find(|verb| !PATH_VERBS.contains(&verb.as_str()))
    {
        return Err(own(format!("invalid verb: '{verb}' for nonResourceURL")));
    }
    for url in urls.iter().filter(|url| *url != "*") {
        if !url.starts_with('/') {
            return Err(own("nonResourceURL should start with /"));
        }
        if url.find('*').is_some_and(|at| at + 1 < url.len()) {
            return Err(own("nonResourceURL only supports wildcard matches when '*' is at the end"));
        }
    }
    let mut all = rules(cli, &verbs, &resources);
    if !urls.is_empty() {
        all.push(json!({"nonResourceURLs": urls, "verbs": verbs}));
    }
    role["rules"] = all.into();
    make(cli, role, "created").map(|_| Then::Exit(0))
}

/// `--user`, `--group`, `--serviceaccount`.
fn subjects(cli: &Cli<'_>) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for (flag, kind) in [("user", "User"), ("group", "Group")] {
        let named = cli.flags.all(flag);
        all.extend(named.iter().map(|name| json!({"apiGroup": GROUP, "kind": kind, "name": name})));
    }
    for account in cli.flags.all("serviceaccount") {
        let words: Vec<&str> = account.split(':').collect();
        let [namespace, name] = words[..] else {
            return Err(own("serviceaccount must be <namespace>:<name>"));
        };
        if namespace.is_empty() || name.is_empty() {
            return Err(own("serviceaccount must be <namespace>:<name>"));
        }
        all.push(json!({"kind": "ServiceAccount", "name": name, "namespace": namespace}));
    }
    Ok(Value::Array(all))
}

/// Runs `create rolebinding`.
pub fn role_binding(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let name = one_name(cli)?;
    let given = |flag: &str| cli.flags.get(flag).filter(|name| !name.is_empty()).map(str::to_owned);
    let (kind, role) = match (given("clusterrole"), given("role")) {
        (Some(name), None) => ("ClusterRole", name),
        (None, Some(name)) => ("Role", name),
        _ => return Err(own("exactly one of clusterrole or role must be specified")),
    };
    bind(cli, object("RoleBinding", &name), (kind, &role), "rolebinding")
}

/// Runs `create clusterrolebinding`.
pub fn cluster_role_binding(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let name = one_name(cli)?;
    let role = cli.flags.get("clusterrole").map(str::to_owned);
    let role = role.ok_or_else(|| own("required flag(s) \"clusterrole\" not set"))?;
    bind(cli, object("ClusterRoleBinding", &name), ("ClusterRole", &role), "clusterrolebinding")
}

fn bind(
    cli: &mut Cli<'_>,
    mut binding: Value,
    (kind, role): (&str, &str),
    what: &str,
) -> Result<Then, Failure> {
    binding["roleRef"] = json!({"apiGroup": GROUP, "kind": kind, "name": role});
    let subjects = subjects(cli)?;
    if subjects != json!([]) {
        binding["subjects"] = subjects;
    }
    make(cli, binding, "created").map_err(|failure| wrapped(failure, what)).map(|_| Then::Exit(0))
}

/// Runs `create token`.
pub fn token(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let name = one_name(cli)?;
    if cli.flags.get("output").is_some() {
        return Err(Failure::not_simulated("create token -o"));
    }
    const SECOND: i64 = 1_000_000_000;
    let duration = cli.flags.duration("duration").unwrap_or(0);
    if duration < 0 {
        return Err(own("--duration must be greater than or equal to 0"));
    }
    if duration % SECOND != 0 {
        return Err(own("--duration cannot be expressed in units less than seconds"));
    }
    let bound = (cli.flags.get("bound-object-kind"), cli.flags.get("bound-object-name"));
    let pod = match bound {
        (None, None) => None,
        (None, Some(_)) => {
            return Err(own("--bound-object-name can only be set if --bound-object-kind is provided"));
        }
        (Some(_), None) => {
            return Err(own("--bound-object-name is required if --bound-object-kind is provided"));
        }
        (Some("Pod"), Some(name)) => Some(name.to_owned()),
        (Some(kind @ ("Secret" | "Node")), Some(_)) => {
            return Err(Failure::not_simulated(&format!("create token --bound-object-kind={kind}")));
        }
        (Some(_), Some(_)) => {
            return Err(own("supported --bound-object-kind values are Node, Pod, Secret"));
        }
    };
    let seconds = (duration > 0).then_some(duration / SECOND);
    let request = TokenRequest { audiences: cli.flags.all("audience"), seconds, pod };
    cli.config.connect(cli.sys)?;
    let token = issue(cli.sys, &cli.config.namespace, &name, &request)
        .map_err(|error| own(format!("failed to create token: {error}")))?;
    let end = if cli.sys.is_terminal(Fd::STDOUT) { "\n" } else { "" };
    cli.out(&format!("{token}{end}"));
    Ok(Then::Exit(0))
}
