use std::time::Duration;

use packet::SimTime;

/// Ties virtual time to the wall clock while a command runs in the foreground.
#[allow(clippy::disallowed_types, reason = "a person at a terminal waits in real time")]
pub(crate) struct Pace {
    /// Virtual seconds per second; 0 does not wait.
    rate: u32,
    /// Where both clocks stood when the command began.
    began: (std::time::Instant, SimTime),
}

/// Events nearer than this run at once.
const GRAIN: Duration = Duration::from_millis(1);

#[allow(clippy::disallowed_types, reason = "a person at a terminal waits in real time")]
impl Pace {
    /// A pace of `rate` virtual seconds per second; 0 does not wait.
    pub fn new(rate: u32) -> Self {
        Self { rate, began: (std::time::Instant::now(), SimTime::ZERO) }
    }

    /// A command begins at the virtual time `now`.
    pub fn start(&mut self, now: SimTime) {
        self.began = (std::time::Instant::now(), now);
    }

    /// How long to wait before the virtual time `at`; none if it is time.
    pub fn wait_for(&self, at: SimTime) -> Option<Duration> {
        let ahead = at.since(self.began.1).checked_div(self.rate)?;
        ahead.checked_sub(self.began.0.elapsed()).filter(|wait| *wait >= GRAIN)
    }

    /// The virtual time that goes with this moment, at most `limit`.
    pub fn now(&self, limit: SimTime) -> SimTime {
        (self.began.1 + self.began.0.elapsed() * self.rate).min(limit)
    }
}
