use std::path::{Path, PathBuf};
use std::time::Duration;

use indexmap::IndexMap;

use crate::compare::{Backend, compare, table as cost_table};
use crate::error::{FileError, Problem, nearest};
use crate::exercise::{Checked, Exercise};
use crate::expect::{Expectation, Scope, Verdict, Wrong, check, field_of, needs_run};
use crate::lab::Lab;
use crate::ran::Ran;
use crate::scenario::{Scenario, ScenarioStep};
use crate::table::{Hooks, of_statuses};

/// A scenario with its network, checked and ready to run.
#[derive(Clone, Debug)]
pub struct Replay {
    /// What the file says.
    pub scenario: Scenario,
    /// The network it runs on.
    pub lab: Lab,
    file: PathBuf,
    text: String,
}

/// What a step of a scenario did.
#[derive(Clone, Debug)]
pub enum StepReport {
    /// A new act begins.
    Act(String),
    /// A command ran.
    Command(Box<Ran>),
    /// A table was printed.
    Table(Box<Ran>),
    /// A lab's check was looked at.
    Checked(Checked),
    /// An expectation was judged.
    Judged {
        /// Its text.
        expectation: String,
        /// The verdict.
        verdict: Verdict,
        /// What it was judged by.
        ran: Box<Ran>,
    },
}

/// How a scenario went, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Commands that ran, those of tables too.
    pub commands: usize,
    /// Expectations that held.
    pub held: usize,
    /// Expectations that didn't.
    pub failed: usize,
    /// Virtual time that it took.
    pub took: Duration,
}

impl Tally {
    /// Whether every expectation held.
    pub fn holds(&self) -> bool {
        self.failed == 0
    }
}

impl Replay {
    /// Reads a scenario and its topology, runs the set-up of its hosts, and checks what can be
    /// checked before anything is typed. Topologies are looked for in `topologies`; if that is not
    /// given, in the nearest folder of that name beside the file or above it. `seed` takes the place
    /// of the scenario's.
    ///
    /// # Errors
    /// A bad file, an unknown name, a set-up command that fails.
    pub fn load(file: &Path, topologies: Option<&Path>, seed: Option<u64>) -> Result<Self, FileError> {
        let (scenario, text) = Scenario::read(file)?;
        let folder = topologies.map_or_else(|| topologies_of(file), Path::to_owned);
        let topology = folder.join(format!("{}.ron", scenario.topology));
        if !topology.exists() {
            let known: Vec<String> = topology_names(&folder);
            let hint = nearest(&scenario.topology, known.iter().map(String::as_str));
            let problem = Problem::Unknown { kind: "topology", name: scenario.topology.clone(), hint };
            return Err(FileError::at_path(file, &text, "topology", problem));
        }
        let lab = Lab::load(&topology, seed.unwrap_or(scenario.seed))?;
        let replay = Self { scenario, lab, file: file.to_owned(), text };
        replay.check()?;
        Ok(replay)
    }

    /// A problem with what is written at `path`.
    fn wrong(&self, path: &str, problem: Problem) -> FileError {
        FileError::at_path(&self.file, &self.text, path, problem)
    }

    /// What can be known to be wrong before anything runs: the first is the error, the others come
    /// with it.
    fn check(&self) -> Result<(), FileError> {
        let world = &self.lab.world;
        let pods = kube::api::ClusterSettings::of(world.store()).map(|_| "pod".to_owned());
        let hosts: Vec<String> = world.hosts().map(|host| host.name.clone()).chain(pods).collect();
        let scope = Scope::Hosts(&hosts);
        let of_lab = self.scenario.lab.iter().flat_map(|exercise| exercise.wrong(&scope));
        let mut found: Vec<FileError> =
            of_lab.map(|wrong| self.wrong(&format!("lab{}", wrong.field), wrong.problem)).collect();
        for (i, act) in self.scenario.acts.iter().enumerate() {
            let mut before = None;
            for (j, step) in act.steps.iter().enumerate() {
                let path = format!("acts[{i}].steps[{j}]");
                let wrong = check_step(step, before, &scope);
                found.extend(
                    wrong
                        .into_iter()
                        .map(|wrong| self.wrong(&format!("{path}{}", wrong.field), wrong.problem)),
                );
                if !matches!(step, ScenarioStep::Expect(_)) {
                    before = Some(step);
                }
            }
        }
        let mut found = found.into_iter();
        match found.next() {
            None => Ok(()),
            Some(first) => Err(FileError { more: found.collect(), ..first }),
        }
    }

    /// Runs it; hands each step's report to `report`. Of a lab it also breaks the network first, and
    /// tries the checks before and after the solution.
    ///
    /// # Errors
    /// A namespace, device or rule that isn't there when it is needed; a command that never ends; a
    /// fault that can't be made.
    pub fn run(&mut self, report: &mut dyn FnMut(StepReport)) -> Result<Tally, FileError> {
        let mut tally = Tally::default();
        let began = self.lab.world.now();
        self.break_network()?;
        self.acts(&mut tally, report)?;
        if let Some(exercise) = self.scenario.lab.clone() {
            self.solve(&exercise, &mut tally, report)?;
        }
        tally.took = self.lab.world.now().since(began);
        Ok(tally)
    }

    /// Makes the faults of a lab.
    ///
    /// # Errors
    /// A fault that can't be made.
    pub fn break_network(&mut self) -> Result<(), FileError> {
        let Some(exercise) = &self.scenario.lab else { return Ok(()) };
        exercise
            .break_network(&mut self.lab)
            .map_err(|(number, problem)| self.wrong(&format!("lab.faults[{number}]"), problem))
    }

    /// Shows that the checks see what is broken, and that the solution cures it.
    fn solve(
        &mut self,
        exercise: &Exercise,
        tally: &mut Tally,
        report: &mut dyn FnMut(StepReport),
    ) -> Result<(), FileError> {
        report(StepReport::Act("the checks, before the repair".to_owned()));
        let all = exercise.look(&self.lab);
        let held = all.iter().any(|checked| !checked.passed());
        self.tell(all, "a check sees what is broken", held, tally, report);
        report(StepReport::Act("the solution".to_owned()));
        for (i, command) in exercise.solution.iter().enumerate() {
            let ran = self.type_one(&format!("lab.solution[{i}]"), &command.on, &command.cmd)?;
            tally.commands += 1;
            report(StepReport::Command(Box::new(ran)));
        }
        let all = exercise.look(&self.lab);
        let held = all.iter().all(Checked::passed);
        self.tell(all, "every check passes", held, tally, report);
        Ok(())
    }

    /// Reports how checks went, and what a lab claims of them.
    fn tell(
        &self,
        all: Vec<Checked>,
        claim: &str,
        held: bool,
        tally: &mut Tally,
        report: &mut dyn FnMut(StepReport),
    ) {
        all.into_iter().for_each(|checked| report(StepReport::Checked(checked)));
        match held {
            true => tally.held += 1,
            false => tally.failed += 1,
        }
        let verdict = Verdict::of(held, || "see the checks".to_owned());
        let ran = Box::new(Ran::nothing("checks", &self.lab.world));
        report(StepReport::Judged { expectation: claim.to_owned(), verdict, ran });
    }

    fn acts(&mut self, tally: &mut Tally, report: &mut dyn FnMut(StepReport)) -> Result<(), FileError> {
        for (i, act) in self.scenario.acts.clone().into_iter().enumerate() {
            report(StepReport::Act(act.name));
            let mut hooks = Hooks::default();
            let mut last: Option<Ran> = None;
            for (j, step) in act.steps.iter().enumerate() {
                let path = format!("acts[{i}].steps[{j}]");
                match step {
                    ScenarioStep::Run { on, cmd } => {
                        let ran = self.type_one(&path, on, cmd)?;
                        tally.commands += 1;
                        hooks.add(&ran.steps);
                        report(StepReport::Command(Box::new(ran.clone())));
                        last = Some(ran);
                    }
                    ScenarioStep::Table { columns, rows } => {
                        let mut all = Ran::nothing("Table", &self.lab.world);
                        let mut statuses: IndexMap<String, Vec<Option<i32>>> = IndexMap::new();
                        for (name, cells) in rows {
                            let row = statuses.entry(name.clone()).or_default();
                            for (k, probe) in cells.iter().enumerate() {
                                let Some(probe) = probe else {
                                    row.push(None);
                                    continue;
                                };
                                let ran = self.type_one(
                                    &format!("{path}.rows[{name:?}][{k}]"),
                                    &probe.on,
                                    &probe.cmd,
                                )?;
                                tally.commands += 1;
                                row.push(Some(ran.status));
                                hooks.add(&ran.steps);
                                all.steps.extend(ran.steps);
                            }
                        }
                        all.world = self.lab.world.clone();
                        all.output = of_statuses(columns, &statuses);
                        report(StepReport::Table(Box::new(all.clone())));
                        last = Some(all);
                    }
                    ScenarioStep::HookTable { on } => {
                        let place = match on {
                            None => None,
                            Some(on) => {
                                Some(self.lab.locate(on).map_err(|p| self.wrong(&format!("{path}.on"), p))?)
                            }
                        };
                        let mut ran = Ran::nothing("HookTable", &self.lab.world);
                        ran.output = hooks.print(|host, netns| {
                            place.as_ref().is_none_or(|at| (at.host, at.netns) == (host, netns))
                        });
                        report(StepReport::Table(Box::new(ran.clone())));
                        last = Some(ran);
                    }
                    ScenarioStep::Backends { from, to, networks } => {
                        let mut ran = Ran::nothing("Backends", &self.lab.world);
                        ran.output = self.backends(&path, from, to, networks)?;
                        report(StepReport::Table(Box::new(ran.clone())));
                        last = Some(ran);
                    }
                    ScenarioStep::Expect(expectation) => {
                        let text = expectation.to_string();
                        let Some(ran) = &last else {
                            return Err(self.wrong(&path, Problem::Missing(NEEDS_STEP)));
                        };
                        let verdict = ran.judge(expectation).map_err(|problem| {
                            let field = field_of(expectation, problem.subject());
                            self.wrong(&format!("{path}[0]{field}"), problem)
                        })?;
                        match verdict.held() {
                            true => tally.held += 1,
                            false => tally.failed += 1,
                        }
                        let ran = Box::new(ran.clone());
                        report(StepReport::Judged { expectation: text, verdict, ran });
                    }
                }
            }
        }
        Ok(())
    }

    /// Runs it; answers what its snapshot holds, and how it went.
    ///
    /// # Errors
    /// As [`Replay::run`].
    pub fn transcript(&mut self) -> Result<(String, Tally), FileError> {
        let mut text = String::new();
        let tally = self.run(&mut |step| text.push_str(&step.minimal()))?;
        Ok((text, tally))
    }

    /// What a probe costs over each network.
    fn backends(&self, path: &str, from: &str, to: &str, networks: &[String]) -> Result<String, FileError> {
        let mut backends = Vec::new();
        for (number, name) in networks.iter().enumerate() {
            let expected = "a pod network such as vxlan, vxlan+direct, host-gw, ipip, udp";
            let wrong = Problem::Invalid { value: name.clone(), expected };
            let at = format!("{path}.networks[{number}]");
            backends.push(name.parse::<Backend>().map_err(|_| self.wrong(&at, wrong))?);
        }
        let backends = if backends.is_empty() { Backend::all() } else { backends };
        compare(self.lab.file(), from, to, &backends, self.lab.world.seed())
            .map(|costs| cost_table(&costs))
            .map_err(|error| self.wrong(path, error.problem))
    }

    fn type_one(&mut self, path: &str, on: &str, cmd: &str) -> Result<Ran, FileError> {
        self.lab.run(on, cmd).map_err(|problem| match problem {
            Problem::Endless { .. } => self.wrong(&format!("{path}.cmd"), problem),
            _ => self.wrong(&format!("{path}.on"), problem),
        })
    }
}

/// What is wrong with a step that comes after `before`.
fn check_step(step: &ScenarioStep, before: Option<&ScenarioStep>, scope: &Scope<'_>) -> Vec<Wrong> {
    let node = |field: &str, on: &str| {
        scope.check_node(on).err().map(|problem| Wrong { field: field.to_owned(), problem })
    };
    match step {
        ScenarioStep::Run { on, .. } => node(".on", on).into_iter().collect(),
        ScenarioStep::HookTable { on } => on.iter().filter_map(|on| node(".on", on)).collect(),
        ScenarioStep::Backends { from, .. } => node(".from", from).into_iter().collect(),
        ScenarioStep::Expect(expectation) => {
            let checked = check(expectation, scope)
                .map_err(|wrong| Wrong { field: format!("[0]{}", wrong.field), ..wrong });
            let follows =
                follows(expectation, before).map_err(|problem| Wrong { field: "[0]".to_owned(), problem });
            follows.and(checked).err().into_iter().collect()
        }
        ScenarioStep::Table { columns, rows } => {
            let mut found = Vec::new();
            for (name, cells) in rows {
                let row = format!(".rows[{name:?}]");
                if cells.len() != columns.len() {
                    let problem = Problem::Cells { cells: cells.len(), columns: columns.len() };
                    found.push(Wrong { field: row.clone(), problem });
                }
                for (k, probe) in cells.iter().enumerate() {
                    found.extend(probe.as_ref().and_then(|probe| node(&format!("{row}[{k}].on"), &probe.on)));
                }
            }
            found
        }
    }
}

const NEEDS_STEP: &str = "a `Run`, `Table` or `HookTable` of this act before it";
const NEEDS_RUN: &str = "a `Run` before it: only a command's packets can be judged";

/// Whether an expectation can be judged after that step.
fn follows(expectation: &Expectation, before: Option<&ScenarioStep>) -> Result<(), Problem> {
    match before {
        None => Err(Problem::Missing(NEEDS_STEP)),
        Some(ScenarioStep::Run { .. }) => Ok(()),
        Some(_) if needs_run(expectation) => Err(Problem::Missing(NEEDS_RUN)),
        Some(_) => Ok(()),
    }
}

/// The nearest folder `topologies` beside a file or above it.
fn topologies_of(file: &Path) -> PathBuf {
    let folder = file.parent().unwrap_or(Path::new(""));
    let above = if file.is_absolute() { None } else { Some(PathBuf::from("../topologies")) };
    folder
        .ancestors()
        .map(|folder| folder.join("topologies"))
        .chain(above)
        .find(|candidate| candidate.is_dir())
        .unwrap_or_else(|| folder.join("topologies"))
}

pub(crate) fn topology_names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    names
}
