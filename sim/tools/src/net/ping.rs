//! `ping` of iputils 20221126, for IPv4, by a raw socket as root's ping has it.
//!
//! Source: iputils `ping/ping.c`, `ping/ping_common.c`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use kernel::Errno;
use kernel::socket::{MtuDiscover, Received, SocketError, SocketKind, SocketOption};
use packet::{Body, Icmp, Packet, Payload, Proto, SimTime};
use world::{Args, EPOCH, Fd, Next, Program, Registry, Signal, Sys, Wait};

use dns::Family;

use super::lookups::{Found, Lookups, why};
use super::{Refused, complain, say, seconds};
use crate::getopt::getopt;

/// Installs `ping`.
pub(crate) fn install(registry: &mut Registry) {
    registry.install("ping", |args| Box::new(Ping { args, state: None, lookups: Lookups::default() }));
}

/// What the command line asked for.
#[derive(Clone, Debug)]
struct Options {
    target: String,
    count: Option<u64>,
    deadline: Option<Duration>,
    interval: Duration,
    linger: Duration,
    size: usize,
    ttl: Option<u8>,
    tos: u8,
    mark: u32,
    preload: u64,
    broadcast: bool,
    dont_route: bool,
    flood: bool,
    adaptive: bool,
    quiet: bool,
    audible: bool,
    report_outstanding: bool,
    print_timestamps: bool,
    record_route: bool,
    timestamp_option: Option<u8>,
    pmtu: Option<MtuDiscover>,
    pattern: Vec<u8>,
    device: Option<String>,
    source: Option<Ipv4Addr>,
}

fn refuse<T>(status: i32, text: impl Into<String>) -> Result<T, Refused> {
    Err(Refused(status, text.into()))
}

/// `strtol_or_err`.
fn number(text: &str, min: i64, max: i64) -> Result<i64, Refused> {
    match text.parse::<i64>() {
        Ok(n) if (min..=max).contains(&n) => Ok(n),
        Ok(_) => {
            refuse(1, format!("ping: invalid argument: '{text}': out of range: {min} <= value <= {max}\n"))
        }
        Err(_) => refuse(1, format!("ping: invalid argument: '{text}'\n")),
    }
}

/// A number in decimal, octal or hexadecimal, as `strtoul` with base 0.
fn any_base(text: &str) -> Option<u32> {
    match (text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")), text.strip_prefix('0')) {
        (Some(hex), _) => u32::from_str_radix(hex, 16).ok(),
        (None, Some(octal)) if !octal.is_empty() => u32::from_str_radix(octal, 8).ok(),
        _ => text.parse().ok(),
    }
}

/// How long an own ICMP error takes by way of `lo`. In Linux it is there when `sendmsg` returns.
const LOOPED: Duration = Duration::from_micros(2);

const USAGE: &str = "\nUsage\n  ping [options] <destination>\n\nOptions: -A -a -b -c COUNT -D -f -I INTERFACE|ADDRESS -i INTERVAL -l PRELOAD\n  -M PMTUDISC -m MARK -n -O -p PATTERN -Q TOS -q -R -r -s SIZE -T TIMESTAMP -t TTL\n  -V -v -W TIMEOUT -w DEADLINE\n";

impl Options {
    fn parse(args: &[String]) -> Result<Self, Refused> {
        let spec = "4aAbc:Dfhi:I:l:m:M:nOp:qQ:rRs:t:T:UvVw:W:";
        let (options, words) =
            getopt(args, spec, &[]).map_err(|error| Refused(2, format!("ping: {error}\n{USAGE}")))?;
        let mut parsed = Self {
            target: String::new(),
            count: None,
            deadline: None,
            interval: Duration::from_secs(1),
            linger: Duration::from_secs(10),
            size: 56,
            ttl: None,
            tos: 0,
            mark: 0,
            preload: 1,
            broadcast: false,
            dont_route: false,
            flood: false,
            adaptive: false,
            quiet: false,
            audible: false,
            report_outstanding: false,
            print_timestamps: false,
            record_route: false,
            timestamp_option: None,
            pmtu: None,
            pattern: Vec::new(),
            device: None,
            source: None,
        };
        for (letter, value) in options {
            let value = value.unwrap_or_default();
            match letter {
                'a' => parsed.audible = true,
                'A' => parsed.adaptive = true,
                'b' => parsed.broadcast = true,
                'c' => parsed.count = Some(number(&value, 1, i64::MAX)?.unsigned_abs()),
                'D' => parsed.print_timestamps = true,
                'f' => parsed.flood = true,
                'h' => return refuse(2, USAGE),
                'i' => {
                    // A negative interval is as short as can be.
                    let positive = if value.starts_with('-') { "0" } else { &value };
                    parsed.interval = seconds(positive)
                        .ok_or_else(|| Refused(2, format!("ping: bad timing interval: {value}\n")))?;
                }
                'I' => match value.parse() {
                    Ok(source) => parsed.source = Some(source),
                    Err(_) => parsed.device = Some(value),
                },
                'l' => parsed.preload = number(&value, 1, 65536)?.unsigned_abs(),
                'm' => {
                    parsed.mark = u32::try_from(number(&value, 0, i64::from(i32::MAX))?).unwrap_or_default()
                }
                'M' => {
                    parsed.pmtu = Some(match value.as_str() {
                        "do" => MtuDiscover::Do,
                        "dont" => MtuDiscover::Dont,
                        "want" => MtuDiscover::Want,
                        _ => return refuse(2, format!("ping: invalid -M argument: {value}\n")),
                    });
                }
                'O' => parsed.report_outstanding = true,
                'p' => parsed.pattern = pattern(&value)?,
                'q' => parsed.quiet = true,
                'Q' => {
                    parsed.tos = any_base(&value)
                        .and_then(|tos| u8::try_from(tos).ok())
                        .ok_or_else(|| Refused(2, format!("ping: bad TOS value: {value}\n")))?;
                }
                'r' => parsed.dont_route = true,
                'R' => parsed.record_route = true,
                's' => {
                    parsed.size = usize::try_from(number(&value, 0, i64::from(i32::MAX))?).unwrap_or_default()
                }
                't' => parsed.ttl = Some(u8::try_from(number(&value, 0, 255)?).unwrap_or_default()),
                'T' => {
                    parsed.timestamp_option = Some(match value.as_str() {
                        "tsonly" => 0,
                        "tsandaddr" => 1,
                        _ => return refuse(2, format!("ping: timestamp type `{value}' is not simulated\n")),
                    });
                }
                'V' => {
                    return refuse(
                        0,
                        "ping from iputils 20221126\nlibcap: yes, IDN: yes, NLS: no, error.h: yes, getrandom(): yes, __fpending(): yes\n",
                    );
                }
                'w' => {
                    parsed.deadline =
                        Some(Duration::from_secs(number(&value, 0, i64::from(i32::MAX))?.unsigned_abs()))
                }
                'W' => {
                    parsed.linger = seconds(&value)
                        .ok_or_else(|| Refused(2, format!("ping: bad linger time: {value}\n")))?;
                }
                _ => {}
            }
        }
        parsed.deadline = parsed.deadline.filter(|d| !d.is_zero());
        if parsed.flood {
            parsed.interval = parsed.interval.min(Duration::from_millis(10));
        }
        match words.as_slice() {
            [target] => parsed.target.clone_from(target),
            [] => return refuse(2, "ping: usage error: Destination address required\n"),
            _ => return refuse(2, USAGE),
        }
        Ok(parsed)
    }

    /// IP options to send, padded.
    fn ip_options(&self) -> Vec<u8> {
        let mut options = Vec::new();
        if self.record_route {
            options = vec![1, 7, 39, 4];
            options.resize(40, 0);
        } else if let Some(kind) = self.timestamp_option {
            let len = if kind == 0 { 40 } else { 36 };
            options = vec![68, len, 5, kind];
            options.resize(40, 0);
        }
        options
    }
}

/// Up to 16 bytes in hexadecimal.
fn pattern(text: &str) -> Result<Vec<u8>, Refused> {
    if !text.chars().all(|c| c.is_ascii_hexdigit()) {
        return refuse(2, format!("ping: patterns must be specified as hex digits: {text}\n"));
    }
    let digits: Vec<char> = text.chars().take(32).collect();
    Ok(digits.chunks(2).filter_map(|pair| u8::from_str_radix(&String::from_iter(pair), 16).ok()).collect())
}

#[derive(Clone, Debug)]
struct Ping {
    args: Args,
    state: Option<State>,
    lookups: Lookups,
}

#[derive(Clone, Debug)]
struct State {
    options: Options,
    socket: Fd,
    target: Ipv4Addr,
    ident: u16,
    multicast: bool,
    started: SimTime,
    /// When it last looked at the clock (`rts->cur_time`): not any more once all is sent.
    looked: SimTime,
    next_send: SimTime,
    deadline: Option<SimTime>,
    /// When to give up once everything was sent.
    give_up: Option<SimTime>,
    sent_at: BTreeMap<u16, SimTime>,
    answered: std::collections::BTreeSet<u16>,
    transmitted: u64,
    received: u64,
    duplicates: u64,
    errors: u64,
    acked: u16,
    in_flight_max: u64,
    /// Why the kernel didn't take the last request, until it is clear whether an ICMP error said more.
    refused: Option<Errno>,
    /// Sum, sum of squares, least and greatest round trip, in microseconds.
    rtt: Rtt,
    /// Attempts in a row that met a full queue.
    no_buffers: u32,
    route: Option<Vec<Ipv4Addr>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Rtt {
    sum: u128,
    squares: u128,
    min: u64,
    max: u64,
}

impl State {
    /// # Errors
    /// The text and status with which ping ends before it sends anything.
    ///
    /// Simplified: replies are printed with numbers, as with `-n`.
    fn start(sys: &mut dyn Sys, mut options: Options, found: Found) -> Result<Self, Refused> {
        let found =
            found.map_err(|error| Refused(2, format!("ping: {}: {}\n", options.target, why(sys, error))))?;
        let named =
            found.v4().next().ok_or_else(|| Refused(2, format!("ping: connect: {}\n", Errno::NetUnreach)))?;
        let name = found.canonical.unwrap_or_else(|| options.target.clone());
        options.target.clone_from(&name);
        let fail = |what: &str, errno: Errno| Refused(2, format!("ping: {what}: {errno}\n"));
        let socket = sys.socket(SocketKind::Raw(Proto::ICMP)).map_err(|e| fail("socket", e))?;
        let probe = sys.socket(SocketKind::Udp).map_err(|e| fail("socket", e))?;
        if let Some(device) = &options.device {
            for fd in [probe, socket] {
                sys.set_option(fd, SocketOption::BindToDevice(Some(device.clone())))
                    .map_err(|e| fail(&format!("SO_BINDTODEVICE {device}"), e))?;
            }
        }
        if let Some(source) = options.source {
            sys.bind(socket, SocketAddr::new(IpAddr::V4(source), 0)).map_err(|e| fail("bind", e))?;
        }
        for fd in [probe, socket] {
            sys.set_option(fd, SocketOption::Tos(options.tos)).map_err(|e| fail("cannot set TOS", e))?;
            sys.set_option(fd, SocketOption::Mark(options.mark)).map_err(|e| fail("cannot set mark", e))?;
        }
        // The probe tells which source address the kernel chooses, and whether there is a route.
        let multicast = named.is_multicast();
        let dst = SocketAddr::new(IpAddr::V4(named), 1025);
        if let Err(errno) = sys.connect(probe, dst) {
            if errno != Errno::Acces || !options.broadcast {
                if errno == Errno::Acces {
                    return refuse(
                        2,
                        "ping: Do you want to ping broadcast? Then -b. If not, check your local firewall rules\n",
                    );
                }
                return Err(fail("connect", errno));
            }
            complain(sys, "WARNING: pinging broadcast address\n");
            sys.set_option(probe, SocketOption::Broadcast(true)).map_err(|e| fail("connect", e))?;
            sys.connect(probe, dst).map_err(|e| fail("connect", e))?;
        }
        let chosen = match sys.local_addr(probe).map(|addr| addr.ip()) {
            Some(IpAddr::V4(addr)) => addr,
            _ => Ipv4Addr::UNSPECIFIED,
        };
        sys.close(probe);
        // 0.0.0.0 is this host.
        let target = if named.is_unspecified() { chosen } else { named };
        let source = options.source.unwrap_or(chosen);
        if let Some(device) = &options.device {
            let (netns, source) = (sys.netns(), IpAddr::V4(source));
            let kernel = sys.kernel();
            let on_device = kernel
                .dev_by_name(netns, device)
                .is_some_and(|dev| kernel.dev(dev).addrs.iter().any(|a| a.local.addr() == source));
            if !on_device {
                complain(
                    sys,
                    &format!(
                        "ping: Warning: source address might be selected on device other than: {device}\n"
                    ),
                );
            }
        }
        // What goes to many is never cut.
        let to_many = (options.broadcast || multicast).then_some(MtuDiscover::Do);
        if let Some(discover) = options.pmtu.or(to_many) {
            sys.set_option(socket, SocketOption::MtuDiscover(discover))
                .map_err(|e| fail("IP_MTU_DISCOVER", e))?;
        }
        sys.set_option(socket, SocketOption::RecvErr(true)).map_err(|e| fail("IP_RECVERR", e))?;
        if options.broadcast {
            sys.set_option(socket, SocketOption::Broadcast(true))
                .map_err(|e| fail("can't set broadcasting", e))?;
        }
        if multicast {
            sys.set_option(socket, SocketOption::MulticastLoop(true))
                .map_err(|e| fail("IP_MULTICAST_LOOP", e))?;
        }
        if options.dont_route {
            sys.set_option(socket, SocketOption::DontRoute(true)).map_err(|e| fail("SO_DONTROUTE", e))?;
        }
        let ip_options = options.ip_options();
        if !ip_options.is_empty() {
            sys.set_option(socket, SocketOption::IpOptions(ip_options.clone()))
                .map_err(|e| fail("IP_OPTIONS", e))?;
        }
        if let Some(ttl) = options.ttl {
            sys.set_option(socket, SocketOption::Ttl(ttl))
                .map_err(|e| fail("cannot set unicast time-to-live", e))?;
        }
        if !options.pattern.is_empty() {
            let hex: String = options.pattern.iter().map(|b| format!("{b:02x}")).collect();
            say(sys, &format!("PATTERN: 0x{hex}\n"));
        }
        let from = match (&options.device, options.source) {
            (None, None) => String::new(),
            (device, _) => format!("from {source} {}: ", device.as_deref().unwrap_or("")),
        };
        let total = options.size + 28 + ip_options.len();
        say(sys, &format!("PING {name} ({target}) {from}{}({total}) bytes of data.\n", options.size));
        let now = sys.now();
        Ok(Self {
            socket,
            target,
            ident: (sys.pid().0 & 0xffff) as u16,
            multicast,
            started: now,
            looked: now,
            next_send: now,
            deadline: options.deadline.map(|d| now + d),
            give_up: None,
            sent_at: BTreeMap::new(),
            answered: std::collections::BTreeSet::new(),
            transmitted: 0,
            received: 0,
            duplicates: 0,
            errors: 0,
            acked: 0,
            in_flight_max: 0,
            refused: None,
            rtt: Rtt::default(),
            no_buffers: 0,
            route: None,
            options,
        })
    }

    /// Sends one request. Answers when to send again.
    fn pinger(&mut self, sys: &mut dyn Sys) -> Duration {
        let now = sys.now();
        if self.refused.take().is_some() {
            // What the error queue doesn't explain stays unsaid, as in `receive_error_msg`.
            return self.hard_local_error();
        }
        let outstanding =
            self.transmitted > 0 && !self.answered.contains(&((self.transmitted & 0xffff) as u16));
        if self.options.report_outstanding && outstanding {
            self.stamp(sys);
            say(sys, &format!("no answer yet for icmp_seq={}\n", self.transmitted & 0xffff));
        }
        let seq = ((self.transmitted + 1) & 0xffff) as u16;
        let echo = Icmp::Echo { request: true, id: self.ident, seq, payload: self.payload(now) };
        let packet =
            Packet::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V4(self.target), Body::Icmp(echo));
        self.sent_at.insert(seq, now);
        match sys.send_packet(self.socket, packet) {
            Ok(()) => {
                self.no_buffers = 0;
                self.advance();
                return self.options.interval;
            }
            Err(Errno::NoBufs | Errno::NoMem) => {
                let pause = (self.options.interval / 2)
                    .min(Duration::from_millis(500))
                    .max(Duration::from_millis(10));
                self.no_buffers += 1;
                if pause * self.no_buffers < self.options.linger {
                    return pause;
                }
                complain_hard(sys, self.options.quiet, Errno::NoBufs);
            }
            Err(errno) => {
                let (_, local) = self.receive_errors(sys);
                if !local {
                    self.refused = Some(errno);
                    return LOOPED;
                }
            }
        }
        self.hard_local_error()
    }

    /// A request that the kernel refused counts as sent.
    fn hard_local_error(&mut self) -> Duration {
        self.advance();
        self.options.interval.max(Duration::from_millis(10))
    }

    fn advance(&mut self) {
        self.transmitted += 1;
    }

    fn payload(&self, now: SimTime) -> Payload {
        let mut data: Vec<u8> = if self.options.pattern.is_empty() {
            (0..self.options.size).map(|i| i as u8).collect()
        } else {
            self.options.pattern.iter().copied().cycle().take(self.options.size).collect()
        };
        if let Some(head) = data.get_mut(..16) {
            let nanos = now.as_nanos();
            head[..8].copy_from_slice(&(EPOCH + nanos / 1_000_000_000).to_le_bytes());
            head[8..].copy_from_slice(&(nanos % 1_000_000_000 / 1000).to_le_bytes());
        }
        data.into()
    }

    fn stamp(&self, sys: &mut dyn Sys) {
        if self.options.print_timestamps {
            let nanos = sys.now().as_nanos();
            say(sys, &format!("[{}.{:06}] ", EPOCH + nanos / 1_000_000_000, nanos % 1_000_000_000 / 1000));
        }
    }

    /// Reads everything that came.
    fn receive(&mut self, sys: &mut dyn Sys) {
        loop {
            let (icmp, local) = self.receive_errors(sys);
            match sys.recv(self.socket, 1 << 16) {
                Ok(received) => self.reply(sys, &received),
                Err(Errno::Again) if !icmp && !local => return,
                Err(_) => {}
            }
            if self.done() {
                return;
            }
        }
    }

    /// Reads the error queue. Answers whether an ICMP error for us and a local error were there.
    fn receive_errors(&mut self, sys: &mut dyn Sys) -> (bool, bool) {
        let (mut icmp, mut local) = (false, false);
        while let Some(error) = sys.recv_error(self.socket) {
            match error.icmp {
                None => {
                    local = true;
                    self.errors += u64::from(!self.options.quiet);
                    self.report_local(sys, &error);
                }
                Some((kind, code)) => {
                    let Some(seq) = self.own_request(error.packet.as_ref()) else { continue };
                    icmp = true;
                    self.acknowledge(seq);
                    self.errors += 1;
                    if !self.options.quiet {
                        self.stamp(sys);
                        let from = error.offender.map_or_else(String::new, |a| a.to_string());
                        let text = icmp_text(kind, code, error.info);
                        say(sys, &format!("From {from} icmp_seq={seq} {text}\n"));
                    }
                }
            }
            if self.done() {
                break;
            }
        }
        if icmp && let Some(errno) = self.refused.take() {
            complain_hard(sys, self.options.quiet, errno);
            self.next_send = sys.now() + self.hard_local_error();
        }
        (icmp, local)
    }

    fn report_local(&self, sys: &mut dyn Sys, error: &SocketError) {
        if self.options.quiet {
            return;
        }
        let text = match error.errno {
            Errno::MsgSize => format!("ping: local error: message too long, mtu={}\n", error.info),
            errno => format!("ping: local error: {errno}\n"),
        };
        complain(sys, &text);
    }

    /// The sequence number of a request of ours that an error quotes.
    fn own_request(&self, quoted: Option<&Packet>) -> Option<u16> {
        let quoted = quoted?;
        match &quoted.body {
            Body::Icmp(Icmp::Echo { request: true, id, seq, .. })
                if *id == self.ident && quoted.dst() == IpAddr::V4(self.target) =>
            {
                Some(*seq)
            }
            _ => None,
        }
    }

    /// iputils: `acknowledge` in `ping_common.c`.
    fn acknowledge(&mut self, seq: u16) {
        let transmitted = self.transmitted as u16;
        let behind = transmitted.wrapping_sub(seq);
        if behind > 0x7fff {
            return;
        }
        self.in_flight_max = self.in_flight_max.max(u64::from(behind) + 1);
        if (seq.wrapping_sub(self.acked) as i16) > 0 || transmitted.wrapping_sub(self.acked) > 0x7fff {
            self.acked = seq;
        }
    }

    fn reply(&mut self, sys: &mut dyn Sys, received: &Received) {
        let Some(packet) = &received.packet else { return };
        match &packet.body {
            Body::Icmp(Icmp::Echo { request: false, id, seq, payload }) if *id == self.ident => {
                self.echo_reply(sys, received, packet, *seq, payload.len());
            }
            Body::Icmp(Icmp::Error(error)) if error.kind == Icmp::REDIRECT => {
                let Some(seq) = self.own_request(Some(&error.quoted.packet)) else { return };
                if !self.options.quiet {
                    self.stamp(sys);
                    let text = icmp_text(error.kind, error.code, error.rest);
                    say(sys, &format!("From {}: icmp_seq={seq} {text}\n", packet.src()));
                }
            }
            _ => {}
        }
    }

    fn echo_reply(&mut self, sys: &mut dyn Sys, received: &Received, packet: &Packet, seq: u16, size: usize) {
        let timed = self.options.size >= 16;
        let trip = self.sent_at.get(&seq).filter(|_| timed).map(|&at| received.at.since(at));
        let duplicate = !self.answered.insert(seq);
        self.acknowledge(seq);
        if duplicate {
            self.duplicates += 1;
        } else {
            self.received += 1;
            if let Some(trip) = trip {
                let micros = u64::try_from(trip.as_micros()).unwrap_or(u64::MAX);
                let Rtt { sum, squares, min, max } = &mut self.rtt;
                *sum += u128::from(micros);
                *squares += u128::from(micros) * u128::from(micros);
                *min = if self.received == 1 { micros } else { (*min).min(micros) };
                *max = (*max).max(micros);
            }
        }
        if self.options.quiet || self.options.flood {
            return;
        }
        self.stamp(sys);
        let mut line = format!("{} bytes from {}: icmp_seq={seq} ttl={}", size + 8, packet.src(), packet.ttl);
        if let Some(trip) = trip {
            line.push_str(&format!(" time={} ms", trip_text(trip)));
        }
        if duplicate && !self.multicast {
            line.push_str(" (DUP!)");
        }
        if !self.options.broadcast && !self.multicast && packet.src() != IpAddr::V4(self.target) {
            line.push_str(" (DIFFERENT ADDRESS!)");
        }
        if self.options.audible {
            line.push('\u{7}');
        }
        line.push_str(&self.options_text(packet));
        line.push('\n');
        say(sys, &line);
    }

    /// Record route and timestamps of a reply, as `pr_options` prints them.
    fn options_text(&mut self, packet: &Packet) -> String {
        let mut text = String::new();
        let Some(options) = &packet.options else { return text };
        let mut rest = options.as_slice();
        while let [kind, more @ ..] = rest {
            match (kind, more) {
                (0, _) => break,
                (1, _) => rest = more,
                (7, [len, pointer, ..]) if usize::from(*len) <= rest.len() && *len >= 3 => {
                    let filled = usize::from(*pointer).saturating_sub(4).min(usize::from(*len) - 3);
                    let addrs: Vec<Ipv4Addr> = rest[3..3 + filled]
                        .chunks_exact(4)
                        .map(|a| Ipv4Addr::new(a[0], a[1], a[2], a[3]))
                        .collect();
                    if self.route.as_ref() == Some(&addrs) {
                        text.push_str("\t(same route)");
                    } else {
                        text.push_str("\nRR: ");
                        for addr in &addrs {
                            text.push_str(&format!("\t{addr}\n"));
                        }
                        self.route = Some(addrs);
                    }
                    rest = &rest[usize::from(*len)..];
                }
                (68, [len, pointer, flags, ..]) if usize::from(*len) <= rest.len() && *len >= 4 => {
                    let filled = usize::from(*pointer).saturating_sub(5).min(usize::from(*len) - 4);
                    text.push_str("\nTS: ");
                    let entry = if flags & 0xf == 0 { 4 } else { 8 };
                    let mut last = None;
                    for entry in rest[4..4 + filled].chunks_exact(entry) {
                        let (addr, time) = entry.split_at(entry.len() - 4);
                        if let [a, b, c, d] = addr {
                            text.push_str(&format!("\t{}", Ipv4Addr::new(*a, *b, *c, *d)));
                        }
                        let millis = time.iter().fold(0_u32, |n, b| n << 8 | u32::from(*b));
                        let millis = i64::from(millis);
                        match last {
                            None | Some(0) => text.push_str(&format!("\t{millis} absolute\n")),
                            Some(last) => text.push_str(&format!("\t{}\n", millis - last)),
                        }
                        last = Some(millis);
                    }
                    if flags >> 4 != 0 {
                        text.push_str(&format!("Unrecorded hops: {}\n", flags >> 4));
                    }
                    rest = &rest[usize::from(*len)..];
                }
                (_, [len, ..]) if (2..=rest.len()).contains(&usize::from(*len)) => {
                    rest = &rest[usize::from(*len)..]
                }
                _ => break,
            }
        }
        text
    }

    fn sent_all(&self) -> bool {
        self.options.count.is_some_and(|count| self.transmitted >= count) && self.deadline.is_none()
    }

    fn done(&self) -> bool {
        self.options.count.is_some_and(|count| self.received + self.errors >= count)
            || (self.deadline.is_some() && self.errors > 0)
    }

    /// One turn of `main_loop`; `None` when it is over.
    fn turn(&mut self, sys: &mut dyn Sys) -> Option<SimTime> {
        self.receive(sys);
        loop {
            let now = sys.now();
            if self.done() || self.deadline.is_some_and(|d| now >= d) {
                return None;
            }
            if self.sent_all() {
                let linger = if self.received > 0 {
                    Duration::from_micros(2 * self.rtt.max).max(self.options.interval)
                } else {
                    self.options.linger
                };
                let give_up = *self.give_up.get_or_insert(now + linger);
                return (now < give_up).then_some(give_up);
            }
            self.looked = now;
            if now < self.next_send {
                let until = self.deadline.map_or(self.next_send, |d| d.min(self.next_send));
                return Some(until);
            }
            let burst = if self.transmitted == 0 { self.options.preload } else { 1 };
            let mut pause = Duration::ZERO;
            for _ in 0..burst {
                pause = self.pinger(sys);
                if self.sent_all() {
                    break;
                }
            }
            self.next_send = now + pause;
        }
    }

    fn finish(&self, sys: &mut dyn Sys) -> i32 {
        let Self { transmitted, received, duplicates, errors, .. } = *self;
        let mut text = format!("\n--- {} ping statistics ---\n", self.options.target);
        text.push_str(&format!("{transmitted} packets transmitted, {received} received"));
        if duplicates > 0 {
            text.push_str(&format!(", +{duplicates} duplicates"));
        }
        if errors > 0 {
            text.push_str(&format!(", +{errors} errors"));
        }
        if transmitted > 0 {
            let lost = transmitted.saturating_sub(received);
            let elapsed = self.looked.since(self.started).as_millis();
            text.push_str(&format!(
                ", {}% packet loss, time {elapsed}ms",
                six_digits(lost * 100, transmitted)
            ));
        }
        text.push('\n');
        let mut comma = "";
        if received > 0 && self.options.size >= 16 {
            let total = u128::from(received + duplicates).max(1);
            let average = self.rtt.sum / total;
            let variance = (self.rtt.squares / total).saturating_sub(average * average);
            let deviation = variance.isqrt();
            let ms = |micros: u128| format!("{}.{:03}", micros / 1000, micros % 1000);
            text.push_str(&format!(
                "rtt min/avg/max/mdev = {}/{}/{}/{} ms",
                ms(self.rtt.min.into()),
                ms(average),
                ms(self.rtt.max.into()),
                ms(deviation)
            ));
            comma = ", ";
        }
        if self.in_flight_max > 1 {
            text.push_str(&format!("{comma}pipe {}", self.in_flight_max));
        }
        text.push('\n');
        say(sys, &text);
        let too_few = self.deadline.is_some() && self.options.count.is_some_and(|count| received < count);
        i32::from(received == 0 || too_few)
    }
}

fn complain_hard(sys: &mut dyn Sys, quiet: bool, errno: Errno) {
    if !quiet {
        complain(sys, &format!("ping: sendmsg: {errno}\n"));
    }
}

/// Milliseconds with as many decimals as ping gives them.
fn trip_text(trip: Duration) -> String {
    let micros = trip.as_micros();
    let (whole, part) = (micros / 1000, micros % 1000);
    match micros {
        100_000.. => format!("{whole}"),
        10_000.. => format!("{whole}.{}", part / 100),
        1_000.. => format!("{whole}.{:02}", part / 10),
        _ => format!("{whole}.{part:03}"),
    }
}

/// `n / d` as printf's `%g` prints it: six significant digits, no trailing zeros.
fn six_digits(n: u64, d: u64) -> String {
    let mut decimals = 0_u32;
    let mut scaled = n / d;
    while decimals < 12 && n * 10_u64.pow(decimals) / d < 100_000 {
        decimals += 1;
        scaled = (n * 10_u64.pow(decimals) + d / 2) / d;
    }
    let unit = 10_u64.pow(decimals);
    let text = format!("{}.{:0width$}", scaled / unit, scaled % unit, width = decimals as usize);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The words of `pr_icmph`.
pub(crate) fn icmp_text(kind: u8, code: u8, info: u32) -> String {
    let text = match (kind, code) {
        (3, 0) => "Destination Net Unreachable",
        (3, 1) => "Destination Host Unreachable",
        (3, 2) => "Destination Protocol Unreachable",
        (3, 3) => "Destination Port Unreachable",
        (3, 4) => return format!("Frag needed and DF set (mtu = {info})"),
        (3, 5) => "Source Route Failed",
        (3, 6) => "Destination Net Unknown",
        (3, 7) => "Destination Host Unknown",
        (3, 8) => "Source Host Isolated",
        (3, 9) => "Destination Net Prohibited",
        (3, 10) => "Destination Host Prohibited",
        (3, 11) => "Destination Net Unreachable for Type of Service",
        (3, 12) => "Destination Host Unreachable for Type of Service",
        (3, 13) => "Packet filtered",
        (3, 14) => "Precedence Violation",
        (3, 15) => "Precedence Cutoff",
        (3, code) => return format!("Dest Unreachable, Bad Code: {code}"),
        (5, code) => {
            let what = match code {
                0 => "Redirect Network",
                1 => "Redirect Host",
                2 => "Redirect Type of Service and Network",
                3 => "Redirect Type of Service and Host",
                code => return format!("Redirect, Bad Code: {code}"),
            };
            return format!("{what}(New nexthop: {})", Ipv4Addr::from(info));
        }
        (11, 0) => "Time to live exceeded",
        (11, 1) => "Frag reassembly time exceeded",
        (11, code) => return format!("Time exceeded, Bad Code: {code}"),
        (12, _) => return format!("Parameter problem: pointer = {info}"),
        (kind, _) => return format!("Bad ICMP type: {kind}"),
    };
    text.to_owned()
}

impl Program for Ping {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let state = match &mut self.state {
            Some(state) => state,
            None => {
                let options = Options::parse(&self.args[1..]);
                let started = match options {
                    Ok(options) => match self.lookups.get(sys, &options.target, Family::Any) {
                        Some(found) => State::start(sys, options, found),
                        None => return Next::Wait(self.lookups.waits().unwrap_or_default()),
                    },
                    Err(refused) => Err(refused),
                };
                match started {
                    Ok(state) => self.state.insert(state),
                    Err(Refused(status, text)) => {
                        if status == 0 {
                            say(sys, &text);
                        } else {
                            complain(sys, &text);
                        }
                        return Next::Exit(status);
                    }
                }
            }
        };
        match state.turn(sys) {
            Some(until) => {
                Next::Wait(Wait { fds: vec![state.socket], until: Some(until), ..Wait::default() })
            }
            None => Next::Exit(state.finish(sys)),
        }
    }

    fn signal(&mut self, sys: &mut dyn Sys, signal: Signal) -> Next {
        match (&self.state, signal) {
            (Some(state), Signal::Int) => Next::Exit(state.finish(sys)),
            (_, signal) => Next::Exit(128 + signal.number()),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::six_digits;

    #[test]
    fn packet_loss_is_printed_as_printf_does() {
        for (n, d, text) in [
            (0, 3, "0"),
            (100, 3, "33.3333"),
            (200, 3, "66.6667"),
            (300, 3, "100"),
            (100, 15, "6.66667"),
            (100, 1000, "0.1"),
        ] {
            assert_eq!(six_digits(n, d), text);
        }
    }
}
