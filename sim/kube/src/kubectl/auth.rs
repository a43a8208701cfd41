//! `kubectl auth`, and who kubectl is.

use super::cli::{Cli, Then};
use super::failure::Failure;
use super::kinds::{self, Type};
use super::output::Format;
use super::rules;
use super::table::Table;
use crate::api::rbac::{Attributes, ResourceTarget, User, authorize, rules_of};
use crate::apiserver::review;

const VERBS: [&str; 16] = [
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "use",
    "bind",
    "impersonate",
    "*",
    "approve",
    "sign",
    "escalate",
    "attest",
];
const PATH_VERBS: [&str; 8] = ["get", "put", "post", "head", "options", "delete", "patch", "*"];

/// The administrator of a cluster of kubeadm.
const ADMIN: (&str, &str) = ("kubernetes-admin", "kubeadm:cluster-admins");

impl Cli<'_> {
    /// Who the API server takes kubectl for.
    ///
    /// Simplified: kubeconfig files prove nothing; who isn't a component of the cluster is its
    /// administrator.
    pub fn user(&self) -> User {
        let context = super::config::named_entry(&self.config.file, "contexts", &self.config.context);
        let named = context.and_then(|entry| entry.pointer("/context/user")?.as_str()).unwrap_or_default();
        match (self.flags.get("as"), named) {
            (Some(name), _) => User::impersonated(name, &self.flags.all("as-group")),
            (None, node) if node.starts_with("system:node:") => User::named(node, &["system:nodes"]),
            (None, other) if other.starts_with("system:") => User::named(other, &[]),
            (None, _) => User::named(ADMIN.0, &[ADMIN.1]),
        }
    }

    /// Whether who kubectl pretends to be may do something with objects of a kind.
    ///
    /// # Errors
    /// The API server's refusal.
    pub fn may(&self, verb: &str, kind: &Type, namespace: Option<&str>, name: &str) -> Result<(), Failure> {
        if self.flags.get("as").is_none() {
            return Ok(());
        }
        let target = ResourceTarget {
            group: kind.group().to_owned(),
            resource: kind.plural.to_owned(),
            subresource: String::new(),
            namespace: namespace.filter(|_| kind.namespaced).unwrap_or_default().to_owned(),
            name: name.to_owned(),
        };
        Ok(authorize(self.sys.store(), &self.user(), &Attributes::resource(verb, target))?)
    }
}

/// The resource that a word names, and what is to be warned of.
fn resource(cli: &mut Cli<'_>, word: &str) -> (String, String) {
    if word == "*" {
        return (String::new(), word.to_owned());
    }
    let Some(kind) = kinds::find(word) else {
        if !["users", "groups"].contains(&word) {
            let (name, group) = word.split_once('.').unwrap_or((word, ""));
            let place = if group.is_empty() { String::new() } else { format!(" in group '{group}'") };
            cli.err(&format!("Warning: the server doesn't have a resource type '{name}'{place}\n\n"));
        }
        return (String::new(), word.to_owned());
    };
    if !kind.namespaced && !cli.flags.on("all-namespaces") {
        let place = match kind.group() {
            "" => String::new(),
            group => format!(" in group '{group}'"),
        };
        cli.err(&format!("Warning: resource '{}' is not namespace scoped{place}\n\n", kind.plural));
    }
    (kind.group().to_owned(), kind.plural.to_owned())
}

/// Runs `auth can-i`.
pub fn can_i(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let words = cli.flags.words.clone();
    let part = cli.flags.get("subresource").unwrap_or_default().to_owned();
    let (everywhere, quiet) = (cli.flags.on("all-namespaces"), cli.flags.on("quiet"));
    if cli.flags.on("list") {
        if !words.is_empty() {
            return Err(Failure::Own("list option must be specified with no arguments".to_owned()));
        }
        if quiet || everywhere || !part.is_empty() {
            let why =
                "list option can't be specified with neither quiet, all-namespaces nor subresource options";
            return Err(Failure::Own(why.to_owned()));
        }
        return list(cli);
    }
    let [verb, what] = &words[..] else {
        return Err(Failure::Own(
            "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' \
             for help and examples."
                .to_owned(),
        ));
    };
    if cli.flags.on("no-headers") {
        return Err(Failure::Own("--no-headers cannot be set without --list specified".to_owned()));
    }
    cli.config.connect(cli.sys)?;
    let (known, wanted) = if what.starts_with('/') {
        if !part.is_empty() {
            return Err(Failure::Own("--subresource can not be used with NonResourceURL".to_owned()));
        }
        (PATH_VERBS.contains(&verb.as_str()), Attributes::path(verb, what))
    } else {
        let (word, name) = what.split_once('/').unwrap_or((what, ""));
        let (group, resource) = resource(cli, word);
        let namespace = if everywhere { String::new() } else { cli.config.namespace.clone() };
        let target = ResourceTarget { group, resource, subresource: part, namespace, name: name.to_owned() };
        (VERBS.contains(&verb.as_str()), Attributes::resource(verb, target))
    };
    if !known {
        cli.err(&format!("Warning: verb '{verb}' is not a known verb\n\n"));
    }
    let allowed = authorize(cli.sys.store(), &cli.user(), &wanted);
    let line = match &allowed {
        Ok(()) => "yes\n".to_owned(),
        Err(error) => match error.message.split_once(": RBAC: ") {
            Some((_, why)) => format!("no - RBAC: {why}\n"),
            None => "no\n".to_owned(),
        },
    };
    if !quiet {
        cli.out(&line);
    }
    Ok(Then::Exit(i32::from(allowed.is_err())))
}

/// `auth can-i --list`.
fn list(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    cli.config.connect(cli.sys)?;
    let found = rules_of(cli.sys.store(), &cli.user(), &cli.config.namespace);
    let missing: Vec<String> = found.iter().filter_map(|one| one.clone().err()).collect();
    if !missing.is_empty() {
        cli.err(&format!("Warning: the list may be incomplete: {}\n", missing.join(", ")));
    }
    let found: Vec<_> = found.into_iter().flatten().collect();
    let mut table = Table::default();
    if !cli.flags.on("no-headers") {
        table.row(rules::HEADINGS.map(str::to_owned).to_vec());
    }
    rules::lines(&found).into_iter().for_each(|line| table.row(line.to_vec()));
    cli.out(&table.flush());
    Ok(Then::Exit(0))
}

/// Runs `auth whoami`.
pub fn who_am_i(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let format = Format::of(cli)?;
    cli.config.connect(cli.sys)?;
    let user = cli.user();
    if !matches!(format, Format::Table { .. }) {
        let found = serde_json::json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "SelfSubjectReview",
            "metadata": {"creationTimestamp": crate::time::time(cli.now())},
            "status": {"userInfo": review::info(&user)},
        });
        cli.out(&format.print(&found, true));
        return Ok(Then::Exit(0));
    }
    let mut table = Table::default();
    let mut row = |name: &str, value: String| table.row(vec![name.to_owned(), value]);
    row("ATTRIBUTE", "VALUE".to_owned());
    row("Username", user.name.clone());
    if !user.uid.is_empty() {
        row("UID", user.uid.clone());
    }
    row("Groups", format!("[{}]", user.groups.join(" ")));
    for (key, values) in &user.extra {
        row(&format!("Extra: {key}"), format!("[{}]", values.join(" ")));
    }
    cli.out(&table.flush());
    Ok(Then::Exit(0))
}
