//! What a runtime does to join a container to a network: it runs the plugins of a list one after the
//! other, each with the result of the one before, and keeps the last result. CNI: `libcni/api.go`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use world::{FileKind, Sys};

use super::call::Call;
use super::{CniError, at_least, files, go_json, ipam};

/// A network: its plugins in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkList {
    /// Its name.
    pub name: String,
    /// The version of the spec that it is written in; may be empty.
    pub version: String,
    plugins: Vec<Map<String, Value>>,
    disable_check: bool,
    /// Its text, which is kept beside the result.
    text: String,
}

/// A container's device in a network. CNI: `RuntimeConf`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachment {
    /// The container.
    pub container_id: String,
    /// The path of its namespace.
    pub netns: String,
    /// The device's name in it.
    pub ifname: String,
    /// `CNI_ARGS`.
    pub args: Vec<(String, String)>,
    /// What the runtime says to plugins that can do it, e.g. `portMappings`.
    pub capability_args: Map<String, Value>,
}

const PARSING: &str = "error parsing configuration";

impl NetworkList {
    /// The network of that name in a folder: lists come before single configurations.
    /// CNI: `LoadNetworkConf`.
    ///
    /// # Errors
    /// There is none, or a file that comes before it can't be read.
    pub fn load(sys: &mut dyn Sys, folder: &str, name: &str) -> Result<Self, String> {
        let lists = with_extension(sys, folder, &[".conflist"]);
        for path in &lists {
            let text = files::read(sys, path).map_err(|error| format!("error reading {path}: {error}"))?;
            let list = Self::parse(&text)?;
            if list.name == name {
                return Ok(list);
            }
        }
        let single = with_extension(sys, folder, &[".conf", ".json"]);
        if lists.is_empty() && single.is_empty() {
            return Err(format!("no net configurations found in {folder}"));
        }
        for path in &single {
            let text = files::read(sys, path).map_err(|error| format!("error reading {path}: {error}"))?;
            let plugin = plugin(&go_json::parse(&text).map_err(|error| format!("{PARSING}: {error}"))?)?;
            if plugin.get("name").and_then(Value::as_str) == Some(name) {
                return Ok(Self::of_one(name, plugin));
            }
        }
        Err(format!("no net configuration with name \"{name}\" in {folder}"))
    }

    /// The network that comes first in a folder, by the names of its files. go-cni:
    /// `loadFromConfDir`.
    ///
    /// # Errors
    /// There is none, or the first file is wrong.
    pub fn first(sys: &mut dyn Sys, folder: &str) -> Result<Self, String> {
        let files = with_extension(sys, folder, &[".conf", ".conflist", ".json"]);
        let path = files.first().ok_or_else(|| format!("no network config found in {folder}"))?;
        let text = files::read(sys, path).map_err(|error| format!("error reading {path}: {error}"))?;
        if path.ends_with(".conflist") {
            return Self::parse(&text)
                .map_err(|error| format!("failed to load CNI config list file {path}: {error}"));
        }
        Self::parse_one(&text).map_err(|error| format!("failed to load CNI config file {path}: {error}"))
    }

    /// A configuration of one plugin, as a list.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse_one(text: &str) -> Result<Self, String> {
        let plugin = plugin(&go_json::parse(text).map_err(|error| format!("{PARSING}: {error}"))?)?;
        let name = plugin.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Self::of_one(&name, plugin))
    }

    /// A list. CNI: `NetworkConfFromBytes`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        const LIST: &str = "error parsing configuration list";
        let value = go_json::parse(text).map_err(|error| format!("{LIST}: {error}"))?;
        let Value::Object(map) = &value else {
            return Err(format!(
                "{LIST}: json: cannot unmarshal into Go value of type map[string]interface {{}}"
            ));
        };
        let name = match map.get("name") {
            None => return Err(format!("{LIST}: no name")),
            Some(Value::String(name)) => name.clone(),
            Some(other) => return Err(format!("{LIST}: invalid name type {}", go_type(other))),
        };
        let version = match map.get("cniVersion") {
            None => String::new(),
            Some(Value::String(version)) => version.clone(),
            Some(other) => return Err(format!("{LIST}: invalid cniVersion type {}", go_type(other))),
        };
        let disable_check = match map.get("disableCheck") {
            None => false,
            Some(Value::Bool(disable)) => *disable,
            Some(Value::String(word)) if word.eq_ignore_ascii_case("true") => true,
            Some(Value::String(word)) if word.eq_ignore_ascii_case("false") => false,
            Some(Value::String(word)) => {
                return Err(format!("{LIST}: invalid value {:?} for disableCheck", word.to_lowercase()));
            }
            Some(other) => return Err(format!("{LIST}: invalid type {} for disableCheck", go_type(other))),
        };
        let plugins = match map.get("plugins") {
            None => return Err("no plugin configs found".to_owned()),
            Some(Value::Array(plugins)) if plugins.is_empty() => {
                return Err(format!("{LIST}: no plugins in list"));
            }
            Some(Value::Array(plugins)) => plugins,
            Some(other) => return Err(format!("{LIST}: invalid 'plugins' type {}", go_type(other))),
        };
        let numbered = |(i, value): (usize, &Value)| {
            plugin(value).map_err(|error| format!("failed to parse plugin config {i}: {error}"))
        };
        let plugins = plugins.iter().enumerate().map(numbered).collect::<Result<_, _>>()?;
        Ok(Self { name, version, plugins, disable_check, text: text.to_owned() })
    }

    /// A configuration of one plugin as a list. CNI: `ConfListFromConf`.
    fn of_one(name: &str, plugin: Map<String, Value>) -> Self {
        let version = plugin.get("cniVersion").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut text = json!({"name": name, "cniVersion": version, "plugins": [plugin.clone()]});
        text.sort_all_objects();
        Self {
            name: name.to_owned(),
            version,
            plugins: vec![plugin],
            disable_check: false,
            text: text.to_string(),
        }
    }
}

/// The files of a folder with one of these extensions, sorted.
fn with_extension(sys: &dyn Sys, folder: &str, extensions: &[&str]) -> Vec<String> {
    let entries = sys.read_dir(folder).unwrap_or_default().into_iter();
    let files = entries.filter(|entry| {
        entry.kind != FileKind::Dir && extensions.iter().any(|extension| entry.name.ends_with(extension))
    });
    files.map(|entry| format!("{folder}/{}", entry.name)).collect()
}

/// CNI: `NetworkPluginConfFromBytes`.
fn plugin(value: &Value) -> Result<Map<String, Value>, String> {
    match value {
        Value::Object(map)
            if map.get("type").and_then(Value::as_str).is_some_and(|kind| !kind.is_empty()) =>
        {
            Ok(map.clone())
        }
        _ => Err(format!("{PARSING}: missing 'type'")),
    }
}

/// `%T` of what encoding/json makes of a value.
fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// Runs the plugins of networks.
pub struct Runtime<'a> {
    /// System calls of the runtime's process.
    pub sys: &'a mut dyn Sys,
    /// Folders of plugins, with colons between.
    pub path: String,
}

/// Where results are kept.
const CACHE: &str = "/var/lib/cni/results";

fn cache_file(list: &NetworkList, to: &Attachment) -> String {
    format!("{CACHE}/{}-{}-{}", list.name, to.container_id, to.ifname)
}

impl Runtime<'_> {
    /// Joins a container to a network; answers the last plugin's result as it printed it.
    ///
    /// # Errors
    /// The plugin that failed, and why.
    pub fn add(&mut self, list: &NetworkList, to: &Attachment) -> Result<String, String> {
        let mut printed = String::new();
        let mut previous = None;
        for plugin in &list.plugins {
            let failed = |error: String| format!("plugin {} failed (add): {error}", description(plugin));
            printed = self.run("ADD", list, plugin, previous.take(), to).map_err(failed)?;
            previous = Some(go_json::parse(&printed).map_err(failed)?);
        }
        self.keep(list, to, previous.unwrap_or_default())
            .map_err(|error| format!("failed to set network {:?} cached result: {error}", list.name))?;
        Ok(printed)
    }

    /// Compares what is there with what was made.
    ///
    /// # Errors
    /// What differs.
    pub fn check(&mut self, list: &NetworkList, to: &Attachment) -> Result<(), String> {
        if !at_least(version(list), "0.4.0")? {
            return Err(format!("configuration version {:?} does not support CHECK", list.version));
        }
        if list.disable_check {
            return Ok(());
        }
        let previous = self.kept(list, to);
        for plugin in &list.plugins {
            self.run("CHECK", list, plugin, previous.clone(), to)?;
        }
        Ok(())
    }

    /// Takes a container out of a network: the plugins run in the other order.
    ///
    /// # Errors
    /// The plugin that failed, and why.
    pub fn del(&mut self, list: &NetworkList, to: &Attachment) -> Result<(), String> {
        let previous = if at_least(version(list), "0.4.0")? { self.kept(list, to) } else { None };
        for plugin in list.plugins.iter().rev() {
            self.run("DEL", list, plugin, previous.clone(), to)
                .map_err(|error| format!("plugin {} failed (delete): {error}", description(plugin)))?;
        }
        // A result that is gone already is as good.
        let _ = self.sys.unlink(&cache_file(list, to));
        Ok(())
    }

    fn run(
        &mut self,
        command: &str,
        list: &NetworkList,
        plugin: &Map<String, Value>,
        previous: Option<Value>,
        to: &Attachment,
    ) -> Result<String, String> {
        let name = plugin.get("type").and_then(Value::as_str).unwrap_or_default();
        let args: Vec<String> = to.args.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let call = Call {
            command: command.to_owned(),
            container_id: to.container_id.clone(),
            netns: to.netns.clone(),
            ifname: to.ifname.clone(),
            args: args.join(";"),
            path: self.path.clone(),
            netns_override: false,
            stdin: config(list, plugin, previous, to).to_string(),
        };
        ipam::delegate(self.sys, name, command, &call).map_err(|error| match error {
            CniError { msg, details, .. } if details.is_empty() => msg,
            CniError { msg, details, .. } => format!("{msg}; {details}"),
        })
    }

    /// CNI: `cacheAdd`.
    fn keep(&mut self, list: &NetworkList, to: &Attachment, mut result: Value) -> Result<(), String> {
        result.sort_all_objects();
        let mut kept = Map::new();
        kept.insert("kind".to_owned(), "cniCacheV1".into());
        kept.insert("containerId".to_owned(), to.container_id.clone().into());
        kept.insert("config".to_owned(), STANDARD.encode(&list.text).into());
        kept.insert("ifName".to_owned(), to.ifname.clone().into());
        kept.insert("networkName".to_owned(), list.name.clone().into());
        if !to.netns.is_empty() {
            kept.insert("netns".to_owned(), to.netns.clone().into());
        }
        if !to.args.is_empty() {
            kept.insert("cniArgs".to_owned(), json!(to.args));
        }
        if !to.capability_args.is_empty() {
            let mut capabilities = Value::Object(to.capability_args.clone());
            capabilities.sort_all_objects();
            kept.insert("capabilityArgs".to_owned(), capabilities);
        }
        kept.insert("result".to_owned(), result);
        files::make_folder(self.sys, CACHE)?;
        files::write(self.sys, &cache_file(list, to), &Value::Object(kept).to_string())
    }

    fn kept(&mut self, list: &NetworkList, to: &Attachment) -> Option<Value> {
        let text = files::read(self.sys, &cache_file(list, to)).ok()?;
        go_json::parse(&text).ok()?.get("result").cloned()
    }
}

fn version(list: &NetworkList) -> &str {
    if list.version.is_empty() { "0.1.0" } else { &list.version }
}

/// What a plugin gets on standard input. CNI: `buildOneConfig`, `injectRuntimeConfig`.
fn config(
    list: &NetworkList,
    plugin: &Map<String, Value>,
    previous: Option<Value>,
    to: &Attachment,
) -> Value {
    let mut config = plugin.clone();
    config.insert("name".to_owned(), list.name.clone().into());
    config.insert("cniVersion".to_owned(), list.version.clone().into());
    if let Some(previous) = previous {
        config.insert("prevResult".to_owned(), previous);
    }
    let can = |capability: &str| {
        let capabilities = plugin.get("capabilities");
        capabilities.and_then(|all| all.get(capability)).and_then(Value::as_bool) == Some(true)
    };
    let wanted: Map<String, Value> =
        to.capability_args.iter().filter(|(key, _)| can(key)).map(|(k, v)| (k.clone(), v.clone())).collect();
    if !wanted.is_empty() {
        config.insert("runtimeConfig".to_owned(), wanted.into());
    }
    let mut config = Value::Object(config);
    config.sort_all_objects();
    config
}

/// CNI: `pluginDescription`.
fn description(plugin: &Map<String, Value>) -> String {
    let text = |key: &str| plugin.get(key).and_then(Value::as_str).unwrap_or_default();
    match text("name") {
        "" => format!("type={:?}", text("type")),
        name => format!("type={:?} name={name:?}", text("type")),
    }
}
