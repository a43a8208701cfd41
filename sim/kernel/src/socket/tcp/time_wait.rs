//! What is left of a connection. Kernel: `net/ipv4/tcp_minisocks.c`.

use std::time::Duration;

use packet::{Tcp, TcpFlags};
use trace::DropReason;

use super::{Env, RTO_MIN, State, TIMEWAIT_LEN, TcpSocket, Verdict, after, before, seq_len};

impl TcpSocket {
    /// What stays of the connection for `timeout`, in FIN_WAIT2 or TIME_WAIT.
    /// Kernel: `tcp_time_wait`.
    pub(super) fn to_time_wait(&self, env: &Env, state: State, timeout: Duration) -> Self {
        let shortest = self.rtt.rto.max(RTO_MIN) * 7 / 2;
        let mut rest = Self::new();
        rest.time_wait = true;
        rest.orphan = true;
        rest.state = state;
        rest.snd_nxt = self.snd_nxt;
        rest.snd_una = self.snd_nxt;
        rest.write_seq = self.write_seq;
        rest.rcv_nxt = self.rcv_nxt;
        rest.rcv_wup = self.rcv_nxt;
        rest.rcv_wnd = self.receive_window();
        rest.rcv_wscale = self.rcv_wscale;
        rest.tstamp_ok = self.tstamp_ok;
        rest.ts_recent = self.ts_recent;
        rest.ts_offset = self.ts_offset;
        rest.advmss = self.advmss;
        rest.last_oow_ack = self.last_oow_ack;
        let wait = if state == State::TimeWait { TIMEWAIT_LEN } else { timeout.max(shortest) };
        rest.linger_at = Some(env.now + wait);
        rest
    }

    /// Takes a segment for a connection that is over. Kernel: `tcp_timewait_state_process`.
    pub(super) fn timewait_state_process(&mut self, env: &mut Env, tcp: &Tcp) -> Verdict {
        let has = |flag| tcp.flags.contains(flag);
        let end = tcp.seq.wrapping_add(seq_len(tcp));
        let stamp = tcp.options.as_ref().and_then(|o| o.timestamps);
        let stale = match (stamp, self.ts_recent) {
            (Some((value, _)), Some(recent)) => {
                (recent.wrapping_sub(value) as i32) > 1 && !has(TcpFlags::RST)
            }
            _ => false,
        };
        if self.state == State::FinWait2 {
            let window_end = self.rcv_nxt.wrapping_add(self.rcv_wnd);
            if stale || !Self::in_window(tcp.seq, end, self.rcv_nxt, window_end) {
                return self.ack_again(env, tcp);
            }
            if has(TcpFlags::RST) {
                self.tcp_done();
                return Verdict::Drop(DropReason::TcpReset);
            }
            if has(TcpFlags::SYN) && !before(tcp.seq, self.rcv_nxt) {
                return Verdict::Reset(DropReason::TcpInvalidSyn);
            }
            if !has(TcpFlags::ACK) || !after(end, self.rcv_nxt) || end == tcp.seq {
                return Verdict::Taken;
            }
            if !has(TcpFlags::FIN) || end != self.rcv_nxt.wrapping_add(1) {
                self.tcp_done();
                return Verdict::Reset(DropReason::TcpAbortOnData);
            }
            self.state = State::TimeWait;
            self.rcv_nxt = end;
            if let Some((value, _)) = stamp {
                self.ts_recent = Some(value);
            }
            self.linger_at = Some(env.now + TIMEWAIT_LEN);
            self.timewait_ack(env);
            return Verdict::Taken;
        }
        if !stale && tcp.seq == self.rcv_nxt && (tcp.seq == end || has(TcpFlags::RST)) {
            if has(TcpFlags::RST) {
                self.tcp_done();
            } else {
                self.linger_at = Some(env.now + TIMEWAIT_LEN);
            }
            return Verdict::Taken;
        }
        let newer_stamp = match (stamp, self.ts_recent) {
            (Some((value, _)), Some(recent)) => (recent.wrapping_sub(value) as i32) < 0,
            _ => false,
        };
        if has(TcpFlags::SYN)
            && !has(TcpFlags::RST)
            && !has(TcpFlags::ACK)
            && !stale
            && (after(tcp.seq, self.rcv_nxt) || newer_stamp)
        {
            return Verdict::Reopen(self.snd_nxt.wrapping_add(65537).max(1));
        }
        if has(TcpFlags::RST) {
            return Verdict::Taken;
        }
        if stale || has(TcpFlags::ACK) {
            self.linger_at = Some(env.now + TIMEWAIT_LEN);
        }
        self.ack_again(env, tcp)
    }

    /// Answers an unacceptable segment, not too often.
    fn ack_again(&mut self, env: &mut Env, tcp: &Tcp) -> Verdict {
        if !self.oow_rate_limited(env, tcp) {
            self.timewait_ack(env);
        }
        Verdict::Drop(DropReason::TcpInvalidSequence)
    }

    /// Kernel: `net/ipv4/tcp_ipv4.c`, `tcp_v4_timewait_ack`.
    fn timewait_ack(&mut self, env: &mut Env) {
        let window = self.rcv_wnd;
        self.send_ack(env);
        // The window of a connection that is over no longer moves.
        self.rcv_wnd = window;
        if let Some(last) = env.out.last_mut() {
            last.tcp.window = (window >> self.rcv_wscale).min(u32::from(u16::MAX)) as u16;
        }
    }
}
