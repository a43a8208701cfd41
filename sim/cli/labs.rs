mod desk;
mod listing;
mod moves;
mod progress;

use std::cell::RefCell;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

use clap::Args;
use lab::fault::Shape;
use lab::{Checked, Exercise, Lab, Replay};
use serde::Serialize;
use trace::Recorder;

use self::desk::{LabDesk, Visit, counted};
use crate::answer::Format;
use crate::prompt::{Left, Prompt, Screen};
use crate::typing::Typing;
use crate::{STATUS_BAD_INPUT, inputs, load};

/// Arguments of `hoplab lab`.
#[derive(Args)]
pub(crate) struct LabArgs {
    /// The lab: a scenario file, or its name without `.ron`. All labs are listed if none is given.
    scenario: Option<String>,
    /// Folder of the scenarios among which labs are looked for by name.
    #[arg(long, value_name = "FOLDER", default_value = "scenarios")]
    scenarios: PathBuf,
    /// Folder of topologies; if not given, the nearest folder `topologies` beside the scenario or
    /// above it.
    #[arg(long, value_name = "FOLDER")]
    topologies: Option<PathBuf>,
    /// Breaks a healthy cluster by faults that are drawn, instead of a lab.
    #[arg(long, conflicts_with = "scenario")]
    random: bool,
    /// So many faults are drawn.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "random")]
    faults: usize,
    /// The network that is broken; a cluster of three nodes if not given.
    #[arg(long, value_name = "FILE", requires = "random")]
    topology: Option<PathBuf>,
    /// Types the lines of FILE instead of a person, then checks; succeeds if the lab is solved. A
    /// line `^C` interrupts the command before it.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Of a script, or of the list: text, or JSON.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Writes the session to FILE as Markdown.
    #[arg(long, value_name = "FILE")]
    transcript: Option<PathBuf>,
    /// Goes on where the last visit with this option ended, and keeps this one's state.
    #[arg(long)]
    keep: bool,
    /// Seed of all random streams, instead of the scenario's; of what is drawn.
    #[arg(long)]
    seed: Option<u64>,
    /// Virtual seconds per second of a command in the foreground; 0 does not wait.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pace: u32,
}

/// A lab that is ready to be entered.
struct Ready {
    /// By which name it is remembered.
    name: Option<String>,
    title: String,
    exercise: Exercise,
    lab: Lab,
}

/// What came of a script, for graders.
#[derive(Serialize)]
struct Graded<'a> {
    lab: &'a str,
    title: &'a str,
    solved: bool,
    checks: Vec<GradedCheck<'a>>,
    hints: usize,
    solution_seen: bool,
    commands: usize,
}

/// A check of it.
#[derive(Serialize)]
struct GradedCheck<'a> {
    name: &'a str,
    passed: bool,
    /// What was seen instead.
    seen: Option<&'a str>,
}

#[allow(clippy::print_stderr)]
pub(crate) fn main(args: &LabArgs) -> ExitCode {
    let done = match &args.scenario {
        None if args.random => draw(args).and_then(|ready| enter(args, ready)),
        None => listing::show(&args.scenarios, args.format),
        Some(name) => {
            find(args, name).and_then(|file| load(args, &file)).and_then(|ready| enter(args, ready))
        }
    };
    done.unwrap_or_else(|message| {
        eprintln!("error: {message}");
        ExitCode::from(STATUS_BAD_INPUT)
    })
}

/// The file of a lab.
fn find(args: &LabArgs, name: &str) -> Result<PathBuf, String> {
    let file = PathBuf::from(name);
    if file.is_file() {
        return Ok(file);
    }
    let (files, _) = inputs::scenarios(std::slice::from_ref(&args.scenarios));
    let stem = |file: &Path| file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    if let Some(found) = files.iter().find(|file| stem(file).as_deref() == Some(name)) {
        return Ok(found.clone());
    }
    let known: Vec<String> = listing::labs(&args.scenarios).into_iter().map(|entry| entry.name).collect();
    let nearest = known.iter().min_by_key(|known| strsim::levenshtein(known, name));
    let hint = nearest.map(|near| format!("; the nearest is `{near}`")).unwrap_or_default();
    Err(format!("no lab `{name}`{hint}\nhint: `hoplab lab` lists them"))
}

fn load(args: &LabArgs, file: &Path) -> Result<Ready, String> {
    let mut replay =
        Replay::load(file, args.topologies.as_deref(), args.seed).map_err(|error| error.to_string())?;
    replay.break_network().map_err(|error| error.to_string())?;
    let Replay { scenario, lab, .. } = replay;
    let exercise = scenario.lab.ok_or_else(|| {
        format!("{}: a scenario without a part `lab`\nhint: `hoplab run` replays it", file.display())
    })?;
    let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    Ok(Ready { name, title: scenario.title, exercise, lab })
}

/// A network with faults that are drawn.
fn draw(args: &LabArgs) -> Result<Ready, String> {
    let seed = args.seed.unwrap_or_else(|| u64::from(std::process::id()));
    let mut lab = match &args.topology {
        Some(file) => load::load(file, 0)?,
        None => Shape::default().boot().map_err(|error| error.to_string())?,
    };
    let exercise = Exercise::draw(&mut lab, seed, args.faults).map_err(|problem| problem.to_string())?;
    let title = format!("A broken cluster: seed {seed}, {}", counted(args.faults, "fault"));
    Ok(Ready { name: None, title, exercise, lab })
}

/// What is typed: a script's lines, what is piped in, or a person's.
fn typing(args: &LabArgs) -> Result<Typing, String> {
    let text = match &args.script {
        Some(file) => {
            std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?
        }
        None if std::io::stdin().is_terminal() => return Typing::person(args.pace),
        None => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map_err(|error| format!("standard input: {error}"))?;
            text
        }
    };
    Ok(Typing::script(&text))
}

fn enter(args: &LabArgs, ready: Ready) -> Result<ExitCode, String> {
    let Ready { name, title, exercise, lab } = ready;
    let person = args.script.is_none() && std::io::stdin().is_terminal();
    if args.format == Format::Json && person {
        return Err("`--format json` tells what came of a script: give `--script FILE`".to_owned());
    }
    let remembered = name.clone().unwrap_or_else(|| "random".to_owned());
    let visit = Rc::new(RefCell::new(Visit::default()));
    let spot = lab.locate(&exercise.at).map_err(|problem| problem.to_string())?;
    let mut typing = typing(args)?;
    if args.keep {
        typing.resume(progress::journal(&remembered)?);
    }
    let desk = LabDesk { name, title, exercise, lab, visit: visit.clone() };
    let (title, exercise, lab) = (desk.title.clone(), desk.exercise.clone(), desk.lab.clone());
    let mut screen =
        Screen { aside: args.format == Format::Json, kept: args.transcript.is_some().then(String::new) };
    let story = desk.story();
    let help = "`hint`, `check`, `trace`, `undo`, `solution`, `help`; `ssh HOST` moves, `quit` leaves.\n\n";
    screen.say(world::Stream::Out, format!("{story}{help}").as_bytes());
    let prompt = Prompt::new(lab.world.clone(), spot, typing).with_desk(Box::new(desk), screen);
    let left = prompt.run(&mut Recorder::default(), |_, typed, recorder| {
        let new = std::mem::take(&mut recorder.steps);
        if !typed.is_empty() {
            let mut visit = visit.borrow_mut();
            visit.commands += 1;
            visit.steps = new;
        }
        Ok(())
    })?;
    if args.keep {
        progress::keep(&remembered, &left.journal)?;
    }
    let mut now = lab;
    now.world = left.world.clone();
    let checks = exercise.look(&now);
    let visit = visit.borrow();
    if let Some(file) = &args.transcript {
        let text = markdown(&title, &exercise, &left, &visit, &checks);
        std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    let solved = checks.iter().all(Checked::passed);
    if person {
        return Ok(ExitCode::SUCCESS);
    }
    tell(args, &remembered, &title, &visit, &checks)?;
    Ok(if solved { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Says what came of a script.
#[allow(clippy::print_stdout)]
fn tell(args: &LabArgs, name: &str, title: &str, visit: &Visit, checks: &[Checked]) -> Result<(), String> {
    let solved = checks.iter().all(Checked::passed);
    match args.format {
        Format::Text => {
            let text: String = checks.iter().map(Checked::text).collect();
            println!("\n{text}{}", if solved { "solved" } else { "not solved" });
        }
        Format::Json => {
            let checks = checks
                .iter()
                .map(|check| GradedCheck {
                    name: &check.name,
                    passed: check.passed(),
                    seen: check.missed.as_deref(),
                })
                .collect();
            let Visit { hints, peeked, commands, .. } = *visit;
            let graded = Graded { lab: name, title, solved, checks, hints, solution_seen: peeked, commands };
            println!("{}", serde_json::to_string_pretty(&graded).map_err(|error| error.to_string())?);
        }
    }
    Ok(())
}

/// A session as a page.
fn markdown(title: &str, exercise: &Exercise, left: &Left, visit: &Visit, checks: &[Checked]) -> String {
    let shown = left.shown.as_deref().unwrap_or_default();
    // A fence that no line of the session ends.
    let fence = "`".repeat(longest_run(shown).max(2) + 1);
    let results: String = checks
        .iter()
        .map(|check| format!("- [{}] {}\n", if check.passed() { 'x' } else { ' ' }, check.name))
        .collect();
    let Visit { hints, commands, .. } = visit;
    format!(
        "# {title}\n\n{}\n\n{fence}console\n{shown}\n{fence}\n\n{results}\n{}, {}\n",
        exercise.story.trim(),
        counted(*commands, "command"),
        counted(*hints, "hint"),
    )
}

/// The longest run of backquotes.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}
