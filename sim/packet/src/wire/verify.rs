use super::{checksum, transport_sum};
use crate::{Addrs, Proto};

/// Which checksum of a packet is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadChecksum {
    /// The IPv4 header's.
    Ip,
    /// TCP's.
    Tcp,
    /// UDP's.
    Udp,
    /// ICMP's.
    Icmp,
}

/// Checks the checksums of an IPv4 packet's bytes, as a NIC with receive offload does: the
/// header's, and the transport's unless it is a fragment or a UDP datagram without one. Bytes that
/// hold no whole IPv4 packet pass.
///
/// # Errors
/// The first that is wrong.
pub fn verify_checksums(bytes: &[u8]) -> Result<(), BadChecksum> {
    let [first, _, len_high, len_low, _, _, frag_high, frag_low, _, proto, ..] = *bytes else {
        return Ok(());
    };
    let header_len = usize::from(first & 0xf) * 4;
    let total_len = usize::from(u16::from_be_bytes([len_high, len_low]));
    if first >> 4 != 4 || header_len < 20 {
        return Ok(());
    }
    let (Some(header), Some(body)) = (bytes.get(..header_len), bytes.get(header_len..total_len)) else {
        return Ok(());
    };
    if checksum(&[header]) != 0 {
        return Err(BadChecksum::Ip);
    }
    if u16::from_be_bytes([frag_high, frag_low]) & 0x3fff != 0 {
        return Ok(());
    }
    let addr = |at: usize| [header[at], header[at + 1], header[at + 2], header[at + 3]].into();
    let addrs = Addrs::V4 { src: addr(12), dst: addr(16) };
    let (sum, bad) = match Proto(proto) {
        Proto::TCP => (transport_sum(&addrs, Proto::TCP, body), BadChecksum::Tcp),
        Proto::UDP if body.get(6..8) == Some(&[0, 0]) => return Ok(()),
        Proto::UDP => (transport_sum(&addrs, Proto::UDP, body), BadChecksum::Udp),
        Proto::ICMP => (checksum(&[body]), BadChecksum::Icmp),
        _ => return Ok(()),
    };
    if sum == 0 { Ok(()) } else { Err(bad) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::emit_packet;
    use crate::{Body, Icmp, Packet, Tcp, TcpFlags, Udp, UdpData};

    #[test]
    fn each_flipped_byte_is_found() {
        let check = |body: Body, bad: BadChecksum| {
            let packet = Packet::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), body);
            let bytes = emit_packet(&packet);
            assert_eq!(verify_checksums(&bytes), Ok(()));
            for (at, expected) in [(8, BadChecksum::Ip), (bytes.len() - 1, bad)] {
                let mut bytes = bytes.clone();
                bytes[at] ^= 0x10;
                assert_eq!(verify_checksums(&bytes), Err(expected));
            }
        };
        let payload = || b"odd".as_slice().into();
        let data = UdpData::Bytes(payload());
        check(Body::Udp(Udp { sport: 1, dport: 2, checksum: true, data }), BadChecksum::Udp);
        check(Body::Icmp(Icmp::Echo { request: true, id: 1, seq: 2, payload: payload() }), BadChecksum::Icmp);
        let flags = TcpFlags::ACK;
        let tcp =
            Tcp { sport: 1, dport: 2, seq: 3, ack: 4, flags, window: 5, options: None, payload: payload() };
        check(Body::Tcp(tcp), BadChecksum::Tcp);
    }
}
