//! Receiving. Kernel: `net/ipv4/tcp_input.c`.

use std::time::Duration;

use packet::{Tcp, TcpFlags};
use trace::DropReason;

use crate::Errno;

use super::ack::BadAck;
use super::{
    ATO_MIN, Ending, Env, MAX_QUICKACKS, MSS_DEFAULT, State, TIMEWAIT_LEN, TcpSocket, Verdict, after, before,
    seq_len,
};

/// Shortest time between two ACKs for unacceptable segments. Kernel: `net.ipv4.tcp_invalid_ratelimit`.
const INVALID_RATELIMIT: Duration = Duration::from_millis(500);

impl TcpSocket {
    /// Takes a segment in every state but LISTEN and TIME_WAIT.
    /// Kernel: `tcp_rcv_state_process`, `tcp_rcv_established`.
    pub(super) fn rcv_state_process(&mut self, env: &mut Env, tcp: &Tcp) -> Verdict {
        match self.state {
            State::Closed | State::Listen | State::TimeWait => return Verdict::Drop(DropReason::TcpClose),
            State::SynSent => return self.rcv_synsent(env, tcp),
            State::SynRecv
            | State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait
            | State::Closing
            | State::LastAck => {}
        }
        let has = |flag| tcp.flags.contains(flag);
        if !has(TcpFlags::ACK) && !has(TcpFlags::RST) && !has(TcpFlags::SYN) {
            return Verdict::Drop(DropReason::TcpFlags);
        }
        if let Err(verdict) = self.validate_incoming(env, tcp) {
            return verdict;
        }
        if has(TcpFlags::ACK) {
            let prior = self.ts_recent;
            self.replace_ts_recent(tcp);
            if let Err(bad) = self.tcp_ack(env, tcp) {
                self.ts_recent = prior;
                return match (self.state, bad) {
                    (State::SynRecv, _) => Verdict::Reset(DropReason::TcpFlags),
                    (_, BadAck::TooOld) => {
                        self.challenge_ack(env, tcp);
                        Verdict::Drop(DropReason::TcpOldAck)
                    }
                    (_, BadAck::Unsent) => Verdict::Drop(DropReason::TcpInvalidSequence),
                };
            }
        }
        if let Err(verdict) = self.ack_moves_state(env, tcp) {
            return verdict;
        }
        let verdict = self.rcv_data(env, tcp);
        if self.state != State::Closed {
            self.push_pending(env);
            self.ack_snd_check(env);
        }
        verdict
    }

    /// What the acknowledgment of a SYN or FIN changes.
    fn ack_moves_state(&mut self, env: &mut Env, tcp: &Tcp) -> Result<(), Verdict> {
        let all_acked = self.snd_una == self.write_seq;
        match self.state {
            State::SynRecv => {
                self.state = State::Established;
                self.snd_una = tcp.ack;
                self.snd_wnd = u32::from(tcp.window) << self.snd_wscale;
                self.snd_wl1 = tcp.seq;
                self.max_window = self.max_window.max(self.snd_wnd);
                self.retransmits = 0;
                self.backoff = 0;
                self.mtup_init(env);
                self.init_buffer_space(env);
                self.last_received = env.now;
                self.wake = true;
            }
            State::FinWait1 if all_acked && self.fin_queued => {
                self.state = State::FinWait2;
                self.shut_write = true;
                if !self.orphan {
                    self.wake = true;
                    return Ok(());
                }
                let end = tcp.seq.wrapping_add(seq_len(tcp));
                let fin = tcp.flags.contains(TcpFlags::FIN);
                if !tcp.payload.is_empty() && after(end.wrapping_sub(u32::from(fin)), self.rcv_nxt) {
                    self.tcp_done();
                    return Err(Verdict::Reset(DropReason::TcpAbortOnData));
                }
                if !fin {
                    self.ending = Ending::TimeWait(State::FinWait2, env.settings.fin_timeout);
                    self.tcp_done();
                    return Err(Verdict::Taken);
                }
            }
            State::Closing if all_acked => {
                self.ending = Ending::TimeWait(State::TimeWait, TIMEWAIT_LEN);
                self.tcp_done();
                return Err(Verdict::Taken);
            }
            State::LastAck if all_acked => {
                self.tcp_done();
                return Err(Verdict::Taken);
            }
            State::FinWait1
            | State::Closing
            | State::LastAck
            | State::Closed
            | State::Listen
            | State::SynSent
            | State::Established
            | State::FinWait2
            | State::CloseWait
            | State::TimeWait => {}
        }
        Ok(())
    }

    /// Takes the data of an acceptable segment.
    fn rcv_data(&mut self, env: &mut Env, tcp: &Tcp) -> Verdict {
        match self.state {
            State::CloseWait | State::Closing | State::LastAck if !before(tcp.seq, self.rcv_nxt) => {
                Verdict::Taken
            }
            State::FinWait1 | State::FinWait2 | State::CloseWait | State::Closing | State::LastAck
                if self.orphan && self.aborts_on_data(tcp) =>
            {
                self.tcp_reset();
                Verdict::Reset(DropReason::TcpAbortOnData)
            }
            _ => self.data_queue(env, tcp),
        }
    }

    /// Whether a segment brings data that nobody will read.
    fn aborts_on_data(&self, tcp: &Tcp) -> bool {
        let end = tcp.seq.wrapping_add(tcp.payload.len() as u32);
        !tcp.payload.is_empty() && after(end, self.rcv_nxt)
    }

    /// Checks sequence number, timestamp, RST and SYN. Kernel: `tcp_validate_incoming`.
    fn validate_incoming(&mut self, env: &mut Env, tcp: &Tcp) -> Result<(), Verdict> {
        let (rst, syn) = (tcp.flags.contains(TcpFlags::RST), tcp.flags.contains(TcpFlags::SYN));
        let stamp = tcp.options.as_ref().and_then(|o| o.timestamps).filter(|_| self.tstamp_ok);
        if let (Some((value, _)), Some(recent)) = (stamp, self.ts_recent)
            && (recent.wrapping_sub(value) as i32) > 1
            && !rst
        {
            if syn {
                self.challenge_ack(env, tcp);
            } else if !self.oow_rate_limited(env, tcp) {
                self.send_dupack(env, tcp);
            }
            return Err(Verdict::Drop(DropReason::TcpPaws));
        }
        let end = tcp.seq.wrapping_add(seq_len(tcp));
        let reason = if before(end, self.rcv_wup) {
            Some(DropReason::TcpOldData)
        } else if after(tcp.seq, self.rcv_nxt.wrapping_add(self.receive_window())) {
            Some(DropReason::TcpInvalidSequence)
        } else {
            None
        };
        if let Some(reason) = reason {
            if syn && !rst {
                self.challenge_ack(env, tcp);
                return Err(Verdict::Drop(DropReason::TcpInvalidSyn));
            }
            if !rst && !self.oow_rate_limited(env, tcp) {
                self.send_dupack(env, tcp);
            }
            return Err(Verdict::Drop(reason));
        }
        if rst {
            if tcp.seq == self.rcv_nxt {
                self.tcp_reset();
            } else {
                self.challenge_ack(env, tcp);
            }
            return Err(Verdict::Drop(DropReason::TcpReset));
        }
        if syn {
            self.challenge_ack(env, tcp);
            return Err(Verdict::Drop(DropReason::TcpInvalidSyn));
        }
        Ok(())
    }

    /// The other end reset the connection. Kernel: `tcp_reset`.
    pub(super) fn tcp_reset(&mut self) {
        let errno = match self.state {
            State::SynSent => Errno::ConnRefused,
            State::CloseWait => Errno::Pipe,
            State::Closed => return,
            State::Listen
            | State::SynRecv
            | State::Established
            | State::FinWait1
            | State::FinWait2
            | State::Closing
            | State::LastAck
            | State::TimeWait => Errno::ConnReset,
        };
        self.tcp_done_with_error(errno);
    }

    /// Whether an ACK for an unacceptable segment must wait. Kernel: `tcp_oow_rate_limited`.
    pub(super) fn oow_rate_limited(&mut self, env: &Env, tcp: &Tcp) -> bool {
        if !tcp.payload.is_empty() && !tcp.flags.contains(TcpFlags::SYN) {
            return false;
        }
        if self.last_oow_ack.is_some_and(|last| env.now.since(last) < INVALID_RATELIMIT) {
            return true;
        }
        self.last_oow_ack = Some(env.now);
        false
    }

    /// Asks whether a suspicious segment was meant (RFC 5961). Kernel: `tcp_send_challenge_ack`.
    fn challenge_ack(&mut self, env: &mut Env, tcp: &Tcp) {
        if !self.oow_rate_limited(env, &Tcp { payload: packet::Payload::EMPTY, ..tcp.clone() }) {
            self.send_ack(env);
        }
    }

    /// Kernel: `tcp_send_dupack`.
    fn send_dupack(&mut self, env: &mut Env, tcp: &Tcp) {
        if seq_len(tcp) > 0 && before(tcp.seq, self.rcv_nxt) {
            self.enter_quickack(MAX_QUICKACKS);
        }
        self.send_ack(env);
    }

    /// Kernel: `tcp_replace_ts_recent`.
    fn replace_ts_recent(&mut self, tcp: &Tcp) {
        let stamp = tcp.options.as_ref().and_then(|o| o.timestamps).filter(|_| self.tstamp_ok);
        if let Some((value, _)) = stamp
            && !after(tcp.seq, self.rcv_wup)
            && self.ts_recent.is_none_or(|recent| (value.wrapping_sub(recent) as i32) >= 0)
        {
            self.ts_recent = Some(value);
        }
    }

    /// Puts data where the process finds it. Kernel: `tcp_data_queue`.
    fn data_queue(&mut self, env: &mut Env, tcp: &Tcp) -> Verdict {
        let fin = tcp.flags.contains(TcpFlags::FIN);
        let end = tcp.seq.wrapping_add(seq_len(tcp));
        if end == tcp.seq {
            return Verdict::Taken;
        }
        let out_of_window = |socket: &mut Self, reason| {
            socket.enter_quickack(MAX_QUICKACKS);
            socket.ack_scheduled = true;
            Verdict::Drop(reason)
        };
        if !after(end, self.rcv_nxt) {
            return out_of_window(self, DropReason::TcpOldData);
        }
        if !before(tcp.seq, self.rcv_nxt.wrapping_add(self.receive_window())) {
            let reason =
                if tcp.seq == self.rcv_nxt { DropReason::TcpZeroWindow } else { DropReason::TcpOverwindow };
            return out_of_window(self, reason);
        }
        if after(tcp.seq, self.rcv_nxt) {
            self.ack_scheduled = true;
            self.ack_now = true;
            let new = self.out_of_order.insert(tcp.seq, &tcp.payload, fin);
            if new {
                self.grow_window(tcp);
            }
            return if new { Verdict::Taken } else { Verdict::Drop(DropReason::TcpOldData) };
        }
        let had_hole = !self.out_of_order.is_empty();
        let known = self.rcv_nxt.wrapping_sub(tcp.seq) as usize;
        self.received.extend(&tcp.payload[known.min(tcp.payload.len())..]);
        self.rcv_nxt = end;
        if !tcp.payload.is_empty() {
            self.event_data_recv(env, tcp);
        }
        let mut ended = fin;
        self.out_of_order.overtaken(self.rcv_nxt);
        while let Some((data, fin)) = self.out_of_order.next(self.rcv_nxt) {
            self.rcv_nxt = self.rcv_nxt.wrapping_add(data.len() as u32 + u32::from(fin));
            self.received.extend(data.as_slice());
            ended |= fin;
        }
        self.out_of_order.overtaken(self.rcv_nxt);
        if had_hole && self.out_of_order.is_empty() {
            self.ack_now = true;
        }
        self.wake = true;
        if ended {
            self.tcp_fin(env);
        }
        Verdict::Taken
    }

    /// The other end has no more data. Kernel: `tcp_fin`.
    fn tcp_fin(&mut self, env: &mut Env) {
        self.ack_scheduled = true;
        self.shut_read = true;
        self.done = true;
        match self.state {
            State::SynRecv | State::Established => {
                self.state = State::CloseWait;
                self.pingpong = self.pingpong.max(1);
            }
            State::FinWait1 => {
                self.send_ack(env);
                self.state = State::Closing;
            }
            State::FinWait2 => {
                self.send_ack(env);
                self.ending = Ending::TimeWait(State::TimeWait, TIMEWAIT_LEN);
                self.tcp_done();
            }
            State::CloseWait
            | State::Closing
            | State::LastAck
            | State::Closed
            | State::Listen
            | State::SynSent
            | State::TimeWait => {}
        }
        self.out_of_order.clear();
        self.wake = true;
    }

    /// Kernel: `tcp_incr_quickack`, `tcp_enter_quickack_mode`.
    pub(super) fn incr_quickack(&mut self, max: u32) {
        let quick = (self.rcv_wnd / (2 * self.rcv_mss.max(1))).max(2).min(max);
        self.quick = self.quick.max(quick);
    }

    fn enter_quickack(&mut self, max: u32) {
        self.incr_quickack(max);
        self.pingpong = 0;
        self.ato = ATO_MIN;
    }

    /// Learns from data that arrived. Kernel: `tcp_event_data_recv`.
    fn event_data_recv(&mut self, env: &Env, tcp: &Tcp) {
        self.ack_scheduled = true;
        self.measure_rcv_mss(tcp);
        if self.ato.is_zero() {
            self.incr_quickack(MAX_QUICKACKS);
            self.ato = ATO_MIN;
        } else {
            let gap = env.now.since(self.last_received);
            if gap <= ATO_MIN / 2 {
                self.ato = self.ato / 2 + ATO_MIN / 2;
            } else if gap < self.ato {
                self.ato = (self.ato / 2 + gap).min(self.rtt.rto);
            } else if gap > self.rtt.rto {
                self.incr_quickack(MAX_QUICKACKS);
            }
        }
        self.last_received = env.now;
        if tcp.payload.len() >= 128 {
            self.grow_window(tcp);
        }
    }

    /// Guesses the other end's segment size. Kernel: `tcp_measure_rcv_mss`.
    fn measure_rcv_mss(&mut self, tcp: &Tcp) {
        let len = tcp.payload.len() as u32;
        let psh = tcp.flags.contains(TcpFlags::PSH);
        if len >= self.rcv_mss {
            if len != self.rcv_mss {
                self.scale_window(len);
            }
            self.rcv_mss = len.min(self.advmss);
            if psh && len == self.rcv_mss {
                self.ack_pushed = self.ack_pushed.max(1);
            }
            return;
        }
        let last = std::mem::take(&mut self.last_seg_size);
        if len + tcp.header_len() as u32 >= MSS_DEFAULT + 20 {
            self.last_seg_size = len;
            if len == last {
                self.rcv_mss = len;
                return;
            }
        }
        self.ack_pushed = (self.ack_pushed + 1).min(2);
    }

    /// Answers data now or a little later. Kernel: `__tcp_ack_snd_check`.
    pub(super) fn ack_snd_check(&mut self, env: &mut Env) {
        if !self.ack_scheduled && !self.ack_now {
            return;
        }
        let unacked = self.rcv_nxt.wrapping_sub(self.rcv_wup);
        let quick =
            env.route.is_some_and(|route| route.quickack != 0) || (self.quick > 0 && self.pingpong == 0);
        let full_frames = unacked > self.rcv_mss && {
            let unread = self.rcv_nxt.wrapping_sub(self.copied_seq);
            unread < 1 || self.next_window() >= self.rcv_wnd
        };
        if full_frames || quick || self.ack_now || !self.out_of_order.is_empty() {
            self.send_ack(env);
        } else {
            self.send_delayed_ack(env);
        }
    }

    /// Kernel: `tcp_send_delayed_ack`.
    pub(super) fn send_delayed_ack(&mut self, env: &mut Env) {
        const DELACK_MAX: Duration = Duration::from_millis(200);
        let mut ato = self.ato.max(ATO_MIN);
        if ato > ATO_MIN {
            let mut max = if self.pingpong > 0 || self.ack_pushed > 0 {
                DELACK_MAX
            } else {
                Duration::from_millis(500)
            };
            if let Some(srtt) = self.rtt.smoothed() {
                max = max.min(srtt.max(ATO_MIN));
            }
            ato = ato.min(max);
        }
        ato = ato.min(DELACK_MAX);
        let at = env.now + ato;
        match self.delack_at {
            Some(pending) if pending <= env.now + ato / 4 => self.send_ack(env),
            Some(pending) => self.delack_at = Some(pending.min(at)),
            None => self.delack_at = Some(at),
        }
    }
}
