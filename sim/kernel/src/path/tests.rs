//! Hosts of one kernel joined by veth, driven event by event; what they send is compared as text.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use packet::{
    ArpOp, Body, DevId, EtherPayload, Frame, HostId, Icmp, MacAddr, NetnsId, Packet, PacketIds, Payload,
    Proto, SimTime, Skb, Udp, UdpData,
};
use trace::{Recorder, StepKind};

use crate::path::Flow;
use crate::request::{
    AddrSpec, LinkAdd, LinkChange, LinkKind, Mode, NeighSpec, NetnsRef, NextHopSpec, RouteSpec,
};
use crate::request::{Request, VethPeer};
use crate::{Cx, Effect, Errno, Host, Nud, Timer};

enum Event {
    Receive(Skb),
    Timer(Timer),
}

/// A kernel, its clock and the events to come.
struct Net {
    host: Host,
    now: SimTime,
    queue: BTreeMap<(SimTime, u64), Event>,
    sequence: u64,
    ids: PacketIds,
    steps: Recorder,
}

impl Net {
    /// a (10.0.1.2) - eth0 r eth1 - b (10.0.2.2); r forwards. `mtu` is that of the second link.
    fn line(mtu: u32) -> Self {
        let mut net = Self {
            host: Host::new(HostId(0), "h", 1),
            now: SimTime::ZERO,
            queue: BTreeMap::new(),
            sequence: 0,
            ids: PacketIds::default(),
            steps: Recorder::default(),
        };
        for name in ["a", "r", "b"] {
            net.request("", Request::NetnsAdd { name: name.to_owned() });
            net.set(name, "lo", LinkChange::Up(true));
        }
        net.veth("a", "eth0", 0x0a, "r", "eth0", 0x1a);
        net.veth("b", "eth0", 0x0b, "r", "eth1", 0x1b);
        net.set("b", "eth0", LinkChange::Mtu(mtu));
        net.set("r", "eth1", LinkChange::Mtu(mtu));
        for (ns, dev, addr) in [
            ("a", "eth0", "10.0.1.2/24"),
            ("r", "eth0", "10.0.1.1/24"),
            ("r", "eth1", "10.0.2.1/24"),
            ("b", "eth0", "10.0.2.2/24"),
        ] {
            net.addr(ns, dev, addr);
            net.set(ns, dev, LinkChange::Up(true));
        }
        net.default_route("a", "10.0.1.1");
        net.default_route("b", "10.0.2.1");
        net.sysctl("r", "net.ipv4.ip_forward", "1");
        net.run(Duration::from_secs(3));
        net.steps.steps.clear();
        net
    }

    fn ns(&self, name: &str) -> NetnsId {
        self.host.netns_names.get(name).copied().unwrap_or(NetnsId::INIT)
    }

    fn with<R>(&mut self, f: impl FnOnce(&mut Cx<'_, Recorder>) -> R) -> R {
        let mut effects = Vec::new();
        let mut cx = Cx {
            host: &mut self.host,
            now: self.now,
            effects: &mut effects,
            ids: &mut self.ids,
            obs: &mut self.steps,
            choices: None,
            current: None,
            icmp_busy: false,
        };
        let result = f(&mut cx);
        for effect in effects {
            let (at, event) = match effect {
                Effect::Receive { after, skb } => (self.now + after, Event::Receive(skb)),
                Effect::Timer { at, timer } => (at, Event::Timer(timer)),
                Effect::Wire(_) | Effect::Wake(_) | Effect::WakeTun(_) => continue,
            };
            self.sequence += 1;
            self.queue.insert((at, self.sequence), event);
        }
        result
    }

    fn request(&mut self, ns: &str, request: Request) {
        let ns = self.ns(ns);
        self.with(|cx| cx.request(ns, request.clone()))
            .unwrap_or_else(|refusal| panic!("{request:?}: {refusal:?}"));
    }

    fn set(&mut self, ns: &str, dev: &str, change: LinkChange) {
        self.request(ns, Request::LinkSet { dev: dev.to_owned(), changes: vec![change] });
    }

    fn sysctl(&mut self, ns: &str, key: &str, value: &str) {
        self.request(ns, Request::Sysctl { key: key.to_owned(), value: value.to_owned() });
    }

    fn veth(&mut self, ns: &str, dev: &str, mac: u8, peer_ns: &str, peer: &str, peer_mac: u8) {
        let address = |last| Some(MacAddr([2, 0, 0, 0, 0, last]));
        let peer = VethPeer {
            name: Some(peer.to_owned()),
            netns: Some(NetnsRef::Name(peer_ns.to_owned())),
            address: address(peer_mac),
            ..VethPeer::default()
        };
        let add =
            LinkAdd { address: address(mac), ..LinkAdd::new(dev, LinkKind::Veth { peer: Box::new(peer) }) };
        self.request(ns, Request::LinkAdd(add));
    }

    fn addr(&mut self, ns: &str, dev: &str, addr: &str) {
        let spec = AddrSpec::new(dev, addr.parse().unwrap());
        self.request(ns, Request::AddrAdd(spec, Mode::Add));
    }

    fn default_route(&mut self, ns: &str, via: &str) {
        let nexthop = NextHopSpec { via: Some(via.parse().unwrap()), ..NextHopSpec::default() };
        let spec = RouteSpec { nexthops: vec![nexthop], ..RouteSpec::default() };
        self.request(ns, Request::RouteAdd(spec, Mode::Add));
    }

    fn dev(&self, ns: &str, dev: &str) -> DevId {
        self.host.dev_by_name(self.ns(ns), dev).unwrap()
    }

    /// Lets `time` pass.
    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= end) {
            self.now = entry.key().0;
            match entry.remove() {
                Event::Receive(skb) => {
                    let _ = self.with(|cx| cx.receive(skb));
                }
                Event::Timer(timer) => self.with(|cx| cx.on_timer(timer)),
            }
        }
        self.now = end;
    }

    /// Sends a packet of `ns` with this body, TTL and DF; the error of the system call.
    fn send(&mut self, ns: &str, dst: &str, ttl: u8, df: bool, body: Body) -> Option<Errno> {
        let ns = self.ns(ns);
        let dst: IpAddr = dst.parse().unwrap();
        self.with(|cx| {
            let route = match cx.host.ip_route_output(ns, &Flow::to(dst), cx.now) {
                Ok(route) => route,
                Err(errno) => return Some(errno),
            };
            let mut packet = Packet::new(route.src, dst, body);
            (packet.ttl, packet.frag.df) = (ttl, df);
            let mut skb = Skb::from_ip(cx.ids.next_id(), route.dev, packet);
            cx.ip_select_ident(ns, &mut skb);
            let sent = cx.ip_local_out(ns, skb, route);
            cx.finish(sent).err().and_then(|dropped| dropped.errno)
        })
    }

    fn ping(&mut self, ns: &str, dst: &str) -> Option<Errno> {
        self.send(ns, dst, 64, false, echo(56))
    }

    /// What was sent and dropped since the last call, a line each: `place: what`.
    fn seen(&mut self) -> Vec<String> {
        let steps = std::mem::take(&mut self.steps.steps);
        let name = |host: &Host, place: &trace::Place| {
            let ns = host.netns_names.iter().find(|(_, id)| **id == place.netns).map_or("", |(name, _)| name);
            let dev = place.dev.and_then(|dev| host.get_dev(dev)).map_or("", |dev| &dev.name);
            format!("{ns} {dev}")
        };
        let lines = steps.iter().filter_map(|step| {
            let place = name(&self.host, &step.place);
            match &step.kind {
                StepKind::Transmit(frame) => Some(format!("{place}: {}", text(frame))),
                StepKind::Drop { reason, .. } => Some(format!("{place}: {reason}")),
                _ => None,
            }
        });
        lines.collect()
    }

    fn nud(&self, ns: &str, addr: &str) -> Option<Nud> {
        let addr: IpAddr = addr.parse().unwrap();
        self.host.neighbours(self.ns(ns), self.now).into_iter().find(|n| n.addr == addr).map(|n| n.nud)
    }
}

fn echo(len: usize) -> Body {
    Body::Icmp(Icmp::Echo { request: true, id: 7, seq: 1, payload: vec![0; len].into() })
}

fn udp(len: usize) -> Body {
    let data = UdpData::Bytes(Payload::from(vec![0; len]));
    Body::Udp(Udp { sport: 1000, dport: 7, checksum: true, data })
}

/// A frame in a few words.
fn text(frame: &Frame) -> String {
    let packet = match &frame.payload {
        EtherPayload::Arp(arp) => {
            return match arp.op {
                ArpOp::Request => format!("who-has {} tell {} > {}", arp.tpa, arp.spa, frame.dst.0[5]),
                ArpOp::Reply => format!("{} is-at {:02x}", arp.spa, arp.sha.0[5]),
                ArpOp::Other(op) => format!("arp {op}"),
            };
        }
        EtherPayload::Ip(packet) => packet,
        EtherPayload::Other(..) => return "other".to_owned(),
    };
    let body = match &packet.body {
        Body::Icmp(Icmp::Echo { request: true, .. }) => "echo".to_owned(),
        Body::Icmp(Icmp::Echo { request: false, .. }) => "reply".to_owned(),
        Body::Icmp(Icmp::Error(error)) => format!("icmp {}/{} rest {}", error.kind, error.code, error.rest),
        Body::Fragment(_, bytes) => {
            format!(
                "fragment {}+{}{}",
                packet.frag.offset,
                bytes.len(),
                if packet.frag.mf { " more" } else { "" }
            )
        }
        body => format!("proto {}", body.proto().0),
    };
    format!("{}>{} ttl {} len {} {body}", last(packet.src()), last(packet.dst()), packet.ttl, packet.len())
}

/// The last two numbers of an address.
fn last(addr: IpAddr) -> String {
    let IpAddr::V4(v4) = addr else { return addr.to_string() };
    let [_, _, c, d] = v4.octets();
    format!("{c}.{d}")
}

#[test]
fn a_ping_through_a_router_resolves_each_hop_once() {
    let mut net = Net::line(1500);
    assert_eq!(net.ping("a", "10.0.2.2"), None);
    net.run(Duration::from_secs(1));
    let expected = [
        "a eth0: who-has 10.0.1.1 tell 10.0.1.2 > 255",
        "r eth0: 10.0.1.1 is-at 1a",
        "a eth0: 1.2>2.2 ttl 64 len 84 echo",
        "r eth1: who-has 10.0.2.2 tell 10.0.2.1 > 255",
        "b eth0: 10.0.2.2 is-at 0b",
        "r eth1: 1.2>2.2 ttl 63 len 84 echo",
        "b eth0: 2.2>1.2 ttl 64 len 84 reply",
        "r eth0: 2.2>1.2 ttl 63 len 84 reply",
    ];
    assert_eq!(net.seen(), expected);
    assert_eq!(net.nud("a", "10.0.1.1"), Some(Nud::Reachable));
    assert_eq!(net.nud("b", "10.0.2.1"), Some(Nud::Delay));
}

#[test]
fn three_requests_a_second_apart_then_host_unreachable() {
    let mut net = Net::line(1500);
    net.ping("a", "10.0.1.9");
    net.run(Duration::from_millis(2900));
    assert_eq!(net.seen(), ["a eth0: who-has 10.0.1.9 tell 10.0.1.2 > 255"; 3]);
    assert_eq!(net.nud("a", "10.0.1.9"), Some(Nud::Incomplete));
    net.run(Duration::from_millis(200));
    assert_eq!(net.seen(), ["a lo: 1.2>1.2 ttl 64 len 112 icmp 3/1 rest 0", "a eth0: NEIGH_FAILED"]);
    assert_eq!(net.nud("a", "10.0.1.9"), Some(Nud::Failed));
}

#[test]
fn a_router_reports_an_unreachable_host_from_its_address_towards_the_sender() {
    let mut net = Net::line(1500);
    net.ping("a", "10.0.2.9");
    net.run(Duration::from_secs(4));
    let seen = net.seen();
    assert_eq!(seen[3..6], ["r eth1: who-has 10.0.2.9 tell 10.0.2.1 > 255"; 3]);
    assert_eq!(seen[6..], ["r eth0: 1.1>1.2 ttl 64 len 112 icmp 3/1 rest 0", "r eth1: NEIGH_FAILED"]);
}

#[test]
fn too_long_packets_are_cut_or_refused() {
    let mut net = Net::line(1000);
    net.ping("a", "10.0.2.2");
    net.run(Duration::from_secs(1));
    net.seen();
    net.send("a", "10.0.2.2", 64, false, udp(1472));
    net.run(Duration::from_secs(1));
    let expected = [
        "a eth0: 1.2>2.2 ttl 64 len 1500 proto 17",
        "r eth1: 1.2>2.2 ttl 63 len 996 fragment 0+976 more",
        "r eth1: 1.2>2.2 ttl 63 len 524 fragment 976+504",
    ];
    assert_eq!(net.seen()[..3], expected);
    net.send("a", "10.0.2.2", 64, true, udp(1400));
    net.run(Duration::from_secs(1));
    let expected = [
        "a eth0: 1.2>2.2 ttl 64 len 1428 proto 17",
        "r eth0: 1.1>1.2 ttl 64 len 576 icmp 3/4 rest 1000",
        "r eth0: PKT_TOO_BIG",
    ];
    assert_eq!(net.seen(), expected);
    // The sender has learned the path's MTU.
    assert_eq!(net.send("a", "10.0.2.2", 64, true, udp(1400)), Some(Errno::MsgSize));
}

#[test]
fn time_exceeded_is_limited_to_six_at_once() {
    let mut net = Net::line(1500);
    net.ping("a", "10.0.2.2");
    net.run(Duration::from_secs(60));
    net.seen();
    for _ in 0..10 {
        net.send("a", "10.0.2.2", 1, false, echo(56));
        net.run(Duration::from_millis(20));
    }
    let seen = net.seen();
    let answers =
        seen.iter().filter(|line| *line == "r eth0: 1.1>1.2 ttl 64 len 112 icmp 11/0 rest 0").count();
    let drops = seen.iter().filter(|line| *line == "r eth0: HOPLAB_TTL_EXCEEDED").count();
    assert_eq!((answers, drops), (6, 10));
}

#[test]
fn fragments_that_stay_alone_are_reported_after_thirty_seconds() {
    let mut net = Net::line(1500);
    net.ping("a", "10.0.2.2");
    net.run(Duration::from_secs(1));
    net.seen();
    let ns = net.ns("a");
    net.with(|cx| {
        let dst = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 2));
        let route = cx.host.ip_route_output(ns, &Flow::to(dst), cx.now).unwrap();
        let mut packet = Packet::new(route.src, dst, Body::Fragment(Proto::UDP, vec![1; 64].into()));
        packet.frag.mf = true;
        let skb = Skb::from_ip(cx.ids.next_id(), route.dev, packet);
        let sent = cx.ip_local_out(ns, skb, route);
        cx.finish(sent)
    })
    .unwrap();
    net.run(Duration::from_secs(29));
    net.seen();
    net.run(Duration::from_secs(2));
    let seen = net.seen();
    assert_eq!(seen[0], "b eth0: 2.2>1.2 ttl 64 len 112 icmp 11/1 rest 0");
    assert!(seen.contains(&"b eth0: FRAG_REASM_TIMEOUT".to_owned()));
}

#[test]
fn an_unused_entry_gets_stale_and_is_asked_by_unicast_when_used() {
    let mut net = Net::line(1500);
    net.sysctl("a", "net.ipv4.neigh.eth0.base_reachable_time_ms", "1000");
    net.sysctl("a", "net.ipv4.neigh.eth0.delay_first_probe_time", "1");
    net.sysctl("a", "net.ipv4.neigh.eth0.retrans_time_ms", "500");
    net.ping("a", "10.0.1.1");
    net.run(Duration::from_millis(2500));
    assert_eq!(net.nud("a", "10.0.1.1"), Some(Nud::Stale));
    net.seen();
    net.ping("a", "10.0.1.1");
    net.run(Duration::from_millis(500));
    assert_eq!(net.nud("a", "10.0.1.1"), Some(Nud::Delay));
    net.seen();
    net.run(Duration::from_secs(1));
    assert_eq!(net.seen(), ["a eth0: who-has 10.0.1.1 tell 10.0.1.2 > 26", "r eth0: 10.0.1.1 is-at 1a"]);
    assert_eq!(net.nud("a", "10.0.1.1"), Some(Nud::Reachable));
}

#[test]
fn entries_by_hand_follow_the_kernels_rules() {
    let mut net = Net::line(1500);
    let ns = net.ns("a");
    let spec = |lladdr: Option<u8>, nud: Option<Nud>| NeighSpec {
        addr: [10, 0, 1, 9].into(),
        dev: Some("eth0".to_owned()),
        lladdr: lladdr.map(|last| MacAddr([2, 0, 0, 0, 0, last])),
        nud,
        proxy: false,
        router: false,
        extern_learn: false,
    };
    let mut add = |spec: NeighSpec, mode: Mode| {
        let answer = net.with(|cx| cx.neigh_add(ns, &spec, mode));
        let entry = net.host.neighbours(ns, net.now).into_iter().find(|n| n.addr == spec.addr);
        (answer.err().map(|refusal| refusal.errno), entry.map(|n| (n.lladdr.map(|mac| mac.0[5]), n.nud)))
    };
    assert_eq!(add(spec(Some(1), None), Mode::Change), (Some(Errno::NoEnt), None));
    // Refused, but the entry stays behind.
    assert_eq!(add(spec(None, None), Mode::Add), (Some(Errno::Inval), Some((None, Nud::None))));
    assert_eq!(add(spec(Some(1), None), Mode::Add), (Some(Errno::Exist), Some((None, Nud::None))));
    assert_eq!(add(spec(Some(1), Some(Nud::Stale)), Mode::Replace), (None, Some((Some(1), Nud::Stale))));
    assert_eq!(add(spec(Some(2), None), Mode::Change), (None, Some((Some(2), Nud::Permanent))));
    assert_eq!(add(spec(None, Some(Nud::Failed)), Mode::Change), (None, Some((None, Nud::Failed))));
}

#[test]
fn proxy_arp_answers_for_what_is_behind_another_device() {
    let mut net = Net::line(1500);
    net.sysctl("r", "net.ipv4.conf.eth0.proxy_arp", "1");
    net.sysctl("r", "net.ipv4.neigh.eth0.proxy_delay", "0");
    let dev = net.dev("a", "eth0");
    let ns = net.ns("a");
    let asks = |net: &mut Net, addr: [u8; 4]| {
        let own = net.host.inet_select_addr(dev, addr.into(), crate::Scope::LINK);
        net.with(|cx| cx.arp_solicit(ns, dev, addr.into(), 3, None, own));
        net.run(Duration::from_millis(100));
        net.seen().len() - 1
    };
    // Each question is one frame; those answered have another.
    let answered = |net: &mut Net, addr| asks(net, addr) > 0 && net.nud("r", "10.0.1.2").is_some();
    assert!(answered(&mut net, [10, 0, 2, 2]));
    assert!(answered(&mut net, [10, 0, 2, 77]));
    net.sysctl("r", "net.ipv4.ip_forward", "0");
    net.with(|cx| {
        let ns = cx.host.netns_names.get("r").copied().unwrap();
        let Some(dev) = cx.host.dev_by_name(ns, "eth0") else { return };
        cx.neigh_changeaddr(dev);
    });
    assert!(!answered(&mut net, [10, 0, 2, 2]));
}

#[test]
fn own_addresses_are_reached_over_lo() {
    let mut net = Net::line(1500);
    net.ping("r", "10.0.2.1");
    net.run(Duration::from_secs(1));
    assert_eq!(net.seen(), ["r lo: 2.1>2.1 ttl 64 len 84 echo", "r lo: 2.1>2.1 ttl 64 len 84 reply"]);
}

#[test]
fn a_ping_to_all_is_answered_by_those_who_want_to() {
    let mut net = Net::line(1500);
    for ns in ["a", "r"] {
        net.sysctl(ns, "net.ipv4.icmp_echo_ignore_broadcasts", "0");
    }
    net.ping("a", "10.0.1.255");
    net.run(Duration::from_secs(1));
    let mut seen = net.seen();
    seen.sort();
    let expected = [
        "a eth0: 1.2>1.255 ttl 64 len 84 echo",
        "a eth0: 10.0.1.2 is-at 0a",
        "a lo: 1.2>1.2 ttl 64 len 84 reply",
        "r eth0: 1.1>1.2 ttl 64 len 84 reply",
        "r eth0: who-has 10.0.1.2 tell 10.0.1.1 > 255",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_better_gateway_is_told_by_redirects_ever_more_seldom() {
    let mut net = Net::line(1500);
    net.sysctl("a", "net.ipv4.conf.all.accept_redirects", "0");
    net.sysctl("a", "net.ipv4.conf.eth0.accept_redirects", "0");
    net.addr("r", "eth0", "10.9.0.1/32");
    net.default_route("r", "10.0.1.77");
    let ns = net.ns("r");
    let gateway = NeighSpec {
        addr: [10, 0, 1, 77].into(),
        dev: Some("eth0".to_owned()),
        lladdr: Some(MacAddr([2, 0, 0, 0, 0, 77])),
        nud: None,
        proxy: false,
        router: false,
        extern_learn: false,
    };
    net.with(|cx| cx.neigh_add(ns, &gateway, Mode::Add)).unwrap();
    let mut redirects = 0;
    for _ in 0..20 {
        net.ping("a", "10.8.0.1");
        net.run(Duration::from_millis(50));
        redirects += net.seen().iter().filter(|line| line.contains("icmp 5/1 rest 167772493")).count();
    }
    // At 0, 50, 150, 350 and 750 ms.
    assert_eq!(redirects, 5);
}

#[test]
fn a_recorded_route_names_who_sent_it_on() {
    let mut net = Net::line(1500);
    let ns = net.ns("a");
    net.with(|cx| {
        let dst = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 2));
        let route = cx.host.ip_route_output(ns, &Flow::to(dst), cx.now).unwrap();
        let mut packet = Packet::new(route.src, dst, echo(8));
        let mut options = vec![7, 39, 8, 10, 0, 1, 2];
        options.resize(40, 0);
        packet.options = Some(Box::new(options));
        let skb = Skb::from_ip(cx.ids.next_id(), route.dev, packet);
        let sent = cx.ip_local_out(ns, skb, route);
        cx.finish(sent)
    })
    .unwrap();
    net.run(Duration::from_secs(1));
    let mut replies = net.steps.steps.iter().filter_map(|step| match &step.kind {
        StepKind::Transmit(frame) => {
            frame.ip().filter(|p| matches!(p.body, Body::Icmp(Icmp::Echo { request: false, .. })))
        }
        _ => None,
    });
    let options = replies.next_back().unwrap().options.clone().unwrap();
    assert_eq!(options[2], 24);
    let recorded: Vec<&[u8]> = options[3..23].chunks(4).collect();
    let expected: [&[u8]; 5] =
        [&[10, 0, 1, 2], &[10, 0, 2, 1], &[10, 0, 2, 2], &[10, 0, 2, 2], &[10, 0, 1, 1]];
    assert_eq!(recorded, expected);
}
