//! The arguments of `kube-proxy`.

use serde_json::Value;

use super::Profile;
use super::input::{KubeProxyConfiguration, Settings};
use crate::controllers::flags::pairs;

/// Flags that change nothing here.
const INERT: &[&str] = &["logtostderr", "master", "v"];

/// Flags that may stand without a value.
const SWITCHES: &[&str] = &[
    "bind-address-hard-fail",
    "conntrack-tcp-be-liberal",
    "iptables-localhost-nodeports",
    "logtostderr",
    "masquerade-all",
    "profiling",
    "version",
];

/// What the arguments of a kube-proxy say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// `--config`.
    pub file: Option<String>,
    /// `--hostname-override`.
    pub node_name: Option<String>,
    /// `--version`.
    pub version: bool,
    /// The flags that a file can stand for.
    pub configuration: KubeProxyConfiguration,
}

impl Options {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    /// What the real one would say, or that a flag isn't simulated.
    pub fn parse(args: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        for (name, value) in pairs(args, SWITCHES)? {
            match name.as_str() {
                "config" => options.file = Some(value),
                "hostname-override" => options.node_name = Some(value.trim().to_lowercase()),
                "version" => options.version = value == "true",
                inert if INERT.contains(&inert) => {}
                _ if options.configuration.set(&name, &value)? => {}
                _ => return Err(format!("hoplab: kube-proxy --{name} is not simulated")),
            }
        }
        Ok(options)
    }

    /// What a proxy of a release does with them; the node's name of the flags is stronger than that of
    /// a file.
    ///
    /// # Errors
    /// What the real one would say.
    pub fn settings(&self, profile: Profile) -> Result<Settings, String> {
        let configuration = self.configuration.clone();
        let mut settings = Settings::checked(configuration, profile)?;
        if let Some(name) = &self.node_name {
            settings.config.node_name.clone_from(name);
        }
        Ok(settings)
    }
}

/// Arguments as the fields of a configuration that stand for them, and the other ones: also those
/// that a kube-proxy will refuse.
pub(crate) fn split_arguments(args: &[String]) -> (Value, Vec<String>) {
    let mut configuration = KubeProxyConfiguration::default();
    let Ok(pairs) = pairs(args, SWITCHES) else { return (Value::Null, args.to_vec()) };
    let mut rest = Vec::new();
    for (name, value) in pairs {
        if configuration.set(&name, &value) != Ok(true) {
            rest.push(format!("--{name}={value}"));
        }
    }
    let mut fields = serde_json::to_value(configuration).unwrap_or_default();
    // They are the same in all of them.
    for field in ["apiVersion", "kind"] {
        fields.as_object_mut().and_then(|fields| fields.remove(field));
    }
    (fields, rest)
}
