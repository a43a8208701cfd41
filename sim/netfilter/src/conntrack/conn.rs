use std::net::{IpAddr, Ipv4Addr};

use packet::{ConnId, DevId, HZ, L4Key, Proto, SimTime, Tuple};

use super::event::EventMask;
use super::{SctpTrack, TcpTrack, Zone, ZoneDir};

/// A connection. Kernel: `struct nf_conn`.
///
/// Invariant: a confirmed connection is found by both its tuples, an unconfirmed one by none;
/// one that lost a clash ([`Conn::nat_clash`]) by its reply tuple only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conn {
    /// Which.
    pub id: ConnId,
    /// As the first packet came.
    pub original: Tuple,
    /// As answers come.
    pub reply: Tuple,
    /// Where the tuples are unique.
    pub zone: Zone,
    /// What the protocol remembers.
    pub proto: ProtoState,
    /// `CONNMARK`.
    pub mark: u32,
    /// An answer came. Kernel: `IPS_SEEN_REPLY`.
    pub seen_reply: bool,
    /// Kept when the table is full. Kernel: `IPS_ASSURED`.
    pub assured: bool,
    /// Its first packet got through. Kernel: `IPS_CONFIRMED`.
    pub confirmed: bool,
    /// Packets don't prolong it. Kernel: `IPS_FIXED_TIMEOUT`.
    pub fixed_timeout: bool,
    /// It lost a clash and sees answers only. Kernel: `IPS_NAT_CLASH`.
    pub nat_clash: bool,
    /// What NAT did to it.
    pub nat: NatStatus,
    /// When it is forgotten.
    pub expires: SimTime,
    /// Packets of both directions, if `nf_conntrack_acct` was on. Kernel: `struct nf_conn_acct`.
    pub acct: Option<Box<[CtCounter; 2]>>,
    /// When it was entered, if `nf_conntrack_timestamp` was on. Kernel: `struct nf_conn_tstamp`.
    pub start: Option<SimTime>,
    /// What listeners are told of it; `None` if nobody listened when it began.
    /// Kernel: `struct nf_conntrack_ecache`.
    pub events: Option<EventCache>,
}

/// The connection that a rule sees of a packet which `-j CT` gave a template and which wasn't looked
/// up yet. Kernel: `nf_ct_tmpl_alloc`.
///
/// Simplified: nothing changes it, a CONNMARK neither.
pub(super) static TEMPLATE: Conn = Conn {
    id: ConnId(u32::MAX),
    original: NOWHERE,
    reply: NOWHERE,
    zone: Zone { id: 0, dir: ZoneDir::Both },
    proto: ProtoState::Other,
    mark: 0,
    seen_reply: false,
    assured: false,
    confirmed: true,
    fixed_timeout: false,
    nat_clash: false,
    nat: NatStatus { src: false, dst: false, src_done: false, dst_done: false, masquerade_dev: None },
    expires: SimTime::ZERO,
    acct: None,
    start: None,
    events: None,
};

const NOWHERE: Tuple = Tuple {
    src: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    dst: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    proto: Proto(0),
    l4: L4Key::None,
};

/// Kernel: `struct nf_conntrack_ecache`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventCache {
    /// What may be told.
    pub mask: EventMask,
    /// What happened and wasn't told yet.
    pub pending: EventMask,
}

/// Kernel: `struct nf_conn_counter`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CtCounter {
    /// Packets.
    pub packets: u64,
    /// Bytes of IP packets.
    pub bytes: u64,
}

/// Kernel: `IPS_SRC_NAT`, `IPS_DST_NAT`, `IPS_*_NAT_DONE`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NatStatus {
    /// The original direction's source is rewritten.
    pub src: bool,
    /// The original direction's destination is rewritten.
    pub dst: bool,
    /// The source was decided on.
    pub src_done: bool,
    /// The destination was decided on.
    pub dst_done: bool,
    /// The device whose address MASQUERADE gave it. Kernel: `masq_index`.
    pub masquerade_dev: Option<DevId>,
}

impl NatStatus {
    /// Whether anything is rewritten. Kernel: `IPS_NAT_MASK`.
    pub const fn any(self) -> bool {
        self.src || self.dst
    }
}

/// What a protocol's tracker remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProtoState {
    /// TCP.
    Tcp(Box<TcpTrack>),
    /// UDP and UDP-Lite: from when on two-way traffic makes it a stream. Kernel: `stream_ts`.
    Udp {
        /// Two seconds after the first packet.
        stream_at: SimTime,
    },
    /// SCTP.
    Sctp(SctpTrack),
    /// Anything else.
    Other,
}

/// A direction of a connection. Kernel: `enum ip_conntrack_dir`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dir {
    /// As the first packet.
    #[default]
    Original,
    /// The answers.
    Reply,
}

impl Dir {
    /// The other one.
    pub const fn opposite(self) -> Self {
        match self {
            Self::Original => Self::Reply,
            Self::Reply => Self::Original,
        }
    }
}

impl Conn {
    /// The tuple of a direction.
    pub const fn tuple(&self, dir: Dir) -> &Tuple {
        match dir {
            Dir::Original => &self.original,
            Dir::Reply => &self.reply,
        }
    }

    /// Seconds until it is forgotten, rounded down, as jiffies count them. Kernel: `nf_ct_expires`.
    pub const fn seconds_left(&self, now: SimTime) -> u64 {
        self.expires.jiffies().saturating_sub(now.jiffies()) / HZ
    }

    /// The name of the protocol's state, for protocols that have one.
    pub fn state_name(&self) -> Option<&'static str> {
        match &self.proto {
            ProtoState::Tcp(tcp) => Some(tcp.state.name()),
            ProtoState::Sctp(sctp) => Some(sctp.state.name()),
            ProtoState::Udp { .. } | ProtoState::Other => None,
        }
    }

    /// Counts a packet of a direction. Kernel: `nf_ct_acct_update`.
    pub(crate) fn count(&mut self, dir: Dir, bytes: u64) {
        if let Some(acct) = &mut self.acct {
            let counter = &mut acct[dir as usize];
            counter.packets += 1;
            counter.bytes += bytes;
        }
    }

    /// Notes an event for listeners. Kernel: `nf_conntrack_event_cache`.
    pub(crate) fn note(&mut self, event: EventMask) {
        if let Some(events) = &mut self.events {
            events.pending = events.pending.with(event);
        }
    }

    /// Sets the mark. Kernel: `connmark_tg_shift`.
    pub(crate) fn set_mark(&mut self, mark: u32) {
        if self.mark != mark {
            self.mark = mark;
            self.note(EventMask::MARK);
        }
    }

    /// Sets when it is forgotten, and counts the packet. Kernel: `nf_ct_refresh_acct`.
    pub(super) fn refresh(&mut self, dir: Dir, expires: SimTime, bytes: u64) {
        if !self.fixed_timeout {
            self.expires = expires;
        }
        self.count(dir, bytes);
    }
}
