//! `kubectl describe`. Kubernetes: `k8s.io/kubectl/pkg/describe`.

mod access;
mod network;
mod node;
mod pod;
mod workload;

use serde_json::Value;
use world::Store;

use super::cli::{Cli, Then};
use super::duration;
use super::failure::Failure;
use super::info::{interval, last_seen};
use super::kinds;
use super::print::{self, list, text};
use super::tabwriter;
use super::target::{self, Target, TypeAlone};

/// What a description is made from.
struct Cx<'a> {
    store: &'a Store,
    now: i64,
}

/// A description: lines with tabs.
#[derive(Debug, Default)]
struct Page(String);

impl Page {
    /// A line, two blanks deeper for each level.
    fn line(&mut self, level: usize, line: impl AsRef<str>) {
        self.0.extend(std::iter::repeat_n("  ", level));
        self.0.push_str(line.as_ref());
        self.0.push('\n');
    }

    /// `Name:\tVALUE`.
    fn field(&mut self, level: usize, name: &str, value: impl std::fmt::Display) {
        self.line(level, format!("{name}:\t{value}"));
    }

    /// Several lines behind one name.
    fn lines(&mut self, name: &str, values: &[String]) {
        match values {
            [] => self.field(0, name, "<none>"),
            [first, rest @ ..] => {
                self.field(0, name, first);
                rest.iter().for_each(|value| self.line(0, format!("\t{value}")));
            }
        }
    }

    /// Labels, one a line.
    fn labels(&mut self, name: &str, map: Option<&Value>) {
        self.lines(name, &print::pairs(map));
    }

    /// Annotations; long ones on lines of their own.
    fn annotations(&mut self, name: &str, map: Option<&Value>) {
        const MOST: usize = 140;
        let shorten = |text: &str| match text.char_indices().nth(MOST - 2) {
            Some((at, _)) => format!("{}...", &text[..at]),
            None => text.to_owned(),
        };
        let mut pairs: Vec<(&String, &str)> = map
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter(|(key, _)| *key != super::apply::LAST_APPLIED)
            .map(|(key, value)| (key, value.as_str().unwrap_or_default()))
            .collect();
        pairs.sort();
        let mut lines = Vec::new();
        for (key, value) in pairs {
            let value = value.strip_suffix('\n').unwrap_or(value);
            if value.len() + key.len() + 2 > MOST || value.contains('\n') {
                lines.push(format!("{key}:"));
                lines.extend(value.split('\n').map(|part| format!("  {}", shorten(part))));
            } else {
                lines.push(format!("{key}: {value}"));
            }
        }
        self.lines(name, &lines);
    }

    /// Name, namespace, labels, annotations.
    fn head(&mut self, object: &Value) {
        self.field(0, "Name", text(object, "/metadata/name"));
        self.field(0, "Namespace", text(object, "/metadata/namespace"));
        self.labels("Labels", object.pointer("/metadata/labels"));
        self.annotations("Annotations", object.pointer("/metadata/annotations"));
    }

    /// What was said about an object.
    fn events(&mut self, cx: &Cx<'_>, object: &Value) {
        let uid = text(object, "/metadata/uid");
        let (kind, name) = (text(object, "/kind"), text(object, "/metadata/name"));
        let mut found = kinds::find("events").map(|kind| kind.list(cx.store, None)).unwrap_or_default();
        found.retain(|event| {
            let about = &event["involvedObject"];
            text(about, "/kind") == kind
                && text(about, "/name") == name
                && (text(about, "/uid") == uid || kind == "Node")
        });
        found.sort_by_key(last_seen);
        if found.is_empty() {
            return self.field(0, "Events", "<none>");
        }
        self.line(0, "Events:");
        self.line(1, "Type\tReason\tAge\tFrom\tMessage");
        self.line(1, "----\t------\t----\t----\t-------");
        for event in &found {
            let from = match text(event, "/source/component") {
                "" => text(event, "/reportingComponent"),
                component => component,
            };
            let cells = [
                text(event, "/type"),
                text(event, "/reason"),
                &interval(event, cx.now),
                from,
                text(event, "/message").trim(),
            ];
            self.line(1, cells.join("\t"));
        }
    }
}

/// `ReplicaSet/web-5d4`.
fn controller(object: &Value) -> Option<String> {
    let owner = list(object, "/metadata/ownerReferences").iter().find(|owner| owner["controller"] == true)?;
    Some(format!("{}/{}", text(owner, "/kind"), text(owner, "/name")))
}

/// The template of pods, as `rollout history --revision` shows it.
pub fn pod_template(template: &Value) -> String {
    let mut page = Page::default();
    pod::template(&mut page, template);
    tabwriter::align(&page.0)
}

/// The description of an object; none if its kind has none here.
fn describe(cx: &Cx<'_>, object: &Value) -> Option<String> {
    let mut page = Page::default();
    match object["kind"].as_str().unwrap_or_default() {
        "Pod" => pod::describe(cx, &mut page, object),
        "Service" => network::service(cx, &mut page, object),
        "Endpoints" => network::endpoints(cx, &mut page, object),
        "EndpointSlice" => network::endpoint_slice(cx, &mut page, object),
        "Ingress" => network::ingress(cx, &mut page, object),
        "Deployment" => workload::deployment(cx, &mut page, object),
        "ReplicaSet" => workload::replica_set(cx, &mut page, object),
        "DaemonSet" => workload::daemon_set(cx, &mut page, object),
        "Node" => node::describe(cx, &mut page, object),
        "Namespace" => namespace(&mut page, object),
        "ConfigMap" => config_map(cx, &mut page, object),
        "Role" | "ClusterRole" => access::role(&mut page, object),
        "RoleBinding" | "ClusterRoleBinding" => access::binding(&mut page, object),
        "ServiceAccount" => access::account(cx, &mut page, object),
        _ => return None,
    }
    Some(tabwriter::align(&page.0))
}

fn namespace(page: &mut Page, object: &Value) {
    page.field(0, "Name", text(object, "/metadata/name"));
    page.labels("Labels", object.pointer("/metadata/labels"));
    page.annotations("Annotations", object.pointer("/metadata/annotations"));
    page.field(0, "Status", text(object, "/status/phase"));
    page.line(0, "");
    page.line(0, "No resource quota.");
    page.line(0, "");
    page.line(0, "No LimitRange resource.");
}

fn config_map(cx: &Cx<'_>, page: &mut Page, object: &Value) {
    page.head(object);
    let entries = |field: &str| {
        let mut all: Vec<(String, Value)> =
            object[field].as_object().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    };
    page.line(0, "\nData\n====");
    for (key, value) in entries("data") {
        page.line(0, format!("{key}:\n----\n{}", value.as_str().unwrap_or_default()));
    }
    page.line(0, "\nBinaryData\n====");
    for (key, value) in entries("binaryData") {
        let size = base64_size(value.as_str().unwrap_or_default());
        page.line(0, format!("{key}: {size} bytes"));
    }
    page.line(0, "");
    page.events(cx, object);
}

/// How many bytes stand behind base64.
fn base64_size(text: &str) -> usize {
    text.trim_end_matches('=').len() * 3 / 4
}

/// A time, or `<unset>`.
fn date(object: &Value, pointer: &str) -> String {
    object.pointer(pointer).map_or_else(|| "<unset>".to_owned(), duration::rfc1123)
}

/// Runs it.
pub fn run(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let words = cli.flags.words.clone();
    if words.is_empty() && cli.flags.get("filename").is_none() {
        return Err(Failure::Own(
            "You must specify the type of resource to describe. Use \"kubectl api-resources\" for a complete list of \
             supported resources."
                .to_owned(),
        ));
    }
    let (targets, failures) = find(cli, &words)?;
    for target in &targets {
        if target.kind.resource.kind == "Unsimulated"
            || ["StatefulSet", "NetworkPolicy", "Event", "ControllerRevision"].contains(&target.kind.kind)
        {
            return Err(Failure::not_simulated(&format!("describe {}", target.kind.singular)));
        }
    }
    let now = cli.now();
    let pages: Vec<String> = targets
        .iter()
        .filter_map(|target| describe(&Cx { store: cli.sys.store(), now }, &target.object))
        .collect();
    cli.out(&pages.join("\n\n"));
    if pages.is_empty() && failures.is_empty() {
        let line = match cli.flags.on("all-namespaces") {
            true => "No resources found\n".to_owned(),
            false => format!("No resources found in {} namespace.\n", cli.config.namespace),
        };
        cli.err(&line);
    }
    Failure::of(failures).map(|()| Then::Exit(0))
}

/// What the words name; a name that isn't there may be the beginning of some.
fn find(cli: &mut Cli<'_>, words: &[String]) -> Result<(Vec<Target>, Vec<Failure>), Failure> {
    if cli.flags.get("filename").is_some() {
        return target::live(cli, words, TypeAlone::MeansAll).map(|targets| (targets, Vec::new()));
    }
    let mut found = target::find(cli, words, TypeAlone::MeansAll)?;
    let failures = std::mem::take(&mut found.failures);
    let targets = found.targets();
    if let ([kind, prefix], true) = (words, targets.is_empty() && !failures.is_empty())
        && let Some(kind) = kinds::find(kind)
    {
        let all = kind.list(cli.sys.store(), Some(&cli.config.namespace)).into_iter();
        let near: Vec<Target> = all
            .map(|object| Target::new(kind, object, None))
            .filter(|target| target.name.starts_with(prefix.as_str()))
            .collect();
        if !near.is_empty() {
            return Ok((near, Vec::new()));
        }
    }
    Ok((targets, failures))
}
