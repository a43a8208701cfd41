use std::time::Duration;

use packet::{ConnId, SimTime, Skb, Tcp, TcpFlags};

use super::event::EventMask;
use super::tcp::{Move, TcpSeen, TcpSeenFlags, before, segment_end};
use super::tcp_window::InWindow;
use super::track::{Seen, TrackCx};
use super::{Conn, Conntrack, CtSysctl, Dir, ProtoState, TcpIndex, TcpState, TcpTrack};

/// What is done with a segment that the table of states lets on.
enum Check {
    /// Its sequence numbers are checked.
    Window,
    /// They aren't.
    Skip,
}

/// Flags that a segment may have together, without PSH, ECE and CWR. Kernel: `tcp_valid_flags`.
const VALID_FLAGS: [TcpFlags; 9] = [
    TcpFlags::SYN,
    TcpFlags(TcpFlags::SYN.0 | TcpFlags::URG.0),
    TcpFlags(TcpFlags::SYN.0 | TcpFlags::ACK.0),
    TcpFlags::RST,
    TcpFlags(TcpFlags::RST.0 | TcpFlags::ACK.0),
    TcpFlags(TcpFlags::FIN.0 | TcpFlags::ACK.0),
    TcpFlags(TcpFlags::FIN.0 | TcpFlags::ACK.0 | TcpFlags::URG.0),
    TcpFlags::ACK,
    TcpFlags(TcpFlags::ACK.0 | TcpFlags::URG.0),
];

/// What is wrong with a segment by itself. Kernel: `tcp_error`.
fn tcp_error(tcp: &Tcp) -> Option<&'static str> {
    let always = TcpFlags::PSH | TcpFlags::ECE | TcpFlags::CWR;
    let flags = TcpFlags(tcp.flags.0 & !always.0);
    (!VALID_FLAGS.contains(&flags)).then_some("invalid tcp flag combination")
}

impl TcpTrack {
    /// Begins with a segment. Kernel: `tcp_new`.
    ///
    /// # Errors
    /// Why none can begin; empty if that isn't logged.
    fn begin(tcp: &Tcp, loose: bool) -> Result<Self, &'static str> {
        let index = TcpIndex::of(tcp.flags);
        let mut track = Self::default();
        let first = &mut track.seen[0];
        first.end = segment_end(tcp);
        first.maxwin = u32::from(tcp.window).max(1);
        first.maxend = first.end;
        match TcpState::None.after(Dir::Original, index) {
            Move::To(TcpState::SynSent) => first.options(tcp),
            Move::Ignore | Move::Invalid => return Err("invalid new"),
            Move::To(_) if !loose => return Err(""),
            Move::To(_) => {
                // In the middle of a connection: SACK and any window are assumed.
                first.maxend = first.end.wrapping_add(first.maxwin);
                for seen in &mut track.seen {
                    seen.flags.set(TcpSeenFlags::SACK_PERM);
                    seen.flags.set(TcpSeenFlags::BE_LIBERAL);
                }
            }
        }
        Ok(track)
    }

    /// Notes a segment that is let through although it doesn't fit the state. True if it answers a
    /// SYN that was let through: both ends are in step then, and the tracker falls in.
    /// Kernel: `TCP_CONNTRACK_IGNORE` in `nf_conntrack_tcp_packet`.
    fn ignore(&mut self, dir: Dir, index: TcpIndex, tcp: &Tcp) -> bool {
        if index == TcpIndex::SynAck
            && self.last_index == TcpIndex::Syn
            && self.last_dir != dir
            && tcp.ack == self.last_end
        {
            self.last_flags.clear(TcpSeenFlags::EXP_CHALLENGE_ACK);
            self.seen[self.last_dir as usize] = TcpSeen {
                end: self.last_end,
                maxend: self.last_end,
                maxwin: u32::from(self.last_win).max(1),
                scale: self.last_wscale,
                flags: self.last_flags,
                ..self.seen[self.last_dir as usize]
            };
            self.seen[dir as usize].reset();
            return true;
        }
        self.last_index = index;
        self.last_dir = dir;
        self.last_seq = tcp.seq;
        self.last_end = segment_end(tcp);
        self.last_win = tcp.window;
        if index == TcpIndex::Syn && dir == Dir::Original {
            let mut seen = TcpSeen::default();
            seen.options(tcp);
            self.last_flags = seen.flags;
            self.last_wscale = seen.scale;
            if self.state == TcpState::LastAck {
                self.last_flags.set(TcpSeenFlags::EXP_CHALLENGE_ACK);
            }
        }
        // Perhaps a challenge ACK that answers the SYN.
        if self.state == TcpState::SynSent && index == TcpIndex::Ack && dir == Dir::Reply {
            self.last_ack = tcp.ack;
        }
        false
    }

    /// Whether a RST is to be believed, and the state it leads to; `None` if it isn't.
    /// Kernel: `TCP_CONNTRACK_CLOSE` in `nf_conntrack_tcp_packet`.
    fn reset(&self, conn: &Conn, dir: Dir, tcp: &Tcp, ignore_invalid: bool) -> Option<(TcpState, Check)> {
        let old = self.state;
        let mut new = TcpState::Close;
        if self.can_early_drop() {
            return Some((new, Check::Skip));
        }
        let receiver = &self.seen[dir.opposite() as usize];
        if receiver.flags.has(TcpSeenFlags::MAXACK_SET) && self.last_index != TcpIndex::Syn {
            let established = self.established(conn.assured);
            if tcp.seq == 0 && !established {
                return Some((new, Check::Window));
            }
            if before(tcp.seq, receiver.maxack) && !ignore_invalid {
                return None;
            }
            let exact = tcp.seq == receiver.maxack;
            let train = self.last_index == TcpIndex::Ack && self.last_dir == dir && tcp.seq == self.last_end;
            if !established || exact || train {
                return Some((new, Check::Window));
            }
            // Not the exact number: perhaps a challenge ACK follows.
            new = old;
        }
        let answers_ignored = (conn.seen_reply && self.last_index == TcpIndex::Syn
            || !conn.assured && self.last_index == TcpIndex::Ack)
            && tcp.ack == self.last_end;
        let answers_challenge = old == TcpState::SynSent
            && self.last_index == TcpIndex::Ack
            && self.last_dir == Dir::Reply
            && tcp.seq == self.last_ack;
        Some((new, if answers_ignored || answers_challenge { Check::Skip } else { Check::Window }))
    }
}

impl Conntrack {
    /// Kernel: `nf_conntrack_tcp_packet` in `net/netfilter/nf_conntrack_proto_tcp.c`.
    pub(super) fn tcp_packet(
        &mut self,
        cx: &mut TrackCx<'_>,
        id: ConnId,
        dir: Dir,
        bytes: u64,
        tcp: &Tcp,
    ) -> Seen {
        if let Some(text) = tcp_error(tcp) {
            cx.log_invalid(text);
            return Seen::Invalid;
        }
        let Some(conn) = self.get_mut(id) else { return Seen::Invalid };
        if !conn.confirmed {
            match TcpTrack::begin(tcp, cx.sysctl(CtSysctl::TcpLoose) != 0) {
                Ok(track) => conn.proto = ProtoState::Tcp(Box::new(track)),
                Err("") => return Seen::Invalid,
                Err(text) => {
                    cx.log_invalid(text);
                    return Seen::Invalid;
                }
            }
        }
        // The tracker is taken out while it looks at its connection.
        let ProtoState::Tcp(mut track) = std::mem::replace(&mut conn.proto, ProtoState::Other) else {
            return Seen::Invalid;
        };
        let judged = judge(cx, conn, &mut track, dir, tcp);
        let new = track.state;
        conn.proto = ProtoState::Tcp(track);
        let (old, timeout) = match judged {
            Judged::Done(seen) => return seen,
            Judged::Moved { old, timeout } => (old, timeout),
        };
        if new != old {
            conn.note(EventMask::PROTOINFO);
        }
        let index = TcpIndex::of(tcp.flags);
        let mut timeout = timeout;
        if !conn.seen_reply {
            if index == TcpIndex::Rst {
                // Refused: forgotten at once, though this packet still belongs to it.
                conn.count(dir, bytes);
                self.kill(id, cx.now);
                return Seen::Valid;
            }
            if index == TcpIndex::Syn && old == TcpState::SynSent {
                // A repeated SYN doesn't prolong it.
                return Seen::Valid;
            }
            let unacknowledged = cx.timeout(CtSysctl::TcpTimeoutUnacknowledged);
            if new == TcpState::Established && timeout > unacknowledged {
                timeout = unacknowledged;
            }
        } else if !conn.assured
            && matches!(old, TcpState::SynRecv | TcpState::Established)
            && new == TcpState::Established
        {
            conn.assured = true;
            conn.note(EventMask::ASSURED);
        }
        conn.refresh(dir, cx.now + timeout, bytes);
        Seen::Valid
    }
}

/// What became of a segment.
enum Judged {
    /// It changed nothing more.
    Done(Seen),
    /// It counts: the state before, and how long the connection is kept now.
    Moved { old: TcpState, timeout: Duration },
}

/// Kernel: the first half of `nf_conntrack_tcp_packet`.
fn judge(cx: &mut TrackCx<'_>, conn: &mut Conn, track: &mut TcpTrack, dir: Dir, tcp: &Tcp) -> Judged {
    let index = TcpIndex::of(tcp.flags);
    let mut old = track.state;
    let mut check = Check::Window;
    let mut new = match old.after(dir, index) {
        Move::To(TcpState::SynSent) if old.is_over() => {
            let aborted = track.last_dir == dir && track.last_index == TcpIndex::Rst;
            if track.either(TcpSeenFlags::CLOSE_INIT) || aborted {
                return Judged::Done(Seen::Reopen);
            }
            None
        }
        Move::To(state) => Some(state),
        Move::Ignore => None,
        Move::Invalid => {
            cx.log_invalid(&format!(
                "packet (index {}) in dir {} invalid, state {old}",
                index as u8, dir as u8
            ));
            return Judged::Done(Seen::Invalid);
        }
    };
    if new.is_none() {
        if !track.ignore(dir, index, tcp) {
            cx.log_invalid(&format!(
                "packet (index {}) in dir {} ignored, state {old}",
                index as u8, dir as u8
            ));
            return Judged::Done(Seen::Valid);
        }
        old = TcpState::SynSent;
        new = Some(TcpState::SynRecv);
    }
    let Some(mut new) = new else { return Judged::Done(Seen::Valid) };
    match new {
        TcpState::TimeWait
            if old == TcpState::LastAck
                && index == TcpIndex::Ack
                && track.last_dir != dir
                && track.last_index == TcpIndex::Syn
                && track.last_flags.has(TcpSeenFlags::EXP_CHALLENGE_ACK) =>
        {
            track.last_flags.clear(TcpSeenFlags::EXP_CHALLENGE_ACK);
            cx.log_invalid("challenge-ack ignored");
            return Judged::Done(Seen::Valid);
        }
        TcpState::SynSent2 => track.last_flags.set(TcpSeenFlags::SIMULTANEOUS_OPEN),
        TcpState::SynRecv
            if dir == Dir::Reply
                && index == TcpIndex::Ack
                && track.last_flags.has(TcpSeenFlags::SIMULTANEOUS_OPEN) =>
        {
            new = TcpState::Established;
        }
        TcpState::Close if index == TcpIndex::Rst => {
            let ignore_invalid = cx.sysctl(CtSysctl::TcpIgnoreInvalidRst) != 0;
            let Some(believed) = track.reset(conn, dir, tcp, ignore_invalid) else {
                cx.log_invalid("invalid rst");
                return Judged::Done(Seen::Invalid);
            };
            (new, check) = believed;
        }
        _ => {}
    }
    if let Check::Window = check {
        let liberal = cx.sysctl(CtSysctl::TcpBeLiberal) != 0;
        match track.in_window(dir, index, liberal, tcp) {
            InWindow::Accept => {}
            InWindow::Ignore(text) => {
                cx.log_invalid(&text);
                return Judged::Done(Seen::Valid);
            }
            InWindow::Invalid(text) => {
                cx.log_invalid(&text);
                handle_invalid(cx, conn, track, dir, index);
                return Judged::Done(Seen::Invalid);
            }
        }
    }
    track.last_index = index;
    track.last_dir = dir;
    track.state = new;
    if old != new && new == TcpState::FinWait {
        track.seen[dir as usize].flags.set(TcpSeenFlags::CLOSE_INIT);
    }
    Judged::Moved { old, timeout: timeout_of(cx, track, index) }
}

/// How long the connection is kept after a segment.
fn timeout_of(cx: &TrackCx<'_>, track: &TcpTrack, index: TcpIndex) -> Duration {
    let normal = cx.timeout(track.state.timeout());
    let retrans = cx.timeout(CtSysctl::TcpTimeoutMaxRetrans);
    let unacknowledged = cx.timeout(CtSysctl::TcpTimeoutUnacknowledged);
    if u32::from(track.retrans) >= cx.sysctl(CtSysctl::TcpMaxRetrans) && normal > retrans {
        retrans
    } else if index == TcpIndex::Rst {
        cx.timeout(CtSysctl::TcpTimeoutClose)
    } else if track.either(TcpSeenFlags::DATA_UNACKNOWLEDGED) && normal > unacknowledged {
        unacknowledged
    } else if track.last_win == 0 && normal > retrans {
        retrans
    } else {
        normal
    }
}

/// FIN or RST both ways that don't fit shorten a connection's life. Kernel: `nf_tcp_handle_invalid`.
fn handle_invalid(cx: &TrackCx<'_>, conn: &mut Conn, track: &mut TcpTrack, dir: Dir, index: TcpIndex) {
    let ends = |index| matches!(index, TcpIndex::Rst | TcpIndex::Fin);
    if !conn.assured || conn.fixed_timeout || !ends(index) {
        return;
    }
    if track.last_dir != dir && ends(track.last_index) {
        let left = conn.expires.since(cx.now);
        let timeout = cx.timeout(CtSysctl::TcpTimeoutUnacknowledged);
        if left >= Duration::from_secs(120) && left > timeout {
            conn.expires = cx.now + timeout;
        }
    } else {
        track.last_index = index;
        track.last_dir = dir;
    }
}

impl Conntrack {
    /// A rejected segment of a confirmed connection closes it, for `timeout` more.
    /// Kernel: `nf_conntrack_tcp_set_closing`.
    pub(crate) fn set_closing(&mut self, rejected: &Skb, timeout: Duration, now: SimTime) {
        let Some(conn) = rejected.ct.and_then(|ct| self.get_mut(ct.conn)).filter(|conn| conn.confirmed)
        else {
            return;
        };
        let ProtoState::Tcp(track) = &mut conn.proto else { return };
        let before = std::mem::replace(&mut track.state, TcpState::Close);
        if before == TcpState::Close || conn.fixed_timeout {
            return;
        }
        conn.expires = now + timeout;
        conn.note(EventMask::PROTOINFO);
    }
}
