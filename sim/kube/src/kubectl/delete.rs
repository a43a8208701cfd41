//! `kubectl delete`.

use packet::SimTime;
use world::{Next, Program, Sys, Wait, Watch};

use super::cli::{Cli, DryRun, Then};
use super::failure::Failure;
use super::files;
use super::target::{self, Target, TypeAlone};
use crate::api::Reason;

const FORCED: &str = "Warning: Immediate deletion does not wait for confirmation that the running resource has been \
                      terminated. The resource may continue to run on the cluster indefinitely.\n";

/// Runs it.
pub fn run(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let dry_run = cli.dry_run()?;
    let name_only = match cli.flags.get("output") {
        None | Some("") => false,
        Some("name") => true,
        Some(other) => {
            return Err(Failure::usage(
                &cli.path,
                format!("Unexpected -o output mode: {other}. We only support '-o name'"),
            ));
        }
    };
    match cli.flags.get("cascade") {
        None | Some("background" | "true") => {}
        Some(mode @ ("orphan" | "foreground" | "false")) => {
            return Err(Failure::not_simulated(&format!("delete --cascade={mode}")));
        }
        Some(other) => {
            return Err(Failure::Own(format!(
                "invalid cascade value ({other}). Must be \"background\", \"foreground\", or \"orphan\""
            )));
        }
    }
    let force = cli.flags.on("force");
    let mut grace = cli.flags.int("grace-period").filter(|&seconds| seconds >= 0);
    if cli.flags.on("now") {
        if grace.is_some() {
            return Err(Failure::Own("--now and --grace-period cannot be specified together".to_owned()));
        }
        grace = Some(1);
    }
    if force && grace.is_some_and(|seconds| seconds > 0) {
        return Err(Failure::Own(
            "--force and --grace-period greater than 0 cannot be specified together".to_owned(),
        ));
    }
    grace = match (grace, force) {
        (_, true) => Some(0),
        // Without force it waits for a moment, so that the object goes in good order.
        (Some(0), false) => Some(1),
        (grace, false) => grace,
    };
    let (targets, mut failures) = find(cli)?;
    if cli.flags.on("ignore-not-found") || cli.flags.on("all") {
        failures
            .retain(|failure| !matches!(failure, Failure::Server(error) if error.reason == Reason::NotFound));
    }
    if force && dry_run == DryRun::No {
        cli.err(FORCED);
    }
    let mut waiting = Vec::new();
    let verb = if force { "force deleted" } else { "deleted" };
    for target in &targets {
        if dry_run == DryRun::No
            && let Err(error) = target.delete(cli.sys, grace)
        {
            failures.push(error.into());
            continue;
        }
        let line = match name_only {
            true => format!("{}\n", target.printed()),
            false => {
                let printed = target.printed();
                let kind = printed.split('/').next().unwrap_or_default();
                format!("{kind} {:?} {verb}{}\n", target.name, dry_run.note())
            }
        };
        cli.out(&line);
        waiting.push(Gone::of(target));
    }
    let by_words = cli.flags.get("filename").is_none();
    if targets.is_empty() && failures.is_empty() && by_words {
        cli.out("No resources found\n");
    }
    let wait = cli.flags.get("wait").is_none_or(|wait| wait == "true") && !force && dry_run == DryRun::No;
    let status = match Failure::of(failures) {
        Ok(()) => 0,
        Err(failure) => {
            cli.err(&failure.text());
            failure.status()
        }
    };
    if !wait || waiting.is_empty() {
        return Ok(Then::Exit(status));
    }
    let timeout = cli.flags.duration("timeout").filter(|&timeout| timeout > 0);
    let until = timeout.and_then(|ns| u64::try_from(ns).ok()).map(|ns| later(cli.sys, ns));
    Ok(Then::Go(Box::new(Waiting { objects: waiting, until, status })))
}

/// A time some nanoseconds from now.
pub fn later(sys: &dyn Sys, nanoseconds: u64) -> SimTime {
    sys.now() + std::time::Duration::from_nanos(nanoseconds)
}

fn find(cli: &mut Cli<'_>) -> Result<(Vec<Target>, Vec<Failure>), Failure> {
    let words = cli.flags.words.clone();
    if cli.flags.get("filename").is_none() {
        if words.len() > 1 && cli.flags.on("all") {
            return Err(Failure::Own("name cannot be provided when a selector is specified".to_owned()));
        }
        let mut found = target::find(cli, &words, TypeAlone::NeedsMore)?;
        let failures = std::mem::take(&mut found.failures);
        return Ok((found.targets(), failures));
    }
    if !words.is_empty() {
        return Err(Failure::Own(
            "when paths, URLs, or stdin is provided as resource input, you may not specify resource arguments as well"
                .to_owned(),
        ));
    }
    let outcomes = files::read_each(cli)?;
    cli.config.connect(cli.sys)?;
    let (mut targets, mut failures) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome {
            Ok(target) => match target.current(cli.sys.store()) {
                Ok(object) => targets.push(Target { object, ..target }),
                Err(mut error) => {
                    let source = target.source.as_deref().unwrap_or_default();
                    error.message = format!("error when deleting {source:?}: {}", error.message);
                    failures.push(error.into());
                }
            },
            Err(failure) => failures.push(failure),
        }
    }
    Ok((targets, failures))
}

/// An object that is to go.
#[derive(Clone, Debug)]
pub struct Gone(Target);

impl Gone {
    /// This one.
    pub fn of(target: &Target) -> Self {
        Self(target.clone())
    }

    /// Whether it has gone; one with the same name doesn't count.
    pub fn is_over(&self, sys: &dyn Sys) -> bool {
        let uid = |object: &serde_json::Value| object["metadata"]["uid"].clone();
        self.0.current(sys.store()).map_or(true, |object| uid(&object) != uid(&self.0.object))
    }

    /// `pods/web`.
    pub fn shown(&self) -> String {
        format!("{}/{}", self.0.kind.qualified(), self.0.name)
    }

    /// What its keys begin with.
    pub fn prefix(&self) -> String {
        format!("/registry/{}/", self.0.kind.resource.plural)
    }
}

/// Waits until all have gone.
#[derive(Clone, Debug)]
struct Waiting {
    objects: Vec<Gone>,
    until: Option<SimTime>,
    status: i32,
}

impl Program for Waiting {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        self.objects.retain(|object| !object.is_over(sys));
        let Some(first) = self.objects.first() else { return Next::Exit(self.status) };
        if self.until.is_some_and(|until| sys.now() >= until) {
            let text = format!("error: timed out waiting for the condition on {}\n", first.shown());
            tools::console::write_all(sys, world::Fd::STDERR, &text);
            return Next::Exit(1);
        }
        let prefixes = self.objects.iter().map(Gone::prefix).collect();
        let watch = Watch { after: sys.store().revision(), prefixes };
        Next::Wait(Wait { until: self.until, watch: Some(watch), ..Wait::default() })
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
