//! Manifests: YAML documents to objects, each with its place in the text.

mod convert;
mod yaml;

use serde_json::Value;

use super::{Mismatch, Part, ResourceType, resource};
use yaml::Yaml;
pub(crate) use yaml::options;

/// A kind that only the reader of some files knows: a component's configuration.
#[derive(Clone, Copy, Debug)]
pub struct OwnKind {
    /// Its version; none if its documents needn't say one.
    pub api_version: Option<&'static str>,
    /// Its name.
    pub kind: &'static str,
    /// Whether JSON is of the kind.
    pub check: fn(&Value) -> Result<(), Mismatch>,
}

/// An object of a manifest.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// Its type.
    pub resource: &'static ResourceType,
    /// The object, in today's version.
    pub object: Value,
    /// What a person should know about it: an old version that was converted, a kind that has no
    /// effect here.
    pub notices: Vec<String>,
    written: Yaml,
}

/// What is wrong with a manifest, and where. Lines and columns count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ManifestError {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
    /// The path of the field, e.g. `spec.ports[0].port`; empty if the text is no YAML.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What would do.
    pub hint: Option<String>,
}

impl Manifest {
    /// Line and column of the field with that path, or of what is nearest to it.
    pub fn place(&self, path: &str) -> (usize, usize) {
        self.written.place(path, Part::Value)
    }

    /// `kind`.
    pub fn kind(&self) -> &str {
        self.object["kind"].as_str().unwrap_or_default()
    }

    /// `metadata.name`.
    pub fn name(&self) -> &str {
        self.object["metadata"]["name"].as_str().unwrap_or_default()
    }

    /// `metadata.namespace`, if it says one.
    pub fn namespace(&self) -> Option<&str> {
        self.object["metadata"]["namespace"].as_str()
    }

    /// An error at the field with that path.
    pub fn error(&self, path: &str, message: impl Into<String>) -> ManifestError {
        let (line, column) = self.place(path);
        ManifestError { line, column, path: path.to_owned(), message: message.into(), hint: None }
    }
}

/// Where the fields of an object stand in the text of its file.
#[derive(Clone, Debug)]
pub struct Places(Yaml);

impl Places {
    /// Those of each document.
    ///
    /// # Errors
    /// It is no YAML.
    pub fn of(text: &str) -> Result<Vec<Self>, ManifestError> {
        Ok(yaml::documents(text)?.into_iter().map(Self).collect())
    }

    /// Those of the items of a list.
    pub fn items(&self) -> Vec<Self> {
        self.0.items("items").into_iter().map(Self).collect()
    }

    /// Line and column of a field that the API server names, or of what is nearest to it.
    pub fn place(&self, path: &str, part: Part) -> (usize, usize) {
        // It names some fields otherwise than they are written.
        let written = path.replace("spec.LoadBalancerSourceRanges", "spec.loadBalancerSourceRanges");
        let short = written.strip_prefix("spec.clusterIPs").map(|_| "spec.clusterIP");
        let place = |path: &str| self.0.place(path, part);
        short.map_or((1, 1), place).max(place(&written))
    }
}

/// Reads all documents of a text; the items of a `List` one by one.
///
/// # Errors
/// No YAML, no object, a field that the kind doesn't have or with a value of another type.
pub fn read(text: &str) -> Result<Vec<Manifest>, ManifestError> {
    read_with(text, &[])
}

/// All documents of a text as they stand there.
///
/// # Errors
/// It is no YAML.
pub fn values(text: &str) -> Result<Vec<Value>, ManifestError> {
    Ok(yaml::documents(text)?.iter().map(Yaml::to_json).collect())
}

/// Reads all documents of a text in which other kinds than the API server's may stand. A document of
/// such a kind has the type of what is only kept.
///
/// # Errors
/// As [`read`].
pub fn read_with(text: &str, own: &[OwnKind]) -> Result<Vec<Manifest>, ManifestError> {
    let mut manifests = Vec::new();
    for document in yaml::documents(text)? {
        take(document, own, &mut manifests)?;
    }
    Ok(manifests)
}

fn take(written: Yaml, own: &[OwnKind], manifests: &mut Vec<Manifest>) -> Result<(), ManifestError> {
    if written.is_null() {
        return Ok(());
    }
    let at = |path: &str, message: String, hint: Option<&str>| {
        let (line, column) = written.place(path, Part::Value);
        let hint = hint.map(str::to_owned);
        ManifestError { line, column, path: path.to_owned(), message, hint }
    };
    let mut object = written.to_json();
    if !object.is_object() {
        let hint = "an object has `apiVersion`, `kind` and `metadata`";
        return Err(at("", "expected a Kubernetes object".to_owned(), Some(hint)));
    }
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (kind, api_version) = (text("kind"), text("apiVersion"));
    let own_kind = own.iter().find(|own| own.kind == kind);
    let needs_version = own_kind.is_none_or(|own| own.api_version.is_some());
    for (field, value) in [("apiVersion", &api_version), ("kind", &kind)] {
        if value.is_empty() && (field == "kind" || needs_version) {
            return Err(at(field, format!("the object has no `{field}`"), None));
        }
    }
    if kind == "List" || kind.ends_with("List") && object.get("items").is_some() {
        for item in written.items("items") {
            take(item, own, manifests)?;
        }
        return Ok(());
    }
    let wrong = |mismatch: Mismatch| {
        let message = mismatch.message.trim_start_matches("strict decoding error: ").to_owned();
        let (line, column) = written.place(&mismatch.path, mismatch.part);
        let hint = mismatch.nearest.map(|name| format!("did you mean `{name}`?"));
        ManifestError { line, column, path: mismatch.path, message, hint }
    };
    if let Some(own) = own_kind {
        if let Some(version) = own.api_version.filter(|version| *version != api_version) {
            let message = format!("no kind \"{kind}\" is registered for version \"{api_version}\"");
            return Err(at("apiVersion", message, Some(&format!("write `{version}`"))));
        }
        (own.check)(&object).map_err(wrong)?;
        let resource = resource("", "");
        manifests.push(Manifest { resource, object, notices: Vec::new(), written });
        return Ok(());
    }
    let mut notices = Vec::new();
    let converted = convert::to_current(&mut object, &mut notices);
    converted.map_err(|(path, message)| at(&path, message, None))?;
    let resource = resource(object["apiVersion"].as_str().unwrap_or_default(), &kind);
    if resource.plural == "unsimulated" {
        notices.push(format!("{api_version} {kind} is kept, and not simulated"));
    }
    (resource.check)(&object).map_err(wrong)?;
    manifests.push(Manifest { resource, object, notices, written });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(text: &str) -> String {
        match read(text) {
            Err(error) => error.to_string(),
            Ok(all) => {
                let line = |m: &Manifest| {
                    let notices: String = m.notices.iter().map(|notice| format!(" ({notice})")).collect();
                    format!("{} {}{notices}\n", m.resource.kind, m.name())
                };
                all.iter().map(line).collect()
            }
        }
    }

    #[test]
    fn documents_lists_and_old_versions_are_read() {
        let text = "---\n# nothing\n---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Namespace, \
                    metadata: {name: app-ns}}\n- apiVersion: extensions/v1beta1\n  kind: Deployment\n  metadata:\n    \
                    name: web\n  spec:\n    template:\n      metadata:\n        labels: {app: web}\n      spec:\n        \
                    containers:\n        - {name: c, image: nginx}\n---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\n";
        assert_eq!(
            outcome(text),
            "Namespace app-ns\nDeployment web (extensions/v1beta1 Deployment is read as apps/v1)\n\
             Unsimulated j (batch/v1 Job is kept, and not simulated)\n"
        );
    }

    #[test]
    fn a_mistake_is_named_with_line_and_column() {
        let service =
            |spec: &str| format!("apiVersion: v1\nkind: Service\nmetadata:\n  name: a\nspec:\n{spec}");
        for (text, expected) in [
            (
                service("  ports:\n  - port: 80\n    nodeport: 1\n"),
                "line 8, column 5: unknown field \"spec.ports[0].nodeport\"",
            ),
            (
                service("  ports:\n  - port: many\n"),
                "line 7, column 11: json: spec.ports[0].port: invalid type: string \"many\", expected i32",
            ),
            ("kind: Pod\n".to_owned(), "line 1, column 1: the object has no `apiVersion`"),
            ("- a\n".to_owned(), "line 1, column 1: expected a Kubernetes object"),
        ] {
            assert_eq!(outcome(&text), expected, "{text}");
        }
        let broken = read("a: [1\nb: 2\n").expect_err("no YAML");
        assert!(broken.line >= 1 && !broken.message.is_empty());
    }
}
