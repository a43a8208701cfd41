use std::time::Duration;

use packet::{Body, ConnId, CtInfo, CtRef, Icmp, Proto, SimTime, Skb, TcpFlags, Tuple};

use super::tcp::Move;
use super::tuple::may_begin;
use super::{Conn, Conntrack, Dir, NatStatus, ProtoState, TcpState, invert};

/// Kernel: `net.netfilter.nf_conntrack_udp_timeout`.
const UDP_TIMEOUT: Duration = Duration::from_secs(30);
/// Kernel: `net.netfilter.nf_conntrack_udp_timeout_stream`.
const UDP_STREAM_TIMEOUT: Duration = Duration::from_secs(120);
/// Kernel: `net.netfilter.nf_conntrack_icmp_timeout`.
const ICMP_TIMEOUT: Duration = Duration::from_secs(30);
/// Kernel: `net.netfilter.nf_conntrack_generic_timeout`.
const GENERIC_TIMEOUT: Duration = Duration::from_secs(600);
/// From when on UDP in both directions is a stream.
const UDP_STREAM_AFTER: Duration = Duration::from_secs(2);

/// What the protocol says of a packet of a known connection.
enum Seen {
    /// Belongs to it.
    Valid,
    /// Doesn't.
    Invalid,
    /// The connection is over: look the packet up again.
    Reopen,
}

impl Conntrack {
    /// Finds or begins the packet's connection and notes it on the packet; a packet of no
    /// connection keeps none and is INVALID. Kernel: `nf_conntrack_in`.
    pub fn track(&mut self, now: SimTime, skb: &mut Skb) {
        // Looped back, attached to a connection (ICMP error of our own), or NOTRACK.
        if skb.ct.is_some() {
            return;
        }
        if let Body::Icmp(Icmp::Error(error)) = &skb.ip().body {
            let quoted = Tuple::of(&error.quoted.packet);
            skb.ct = self.find(&invert(&quoted), now).map(|(conn, dir)| CtRef {
                conn,
                info: match dir {
                    Dir::Original => CtInfo::Related,
                    Dir::Reply => CtInfo::RelatedReply,
                },
            });
            return;
        }
        // A connection that is over makes way once; the second time it is gone.
        for _ in 0..2 {
            let tuple = Tuple::of(skb.ip());
            let Some((id, dir)) = self.find(&tuple, now).or_else(|| self.begin_with(&tuple, now, skb)) else {
                return;
            };
            match self.handle(id, dir, now, skb) {
                Seen::Valid => {
                    skb.ct = Some(self.info(id, dir));
                    if let (Dir::Reply, Some(conn)) = (dir, self.get_mut(id)) {
                        conn.seen_reply = true;
                    }
                    return;
                }
                Seen::Invalid => return,
                Seen::Reopen => self.remove(id),
            }
        }
    }

    /// Kernel: `resolve_normal_ct`.
    fn info(&self, conn: ConnId, dir: Dir) -> CtRef {
        let info = match dir {
            Dir::Reply => CtInfo::EstablishedReply,
            Dir::Original if self.get(conn).is_some_and(|conn| conn.seen_reply) => CtInfo::Established,
            Dir::Original => CtInfo::New,
        };
        CtRef { conn, info }
    }

    /// Kernel: `init_conntrack`.
    fn begin_with(&mut self, tuple: &Tuple, now: SimTime, skb: &Skb) -> Option<(ConnId, Dir)> {
        if !may_begin(tuple) {
            return None;
        }
        let (proto, timeout) = match &skb.ip().body {
            Body::Tcp(tcp) => {
                let state = TcpState::begin(tcp.flags)?;
                (ProtoState::Tcp { state: TcpState::None, closing: false }, state.timeout())
            }
            Body::Udp(_) => (ProtoState::Udp { stream_at: now + UDP_STREAM_AFTER }, UDP_TIMEOUT),
            Body::Icmp(_) => (ProtoState::Other, ICMP_TIMEOUT),
            Body::Ip(_) | Body::Fragment(..) | Body::Bytes(..) => (ProtoState::Other, GENERIC_TIMEOUT),
        };
        let id = self.begin(|id| Conn {
            id,
            original: *tuple,
            reply: invert(tuple),
            proto,
            mark: 0,
            seen_reply: false,
            assured: false,
            confirmed: false,
            nat: NatStatus::default(),
            expires: now + timeout,
        });
        Some((id, Dir::Original))
    }

    /// Lets the protocol see the packet. Kernel: `nf_conntrack_handle_packet`.
    fn handle(&mut self, id: ConnId, dir: Dir, now: SimTime, skb: &Skb) -> Seen {
        let Some(conn) = self.get_mut(id) else { return Seen::Invalid };
        match (&mut conn.proto, &skb.ip().body) {
            (ProtoState::Udp { stream_at }, _) => {
                let stream = conn.seen_reply && now > *stream_at;
                conn.expires = now + if stream { UDP_STREAM_TIMEOUT } else { UDP_TIMEOUT };
                conn.assured |= stream;
                Seen::Valid
            }
            (ProtoState::Tcp { .. }, Body::Tcp(tcp)) => {
                let flags = tcp.flags;
                self.handle_tcp(id, dir, now, flags)
            }
            (ProtoState::Tcp { .. }, _) => Seen::Invalid,
            (ProtoState::Other, _) => {
                let timeout = if conn.original.proto == Proto::ICMP { ICMP_TIMEOUT } else { GENERIC_TIMEOUT };
                conn.expires = now + timeout;
                Seen::Valid
            }
        }
    }

    /// Kernel: `nf_conntrack_tcp_packet`.
    ///
    /// Simplified: sequence numbers and windows are not checked (`tcp_in_window`), as with
    /// `nf_conntrack_tcp_be_liberal=1`.
    fn handle_tcp(&mut self, id: ConnId, dir: Dir, now: SimTime, flags: TcpFlags) -> Seen {
        let Some(conn) = self.get_mut(id) else { return Seen::Invalid };
        let ProtoState::Tcp { state: old, closing } = conn.proto.clone() else { return Seen::Invalid };
        let new = match old.after(dir, flags) {
            Move::To(state) => state,
            Move::Ignore => return Seen::Valid,
            Move::Invalid => return Seen::Invalid,
        };
        if new == TcpState::SynSent && matches!(old, TcpState::TimeWait | TcpState::Close) && closing {
            return Seen::Reopen;
        }
        let closing = closing || flags.contains(TcpFlags::FIN) || flags.contains(TcpFlags::RST);
        conn.proto = ProtoState::Tcp { state: new, closing };
        conn.expires = now + new.timeout();
        if !conn.seen_reply && dir == Dir::Reply && flags.contains(TcpFlags::RST) {
            // Refused: forgotten at once, though this packet still belongs to it.
            self.remove(id);
            return Seen::Valid;
        }
        if !conn.assured
            && conn.seen_reply
            && matches!(old, TcpState::SynRecv | TcpState::Established)
            && new == TcpState::Established
        {
            conn.assured = true;
        }
        Seen::Valid
    }

    /// Ties a packet that the kernel makes in answer to `old` (ICMP error, RST) to the connection
    /// of `old`. Kernel: `nf_conntrack_attach`.
    pub fn attach(new: &mut Skb, old: &Skb) {
        new.ct = old.ct.map(|ct| match ct.info {
            CtInfo::Untracked => ct,
            info if info.is_reply() => CtRef { conn: ct.conn, info: CtInfo::Related },
            _ => CtRef { conn: ct.conn, info: CtInfo::RelatedReply },
        });
    }
}
