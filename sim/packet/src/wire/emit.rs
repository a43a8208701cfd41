use super::{checksum, transport_sum};
use crate::{
    Addrs, Arp, ArpOp, Body, EtherPayload, Frame, Icmp, Packet, Proto, Quoted, Tcp, TcpOptions, Udp, UdpData,
};

/// The bytes of a frame, as a device would put them on its wire (no preamble, padding or FCS).
pub fn emit_frame(frame: &Frame) -> Vec<u8> {
    let mut out = Vec::with_capacity(frame.len());
    put_frame(frame, &mut out);
    out
}

fn put_frame(frame: &Frame, out: &mut Vec<u8>) {
    out.extend(frame.dst.0);
    out.extend(frame.src.0);
    for tag in frame.tags.iter() {
        out.extend(tag.proto.tpid().to_be_bytes());
        out.extend(tag.tci().to_be_bytes());
    }
    out.extend(frame.payload.ether_type().0.to_be_bytes());
    match &frame.payload {
        EtherPayload::Ip(packet) => put_packet(packet, out),
        EtherPayload::Arp(arp) => put_arp(arp, out),
        EtherPayload::Other(_, bytes) => out.extend_from_slice(bytes),
    }
}

/// RFC 826, for IPv4 over Ethernet.
fn put_arp(arp: &Arp, out: &mut Vec<u8>) {
    let op: u16 = match arp.op {
        ArpOp::Request => 1,
        ArpOp::Reply => 2,
        ArpOp::Other(op) => op,
    };
    out.extend([0, 1, 8, 0, 6, 4]);
    out.extend(op.to_be_bytes());
    out.extend(arp.sha.0);
    out.extend(arp.spa.octets());
    out.extend(arp.tha.0);
    out.extend(arp.tpa.octets());
}

/// The bytes of an IP packet, checksums computed.
pub fn emit_packet(packet: &Packet) -> Vec<u8> {
    let mut out = Vec::with_capacity(packet.len());
    put_packet(packet, &mut out);
    out
}

fn put_packet(packet: &Packet, out: &mut Vec<u8>) {
    put_header(packet, packet.len() as u16, out);
    put_body_as(packet, packet.body.len(), None, out);
}

/// The IP header of `packet` with the stated total length.
fn put_header(packet: &Packet, total_len: u16, out: &mut Vec<u8>) {
    match &packet.addrs {
        Addrs::V4 { src, dst } => {
            // Options that no header can carry are left out.
            let fits = |options: &&Vec<u8>| options.len() <= 40 && options.len().is_multiple_of(4);
            let options = packet.options.as_deref().filter(fits).map_or(&[][..], |options| options);
            let frag = packet.frag;
            let flags = u16::from(frag.df) << 14 | u16::from(frag.mf) << 13;
            let mut fixed = [0; 20];
            fixed[0] = 0x40 | (5 + options.len() / 4) as u8;
            fixed[1] = packet.tos;
            fixed[2..4].copy_from_slice(&total_len.to_be_bytes());
            fixed[4..6].copy_from_slice(&packet.id.to_be_bytes());
            fixed[6..8].copy_from_slice(&(flags | (frag.offset / 8)).to_be_bytes());
            fixed[8] = packet.ttl;
            fixed[9] = packet.proto().0;
            fixed[12..16].copy_from_slice(&src.octets());
            fixed[16..20].copy_from_slice(&dst.octets());
            let sum = checksum(&[&fixed, options]);
            fixed[10..12].copy_from_slice(&sum.to_be_bytes());
            out.extend_from_slice(&fixed);
            out.extend_from_slice(options);
        }
        Addrs::V6(pair) => {
            // Simplified: no flow label and no extension headers.
            out.extend([0x60 | packet.tos >> 4, packet.tos << 4, 0, 0]);
            out.extend((total_len.saturating_sub(40)).to_be_bytes());
            out.extend([packet.proto().0, packet.ttl]);
            out.extend(pair.0.octets());
            out.extend(pair.1.octets());
        }
    }
}

/// The bytes that follow the IP header, checksums computed.
pub fn emit_body(packet: &Packet) -> Vec<u8> {
    emit_body_as(packet, packet.body.len(), None)
}

/// The bytes that follow the IP header of a packet whose body was `len` bytes long; `sum` stands
/// for the transport checksum if given.
pub(super) fn emit_body_as(packet: &Packet, len: usize, sum: Option<u16>) -> Vec<u8> {
    let mut out = Vec::with_capacity(packet.body.len());
    put_body_as(packet, len, sum, &mut out);
    out
}

fn put_body_as(packet: &Packet, len: usize, sum: Option<u16>, out: &mut Vec<u8>) {
    match &packet.body {
        Body::Tcp(tcp) => put_tcp(&packet.addrs, tcp, sum, out),
        Body::Udp(udp) => put_udp(&packet.addrs, udp, len, sum, out),
        Body::Icmp(icmp) => put_icmp(icmp, sum, out),
        Body::Ip(inner) => put_packet(inner, out),
        Body::Fragment(_, bytes) | Body::Bytes(_, bytes) => out.extend_from_slice(bytes),
    }
}

fn put_tcp(addrs: &Addrs, tcp: &Tcp, sum: Option<u16>, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend(tcp.sport.to_be_bytes());
    out.extend(tcp.dport.to_be_bytes());
    out.extend(tcp.seq.to_be_bytes());
    out.extend(tcp.ack.to_be_bytes());
    out.extend([((tcp.header_len() / 4) as u8) << 4, tcp.flags.0]);
    out.extend(tcp.window.to_be_bytes());
    out.extend([0; 4]);
    if let Some(options) = &tcp.options {
        put_tcp_options(options, out);
    }
    out.extend_from_slice(&tcp.payload);
    let sum = sum.unwrap_or_else(|| transport_sum(addrs, Proto::TCP, &out[start..]));
    out[start + 16..start + 18].copy_from_slice(&sum.to_be_bytes());
}

/// Order and padding of `net/ipv4/tcp_output.c, tcp_options_write`.
fn put_tcp_options(options: &TcpOptions, out: &mut Vec<u8>) {
    if let Some(mss) = options.mss {
        out.extend([2, 4]);
        out.extend(mss.to_be_bytes());
    }
    match (options.timestamps, options.sack_permitted) {
        (Some((value, echo)), sack) => {
            out.extend(if sack { [4, 2] } else { [1, 1] });
            out.extend([8, 10]);
            out.extend(value.to_be_bytes());
            out.extend(echo.to_be_bytes());
        }
        (None, true) => out.extend([1, 1, 4, 2]),
        (None, false) => {}
    }
    if let Some(shift) = options.window_scale {
        out.extend([1, 3, 3, shift]);
    }
    if !options.sack.is_empty() {
        out.extend([1, 1, 5, (2 + 8 * options.sack.len()) as u8]);
        for (left, right) in &options.sack {
            out.extend(left.to_be_bytes());
            out.extend(right.to_be_bytes());
        }
    }
}

fn put_udp(addrs: &Addrs, udp: &Udp, len: usize, sum: Option<u16>, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend(udp.sport.to_be_bytes());
    out.extend(udp.dport.to_be_bytes());
    out.extend((len as u16).to_be_bytes());
    out.extend([0; 2]);
    match &udp.data {
        UdpData::Bytes(bytes) => out.extend_from_slice(bytes),
        UdpData::Vxlan(vni, frame) => {
            out.extend([8, 0, 0, 0]);
            out.extend((vni.get() << 8).to_be_bytes());
            put_frame(frame, out);
        }
    }
    if udp.checksum {
        let sum = sum.unwrap_or_else(|| match transport_sum(addrs, Proto::UDP, &out[start..]) {
            0 => 0xffff,
            sum => sum,
        });
        out[start + 6..start + 8].copy_from_slice(&sum.to_be_bytes());
    }
}

fn put_icmp(icmp: &Icmp, sum: Option<u16>, out: &mut Vec<u8>) {
    let (kind, code) = icmp.type_code();
    let start = out.len();
    out.extend([kind, code, 0, 0]);
    match icmp {
        Icmp::Echo { id, seq, payload, .. } => {
            out.extend(id.to_be_bytes());
            out.extend(seq.to_be_bytes());
            out.extend_from_slice(payload);
        }
        Icmp::Error(error) => {
            out.extend(error.rest.to_be_bytes());
            put_quoted(&error.quoted, out);
        }
        Icmp::Other { rest, payload, .. } => {
            out.extend(rest.to_be_bytes());
            out.extend_from_slice(payload);
        }
    }
    let sum = sum.unwrap_or_else(|| checksum(&[&out[start..]]));
    out[start + 2..start + 4].copy_from_slice(&sum.to_be_bytes());
}

fn put_quoted(quoted: &Quoted, out: &mut Vec<u8>) {
    let packet = &quoted.packet;
    put_header(packet, quoted.total_len, out);
    let len = usize::from(quoted.total_len).saturating_sub(packet.header_len());
    put_body_as(packet, len, quoted.cut_checksum, out);
}
