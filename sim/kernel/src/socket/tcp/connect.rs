//! Opening a connection. Kernel: `tcp_connect` in `net/ipv4/tcp_output.c`,
//! `tcp_rcv_synsent_state_process` in `net/ipv4/tcp_input.c`.

use packet::{Tcp, TcpFlags};
use trace::DropReason;

use super::{Env, MSS_DEFAULT, State, TcpSocket, Verdict, after, before};

impl TcpSocket {
    /// Sends a SYN. Kernel: `tcp_connect_init`, `tcp_connect`.
    pub(in crate::socket) fn connect(&mut self, env: &mut Env, iss: u32, ts_offset: u32) {
        let route = env.route.unwrap_or_default();
        self.iss = iss;
        self.ts_offset = ts_offset;
        self.mss_clamp = MSS_DEFAULT;
        self.tstamp_ok = env.settings.timestamps;
        self.mtup_init(env);
        self.sync_mss(&env.settings, route.mtu);
        if self.window_clamp == 0 {
            self.window_clamp = route.window;
        }
        self.advmss = route.advmss;
        self.select_initial_window(route.advmss, env.settings.window_scaling, route.init_rwnd);
        self.state = State::SynSent;
        self.connecting = true;
        self.last_received = env.now;
        self.send_syn(env);
    }

    /// Takes the answer to a SYN. Kernel: `tcp_rcv_synsent_state_process`.
    pub(super) fn rcv_synsent(&mut self, env: &mut Env, tcp: &Tcp) -> Verdict {
        let has = |flag| tcp.flags.contains(flag);
        let stamp = tcp.options.as_ref().and_then(|o| o.timestamps);
        if has(TcpFlags::ACK) {
            if !after(tcp.ack, self.snd_una) || after(tcp.ack, self.snd_nxt) {
                return Verdict::Reset(DropReason::TcpFlags);
            }
            if has(TcpFlags::RST) {
                self.tcp_reset();
                return Verdict::Drop(DropReason::TcpReset);
            }
            if !has(TcpFlags::SYN) {
                return Verdict::Drop(DropReason::TcpFlags);
            }
            self.take_syn(tcp);
            self.tstamp_ok = env.settings.timestamps && stamp.is_some();
            if !self.wscale_ok {
                self.rcv_wscale = 0;
                self.window_clamp = self.window_clamp.min(u32::from(u16::MAX));
            }
            if self.tcp_ack(env, tcp).is_err() {
                return Verdict::Drop(DropReason::TcpFlags);
            }
            self.ts_recent = stamp.map(|(value, _)| value).filter(|_| self.tstamp_ok);
            self.snd_wnd = u32::from(tcp.window);
            self.max_window = self.snd_wnd;
            self.mtup_init(env);
            self.sync_mss(&env.settings, self.pmtu);
            // Kernel: `tcp_finish_connect`.
            self.state = State::Established;
            self.init_buffer_space(env);
            self.last_received = env.now;
            self.retransmit_at = None;
            self.wake = true;
            self.send_ack(env);
            return Verdict::Taken;
        }
        if has(TcpFlags::RST) {
            return Verdict::Drop(DropReason::TcpReset);
        }
        if has(TcpFlags::SYN) {
            return self.simultaneous_open(env, tcp);
        }
        Verdict::Drop(DropReason::TcpFlags)
    }

    /// Both ends sent a SYN at once: answers with a SYN-ACK.
    fn simultaneous_open(&mut self, env: &mut Env, tcp: &Tcp) -> Verdict {
        let stamp = tcp.options.as_ref().and_then(|o| o.timestamps);
        self.take_syn(tcp);
        self.tstamp_ok = env.settings.timestamps && stamp.is_some();
        self.ts_recent = stamp.map(|(value, _)| value).filter(|_| self.tstamp_ok);
        self.state = State::SynRecv;
        self.snd_wnd = u32::from(tcp.window);
        self.max_window = self.snd_wnd;
        self.retransmit(env, 0);
        self.rearm_rto(env);
        Verdict::Taken
    }

    /// Learns what the other end's SYN offers. Kernel: `tcp_parse_options`.
    pub(super) fn take_syn(&mut self, tcp: &Tcp) {
        let options = tcp.options.as_deref();
        self.irs = tcp.seq;
        self.rcv_nxt = tcp.seq.wrapping_add(1);
        self.rcv_wup = self.rcv_nxt;
        self.copied_seq = self.rcv_nxt;
        self.snd_wl1 = tcp.seq;
        self.mss_clamp = options.and_then(|o| o.mss).map_or(MSS_DEFAULT, u32::from);
        self.sack_ok = options.is_some_and(|o| o.sack_permitted);
        let scale = options.and_then(|o| o.window_scale);
        self.wscale_ok = scale.is_some();
        self.snd_wscale = scale.unwrap_or(0).min(14);
    }

    /// Whether a segment lies in the window of a connection that is not yet made.
    /// Kernel: `tcp_in_window`.
    pub(super) fn in_window(seq: u32, end: u32, from: u32, to: u32) -> bool {
        seq == from || (after(end, from) && before(seq, to)) || (seq == to && seq == end)
    }
}
