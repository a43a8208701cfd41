//! Timers. Kernel: `net/ipv4/tcp_timer.c`.

use std::time::Duration;

use crate::Errno;

use super::{Ending, Env, Pending, RTO_MAX, RTO_MIN, State, TcpSocket};

impl TcpSocket {
    /// Does what is due.
    pub(super) fn on_timer(&mut self, env: &mut Env) {
        if self.linger_at.is_some_and(|at| at <= env.now) {
            self.linger_at = None;
            self.linger_timer(env);
        }
        if self.delack_at.is_some_and(|at| at <= env.now) {
            self.delack_at = None;
            self.delack_timer(env);
        }
        if let Some((at, pending)) = self.retransmit_at
            && at <= env.now
        {
            self.retransmit_at = None;
            match pending {
                Pending::Retransmit => self.retransmit_timer(env),
                Pending::Probe0 => self.probe_timer(env),
                Pending::LossProbe => self.send_loss_probe(env),
            }
        }
    }

    /// FIN_WAIT2 of a closed socket has lasted long enough. Kernel: `tcp_keepalive_timer`.
    fn linger_timer(&mut self, _env: &mut Env) {
        match self.state {
            State::FinWait2 if self.orphan => self.tcp_done(),
            State::TimeWait => self.tcp_done(),
            State::Closed
            | State::Listen
            | State::SynSent
            | State::SynRecv
            | State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait
            | State::Closing
            | State::LastAck => {}
        }
    }

    /// Sends the ACK that waited for company. Kernel: `tcp_delack_timer_handler`.
    fn delack_timer(&mut self, env: &mut Env) {
        if matches!(self.state, State::Closed | State::Listen) || !self.ack_scheduled {
            return;
        }
        if self.pingpong > 0 {
            // The delay didn't pay.
            self.pingpong = 0;
            self.ato = super::ATO_MIN;
        } else {
            self.ato = (self.ato * 2).min(self.rtt.rto);
        }
        self.answering = None;
        self.send_ack(env);
    }

    /// Kernel: `tcp_retransmit_timer`.
    fn retransmit_timer(&mut self, env: &mut Env) {
        if self.queue.sent == 0 {
            return;
        }
        if self.state == State::SynRecv {
            self.synack_timer(env);
            return;
        }
        if self.write_timeout(env) {
            return;
        }
        if self.state != State::SynSent {
            self.enter_loss();
        }
        self.retransmits += 1;
        self.total_rto += 1;
        self.retransmit(env, 0);
        if self.state != State::SynSent || self.total_rto > env.settings.syn_linear_timeouts {
            self.backoff += 1;
            self.rtt.back_off();
        }
        self.rearm_rto(env);
    }

    /// Gives up after too many attempts; true if it did. Kernel: `tcp_write_timeout`.
    fn write_timeout(&mut self, env: &mut Env) -> bool {
        let expired = match self.state {
            State::SynSent => self.retransmits >= env.settings.syn_retries + env.settings.syn_linear_timeouts,
            _ if self.orphan => {
                // Kernel: `tcp_orphan_retries`, 8 by default.
                const ORPHAN_RETRIES: u32 = 8;
                self.retransmits_timed_out(env, ORPHAN_RETRIES)
            }
            _ => {
                if self.retransmits_timed_out(env, env.settings.retries1) {
                    self.black_hole_detection(env);
                }
                self.retransmits_timed_out(env, env.settings.retries2)
            }
        };
        if expired {
            self.write_err();
        }
        expired
    }

    /// Whether retransmissions have gone on for as long as `boundary` doublings of the shortest
    /// timeout take. Kernel: `retransmits_timed_out`, `tcp_model_timeout`.
    fn retransmits_timed_out(&self, env: &Env, boundary: u32) -> bool {
        let Some(start) = self.retrans_stamp.filter(|_| self.retransmits > 0) else { return false };
        let linear = (RTO_MAX.as_millis() / RTO_MIN.as_millis()).ilog2();
        let timeout = if boundary <= linear {
            RTO_MIN * ((2 << boundary) - 1)
        } else {
            RTO_MIN * ((2 << linear) - 1) + RTO_MAX * (boundary - linear)
        };
        env.now.since(start) >= timeout
    }

    /// Kernel: `tcp_write_err`.
    pub(super) fn write_err(&mut self) {
        let errno = self.soft_error.unwrap_or(Errno::TimedOut);
        self.tcp_done_with_error(errno);
    }

    /// Sends the SYN-ACK again. Kernel: `reqsk_timer_handler`.
    fn synack_timer(&mut self, env: &mut Env) {
        if self.retransmits >= env.settings.synack_retries {
            self.ending = Ending::Done;
            self.tcp_done();
            return;
        }
        self.retransmits += 1;
        self.answering = None;
        self.retransmit(env, 0);
        self.rtt.back_off();
        self.rearm_rto(env);
    }

    /// The other end's window is closed: asks whether it opened. Kernel: `tcp_probe_timer`.
    fn probe_timer(&mut self, env: &mut Env) {
        if self.queue.sent > 0 || !self.queue.has_unsent() {
            self.probes_out = 0;
            return;
        }
        if self.probes_out >= env.settings.retries2 {
            self.write_err();
            return;
        }
        // Kernel: `tcp_send_probe0`.
        self.write_wakeup(env);
        if self.queue.sent > 0 || !self.queue.has_unsent() {
            self.probes_out = 0;
            self.backoff = 0;
            return;
        }
        self.probes_out += 1;
        if self.backoff < env.settings.retries2 {
            self.backoff += 1;
        }
        let wait: Duration = self.probe0_when();
        self.retransmit_at = Some((env.now + wait, Pending::Probe0));
    }

    /// Sends something new, or the last segment again, so that a lost tail is noticed before the
    /// timeout. Kernel: `tcp_send_loss_probe`.
    fn send_loss_probe(&mut self, env: &mut Env) {
        let sent = self.queue.sent;
        if sent == 0 {
            return;
        }
        self.answering = None;
        let before = self.snd_nxt;
        self.recovery.tlp_high = Some(self.snd_nxt);
        let cwnd = self.recovery.cwnd;
        self.recovery.cwnd = self.pipe() as u32 + 1;
        self.push_pending(env);
        self.recovery.cwnd = cwnd;
        if self.snd_nxt == before {
            self.retransmit(env, sent - 1);
        }
        self.recovery.tlp_high = Some(self.snd_nxt);
        self.rearm_rto(env);
    }
}
