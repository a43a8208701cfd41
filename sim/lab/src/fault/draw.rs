//! Drawing faults by seed.

use world::{World, stream_key};

use super::{Case, Network, all};

/// Random numbers of a seed.
#[derive(Clone, Debug)]
pub(super) struct Dice {
    seed: u64,
    purpose: &'static str,
    rolled: u32,
}

impl Dice {
    pub fn new(seed: u64, purpose: &'static str) -> Self {
        Self { seed, purpose, rolled: 0 }
    }

    /// A number below `sides`; 0 if there are none.
    fn below(&mut self, sides: usize) -> usize {
        self.rolled += 1;
        let number = stream_key(self.seed, self.purpose, &self.rolled.to_string());
        let sides = u64::try_from(sides).unwrap_or(u64::MAX).max(1);
        usize::try_from(number % sides).unwrap_or(0)
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// Takes one of these out.
    fn take<T>(&mut self, from: &mut Vec<T>) -> Option<T> {
        (!from.is_empty()).then(|| from.swap_remove(self.below(from.len())))
    }
}

/// Draws `count` faults for a network by `seed`, each at one of its places, no two with the same
/// culprit. Each is tried alone on a copy and has its symptom and its cure there; together, all
/// symptoms show and all go away. Fewer come back if the network has no room for more.
pub fn draw(world: &World, seed: u64, count: usize) -> Vec<Case> {
    let network = Network::of(world);
    let mut dice = Dice::new(seed, "faults");
    let mut faults: Vec<_> = all().collect();
    let mut drawn: Vec<Case> = Vec::new();
    while drawn.len() < count {
        let Some(fault) = dice.take(&mut faults) else { break };
        let mut cases = fault.cases(&network);
        while let Some(case) = dice.take(&mut cases) {
            if drawn.iter().any(|other| other.culprit.names_same(&case.culprit)) {
                continue;
            }
            if case.prove(world).is_err() {
                continue;
            }
            drawn.push(case);
            if together(world, &drawn) {
                break;
            }
            drawn.pop();
        }
    }
    drawn
}

/// Whether faults add up: each symptom shows when all are there, and none when all are cured.
fn together(world: &World, cases: &[Case]) -> bool {
    if cases.len() < 2 {
        return true;
    }
    let mut world = world.clone();
    cases.iter().all(|case| case.apply(&mut world).is_ok())
        && cases.iter().all(|case| !case.probe.works(&world))
        && cases.iter().rev().all(|case| case.cure(&mut world).is_ok())
        && cases.iter().all(|case| case.probe.works(&world))
}
