//! From where a packet ended to the object to blame. One module per kind of end.

mod listen;
mod route;
mod rule;
mod source;

use trace::DropReason as Reason;
use world::World;

use super::compare;
use super::follow::{End, How};
use super::probe::{Probe, Tried};
use super::scene::Scene;
use super::suspect::Suspect;

/// Probes that are looked into at most.
const PROBES: usize = 3;

/// One end of a failed probe's packets.
pub(super) struct Case<'a> {
    /// The probe and the network.
    pub scene: &'a Scene<'a>,
    /// The end.
    pub end: &'a End,
}

/// Everyone who may be to blame for probes that failed.
pub(super) fn suspects(world: &World, broken: &[(Probe, Tried)]) -> Vec<Suspect> {
    let mut found: Vec<Suspect> = Vec::new();
    for (probe, tried) in broken.iter().take(PROBES) {
        let scene = Scene::new(world, probe, tried);
        for end in &scene.story.ends {
            found.extend(of_end(&Case { scene: &scene, end }));
        }
        found.extend(compare::suspects(&scene));
    }
    let mut kept: Vec<Suspect> = Vec::new();
    for suspect in found {
        match kept.iter_mut().find(|known| known.culprit == suspect.culprit) {
            Some(known) => {
                known.rank = known.rank.min(suspect.rank);
                for fix in suspect.fixes {
                    if !known.fixes.contains(&fix) {
                        known.fixes.push(fix);
                    }
                }
            }
            None => kept.push(suspect),
        }
    }
    kept
}

fn of_end(case: &Case<'_>) -> Vec<Suspect> {
    match &case.end.how {
        How::Dropped { decided_by: Some(decision), .. } => rule::suspects(case, decision),
        How::Dropped { reason, .. } => match reason {
            Reason::ForwardingDisabled | Reason::IpInaddrerrors => route::forwarding(case),
            Reason::IpInnoroutes
            | Reason::IpOutNoRoutes
            | Reason::HostUnreachable
            | Reason::Prohibit
            | Reason::Blackhole => route::missing(case),
            Reason::IpRpfilter | Reason::IpLocalSource | Reason::IpInvalidSource => source::suspects(case),
            _ => Vec::new(),
        },
        How::NotSent => route::missing(case),
        How::Unanswered | How::Refused => listen::suspects(case),
        How::Lost => Vec::new(),
    }
}
