use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pnet_packet::Packet as _;
use pnet_packet::arp::ArpPacket;
use pnet_packet::ethernet::EthernetPacket;
use pnet_packet::icmp::IcmpPacket;
use pnet_packet::ipv4::Ipv4Packet;
use pnet_packet::tcp::TcpPacket;
use pnet_packet::udp::UdpPacket;
use pnet_packet::vlan::VlanPacket;
use pnet_packet::vxlan::VxlanPacket;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::{
    Arp, ArpOp, Body, EtherPayload, EtherType, Frag, Frame, Icmp, IcmpError, MacAddr, Packet, Payload, Proto,
    Tcp, TcpFlags, TcpOptions, Udp, UdpData, VlanProto, VlanTag, VlanTags, Vni,
};

fn payload(max: usize) -> impl Strategy<Value = Payload> {
    vec(any::<u8>(), 0..max).prop_map(Payload::from)
}

fn mac() -> impl Strategy<Value = MacAddr> {
    any::<[u8; 6]>().prop_map(MacAddr)
}

fn v4() -> impl Strategy<Value = Ipv4Addr> {
    any::<[u8; 4]>().prop_map(Ipv4Addr::from)
}

fn tcp_options() -> impl Strategy<Value = Option<Box<TcpOptions>>> {
    let syn =
        (option::of(any::<u16>()), any::<bool>(), option::of(any::<(u32, u32)>()), option::of(0..15_u8))
            .prop_map(|(mss, sack_permitted, timestamps, window_scale)| TcpOptions {
                mss,
                sack_permitted,
                timestamps,
                window_scale,
                sack: vec![],
            });
    let later = (option::of(any::<(u32, u32)>()), vec(any::<(u32, u32)>(), 0..4))
        .prop_map(|(timestamps, sack)| TcpOptions { timestamps, sack, ..TcpOptions::default() });
    prop_oneof![syn, later].prop_map(|options| (!options.is_empty()).then(|| Box::new(options)))
}

fn tcp() -> impl Strategy<Value = Tcp> {
    let header = (any::<u16>(), any::<u16>(), any::<u32>(), any::<u32>(), any::<u8>(), any::<u16>());
    (header, tcp_options(), payload(200)).prop_map(
        |((sport, dport, seq, ack, flags, window), options, payload)| Tcp {
            sport,
            dport,
            seq,
            ack,
            flags: TcpFlags(flags),
            window,
            options,
            payload,
        },
    )
}

fn udp() -> impl Strategy<Value = Udp> {
    let port = any::<u16>().prop_filter("VXLAN", |&port| !is_vxlan(port));
    (any::<u16>(), port, any::<bool>(), payload(200)).prop_map(|(sport, dport, checksum, data)| Udp {
        sport,
        dport,
        checksum,
        data: UdpData::Bytes(data),
    })
}

fn icmp() -> impl Strategy<Value = Icmp> {
    let echo = (any::<bool>(), any::<u16>(), any::<u16>(), payload(200))
        .prop_map(|(request, id, seq, payload)| Icmp::Echo { request, id, seq, payload });
    let other = (13..=18_u8, any::<u8>(), any::<u32>(), payload(40))
        .prop_map(|(kind, code, rest, payload)| Icmp::Other { kind, code, rest, payload });
    prop_oneof![echo, other]
}

/// A body without another packet inside.
fn plain_body() -> impl Strategy<Value = Body> {
    prop_oneof![
        tcp().prop_map(Body::Tcp),
        udp().prop_map(Body::Udp),
        icmp().prop_map(Body::Icmp),
        (prop_oneof![Just(Proto::IGMP), Just(Proto::GRE), Just(Proto(200))], payload(60))
            .prop_map(|(proto, bytes)| Body::Bytes(proto, bytes)),
    ]
}

fn packet_of(body: impl Strategy<Value = Body>) -> impl Strategy<Value = Packet> {
    let options = option::of((1..=10_usize).prop_flat_map(|words| vec(any::<u8>(), words * 4)));
    let fields = (v4(), v4(), any::<u8>(), any::<u8>(), any::<u16>(), any::<bool>());
    (fields, options, body).prop_map(|((src, dst, ttl, tos, id, df), options, body)| Packet {
        addrs: Addrs::V4 { src, dst },
        ttl,
        tos,
        id,
        frag: Frag { df, ..Frag::default() },
        options: options.map(Box::new),
        body,
    })
}

fn plain_packet() -> impl Strategy<Value = Packet> {
    packet_of(plain_body())
}

fn fragment_packet() -> impl Strategy<Value = Packet> {
    let frag = (any::<bool>(), 0..8000_u16).prop_filter("is no fragment", |&(mf, offset)| mf || offset != 0);
    (plain_packet(), frag, payload(64)).prop_map(|(packet, (mf, words), bytes)| Packet {
        frag: Frag { df: packet.frag.df, mf, offset: words * 8 },
        body: Body::Fragment(packet.proto(), bytes),
        ..packet
    })
}

fn icmp_error() -> impl Strategy<Value = Body> {
    let kind = prop_oneof![Just(3_u8), Just(5), Just(11), Just(12)];
    let about = prop_oneof![plain_packet().boxed(), fragment_packet().boxed()].boxed();
    (kind, any::<u8>(), any::<u32>(), about, 68..300_usize).prop_map(|(kind, code, rest, packet, room)| {
        Body::Icmp(Icmp::Error(Box::new(IcmpError { kind, code, rest, quoted: quote(&packet, room) })))
    })
}

fn packet() -> impl Strategy<Value = Packet> {
    let inner = plain_packet().prop_map(|inner| Body::Ip(Box::new(inner)));
    prop_oneof![
        packet_of(plain_body()).boxed(),
        fragment_packet().boxed(),
        packet_of(icmp_error()).boxed(),
        packet_of(inner).boxed(),
    ]
}

fn arp() -> impl Strategy<Value = Arp> {
    let op = prop_oneof![Just(ArpOp::Request), Just(ArpOp::Reply), (3..=u16::MAX).prop_map(ArpOp::Other)];
    (op, mac(), v4(), mac(), v4()).prop_map(|(op, sha, spa, tha, tpa)| Arp { op, sha, spa, tha, tpa })
}

fn frame_of(payload: impl Strategy<Value = EtherPayload>) -> impl Strategy<Value = Frame> {
    let proto = prop_oneof![Just(VlanProto::Dot1Q), Just(VlanProto::Dot1Ad)];
    let tag = (proto, any::<u16>()).prop_map(|(proto, tci)| VlanTag::from_tci(proto, tci));
    let tags = vec(tag, 0..4).prop_map(|tags| tags.into_iter().collect());
    (mac(), mac(), tags, payload).prop_map(|(dst, src, tags, payload)| Frame { dst, src, tags, payload })
}

fn frame() -> impl Strategy<Value = Frame> {
    let other = (0x0900..0x8000_u16, payload(60))
        .prop_map(|(kind, bytes)| EtherPayload::Other(EtherType(kind), bytes));
    let vxlan = (frame_of(packet().prop_map(EtherPayload::Ip)), 0..1_u32 << 24, any::<bool>()).prop_map(
        |(inner, vni, checksum)| {
            let data = UdpData::Vxlan(Vni::new(vni).unwrap(), Box::new(inner));
            Body::Udp(Udp { sport: 50_000, dport: 4789, checksum, data })
        },
    );
    prop_oneof![
        frame_of(packet().prop_map(EtherPayload::Ip)),
        frame_of(packet_of(vxlan).prop_map(EtherPayload::Ip)),
        frame_of(arp().prop_map(|arp| EtherPayload::Arp(Box::new(arp)))),
        frame_of(other),
    ]
}

/// Compares every field with what pnet reads from the bytes.
fn same_as_pnet(frame: &Frame, bytes: &[u8]) {
    let ether = EthernetPacket::new(bytes).unwrap();
    assert_eq!(ether.get_destination().octets(), frame.dst.0);
    assert_eq!(ether.get_source().octets(), frame.src.0);
    let mut payload = ether.payload().to_vec();
    let mut ether_type = ether.get_ethertype().0;
    for tag in frame.tags.iter() {
        assert_eq!(ether_type, tag.proto.tpid());
        let vlan = VlanPacket::new(&payload).unwrap();
        assert_eq!((vlan.get_vlan_identifier(), vlan.get_priority_code_point().0), (tag.vid, tag.pcp));
        assert_eq!(vlan.get_drop_eligible_indicator() != 0, tag.dei);
        ether_type = vlan.get_ethertype().0;
        payload = vlan.payload().to_vec();
    }
    assert_eq!(ether_type, frame.payload.ether_type().0);
    match &frame.payload {
        EtherPayload::Ip(packet) => same_ip_as_pnet(packet, &payload),
        EtherPayload::Arp(arp) => {
            let pnet = ArpPacket::new(&payload).unwrap();
            assert_eq!(
                (pnet.get_sender_hw_addr().octets(), pnet.get_sender_proto_addr()),
                (arp.sha.0, arp.spa)
            );
            assert_eq!(
                (pnet.get_target_hw_addr().octets(), pnet.get_target_proto_addr()),
                (arp.tha.0, arp.tpa)
            );
        }
        EtherPayload::Other(_, bytes) => assert_eq!(payload, bytes.as_slice()),
    }
}

fn same_ip_as_pnet(packet: &Packet, bytes: &[u8]) {
    let ip = Ipv4Packet::new(bytes).unwrap();
    assert_eq!(pnet_packet::ipv4::checksum(&ip), ip.get_checksum());
    assert_eq!((IpAddr::V4(ip.get_source()), IpAddr::V4(ip.get_destination())), (packet.src(), packet.dst()));
    assert_eq!((ip.get_ttl(), ip.get_dscp() << 2 | ip.get_ecn()), (packet.ttl, packet.tos));
    assert_eq!((ip.get_identification(), ip.get_next_level_protocol().0), (packet.id, packet.proto().0));
    assert_eq!(
        (usize::from(ip.get_total_length()), ip.get_fragment_offset() * 8),
        (packet.len(), packet.frag.offset)
    );
    assert_eq!(ip.get_flags(), u8::from(packet.frag.df) << 1 | u8::from(packet.frag.mf));
    let (src, dst, body) = (ip.get_source(), ip.get_destination(), ip.payload());
    match &packet.body {
        Body::Tcp(tcp) => {
            let pnet = TcpPacket::new(body).unwrap();
            assert_eq!(pnet_packet::tcp::ipv4_checksum(&pnet, &src, &dst), pnet.get_checksum());
            assert_eq!((pnet.get_source(), pnet.get_destination()), (tcp.sport, tcp.dport));
            assert_eq!((pnet.get_sequence(), pnet.get_acknowledgement()), (tcp.seq, tcp.ack));
            assert_eq!((pnet.get_flags(), pnet.get_window()), (tcp.flags.0, tcp.window));
            assert_eq!(pnet.payload(), tcp.payload.as_slice());
        }
        Body::Udp(udp) => {
            let pnet = UdpPacket::new(body).unwrap();
            let sum = pnet_packet::udp::ipv4_checksum(&pnet, &src, &dst);
            let expected = match (udp.checksum, sum) {
                (false, _) => 0,
                (true, 0) => 0xffff,
                (true, sum) => sum,
            };
            assert_eq!(pnet.get_checksum(), expected);
            assert_eq!((pnet.get_source(), pnet.get_destination()), (udp.sport, udp.dport));
            match &udp.data {
                UdpData::Bytes(bytes) => assert_eq!(pnet.payload(), bytes.as_slice()),
                UdpData::Vxlan(vni, inner) => {
                    let vxlan = VxlanPacket::new(pnet.payload()).unwrap();
                    assert_eq!((vxlan.get_flags(), vxlan.get_vni()), (8, vni.get()));
                    same_as_pnet(inner, vxlan.payload());
                }
            }
        }
        Body::Icmp(icmp) => {
            let pnet = IcmpPacket::new(body).unwrap();
            assert_eq!(pnet_packet::icmp::checksum(&pnet), pnet.get_checksum());
            assert_eq!((pnet.get_icmp_type().0, pnet.get_icmp_code().0), icmp.type_code());
        }
        Body::Ip(inner) => same_ip_as_pnet(inner, body),
        Body::Fragment(_, bytes) | Body::Bytes(_, bytes) => assert_eq!(body, bytes.as_slice()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_frame_survives_its_bytes(frame in frame()) {
        let bytes = emit_frame(&frame);
        prop_assert_eq!(bytes.len(), frame.len());
        same_as_pnet(&frame, &bytes);
        prop_assert_eq!(parse_frame(&bytes), Ok(frame));
    }

    #[test]
    fn cut_or_damaged_bytes_never_panic(frame in frame(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = emit_frame(&frame);
        let place = at.index(bytes.len());
        bytes[place] = byte;
        let _ = parse_frame(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        if let Err(error) = parse_frame(&bytes) {
            prop_assert!(error.offset <= bytes.len());
        }
    }

    #[test]
    fn fragments_make_the_packet_again(packet in plain_packet(), mtu in 88..300_usize) {
        let whole = Packet { frag: Frag::default(), ..packet };
        let parts = fragment(&whole, mtu);
        prop_assert!(parts.iter().all(|part| part.len() <= mtu));
        let bytes = parts.iter().flat_map(emit_body).collect();
        if let Some(first) = parts.first() {
            prop_assert_eq!(reassemble(first, bytes), Ok(whole));
        }
    }

    #[test]
    fn a_v6_packet_survives_its_bytes(src in any::<[u8; 16]>(), dst in any::<[u8; 16]>(), tcp in tcp(), tos in any::<u8>()) {
        let mut packet = Packet::new(Ipv6Addr::from(src).into(), Ipv6Addr::from(dst).into(), Body::Tcp(tcp));
        packet.tos = tos;
        prop_assert_eq!(parse_packet(&emit_packet(&packet)), Ok(packet));
    }
}

/// The SYN that Linux sends: MSS, SACK permitted with timestamps, window scale.
#[test]
fn syn_options_are_in_linux_order() {
    let options = TcpOptions {
        mss: Some(1460),
        sack_permitted: true,
        timestamps: Some((1, 0)),
        window_scale: Some(7),
        sack: vec![],
    };
    let tcp = Tcp {
        sport: 40000,
        dport: 80,
        seq: 7,
        ack: 0,
        flags: TcpFlags::SYN,
        window: 64240,
        options: Some(Box::new(options)),
        payload: Payload::EMPTY,
    };
    let packet = Packet::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), Body::Tcp(tcp));
    let bytes = emit_packet(&packet);
    assert_eq!(bytes.len(), 60);
    assert_eq!(bytes[40..], [2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7]);
}

#[test]
fn errors_name_the_place_and_what_belongs_there() {
    let echo = Icmp::Echo { request: true, id: 1, seq: 1, payload: vec![0; 8].into() };
    let packet = Packet::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), Body::Icmp(echo));
    let frame = Frame {
        dst: MacAddr::ZERO,
        src: MacAddr::ZERO,
        tags: VlanTags::NONE,
        payload: EtherPayload::Ip(packet),
    };
    let good = emit_frame(&frame);
    let damaged = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        parse_frame(&bytes).unwrap_err().to_string()
    };
    assert_eq!(
        parse_frame(&good[..9]).unwrap_err().to_string(),
        "byte 6: expected an Ethernet header of 14 bytes"
    );
    assert_eq!(damaged(14, 0x55), "byte 14: expected an IP header of version 4 or 6");
    assert_eq!(damaged(22, 63), "byte 24: expected the right IPv4 header checksum");
    assert_eq!(damaged(49, 1), "byte 36: expected the right ICMP checksum");
    let cut = parse_frame(&good[..40]).unwrap_err().to_string();
    assert_eq!(cut, "byte 40: expected as many bytes as the IP header's total length states");
}

/// Ever more packets in one another, until the outermost is as long as a packet may be.
fn nested(kind: &str) -> Packet {
    let (a, b) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
    let inside = |packet: Packet| match kind {
        "ipip" => Body::Bytes(Proto::IPIP, emit_packet(&packet).into()),
        "vxlan" => {
            let payload = EtherPayload::Ip(packet);
            let frame = Frame { dst: MacAddr::ZERO, src: MacAddr::ZERO, tags: VlanTags::NONE, payload };
            let mut data = vec![8, 0, 0, 0, 0, 0, 1, 0];
            data.extend(emit_frame(&frame));
            Body::Udp(Udp { sport: 1, dport: 4789, checksum: false, data: UdpData::Bytes(data.into()) })
        }
        "quote" => {
            let payload = emit_packet(&packet).into();
            Body::Icmp(Icmp::Other { kind: 3, code: 4, rest: 0, payload })
        }
        _ => {
            let quote = Icmp::Other { kind: 3, code: 4, rest: 0, payload: emit_packet(&packet).into() };
            let error = Packet::new(a, b, Body::Icmp(quote));
            Body::Bytes(Proto::IPIP, emit_packet(&error).into())
        }
    };
    let mut packet = Packet::new(a, b, Body::Bytes(Proto(200), b"core".as_slice().into()));
    loop {
        let outer = Packet::new(a, b, inside(packet.clone()));
        if outer.len() > 65535 {
            return packet;
        }
        packet = outer;
    }
}

#[test]
fn the_deepest_nesting_is_read_and_keeps_its_bytes() {
    for kind in ["ipip", "vxlan", "quote", "ipip and quote"] {
        let bytes = emit_packet(&nested(kind));
        let small_stack = std::thread::Builder::new().stack_size(256 << 10).spawn(move || {
            let packet = parse_packet(&bytes).unwrap();
            assert_eq!(emit_packet(&packet), bytes, "{kind}");
            let mut limited = packet.clone();
            limit_nesting(&mut limited);
            assert_eq!(limited, packet, "{kind}");
            let error = IcmpError { kind: 3, code: 1, rest: 0, quoted: quote(&packet, 68) };
            let error = Packet::new(packet.dst(), packet.src(), Body::Icmp(Icmp::Error(Box::new(error))));
            assert_eq!(emit_packet(&error)[28..], bytes[..68], "{kind}");
        });
        small_stack.unwrap().join().unwrap();
    }
}

#[test]
fn wrapping_again_and_again_stays_shallow() {
    let (a, b) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
    let mut packet = Packet::new(a, b, Body::Bytes(Proto(200), b"core".as_slice().into()));
    for layer in 0..200 {
        let body = if layer % 2 == 0 {
            Body::Ip(Box::new(packet))
        } else {
            let payload = EtherPayload::Ip(packet);
            let frame = Frame { dst: MacAddr::ZERO, src: MacAddr::ZERO, tags: VlanTags::NONE, payload };
            let data = UdpData::Vxlan(Vni::new(7).unwrap(), Box::new(frame));
            Body::Udp(Udp { sport: 1, dport: 8472, checksum: true, data })
        };
        packet = Packet::new(a, b, body);
        let bytes = emit_packet(&packet);
        limit_nesting(&mut packet);
        assert_eq!(emit_packet(&packet), bytes);
        assert_eq!(parse_packet(&bytes).as_ref(), Ok(&packet));
    }
}
