//! Randomness that is the same on every machine.

use std::ops::RangeInclusive;

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::Rng;

/// A stream of random choices.
#[derive(Clone, Debug)]
pub struct Dice(Pcg64Mcg);

impl Dice {
    /// The stream of a purpose: streams with different keys have nothing in common.
    pub fn new(key: &[u64]) -> Self {
        let mut state: u128 = 0x6a09_e667_f3bc_c908_bb67_ae85_84ca_a73b;
        for word in key {
            state ^= u128::from(*word);
            state = state.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645).rotate_left(43);
        }
        let mut generator = Pcg64Mcg::new(state);
        generator.next_u64();
        Self(generator)
    }

    /// A number of the range.
    pub fn number(&mut self, range: RangeInclusive<u32>) -> u32 {
        let width = u64::from(range.end() - range.start()) + 1;
        range.start() + (self.0.next_u64() % width) as u32
    }

    /// Whether something of this probability, in percent, happens.
    pub fn percent(&mut self, chance: u32) -> bool {
        self.number(1..=100) <= chance
    }

    /// One of them. The list must not be empty.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.number(0..=of.len() as u32 - 1) as usize]
    }

    /// One of them, each as often as its weight says. The list must not be empty.
    pub fn weighted<'a, T>(&mut self, of: &'a [(u32, T)]) -> &'a T {
        let total = of.iter().map(|(weight, _)| weight).sum::<u32>();
        let mut left = self.number(1..=total);
        for (weight, value) in of {
            if left <= *weight {
                return value;
            }
            left -= weight;
        }
        &of[0].1
    }
}
