use std::fmt;
use std::time::Duration;

use packet::TcpFlags;

use super::Dir;

/// A state of the TCP tracker.
/// Kernel: `enum tcp_conntrack` in `include/uapi/linux/netfilter/nf_conntrack_tcp.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcpState {
    /// Nothing seen.
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
const NO: usize = TcpState::None as usize;
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

/// The row of a segment; `None` for flags that no segment has. Kernel: `get_conntrack_index`.
fn row(flags: TcpFlags) -> Option<usize> {
    if flags.contains(TcpFlags::RST) {
        Some(4)
    } else if flags.contains(TcpFlags::SYN) {
        Some(if flags.contains(TcpFlags::ACK) { 1 } else { 0 })
    } else if flags.contains(TcpFlags::FIN) {
        Some(2)
    } else if flags.contains(TcpFlags::ACK) {
        Some(3)
    } else {
        None
    }
}

impl TcpState {
    /// What a segment of this direction does.
    pub(super) fn after(self, dir: Dir, flags: TcpFlags) -> Move {
        let table = match dir {
            Dir::Original => &ORIGINAL,
            Dir::Reply => &REPLY,
        };
        row(flags).map_or(Move::Invalid, |row| table[row][self as usize])
    }

    /// The state that a first segment makes; `None` if it can't begin a connection.
    /// Kernel: `tcp_new`, with `nf_conntrack_tcp_loose=1`.
    pub(super) fn begin(flags: TcpFlags) -> Option<Self> {
        match row(flags).map(|row| ORIGINAL[row][NO]) {
            Some(Move::To(state)) => Some(state),
            Some(Move::Ignore | Move::Invalid) | None => None,
        }
    }

    /// Time until a connection in this state is forgotten.
    /// Kernel: `net.netfilter.nf_conntrack_tcp_timeout_*`.
    pub const fn timeout(self) -> Duration {
        Duration::from_secs(match self {
            Self::None | Self::SynSent | Self::SynSent2 | Self::FinWait | Self::TimeWait => 120,
            Self::SynRecv | Self::CloseWait => 60,
            Self::Established => 432_000,
            Self::LastAck => 30,
            Self::Close => 10,
        })
    }
}

impl fmt::Display for TcpState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
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
        })
    }
}
