//! Address translation: choosing a connection's mapping, and rewriting its packets.
//!
//! Kernel: `net/netfilter/nf_nat_core.c`, `nf_nat_proto.c`.

use std::net::{IpAddr, Ipv4Addr};

use packet::{Body, ConnId, CtInfo, Icmp, L4Key, Packet, Proto, Skb, Tuple};
use trace::HookName;

use crate::conntrack::{Conntrack, Dir, invert};
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
}

/// Tries before another starting point is drawn. Kernel: `NF_NAT_MAX_ATTEMPTS`.
const MAX_ATTEMPTS: u32 = 128;

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

/// Kernel: `get_unique_tuple`.
fn unique_tuple(cx: &mut EvalCx<'_>, orig: &Tuple, range: &NatRange, manip: Manip, conn: ConnId) -> Tuple {
    let now = cx.now;
    let used = |ct: &Conntrack, tuple: &Tuple| ct.taken(&invert(tuple), conn, now);
    let keep = range.random == RandomPort::Keep;
    if manip == Manip::Src && keep {
        if source_in_range(orig, range) {
            if !used(cx.conntrack, orig) {
                return *orig;
            }
        } else {
            // The same source gets the same mapping towards its next destination.
            let found = cx
                .conntrack
                .mapped_sources(orig)
                .map(|mapped| with_source(orig, &mapped))
                .find(|mapped| source_in_range(mapped, range));
            if let Some(mapped) = found.filter(|mapped| !used(cx.conntrack, mapped)) {
                return mapped;
            }
        }
    }
    let mut tuple = *orig;
    choose_addr(&mut tuple, range, manip);
    if keep {
        match range.ports {
            Some((min, max)) => {
                let inside = (min..=max).contains(&key_of(&tuple, manip));
                if range.base_port.is_none() && inside && (min == max || !used(cx.conntrack, &tuple)) {
                    return tuple;
                }
            }
            None if !used(cx.conntrack, &tuple) => return tuple,
            None => {}
        }
    }
    choose_port(cx, &mut tuple, range, manip, conn);
    tuple
}

/// Kernel: `nf_in_range`.
fn source_in_range(tuple: &Tuple, range: &NatRange) -> bool {
    range.addrs.is_none_or(|(min, max)| min <= tuple.src && tuple.src <= max)
        && range.ports.is_none_or(|(min, max)| (min..=max).contains(&key_of(tuple, Manip::Src)))
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

/// Kernel: `find_best_ips_proto`. Which address of several a client gets is a hash of the
/// addresses (not the kernel's, whose seed is random).
fn choose_addr(tuple: &mut Tuple, range: &NatRange, manip: Manip) {
    let Some((min, max)) = range.addrs else { return };
    let chosen = match (min, max) {
        (IpAddr::V4(low), IpAddr::V4(high)) if low < high => {
            let client = if range.persistent || manip == Manip::Src { tuple.src } else { tuple.dst };
            let other = if range.persistent { tuple.src } else { tuple.dst };
            let mut hash = 0xcbf2_9ce4_8422_2325_u64;
            for octet in [client, other].iter().flat_map(|addr| match addr {
                IpAddr::V4(addr) => addr.octets().to_vec(),
                IpAddr::V6(addr) => addr.octets().to_vec(),
            }) {
                hash = (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3);
            }
            let count = u64::from(high.to_bits() - low.to_bits()) + 1;
            IpAddr::V4(Ipv4Addr::from_bits(low.to_bits() + (hash % count) as u32))
        }
        (low, _) => low,
    };
    match manip {
        Manip::Src => tuple.src = chosen,
        Manip::Dst => tuple.dst = chosen,
    }
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
    let mut offset = match (range.base_port, range.random, manip) {
        (Some(base), ..) => u32::from(key.wrapping_sub(base)),
        (None, RandomPort::Keep, Manip::Dst) if size == 1 => 0,
        (None, ..) => cx.random.offset(size),
    };
    let mut attempts = size.min(MAX_ATTEMPTS);
    loop {
        for step in 0..attempts {
            set_key(tuple, manip, (min + (offset + step) % size) as u16);
            if !cx.conntrack.taken(&invert(tuple), conn, cx.now) {
                return;
            }
        }
        if attempts >= size || attempts < 16 {
            return;
        }
        attempts /= 2;
        offset = cx.random.offset(0);
    }
}

/// Rewrites a packet of a mapped connection at a hook. Kernel: `nf_nat_packet`, and for ICMP
/// errors `nf_nat_icmp_reply_translation`.
pub(crate) fn translate(conntrack: &Conntrack, hook: HookName, skb: &mut Skb) {
    let manip = Manip::at(hook);
    let Some((conn, dir)) = conntrack.of(skb) else { return };
    let applies = match (manip, dir) {
        (Manip::Src, Dir::Original) | (Manip::Dst, Dir::Reply) => conn.nat.src,
        (Manip::Dst, Dir::Original) | (Manip::Src, Dir::Reply) => conn.nat.dst,
    };
    if !applies {
        return;
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
}

/// Writes one half of `target` into a packet. Kernel: `nf_nat_ipv4_manip_pkt`.
fn rewrite(packet: &mut Packet, target: &Tuple, manip: Manip) {
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
        (
            Body::Tcp(_) | Body::Udp(_) | Body::Icmp(_) | Body::Ip(_) | Body::Fragment(..) | Body::Bytes(..),
            ..,
        ) => {}
    }
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
