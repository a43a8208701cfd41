//! What matches read of the header after the IP header.

use packet::{Body, Packet, Proto, TcpFlags};

/// Source and destination port. `None` for a protocol without, and for a later fragment.
pub fn ports(packet: &Packet) -> Option<(u16, u16)> {
    match &packet.body {
        Body::Tcp(tcp) => Some((tcp.sport, tcp.dport)),
        Body::Udp(udp) => Some((udp.sport, udp.dport)),
        Body::Fragment(proto, bytes) | Body::Bytes(proto, bytes) => {
            let has_ports = matches!(*proto, Proto::TCP | Proto::UDP | Proto::SCTP | Proto(33) | Proto(136));
            match (has_ports && packet.frag.offset == 0, bytes.get(..4)) {
                (true, Some(&[a, b, c, d])) => Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))),
                _ => None,
            }
        }
        Body::Icmp(_) | Body::Ip(_) => None,
    }
}

/// TCP control bits; `None` for another protocol and for a later fragment.
pub fn tcp_flags(packet: &Packet) -> Option<TcpFlags> {
    match &packet.body {
        Body::Tcp(tcp) => Some(tcp.flags),
        Body::Fragment(Proto::TCP, bytes) if packet.frag.offset == 0 => {
            bytes.get(13).map(|bits| TcpFlags(*bits))
        }
        Body::Udp(_) | Body::Icmp(_) | Body::Ip(_) | Body::Fragment(..) | Body::Bytes(..) => None,
    }
}

/// ICMP type and code; `None` for another protocol and for a later fragment.
pub fn icmp_type(packet: &Packet) -> Option<(u8, u8)> {
    match &packet.body {
        Body::Icmp(icmp) => Some(icmp.type_code()),
        Body::Fragment(Proto::ICMP, bytes) if packet.frag.offset == 0 => match bytes.get(..2) {
            Some(&[kind, code]) => Some((kind, code)),
            _ => None,
        },
        Body::Tcp(_) | Body::Udp(_) | Body::Ip(_) | Body::Fragment(..) | Body::Bytes(..) => None,
    }
}
