//! `dnsmasq` 2.90 as a DHCP server. Source: `dhcp.c`, `rfc2131.c`.

mod log;
mod options;
mod pool;
mod reply;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use dhcproto::v4::{Flags, Message};
use kernel::Errno;
use kernel::request::{Mode, NeighSpec, Request};
use kernel::socket::{MtuDiscover, Received, SocketKind, SocketOption};
use packet::{Body, DevId, Icmp, MacAddr, Packet, Payload, Proto, SimTime};
use world::{Args, Fd, Next, Program, Registry, Signal, Spawn, Sys, Wait};

use self::log::{Log, Part};
use self::options::Options;
use self::pool::Leases;
use self::reply::{Interface, Todo};
use super::message::{client_mac, decode};
use super::{CLIENT_PORT, SERVER_PORT, script};
use crate::net::{Refused, complain, read_file};

/// Installs `dnsmasq`.
pub(super) fn install(registry: &mut Registry) {
    registry.install("dnsmasq", |args| Box::new(Dnsmasq { args, server: None }));
}

/// How long it waits for somebody to answer from an address before it offers that.
const PING_WAIT: Duration = Duration::from_secs(3);
/// How long it trusts that nobody answered.
const PING_CACHE: Duration = Duration::from_secs(30);
/// So many addresses looked at within [`PING_CACHE`] are enough; later ones are given unseen.
const PING_MAX: usize = 6;
/// `IPTOS_CLASS_CS6`.
const TOS: u8 = 0xc0;

#[derive(Clone, Debug)]
struct Dnsmasq {
    args: Args,
    server: Option<Server>,
}

#[derive(Clone, Debug)]
struct Server {
    options: Options,
    log: Log,
    udp: Fd,
    /// The only interface that it serves; its socket hears no other.
    only: Option<String>,
    leases: Leases,
    /// Addresses from which nobody answered, and when.
    seen_free: Vec<(Ipv4Addr, SimTime)>,
    /// Addresses from which somebody answered while a client waits.
    taken: Vec<Ipv4Addr>,
    announced: bool,
    /// It does nothing else until this look is over.
    ping: Option<Ping>,
}

/// A look whether somebody has an address.
#[derive(Clone, Debug)]
struct Ping {
    socket: Fd,
    address: Ipv4Addr,
    until: SimTime,
    id: u16,
    /// Whom it would be offered to.
    request: Datagram,
}

/// A client's message and where it came from.
#[derive(Clone, Debug)]
struct Datagram {
    bytes: Vec<u8>,
    from: SocketAddr,
    unicast: bool,
    interface: Interface,
}

impl Ping {
    /// Takes what came; true if somebody has the address.
    fn answered(&self, sys: &mut dyn Sys) -> bool {
        let mut answered = false;
        while let Ok(received) = sys.recv(self.socket, 1 << 16) {
            if let Some(packet) = &received.packet
                && let Body::Icmp(Icmp::Echo { request: false, id, .. }) = &packet.body
            {
                answered |= *id == self.id && packet.src() == IpAddr::V4(self.address);
            }
        }
        answered
    }
}

impl Server {
    fn start(sys: &mut dyn Sys, args: &[String]) -> Result<Self, Refused> {
        let options = Options::parse(args)?;
        let log = match &options.log_file {
            Some(file) => Log::File(file.clone()),
            None if options.to_stderr => Log::Stderr,
            None => Log::Nowhere,
        };
        let fail =
            |what: &'static str| move |errno: Errno| Refused(2, format!("\ndnsmasq: {what}: {errno}\n"));
        let udp = sys.socket(SocketKind::Udp).map_err(fail("cannot create DHCP socket"))?;
        for option in [
            SocketOption::Broadcast(true),
            SocketOption::Tos(TOS),
            SocketOption::MtuDiscover(MtuDiscover::Dont),
            SocketOption::ReuseAddr(true),
        ] {
            sys.set_option(udp, option).map_err(fail("failed to set options on DHCP socket"))?;
        }
        sys.bind(udp, SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), SERVER_PORT))
            .map_err(fail("failed to bind DHCP server socket"))?;
        let netns = sys.netns();
        let links = sys.kernel().links(netns);
        let exists = |name: &str| links.iter().any(|link| link.name == name);
        let only = match options.interfaces.as_slice() {
            [name] if exists(name) => Some(name.clone()),
            _ => None,
        };
        sys.set_option(udp, SocketOption::BindToDevice(only.clone()))
            .map_err(fail("failed to set SO_BINDTODEVICE on DHCP socket"))?;
        let leases = Leases::parse(&read_file(sys, &options.lease_file).unwrap_or_default());
        Ok(Self {
            options,
            log,
            udp,
            only,
            leases,
            seen_free: Vec::new(),
            taken: Vec::new(),
            announced: false,
            ping: None,
        })
    }

    /// Its first words; a daemon says them with its own process number.
    fn announce(&self, sys: &mut dyn Sys) {
        let netns = sys.netns();
        let links = sys.kernel().links(netns);
        self.say(sys, Part::Dnsmasq, "started, version 2.90 DNS disabled");
        self.say(sys, Part::Dnsmasq, COMPILED_WITH);
        for name in &self.options.interfaces {
            if !links.iter().any(|link| link.name == *name) {
                self.say(sys, Part::Dnsmasq, &format!("warning: interface {name} does not currently exist"));
            }
        }
        for range in &self.options.ranges {
            self.say(sys, Part::Dhcp, &range.announce());
        }
    }

    fn say(&self, sys: &mut dyn Sys, part: Part, text: &str) {
        self.log.line(sys, part, text);
    }

    /// The interface that a datagram came by, if it is served. Source: `dhcp_packet`.
    fn interface(&self, sys: &mut dyn Sys, dev: Option<DevId>) -> Option<Interface> {
        let name = sys.kernel().get_dev(dev?)?.name.to_string();
        let wanted = &self.options.interfaces;
        if name == "lo" || !(wanted.is_empty() || wanted.contains(&name)) {
            return None;
        }
        let netns = sys.netns();
        let index = sys.kernel().links(netns).into_iter().find(|link| link.name == name)?.ifindex;
        let own = sys.kernel().addrs(netns);
        let addrs =
            own.into_iter().filter(|info| info.ifindex == index).filter_map(|info| match info.addr.local {
                ipnet::IpNet::V4(net) => Some(net),
                ipnet::IpNet::V6(_) => None,
            });
        let interface = Interface { name, addrs: addrs.collect() };
        if interface.addrs.is_empty() {
            let text = format!("DHCP packet received on {} which has no address", interface.name);
            self.say(sys, Part::Dhcp, &text);
            return None;
        }
        Some(interface)
    }

    fn take(&mut self, sys: &mut dyn Sys, received: Received) {
        let Some(interface) = self.interface(sys, received.dev) else { return };
        let unicast = received.dst != IpAddr::V4(Ipv4Addr::BROADCAST);
        let request = Datagram { bytes: received.data, from: received.from, unicast, interface };
        self.handle(sys, request);
    }

    /// Answers a message, or begins to look whether an address is free.
    fn handle(&mut self, sys: &mut dyn Sys, request: Datagram) {
        let Some(message) = decode(&request.bytes) else { return };
        let Some(mac) = client_mac(&message) else { return };
        if self.leases.prune(sys.unix_time()) {
            self.write_leases(sys);
        }
        match self.reply(sys, &message, mac, &request.interface, request.unicast) {
            Todo::Nothing => {}
            Todo::Send(answer, bytes) => self.send(sys, &answer, &bytes, mac, &request),
            Todo::Ping(address) => self.start_ping(sys, address, request),
        }
    }

    fn write_leases(&self, sys: &mut dyn Sys) {
        script::write_file(sys, &self.options.lease_file, &self.leases.print());
    }

    /// Whether nobody answered from an address lately, or no look is needed.
    fn known_free(&mut self, now: SimTime, address: Ipv4Addr) -> bool {
        self.seen_free.retain(|(_, at)| now.since(*at) < PING_CACHE);
        self.options.no_ping
            || self.seen_free.len() >= PING_MAX
            || self.seen_free.iter().any(|(seen, _)| *seen == address)
    }

    /// Source: `icmp_ping`.
    fn start_ping(&mut self, sys: &mut dyn Sys, address: Ipv4Addr, request: Datagram) {
        let socket = match sys.socket(SocketKind::Raw(Proto::ICMP)) {
            Ok(socket) => socket,
            Err(errno) => {
                return self.say(sys, Part::Dhcp, &format!("cannot create ICMP raw socket: {errno}"));
            }
        };
        let id = sys.random() as u16;
        let echo = Icmp::Echo { request: true, id, seq: 0, payload: Payload::from(vec![0; 20]) };
        let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        // Nobody there is as good as no answer.
        let _ = sys.send_packet(socket, Packet::new(any, IpAddr::V4(address), Body::Icmp(echo)));
        self.ping = Some(Ping { socket, address, until: sys.now() + PING_WAIT, id, request });
    }

    /// Sends an answer to where the client can hear it. Source: the end of `dhcp_packet`.
    fn send(&self, sys: &mut dyn Sys, answer: &Message, bytes: &[u8], mac: MacAddr, request: &Datagram) {
        let device = &request.interface.name;
        let to = if !answer.ciaddr().is_unspecified() {
            let same = request.from.ip() == IpAddr::V4(answer.ciaddr());
            let port = if same { request.from.port() } else { CLIENT_PORT };
            SocketAddr::new(IpAddr::V4(answer.ciaddr()), port)
        } else if answer.flags().broadcast() {
            SocketAddr::new(IpAddr::V4(Ipv4Addr::BROADCAST), CLIENT_PORT)
        } else {
            // The client can't answer ARP for an address that it doesn't have yet.
            let known = NeighSpec {
                addr: IpAddr::V4(answer.yiaddr()),
                dev: Some(device.clone()),
                lladdr: Some(mac),
                nud: Some(kernel::Nud::Stale),
                proxy: false,
                router: false,
                extern_learn: false,
            };
            let netns = sys.netns();
            if let Err(refusal) = sys.request(netns, Request::NeighAdd(known, Mode::Replace)) {
                self.say(sys, Part::Dhcp, &format!("ARP-cache injection failed: {}", refusal.errno));
            }
            SocketAddr::new(IpAddr::V4(answer.yiaddr()), CLIENT_PORT)
        };
        // The real one says the device with each datagram (`IP_PKTINFO`).
        let _ = sys.set_option(self.udp, SocketOption::BindToDevice(Some(device.clone())));
        if let Err(errno) = sys.send(self.udp, bytes, Some(to)) {
            self.say(sys, Part::Dhcp, &format!("Error sending DHCP packet to {}: {errno}", to.ip()));
        }
        let _ = sys.set_option(self.udp, SocketOption::BindToDevice(self.only.clone()));
    }

    /// Does what can be done now.
    fn turn(&mut self, sys: &mut dyn Sys) -> Wait {
        if !std::mem::replace(&mut self.announced, true) {
            self.announce(sys);
        }
        loop {
            if let Some(ping) = self.ping.take() {
                let taken = ping.answered(sys);
                if !taken && sys.now() < ping.until {
                    let (fds, until) = (vec![ping.socket], Some(ping.until));
                    self.ping = Some(ping);
                    return Wait { fds, until, ..Wait::default() };
                }
                sys.close(ping.socket);
                if taken {
                    self.avoid(ping.address);
                    self.taken.push(ping.address);
                } else {
                    self.seen_free.push((ping.address, sys.now()));
                }
                self.handle(sys, ping.request);
                if self.ping.is_none() {
                    self.taken.clear();
                }
                continue;
            }
            match sys.recv(self.udp, 1 << 16) {
                Ok(received) => self.take(sys, received),
                Err(Errno::Again) => return Wait { fds: vec![self.udp], ..Wait::default() },
                // An ICMP error of an earlier answer.
                Err(_) => {}
            }
        }
    }
}

const COMPILED_WITH: &str = "compile time options: IPv6 GNU-getopt DBus no-UBus i18n IDN2 DHCP DHCPv6 \
no-Lua TFTP conntrack ipset nftset auth cryptohash DNSSEC loop-detect inotify dumpfile";

/// Whether an answer is to be sent to everybody.
fn broadcast_flag() -> Flags {
    Flags::default().set_broadcast()
}

impl Program for Dnsmasq {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let server = match &mut self.server {
            Some(server) => server,
            None => match Server::start(sys, &self.args[1..]) {
                Ok(server) if server.options.foreground => self.server.insert(server),
                Ok(server) => return daemon(sys, server, &self.args),
                Err(Refused(status, text)) => {
                    complain(sys, &text);
                    return Next::Exit(status);
                }
            },
        };
        Next::Wait(server.turn(sys))
    }

    fn signal(&mut self, sys: &mut dyn Sys, signal: Signal) -> Next {
        match (&self.server, signal) {
            (Some(server), Signal::Term | Signal::Int) => {
                let name = if signal == Signal::Term { "SIGTERM" } else { "SIGINT" };
                server.say(sys, Part::Dnsmasq, &format!("exiting on receipt of {name}"));
                Next::Exit(0)
            }
            _ => Next::Exit(128 + signal.number()),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// Goes on without a terminal.
fn daemon(sys: &mut dyn Sys, server: Server, args: &Args) -> Next {
    let (udp, pid_file) = (server.udp, server.options.pid_file.clone());
    let spawn = Spawn {
        args: args.clone(),
        code: Some(Box::new(Dnsmasq { args: args.clone(), server: Some(server) })),
        fds: vec![(udp, udp)],
        ..Spawn::default()
    };
    match sys.spawn(spawn) {
        Ok(pid) => {
            script::write_file(sys, &pid_file, &format!("{pid}\n"));
            Next::Exit(0)
        }
        Err(errno) => {
            complain(sys, &format!("\ndnsmasq: cannot fork into background: {errno}\n"));
            Next::Exit(5)
        }
    }
}
