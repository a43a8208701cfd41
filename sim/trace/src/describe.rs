use packet::{ArpOp, Body, EtherPayload, Frame, Icmp, Packet, TcpFlags, UdpData};

/// One line that names a frame's packet: protocol, ends, and what it is.
pub fn describe(frame: &Frame) -> String {
    match &frame.payload {
        EtherPayload::Ip(packet) => describe_packet(packet),
        EtherPayload::Arp(arp) => match arp.op {
            ArpOp::Request if arp.spa == arp.tpa => format!("ARP announcement {}", arp.spa),
            ArpOp::Request => format!("ARP who-has {} tell {}", arp.tpa, arp.spa),
            ArpOp::Reply => format!("ARP reply {} is-at {}", arp.spa, arp.sha),
            ArpOp::Other(op) => format!("ARP operation {op}"),
        },
        EtherPayload::Other(ether_type, bytes) => {
            format!("ethertype {:#06x}, {} bytes", ether_type.0, bytes.len())
        }
    }
}

/// One line that names a packet: ends, protocol, and what it is.
pub fn describe_packet(packet: &Packet) -> String {
    let (src, dst) = (packet.src(), packet.dst());
    match &packet.body {
        Body::Tcp(tcp) => {
            let data =
                if tcp.payload.is_empty() { String::new() } else { format!(" {} bytes", tcp.payload.len()) };
            format!("{src}:{} → {dst}:{}  TCP {}{data}", tcp.sport, tcp.dport, tcp_word(tcp.flags))
        }
        Body::Udp(udp) => {
            let what = match &udp.data {
                UdpData::Bytes(bytes) => format!("UDP {} bytes", bytes.len()),
                UdpData::Vxlan(vni, inner) => format!("VXLAN vni {}: {}", vni.get(), describe(inner)),
            };
            format!("{src}:{} → {dst}:{}  {what}", udp.sport, udp.dport)
        }
        Body::Icmp(icmp) => format!("{src} → {dst}  ICMP {}", icmp_word(icmp)),
        Body::Ip(inner) => format!("{src} → {dst}  IPIP: {}", describe_packet(inner)),
        Body::Fragment(proto, bytes) => {
            format!(
                "{src} → {dst}  fragment of protocol {}, offset {}, {} bytes",
                proto.0,
                packet.frag.offset,
                bytes.len()
            )
        }
        Body::Bytes(proto, bytes) => format!("{src} → {dst}  protocol {}, {} bytes", proto.0, bytes.len()),
    }
}

fn tcp_word(flags: TcpFlags) -> String {
    flags.to_string().replace(',', "+")
}

/// The name of an ICMP message, as `ping` words errors.
pub fn icmp_word(icmp: &Icmp) -> String {
    match icmp {
        Icmp::Echo { request: true, seq, .. } => format!("echo request seq {seq}"),
        Icmp::Echo { request: false, seq, .. } => format!("echo reply seq {seq}"),
        Icmp::Error(error) => match (error.kind, error.code) {
            (3, 0) => "destination net unreachable".to_owned(),
            (3, 1) => "destination host unreachable".to_owned(),
            (3, 2) => "protocol unreachable".to_owned(),
            (3, 3) => "port unreachable".to_owned(),
            (3, 4) => format!("fragmentation needed, mtu {}", error.rest & 0xffff),
            (3, 9) => "net prohibited".to_owned(),
            (3, 10) => "host prohibited".to_owned(),
            (3, 13) => "packet filtered".to_owned(),
            (5, _) => format!("redirect to {}", std::net::Ipv4Addr::from(error.rest)),
            (11, 0) => "time to live exceeded".to_owned(),
            (11, 1) => "fragment reassembly time exceeded".to_owned(),
            (kind, code) => format!("type {kind} code {code}"),
        },
        Icmp::Other { kind, code, .. } => format!("type {kind} code {code}"),
    }
}
