//! Sockets of two hosts with their real routes, ICMP and TCP, and between them a wire that carries
//! IP packets from the moment they are made.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use packet::{Body, DevId, HostId, IfIndex, NetnsId, Packet, PacketIds, Proto, SimTime, Skb};
use trace::{Recorder, StepKind};

use super::{MtuDiscover, Ready, SocketId, SocketKind, SocketOption};
use crate::request::{AddrSpec, Mode, Request};
use crate::{Cx, Device, Effect, Errno, Host, Timer};

const NS: NetnsId = NetnsId::INIT;

enum Event {
    Packet(usize, Packet),
    Timer(usize, Timer),
}

struct Lab {
    hosts: [Host; 2],
    now: SimTime,
    ids: PacketIds,
    events: BTreeMap<(SimTime, u64), Event>,
    seq: u64,
    /// Every packet made, as `a UDP 10.0.0.1:1000 > 10.0.0.2:53`.
    log: Vec<String>,
    woken: Vec<(usize, SocketId)>,
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

impl Lab {
    /// Host 0 has 10.0.0.1 on eth0, host 1 has 10.0.0.2 and then 10.0.0.20.
    fn new() -> Self {
        let mut lab = Self {
            hosts: [Host::new(HostId(0), "a", 1), Host::new(HostId(1), "b", 2)],
            now: SimTime(1_000_000_000),
            ids: PacketIds::default(),
            events: BTreeMap::new(),
            seq: 0,
            log: Vec::new(),
            woken: Vec::new(),
        };
        for (n, addrs) in [(0, vec!["10.0.0.1/24"]), (1, vec!["10.0.0.2/24", "10.0.0.20/24"])] {
            let host = &mut lab.hosts[n];
            let id = DevId(host.devices.len() as u32);
            let kind = host.dev(host.ns(NS).loopback).kind.clone();
            let mut dev = Device::new(id, NS, IfIndex(2), "eth0", kind);
            dev.mtu = 1500;
            host.devices.push(Some(dev));
            host.ns_mut(NS).devices.insert(IfIndex(2), id);
            for dev in [host.ns(NS).loopback, id] {
                lab.hosts[n].dev_mut(dev).up = true;
                lab.hosts[n].dev_mut(dev).carrier = true;
                lab.cx(n, |cx| cx.fib_dev_up(dev));
            }
            for addr in addrs {
                let spec = AddrSpec {
                    broadcast: Some("10.0.0.255".parse().unwrap()),
                    ..AddrSpec::new("eth0", addr.parse().unwrap())
                };
                lab.cx(n, |cx| cx.request(NS, Request::AddrAdd(spec, Mode::Add))).unwrap();
            }
        }
        lab
    }

    /// Runs something on a host; the packets it makes go onto the wire.
    fn cx<T>(&mut self, n: usize, act: impl FnOnce(&mut Cx<'_, Recorder>) -> T) -> T {
        let (mut effects, mut obs) = (Vec::new(), Recorder::default());
        let host = &mut self.hosts[n];
        let result = act(&mut Cx {
            host,
            now: self.now,
            effects: &mut effects,
            ids: &mut self.ids,
            obs: &mut obs,
            choices: None,
            current: None,
            icmp_busy: false,
        });
        for effect in effects {
            match effect {
                Effect::Timer { at, timer: timer @ Timer::Socket { .. } } => {
                    self.schedule(at, Event::Timer(n, timer))
                }
                Effect::Wake(id) => self.woken.push((n, id)),
                _ => {}
            }
        }
        for step in obs.steps {
            if let StepKind::Created { frame, .. } = step.kind
                && let Some(packet) = frame.ip()
            {
                self.log.push(describe(n, packet));
                let local = |host: &Host| host.addrs(NS).iter().any(|a| a.addr.local.addr() == packet.dst());
                let loops = packet.dst().is_loopback() || local(&self.hosts[n]);
                let to = if loops { n } else { 1 - n };
                let event = Event::Packet(to, packet.clone());
                self.schedule(self.now + Duration::from_millis(1), event);
            }
        }
        result
    }

    fn schedule(&mut self, at: SimTime, event: Event) {
        self.seq += 1;
        self.events.insert((at, self.seq), event);
    }

    /// Lets `time` pass.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(entry) = self.events.first_entry().filter(|entry| entry.key().0 <= end) {
            let ((at, _), event) = entry.remove_entry();
            self.now = at;
            match event {
                Event::Timer(n, timer) => self.cx(n, |cx| cx.on_timer(timer)),
                Event::Packet(n, packet) => {
                    let host = &self.hosts[n];
                    let own = host.addrs(NS).iter().any(|a| a.addr.local.addr() == packet.src());
                    let name = if packet.src().is_loopback() || own { "lo" } else { "eth0" };
                    let dev = host.dev_by_name(NS, name).unwrap();
                    let id = self.ids.next_id();
                    self.cx(n, |cx| {
                        let result = cx.ip_rcv(NS, Skb::from_ip(id, dev, packet));
                        let _ = cx.finish(result);
                    });
                }
            }
        }
        self.now = end;
    }

    fn open(&mut self, n: usize, kind: SocketKind) -> SocketId {
        self.cx(n, |cx| cx.socket_open(NS, kind, None)).unwrap()
    }

    fn udp(&mut self, n: usize, bind: &str) -> SocketId {
        let id = self.open(n, SocketKind::Udp);
        self.cx(n, |cx| cx.socket_bind(id, at(bind))).unwrap();
        id
    }

    fn listener(&mut self, n: usize, bind: &str, backlog: u32) -> SocketId {
        let id = self.open(n, SocketKind::Tcp);
        self.cx(n, |cx| cx.socket_bind(id, at(bind))).unwrap();
        self.cx(n, |cx| cx.socket_listen(id, backlog)).unwrap();
        id
    }

    fn set(&mut self, n: usize, id: SocketId, option: SocketOption) {
        self.cx(n, |cx| cx.socket_set_option(id, option)).unwrap();
    }

    fn connect(&mut self, n: usize, to: &str) -> SocketId {
        let id = self.open(n, SocketKind::Tcp);
        assert_eq!(self.cx(n, |cx| cx.socket_connect(id, at(to))), Err(Errno::InProgress));
        id
    }

    fn ms(&mut self, ms: u64) {
        self.pass(Duration::from_millis(ms));
    }

    /// Lines as `ss -Htuan` has them, ephemeral ports as `*`.
    fn ss(&self, n: usize) -> Vec<String> {
        let port = |port: u16| if port >= 32_768 { "*".to_owned() } else { port.to_string() };
        self.hosts[n]
            .socket_list(NS)
            .iter()
            .map(|s| {
                let ((la, lp), (ra, rp)) = (s.local, s.remote);
                format!(
                    "{} {} {} {} {la}:{} {ra}:{}",
                    s.kind,
                    s.state,
                    s.recv_q,
                    s.send_q,
                    port(lp),
                    port(rp)
                )
            })
            .collect()
    }
}

fn describe(n: usize, packet: &Packet) -> String {
    let port = |port: u16| if port >= 32_768 { "*".to_owned() } else { port.to_string() };
    let what = match &packet.body {
        Body::Udp(udp) => format!("UDP {} > {} len {}", port(udp.sport), port(udp.dport), udp.data.len()),
        Body::Tcp(tcp) => format!("TCP {} > {} {}", port(tcp.sport), port(tcp.dport), tcp.flags),
        Body::Icmp(icmp) => format!("ICMP {:?}", icmp.type_code()),
        other => format!("{}", other.proto().0),
    };
    format!("{} {} > {} {what}", ["a", "b"][n], packet.src(), packet.dst())
}

#[test]
fn udp_answers_refusals_and_source_addresses() {
    let mut lab = Lab::new();
    let server = lab.udp(1, "0.0.0.0:600");
    let client = lab.udp(0, "0.0.0.0:3002");
    lab.cx(0, |cx| cx.socket_connect(client, at("10.0.0.20:600"))).unwrap();
    assert_eq!(lab.cx(0, |cx| cx.socket_send(client, b"query", None)), Ok(5));
    lab.ms(5);
    let got = lab.cx(1, |cx| cx.socket_recv(server, 1500)).unwrap();
    assert_eq!(
        (got.data.as_slice(), got.from, got.dst),
        (b"query".as_slice(), at("10.0.0.1:3002"), at("10.0.0.20:0").ip())
    );
    assert_eq!(lab.cx(1, |cx| cx.socket_send(server, b"wild", Some(got.from))), Ok(4));
    lab.ms(5);
    // The answer comes from the primary address, which the connected client doesn't take.
    assert_eq!(lab.cx(0, |cx| cx.socket_recv(client, 1500)).err(), Some(Errno::Again));
    assert_eq!(
        lab.log,
        [
            "a 10.0.0.1 > 10.0.0.20 UDP 3002 > 600 len 5",
            "b 10.0.0.2 > 10.0.0.1 UDP 600 > 3002 len 4",
            "a 10.0.0.1 > 10.0.0.2 ICMP (3, 3)",
        ]
    );
    // The error is no concern of an unconnected socket.
    assert_eq!(lab.hosts[1].socket_ready(server), Ready { writable: true, ..Ready::default() });

    let refused = lab.udp(0, "0.0.0.0:3003");
    lab.cx(0, |cx| cx.socket_connect(refused, at("10.0.0.2:601"))).unwrap();
    lab.cx(0, |cx| cx.socket_send(refused, b"query", None)).unwrap();
    lab.ms(5);
    assert_eq!(lab.cx(0, |cx| cx.socket_recv(refused, 1500)).err(), Some(Errno::ConnRefused));
    assert_eq!(lab.cx(0, |cx| cx.socket_recv(refused, 1500)).err(), Some(Errno::Again));

    let reporting = lab.udp(0, "0.0.0.0:3004");
    lab.set(0, reporting, SocketOption::RecvErr(true));
    lab.cx(0, |cx| cx.socket_send(reporting, b"query", Some(at("10.0.0.2:601")))).unwrap();
    lab.ms(5);
    let error = lab.cx(0, |cx| cx.socket_recv_error(reporting)).unwrap();
    assert_eq!(
        (error.errno, error.icmp, error.offender, error.dst),
        (Errno::ConnRefused, Some((3, 3)), Some("10.0.0.2".parse().unwrap()), at("10.0.0.2:601"))
    );
    assert_eq!(lab.cx(0, |cx| cx.socket_take_error(reporting)), None);
}

#[test]
fn local_errors_of_datagrams() {
    for (to, len, discover, expect) in [
        ("10.0.0.255:9", 1, MtuDiscover::Want, Err(Errno::Acces)),
        ("10.0.0.2:0", 1, MtuDiscover::Want, Err(Errno::Inval)),
        ("10.9.0.1:9", 1, MtuDiscover::Want, Err(Errno::NetUnreach)),
        ("10.0.0.2:9", 1472, MtuDiscover::Do, Ok(1472)),
        ("10.0.0.2:9", 1473, MtuDiscover::Do, Err(Errno::MsgSize)),
        ("10.0.0.2:9", 1473, MtuDiscover::Want, Ok(1473)),
        ("10.0.0.2:9", 65_508, MtuDiscover::Want, Err(Errno::MsgSize)),
    ] {
        let mut lab = Lab::new();
        let id = lab.open(0, SocketKind::Udp);
        lab.set(0, id, SocketOption::MtuDiscover(discover));
        lab.set(0, id, SocketOption::RecvErr(true));
        let data = vec![0; len];
        assert_eq!(
            lab.cx(0, |cx| cx.socket_send(id, &data, Some(at(to)))),
            expect,
            "{to} {len} {discover:?}"
        );
        let told = lab.cx(0, |cx| cx.socket_recv_error(id)).map(|e| e.info);
        assert_eq!(told, (expect == Err(Errno::MsgSize)).then_some(1500));
    }
}

#[test]
fn who_may_bind_where() {
    use SocketKind::{Tcp, Udp};
    let cases: [(SocketKind, &str, bool, &str, bool, Result<(), Errno>); 9] = [
        (Udp, "0.0.0.0:53", false, "10.0.0.1:53", false, Err(Errno::AddrInUse)),
        (Udp, "10.0.0.1:53", false, "127.0.0.1:53", false, Ok(())),
        (Udp, "0.0.0.0:53", true, "10.0.0.1:53", true, Ok(())),
        (Udp, "0.0.0.0:53", false, "10.0.0.77:54", false, Err(Errno::AddrNotAvail)),
        (Udp, "0.0.0.0:53", false, "10.0.0.255:54", false, Ok(())),
        (Tcp, "0.0.0.0:80", true, "0.0.0.0:80", true, Err(Errno::AddrInUse)),
        (Tcp, "10.0.0.1:80", false, "127.0.0.1:80", false, Ok(())),
        (Tcp, "0.0.0.0:80", false, "0.0.0.0:81", false, Ok(())),
        (Tcp, "0.0.0.0:80", false, "[::]:81", false, Err(Errno::AfNoSupport)),
    ];
    for (kind, first, reuse_first, second, reuse_second, expect) in cases {
        let mut lab = Lab::new();
        let one = lab.open(0, kind);
        lab.set(0, one, SocketOption::ReuseAddr(reuse_first));
        lab.cx(0, |cx| cx.socket_bind(one, at(first))).unwrap();
        if kind == Tcp {
            lab.cx(0, |cx| cx.socket_listen(one, 5)).unwrap();
        }
        let two = lab.open(0, kind);
        lab.set(0, two, SocketOption::ReuseAddr(reuse_second));
        assert_eq!(lab.cx(0, |cx| cx.socket_bind(two, at(second))), expect, "{kind:?} {first} then {second}");
    }
}

#[test]
fn a_tcp_connection_from_start_to_end() {
    let mut lab = Lab::new();
    let listener = lab.listener(1, "0.0.0.0:80", 64);
    let client = lab.connect(0, "10.0.0.2:80");
    assert_eq!(lab.ss(0), ["tcp SYN-SENT 0 1 10.0.0.1:* 10.0.0.2:80"]);
    lab.ms(5);
    assert_eq!(lab.ss(1), ["tcp LISTEN 1 64 0.0.0.0:80 0.0.0.0:0", "tcp ESTAB 0 0 10.0.0.2:80 10.0.0.1:*"]);
    assert!(lab.hosts[1].socket_ready(listener).readable && lab.hosts[0].socket_ready(client).writable);
    assert_eq!(lab.cx(0, |cx| cx.socket_connect(client, at("10.0.0.2:80"))), Ok(()));
    let (server, peer) = lab.cx(1, |cx| cx.socket_accept(listener)).unwrap();
    assert_eq!(Some(peer), lab.hosts[0].socket_local_addr(client));
    lab.cx(0, |cx| cx.socket_send(client, b"GET", None)).unwrap();
    lab.ms(5);
    assert_eq!(lab.ss(1)[1], "tcp ESTAB 3 0 10.0.0.2:80 10.0.0.1:*");
    assert_eq!(lab.cx(1, |cx| cx.socket_recv(server, 100)).unwrap().data, b"GET");
    lab.cx(1, |cx| cx.socket_close(server));
    lab.ms(60);
    assert_eq!(
        (lab.ss(0), lab.ss(1)[1].as_str()),
        (
            vec!["tcp CLOSE-WAIT 1 0 10.0.0.1:* 10.0.0.2:80".to_owned()],
            "tcp FIN-WAIT-2 0 0 10.0.0.2:80 10.0.0.1:*"
        )
    );
    assert_eq!(lab.cx(0, |cx| cx.socket_recv(client, 100)).unwrap().data, b"");
    lab.cx(0, |cx| cx.socket_close(client));
    lab.ms(5);
    assert_eq!((lab.ss(0).len(), lab.ss(1)[1].as_str()), (0, "tcp TIME-WAIT 0 0 10.0.0.2:80 10.0.0.1:*"));
    lab.pass(Duration::from_secs(61));
    assert_eq!(lab.ss(1), ["tcp LISTEN 0 64 0.0.0.0:80 0.0.0.0:0"]);
}

#[test]
fn connecting_to_nobody() {
    let mut lab = Lab::new();
    let refused = lab.connect(0, "10.0.0.2:81");
    lab.ms(5);
    assert_eq!(lab.log, ["a 10.0.0.1 > 10.0.0.2 TCP * > 81 SYN", "b 10.0.0.2 > 10.0.0.1 TCP 81 > * RST,ACK"]);
    assert_eq!(
        lab.hosts[0].socket_ready(refused),
        Ready { readable: true, writable: true, error: true, hangup: true }
    );
    assert_eq!(lab.cx(0, |cx| cx.socket_take_error(refused)), Some(Errno::ConnRefused));
    let none = lab.open(0, SocketKind::Tcp);
    assert_eq!(lab.cx(0, |cx| cx.socket_connect(none, at("10.9.0.1:80"))), Err(Errno::NetUnreach));
    assert_eq!(lab.cx(0, |cx| cx.socket_send(none, b"x", None)), Err(Errno::Pipe));
}

#[test]
fn a_full_backlog_drops_connections() {
    let mut lab = Lab::new();
    let listener = lab.listener(1, "10.0.0.2:80", 1);
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(lab.connect(0, "10.0.0.2:80"));
        lab.ms(5);
    }
    lab.pass(Duration::from_millis(4500));
    let states = |lab: &Lab| {
        lab.ss(1).iter().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(states(&lab), ["LISTEN", "ESTAB", "ESTAB"]);
    for _ in 0..2 {
        lab.cx(1, |cx| cx.socket_accept(listener)).unwrap();
    }
    // Its SYN comes again, and finds room.
    lab.pass(Duration::from_secs(4));
    assert_eq!(lab.hosts[0].socket_peer_addr(clients[3]), Some(at("10.0.0.2:80")));
}

#[test]
fn own_addresses_and_raw_sockets() {
    let mut lab = Lab::new();
    lab.listener(0, "0.0.0.0:80", 5);
    let client = lab.connect(0, "127.0.0.1:80");
    lab.ms(10);
    assert_eq!(lab.hosts[0].socket_peer_addr(client), Some(at("127.0.0.1:80")));

    let ping = lab.open(0, SocketKind::Raw(Proto::ICMP));
    let echo = packet::Icmp::Echo { request: true, id: 7, seq: 1, payload: vec![1; 56].into() };
    let any: IpAddr = "0.0.0.0".parse().unwrap();
    let packet = Packet::new(any, "10.0.0.2".parse().unwrap(), Body::Icmp(echo));
    lab.cx(0, |cx| cx.socket_send_packet(ping, packet)).unwrap();
    lab.ms(5);
    let reply = lab.cx(0, |cx| cx.socket_recv(ping, 1500)).unwrap();
    assert_eq!((reply.from, reply.ttl, reply.packet.map(|p| p.len())), (at("10.0.0.2:0"), 64, Some(84)));
}

#[test]
fn ephemeral_ports_are_the_same_each_time() {
    let ports = || {
        let mut lab = Lab::new();
        let mut ports = Vec::new();
        for _ in 0..3 {
            let client = lab.connect(0, "10.0.0.2:80");
            ports.push(lab.hosts[0].socket_local_addr(client).unwrap().port());
        }
        let udp = lab.udp(0, "0.0.0.0:0");
        ports.push(lab.hosts[0].socket_local_addr(udp).unwrap().port());
        ports
    };
    let first = ports();
    assert_eq!(first, ports());
    assert!(first.iter().all(|port| (32_768..61_000).contains(port)), "{first:?}");
    assert!(first[..3].iter().all(|port| port % 2 == 0) && first[3] % 2 == 1, "{first:?}");
    assert!(first[0] != first[1] && first[1] != first[2]);
}
