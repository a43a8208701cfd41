//! Address translation: choosing a connection's mapping, and rewriting its packets.
//!
//! Kernel: `net/netfilter/nf_nat_core.c`, `nf_nat_proto.c`.

use std::net::{IpAddr, Ipv4Addr};

use packet::{Body, ConnId, CtInfo, Icmp, L4Key, Packet, Payload, Proto, Skb, Tuple};
use trace::HookName;

use crate::conntrack::{Conn, Conntrack, Dir, ProtoState, TcpState, Zone, allows_clash, invert, tuple_of};
use crate::{Action, EvalCx};

/// Which half of a packet is rewritten. Kernel: `enum nf_nat_manip_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manip {
    /// Source: POSTROUTING and INPUT.
    Src,
    /// Destination: PREROUTING and OUTPUT.
    Dst,
}

impl Manip {
    /// Kernel: `HOOK2MANIP`.
    pub const fn at(hook: HookName) -> Self {
        match hook {
            HookName::Postrouting | HookName::Input => Self::Src,
            HookName::Prerouting | HookName::Output | HookName::Forward => Self::Dst,
        }
    }
}

/// What a mapping may choose from. Kernel: `struct nf_nat_range2`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NatRange {
    /// Addresses, inclusive; `None` leaves the address.
    pub addrs: Option<(IpAddr, IpAddr)>,
    /// Ports or ICMP ids, inclusive; `None` leaves the port if it can.
    pub ports: Option<(u16, u16)>,
    /// The port is shifted by its distance from this one. Kernel: `NF_NAT_RANGE_PROTO_OFFSET`.
    pub base_port: Option<u16>,
    /// `--random` or `--random-fully`.
    pub random: RandomPort,
    /// `--persistent`: a client keeps its address for every destination.
    pub persistent: bool,
}

/// Whether ports are drawn at random.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RandomPort {
    /// Kept if possible.
    #[default]
    Keep,
    /// `--random`. Kernel: `NF_NAT_RANGE_PROTO_RANDOM`.
    Random,
    /// `--random-fully`. Kernel: `NF_NAT_RANGE_PROTO_RANDOM_FULLY`.
    RandomFully,
    /// Both; the latter counts.
    Both,
}

/// Tries before another starting point is drawn. Kernel: `NF_NAT_MAX_ATTEMPTS`.
const MAX_ATTEMPTS: u32 = 128;
/// Tries left from which on a finished connection is evicted. Kernel: `NF_NAT_HARDER_THRESH`.
const HARDER_THRESHOLD: u32 = MAX_ATTEMPTS / 4;

/// Decides on a mapping within `range` for the packet's connection, if none was decided on for
/// this half yet. Kernel: `nf_nat_setup_info`.
pub fn setup(cx: &mut EvalCx<'_>, range: &NatRange, manip: Manip, skb: &Skb) -> Action {
    let Some(ct) =
        skb.ct.filter(|ct| matches!(ct.info, CtInfo::New | CtInfo::Related | CtInfo::RelatedReply))
    else {
        return Action::Accept;
    };
    let Some(conn) = cx.conntrack.get(ct.conn) else { return Action::Accept };
    let done = match manip {
        Manip::Src => conn.nat.src_done,
        Manip::Dst => conn.nat.dst_done,
    };
    if conn.confirmed || done {
        return Action::Accept;
    }
    let current = invert(&conn.reply);
    let chosen = unique_tuple(cx, &current, range, manip, ct.conn);
    if let Some(conn) = cx.conntrack.get_mut(ct.conn) {
        let changed = chosen != current;
        if changed {
            conn.reply = invert(&chosen);
        }
        match manip {
            Manip::Src => {
                conn.nat.src |= changed;
                conn.nat.src_done = true;
            }
            Manip::Dst => {
                conn.nat.dst |= changed;
                conn.nat.dst_done = true;
            }
        }
    }
    Action::Accept
}

/// Decides that the half stays as it is, except for a port that must give way.
/// Kernel: `nf_nat_alloc_null_binding`.
pub(crate) fn null_binding(cx: &mut EvalCx<'_>, manip: Manip, skb: &Skb) {
    let Some((conn, _)) = cx.conntrack.of(skb) else { return };
    let addr = match manip {
        Manip::Src => conn.reply.dst,
        Manip::Dst => conn.reply.src,
    };
    let range = NatRange { addrs: Some((addr, addr)), ..NatRange::default() };
    setup(cx, &range, manip, skb);
}

/// Whether the answers of a mapping would get to another connection. Kernel: `nf_nat_used_tuple`.
fn used(cx: &mut EvalCx<'_>, tuple: &Tuple, conn: ConnId) -> bool {
    cx.conntrack.taken(&invert(tuple), conn, cx.now)
}

/// As [`used`] for a mapping that changes nothing: two packets that cross may begin a connection
/// each, and the clash is resolved later. Kernel: `nf_nat_used_tuple_new`.
fn used_new(cx: &mut EvalCx<'_>, tuple: &Tuple, id: ConnId) -> bool {
    if !used(cx, tuple, id) {
        return false;
    }
    let Some(own) = cx.conntrack.get(id) else { return true };
    if !allows_clash(own.original.proto) || own.nat.any() {
        return true;
    }
    let (zone, reply) = (own.zone, own.reply);
    let holder = match cx.conntrack.holder(tuple, zone, cx.now) {
        Some(holder) => Some(holder),
        None => cx.conntrack.holder(&invert(tuple), zone, cx.now),
    };
    let Some(other) = holder.and_then(|(other, _)| cx.conntrack.get(other)) else { return false };
    other.nat.any() || other.original != reply
}

/// As [`used`]; when few tries are left, a TCP connection that is over makes way for a new one
/// whose sequence numbers are higher. Kernel: `nf_nat_used_tuple_harder`.
fn used_harder(cx: &mut EvalCx<'_>, tuple: &Tuple, id: ConnId, attempts_left: u32) -> bool {
    fn tcp(conn: &Conn) -> Option<(TcpState, u32)> {
        match &conn.proto {
            ProtoState::Tcp(track) => Some((track.state, track.original_end())),
            ProtoState::Udp { .. } | ProtoState::Sctp(_) | ProtoState::Other => None,
        }
    }
    let own = cx.conntrack.get(id).and_then(|own| Some((own.zone, tcp(own)?)));
    let Some((zone, (TcpState::SynSent, end))) = own.filter(|_| attempts_left <= HARDER_THRESHOLD) else {
        return used(cx, tuple, id);
    };
    let Some((other, Dir::Reply)) = cx.conntrack.holder(&invert(tuple), zone, cx.now) else {
        return used(cx, tuple, id);
    };
    let may_kill = cx.conntrack.get(other).is_some_and(|other| {
        let over = tcp(other)
            .is_some_and(|(state, old_end)| state.is_over() && (end.wrapping_sub(old_end) as i32) > 0);
        over && other.nat.src && !other.fixed_timeout
    });
    if may_kill {
        cx.conntrack.kill(other, cx.now);
    }
    !may_kill
}

/// Kernel: `get_unique_tuple`.
fn unique_tuple(cx: &mut EvalCx<'_>, orig: &Tuple, range: &NatRange, manip: Manip, conn: ConnId) -> Tuple {
    let zone = cx.conntrack.get(conn).map_or(Zone::default(), |conn| conn.zone);
    let keep = range.random == RandomPort::Keep;
    if manip == Manip::Src && keep {
        if source_in_range(orig, range) {
            if !used_new(cx, orig, conn) {
                return *orig;
            }
        } else {
            // The same source gets the same mapping towards its next destination.
            let found = cx
                .conntrack
                .mapped_sources(orig, zone)
                .map(|mapped| with_source(orig, &mapped))
                .find(|mapped| source_in_range(mapped, range));
            if let Some(mapped) = found.filter(|mapped| !used(cx, mapped, conn)) {
                return mapped;
            }
        }
    }
    let mut tuple = *orig;
    choose_addr(&mut tuple, range, manip, zone);
    if keep {
        match range.ports {
            Some((min, max)) => {
                let inside = in_ports(&tuple, manip, (min, max));
                if range.base_port.is_none() && inside && (min == max || !used(cx, &tuple, conn)) {
                    return tuple;
                }
            }
            None if !used(cx, &tuple, conn) => return tuple,
            None => {}
        }
    }
    choose_port(cx, &mut tuple, range, manip, conn);
    tuple
}

/// Whether the part that may be rewritten is in the range; it is where there is none.
/// Kernel: `l4proto_in_range`.
fn in_ports(tuple: &Tuple, manip: Manip, (min, max): (u16, u16)) -> bool {
    tuple.l4 == L4Key::None || (min..=max).contains(&key_of(tuple, manip))
}

/// Kernel: `nf_in_range`.
fn source_in_range(tuple: &Tuple, range: &NatRange) -> bool {
    range.addrs.is_none_or(|(min, max)| min <= tuple.src && tuple.src <= max)
        && range.ports.is_none_or(|ports| in_ports(tuple, Manip::Src, ports))
}

/// `tuple` with the source of `other`.
fn with_source(tuple: &Tuple, other: &Tuple) -> Tuple {
    let mut mapped = *tuple;
    mapped.src = other.src;
    set_key(&mut mapped, Manip::Src, key_of(other, Manip::Src));
    mapped
}

/// The port, or ICMP id, that a rewrite changes.
fn key_of(tuple: &Tuple, manip: Manip) -> u16 {
    match (tuple.l4, manip) {
        (L4Key::Ports { src, .. }, Manip::Src) => src,
        (L4Key::Ports { dst, .. }, Manip::Dst) => dst,
        (L4Key::Icmp { id, .. }, _) => id,
        (L4Key::None, _) => 0,
    }
}

fn set_key(tuple: &mut Tuple, manip: Manip, key: u16) {
    match (&mut tuple.l4, manip) {
        (L4Key::Ports { src, .. }, Manip::Src) => *src = key,
        (L4Key::Ports { dst, .. }, Manip::Dst) => *dst = key,
        (L4Key::Icmp { id, .. }, _) => *id = key,
        (L4Key::None, _) => {}
    }
}

/// Writes one half of `other` into a tuple: address, and port if it has one.
pub(crate) fn copy_half(tuple: &mut Tuple, other: &Tuple, manip: Manip) {
    match manip {
        Manip::Src => tuple.src = other.src,
        Manip::Dst => tuple.dst = other.dst,
    }
    let key = key_of(other, manip);
    if key != 0 {
        set_key(tuple, manip, key);
    }
}

/// Which address of several a connection gets: by a hash of its addresses.
/// Kernel: `find_best_ips_proto`.
fn choose_addr(tuple: &mut Tuple, range: &NatRange, manip: Manip, zone: Zone) {
    let Some((min, max)) = range.addrs else { return };
    let chosen = match (min, max) {
        (IpAddr::V4(low), IpAddr::V4(high)) if low != high => {
            let memory = |addr: IpAddr| match addr {
                IpAddr::V4(addr) => u32::from_le_bytes(addr.octets()),
                IpAddr::V6(_) => 0,
            };
            let init = match range.persistent {
                true => 0,
                false => memory(tuple.dst) ^ u32::from(zone.id),
            };
            let hash = jhash_addr(memory(tuple.src), init);
            let count = high.to_bits().wrapping_sub(low.to_bits()).wrapping_add(1);
            let step = ((u64::from(hash) * u64::from(count)) >> 32) as u32;
            IpAddr::V4(Ipv4Addr::from_bits(low.to_bits().wrapping_add(step)))
        }
        (low, _) => low,
    };
    match manip {
        Manip::Src => tuple.src = chosen,
        Manip::Dst => tuple.dst = chosen,
    }
}

/// The hash of an IPv4 address in a `union nf_inet_addr` of four words.
/// Kernel: `jhash2` in `include/linux/jhash.h`.
fn jhash_addr(addr: u32, init: u32) -> u32 {
    let start = 0xdead_beef_u32.wrapping_add(4 << 2).wrapping_add(init);
    let (mut a, mut b, mut c) = (start.wrapping_add(addr), start, start);
    for (ra, rb, rc) in [(4, 6, 8), (16, 19, 4)] {
        a = a.wrapping_sub(c) ^ c.rotate_left(ra);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(rb);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(rc);
        b = b.wrapping_add(a);
    }
    for (rc, ra, rb) in [(14, 11, 25), (16, 4, 14)] {
        c = (c ^ b).wrapping_sub(b.rotate_left(rc));
        a = (a ^ c).wrapping_sub(c.rotate_left(ra));
        b = (b ^ a).wrapping_sub(a.rotate_left(rb));
    }
    (c ^ b).wrapping_sub(b.rotate_left(24))
}

/// Looks for a free port; leaves a used one if there is none, which drops the packet when its
/// connection is confirmed. Kernel: `nf_nat_l4proto_unique_tuple`.
fn choose_port(cx: &mut EvalCx<'_>, tuple: &mut Tuple, range: &NatRange, manip: Manip, conn: ConnId) {
    let key = key_of(tuple, manip);
    let (min, size) = match (range.ports, tuple.l4) {
        (_, L4Key::None) => return,
        (Some((min, max)), _) => (u32::from(min.min(max)), u32::from(min.abs_diff(max)) + 1),
        (None, L4Key::Icmp { .. }) => (0, 65_536),
        (None, L4Key::Ports { .. }) => match (manip, key) {
            (Manip::Dst, _) => return,
            (Manip::Src, 0..512) => (1, 511),
            (Manip::Src, 512..1024) => (600, 424),
            (Manip::Src, 1024..) => (1024, 64_512),
        },
    };
    // Kernel: 16 bits that wrap around.
    let mut offset = match (range.base_port, range.random, manip) {
        (Some(base), ..) => key.wrapping_sub(base),
        (None, RandomPort::Keep, Manip::Dst) => 0,
        (None, ..) => cx.random.offset(size) as u16,
    };
    let mut attempts = size.min(MAX_ATTEMPTS);
    loop {
        for step in 0..attempts {
            set_key(tuple, manip, (min + u32::from(offset) % size) as u16);
            if !used_harder(cx, tuple, conn, attempts - step) {
                return;
            }
            offset = offset.wrapping_add(1);
        }
        if attempts >= size || attempts < 16 {
            return;
        }
        attempts /= 2;
        offset = cx.random.offset(0) as u16;
    }
}

/// Rewrites a packet of a mapped connection at a hook. Kernel: `nf_nat_packet`, and for ICMP
/// errors `nf_nat_icmp_reply_translation`. False if the packet can't go on: a redirect of a
/// connection that is rewritten.
pub(crate) fn translate(conntrack: &Conntrack, hook: HookName, skb: &mut Skb) -> bool {
    let manip = Manip::at(hook);
    let Some((conn, dir)) = conntrack.of(skb) else { return true };
    if let Body::Icmp(Icmp::Error(error)) = &skb.ip().body
        && error.kind == Icmp::REDIRECT
        && (conn.nat.any() || !conn.nat.src_done || !conn.nat.dst_done)
    {
        return false;
    }
    let applies = match (manip, dir) {
        (Manip::Src, Dir::Original) | (Manip::Dst, Dir::Reply) => conn.nat.src,
        (Manip::Dst, Dir::Original) | (Manip::Src, Dir::Reply) => conn.nat.dst,
    };
    if !applies {
        return true;
    }
    let opposite = *conn.tuple(dir.opposite());
    let target = invert(&opposite);
    let packet = skb.ip_mut();
    if let Body::Icmp(Icmp::Error(error)) = &mut packet.body {
        let inner = match manip {
            Manip::Src => Manip::Dst,
            Manip::Dst => Manip::Src,
        };
        let quoted = &mut error.quoted;
        let before = Tuple::of(&quoted.packet);
        rewrite(&mut quoted.packet, &opposite, inner);
        if let Some(checksum) = &mut quoted.cut_checksum {
            *checksum = adjust(*checksum, &before, &Tuple::of(&quoted.packet));
        }
    }
    rewrite(packet, &target, manip);
    true
}

/// Writes one half of `target` into a packet. Kernel: `nf_nat_ipv4_manip_pkt`.
fn rewrite(packet: &mut Packet, target: &Tuple, manip: Manip) {
    let before = match packet.body {
        Body::Bytes(..) => tuple_of(packet),
        _ => None,
    };
    match manip {
        Manip::Src => packet.set_src(target.src),
        Manip::Dst => packet.set_dst(target.dst),
    }
    let (src, dst) = target.ports();
    match (&mut packet.body, manip, target.l4) {
        (Body::Tcp(tcp), Manip::Src, L4Key::Ports { .. }) => tcp.sport = src,
        (Body::Tcp(tcp), Manip::Dst, L4Key::Ports { .. }) => tcp.dport = dst,
        (Body::Udp(udp), Manip::Src, L4Key::Ports { .. }) => udp.sport = src,
        (Body::Udp(udp), Manip::Dst, L4Key::Ports { .. }) => udp.dport = dst,
        (Body::Icmp(Icmp::Echo { id, .. }), _, L4Key::Icmp { id: new, .. }) => *id = new,
        (Body::Icmp(Icmp::Other { rest, .. }), _, L4Key::Icmp { id: new, .. }) => {
            *rest = u32::from(new) << 16 | *rest & 0xffff;
        }
        (Body::Bytes(Proto::SCTP | Proto(136), bytes), _, L4Key::Ports { .. }) => {
            if let Some(before) = before {
                *bytes = rewrite_bytes(bytes, &before, target, manip);
            }
        }
        (
            Body::Tcp(_) | Body::Udp(_) | Body::Icmp(_) | Body::Ip(_) | Body::Fragment(..) | Body::Bytes(..),
            ..,
        ) => {}
    }
}

/// An SCTP or UDP-Lite packet with another port, and the checksum that goes with it.
/// Kernel: `sctp_manip_pkt`, `udplite_manip_pkt`.
fn rewrite_bytes(bytes: &Payload, before: &Tuple, target: &Tuple, manip: Manip) -> Payload {
    let mut after = *before;
    copy_half(&mut after, target, manip);
    let mut bytes = bytes.to_vec();
    let ports = after.ports();
    for (at, port) in [(0, ports.0), (2, ports.1)] {
        if let Some(field) = bytes.get_mut(at..at + 2) {
            field.copy_from_slice(&port.to_be_bytes());
        }
    }
    match after.proto {
        Proto::SCTP => {
            if let Some(field) = bytes.get_mut(8..12) {
                field.fill(0);
                let sum = crc32c(&bytes).to_le_bytes();
                bytes[8..12].copy_from_slice(&sum);
            }
        }
        _ => {
            if let Some(field) = bytes.get_mut(6..8) {
                let sum = adjust(u16::from_be_bytes([field[0], field[1]]), before, &after);
                field.copy_from_slice(&sum.to_be_bytes());
            }
        }
    }
    bytes.into()
}

/// Kernel: `sctp_compute_cksum`.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| {
                if crc & 1 != 0 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 }
            },
        )
    })
}

/// The transport checksum after addresses and ports changed (RFC 1624).
fn adjust(checksum: u16, before: &Tuple, after: &Tuple) -> u16 {
    fn words(tuple: &Tuple) -> Vec<u16> {
        let mut words = Vec::new();
        if tuple.proto != Proto::ICMP {
            for addr in [tuple.src, tuple.dst] {
                match addr {
                    IpAddr::V4(addr) => words.extend([(addr.to_bits() >> 16) as u16, addr.to_bits() as u16]),
                    IpAddr::V6(addr) => words.extend(addr.segments()),
                }
            }
        }
        match tuple.l4 {
            L4Key::Ports { src, dst } => words.extend([src, dst]),
            L4Key::Icmp { id, .. } => words.push(id),
            L4Key::None => {}
        }
        words
    }
    let mut sum = u64::from(!checksum);
    for (old, new) in words(before).into_iter().zip(words(after)) {
        sum += u64::from(!old) + u64::from(new);
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
