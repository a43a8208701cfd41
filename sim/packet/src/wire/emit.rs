use etherparse::{IpDscp, IpEcn, IpFragOffset, IpNumber, Ipv4Header, Ipv4Options};

use super::{checksum, pseudo_header};
use crate::{Addrs, Arp, ArpOp, Body, EtherPayload, EtherType, Frame, Icmp, Packet, Proto, Quoted, Tcp, TcpOptions, Udp, UdpData};

/// The bytes of a frame, as a device would put them on its wire (no preamble, padding or FCS).
pub fn emit_frame(frame: &Frame) -> Vec<u8> {
    let mut out = Vec::with_capacity(frame.len());
    out.extend(frame.dst.0);
    out.extend(frame.src.0);
    if let Some(tag) = frame.vlan {
        out.extend(EtherType::VLAN.0.to_be_bytes());
        out.extend((u16::from(tag.pcp & 7) << 13 | tag.vid & 0xfff).to_be_bytes());
    }
    out.extend(frame.payload.ether_type().0.to_be_bytes());
    match &frame.payload {
        EtherPayload::Ip(packet) => out.extend(emit_packet(packet)),
        EtherPayload::Arp(arp) => emit_arp(arp, &mut out),
        EtherPayload::Other(_, bytes) => out.extend_from_slice(bytes),
    }
    out
}

/// RFC 826, for IPv4 over Ethernet.
fn emit_arp(arp: &Arp, out: &mut Vec<u8>) {
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
    let mut out = emit_header(packet, packet.len() as u16);
    out.extend(emit_body(packet));
    out
}

/// The IP header of `packet` with the stated total length.
pub(super) fn emit_header(packet: &Packet, total_len: u16) -> Vec<u8> {
    match &packet.addrs {
        Addrs::V4 { src, dst } => {
            // Options that no header can carry are left out.
            let options = packet.options.as_ref().and_then(|o| Ipv4Options::try_from(o.as_slice()).ok());
            let mut header = Ipv4Header {
                dscp: IpDscp::try_new(packet.tos >> 2).unwrap_or_default(),
                ecn: IpEcn::try_new(packet.tos & 3).unwrap_or_default(),
                total_len,
                identification: packet.id,
                dont_fragment: packet.frag.df,
                more_fragments: packet.frag.mf,
                fragment_offset: IpFragOffset::try_new(packet.frag.offset / 8).unwrap_or_default(),
                time_to_live: packet.ttl,
                protocol: IpNumber(packet.proto().0),
                header_checksum: 0,
                source: src.octets(),
                destination: dst.octets(),
                options: options.unwrap_or_default(),
            };
            header.header_checksum = header.calc_header_checksum();
            header.to_bytes().to_vec()
        }
        Addrs::V6(pair) => {
            // Simplified: no flow label and no extension headers.
            let mut out = Vec::with_capacity(40);
            out.extend([0x60 | packet.tos >> 4, packet.tos << 4, 0, 0]);
            out.extend((total_len.saturating_sub(40)).to_be_bytes());
            out.extend([packet.proto().0, packet.ttl]);
            out.extend(pair.0.octets());
            out.extend(pair.1.octets());
            out
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
    match &packet.body {
        Body::Tcp(tcp) => emit_tcp(&packet.addrs, tcp, sum),
        Body::Udp(udp) => emit_udp(&packet.addrs, udp, len, sum),
        Body::Icmp(icmp) => emit_icmp(icmp, sum),
        Body::Ip(inner) => emit_packet(inner),
        Body::Fragment(_, bytes) | Body::Bytes(_, bytes) => bytes.to_vec(),
    }
}

fn emit_tcp(addrs: &Addrs, tcp: &Tcp, sum: Option<u16>) -> Vec<u8> {
    let mut out = Vec::with_capacity(tcp.len());
    out.extend(tcp.sport.to_be_bytes());
    out.extend(tcp.dport.to_be_bytes());
    out.extend(tcp.seq.to_be_bytes());
    out.extend(tcp.ack.to_be_bytes());
    out.extend([((tcp.header_len() / 4) as u8) << 4, tcp.flags.0]);
    out.extend(tcp.window.to_be_bytes());
    out.extend([0; 4]);
    if let Some(options) = &tcp.options {
        emit_tcp_options(options, &mut out);
    }
    out.extend_from_slice(&tcp.payload);
    let sum = sum.unwrap_or_else(|| checksum(&[&pseudo_header(addrs, Proto::TCP.0, out.len()), &out]));
    out[16..18].copy_from_slice(&sum.to_be_bytes());
    out
}

/// Order and padding of `net/ipv4/tcp_output.c, tcp_options_write`.
fn emit_tcp_options(options: &TcpOptions, out: &mut Vec<u8>) {
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

fn emit_udp(addrs: &Addrs, udp: &Udp, len: usize, sum: Option<u16>) -> Vec<u8> {
    let mut out = Vec::with_capacity(udp.len());
    out.extend(udp.sport.to_be_bytes());
    out.extend(udp.dport.to_be_bytes());
    out.extend((len as u16).to_be_bytes());
    out.extend([0; 2]);
    match &udp.data {
        UdpData::Bytes(bytes) => out.extend_from_slice(bytes),
        UdpData::Vxlan(vni, frame) => {
            out.extend([8, 0, 0, 0]);
            out.extend((vni.get() << 8).to_be_bytes());
            out.extend(emit_frame(frame));
        }
    }
    if udp.checksum {
        let sum = sum.unwrap_or_else(|| match checksum(&[&pseudo_header(addrs, Proto::UDP.0, out.len()), &out]) {
            0 => 0xffff,
            sum => sum,
        });
        out[6..8].copy_from_slice(&sum.to_be_bytes());
    }
    out
}

fn emit_icmp(icmp: &Icmp, sum: Option<u16>) -> Vec<u8> {
    let (kind, code) = icmp.type_code();
    let mut out = Vec::with_capacity(icmp.len());
    out.extend([kind, code, 0, 0]);
    match icmp {
        Icmp::Echo { id, seq, payload, .. } => {
            out.extend(id.to_be_bytes());
            out.extend(seq.to_be_bytes());
            out.extend_from_slice(payload);
        }
        Icmp::Error(error) => {
            out.extend(error.rest.to_be_bytes());
            emit_quoted(&error.quoted, &mut out);
        }
        Icmp::Other { rest, payload, .. } => {
            out.extend(rest.to_be_bytes());
            out.extend_from_slice(payload);
        }
    }
    let sum = sum.unwrap_or_else(|| checksum(&[&out]));
    out[2..4].copy_from_slice(&sum.to_be_bytes());
    out
}

fn emit_quoted(quoted: &Quoted, out: &mut Vec<u8>) {
    let packet = &quoted.packet;
    out.extend(emit_header(packet, quoted.total_len));
    let len = usize::from(quoted.total_len).saturating_sub(packet.header_len());
    out.extend(emit_body_as(packet, len, quoted.cut_checksum));
}
