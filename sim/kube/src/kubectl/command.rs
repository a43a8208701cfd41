//! The commands and their options.

use super::cli::{Cli, Then};
use super::failure::Failure;
use super::flags::{Flag, Kind};

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
    /// Its options.
    pub flags: &'static [Flag],
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
            let mut flags: Vec<&Flag> = self.flags.iter().collect();
            flags.sort_by_key(|flag| flag.0);
            for (name, letter, kind) in flags {
                let letter = if *letter == ' ' { "    ".to_owned() } else { format!("-{letter}, ") };
                let value = match kind {
                    Kind::Switch | Kind::ForeignSwitch => "=false",
                    Kind::Int => "=0",
                    Kind::Duration => "=0s",
                    Kind::Text | Kind::Optional(_) | Kind::Foreign => "=''",
                };
                text.push_str(&format!("    {letter}--{name}{value}\n"));
            }
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

const fn command(
    name: &'static str,
    group: &'static str,
    short: &'static str,
    usage: &'static str,
    flags: &'static [Flag],
    run: Run,
) -> Command {
    Command { name, aliases: &[], group, short, usage, flags, run, subcommands: &[] }
}

const fn refused(name: &'static str, group: &'static str, short: &'static str) -> Command {
    command(name, group, short, "", &[], Run::Refused)
}

const BEGINNER: &str = "Basic Commands (Beginner)";
const INTERMEDIATE: &str = "Basic Commands (Intermediate)";
const DEPLOY: &str = "Deploy Commands";
const CLUSTER: &str = "Cluster Management Commands";
const TROUBLE: &str = "Troubleshooting and Debugging Commands";
const ADVANCED: &str = "Advanced Commands";
const SETTINGS: &str = "Settings Commands";
const OTHER: &str = "Other Commands";

const DRY_RUN: Flag = ("dry-run", ' ', Kind::Optional("unchanged"));
const OUTPUT: Flag = ("output", 'o', Kind::Text);
const FILENAME: Flag = ("filename", 'f', Kind::Text);
const RECURSIVE: Flag = ("recursive", 'R', Kind::Switch);
const KUSTOMIZE: Flag = ("kustomize", 'k', Kind::Foreign);
const SELECTOR: Flag = ("selector", 'l', Kind::Text);
const ALL: Flag = ("all", ' ', Kind::Switch);
const ALL_NAMESPACES: Flag = ("all-namespaces", 'A', Kind::Switch);
const FIELD_SELECTOR: Flag = ("field-selector", ' ', Kind::Text);
const FIELD_MANAGER: Flag = ("field-manager", ' ', Kind::Text);
const VALIDATE: Flag = ("validate", ' ', Kind::Optional("strict"));
const RECORD: Flag = ("record", ' ', Kind::Switch);
const SHOW_MANAGED: Flag = ("show-managed-fields", ' ', Kind::Switch);
const TEMPLATE: Flag = ("template", ' ', Kind::Text);
const MISSING_KEYS: Flag = ("allow-missing-template-keys", ' ', Kind::Switch);

/// All commands, in the order in which kubectl adds them.
pub static COMMANDS: &[Command] = &[
    command(
        "get",
        INTERMEDIATE,
        "Display one or many resources",
        "[(-o|--output=)json|yaml|name|go-template|go-template-file|template|templatefile|jsonpath|\
         jsonpath-as-json|jsonpath-file|custom-columns|custom-columns-file|wide] (TYPE[.VERSION][.GROUP] [NAME | -l \
         label] | TYPE[.VERSION][.GROUP]/NAME ...) [flags] [options]",
        &[
            ALL_NAMESPACES,
            FIELD_SELECTOR,
            FILENAME,
            KUSTOMIZE,
            OUTPUT,
            RECURSIVE,
            SELECTOR,
            SHOW_MANAGED,
            TEMPLATE,
            MISSING_KEYS,
            ("chunk-size", ' ', Kind::Int),
            ("ignore-not-found", ' ', Kind::Switch),
            ("label-columns", 'L', Kind::Text),
            ("no-headers", ' ', Kind::Switch),
            ("output-watch-events", ' ', Kind::Switch),
            ("raw", ' ', Kind::Foreign),
            ("server-print", ' ', Kind::Switch),
            ("show-kind", ' ', Kind::Switch),
            ("show-labels", ' ', Kind::Switch),
            ("sort-by", ' ', Kind::Text),
            ("subresource", ' ', Kind::Foreign),
            ("watch", 'w', Kind::Switch),
            ("watch-only", ' ', Kind::Switch),
        ],
        Run::Function(super::get::run),
    ),
    command(
        "delete",
        INTERMEDIATE,
        "Delete resources by file names, stdin, resources and names, or by resources and label selector",
        "([-f FILENAME] | [-k DIRECTORY] | TYPE [(NAME | -l label | --all)]) [options]",
        &[
            ALL,
            ALL_NAMESPACES,
            DRY_RUN,
            FIELD_SELECTOR,
            FILENAME,
            KUSTOMIZE,
            OUTPUT,
            RECURSIVE,
            SELECTOR,
            ("cascade", ' ', Kind::Optional("background")),
            ("force", ' ', Kind::Switch),
            ("grace-period", ' ', Kind::Int),
            ("ignore-not-found", ' ', Kind::Switch),
            ("interactive", 'i', Kind::ForeignSwitch),
            ("now", ' ', Kind::Switch),
            ("raw", ' ', Kind::Foreign),
            ("timeout", ' ', Kind::Duration),
            ("wait", ' ', Kind::Switch),
        ],
        Run::Function(super::delete::run),
    ),
    command(
        "apply",
        ADVANCED,
        "Apply a configuration to a resource by file name or stdin",
        "(-f FILENAME | -k DIRECTORY) [options]",
        &[
            ALL,
            DRY_RUN,
            FIELD_MANAGER,
            FILENAME,
            KUSTOMIZE,
            OUTPUT,
            RECORD,
            RECURSIVE,
            SELECTOR,
            SHOW_MANAGED,
            TEMPLATE,
            MISSING_KEYS,
            VALIDATE,
            ("cascade", ' ', Kind::Optional("background")),
            ("force", ' ', Kind::Switch),
            ("force-conflicts", ' ', Kind::ForeignSwitch),
            ("grace-period", ' ', Kind::Int),
            ("openapi-patch", ' ', Kind::Switch),
            ("overwrite", ' ', Kind::Switch),
            ("prune", ' ', Kind::ForeignSwitch),
            ("server-side", ' ', Kind::ForeignSwitch),
            ("timeout", ' ', Kind::Duration),
            ("wait", ' ', Kind::Switch),
        ],
        Run::Function(super::apply::run),
    ),
];
