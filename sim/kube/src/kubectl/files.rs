//! Objects in files: `-f FILE`, `-f DIRECTORY`, `-f -`.

use serde_json::{Map, Value};
use world::FileKind;

use super::cli::Cli;
use super::config::read_file;
use super::failure::Failure;
use super::kinds;
use super::target::Target;
use crate::api::manifest::{self, Places};
use crate::api::{ApiError, Part, Reason};

/// Reads all objects of all files. The namespace of an object that says none is that of the command.
///
/// # Errors
/// A file isn't there, is no YAML, or has something that is no object.
pub fn read(cli: &mut Cli<'_>) -> Result<Vec<Target>, Failure> {
    let mut targets = Vec::new();
    for outcome in read_each(cli)? {
        targets.push(outcome?);
    }
    Ok(targets)
}

/// Reads all objects of all files, each with what is wrong with it.
///
/// # Errors
/// A file isn't there or is no YAML.
pub fn read_each(cli: &mut Cli<'_>) -> Result<Vec<Result<Target, Failure>>, Failure> {
    let names: Vec<String> = cli.flags.list("filename").into_iter().map(str::to_owned).collect();
    let mut outcomes = Vec::new();
    for name in names {
        for (source, text) in texts(cli, &name)? {
            let documents = serde_saphyr::from_multiple_with_options::<Value>(&text, manifest::options());
            let documents = documents.map_err(|error| {
                let line = error.location().map_or(1, |at| at.line());
                Failure::Own(format!(
                    "error parsing {source}: error converting YAML to JSON: yaml: line {line}: {}",
                    error.without_snippet()
                ))
            })?;
            // What is no YAML to the one is none to the other.
            let places = Places::of(&text).unwrap_or_default();
            let places = places.iter().map(Some).chain(std::iter::repeat(None));
            for (document, places) in documents.into_iter().zip(places) {
                take(cli, document, places, &source, &mut outcomes);
            }
        }
    }
    Ok(outcomes)
}

/// The files that an argument names, with their texts.
fn texts(cli: &mut Cli<'_>, name: &str) -> Result<Vec<(String, String)>, Failure> {
    if name == "-" {
        return Ok(vec![("STDIN".to_owned(), cli.input.clone())]);
    }
    if name.starts_with("http://") || name.starts_with("https://") {
        return Err(Failure::not_simulated("-f with a URL"));
    }
    let stat = cli.sys.stat(name).map_err(|_| Failure::Own(format!("the path {name:?} does not exist")))?;
    if stat.kind != FileKind::Dir {
        let text = read_file(cli.sys, name).map_err(|errno| Failure::Own(format!("read {name}: {errno}")))?;
        return Ok(vec![(name.to_owned(), text)]);
    }
    let mut all = Vec::new();
    let mut folders = vec![name.trim_end_matches('/').to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in cli.sys.read_dir(&folder).unwrap_or_default() {
            let path = format!("{folder}/{}", entry.name);
            if entry.kind == FileKind::Dir && cli.flags.on("recursive") {
                folders.push(path);
            } else if [".json", ".yaml", ".yml"].iter().any(|end| path.ends_with(end)) {
                let text = read_file(cli.sys, &path).unwrap_or_default();
                all.push((path, text));
            }
        }
    }
    all.sort();
    if all.is_empty() {
        return Err(Failure::Own(format!(
            "error reading [{name}]: recognized file extensions are [.json .yaml .yml]"
        )));
    }
    Ok(all)
}

fn take(
    cli: &mut Cli<'_>,
    document: Value,
    places: Option<&Places>,
    source: &str,
    outcomes: &mut Vec<Result<Target, Failure>>,
) {
    let text = |field: &str| document.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (kind, version) = (text("kind"), text("apiVersion"));
    if document.is_null() {
        return;
    }
    if !document.is_object() {
        let why = "json: cannot unmarshal string into Go value of type map[string]interface {}";
        outcomes
            .push(Err(Failure::Own(format!("error parsing {source}: error converting YAML to JSON: {why}"))));
        return;
    }
    if kind.is_empty() {
        let body = serde_json::to_string(&sorted(&document)).unwrap_or_default();
        let why = format!("unable to decode {source:?}: Object 'Kind' is missing in '{body}'");
        outcomes.push(Err(Failure::Own(why)));
        return;
    }
    if version.is_empty() {
        outcomes.push(Err(Failure::Own(format!(
            "error validating {source:?}: error validating data: apiVersion not set; if you choose to ignore these \
             errors, turn validation off with --validate=false"
        ))));
        return;
    }
    if kind.ends_with("List") && document.get("items").is_some() {
        let items = document["items"].as_array().cloned().unwrap_or_default();
        let places = places.map(Places::items).unwrap_or_default();
        let places = places.iter().map(Some).chain(std::iter::repeat(None));
        for (item, places) in items.into_iter().zip(places) {
            take(cli, item, places, source, outcomes);
        }
        return;
    }
    let mut found = check(cli, &document, places, source, &kind, &version);
    if let Ok(target) = &mut found {
        target.places = places.cloned();
    }
    outcomes.push(found);
}

/// An object with its keys in order.
pub fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            Value::Object(keys.into_iter().map(|key| (key.clone(), sorted(&map[key]))).collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

fn check(
    cli: &mut Cli<'_>,
    document: &Value,
    places: Option<&Places>,
    source: &str,
    kind: &str,
    version: &str,
) -> Result<Target, Failure> {
    // JSON is YAML: what reads manifests converts and checks one object.
    let text = serde_json::to_string(document).unwrap_or_default();
    let read = manifest::read(&text).map_err(|error| {
        let version = version.rsplit('/').next().unwrap_or_default();
        let why = go_words(&error.message, kind);
        let message = format!("{kind} in version {version:?} cannot be handled as a {kind}: {why}");
        let failure =
            Failure::Server(ApiError::new(Reason::BadRequest, message)).about("creating", Some(source));
        let part = if error.message.starts_with("unknown field") { Part::Name } else { Part::Value };
        match places.map(|places| places.place(&error.path, part)) {
            Some((line, column)) => {
                let place = format!("hoplab: {source}:{line}:{column}: {}", error.path);
                Failure::Placed(Box::new(failure), vec![place])
            }
            None => failure,
        }
    })?;
    let Some(one) = read.into_iter().next() else {
        return Err(Failure::Own(format!("{source}: no object")));
    };
    for notice in &one.notices {
        cli.err(&format!("Warning: {notice}\n"));
    }
    let kind = kinds::of_object(&one.object);
    let mut object = one.object;
    if kind.namespaced {
        let own = object["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
        if own.is_empty() {
            object["metadata"]["namespace"] = cli.config.namespace.clone().into();
        } else if cli.config.explicit && own != cli.config.namespace {
            return Err(Failure::Own(format!(
                "the namespace from the provided object {own:?} does not match the namespace {:?}. You must pass \
                 '--namespace={own}' to perform this operation.",
                cli.config.namespace
            )));
        }
    } else if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("namespace");
    }
    Ok(Target::new(kind, object, Some(source.to_owned())))
}

/// What Go's JSON library says where ours says `json: spec.ports[0].port: invalid type: string "a",
/// expected i32`.
fn go_words(message: &str, kind: &str) -> String {
    if message.starts_with("unknown field") {
        return format!("strict decoding error: {message}");
    }
    let Some((path, why)) =
        message.strip_prefix("json: ").and_then(|rest| rest.split_once(": invalid type: "))
    else {
        return message.to_owned();
    };
    let (found, expected) = why.split_once(", expected ").unwrap_or((why, ""));
    let found = match found.split(' ').next().unwrap_or_default() {
        "string" => "string",
        "integer" | "floating" => "number",
        "boolean" => "bool",
        "sequence" => "array",
        "map" => "object",
        other => other,
    };
    let expected = match expected {
        "i32" => "int32",
        "i64" => "int64",
        "a boolean" => "bool",
        "a string" => "string",
        "a sequence" => "[]string",
        "a map" => "map[string]string",
        other => other,
    };
    let names: Vec<String> =
        path.split('.').map(|part| part.split('[').next().unwrap_or_default().to_owned()).collect();
    let holder = struct_of(kind, names.get(..names.len().saturating_sub(1)).unwrap_or_default());
    format!(
        "json: cannot unmarshal {found} into Go struct field {holder}.{} of type {expected}",
        names.join(".")
    )
}

/// The Go type that has a field, by the path of what holds it.
fn struct_of(kind: &str, holder: &[String]) -> String {
    let last = holder.last().map(String::as_str).unwrap_or_default();
    let inside = |name: &str| holder.iter().any(|part| part == name);
    match last {
        "" => kind.to_owned(),
        "metadata" => "ObjectMeta".to_owned(),
        "spec" if inside("template") => "PodSpec".to_owned(),
        "spec" => format!("{kind}Spec"),
        "ports" if inside("containers") => "ContainerPort".to_owned(),
        "ports" => format!("{kind}Port"),
        "containers" | "initContainers" => "Container".to_owned(),
        "env" => "EnvVar".to_owned(),
        "template" => "PodTemplateSpec".to_owned(),
        "selector" => "LabelSelector".to_owned(),
        "volumes" => "Volume".to_owned(),
        "volumeMounts" => "VolumeMount".to_owned(),
        other => {
            let mut chars = other.chars();
            chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::go_words;

    #[test]
    fn wrong_types_are_told_in_go_words() {
        let message = "json: spec.ports[0].port: invalid type: string \"many\", expected i32";
        assert_eq!(
            go_words(message, "Service"),
            "json: cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32"
        );
    }
}
