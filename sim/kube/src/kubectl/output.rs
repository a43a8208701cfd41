//! `-o`: how objects are printed.

use serde_json::{Value, json};

use super::cli::Cli;
use super::failure::Failure;
use super::files::sorted;
use super::jsonpath::{Template, text_of};
use super::kinds;
use super::table::Table;
use crate::cni::go_json;

/// A format of objects.
#[derive(Clone, Debug)]
pub enum Format {
    /// Columns for people.
    Table {
        /// All of them.
        wide: bool,
    },
    /// `-o yaml`.
    Yaml,
    /// `-o json`.
    Json,
    /// `-o name`.
    Name,
    /// `-o jsonpath=…`.
    JsonPath(Template),
    /// `-o jsonpath-as-json=…`.
    JsonPathAsJson(Template),
    /// `-o custom-columns=…`: headings and paths.
    CustomColumns(Vec<(String, Template)>),
}

const ALLOWED: &str = "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,\
                       jsonpath-file,name,template,templatefile,wide,yaml";

impl Format {
    /// What `-o` says; a table if it says nothing.
    ///
    /// # Errors
    /// There is no such format, or its template is wrong.
    pub fn of(cli: &mut Cli<'_>) -> Result<Self, Failure> {
        let Some(given) = cli.flags.get("output").map(str::to_owned) else {
            return Ok(Self::Table { wide: false });
        };
        let (name, argument) = given.split_once('=').unwrap_or((&given, ""));
        let mut argument = argument.to_owned();
        let mut name = name.to_owned();
        if let Some(base) = name.strip_suffix("-file").filter(|base| !base.starts_with("go-")) {
            argument = super::config::read_file(cli.sys, &argument).map_err(|_| {
                Failure::Own(format!(
                    "error reading --template {argument}, open {argument}: no such file or directory"
                ))
            })?;
            name = base.to_owned();
        } else if argument.is_empty() {
            argument = cli.flags.get("template").unwrap_or_default().to_owned();
        }
        let template = |text: &str| {
            if text.is_empty() {
                return Err(Failure::Own("template format specified but no template given".to_owned()));
            }
            Template::parse(text).map_err(|why| Failure::Own(format!("error parsing jsonpath {text}, {why}")))
        };
        Ok(match name.as_str() {
            "" => Self::Table { wide: false },
            "wide" => Self::Table { wide: true },
            "yaml" => Self::Yaml,
            "json" => Self::Json,
            "name" => Self::Name,
            "jsonpath" => Self::JsonPath(template(&argument)?),
            "jsonpath-as-json" => Self::JsonPathAsJson(template(&argument)?),
            "custom-columns" => Self::CustomColumns(columns(&argument)?),
            "go-template" | "go-template-file" | "template" | "templatefile" => {
                return Err(Failure::not_simulated(&format!("-o {name}")));
            }
            _ => {
                return Err(Failure::Own(format!(
                    "unable to match a printer suitable for the output format {name:?}, allowed formats are: {ALLOWED}"
                )));
            }
        })
    }

    /// Prints an object or a `List`; a table is none of these formats.
    pub fn print(&self, object: &Value, headers: bool) -> String {
        let items = || match object.get("items").filter(|_| object["kind"] == "List") {
            Some(Value::Array(items)) => items.clone(),
            _ => vec![object.clone()],
        };
        match self {
            Self::Table { .. } => String::new(),
            Self::Yaml => super::yaml::print(&shaped(object)),
            Self::Json => format!("{}\n", go_json::print(&sorted(&shaped(object)))),
            Self::Name => items().iter().map(|item| format!("{}\n", name(item))).collect(),
            Self::JsonPath(template) => template.print(&shaped(object)),
            Self::JsonPathAsJson(template) => {
                let shaped = shaped(object);
                let values: Vec<Value> = template.values(&shaped).into_iter().map(sorted).collect();
                format!("{}\n", go_json::print(&Value::Array(values)))
            }
            Self::CustomColumns(columns) => {
                let mut table = Table::default();
                if headers {
                    table.row(columns.iter().map(|(heading, _)| heading.clone()).collect());
                }
                for item in items() {
                    let item = shaped(&item);
                    let cell = |template: &Template| {
                        let all: Vec<String> = template.values(&item).into_iter().map(text_of).collect();
                        if all.is_empty() { "<none>".to_owned() } else { all.join(",") }
                    };
                    table.row(columns.iter().map(|(_, template)| cell(template)).collect());
                }
                table.flush()
            }
        }
    }
}

/// `pod/web`, `deployment.apps/web`.
pub fn name(object: &Value) -> String {
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    let kind = text("kind").to_ascii_lowercase();
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    match kinds::group(text("apiVersion")) {
        "" => format!("{kind}/{name}"),
        group => format!("{kind}.{group}/{name}"),
    }
}

fn columns(text: &str) -> Result<Vec<(String, Template)>, Failure> {
    if text.is_empty() {
        return Err(Failure::Own("custom-columns format specified but no custom columns given".to_owned()));
    }
    text.split(',')
        .map(|column| {
            let (heading, path) = column.split_once(':').ok_or_else(|| {
                Failure::Own(format!(
                    "unexpected custom-columns spec: {column}, expected <header>:<json-path-expr>"
                ))
            })?;
            let path = Template::relaxed(path).map_err(Failure::Own)?;
            Ok((heading.to_owned(), path))
        })
        .collect()
}

/// Several objects as one.
pub fn list_of(objects: Vec<Value>) -> Value {
    json!({"apiVersion": "v1", "items": objects, "kind": "List", "metadata": {"resourceVersion": ""}})
}

/// An object with the empty fields that Go's types always write.
pub fn shaped(object: &Value) -> Value {
    let mut object = object.clone();
    if object["kind"] == "List" {
        for item in object["items"].as_array_mut().into_iter().flatten() {
            *item = shaped(item);
        }
        return object;
    }
    let pod_spec = match object["kind"].as_str().unwrap_or_default() {
        "Pod" => "/spec",
        "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet" => "/spec/template/spec",
        _ => return object,
    };
    if let Some(metadata) = object.pointer_mut("/spec/template/metadata").and_then(Value::as_object_mut) {
        metadata.entry("creationTimestamp").or_insert(Value::Null);
    }
    if let Some(spec) = object.pointer_mut(pod_spec) {
        for list in ["containers", "initContainers"] {
            let containers = spec.get_mut(list).and_then(Value::as_array_mut);
            for container in containers.into_iter().flatten().filter_map(Value::as_object_mut) {
                container.entry("resources").or_insert_with(|| json!({}));
            }
        }
    }
    object
}
