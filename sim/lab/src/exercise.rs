use schemars::JsonSchema;
use serde::Deserialize;

use crate::error::Problem;
use crate::expect::{Expectation, Scope, Verdict, Wrong, check};
use crate::lab::Lab;
use crate::ran::Ran;

/// What makes a scenario a lab: a broken network, and what a person is told who repairs it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Lab")]
pub struct Exercise {
    /// What it is about: labs are listed by topic, e.g. `Overlay`.
    pub topic: String,
    /// From 1, a few minutes, to 5.
    pub difficulty: u8,
    /// What one is told first.
    pub story: String,
    /// Where the prompt begins: `host` or `host/namespace`.
    pub at: String,
    /// What broke the network, in order, after its hosts have booted.
    #[serde(default)]
    pub faults: Vec<Break>,
    /// From a nudge to nearly the answer.
    pub hints: Vec<String>,
    /// What must hold once it is repaired.
    pub checks: Vec<Check>,
    /// One way to repair it; any other that passes the checks is as good.
    pub solution: Vec<Command>,
}

/// Something that breaks a network.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Break {
    /// A command that somebody typed.
    Run {
        /// `host` or `host/namespace`.
        on: String,
        /// The command, for the shell.
        cmd: String,
    },
}

/// A command of a solution.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Run")]
pub struct Command {
    /// `host` or `host/namespace`.
    pub on: String,
    /// The command, for the shell.
    pub cmd: String,
}

/// A probe that says whether a network works. It runs on a copy, and changes nothing.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// What holds if it passes, in words.
    pub name: String,
    /// `host` or `host/namespace`.
    pub on: String,
    /// The command, for the shell.
    pub cmd: String,
    /// What is expected of it; that it ends with status 0 if nothing is given.
    #[serde(default)]
    pub expect: Vec<Expectation>,
}

/// How a check went.
#[derive(Clone, Debug)]
pub struct Checked {
    /// What holds if it passes.
    pub name: String,
    /// Why it didn't pass, in lines; none if it did.
    pub missed: Option<String>,
    /// What it typed and what happened; none if there was nowhere to type it, or no end to it.
    pub ran: Option<Box<Ran>>,
}

impl Checked {
    /// Whether what it wants holds.
    pub fn passed(&self) -> bool {
        self.missed.is_none()
    }

    /// A line that says how it went, and lines that say why.
    pub fn text(&self) -> String {
        match &self.missed {
            None => format!("  ✓ {}\n", self.name),
            Some(why) => {
                let why: String = why.lines().map(|line| format!("      {line}\n")).collect();
                format!("  ✗ {}\n{why}", self.name)
            }
        }
    }
}

impl Check {
    /// Looks whether it holds of a network, on a copy.
    pub fn look(&self, lab: &Lab) -> Checked {
        let checked = |missed, ran| Checked { name: self.name.clone(), missed, ran };
        let ran = match lab.clone().run(&self.on, &self.cmd) {
            Ok(ran) => ran,
            Err(problem) => return checked(Some(problem.to_string()), None),
        };
        let ended_well = [Expectation::Status(0)];
        let expected = if self.expect.is_empty() { &ended_well[..] } else { &self.expect };
        let missed: Vec<String> = expected
            .iter()
            .filter_map(|expectation| match ran.judge(expectation) {
                Ok(Verdict::Held) => None,
                Ok(Verdict::Failed(failure)) => Some(failure.instead),
                Err(problem) => Some(problem.to_string()),
            })
            .collect();
        let missed =
            (!missed.is_empty()).then(|| format!("{}$ {}\n{}", self.on, self.cmd, missed.join("\n")));
        checked(missed, Some(Box::new(ran)))
    }
}

impl Exercise {
    /// Looks at every check, each on a copy of the network.
    pub fn look(&self, lab: &Lab) -> Vec<Checked> {
        self.checks.iter().map(|check| check.look(lab)).collect()
    }

    /// Breaks a network that has booted.
    ///
    /// # Errors
    /// The fault's number and what is wrong with it: an unknown place, a command that fails.
    pub fn break_network(&self, lab: &mut Lab) -> Result<(), (usize, Problem)> {
        for (number, fault) in self.faults.iter().enumerate() {
            let Break::Run { on, cmd } = fault;
            let ran = lab.run(on, cmd).map_err(|problem| (number, problem))?;
            if ran.status != 0 {
                let message = format!("`{cmd}` ended with status {}:\n{}", ran.status, ran.output);
                return Err((number, Problem::Conflict { message, hint: None }));
            }
        }
        Ok(())
    }

    /// What can be known to be wrong before anything runs.
    pub(crate) fn wrong(&self, scope: &Scope<'_>) -> Vec<Wrong> {
        let mut found = Vec::new();
        let mut at = |field: String, result: Result<(), Problem>| {
            found.extend(result.err().map(|problem| Wrong { field, problem }));
        };
        let range = (1..=5).contains(&self.difficulty);
        let invalid =
            Problem::Invalid { value: self.difficulty.to_string(), expected: "a number from 1 to 5" };
        at(".difficulty".to_owned(), if range { Ok(()) } else { Err(invalid) });
        at(".at".to_owned(), scope.check_node(&self.at));
        if self.checks.is_empty() {
            at(".checks".to_owned(), Err(Problem::Missing("at least one check")));
        }
        for (i, Break::Run { on, .. }) in self.faults.iter().enumerate() {
            at(format!(".faults[{i}].on"), scope.check_node(on));
        }
        for (i, command) in self.solution.iter().enumerate() {
            at(format!(".solution[{i}].on"), scope.check_node(&command.on));
        }
        for (i, wanted) in self.checks.iter().enumerate() {
            at(format!(".checks[{i}].on"), scope.check_node(&wanted.on));
            for (j, expectation) in wanted.expect.iter().enumerate() {
                if let Err(Wrong { field, problem }) = check(expectation, scope) {
                    at(format!(".checks[{i}].expect[{j}]{field}"), Err(problem));
                }
            }
        }
        found
    }
}
