use std::net::IpAddr;

use packet::{L4Key, Proto, Tuple};

/// A tuple packed for hashing. IPv4 addresses are mapped into IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct TupleKey {
    src: u128,
    dst: u128,
    l4: u64,
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
    pub(super) fn of(tuple: &Tuple) -> Self {
        let l4 = match tuple.l4 {
            L4Key::Ports { src, dst } => u64::from(src) << 16 | u64::from(dst),
            L4Key::Icmp { kind, code, id } => u64::from(id) << 16 | u64::from(kind) << 8 | u64::from(code),
            L4Key::None => 0,
        };
        Self { src: packed(tuple.src), dst: packed(tuple.dst), l4: u64::from(tuple.proto.0) << 32 | l4 }
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

/// The tuple of the answer. Kernel: `nf_ct_invert_tuple`.
pub fn invert(tuple: &Tuple) -> Tuple {
    let l4 = match tuple.l4 {
        L4Key::Ports { src, dst } => L4Key::Ports { src: dst, dst: src },
        L4Key::Icmp { kind, code, id } => L4Key::Icmp { kind: inverse_type(kind), code, id },
        L4Key::None => L4Key::None,
    };
    Tuple { src: tuple.dst, dst: tuple.src, proto: tuple.proto, l4 }
}

/// Kernel: `invmap` in `net/netfilter/nf_conntrack_proto_icmp.c`.
const fn inverse_type(kind: u8) -> u8 {
    match kind {
        8 => 0,
        0 => 8,
        13 => 14,
        14 => 13,
        15 => 16,
        16 => 15,
        17 => 18,
        18 => 17,
        other => other,
    }
}

/// Whether a tuple of this protocol and type may start a connection.
pub(super) fn may_begin(tuple: &Tuple) -> bool {
    match tuple.l4 {
        L4Key::Icmp { kind, .. } if tuple.proto == Proto::ICMP => matches!(kind, 8 | 13 | 15 | 17),
        _ => true,
    }
}
