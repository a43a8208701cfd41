use packet::{ConnId, Payload};

use super::event::EventMask;
use super::track::{Seen, TrackCx};
use super::{Conntrack, CtSysctl, Dir, ProtoState};

/// A state of the SCTP tracker. Kernel: `enum sctp_conntrack`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the states of RFC 9260 as the tracker sees them")]
pub enum SctpState {
    #[default]
    None,
    Closed,
    CookieWait,
    CookieEchoed,
    Established,
    ShutdownSent,
    ShutdownRecd,
    ShutdownAckSent,
    HeartbeatSent,
}

/// What the tracker remembers of an SCTP association. Kernel: `struct ip_ct_sctp`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SctpTrack {
    /// State.
    pub state: SctpState,
    /// Verification tags, by the direction whose packets carry them.
    vtag: [u32; 2],
    /// A heartbeat carried another tag. Kernel: `SCTP_FLAG_HEARTBEAT_VTAG_FAILED`.
    heartbeat_failed: bool,
    /// In which direction.
    last_dir: Dir,
}

const INIT: u8 = 1;
const INIT_ACK: u8 = 2;
const HEARTBEAT: u8 = 4;
const HEARTBEAT_ACK: u8 = 5;
const ABORT: u8 = 6;
const SHUTDOWN: u8 = 7;
const SHUTDOWN_ACK: u8 = 8;
const ERROR: u8 = 9;
const COOKIE_ECHO: u8 = 10;
const COOKIE_ACK: u8 = 11;
const SHUTDOWN_COMPLETE: u8 = 14;
const DATA: u8 = 0;

use SctpState::{
    Closed as CL, CookieEchoed as CE, CookieWait as CW, Established as ES, HeartbeatSent as HS,
    ShutdownAckSent as SA, ShutdownRecd as SR, ShutdownSent as SS,
};
/// Not a state: the chunk belongs to no association. Kernel: `sIV`.
const IV: SctpState = SctpState::None;

/// Rows in the order of [`row`], columns in the order of [`SctpState`].
/// Kernel: `sctp_conntracks` in `net/netfilter/nf_conntrack_proto_sctp.c`.
const ORIGINAL: [[SctpState; 9]; 11] = [
    [CL, CL, CW, CE, ES, CL, CL, SA, CW],
    [CL, CL, CW, CE, ES, SS, SR, SA, CL],
    [CL, CL, CL, CL, CL, CL, CL, CL, CL],
    [CL, CL, CW, CE, SS, SS, SR, SA, CL],
    [SA, CL, CW, CE, ES, SA, SA, SA, SA],
    [CL, CL, CW, CE, ES, SS, SR, SA, CL],
    [CL, CL, CE, CE, ES, SS, SR, SA, CL],
    [CL, CL, CW, CE, ES, SS, SR, SA, CL],
    [CL, CL, CW, CE, ES, SS, SR, CL, CL],
    [HS, CL, CW, CE, ES, SS, SR, SA, HS],
    [CL, CL, CW, CE, ES, SS, SR, SA, HS],
];
const REPLY: [[SctpState; 9]; 11] = [
    [IV, CL, CW, CE, ES, SS, SR, SA, IV],
    [IV, CW, CW, CE, ES, SS, SR, SA, IV],
    [IV, CL, CL, CL, CL, CL, CL, CL, IV],
    [IV, CL, CW, CE, SR, SS, SR, SA, IV],
    [IV, CL, CW, CE, ES, SA, SA, SA, IV],
    [IV, CL, CW, CL, ES, SS, SR, SA, IV],
    [IV, CL, CE, CE, ES, SS, SR, SA, IV],
    [IV, CL, CW, ES, ES, SS, SR, SA, IV],
    [IV, CL, CW, CE, ES, SS, SR, CL, IV],
    [IV, CL, CW, CE, ES, SS, SR, SA, HS],
    [IV, CL, CW, CE, ES, SS, SR, SA, ES],
];

/// The row of a chunk that can change the state.
const fn row(chunk: u8) -> Option<usize> {
    Some(match chunk {
        INIT => 0,
        INIT_ACK => 1,
        ABORT => 2,
        SHUTDOWN => 3,
        SHUTDOWN_ACK => 4,
        ERROR => 5,
        COOKIE_ECHO => 6,
        COOKIE_ACK => 7,
        SHUTDOWN_COMPLETE => 8,
        HEARTBEAT => 9,
        HEARTBEAT_ACK => 10,
        _ => return None,
    })
}

impl SctpState {
    /// The state after a chunk; `None` if the chunk can't be. Kernel: `sctp_new_state`.
    fn after(self, dir: Dir, chunk: u8) -> Option<Self> {
        let Some(row) = row(chunk) else { return Some(self) };
        let table = match dir {
            Dir::Original => &ORIGINAL,
            Dir::Reply => &REPLY,
        };
        Some(table[row][self as usize]).filter(|state| *state != IV)
    }

    /// As `conntrack -L` prints it. Kernel: `sctp_conntrack_names`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Closed => "CLOSED",
            Self::CookieWait => "COOKIE_WAIT",
            Self::CookieEchoed => "COOKIE_ECHOED",
            Self::Established => "ESTABLISHED",
            Self::ShutdownSent => "SHUTDOWN_SENT",
            Self::ShutdownRecd => "SHUTDOWN_RECD",
            Self::ShutdownAckSent => "SHUTDOWN_ACK_SENT",
            Self::HeartbeatSent => "HEARTBEAT_SENT",
        }
    }

    /// The state of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::None, CL, CW, CE, ES, SS, SR, SA, HS].into_iter().find(|state| state.name() == name)
    }

    const fn timeout(self) -> CtSysctl {
        match self {
            Self::None | Self::Closed => CtSysctl::SctpTimeoutClosed,
            Self::CookieWait => CtSysctl::SctpTimeoutCookieWait,
            Self::CookieEchoed => CtSysctl::SctpTimeoutCookieEchoed,
            Self::Established => CtSysctl::SctpTimeoutEstablished,
            Self::ShutdownSent => CtSysctl::SctpTimeoutShutdownSent,
            Self::ShutdownRecd => CtSysctl::SctpTimeoutShutdownRecd,
            Self::ShutdownAckSent => CtSysctl::SctpTimeoutShutdownAckSent,
            Self::HeartbeatSent => CtSysctl::SctpTimeoutHeartbeatSent,
        }
    }
}

impl SctpTrack {
    /// May be forgotten under pressure even if assured. Kernel: `sctp_can_early_drop`.
    pub(super) const fn can_early_drop(&self) -> bool {
        matches!(self.state, SS | SR | SA)
    }
}

/// A chunk of a packet.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    kind: u8,
    flags: u8,
    /// The first word of its value: an INIT's tag.
    tag: Option<u32>,
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes)
}

/// The chunks of a packet; `None` if they can't be together. Kernel: `do_basic_checks`.
fn chunks(bytes: &[u8]) -> Option<Vec<Chunk>> {
    let mut chunks = Vec::new();
    let mut alone = false;
    let mut at = 12;
    while let Some(&[kind, flags, high, low]) = bytes.get(at..at + 4) {
        let len = usize::from(u16::from_be_bytes([high, low]));
        alone |= matches!(kind, INIT | INIT_ACK | SHUTDOWN_COMPLETE);
        let first = alone || matches!(kind, COOKIE_ACK | COOKIE_ECHO);
        if first && !chunks.is_empty() || len == 0 {
            return None;
        }
        chunks.push(Chunk { kind, flags, tag: word(bytes, at + 4).filter(|_| bytes.len() >= at + 20) });
        at += (len + 3) & !3;
    }
    (!chunks.is_empty()).then_some(chunks)
}

/// Begins with a packet. Kernel: `sctp_new`.
fn begin(chunks: &[Chunk], vtag: u32) -> Option<SctpTrack> {
    let mut track = SctpTrack::default();
    for chunk in chunks {
        SctpState::None.after(Dir::Original, chunk.kind).filter(|state| *state != SctpState::None)?;
        match chunk.kind {
            INIT if vtag != 0 => return None,
            INIT => track.vtag[Dir::Reply as usize] = chunk.tag?,
            HEARTBEAT => track.vtag[Dir::Original as usize] = vtag,
            _ => track.vtag[Dir::Reply as usize] = vtag,
        }
    }
    Some(track)
}

impl Conntrack {
    /// Kernel: `nf_conntrack_sctp_packet`.
    pub(super) fn sctp_packet(
        &mut self,
        cx: &mut TrackCx<'_>,
        id: ConnId,
        dir: Dir,
        len: u64,
        bytes: &Payload,
    ) -> Seen {
        let Some(conn) = self.get_mut(id) else { return Seen::Invalid };
        let (Some(vtag), Some(chunks)) = (word(bytes, 4).filter(|_| bytes.len() >= 12), chunks(bytes)) else {
            return Seen::Invalid;
        };
        let has = |kind| chunks.iter().any(|chunk| chunk.kind == kind);
        if !conn.confirmed {
            if has(ABORT) || has(SHUTDOWN_COMPLETE) || has(COOKIE_ACK) {
                return Seen::Invalid;
            }
            match begin(&chunks, vtag) {
                Some(track) => conn.proto = ProtoState::Sctp(track),
                None => return Seen::Invalid,
            }
        }
        let ProtoState::Sctp(mut track) = conn.proto.clone() else { return Seen::Invalid };
        let (own, other) = (dir as usize, dir.opposite() as usize);
        let own_rules = [INIT, SHUTDOWN_COMPLETE, COOKIE_ECHO, ABORT, SHUTDOWN_ACK, HEARTBEAT, HEARTBEAT_ACK];
        if !own_rules.into_iter().any(has) && vtag != track.vtag[own] {
            return Seen::Invalid;
        }
        let mut ignore = false;
        for chunk in &chunks {
            match chunk.kind {
                INIT if vtag != 0 => return Seen::Invalid,
                ABORT | SHUTDOWN_COMPLETE => {
                    let tag = track.vtag[if chunk.flags & 1 != 0 { other } else { own }];
                    if vtag != tag {
                        return Seen::Invalid;
                    }
                }
                COOKIE_ECHO if vtag != track.vtag[own] => return Seen::Invalid,
                HEARTBEAT | HEARTBEAT_ACK if track.vtag[own] == 0 => track.vtag[own] = vtag,
                HEARTBEAT if vtag != track.vtag[own] => {
                    if has(DATA) || ignore {
                        return Seen::Invalid;
                    }
                    (track.heartbeat_failed, track.last_dir) = (true, dir);
                    ignore = true;
                    continue;
                }
                HEARTBEAT_ACK if vtag != track.vtag[own] => {
                    if has(DATA) || ignore || !track.heartbeat_failed || track.last_dir == dir {
                        return Seen::Invalid;
                    }
                    track.heartbeat_failed = false;
                    track.vtag[own] = vtag;
                    track.vtag[other] = 0;
                }
                HEARTBEAT | HEARTBEAT_ACK => track.heartbeat_failed = false,
                _ => {}
            }
            let old = track.state;
            let Some(new) = old.after(dir, chunk.kind) else { return Seen::Invalid };
            if matches!(chunk.kind, INIT | INIT_ACK) {
                let Some(tag) = chunk.tag else { return Seen::Invalid };
                track.vtag[other] = tag;
                // A repeated INIT doesn't prolong it.
                ignore |= new == CL && old == CL && conn.confirmed;
            }
            track.state = new;
            if old != new {
                conn.note(EventMask::PROTOINFO);
                if new == ES && !conn.assured {
                    conn.assured = true;
                    conn.note(EventMask::ASSURED);
                }
            }
        }
        conn.proto = ProtoState::Sctp(track);
        if !ignore {
            conn.refresh(dir, cx.now + cx.timeout(track.state.timeout()), len);
        }
        Seen::Valid
    }
}
