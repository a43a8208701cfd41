//! Devices at work, on a host alone: a small world that carries out effects.

use std::collections::BTreeMap;

use packet::{
    Arp, ArpOp, DevId, EtherPayload, Frame, HostId, MacAddr, NetnsId, PacketIds, SimTime, Skb, Vni,
};
use trace::{Recorder, StepKind};

use crate::request::{
    AddrSpec, FdbSpec, FdbState, LinkAdd, LinkChange, LinkKind, Mode, PortOption, Request, VethPeer,
    VxlanConfig,
};
use crate::{Cx, Effect, Host, Refusal, Timer};

const INIT: NetnsId = NetnsId::INIT;

enum Event {
    Receive(Skb),
    Timer(Timer),
}

struct Lone {
    host: Host,
    ids: PacketIds,
    obs: Recorder,
    now: SimTime,
    queue: BTreeMap<(SimTime, u64), Event>,
    sequence: u64,
    wire: Vec<Skb>,
}

impl Lone {
    fn new() -> Self {
        Self {
            host: Host::new(HostId(0), "h", 1),
            ids: PacketIds::default(),
            obs: Recorder::default(),
            now: SimTime::ZERO,
            queue: BTreeMap::new(),
            sequence: 0,
            wire: Vec::new(),
        }
    }

    fn with<T>(&mut self, act: impl FnOnce(&mut Cx<'_, Recorder>) -> T) -> T {
        let mut effects = Vec::new();
        let mut cx = Cx {
            host: &mut self.host,
            now: self.now,
            effects: &mut effects,
            ids: &mut self.ids,
            obs: &mut self.obs,
            choices: None,
            current: None,
            icmp_busy: false,
        };
        let done = act(&mut cx);
        for effect in effects {
            self.sequence += 1;
            let (at, event) = match effect {
                Effect::Receive { after, skb } => (self.now + after, Event::Receive(skb)),
                Effect::Timer { at, timer } => (at, Event::Timer(timer)),
                Effect::Wire(skb) => {
                    self.wire.push(skb);
                    continue;
                }
                Effect::Wake(_) | Effect::WakeTun(_) => continue,
            };
            self.queue.insert((at, self.sequence), event);
        }
        done
    }

    fn ask(&mut self, netns: NetnsId, request: Request) -> Result<(), Refusal> {
        self.with(|cx| cx.request(netns, request)).map(|_| ())
    }

    fn must(&mut self, netns: NetnsId, request: Request) {
        self.ask(netns, request).expect("the kernel accepts it");
    }

    /// Runs for `millis` of virtual time.
    fn run(&mut self, millis: u64) {
        let end = SimTime(self.now.0 + millis * 1_000_000);
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= end) {
            let ((at, _), event) = entry.remove_entry();
            self.now = at;
            self.with(|cx| match event {
                Event::Receive(skb) => {
                    let _ = cx.receive(skb);
                }
                Event::Timer(timer) => cx.on_timer(timer),
            });
        }
        self.now = end;
    }

    fn ns(&self, name: &str) -> NetnsId {
        self.host.netns_names[name]
    }

    fn dev(&self, netns: NetnsId, name: &str) -> DevId {
        self.host.dev_by_name(netns, name).expect("the device exists")
    }

    fn set(&mut self, netns: NetnsId, dev: &str, change: LinkChange) -> Result<(), Refusal> {
        self.ask(netns, Request::LinkSet { dev: dev.to_owned(), changes: vec![change] })
    }

    fn veth(&mut self, name: &str, peer: &str, netns: Option<&str>) {
        let last = u8::try_from(self.host.devices.len()).unwrap();
        let peer = VethPeer {
            name: Some(peer.to_owned()),
            netns: netns.map(|name| crate::request::NetnsRef::Name(name.to_owned())),
            address: Some(mac(last, 2)),
            ..VethPeer::default()
        };
        let add =
            LinkAdd { address: Some(mac(last, 1)), ..add(name, LinkKind::Veth { peer: Box::new(peer) }) };
        self.must(INIT, Request::LinkAdd(add));
    }

    fn netns(&mut self, name: &str) -> NetnsId {
        self.must(INIT, Request::NetnsAdd { name: name.to_owned() });
        self.ns(name)
    }

    fn send(&mut self, dev: DevId, src: MacAddr, dst: MacAddr) {
        let arp = Arp {
            op: ArpOp::Other(9),
            sha: src,
            spa: [10, 0, 0, 1].into(),
            tha: dst,
            tpa: [10, 0, 0, 2].into(),
        };
        let frame = Frame { dst, src, tags: Default::default(), payload: EtherPayload::Arp(Box::new(arp)) };
        self.with(|cx| {
            let mut skb = Skb::from_ip(cx.ids.next_id(), dev, dummy_packet());
            skb.frame = frame;
            let sent = cx.dev_queue_xmit(dev, skb);
            let _ = cx.finish(sent);
        });
        self.run(1);
    }

    /// `ip -s link` of one device: packets and bytes, received and sent, and drops.
    fn stats(&self, netns: NetnsId, name: &str) -> String {
        let s = self.host.dev(self.dev(netns, name)).stats;
        format!(
            "rx {}/{} drop {} tx {}/{} drop {}",
            s.rx_packets, s.rx_bytes, s.rx_dropped, s.tx_packets, s.tx_bytes, s.tx_dropped
        )
    }

    fn link(&self, netns: NetnsId, name: &str) -> String {
        let links = self.host.links(netns);
        let link = links.iter().find(|link| link.name == name).expect("the device exists");
        format!(
            "{}: {}@{:?} {:#x} mtu {} {} {}",
            link.ifindex,
            link.name,
            link.link.map(|index| index.0),
            link.flags,
            link.mtu,
            link.qdisc,
            link.operstate
        )
    }
}

fn dummy_packet() -> packet::Packet {
    let body = packet::Body::Bytes(packet::Proto(200), packet::Payload::EMPTY);
    packet::Packet::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), body)
}

fn mac(pair: u8, end: u8) -> MacAddr {
    MacAddr([2, 0, 0, 0, pair, end])
}

fn add(name: &str, kind: LinkKind) -> LinkAdd {
    LinkAdd {
        name: (!name.is_empty()).then(|| name.to_owned()),
        netns: None,
        address: None,
        mtu: None,
        txqueuelen: None,
        index: None,
        changes: Vec::new(),
        kind,
    }
}

/// A bridge `br0` with ports p1… whose other ends are eth0 in h1…, all up.
fn star(ports: u8) -> Lone {
    let mut lone = Lone::new();
    let bridge = LinkKind::Bridge(vec![crate::request::BridgeOption::McastSnooping(0)]);
    lone.must(INIT, Request::LinkAdd(LinkAdd { address: Some(mac(0, 0xb0)), ..add("br0", bridge) }));
    lone.set(INIT, "br0", LinkChange::Up(true)).unwrap();
    for port in 1..=ports {
        let (name, host) = (format!("p{port}"), format!("h{port}"));
        let ns = lone.netns(&host);
        lone.veth(&name, "eth0", Some(&host));
        lone.set(ns, "eth0", LinkChange::Address(mac(port, 2))).unwrap();
        lone.set(INIT, &name, LinkChange::Address(mac(port, 1))).unwrap();
        lone.set(INIT, &name, LinkChange::Master(Some("br0".to_owned()))).unwrap();
        lone.set(INIT, &name, LinkChange::Up(true)).unwrap();
        lone.set(ns, "eth0", LinkChange::Up(true)).unwrap();
    }
    lone
}

#[test]
fn a_veth_pair_gets_its_indexes_and_delivers() {
    let mut lone = Lone::new();
    let c = lone.netns("c");
    lone.veth("v0", "v1", None);
    assert_eq!(lone.link(INIT, "v1"), "2: v1@Some(3) 0x1002 mtu 1500 noop DOWN");
    assert_eq!(lone.link(INIT, "v0"), "3: v0@Some(2) 0x1002 mtu 1500 noop DOWN");
    lone.set(INIT, "v0", LinkChange::Up(true)).unwrap();
    assert_eq!(lone.link(INIT, "v0"), "3: v0@Some(2) 0x1003 mtu 1500 noqueue LOWERLAYERDOWN");
    lone.set(INIT, "v1", LinkChange::Up(true)).unwrap();
    assert_eq!(lone.link(INIT, "v0"), "3: v0@Some(2) 0x11043 mtu 1500 noqueue UP");
    lone.set(INIT, "v1", LinkChange::Netns(crate::request::NetnsRef::Name("c".into()))).unwrap();
    assert_eq!(lone.link(c, "v1"), "2: v1@Some(3) 0x1002 mtu 1500 noop DOWN");
    lone.set(c, "v1", LinkChange::Up(true)).unwrap();
    let v0 = lone.dev(INIT, "v0");
    let (own, other) = (lone.host.dev(v0).mac, lone.host.dev(lone.dev(c, "v1")).mac);
    lone.send(v0, own, other);
    assert_eq!(lone.stats(INIT, "v0"), "rx 0/0 drop 0 tx 1/42 drop 0");
    assert_eq!(lone.stats(c, "v1"), "rx 1/42 drop 0 tx 0/0 drop 0");
    lone.set(c, "v1", LinkChange::Up(false)).unwrap();
    lone.send(v0, own, other);
    assert_eq!(lone.stats(INIT, "v0"), "rx 0/0 drop 0 tx 1/42 drop 1");
    lone.must(INIT, Request::NetnsDel { name: "c".into() });
    lone.run(1000);
    assert_eq!(lone.host.links(INIT).len(), 1, "the peer went with the namespace");
    assert!(lone.host.get_ns(c).is_none());
}

#[test]
fn refusals_are_the_kernels() {
    let mut lone = Lone::new();
    lone.veth("v0", "v1", None);
    let peer = |name: &str| LinkKind::Veth {
        peer: Box::new(VethPeer { name: Some(name.into()), ..VethPeer::default() }),
    };
    let set = |dev: &str, change| Request::LinkSet { dev: dev.to_owned(), changes: vec![change] };
    let bridge = || LinkKind::Bridge(vec![]);
    let cases = [
        (Request::LinkAdd(add("v0", peer("v2"))), "File exists"),
        (Request::LinkAdd(add("v3", peer("v1"))), "File exists"),
        (Request::LinkAdd(add("v4", peer("v4"))), "File exists"),
        (Request::LinkAdd(add("v5", LinkKind::Unknown("nosuch".into()))), "Unknown device type."),
        (Request::LinkAdd(add("a234567890123456", bridge())), "Attribute failed policy validation."),
        (Request::LinkAdd(add(".", bridge())), "Invalid argument"),
        (Request::LinkAdd(LinkAdd { mtu: Some(60), ..add("v9", bridge()) }), "mtu less than device minimum."),
        (set("v0", LinkChange::Mtu(67)), "mtu less than device minimum."),
        (set("v0", LinkChange::Mtu(65536)), "mtu greater than device maximum."),
        (set("v0", LinkChange::Carrier(false)), "Operation not supported"),
        (set("v0", LinkChange::Address(MacAddr::BROADCAST)), "Cannot assign requested address"),
        (set("v0", LinkChange::Master(Some("v1".into()))), "Operation not supported"),
        (set("v0", LinkChange::Name("lo".into())), "File exists"),
        (
            set("lo", LinkChange::Netns(crate::request::NetnsRef::Name("c".into()))),
            "The interface netns is immutable.",
        ),
        (Request::LinkDel { dev: "lo".into() }, "Operation not supported"),
        (Request::NetnsAdd { name: "c".into() }, "File exists"),
    ];
    lone.netns("c");
    for (request, text) in cases {
        let refusal = lone.ask(INIT, request.clone()).expect_err("the kernel refuses it");
        assert_eq!(refusal.extack.unwrap_or_else(|| refusal.errno.to_string()), text, "{request:?}");
    }
    assert_eq!(lone.host.links(INIT).len(), 3);
}

#[test]
fn a_bridge_learns_floods_and_keeps_ports_apart() {
    // (change of a port, from, to, who gets it: h1 h2 h3)
    let none = None;
    let cases: [(&str, Option<(&str, PortOption)>, u8, MacAddr, [u64; 3]); 7] = [
        ("unknown unicast is flooded", none, 1, mac(2, 2), [0, 1, 1]),
        ("the answer goes to the one who asked", none, 2, mac(1, 2), [1, 0, 0]),
        ("now both are known", none, 1, mac(2, 2), [0, 1, 0]),
        ("broadcast goes to all others", none, 1, MacAddr::BROADCAST, [0, 1, 1]),
        ("flood off spares a port", Some(("p3", PortOption::Flood(false))), 1, mac(9, 9), [0, 1, 0]),
        ("hairpin sends it back", Some(("p1", PortOption::Hairpin(true))), 1, mac(1, 2), [1, 0, 0]),
        (
            "isolated ports don't talk",
            Some(("p1", PortOption::Isolated(true))),
            1,
            MacAddr::BROADCAST,
            [0, 1, 0],
        ),
    ];
    let mut lone = star(3);
    lone.set(INIT, "p3", LinkChange::Port(PortOption::Isolated(true))).unwrap();
    let hosts = ["h1", "h2", "h3"].map(|name| lone.ns(name));
    let received = |lone: &Lone| hosts.map(|ns| lone.host.dev(lone.dev(ns, "eth0")).stats.rx_packets);
    for (what, change, from, to, expected) in cases {
        if let Some((port, option)) = change {
            lone.set(INIT, port, LinkChange::Port(option)).unwrap();
        }
        let before = received(&lone);
        let eth0 = lone.dev(hosts[usize::from(from) - 1], "eth0");
        lone.send(eth0, mac(from, 2), to);
        let after = received(&lone);
        let got = [0, 1, 2].map(|i| after[i] - before[i]);
        assert_eq!(got, expected, "{what}");
    }
    assert_eq!(lone.stats(INIT, "br0"), "rx 2/56 drop 0 tx 0/0 drop 0");
    let learned: Vec<_> =
        lone.host.fdb(INIT, lone.now).into_iter().filter(|e| e.learned).map(|e| e.dev).collect();
    assert_eq!(learned, ["p1", "p2"]);
    lone.run(301_000);
    assert!(!lone.host.fdb(INIT, lone.now).iter().any(|entry| entry.learned), "learned entries age");
    assert_eq!(lone.link(INIT, "br0"), "2: br0@None 0x11043 mtu 1500 noqueue UP");
}

#[test]
fn a_bridge_with_snooping_reports_twice() {
    let mut lone = Lone::new();
    lone.must(INIT, Request::LinkAdd(add("br0", LinkKind::Bridge(vec![]))));
    lone.set(INIT, "br0", LinkChange::Up(true)).unwrap();
    lone.run(2200);
    assert_eq!(lone.stats(INIT, "br0"), "rx 0/0 drop 0 tx 2/108 drop 0");
}

#[test]
fn vxlan_wraps_a_frame_and_the_other_end_unwraps_it() {
    let mut lone = Lone::new();
    let (n1, n2) = (lone.netns("n1"), lone.netns("n2"));
    lone.veth("eth0", "eth0", Some("n2"));
    lone.set(INIT, "eth0", LinkChange::Netns(crate::request::NetnsRef::Name("n1".into()))).unwrap();
    for (ns, own, other) in [(n1, 1, 2), (n2, 2, 1)] {
        let local = format!("192.168.0.{own}/24").parse().unwrap();
        let spec = AddrSpec { scope: Some(crate::Scope::GLOBAL), ..AddrSpec::new("eth0", local) };
        lone.must(ns, Request::AddrAdd(spec, Mode::Add));
        lone.set(ns, "eth0", LinkChange::Up(true)).unwrap();
        let config = VxlanConfig {
            vni: Vni::new(7).unwrap(),
            remote: None,
            local: Some([192, 168, 0, own].into()),
            link: Some("eth0".into()),
            dstport: Some(4789),
            learning: true,
            ttl: 0,
            tos: 0,
            srcport: None,
            ageing: 300,
            maxaddress: None,
            proxy: false,
            l2miss: false,
            l3miss: false,
            udpcsum: true,
        };
        let vxlan = LinkAdd { address: Some(mac(0x99, own)), ..add("vx0", LinkKind::Vxlan(config)) };
        lone.must(ns, Request::LinkAdd(vxlan));
        lone.set(ns, "vx0", LinkChange::Up(true)).unwrap();
        if own == 1 {
            let vx0 = lone.dev(n1, "vx0");
            lone.send(vx0, mac(0x99, 1), mac(0x99, 2));
            assert_eq!(lone.stats(n1, "vx0"), "rx 0/0 drop 0 tx 0/0 drop 1", "nobody knows the way");
            let spec = FdbSpec {
                mac: MacAddr::ZERO,
                dev: "vx0".into(),
                to_self: true,
                to_master: false,
                state: FdbState::Permanent,
                dst: Some([192, 168, 0, other].into()),
                port: None,
                vni: None,
                via: None,
                vlan: None,
                extern_learn: false,
            };
            lone.must(n1, Request::FdbAdd(spec, Mode::Append));
        }
    }
    assert_eq!(lone.link(n1, "vx0"), "3: vx0@None 0x11043 mtu 1450 noqueue UNKNOWN");
    let vx0 = lone.dev(n1, "vx0");
    lone.send(vx0, mac(0x99, 1), mac(0x99, 2));
    assert_eq!(lone.stats(n1, "vx0"), "rx 0/0 drop 0 tx 1/28 drop 1");
    assert_eq!(lone.stats(n2, "vx0"), "rx 1/28 drop 0 tx 0/0 drop 0");
    // Two ARP frames of 42 bytes and the datagram of 42 + 50.
    assert_eq!(lone.stats(n1, "eth0"), "rx 1/42 drop 0 tx 2/134 drop 0");
    let learned = lone.host.fdb(n2, lone.now).into_iter().find(|entry| entry.learned).expect("n2 learned");
    assert_eq!((learned.mac, learned.dst), (mac(0x99, 1), Some([192, 168, 0, 1].into())));
    let wrapped =
        lone.obs.steps.iter().filter(|step| matches!(step.kind, StepKind::Encapsulated { overhead: 50, .. }));
    assert_eq!(wrapped.count(), 1);
}
