//! What is wrong with a network, found as a person would: by probes, traces, listings and counters.
//!
//! Read first: [`diagnose`], `ladder` (what is tried, in which order), `follow` (where a failed
//! probe's packet ended), `blame` (from there to an object), `compare` (what should agree and does
//! not), `fix` (what mends it, tried on copies).
//!
//! Nothing here knows how a network was broken: neither the set-up of a topology nor the library of
//! faults is read.

mod blame;
mod compare;
mod facts;
mod fix;
mod follow;
mod ladder;
mod owner;
mod probe;
mod report;
mod scene;
mod service;
mod suspect;
mod way;

use packet::Proto;
use world::World;

use crate::error::Problem;
use facts::Facts;
use follow::Story;
use ladder::{Plan, Step};
use probe::{Probe, Tried};

pub use report::{Blame, Diagnosis, StepSeen};
pub use suspect::Fix;

/// What is asked in particular.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The destination port.
    pub port: Option<u16>,
    /// TCP, UDP or ICMP.
    pub proto: Option<Proto>,
}

/// Finds out what keeps `from` from reaching `to`, or from anything that should work without one.
///
/// `from` is a `host`, `host/container`, `host/namespace` or `pod/NAME`; `to` one of these, an
/// address, `svc/NAME[:PORT]` or `internet`. The world stays as it is: everything is tried on
/// copies.
///
/// # Errors
/// A name that nothing has, with the nearest that exists.
pub fn diagnose(world: &World, from: &str, to: Option<&str>, options: Options) -> Result<Diagnosis, Problem> {
    let facts = Facts::of(world);
    let plan = Plan::new(&facts, from, to, options)?;
    let title = match to {
        Some(to) => format!("{from} to {to}"),
        None => from.to_owned(),
    };
    let mut diagnosis = Diagnosis::new(title);
    let all: Vec<Probe> = plan.steps.iter().flat_map(|step| step.goals.iter().cloned()).collect();
    let asked_works = to.is_some() && all.iter().all(|goal| goal.works(world));
    let mut worked: Vec<Probe> = Vec::new();
    let mut failed: Option<(Step, Vec<(Probe, Tried)>)> = None;
    for step in plan.steps {
        let hints = if asked_works { &[][..] } else { &step.hints[..] };
        let probes = hints.iter().chain(&step.goals);
        let tried: Vec<(Probe, Tried)> = probes.map(|probe| (probe.clone(), probe.run(world))).collect();
        let broken: Vec<(Probe, Tried)> = tried.iter().filter(|(_, tried)| !tried.ok).cloned().collect();
        diagnosis.steps.extend(StepSeen::of(step.rung, &tried));
        if !broken.is_empty() {
            failed = Some((step, broken));
            break;
        }
        worked.extend(step.goals);
    }
    let Some((step, broken)) = failed else { return Ok(diagnosis) };
    diagnosis.broken = Some(step.rung.name().to_owned());
    // What must hold once it is mended: what was asked for, and what works now.
    let mut checks = if to.is_some() { all } else { step.goals };
    checks.extend(worked);
    checks.dedup();
    let found = fix::search(world, &broken, &checks);
    diagnosis.tell(world, &broken, found);
    Ok(diagnosis)
}

/// Where the packets of a failed probe went.
fn story(world: &World, probe: &Probe, tried: &Tried) -> Story {
    let from = crate::lab::locate(world, &probe.from).ok().map(|spot| (spot.host, spot.netns));
    Story::of(tried, from)
}
