//! `nmap` 7.93: connect scans, SYN scans and host discovery.
//!
//! Simplified: ports must be given with `-p`; no version, script or system detection.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use kernel::Errno;
use kernel::dump::RouteQuery;
use kernel::socket::SocketKind;
use kernel::socket::SocketOption;
use packet::{
    Arp, ArpOp, Body, EtherPayload, Frame, Icmp, MacAddr, Packet, Payload, Proto, SimTime, Tcp, TcpFlags,
    TcpOptions,
};
use world::{Args, Fd, Next, Program, Registry, Sys, Wait};

use dns::Family;

use super::lookups::Lookups;
use super::nping::{port_list, targets};
use super::tcpdump::Names;
use super::{Refused, Turns, complain, say};

/// Installs `nmap`.
pub(crate) fn install(registry: &mut Registry) {
    registry.install("nmap", |args| Box::new(Nmap { args, lookups: Lookups::default(), state: None }));
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Scan {
    #[default]
    Connect,
    Syn,
    HostsOnly,
}

#[derive(Clone, Debug, Default)]
struct Options {
    scan: Scan,
    targets: Vec<Ipv4Addr>,
    /// Words that mean no host.
    unknown: Vec<String>,
    ports: Vec<u16>,
    skip_discovery: bool,
    open_only: bool,
    reason: bool,
    grepable: bool,
}

/// State of a port and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Verdict {
    state: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug)]
struct Nmap {
    args: Args,
    lookups: Lookups,
    state: Option<State>,
}

#[derive(Clone, Debug)]
struct State {
    options: Options,
    names: Names,
    started: SimTime,
    next: usize,
    up: usize,
    phase: Phase,
}

/// A host on its way through discovery and scan.
#[derive(Clone, Debug)]
enum Phase {
    NextHost,
    Discovery { host: Host, socket: Fd, until: SimTime },
    Scan { host: Host, sockets: Vec<Fd>, ports: Vec<Port>, tries: u32, until: SimTime },
}

#[derive(Clone, Debug)]
struct Host {
    addr: Ipv4Addr,
    own: Option<Ipv4Addr>,
    device: Option<String>,
    /// Found by ARP.
    mac: Option<MacAddr>,
    reason: &'static str,
    asked_at: SimTime,
    latency: Option<Duration>,
}

#[derive(Clone, Debug)]
struct Port {
    number: u16,
    /// Its connection, while it is tried.
    socket: Option<Fd>,
    verdict: Option<Verdict>,
}

const TIMEOUT: Duration = Duration::from_secs(1);
const TRIES: u32 = 2;
const SOURCE_PORT: u16 = 45_678;
/// More ports than this in one state are summed up.
const LISTED: usize = 25;

/// Services that nmap names otherwise than /etc/services, or that are missing there.
const SERVICES: [(u16, &str); 14] = [
    (81, "hosts2-ns"),
    (82, "xfer"),
    (88, "kerberos-sec"),
    (111, "rpcbind"),
    (139, "netbios-ssn"),
    (143, "imap"),
    (444, "snpp"),
    (445, "microsoft-ds"),
    (853, "domain-s"),
    (2379, "etcd-client"),
    (3000, "ppp"),
    (5000, "upnp"),
    (8000, "http-alt"),
    (8080, "http-proxy"),
];

/// A time since 1970 as `2026-01-31 23:59`.
pub(super) fn minute(unix: u64) -> String {
    let (year, month, day) = world::civil_date(unix / 86_400);
    format!("{year}-{month:02}-{day:02} {:02}:{:02}", unix / 3600 % 24, unix / 60 % 60)
}

impl Options {
    fn parse(sys: &mut dyn Sys, args: &[String], lookups: &mut Lookups) -> Result<Self, Refused> {
        let mut parsed = Self { scan: Scan::Syn, ..Self::default() };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let ports = match arg.strip_prefix("-p") {
                Some("") => args.next().cloned(),
                Some("-") => Some("1-65535".to_owned()),
                Some(ports) if !ports.starts_with('n') => Some(ports.to_owned()),
                _ => None,
            };
            if let Some(ports) = ports {
                let text = "Your port specifications are illegal.  Example of proper form: \"-100,200-1024,T:3000-4000,U:60000-\"\nQUITTING!\n";
                parsed.ports =
                    port_list(ports.trim_start_matches("T:")).ok_or_else(|| Refused(1, text.to_owned()))?;
                continue;
            }
            match arg.as_str() {
                "-sT" => parsed.scan = Scan::Connect,
                "-sS" => parsed.scan = Scan::Syn,
                "-sn" | "-sP" => parsed.scan = Scan::HostsOnly,
                "-Pn" | "-P0" | "-PN" => parsed.skip_discovery = true,
                "--open" => parsed.open_only = true,
                "--reason" => parsed.reason = true,
                "-oG" => match args.next().map(String::as_str) {
                    Some("-") => parsed.grepable = true,
                    _ => return Err(Refused(1, "nmap: only -oG - is simulated\nQUITTING!\n".to_owned())),
                },
                "-n" | "-4" | "-v" | "-r" => {}
                word if word.starts_with("-T") => {}
                "-V" | "--version" => {
                    return Err(Refused(0, "Nmap version 7.93 ( https://nmap.org )\n".to_owned()));
                }
                word if word.starts_with('-') => {
                    return Err(Refused(
                        1,
                        format!(
                            "nmap: option '{word}' is not simulated\nSee the output of nmap -h for a summary of options.\n"
                        ),
                    ));
                }
                word => match targets(sys, lookups, Family::Any, word) {
                    Some(found) => parsed.targets.extend(found.into_iter().map(|(_, addr)| addr)),
                    None => parsed.unknown.push(word.to_owned()),
                },
            }
        }
        if parsed.ports.is_empty() && parsed.scan != Scan::HostsOnly {
            return Err(Refused(
                1,
                "nmap: the list of well-known ports is not simulated: give ports with -p\nQUITTING!\n"
                    .to_owned(),
            ));
        }
        Ok(parsed)
    }
}

fn syn(own: Ipv4Addr, target: Ipv4Addr, port: u16) -> Packet {
    let options = TcpOptions { mss: Some(1460), ..TcpOptions::default() };
    let tcp = Tcp {
        sport: SOURCE_PORT,
        dport: port,
        seq: 0x2000_0000,
        ack: 0,
        flags: TcpFlags::SYN,
        window: 1024,
        options: Some(Box::new(options)),
        payload: Payload::EMPTY,
    };
    Packet::new(IpAddr::V4(own), IpAddr::V4(target), Body::Tcp(tcp))
}

impl State {
    fn start(
        sys: &mut dyn Sys,
        args: &[String],
        lookups: &mut Lookups,
    ) -> Result<Result<Self, Wait>, Refused> {
        let options = Options::parse(sys, &args[1..], lookups)?;
        if let Some(wait) = lookups.waits() {
            return Ok(Err(wait));
        }
        for word in &options.unknown {
            complain(sys, &format!("Failed to resolve \"{word}\".\n"));
        }
        if options.grepable {
            let line = args.join(" ");
            let at = world::ctime(sys.unix_time());
            say(sys, &format!("# Nmap 7.93 scan initiated {at} as: {line}\n"));
        } else {
            let at = minute(sys.unix_time());
            say(sys, &format!("Starting Nmap 7.93 ( https://nmap.org ) at {at} UTC\n"));
        }
        if options.targets.is_empty() {
            complain(sys, "WARNING: No targets were specified, so 0 hosts scanned.\n");
        }
        Ok(Ok(Self {
            options,
            names: Names::read(sys),
            started: sys.now(),
            next: 0,
            up: 0,
            phase: Phase::NextHost,
        }))
    }

    /// The way to a host: own address, device, and whether it is a neighbour.
    fn host(sys: &mut dyn Sys, addr: Ipv4Addr) -> (Host, bool) {
        let netns = sys.netns();
        let query = RouteQuery { dst: Some(IpAddr::V4(addr)), ..RouteQuery::default() };
        let answer = sys.kernel().route_get(netns, &query, sys.now()).ok();
        let own = match answer.as_ref().and_then(|answer| answer.prefsrc) {
            Some(IpAddr::V4(own)) => Some(own),
            _ => None,
        };
        let device = answer.as_ref().and_then(|answer| answer.dev.clone());
        let neighbour = answer.is_some_and(|answer| answer.via.is_none()) && device.as_deref() != Some("lo");
        let now = sys.now();
        (Host { addr, own, device, mac: None, reason: "user-set", asked_at: now, latency: None }, neighbour)
    }

    /// Asks whether a host is there.
    fn discover(&mut self, sys: &mut dyn Sys, addr: Ipv4Addr) -> Phase {
        let (mut host, neighbour) = Self::host(sys, addr);
        if host.device.as_deref() == Some("lo") {
            host.reason = "localhost-response";
            host.latency = Some(Duration::from_micros(50));
            return self.scan(sys, host);
        }
        // A neighbour is asked by ARP whatever the options say, unless connections are enough.
        if self.options.skip_discovery && (self.options.scan == Scan::Connect || !neighbour) {
            return self.scan(sys, host);
        }
        let until = sys.now() + TIMEOUT;
        let kind =
            if neighbour { SocketKind::Packet { arp_only: true } } else { SocketKind::Raw(Proto::ICMP) };
        let Ok(socket) = sys.socket(kind) else { return Phase::NextHost };
        if neighbour {
            let netns = sys.netns();
            let device = host.device.clone().unwrap_or_default();
            let mac = sys
                .kernel()
                .links(netns)
                .into_iter()
                .find(|link| link.name == device)
                .and_then(|link| link.address);
            let _ = sys.set_option(socket, SocketOption::BindToDevice(Some(device)));
            if let (Some((mac, broadcast)), Some(own)) = (mac, host.own) {
                let arp = Arp { op: ArpOp::Request, sha: mac, spa: own, tha: MacAddr::ZERO, tpa: addr };
                let frame = Frame {
                    dst: broadcast,
                    src: mac,
                    tags: Default::default(),
                    payload: EtherPayload::Arp(Box::new(arp)),
                };
                let _ = sys.send_frame(socket, frame);
            }
        } else {
            let own = host.own.unwrap_or(Ipv4Addr::UNSPECIFIED);
            let echo = Icmp::Echo { request: true, id: SOURCE_PORT, seq: 0, payload: Payload::EMPTY };
            let _ = sys.send_packet(socket, Packet::new(IpAddr::V4(own), IpAddr::V4(addr), Body::Icmp(echo)));
        }
        Phase::Discovery { host, socket, until }
    }

    /// Whether the host answered.
    fn discovered(sys: &mut dyn Sys, host: &mut Host, socket: Fd) -> bool {
        while let Ok(captured) = sys.recv_frame(socket) {
            if let EtherPayload::Arp(arp) = &captured.frame.payload
                && arp.op == ArpOp::Reply
                && arp.spa == host.addr
            {
                host.mac = Some(arp.sha);
                host.reason = "arp-response";
                host.latency = Some(captured.at.since(host.asked_at));
                return true;
            }
        }
        while let Ok(received) = sys.recv(socket, 1 << 16) {
            if let Some(Body::Icmp(Icmp::Echo { request: false, .. })) =
                received.packet.as_ref().map(|packet| &packet.body)
                && received.from.ip() == IpAddr::V4(host.addr)
            {
                host.reason = "echo-reply";
                host.latency = Some(received.at.since(host.asked_at));
                return true;
            }
        }
        false
    }

    fn scan(&mut self, sys: &mut dyn Sys, mut host: Host) -> Phase {
        host.asked_at = sys.now();
        let ports =
            self.options.ports.iter().map(|&number| Port { number, socket: None, verdict: None }).collect();
        let mut sockets = Vec::new();
        if self.options.scan == Scan::Syn {
            for proto in [Proto::TCP, Proto::ICMP] {
                sockets.extend(sys.socket(SocketKind::Raw(proto)).ok());
            }
        }
        let mut phase = Phase::Scan { host, sockets, ports, tries: 0, until: sys.now() + TIMEOUT };
        self.probe(sys, &mut phase);
        phase
    }

    /// Tries every port that has no verdict yet.
    fn probe(&self, sys: &mut dyn Sys, phase: &mut Phase) {
        let Phase::Scan { host, sockets, ports, tries, until } = phase else { return };
        *tries += 1;
        *until = sys.now() + TIMEOUT;
        if self.options.scan == Scan::HostsOnly {
            return;
        }
        for port in ports.iter_mut().filter(|port| port.verdict.is_none()) {
            if self.options.scan == Scan::Syn {
                let packet = syn(host.own.unwrap_or(Ipv4Addr::UNSPECIFIED), host.addr, port.number);
                if let Some(Err(_)) = sockets.first().map(|socket| sys.send_packet(*socket, packet)) {
                    port.verdict = Some(Verdict { state: "filtered", reason: "host-unreach" });
                }
                continue;
            }
            if let Some(old) = port.socket.take() {
                sys.close(old);
            }
            let Ok(fd) = sys.socket(SocketKind::Tcp) else { continue };
            match sys.connect(fd, SocketAddr::new(IpAddr::V4(host.addr), port.number)) {
                Ok(()) | Err(Errno::InProgress) => port.socket = Some(fd),
                Err(errno) => {
                    port.verdict = Some(connect_verdict(errno));
                    sys.close(fd);
                }
            }
        }
    }

    /// Reads what the ports answered.
    fn collect(sys: &mut dyn Sys, host: &mut Host, sockets: &[Fd], ports: &mut [Port]) {
        let latency = sys.now().since(host.asked_at);
        for port in ports.iter_mut() {
            let Some(fd) = port.socket else { continue };
            if let Some(errno) = sys.take_error(fd) {
                port.verdict = Some(connect_verdict(errno));
            } else if sys.peer_addr(fd).is_some() && sys.ready(fd).writable {
                let _ = sys.set_option(fd, SocketOption::LingerZero(true));
                port.verdict = Some(Verdict { state: "open", reason: "syn-ack" });
            } else {
                continue;
            }
            host.latency.get_or_insert(latency);
            sys.close(fd);
            port.socket = None;
        }
        for socket in sockets {
            while let Ok(received) = sys.recv(*socket, 1 << 16) {
                let Some(packet) = received.packet else { continue };
                let (number, verdict) = match &packet.body {
                    Body::Tcp(tcp) if tcp.dport == SOURCE_PORT && packet.src() == IpAddr::V4(host.addr) => {
                        let verdict = if tcp.flags.contains(TcpFlags::RST) {
                            Verdict { state: "closed", reason: "reset" }
                        } else {
                            Verdict { state: "open", reason: "syn-ack" }
                        };
                        (tcp.sport, verdict)
                    }
                    Body::Icmp(Icmp::Error(error)) if error.quoted.packet.dst() == IpAddr::V4(host.addr) => {
                        let Body::Tcp(tcp) = &error.quoted.packet.body else { continue };
                        let reason = match error.code {
                            0 => "net-unreach",
                            1 => "host-unreach",
                            2 => "proto-unreach",
                            3 => "port-unreach",
                            9 => "net-prohibited",
                            10 => "host-prohibited",
                            _ => "admin-prohibited",
                        };
                        (tcp.dport, Verdict { state: "filtered", reason })
                    }
                    _ => continue,
                };
                host.latency.get_or_insert(latency);
                if let Some(port) =
                    ports.iter_mut().find(|port| port.number == number && port.verdict.is_none())
                {
                    port.verdict = Some(verdict);
                }
            }
        }
    }

    fn service(&self, port: u16) -> String {
        let own = SERVICES.iter().find(|(number, _)| *number == port).map(|(_, name)| *name);
        own.or_else(|| self.names.service(port, "tcp")).unwrap_or("unknown").to_owned()
    }

    /// A host's part of the report.
    fn report(&mut self, sys: &mut dyn Sys, host: &Host, ports: &[Port]) {
        self.up += 1;
        let silent = Verdict { state: "filtered", reason: "no-response" };
        let verdicts: Vec<(u16, Verdict)> =
            ports.iter().map(|port| (port.number, port.verdict.unwrap_or(silent))).collect();
        let many =
            |state: &str| verdicts.iter().filter(|(_, verdict)| verdict.state == state).count() > LISTED;
        let shown =
            |verdict: &Verdict| verdict.state == "open" || (!self.options.open_only && !many(verdict.state));
        let (listed, hidden): (Vec<_>, Vec<_>) =
            verdicts.iter().copied().partition(|(_, verdict)| shown(verdict));
        if self.options.open_only && listed.is_empty() && self.options.scan != Scan::HostsOnly {
            return;
        }
        if self.options.grepable {
            let fields: Vec<String> = listed
                .iter()
                .map(|(port, verdict)| format!("{port}/{}/tcp//{}///", verdict.state, self.service(*port)))
                .collect();
            let mut text = format!("Host: {} ()\tStatus: Up\n", host.addr);
            if !fields.is_empty() {
                text.push_str(&format!("Host: {} ()\tPorts: {}\n", host.addr, fields.join(", ")));
            }
            say(sys, &text);
            return;
        }
        let reason = if self.options.reason { format!(", received {}", host.reason) } else { String::new() };
        let latency = host.latency.map_or_else(String::new, |latency| {
            let micros = latency.as_micros();
            format!(" ({}.{:06}s latency)", micros / 1_000_000, micros % 1_000_000)
        });
        let mut text = format!("Nmap scan report for {}\nHost is up{reason}{latency}.\n", host.addr);
        if self.options.scan != Scan::HostsOnly {
            text.push_str(&self.not_shown(&hidden));
            text.push_str(&self.table(&listed));
        }
        if let Some(mac) = host.mac {
            text.push_str(&format!("MAC Address: {} (Unknown)\n", mac.to_string().to_ascii_uppercase()));
        }
        if self.options.scan != Scan::HostsOnly {
            text.push('\n');
        }
        say(sys, &text);
    }

    fn not_shown(&self, hidden: &[(u16, Verdict)]) -> String {
        let mut groups: Vec<(Verdict, usize)> = Vec::new();
        for (_, verdict) in hidden {
            match groups.iter_mut().find(|(known, _)| known == verdict) {
                Some((_, count)) => *count += 1,
                None => groups.push((*verdict, 1)),
            }
        }
        if groups.is_empty() {
            return "\n".to_owned();
        }
        let texts: Vec<String> = groups
            .iter()
            .map(|(verdict, count)| {
                format!(
                    "{count} {} tcp port{} ({})",
                    verdict.state,
                    if *count == 1 { "" } else { "s" },
                    verdict.reason
                )
            })
            .collect();
        format!("Not shown: {}\n", texts.join(", "))
    }

    fn table(&self, listed: &[(u16, Verdict)]) -> String {
        if listed.is_empty() {
            return String::new();
        }
        let mut rows =
            vec![["PORT".to_owned(), "STATE".to_owned(), "SERVICE".to_owned(), "REASON".to_owned()]];
        for (port, verdict) in listed {
            rows.push([
                format!("{port}/tcp"),
                verdict.state.to_owned(),
                self.service(*port),
                verdict.reason.to_owned(),
            ]);
        }
        let columns = if self.options.reason { 4 } else { 3 };
        let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |row: &[String; 4]| {
            let fields: Vec<String> =
                row[..columns].iter().zip(&widths).map(|(field, width)| format!("{field:<width$}")).collect();
            format!("{}\n", fields.join(" ").trim_end())
        };
        rows.iter().map(line).collect()
    }
}

impl Turns for State {
    /// One turn; nothing to wait for at the end.
    fn turn(&mut self, sys: &mut dyn Sys) -> Option<Wait> {
        loop {
            self.phase = match std::mem::replace(&mut self.phase, Phase::NextHost) {
                Phase::NextHost => {
                    let addr = *self.options.targets.get(self.next)?;
                    self.next += 1;
                    self.discover(sys, addr)
                }
                Phase::Discovery { mut host, socket, until } => {
                    if Self::discovered(sys, &mut host, socket) {
                        sys.close(socket);
                        self.scan(sys, host)
                    } else if sys.now() >= until {
                        sys.close(socket);
                        Phase::NextHost
                    } else {
                        self.phase = Phase::Discovery { host, socket, until };
                        return Some(Wait { fds: vec![socket], until: Some(until), ..Wait::default() });
                    }
                }
                Phase::Scan { mut host, sockets, mut ports, tries, until } => {
                    Self::collect(sys, &mut host, &sockets, &mut ports);
                    let waiting = ports.iter().any(|port| port.verdict.is_none());
                    if !waiting || (sys.now() >= until && tries >= TRIES) {
                        for fd in sockets.iter().copied().chain(ports.iter().filter_map(|port| port.socket)) {
                            sys.close(fd);
                        }
                        self.report(sys, &host, &ports);
                        continue;
                    }
                    let now = sys.now();
                    let mut phase = Phase::Scan { host, sockets, ports, tries, until };
                    if now >= until {
                        self.probe(sys, &mut phase);
                    }
                    let Phase::Scan { sockets, ports, until, .. } = &phase else { continue };
                    let fds =
                        sockets.iter().copied().chain(ports.iter().filter_map(|port| port.socket)).collect();
                    let wait = Wait { fds, until: Some(*until), ..Wait::default() };
                    self.phase = phase;
                    return Some(wait);
                }
            };
        }
    }

    fn finish(&self, sys: &mut dyn Sys) {
        let hundredths = sys.now().since(self.started).as_millis() / 10;
        let targets = self.options.targets.len();
        let (addresses, hosts) = (if targets == 1 { "" } else { "es" }, if self.up == 1 { "" } else { "s" });
        let took = format!(
            "{targets} IP address{addresses} ({} host{hosts} up) scanned in {}.{:02} seconds\n",
            self.up,
            hundredths / 100,
            hundredths % 100
        );
        if self.options.grepable {
            let at = world::ctime(sys.unix_time());
            say(sys, &format!("# Nmap done at {at} -- {took}"));
            return;
        }
        if self.up == 0 && targets == 1 && !self.options.skip_discovery && !self.options.open_only {
            say(sys, "Note: Host seems down. If it is really up, but blocking our ping probes, try -Pn\n");
        }
        say(sys, &format!("Nmap done: {took}"));
    }
}

/// What a failed connection says of a port.
fn connect_verdict(errno: Errno) -> Verdict {
    match errno {
        Errno::ConnRefused => Verdict { state: "closed", reason: "conn-refused" },
        Errno::HostUnreach => Verdict { state: "filtered", reason: "host-unreach" },
        Errno::NetUnreach => Verdict { state: "filtered", reason: "net-unreach" },
        Errno::Acces | Errno::Perm => Verdict { state: "filtered", reason: "admin-prohibited" },
        _ => Verdict { state: "filtered", reason: "no-response" },
    }
}

impl Program for Nmap {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let args = &self.args;
        let lookups = &mut self.lookups;
        super::take_turn(&mut self.state, sys, |sys| State::start(sys, args, lookups))
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
