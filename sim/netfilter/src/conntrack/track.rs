use std::time::Duration;

use packet::{Body, ConnId, CtInfo, CtRef, DevId, Icmp, Proto, SimTime, Skb, Tuple};

use super::event::EventMask;
use super::tuple::{checked_invert, may_begin, tuple_of};
use super::zone::Template;
use super::{
    Conn, Conntrack, CtCounter, CtSysctl, Dir, EventCache, NatStatus, ProtoState, SctpTrack, TcpTrack, Zone,
};
use crate::Env;
use crate::targets::packet_line;

/// From when on UDP in both directions is a stream.
const UDP_STREAM_AFTER: Duration = Duration::from_secs(2);
/// Kernel: `NR_ICMP_TYPES`.
const NR_ICMP_TYPES: u8 = 18;

/// A packet that connection tracking looks at, and the kernel around it.
pub(crate) struct TrackCx<'a> {
    pub env: &'a dyn Env,
    pub now: SimTime,
    pub indev: Option<DevId>,
    pub outdev: Option<DevId>,
    /// Lines for the kernel log: `nf_conntrack_log_invalid`.
    pub log: &'a mut Vec<String>,
    pub skb: &'a Skb,
}

impl TrackCx<'_> {
    pub fn sysctl(&self, key: CtSysctl) -> u32 {
        self.env.ct_sysctl(key)
    }

    pub fn timeout(&self, key: CtSysctl) -> Duration {
        Duration::from_secs(u64::from(self.sysctl(key)))
    }

    /// Logs why a packet is invalid, if asked for. Kernel: `nf_l4proto_log_invalid`,
    /// `nf_ct_l4proto_log_invalid`.
    pub fn log_invalid(&mut self, text: &str) {
        let wanted = self.sysctl(CtSysctl::LogInvalid);
        let proto = self.skb.ip().proto().0;
        if wanted == u32::from(proto) || wanted == 255 {
            let packet = packet_line(self.env, self.indev, self.outdev, self.skb);
            self.log.push(format!("nf_ct_proto_{proto}: {text} {packet}"));
        }
    }
}

/// What the protocol says of a packet of a known connection.
pub(super) enum Seen {
    /// Belongs to it.
    Valid,
    /// Doesn't.
    Invalid,
    /// The connection is over: look the packet up again. Kernel: `-NF_REPEAT`.
    Reopen,
}

/// What becomes of the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracked {
    /// It goes on, as part of a connection if it belongs to one.
    Accept(Option<CtRef>),
    /// There was no room for its connection.
    Drop,
}

impl Conntrack {
    /// Finds or begins the packet's connection; a packet of no connection has none and is INVALID.
    /// Kernel: `nf_conntrack_in`.
    pub(crate) fn track(&mut self, cx: &mut TrackCx<'_>) -> Tracked {
        let skb = cx.skb;
        let template = match skb.ct {
            Some(CtRef { conn, info: CtInfo::Template }) => Some(Template::unpack(conn.0)),
            // Looped back, attached to a connection (ICMP error of our own), or NOTRACK.
            Some(_) => return Tracked::Accept(skb.ct),
            None => None,
        };
        let zone = template.map_or(Zone::default(), |template| template.zone_of(skb.mark));
        if skb.ip().proto() == Proto::ICMP
            && let Message::Not(ct) = self.icmp_error(cx, zone)
        {
            return Tracked::Accept(ct);
        }
        loop {
            let Some(tuple) = tuple_of(skb.ip()) else {
                self.stats.invalid += 1;
                return Tracked::Accept(None);
            };
            let found = match self.find(&tuple, zone, cx.now) {
                Some(found) => Some(found),
                None => match self.begin_with(cx, &tuple, zone, template, skb) {
                    Ok(begun) => begun,
                    Err(TableFull) => {
                        self.stats.drop += 1;
                        return Tracked::Drop;
                    }
                },
            };
            let Some((id, dir)) = found else {
                self.stats.invalid += 1;
                return Tracked::Accept(None);
            };
            let info = self.info(id, dir);
            match self.handle(cx, id, dir, skb) {
                Seen::Valid => {
                    if let (Dir::Reply, Some(conn)) = (dir, self.get_mut(id))
                        && !conn.seen_reply
                    {
                        conn.seen_reply = true;
                        conn.note(EventMask::REPLY);
                    }
                    return Tracked::Accept(Some(info));
                }
                Seen::Invalid => {
                    self.stats.invalid += 1;
                    return Tracked::Accept(None);
                }
                Seen::Reopen => self.kill(id, cx.now),
            }
        }
    }

    /// Looks at an ICMP message: an error is tied to the connection of the packet it quotes.
    /// Kernel: `nf_conntrack_icmpv4_error`, `nf_conntrack_inet_error`.
    fn icmp_error(&mut self, cx: &mut TrackCx<'_>, zone: Zone) -> Message {
        let skb = cx.skb;
        let error = match &skb.ip().body {
            Body::Icmp(Icmp::Error(error)) => error,
            Body::Icmp(icmp) if icmp.type_code().0 <= NR_ICMP_TYPES => return Message::Query,
            Body::Icmp(_) => return self.error(cx, "invalid icmp type"),
            Body::Tcp(_) | Body::Udp(_) | Body::Ip(_) | Body::Fragment(..) | Body::Bytes(..) => {
                return self.error(cx, "short packet");
            }
        };
        let quoted = tuple_of(&error.quoted.packet).and_then(|tuple| checked_invert(&tuple));
        let found = quoted.and_then(|tuple| self.find(&tuple, zone, cx.now));
        let Some((conn, dir, inner)) =
            found.and_then(|(conn, dir)| Some((conn, dir, self.get(conn)?.tuple(dir).dst)))
        else {
            self.stats.error += 1;
            return Message::Not(None);
        };
        let outer = skb.ip().dst();
        if inner != outer {
            return self.error(cx, &format!("outer daddr {outer} != inner {inner}"));
        }
        let info = match dir {
            Dir::Original => CtInfo::Related,
            Dir::Reply => CtInfo::RelatedReply,
        };
        Message::Not(Some(CtRef { conn, info }))
    }

    fn error(&mut self, cx: &mut TrackCx<'_>, text: &str) -> Message {
        cx.log_invalid(text);
        self.stats.error += 1;
        Message::Not(None)
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
    fn begin_with(
        &mut self,
        cx: &TrackCx<'_>,
        tuple: &Tuple,
        zone: Zone,
        template: Option<Template>,
        skb: &Skb,
    ) -> Result<Option<(ConnId, Dir)>, TableFull> {
        let Some(reply) = checked_invert(tuple) else { return Ok(None) };
        self.make_room(cx, tuple, zone)?;
        let proto = match (&skb.ip().body, tuple.proto) {
            (Body::Tcp(_), _) => ProtoState::Tcp(Box::<TcpTrack>::default()),
            (Body::Udp(_), _) | (_, UDPLITE) => ProtoState::Udp { stream_at: cx.now + UDP_STREAM_AFTER },
            (_, Proto::SCTP) => ProtoState::Sctp(SctpTrack::default()),
            _ => ProtoState::Other,
        };
        let asked = template.map_or(EventMask::NONE, |template| template.events);
        let events = match cx.sysctl(CtSysctl::Events) {
            _ if !asked.is_empty() => Some(asked),
            1 => Some(EventMask::ALL),
            2 if self.has_listener() => Some(EventMask::ALL),
            _ => None,
        };
        let id = self.begin(|id| Conn {
            id,
            original: *tuple,
            reply,
            zone,
            proto,
            mark: 0,
            seen_reply: false,
            assured: false,
            confirmed: false,
            fixed_timeout: false,
            nat_clash: false,
            nat: NatStatus::default(),
            expires: cx.now,
            acct: (cx.sysctl(CtSysctl::Acct) != 0).then(|| Box::new([CtCounter::default(); 2])),
            start: (cx.sysctl(CtSysctl::Timestamp) != 0).then_some(cx.now),
            events: events.map(|mask| EventCache { mask, pending: EventMask::NONE }),
        });
        Ok(Some((id, Dir::Original)))
    }

    /// Lets the protocol see the packet. Kernel: `nf_conntrack_handle_packet`.
    fn handle(&mut self, cx: &mut TrackCx<'_>, id: ConnId, dir: Dir, skb: &Skb) -> Seen {
        let bytes = skb.ip().len() as u64;
        let Some(conn) = self.get_mut(id) else { return Seen::Invalid };
        match (&skb.ip().body, conn.original.proto) {
            (Body::Tcp(tcp), _) => self.tcp_packet(cx, id, dir, bytes, tcp),
            (Body::Bytes(_, payload), Proto::SCTP) => self.sctp_packet(cx, id, dir, bytes, payload),
            (Body::Udp(_), _) | (_, UDPLITE) => udp_packet(cx, conn, dir, bytes),
            (_, Proto::ICMP) => {
                if !may_begin(&conn.original) {
                    return Seen::Invalid;
                }
                conn.refresh(dir, cx.now + cx.timeout(CtSysctl::IcmpTimeout), bytes);
                Seen::Valid
            }
            (_, Proto::GRE) => {
                let answered = conn.seen_reply;
                let key = if answered { CtSysctl::GreTimeoutStream } else { CtSysctl::GreTimeout };
                conn.refresh(dir, cx.now + cx.timeout(key), bytes);
                if answered && !conn.assured {
                    conn.assured = true;
                    conn.note(EventMask::ASSURED);
                }
                Seen::Valid
            }
            (Body::Icmp(_) | Body::Ip(_) | Body::Fragment(..) | Body::Bytes(..), _) => {
                conn.refresh(dir, cx.now + cx.timeout(CtSysctl::GenericTimeout), bytes);
                Seen::Valid
            }
        }
    }

    /// Ties a packet that the kernel makes in answer to `old` (ICMP error, RST) to the connection
    /// of `old`. Kernel: `nf_conntrack_attach`.
    pub fn attach(new: &mut Skb, old: &Skb) {
        new.ct = old.ct.map(|ct| match ct.info {
            CtInfo::Untracked | CtInfo::Template => ct,
            info if info.is_reply() => CtRef { conn: ct.conn, info: CtInfo::Related },
            _ => CtRef { conn: ct.conn, info: CtInfo::RelatedReply },
        });
    }
}

/// What an ICMP message is to the tracker.
enum Message {
    /// A connection of its own.
    Query,
    /// An error: part of a connection, or of none.
    Not(Option<CtRef>),
}

/// UDP-Lite.
const UDPLITE: Proto = Proto(136);

/// No room for another connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TableFull;

/// Kernel: `nf_conntrack_udp_packet`, `nf_conntrack_udplite_packet`.
fn udp_packet(cx: &TrackCx<'_>, conn: &mut Conn, dir: Dir, bytes: u64) -> Seen {
    let ProtoState::Udp { stream_at } = conn.proto else { return Seen::Invalid };
    let stream = conn.seen_reply && cx.now > stream_at;
    let key = if stream { CtSysctl::UdpTimeoutStream } else { CtSysctl::UdpTimeout };
    conn.refresh(dir, cx.now + cx.timeout(key), bytes);
    if stream && !conn.assured && !conn.nat_clash {
        conn.assured = true;
        conn.note(EventMask::ASSURED);
    }
    Seen::Valid
}
