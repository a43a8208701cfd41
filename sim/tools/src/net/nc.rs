//! `nc`: OpenBSD netcat 1.219 for TCP and UDP over IPv4.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use kernel::Errno;
use kernel::socket::{SocketKind, SocketOption};
use packet::SimTime;
use world::{Args, Fd, Next, Program, ReadResult, Registry, Sys, Wait};

use dns::{Family, GaiError};

use super::lookups::{Lookups, why};
use super::{complain, read_file};
use crate::getopt::getopt;

/// Installs `nc` and its other name.
pub(crate) fn install(registry: &mut Registry) {
    for name in ["nc", "netcat"] {
        registry.install(name, |args| Box::new(Netcat { args, lookups: Lookups::default(), state: None }));
    }
}

#[derive(Clone, Debug, Default)]
struct Options {
    listen: bool,
    keep: bool,
    udp: bool,
    zero: bool,
    verbose: bool,
    numeric: bool,
    half_close: bool,
    detach_stdin: bool,
    broadcast: bool,
    /// `-4`.
    family: Option<Family>,
    timeout: Option<Duration>,
    quit_after: Option<Duration>,
    source: Option<Ipv4Addr>,
    source_port: Option<u16>,
    ttl: Option<u8>,
    tos: Option<u8>,
    host: Option<String>,
    ports: Vec<u16>,
}

struct Refused(String);

fn refuse<T>(text: impl std::fmt::Display) -> Result<T, Refused> {
    Err(Refused(format!("nc: {text}\n")))
}

const USAGE: &str = "usage: nc [-46CDdFhklNnrStUuvZz] [-I length] [-i interval] [-M ttl]\n\t  [-m minttl] [-O length] [-P proxy_username] [-p source_port]\n\t  [-q seconds] [-s sourceaddr] [-T keyword] [-V rtable] [-W recvlimit]\n\t  [-w timeout] [-X proxy_protocol] [-x proxy_address[:port]]\n\t  [destination] [port]\n";

fn port_number(text: &str) -> Result<u16, Refused> {
    match text.parse::<i64>() {
        Ok(n) if n < 1 => refuse(format!("port number too small: {text}")),
        Ok(n) => u16::try_from(n).or_else(|_| refuse(format!("port number too large: {text}"))),
        Err(_) => refuse(format!("port number invalid: {text}")),
    }
}

/// A port, a service's name or a range.
fn ports(text: &str, services: &str, udp: bool) -> Result<Vec<u16>, Refused> {
    if let Some(port) = service_port(services, text, udp) {
        return Ok(vec![port]);
    }
    match text.split_once('-') {
        Some((low, high)) => {
            let (low, high) = (port_number(low)?, port_number(high)?);
            Ok((low.min(high)..=low.max(high)).collect())
        }
        None => Ok(vec![port_number(text)?]),
    }
}

fn service_port(services: &str, name: &str, udp: bool) -> Option<u16> {
    services.lines().find_map(|line| {
        let (service, rest) = line.split_once(char::is_whitespace)?;
        let (port, proto) = rest.split_whitespace().next()?.split_once('/')?;
        (service == name && proto == if udp { "udp" } else { "tcp" }).then(|| port.parse().ok())?
    })
}

fn service_name(services: &str, port: u16, udp: bool) -> Option<&str> {
    let wanted = format!("{port}/{}", if udp { "udp" } else { "tcp" });
    services.lines().find_map(|line| {
        let (service, rest) = line.split_once(char::is_whitespace)?;
        (rest.split_whitespace().next()? == wanted).then_some(service)
    })
}

impl Options {
    fn parse(args: &[String], services: &str) -> Result<Self, Refused> {
        let (options, words) = getopt(args, "46bCDdFhI:i:klM:m:NnO:P:p:q:rSs:T:tUuV:vW:w:X:x:Zz", &[])
            .map_err(|error| Refused(format!("nc: {error}\n{USAGE}")))?;
        let mut parsed = Self::default();
        for (letter, value) in options {
            let value = value.unwrap_or_default();
            match letter {
                '4' => parsed.family = Some(Family::V4),
                'C' | 't' | 'r' => {}
                'b' => parsed.broadcast = true,
                'd' => parsed.detach_stdin = true,
                'h' => return Err(Refused(USAGE.to_owned())),
                'k' => parsed.keep = true,
                'l' => parsed.listen = true,
                'M' => match value.parse() {
                    Ok(ttl) => parsed.ttl = Some(ttl),
                    Err(_) => return refuse(format!("ttl is invalid: {value}")),
                },
                'N' => parsed.half_close = true,
                'n' => parsed.numeric = true,
                'p' => parsed.source_port = Some(port_number(&value)?),
                'q' => match value.parse::<i64>() {
                    Ok(seconds) => {
                        parsed.quit_after = u64::try_from(seconds).ok().map(Duration::from_secs);
                        parsed.half_close |= parsed.quit_after.is_some();
                    }
                    Err(_) => return refuse(format!("quit timer invalid: {value}")),
                },
                's' => match value.parse() {
                    Ok(addr) => parsed.source = Some(addr),
                    Err(_) => return refuse("getaddrinfo: Name or service not known"),
                },
                'T' => {
                    let digits = value.trim_start_matches("0x");
                    match u8::from_str_radix(digits, if digits == value { 10 } else { 16 }) {
                        Ok(tos) => parsed.tos = Some(tos),
                        Err(_) => return refuse(format!("illegal tos value {value}")),
                    }
                }
                'u' => parsed.udp = true,
                'v' => parsed.verbose = true,
                'w' => match value.parse::<u32>() {
                    Ok(seconds) => parsed.timeout = Some(Duration::from_secs(seconds.into())),
                    Err(_) => return refuse(format!("timeout invalid: {value}")),
                },
                'z' => parsed.zero = true,
                other => return refuse(format!("option -{other} is not simulated")),
            }
        }
        match (words.as_slice(), parsed.listen) {
            ([port], true) => parsed.ports = ports(port, services, parsed.udp)?,
            ([], true) if parsed.source_port.is_some() => {
                parsed.ports = parsed.source_port.into_iter().collect()
            }
            ([host, rest @ ..], listen) => {
                parsed.host = Some(host.clone());
                for port in rest {
                    parsed.ports.extend(ports(port, services, parsed.udp)?);
                }
                if rest.is_empty() {
                    return refuse("missing port number");
                }
                if listen && parsed.ports.len() != 1 {
                    return Err(Refused(USAGE.to_owned()));
                }
            }
            ([], _) => return Err(Refused(USAGE.to_owned())),
        }
        Ok(parsed)
    }
}

#[derive(Clone, Debug)]
struct Netcat {
    args: Args,
    lookups: Lookups,
    state: Option<State>,
}

#[derive(Clone, Debug)]
struct State {
    options: Options,
    services: String,
    phase: Phase,
    /// Ports still to try, last first.
    ports_left: Vec<u16>,
    /// Addresses of the host, if one is named.
    found: Option<Result<Vec<Ipv4Addr>, GaiError>>,
    /// Those that are left to try for a port.
    addrs_left: (u16, Vec<Ipv4Addr>),
    status: i32,
}

#[derive(Clone, Debug)]
enum Phase {
    NextPort,
    Connecting {
        fd: Fd,
        addr: SocketAddr,
        until: Option<SimTime>,
    },
    /// UDP with -z: datagrams are sent for a while to see whether an error comes back.
    Testing {
        fd: Fd,
        addr: SocketAddr,
        left: u32,
        until: SimTime,
    },
    Listening {
        fd: Fd,
    },
    Transfer(Transfer),
}

#[derive(Clone, Debug)]
struct Transfer {
    fd: Fd,
    listener: Option<Fd>,
    stdin_open: bool,
    pending: Vec<u8>,
    /// The other end may still send.
    net_in: bool,
    /// There is still something to send, or may be.
    net_out: bool,
    /// When silence ends it.
    idle_until: Option<SimTime>,
    quit_at: Option<SimTime>,
}

/// Datagrams that `udptest` sends, and their distance.
const UDP_TESTS: u32 = 3;

impl State {
    /// `Ok(Err(_))` while the host's name is looked up.
    ///
    /// Simplified: the name is looked up once, not for each port.
    fn new(sys: &mut dyn Sys, args: &[String], lookups: &mut Lookups) -> Result<Result<Self, Wait>, Refused> {
        let services = read_file(sys, "/etc/services").unwrap_or_default();
        let options = Options::parse(args, &services)?;
        let found = match &options.host {
            None => None,
            Some(host) if options.numeric => {
                Some(super::inet_aton(host).map(|addr| vec![addr]).ok_or(GaiError::NoName))
            }
            Some(host) => match lookups.get(sys, host, options.family.unwrap_or(Family::Any)) {
                Some(found) => Some(found.map(|found| found.v4().collect())),
                None => return Ok(Err(lookups.waits().unwrap_or_default())),
            },
        };
        let mut ports_left = if options.listen { Vec::new() } else { options.ports.clone() };
        ports_left.reverse();
        let mut state = Self {
            options,
            services,
            phase: Phase::NextPort,
            ports_left,
            found,
            addrs_left: (0, Vec::new()),
            status: 1,
        };
        if state.options.listen {
            let fd = state.listen(sys)?;
            state.ports_left.clear();
            state.phase = if state.options.udp {
                Phase::Transfer(state.transfer(sys, fd, None))
            } else {
                Phase::Listening { fd }
            };
        }
        Ok(Ok(state))
    }

    fn kind(&self) -> SocketKind {
        if self.options.udp { SocketKind::Udp } else { SocketKind::Tcp }
    }

    fn listen(&self, sys: &mut dyn Sys) -> Result<Fd, Refused> {
        let failed = |errno: Errno| Refused(format!("nc: {errno}\n"));
        let addr = match &self.options.host {
            None => Ipv4Addr::UNSPECIFIED,
            Some(_) => match &self.found {
                Some(Ok(addrs)) => addrs.first().copied().unwrap_or(Ipv4Addr::UNSPECIFIED),
                Some(Err(error)) => {
                    return Err(Refused(format!("nc: getaddrinfo: {}\n", why(sys, *error))));
                }
                None => Ipv4Addr::UNSPECIFIED,
            },
        };
        let port = self.options.ports.first().copied().unwrap_or_default();
        let fd = sys.socket(self.kind()).map_err(failed)?;
        sys.set_option(fd, SocketOption::ReuseAddr(true)).map_err(failed)?;
        sys.bind(fd, SocketAddr::new(IpAddr::V4(addr), port)).map_err(failed)?;
        if self.options.verbose {
            complain(sys, &format!("Listening on {addr} {port}\n"));
        }
        if !self.options.udp {
            sys.listen(fd, 1).map_err(failed)?;
        }
        Ok(fd)
    }

    fn transfer(&self, sys: &dyn Sys, fd: Fd, listener: Option<Fd>) -> Transfer {
        Transfer {
            fd,
            listener,
            stdin_open: !self.options.detach_stdin,
            pending: Vec::new(),
            net_in: true,
            net_out: true,
            idle_until: self.options.timeout.map(|d| sys.now() + d),
            quit_at: None,
        }
    }

    /// The word after the port: its service's name, or `*`.
    fn port_text(&self, port: u16) -> String {
        let proto = if self.options.udp { "udp" } else { "tcp" };
        let service =
            if self.options.numeric { None } else { service_name(&self.services, port, self.options.udp) };
        format!("[{proto}/{}]", service.unwrap_or("*"))
    }

    fn failed(&self, sys: &mut dyn Sys, addr: SocketAddr, errno: Errno) {
        if self.options.verbose {
            let proto = if self.options.udp { "udp" } else { "tcp" };
            let how = if errno == Errno::InProgress { "timed out" } else { "failed" };
            complain(
                sys,
                &format!(
                    "nc: connect to {} port {} ({proto}) {how}: {errno}\n",
                    self.named(addr),
                    addr.port()
                ),
            );
        }
    }

    fn host(&self) -> &str {
        self.options.host.as_deref().unwrap_or_default()
    }

    /// The host as it was named, and its address if that is another text.
    fn named(&self, addr: SocketAddr) -> String {
        let (host, ip) = (self.host(), addr.ip().to_string());
        if host == ip { ip } else { format!("{host} ({ip})") }
    }

    fn succeeded(&self, sys: &mut dyn Sys, addr: SocketAddr) {
        if self.options.verbose {
            let line = format!(
                "Connection to {} {} port {} succeeded!\n",
                self.named(addr),
                addr.port(),
                self.port_text(addr.port())
            );
            complain(sys, &line);
        }
    }

    /// Opens, binds and connects a socket to the next port.
    fn begin(&mut self, sys: &mut dyn Sys) -> Result<Option<Phase>, Refused> {
        if self.addrs_left.1.is_empty() {
            let Some(port) = self.ports_left.pop() else { return Ok(None) };
            let found = self.found.clone().unwrap_or(Err(GaiError::NoName));
            let mut addrs = found.map_err(|error| {
                let host = self.host();
                Refused(format!("nc: getaddrinfo for host \"{host}\" port {port}: {}\n", why(sys, error)))
            })?;
            addrs.reverse();
            self.addrs_left = (port, addrs);
        }
        let Some(addr) = self.addrs_left.1.pop() else { return Ok(Some(Phase::NextPort)) };
        let addr = SocketAddr::new(IpAddr::V4(addr), self.addrs_left.0);
        let failed = |errno: Errno| Refused(format!("nc: {errno}\n"));
        let fd = sys.socket(self.kind()).map_err(failed)?;
        if self.options.source.is_some() || self.options.source_port.is_some() {
            let source = self.options.source.unwrap_or(Ipv4Addr::UNSPECIFIED);
            let own = SocketAddr::new(IpAddr::V4(source), self.options.source_port.unwrap_or(0));
            sys.set_option(fd, SocketOption::ReuseAddr(true)).map_err(failed)?;
            sys.bind(fd, own).map_err(|errno| Refused(format!("nc: bind failed: {errno}\n")))?;
        }
        if self.options.broadcast {
            sys.set_option(fd, SocketOption::Broadcast(true)).map_err(failed)?;
        }
        if let Some(ttl) = self.options.ttl {
            sys.set_option(fd, SocketOption::Ttl(ttl)).map_err(failed)?;
        }
        if let Some(tos) = self.options.tos {
            sys.set_option(fd, SocketOption::Tos(tos)).map_err(failed)?;
        }
        match sys.connect(fd, addr) {
            Ok(()) | Err(Errno::InProgress) => {
                let until = self.options.timeout.map(|d| sys.now() + d);
                Ok(Some(Phase::Connecting { fd, addr, until }))
            }
            Err(errno) => {
                self.failed(sys, addr, errno);
                sys.close(fd);
                Ok(Some(Phase::NextPort))
            }
        }
    }

    /// Runs as far as it goes; `Ok` with the exit status at the end.
    fn run(&mut self, sys: &mut dyn Sys) -> Result<i32, Wait> {
        loop {
            let phase = std::mem::replace(&mut self.phase, Phase::NextPort);
            match phase {
                Phase::NextPort => match self.begin(sys) {
                    Ok(Some(phase)) => self.phase = phase,
                    Ok(None) => return Ok(self.status),
                    Err(Refused(text)) => {
                        complain(sys, &text);
                        return Ok(1);
                    }
                },
                Phase::Connecting { fd, addr, until } => {
                    if let Some(errno) = sys.take_error(fd) {
                        self.failed(sys, addr, errno);
                        sys.close(fd);
                    } else if sys.peer_addr(fd).is_some() && sys.ready(fd).writable {
                        self.connected(sys, fd, addr);
                    } else if until.is_some_and(|t| sys.now() >= t) {
                        self.failed(sys, addr, Errno::InProgress);
                        sys.close(fd);
                    } else {
                        self.phase = Phase::Connecting { fd, addr, until };
                        return Err(Wait { fds: vec![fd], until, ..Wait::default() });
                    }
                }
                Phase::Testing { fd, addr, left, until } => {
                    if sys.take_error(fd).is_some() {
                        sys.close(fd);
                    } else if sys.now() < until {
                        self.phase = Phase::Testing { fd, addr, left, until };
                        return Err(Wait { fds: vec![fd], until: Some(until), ..Wait::default() });
                    } else if left == 0 || sys.send(fd, b"X", None).is_err() {
                        if left == 0 {
                            self.status = 0;
                            self.addrs_left.1.clear();
                            self.succeeded(sys, addr);
                        }
                        sys.close(fd);
                    } else {
                        self.phase = Phase::Testing {
                            fd,
                            addr,
                            left: left - 1,
                            until: sys.now() + Duration::from_secs(1),
                        };
                    }
                }
                Phase::Listening { fd } => match sys.accept(fd) {
                    Ok((accepted, peer)) => {
                        if self.options.verbose {
                            complain(sys, &format!("Connection received on {} {}\n", peer.ip(), peer.port()));
                        }
                        // Without -k the listening socket stays open too, but nothing is accepted.
                        let listener = self.options.keep.then_some(fd);
                        self.phase = Phase::Transfer(self.transfer(sys, accepted, listener));
                    }
                    Err(Errno::Again) => {
                        self.phase = Phase::Listening { fd };
                        return Err(Wait { fds: vec![fd], ..Wait::default() });
                    }
                    Err(errno) => {
                        complain(sys, &format!("nc: {errno}\n"));
                        return Ok(1);
                    }
                },
                Phase::Transfer(mut transfer) => match transfer.run(sys, &self.options) {
                    Some(wait) => {
                        self.phase = Phase::Transfer(transfer);
                        return Err(wait);
                    }
                    None => {
                        sys.close(transfer.fd);
                        match transfer.listener {
                            Some(fd) => self.phase = Phase::Listening { fd },
                            None => self.status = 0,
                        }
                    }
                },
            }
        }
    }

    fn connected(&mut self, sys: &mut dyn Sys, fd: Fd, addr: SocketAddr) {
        if self.options.udp && self.options.verbose {
            // udptest: X'es are sent; an ICMP error shows that nobody listens.
            self.phase = Phase::Testing { fd, addr, left: UDP_TESTS, until: sys.now() };
            return;
        }
        self.status = 0;
        self.succeeded(sys, addr);
        self.addrs_left.1.clear();
        if self.options.zero {
            sys.close(fd);
        } else {
            self.ports_left.clear();
            self.phase = Phase::Transfer(self.transfer(sys, fd, None));
        }
    }
}

impl Transfer {
    /// Carries bytes both ways; `None` when it is over. netcat: `readwrite`.
    fn run(&mut self, sys: &mut dyn Sys, options: &Options) -> Option<Wait> {
        let mut moved = false;
        loop {
            if self.is_over(options) {
                return None;
            }
            let ready = sys.ready(self.fd);
            if ready.error || ready.hangup {
                self.net_out = false;
                self.stdin_open = false;
                self.net_in &= !ready.error;
            }
            let mut again = self.read_stdin(sys) || self.write_net(sys);
            if self.net_in {
                again |= self.read_net(sys, options);
            }
            if !self.stdin_open && self.pending.is_empty() && self.net_out {
                self.net_out = false;
                self.sent_all(sys, options);
                again = true;
            }
            moved |= again;
            if !again {
                break;
            }
        }
        if self.is_over(options) {
            return None;
        }
        if moved {
            self.idle_until = options.timeout.map(|d| sys.now() + d);
        }
        let over = |t: Option<SimTime>| t.is_some_and(|t| sys.now() >= t);
        if over(self.idle_until) || over(self.quit_at) {
            return None;
        }
        let until = match (self.idle_until, self.quit_at) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let mut fds = vec![self.fd];
        if self.stdin_open {
            fds.push(Fd::STDIN);
        }
        Some(Wait { fds, until, ..Wait::default() })
    }

    /// Both inputs are gone, or both outputs; a listener ends with its peer.
    fn is_over(&self, options: &Options) -> bool {
        let idle = self.pending.is_empty() && !self.net_in;
        (idle && (!self.stdin_open || options.listen)) || (!self.net_in && !self.net_out)
    }

    /// Fills the buffer for the network; whether something happened.
    fn read_stdin(&mut self, sys: &mut dyn Sys) -> bool {
        if !self.stdin_open || !self.pending.is_empty() {
            return false;
        }
        match sys.read(Fd::STDIN, 16384) {
            Ok(ReadResult::WouldBlock) => return false,
            Ok(ReadResult::Data(data)) => self.pending = data,
            Ok(ReadResult::Eof) | Err(_) => self.stdin_open = false,
        }
        true
    }

    /// Sends what is in the buffer; whether something happened.
    fn write_net(&mut self, sys: &mut dyn Sys) -> bool {
        if !self.net_out || self.pending.is_empty() {
            return false;
        }
        match sys.send(self.fd, &self.pending, None) {
            Ok(n) => drop(self.pending.drain(..n)),
            // A listening UDP socket has no peer before the first datagram.
            Err(Errno::Again | Errno::NotConn) => return false,
            Err(_) => {
                self.net_out = false;
                self.stdin_open = false;
                self.pending.clear();
            }
        }
        true
    }

    /// Copies from the network; whether something happened.
    fn read_net(&mut self, sys: &mut dyn Sys, options: &Options) -> bool {
        match sys.recv(self.fd, 16384) {
            Err(Errno::Again) => return false,
            Err(_) => self.net_in = false,
            Ok(received) if received.data.is_empty() && !options.udp => self.net_in = false,
            Ok(received) => {
                if options.udp && options.listen && sys.peer_addr(self.fd).is_none() && !options.keep {
                    // The first sender becomes the peer.
                    let _ = sys.connect(self.fd, received.from);
                }
                let _ = sys.write(Fd::STDOUT, &received.data);
            }
        }
        true
    }

    /// Nothing more will be sent.
    fn sent_all(&mut self, sys: &mut dyn Sys, options: &Options) {
        if options.half_close {
            // A connection that is gone needs no half close.
            let _ = sys.shutdown_write(self.fd);
        }
        self.quit_at = options.quit_after.map(|d| sys.now() + d);
    }
}

impl Program for Netcat {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let state = match &mut self.state {
            Some(state) => state,
            None => match State::new(sys, &self.args[1..], &mut self.lookups) {
                Ok(Ok(state)) => self.state.insert(state),
                Ok(Err(wait)) => return Next::Wait(wait),
                Err(Refused(text)) => {
                    complain(sys, &text);
                    return Next::Exit(1);
                }
            },
        };
        match state.run(sys) {
            Ok(status) => Next::Exit(status),
            Err(wait) => Next::Wait(wait),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}
