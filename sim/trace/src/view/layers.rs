use packet::{
    Arp, ArpOp, Body, EtherPayload, Frame, Icmp, Packet, Payload, Proto, Quoted, Tcp, TcpOptions, Udp,
    UdpData, VlanTag, wire,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{FieldChange, icmp_word};

/// One header of a packet, or its data.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Layer {
    /// `Ethernet`, `VLAN`, `ARP`, `IPv4`, `UDP`, `TCP`, `ICMP`, `VXLAN`, `Data`, …
    pub name: String,
    /// Its fields in the order of the wire.
    pub fields: Vec<Field>,
}

/// One field of a header.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Field {
    /// Its name, e.g. `ttl`.
    pub name: &'static str,
    /// Its value, as a person writes it.
    pub value: String,
}

/// Whether a frame has a link-layer header of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkHeader {
    /// It has.
    Ethernet,
    /// It has none: not given to a device yet, or on one that sends bare IP packets.
    None,
}

/// Bytes of data that are shown.
const PREVIEW: usize = 80;

/// Collects the layers of a frame from the outside in.
struct Layers(Vec<Layer>);

/// The headers of a frame, from the outside in.
pub(crate) fn layers(frame: &Frame, link: LinkHeader) -> Vec<Layer> {
    let mut layers = Layers(Vec::new());
    layers.frame(frame, link);
    layers.0
}

impl Layers {
    fn add<const N: usize>(&mut self, name: &str, fields: [(&'static str, String); N]) {
        let fields = fields.into_iter().map(|(name, value)| Field { name, value }).collect();
        self.0.push(Layer { name: name.to_owned(), fields });
    }

    fn frame(&mut self, frame: &Frame, link: LinkHeader) {
        let inner_type = format!("{:#06x}", frame.payload.ether_type().0);
        if link == LinkHeader::Ethernet {
            let tags: Vec<VlanTag> = frame.tags.iter().collect();
            let type_after =
                |i: usize| tags.get(i).map_or(inner_type.clone(), |tag| format!("{:#06x}", tag.proto.tpid()));
            self.add(
                "Ethernet",
                [("dst", frame.dst.to_string()), ("src", frame.src.to_string()), ("type", type_after(0))],
            );
            for (i, tag) in tags.iter().enumerate() {
                self.add(
                    "VLAN",
                    [
                        ("priority", tag.pcp.to_string()),
                        ("drop eligible", yes(tag.dei)),
                        ("id", tag.vid.to_string()),
                        ("type", type_after(i + 1)),
                    ],
                );
            }
        }
        match &frame.payload {
            EtherPayload::Ip(packet) => self.packet(packet),
            EtherPayload::Arp(arp) => self.arp(arp),
            EtherPayload::Other(_, bytes) => self.data(bytes),
        }
    }

    fn arp(&mut self, arp: &Arp) {
        let op = match arp.op {
            ArpOp::Request => "1 (request)".to_owned(),
            ArpOp::Reply => "2 (reply)".to_owned(),
            ArpOp::Other(op) => op.to_string(),
        };
        self.add(
            "ARP",
            [
                ("operation", op),
                ("sender MAC", arp.sha.to_string()),
                ("sender IP", arp.spa.to_string()),
                ("target MAC", arp.tha.to_string()),
                ("target IP", arp.tpa.to_string()),
            ],
        );
    }

    fn packet(&mut self, packet: &Packet) {
        if packet.is_v6() {
            self.add(
                "IPv6",
                [
                    ("traffic class", format!("{:#04x}", packet.tos)),
                    ("payload length", packet.body.len().to_string()),
                    ("next header", protocol(packet.proto())),
                    ("hop limit", packet.ttl.to_string()),
                    ("src", packet.src().to_string()),
                    ("dst", packet.dst().to_string()),
                ],
            );
        } else {
            let flags = match (packet.frag.df, packet.frag.mf) {
                (true, true) => "DF, MF",
                (true, false) => "DF",
                (false, true) => "MF",
                (false, false) => "none",
            };
            let bytes = wire::emit_packet(packet);
            self.add(
                "IPv4",
                [
                    ("header length", packet.header_len().to_string()),
                    ("tos", format!("{:#04x}", packet.tos)),
                    ("total length", packet.len().to_string()),
                    ("id", packet.id.to_string()),
                    ("flags", flags.to_owned()),
                    ("fragment offset", packet.frag.offset.to_string()),
                    ("ttl", packet.ttl.to_string()),
                    ("protocol", protocol(packet.proto())),
                    ("checksum", checksum_at(&bytes, 10)),
                    ("src", packet.src().to_string()),
                    ("dst", packet.dst().to_string()),
                ],
            );
            if let (Some(options), Some(layer)) = (&packet.options, self.0.last_mut()) {
                layer.fields.push(Field { name: "options", value: hex(options) });
            }
        }
        self.body(packet);
    }

    fn body(&mut self, packet: &Packet) {
        match &packet.body {
            Body::Tcp(tcp) => self.tcp(tcp, checksum_at(&wire::emit_body(packet), 16)),
            Body::Udp(udp) => self.udp(udp, checksum_at(&wire::emit_body(packet), 6)),
            Body::Icmp(icmp) => self.icmp(icmp, &wire::emit_body(packet)),
            Body::Ip(inner) => self.packet(inner),
            Body::Fragment(_, bytes) | Body::Bytes(_, bytes) => self.data(bytes),
        }
    }

    fn tcp(&mut self, tcp: &Tcp, checksum: String) {
        self.add(
            "TCP",
            [
                ("sport", tcp.sport.to_string()),
                ("dport", tcp.dport.to_string()),
                ("seq", tcp.seq.to_string()),
                ("ack", tcp.ack.to_string()),
                ("header length", tcp.header_len().to_string()),
                ("flags", tcp.flags.to_string()),
                ("window", tcp.window.to_string()),
                ("checksum", checksum),
                ("options", tcp.options.as_deref().map_or("none".to_owned(), tcp_options)),
            ],
        );
        self.data(&tcp.payload);
    }

    fn udp(&mut self, udp: &Udp, checksum: String) {
        self.add(
            "UDP",
            [
                ("sport", udp.sport.to_string()),
                ("dport", udp.dport.to_string()),
                ("length", udp.len().to_string()),
                ("checksum", checksum),
            ],
        );
        match &udp.data {
            UdpData::Bytes(bytes) => self.data(bytes),
            UdpData::Vxlan(vni, frame) => {
                self.add("VXLAN", [("vni", vni.get().to_string())]);
                self.frame(frame, LinkHeader::Ethernet);
            }
        }
    }

    fn icmp(&mut self, icmp: &Icmp, bytes: &[u8]) {
        let (kind, code) = icmp.type_code();
        let kind = ("type", format!("{kind} ({})", icmp_word(icmp)));
        let (code, checksum) = (("code", code.to_string()), ("checksum", checksum_at(bytes, 2)));
        match icmp {
            Icmp::Echo { id, seq, payload, .. } => {
                self.add("ICMP", [kind, code, checksum, ("id", id.to_string()), ("seq", seq.to_string())]);
                self.data(payload);
            }
            Icmp::Error(error) => {
                self.add("ICMP", [kind, code, checksum, ("rest", format!("{:#010x}", error.rest))]);
                self.quoted(&error.quoted, bytes.get(Icmp::HEADER_LEN..).unwrap_or_default());
            }
            Icmp::Other { rest, payload, .. } => {
                self.add("ICMP", [kind, code, checksum, ("rest", format!("{rest:#010x}"))]);
                self.data(payload);
            }
        }
    }

    /// What an ICMP error quotes: lengths and checksums are the original's, not those of the part
    /// that is quoted.
    fn quoted(&mut self, quoted: &Quoted, bytes: &[u8]) {
        let mut inner = Layers(Vec::new());
        inner.packet(&quoted.packet);
        for (i, mut layer) in inner.0.into_iter().enumerate() {
            for field in &mut layer.fields {
                let transport = quoted.packet.header_len();
                field.value = match (field.name, i, layer.name.as_str()) {
                    ("total length", 0, _) => quoted.total_len.to_string(),
                    ("checksum", 0, _) => checksum_at(bytes, 10),
                    ("checksum", 1, "TCP") => checksum_at(bytes, transport + 16),
                    ("checksum", 1, "UDP") => checksum_at(bytes, transport + 6),
                    ("checksum", 1, _) => checksum_at(bytes, transport + 2),
                    _ => continue,
                };
            }
            self.0.push(Layer { name: format!("quoted {}", layer.name), ..layer });
        }
    }

    fn data(&mut self, payload: &Payload) {
        if payload.is_empty() {
            return;
        }
        let head = &payload.as_slice()[..payload.len().min(PREVIEW)];
        let dots = if payload.len() > PREVIEW { "…" } else { "" };
        let printable = |b: &u8| b.is_ascii_graphic() || matches!(b, b' ' | b'\r' | b'\n' | b'\t');
        let shown = if head.iter().all(printable) {
            ("text", format!("{}{dots}", String::from_utf8_lossy(head).escape_debug()))
        } else {
            ("bytes", format!("{}{dots}", hex(&head[..head.len().min(PREVIEW / 2)])))
        };
        self.add("Data", [("length", payload.len().to_string()), shown]);
    }
}

fn yes(flag: bool) -> String {
    if flag { "yes" } else { "no" }.to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ")
}

fn checksum_at(bytes: &[u8], at: usize) -> String {
    match bytes.get(at..at + 2) {
        Some(&[high, low]) => format!("0x{high:02x}{low:02x}"),
        _ => "cut off".to_owned(),
    }
}

fn protocol(proto: Proto) -> String {
    let name = match proto {
        Proto::ICMP => "ICMP",
        Proto::IGMP => "IGMP",
        Proto::IPIP => "IP in IP",
        Proto::TCP => "TCP",
        Proto::UDP => "UDP",
        Proto::GRE => "GRE",
        Proto::ESP => "ESP",
        Proto::ICMPV6 => "ICMPv6",
        Proto::SCTP => "SCTP",
        Proto(number) => return number.to_string(),
    };
    format!("{} ({name})", proto.0)
}

fn tcp_options(options: &TcpOptions) -> String {
    let mut parts = Vec::new();
    if let Some(mss) = options.mss {
        parts.push(format!("mss {mss}"));
    }
    if options.sack_permitted {
        parts.push("sackOK".to_owned());
    }
    if let Some((value, echo)) = options.timestamps {
        parts.push(format!("timestamps {value} {echo}"));
    }
    if let Some(shift) = options.window_scale {
        parts.push(format!("wscale {shift}"));
    }
    for (left, right) in &options.sack {
        parts.push(format!("sack {left}:{right}"));
    }
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

/// Gives `frame` the values that a rewrite wrote into its headers. What is no header field (the
/// mark) changes nothing.
pub(crate) fn apply(frame: &mut Frame, changes: &[FieldChange]) {
    let Some(packet) = frame.ip_mut() else { return };
    for change in changes {
        apply_one(packet, change);
    }
}

fn apply_one(packet: &mut Packet, change: &FieldChange) {
    let value = change.after.as_str();
    match change.field {
        "src" | "dst" => {
            let (addr, port) = match value.parse::<std::net::SocketAddr>() {
                Ok(both) => (both.ip(), Some(both.port())),
                Err(_) => match value.parse() {
                    Ok(addr) => (addr, None),
                    Err(_) => return,
                },
            };
            if change.field == "src" {
                packet.set_src(addr);
            } else {
                packet.set_dst(addr);
            }
            let Some(port) = port else { return };
            match (&mut packet.body, change.field) {
                (Body::Tcp(tcp), "src") => tcp.sport = port,
                (Body::Tcp(tcp), _) => tcp.dport = port,
                (Body::Udp(udp), "src") => udp.sport = port,
                (Body::Udp(udp), _) => udp.dport = port,
                _ => {}
            }
        }
        "ttl" => packet.ttl = value.parse().unwrap_or(packet.ttl),
        "tos" => {
            let hex = value.strip_prefix("0x").unwrap_or(value);
            packet.tos = u8::from_str_radix(hex, 16).unwrap_or(packet.tos);
        }
        "id" => {
            if let (Body::Icmp(Icmp::Echo { id, .. }), Ok(new)) = (&mut packet.body, value.parse()) {
                *id = new;
            }
        }
        "mss" => {
            if let (Body::Tcp(tcp), Ok(new)) = (&mut packet.body, value.parse()) {
                tcp.options.get_or_insert_default().mss = Some(new);
            }
        }
        _ => {}
    }
}
