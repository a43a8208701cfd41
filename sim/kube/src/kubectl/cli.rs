//! From a command line to a command that runs.

use world::{Fd, Program, Sys};

use super::command::{Command, Run};
use super::commands::COMMANDS;
use super::config::Config;
use super::failure::Failure;
use super::flags;
use crate::time::{klog, unix};
use tools::pflag::{self, Flag, FlagError, Kind, Parsed, Words};

/// How a command goes on.
#[derive(Debug)]
pub enum Then {
    /// It has ended.
    Exit(i32),
    /// It waits for something.
    Go(Box<dyn Program>),
}

/// A command at work.
pub struct Cli<'a> {
    /// The process's system calls.
    pub sys: &'a mut dyn Sys,
    /// The kubeconfig file.
    pub config: Config,
    /// Options and words.
    pub flags: Parsed,
    /// `kubectl create service`.
    pub path: String,
    /// What `-f -` reads.
    pub input: String,
    /// What was typed.
    pub line: String,
}

impl Cli<'_> {
    /// Writes to standard output.
    pub fn out(&mut self, text: &str) {
        tools::console::write_all(self.sys, Fd::STDOUT, text);
    }

    /// Writes to standard error.
    pub fn err(&mut self, text: &str) {
        tools::console::write_all(self.sys, Fd::STDERR, text);
    }

    /// The present second since 1970.
    pub fn now(&self) -> i64 {
        unix(self.sys)
    }

    /// A mistake in this command's line.
    pub fn usage(&self, message: impl AsRef<str>) -> Failure {
        Failure::usage(&self.path, message)
    }

    /// `--dry-run`: whether nothing is to be changed.
    ///
    /// # Errors
    /// A value that it can't have.
    pub fn dry_run(&mut self) -> Result<DryRun, Failure> {
        match self.flags.get("dry-run") {
            None | Some("none" | "false") => Ok(DryRun::No),
            Some("client") => Ok(DryRun::Client),
            Some("server") => Err(Failure::not_simulated("--dry-run=server")),
            Some("unchanged" | "true") => {
                let text = "--dry-run is deprecated and can be replaced with --dry-run=client.";
                klog(self.sys, 'W', "helpers.go:704", text);
                Ok(DryRun::Client)
            }
            Some(other) => Err(Failure::Own(format!(
                "Invalid dry-run value ({other}). Must be \"none\", \"server\", or \"client\"."
            ))),
        }
    }
}

/// Whether a command only says what it would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DryRun {
    /// It does it.
    No,
    /// It asks nobody.
    Client,
}

impl DryRun {
    /// What follows the word for what was done.
    pub const fn note(self) -> &'static str {
        match self {
            Self::No => "",
            Self::Client => " (dry run)",
        }
    }
}

/// Whether a command line has `-f -`.
pub fn reads_stdin(args: &[String]) -> bool {
    let own = args.iter().take_while(|arg| *arg != "--");
    own.clone().any(|arg| ["-f-", "-f=-", "--filename=-"].contains(&arg.as_str()))
        || own.clone().zip(own.skip(1)).any(|(flag, value)| {
            value == "-"
                && (flag == "--filename"
                    || flag.starts_with('-') && !flag.starts_with("--") && flag.ends_with('f'))
        })
}

/// The commands that ask whether who they pretend to be (`--as`) may do what they do.
const PRETENDING: [&str; 4] =
    ["kubectl get", "kubectl describe", "kubectl auth can-i", "kubectl auth whoami"];

/// Runs a command line as far as it goes.
pub fn run(sys: &mut dyn Sys, args: &[String], input: &[u8]) -> Then {
    match start(sys, args.get(1..).unwrap_or_default(), input) {
        Ok(then) => then,
        Err(failure) => {
            tools::console::write_all(sys, Fd::STDERR, &failure.text());
            Then::Exit(failure.status())
        }
    }
}

fn start(sys: &mut dyn Sys, args: &[String], input: &[u8]) -> Result<Then, Failure> {
    let (mut path, mut rest) = ("kubectl".to_owned(), args.to_vec());
    let mut found: Option<&'static Command> = None;
    let mut list = COMMANDS;
    while let Some(at) = first_word(&rest, found) {
        let word = rest[at].clone();
        if found.is_none() && word == "help" {
            rest.remove(at);
            return help(sys, &rest);
        }
        let Some(next) =
            list.iter().find(|command| command.name == word || command.aliases.contains(&word.as_str()))
        else {
            break;
        };
        rest.remove(at);
        path = format!("{path} {}", next.name);
        list = next.subcommands;
        found = Some(next);
        if list.is_empty() {
            break;
        }
    }
    let Some(command) = found else {
        let Some(at) = first_word(&rest, None) else {
            let parsed = pflag::parse(&[flags::GLOBAL], &rest, Words::Anywhere);
            return parsed.map_err(|error| flag_error(error, "kubectl")).and_then(|_| help(sys, &[]));
        };
        return Err(Failure::Own(unknown_command(&rest[at])));
    };
    if matches!(command.run, Run::Refused) {
        return Err(Failure::not_simulated(path.trim_start_matches("kubectl ")));
    }
    let known: Vec<&[Flag]> = command.flags.iter().copied().chain([flags::GLOBAL]).collect();
    let flags = match pflag::parse(&known, &rest, Words::Anywhere) {
        Ok(flags) => flags,
        Err(FlagError::Foreign(name)) => {
            return Err(Failure::not_simulated(&format!("{} --{name}", path.trim_start_matches("kubectl "))));
        }
        Err(error) => return Err(flag_error(error, &path)),
    };
    if flags.on("help") {
        tools::console::write_all(sys, Fd::STDOUT, &command.help(&path));
        return Ok(Then::Exit(0));
    }
    if flags.on("record") {
        let line = "Flag --record has been deprecated, --record will be removed in the future\n";
        tools::console::write_all(sys, Fd::STDERR, line);
    }
    if flags.get("as").is_some() && !PRETENDING.contains(&path.as_str()) {
        return Err(Failure::not_simulated(&format!("{} --as", path.trim_start_matches("kubectl "))));
    }
    match command.run {
        Run::Refused => Err(Failure::not_simulated(path.trim_start_matches("kubectl "))),
        Run::Group => match &flags.words[..] {
            [] => {
                tools::console::write_all(sys, Fd::STDOUT, &command.help(&path));
                Err(Failure::Silent(1))
            }
            words => Err(Failure::usage(&path, format!("unknown command {:?}", words.join(" ")))),
        },
        Run::Function(run) => {
            let config = Config::load(sys, &flags)?;
            let input = String::from_utf8_lossy(input).into_owned();
            let line = format!("kubectl {}", args.join(" "));
            run(&mut Cli { sys, config, flags, path, input, line })
        }
    }
}

fn flag_error(error: FlagError, path: &str) -> Failure {
    match error {
        FlagError::Wrong(why) => Failure::Own(format!("{why}\nSee '{path} --help' for usage.")),
        FlagError::Foreign(name) => Failure::not_simulated(&format!("--{name}")),
    }
}

/// Where the first word stands that is neither an option nor an option's value.
fn first_word(args: &[String], command: Option<&Command>) -> Option<usize> {
    let own = command.map_or(&[][..], |command| command.flags);
    let takes_value = |name: &str, letter: Option<char>| {
        let flag = own
            .iter()
            .copied()
            .flatten()
            .chain(flags::GLOBAL)
            .find(|flag| flag.0 == name || Some(flag.1) == letter);
        flag.is_some_and(|flag| matches!(flag.2, Kind::Text | Kind::Int | Kind::Duration | Kind::Foreign))
    };
    let mut at = 0;
    while let Some(arg) = args.get(at) {
        if arg == "--" {
            return None;
        } else if let Some(long) = arg.strip_prefix("--") {
            at += usize::from(!long.contains('=') && takes_value(long, None));
        } else if arg.len() > 1 && arg.starts_with('-') {
            at += usize::from(arg.len() == 2 && takes_value("", arg.chars().nth(1)));
        } else {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// With what was perhaps meant. cobra: `findSuggestions`.
fn unknown_command(word: &str) -> String {
    let mut text = format!("unknown command {word:?} for \"kubectl\"");
    let close = |name: &str| {
        strsim::levenshtein(&word.to_lowercase(), &name.to_lowercase()) <= 2
            || name.to_lowercase().starts_with(&word.to_lowercase())
    };
    let near: Vec<&str> = COMMANDS.iter().map(|command| command.name).filter(|name| close(name)).collect();
    if !near.is_empty() {
        text.push_str("\n\nDid you mean this?\n");
        text.extend(near.iter().map(|name| format!("\t{name}\n")));
    }
    text
}

/// `kubectl help [COMMAND…]`.
fn help(sys: &mut dyn Sys, words: &[String]) -> Result<Then, Failure> {
    let mut list = COMMANDS;
    let (mut path, mut found) = ("kubectl".to_owned(), None);
    for word in words.iter().filter(|word| !word.starts_with('-')) {
        let Some(command) = list.iter().find(|command| command.name == *word) else {
            let text = format!("Unknown help topic {:?}", words.join(" "));
            return Err(Failure::Plain(text));
        };
        path = format!("{path} {word}");
        list = command.subcommands;
        found = Some(command);
    }
    let text = found.map_or_else(super::command::overview, |command| command.help(&path));
    tools::console::write_all(sys, Fd::STDOUT, &text);
    Ok(Then::Exit(0))
}
