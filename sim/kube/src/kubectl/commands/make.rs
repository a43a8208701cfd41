//! How a command is written down, and the options that several have.

use crate::kubectl::cli::{Cli, Then};
use crate::kubectl::command::{Command, Run};
use crate::kubectl::failure::Failure;
use tools::pflag::{Flag, Kind};

type Function = fn(&mut Cli<'_>) -> Result<Then, Failure>;

pub(super) const fn command(
    name: &'static str,
    group: &'static str,
    short: &'static str,
    usage: &'static str,
    flags: &'static [&'static [Flag]],
    function: Function,
) -> Command {
    Command { name, aliases: &[], group, short, usage, flags, run: Run::Function(function), subcommands: &[] }
}

pub(super) const fn refused(name: &'static str, group: &'static str, short: &'static str) -> Command {
    Command {
        name,
        aliases: &[],
        group,
        short,
        usage: "[options]",
        flags: &[],
        run: Run::Refused,
        subcommands: &[],
    }
}

pub(super) const fn group(
    name: &'static str,
    of: &'static str,
    short: &'static str,
    subcommands: &'static [Command],
) -> Command {
    Command { name, aliases: &[], group: of, short, usage: "", flags: &[], run: Run::Group, subcommands }
}

pub(super) const BEGINNER: &str = "Basic Commands (Beginner)";
pub(super) const INTERMEDIATE: &str = "Basic Commands (Intermediate)";
pub(super) const DEPLOY: &str = "Deploy Commands";
pub(super) const CLUSTER: &str = "Cluster Management Commands";
pub(super) const TROUBLE: &str = "Troubleshooting and Debugging Commands";
pub(super) const ADVANCED: &str = "Advanced Commands";
pub(super) const SETTINGS: &str = "Settings Commands";
pub(super) const OTHER: &str = "Other Commands";

pub(super) const fn switch(name: &'static str) -> Flag {
    (name, ' ', Kind::Switch)
}

pub(super) const fn value(name: &'static str) -> Flag {
    (name, ' ', Kind::Text)
}

pub(super) const fn number(name: &'static str) -> Flag {
    (name, ' ', Kind::Int)
}

pub(super) const fn time(name: &'static str) -> Flag {
    (name, ' ', Kind::Duration)
}

pub(super) const fn foreign(name: &'static str) -> Flag {
    (name, ' ', Kind::Foreign)
}

pub(super) const fn foreign_switch(name: &'static str) -> Flag {
    (name, ' ', Kind::ForeignSwitch)
}

pub(super) const DRY_RUN: Flag = ("dry-run", ' ', Kind::Optional("unchanged"));
pub(super) const OUTPUT: Flag = ("output", 'o', Kind::Text);
pub(super) const FILENAME: Flag = ("filename", 'f', Kind::Text);
pub(super) const RECURSIVE: Flag = ("recursive", 'R', Kind::Switch);
pub(super) const KUSTOMIZE: Flag = ("kustomize", 'k', Kind::Foreign);
pub(super) const SELECTOR: Flag = ("selector", 'l', Kind::Text);
pub(super) const ALL: Flag = switch("all");
pub(super) const ALL_NAMESPACES: Flag = ("all-namespaces", 'A', Kind::Switch);
pub(super) const FIELD_SELECTOR: Flag = value("field-selector");
pub(super) const MANAGER: Flag = value("field-manager");
pub(super) const VALIDATE: Flag = ("validate", ' ', Kind::Optional("strict"));
pub(super) const CASCADE: Flag = ("cascade", ' ', Kind::Optional("background"));
pub(super) const RECORD: Flag = switch("record");
pub(super) const SHOW_MANAGED: Flag = switch("show-managed-fields");
pub(super) const TEMPLATE: Flag = value("template");
pub(super) const MISSING_KEYS: Flag = switch("allow-missing-template-keys");
pub(super) const SAVE: Flag = switch("save-config");
pub(super) const STDIN: Flag = ("stdin", 'i', Kind::Switch);
pub(super) const TTY: Flag = ("tty", 't', Kind::Switch);
pub(super) const QUIET: Flag = ("quiet", 'q', Kind::Switch);
pub(super) const CONTAINER: Flag = ("container", 'c', Kind::Text);
pub(super) const CHUNK: Flag = number("chunk-size");
pub(super) const LOCAL: Flag = foreign_switch("local");
pub(super) const POD_TIMEOUT: Flag = time("pod-running-timeout");

/// The options of what prints objects. Kubernetes: `PrintFlags.AddFlags`.
pub(super) const PRINT: &[Flag] = &[OUTPUT, TEMPLATE, MISSING_KEYS, SHOW_MANAGED];
/// The options of what reads files. Kubernetes: `AddFilenameOptionFlags`.
pub(super) const FILES: &[Flag] = &[FILENAME, KUSTOMIZE, RECURSIVE];
/// The options of what creates objects.
pub(super) const CREATING: &[Flag] = &[DRY_RUN, SAVE, MANAGER, VALIDATE];
