//! Acknowledgments, congestion control and loss recovery. Kernel: `net/ipv4/tcp_input.c`.

use std::time::Duration;

use packet::{SimTime, Tcp, TcpFlags};

use super::queue::SendSeg;
use super::{Env, INIT_CWND, Pending, RTO_MAX, RTO_MIN, TcpSocket, after, before, seq_len};

/// The congestion window and what is known of losses.
///
/// Simplified: Reno's growth with cubic's reduction (to 717/1024), no proportional rate
/// reduction, no undo, no pacing.
#[derive(Clone, Debug)]
pub(crate) struct Recovery {
    /// Segments that may be under way. Kernel: `snd_cwnd`.
    pub cwnd: u32,
    /// Segments acknowledged since the window last grew. Kernel: `snd_cwnd_cnt`.
    grown: u32,
    /// Slow start ends here. Kernel: `snd_ssthresh`.
    ssthresh: u32,
    phase: Phase,
    /// `snd_nxt` when the phase began. Kernel: `high_seq`.
    high_seq: u32,
    /// Duplicate ACKs in a row, without SACK. Kernel: `sacked_out` of Reno.
    dupacks: u32,
    /// Send time and end of the newest segment known to have arrived. Kernel: `tp->rack`.
    rack: Option<(SimTime, u32)>,
    /// `snd_nxt` when the tail was probed. Kernel: `tlp_high_seq`.
    pub tlp_high: Option<u32>,
}

/// Kernel: `enum tcp_ca_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    Recovery,
    Loss,
}

impl Default for Recovery {
    fn default() -> Self {
        Self {
            cwnd: INIT_CWND,
            grown: 0,
            ssthresh: u32::MAX,
            phase: Phase::Open,
            high_seq: 0,
            dupacks: 0,
            rack: None,
            tlp_high: None,
        }
    }
}

impl Recovery {
    /// Nothing is known to be lost.
    pub fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// Kernel: `cubictcp_recalc_ssthresh`.
    fn reduce(&mut self) {
        const BETA: u64 = 717;
        self.ssthresh = (((u64::from(self.cwnd) * BETA) >> 10) as u32).max(2);
    }

    /// Kernel: `tcp_slow_start`, `tcp_cong_avoid_ai`.
    fn grow(&mut self, mut acked: u32) {
        if self.cwnd < self.ssthresh {
            let cwnd = self.cwnd.saturating_add(acked).min(self.ssthresh);
            acked -= cwnd - self.cwnd;
            self.cwnd = cwnd;
        }
        self.grown += acked;
        if self.grown >= self.cwnd {
            self.grown -= self.cwnd;
            self.cwnd += 1;
        }
    }
}

/// Why an ACK is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadAck {
    /// Older than what could still be under way.
    TooOld,
    /// For data that was never sent.
    Unsent,
}

/// Duplicate ACKs, or segments known to have arrived beyond a hole, that mean a loss.
/// Kernel: `net.ipv4.tcp_reordering`.
const REORDERING: usize = 3;

impl TcpSocket {
    /// Segments under way. Kernel: `tcp_packets_in_flight`.
    pub(super) fn pipe(&self) -> usize {
        let recovery = &self.recovery;
        if recovery.is_open() && !self.sack_ok {
            return self.queue.sent.saturating_sub(recovery.dupacks as usize);
        }
        let out = self.queue.count(|seg| !seg.sacked && (!seg.lost || seg.resent));
        if self.sack_ok { out } else { out.saturating_sub(recovery.dupacks as usize) }
    }

    /// Takes the acknowledgment of a segment. Kernel: `tcp_ack`.
    pub(super) fn tcp_ack(&mut self, env: &mut Env, tcp: &Tcp) -> Result<(), BadAck> {
        let ack = tcp.ack;
        let prior_una = self.snd_una;
        if before(ack, prior_una) {
            return if before(ack, prior_una.wrapping_sub(self.max_window)) {
                Err(BadAck::TooOld)
            } else {
                Ok(())
            };
        }
        if after(ack, self.snd_nxt) {
            return Err(BadAck::Unsent);
        }
        let advanced = after(ack, prior_una);
        if advanced {
            self.retransmits = 0;
        }
        let window_update = self.ack_update_window(env, tcp);
        self.snd_una = ack;
        self.soft_error = None;
        self.probes_out = 0;
        if self.queue.sent == 0 {
            self.ack_probe(env);
            return Ok(());
        }
        let pipe = self.pipe();
        let was_full = self.sndbuf_full();
        let acked = self.queue.acknowledge(ack);
        self.probe_acked(&env.settings);
        let sacked = self.sacktag(env, tcp);
        self.delivered(env, tcp, &acked);
        if self.recovery.tlp_high.is_some_and(|high| !before(ack, high)) {
            self.recovery.tlp_high = None;
        }
        let duplicate = !advanced && !window_update && seq_len(tcp) == 0;
        let entered = self.find_losses(advanced, duplicate, sacked);
        if entered && self.probes_at(ack) {
            self.probe_failed();
        }
        if advanced && self.recovery.phase != Phase::Recovery {
            let limited = if self.recovery.cwnd < self.recovery.ssthresh { pipe * 2 } else { pipe };
            if limited >= self.recovery.cwnd as usize {
                self.recovery.grow(acked.len() as u32);
            }
        }
        if advanced {
            self.rearm_rto(env);
            self.schedule_loss_probe(env);
        }
        self.retransmit_lost(env, entered);
        if was_full && !self.sndbuf_full() {
            self.wake = true;
        }
        Ok(())
    }

    /// Takes the window of a segment; true if it changed. Kernel: `tcp_ack_update_window`.
    fn ack_update_window(&mut self, env: &Env, tcp: &Tcp) -> bool {
        let scale = if tcp.flags.contains(TcpFlags::SYN) { 0 } else { self.snd_wscale };
        let window = u32::from(tcp.window) << scale;
        let newer = after(tcp.ack, self.snd_una)
            || after(tcp.seq, self.snd_wl1)
            || (tcp.seq == self.snd_wl1 && (window > self.snd_wnd || window == 0));
        if !newer {
            return false;
        }
        self.snd_wl1 = tcp.seq;
        if window == self.snd_wnd {
            return false;
        }
        self.snd_wnd = window;
        if window > self.max_window {
            self.max_window = window;
            self.sync_mss(&env.settings, self.pmtu);
        }
        true
    }

    /// Nothing is under way: a window that opened ends the probing. Kernel: `tcp_ack_probe`.
    fn ack_probe(&mut self, env: &Env) {
        let Some(head) = self.queue.segs.get(self.queue.sent) else { return };
        if !after(head.end_seq(), self.snd_una.wrapping_add(self.snd_wnd)) {
            self.backoff = 0;
            if matches!(self.retransmit_at, Some((_, Pending::Probe0))) {
                self.retransmit_at = None;
            }
        } else {
            let wait = self.probe0_when();
            self.retransmit_at = Some((env.now + wait, Pending::Probe0));
        }
    }

    /// Time until the next window probe. Kernel: `tcp_probe0_when`.
    pub(super) fn probe0_when(&self) -> Duration {
        (self.rtt.rto.max(RTO_MIN) * (1 << self.backoff.min(9))).min(RTO_MAX)
    }

    /// Marks what SACK blocks say arrived; the number of segments newly known.
    /// Kernel: `tcp_sacktag_write_queue`.
    fn sacktag(&mut self, env: &Env, tcp: &Tcp) -> usize {
        let Some(options) = tcp.options.as_ref().filter(|_| self.sack_ok) else { return 0 };
        let mut newly = 0;
        let mut rack = self.recovery.rack;
        for &(start, end) in &options.sack {
            if !before(start, end) || after(end, self.snd_nxt) {
                continue;
            }
            for seg in self.queue.sent_segs() {
                if !before(seg.seq, end) {
                    break;
                }
                if !seg.sacked && !before(seg.seq, start) && !after(seg.end_seq(), end) {
                    seg.sacked = true;
                    seg.lost = false;
                    seg.resent = false;
                    newly += 1;
                    rack = newest(rack, seg, env.now, self.rtt.min);
                }
            }
        }
        self.recovery.rack = rack;
        newly
    }

    /// Measures the round-trip time by what was acknowledged. Kernel: `tcp_ack_update_rtt`.
    fn delivered(&mut self, env: &Env, tcp: &Tcp, acked: &[SendSeg]) {
        for seg in acked.iter().filter(|seg| !seg.sacked) {
            self.recovery.rack = newest(self.recovery.rack, seg, env.now, self.rtt.min);
        }
        let Some(last) = acked.last() else { return };
        let echoed = tcp.options.as_ref().and_then(|o| o.timestamps).map(|(_, echo)| echo);
        let rtt = if acked.iter().all(|seg| seg.retransmits == 0) {
            Some(env.now.since(last.first_sent))
        } else {
            // Only the echoed timestamp says which of the copies arrived.
            echoed.filter(|&echo| self.tstamp_ok && echo != 0).map(|echo| {
                Duration::from_millis(u64::from(self.timestamp(env.now).wrapping_sub(echo)).max(1))
            })
        };
        if let Some(rtt) = rtt.filter(|rtt| *rtt < RTO_MAX) {
            self.rtt.sample(rtt, self.snd_una, self.snd_nxt);
            self.backoff = 0;
        }
        if self.queue.count(|seg| seg.resent) == 0 && self.recovery.is_open() {
            self.retrans_stamp = None;
        }
    }

    /// Decides what is lost; true if recovery begins now. Kernel: `tcp_fastretrans_alert`,
    /// `tcp_rack_detect_loss`.
    ///
    /// Simplified: segments are taken for lost when three later ones arrived; no reordering timer.
    fn find_losses(&mut self, advanced: bool, duplicate: bool, newly_sacked: usize) -> bool {
        let una = self.snd_una;
        if self.recovery.phase != Phase::Open && !before(una, self.recovery.high_seq) {
            if self.recovery.phase == Phase::Recovery {
                self.recovery.cwnd = self.recovery.ssthresh;
            }
            self.recovery.phase = Phase::Open;
            self.recovery.dupacks = 0;
            self.retrans_stamp = None;
        }
        if !self.sack_ok {
            return self.find_losses_reno(advanced, duplicate);
        }
        let in_recovery = self.recovery.phase != Phase::Open;
        if newly_sacked == 0 && !in_recovery {
            return false;
        }
        let sacked = self.queue.count(|seg| seg.sacked);
        if !in_recovery && sacked < REORDERING {
            return false;
        }
        if let Some(rack) = self.recovery.rack {
            for seg in self.queue.sent_segs().filter(|seg| !seg.sacked) {
                if (seg.sent_at, seg.end_seq()) != rack && sent_after(rack, seg) && (!seg.lost || seg.resent)
                {
                    seg.lost = true;
                    seg.resent = false;
                }
            }
        }
        let lost = self.queue.count(|seg| seg.lost) > 0;
        if in_recovery || !lost {
            return false;
        }
        self.enter_recovery();
        true
    }

    /// Without SACK: the third duplicate ACK, and each partial one, mean that the first is lost.
    fn find_losses_reno(&mut self, advanced: bool, duplicate: bool) -> bool {
        if duplicate {
            self.recovery.dupacks += 1;
        } else if advanced {
            self.recovery.dupacks = 0;
        }
        let third = self.recovery.phase == Phase::Open && self.recovery.dupacks as usize == REORDERING;
        let partial = self.recovery.phase == Phase::Recovery && advanced;
        if (third || partial)
            && let Some(first) = self.queue.sent_segs().next()
        {
            first.lost = true;
            first.resent = false;
        }
        if third {
            self.enter_recovery();
        }
        third || partial
    }

    /// Kernel: `tcp_enter_recovery`.
    fn enter_recovery(&mut self) {
        self.recovery.reduce();
        self.recovery.cwnd = self.recovery.ssthresh;
        self.recovery.phase = Phase::Recovery;
        self.recovery.high_seq = self.snd_nxt;
        self.recovery.tlp_high = None;
    }

    /// The retransmission timer fired: everything not known to have arrived is lost.
    /// Kernel: `tcp_enter_loss`.
    pub(super) fn enter_loss(&mut self) {
        if self.recovery.phase != Phase::Loss {
            self.recovery.reduce();
        }
        self.recovery.cwnd = 1;
        self.recovery.grown = 0;
        self.recovery.dupacks = 0;
        self.recovery.phase = Phase::Loss;
        self.recovery.high_seq = self.snd_nxt;
        self.recovery.tlp_high = None;
        for seg in self.queue.sent_segs().filter(|seg| !seg.sacked) {
            seg.lost = true;
            seg.resent = false;
        }
    }

    /// Segments longer than `mss` were dropped by a router: sends them again in pieces.
    /// Kernel: `tcp_simple_retransmit`.
    pub(super) fn simple_retransmit(&mut self, env: &mut Env) {
        let mss = self.current_mss(env) as usize;
        let mut lost = false;
        for seg in self.queue.sent_segs().filter(|seg| !seg.sacked && seg.len() > mss) {
            seg.lost = true;
            seg.resent = false;
            lost = true;
        }
        if !lost {
            return;
        }
        if self.recovery.phase != Phase::Loss {
            self.recovery.high_seq = self.snd_nxt;
            self.recovery.ssthresh = self.recovery.cwnd.max(2);
            self.recovery.phase = Phase::Loss;
        }
        self.retransmit_lost(env, true);
    }

    /// Sends again what is lost, as far as the congestion window allows; `first` in any case.
    /// Kernel: `tcp_xmit_retransmit_queue`.
    pub(super) fn retransmit_lost(&mut self, env: &mut Env, mut first: bool) {
        if self.recovery.is_open() {
            return;
        }
        let mut pipe = self.pipe();
        let mut index = 0;
        while index < self.queue.sent {
            let seg = &self.queue.segs[index];
            if seg.lost && !seg.resent && !seg.sacked {
                if pipe >= self.recovery.cwnd as usize && !first {
                    break;
                }
                self.retransmit(env, index);
                if index == 0 || first {
                    self.rearm_rto(env);
                }
                first = false;
                pipe += 1;
            }
            index += 1;
        }
    }
}

/// The newer of what was known to have arrived and `seg`. A copy that is answered sooner than any
/// packet before tells of an earlier copy, not of itself. Kernel: `tcp_rack_advance`.
fn newest(
    rack: Option<(SimTime, u32)>,
    seg: &SendSeg,
    now: SimTime,
    min_rtt: Option<Duration>,
) -> Option<(SimTime, u32)> {
    if seg.retransmits > 0 && min_rtt.is_some_and(|min| now.since(seg.sent_at) < min) {
        return rack;
    }
    match rack {
        Some(rack) if sent_after(rack, seg) => Some(rack),
        Some(_) | None => Some((seg.sent_at, seg.end_seq())),
    }
}

/// Whether the segment of `rack` was sent after `seg`. Kernel: `tcp_skb_sent_after`.
fn sent_after(rack: (SimTime, u32), seg: &SendSeg) -> bool {
    rack.0 > seg.sent_at || (rack.0 == seg.sent_at && after(rack.1, seg.end_seq()))
}
