use std::time::Duration;

use packet::{JIFFY, SimTime};

/// When a timer armed at `now` to fire `after` fires: the later, the coarser, and never early. A
/// timer of one second fires up to 32 ms late. Kernel: `kernel/time/timer.c`, `calc_wheel_index`.
pub(crate) fn wheel_expiry(now: SimTime, after: Duration) -> SimTime {
    /// The first distance of level 1 in ticks; each level's is eight times the one before.
    const LVL_START: u64 = 63;
    let ticks = u64::try_from(after.as_nanos()).unwrap_or(u64::MAX).div_ceil(JIFFY);
    let expires = now.jiffies().saturating_add(ticks);
    let level = (0..8).find(|level| ticks < LVL_START << (3 * level)).unwrap_or(8);
    let fires = ((expires >> (3 * level)) + 1) << (3 * level);
    SimTime(fires.saturating_mul(JIFFY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_timers_are_coarser() {
        let ms = |ms: u64| SimTime(ms * 1_000_000);
        let cases = [(0, 10, 16), (0, 240, 244), (0, 1000, 1024), (1024, 1000, 2048), (30, 1000, 1056)];
        for (now, after, fires) in cases {
            assert_eq!(wheel_expiry(ms(now), Duration::from_millis(after)), ms(fires), "{now} + {after}");
        }
    }
}
