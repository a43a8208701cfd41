use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

/// Ticks of the kernel's clock in a second. Kernel: `CONFIG_HZ=250`.
pub const HZ: u64 = 250;
/// A tick in nanoseconds.
pub const JIFFY: u64 = 1_000_000_000 / HZ;

/// A point in virtual time: nanoseconds since the world was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimTime(pub u64);

impl SimTime {
    /// The instant at which every world starts.
    pub const ZERO: Self = Self(0);
    /// An instant that never comes.
    pub const MAX: Self = Self(u64::MAX);

    /// Nanoseconds since the world was made.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole ticks of the kernel's clock since then.
    pub const fn jiffies(self) -> u64 {
        self.0 / JIFFY
    }

    /// The time from `earlier` to `self`, zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for SimTime {
    type Output = Self;
    fn add(self, d: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl AddAssign<Duration> for SimTime {
    fn add_assign(&mut self, d: Duration) {
        *self = *self + d;
    }
}

impl Sub<Duration> for SimTime {
    type Output = Self;
    fn sub(self, d: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// Seconds with microseconds, as `dmesg` and traces print it.
impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000_000, self.0 % 1_000_000_000 / 1000)
    }
}
