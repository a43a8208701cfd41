use std::net::IpAddr;

use packet::{Body, L4Key, Packet, Proto, Tuple};

use super::Dir;

/// A tuple with its direction and zone, packed for hashing. IPv4 addresses are mapped into IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct TupleKey {
    src: u128,
    dst: u128,
    /// Ports or what stands for them, protocol, zone, direction.
    l4: u128,
}

/// Source address, port and protocol of a connection's original direction.
/// Kernel: `hash_by_src`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct SourceKey {
    src: u128,
    l4: u64,
}

fn packed(addr: IpAddr) -> u128 {
    match addr {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

impl TupleKey {
    pub(super) fn of(tuple: &Tuple, dir: Dir, zone: u16) -> Self {
        let l4 = match tuple.l4 {
            L4Key::Ports { src, dst } => u128::from(src) << 16 | u128::from(dst),
            L4Key::Icmp { kind, code, id } => u128::from(id) << 16 | u128::from(kind) << 8 | u128::from(code),
            L4Key::None => 0,
        };
        let place = u128::from(tuple.proto.0) | u128::from(zone) << 8 | (dir as u128) << 24;
        Self { src: packed(tuple.src), dst: packed(tuple.dst), l4: place << 32 | l4 }
    }

    /// The bucket of the kernel's table that a tuple would be in; direction doesn't count.
    /// Simplified: another hash than the kernel's, whose seed is random.
    pub(super) fn bucket(tuple: &Tuple, zone: u16, buckets: u32) -> u32 {
        let Self { src, dst, l4 } = Self::of(tuple, Dir::Original, zone);
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for word in [src, src >> 64, dst, dst >> 64, l4, l4 >> 64] {
            hash = (hash ^ word as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            hash ^= hash >> 29;
        }
        (((hash >> 32) * u64::from(buckets.max(1))) >> 32) as u32
    }
}

impl SourceKey {
    pub(super) fn of(tuple: &Tuple) -> Self {
        let port = match tuple.l4 {
            L4Key::Ports { src, .. } => src,
            L4Key::Icmp { id, .. } => id,
            L4Key::None => 0,
        };
        Self { src: packed(tuple.src), l4: u64::from(tuple.proto.0) << 32 | u64::from(port) }
    }
}

/// The tuple of a packet; `None` if its transport header is short or malformed.
/// Kernel: `nf_ct_get_tuple`, and what `tcp_error` and `udp_error` say of lengths and checksums.
///
/// Simplified: a segment or datagram of a wrong checksum is invalid in every hook and with
/// `nf_conntrack_checksum=0` too.
pub(crate) fn tuple_of(packet: &Packet) -> Option<Tuple> {
    match &packet.body {
        Body::Bytes(Proto::TCP | Proto::UDP | Proto::ICMP, _) => return None,
        Body::Bytes(proto @ (Proto::SCTP | Proto(136)), bytes) => {
            let &[a, b, c, d, ..] = bytes.as_slice() else { return None };
            if bytes.len() < 8 {
                return None;
            }
            let l4 = L4Key::Ports { src: u16::from_be_bytes([a, b]), dst: u16::from_be_bytes([c, d]) };
            return Some(Tuple { src: packet.src(), dst: packet.dst(), proto: *proto, l4 });
        }
        _ => {}
    }
    Some(Tuple::of(packet))
}

/// The two words of a tuple where ports are: of a ping its id, and type and code.
/// Kernel: `tuple.src.u.all`, `tuple.dst.u.all`.
pub fn port_keys(tuple: &Tuple) -> (u16, u16) {
    match tuple.l4 {
        L4Key::Ports { src, dst } => (src, dst),
        L4Key::Icmp { kind, code, id } => (id, u16::from(kind) << 8 | u16::from(code)),
        L4Key::None => (0, 0),
    }
}

/// The tuple of the answer. Kernel: `nf_ct_invert_tuple`.
pub fn invert(tuple: &Tuple) -> Tuple {
    let l4 = match tuple.l4 {
        L4Key::Ports { src, dst } => L4Key::Ports { src: dst, dst: src },
        L4Key::Icmp { kind, code, id } => L4Key::Icmp { kind: inverse_type(kind).unwrap_or(kind), code, id },
        L4Key::None => L4Key::None,
    };
    Tuple { src: tuple.dst, dst: tuple.src, proto: tuple.proto, l4 }
}

/// The tuple of the answer; `None` for an ICMP message that has none.
pub(super) fn checked_invert(tuple: &Tuple) -> Option<Tuple> {
    if let L4Key::Icmp { kind, .. } = tuple.l4 {
        inverse_type(kind)?;
    }
    Some(invert(tuple))
}

/// Kernel: `invmap` in `net/netfilter/nf_conntrack_proto_icmp.c`.
const fn inverse_type(kind: u8) -> Option<u8> {
    Some(match kind {
        8 => 0,
        0 => 8,
        13 => 14,
        14 => 13,
        15 => 16,
        16 => 15,
        17 => 18,
        18 => 17,
        _ => return None,
    })
}

/// Whether a tuple of this protocol and type may start a connection.
pub(super) fn may_begin(tuple: &Tuple) -> bool {
    match tuple.l4 {
        L4Key::Icmp { kind, .. } if tuple.proto == Proto::ICMP => matches!(kind, 8 | 13 | 15 | 17),
        _ => true,
    }
}
