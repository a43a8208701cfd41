//! Commands that change a part of objects: `label`, `annotate`, `patch`, `scale`, `set`.

use serde_json::{Map, Value, json};

use super::cli::{Cli, DryRun, Then};
use super::failure::Failure;
use super::output::Format;
use super::patch;
use super::print::{list, number};
use super::target::{self, Target, TypeAlone};

/// Kinds whose status a client can't change with the rest: it is a subresource.
const WITH_STATUS: &[&str] = &[
    "Pod",
    "Service",
    "Deployment",
    "ReplicaSet",
    "DaemonSet",
    "StatefulSet",
    "Node",
    "Namespace",
    "Ingress",
];

/// `--record`: writes the command line into an object.
pub fn record(cli: &Cli<'_>, object: &mut Value) {
    if cli.flags.on("record") {
        put(object, &["metadata", "annotations"], "kubernetes.io/change-cause", cli.line.clone().into());
    }
}

/// Gives an object the status that it has in the cluster; none if it is new.
pub fn keep_status(old: Option<&Value>, new: &mut Value) {
    if !WITH_STATUS.contains(&new["kind"].as_str().unwrap_or_default()) {
        return;
    }
    let Some(fields) = new.as_object_mut() else { return };
    match old.and_then(|old| old.get("status")) {
        Some(status) => drop(fields.insert("status".to_owned(), status.clone())),
        None => drop(fields.shift_remove("status")),
    }
}

/// Replaces an object by a changed one, unless it is only tried.
///
/// # Errors
/// The API server's refusal.
pub fn store(cli: &mut Cli<'_>, target: &Target, changed: &Value, dry_run: DryRun) -> Result<Value, Failure> {
    match dry_run {
        DryRun::Client => Ok(changed.clone()),
        DryRun::No => {
            let mut changed = changed.clone();
            keep_status(Some(&target.object), &mut changed);
            record(cli, &mut changed);
            Ok((target.kind.resource.update)(cli.sys, &changed)?)
        }
    }
}

/// Says what was done with an object, or prints it.
pub fn tell(
    cli: &mut Cli<'_>,
    format: &Format,
    target: &Target,
    object: &Value,
    done: &str,
    dry_run: DryRun,
) {
    let text = match format {
        Format::Table { .. } => format!("{} {done}{}\n", target.printed(), dry_run.note()),
        format => format.print(object, true),
    };
    cli.out(&text);
}

/// Splits words into resources and `KEY=VALUE` or `KEY-` pairs.
fn pairs(words: &[String], what: &str) -> Result<(Vec<String>, Vec<String>), Failure> {
    let is_pair = |word: &String| word.contains('=') || word.ends_with('-');
    let first = words.iter().position(is_pair).unwrap_or(words.len());
    let (resources, pairs) = words.split_at(first);
    if let Some(word) = pairs.iter().find(|word| !is_pair(word)) {
        return Err(Failure::Own(format!("all resources must be specified before {what} changes: {word}")));
    }
    Ok((resources.to_vec(), pairs.to_vec()))
}

/// What `label` and `annotate` have apart.
#[derive(Clone, Copy)]
struct Words {
    field: &'static str,
    noun: &'static str,
    done: &'static str,
}

/// Runs `label`.
pub fn label(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    mark(cli, Words { field: "labels", noun: "label", done: "labeled" })
}

/// Runs `annotate`.
pub fn annotate(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    mark(cli, Words { field: "annotations", noun: "annotation", done: "annotated" })
}

const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or \
                           '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or \
                           'my_value',  or '12345', regex used for validation is \
                           '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

fn is_label_value(value: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric();
    value.is_empty()
        || value.len() <= 63
            && value.starts_with(plain)
            && value.ends_with(plain)
            && value.chars().all(|c| plain(c) || "-_.".contains(c))
}

fn mark(cli: &mut Cli<'_>, words: Words) -> Result<Then, Failure> {
    let Words { field, noun, done } = words;
    let (resources, pairs) = pairs(&cli.flags.words, noun)?;
    let listing = cli.flags.on("list");
    if resources.is_empty() && cli.flags.get("filename").is_none() {
        return Err(Failure::Own(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>".to_owned(),
        ));
    }
    if pairs.is_empty() && !listing {
        return Err(Failure::Own(format!("at least one {noun} update is required")));
    }
    let (mut set, mut remove) = (Vec::new(), Vec::new());
    for pair in &pairs {
        match pair.split_once('=') {
            Some((key, value)) => {
                if noun == "label" && !is_label_value(value) {
                    return Err(Failure::Own(format!("invalid label value: {pair:?}: {LABEL_VALUE}")));
                }
                set.push((key.to_owned(), value.to_owned()));
            }
            None => remove.push(pair.trim_end_matches('-').to_owned()),
        }
    }
    if set.iter().any(|(key, _)| remove.contains(key)) {
        return Err(Failure::Own(format!("can not both modify and remove a {noun} in the same command")));
    }
    let format = Format::of(cli)?;
    let dry_run = cli.dry_run()?;
    let overwrite = cli.flags.on("overwrite");
    for target in target::live(cli, &resources, TypeAlone::NeedsMore)? {
        let old = target.object["metadata"][field].as_object().cloned().unwrap_or_default();
        if listing {
            let lines: String = old
                .iter()
                .map(|(key, value)| format!("{key}={}\n", value.as_str().unwrap_or_default()))
                .collect();
            cli.out(&lines);
            continue;
        }
        let clash = |(key, value): &&(String, String)| {
            old.get(key).and_then(Value::as_str).is_some_and(|old| old != value || noun == "annotation")
        };
        if let Some((key, _)) = set.iter().find(clash).filter(|_| !overwrite) {
            let has = old.get(key).and_then(Value::as_str).unwrap_or_default();
            return Err(Failure::Own(match noun {
                "label" => format!("'{key}' already has a value ({has}), and --overwrite is false"),
                _ => format!(
                    "--overwrite is false but found the following declared annotation(s): '{key}' already has a value \
                     ({has})"
                ),
            }));
        }
        let mut new = old.clone();
        for key in &remove {
            if new.shift_remove(key).is_none() && noun == "label" {
                cli.out(&format!("label {key:?} not found.\n"));
            }
        }
        new.extend(set.iter().map(|(key, value)| (key.clone(), value.clone().into())));
        let word = match (noun, new == old, set.is_empty()) {
            ("label", true, _) => "not labeled",
            ("label", false, true) => "unlabeled",
            _ => done,
        };
        let mut changed = target.object.clone();
        changed["metadata"][field] = Value::Object(new);
        let object = store(cli, &target, &changed, dry_run)?;
        tell(cli, &format, &target, &object, word, dry_run);
    }
    Ok(Then::Exit(0))
}

/// Runs `patch`.
pub fn patch(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let file = cli.flags.get("patch-file").map(str::to_owned);
    let text = match (cli.flags.get("patch").map(str::to_owned), file) {
        (Some(_), Some(_)) => {
            return Err(Failure::Own("cannot specify --patch and --patch-file together".to_owned()));
        }
        (Some(text), None) => text,
        (None, Some(path)) => super::config::read_file(cli.sys, &path).map_err(|_| {
            Failure::Own(format!("unable to read patch file: open {path}: no such file or directory"))
        })?,
        (None, None) => {
            let why = "must specify --patch or --patch-file containing the contents of the patch";
            return Err(Failure::Own(why.to_owned()));
        }
    };
    let kind = cli.flags.get("type").unwrap_or("strategic").to_lowercase();
    if !["json", "merge", "strategic"].contains(&kind.as_str()) {
        return Err(Failure::Own(format!("--type must be one of [json merge strategic], not {kind:?}")));
    }
    let given: Value = serde_saphyr::from_str(&text).map_err(|error| {
        Failure::Own(format!("unable to parse {text:?}: yaml: {}", error.without_snippet()))
    })?;
    let format = Format::of(cli)?;
    let dry_run = cli.dry_run()?;
    let words = cli.flags.words.clone();
    for target in target::live(cli, &words, TypeAlone::NeedsMore)? {
        let mut changed = target.object.clone();
        let simulated = target.kind.resource.kind != "Unsimulated";
        let outcome = match kind.as_str() {
            "json" => patch::json(&mut changed, &given),
            "strategic" if simulated => patch::strategic(&mut changed, &given),
            _ => {
                patch::merge(&mut changed, &given);
                Ok(())
            }
        };
        outcome.map_err(|why| match kind.as_str() {
            "json" => Failure::Plain(format!("The request is invalid: the server rejected our request due to an error in our request: {why}")),
            _ => Failure::Own(why),
        })?;
        let object = store(cli, &target, &changed, dry_run)?;
        let done = if object == target.object { "patched (no change)" } else { "patched" };
        tell(cli, &format, &target, &object, done, dry_run);
    }
    Ok(Then::Exit(0))
}

/// Runs `scale`.
pub fn scale(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let Some(replicas) = cli.flags.int("replicas").filter(|&replicas| replicas >= 0) else {
        return Err(Failure::Own(
            "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0".to_owned(),
        ));
    };
    let expected = cli.flags.int("current-replicas").filter(|&count| count >= 0);
    let format = Format::of(cli)?;
    let dry_run = cli.dry_run()?;
    let words = cli.flags.words.clone();
    let targets = target::live(cli, &words, TypeAlone::NeedsMore)?;
    if targets.is_empty() {
        return Err(Failure::Own("no objects passed to scale".to_owned()));
    }
    for target in targets {
        if !["Deployment", "ReplicaSet", "StatefulSet"].contains(&target.kind.kind) {
            return Err(Failure::Own(
                "could not find scale subresource: the server could not find the requested resource"
                    .to_owned(),
            ));
        }
        let now = number(&target.object, "/spec/replicas");
        if let Some(expected) = expected.filter(|&expected| expected != now) {
            return Err(Failure::Own(format!("Expected replicas to be {expected}, was {now}")));
        }
        let mut changed = target.object.clone();
        changed["spec"]["replicas"] = replicas.into();
        let object = store(cli, &target, &changed, dry_run)?;
        tell(cli, &format, &target, &object, "scaled", dry_run);
    }
    Ok(Then::Exit(0))
}

/// The pod specification in an object, and the path to it.
fn pod_spec(kind: &str) -> &'static str {
    if kind == "Pod" { "/spec" } else { "/spec/template/spec" }
}

/// Changes the containers of what the words name; says so of each object that has changed.
fn set(
    cli: &mut Cli<'_>,
    done: &str,
    pairs: &[(String, Option<String>)],
    change: fn(&mut Value, &str, Option<&str>),
    by_container: bool,
) -> Result<Then, Failure> {
    let format = Format::of(cli)?;
    let dry_run = cli.dry_run()?;
    let words: Vec<String> = cli.flags.words.iter().filter(|word| !is_assignment(word)).cloned().collect();
    let only = cli.flags.get("containers").map(str::to_owned);
    for target in target::live(cli, &words, TypeAlone::NeedsMore)? {
        let mut changed = target.object.clone();
        let spec = changed.pointer_mut(pod_spec(target.kind.kind)).and_then(Value::as_object_mut);
        let mut found = vec![false; pairs.len()];
        for list in spec.into_iter().flat_map(|spec| {
            spec.iter_mut().filter(|(key, _)| ["containers", "initContainers"].contains(&key.as_str()))
        }) {
            for container in list.1.as_array_mut().into_iter().flatten() {
                let name = container["name"].as_str().unwrap_or_default().to_owned();
                for ((key, value), found) in pairs.iter().zip(&mut found) {
                    let wanted = match by_container {
                        true => key == "*" || *key == name,
                        false => only.as_ref().is_none_or(|only| only == "*" || *only == name),
                    };
                    if wanted {
                        *found = true;
                        change(container, key, value.as_deref());
                    }
                }
            }
        }
        if let Some((missing, _)) = pairs.iter().zip(&found).find(|(_, found)| !**found) {
            return Err(Failure::Own(format!("error: unable to find container named {:?}", missing.0)));
        }
        if changed == target.object {
            continue;
        }
        let object = store(cli, &target, &changed, dry_run)?;
        tell(cli, &format, &target, &object, done, dry_run);
    }
    Ok(Then::Exit(0))
}

fn is_assignment(word: &str) -> bool {
    word.contains('=') || word.ends_with('-')
}

/// Runs `set image`.
pub fn set_image(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let pairs: Vec<(String, Option<String>)> = cli
        .flags
        .words
        .iter()
        .filter_map(|word| word.split_once('='))
        .map(|(name, image)| (name.to_owned(), Some(image.to_owned())))
        .collect();
    if pairs.is_empty() {
        return Err(Failure::Own("at least one image update is required".to_owned()));
    }
    let image = |container: &mut Value, _: &str, image: Option<&str>| {
        container["image"] = image.unwrap_or_default().into();
    };
    set(cli, "image updated", &pairs, image, true)
}

/// Runs `set env`.
pub fn set_env(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let pairs: Vec<(String, Option<String>)> = cli
        .flags
        .words
        .iter()
        .filter(|word| is_assignment(word))
        .map(|word| match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word.trim_end_matches('-').to_owned(), None),
        })
        .collect();
    if pairs.is_empty() {
        return Err(Failure::Own("at least one environment variable must be provided".to_owned()));
    }
    let env = |container: &mut Value, name: &str, value: Option<&str>| {
        let mut all: Vec<Value> = list(container, "/env").to_vec();
        let at = all.iter().position(|one| one["name"].as_str() == Some(name));
        match (at, value) {
            (Some(at), None) => drop(all.remove(at)),
            (Some(at), Some(value)) => all[at] = json!({"name": name, "value": value}),
            (None, Some(value)) => all.push(json!({"name": name, "value": value})),
            (None, None) => return,
        }
        container["env"] = Value::Array(all);
    };
    set(cli, "env updated", &pairs, env, false)
}

/// Puts a text into a map of an object, made if it isn't there.
pub fn put(object: &mut Value, pointer: &[&str], key: &str, value: Value) {
    let mut at = object;
    for part in pointer {
        if !at[*part].is_object() {
            at[*part] = Value::Object(Map::new());
        }
        at = &mut at[*part];
    }
    at[key] = value;
}
