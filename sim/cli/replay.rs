use std::path::{Path, PathBuf};

use lab::{FileError, Replay, Scenario, Snapshot, StepReport, Tally, Verdict};
use trace::Step;
use trace::view::Packets;

use crate::run::RunArgs;
use crate::trace_options::Document;

/// How one scenario went.
pub(crate) struct Replayed {
    /// Its file.
    pub file: PathBuf,
    /// Its title; empty if the file can't be read.
    pub title: String,
    /// What looks wrong with its topology.
    pub warnings: Vec<String>,
    /// What its acts told.
    pub acts: Vec<ActText>,
    /// How it went, or what is wrong with the input.
    pub tally: Result<Tally, String>,
    /// Every expectation: its act, its text, and what happened instead if it failed.
    pub judged: Vec<(String, String, Option<String>)>,
    /// In which lines it differs from its snapshot.
    pub difference: Option<String>,
    /// A snapshot was written.
    pub updated: bool,
    /// What `--format` asks for.
    pub document: Option<Document>,
}

/// What an act told.
#[derive(Default)]
pub(crate) struct ActText {
    /// The text.
    pub text: String,
    /// Expectations of it failed.
    pub failed: bool,
}

impl Replayed {
    /// Whether everything held.
    pub fn holds(&self) -> bool {
        self.tally.as_ref().is_ok_and(Tally::holds) && self.difference.is_none()
    }
}

/// Replays a scenario; `None` if the filter leaves it out.
pub(crate) fn replay(args: &RunArgs, file: &Path) -> Option<Replayed> {
    let mut replayed = Replayed {
        file: file.to_owned(),
        title: String::new(),
        warnings: Vec::new(),
        acts: Vec::new(),
        tally: Ok(Tally::default()),
        judged: Vec::new(),
        difference: None,
        updated: false,
        document: None,
    };
    let path = file.to_string_lossy();
    match Scenario::read(file) {
        Ok((scenario, _)) => {
            if !args.filter.as_ref().is_none_or(|filter| wanted(filter, &path, &scenario)) {
                return None;
            }
            replayed.title = scenario.title;
        }
        Err(_) if args.filter.as_ref().is_some_and(|filter| !path.contains(filter.as_str())) => return None,
        Err(error) => {
            replayed.tally = Err(error.to_string());
            return Some(replayed);
        }
    }
    replayed.tally = go(args, &mut replayed).map_err(|error| error.to_string());
    Some(replayed)
}

/// Whether a scenario's path, title, rows or documents hold the text.
fn wanted(filter: &str, path: &str, scenario: &Scenario) -> bool {
    let texts = scenario.rows.iter().chain(&scenario.documents).chain([&scenario.title]);
    path.contains(filter) || texts.into_iter().any(|text| text.contains(filter))
}

/// What goes wrong while a scenario runs.
pub(crate) enum Failed {
    File(FileError),
    Other(String),
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Other(message) => f.write_str(message),
        }
    }
}

impl From<FileError> for Failed {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

fn go(args: &RunArgs, replayed: &mut Replayed) -> Result<Tally, Failed> {
    let file = replayed.file.clone();
    let mut replay = Replay::load(&file, args.topologies.as_deref(), args.seed)?;
    replayed.warnings = replay.lab.warnings.iter().map(ToString::to_string).collect();
    let mut document = args.trace.document(&replay.scenario.title, Packets::Subjects);
    let mut snapshot = Snapshot::of(&file)?;
    let (mut steps, mut transcript, mut act_name): (Vec<Step>, String, String) = Default::default();
    let tally = replay.run(&mut |report| {
        transcript.push_str(&report.minimal());
        if args.trace.is_document() {
            document.step(&report);
        }
        match &report {
            StepReport::Act(name) => {
                act_name.clone_from(name);
                replayed.acts.push(ActText::default());
            }
            StepReport::Judged { expectation, verdict, .. } => {
                let instead = match verdict {
                    Verdict::Held => None,
                    Verdict::Failed(failure) => Some(failure.instead.clone()),
                };
                replayed.judged.push((act_name.clone(), expectation.clone(), instead));
            }
            StepReport::Command(_) | StepReport::Table(_) | StepReport::Checked(_) => {}
        }
        if let Some(act) = replayed.acts.last_mut() {
            act.text.push_str(&show(args, &report));
            act.failed |= matches!(&report, StepReport::Judged { verdict, .. } if !verdict.held());
        }
        if let StepReport::Command(ran) | StepReport::Table(ran) = report
            && args.trace.captures()
        {
            steps.extend(ran.steps);
        }
    })?;
    if args.update && tally.holds() {
        replayed.updated = snapshot.accept(&transcript)?;
    } else if args.seed.is_none() && tally.holds() {
        replayed.difference = snapshot.difference(&transcript);
    }
    if args.trace.is_document() {
        replayed.document = Some(document);
    }
    args.trace.write_capture(&replay.lab.world, &steps).map_err(Failed::Other)?;
    Ok(tally)
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
        StepReport::Checked(checked) => checked.text(),
        StepReport::Judged { .. } => report.verdict_text(),
    }
}
