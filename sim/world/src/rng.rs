use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::Rng;

/// A named stream of random numbers.
///
/// Streams are keyed by (seed, host name, purpose), never by the order in which they are made, so
/// that adding a host changes nobody else's numbers.
#[derive(Clone, Debug)]
pub struct Stream(Pcg64Mcg);

impl Stream {
    /// The stream of `purpose` on `host` in a world of this seed.
    pub fn new(seed: u64, host: &str, purpose: &str) -> Self {
        let low = stream_key(seed, host, purpose);
        let high = stream_key(seed ^ 0x9e37_79b9_7f4a_7c15, purpose, host);
        Self(Pcg64Mcg::new(u128::from(high) << 64 | u128::from(low)))
    }

    /// The next number, evenly over all 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// True with a probability of `ppm` in a million.
    pub fn chance(&mut self, ppm: u32) -> bool {
        ppm > 0 && self.next_u64() % 1_000_000 < u64::from(ppm)
    }
}

/// A seed for whatever belongs to (`seed`, `host`, `purpose`): FNV-1a, then a finalizer.
pub fn stream_key(seed: u64, host: &str, purpose: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ seed;
    for byte in host.bytes().chain([0]).chain(purpose.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash ^= hash >> 30;
    hash = hash.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash ^ (hash >> 27)
}
