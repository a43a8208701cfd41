use std::net::{Ipv4Addr, Ipv6Addr};

use etherparse::{Ipv4HeaderSlice, TcpHeaderSlice, TcpOptionElement};

use super::emit::emit_body_as;
use super::nesting::MAX_NESTED;
use super::{WireError, checksum, is_vxlan, transport_sum};
use crate::{
    Addrs, Arp, ArpOp, Body, EtherPayload, EtherType, Frag, Frame, Icmp, IcmpError, MacAddr, Packet, Payload,
    Proto, Quoted, Tcp, TcpFlags, TcpOptions, Udp, UdpData, VlanProto, VlanTag, Vni,
};

type Parsed<T> = Result<T, WireError>;

/// How many packets may still nest in what is being read; what is deeper stays bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Room(usize);

impl Room {
    const ALL: Self = Self(MAX_NESTED);

    /// The room inside a nested packet; `None` if there may be none.
    fn inside(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }
}

/// `N` bytes at `offset`.
fn array<const N: usize>(bytes: &[u8], offset: usize, expected: &'static str) -> Parsed<[u8; N]> {
    bytes
        .get(offset..offset + N)
        .and_then(|b| b.try_into().ok())
        .ok_or(WireError::new(offset.min(bytes.len()), expected))
}

fn u16_at(bytes: &[u8], offset: usize, expected: &'static str) -> Parsed<u16> {
    array(bytes, offset, expected).map(u16::from_be_bytes)
}

fn u32_at(bytes: &[u8], offset: usize, expected: &'static str) -> Parsed<u32> {
    array(bytes, offset, expected).map(u32::from_be_bytes)
}

/// Reads a frame. Padding behind an IP packet or ARP message is left out.
pub fn parse_frame(bytes: &[u8]) -> Parsed<Frame> {
    frame_with(bytes, Room::ALL)
}

fn frame_with(bytes: &[u8], room: Room) -> Parsed<Frame> {
    const HEADER: &str = "an Ethernet header of 14 bytes";
    let dst = MacAddr(array(bytes, 0, HEADER)?);
    let src = MacAddr(array(bytes, 6, HEADER)?);
    let mut ether_type = EtherType(u16_at(bytes, 12, HEADER)?);
    let mut offset = Frame::HEADER_LEN;
    let mut tags = Vec::new();
    while let Some(proto) = VlanProto::from_tpid(ether_type.0) {
        const TAG: &str = "a VLAN tag of 4 bytes";
        tags.push(VlanTag::from_tci(proto, u16_at(bytes, offset, TAG)?));
        ether_type = EtherType(u16_at(bytes, offset + 2, TAG)?);
        offset += VlanTag::LEN;
    }
    let tags = tags.into_iter().collect();
    let rest = &bytes[offset..];
    let payload = match ether_type {
        EtherType::IPV4 | EtherType::IPV6 => {
            EtherPayload::Ip(packet_with(rest, room).map_err(|e| e.shifted(offset))?)
        }
        EtherType::ARP if rest.starts_with(&[0, 1, 8, 0, 6, 4]) => {
            EtherPayload::Arp(Box::new(parse_arp(rest).map_err(|e| e.shifted(offset))?))
        }
        other => EtherPayload::Other(other, rest.into()),
    };
    Ok(Frame { dst, src, tags, payload })
}

fn parse_arp(bytes: &[u8]) -> Parsed<Arp> {
    const ARP: &str = "an ARP message of 28 bytes";
    let op = match u16_at(bytes, 6, ARP)? {
        1 => ArpOp::Request,
        2 => ArpOp::Reply,
        op => ArpOp::Other(op),
    };
    Ok(Arp {
        op,
        sha: MacAddr(array(bytes, 8, ARP)?),
        spa: Ipv4Addr::from(array::<4>(bytes, 14, ARP)?),
        tha: MacAddr(array(bytes, 18, ARP)?),
        tpa: Ipv4Addr::from(array::<4>(bytes, 24, ARP)?),
    })
}

/// Reads an IP packet. Bytes behind its total length are left out; wrong checksums are errors.
pub fn parse_packet(bytes: &[u8]) -> Parsed<Packet> {
    packet_with(bytes, Room::ALL)
}

fn packet_with(bytes: &[u8], room: Room) -> Parsed<Packet> {
    let Header { mut packet, header_len, total_len } = parse_header(bytes)?;
    let body = bytes
        .get(header_len..total_len)
        .ok_or(WireError::new(bytes.len(), "as many bytes as the IP header's total length states"))?;
    packet.body = if packet.frag.is_fragment() {
        Body::Fragment(packet.proto(), body.into())
    } else {
        body_with(packet.proto(), &packet.addrs, body, room).map_err(|e| e.shifted(header_len))?
    };
    Ok(packet)
}

/// An IP header; the packet's body is empty bytes of the right protocol.
struct Header {
    packet: Packet,
    header_len: usize,
    total_len: usize,
}

fn parse_header(bytes: &[u8]) -> Parsed<Header> {
    match bytes.first().map(|b| b >> 4) {
        Some(4) => parse_header_v4(bytes),
        Some(6) => parse_header_v6(bytes),
        Some(_) | None => Err(WireError::new(0, "an IP header of version 4 or 6")),
    }
}

fn parse_header_v4(bytes: &[u8]) -> Parsed<Header> {
    let slice = Ipv4HeaderSlice::from_slice(bytes)
        .map_err(|_| WireError::new(0, "an IPv4 header as long as its IHL states (at least 20 bytes)"))?;
    let header = slice.to_header();
    let header_len = header.header_len();
    if checksum(&[&bytes[..header_len]]) != 0 {
        return Err(WireError::new(10, "the right IPv4 header checksum"));
    }
    let total_len = usize::from(header.total_len);
    if total_len < header_len {
        return Err(WireError::new(2, "a total length that covers the header"));
    }
    let frag = Frag {
        df: header.dont_fragment,
        mf: header.more_fragments,
        offset: header.fragment_offset.value() * 8,
    };
    let addrs = Addrs::V4 { src: header.source.into(), dst: header.destination.into() };
    let options = (!header.options.is_empty()).then(|| Box::new(header.options.to_vec()));
    let body = Body::Bytes(Proto(header.protocol.0), Payload::EMPTY);
    let packet = Packet {
        addrs,
        ttl: header.time_to_live,
        tos: bytes[1],
        id: header.identification,
        frag,
        options,
        body,
    };
    Ok(Header { packet, header_len, total_len })
}

fn parse_header_v6(bytes: &[u8]) -> Parsed<Header> {
    const HEADER: &str = "an IPv6 header of 40 bytes";
    let word = u32_at(bytes, 0, HEADER)?;
    let total_len = 40 + usize::from(u16_at(bytes, 4, HEADER)?);
    let [proto, ttl] = array(bytes, 6, HEADER)?;
    let src = Ipv6Addr::from(array::<16>(bytes, 8, HEADER)?);
    let dst = Ipv6Addr::from(array::<16>(bytes, 24, HEADER)?);
    let packet = Packet {
        addrs: Addrs::V6(Box::new((src, dst))),
        ttl,
        tos: (word >> 20) as u8,
        id: 0,
        frag: Frag::default(),
        options: None,
        body: Body::Bytes(Proto(proto), Payload::EMPTY),
    };
    Ok(Header { packet, header_len: 40, total_len })
}

/// Reads what follows an IP header with these addresses.
pub fn parse_body(proto: Proto, addrs: &Addrs, bytes: &[u8]) -> Parsed<Body> {
    body_with(proto, addrs, bytes, Room::ALL)
}

fn body_with(proto: Proto, addrs: &Addrs, bytes: &[u8], room: Room) -> Parsed<Body> {
    match proto {
        Proto::TCP => {
            let (tcp, _) = parse_tcp(bytes)?;
            transport_checksum(addrs, proto, bytes, WireError::new(16, "the right TCP checksum"))?;
            Ok(Body::Tcp(tcp))
        }
        Proto::UDP => {
            let (udp, len) = parse_udp(bytes, room)?;
            let bytes = bytes.get(..len).ok_or(WireError::new(4, "a UDP length that fits the packet"))?;
            if udp.checksum {
                transport_checksum(addrs, proto, bytes, WireError::new(6, "the right UDP checksum"))?;
            }
            Ok(Body::Udp(udp))
        }
        Proto::ICMP if matches!(addrs, Addrs::V4 { .. }) => {
            if checksum(&[bytes]) != 0 {
                return Err(WireError::new(2, "the right ICMP checksum"));
            }
            parse_icmp(bytes, room.inside()).map(Body::Icmp)
        }
        Proto::IPIP => Ok(match parse_inner(bytes, room) {
            Some(inner) => Body::Ip(Box::new(inner)),
            None => Body::Bytes(proto, bytes.into()),
        }),
        other => Ok(Body::Bytes(other, bytes.into())),
    }
}

/// The IPv4 packet that fills an IP-in-IP packet. Anything else stays bytes.
fn parse_inner(bytes: &[u8], room: Room) -> Option<Packet> {
    let inner = packet_with(bytes, room.inside()?).ok()?;
    (!inner.is_v6() && inner.len() == bytes.len()).then_some(inner)
}

fn transport_checksum(addrs: &Addrs, proto: Proto, bytes: &[u8], wrong: WireError) -> Parsed<()> {
    match transport_sum(addrs, proto, bytes) {
        0 => Ok(()),
        _ => Err(wrong),
    }
}

/// The segment, its checksum unchecked, and the checksum.
fn parse_tcp(bytes: &[u8]) -> Parsed<(Tcp, u16)> {
    let header = TcpHeaderSlice::from_slice(bytes).map_err(|_| {
        WireError::new(0, "a TCP header as long as its data offset states (at least 20 bytes)")
    })?;
    let mut options = TcpOptions::default();
    // Simplified: options that Linux doesn't send by itself are skipped, and whatever follows a
    // malformed one.
    for option in header.options_iterator().map_while(Result::ok) {
        match option {
            TcpOptionElement::MaximumSegmentSize(mss) => options.mss = Some(mss),
            TcpOptionElement::WindowScale(shift) => options.window_scale = Some(shift),
            TcpOptionElement::SelectiveAcknowledgementPermitted => options.sack_permitted = true,
            TcpOptionElement::Timestamp(value, echo) => options.timestamps = Some((value, echo)),
            TcpOptionElement::SelectiveAcknowledgement(first, more) => {
                options.sack = std::iter::once(first).chain(more.into_iter().flatten()).collect();
            }
            TcpOptionElement::Noop => {}
        }
    }
    let header_len = header.slice().len();
    let tcp = Tcp {
        sport: header.source_port(),
        dport: header.destination_port(),
        seq: header.sequence_number(),
        ack: header.acknowledgment_number(),
        flags: TcpFlags(bytes[13]),
        window: header.window_size(),
        options: (!options.is_empty()).then(|| Box::new(options)),
        payload: bytes[header_len..].into(),
    };
    Ok((tcp, header.checksum()))
}

/// The datagram, its checksum unchecked, and its length field.
fn parse_udp(bytes: &[u8], room: Room) -> Parsed<(Udp, usize)> {
    const HEADER: &str = "a UDP header of 8 bytes";
    let sport = u16_at(bytes, 0, HEADER)?;
    let dport = u16_at(bytes, 2, HEADER)?;
    let len = usize::from(u16_at(bytes, 4, HEADER)?);
    let checksum = u16_at(bytes, 6, HEADER)? != 0;
    if len < Udp::HEADER_LEN {
        return Err(WireError::new(4, "a UDP length of at least 8"));
    }
    let data = &bytes[Udp::HEADER_LEN..len.min(bytes.len())];
    let vxlan = if is_vxlan(dport) { vxlan_with(data, room) } else { None };
    let data = match vxlan {
        Some((vni, frame)) => UdpData::Vxlan(vni, Box::new(frame)),
        None => UdpData::Bytes(data.into()),
    };
    Ok((Udp { sport, dport, checksum, data }, len))
}

/// The VXLAN header and frame that UDP data to a port other than those of [`is_vxlan`] holds.
pub fn parse_vxlan(data: &[u8]) -> Option<(Vni, Frame)> {
    vxlan_with(data, Room::ALL)
}

/// RFC 7348: flags `I` only, reserved fields zero, then a frame.
fn vxlan_with(bytes: &[u8], room: Room) -> Option<(Vni, Frame)> {
    let (header, frame) = bytes.split_at_checked(8)?;
    if header[..4] != [8, 0, 0, 0] || header[7] != 0 {
        return None;
    }
    let vni = Vni::new(u32::from_be_bytes([0, header[4], header[5], header[6]]))?;
    let parsed = frame_with(frame, room.inside()?).ok()?;
    (parsed.len() == frame.len()).then_some((vni, parsed))
}

/// Reads a message. What an error quotes is read as a packet if there is room; inside a quote there
/// is none.
fn parse_icmp(bytes: &[u8], room: Option<Room>) -> Parsed<Icmp> {
    const HEADER: &str = "an ICMP header of 8 bytes";
    let [kind, code] = array(bytes, 0, HEADER)?;
    let rest = u32_at(bytes, 4, HEADER)?;
    let data = &bytes[Icmp::HEADER_LEN..];
    match kind {
        Icmp::ECHO_REPLY | Icmp::ECHO_REQUEST if code == 0 => Ok(Icmp::Echo {
            request: kind == Icmp::ECHO_REQUEST,
            id: (rest >> 16) as u16,
            seq: rest as u16,
            payload: data.into(),
        }),
        Icmp::UNREACHABLE | Icmp::REDIRECT | Icmp::TIME_EXCEEDED | Icmp::PARAMETER_PROBLEM => {
            match room.and_then(|room| parse_quoted(data, room)) {
                Some(quoted) => Ok(Icmp::Error(Box::new(IcmpError { kind, code, rest, quoted }))),
                None => Ok(Icmp::Other { kind, code, rest, payload: data.into() }),
            }
        }
        _ => Ok(Icmp::Other { kind, code, rest, payload: data.into() }),
    }
}

/// The packet that an ICMP error quotes, cut or whole; `None` if it isn't one.
fn parse_quoted(bytes: &[u8], room: Room) -> Option<Quoted> {
    let Header { mut packet, header_len, total_len } = parse_header_v4(bytes).ok()?;
    let body = bytes.get(header_len..).filter(|b| b.len() <= total_len - header_len)?;
    let proto = packet.proto();
    packet.body = if packet.frag.is_fragment() {
        quoted_fragment(&packet, body)
    } else {
        quoted_body(proto, body, total_len - header_len, room)
    };
    let cut_checksum = match &packet.body {
        Body::Tcp(_) => body.get(16..18),
        Body::Udp(udp) if udp.checksum => body.get(6..8),
        Body::Icmp(_) => body.get(2..4),
        Body::Udp(_) | Body::Ip(_) | Body::Fragment(..) | Body::Bytes(..) => None,
    }
    .and_then(|b| b.try_into().ok())
    .map(u16::from_be_bytes)
    .filter(|_| emit_body_as(&packet, total_len - header_len, None) != body);
    Some(Quoted { packet, total_len: total_len as u16, cut_checksum })
}

/// The quoted `bytes` of a fragment with this header: the first fragment of an ICMP query is known
/// by its own header, so that its sender is found. All others stay bytes.
pub(super) fn quoted_fragment(packet: &Packet, bytes: &[u8]) -> Body {
    match parse_icmp(bytes, None) {
        Ok(query) if packet.frag.offset == 0 && packet.proto() == Proto::ICMP => Body::Icmp(query),
        Ok(_) | Err(_) => Body::Fragment(packet.proto(), bytes.into()),
    }
}

/// The quoted `bytes` of a body of `len` bytes. A transport header that is cut stays bytes.
fn quoted_body(proto: Proto, bytes: &[u8], len: usize, room: Room) -> Body {
    let raw = || Body::Bytes(proto, bytes.into());
    match proto {
        Proto::TCP => parse_tcp(bytes).map_or_else(|_| raw(), |(tcp, _)| Body::Tcp(tcp)),
        Proto::UDP => match parse_udp(bytes, room) {
            Ok((udp, stated)) if stated == len => Body::Udp(udp),
            Ok(_) | Err(_) => raw(),
        },
        Proto::ICMP => parse_icmp(bytes, None).map_or_else(|_| raw(), Body::Icmp),
        Proto::IPIP if bytes.len() == len => {
            parse_inner(bytes, room).map_or_else(raw, |inner| Body::Ip(Box::new(inner)))
        }
        _ => raw(),
    }
}
