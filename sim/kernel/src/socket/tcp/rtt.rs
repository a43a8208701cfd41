use std::time::Duration;

use super::{RTO_MAX, RTO_MIN, TIMEOUT_INIT};

/// The round-trip time estimate and the timeout it gives.
#[derive(Clone, Debug)]
pub(crate) struct Rtt {
    /// Smoothed, in eighths of a microsecond. Kernel: `srtt_us`.
    srtt: i64,
    /// Medium deviation, in quarters of a microsecond. Kernel: `mdev_us`.
    mdev: i64,
    /// Largest deviation of this round. Kernel: `mdev_max_us`.
    mdev_max: i64,
    /// Smoothed largest deviation. Kernel: `rttvar_us`.
    rttvar: i64,
    /// End of the round. Kernel: `rtt_seq`.
    rtt_seq: u32,
    /// Smallest seen. Kernel: `tcp_min_rtt`.
    pub min: Option<Duration>,
    /// Kernel: `icsk_rto`.
    pub rto: Duration,
}

impl Default for Rtt {
    fn default() -> Self {
        let init = TIMEOUT_INIT.as_micros() as i64;
        Self { srtt: 0, mdev: init, mdev_max: 0, rttvar: 0, rtt_seq: 0, min: None, rto: TIMEOUT_INIT }
    }
}

impl Rtt {
    /// Takes a measurement. Kernel: `net/ipv4/tcp_input.c`, `tcp_rtt_estimator`, `tcp_set_rto`.
    pub fn sample(&mut self, rtt: Duration, snd_una: u32, snd_nxt: u32) {
        const RTO_MIN_US: i64 = RTO_MIN.as_micros() as i64;
        self.min = Some(self.min.map_or(rtt, |min| min.min(rtt)));
        let mut m = i64::try_from(rtt.as_micros()).unwrap_or(i64::MAX / 16).max(1);
        if self.srtt != 0 {
            m -= self.srtt >> 3;
            self.srtt += m;
            if m < 0 {
                m = -m;
                m -= self.mdev >> 2;
                if m > 0 {
                    m >>= 3;
                }
            } else {
                m -= self.mdev >> 2;
            }
            self.mdev += m;
            if self.mdev > self.mdev_max {
                self.mdev_max = self.mdev;
                self.rttvar = self.rttvar.max(self.mdev_max);
            }
            if super::after(snd_una, self.rtt_seq) {
                if self.mdev_max < self.rttvar {
                    self.rttvar -= (self.rttvar - self.mdev_max) >> 2;
                }
                self.rtt_seq = snd_nxt;
                self.mdev_max = RTO_MIN_US;
            }
        } else {
            self.srtt = m << 3;
            self.mdev = m << 1;
            self.rttvar = self.mdev.max(RTO_MIN_US);
            self.mdev_max = self.rttvar;
            self.rtt_seq = snd_nxt;
        }
        self.reset_rto();
    }

    /// The timeout without backoff. Kernel: `__tcp_set_rto`.
    pub fn reset_rto(&mut self) {
        if self.srtt != 0 {
            let rto = ((self.srtt >> 3) + self.rttvar).max(0) as u64;
            self.rto = Duration::from_micros(rto).min(RTO_MAX);
        }
    }

    /// The smoothed time, once measured.
    pub fn smoothed(&self) -> Option<Duration> {
        (self.srtt != 0).then(|| Duration::from_micros((self.srtt >> 3).max(1) as u64))
    }

    /// Doubles the timeout.
    pub fn back_off(&mut self) {
        self.rto = (self.rto * 2).min(RTO_MAX);
    }
}
