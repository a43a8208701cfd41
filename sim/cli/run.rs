use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use lab::{Replay, StepReport};
use trace::Step;
use trace::view::Packets;

use crate::STATUS_BAD_INPUT;
use crate::trace_options::TraceOptions;

/// Arguments of `hoplab run`.
#[derive(Args)]
pub(crate) struct RunArgs {
    /// Scenario files.
    #[arg(required = true)]
    scenarios: Vec<PathBuf>,
    /// Seed of all random streams, instead of the scenario's.
    #[arg(long)]
    seed: Option<u64>,
    /// Folder of topologies; `topologies` beside the scenario's folder if not given.
    #[arg(long)]
    topologies: Option<PathBuf>,
    /// Says nothing of what holds.
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    trace: TraceOptions,
}

#[allow(clippy::print_stdout, clippy::print_stderr)]
pub(crate) fn main(args: &RunArgs) -> ExitCode {
    if args.scenarios.len() > 1 && args.trace.holds_one() {
        eprintln!(
            "error: this form holds one scenario\nhint: run them one by one, each with its own `--output`"
        );
        return ExitCode::from(STATUS_BAD_INPUT);
    }
    let mut all_held = true;
    for file in &args.scenarios {
        match run_one(args, file) {
            Ok(held) => all_held &= held,
            Err(message) => {
                eprintln!("error: {message}");
                return ExitCode::from(STATUS_BAD_INPUT);
            }
        }
    }
    if all_held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[allow(clippy::print_stdout, clippy::print_stderr)]
fn run_one(args: &RunArgs, file: &Path) -> Result<bool, String> {
    let mut replay =
        Replay::load(file, args.topologies.as_deref(), args.seed).map_err(|error| error.to_string())?;
    for warning in &replay.lab.warnings {
        eprintln!("{warning}");
    }
    let mut steps: Vec<Step> = Vec::new();
    let mut text = String::new();
    let mut document = args.trace.document(&replay.scenario.title, Packets::Subjects);
    let tally = replay
        .run(&mut |report| {
            text.push_str(&show(args, &report));
            if args.trace.is_document() {
                document.step(&report);
            }
            if let StepReport::Command(ran) | StepReport::Table(ran) = report {
                steps.extend(ran.steps);
            }
        })
        .map_err(|error| error.to_string())?;
    let held = tally.holds();
    match args.trace.takes_stdout() {
        true if !held => eprint!("{text}"),
        false if !args.quiet || !held => print!("{text}"),
        _ => {}
    }
    if args.trace.is_document() {
        args.trace.write(document)?;
    }
    args.trace.write_capture(&replay.lab.world, &steps)?;
    Ok(held)
}

fn show(args: &RunArgs, report: &StepReport) -> String {
    match report {
        StepReport::Act(name) => format!("\n## {name}\n"),
        StepReport::Command(ran) => {
            let mut text = format!("\n{}$ {}\n{}", ran.on, ran.cmd, ran.output);
            if ran.status != 0 {
                text.push_str(&format!("[exit {}]\n", ran.status));
            }
            let packets = args.trace.show_run(ran);
            if !packets.is_empty() {
                text.push('\n');
                text.push_str(&packets);
            }
            text
        }
        StepReport::Table(ran) => format!("\n{}", ran.output),
        StepReport::Judged { .. } => report.verdict_text(),
    }
}
