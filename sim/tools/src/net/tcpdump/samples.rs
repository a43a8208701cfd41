//! Frames that the tests filter and print: those of `tests/parity/tcpdump-51-filters.sh`.

use std::net::{IpAddr, Ipv4Addr};

use packet::{
    Arp, ArpOp, Body, EtherPayload, Frag, Frame, Icmp, IcmpError, MacAddr, Packet, Payload, Tcp, TcpFlags,
    Udp, UdpData, VlanTag, Vni, wire,
};

const H: MacAddr = MacAddr([2, 0, 0, 0, 1, 1]);
const R: MacAddr = MacAddr([2, 0, 0, 0, 1, 2]);

fn addr(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, last)
}

fn frame(src: MacAddr, dst: MacAddr, payload: EtherPayload) -> Frame {
    Frame { dst, src, tags: Default::default(), payload }
}

fn packet(from: u8, to: u8, body: Body) -> Packet {
    let df = !matches!(body, Body::Icmp(Icmp::Error(_)));
    Packet {
        frag: Frag { df, ..Frag::default() },
        id: 7,
        ..Packet::new(IpAddr::V4(addr(from)), IpAddr::V4(addr(to)), body)
    }
}

/// From h (10.0.0.1) to r (10.0.0.2), or back.
fn ip(from: u8, to: u8, body: Body) -> Frame {
    let (src, dst) = if from == 1 { (H, R) } else { (R, H) };
    frame(src, dst, EtherPayload::Ip(packet(from, to, body)))
}

fn arp(op: ArpOp) -> Frame {
    let (dst, sha, spa, tha, tpa) = match op {
        ArpOp::Request => (MacAddr::BROADCAST, H, addr(1), MacAddr::ZERO, addr(2)),
        _ => (H, R, addr(2), H, addr(1)),
    };
    frame(sha, dst, EtherPayload::Arp(Box::new(Arp { op, sha, spa, tha, tpa })))
}

fn echo(from: u8, to: u8, request: bool, len: usize) -> Frame {
    ip(from, to, Body::Icmp(Icmp::Echo { request, id: 5, seq: 1, payload: vec![0; len].into() }))
}

fn datagram(sport: u16, dport: u16, data: &[u8]) -> Body {
    Body::Udp(Udp { sport, dport, checksum: true, data: UdpData::Bytes(data.into()) })
}

fn segment(sport: u16, dport: u16, flags: TcpFlags, seq: u32, ack: u32, data: &[u8]) -> Body {
    Body::Tcp(Tcp {
        sport,
        dport,
        seq,
        ack,
        flags,
        window: 64240,
        options: None,
        payload: Payload::from(data),
    })
}

fn unreachable() -> Frame {
    let quoted = wire::quote(&packet(1, 2, datagram(1112, 9001, b"probe")), 548);
    let error = IcmpError { kind: 3, code: 3, rest: 0, quoted };
    let mut frame = ip(2, 1, Body::Icmp(Icmp::Error(Box::new(error))));
    if let Some(packet) = frame.ip_mut() {
        packet.tos = 0xc0;
    }
    frame
}

/// The bytes of a sample by name.
pub(super) fn sample(name: &str) -> Vec<u8> {
    let syn_ack = TcpFlags::SYN | TcpFlags::ACK;
    let push = TcpFlags::PSH | TcpFlags::ACK;
    let built = match name {
        "arp request" => arp(ArpOp::Request),
        "arp reply" => arp(ArpOp::Reply),
        "ping" => echo(1, 2, true, 56),
        "pong" => echo(2, 1, false, 56),
        "long ping" => echo(1, 2, true, 1000),
        "probe" => ip(1, 2, datagram(1111, 9000, b"probe")),
        "port unreachable" => unreachable(),
        "syn" => ip(1, 2, segment(1113, 8001, TcpFlags::SYN, 100, 0, b"")),
        "reset" => ip(2, 1, segment(8001, 1113, TcpFlags::RST | TcpFlags::ACK, 0, 101, b"")),
        "http syn" => ip(1, 2, segment(2000, 80, TcpFlags::SYN, 1000, 0, b"")),
        "http syn-ack" => ip(2, 1, segment(80, 2000, syn_ack, 5000, 1001, b"")),
        "http ack" => ip(1, 2, segment(2000, 80, TcpFlags::ACK, 1001, 5001, b"")),
        "http get" => ip(1, 2, segment(2000, 80, push, 1001, 5001, b"GET / HTTP/1.1\r\nHost: r\r\n\r\n")),
        "fragment" => {
            let mut frame = ip(1, 2, Body::Fragment(packet::Proto::ICMP, vec![0; 16].into()));
            if let Some(packet) = frame.ip_mut() {
                packet.frag = Frag { df: false, mf: false, offset: 1480 };
            }
            frame
        }
        "vxlan" => {
            let inner = Box::new(echo(1, 2, true, 56));
            let vni = Vni::new(7).unwrap_or_else(|| unreachable!("7 has 24 bits"));
            ip(
                1,
                2,
                Body::Udp(Udp {
                    sport: 4000,
                    dport: 4789,
                    checksum: false,
                    data: UdpData::Vxlan(vni, inner),
                }),
            )
        }
        "tagged" => Frame {
            tags: [VlanTag { vid: 10, ..VlanTag::default() }].into_iter().collect(),
            ..echo(1, 2, true, 56)
        },
        other => unreachable!("no sample is called {other}"),
    };
    wire::emit_frame(&built)
}
