//! `traceroute` 2.1: UDP, ICMP and TCP probes, several at a time.
//!
//! Source: traceroute `traceroute/traceroute.c` (`do_it`, `get_timeout`), `mod-udp.c`, `mod-icmp.c`,
//! `mod-tcp.c`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use kernel::Errno;
use kernel::socket::{MtuDiscover, SocketError, SocketKind, SocketOption};
use packet::{Body, Icmp, Packet, Payload, Proto, SimTime, Tcp, TcpFlags, TcpOptions};
use world::{Args, Fd, Next, Program, Registry, Sys, Wait};

use dns::{Family, GaiError};

use super::lookups::{Lookups, why};
use super::{Refused, complain, say, seconds};
use crate::getopt::{OptError, getopt};

/// Installs `traceroute`.
pub(crate) fn install(registry: &mut Registry) {
    registry.install("traceroute", |args| {
        Box::new(Traceroute { args, state: None, lookups: Lookups::default() })
    });
}

#[derive(Clone, Debug)]
struct Traceroute {
    args: Args,
    lookups: Lookups,
    state: Option<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    /// The port grows with each probe.
    Default,
    /// UDP to one port.
    Udp,
    Icmp,
    Tcp,
}

#[derive(Clone, Debug)]
struct Options {
    method: Method,
    first_ttl: u32,
    max_ttl: u32,
    per_hop: usize,
    at_once: usize,
    wait: Duration,
    /// Factors of round trips of the same and of a later hop; 0 is off.
    here: u32,
    near: u32,
    pause: Duration,
    port: Option<u16>,
    dont_fragment: bool,
    numeric: bool,
    source: Option<Ipv4Addr>,
    device: Option<String>,
    tos: u8,
    target: String,
    length: usize,
}

fn refuse<T>(status: i32, text: impl std::fmt::Display) -> Result<T, Refused> {
    Err(Refused(status, format!("{text}\n")))
}

impl Options {
    fn parse(args: &[String]) -> Result<Self, Refused> {
        let spec = "46dFf:g:Ii:m:N:np:q:rs:t:TUw:z:M:AeVl:";
        let (options, words) = getopt(args, spec, &[]).map_err(|error| {
            let bad = |word: &str, matches: &dyn Fn(&str) -> bool| {
                let at = args.iter().position(|arg| matches(arg)).map_or(0, |at| at + 1);
                format!("Bad option `{word}' (argc {at})\n")
            };
            Refused(
                2,
                match &error {
                    OptError::Unknown(letter) => bad(&format!("-{letter}"), &|arg| {
                        arg.starts_with('-') && !arg.starts_with("--") && arg.contains(*letter)
                    }),
                    OptError::UnknownLong(word) => bad(word, &|arg| arg == word),
                    OptError::NoArgument(_) | OptError::NoArgumentLong(_) => format!("traceroute: {error}\n"),
                },
            )
        })?;
        let mut parsed = Self {
            method: Method::Default,
            first_ttl: 1,
            max_ttl: 30,
            per_hop: 3,
            at_once: 16,
            wait: Duration::from_secs(5),
            here: 3,
            near: 10,
            pause: Duration::ZERO,
            port: None,
            dont_fragment: false,
            numeric: false,
            source: None,
            device: None,
            tos: 0,
            target: String::new(),
            length: 60,
        };
        fn number<T: std::str::FromStr>(letter: char, text: &str) -> Result<T, Refused> {
            text.parse().or_else(|_| refuse(2, format!("Cannot handle `-{letter}' option with arg `{text}'")))
        }
        for (letter, value) in options {
            let value = value.unwrap_or_default();
            match letter {
                'F' => parsed.dont_fragment = true,
                'f' => parsed.first_ttl = number(letter, &value)?,
                'I' => parsed.method = Method::Icmp,
                'i' => parsed.device = Some(value),
                'm' => parsed.max_ttl = number(letter, &value)?,
                'N' => parsed.at_once = number(letter, &value)?,
                'n' => parsed.numeric = true,
                'p' => parsed.port = Some(number(letter, &value)?),
                'q' => parsed.per_hop = number(letter, &value)?,
                's' => parsed.source = Some(number(letter, &value)?),
                't' => parsed.tos = number(letter, &value)?,
                'T' => parsed.method = Method::Tcp,
                'U' => parsed.method = Method::Udp,
                'w' => {
                    let mut parts = value.split(',');
                    parsed.wait = match parts.next().and_then(seconds) {
                        Some(wait) => wait,
                        None => return refuse(2, format!("Cannot handle `-w' option with arg `{value}'")),
                    };
                    parsed.here = parts.next().map_or(Ok(0), |text| number(letter, text))?;
                    parsed.near = parts.next().map_or(Ok(0), |text| number(letter, text))?;
                }
                'z' => parsed.pause = seconds(&value).unwrap_or_default(),
                'M' => {
                    parsed.method = match value.as_str() {
                        "default" => Method::Default,
                        "udp" => Method::Udp,
                        "icmp" => Method::Icmp,
                        "tcp" => Method::Tcp,
                        other => return refuse(2, format!("Unknown traceroute module {other}")),
                    };
                }
                '4' | 'r' => {}
                other => return refuse(2, format!("traceroute: option -{other} is not simulated")),
            }
        }
        match words.as_slice() {
            [target] => parsed.target.clone_from(target),
            [target, length] => {
                parsed.target.clone_from(target);
                parsed.length = match length.parse() {
                    Ok(length) => length,
                    Err(_) => {
                        return refuse(
                            2,
                            format!(
                                "Cannot handle \"packetlen\" cmdline arg `{length}' on position 2 (argc {})",
                                args.len()
                            ),
                        );
                    }
                };
            }
            _ => return refuse(2, "Specify \"host\" missing argument."),
        }
        if parsed.first_ttl == 0 || parsed.first_ttl > parsed.max_ttl {
            return refuse(2, "first hop out of range");
        }
        if parsed.max_ttl > 255 {
            return refuse(2, "max hops cannot be more than 255");
        }
        if parsed.per_hop == 0 || parsed.per_hop > 10 {
            return refuse(2, "no more than 10 probes per hop");
        }
        parsed.at_once = parsed.at_once.max(1);
        Ok(parsed)
    }

    /// Length of the data behind the transport header: the packet has the length asked for, or as
    /// much as the headers need.
    fn data_len(&self) -> usize {
        self.length.saturating_sub(28)
    }

    fn header_text(&self, target: Ipv4Addr) -> String {
        let length = match self.method {
            Method::Tcp => self.length,
            Method::Default | Method::Udp | Method::Icmp => self.data_len() + 28,
        };
        format!(
            "traceroute to {} ({target}), {} hops max, {length} byte packets\n",
            self.target, self.max_ttl
        )
    }
}

#[derive(Clone, Debug, Default)]
struct Probe {
    sent_at: Option<SimTime>,
    /// A UDP probe's own socket.
    socket: Option<Fd>,
    /// Port, sequence number or source port: what tells its answer.
    key: u16,
    done: bool,
    last: bool,
    from: Option<IpAddr>,
    round_trip: Option<Duration>,
    mark: String,
}

#[derive(Clone, Debug)]
struct State {
    options: Options,
    target: Ipv4Addr,
    /// The raw socket of ICMP and TCP probes.
    raw: Option<Fd>,
    ident: u16,
    probes: Vec<Probe>,
    start: usize,
    end: usize,
    next_port: u16,
    last_sent: Option<SimTime>,
    printed_from: Option<IpAddr>,
}

fn failed(what: &str, errno: Errno) -> Refused {
    Refused(1, format!("{what}: {errno}\n"))
}

impl State {
    fn new(sys: &mut dyn Sys, options: Options, found: Result<Ipv4Addr, GaiError>) -> Result<Self, Refused> {
        let name = options.target.clone();
        let target = match found {
            Ok(target) => target,
            Err(error) => {
                let why = why(sys, error);
                return refuse(
                    2,
                    format!(
                        "{name}: {why}\nCannot handle \"host\" cmdline arg `{name}' on position 1 (argc 1)"
                    ),
                );
            }
        };
        say(sys, &options.header_text(target));
        let mut state = Self {
            target,
            raw: None,
            ident: (sys.pid().0 & 0xffff) as u16,
            probes: vec![Probe::default(); options.max_ttl as usize * options.per_hop],
            start: (options.first_ttl as usize - 1) * options.per_hop,
            end: options.max_ttl as usize * options.per_hop,
            next_port: match options.method {
                Method::Default => options.port.unwrap_or(33434),
                Method::Udp => options.port.unwrap_or(53),
                Method::Tcp => options.port.unwrap_or(80),
                Method::Icmp => 1,
            },
            last_sent: None,
            printed_from: None,
            options,
        };
        let kind = match state.options.method {
            Method::Icmp => Some(Proto::ICMP),
            Method::Tcp => Some(Proto::TCP),
            Method::Default | Method::Udp => None,
        };
        if let Some(proto) = kind {
            let fd = sys.socket(SocketKind::Raw(proto)).map_err(|e| failed("socket", e))?;
            state.prepare(sys, fd)?;
            sys.connect(fd, SocketAddr::new(IpAddr::V4(target), 0)).map_err(|e| failed("connect", e))?;
            state.raw = Some(fd);
        }
        Ok(state)
    }

    /// Options that every probe's socket has.
    fn prepare(&self, sys: &mut dyn Sys, fd: Fd) -> Result<(), Refused> {
        if let Some(device) = &self.options.device {
            sys.set_option(fd, SocketOption::BindToDevice(Some(device.clone())))
                .map_err(|e| failed("setsockopt SO_BINDTODEVICE", e))?;
        }
        if let Some(source) = self.options.source {
            sys.bind(fd, SocketAddr::new(IpAddr::V4(source), 0)).map_err(|e| failed("bind", e))?;
        }
        let discover = if self.options.dont_fragment { MtuDiscover::Probe } else { MtuDiscover::Dont };
        for option in [
            SocketOption::MtuDiscover(discover),
            SocketOption::Tos(self.options.tos),
            SocketOption::RecvErr(true),
        ] {
            sys.set_option(fd, option).map_err(|e| failed("setsockopt", e))?;
        }
        Ok(())
    }

    fn send(&mut self, sys: &mut dyn Sys, n: usize) -> Result<(), Refused> {
        let ttl = u8::try_from(n / self.options.per_hop + 1).unwrap_or(u8::MAX);
        let key = self.next_port;
        let data: Vec<u8> = (0..self.options.data_len()).map(|i| 0x40 + (i & 0x3f) as u8).collect();
        let sent = match self.options.method {
            Method::Default | Method::Udp => {
                let fd = sys.socket(SocketKind::Udp).map_err(|e| failed("socket", e))?;
                self.prepare(sys, fd)?;
                sys.set_option(fd, SocketOption::Ttl(ttl)).map_err(|e| failed("setsockopt IP_TTL", e))?;
                sys.connect(fd, SocketAddr::new(IpAddr::V4(self.target), key))
                    .map_err(|e| failed("connect", e))?;
                self.probes[n].socket = Some(fd);
                sys.send(fd, &data, None).map(drop)
            }
            Method::Icmp | Method::Tcp => {
                let Some(fd) = self.raw else { return Ok(()) };
                sys.set_option(fd, SocketOption::Ttl(ttl)).map_err(|e| failed("setsockopt IP_TTL", e))?;
                let body = if self.options.method == Method::Icmp {
                    Body::Icmp(Icmp::Echo {
                        request: true,
                        id: self.ident,
                        seq: key,
                        payload: Payload::from(data),
                    })
                } else {
                    Body::Tcp(self.syn(n, sys.now()))
                };
                sys.send_packet(
                    fd,
                    Packet::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V4(self.target), body),
                )
            }
        };
        let probe = &mut self.probes[n];
        probe.key = if self.options.method == Method::Tcp { tcp_source_port(n) } else { key };
        if matches!(self.options.method, Method::Default | Method::Icmp) {
            self.next_port = self.next_port.wrapping_add(1);
        }
        self.last_sent = Some(sys.now());
        match sent {
            Ok(()) => {}
            Err(Errno::NoBufs | Errno::Again) => {}
            // The reason stands in the error queue.
            Err(Errno::MsgSize | Errno::HostUnreach | Errno::NetUnreach | Errno::ConnRefused) => {}
            Err(errno) => return Err(failed("send", errno)),
        }
        self.probes[n].sent_at = Some(sys.now());
        Ok(())
    }

    fn syn(&self, n: usize, now: SimTime) -> Tcp {
        let options = TcpOptions {
            mss: Some(1460),
            sack_permitted: true,
            timestamps: Some(((now.as_nanos() / 1_000_000) as u32, 0)),
            window_scale: Some(2),
            sack: Vec::new(),
        };
        Tcp {
            sport: tcp_source_port(n),
            dport: self.next_port,
            seq: 0x1000_0000 + n as u32,
            ack: 0,
            flags: TcpFlags::SYN,
            window: 5840,
            options: Some(Box::new(options)),
            payload: Payload::EMPTY,
        }
    }

    /// Reads every answer and error that came.
    fn receive(&mut self, sys: &mut dyn Sys) {
        for n in self.start..self.end {
            let Some(fd) = self.probes[n].socket else { continue };
            if self.probes[n].done {
                continue;
            }
            if let Some(error) = sys.recv_error(fd) {
                self.take_error(n, &error);
            } else if let Ok(received) = sys.recv(fd, 1 << 16) {
                self.answered(n, received.from.ip(), received.at);
            }
            if self.probes[n].done {
                sys.close(fd);
                self.probes[n].socket = None;
            }
        }
        let Some(fd) = self.raw else { return };
        while let Some(error) = sys.recv_error(fd) {
            let key = error.packet.as_ref().and_then(|packet| self.key_of(packet));
            if let Some(n) = key.and_then(|key| self.find(key)) {
                self.take_error(n, &error);
            }
        }
        while let Ok(received) = sys.recv(fd, 1 << 16) {
            let Some(packet) = &received.packet else { continue };
            let key = match &packet.body {
                Body::Icmp(Icmp::Echo { request: false, id, seq, .. }) if *id == self.ident => Some(*seq),
                Body::Tcp(tcp) if tcp.sport == self.next_port => Some(tcp.dport),
                _ => None,
            };
            if let Some(n) =
                key.filter(|_| packet.src() == IpAddr::V4(self.target)).and_then(|key| self.find(key))
            {
                self.answered(n, packet.src(), received.at);
            }
        }
    }

    fn key_of(&self, quoted: &Packet) -> Option<u16> {
        match &quoted.body {
            Body::Icmp(Icmp::Echo { request: true, id, seq, .. }) if *id == self.ident => Some(*seq),
            Body::Tcp(tcp) => Some(tcp.sport),
            _ => None,
        }
    }

    fn find(&self, key: u16) -> Option<usize> {
        (self.start..self.end)
            .find(|&n| self.probes[n].sent_at.is_some() && !self.probes[n].done && self.probes[n].key == key)
    }

    fn answered(&mut self, n: usize, from: IpAddr, at: SimTime) {
        let probe = &mut self.probes[n];
        probe.round_trip = probe.sent_at.map(|sent| at.since(sent));
        (probe.from, probe.done, probe.last) = (Some(from), true, true);
    }

    fn take_error(&mut self, n: usize, error: &SocketError) {
        let probe = &mut self.probes[n];
        probe.done = true;
        probe.round_trip = probe.sent_at.map(|sent| error.at.since(sent));
        probe.from = error.offender;
        match error.icmp {
            Some((11, 0)) => {}
            Some((3, code)) => {
                probe.last = true;
                probe.mark = match code {
                    0 | 6 | 8 | 11 => "!N".to_owned(),
                    1 | 7 | 12 => "!H".to_owned(),
                    9 | 10 | 13 => "!X".to_owned(),
                    2 => "!P".to_owned(),
                    3 => String::new(),
                    4 => format!("!F-{}", error.info),
                    5 => "!S".to_owned(),
                    14 => "!V".to_owned(),
                    15 => "!C".to_owned(),
                    code => format!("!<{code}>"),
                };
            }
            Some((kind, code)) => {
                probe.last = true;
                probe.mark = format!("!<{kind}-{code}>");
            }
            None => {
                probe.last = true;
                probe.mark = match error.errno {
                    Errno::MsgSize => format!("!F-{}", error.info),
                    Errno::HostUnreach => "!H".to_owned(),
                    Errno::NetUnreach => "!N".to_owned(),
                    Errno::Acces => "!X".to_owned(),
                    errno => format!("!<{errno}>"),
                };
            }
        }
    }

    /// How long a probe may take: less once others were answered.
    fn timeout(&self, n: usize) -> Duration {
        let per_hop = self.options.per_hop;
        let limit = |trip: Duration, factor: u32| (trip * factor).min(self.options.wait);
        let answered = |p: &Probe| if p.done { p.round_trip.filter(|t| !t.is_zero()) } else { None };
        if self.options.here > 0 {
            let first = n - n % per_hop;
            if let Some(trip) = self.probes[first..first + per_hop].iter().find_map(answered) {
                return limit(trip, self.options.here);
            }
        }
        if self.options.near > 0 {
            let later = self.probes[n + 1..].iter().take_while(|p| p.sent_at.is_some());
            if let Some(trip) = later.filter_map(answered).next() {
                return limit(trip, self.options.near);
            }
        }
        self.options.wait
    }

    fn print(&mut self, sys: &mut dyn Sys, n: usize) {
        let mut text = String::new();
        let per_hop = self.options.per_hop;
        if n.is_multiple_of(per_hop) {
            if n != (self.options.first_ttl as usize - 1) * per_hop {
                text.push('\n');
            }
            text.push_str(&format!("{:2} ", n / per_hop + 1));
            self.printed_from = None;
        }
        let probe = &self.probes[n];
        match (probe.from, probe.round_trip) {
            (None, _) if probe.mark.is_empty() => text.push_str(" *"),
            (from, trip) => {
                if from != self.printed_from
                    && let Some(from) = from
                {
                    let name =
                        if self.options.numeric { from.to_string() } else { format!("{from} ({from})") };
                    text.push_str(&format!(" {name}"));
                }
                if from.is_none() {
                    text.push_str(" *");
                }
                self.printed_from = from;
                if let Some(trip) = trip {
                    let micros = trip.as_micros();
                    text.push_str(&format!("  {}.{:03} ms", micros / 1000, micros % 1000));
                }
                if !probe.mark.is_empty() {
                    text.push_str(&format!(" {}", probe.mark));
                }
            }
        }
        say(sys, &text);
    }

    /// One turn of `do_it`; `Ok(None)` at the end.
    fn turn(&mut self, sys: &mut dyn Sys) -> Result<Option<Wait>, Refused> {
        self.receive(sys);
        let now = sys.now();
        let mut next: Option<SimTime> = None;
        let mut waiting = 0;
        let mut n = self.start;
        while n < self.end {
            if n == self.start
                && !self.probes[n].done
                && let Some(sent) = self.probes[n].sent_at
            {
                let expires = sent + self.timeout(n);
                if expires > now {
                    next = Some(expires);
                } else {
                    self.probes[n].done = true;
                    if let Some(fd) = self.probes[n].socket.take() {
                        sys.close(fd);
                    }
                }
            }
            if self.probes[n].done {
                if self.probes[n].last {
                    self.end = (n / self.options.per_hop + 1) * self.options.per_hop;
                }
                if n == self.start {
                    self.print(sys, n);
                    self.start += 1;
                }
                n += 1;
                continue;
            }
            if self.probes[n].sent_at.is_none() {
                if let Some(last) = self.last_sent.filter(|_| !self.options.pause.is_zero()) {
                    let due = last + self.options.pause;
                    if due > now {
                        next = Some(next.map_or(due, |t| t.min(due)));
                        break;
                    }
                }
                self.send(sys, n)?;
                self.receive(sys);
                if self.probes[n].done {
                    continue;
                }
            }
            if next.is_none() {
                next = self.probes[n].sent_at.map(|sent| sent + self.timeout(n));
            }
            waiting += 1;
            if waiting >= self.options.at_once {
                break;
            }
            n += 1;
        }
        if self.start >= self.end {
            say(sys, "\n");
            return Ok(None);
        }
        let fds = self
            .raw
            .into_iter()
            .chain(self.probes[self.start..self.end].iter().filter_map(|p| p.socket))
            .collect();
        Ok(Some(Wait { fds, until: next, ..Wait::default() }))
    }
}

/// Each TCP probe has its own source port.
fn tcp_source_port(n: usize) -> u16 {
    40000 + (n % 20000) as u16
}

impl Program for Traceroute {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let state = match &mut self.state {
            Some(state) => Ok(state),
            None => match Options::parse(&self.args[1..]) {
                Ok(options) => match self.lookups.first(sys, &options.target, Family::Any) {
                    Some(found) => State::new(sys, options, found).map(|state| self.state.insert(state)),
                    None => return Next::Wait(self.lookups.waits().unwrap_or_default()),
                },
                Err(refused) => Err(refused),
            },
        };
        match state.and_then(|state| state.turn(sys)) {
            Ok(Some(wait)) => Next::Wait(wait),
            Ok(None) => Next::Exit(0),
            Err(Refused(status, text)) => {
                complain(sys, &text);
                Next::Exit(status)
            }
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
