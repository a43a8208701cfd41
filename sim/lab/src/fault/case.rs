//! A fault at one place.

use std::time::Duration;

use serde::Serialize;
use trace::Off;
use world::World;

use super::probe::Probe;
use crate::culprit::{Culprit, Object};
use crate::error::Problem;
use crate::lab::{Spot, Typed, locate, type_command};

/// A command and where it is typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// `host`, `host/namespace` or `pod/NAME`.
    pub on: String,
    /// For the shell.
    pub cmd: String,
}

impl Line {
    /// Types it and waits for its end.
    ///
    /// # Errors
    /// An unknown place, a command that fails or never ends.
    pub fn run(&self, world: &mut World) -> Result<(), Problem> {
        let Self { on, cmd } = self;
        let spot: Spot = locate(world, on)?;
        let Typed { output, status, .. } = type_command(world, &spot, cmd, &mut Off)?;
        match status {
            0 => Ok(()),
            _ => Err(Problem::Setup { host: on.clone(), status, output: format!("$ {cmd}\n{output}") }),
        }
    }
}

/// A fault at one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Case {
    /// The fault's name.
    pub fault: &'static str,
    /// Where it is: a node, a pair, a Service.
    pub site: String,
    /// What is wrong, in a sentence with names.
    pub cause: String,
    /// What makes room for it, and changes nothing that the probe sees.
    pub prepares: Vec<Line>,
    /// What breaks it.
    pub breaks: Vec<Line>,
    /// What usually cures it.
    pub fix: Vec<Line>,
    /// What a good diagnosis names.
    pub culprit: Culprit,
    /// What works before and not after.
    pub probe: Probe,
    /// How long a network is left alone after a change.
    #[serde(skip)]
    pub(super) settling: Duration,
}

/// How long a network is left alone after a change, so that daemons have had their turn: flannel
/// looks after its rules every 5 seconds and after its routes every 10, kube-proxy after its every 30.
const SETTLING: Duration = Duration::from_secs(35);

impl Case {
    /// A case at `site`, shown by `probe`.
    pub(super) fn new(site: impl Into<String>, probe: Probe, culprit: Culprit) -> Self {
        Self {
            fault: "",
            site: site.into(),
            cause: String::new(),
            prepares: Vec::new(),
            breaks: Vec::new(),
            fix: Vec::new(),
            culprit,
            probe,
            settling: SETTLING,
        }
    }

    /// Leaves less time after a change.
    pub(super) fn settles_in(mut self, settling: Duration) -> Self {
        self.settling = settling;
        self
    }

    /// A case on a node.
    pub(super) fn on(node: &str, probe: Probe, object: Object) -> Self {
        Self::new(node, probe, Culprit::on(node, object))
    }

    /// Says what is wrong.
    pub(super) fn cause(mut self, cause: impl Into<String>) -> Self {
        self.cause = cause.into();
        self
    }

    /// Adds a command that makes room for it.
    pub(super) fn prepares(mut self, on: &str, cmd: impl Into<String>) -> Self {
        self.prepares.push(Line { on: on.to_owned(), cmd: cmd.into() });
        self
    }

    /// Adds a command that breaks it.
    pub(super) fn breaks(mut self, on: &str, cmd: impl Into<String>) -> Self {
        self.breaks.push(Line { on: on.to_owned(), cmd: cmd.into() });
        self
    }

    /// Adds a command of the cure.
    pub(super) fn fix(mut self, on: &str, cmd: impl Into<String>) -> Self {
        self.fix.push(Line { on: on.to_owned(), cmd: cmd.into() });
        self
    }

    /// Breaks a network, and lets it settle.
    ///
    /// # Errors
    /// A command that fails.
    pub fn apply(&self, world: &mut World) -> Result<(), Problem> {
        run(world, &self.prepares, Duration::ZERO)?;
        run(world, &self.breaks, self.settling)
    }

    /// Cures a network, and lets it settle.
    ///
    /// # Errors
    /// A command that fails.
    pub fn cure(&self, world: &mut World) -> Result<(), Problem> {
        run(world, &self.fix, self.settling)
    }

    /// Whether it is true on this network: the probe works, doesn't once it is broken, and does again
    /// once it is cured.
    ///
    /// # Errors
    /// What isn't so.
    pub fn prove(&self, world: &World) -> Result<(), Unproven> {
        let mut world = world.clone();
        run(&mut world, &self.prepares, Duration::ZERO)
            .map_err(|problem| Unproven::Break(problem.to_string()))?;
        if !self.probe.works(&world) {
            return Err(Unproven::Before);
        }
        run(&mut world, &self.breaks, self.settling)
            .map_err(|problem| Unproven::Break(problem.to_string()))?;
        if self.probe.works(&world) {
            return Err(Unproven::NoSymptom);
        }
        self.cure(&mut world).map_err(|problem| Unproven::Fix(problem.to_string()))?;
        if self.probe.works(&world) { Ok(()) } else { Err(Unproven::NoCure) }
    }
}

/// Why a case doesn't hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// It is broken already.
    #[error("the probe fails on the healthy network")]
    Before,
    /// A command of the fault fails.
    #[error("it can't be broken: {0}")]
    Break(String),
    /// The probe works nevertheless.
    #[error("the probe works on the broken network")]
    NoSymptom,
    /// A command of the cure fails.
    #[error("it can't be cured: {0}")]
    Fix(String),
    /// The probe fails nevertheless.
    #[error("the probe fails after the cure")]
    NoCure,
}

fn run(world: &mut World, lines: &[Line], settling: Duration) -> Result<(), Problem> {
    lines.iter().try_for_each(|line| line.run(world))?;
    let settled = world.now() + settling;
    world.run_until(settled, &mut Off);
    Ok(())
}
