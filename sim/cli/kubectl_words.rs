use kube::api::{RESOURCES, ResourceType};
use world::World;

/// kubectl's commands that take objects, or stand alone.
const COMMANDS: [&str; 26] = [
    "annotate",
    "api-resources",
    "apply",
    "cluster-info",
    "config",
    "cordon",
    "create",
    "delete",
    "describe",
    "drain",
    "exec",
    "expose",
    "get",
    "label",
    "logs",
    "patch",
    "port-forward",
    "replace",
    "rollout",
    "run",
    "scale",
    "set",
    "taint",
    "uncordon",
    "version",
    "wait",
];

/// What the last word after `kubectl` may become, after the words before it.
pub(crate) fn kubectl_words(world: &World, words: &[&str], last: &str) -> Vec<String> {
    let (namespace, words) = without_namespace(words);
    let of_kind = |plural: &str| objects(world, namespace, plural);
    if let Some(("pod" | "pods" | "svc" | "service" | "deploy" | "deployment", _)) = last.split_once('/') {
        let (kind, _) = last.split_once('/').unwrap_or_default();
        return of_kind(kind).into_iter().map(|name| format!("{kind}/{name}")).collect();
    }
    match words.as_slice() {
        _ if matches!(words.last(), Some(&("-n" | "--namespace"))) => of_kind("namespaces"),
        [] => COMMANDS.map(str::to_owned).to_vec(),
        ["exec" | "logs" | "port-forward"] => of_kind("pods"),
        ["cordon" | "uncordon" | "drain" | "taint"] => of_kind("nodes"),
        ["get" | "describe" | "delete" | "patch" | "label" | "annotate" | "scale" | "expose" | "edit"] => {
            RESOURCES.iter().map(|kind| kind.plural.to_owned()).collect()
        }
        [
            "get" | "describe" | "delete" | "patch" | "label" | "annotate" | "scale" | "expose" | "edit",
            kind,
        ] => of_kind(kind),
        _ => Vec::new(),
    }
}

/// The namespace that `-n NAME` says, and the words without it.
fn without_namespace<'a>(words: &[&'a str]) -> (&'a str, Vec<&'a str>) {
    let (mut namespace, mut kept) = ("default", Vec::new());
    let mut rest = words.iter().copied().peekable();
    while let Some(word) = rest.next() {
        match (word, rest.peek()) {
            ("-n" | "--namespace", Some(name)) => {
                namespace = name;
                rest.next();
            }
            _ => kept.push(word),
        }
    }
    (namespace, kept)
}

fn objects(world: &World, namespace: &str, kind: &str) -> Vec<String> {
    let is_called =
        |kind_: &&ResourceType| kind_.plural == kind || kind_.singular == kind || kind_.short.contains(&kind);
    let Some(found) = RESOURCES.iter().find(is_called) else { return Vec::new() };
    let objects = (found.list)(world.store(), found.namespaced.then_some(namespace));
    let name = |object: &serde_json::Value| Some(object["metadata"]["name"].as_str()?.to_owned());
    objects.iter().filter_map(name).collect()
}
