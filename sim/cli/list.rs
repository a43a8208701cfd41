use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use lab::{Replay, Scenario};
use serde::Serialize;
use trace::view::human_duration;

use crate::answer::Format;
use crate::{STATUS_BAD_INPUT, inputs, pool};

/// Arguments of `hoplab list`.
#[derive(Args)]
pub(crate) struct ListArgs {
    /// Scenario files, folders or patterns.
    #[arg(default_value = "scenarios")]
    scenarios: Vec<PathBuf>,
    /// Paragraphs, or a JSON array.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Folder of topologies; if not given, the nearest folder `topologies` beside the scenario or
    /// above it.
    #[arg(long)]
    topologies: Option<PathBuf>,
}

/// What the list says of a scenario.
#[derive(Serialize)]
struct Entry {
    file: String,
    title: String,
    documents: Vec<String>,
    rows: Vec<String>,
    topology: String,
    acts: Vec<String>,
    commands: usize,
    expectations: usize,
    holds: bool,
    /// Virtual time that the commands take, in nanoseconds.
    duration_ns: u64,
}

/// Runs each scenario: how long it takes in virtual time is known only then.
fn entry(args: &ListArgs, file: &Path) -> Result<Entry, String> {
    let mut replay =
        Replay::load(file, args.topologies.as_deref(), None).map_err(|error| error.to_string())?;
    let tally = replay.run(&mut |_| ()).map_err(|error| error.to_string())?;
    let Scenario { title, documents, rows, topology, acts, .. } = replay.scenario;
    Ok(Entry {
        file: file.display().to_string(),
        title,
        documents,
        rows,
        topology,
        acts: acts.into_iter().map(|act| act.name).collect(),
        commands: tally.commands,
        expectations: tally.held + tally.failed,
        holds: tally.holds(),
        duration_ns: u64::try_from(tally.took.as_nanos()).unwrap_or(u64::MAX),
    })
}

#[allow(clippy::print_stdout, clippy::print_stderr)]
pub(crate) fn main(args: &ListArgs) -> ExitCode {
    let (files, mut errors) = inputs::scenarios(&args.scenarios);
    let mut entries = Vec::new();
    pool::in_order(
        &files,
        |file| entry(args, file),
        |_| (),
        |result| match result {
            Ok(entry) => entries.push(entry),
            Err(message) => errors.push(message),
        },
    );
    match args.format {
        Format::Text => print!("{}", entries.iter().map(paragraph).collect::<Vec<_>>().join("\n")),
        Format::Json => match serde_json::to_string_pretty(&entries) {
            Ok(text) => println!("{text}"),
            Err(error) => errors.push(error.to_string()),
        },
    }
    for message in &errors {
        eprintln!("error: {message}");
    }
    if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(STATUS_BAD_INPUT) }
}

fn paragraph(entry: &Entry) -> String {
    let mut text = format!("{}  {}\n", entry.file, entry.title);
    let took = human_duration(std::time::Duration::from_nanos(entry.duration_ns));
    let fails = if entry.holds { "" } else { "; it fails" };
    text.push_str(&format!(
        "    {} commands, {} expectations, {took} of virtual time{fails}\n",
        entry.commands, entry.expectations
    ));
    if !entry.rows.is_empty() {
        text.push_str(&format!("    rows {}\n", entry.rows.join(", ")));
    }
    for document in &entry.documents {
        text.push_str(&format!("    {document}\n"));
    }
    text
}
