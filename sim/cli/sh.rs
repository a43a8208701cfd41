use std::collections::BTreeMap;
use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use packet::NetnsId;
use trace::{Observer, Off, Recorder};
use world::{Outcome, Stream, World};

use crate::STATUS_BAD_INPUT;
use crate::trace_options::TraceOptions;

/// Arguments of `hoplab sh`.
#[derive(Args)]
pub(crate) struct ShArgs {
    /// A script; standard input if it is not a terminal, else a prompt.
    file: Option<PathBuf>,
    /// Arguments of the script.
    #[arg(trailing_var_arg = true)]
    arguments: Vec<String>,
    /// Commands to run instead of a file.
    #[arg(short, value_name = "TEXT", conflicts_with = "file")]
    command: Option<String>,
    /// Seed of all random streams.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    trace: TraceOptions,
}

/// A command that was ended because it would never end.
const STATUS_ENDLESS: u8 = 124;

#[allow(clippy::print_stderr)]
pub(crate) fn main(args: &ShArgs) -> ExitCode {
    match script(args) {
        Ok((name, text)) => run_script(args, name, text).unwrap_or_else(|message| {
            eprintln!("error: {message}");
            ExitCode::from(STATUS_BAD_INPUT)
        }),
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(STATUS_BAD_INPUT)
        }
    }
}

/// The script's name (its `$0`) and text.
fn script(args: &ShArgs) -> Result<(String, String), String> {
    if let Some(text) = &args.command {
        return Ok(("sh".to_owned(), text.clone()));
    }
    let (name, bytes) = match &args.file {
        Some(file) => {
            let bytes = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
            (file.display().to_string(), bytes)
        }
        None => {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes).map_err(|error| format!("standard input: {error}"))?;
            ("sh".to_owned(), bytes)
        }
    };
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|&&b| b == b'\n').count() + 1;
        format!("{name}:{line}: not UTF-8 text\nhint: a script is text, one command a line")
    })?;
    Ok((name, text))
}

fn run_script(args: &ShArgs, name: String, text: String) -> Result<ExitCode, String> {
    if args.trace.wanted() {
        let mut recorder = Recorder::default();
        let (world, status) = play(args, name, text, &mut recorder)?;
        args.trace.write_capture(&world, &recorder.steps)?;
        write_out(Stream::Out, args.trace.show_all(&world, &recorder.steps).as_bytes());
        Ok(status)
    } else {
        play(args, name, text, &mut Off).map(|(_, status)| status)
    }
}

fn play<O: Observer>(args: &ShArgs, name: String, text: String, obs: &mut O) -> Result<(World, ExitCode), String> {
    let mut world = World::new(args.seed);
    let host = world.add_host("hoplab", tools::registry());
    let console = world.add_console(host, std::io::stdout().is_terminal());
    world.type_input(host, console, None);
    let mut argv = vec!["sh".to_owned(), "-c".to_owned(), text, name];
    argv.extend(args.arguments.iter().cloned());
    let pid = world
        .spawn(host, NetnsId::INIT, console, argv, BTreeMap::new())
        .map_err(|errno| format!("sh: {errno}"))?;
    let outcome = world.run_to_exit(host, pid, console, obs, &mut |stream, bytes| write_out(stream, bytes));
    let status = match outcome {
        Outcome::Exited(status) => ExitCode::from(u8::try_from(status).unwrap_or(u8::MAX)),
        Outcome::Stuck => ended("hoplab: ended: the script waits, and nothing can happen any more"),
        Outcome::Silent => ended("hoplab: ended: the script said nothing for an hour of virtual time"),
        Outcome::Storm(devices) => {
            ended(&format!("hoplab: ended after {} events: a loop between {}", world::EVENT_LIMIT, devices.join(", ")))
        }
    };
    Ok((world, status))
}

fn ended(message: &str) -> ExitCode {
    write_out(Stream::Err, format!("{message}\n").as_bytes());
    ExitCode::from(STATUS_ENDLESS)
}

/// Writes at once, so that both streams keep their order. A reader that went away ends nothing:
/// the script's status still counts.
fn write_out(stream: Stream, bytes: &[u8]) {
    let _ = match stream {
        Stream::Err => std::io::stderr().write_all(bytes),
        Stream::In | Stream::Out => {
            let mut out = std::io::stdout().lock();
            out.write_all(bytes).and_then(|()| out.flush())
        }
    };
}
