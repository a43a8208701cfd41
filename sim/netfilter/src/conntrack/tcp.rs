use std::fmt;

use packet::{Tcp, TcpFlags};

use super::{CtSysctl, Dir};

/// A state of the TCP tracker.
/// Kernel: `enum tcp_conntrack` in `include/uapi/linux/netfilter/nf_conntrack_tcp.h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TcpState {
    /// Nothing seen.
    #[default]
    None,
    /// SYN.
    SynSent,
    /// SYN+ACK.
    SynRecv,
    /// Open.
    Established,
    /// FIN.
    FinWait,
    /// FIN acknowledged.
    CloseWait,
    /// FIN both ways.
    LastAck,
    /// Over, waits for stragglers.
    TimeWait,
    /// Reset.
    Close,
    /// SYN both ways.
    SynSent2,
}

/// What a segment does to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// To this state.
    To(TcpState),
    /// The segment is let through without effect. Kernel: `TCP_CONNTRACK_IGNORE`.
    Ignore,
    /// The segment belongs to no connection. Kernel: `TCP_CONNTRACK_MAX`.
    Invalid,
}

use Move::{Ignore as IG, Invalid as IV, To};
const SS: Move = To(TcpState::SynSent);
const SR: Move = To(TcpState::SynRecv);
const ES: Move = To(TcpState::Established);
const FW: Move = To(TcpState::FinWait);
const CW: Move = To(TcpState::CloseWait);
const LA: Move = To(TcpState::LastAck);
const TW: Move = To(TcpState::TimeWait);
const CL: Move = To(TcpState::Close);
const S2: Move = To(TcpState::SynSent2);

/// Rows: SYN, SYN+ACK, FIN, ACK, RST; columns: the state before, in the order of [`TcpState`].
/// Kernel: `tcp_conntracks` in `net/netfilter/nf_conntrack_proto_tcp.c`.
const ORIGINAL: [[Move; 10]; 5] = [
    [SS, SS, IG, IG, IG, IG, IG, SS, SS, S2],
    [IV, IV, SR, IV, IV, IV, IV, IV, IV, SR],
    [IV, IV, FW, FW, LA, LA, LA, TW, CL, IV],
    [ES, IV, ES, ES, CW, CW, TW, TW, CL, IV],
    [IV, CL, CL, CL, CL, CL, CL, CL, CL, CL],
];
const REPLY: [[Move; 10]; 5] = [
    [IV, S2, IV, IV, IV, IV, IV, SS, IV, S2],
    [IV, SR, IG, IG, IG, IG, IG, IG, IG, SR],
    [IV, IV, FW, FW, LA, LA, LA, TW, CL, IV],
    [IV, IG, SR, ES, CW, CW, TW, TW, CL, IG],
    [IV, CL, CL, CL, CL, CL, CL, CL, CL, CL],
];

/// What counts of a segment's flags. Kernel: `enum tcp_bit_set`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TcpIndex {
    /// SYN.
    Syn,
    /// SYN+ACK.
    SynAck,
    /// FIN.
    Fin,
    /// ACK.
    Ack,
    /// RST.
    Rst,
    /// None of them.
    #[default]
    None,
}

impl TcpIndex {
    /// Kernel: `get_conntrack_index`.
    pub(super) fn of(flags: TcpFlags) -> Self {
        if flags.contains(TcpFlags::RST) {
            Self::Rst
        } else if flags.contains(TcpFlags::SYN) {
            if flags.contains(TcpFlags::ACK) { Self::SynAck } else { Self::Syn }
        } else if flags.contains(TcpFlags::FIN) {
            Self::Fin
        } else if flags.contains(TcpFlags::ACK) {
            Self::Ack
        } else {
            Self::None
        }
    }
}

/// What the tracker remembers of a TCP connection. Kernel: `struct ip_ct_tcp`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TcpTrack {
    /// State.
    pub state: TcpState,
    /// What is known of each end, by the direction of its segments.
    pub(super) seen: [TcpSeen; 2],
    /// The last segment: its direction…
    pub(super) last_dir: Dir,
    /// …how often it was repeated,
    pub(super) retrans: u8,
    /// …its flags,
    pub(super) last_index: TcpIndex,
    /// …sequence number,
    pub(super) last_seq: u32,
    /// …acknowledgment,
    pub(super) last_ack: u32,
    /// …the sequence number behind it,
    pub(super) last_end: u32,
    /// …and its window, unscaled.
    pub(super) last_win: u16,
    /// Window scale of a SYN that was let through. Kernel: `last_wscale`.
    pub(super) last_wscale: u8,
    /// Flags of a SYN that was let through. Kernel: `last_flags`.
    pub(super) last_flags: TcpSeenFlags,
}

/// One end of a TCP connection. Kernel: `struct ip_ct_tcp_state`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TcpSeen {
    /// The highest sequence number sent, plus one.
    pub end: u32,
    /// The highest that the other end's window allows.
    pub maxend: u32,
    /// The greatest window offered, in bytes.
    pub maxwin: u32,
    /// The highest acknowledgment.
    pub maxack: u32,
    /// Window scale shift.
    pub scale: u8,
    pub flags: TcpSeenFlags,
}

/// Kernel: `IP_CT_TCP_FLAG_*`, `IP_CT_EXP_CHALLENGE_ACK`, `IP_CT_TCP_SIMULTANEOUS_OPEN`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TcpSeenFlags(u8);

impl TcpSeenFlags {
    pub const WINDOW_SCALE: Self = Self(0x01);
    pub const SACK_PERM: Self = Self(0x02);
    /// It closed first: the connection may be opened again.
    pub const CLOSE_INIT: Self = Self(0x04);
    pub const BE_LIBERAL: Self = Self(0x08);
    pub const DATA_UNACKNOWLEDGED: Self = Self(0x10);
    pub const MAXACK_SET: Self = Self(0x20);
    pub const EXP_CHALLENGE_ACK: Self = Self(0x40);
    pub const SIMULTANEOUS_OPEN: Self = Self(0x80);

    pub const fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    pub fn set(&mut self, flag: Self) {
        self.0 |= flag.0;
    }

    pub fn clear(&mut self, flag: Self) {
        self.0 &= !flag.0;
    }

    pub const fn only(self, flag: Self) -> Self {
        Self(self.0 & flag.0)
    }
}

impl TcpSeen {
    /// Takes note of a SYN's options. Kernel: `tcp_options`.
    pub fn options(&mut self, tcp: &Tcp) {
        let Some(options) = tcp.options.as_ref().filter(|options| !options.is_empty()) else { return };
        self.scale = 0;
        self.flags = self.flags.only(TcpSeenFlags::BE_LIBERAL);
        if options.sack_permitted {
            self.flags.set(TcpSeenFlags::SACK_PERM);
        }
        if let Some(scale) = options.window_scale {
            self.scale = scale.min(14);
            self.flags.set(TcpSeenFlags::WINDOW_SCALE);
        }
    }

    /// Forgets all but whether it is believed. Kernel: `nf_ct_tcp_state_reset`.
    pub fn reset(&mut self) {
        *self = Self { flags: self.flags.only(TcpSeenFlags::BE_LIBERAL), ..Self::default() };
    }
}

impl TcpTrack {
    /// A flag that either end has.
    pub(super) const fn either(&self, flag: TcpSeenFlags) -> bool {
        self.seen[0].flags.has(flag) || self.seen[1].flags.has(flag)
    }

    /// Kernel: `nf_conntrack_tcp_established`.
    pub(super) fn established(&self, assured: bool) -> bool {
        self.state == TcpState::Established && assured
    }

    /// May be forgotten under pressure even if assured. Kernel: `tcp_can_early_drop`.
    pub(super) const fn can_early_drop(&self) -> bool {
        matches!(
            self.state,
            TcpState::FinWait
                | TcpState::LastAck
                | TcpState::TimeWait
                | TcpState::Close
                | TcpState::CloseWait
        )
    }

    /// The highest sequence number that the original direction has sent, plus one.
    pub(crate) const fn original_end(&self) -> u32 {
        self.seen[0].end
    }
}

/// The sequence number behind a segment. Kernel: `segment_seq_plus_len`.
pub(super) fn segment_end(tcp: &Tcp) -> u32 {
    let has = |flag| u32::from(tcp.flags.contains(flag));
    tcp.seq
        .wrapping_add(tcp.payload.len() as u32)
        .wrapping_add(has(TcpFlags::SYN))
        .wrapping_add(has(TcpFlags::FIN))
}

/// Kernel: `before` in `include/net/tcp.h`.
pub(super) const fn before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

/// Kernel: `after`.
pub(super) const fn after(a: u32, b: u32) -> bool {
    before(b, a)
}

impl TcpState {
    /// What a segment of this direction does. Kernel: `tcp_conntracks`.
    pub(super) const fn after(self, dir: Dir, index: TcpIndex) -> Move {
        let table = match dir {
            Dir::Original => &ORIGINAL,
            Dir::Reply => &REPLY,
        };
        match index {
            TcpIndex::None => Move::Invalid,
            index => {
                let row = match index {
                    TcpIndex::Syn => 0,
                    TcpIndex::SynAck => 1,
                    TcpIndex::Fin => 2,
                    TcpIndex::Ack => 3,
                    TcpIndex::Rst | TcpIndex::None => 4,
                };
                table[row][self as usize]
            }
        }
    }

    /// Whether it is TIME_WAIT or behind it in the kernel's order.
    pub(crate) const fn is_over(self) -> bool {
        matches!(self, Self::TimeWait | Self::Close | Self::SynSent2)
    }

    /// How long a connection in this state is kept. Kernel: `tcp_timeouts`.
    pub(super) const fn timeout(self) -> CtSysctl {
        match self {
            Self::None | Self::SynSent | Self::SynSent2 => CtSysctl::TcpTimeoutSynSent,
            Self::SynRecv => CtSysctl::TcpTimeoutSynRecv,
            Self::Established => CtSysctl::TcpTimeoutEstablished,
            Self::FinWait => CtSysctl::TcpTimeoutFinWait,
            Self::CloseWait => CtSysctl::TcpTimeoutCloseWait,
            Self::LastAck => CtSysctl::TcpTimeoutLastAck,
            Self::TimeWait => CtSysctl::TcpTimeoutTimeWait,
            Self::Close => CtSysctl::TcpTimeoutClose,
        }
    }

    /// As `conntrack -L` prints it. Kernel: `tcp_conntrack_names`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::SynSent => "SYN_SENT",
            Self::SynRecv => "SYN_RECV",
            Self::Established => "ESTABLISHED",
            Self::FinWait => "FIN_WAIT",
            Self::CloseWait => "CLOSE_WAIT",
            Self::LastAck => "LAST_ACK",
            Self::TimeWait => "TIME_WAIT",
            Self::Close => "CLOSE",
            Self::SynSent2 => "SYN_SENT2",
        }
    }

    /// The state of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        use TcpState::{
            Close, CloseWait, Established, FinWait, LastAck, None, SynRecv, SynSent, SynSent2, TimeWait,
        };
        [None, SynSent, SynRecv, Established, FinWait, CloseWait, LastAck, TimeWait, Close, SynSent2]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

impl fmt::Display for TcpState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
