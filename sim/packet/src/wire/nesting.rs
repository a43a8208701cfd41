use super::emit::emit_body;
use crate::{Body, Icmp, Packet, UdpData};

/// How many packets nest in one another as values: in IP in IP, in VXLAN, quoted by an ICMP error.
/// What is deeper is the bytes of the innermost one. A packet that goes round through tunnels, or
/// that an attacker wrote, so never costs more stack than this many levels.
///
/// As many as the devices that Linux stacks for one packet (`XMIT_RECURSION_LIMIT`).
pub const MAX_NESTED: usize = 8;

/// Turns what nests deeper than [`MAX_NESTED`] in `packet` into bytes; its own bytes stay the same.
pub fn limit_nesting(packet: &mut Packet) {
    let mut at = packet;
    for _ in 0..MAX_NESTED {
        at = match &mut at.body {
            Body::Ip(inner) => inner,
            Body::Udp(udp) => match &mut udp.data {
                UdpData::Vxlan(_, frame) => match frame.ip_mut() {
                    Some(inner) => inner,
                    None => return,
                },
                UdpData::Bytes(_) => return,
            },
            Body::Icmp(Icmp::Error(error)) => &mut error.quoted.packet,
            Body::Tcp(_) | Body::Icmp(_) | Body::Fragment(..) | Body::Bytes(..) => return,
        };
    }
    flatten(at);
}

/// Turns what nests in `packet` into bytes.
fn flatten(packet: &mut Packet) {
    let body = match &packet.body {
        Body::Ip(_) => Body::Bytes(packet.proto(), emit_body(packet).into()),
        Body::Udp(udp) if matches!(udp.data, UdpData::Vxlan(..)) => {
            let bytes = emit_body(packet).split_off(crate::Udp::HEADER_LEN);
            Body::Udp(crate::Udp { data: UdpData::Bytes(bytes.into()), ..*udp })
        }
        Body::Icmp(Icmp::Error(error)) => {
            let payload = emit_body(packet).split_off(Icmp::HEADER_LEN).into();
            Body::Icmp(Icmp::Other { kind: error.kind, code: error.code, rest: error.rest, payload })
        }
        Body::Tcp(_) | Body::Udp(_) | Body::Icmp(_) | Body::Fragment(..) | Body::Bytes(..) => return,
    };
    packet.body = body;
}
