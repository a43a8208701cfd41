//! `kubectl create` and its kinds.

use serde_json::{Map, Value, json};

use super::apply::with_last_applied;
use super::cli::{Cli, DryRun, Then};
use super::failure::Failure;
use super::files;
use super::kinds;
use super::output::Format;
use super::target::Target;
use crate::api::{Invalid, names};
use world::FileKind;

/// Runs `create -f`.
pub fn run(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    if cli.flags.get("filename").is_none() {
        cli.err("Error: must specify one of -f and -k\n\n");
        return Err(match &cli.flags.words[..] {
            [] => Failure::Silent(1),
            words => cli.usage(format!("unknown command {:?}", words.join(" "))),
        });
    }
    if !cli.flags.words.is_empty() {
        return Err(cli.usage(format!("Unexpected args: [{}]", cli.flags.words.join(" "))));
    }
    let format = Format::of(cli)?;
    let dry_run = cli.dry_run()?;
    let outcomes = files::read_each(cli)?;
    cli.config.connect(cli.sys)?;
    if outcomes.is_empty() {
        return Err(Failure::Own("no objects passed to create".to_owned()));
    }
    let mut failures = Vec::new();
    for outcome in outcomes {
        let outcome = outcome.and_then(|target| {
            let source = target.source.clone();
            let made = keep(cli, &target.object, &target, dry_run);
            let about = |failure: Failure| target.blame(failure.about("creating", source.as_deref()));
            let object = made.map_err(about)?;
            super::change::tell(cli, &format, &target, &object, "created", dry_run);
            Ok(())
        });
        failures.extend(outcome.err());
    }
    Failure::of(failures).map(|()| Then::Exit(0))
}

fn keep(cli: &mut Cli<'_>, object: &Value, target: &Target, dry_run: DryRun) -> Result<Value, Failure> {
    let mut object = match cli.flags.on("save-config") {
        true => with_last_applied(object),
        false => object.clone(),
    };
    match dry_run {
        DryRun::Client => Ok(object),
        DryRun::No => {
            super::change::keep_status(None, &mut object);
            super::change::record(cli, &mut object);
            (target.kind.resource.create)(cli.sys, &object).map_err(|mut error| {
                // The API server knows no word for a kind that it only keeps.
                error.message = error.message.replace("unsimulated.hoplab", &target.kind.qualified());
                error.into()
            })
        }
    }
}

/// Makes an object that options describe, and says so.
///
/// # Errors
/// The API server's refusal.
pub fn make(cli: &mut Cli<'_>, mut object: Value, done: &str) -> Result<Target, Failure> {
    let format = Format::of(cli)?;
    let dry_run = cli.dry_run()?;
    let kind = kinds::of_object(&object);
    if cli.config.explicit && kind.namespaced {
        object["metadata"]["namespace"] = cli.config.namespace.clone().into();
    }
    let kept = match dry_run {
        DryRun::Client => object,
        DryRun::No => {
            cli.config.connect(cli.sys)?;
            if kind.namespaced {
                object["metadata"]["namespace"] = cli.config.namespace.clone().into();
            }
            let target = Target::new(kind, object.clone(), None);
            keep(cli, &object, &target, dry_run)?
        }
    };
    let target = Target::new(kind, kept, None);
    super::change::tell(cli, &format, &target, &target.object, done, dry_run);
    Ok(target)
}

/// With what the real one says before the API server's words, which makes them its own.
pub fn wrapped(failure: Failure, what: &str) -> Failure {
    match failure {
        Failure::Server(error) => Failure::Own(format!("failed to create {what}: {}", error.message)),
        other => other,
    }
}

/// The one name on the command line.
///
/// # Errors
/// There is none, or several.
pub fn one_name(cli: &Cli<'_>) -> Result<String, Failure> {
    let before = cli.flags.dash.unwrap_or(cli.flags.words.len());
    match cli.flags.words.get(..before).unwrap_or_default() {
        [name] => Ok(name.clone()),
        names => Err(cli.usage(format!("exactly one NAME is required, got {}", names.len()))),
    }
}

/// What stands behind `--`.
pub fn command(cli: &Cli<'_>) -> Vec<String> {
    let dash = cli.flags.dash.unwrap_or(cli.flags.words.len());
    cli.flags.words.get(dash..).unwrap_or_default().to_vec()
}

/// The name of a container for an image: `nginx` of `library/nginx:1.25`.
fn container_name(image: &str) -> String {
    let name = image.rsplit('/').next().unwrap_or(image);
    let name = name.split(['@', ':']).next().unwrap_or(name);
    let clean: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    clean.to_ascii_lowercase().trim_matches('-').to_owned()
}

/// Runs `create deployment`.
pub fn deployment(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let name = one_name(cli)?;
    let images: Vec<String> = cli.flags.list("image").into_iter().map(str::to_owned).collect();
    if images.is_empty() {
        return Err(Failure::Own("required flag(s) \"image\" not set".to_owned()));
    }
    let command = command(cli);
    if images.len() > 1 && !command.is_empty() {
        return Err(Failure::Own("cannot specify multiple --image options and command".to_owned()));
    }
    let mut containers: Vec<Value> = images
        .iter()
        .map(|image| {
            let mut container = json!({"image": image, "name": container_name(image), "resources": {}});
            if !command.is_empty() {
                container["command"] = command.clone().into();
            }
            container
        })
        .collect();
    if let (Some(port), Some(first)) =
        (cli.flags.int("port").filter(|&port| port > 0), containers.first_mut())
    {
        first["ports"] = json!([{"containerPort": port}]);
    }
    let object = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"creationTimestamp": null, "labels": {"app": name}, "name": name},
        "spec": {
            "replicas": cli.flags.int("replicas").unwrap_or(1),
            "selector": {"matchLabels": {"app": name}},
            "strategy": {},
            "template": {
                "metadata": {"creationTimestamp": null, "labels": {"app": name}},
                "spec": {"containers": containers},
            },
        },
        "status": {},
    });
    make(cli, object, "created").map_err(|failure| wrapped(failure, "deployment")).map(|_| Then::Exit(0))
}

/// Runs `create namespace`.
pub fn namespace(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let name = one_name(cli)?;
    let object = json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"creationTimestamp": null, "name": name},
        "spec": {}, "status": {},
    });
    make(cli, object, "created").map(|_| Then::Exit(0))
}

/// Runs `create serviceaccount`.
pub fn service_account(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let name = one_name(cli)?;
    let object = json!({
        "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"creationTimestamp": null, "name": name},
    });
    make(cli, object, "created").map_err(|failure| wrapped(failure, "serviceaccount")).map(|_| Then::Exit(0))
}

/// Runs `create configmap`.
pub fn config_map(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let name = one_name(cli)?;
    let mut data = Map::new();
    let mut put = |key: String, value: String| {
        let legal = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if key.is_empty() || !key.chars().all(legal) {
            return Err(Failure::Own(format!(
                "{key:?} is not a valid key name for a ConfigMap: a valid config key must consist of alphanumeric \
                 characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation \
                 is '[-._a-zA-Z0-9]+')"
            )));
        }
        if data.insert(key.clone(), value.into()).is_some() {
            return Err(Failure::Own(format!(
                "cannot add key {key:?}, another key by that name already exists in Data for ConfigMap {name:?}"
            )));
        }
        Ok(())
    };
    for literal in cli.flags.all("from-literal") {
        let (key, value) = literal
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| Failure::Own(format!("invalid literal source {literal}, expected key=value")))?;
        put(key.to_owned(), value.trim_matches(['"', '\'']).to_owned())?;
    }
    for source in cli.flags.all("from-file") {
        let (key, path) = match source.split_once('=') {
            Some((key, path)) => (Some(key.to_owned()), path.to_owned()),
            None => (None, source.clone()),
        };
        let missing = || Failure::Own(format!("error reading {path}: no such file or directory"));
        let stat = cli.sys.stat(&path).map_err(|_| missing())?;
        if stat.kind == FileKind::Dir {
            if key.is_some() {
                return Err(Failure::Own("cannot give a key name for a directory path".to_owned()));
            }
            for entry in cli.sys.read_dir(&path).unwrap_or_default() {
                if entry.kind == FileKind::File {
                    let file = format!("{}/{}", path.trim_end_matches('/'), entry.name);
                    let text = super::config::read_file(cli.sys, &file).map_err(|_| missing())?;
                    put(entry.name, text)?;
                }
            }
            continue;
        }
        let base = path.rsplit('/').next().unwrap_or_default().to_owned();
        let text = super::config::read_file(cli.sys, &path).map_err(|_| missing())?;
        put(key.unwrap_or(base), text)?;
    }
    let mut object = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"creationTimestamp": null, "name": name},
    });
    if !data.is_empty() {
        object["data"] = Value::Object(data);
    }
    make(cli, object, "created").map_err(|failure| wrapped(failure, "configmap")).map(|_| Then::Exit(0))
}

/// Runs `create service clusterip`.
pub fn cluster_ip(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    service(cli, "ClusterIP")
}

/// Runs `create service nodeport`.
pub fn node_port(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    service(cli, "NodePort")
}

/// Runs `create service loadbalancer`.
pub fn load_balancer(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    service(cli, "LoadBalancer")
}

/// Runs `create service externalname`.
pub fn external_name(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    service(cli, "ExternalName")
}

/// `80`, `80:8080`, `80:http`. kubectl: `parsePorts`.
fn tcp_ports(spec: &str) -> Result<(u16, Value), Failure> {
    let mut words = spec.split(':');
    let text = words.next().unwrap_or_default();
    let port: u16 = text.parse().map_err(|error: std::num::ParseIntError| {
        let why = match error.kind() {
            std::num::IntErrorKind::PosOverflow => "value out of range",
            _ => "invalid syntax",
        };
        Failure::Own(format!("strconv.ParseUint: parsing {text:?}: {why}"))
    })?;
    let Some(target) = words.next() else { return Ok((port, json!(port))) };
    let (wrong, target) = match target.parse::<i32>() {
        Ok(number) => (names::port_number("", number), json!(number)),
        Err(_) => (names::port("", target), json!(target)),
    };
    if wrong.is_empty() {
        return Ok((port, target));
    }
    let reason = |one: &Invalid| one.detail.splitn(3, ": ").nth(2).unwrap_or_default().to_owned();
    Err(Failure::Own(wrong.iter().map(reason).collect::<Vec<_>>().join(",")))
}

fn service(cli: &mut Cli<'_>, kind: &str) -> Result<Then, Failure> {
    let name = one_name(cli)?;
    let headless = cli.flags.get("clusterip") == Some("None");
    let tcp: Vec<String> = cli.flags.list("tcp").into_iter().map(str::to_owned).collect();
    if headless && kind != "ClusterIP" {
        return Err(Failure::Own("ClusterIP=None can only be used with ClusterIP service type".to_owned()));
    }
    if tcp.is_empty() && !headless && kind != "ExternalName" {
        return Err(Failure::Own("at least one tcp port specifier must be provided".to_owned()));
    }
    let mut ports = Vec::new();
    for spec in &tcp {
        let (port, target) = tcp_ports(spec)?;
        let mut entry =
            json!({"name": spec.replace(':', "-"), "port": port, "protocol": "TCP", "targetPort": target});
        if let Some(node) = cli.flags.int("node-port").filter(|&node| node > 0) {
            entry["nodePort"] = node.into();
        }
        ports.push(entry);
    }
    let mut spec = json!({"selector": {"app": name}, "type": kind});
    if !ports.is_empty() {
        spec["ports"] = Value::Array(ports);
    }
    if let Some(ip) = cli.flags.get("clusterip") {
        spec["clusterIP"] = ip.into();
    }
    if kind == "ExternalName" {
        let external = cli.flags.get("external-name").unwrap_or_default();
        if external.is_empty() {
            return Err(Failure::Own("required flag(s) \"external-name\" not set".to_owned()));
        }
        if !names::subdomain("", external).is_empty() {
            return Err(Failure::Own(format!("invalid service external name {external}")));
        }
        spec["externalName"] = external.into();
    }
    let object = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"creationTimestamp": null, "labels": {"app": name}, "name": name},
        "spec": spec,
        "status": {"loadBalancer": {}},
    });
    make(cli, object, "created")
        .map_err(|failure| wrapped(failure, &format!("{kind} service")))
        .map(|_| Then::Exit(0))
}

#[cfg(test)]
mod tests {
    use super::container_name;

    #[test]
    fn a_container_is_named_after_its_image() {
        for (image, expected) in [
            ("nginx", "nginx"),
            ("nginx:1.25", "nginx"),
            ("registry.local:5000/team/my_app:v1", "my-app"),
            ("jolestar/go-probe@sha256:abc", "go-probe"),
        ] {
            assert_eq!(container_name(image), expected);
        }
    }
}
