//! Which suspect it is: the one whose repair makes the failed probes work.

use std::time::Duration;

use trace::Off;
use world::World;

use super::probe::{Probe, Tried, wait};
use super::suspect::{Fix, Size, Suspect};
use super::{blame, story};
use crate::lab::{locate, type_command};

/// Faults that are looked for one behind the other at most.
const DEPTH: usize = 4;

/// Fixes that are tried at most for one fault.
const TRIALS: usize = 300;

/// Fixes that are collected at most.
const ENOUGH: usize = 6;

/// Fixes that are tried at most once one works.
const MORE: usize = 24;

/// A pause between two looks at whether a fix works.
const PAUSE: Duration = Duration::from_secs(2);

/// Who is to blame, and what mends it.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// What is to blame; several if each hides the next.
    pub blamed: Vec<Suspect>,
    /// What makes everything work, smallest first.
    pub fixes: Vec<Fix>,
}

/// Looks for suspects and tries their repairs on copies, until the checks hold.
pub(super) fn search(world: &World, broken: &[(Probe, Tried)], checks: &[Probe]) -> Found {
    search_at(world, broken, checks, DEPTH)
}

fn search_at(world: &World, broken: &[(Probe, Tried)], checks: &[Probe], depth: usize) -> Found {
    let mut suspects = blame::suspects(world, broken);
    suspects.sort_by_key(Suspect::order);
    let mut found = Found::default();
    let mut progress: Option<(Suspect, Fix, World)> = None;
    let (mut trials, mut last) = (0, None);
    for suspect in &suspects {
        if found.fixes.len() >= ENOUGH {
            break;
        }
        let mut fixes = suspect.fixes.clone();
        fixes.sort_by_key(|fix| fix.size);
        for fix in fixes {
            trials += 1;
            let limit = if found.fixes.is_empty() { TRIALS } else { *last.get_or_insert(trials + MORE) };
            if trials > limit || found.fixes.contains(&fix) {
                continue;
            }
            let Some((mended, better)) = attempt(world, &fix, broken, checks) else { continue };
            match better {
                Better::All => {
                    if found.blamed.is_empty() {
                        found.blamed.push(suspect.clone());
                    }
                    found.fixes.push(fix);
                }
                Better::Some if progress.is_none() && found.blamed.is_empty() => {
                    progress = Some((suspect.clone(), fix, mended));
                }
                Better::Some => {}
            }
        }
    }
    if let (true, Some((suspect, fix, mended))) = (found.blamed.is_empty() && depth > 1, progress) {
        let next: Vec<(Probe, Tried)> = checks
            .iter()
            .map(|probe| (probe.clone(), probe.run(&mended)))
            .filter(|(_, tried)| !tried.ok)
            .collect();
        let rest = search_at(&mended, &next, checks, depth - 1);
        found.blamed.push(suspect);
        found.blamed.extend(rest.blamed);
        found.fixes = rest.fixes.into_iter().map(|then| Fix { then: vec![then], ..fix.clone() }).collect();
    }
    if found.blamed.is_empty() {
        found.blamed.extend(suspects.into_iter().next());
    }
    found.fixes.sort_by_key(|fix| fix.size);
    found
}

/// What a fix did.
enum Better {
    /// Every check holds.
    All,
    /// The first probe gets further than before.
    Some,
}

/// Types a fix on a copy and waits until it shows.
fn attempt(world: &World, fix: &Fix, broken: &[(Probe, Tried)], checks: &[Probe]) -> Option<(World, Better)> {
    let mut copy = world.clone();
    if !type_fix(&mut copy, fix) {
        return None;
    }
    let until = copy.now() + fix.size.patience();
    if fix.size >= Size::Restart {
        wait(&mut copy, PAUSE);
    }
    loop {
        if checks.iter().all(|probe| probe.works(&copy)) {
            return Some((copy, Better::All));
        }
        if copy.now() >= until {
            break;
        }
        wait(&mut copy, PAUSE);
    }
    let (probe, before) = broken.first()?;
    let after = probe.run(&copy);
    let further = after.ok || {
        let ends = |world: &World, tried: &Tried| {
            story(world, probe, tried)
                .ends
                .first()
                .map(|end| (end.direction as u8, end.host, end.netns, end.reason()))
        };
        let (old, new) = (ends(world, before), ends(&copy, &after));
        let hops = |world: &World, tried: &Tried| {
            let story = story(world, probe, tried);
            let count = |trace: &Option<trace::Trace>| trace.as_ref().map_or(0, |trace| trace.hops.len());
            (count(&story.reply), count(&story.forward))
        };
        old != new && hops(&copy, &after) > hops(world, before)
    };
    further.then_some((copy, Better::Some))
}

/// Types the commands of a fix; false if one of them fails.
pub(super) fn type_fix(world: &mut World, fix: &Fix) -> bool {
    let Ok(spot) = locate(world, &fix.on) else { return false };
    for command in &fix.commands {
        match type_command(world, &spot, command, &mut Off) {
            Ok(typed) if typed.status == 0 => {}
            _ => return false,
        }
    }
    fix.then.iter().all(|then| type_fix(world, then))
}
