//! `kubectl wait`.

use packet::SimTime;
use serde_json::Value;
use world::{Fd, Next, Program, Sys, Wait, Watch};

use super::cli::{Cli, Then};
use super::delete::{Gone, later};
use super::failure::Failure;
use super::jsonpath::{Template, text_of};
use super::print::{list, number, text};
use super::target::{self, Target, TypeAlone};
use crate::api::Reason;

/// What is waited for.
#[derive(Clone, Debug)]
enum Condition {
    Deleted,
    /// A condition of the status with this value.
    Status(String, String),
    /// A field with this value, or with any.
    Field(Template, Option<String>),
}

fn read_condition(given: &str) -> Result<Condition, String> {
    if given.eq_ignore_ascii_case("delete") {
        return Ok(Condition::Deleted);
    }
    if let Some(rest) = given.strip_prefix("condition=") {
        let (name, value) = rest.split_once('=').unwrap_or((rest, "true"));
        return Ok(Condition::Status(name.to_owned(), value.to_owned()));
    }
    if let Some(rest) = given.strip_prefix("jsonpath=") {
        let rest = rest.trim_matches(['\'', '"']);
        // The sign is the one behind the braces.
        let end = rest.rfind('}').map_or(0, |at| at + 1);
        let (path, value) = rest.split_at(end);
        let (path, value) = match (path, value.strip_prefix('=')) {
            ("", _) => match rest.split_once('=') {
                Some((path, value)) => (path, Some(value)),
                None => (rest, None),
            },
            (path, value) => (path, value),
        };
        if value == Some("") {
            return Err(
                "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3"
                    .to_owned(),
            );
        }
        if path.is_empty() {
            return Err("jsonpath expression cannot be empty".to_owned());
        }
        let value = value.map(|value| value.trim_matches(['\'', '"']).to_owned());
        return Ok(Condition::Field(Template::relaxed(path)?, value));
    }
    Err(format!("unrecognized condition: {given:?}"))
}

impl Condition {
    fn holds(&self, sys: &dyn Sys, target: &Target) -> Result<bool, Failure> {
        if matches!(self, Self::Deleted) {
            return Ok(Gone::of(target).is_over(sys));
        }
        let object = target.current(sys.store())?;
        Ok(match self {
            Self::Deleted => false,
            Self::Status(name, value) => list(&object, "/status/conditions").iter().any(|condition| {
                let observed = condition.get("observedGeneration").and_then(Value::as_i64);
                let current = observed.is_none_or(|seen| seen >= number(&object, "/metadata/generation"));
                text(condition, "/type").eq_ignore_ascii_case(name)
                    && text(condition, "/status").eq_ignore_ascii_case(value)
                    && current
            }),
            Self::Field(template, value) => {
                let found = template.values(&object);
                match value {
                    Some(value) => found.first().is_some_and(|found| text_of(found) == *value),
                    None => !found.is_empty(),
                }
            }
        })
    }
}

/// Runs it.
pub fn run(cli: &mut Cli<'_>) -> Result<Then, Failure> {
    let condition = read_condition(cli.flags.get("for").unwrap_or_default()).map_err(Failure::Own)?;
    let words = cli.flags.words.clone();
    let alone = TypeAlone::NeedsMore;
    let targets = match target::live(cli, &words, alone) {
        Err(Failure::Server(error))
            if error.reason == Reason::NotFound && matches!(condition, Condition::Deleted) =>
        {
            return Ok(Then::Exit(0));
        }
        other => other?,
    };
    if targets.is_empty() {
        return match condition {
            Condition::Deleted => Ok(Then::Exit(0)),
            _ => Err(Failure::Own("no matching resources found".to_owned())),
        };
    }
    let timeout = cli.flags.duration("timeout").unwrap_or(30_000_000_000);
    // A negative time means a week.
    let nanoseconds = u64::try_from(timeout).unwrap_or(7 * 86_400 * 1_000_000_000);
    let until = later(cli.sys, nanoseconds);
    Ok(Then::Go(Box::new(Waiting { condition, targets, until, once: timeout == 0 })))
}

/// It at work.
#[derive(Clone, Debug)]
struct Waiting {
    condition: Condition,
    /// Those of which the condition doesn't hold yet.
    targets: Vec<Target>,
    until: SimTime,
    /// `--timeout=0`: it looks once.
    once: bool,
}

impl Program for Waiting {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        while let Some(target) = self.targets.first() {
            let (fd, line) = match self.condition.holds(sys, target) {
                Ok(true) => (Fd::STDOUT, format!("{} condition met\n", target.printed())),
                Err(failure) => (Fd::STDERR, failure.text()),
                Ok(false) if self.once => (
                    Fd::STDERR,
                    format!("error: condition not met for {}/{}\n", target.kind.plural, target.name),
                ),
                Ok(false) if sys.now() >= self.until => {
                    let shown = Gone::of(target).shown();
                    (Fd::STDERR, format!("error: timed out waiting for the condition on {shown}\n"))
                }
                Ok(false) => {
                    let prefixes = vec![Gone::of(target).prefix()];
                    let watch = Watch { after: sys.store().revision(), prefixes };
                    return Next::Wait(Wait {
                        until: Some(self.until),
                        watch: Some(watch),
                        ..Wait::default()
                    });
                }
            };
            tools::console::write_all(sys, fd, &line);
            if fd == Fd::STDERR {
                return Next::Exit(1);
            }
            self.targets.remove(0);
        }
        Next::Exit(0)
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
