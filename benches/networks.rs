//! Networks and programs that the benches share; each uses some of them.

#![allow(dead_code, missing_docs)]

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use kernel::request::{LinkAdd, LinkKind, Request};
use kernel::socket::SocketKind;
use packet::{Body, HostId, Icmp, NetnsId, Packet, Proto, SimTime};
use trace::{Observer, Off};
use world::{CableOptions, Endpoint, Fd, Next, Outcome, Program, SegmentKind, Sys, Wait, World};

/// Adds a host with NICs `eth0`, `eth1`, …
pub fn host(world: &mut World, name: &str, nics: usize) -> HostId {
    let id = world.add_host(name, tools::registry());
    for n in 0..nics {
        let add = LinkAdd::new(&format!("eth{n}"), LinkKind::Nic);
        world.request(id, NetnsId::INIT, Request::LinkAdd(add), &mut Off).expect("a fresh host takes a NIC");
    }
    id
}

/// Joins two NICs by a cable.
pub fn cable(world: &mut World, a: (HostId, &str), b: (HostId, &str)) {
    let segment = world.add_segment("cable", SegmentKind::Hub);
    for (host, nic) in [a, b] {
        let dev = world.host(host).dev_by_name(NetnsId::INIT, nic).expect("the NIC was added");
        world.plug(segment, Endpoint { host, dev }, CableOptions::default(), &mut Off);
    }
}

/// Runs shell commands on a host; they must succeed.
pub fn sh(world: &mut World, host: HostId, script: &str) -> String {
    let console = world.add_console(host, false);
    world.type_input(host, console, None);
    let args = ["sh", "-ec", script].map(str::to_owned).to_vec();
    let pid =
        world.spawn(host, NetnsId::INIT, console, args, BTreeMap::new()).expect("the shell is installed");
    let mut text = Vec::new();
    let outcome =
        world.run_to_exit(host, pid, console, &mut Off, &mut |_, bytes| text.extend_from_slice(bytes));
    let text = String::from_utf8_lossy(&text).into_owned();
    assert_eq!(outcome, Outcome::Exited(0), "{script}\n{text}");
    text
}

/// `h0 -- r1 -- … -- rn -- h1`: answers the world and both hosts. Network i is 10.0.i.0/24.
pub fn chain(routers: usize) -> (World, HostId, HostId) {
    let mut world = World::new(0);
    let first = host(&mut world, "h0", 1);
    let middle: Vec<HostId> = (1..=routers).map(|n| host(&mut world, &format!("r{n}"), 2)).collect();
    let last = host(&mut world, "h1", 1);
    let mut left = (first, "eth0");
    for &router in &middle {
        cable(&mut world, left, (router, "eth0"));
        left = (router, "eth1");
    }
    cable(&mut world, left, (last, "eth0"));
    sh(
        &mut world,
        first,
        "ip addr add 10.0.0.1/24 dev eth0; ip link set eth0 up; ip route add default via 10.0.0.2",
    );
    for (i, &router) in middle.iter().enumerate() {
        let next = i + 1;
        let back = if i == 0 { String::new() } else { format!("ip route add 10.0.0.0/24 via 10.0.{i}.1;") };
        let onward = if next == routers {
            String::new()
        } else {
            format!("ip route add 10.0.{routers}.0/24 via 10.0.{next}.2;")
        };
        let own = if i == 0 { "10.0.0.2".to_owned() } else { format!("10.0.{i}.2") };
        sh(
            &mut world,
            router,
            &format!(
                "ip addr add {own}/24 dev eth0; ip addr add 10.0.{next}.1/24 dev eth1; ip link set eth0 up; \
                 ip link set eth1 up; sysctl -qw net.ipv4.ip_forward=1; {back} {onward} true"
            ),
        );
    }
    sh(
        &mut world,
        last,
        &format!(
            "ip addr add 10.0.{routers}.2/24 dev eth0; ip link set eth0 up; ip route add default via 10.0.{routers}.1"
        ),
    );
    (world, first, last)
}

/// Sends datagrams at a steady pace from a connected socket and counts the answers.
#[derive(Clone, Debug)]
pub struct UdpClient {
    pub to: SocketAddr,
    pub count: u32,
    pub pace: Duration,
    pub socket: Option<Fd>,
    pub sent: u32,
    pub answered: u32,
    pub next: SimTime,
}

impl UdpClient {
    pub fn new(to: SocketAddr, count: u32, pace: Duration) -> Self {
        Self { to, count, pace, socket: None, sent: 0, answered: 0, next: SimTime::ZERO }
    }
}

impl Program for UdpClient {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let fd = match self.socket {
            Some(fd) => fd,
            None => {
                let fd = sys.socket(SocketKind::Udp).expect("a socket");
                sys.connect(fd, self.to).expect("a route");
                self.next = sys.now();
                *self.socket.insert(fd)
            }
        };
        while sys.recv(fd, 2048).is_ok() {
            self.answered += 1;
        }
        while self.sent < self.count && sys.now() >= self.next {
            sys.send(fd, b"0123456789abcdef", None).expect("it is sent");
            self.sent += 1;
            self.next += self.pace;
        }
        if self.answered >= self.count {
            return Next::Exit(0);
        }
        let until = (self.sent < self.count).then_some(self.next);
        Next::Wait(Wait { fds: vec![fd], until, ..Wait::default() })
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// A host with a bridge of `hosts` ports and a host on a cable at each: answers the world and the
/// hosts. Host i has 10.0.0.i+1.
pub fn lan(hosts: usize) -> (World, Vec<HostId>) {
    let mut world = World::new(0);
    let switch = host(&mut world, "switch", hosts);
    sh(&mut world, switch, "ip link add br0 type bridge mcast_snooping 0; ip link set br0 up");
    let ends: Vec<HostId> = (0..hosts).map(|n| host(&mut world, &format!("h{n}"), 1)).collect();
    for (n, &end) in ends.iter().enumerate() {
        cable(&mut world, (end, "eth0"), (switch, &format!("eth{n}")));
        sh(&mut world, switch, &format!("ip link set eth{n} master br0; ip link set eth{n} up"));
        sh(&mut world, end, &format!("ip addr add 10.0.0.{}/24 dev eth0; ip link set eth0 up", n + 1));
    }
    (world, ends)
}

/// Sends echo requests to all others from one raw socket at a steady pace, round by round, and
/// counts the replies.
#[derive(Clone, Debug)]
pub struct Pinger {
    pub peers: Vec<Ipv4Addr>,
    pub rounds: u16,
    pub pace: Duration,
    pub payload: packet::Payload,
    pub socket: Option<Fd>,
    pub sent: usize,
    pub answered: usize,
    pub next: SimTime,
}

impl Pinger {
    pub fn new(peers: Vec<Ipv4Addr>, rounds: u16, pace: Duration) -> Self {
        let payload = vec![0x2a; 56].into();
        Self { peers, rounds, pace, payload, socket: None, sent: 0, answered: 0, next: SimTime::ZERO }
    }

    fn total(&self) -> usize {
        self.peers.len() * usize::from(self.rounds)
    }
}

impl Program for Pinger {
    fn resume(&mut self, sys: &mut dyn Sys) -> Next {
        let fd = match self.socket {
            Some(fd) => fd,
            None => {
                self.next = sys.now();
                *self.socket.insert(sys.socket(SocketKind::Raw(Proto::ICMP)).expect("a socket"))
            }
        };
        while let Ok(received) = sys.recv(fd, 2048) {
            let body = received.packet.map(|packet| packet.body);
            self.answered += usize::from(matches!(body, Some(Body::Icmp(Icmp::Echo { request: false, .. }))));
        }
        while self.sent < self.total() && sys.now() >= self.next {
            let to = self.peers[self.sent % self.peers.len()];
            let echo =
                Icmp::Echo { request: true, id: 1, seq: self.sent as u16, payload: self.payload.clone() };
            let packet = Packet::new(Ipv4Addr::UNSPECIFIED.into(), to.into(), Body::Icmp(echo));
            sys.send_packet(fd, packet).expect("it is sent");
            self.sent += 1;
            self.next += self.pace;
        }
        if self.answered >= self.total() {
            return Next::Exit(0);
        }
        let until = (self.sent < self.total()).then_some(self.next);
        Next::Wait(Wait { fds: vec![fd], until, ..Wait::default() })
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// All hosts of [`lan`] ping all others `rounds` times; answers the pings that were answered.
pub fn ping_all_pairs(world: &mut World, ends: &[HostId], rounds: u16) -> usize {
    let addr = |n: usize| Ipv4Addr::new(10, 0, 0, u8::try_from(n + 1).expect("at most 254 hosts"));
    let mut pids = Vec::new();
    for (n, &end) in ends.iter().enumerate() {
        let peers: Vec<Ipv4Addr> = (0..ends.len()).filter(|&peer| peer != n).map(addr).collect();
        let program = Box::new(Pinger::new(peers, rounds, Duration::from_micros(900)));
        let console = world.add_console(end, false);
        let args = vec!["pinger".to_owned()];
        pids.push((end, world.spawn_program(end, NetnsId::INIT, console, args, program, BTreeMap::new())));
    }
    for &(end, pid) in &pids {
        while world.exit_status(end, pid).is_none() {
            assert!(world.step(&mut Off), "a pinger waits and nothing can happen any more");
        }
    }
    ends.len() * (ends.len() - 1) * usize::from(rounds)
}

/// Starts `udp-echo` on `server` and one warm-up datagram, so that every neighbour is known.
pub fn warm(world: &mut World, client: HostId, server: HostId, to: SocketAddr) {
    let console = world.add_console(server, false);
    let args = ["udp-echo", "-listen", ":9", "-text", "0123456789abcdef"].map(str::to_owned).to_vec();
    world.spawn(server, NetnsId::INIT, console, args, BTreeMap::new()).expect("udp-echo is installed");
    // Each router loses the first datagrams while it asks for its neighbour.
    for _ in 0..3 {
        run_client(world, client, UdpClient::new(to, 1, Duration::from_millis(1)), &mut Off);
    }
}

/// Runs a client to its end and answers the events it took.
pub fn run_client<O: Observer>(world: &mut World, host: HostId, client: UdpClient, obs: &mut O) -> u64 {
    let console = world.add_console(host, false);
    let before = world.events_run();
    let pid = world.spawn_program(
        host,
        NetnsId::INIT,
        console,
        vec!["client".to_owned()],
        Box::new(client),
        BTreeMap::new(),
    );
    while world.exit_status(host, pid).is_none() {
        assert!(world.step(obs), "the client waits and nothing can happen any more");
    }
    assert_eq!(world.exit_status(host, pid), Some(0));
    world.events_run() - before
}

/// CPU time of this thread so far, ns.
pub fn cpu() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let part = |part: i64| u64::try_from(part).expect("time goes on");
    part(time.tv_sec) * 1_000_000_000 + part(time.tv_nsec)
}
