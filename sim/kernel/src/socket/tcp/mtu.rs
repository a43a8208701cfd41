//! Segment size, path MTU, and the search for it when routers say nothing.
//! Kernel: `net/ipv4/tcp_output.c`, `net/ipv4/tcp_timer.c`.

use packet::SimTime;

use super::{Env, MSS_DEFAULT, Settings, TcpSocket, after};

/// Bytes of the IP and TCP headers without options.
const HEADERS: u32 = 40;
/// Every link takes an IP packet of 68 bytes.
const MIN_MTU: u32 = 68;
/// Bytes of the TCP header without options.
const MIN_HEADER: u32 = 20;
/// Bytes that timestamps take in each segment. Kernel: `TCPOLEN_TSTAMP_ALIGNED`.
pub(super) const TSTAMP_ALIGNED: u32 = 12;

/// Packetization layer path MTU discovery (RFC 4821). Sizes are of IP packets, in bytes.
/// Kernel: `icsk_mtup`, `struct tcp_sock`'s `mtu_probe`.
#[derive(Clone, Debug, Default)]
pub(crate) struct MtuProbe {
    pub enabled: bool,
    /// Greatest size that may still pass. Kernel: `search_high`.
    high: u32,
    /// Greatest size that is known to pass. Kernel: `search_low`.
    low: u32,
    /// The probe under way: its size, its first sequence number and the one after its last.
    probe: Option<(u32, u32, u32)>,
    /// When the search ended or began. Kernel: `probe_timestamp`.
    since: SimTime,
}

impl TcpSocket {
    /// What timestamps take of each segment. Kernel: `tcp_header_len` less the header.
    fn option_len(&self) -> u32 {
        if self.tstamp_ok { TSTAMP_ALIGNED } else { 0 }
    }

    /// The largest segment for a path MTU. Kernel: `tcp_mtu_to_mss`.
    pub(super) fn mtu_to_mss(&self, settings: &Settings, pmtu: u32) -> u32 {
        let mss = pmtu.saturating_sub(HEADERS).min(self.mss_clamp);
        mss.max(settings.min_snd_mss) - self.option_len()
    }

    /// Kernel: `tcp_mss_to_mtu`.
    fn mss_to_mtu(&self, mss: u32) -> u32 {
        mss + self.option_len() + HEADERS
    }

    /// Kernel: `tcp_mtup_init`.
    pub(super) fn mtup_init(&mut self, env: &Env) {
        self.mtup = MtuProbe {
            enabled: env.settings.mtu_probing > 1,
            high: self.mss_clamp + HEADERS,
            low: self.mss_to_mtu(env.settings.base_mss),
            probe: None,
            since: env.now,
        };
    }

    /// Takes a new path MTU into account. Kernel: `tcp_sync_mss`.
    pub(super) fn sync_mss(&mut self, settings: &Settings, pmtu: u32) {
        self.mtup.high = self.mtup.high.min(pmtu);
        let mss = self.mtu_to_mss(settings, pmtu);
        // Kernel: `tcp_bound_to_half_wnd`.
        let cutoff = if self.max_window > MSS_DEFAULT { self.max_window / 2 } else { self.max_window };
        let least = MIN_MTU - MIN_HEADER - self.option_len();
        self.mss = if cutoff > 0 && mss > cutoff { cutoff.max(least) } else { mss };
        self.pmtu = pmtu;
        if self.mtup.enabled {
            self.mss = self.mss.min(self.mtu_to_mss(settings, self.mtup.low));
        }
    }

    /// Nothing comes back: perhaps a router drops what is too long and nobody says so.
    /// Kernel: `tcp_mtu_probing`.
    pub(super) fn black_hole_detection(&mut self, env: &Env) {
        let settings = &env.settings;
        if settings.mtu_probing == 0 {
            return;
        }
        if self.mtup.enabled {
            let half = self.mtu_to_mss(settings, self.mtup.low) >> 1;
            let mss = settings.base_mss.min(half).max(settings.mtu_probe_floor).max(settings.min_snd_mss);
            self.mtup.low = self.mss_to_mtu(mss);
        } else {
            self.mtup.enabled = true;
            self.mtup.since = env.now;
        }
        self.sync_mss(settings, self.pmtu);
    }

    /// Searches anew when the last search is long enough ago. Kernel: `tcp_mtu_check_reprobe`.
    fn check_reprobe(&mut self, env: &Env) {
        if env.now.since(self.mtup.since) >= env.settings.probe_interval {
            self.mtup.probe = None;
            self.mtup.high = self.mss_clamp + HEADERS;
            self.mtup.low = self.mss_to_mtu(self.mss);
            self.mtup.since = env.now;
        }
    }

    /// The length in bytes of data to send as a probe now; `Err` if sending must wait for one.
    /// Kernel: `tcp_mtu_probe`.
    pub(super) fn next_probe(&mut self, env: &Env) -> Result<Option<usize>, ()> {
        const MIN_CWND: u32 = 11;
        const REORDERING: u32 = 3;
        if !self.mtup.enabled
            || self.mtup.probe.is_some()
            || !self.recovery.is_open()
            || self.recovery.cwnd < MIN_CWND
            || !self.out_of_order.sacks.is_empty()
        {
            return Ok(None);
        }
        let settings = &env.settings;
        let size = self.mtu_to_mss(settings, (self.mtup.high + self.mtup.low) >> 1);
        let needed = size + (REORDERING + 1) * self.mss;
        let interval = self.mtup.high.saturating_sub(self.mtup.low);
        if size > self.mtu_to_mss(settings, self.mtup.high) || interval < settings.probe_threshold.max(1) {
            self.check_reprobe(env);
            return Ok(None);
        }
        if self.write_seq.wrapping_sub(self.snd_nxt) < needed || self.snd_wnd < needed {
            return Ok(None);
        }
        if after(self.snd_nxt.wrapping_add(needed), self.wnd_end()) {
            return Err(());
        }
        if self.pipe() + 2 > self.recovery.cwnd as usize {
            return if self.pipe() == 0 { Ok(None) } else { Err(()) };
        }
        Ok(Some(size as usize))
    }

    /// A probe of `len` bytes from `start` was sent.
    pub(super) fn probe_sent(&mut self, start: u32, len: u32) {
        self.recovery.cwnd -= 1;
        self.mtup.probe = Some((self.mss_to_mtu(len), start, start.wrapping_add(len)));
    }

    /// Whether a probe is under way that starts at `seq`.
    pub(super) fn probes_at(&self, seq: u32) -> bool {
        self.mtup.probe.is_some_and(|(_, start, _)| start == seq)
    }

    /// Something was sent again: what a probe would say is no longer clear.
    pub(super) fn probe_inconclusive(&mut self) {
        self.mtup.probe = None;
    }

    /// The probe is what got lost. Kernel: `tcp_mtup_probe_failed`.
    pub(super) fn probe_failed(&mut self) {
        if let Some((size, ..)) = self.mtup.probe.take() {
            self.mtup.high = size - 1;
            self.recovery.cwnd += 1;
        }
    }

    /// Raises the segment size once the probe is acknowledged. Kernel: `tcp_mtup_probe_success`.
    pub(super) fn probe_acked(&mut self, settings: &Settings) {
        let Some((size, _, end)) = self.mtup.probe else { return };
        if after(end, self.snd_una) {
            return;
        }
        let scaled = u64::from(self.recovery.cwnd) * u64::from(self.mss_to_mtu(self.mss)) / u64::from(size);
        self.recovery.cwnd = u32::try_from(scaled).unwrap_or(u32::MAX).max(1);
        self.mtup.low = size;
        self.mtup.probe = None;
        self.sync_mss(settings, self.pmtu);
    }
}
