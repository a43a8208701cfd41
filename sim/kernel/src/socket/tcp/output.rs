//! Sending. Kernel: `net/ipv4/tcp_output.c`.

use packet::{PacketId, Payload, Tcp, TcpFlags, TcpOptions};
use trace::Relation;

use super::queue::SendSeg;
use super::{Env, Pending, RTO_MAX, RTO_MIN, Segment, State, TcpSocket, after, before};

impl Env<'_> {
    /// Sends a segment; its ports are filled in later.
    fn emit(&mut self, tcp: Tcp, parent: Option<(Relation, PacketId)>) -> PacketId {
        let id = self.ids.next_id();
        self.out.push(Segment { id, tcp, parent });
        id
    }
}

impl TcpSocket {
    /// Options of every segment after the handshake. Kernel: `tcp_established_options`.
    fn established_options(&self, env: &Env) -> TcpOptions {
        let mut options = TcpOptions::default();
        let mut room = 40;
        if self.tstamp_ok {
            options.timestamps = Some((self.timestamp(env.now), self.ts_recent.unwrap_or(0)));
            room -= 12;
        }
        if self.sack_ok && !self.out_of_order.sacks.is_empty() {
            let blocks = (room - 4) / 8;
            options.sack = self.out_of_order.sacks.iter().copied().take(blocks).collect();
        }
        options
    }

    /// A segment of this kind, without data. `window` is what the header says.
    fn segment(&self, seq: u32, flags: TcpFlags, window: u16, options: TcpOptions) -> Tcp {
        let ack = if flags.contains(TcpFlags::ACK) { self.rcv_nxt } else { 0 };
        let options = (!options.is_empty()).then(|| Box::new(options));
        Tcp { sport: 0, dport: 0, seq, ack, flags, window, options, payload: Payload::EMPTY }
    }

    /// What an ACK that was just sent changes. Kernel: `tcp_event_ack_sent`.
    fn ack_sent(&mut self) {
        self.quick = self.quick.saturating_sub(1);
        self.ack_scheduled = false;
        self.ack_now = false;
        self.ack_pushed = 0;
        self.delack_at = None;
    }

    /// Sends entry `index` of the queue, for the first time or again.
    /// Kernel: `__tcp_transmit_skb`.
    fn transmit(&mut self, env: &mut Env, index: usize) {
        let Some(seg) = self.queue.segs.get_mut(index) else { return };
        let data = seg.freeze();
        let (seq, syn) = (seg.seq, seg.syn);
        let again = index < self.queue.sent;
        let parent = if again { Some((Relation::Retransmits, seg.packet)) } else { None };
        let mut flags = TcpFlags::default();
        for (set, flag) in [(seg.syn, TcpFlags::SYN), (seg.fin, TcpFlags::FIN), (seg.psh, TcpFlags::PSH)] {
            if set {
                flags = flags | flag;
            }
        }
        if !syn || self.state != State::SynSent {
            flags = flags | TcpFlags::ACK;
        }
        let (window, options) = if syn {
            (
                self.rcv_wnd.min(u32::from(u16::MAX)) as u16,
                self.syn_options(env, self.state != State::SynSent),
            )
        } else {
            (self.select_window(), self.established_options(env))
        };
        let had_data = !data.is_empty();
        let parent =
            parent.or_else(|| if syn { self.answering.map(|id| (Relation::ReplyTo, id)) } else { None });
        let tcp = Tcp { payload: data, ..self.segment(seq, flags, window, options) };
        let id = env.emit(tcp, parent);
        if flags.contains(TcpFlags::ACK) && !syn {
            self.ack_sent();
        }
        if had_data && self.ato > env.now.since(self.last_received) {
            self.pingpong = self.pingpong.saturating_add(1);
        }
        if let Some(seg) = self.queue.segs.get_mut(index) {
            if !again {
                seg.first_sent = env.now;
            }
            seg.sent_at = env.now;
            seg.packet = id;
        }
    }

    /// Options of a SYN or SYN-ACK. Kernel: `tcp_syn_options`, `tcp_synack_options`.
    fn syn_options(&self, env: &Env, answer: bool) -> TcpOptions {
        let offer = |setting: bool, agreed: bool| if answer { agreed } else { setting };
        let timestamps = offer(env.settings.timestamps, self.tstamp_ok);
        TcpOptions {
            mss: Some(self.advmss.min(u32::from(u16::MAX)) as u16),
            sack_permitted: offer(env.settings.sack, self.sack_ok),
            timestamps: timestamps.then(|| (self.timestamp(env.now), self.ts_recent.unwrap_or(0))),
            window_scale: offer(env.settings.window_scaling, self.wscale_ok).then_some(self.rcv_wscale),
            sack: Vec::new(),
        }
    }

    /// Data bytes that fit the next segment. Kernel: `tcp_current_mss`.
    pub(super) fn current_mss(&mut self, env: &Env) -> u32 {
        if let Some(pmtu) = env.pmtu()
            && pmtu != self.pmtu
        {
            self.sync_mss(&env.settings, pmtu);
        }
        let sacks = self.established_options(env).sack.len() as u32;
        self.mss.saturating_sub(if sacks > 0 { 4 + 8 * sacks } else { 0 }).max(1)
    }

    /// The first sequence number beyond the other end's window. Kernel: `tcp_wnd_end`.
    pub(super) fn wnd_end(&self) -> u32 {
        self.snd_una.wrapping_add(self.snd_wnd)
    }

    /// Sends what window, congestion window and Nagle's algorithm allow.
    /// Kernel: `tcp_write_xmit`, `__tcp_push_pending_frames`.
    pub(super) fn push_pending(&mut self, env: &mut Env) {
        if matches!(
            self.state,
            State::Closed | State::Listen | State::SynSent | State::SynRecv | State::TimeWait
        ) {
            return;
        }
        let mss = self.current_mss(env) as usize;
        let mut sent_any = match self.next_probe(env) {
            Ok(None) => false,
            Ok(Some(len)) => {
                self.send_mtu_probe(env, len);
                true
            }
            Err(()) => return,
        };
        while self.queue.has_unsent() && self.pipe() < self.recovery.cwnd as usize {
            let index = self.queue.sent;
            let last = index + 1 == self.queue.segs.len();
            let wnd_end = self.wnd_end();
            let nagled = {
                let seg = &self.queue.segs[index];
                let len = seg.len();
                let end =
                    seg.seq.wrapping_add(len.min(mss) as u32).wrapping_add(u32::from(seg.fin && len <= mss));
                if after(end, wnd_end) {
                    break;
                }
                last && !seg.fin && len < mss && self.small_unacked()
            };
            if nagled {
                break;
            }
            self.queue.split(index, mss);
            self.transmit(env, index);
            self.new_data_sent(env, mss);
            sent_any = true;
        }
        if sent_any {
            self.schedule_loss_probe(env);
        } else if self.queue.sent == 0 && self.queue.has_unsent() && self.retransmit_at.is_none() {
            // Kernel: `tcp_check_probe_timer`.
            let wait = self.rtt.rto.max(RTO_MIN).min(RTO_MAX);
            self.retransmit_at = Some((env.now + wait, Pending::Probe0));
        }
    }

    /// Sends the first `len` bytes that were not sent as one segment. Kernel: `tcp_mtu_probe`.
    fn send_mtu_probe(&mut self, env: &mut Env, len: usize) {
        let (index, start) = (self.queue.sent, self.snd_nxt);
        self.queue.join(index, len);
        self.transmit(env, index);
        self.probe_sent(start, len as u32);
        self.new_data_sent(env, len);
    }

    /// A small segment is under way, so another must wait. Kernel: `tcp_minshall_check`.
    fn small_unacked(&self) -> bool {
        self.queue.sent > 0 && after(self.snd_sml, self.snd_una) && !after(self.snd_sml, self.snd_nxt)
    }

    /// The first unsent segment was sent. Kernel: `tcp_event_new_data_sent`.
    fn new_data_sent(&mut self, env: &Env, mss: usize) {
        let Some(seg) = self.queue.segs.get(self.queue.sent) else { return };
        self.snd_nxt = seg.end_seq();
        if !seg.syn && seg.len() < mss {
            self.snd_sml = seg.end_seq();
        }
        let first = self.queue.sent == 0;
        self.queue.sent += 1;
        if first || matches!(self.retransmit_at, None | Some((_, Pending::LossProbe))) {
            self.rearm_rto(env);
        }
    }

    /// Arms the retransmission timer anew. Kernel: `tcp_rearm_rto`.
    pub(super) fn rearm_rto(&mut self, env: &Env) {
        self.retransmit_at =
            if self.queue.sent == 0 { None } else { Some((env.now + self.rtt.rto, Pending::Retransmit)) };
    }

    /// Replaces the retransmission timer by a probe of the tail, when nothing is lost.
    /// Kernel: `tcp_schedule_loss_probe`.
    pub(super) fn schedule_loss_probe(&mut self, env: &Env) {
        let Some(srtt) = self.rtt.smoothed() else { return };
        if !self.recovery.is_open()
            || !self.sack_ok
            || self.queue.sent == 0
            || self.recovery.tlp_high.is_some()
        {
            return;
        }
        const JIFFIES_2: std::time::Duration = std::time::Duration::from_millis(8);
        let extra = if self.queue.sent == 1 { RTO_MIN } else { JIFFIES_2 };
        let mut at = env.now + srtt * 2 + extra;
        if let Some((rto_at, Pending::Retransmit)) = self.retransmit_at {
            at = at.min(rto_at);
        }
        self.retransmit_at = Some((at, Pending::LossProbe));
    }

    /// Sends the SYN, or in SYN_RECV the SYN-ACK. Kernel: `tcp_connect`, `tcp_make_synack`.
    pub(super) fn send_syn(&mut self, env: &mut Env) {
        let mut seg = SendSeg::new(self.iss);
        seg.syn = true;
        self.queue.push(seg);
        self.transmit(env, 0);
        self.snd_una = self.iss;
        self.snd_sml = self.iss;
        self.write_seq = self.iss.wrapping_add(1);
        self.pushed_seq = self.write_seq;
        self.snd_nxt = self.write_seq;
        self.queue.sent = 1;
        self.rearm_rto(env);
    }

    /// Sends entry `index` again. Kernel: `__tcp_retransmit_skb`.
    pub(super) fn retransmit(&mut self, env: &mut Env, index: usize) {
        let syn = self.queue.segs.get(index).is_some_and(|seg| seg.syn);
        if !syn {
            let mss = self.current_mss(env) as usize;
            self.queue.split(index, mss);
            self.probe_inconclusive();
        }
        self.transmit(env, index);
        if let Some(seg) = self.queue.segs.get_mut(index) {
            seg.retransmits += 1;
            seg.resent = true;
        }
        self.retrans_stamp.get_or_insert(env.now);
    }

    /// Queues a FIN and sends what it can. Kernel: `tcp_send_fin`.
    pub(super) fn send_fin(&mut self, env: &mut Env) {
        if self.fin_queued {
            return;
        }
        self.fin_queued = true;
        let on_tail = self.queue.has_unsent();
        match self.queue.segs.back_mut() {
            Some(tail) if on_tail => tail.fin = true,
            Some(_) | None => {
                let mut seg = SendSeg::new(self.write_seq);
                seg.fin = true;
                self.queue.push(seg);
            }
        }
        self.write_seq = self.write_seq.wrapping_add(1);
        self.push_pending(env);
    }

    /// Sends a pure ACK. Kernel: `tcp_send_ack`.
    pub(super) fn send_ack(&mut self, env: &mut Env) {
        if matches!(self.state, State::Closed | State::Listen) {
            return;
        }
        let window = self.select_window();
        let options = self.established_options(env);
        let parent = self.answering.map(|id| (Relation::ReplyTo, id));
        env.emit(self.segment(self.acceptable_seq(), TcpFlags::ACK, window, options), parent);
        self.ack_sent();
    }

    /// Asks for an answer with a segment that is not acceptable. Kernel: `tcp_xmit_probe_skb`.
    fn send_probe(&mut self, env: &mut Env) {
        let window = self.select_window();
        let options = self.established_options(env);
        env.emit(self.segment(self.snd_una.wrapping_sub(1), TcpFlags::ACK, window, options), None);
        self.ack_sent();
    }

    /// Sends what fits of the window, or a probe. Kernel: `tcp_write_wakeup`.
    pub(super) fn write_wakeup(&mut self, env: &mut Env) {
        let index = self.queue.sent;
        let wnd_end = self.wnd_end();
        let room = self
            .queue
            .segs
            .get(index)
            .filter(|seg| before(seg.seq, wnd_end))
            .map(|seg| wnd_end.wrapping_sub(seg.seq));
        let Some(room) = room else {
            self.send_probe(env);
            return;
        };
        let mss = self.current_mss(env) as usize;
        self.queue.split(index, mss.min(room as usize));
        if let Some(seg) = self.queue.segs.get_mut(index) {
            seg.psh = true;
        }
        self.transmit(env, index);
        self.new_data_sent(env, mss);
    }

    /// Ends the connection on the other side. Kernel: `tcp_send_active_reset`.
    pub(super) fn send_active_reset(&mut self, env: &mut Env) {
        let options = self.established_options(env);
        let options = TcpOptions { sack: Vec::new(), ..options };
        env.emit(self.segment(self.acceptable_seq(), TcpFlags::RST | TcpFlags::ACK, 0, options), None);
    }

    /// The sequence number of a segment without data. Kernel: `tcp_acceptable_seq`.
    fn acceptable_seq(&self) -> u32 {
        if before(self.wnd_end(), self.snd_nxt)
            && self.snd_nxt.wrapping_sub(self.wnd_end()) >= 1 << self.snd_wscale
        {
            self.wnd_end()
        } else {
            self.snd_nxt
        }
    }
}
