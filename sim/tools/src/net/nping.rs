//! `nping` 0.7.93: ICMP, TCP, UDP and ARP probes, and TCP connections.
//!
//! Source: nmap `nping/ProbeMode.cc`, `nping/stats.cc`, `libnetutil/netutil.cc`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use kernel::Errno;
use kernel::dump::RouteQuery;
use kernel::socket::{SocketKind, SocketOption};
use packet::{
    Arp, ArpOp, Body, EtherPayload, Frame, Icmp, IcmpError, MacAddr, Packet, Payload, Proto, SimTime, Tcp,
    TcpFlags, Udp, UdpData,
};
use world::{Args, Fd, Next, Program, Registry, Signal, Sys, Wait};

use dns::Family;

use super::lookups::Lookups;
use super::{Refused, Turns, complain, say, seconds};

/// Installs `nping`.
pub(crate) fn install(registry: &mut Registry) {
    registry.install("nping", |args| Box::new(Nping { args, lookups: Lookups::default(), state: None }));
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Icmp,
    Tcp,
    Udp,
    Arp,
    Connect,
}

#[derive(Clone, Debug, Default)]
struct Options {
    mode: Mode,
    targets: Vec<(String, Ipv4Addr)>,
    /// Words that mean no host.
    unknown: Vec<String>,
    count: u64,
    delay: Duration,
    ports: Vec<u16>,
    source: Option<Ipv4Addr>,
    source_port: Option<u16>,
    ttl: u8,
    tos: u8,
    data_len: usize,
    flags: TcpFlags,
    hide_sent: bool,
    quiet: bool,
}

/// One probe to send.
#[derive(Clone, Copy, Debug)]
struct Probe {
    target: Ipv4Addr,
    port: u16,
    seq: u16,
}

#[derive(Clone, Debug)]
struct Nping {
    args: Args,
    lookups: Lookups,
    state: Option<State>,
}

#[derive(Clone, Debug)]
struct State {
    options: Options,
    started: SimTime,
    probes: Vec<Probe>,
    next: usize,
    next_at: SimTime,
    sockets: Vec<Fd>,
    connecting: Vec<(Fd, SocketAddr, SimTime)>,
    id: u16,
    ip_id: u16,
    source_port: u16,
    tcp_seq: u32,
    last_sent: SimTime,
    sent: (u64, u64),
    received: (u64, u64),
    connected: u64,
    round_trips: Vec<u64>,
}

const USAGE: &str = "Nping 0.7.93 ( https://nmap.org/nping )\nUsage: nping [Probe mode] [Options] {target specification}\n\nProbe modes: --tcp-connect --tcp --udp --icmp --arp\nOptions: -c COUNT --delay TIME --rate RATE -p PORTS -g PORT --flags FLAGS --ttl N --tos N --data-length N -H -q\n";

/// A time with a unit: `200ms`, `0.2`, `2m`.
fn time(text: &str) -> Option<Duration> {
    if let Some(millis) = text.strip_suffix("ms") {
        return millis.parse().ok().map(Duration::from_millis);
    }
    let (number, unit) = match text.as_bytes().last() {
        Some(b's') => (&text[..text.len() - 1], 1),
        Some(b'm') => (&text[..text.len() - 1], 60),
        Some(b'h') => (&text[..text.len() - 1], 3600),
        _ => (text, 1),
    };
    seconds(number).map(|time| time * unit)
}

/// Ports as in `80,443,1000-1010`.
pub(super) fn port_list(text: &str) -> Option<Vec<u16>> {
    let mut ports = Vec::new();
    for part in text.split(',') {
        let (low, high) = match part.split_once('-') {
            Some((low, high)) => (
                if low.is_empty() { 1 } else { low.parse().ok()? },
                if high.is_empty() { u16::MAX } else { high.parse().ok()? },
            ),
            None => (part.parse().ok()?, part.parse().ok()?),
        };
        if low > high {
            return None;
        }
        ports.extend(low..=high);
    }
    Some(ports)
}

/// Targets as in `10.0.0.1-4`, `10.0.0.0/24` or a name: what was written (a list's member by its
/// address) and the address. `None` while a name is looked up, which is asked for as `family` says.
pub(super) fn targets(
    sys: &mut dyn Sys,
    lookups: &mut Lookups,
    family: Family,
    word: &str,
) -> Option<Vec<(String, Ipv4Addr)>> {
    if let Some((base, len)) = word.split_once('/') {
        let len: u32 = len.parse().ok().filter(|len| (8..=32).contains(len))?;
        let mask = u32::MAX.checked_shl(32 - len).unwrap_or(0);
        let first = u32::from(lookups.first(sys, base, family)?.ok()?) & mask;
        return Some(
            (first..=first | !mask).map(Ipv4Addr::from).map(|addr| (addr.to_string(), addr)).collect(),
        );
    }
    let octets: Vec<&str> = word.split('.').collect();
    if octets.len() == 4 && word.contains(['-', ',', '*']) {
        let mut lists = Vec::new();
        for octet in octets {
            let range = if octet == "*" { "0-255" } else { octet };
            lists.push(
                port_list(range)?.into_iter().map(|n| u8::try_from(n).ok()).collect::<Option<Vec<u8>>>()?,
            );
        }
        let mut all = Vec::new();
        for a in &lists[0] {
            for b in &lists[1] {
                for c in &lists[2] {
                    all.extend(lists[3].iter().map(|d| Ipv4Addr::new(*a, *b, *c, *d)));
                }
            }
        }
        return Some(all.into_iter().map(|addr| (addr.to_string(), addr)).collect());
    }
    Some(vec![(word.to_owned(), lookups.first(sys, word, family)?.ok()?)])
}

fn tcp_flags(text: &str) -> Option<TcpFlags> {
    const NAMES: [(&str, char, TcpFlags); 8] = [
        ("syn", 's', TcpFlags::SYN),
        ("fin", 'f', TcpFlags::FIN),
        ("rst", 'r', TcpFlags::RST),
        ("psh", 'p', TcpFlags::PSH),
        ("ack", 'a', TcpFlags::ACK),
        ("urg", 'u', TcpFlags::URG),
        ("ece", 'e', TcpFlags::ECE),
        ("cwr", 'c', TcpFlags::CWR),
    ];
    let lower = text.to_ascii_lowercase();
    let by_name = |word: &str| NAMES.iter().find(|(name, ..)| *name == word).map(|(.., flag)| *flag);
    let named: Option<Vec<TcpFlags>> = lower.split(',').map(by_name).collect();
    let by_letter = || {
        lower
            .chars()
            .map(|c| NAMES.iter().find(|(_, letter, _)| *letter == c).map(|(.., flag)| *flag))
            .collect()
    };
    let flags = named.or_else(by_letter)?;
    Some(flags.into_iter().fold(TcpFlags(0), |all, flag| all | flag))
}

fn flag_letters(flags: TcpFlags) -> String {
    let letters = [
        (TcpFlags::SYN, 'S'),
        (TcpFlags::FIN, 'F'),
        (TcpFlags::RST, 'R'),
        (TcpFlags::PSH, 'P'),
        (TcpFlags::ACK, 'A'),
        (TcpFlags::URG, 'U'),
        (TcpFlags::ECE, 'E'),
        (TcpFlags::CWR, 'C'),
    ];
    letters.into_iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, letter)| letter).collect()
}

/// What an ICMP error says.
fn error_text(error: &IcmpError) -> String {
    let quoted = &error.quoted.packet;
    let whole = quoted.len() > quoted.header_len() + 8;
    let port = match &quoted.body {
        Body::Udp(udp) => Some(udp.dport),
        Body::Tcp(tcp) => Some(tcp.dport),
        _ => None,
    };
    match (error.kind, error.code) {
        (3, 0) if whole => format!("Network {} unreachable", quoted.dst()),
        (3, 0) => "Network unreachable".to_owned(),
        (3, 1) if whole => format!("Host {} unreachable", quoted.dst()),
        (3, 1) => "Host unreachable".to_owned(),
        (3, 2) if whole => format!("Protocol {} unreachable", quoted.proto().0),
        (3, 2) => "Protocol unreachable".to_owned(),
        (3, 3) => match port.filter(|_| whole) {
            Some(port) => format!("Port {port} unreachable"),
            None => "Port unreachable".to_owned(),
        },
        (3, 4) => format!("Fragmentation required (Next-Hop-MTU={})", error.rest & 0xffff),
        (3, 9) => "Destination network administratively prohibited".to_owned(),
        (3, 10) => "Destination host administratively prohibited".to_owned(),
        (3, 13) => "Communication administratively prohibited by filtering".to_owned(),
        (3, _) => "Destination unreachable (unknown code)".to_owned(),
        (5, 0) => format!("Network redirect to {}", Ipv4Addr::from(error.rest)),
        (5, _) => format!("Host redirect to {}", Ipv4Addr::from(error.rest)),
        (11, 0) => "TTL=0 during transit".to_owned(),
        (11, _) => "TTL=0 during reassembly".to_owned(),
        _ => "Parameter problem".to_owned(),
    }
}

/// A packet as nmap's tools print it. Source: `ippackethdrinfo`.
fn packet_text(packet: &Packet) -> String {
    let (src, dst, ttl, id, len) = (packet.src(), packet.dst(), packet.ttl, packet.id, packet.len());
    let header = format!("ttl={ttl} id={id} iplen={len} ");
    match &packet.body {
        Body::Icmp(icmp) => {
            let (kind, code) = icmp.type_code();
            let (text, rest) = match icmp {
                Icmp::Echo { request, id, seq, .. } => (
                    format!("Echo {}", if *request { "request" } else { "reply" }),
                    format!("id={id} seq={seq}"),
                ),
                Icmp::Error(error) => (error_text(error), String::new()),
                Icmp::Other { .. } => ("Unknown type".to_owned(), String::new()),
            };
            format!("ICMP [{src} > {dst} {text} (type={kind}/code={code}) {rest}] IP [{header}]")
        }
        Body::Tcp(tcp) => {
            let mss = tcp
                .options
                .as_ref()
                .and_then(|options| options.mss)
                .map_or_else(String::new, |mss| format!("<mss {mss}>"));
            let flags = flag_letters(tcp.flags);
            format!(
                "TCP {src}:{} > {dst}:{} {flags} {header} seq={} win={} {mss}",
                tcp.sport, tcp.dport, tcp.seq, tcp.window
            )
        }
        Body::Udp(udp) => format!("UDP {src}:{} > {dst}:{} {header}", udp.sport, udp.dport),
        _ => format!("IP {src} > {dst} {header}"),
    }
}

impl Options {
    fn parse(sys: &mut dyn Sys, args: &[String], lookups: &mut Lookups) -> Result<Self, Refused> {
        let mut parsed = Self {
            count: 5,
            delay: Duration::from_secs(1),
            ttl: 64,
            flags: TcpFlags::SYN,
            ..Self::default()
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let (name, attached) = match arg.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
                _ => (arg.as_str(), None),
            };
            let mut value = || attached.clone().or_else(|| args.next().cloned()).unwrap_or_default();
            let invalid = |what: &str| Refused(1, format!("Invalid {what}\nQUITTING!\n"));
            match name {
                "--icmp" => parsed.mode = Mode::Icmp,
                "--tcp" => parsed.mode = Mode::Tcp,
                "--udp" => parsed.mode = Mode::Udp,
                "--arp" => parsed.mode = Mode::Arp,
                "--tcp-connect" => parsed.mode = Mode::Connect,
                "-c" | "--count" => parsed.count = value().parse().map_err(|_| invalid("count"))?,
                "--delay" => parsed.delay = time(&value()).ok_or_else(|| invalid("delay"))?,
                "--rate" => match value().parse::<u32>() {
                    Ok(rate) if rate > 0 => parsed.delay = Duration::from_secs(1) / rate,
                    _ => return Err(invalid("rate")),
                },
                "-p" | "--dest-port" => {
                    parsed.ports = port_list(&value()).ok_or_else(|| invalid("target ports specification"))?
                }
                "-g" | "--source-port" => {
                    parsed.source_port = Some(value().parse().map_err(|_| invalid("source port"))?)
                }
                "-S" | "--source-ip" => {
                    parsed.source = Some(value().parse().map_err(|_| invalid("source IP address"))?)
                }
                "--flags" => parsed.flags = tcp_flags(&value()).ok_or_else(|| invalid("TCP flags"))?,
                "--ttl" => parsed.ttl = value().parse().map_err(|_| invalid("TTL"))?,
                "--tos" => parsed.tos = value().parse().map_err(|_| invalid("TOS"))?,
                "--data-length" => {
                    parsed.data_len = value()
                        .parse()
                        .ok()
                        .filter(|len| *len <= 1400)
                        .ok_or_else(|| invalid("data length"))?
                }
                "-H" | "--hide-sent" => parsed.hide_sent = true,
                "-q" | "--quiet" => parsed.quiet = true,
                "-h" | "--help" => return Err(Refused(0, USAGE.to_owned())),
                "-V" | "--version" => {
                    return Err(Refused(0, "\nNping version 0.7.93 ( https://nmap.org/nping )\n".to_owned()));
                }
                "-v" | "-4" | "-N" | "--no-capture" | "--privileged" => {}
                name if name.starts_with('-') => {
                    return Err(Refused(
                        1,
                        format!(
                            "nping: unrecognized option '{name}'\nTry \"nping --help\" for more information.\n"
                        ),
                    ));
                }
                word => match targets(sys, lookups, Family::V4, word) {
                    Some(found) => parsed.targets.extend(found),
                    None => parsed.unknown.push(word.to_owned()),
                },
            }
        }
        if parsed.ports.is_empty() {
            parsed.ports = vec![if parsed.mode == Mode::Udp { 40125 } else { 80 }];
        }
        Ok(parsed)
    }
}

impl State {
    fn start(
        sys: &mut dyn Sys,
        args: &[String],
        lookups: &mut Lookups,
    ) -> Result<Result<Self, Wait>, Refused> {
        let options = Options::parse(sys, args, lookups)?;
        if let Some(wait) = lookups.waits() {
            return Ok(Err(wait));
        }
        for word in &options.unknown {
            let note = "Note that you can't use '/mask' AND '1-4,7,100-' style IP ranges";
            complain(sys, &format!("Failed to resolve given hostname/IP: {word}. {note}.\n"));
        }
        let at = super::nmap::minute(sys.unix_time());
        say(sys, &format!("\nStarting Nping 0.7.93 ( https://nmap.org/nping ) at {at} UTC\n"));
        if options.targets.is_empty() {
            return Err(Refused(
                1,
                "Execution aborted. Nping needs at least one valid target to operate.\nQUITTING!\n"
                    .to_owned(),
            ));
        }
        let uses_ports = matches!(options.mode, Mode::Tcp | Mode::Udp | Mode::Connect);
        let ports = if uses_ports { options.ports.clone() } else { vec![0] };
        let mut probes = Vec::new();
        for round in 1..=options.count {
            for port in &ports {
                probes.extend(options.targets.iter().map(|(_, target)| Probe {
                    target: *target,
                    port: *port,
                    seq: round as u16,
                }));
            }
        }
        let kinds = match options.mode {
            Mode::Icmp => vec![SocketKind::Raw(Proto::ICMP)],
            Mode::Tcp => vec![SocketKind::Raw(Proto::TCP), SocketKind::Raw(Proto::ICMP)],
            Mode::Udp => vec![SocketKind::Raw(Proto::UDP), SocketKind::Raw(Proto::ICMP)],
            Mode::Arp => vec![SocketKind::Packet { arp_only: true }],
            Mode::Connect => Vec::new(),
        };
        let mut sockets = Vec::new();
        for kind in kinds {
            let fd = sys.socket(kind).map_err(|errno| Refused(1, format!("socket: {errno}\nQUITTING!\n")))?;
            if matches!(kind, SocketKind::Raw(_)) {
                let _ = sys.set_option(fd, SocketOption::HeaderIncluded(true));
                let _ = sys.set_option(fd, SocketOption::Broadcast(true));
            }
            sockets.push(fd);
        }
        let source_port = options.source_port.unwrap_or_else(|| 1024 + (sys.random() % 60_000) as u16);
        Ok(Ok(Self {
            started: sys.now(),
            probes,
            next: 0,
            next_at: sys.now(),
            sockets,
            connecting: Vec::new(),
            id: sys.random() as u16,
            ip_id: sys.random() as u16,
            source_port,
            tcp_seq: sys.random() as u32,
            last_sent: sys.now(),
            sent: (0, 0),
            received: (0, 0),
            connected: 0,
            round_trips: Vec::new(),
            options,
        }))
    }

    fn line(&self, sys: &mut dyn Sys, what: &str, text: &str) {
        if self.options.quiet || (what == "SENT" && self.options.hide_sent) {
            return;
        }
        let tenths = sys.now().since(self.started).as_micros() / 100;
        say(sys, &format!("{what} ({}.{:04}s) {text}\n", tenths / 10_000, tenths % 10_000));
    }

    /// Own address and device towards a target.
    fn route(sys: &mut dyn Sys, target: Ipv4Addr) -> Option<(Ipv4Addr, String)> {
        let probe = sys.socket(SocketKind::Udp).ok()?;
        let connected = sys.connect(probe, SocketAddr::new(IpAddr::V4(target), 1));
        let own = sys.local_addr(probe).map(|addr| addr.ip());
        sys.close(probe);
        let Some(IpAddr::V4(own)) = own.filter(|_| connected.is_ok()) else { return None };
        let netns = sys.netns();
        let query = RouteQuery { dst: Some(IpAddr::V4(target)), ..RouteQuery::default() };
        let answer = sys.kernel().route_get(netns, &query, sys.now()).ok()?;
        Some((own, answer.dev?))
    }

    fn send(&mut self, sys: &mut dyn Sys, probe: Probe) {
        self.last_sent = sys.now();
        match self.options.mode {
            Mode::Connect => self.connect(sys, probe),
            Mode::Arp => self.send_arp(sys, probe),
            Mode::Icmp | Mode::Tcp | Mode::Udp => self.send_packet(sys, probe),
        }
    }

    fn connect(&mut self, sys: &mut dyn Sys, probe: Probe) {
        let to = SocketAddr::new(IpAddr::V4(probe.target), probe.port);
        let Ok(fd) = sys.socket(SocketKind::Tcp) else { return };
        self.line(sys, "SENT", &format!("Starting TCP Handshake > {to}"));
        self.sent.0 += 1;
        match sys.connect(fd, to) {
            Ok(()) | Err(Errno::InProgress) => self.connecting.push((fd, to, sys.now())),
            Err(errno) => {
                complain(sys, &format!("nping_event_handler(): CONNECT to {to} failed: {errno}\n"));
                sys.close(fd);
            }
        }
    }

    fn send_arp(&mut self, sys: &mut dyn Sys, probe: Probe) {
        let Some((own, device)) = Self::route(sys, probe.target) else { return };
        let netns = sys.netns();
        let mac = sys
            .kernel()
            .links(netns)
            .into_iter()
            .find(|link| link.name == device)
            .and_then(|link| link.address);
        let Some((mac, broadcast)) = mac else { return };
        let _ = sys.set_option(self.sockets[0], SocketOption::BindToDevice(Some(device)));
        let arp = Arp { op: ArpOp::Request, sha: mac, spa: own, tha: MacAddr::ZERO, tpa: probe.target };
        let frame = Frame {
            dst: broadcast,
            src: mac,
            tags: Default::default(),
            payload: EtherPayload::Arp(Box::new(arp)),
        };
        self.sent = (self.sent.0 + 1, self.sent.1 + frame.len() as u64);
        self.line(sys, "SENT", &format!("ARP who has {}? Tell {own}", probe.target));
        if let Err(errno) = sys.send_frame(self.sockets[0], frame) {
            complain(sys, &format!("send_eth(): {errno}\n"));
        }
    }

    fn send_packet(&mut self, sys: &mut dyn Sys, probe: Probe) {
        let own = self
            .options
            .source
            .or_else(|| Self::route(sys, probe.target).map(|(own, _)| own))
            .unwrap_or(Ipv4Addr::UNSPECIFIED);
        let payload = Payload::from(vec![0; self.options.data_len]);
        let body = match self.options.mode {
            Mode::Tcp => Body::Tcp(Tcp {
                sport: self.source_port,
                dport: probe.port,
                seq: self.tcp_seq,
                ack: 0,
                flags: self.options.flags,
                window: 1480,
                options: None,
                payload,
            }),
            Mode::Udp => Body::Udp(Udp {
                sport: self.source_port,
                dport: probe.port,
                checksum: true,
                data: UdpData::Bytes(payload),
            }),
            _ => Body::Icmp(Icmp::Echo { request: true, id: self.id, seq: probe.seq, payload }),
        };
        let packet = Packet {
            ttl: self.options.ttl,
            tos: self.options.tos,
            id: self.ip_id,
            ..Packet::new(IpAddr::V4(own), IpAddr::V4(probe.target), body)
        };
        let text = packet_text(&packet);
        let len = packet.len();
        self.sent = (self.sent.0 + 1, self.sent.1 + len as u64);
        self.line(sys, "SENT", &text);
        if let Err(errno) = sys.send_packet(self.sockets[0], packet) {
            let to = probe.target;
            complain(
                sys,
                &format!(
                    "sendto in send_ip_packet_sd: sendto(4, packet, {len}, 0, {to}, 16) => {errno}\nOffending packet: {text}\n"
                ),
            );
        }
    }

    /// Whether a packet answers one of the probes.
    fn is_answer(&self, packet: &Packet) -> bool {
        let known = |addr: IpAddr| self.options.targets.iter().any(|(_, target)| IpAddr::V4(*target) == addr);
        match (&packet.body, self.options.mode) {
            (Body::Icmp(Icmp::Error(error)), Mode::Tcp | Mode::Udp | Mode::Icmp) => {
                known(error.quoted.packet.dst())
            }
            (Body::Icmp(Icmp::Echo { request: false, id, .. }), Mode::Icmp) => *id == self.id,
            (Body::Tcp(tcp), Mode::Tcp) => tcp.dport == self.source_port && known(packet.src()),
            (Body::Udp(udp), Mode::Udp) => udp.dport == self.source_port && known(packet.src()),
            _ => false,
        }
    }

    fn receive(&mut self, sys: &mut dyn Sys) {
        for fd in self.sockets.clone() {
            if self.options.mode == Mode::Arp {
                while let Ok(captured) = sys.recv_frame(fd) {
                    let EtherPayload::Arp(arp) = &captured.frame.payload else { continue };
                    if arp.op == ArpOp::Reply
                        && self.options.targets.iter().any(|(_, target)| *target == arp.spa)
                    {
                        self.received = (self.received.0 + 1, self.received.1 + Arp::LEN as u64);
                        self.line(sys, "RCVD", &format!("ARP reply {} is at {}", arp.spa, arp.sha));
                    }
                }
                continue;
            }
            while let Ok(received) = sys.recv(fd, 1 << 16) {
                let Some(packet) = received.packet.filter(|packet| self.is_answer(packet)) else { continue };
                self.received = (self.received.0 + 1, self.received.1 + packet.len() as u64);
                self.round_trips.push(received.at.since(self.last_sent).as_micros() as u64);
                self.line(sys, "RCVD", &packet_text(&packet));
            }
        }
        let mut open = Vec::new();
        for (fd, to, at) in std::mem::take(&mut self.connecting) {
            if let Some(errno) = sys.take_error(fd) {
                if errno == Errno::ConnRefused {
                    self.line(
                        sys,
                        "RCVD",
                        &format!("Possible TCP RST received from {to} --> Connection refused"),
                    );
                } else {
                    complain(sys, &format!("nping_event_handler(): CONNECT to {to} failed: {errno}\n"));
                }
                sys.close(fd);
            } else if sys.peer_addr(fd).is_some() && sys.ready(fd).writable {
                self.connected += 1;
                self.round_trips.push(sys.now().since(at).as_micros() as u64);
                self.line(sys, "RCVD", &format!("Handshake with {to} completed"));
                sys.close(fd);
            } else {
                open.push((fd, to, at));
            }
        }
        self.connecting = open;
    }
}

impl Turns for State {
    /// One turn; nothing to wait for at the end.
    fn turn(&mut self, sys: &mut dyn Sys) -> Option<Wait> {
        self.receive(sys);
        while let Some(probe) = self.probes.get(self.next).copied()
            && sys.now() >= self.next_at
        {
            self.next += 1;
            self.next_at = sys.now() + self.options.delay;
            self.send(sys, probe);
            self.receive(sys);
        }
        let all_sent = self.next >= self.probes.len();
        let connects_over = self.options.mode == Mode::Connect && self.connecting.is_empty();
        if all_sent && (connects_over || sys.now() >= self.next_at) {
            return None;
        }
        let fds = self.sockets.iter().copied().chain(self.connecting.iter().map(|(fd, ..)| *fd)).collect();
        Some(Wait { fds, until: Some(self.next_at), ..Wait::default() })
    }

    fn finish(&self, sys: &mut dyn Sys) {
        let millis = |micros: u64| format!("{}.{:03}ms", micros / 1000, micros % 1000);
        let rtt = |value: Option<u64>| value.map_or_else(|| "N/A".to_owned(), millis);
        let trips = &self.round_trips;
        let average = trips.iter().sum::<u64>().checked_div(trips.len() as u64);
        let mut text = format!(
            " \nMax rtt: {} | Min rtt: {} | Avg rtt: {}\n",
            rtt(trips.iter().max().copied()),
            rtt(trips.iter().min().copied()),
            rtt(average)
        );
        let percent = |part: u64, all: u64| {
            let hundredths = (part * 10_000 + all / 2).checked_div(all).unwrap_or(0);
            format!("{}.{:02}%", hundredths / 100, hundredths % 100)
        };
        let (sent, received) = (self.sent, self.received);
        if self.options.mode == Mode::Connect {
            let failed = sent.0 - self.connected;
            text.push_str(&format!(
                "TCP connection attempts: {} | Successful connections: {} | Failed: {failed} ({})\n",
                sent.0,
                self.connected,
                percent(failed, sent.0)
            ));
        } else {
            let lost = sent.0.saturating_sub(received.0);
            text.push_str(&format!(
                "Raw packets sent: {} ({}) | Rcvd: {} ({}) | Lost: {lost} ({})\n",
                sent.0,
                byte_count(sent.1),
                received.0,
                byte_count(received.1),
                percent(lost, sent.0)
            ));
        }
        let hundredths = sys.now().since(self.started).as_millis() / 10;
        let targets = self.options.targets.len();
        text.push_str(&format!(
            "Nping done: {targets} IP address{} pinged in {}.{:02} seconds\n",
            if targets == 1 { "" } else { "es" },
            hundredths / 100,
            hundredths % 100
        ));
        say(sys, &text);
    }
}

/// Bytes as `999B`, `1.000KB`, `1.142MB`.
fn byte_count(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes}B"),
        1_000..1_000_000 => format!("{:.3}KB", bytes as f64 / 1e3),
        _ => format!("{:.3}MB", bytes as f64 / 1e6),
    }
}

impl Program for Nping {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let args = &self.args[1..];
        let lookups = &mut self.lookups;
        super::take_turn(&mut self.state, sys, |sys| State::start(sys, args, lookups))
    }

    fn signal(&mut self, sys: &mut dyn Sys, signal: Signal) -> Next {
        match (&self.state, signal) {
            (Some(state), Signal::Int) => {
                state.finish(sys);
                Next::Exit(0)
            }
            (_, signal) => Next::Exit(128 + signal.number()),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
