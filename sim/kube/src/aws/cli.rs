//! `aws ec2 …`: a part of the AWS CLI, version 2.

use std::collections::BTreeMap;
use std::time::Duration;

use packet::SimTime;
use serde_json::Value;
use tools::console::{Console, Output, Stop, write_all};
use world::{Args, Fd, Next, Program, Sys, Wait};

use super::ec2::ApiError;
use super::operations::carry_out;
use super::output::Format;

/// How long the API takes to answer; by then what was changed has come to the VPC.
const CALL: Duration = Duration::from_millis(500);
/// What the command ends with for words that it doesn't take.
const BAD_WORDS: i32 = 252;

/// The command; its status is the real one's: 252 for words it doesn't take, 254 when the API refuses.
#[derive(Clone, Debug)]
pub struct Aws {
    args: Args,
    /// What it prints at its end.
    answer: Option<(Output, SimTime)>,
}

impl Aws {
    /// A process called with these arguments.
    pub fn new(args: Args) -> Self {
        Self { args, answer: None }
    }
}

impl Program for Aws {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let (output, at) = self.answer.get_or_insert_with(|| {
            let mut console = Console::keeping(sys);
            let outcome = command(&mut console, self.args.get(1..).unwrap_or_default());
            let output = console.finish_keeping(outcome.map(|()| 0));
            let call = if output.status == BAD_WORDS { Duration::ZERO } else { CALL };
            (output, sys.now() + call)
        });
        if sys.now() < *at {
            return Next::Wait(Wait::until(*at));
        }
        write_all(sys, Fd::STDOUT, &output.out);
        write_all(sys, Fd::STDERR, &output.err);
        Next::Exit(output.status)
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// What the words of a command say.
#[derive(Debug, Default)]
pub(super) struct Words {
    format: Format,
    /// Service and operation.
    names: Vec<String>,
    options: BTreeMap<String, Vec<String>>,
}

pub(super) fn usage(message: &str) -> Stop {
    let text = format!(
        "\nusage: aws [options] <command> <subcommand> [<subcommand> ...] [parameters]\nTo see help text, you can \
         run:\n\n  aws help\n  aws <command> help\n  aws <command> <subcommand> help\n\naws: error: {message}\n"
    );
    Stop::text(BAD_WORDS, text)
}

pub(super) fn unsimulated(what: &str) -> Stop {
    Stop::text(BAD_WORDS, format!("hoplab: aws {what} is not simulated\n"))
}

fn format_called(name: &str) -> Result<Format, Stop> {
    match Format::parse(name) {
        Some(format) => Ok(format),
        None if name.starts_with("yaml") => Err(unsimulated(&format!("--output {name}"))),
        None => {
            let choices = "Invalid choice, valid choices are:\n\njson\ntext\ntable\nyaml\nyaml-stream";
            Err(usage(&format!("argument --output: {choices}")))
        }
    }
}

/// Options of every operation that have one value and change nothing here.
const INERT: [&str; 2] = ["region", "profile"];
/// Options of every operation without a value that change nothing here.
const SWITCHES: [&str; 2] = ["no-cli-pager", "no-paginate"];

impl Words {
    fn parse(args: &[String]) -> Result<Self, Stop> {
        let mut words = Self::default();
        let mut current: Option<String> = None;
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let Some(name) = arg.strip_prefix("--") else {
                match &current {
                    Some(name) => words.options.entry(name.clone()).or_default().push(arg.clone()),
                    None => words.names.push(arg.clone()),
                }
                continue;
            };
            let (name, value) = match name.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (name, None),
            };
            if SWITCHES.contains(&name) {
                continue;
            }
            if name == "output" || INERT.contains(&name) {
                let value = value.or_else(|| args.next().cloned());
                let value =
                    value.ok_or_else(|| usage(&format!("argument --{name}: expected one argument")))?;
                if name == "output" {
                    words.format = format_called(&value)?;
                }
                continue;
            }
            words.options.entry(name.to_owned()).or_default().extend(value);
            current = Some(name.to_owned());
        }
        Ok(words)
    }

    /// The value of an option.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.options.remove(name).map(|values| values.concat())
    }

    /// The values of an option.
    pub(super) fn list(&mut self, name: &str) -> Vec<String> {
        self.options.remove(name).unwrap_or_default()
    }

    /// The values of options that must be there.
    pub(super) fn need<const N: usize>(&mut self, names: [&str; N]) -> Result<[String; N], Stop> {
        let missing: Vec<String> = names
            .iter()
            .filter(|name| !self.options.contains_key(**name))
            .map(|name| format!("--{name}"))
            .collect();
        if !missing.is_empty() {
            return Err(usage(&format!("the following arguments are required: {}", missing.join(", "))));
        }
        Ok(names.map(|name| self.take(name).unwrap_or_default()))
    }

    /// `--NAME` or `--no-NAME`; also `--NAME Value=false` and its JSON.
    pub(super) fn switch(&mut self, name: &str) -> Option<bool> {
        if self.options.remove(&format!("no-{name}")).is_some() {
            return Some(false);
        }
        let value = self.take(name)?;
        Some(!value.to_lowercase().contains("false"))
    }

    /// Refuses options that nobody took.
    pub(super) fn finish(&self) -> Result<(), Stop> {
        match self.options.keys().next() {
            Some(name) => Err(unsimulated(&format!("{} --{name}", self.names.join(" ")))),
            None => Ok(()),
        }
    }
}

/// `describe-route-tables` as `DescribeRouteTables`.
fn camel(name: &str) -> String {
    let word = |word: &str| {
        let mut chars = word.chars();
        chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
    };
    name.split('-').map(word).collect()
}

/// What an operation answers; nothing for most that change something.
pub(super) type Answer = Result<Option<Value>, Failure>;

/// Why there is no answer.
pub(super) enum Failure {
    /// The words.
    Usage(Stop),
    /// The API.
    Api(ApiError),
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        Self::Usage(stop)
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

fn command(console: &mut Console<'_>, args: &[String]) -> Result<(), Stop> {
    let mut words = Words::parse(args)?;
    let operation = match words.names.as_slice() {
        [] => return Err(usage("the following arguments are required: command")),
        [service, ..] if service != "ec2" => return Err(unsimulated(service)),
        [_] => return Err(usage("the following arguments are required: operation")),
        [_, operation] => operation.clone(),
        [_, _, rest @ ..] => return Err(usage(&format!("Unknown options: {}", rest.join(", ")))),
    };
    let format = words.format;
    let name = camel(&operation);
    match carry_out(console.sys, &operation, &mut words) {
        Ok(None) => Ok(()),
        Ok(Some(answer)) => {
            console.out(&format.print(&name, &answer));
            Ok(())
        }
        Err(Failure::Usage(stop)) => Err(stop),
        Err(Failure::Api(ApiError { code, message })) => {
            let text = format!("\nAn error occurred ({code}) when calling the {name} operation: {message}\n");
            Err(Stop::text(254, text))
        }
    }
}
