//! `kubectl apply`.

use serde_json::Value;

use super::change::{keep_status, record};
use super::cli::{Cli, DryRun, Then};
use super::failure::Failure;
use super::files;
use super::output::Format;
use super::patch::{Lists, three_way};
use super::selector::LabelSelector;
use super::target::Target;

/// Where `apply` keeps what it applied last.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Runs it.
pub fn run(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    if let Some(word) = cli.flags.words.first() {
        return Err(cli.usage(format!("Unexpected args: [{word}]")));
    }
    if cli.flags.get("filename").is_none() {
        return Err(Failure::Own("must specify one of -f and -k".to_owned()));
    }
    let format = Format::of(cli)?;
    let dry_run = cli.dry_run()?;
    let selector = cli.flags.get("selector").map(LabelSelector::parse).transpose()?;
    let outcomes = files::read_each(cli)?;
    cli.config.connect(cli.sys)?;
    let mut failures = Vec::new();
    let mut seen = false;
    let mut printed = Vec::new();
    for outcome in outcomes {
        let outcome = outcome.and_then(|target| {
            if selector.as_ref().is_some_and(|selector| !selector.selects(&target.object)) {
                return Ok(());
            }
            seen = true;
            let (object, verb) = one(cli, &target, dry_run)?;
            match format {
                Format::Table { .. } => {
                    let line = format!("{} {verb}{}\n", target.printed(), dry_run.note());
                    cli.out(&line);
                }
                _ => printed.push(object),
            }
            Ok(())
        });
        failures.extend(outcome.err());
    }
    let all = match printed.len() {
        0 => None,
        1 => printed.pop(),
        _ => Some(super::output::list_of(printed)),
    };
    if let Some(object) = all {
        cli.out(&format.print(&object, true));
    }
    if !seen && failures.is_empty() {
        return Err(Failure::Own("no objects passed to apply".to_owned()));
    }
    Failure::of(failures).map(|()| Then::Exit(0))
}

/// The object with the annotation that remembers it. Kubernetes: `GetModifiedConfiguration`.
pub fn with_last_applied(object: &Value) -> Value {
    let mut plain = object.clone();
    if !plain["metadata"]["annotations"].is_object() {
        plain["metadata"]["annotations"] = Value::Object(serde_json::Map::new());
    }
    if let Some(annotations) = plain["metadata"]["annotations"].as_object_mut() {
        annotations.remove(LAST_APPLIED);
    }
    let text = serde_json::to_string(&files::sorted(&plain)).unwrap_or_default();
    let text = text.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e");
    plain["metadata"]["annotations"][LAST_APPLIED] = format!("{text}\n").into();
    plain
}

/// Makes an object or brings it to what its file says; answers it with what was done.
///
/// Simplified: a refusal doesn't show the patch.
fn one(cli: &mut Cli<'_>, target: &Target, dry_run: DryRun) -> Result<(Value, &'static str), Failure> {
    let source = target.source.as_deref();
    let modified = with_last_applied(&target.object);
    let Ok(current) = target.current(cli.sys.store()) else {
        if dry_run == DryRun::Client {
            return Ok((modified, "created"));
        }
        let mut new = modified;
        keep_status(None, &mut new);
        record(cli, &mut new);
        let made = (target.kind.resource.create)(cli.sys, &new);
        return made
            .map(|made| (made, "created"))
            .map_err(|error| target.blame(Failure::Server(error).about("creating", source)));
    };
    let last = current["metadata"]["annotations"].get(LAST_APPLIED).and_then(Value::as_str);
    if last.is_none() && dry_run == DryRun::No {
        cli.err(&format!(
            "Warning: resource {}/{} is missing the {LAST_APPLIED} annotation which is required by kubectl apply. \
             kubectl apply should only be used on resources created declaratively by either kubectl create \
             --save-config or kubectl apply. The missing annotation will be patched automatically.\n",
            target.kind.plural, target.name
        ));
    }
    let original = last.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let lists = if target.kind.is_foreign() { Lists::Replaced } else { Lists::Strategic };
    let mut merged = current.clone();
    three_way(original.as_ref(), &modified, &mut merged, lists);
    keep_status(Some(&current), &mut merged);
    record(cli, &mut merged);
    if dry_run == DryRun::Client {
        let verb = if merged == current { "unchanged" } else { "configured" };
        return Ok((merged, verb));
    }
    let updated = (target.kind.resource.update)(cli.sys, &merged).map_err(|error| {
        let slash = if target.kind.group().is_empty() { "/" } else { "" };
        let about = format!(
            "applying patch:\nto:\nResource: {:?}, GroupVersionKind: \"{slash}{}, Kind={}\"\nName: {:?}, Namespace: \
             {:?}\nfor:",
            target.kind.group_version_resource(),
            target.kind.api_version,
            target.kind.kind,
            target.name,
            target.namespace
        );
        target.blame(Failure::Server(error).about(&about, source))
    })?;
    let same = updated["metadata"]["resourceVersion"] == current["metadata"]["resourceVersion"];
    Ok((updated, if same { "unchanged" } else { "configured" }))
}
