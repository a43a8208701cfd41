use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use lab::{StepReport, Verdict};
use trace::Step;
use trace::view::Packets;
use world::World;

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
    let beside = file.parent().and_then(Path::parent).unwrap_or(Path::new("")).join("topologies");
    let topologies = args.topologies.clone().unwrap_or(beside);
    let mut steps: Vec<Step> = Vec::new();
    let mut last: Option<World> = None;
    let mut text = String::new();
    let title = file.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let mut document = args.trace.document(&title, Packets::Subjects);
    let held = lab::run(file, &topologies, args.seed, &mut |world, report| {
        text.push_str(&show(args, world, &report));
        if args.trace.is_document() {
            document.step(world, &report);
        }
        if let StepReport::Command { steps: new, .. } = report {
            steps.extend(new);
            last = Some(world.clone());
        }
    })
    .map_err(|error| error.to_string())?;
    match args.trace.takes_stdout() {
        true if !held => eprint!("{text}"),
        false if !args.quiet || !held => print!("{text}"),
        _ => {}
    }
    if args.trace.is_document() {
        args.trace.write(document)?;
    }
    if let Some(world) = last {
        args.trace.write_capture(&world, &steps)?;
    }
    Ok(held)
}

fn show(args: &RunArgs, world: &World, report: &StepReport) -> String {
    match report {
        StepReport::Act(name) => format!("\n## {name}\n"),
        StepReport::Command { on, cmd, output, status, steps, .. } => {
            let mut text = format!("\n{on}$ {cmd}\n{output}");
            if *status != 0 {
                text.push_str(&format!("[exit {status}]\n"));
            }
            let packets = args.trace.show_some(world, steps, Packets::Subjects);
            if !packets.is_empty() {
                text.push('\n');
                text.push_str(&packets);
            }
            text
        }
        StepReport::Judged { expectation, verdict: Verdict::Held } => format!("  ✓ {expectation}\n"),
        StepReport::Judged { expectation, verdict: Verdict::Failed(seen) } => {
            format!("  ✗ {expectation}\n    instead: {seen}\n")
        }
    }
}
