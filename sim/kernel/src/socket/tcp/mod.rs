//! TCP: a state machine that takes segments, calls and the clock, and gives segments.
//!
//! [`TcpSocket`] knows nothing of addresses, routes or the packet path: it writes segments into
//! [`Env::out`] and deadlines into itself. `ipv4.rs` joins it to the rest of the kernel.

mod ack;
mod calls;
mod connect;
mod input;
mod ipv4;
mod listen;
mod mtu;
mod output;
mod queue;
mod rtt;
mod time_wait;
mod timer;
mod window;

#[cfg(test)]
mod tests;

pub(super) use ipv4::{secure_seq, secure_ts};

use std::collections::VecDeque;
use std::time::Duration;

use packet::{PacketId, PacketIds, SimTime, Tcp};
use trace::{DropReason, Relation};

use super::SocketId;
use crate::Errno;

use ack::Recovery;
use mtu::MtuProbe;
use queue::{OutOfOrder, SendQueue};
use rtt::Rtt;

/// Kernel: `TCP_RTO_MIN`.
pub(super) const RTO_MIN: Duration = Duration::from_millis(200);
/// Kernel: `TCP_RTO_MAX`.
pub(super) const RTO_MAX: Duration = Duration::from_secs(120);
/// Kernel: `TCP_TIMEOUT_INIT`.
pub(super) const TIMEOUT_INIT: Duration = Duration::from_secs(1);
/// Kernel: `TCP_ATO_MIN`, `TCP_DELACK_MIN`.
pub(super) const ATO_MIN: Duration = Duration::from_millis(40);
/// Kernel: `TCP_TIMEWAIT_LEN`.
pub(super) const TIMEWAIT_LEN: Duration = Duration::from_secs(60);
/// Kernel: `TCP_MSS_DEFAULT`, bytes.
pub(super) const MSS_DEFAULT: u32 = 536;
/// Kernel: `TCP_INIT_CWND`, segments.
pub(super) const INIT_CWND: u32 = 10;
/// Kernel: `TCP_MAX_QUICKACKS`.
pub(super) const MAX_QUICKACKS: u32 = 16;
/// Kernel: `net.ipv4.tcp_rmem`, the default buffer, bytes.
pub(super) const RMEM_DEFAULT: u32 = 131_072;
/// Kernel: `net.ipv4.tcp_rmem`, the largest buffer, bytes.
pub(super) const RMEM_MAX: u32 = 33_554_432;
/// Kernel: `net.ipv4.tcp_wmem`, the largest buffer, bytes.
pub(super) const WMEM_MAX: u32 = 4_194_304;

/// Kernel: `TCP_*` in `include/net/tcp_states.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    Closed,
    Listen,
    SynSent,
    SynRecv,
    Established,
    FinWait1,
    FinWait2,
    CloseWait,
    Closing,
    LastAck,
    TimeWait,
}

impl State {
    /// The word of `ss`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "UNCONN",
            Self::Listen => "LISTEN",
            Self::SynSent => "SYN-SENT",
            Self::SynRecv => "SYN-RECV",
            Self::Established => "ESTAB",
            Self::FinWait1 => "FIN-WAIT-1",
            Self::FinWait2 => "FIN-WAIT-2",
            Self::CloseWait => "CLOSE-WAIT",
            Self::Closing => "CLOSING",
            Self::LastAck => "LAST-ACK",
            Self::TimeWait => "TIME-WAIT",
        }
    }
}

/// Settings of the namespace that TCP looks at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// `net.ipv4.tcp_syn_retries`.
    pub syn_retries: u32,
    /// `net.ipv4.tcp_syn_linear_timeouts`.
    pub syn_linear_timeouts: u32,
    /// `net.ipv4.tcp_synack_retries`.
    pub synack_retries: u32,
    /// `net.ipv4.tcp_retries2`.
    pub retries2: u32,
    /// `net.ipv4.tcp_fin_timeout`.
    pub fin_timeout: Duration,
    /// `net.ipv4.tcp_timestamps`.
    pub timestamps: bool,
    /// `net.ipv4.tcp_sack`.
    pub sack: bool,
    /// `net.ipv4.tcp_window_scaling`.
    pub window_scaling: bool,
    /// `net.ipv4.tcp_retries1`.
    pub retries1: u32,
    /// `net.ipv4.tcp_min_snd_mss`, bytes.
    pub min_snd_mss: u32,
    /// `net.ipv4.tcp_mtu_probing`: 1 when nothing comes back, 2 always.
    pub mtu_probing: u8,
    /// `net.ipv4.tcp_base_mss`, bytes.
    pub base_mss: u32,
    /// `net.ipv4.tcp_mtu_probe_floor`, bytes.
    pub mtu_probe_floor: u32,
    /// `net.ipv4.tcp_probe_threshold`, bytes.
    pub probe_threshold: u32,
    /// `net.ipv4.tcp_probe_interval`.
    pub probe_interval: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            syn_retries: 6,
            syn_linear_timeouts: 4,
            synack_retries: 5,
            retries2: 15,
            fin_timeout: Duration::from_secs(60),
            timestamps: true,
            sack: true,
            window_scaling: true,
            retries1: 3,
            min_snd_mss: 48,
            mtu_probing: 0,
            base_mss: 1024,
            mtu_probe_floor: 48,
            probe_threshold: 8,
            probe_interval: Duration::from_secs(600),
        }
    }
}

/// What surrounds the state machine during one event.
pub(super) struct Env<'a> {
    pub now: SimTime,
    pub ids: &'a mut PacketIds,
    /// Segments to send, in order.
    pub out: &'a mut Vec<Segment>,
    /// What the route to the other end says, if there is one.
    pub route: Option<Metrics>,
    pub settings: Settings,
}

impl Env<'_> {
    /// Path MTU in bytes. Kernel: `dst_mtu`.
    pub fn pmtu(&self) -> Option<u32> {
        self.route.as_ref().map(|route| route.mtu)
    }
}

/// What a route says to TCP; 0 where it says nothing. Kernel: `RTAX_*`, `dst_metric`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Metrics {
    /// Path MTU, bytes. Kernel: `dst_mtu`.
    pub mtu: u32,
    /// Segment size to announce, bytes. Kernel: `dst_metric_advmss`.
    pub advmss: u32,
    /// Limit of the receive window, bytes. Kernel: `RTAX_WINDOW`.
    pub window: u32,
    /// First congestion window, segments. Kernel: `RTAX_INITCWND`.
    pub init_cwnd: u32,
    /// First receive window, segments. Kernel: `RTAX_INITRWND`.
    pub init_rwnd: u32,
    /// Every segment is acknowledged at once. Kernel: `RTAX_QUICKACK`.
    pub quickack: u32,
}

/// A segment to send. Ports are filled in by whoever sends it.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub id: PacketId,
    pub tcp: Tcp,
    pub parent: Option<(Relation, PacketId)>,
}

/// Which event the retransmission timer stands for. Kernel: `icsk_pending`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pending {
    /// `ICSK_TIME_RETRANS`.
    Retransmit,
    /// `ICSK_TIME_PROBE0`.
    Probe0,
    /// `ICSK_TIME_LOSS_PROBE`.
    LossProbe,
}

/// What becomes of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The socket took it.
    Taken,
    /// It ends here.
    Drop(DropReason),
    /// It ends here and is answered by a reset.
    Reset(DropReason),
    /// A new connection may take it: TIME_WAIT gives way, starting at this sequence number.
    Reopen(u32),
}

/// What became of the socket as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It goes on.
    #[default]
    No,
    /// It is closed. Kernel: `tcp_done`.
    Done,
    /// It is closed and what is left of it waits in this state for so long.
    /// Kernel: `tcp_time_wait`.
    TimeWait(State, Duration),
}

/// The TCP part of a socket. Kernel: `struct tcp_sock`.
#[derive(Clone, Debug)]
pub(crate) struct TcpSocket {
    pub state: State,
    /// What is left of a connection after its end. Kernel: `struct tcp_timewait_sock`.
    pub time_wait: bool,
    /// No process has it open any more. Kernel: `SOCK_DEAD`.
    pub orphan: bool,
    /// The other end sent its last byte. Kernel: `SOCK_DONE`.
    pub done: bool,
    /// `connect` was called and hasn't reported success yet.
    pub connecting: bool,
    /// Kernel: `sk_err`; the socket layer moves it to the socket.
    pub error: Option<Errno>,
    /// Kernel: `sk_err_soft`.
    pub soft_error: Option<Errno>,
    /// Whoever waits must look again.
    pub wake: bool,
    pub ending: Ending,

    /// The listener it came from, until it is accepted.
    pub parent: Option<SocketId>,
    /// Listener: established connections to accept, oldest first.
    pub accept_queue: VecDeque<SocketId>,
    /// Listener: connections being made. Kernel: `reqsk_queue_len`.
    pub syn_queue: Vec<SocketId>,
    /// Listener: kernel's `sk_max_ack_backlog`.
    pub backlog: u32,

    /// Initial send sequence number.
    pub iss: u32,
    pub snd_una: u32,
    pub snd_nxt: u32,
    pub snd_wnd: u32,
    pub snd_wl1: u32,
    pub max_window: u32,
    pub write_seq: u32,
    pub pushed_seq: u32,
    /// End of the last small segment sent. Kernel: `snd_sml`.
    pub snd_sml: u32,
    pub queue: SendQueue,
    pub fin_queued: bool,

    pub snd_wscale: u8,
    pub rcv_wscale: u8,
    pub wscale_ok: bool,
    pub sack_ok: bool,
    pub tstamp_ok: bool,
    /// Kernel: `ts_recent`; `None` until the other end sent one.
    pub ts_recent: Option<u32>,
    pub ts_offset: u32,

    /// The other end's limit, bytes. Kernel: `rx_opt.mss_clamp`.
    pub mss_clamp: u32,
    /// Own limit as sent in the SYN, bytes.
    pub advmss: u32,
    /// Bytes in a full segment. Kernel: `mss_cache`.
    pub mss: u32,
    /// Kernel: `icsk_pmtu_cookie`.
    pub pmtu: u32,
    pub mtup: MtuProbe,

    pub recovery: Recovery,
    pub rtt: Rtt,
    pub retransmits: u32,
    pub backoff: u32,
    pub total_rto: u32,
    pub probes_out: u32,
    /// When the first of the retransmissions under way was sent.
    pub retrans_stamp: Option<SimTime>,

    pub retransmit_at: Option<(SimTime, Pending)>,
    pub delack_at: Option<SimTime>,
    /// End of FIN_WAIT2 or TIME_WAIT.
    pub linger_at: Option<SimTime>,

    /// Initial receive sequence number.
    pub irs: u32,
    pub rcv_nxt: u32,
    pub rcv_wup: u32,
    pub rcv_wnd: u32,
    pub copied_seq: u32,
    pub rcv_ssthresh: u32,
    pub window_clamp: u32,
    pub rcvbuf: u32,
    /// The part of the receive buffer that is data, in 1/256. Kernel: `scaling_ratio`.
    pub scaling_ratio: u32,
    /// Data in order, not yet read.
    pub received: VecDeque<u8>,
    pub out_of_order: OutOfOrder,

    pub quick: u32,
    pub pingpong: u32,
    pub ato: Duration,
    pub last_received: SimTime,
    /// Kernel: `ICSK_ACK_SCHED`.
    pub ack_scheduled: bool,
    /// Kernel: `ICSK_ACK_NOW`.
    pub ack_now: bool,
    pub rcv_mss: u32,
    /// Size of the last segment shorter than that. Kernel: `last_seg_size`.
    pub last_seg_size: u32,
    /// Small segments since the last ACK, at most 2. Kernel: `ICSK_ACK_PUSHED`, `ICSK_ACK_PUSHED2`.
    pub ack_pushed: u8,
    /// When an ACK for an unacceptable segment was last sent. Kernel: `last_oow_ack_time`.
    pub last_oow_ack: Option<SimTime>,
    /// The packet that is being answered.
    pub answering: Option<PacketId>,
    /// No more data from the application. Kernel: `SEND_SHUTDOWN`.
    pub shut_write: bool,
    /// No more data to the application. Kernel: `RCV_SHUTDOWN`.
    pub shut_read: bool,
}

impl TcpSocket {
    /// A closed socket. Kernel: `net/ipv4/tcp.c`, `tcp_init_sock`.
    pub fn new() -> Self {
        Self {
            state: State::Closed,
            time_wait: false,
            orphan: false,
            done: false,
            connecting: false,
            error: None,
            soft_error: None,
            wake: false,
            ending: Ending::No,
            parent: None,
            accept_queue: VecDeque::new(),
            syn_queue: Vec::new(),
            backlog: 0,
            iss: 0,
            snd_una: 0,
            snd_nxt: 0,
            snd_wnd: 0,
            snd_wl1: 0,
            max_window: 0,
            write_seq: 0,
            pushed_seq: 0,
            snd_sml: 0,
            queue: SendQueue::default(),
            fin_queued: false,
            snd_wscale: 0,
            rcv_wscale: 0,
            wscale_ok: false,
            sack_ok: false,
            tstamp_ok: false,
            ts_recent: None,
            ts_offset: 0,
            mss_clamp: MSS_DEFAULT,
            advmss: MSS_DEFAULT,
            mss: MSS_DEFAULT,
            pmtu: 0,
            mtup: MtuProbe::default(),
            recovery: Recovery::default(),
            rtt: Rtt::default(),
            retransmits: 0,
            backoff: 0,
            total_rto: 0,
            probes_out: 0,
            retrans_stamp: None,
            retransmit_at: None,
            delack_at: None,
            linger_at: None,
            irs: 0,
            rcv_nxt: 0,
            rcv_wup: 0,
            rcv_wnd: 0,
            copied_seq: 0,
            rcv_ssthresh: 0,
            window_clamp: 0,
            rcvbuf: RMEM_DEFAULT,
            scaling_ratio: 128,
            received: VecDeque::new(),
            out_of_order: OutOfOrder::default(),
            quick: 0,
            pingpong: 0,
            ato: Duration::ZERO,
            last_received: SimTime::ZERO,
            ack_scheduled: false,
            ack_now: false,
            rcv_mss: MSS_DEFAULT,
            last_seg_size: 0,
            ack_pushed: 0,
            last_oow_ack: None,
            answering: None,
            shut_write: false,
            shut_read: false,
        }
    }

    /// The earliest of its deadlines.
    pub fn next_deadline(&self) -> Option<SimTime> {
        [self.retransmit_at.map(|(at, _)| at), self.delack_at, self.linger_at].into_iter().flatten().min()
    }

    /// The timestamp clock: milliseconds, from a start of the connection's own.
    /// Kernel: `tcp_time_stamp_ts`.
    pub fn timestamp(&self, now: SimTime) -> u32 {
        ((now.as_nanos() / 1_000_000) as u32).wrapping_add(self.ts_offset)
    }

    /// Ends the connection. Kernel: `net/ipv4/tcp.c`, `tcp_done`.
    pub fn tcp_done(&mut self) {
        self.state = State::Closed;
        self.retransmit_at = None;
        self.delack_at = None;
        self.linger_at = None;
        self.shut_read = true;
        self.shut_write = true;
        self.wake = true;
        if self.ending == Ending::No {
            self.ending = Ending::Done;
        }
    }

    /// Ends the connection with an error for the process. Kernel: `tcp_done_with_error`.
    pub fn tcp_done_with_error(&mut self, errno: Errno) {
        self.error = Some(errno);
        self.queue.clear();
        self.tcp_done();
    }
}

/// Whether `a` comes before `b` in sequence space. Kernel: `before`.
pub(super) fn before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

/// Whether `a` comes after `b` in sequence space. Kernel: `after`.
pub(super) fn after(a: u32, b: u32) -> bool {
    before(b, a)
}

/// Sequence numbers a segment takes: its data, and one each for SYN and FIN.
pub(super) fn seq_len(tcp: &Tcp) -> u32 {
    use packet::TcpFlags;
    tcp.payload.len() as u32
        + u32::from(tcp.flags.contains(TcpFlags::SYN))
        + u32::from(tcp.flags.contains(TcpFlags::FIN))
}
