use std::time::Duration;

use packet::SimTime;

/// The longest time without a sync.
const MAX_INTERVAL: Duration = Duration::from_secs(60 * 60);
/// How many syncs may follow each other at once after a time of rest.
const BURST: u32 = 2;

/// When the rules are synced: soon after a change, but not too often.
/// Kubernetes: `BoundedFrequencyRunner`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    min_interval: Duration,
    /// When the next sync is due; none before the first was asked for.
    next: Option<SimTime>,
    last: Option<SimTime>,
    /// Syncs that may follow at once, as of the last one.
    tokens: u32,
    /// From when on the tokens that were used are given back, one after each interval.
    refilled: SimTime,
}

impl Schedule {
    /// With that shortest time between two syncs.
    pub fn new(min_interval: Duration) -> Self {
        Self { min_interval, next: None, last: None, tokens: BURST, refilled: SimTime::ZERO }
    }

    /// Asks for a sync at once, whatever was before.
    pub fn ask_now(&mut self) {
        self.next = Some(SimTime::ZERO);
    }

    /// Asks for a sync as soon as one may be.
    pub fn ask(&mut self, now: SimTime) {
        self.refill(now);
        let soonest = match self.last {
            Some(last) if self.tokens == 0 => last + self.min_interval,
            _ => now,
        };
        self.next = Some(self.next.map_or(soonest, |next| next.min(soonest)));
    }

    /// Asks for a sync at a time, after one that failed.
    pub fn retry_at(&mut self, at: SimTime) {
        self.next = Some(at);
    }

    /// Whether a sync is due.
    pub fn is_due(&self, now: SimTime) -> bool {
        self.next.is_some_and(|next| next <= now)
    }

    /// When the next one is due.
    pub fn next(&self) -> Option<SimTime> {
        self.next
    }

    /// A sync was done.
    pub fn ran(&mut self, now: SimTime) {
        self.refill(now);
        self.tokens = self.tokens.saturating_sub(1);
        self.last = Some(now);
        self.next = Some(now + MAX_INTERVAL);
    }

    fn refill(&mut self, now: SimTime) {
        if self.min_interval.is_zero() {
            self.tokens = BURST;
            return;
        }
        while self.tokens < BURST && self.refilled + self.min_interval <= now {
            self.tokens += 1;
            self.refilled += self.min_interval;
        }
        if self.tokens == BURST {
            self.refilled = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Changes come at these milliseconds; when are the syncs?
    fn syncs(min_interval: u64, changes: &[u64]) -> Vec<u64> {
        let at = |millis: u64| SimTime::ZERO + Duration::from_millis(millis);
        let mut schedule = Schedule::new(Duration::from_millis(min_interval));
        let mut found = Vec::new();
        for millis in 0..10_000 {
            if changes.contains(&millis) {
                schedule.ask(at(millis));
            }
            if schedule.is_due(at(millis)) {
                schedule.ran(at(millis));
                found.push(millis);
            }
        }
        found
    }

    #[test]
    fn two_syncs_follow_at_once_and_further_ones_wait() {
        assert_eq!(syncs(1000, &[100]), [100]);
        assert_eq!(syncs(1000, &[100, 110, 120, 130]), [100, 110, 1110]);
        assert_eq!(syncs(1000, &[100, 110, 5000, 5010, 5020]), [100, 110, 5000, 5010, 6010]);
        assert_eq!(syncs(0, &[100, 101, 102, 103]), [100, 101, 102, 103]);
    }
}
