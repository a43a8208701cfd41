//! What the cluster is like: `version`, `cluster-info`, `api-resources`, `api-versions`, `events`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::cli::{Cli, Then};
use super::duration;
use super::failure::Failure;
use super::kinds;
use super::output::Format;
use super::print::{list, number, text};
use super::table::Table;

/// The release that is simulated.
const VERSION: &str = "v1.30.0";
/// The kustomize that is built into it.
const KUSTOMIZE: &str = "v5.0.4-0.20230601165947-6ce0bf390ce3";

/// What `/version` answers; kubectl is of the same release.
pub fn server_version() -> Value {
    json!({
        "major": "1", "minor": "30", "gitVersion": VERSION,
        "gitCommit": "7c48c2bd72b9bf5c44d21d7338cc7bea77d0ad2a", "gitTreeState": "clean",
        "buildDate": "2024-04-17T17:36:05Z", "goVersion": "go1.22.2", "compiler": "gc", "platform": "linux/amd64",
    })
}

/// Runs `version`.
pub fn version(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let client_only = cli.flags.on("client");
    let connected = if client_only { Ok(()) } else { cli.config.connect(cli.sys) };
    let format = cli.flags.get("output").map(str::to_owned);
    let one = || super::files::sorted(&server_version());
    match format.as_deref() {
        None | Some("") => {
            cli.out(&format!("Client Version: {VERSION}\nKustomize Version: {KUSTOMIZE}\n"));
            if !client_only && connected.is_ok() {
                cli.out(&format!("Server Version: {VERSION}\n"));
            }
        }
        Some(output @ ("yaml" | "json")) => {
            let mut versions = json!({"clientVersion": one(), "kustomizeVersion": KUSTOMIZE});
            if !client_only && connected.is_ok() {
                versions["serverVersion"] = one();
            }
            let format = if output == "yaml" { Format::Yaml } else { Format::Json };
            cli.out(&format.print(&versions, true));
        }
        Some(_) => return Err(Failure::Own("--output must be 'yaml' or 'json'".to_owned())),
    }
    connected.map(|()| Then::Exit(0))
}

/// Runs `cluster-info`.
///
/// Simplified: without colors.
pub fn cluster_info(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    cli.config.connect(cli.sys)?;
    let server = cli.config.server.clone().unwrap_or_default();
    cli.out(&format!("Kubernetes control plane is running at {server}\n"));
    let services = kinds::find("services").map(|kind| kind.list(cli.sys.store(), Some("kube-system")));
    for service in services.unwrap_or_default() {
        let labels = &service["metadata"]["labels"];
        let label = |key: &str| labels.get(key).and_then(Value::as_str);
        if label("kubernetes.io/cluster-service") != Some("true") {
            continue;
        }
        let own = text(&service, "/metadata/name");
        let name = label("kubernetes.io/name").unwrap_or(own);
        let port = list(&service, "/spec/ports").first().map_or("", |port| text(port, "/name"));
        let part = if port.is_empty() { own.to_owned() } else { format!("{own}:{port}") };
        cli.out(&format!(
            "{name} is running at {server}/api/v1/namespaces/kube-system/services/{part}/proxy\n"
        ));
    }
    cli.out("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n");
    Ok(Then::Exit(0))
}

/// Runs `api-resources`.
pub fn api_resources(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    cli.config.connect(cli.sys)?;
    let mut all = kinds::all();
    if let Some(namespaced) = cli.flags.get("namespaced") {
        all.retain(|kind| kind.namespaced == (namespaced == "true"));
    }
    if let Some(group) = cli.flags.get("api-group") {
        all.retain(|kind| kind.group() == group);
    }
    all.sort_by_key(|kind| (kind.group(), kind.plural));
    if cli.flags.get("output") == Some("name") {
        let lines: String = all.iter().map(|kind| format!("{}\n", kind.qualified())).collect();
        cli.out(&lines);
        return Ok(Then::Exit(0));
    }
    let mut table = Table::default();
    let row = |cells: [&str; 5]| cells.map(str::to_owned).to_vec();
    if !cli.flags.on("no-headers") {
        table.row(row(["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]));
    }
    for kind in all {
        let namespaced = if kind.namespaced { "true" } else { "false" };
        table.row(row([kind.plural, &kind.short.join(","), kind.api_version, namespaced, kind.kind]));
    }
    cli.out(&table.flush());
    Ok(Then::Exit(0))
}

/// Runs `api-versions`.
pub fn api_versions(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    cli.config.connect(cli.sys)?;
    let all: BTreeSet<&str> = kinds::all().iter().map(|kind| kind.api_version).collect();
    let lines: String = all.iter().map(|version| format!("{version}\n")).collect();
    cli.out(&lines);
    Ok(Then::Exit(0))
}

/// When an event was seen, and how often.
pub fn interval(event: &Value, now: i64) -> String {
    let time = |field: &str| event.get(field).filter(|time| !time.is_null()).unwrap_or(&event["eventTime"]);
    let last = duration::since(time("lastTimestamp"), now);
    match number(event, "/count") {
        count if count > 1 => {
            format!("{last} (x{count} over {})", duration::since(time("firstTimestamp"), now))
        }
        _ => last,
    }
}

/// The second at which an event was last seen.
pub fn last_seen(event: &Value) -> Option<i64> {
    duration::seconds(&event["lastTimestamp"]).or_else(|| duration::seconds(&event["eventTime"]))
}

/// Runs `events`.
pub fn events(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let format = Format::of(cli)?;
    let everywhere = cli.flags.on("all-namespaces");
    let about = match cli.flags.get("for").filter(|about| !about.is_empty()) {
        None => None,
        Some(about) => {
            let (kind, name) = about
                .split_once('/')
                .ok_or_else(|| Failure::Own("--for must be in resource/name form".to_owned()))?;
            let known = kinds::find(kind);
            let kind = known
                .ok_or_else(|| Failure::Own(format!("the server doesn't have a resource type {kind:?}")))?;
            Some((kind.kind, name.to_owned()))
        }
    };
    let types: Vec<String> = cli.flags.list("types").into_iter().map(str::to_owned).collect();
    if let Some(wrong) =
        types.iter().find(|one| !["Normal", "Warning"].iter().any(|known| known.eq_ignore_ascii_case(one)))
    {
        return Err(Failure::Own(format!("valid --types are Normal or Warning, not {wrong}")));
    }
    cli.config.connect(cli.sys)?;
    let scope = (!everywhere).then(|| cli.config.namespace.clone());
    let mut events =
        kinds::find("events").map(|kind| kind.list(cli.sys.store(), scope.as_deref())).unwrap_or_default();
    events.retain(|event| {
        let object = &event["involvedObject"];
        about
            .as_ref()
            .is_none_or(|(kind, name)| text(object, "/kind") == *kind && text(object, "/name") == name)
            && (types.is_empty() || types.iter().any(|one| one.eq_ignore_ascii_case(text(event, "/type"))))
    });
    if events.is_empty() {
        match scope {
            Some(namespace) => cli.err(&format!("No events found in {namespace} namespace.\n")),
            None => cli.err("No events found.\n"),
        }
        return Ok(Then::Exit(0));
    }
    events.sort_by_key(last_seen);
    if !matches!(format, Format::Table { .. }) {
        cli.out(&format.print(&super::output::list_of(events), true));
        return Ok(Then::Exit(0));
    }
    let now = cli.now();
    let mut table = Table::default();
    let row = |namespace: &str, cells: [String; 5]| {
        let first = everywhere.then(|| namespace.to_owned());
        first.into_iter().chain(cells).collect()
    };
    if !cli.flags.on("no-headers") {
        table.row(row("NAMESPACE", ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"].map(str::to_owned)));
    }
    for event in &events {
        let object =
            format!("{}/{}", text(event, "/involvedObject/kind"), text(event, "/involvedObject/name"));
        let cells = [
            interval(event, now),
            text(event, "/type").to_owned(),
            text(event, "/reason").to_owned(),
            object,
            text(event, "/message").trim().to_owned(),
        ];
        table.row(row(text(event, "/metadata/namespace"), cells));
    }
    cli.out(&table.flush());
    Ok(Then::Exit(0))
}

/// Runs `options`.
pub fn options(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let mut text = "The following options can be passed to any command:\n\n".to_owned();
    text.push_str(&super::command::options(&[super::flags::GLOBAL]));
    cli.out(&text);
    Ok(Then::Exit(0))
}
