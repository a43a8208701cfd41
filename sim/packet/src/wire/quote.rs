use super::emit::emit_body;
use super::parse::quoted_fragment;
use crate::{Body, Icmp, Packet, Payload, Quoted, Udp, UdpData};

/// The first `room` bytes of `packet`, as an ICMP error quotes them; whole if it fits. `room`
/// must hold the IP header.
pub fn quote(packet: &Packet, room: usize) -> Quoted {
    let total_len = packet.len() as u16;
    let is_fragment = matches!(packet.body, Body::Fragment(..));
    if packet.len() <= room && !is_fragment {
        return Quoted { packet: packet.clone(), total_len, cut_checksum: None };
    }
    let whole = emit_body(packet);
    let keep = room.saturating_sub(packet.header_len()).min(whole.len());
    let sum_at = |at: usize| whole.get(at..at + 2).map(|b| u16::from_be_bytes([b[0], b[1]]));
    let raw = || (Body::Bytes(packet.proto(), whole[..keep].into()), None);
    let (body, cut_checksum) = match &packet.body {
        Body::Tcp(tcp) if keep >= tcp.header_len() => {
            let mut cut = tcp.clone();
            cut.payload = whole[tcp.header_len()..keep].into();
            (Body::Tcp(cut), sum_at(16))
        }
        Body::Udp(udp) if keep >= Udp::HEADER_LEN => {
            let data = UdpData::Bytes(whole[Udp::HEADER_LEN..keep].into());
            (Body::Udp(Udp { data, ..udp.clone() }), sum_at(6).filter(|_| udp.checksum))
        }
        Body::Icmp(icmp) if keep >= Icmp::HEADER_LEN => {
            let payload: Payload = whole[Icmp::HEADER_LEN..keep].into();
            let cut = match icmp {
                Icmp::Echo { request, id, seq, .. } => {
                    Icmp::Echo { request: *request, id: *id, seq: *seq, payload }
                }
                Icmp::Error(error) => {
                    Icmp::Other { kind: error.kind, code: error.code, rest: error.rest, payload }
                }
                Icmp::Other { kind, code, rest, .. } => {
                    Icmp::Other { kind: *kind, code: *code, rest: *rest, payload }
                }
            };
            (Body::Icmp(cut), sum_at(2))
        }
        Body::Fragment(..) => {
            let body = quoted_fragment(packet, &whole[..keep]);
            let sum = sum_at(2).filter(|_| matches!(body, Body::Icmp(_)));
            (body, sum)
        }
        Body::Tcp(_) | Body::Udp(_) | Body::Icmp(_) | Body::Ip(_) | Body::Bytes(..) => raw(),
    };
    let packet = Packet { body, options: packet.options.clone(), addrs: packet.addrs.clone(), ..*packet };
    Quoted { packet, total_len, cut_checksum }
}
