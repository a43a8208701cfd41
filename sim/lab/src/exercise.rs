use k8s_openapi::api::core::v1::Node;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::error::{Problem, nearest};
use crate::expect::{Expectation, Scope, Verdict, Wrong, check};
use crate::fault::{self, Fault, Line, Network, Probe};
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
    /// Further checks: the probes of faults that were drawn.
    #[serde(skip)]
    pub(crate) probes: Vec<Probe>,
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
    /// A fault of the library.
    Fault {
        /// Its name, as `hoplab list --faults` has it.
        name: String,
        /// Where: one of its places; the first if not given.
        site: Option<String>,
    },
}

impl Break {
    /// Breaks a network.
    fn apply(&self, lab: &mut Lab) -> Result<(), Problem> {
        match self {
            Self::Run { on, cmd } => {
                let ran = lab.run(on, cmd)?;
                if ran.status == 0 {
                    return Ok(());
                }
                let message = format!("`{cmd}` ended with status {}:\n{}", ran.status, ran.output);
                Err(Problem::Conflict { message, hint: None })
            }
            Self::Fault { name, site } => {
                let cases = known(name)?.cases(&Network::of(&lab.world));
                let case = cases.iter().find(|case| site.as_ref().is_none_or(|site| case.site == *site));
                let sites =
                    || nearest(site.as_deref().unwrap_or(""), cases.iter().map(|case| case.site.as_str()));
                let none = || Problem::Unknown {
                    kind: "place of this fault",
                    name: site.clone().unwrap_or_else(|| name.clone()),
                    hint: sites(),
                };
                case.ok_or_else(none)?.apply(&mut lab.world)
            }
        }
    }
}

/// The fault of that name.
fn known(name: &str) -> Result<&'static Fault, Problem> {
    fault::find(name).ok_or_else(|| Problem::Unknown {
        kind: "fault",
        name: name.to_owned(),
        hint: nearest(name, fault::all().map(|fault| fault.name)),
    })
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
        let probed = self.probes.iter().map(|probe| {
            let typed = || match (probe.from.name(&lab.world), probe.command(&lab.world)) {
                (Ok(from), Ok(command)) => format!("{from}$ {command}\nit fails"),
                (Err(problem), _) | (_, Err(problem)) => problem.to_string(),
            };
            let missed = if probe.works(&lab.world) { None } else { Some(typed()) };
            Checked { name: probe.to_string(), missed, ran: None }
        });
        self.checks.iter().map(|check| check.look(lab)).chain(probed).collect()
    }

    /// Breaks a network that has booted.
    ///
    /// # Errors
    /// The fault's number and what is wrong with it: an unknown place, a command that fails.
    pub fn break_network(&self, lab: &mut Lab) -> Result<(), (usize, Problem)> {
        for (number, fault) in self.faults.iter().enumerate() {
            fault.apply(lab).map_err(|problem| (number, problem))?;
        }
        Ok(())
    }

    /// Breaks a healthy network by faults that a seed draws; what is broken afterwards is what the
    /// checks ask for.
    ///
    /// # Errors
    /// The network has no room for so many faults; a fault that can't be made.
    pub fn draw(lab: &mut Lab, seed: u64, faults: usize) -> Result<Self, Problem> {
        let cases = fault::draw(&lab.world, seed, faults);
        if cases.len() < faults {
            let message = format!("this network has room for {} faults that show together", cases.len());
            return Err(Problem::Conflict { message, hint: Some("give fewer `--faults`".to_owned()) });
        }
        let probes: Vec<Probe> = cases.iter().map(|case| case.probe.clone()).collect();
        let mut story = "Somebody broke this cluster. What doesn't work any more:\n".to_owned();
        for probe in &probes {
            story.push_str(&format!("  - {probe}\n"));
        }
        let (mut hints, mut solution) = (Vec::new(), Vec::new());
        for case in &cases {
            case.apply(&mut lab.world)?;
            let fault = known(case.fault)?;
            hints.push(format!("One of it is a matter of: {}.", fault.family()));
            hints.push(fault.cause.to_owned());
            hints.push(case.cause.clone());
        }
        for case in cases.iter().rev() {
            solution
                .extend(case.fix.iter().map(|Line { on, cmd }| Command { on: on.clone(), cmd: cmd.clone() }));
        }
        let at = lab.world.hosts().next().map(|host| host.name.clone()).unwrap_or_default();
        let node = kube::api::list::<Node>(lab.world.store(), None);
        let at = node.first().map_or(at, |node| kube::api::name_of(&**node).to_owned());
        let topic = "Drawn".to_owned();
        let difficulty = u8::try_from(faults + 1).unwrap_or(5).min(5);
        Ok(Self {
            topic,
            difficulty,
            story,
            at,
            faults: Vec::new(),
            hints,
            checks: Vec::new(),
            solution,
            probes,
        })
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
        for (i, fault) in self.faults.iter().enumerate() {
            match fault {
                Break::Run { on, .. } => at(format!(".faults[{i}].on"), scope.check_node(on)),
                Break::Fault { name, .. } => at(format!(".faults[{i}].name"), known(name).map(drop)),
            }
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
