use std::collections::BTreeMap;
use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use lab::{BareNic, Spot};
use trace::view::{Packets, Typed};
use trace::{Observer, Off, Recorder};
use world::{Outcome, Stream, World};

use crate::STATUS_BAD_INPUT;
use crate::load::load;
use crate::prompt::Prompt;
use crate::terminal::write_out;
use crate::trace_options::TraceOptions;
use crate::typing::Typing;

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
    /// A network to start in, instead of one empty host.
    #[arg(long, value_name = "FILE")]
    topology: Option<PathBuf>,
    /// A NIC of that empty host, with a carrier and nobody at the other end; may be repeated.
    #[arg(long, value_name = "NAME[=MAC]", conflicts_with = "topology")]
    nic: Vec<BareNic>,
    /// Where the shell runs: `host` or `host/namespace`; the topology's first host if not given.
    #[arg(long, value_name = "PLACE")]
    on: Option<String>,
    /// At a prompt, virtual seconds per second of a command in the foreground; 0 does not wait.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pace: u32,
    /// Seed of all random streams.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    trace: TraceOptions,
}

/// A command that was ended because it would never end.
const STATUS_ENDLESS: u8 = 124;

/// What the shell runs.
enum Input {
    /// A script: its name (`$0`) and text.
    Script(String, String),
    /// Lines that a person types.
    Terminal,
}

#[allow(clippy::print_stderr)]
pub(crate) fn main(args: &ShArgs) -> ExitCode {
    run(args).unwrap_or_else(|message| {
        eprintln!("error: {message}");
        ExitCode::from(STATUS_BAD_INPUT)
    })
}

fn run(args: &ShArgs) -> Result<ExitCode, String> {
    let input = input(args)?;
    let (mut world, place) = world(args)?;
    match input {
        Input::Script(name, text) => script(args, &mut world, &place, name, text),
        Input::Terminal => prompt(args, world, place),
    }
}

fn script(
    args: &ShArgs,
    world: &mut World,
    place: &Spot,
    name: String,
    text: String,
) -> Result<ExitCode, String> {
    if !args.trace.wanted() {
        return Ok(play(args, world, place, name, text, &mut Off, &mut write_out));
    }
    let command = if args.command.is_some() { text.clone() } else { format!("sh {name}") };
    let mut recorder = Recorder::default();
    let mut output = Vec::new();
    // A document has standard output for itself.
    let to_stdout = !args.trace.takes_stdout();
    let status = play(args, world, place, name, text, &mut recorder, &mut |stream, bytes| {
        output.extend_from_slice(bytes);
        write_out(if to_stdout { stream } else { Stream::Err }, bytes);
    });
    let steps = recorder.steps;
    args.trace.write_capture(world, &steps)?;
    if args.trace.is_document() {
        let title = command.lines().next().unwrap_or_default();
        let mut document = args.trace.document(title, Packets::All);
        let on = trace::Names::node(world, place.host, place.netns);
        let output = String::from_utf8_lossy(&output).into_owned();
        document.command(world, Typed { on, command, output, ..Typed::default() }, &steps);
        args.trace.write(document)?;
    } else if args.trace.shows() {
        write_out(Stream::Out, args.trace.show_some(world, &steps, Packets::All).as_bytes());
    }
    Ok(status)
}

fn prompt(args: &ShArgs, world: World, place: Spot) -> Result<ExitCode, String> {
    if args.trace.takes_stdout() {
        return Err(
            "at a prompt, `--format` needs `--output FILE`: standard output is the terminal".to_owned()
        );
    }
    let prompt = Prompt::new(world, place, Typing::person(args.pace)?);
    if !args.trace.wanted() {
        let left = prompt.run(&mut Off, |_, _, _| Ok(()))?;
        return Ok(exit_code(left.status));
    }
    let mut steps = Vec::new();
    let mut document = args.trace.document("a session at the prompt", Packets::All);
    let left = prompt.run(&mut Recorder::default(), |world, typed, recorder| {
        let new = std::mem::take(&mut recorder.steps);
        if args.trace.is_document() {
            let (on, command) = typed.trim_end().split_once("# ").unwrap_or(("", typed));
            if !command.is_empty() {
                let (on, command) = (on.to_owned(), command.to_owned());
                document.command(world, Typed { on, command, ..Typed::default() }, &new);
            }
        } else if args.trace.shows() {
            write_out(Stream::Out, args.trace.show_some(world, &new, Packets::All).as_bytes());
        }
        steps.extend(new);
        Ok(())
    })?;
    args.trace.write_capture(&left.world, &steps)?;
    if args.trace.is_document() {
        args.trace.write(document)?;
    }
    Ok(exit_code(left.status))
}

fn exit_code(status: i32) -> ExitCode {
    ExitCode::from(u8::try_from(status).unwrap_or(u8::MAX))
}

/// What to run.
fn input(args: &ShArgs) -> Result<Input, String> {
    if let Some(text) = &args.command {
        return Ok(Input::Script("sh".to_owned(), text.clone()));
    }
    let (name, bytes) = match &args.file {
        Some(file) => {
            let bytes = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
            (file.display().to_string(), bytes)
        }
        None if std::io::stdin().is_terminal() => return Ok(Input::Terminal),
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
    Ok(Input::Script(name, text))
}

/// The world, and where the shell runs.
fn world(args: &ShArgs) -> Result<(World, Spot), String> {
    let world = match &args.topology {
        Some(file) => load(file, args.seed)?.world,
        None => lab::bare_world(args.seed, "hoplab", &args.nic).map_err(|problem| problem.to_string())?,
    };
    let place = match &args.on {
        Some(on) => lab::locate(&world, on).map_err(|problem| problem.to_string())?,
        None => {
            let first = world.hosts().next().ok_or("the topology has no host")?;
            Spot::of(first.id)
        }
    };
    Ok((world, place))
}

fn play<O: Observer>(
    args: &ShArgs,
    world: &mut World,
    spot: &Spot,
    name: String,
    text: String,
    obs: &mut O,
    out: &mut dyn FnMut(Stream, &[u8]),
) -> ExitCode {
    let host = spot.host;
    let console = world.add_console(host, std::io::stdout().is_terminal());
    world.type_input(host, console, None);
    let mut argv = vec!["sh".to_owned(), "-c".to_owned(), text, name];
    argv.extend(args.arguments.iter().cloned());
    let pid = match world.spawn(host, spot.netns, console, argv, BTreeMap::new()) {
        Ok(pid) => pid,
        Err(errno) => return ended(&format!("hoplab: sh: {errno}")),
    };
    world.enter_root(host, pid, &spot.root);
    let outcome = world.run_to_exit(host, pid, console, obs, out);
    match outcome {
        Outcome::Exited(status) => exit_code(status),
        Outcome::Stuck => ended("hoplab: ended: the script waits, and nothing can happen any more"),
        Outcome::Silent => ended("hoplab: ended: the script said nothing for an hour of virtual time"),
        Outcome::Busy => {
            ended("hoplab: ended: the script runs round and round in no time; does a loop lack a `sleep`?")
        }
        Outcome::Storm(devices) => ended(&format!(
            "hoplab: ended after {} events: a loop between {}",
            world::EVENT_LIMIT,
            devices.join(", ")
        )),
    }
}

fn ended(message: &str) -> ExitCode {
    write_out(Stream::Err, format!("{message}\n").as_bytes());
    ExitCode::from(STATUS_ENDLESS)
}
