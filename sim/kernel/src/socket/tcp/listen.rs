//! Connections that a listener is being asked for. Kernel: `tcp_conn_request` in
//! `net/ipv4/tcp_input.c`, `tcp_check_req` in `net/ipv4/tcp_minisocks.c`.
//!
//! Simplified: a request is a whole socket in SYN_RECV from the start. There is no limit to
//! requests and so no need for SYN cookies.

use packet::{Tcp, TcpFlags};
use trace::DropReason;

use super::mtu::TSTAMP_ALIGNED;
use super::{Env, State, TcpSocket, Verdict, seq_len};

/// What a segment does to a connection that is being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// It completes the handshake.
    Complete,
    /// It changes nothing.
    Stay(Verdict),
    /// It ends the request.
    Forget(Verdict),
}

impl TcpSocket {
    /// A connection that answers `syn`, in SYN_RECV. Kernel: `tcp_conn_request`,
    /// `tcp_openreq_init_rwin`.
    pub(super) fn from_syn(env: &mut Env, syn: &Tcp, iss: u32, ts_offset: u32, rcvbuf: u32) -> Self {
        let mut socket = Self::new();
        let stamp = syn.options.as_ref().and_then(|o| o.timestamps);
        socket.state = State::SynRecv;
        socket.rcvbuf = rcvbuf;
        socket.iss = iss;
        socket.ts_offset = ts_offset;
        let route = env.route.unwrap_or_default();
        socket.advmss = route.advmss;
        socket.window_clamp = route.window;
        socket.take_syn(syn);
        socket.sack_ok &= env.settings.sack;
        socket.wscale_ok &= env.settings.window_scaling;
        if !socket.wscale_ok {
            socket.snd_wscale = 0;
        }
        socket.tstamp_ok = env.settings.timestamps && stamp.is_some();
        socket.ts_recent = stamp.map(|(value, _)| value).filter(|_| socket.tstamp_ok);
        let mss = route.advmss.saturating_sub(if socket.tstamp_ok { TSTAMP_ALIGNED } else { 0 });
        socket.select_initial_window(mss, socket.wscale_ok, route.init_rwnd);
        socket.snd_wnd = u32::from(syn.window);
        socket.max_window = socket.snd_wnd;
        socket.mtup_init(env);
        socket.sync_mss(&env.settings, route.mtu);
        socket
    }

    /// Looks at a segment for a connection in SYN_RECV. Kernel: `tcp_check_req`.
    pub(super) fn check_request(&mut self, env: &mut Env, tcp: &Tcp) -> Request {
        let has = |flag| tcp.flags.contains(flag);
        let bare_syn =
            has(TcpFlags::SYN) && !has(TcpFlags::ACK) && !has(TcpFlags::RST) && !has(TcpFlags::FIN);
        if bare_syn && tcp.seq == self.irs {
            if !self.oow_rate_limited(env, tcp) {
                self.retransmit(env, 0);
            }
            return Request::Stay(Verdict::Taken);
        }
        if has(TcpFlags::ACK) && tcp.ack != self.iss.wrapping_add(1) {
            let reset = if has(TcpFlags::RST) {
                Verdict::Drop(DropReason::TcpFlags)
            } else {
                Verdict::Reset(DropReason::TcpFlags)
            };
            return Request::Stay(reset);
        }
        let end = tcp.seq.wrapping_add(seq_len(tcp));
        if !Self::in_window(tcp.seq, end, self.rcv_nxt, self.rcv_nxt.wrapping_add(self.rcv_wnd)) {
            if !has(TcpFlags::RST) && !self.oow_rate_limited(env, tcp) {
                self.send_ack(env);
            }
            return Request::Stay(Verdict::Drop(DropReason::TcpInvalidSequence));
        }
        if has(TcpFlags::RST) {
            return Request::Forget(Verdict::Drop(DropReason::TcpReset));
        }
        if has(TcpFlags::SYN) {
            return Request::Forget(Verdict::Reset(DropReason::TcpInvalidSyn));
        }
        if !has(TcpFlags::ACK) {
            return Request::Stay(Verdict::Drop(DropReason::TcpFlags));
        }
        Request::Complete
    }
}
