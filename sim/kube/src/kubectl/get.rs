//! `kubectl get`.

use std::collections::BTreeMap;

use serde_json::Value;
use world::{Fd, Next, Program, Sys, Wait, Watch};

use super::cli::{Cli, Then};
use super::failure::Failure;
use super::files;
use super::jsonpath::Template;
use super::kinds::Type;
use super::output::{self, Format};
use super::print::{self, Width};
use super::selector::{FieldSelector, LabelSelector};
use super::table::Table;
use super::target::{self, Found, Group, TypeAlone};
use crate::api::Reason;

/// What a table has beside the kind's columns.
#[derive(Clone, Debug, Default)]
pub struct Extras {
    /// All columns.
    pub wide: bool,
    /// No headings.
    pub headless: bool,
    /// The namespace before all.
    pub namespace: bool,
    /// The kind before the name.
    pub kind: bool,
    /// All labels.
    pub labels: bool,
    /// These labels.
    pub label_columns: Vec<String>,
}

/// The headings of a kind's table.
pub fn headings(kind: &Type, extras: &Extras) -> Vec<String> {
    let columns = print::listing(kind.kind).columns.iter();
    let shown = columns.filter(|(_, width)| *width == Width::Always || extras.wide);
    let mut row: Vec<String> = extras.namespace.then(|| "NAMESPACE".to_owned()).into_iter().collect();
    row.extend(shown.map(|(heading, _)| (*heading).to_owned()));
    row.extend(
        extras.label_columns.iter().map(|key| key.rsplit('/').next().unwrap_or_default().to_uppercase()),
    );
    if extras.labels {
        row.push("LABELS".to_owned());
    }
    row
}

/// The row of an object.
pub fn row(kind: &Type, object: &Value, extras: &Extras, now: i64) -> Vec<String> {
    let listing = print::listing(kind.kind);
    let mut row = Vec::new();
    if extras.namespace {
        row.push(print::text(object, "/metadata/namespace").to_owned());
    }
    for ((heading, width), cell) in listing.columns.iter().zip((listing.cells)(object, now)) {
        if *width == Width::Wide && !extras.wide {
            continue;
        }
        // A cell is one line.
        let cell = match cell.split_once(['\n', '\r', '\u{c}']) {
            Some((first, _)) => format!("{first}..."),
            None => cell,
        };
        row.push(match *heading == "NAME" && extras.kind {
            true => format!("{}/{cell}", kind.printed()),
            false => cell,
        });
    }
    let labels = object.pointer("/metadata/labels");
    let label = |key: &String| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
    row.extend(extras.label_columns.iter().map(|key| label(key).unwrap_or_default().to_owned()));
    if extras.labels {
        row.push(print::labels(labels));
    }
    row
}

/// Runs it.
pub fn run(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let words = cli.flags.words.clone();
    let format = Format::of(cli)?;
    if words.is_empty() && cli.flags.get("filename").is_none() {
        cli.err(
            "You must specify the type of resource to get. Use \"kubectl api-resources\" for a complete list of \
             supported resources.\n\n",
        );
        return Err(cli.usage(
            "Required resource not specified.\nUse \"kubectl explain <resource>\" for a detailed description of that \
             resource (e.g. kubectl explain pods).",
        ));
    }
    let extras = Extras {
        wide: matches!(format, Format::Table { wide: true }),
        headless: cli.flags.on("no-headers"),
        namespace: cli.flags.on("all-namespaces"),
        kind: cli.flags.on("show-kind"),
        labels: cli.flags.on("show-labels"),
        label_columns: cli.flags.list("label-columns").into_iter().map(str::to_owned).collect(),
    };
    if cli.flags.on("watch") || cli.flags.on("watch-only") {
        return watch(cli, &words, format, extras);
    }
    let mut found = gather(cli, &words)?;
    if cli.flags.on("ignore-not-found") {
        found
            .failures
            .retain(|one| !matches!(one, Failure::Server(error) if error.reason == Reason::NotFound));
    }
    if let Some(path) = cli.flags.get("sort-by").map(str::to_owned) {
        sort(&mut found.groups, &path)?;
    }
    match format {
        Format::Table { .. } => tables(cli, found, extras),
        format => {
            let single = found.by_name
                && found.groups.len() == 1
                && found.failures.is_empty()
                && words_name_one(&words);
            let mut objects: Vec<Value> = found.groups.into_iter().flat_map(|group| group.objects).collect();
            let text = match (single, objects.len()) {
                (true, 1) => format.print(&objects.remove(0), !extras.headless),
                (_, 0) if !found.failures.is_empty() || found.by_name => String::new(),
                _ => format.print(&output::list_of(objects), !extras.headless),
            };
            cli.out(&text);
            Failure::of(found.failures).map(|()| Then::Exit(0))
        }
    }
}

/// Whether the words name one object: `pod web`, `pod/web`.
fn words_name_one(words: &[String]) -> bool {
    match words {
        [] => true,
        [one] => one.contains('/'),
        [kind, _] => !kind.contains([',', '/']),
        _ => false,
    }
}

fn gather(cli: &mut Cli<'_>, words: &[String]) -> Result<Found, Failure> {
    if cli.flags.get("filename").is_none() {
        return target::find(cli, words, TypeAlone::MeansAll);
    }
    let targets = files::read(cli)?;
    cli.config.connect(cli.sys)?;
    let mut found = Found { by_name: true, ..Found::default() };
    for target in targets {
        match target.current(cli.sys.store()) {
            Ok(object) => found.groups.push(Group { kind: target.kind, objects: vec![object] }),
            Err(error) => found.failures.push(error.into()),
        }
    }
    Ok(found)
}

fn sort(groups: &mut [Group], path: &str) -> Result<(), Failure> {
    let template = Template::relaxed(path).map_err(Failure::Own)?;
    let mut any = false;
    for group in groups.iter_mut() {
        let key = |object: &Value| template.values(object).first().copied().cloned();
        any |= group.objects.is_empty() || group.objects.iter().any(|object| key(object).is_some());
        group.objects.sort_by(|a, b| match (key(a), key(b)) {
            (Some(Value::Number(a)), Some(Value::Number(b))) => {
                a.as_f64().unwrap_or(0.0).total_cmp(&b.as_f64().unwrap_or(0.0))
            }
            (a, b) => {
                let text = |value: Option<Value>| value.as_ref().map(super::jsonpath::text_of);
                text(a).cmp(&text(b))
            }
        });
    }
    if any || groups.is_empty() {
        return Ok(());
    }
    Err(Failure::Own(format!("couldn't find any field with path {path:?} in the list of objects")))
}

fn tables(cli: &mut Cli<'_>, found: Found, mut extras: Extras) -> Result<Then, Failure> {
    let several = found.groups.iter().any(|group| group.kind != found.groups[0].kind);
    extras.kind |= several;
    let everywhere = extras.namespace;
    let namespaced = !everywhere && found.groups.iter().all(|group| group.kind.namespaced);
    let (mut text, mut table) = (String::new(), Table::default());
    let mut last: Option<Type> = None;
    let mut headed = false;
    let now = cli.now();
    for group in &found.groups {
        if last != Some(group.kind) {
            text.push_str(&table.flush());
            table = Table::default();
            headed = false;
            last = Some(group.kind);
        }
        extras.namespace = everywhere && group.kind.namespaced;
        for object in &group.objects {
            if !headed && !extras.headless {
                if !text.is_empty() {
                    text.push('\n');
                }
                table.row(headings(&group.kind, &extras));
            }
            headed = true;
            table.row(row(&group.kind, object, &extras, now));
        }
    }
    text.push_str(&table.flush());
    cli.out(&text);
    if text.is_empty() && found.failures.is_empty() && !cli.flags.on("ignore-not-found") {
        let line = match namespaced {
            true => format!("No resources found in {} namespace.\n", cli.config.namespace),
            false => "No resources found\n".to_owned(),
        };
        cli.err(&line);
    }
    Failure::of(found.failures).map(|()| Then::Exit(0))
}

fn watch(cli: &mut Cli<'_>, words: &[String], format: Format, extras: Extras) -> Result<Then, Failure> {
    let mut found = gather(cli, words)?;
    Failure::of(std::mem::take(&mut found.failures))?;
    let [group] = &found.groups[..] else {
        return Err(Failure::Own(
            "watch is only supported on individual resources and resource collections - more than 1 resource was found"
                .to_owned(),
        ));
    };
    let (labels, fields) = target::selectors(cli)?;
    let everywhere = extras.namespace;
    let kind = group.kind;
    let mut watcher = Watcher {
        kind,
        namespace: (!everywhere && kind.namespaced).then(|| cli.config.namespace.clone()),
        name: found.by_name.then(|| group.objects.first().map(print::name)).flatten(),
        labels,
        fields,
        format,
        extras: Extras { namespace: everywhere && kind.namespaced, ..extras },
        events: cli.flags.on("output-watch-events"),
        known: BTreeMap::new(),
        table: Table::default(),
        headed: false,
        seen: cli.sys.store().revision(),
    };
    let silent = cli.flags.on("watch-only");
    for object in group.objects.clone() {
        if !silent {
            watcher.show(cli.sys, "ADDED", &object);
        }
        watcher.known.insert(key(&kind, &object), object);
    }
    watcher.flush(cli.sys);
    Ok(Then::Go(Box::new(watcher)))
}

/// The namespace and the name by which the API server keeps an object.
fn key(kind: &Type, object: &Value) -> (String, String) {
    let namespace = kind.home(print::text(object, "/metadata/namespace"));
    (namespace.to_owned(), kind.key(&print::name(object), object))
}

/// `get --watch`: prints what changes.
#[derive(Clone, Debug)]
struct Watcher {
    kind: Type,
    namespace: Option<String>,
    name: Option<String>,
    labels: Option<LabelSelector>,
    fields: Option<FieldSelector>,
    format: Format,
    extras: Extras,
    /// `--output-watch-events`.
    events: bool,
    known: BTreeMap<(String, String), Value>,
    table: Table,
    headed: bool,
    /// It has seen the changes up to this revision.
    seen: u64,
}

impl Watcher {
    fn show(&mut self, sys: &mut dyn Sys, event: &str, object: &Value) {
        if !matches!(self.format, Format::Table { .. }) {
            let text = self.format.print(object, !self.headed && !self.extras.headless);
            self.headed = true;
            tools::console::write_all(sys, Fd::STDOUT, &text);
            return;
        }
        let first = |text: &str| self.events.then(|| text.to_owned());
        if !self.headed && !self.extras.headless {
            let heads = first("EVENT").into_iter().chain(headings(&self.kind, &self.extras));
            self.table.row(heads.collect());
        }
        self.headed = true;
        let now = crate::time::unix(sys);
        let cells = first(event).into_iter().chain(row(&self.kind, object, &self.extras, now));
        self.table.row(cells.collect());
    }

    fn flush(&mut self, sys: &mut dyn Sys) {
        let text = self.table.flush();
        tools::console::write_all(sys, Fd::STDOUT, &text);
    }

    fn wants(&self, object: &Value) -> bool {
        (!self.kind.is_foreign() || object["kind"].as_str() == Some(self.kind.kind))
            && self.name.as_ref().is_none_or(|name| *name == print::name(object))
            && self.labels.as_ref().is_none_or(|labels| labels.selects(object))
            && self.fields.as_ref().is_none_or(|fields| fields.selects(object))
    }

    fn prefix(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("/registry/{}/{namespace}/", self.kind.resource.plural),
            None => format!("/registry/{}/", self.kind.resource.plural),
        }
    }
}

impl Program for Watcher {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let prefix = self.prefix();
        let changed: Vec<String> = sys
            .store()
            .changes(self.seen)
            .filter_map(|(key, _)| key.strip_prefix("/registry/").filter(|_| key.starts_with(&prefix)))
            .map(str::to_owned)
            .collect();
        self.seen = sys.store().revision();
        for path in changed {
            // PLURAL/NAMESPACE/NAME, or PLURAL/NAME.
            let mut parts = path.split('/').skip(1);
            let (first, second) = (parts.next().unwrap_or_default(), parts.next());
            let (namespace, name) = second.map_or(("", first), |name| (first, name));
            let now =
                (self.kind.resource.get)(sys.store(), namespace, name).filter(|object| self.wants(object));
            let known = self.known.remove(&(namespace.to_owned(), name.to_owned()));
            match (known, now) {
                (Some(old), None) => self.show(sys, "DELETED", &old),
                (old, Some(object)) => {
                    self.show(sys, if old.is_some() { "MODIFIED" } else { "ADDED" }, &object);
                    self.known.insert((namespace.to_owned(), name.to_owned()), object);
                }
                (None, None) => {}
            }
            self.flush(sys);
        }
        let watch = Watch { after: self.seen, prefixes: vec![prefix] };
        Next::Wait(Wait { watch: Some(watch), ..Wait::default() })
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
