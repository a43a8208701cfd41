//! Every frame that the recorded scripts make hoplab send, written as one capture, is read back: by
//! pnet_packet field by field, and by tshark, which must find nothing malformed and no bad checksum.

#![allow(clippy::expect_used, clippy::print_stderr)]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use packet::pcapng::Reader;
use packet::{Body, EtherPayload, Frame, Packet, Tuple};
use pnet_packet::Packet as _;
use pnet_packet::arp::ArpPacket;
use pnet_packet::ethernet::EthernetPacket;
use pnet_packet::ipv4::Ipv4Packet;
use pnet_packet::tcp::TcpPacket;
use pnet_packet::udp::UdpPacket;
use trace::Recorder;

/// Writes what all recorded scripts send.
fn write_capture(path: &Path) -> usize {
    let out = std::io::BufWriter::new(fs::File::create(path).expect("a temporary file"));
    let mut capture = world::Capture::new(out).expect("it takes the header");
    let scripts = support::scripts(&["tests/parity", "tests/parity-vm"]);
    for script in &scripts {
        let text = fs::read_to_string(script).expect("the script can be read");
        let mut recorder = Recorder::default();
        let (world, _) = support::run_script("sh", &text, 0, &mut recorder);
        capture.add(&world, &recorder.steps).expect("it takes the frames");
    }
    scripts.len()
}

#[test]
fn captures_are_read_back() {
    let folder = std::env::temp_dir().join(format!("hoplab-captures-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    let path = folder.join("all.pcapng");
    let scripts = write_capture(&path);
    let bytes = fs::read(&path).expect("it was written");
    let mut frames = 0;
    for record in Reader::new(&bytes).expect("a capture") {
        let record = record.expect("a whole packet");
        let frame = packet::wire::parse_frame(&record.bytes).expect("our own frame");
        same_as_pnet(&frame, &record.bytes);
        frames += 1;
    }
    assert!(frames > 10 * scripts, "only {frames} frames of {scripts} scripts");
    read_with_tshark(&path, frames);
    fs::remove_dir_all(&folder).expect("it can be removed");
}

/// The second, independent parser sees the same fields.
fn same_as_pnet(frame: &Frame, bytes: &[u8]) {
    let ethernet = EthernetPacket::new(bytes).expect("an Ethernet header");
    assert_eq!(ethernet.get_source().octets(), frame.src.0);
    assert_eq!(ethernet.get_destination().octets(), frame.dst.0);
    if !frame.tags.is_empty() {
        return;
    }
    assert_eq!(ethernet.get_ethertype().0, frame.payload.ether_type().0);
    match &frame.payload {
        EtherPayload::Arp(arp) => {
            let theirs = ArpPacket::new(ethernet.payload()).expect("an ARP message");
            assert_eq!((theirs.get_sender_proto_addr(), theirs.get_target_proto_addr()), (arp.spa, arp.tpa));
            assert_eq!(theirs.get_sender_hw_addr().octets(), arp.sha.0);
        }
        EtherPayload::Ip(packet) if !packet.is_v6() => same_ip(packet, ethernet.payload()),
        EtherPayload::Ip(_) | EtherPayload::Other(..) => {}
    }
}

fn same_ip(packet: &Packet, bytes: &[u8]) {
    let theirs = Ipv4Packet::new(bytes).expect("an IPv4 header");
    assert_eq!((theirs.get_source(), theirs.get_destination()), (v4(packet.src()), v4(packet.dst())));
    assert_eq!((theirs.get_ttl(), usize::from(theirs.get_total_length())), (packet.ttl, packet.len()));
    assert_eq!(theirs.get_checksum(), pnet_packet::ipv4::checksum(&theirs));
    let ports = Tuple::of(packet).ports();
    match &packet.body {
        Body::Tcp(tcp) => {
            let theirs = TcpPacket::new(theirs.payload()).expect("a TCP header");
            assert_eq!((theirs.get_source(), theirs.get_destination()), ports);
            assert_eq!((theirs.get_sequence(), theirs.get_acknowledgement()), (tcp.seq, tcp.ack));
            assert_eq!((theirs.get_flags(), theirs.get_window()), (tcp.flags.0, tcp.window));
        }
        Body::Udp(_) => {
            let theirs = UdpPacket::new(theirs.payload()).expect("a UDP header");
            assert_eq!((theirs.get_source(), theirs.get_destination()), ports);
        }
        Body::Icmp(_) | Body::Ip(_) | Body::Fragment(..) | Body::Bytes(..) => {}
    }
}

fn v4(addr: std::net::IpAddr) -> std::net::Ipv4Addr {
    match addr {
        std::net::IpAddr::V4(addr) => addr,
        std::net::IpAddr::V6(_) => std::net::Ipv4Addr::UNSPECIFIED,
    }
}

/// Protocols that packets of scripts consist of, by tshark's names.
const HEADERS: [&str; 17] = [
    "frame",
    "pkt_comment",
    "eth",
    "eth_maybefcs",
    "eth_withoutfcs",
    "ethertype",
    "vlan",
    "ieee8021ad",
    "arp",
    "ip",
    "icmp",
    "igmp",
    "udp",
    "tcp",
    "sctp",
    "vxlan",
    "data",
];

/// Scripts send text to well-known ports: what lies above the headers is nobody's protocol.
fn protocols_above() -> Vec<String> {
    let Ok(known) = Command::new("tshark").args(["-G", "protocols"]).output() else { return Vec::new() };
    let known = String::from_utf8_lossy(&known.stdout).into_owned();
    let names = known.lines().filter_map(|line| line.split('\t').nth(2));
    // `_ws.malformed` and kin are how tshark complains.
    let above = |name: &&str| !HEADERS.contains(name) && !name.starts_with("_ws");
    names.filter(above).map(str::to_owned).collect()
}

fn read_with_tshark(path: &Path, frames: usize) {
    let above = protocols_above();
    let tshark = |filter: &str| {
        let mut command = Command::new("tshark");
        for proto in ["ip", "tcp", "udp"] {
            command.args(["-o", &format!("{proto}.check_checksum:TRUE")]);
        }
        for proto in &above {
            command.args(["--disable-protocol", proto]);
        }
        command.args(["-d", "udp.port==8472,vxlan"]);
        // Each device on the way sees the same fragments.
        command.args(["-o", "ip.defragment:FALSE"]);
        // The same segments are seen by many devices: their analysis means nothing here.
        command.args(["-o", "tcp.analyze_sequence_numbers:FALSE", "-r"]).arg(path);
        if !filter.is_empty() {
            command.args(["-Y", filter]);
        }
        command.output()
    };
    let Ok(all) = tshark("") else {
        assert!(std::env::var_os("HOPLAB_REQUIRE_LIVE").is_none(), "this test needs tshark");
        eprintln!("SKIPPED: reading the captures back needs tshark");
        return;
    };
    assert!(all.status.success(), "{}", String::from_utf8_lossy(&all.stderr));
    assert_eq!(String::from_utf8_lossy(&all.stdout).lines().count(), frames);
    // tshark computes the checksum of a segment that an ICMP error quotes over what is quoted of it.
    // A first fragment of an outer packet holds only the beginning of the inner one. Scripts send
    // short datagrams from VXLAN's port that hold none.
    let bad = "not (vxlan and (ip.flags.mf == 1 or udp.length < 16)) and (_ws.malformed or ip.checksum.status == \"Bad\" \
               or (icmp.checksum.status == \"Bad\" and ip.flags.mf == 0) \
               or ((tcp.checksum.status == \"Bad\" or udp.checksum.status == \"Bad\") and not icmp))";
    let complaints = tshark(bad).expect("tshark ran before");
    assert!(complaints.status.success(), "{}", String::from_utf8_lossy(&complaints.stderr));
    assert_eq!(String::from_utf8_lossy(&complaints.stdout), "");
}
