use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use trace::view::human_duration;

use crate::STATUS_BAD_INPUT;
use crate::replay::{Replayed, replay};
use crate::trace_options::TraceOptions;
use crate::{inputs, junit, pool};

/// Arguments of `hoplab run`.
#[derive(Args)]
pub(crate) struct RunArgs {
    /// Scenario files, folders with scenarios, or patterns such as `scenarios/vm-*.ron`.
    #[arg(required = true)]
    scenarios: Vec<PathBuf>,
    /// Only scenarios whose path, title, rows or documents hold TEXT.
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Seed of all random streams, instead of the scenario's; snapshots are not looked at then.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Folder of topologies; if not given, the nearest folder `topologies` beside the scenario or
    /// above it.
    #[arg(long)]
    pub topologies: Option<PathBuf>,
    /// Says nothing of what holds.
    #[arg(short, long)]
    quiet: bool,
    /// Writes or renews the snapshots: `snapshots/NAME.snap` beside each scenario that holds.
    #[arg(long, conflicts_with = "seed")]
    pub update: bool,
    /// Writes the results to FILE as JUnit's XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    #[command(flatten)]
    pub trace: TraceOptions,
}

/// Counts over all scenarios.
#[derive(Default)]
struct Sum {
    scenarios: usize,
    expectations: usize,
    failed: usize,
    differ: usize,
    updated: usize,
    unusable: usize,
}

impl Sum {
    fn add(&mut self, replayed: &Replayed) {
        match &replayed.tally {
            Ok(tally) => {
                self.scenarios += 1;
                self.expectations += tally.held + tally.failed;
                self.failed += tally.failed;
            }
            Err(_) => self.unusable += 1,
        }
        self.differ += usize::from(replayed.difference.is_some());
        self.updated += usize::from(replayed.updated);
    }

    fn line(&self) -> String {
        let many = |count: usize, noun: &str| match count {
            1 => format!("1 {noun}"),
            _ => format!("{count} {noun}s"),
        };
        let mut wrong = Vec::new();
        if self.failed > 0 {
            wrong.push(format!("{} failed", self.failed));
        }
        if self.differ > 0 {
            let verb =
                if self.differ == 1 { "differs from its snapshot" } else { "differ from their snapshots" };
            wrong.push(format!("{} {verb}", many(self.differ, "scenario")));
        }
        if self.unusable > 0 {
            wrong.push(format!("{} can't be used", many(self.unusable, "input")));
        }
        if wrong.is_empty() {
            wrong.push("all hold".to_owned());
        }
        if self.updated > 0 {
            wrong.push(format!("{} written", many(self.updated, "snapshot")));
        }
        if self.scenarios == 0 {
            return wrong.join(", ");
        }
        let counts = [many(self.scenarios, "scenario"), many(self.expectations, "expectation")].join(", ");
        format!("{counts}: {}", wrong.join(", "))
    }
}

#[allow(clippy::print_stdout, clippy::print_stderr)]
pub(crate) fn main(args: &RunArgs) -> ExitCode {
    let (files, errors) = inputs::scenarios(&args.scenarios);
    let mut sum = Sum { unusable: errors.len(), ..Sum::default() };
    for message in errors {
        eprintln!("error: {message}");
    }
    if let (Some(option), 2..) = (args.trace.of_one(), files.len()) {
        eprintln!("error: {option} tells of one scenario, and {} are given", files.len());
        return ExitCode::from(STATUS_BAD_INPUT);
    }
    let bar = progress(files.len());
    let alone = files.len() == 1;
    let mut all = Vec::new();
    pool::in_order(
        &files,
        |file| replay(args, file),
        |done| bar.set_position(done as u64),
        |replayed| {
            let Some(mut replayed) = replayed else { return };
            sum.add(&replayed);
            let document = replayed.document.take();
            let text =
                if alone || args.trace.shows() { whole(args, &replayed) } else { brief(args, &replayed) };
            bar.suspend(|| {
                for warning in &replayed.warnings {
                    eprintln!("{warning}");
                }
                match args.trace.takes_stdout() {
                    true if !replayed.holds() => eprint!("{text}"),
                    true => {}
                    false => print!("{text}"),
                }
                if let Err(message) = &replayed.tally {
                    eprintln!("error: {message}");
                }
                if let Some(Err(message)) = document.map(|document| args.trace.write(document)) {
                    eprintln!("error: {message}");
                    sum.unusable += 1;
                }
            });
            all.push(replayed);
        },
    );
    bar.finish_and_clear();
    if let Some(Err(message)) = args.junit.as_ref().map(|file| junit::write(file, &all)) {
        eprintln!("error: {message}");
        sum.unusable += 1;
    }
    if all.is_empty() && sum.unusable == 0 {
        let filter = args.filter.as_deref().unwrap_or_default();
        eprintln!("error: no scenario's path, title, rows or documents hold `{filter}`");
        return ExitCode::from(STATUS_BAD_INPUT);
    }
    let holds = all.iter().all(Replayed::holds);
    let silent = all.is_empty() || args.trace.takes_stdout() || args.quiet && holds;
    if !silent {
        println!("{}{}", if alone { "\n" } else { "" }, sum.line());
    }
    match (sum.unusable, holds) {
        (0, true) => ExitCode::SUCCESS,
        (0, false) => ExitCode::FAILURE,
        _ => ExitCode::from(STATUS_BAD_INPUT),
    }
}

/// A bar on standard error if that is a terminal and there is something to wait for.
fn progress(scenarios: usize) -> ProgressBar {
    if scenarios < 2 || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} scenarios");
    let bar = ProgressBar::new(scenarios as u64);
    if let Ok(style) = style { bar.with_style(style) } else { bar }
}

/// Everything that a scenario told.
fn whole(args: &RunArgs, replayed: &Replayed) -> String {
    if args.quiet && replayed.holds() {
        return String::new();
    }
    let acts: String = replayed.acts.iter().map(|act| act.text.as_str()).collect();
    format!("{acts}{}", difference(replayed))
}

/// A line; of a scenario that failed, the acts in which it did.
fn brief(args: &RunArgs, replayed: &Replayed) -> String {
    let Ok(tally) = &replayed.tally else { return String::new() };
    let (file, title, took) = (replayed.file.display(), &replayed.title, human_duration(tally.took));
    let count = tally.held + tally.failed;
    match replayed.holds() {
        true if args.quiet => String::new(),
        true => format!("✓ {file}  {title} ({count} expectations, {took})\n"),
        false => {
            let failed = replayed.acts.iter().filter(|act| act.failed);
            let acts: String = failed.map(|act| act.text.as_str()).collect();
            format!("✗ {file}  {title} ({count} expectations, {took})\n{acts}{}\n", difference(replayed))
        }
    }
}

fn difference(replayed: &Replayed) -> String {
    let Some(difference) = &replayed.difference else { return String::new() };
    let file = replayed.file.display();
    format!(
        "\n  ✗ the transcript differs from its snapshot (- known, + now):\n{difference}\
         hint: `hoplab run --update {file}` takes the new one\n"
    )
}
