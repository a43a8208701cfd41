//! From where a packet ended to the object to blame. One module per kind of end.

mod route;
mod rule;
mod source;

use world::World;

use super::compare;
use super::facts::Facts;
use super::follow::{End, How};
use super::probe::{Probe, Tried};
use super::story;
use super::suspect::Suspect;
use trace::DropReason as Reason;

/// What a blame looks at.
pub(super) struct Case<'a> {
    /// The network after the failed probe: its tables and counters show what happened.
    pub facts: Facts<'a>,
    /// The probe.
    pub probe: &'a Probe,
    /// Its end.
    pub end: &'a End,
}

/// Everyone who may be to blame for probes that failed.
pub(super) fn suspects(world: &World, broken: &[(Probe, Tried)]) -> Vec<Suspect> {
    let mut found: Vec<Suspect> = Vec::new();
    for (probe, tried) in broken.iter().take(3) {
        let after = tried.ran.as_ref().map_or(world, |ran| &ran.world);
        let story = story(world, probe, tried);
        for end in &story.ends {
            let case = Case { facts: Facts::of(after), probe, end };
            found.extend(of_end(&case));
        }
        found.extend(compare::suspects(&Facts::of(after), &story));
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
        How::Lost | How::Unanswered | How::Refused => Vec::new(),
    }
}
