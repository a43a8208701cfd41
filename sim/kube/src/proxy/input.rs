//! What a proxier is given without a cluster: its configuration and objects, from YAML files.
//!
//! The configuration is kube-proxy's own (`KubeProxyConfiguration`), or the short `ProxyConfig`, or
//! none. Objects are as people write them: what an API server fills in is filled in, what it would
//! refuse is refused. Between them may stand `kind: Step` (sync now, then go on) and `kind: Delete`
//! (of the object that its `target` names: `Kind/namespace/name`).

mod configuration;
mod duration;
mod flags;
mod objects;
mod settings;
mod short;
mod validation;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;

pub(crate) use configuration::KubeProxyConfiguration;
pub use duration::GoDuration;

use super::{Family, Profile, ProxyConfig, ServiceName};
use crate::api::manifest::{self, Manifest, ManifestError, OwnKind};
use crate::api::{Mismatch, Part};
pub(super) use settings::Settings;
pub use validation::unknown_mode;

/// A file that was read.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Its name, for messages.
    pub name: &'a str,
    /// What is in it.
    pub text: &'a str,
}

/// What a proxier is given.
#[derive(Clone, Debug)]
pub struct Input {
    /// What it is told.
    pub config: ProxyConfig,
    /// The families of addresses; a proxier for each.
    pub families: Vec<Family>,
    /// The sysctls that kube-proxy sets before there is a proxier.
    pub sysctls: Vec<(String, String)>,
    /// The node's addresses.
    pub addresses: Vec<IpAddr>,
    /// The networks of the node's pods.
    pub pod_networks: Vec<IpNet>,
    /// What happens before each sync.
    pub steps: Vec<Step>,
    /// What a person should know.
    pub notices: Vec<Notice>,
}

/// What happens before a sync.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// The changes, in order.
    pub changes: Vec<Change>,
    /// The node's zone after them.
    pub zone: Option<String>,
}

/// A change of an object that a proxier watches; `None` if it is gone.
#[derive(Clone, Debug)]
pub enum Change {
    /// Of a Service.
    Service(ServiceName, Option<Arc<Service>>),
    /// Of a slice: namespace and name.
    Slice((String, String), Option<Arc<EndpointSlice>>),
}

/// What a person should know about a place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The file; none if it is about all of them.
    pub file: String,
    /// The line, from 1; 0 without a file.
    pub line: usize,
    /// What it says.
    pub text: String,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.file.as_str() {
            "" => f.write_str(&self.text),
            file => write!(f, "{file}:{}: {}", self.line, self.text),
        }
    }
}

/// What is wrong with the input, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// A place in a file.
    #[error("{file}:{line}:{column}: {message}")]
    At {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column, in characters, from 1.
        column: usize,
        /// What is wrong.
        message: String,
        /// What would do.
        hint: Option<String>,
    },
    /// There are several Nodes, and nothing says which is meant.
    #[error("{} Nodes, and nothing says which one the proxy runs on", names.len())]
    WhichNode {
        /// Their names.
        names: Vec<String>,
    },
    /// Pods are told by the node's network, and the node has none.
    #[error("detectLocalMode NodeCIDR needs `spec.podCIDR` of Node {node:?}")]
    NoPodNetwork {
        /// The node.
        node: String,
    },
}

impl InputError {
    /// What would do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::At { hint, .. } => hint.clone(),
            Self::WhichNode { names } => Some(format!("--node {}", names.join(", or --node "))),
            Self::NoPodNetwork { .. } => None,
        }
    }

    fn new(file: &str, error: ManifestError) -> Self {
        let ManifestError { line, column, message, hint, .. } = error;
        Self::At { file: file.to_owned(), line, column, message, hint }
    }
}

/// The kinds that only these files have.
const OWN_KINDS: [OwnKind; 4] = [
    OwnKind {
        api_version: Some(configuration::API_VERSION),
        kind: "KubeProxyConfiguration",
        check: check::<KubeProxyConfiguration>,
    },
    OwnKind {
        api_version: Some(short::API_VERSION),
        kind: "ProxyConfig",
        check: check::<short::ProxyConfigFile>,
    },
    OwnKind { api_version: None, kind: "Step", check: check::<objects::StepFile> },
    OwnKind { api_version: None, kind: "Delete", check: check::<objects::DeleteFile> },
];

fn check<T: serde::Serialize + serde::de::DeserializeOwned>(
    value: &serde_json::Value,
) -> Result<(), Mismatch> {
    crate::api::read::<T>(value).map(drop)
}

/// A document with its file.
struct Document<'a> {
    file: &'a str,
    manifest: Manifest,
}

impl Document<'_> {
    fn error(&self, path: &str, message: impl Into<String>, hint: Option<String>) -> InputError {
        InputError::new(self.file, ManifestError { hint, ..self.manifest.error(path, message) })
    }

    fn notice(&self, path: &str, text: String) -> Notice {
        Notice { file: self.file.to_owned(), line: self.manifest.place(path).0, text }
    }
}

/// Reads the file that kube-proxy's `--config` names. A field that it doesn't know it only logs.
/// Kubernetes: `loadConfig`.
///
/// # Errors
/// What the real one says, or much like it.
pub(super) fn configuration(text: &str) -> Result<(KubeProxyConfiguration, Option<String>), String> {
    const SCHEME: &str = "k8s.io/kubernetes/pkg/proxy/apis/config/scheme/scheme.go:29";
    let failed = |why: String| format!("failed to decode: {why}");
    let documents = manifest::values(text);
    let documents =
        documents.map_err(|error| failed(format!("yaml: line {}: {}", error.line, error.message)))?;
    let object = documents.into_iter().find(|value| !value.is_null()).unwrap_or_default();
    let word = |field: &str| object[field].as_str().unwrap_or_default();
    let (kind, version) = (word("kind"), word("apiVersion"));
    if kind.is_empty() {
        return Err(failed(format!("Object 'Kind' is missing in '{object}'")));
    }
    if (kind, version) != ("KubeProxyConfiguration", configuration::API_VERSION) {
        let what = format!("no kind {kind:?} is registered for version {version:?}");
        return Err(failed(format!("{what} in scheme {SCHEME:?}")));
    }
    match crate::api::read(&object) {
        Ok(configuration) => Ok((configuration, None)),
        Err(Mismatch { part: Part::Name, message, .. }) => {
            let read = serde_json::from_value(object).map_err(|error| failed(error.to_string()))?;
            Ok((read, Some(message)))
        }
        Err(mismatch) => Err(failed(mismatch.message)),
    }
}

impl Input {
    /// Reads files for a proxier; `node` is the name of its node if the person who asks says one.
    ///
    /// # Errors
    /// All that is wrong with the first file, configuration or object that can't be used.
    pub fn read(files: &[Source<'_>], node: Option<&str>, profile: Profile) -> Result<Self, Vec<InputError>> {
        let mut documents = Vec::new();
        for Source { name, text } in files {
            let manifests = manifest::read_with(text, &OWN_KINDS);
            let manifests = manifests.map_err(|error| vec![InputError::new(name, error)])?;
            documents.extend(manifests.into_iter().map(|manifest| Document { file: name, manifest }));
        }
        let is_config = |document: &Document<'_>| {
            matches!(document.manifest.kind(), "KubeProxyConfiguration" | "ProxyConfig")
        };
        let (configs, documents): (Vec<_>, Vec<_>) = documents.into_iter().partition(is_config);
        if let [_, second, ..] = &configs[..] {
            return Err(vec![second.error("kind", "a proxy has one configuration", None)]);
        }
        let mut settings = match configs.first() {
            None => settings::Settings::default(),
            Some(document) if document.manifest.kind() == "ProxyConfig" => short::settings(document)?,
            Some(document) => settings::of_configuration(document, profile)?,
        };
        settings.config.profile = profile;
        let mut objects = objects::Objects::read(&documents)?;
        let node = settings.find_node(node, &objects.nodes).map_err(|error| vec![error])?;
        let steps = objects.steps(&documents, &settings.config.node_name)?;
        let addresses = settings.addresses(node.as_deref());
        let families = settings.families();
        let pod_networks = settings::pod_networks(node.as_deref());
        let mut notices = std::mem::take(&mut settings.notices);
        notices.append(&mut objects.notices);
        let settings::Settings { config, sysctls, .. } = settings;
        Ok(Self { config, families, sysctls, addresses, pod_networks, steps, notices })
    }
}
