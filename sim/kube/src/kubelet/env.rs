//! A container's environment. Kubernetes: `makeEnvironmentVariables`, `envvars.FromServices`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Container, EnvVar, Pod, Service};
use world::Store;

use super::record::Record;
use crate::api;

/// What a pod's fields are at the moment.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// What the node knows of it.
    pub record: &'a Record,
    /// The node.
    pub node: &'a str,
    /// The node's address.
    pub host_ip: String,
}

impl Facts<'_> {
    /// The value of a `fieldRef`.
    pub fn field(&self, path: &str) -> Option<String> {
        let metadata = &self.pod.metadata;
        let spec = self.pod.spec.as_ref();
        let ip = || {
            let own = self.record.sandbox.as_ref().and_then(|sandbox| sandbox.ip);
            match spec.is_some_and(|spec| spec.host_network == Some(true)) {
                true => self.host_ip.clone(),
                false => own.map(|ip| ip.to_string()).unwrap_or_default(),
            }
        };
        let of_map = |map: &Option<BTreeMap<String, String>>, key: &str| {
            let key = key.trim_end_matches("']").trim_start_matches("['");
            map.as_ref().and_then(|map| map.get(key)).cloned().unwrap_or_default()
        };
        let all = |map: &Option<BTreeMap<String, String>>| {
            let lines = map.iter().flatten().map(|(key, value)| format!("{key}={value:?}"));
            lines.collect::<Vec<_>>().join("\n")
        };
        Some(match path {
            "metadata.name" => api::name_of(self.pod).to_owned(),
            "metadata.namespace" => api::namespace_of(self.pod).to_owned(),
            "metadata.uid" => metadata.uid.clone().unwrap_or_default(),
            "metadata.labels" => all(&metadata.labels),
            "metadata.annotations" => all(&metadata.annotations),
            "spec.nodeName" => self.node.to_owned(),
            "spec.serviceAccountName" => {
                spec.and_then(|spec| spec.service_account_name.clone()).unwrap_or_default()
            }
            "status.hostIP" | "status.hostIPs" => self.host_ip.clone(),
            "status.podIP" | "status.podIPs" => ip(),
            _ => match (path.strip_prefix("metadata.labels"), path.strip_prefix("metadata.annotations")) {
                (Some(key), _) => of_map(&metadata.labels, key),
                (_, Some(key)) => of_map(&metadata.annotations, key),
                _ => return None,
            },
        })
    }
}

/// The environment of a container.
///
/// # Errors
/// What it refers to and isn't there.
pub fn environment(
    store: &Store,
    facts: &Facts<'_>,
    container: &Container,
) -> Result<BTreeMap<String, String>, String> {
    let namespace = api::namespace_of(facts.pod);
    let mut env = BTreeMap::new();
    let links = facts.pod.spec.as_ref().is_none_or(|spec| spec.enable_service_links != Some(false));
    for service in api::list::<Service>(store, None) {
        let own = api::namespace_of(&*service) == namespace;
        let master = api::namespace_of(&*service) == "default" && api::name_of(&*service) == "kubernetes";
        if own && links || master {
            of_service(&service, &mut env);
        }
    }
    for from in container.env_from.iter().flatten() {
        let Some(source) = &from.config_map_ref else { continue };
        let prefix = from.prefix.clone().unwrap_or_default();
        match api::get::<ConfigMap>(store, namespace, &source.name) {
            Some(map) => env.extend(
                map.data.iter().flatten().map(|(key, value)| (format!("{prefix}{key}"), value.clone())),
            ),
            None if source.optional == Some(true) => {}
            None => return Err(format!("configmap {:?} not found", source.name)),
        }
    }
    for variable in container.env.iter().flatten() {
        if let Some(value) = value_of(store, facts, variable, &env)? {
            env.insert(variable.name.clone(), value);
        }
    }
    Ok(env)
}

fn value_of(
    store: &Store,
    facts: &Facts<'_>,
    variable: &EnvVar,
    env: &BTreeMap<String, String>,
) -> Result<Option<String>, String> {
    if let Some(value) = &variable.value {
        return Ok(Some(expand(value, env)));
    }
    let Some(from) = &variable.value_from else { return Ok(Some(String::new())) };
    if let Some(field) = &from.field_ref {
        let value = facts.field(&field.field_path);
        return value.map(Some).ok_or_else(|| format!("unsupported fieldPath: {}", field.field_path));
    }
    if let Some(key) = &from.config_map_key_ref {
        let namespace = api::namespace_of(facts.pod);
        let map = api::get::<ConfigMap>(store, namespace, &key.name);
        let optional = key.optional == Some(true);
        let Some(map) = map else {
            return if optional { Ok(None) } else { Err(format!("configmap {:?} not found", key.name)) };
        };
        return match map.data.as_ref().and_then(|data| data.get(&key.key)) {
            Some(value) => Ok(Some(value.clone())),
            None if optional => Ok(None),
            None => Err(format!("couldn't find key {} in ConfigMap {namespace}/{}", key.key, key.name)),
        };
    }
    if let Some(key) = &from.secret_key_ref {
        return match key.optional {
            Some(true) => Ok(None),
            _ => Err(format!("secret {:?} not found", key.name)),
        };
    }
    // Resources are not limited.
    Ok(Some("0".to_owned()))
}

/// `$(NAME)` becomes the variable's value, `$$` a dollar. Kubernetes: `expansion.Expand`.
pub fn expand(text: &str, env: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        let name = rest.strip_prefix('(').and_then(|inner| inner.split_once(')'));
        match name.and_then(|(name, after)| Some((env.get(name)?, after))) {
            Some((value, after)) => {
                out.push_str(value);
                rest = after;
            }
            None => out.push('$'),
        }
    }
    out.push_str(rest);
    out
}

/// The variables that tell of a Service.
fn of_service(service: &Service, env: &mut BTreeMap<String, String>) {
    let Some(spec) = &service.spec else { return };
    let Some(ip) = spec.cluster_ip.as_deref().filter(|ip| !ip.is_empty() && *ip != "None") else { return };
    let name = api::name_of(service).to_uppercase().replace('-', "_");
    let ports = spec.ports.as_deref().unwrap_or_default();
    env.insert(format!("{name}_SERVICE_HOST"), ip.to_owned());
    for (number, port) in ports.iter().enumerate() {
        if number == 0 {
            env.insert(format!("{name}_SERVICE_PORT"), port.port.to_string());
        }
        if let Some(port_name) = port.name.as_deref().filter(|name| !name.is_empty()) {
            let port_name = port_name.to_uppercase().replace('-', "_");
            env.insert(format!("{name}_SERVICE_PORT_{port_name}"), port.port.to_string());
        }
        let protocol = port.protocol.as_deref().unwrap_or("TCP");
        let url = format!("{}://{ip}:{}", protocol.to_lowercase(), port.port);
        if number == 0 {
            env.insert(format!("{name}_PORT"), url.clone());
        }
        let prefix = format!("{name}_PORT_{}_{protocol}", port.port);
        env.insert(format!("{prefix}_PROTO"), protocol.to_lowercase());
        env.insert(format!("{prefix}_PORT"), port.port.to_string());
        env.insert(format!("{prefix}_ADDR"), ip.to_owned());
        env.insert(prefix, url);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_expanded_as_kubernetes_does() {
        let env = BTreeMap::from([("A".to_owned(), "x".to_owned())]);
        for (text, expected) in [
            ("$(A)-$(A)", "x-x"),
            ("$$(A)", "$(A)"),
            ("$(B)", "$(B)"),
            ("a$", "a$"),
            ("$A", "$A"),
            ("$(A", "$(A"),
        ] {
            assert_eq!(expand(text, &env), expected, "{text}");
        }
    }
}
