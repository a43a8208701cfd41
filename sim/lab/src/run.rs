use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use packet::{HostId, NetnsId};
use trace::{Journeys, Off, Recorder, Step, Trace};
use world::{Outcome, World};

use crate::error::{FileError, Problem, nearest};
use crate::expect::{Outcome as CommandOutcome, Verdict};
use crate::scenario::{Scenario, ScenarioStep};
use crate::topology::Topology;

/// A network that runs, made of a topology file.
#[derive(Clone, Debug)]
pub struct Lab {
    /// Its hosts.
    pub world: World,
    file: PathBuf,
    text: String,
}

/// Where a command is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The host.
    pub host: HostId,
    /// The network namespace.
    pub netns: NetnsId,
    /// The directory that is `/` there; empty for the host's own.
    pub root: String,
}

impl Spot {
    /// The initial namespace of a host.
    pub fn of(host: HostId) -> Self {
        Self { host, netns: NetnsId::INIT, root: String::new() }
    }
}

/// What a step of a scenario did.
#[derive(Clone, Debug)]
pub enum StepReport {
    /// A new act begins.
    Act(String),
    /// A command ran.
    Command {
        /// Where.
        on: String,
        /// What was typed.
        cmd: String,
        /// What it printed, both streams in order.
        output: String,
        /// Exit status.
        status: i32,
        /// The packets that matter, each with its way.
        traces: Vec<Trace>,
        /// All steps that were recorded.
        steps: Vec<Step>,
    },
    /// An expectation was judged.
    Judged {
        /// Its text.
        expectation: String,
        /// The verdict.
        verdict: Verdict,
    },
}

impl Lab {
    /// Builds the network of a topology file and runs its hosts' set-up.
    ///
    /// # Errors
    /// A bad file, an unknown name, a set-up command that fails.
    pub fn load(file: &Path, seed: u64) -> Result<Self, FileError> {
        let (topology, text) = Topology::read(file)?;
        let world = topology.build(seed, file, &text)?;
        let mut lab = Self { world, file: file.to_owned(), text };
        for (name, spec) in &topology.hosts {
            let Some(host) = lab.world.host_by_name(name) else { continue };
            for (i, command) in spec.setup.iter().enumerate() {
                let (output, status) = lab.run_command(&Spot::of(host), command, &mut Off)?;
                if status != 0 {
                    let problem = Problem::Setup { host: name.clone(), status, output };
                    let path = format!("hosts[{name:?}].setup[{i}]");
                    return Err(FileError::at_path(&lab.file, &lab.text, &path, problem));
                }
            }
        }
        Ok(lab)
    }

    /// Finds `host`, `host/container` or `host/namespace`.
    ///
    /// # Errors
    /// A name that nothing has, with the nearest that exists.
    pub fn locate(&self, on: &str) -> Result<Spot, Problem> {
        locate(&self.world, on)
    }

    /// Types `command` at the shell of a place and waits for its end. Answers what it printed
    /// and its exit status.
    ///
    /// # Errors
    /// A command that never ends.
    pub fn run_command<O: trace::Observer>(
        &mut self,
        spot: &Spot,
        command: &str,
        obs: &mut O,
    ) -> Result<(String, i32), FileError> {
        let world = &mut self.world;
        let host = spot.host;
        let console = world.add_console(host, false);
        world.type_input(host, console, None);
        let args = ["sh", "-c", command].map(str::to_owned).to_vec();
        let endless = |why: &str| {
            let problem = Problem::Endless { command: command.to_owned(), why: why.to_owned() };
            FileError::new(&self.file, problem)
        };
        let Ok(pid) = world.spawn(host, spot.netns, console, args, BTreeMap::new()) else {
            return Err(endless("the host has no shell"));
        };
        world.enter_root(host, pid, &spot.root);
        let mut output = Vec::new();
        let outcome =
            world.run_to_exit(host, pid, console, obs, &mut |_, bytes| output.extend_from_slice(bytes));
        let output = String::from_utf8_lossy(&output).into_owned();
        match outcome {
            Outcome::Exited(status) => Ok((output, status)),
            Outcome::Stuck => Err(endless("nothing can happen any more")),
            Outcome::Silent => Err(endless("it said nothing for an hour of virtual time")),
            Outcome::Busy => Err(endless("it runs round and round in no time")),
            Outcome::Storm(devices) => {
                Err(endless(&format!("packets circulate between {}", devices.join(", "))))
            }
        }
    }
}

/// Finds `host`, `host/container` or `host/namespace`.
///
/// # Errors
/// A name that nothing has, with the nearest that exists.
pub fn locate(world: &World, on: &str) -> Result<Spot, Problem> {
    let (host_name, netns_name) = on.split_once('/').unwrap_or((on, ""));
    let host = world.host_by_name(host_name).ok_or_else(|| Problem::Unknown {
        kind: "host",
        name: host_name.to_owned(),
        hint: nearest(host_name, world.hosts().map(|h| h.name.as_str())),
    })?;
    if netns_name.is_empty() {
        return Ok(Spot::of(host));
    }
    if let Some((netns, root)) = world.place(host, netns_name) {
        return Ok(Spot { host, netns, root });
    }
    let names = &world.host(host).netns_names;
    let netns = names.get(netns_name).copied().ok_or_else(|| Problem::Unknown {
        kind: "container or namespace",
        name: netns_name.to_owned(),
        hint: nearest(netns_name, names.keys().map(String::as_str).chain(world.places(host))),
    })?;
    Ok(Spot { host, netns, root: String::new() })
}

/// Replays a scenario; hands each step's report to `report` with the network as it then is.
/// Answers whether every expectation held.
///
/// # Errors
/// A bad file, an unknown name, a command that never ends.
pub fn run(
    file: &Path,
    topologies: &Path,
    seed: Option<u64>,
    report: &mut dyn FnMut(&World, StepReport),
) -> Result<bool, FileError> {
    let (scenario, text) = Scenario::read(file)?;
    let topology = topologies.join(format!("{}.ron", scenario.topology));
    if !topology.exists() {
        let known: Vec<String> = topology_names(topologies);
        let hint = nearest(&scenario.topology, known.iter().map(String::as_str));
        let problem = Problem::Unknown { kind: "topology", name: scenario.topology.clone(), hint };
        return Err(FileError::at_path(file, &text, "topology", problem));
    }
    let mut lab = Lab::load(&topology, seed.unwrap_or(scenario.seed))?;
    let mut held = true;
    let mut last: (Option<Trace>, String, i32) = (None, String::new(), 0);
    for (a, act) in scenario.acts.iter().enumerate() {
        report(&lab.world, StepReport::Act(act.name.clone()));
        for (s, step) in act.steps.iter().enumerate() {
            match step {
                ScenarioStep::Run { on, cmd } => {
                    let path = format!("acts[{a}].steps[{s}].on");
                    let spot = lab.locate(on).map_err(|p| FileError::at_path(file, &text, &path, p))?;
                    let mut recorder = Recorder::default();
                    let (output, status) = lab.run_command(&spot, cmd, &mut recorder)?;
                    let steps = recorder.steps;
                    let journeys = Journeys::new(&steps);
                    let traces: Vec<Trace> =
                        journeys.subjects().into_iter().filter_map(|id| journeys.trace(id)).collect();
                    last = (traces.first().cloned(), output.clone(), status);
                    let (on, cmd) = (on.clone(), cmd.clone());
                    report(&lab.world, StepReport::Command { on, cmd, output, status, traces, steps });
                }
                ScenarioStep::Expect(expectation) => {
                    let outcome = CommandOutcome {
                        subject: last.0.as_ref(),
                        output: &last.1,
                        status: last.2,
                        names: &lab.world,
                    };
                    let verdict = expectation.judge(&outcome);
                    held &= verdict == Verdict::Held;
                    report(&lab.world, StepReport::Judged { expectation: expectation.to_string(), verdict });
                }
            }
        }
    }
    Ok(held)
}

fn topology_names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    names
}
