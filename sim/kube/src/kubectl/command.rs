//! A command: its name, its options, its help.

use super::cli::{Cli, Then};
use super::commands::COMMANDS;
use super::failure::Failure;
use tools::pflag::{Flag, Kind};

/// What a command does.
#[derive(Clone, Copy)]
pub enum Run {
    /// This.
    Function(fn(&mut Cli<'_>) -> Result<Then, Failure>),
    /// Its subcommands do something.
    Group,
    /// It is not simulated.
    Refused,
}

/// A command.
pub struct Command {
    /// Its name.
    pub name: &'static str,
    /// Its other names.
    pub aliases: &'static [&'static str],
    /// Under which heading `kubectl help` lists it; empty for none.
    pub group: &'static str,
    /// What it does, in a line.
    pub short: &'static str,
    /// What stands behind its name.
    pub usage: &'static str,
    /// Its options, by whose they are.
    pub flags: &'static [&'static [Flag]],
    /// What it does.
    pub run: Run,
    /// Its subcommands.
    pub subcommands: &'static [Command],
}

impl Command {
    /// What `--help` prints.
    ///
    /// Simplified: without explanation, examples and what each option means.
    pub fn help(&self, path: &str) -> String {
        let mut text = format!("{}\n", self.short);
        if !self.subcommands.is_empty() {
            text.push_str("\nAvailable Commands:\n");
            text.push_str(&list(self.subcommands.iter()));
        }
        if !self.flags.is_empty() {
            text.push_str("\nOptions:\n");
            text.push_str(&options(self.flags));
        }
        let usage = if self.subcommands.is_empty() { self.usage } else { "COMMAND [options]" };
        text.push_str(&format!("\nUsage:\n  {path} {usage}\n"));
        if !self.subcommands.is_empty() {
            text.push_str(&format!(
                "\nUse \"{path} <command> --help\" for more information about a given command.\n"
            ));
        }
        text.push_str(
            "Use \"kubectl options\" for a list of global command-line options (applies to all commands).\n",
        );
        text
    }
}

/// Options, one a line.
pub fn options(flags: &[&[Flag]]) -> String {
    let mut flags: Vec<&Flag> = flags.iter().copied().flatten().collect();
    flags.sort_by_key(|flag| flag.0);
    let line = |(name, letter, kind): &Flag| {
        let letter = if *letter == ' ' { "    ".to_owned() } else { format!("-{letter}, ") };
        let value = match kind {
            Kind::Switch | Kind::ForeignSwitch => "=false",
            Kind::Int => "=0",
            Kind::Duration => "=0s",
            Kind::Text | Kind::Optional(_) | Kind::Foreign => "=''",
        };
        format!("    {letter}--{name}{value}\n")
    };
    flags.into_iter().map(line).collect()
}

fn list<'a>(commands: impl Iterator<Item = &'a Command> + Clone) -> String {
    let width = commands.clone().map(|command| command.name.len()).max().unwrap_or(0);
    commands.map(|command| format!("  {:width$}  {}\n", command.name, command.short)).collect()
}

/// What `kubectl` and `kubectl help` print.
pub fn overview() -> String {
    let mut text = "kubectl controls the Kubernetes cluster manager.\n\n \
                    Find more information at: https://kubernetes.io/docs/reference/kubectl/\n\n"
        .to_owned();
    let mut groups: Vec<&str> = Vec::new();
    for command in COMMANDS.iter().filter(|command| !command.group.is_empty()) {
        if !groups.contains(&command.group) {
            groups.push(command.group);
        }
    }
    for group in groups {
        text.push_str(&format!("{group}:\n"));
        text.push_str(&list(COMMANDS.iter().filter(|command| command.group == group)));
        text.push('\n');
    }
    text.push_str(
        "Usage:\n  kubectl [flags] [options]\n\n\
         Use \"kubectl <command> --help\" for more information about a given command.\n\
         Use \"kubectl options\" for a list of global command-line options (applies to all commands).\n",
    );
    text
}
