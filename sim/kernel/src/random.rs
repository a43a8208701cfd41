use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::Rng;

use crate::Host;

/// A stream of random numbers of one kernel, keyed by seed, host name and purpose, so that
/// neither other hosts nor other purposes change its numbers.
#[derive(Clone, Debug)]
pub(crate) struct Random(Pcg64Mcg);

impl Random {
    /// The stream of `purpose` on `host`.
    pub(crate) fn new(host: &Host, purpose: &str) -> Self {
        let key = |salt: u64| {
            let bytes = host.name.bytes().chain([0]).chain(purpose.bytes());
            bytes.fold(0xcbf2_9ce4_8422_2325 ^ host.seed ^ salt, |hash: u64, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            })
        };
        Self(Pcg64Mcg::new(u128::from(key(0)) << 64 | u128::from(key(0x9e37_79b9_7f4a_7c15))))
    }

    /// The next number below `n`; 0 if `n` is 0. Kernel: `get_random_u32_below`.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(n)) >> 32) as u32
    }
}
