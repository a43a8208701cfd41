use std::net::IpAddr;
use std::sync::Arc;

use packet::{
    Body, CtInfo, DevId, HostId, Icmp, NetnsId, Packet, PacketId, Payload, SimTime, Skb, Tcp, TcpFlags, Udp,
    UdpData,
};
use proptest::prelude::*;
use trace::{Decision, HookName, Off, Place, Recorder, StepKind};

use crate::conntrack::{ConntrackChange, ConntrackFilter, CtSysctl};
use crate::{
    AddrType, Change, Counters, Env, HookState, HookVerdict, Netfilter, Policy, Refused, ReversePath, Rule,
    RuleOption, RuleParser, TableName, Watch, What,
};

mod sctp;

/// A host with lo (device 0), lan 10.0.0.1/24 (1) and wan 203.0.113.1/24 (2).
struct TestEnv(SimTime);

impl Env for TestEnv {
    fn now(&self) -> SimTime {
        self.0
    }

    fn dev_name(&self, dev: DevId) -> &str {
        ["lo", "lan", "wan"][dev.0 as usize]
    }

    fn addr_type(&self, addr: IpAddr, _: Option<DevId>) -> AddrType {
        let own = ["127.0.0.1", "10.0.0.1", "203.0.113.1"].map(ip);
        if own.contains(&addr) { AddrType::Local } else { AddrType::Unicast }
    }

    fn primary_addr(&self, dev: DevId) -> Option<IpAddr> {
        Some(ip(["127.0.0.1", "10.0.0.1", "203.0.113.1"][dev.0 as usize]))
    }

    fn masquerade_addr(&self, out: DevId, _: IpAddr) -> Option<IpAddr> {
        self.primary_addr(out)
    }

    fn path_mtu(&self, _: IpAddr, _: Option<DevId>) -> u32 {
        1400
    }

    fn reverse_path(&self, _: IpAddr, _: IpAddr, _: u8, _: u32, _: DevId) -> ReversePath {
        ReversePath::By { same: true }
    }

    fn reroute(&self, _: &Skb) -> bool {
        true
    }

    fn seed(&self) -> u64 {
        1
    }
}

const LAN: Option<DevId> = Some(DevId(1));
const WAN: Option<DevId> = Some(DevId(2));

fn ip(text: &str) -> IpAddr {
    text.parse().expect(text)
}

fn skb(src: &str, dst: &str, body: Body) -> Skb {
    Skb::from_ip(PacketId(1), DevId(1), Packet::new(ip(src), ip(dst), body))
}

fn udp(src: &str, sport: u16, dst: &str, dport: u16) -> Skb {
    let data = UdpData::Bytes(Payload::from(&b"probe"[..]));
    skb(src, dst, Body::Udp(Udp { sport, dport, checksum: true, data }))
}

fn tcp(src: &str, sport: u16, dst: &str, dport: u16, flags: TcpFlags) -> Skb {
    let payload = Payload::EMPTY;
    skb(src, dst, Body::Tcp(Tcp { sport, dport, seq: 1, ack: 0, flags, window: 1, options: None, payload }))
}

fn ping(src: &str, dst: &str, request: bool) -> Skb {
    skb(src, dst, Body::Icmp(Icmp::Echo { request, id: 7, seq: 1, payload: Payload::EMPTY }))
}

/// Reads the options of a rule as a shell would split them at blanks.
fn rule(text: &str) -> Rule {
    let mut parser = RuleParser::default();
    let mut words: std::collections::VecDeque<String> = text.split_whitespace().map(str::to_owned).collect();
    let mut invert = false;
    while let Some(word) = words.pop_front() {
        let option = match word.as_str() {
            "!" => {
                invert = true;
                continue;
            }
            "-f" => {
                parser.fragment(std::mem::take(&mut invert)).expect(text);
                continue;
            }
            "-p" => RuleOption::Protocol,
            "-s" => RuleOption::Source,
            "-d" => RuleOption::Destination,
            "-i" => RuleOption::InInterface,
            "-o" => RuleOption::OutInterface,
            "-m" => RuleOption::Match,
            "-j" => RuleOption::Jump,
            "-g" => RuleOption::Goto,
            long => {
                let name = long.trim_start_matches("--");
                let known =
                    parser.extension_option(name, std::mem::take(&mut invert), &mut || words.pop_front());
                assert!(known.expect(text), "{long} of {text}");
                continue;
            }
        };
        let value = words.pop_front().expect(text);
        parser.option(option, std::mem::take(&mut invert), &value).expect(text);
    }
    parser.finish().expect(text).0.swap_remove(0)
}

fn change(netfilter: &mut Netfilter, table: TableName, what: What) -> Result<(), Refused> {
    netfilter.change(&Change { table: table.into(), what })
}

/// Appends `CHAIN RULE` lines; `TABLE:` before the chain names another table than filter, and a
/// line of one word makes a chain.
fn ruleset(lines: &[&str]) -> Netfilter {
    let mut netfilter = Netfilter::default();
    for line in lines {
        append(&mut netfilter, line).expect(line);
    }
    netfilter
}

fn append(netfilter: &mut Netfilter, line: &str) -> Result<(), Refused> {
    let (chain, text) = line.split_once(' ').unwrap_or((line, ""));
    let (table, chain) = chain.split_once(':').unwrap_or(("filter", chain));
    let (table, chain) = (TableName::parse(table).expect(line), chain.to_owned());
    let what = match text {
        "" => What::NewChain { chain },
        "policy DROP" => What::Policy { chain, policy: Policy::Drop, counters: Counters::default() },
        text => What::Append { chain, rule: Arc::new(rule(text)), counters: Counters::default() },
    };
    change(netfilter, table, what)
}

fn at(netfilter: &mut Netfilter, second: u64, state: HookState, skb: &mut Skb) -> bool {
    let now = SimTime(second * 1_000_000_000);
    let place = Place { host: HostId(0), netns: NetnsId::INIT, dev: None };
    let mut watch = Watch { obs: &mut Off, place, at: now, packet: skb.id };
    netfilter.run(&TestEnv(now), state, &mut Vec::new(), None, &mut watch, skb) == HookVerdict::Accept
}

/// Runs a packet through the hooks of forwarding.
fn forward(
    netfilter: &mut Netfilter,
    second: u64,
    indev: Option<DevId>,
    outdev: Option<DevId>,
    skb: &mut Skb,
) -> bool {
    [
        HookState { hook: HookName::Prerouting, indev, outdev: None },
        HookState { hook: HookName::Forward, indev, outdev },
        HookState { hook: HookName::Postrouting, indev: None, outdev },
    ]
    .into_iter()
    .all(|state| at(netfilter, second, state, skb))
}

#[test]
fn verdicts() {
    let dns = || udp("10.0.0.2", 5000, "203.0.113.2", 53);
    let syn = || tcp("10.0.0.2", 5000, "203.0.113.2", 80, TcpFlags::SYN);
    let cases: [(&str, &[&str], Skb, bool); 14] = [
        ("no rules", &[], dns(), true),
        ("a policy decides at the end", &["FORWARD policy DROP"], dns(), false),
        ("the first match decides", &["FORWARD -p udp -j ACCEPT", "FORWARD -j DROP"], dns(), true),
        ("another protocol passes by", &["FORWARD -p udp -j ACCEPT", "FORWARD -j DROP"], syn(), false),
        ("a rule without target only counts", &["FORWARD -p udp", "FORWARD -p udp -j DROP"], dns(), false),
        ("ports", &["FORWARD -p udp --dport 50:53 -j DROP"], dns(), false),
        ("negated port", &["FORWARD -p udp ! --dport 53 -j DROP"], dns(), true),
        ("devices", &["FORWARD -i la+ ! -o lan -j DROP"], dns(), false),
        ("syn", &["FORWARD -p tcp --syn -j DROP"], syn(), false),
        (
            "return comes back",
            &[
                "sub",
                "FORWARD -j sub",
                "FORWARD -j DROP",
                "sub -p tcp -j DROP",
                "sub -j RETURN",
                "sub -j ACCEPT",
            ],
            dns(),
            false,
        ),
        (
            "goto returns to the caller's caller",
            &["a", "b", "FORWARD -j a", "a -g b", "a -j DROP", "b -p tcp -j DROP"],
            dns(),
            true,
        ),
        (
            "marks travel between tables",
            &["mangle:PREROUTING -j MARK --set-mark 0x10/0xf0", "FORWARD -m mark --mark 0x10/0x10 -j DROP"],
            dns(),
            false,
        ),
        ("new connections", &["FORWARD -m conntrack --ctstate NEW -j DROP"], dns(), false),
        ("no new connections", &["FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j DROP"], dns(), true),
    ];
    for (name, rules, mut skb, accepted) in cases {
        assert_eq!(forward(&mut ruleset(rules), 0, LAN, WAN, &mut skb), accepted, "{name}");
    }
}

#[test]
fn rules_print_as_they_are_read() {
    for text in [
        "! -s 10.0.0.0/8 -d 10.1.2.3/32 -i eth+ ! -o lo -p tcp -f",
        "-s 10.0.0.0/255.0.255.0 -p gre -j ACCEPT",
        "-p tcp -m tcp ! --sport 22 --dport 80:90 --tcp-option 3 --tcp-flags FIN,SYN,RST,ACK SYN -j DROP",
        "-p udp -m udp --dport 53 -g chain",
        "-p icmp -m icmp ! --icmp-type 3/3 -j REJECT --reject-with icmp-host-prohibited",
        "-p tcp -m multiport ! --dports 80,100:200 -j REJECT --reject-with tcp-reset",
        "-m conntrack ! --ctstate NEW --ctproto 6 --ctorigsrc 10.0.0.0/24 --ctrepldstport 80 --ctstatus ASSURED",
        "-m state --state RELATED,ESTABLISHED -j ACCEPT",
        "-m mark ! --mark 0x1/0xff -j MARK --set-xmark 0x5/0xf",
        "-m connmark --mark 0x1 -j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff",
        "-m addrtype ! --src-type LOCAL --dst-type UNICAST,BROADCAST --limit-iface-in",
        "-m limit --limit 7/min --limit-burst 9 -j LOG --log-prefix web --log-level 7 --log-uid",
        "-m statistic --mode nth --every 3 --packet 2 -m statistic --mode random ! --probability 0.50000000000",
        "-m length ! --length 0:200 -m ttl --ttl-gt 5 -m pkttype --pkt-type multicast -m comment --comment word",
        "-m iprange --src-range 10.0.0.1-10.0.0.9 -m mac --mac-source 02:00:00:00:00:01",
        "-m tos --tos 0x10/0xff -m dscp --dscp 0x0a -j TOS --set-tos 0x10/0xff",
        "-p tcp -j DNAT --to-destination 1.1.1.1-1.1.1.4:1000-2000/900",
        "-p tcp -j SNAT --to-source 1.1.1.1:1000-2000 --random-fully --persistent",
        "-p tcp -j MASQUERADE --to-ports 1000-2000 --random",
        "-p udp -j REDIRECT --to-ports 80",
        "-j NETMAP --to 10.0.0.0/24",
        "-j CT --notrack",
        "-j TTL --ttl-inc 5",
        "-p tcp -j TCPMSS --clamp-mss-to-pmtu",
        "-m recent ! --update --seconds 5 --reap --hitcount 3 --rttl --name list --mask 255.255.255.0 --rdest",
        "-m hashlimit --hashlimit-above 7/min --hashlimit-burst 9 --hashlimit-mode srcip,dstport --hashlimit-name x",
        "-m hashlimit --hashlimit-upto 512kb/s --hashlimit-name bytes --hashlimit-srcmask 24",
        "-m owner ! --socket-exists --uid-owner 5-9 ! --gid-owner 0",
        "-p tcp -m tcpmss ! --mss 500:1400 -m connlimit --connlimit-upto 3 --connlimit-mask 24 --connlimit-daddr",
        "-m quota ! --quota 1000 -m connbytes --connbytes 1:9 --connbytes-mode avgpkt --connbytes-dir both",
        "-m u32 --u32 \"0x0>>0x16&0x3c@0x8=0x1:0x5,0x7&&0x4=0x0\"",
        "-p sctp -m sctp ! --dport 80 --chunk-types any DATA:Be,INIT",
        "-j NFLOG --nflog-prefix web --nflog-group 5 --nflog-size 64",
        "-p udp -j NFQUEUE --queue-balance 1:4 --queue-bypass --queue-cpu-fanout",
        "-j CLASSIFY --set-class 0001:000a",
        "-j CONNMARK --save-mark --nfmask 0xf --ctmask 0xff --left-shift-mark 4",
    ] {
        let printed = rule(&text.replace('"', "")).to_string();
        assert_eq!(printed.trim_start(), text);
    }
}

#[test]
fn the_kernel_refuses_what_can_not_be() {
    for (name, rules, last, refused) in [
        ("DNAT belongs to nat", &[][..], "INPUT -j DNAT --to-destination 1.2.3.4", Refused::Invalid),
        ("MASQUERADE is for POSTROUTING", &[], "nat:PREROUTING -j MASQUERADE", Refused::Invalid),
        ("RST answers TCP", &[], "INPUT -j REJECT --reject-with tcp-reset", Refused::Invalid),
        ("no such chain", &[], "nosuch -j ACCEPT", Refused::NotFound),
        ("no jump to nowhere", &[], "INPUT -j nosuch", Refused::NotFound),
        ("no circles", &["a", "b", "a -j b", "INPUT -j a"], "b -j a", Refused::TooDeep),
        (
            "hooks reach user chains",
            &["nat:a", "nat:a -j MASQUERADE"],
            "nat:PREROUTING -j a",
            Refused::Invalid,
        ),
    ] {
        assert_eq!(append(&mut ruleset(rules), last), Err(refused), "{name}");
    }
}

#[test]
fn a_connection_is_established_by_its_answer() {
    let mut netfilter = ruleset(&["FORWARD -m conntrack --ctstate INVALID -j DROP"]);
    let states = [
        (ping("10.0.0.2", "203.0.113.2", true), LAN, WAN, Some(CtInfo::New)),
        (ping("203.0.113.2", "10.0.0.2", false), WAN, LAN, Some(CtInfo::EstablishedReply)),
        (ping("10.0.0.2", "203.0.113.2", true), LAN, WAN, Some(CtInfo::Established)),
        (ping("203.0.113.9", "10.0.0.2", false), WAN, LAN, None),
    ];
    for (mut skb, indev, outdev, info) in states {
        assert_eq!(forward(&mut netfilter, 1, indev, outdev, &mut skb), info.is_some());
        assert_eq!(skb.ct.map(|ct| ct.info), info);
    }
    // 30 seconds after the last packet it is forgotten.
    let count = |netfilter: &Netfilter, second: u64| {
        netfilter.conntrack().map_or(0, |ct| ct.len(SimTime(second * 1_000_000_000)))
    };
    assert_eq!((count(&netfilter, 30), count(&netfilter, 31)), (1, 0));
}

#[test]
fn a_refused_connection_leaves_no_entry() {
    let mut netfilter = ruleset(&["FORWARD -m conntrack --ctstate NEW"]);
    let (client, server) = ("10.0.0.2", "203.0.113.2");
    assert!(forward(&mut netfilter, 0, LAN, WAN, &mut tcp(client, 5000, server, 81, TcpFlags::SYN)));
    let listed = |netfilter: &Netfilter| {
        let table = netfilter.conntrack().expect("conntrack is on");
        table.iter(SimTime::ZERO).map(|conn| conn.to_string()).collect::<Vec<_>>()
    };
    let line = "tcp      6 SYN_SENT src=10.0.0.2 dst=203.0.113.2 sport=5000 dport=81 [UNREPLIED] \
                src=203.0.113.2 dst=10.0.0.2 sport=81 dport=5000 mark=0 use=1";
    assert_eq!(listed(&netfilter), [line]);
    let mut reset = tcp(server, 81, client, 5000, TcpFlags::RST | TcpFlags::ACK);
    assert!(forward(&mut netfilter, 0, WAN, LAN, &mut reset));
    assert_eq!(listed(&netfilter), Vec::<String>::new());
}

/// Source ports that a masquerading router gives to clients, in order.
fn mapped(rules: &[&str], packets: &[(&str, u16, u16)]) -> Vec<Option<u16>> {
    let mut netfilter = ruleset(rules);
    packets
        .iter()
        .map(|(client, sport, dport)| {
            let mut skb = udp(client, *sport, "203.0.113.2", *dport);
            let passed = forward(&mut netfilter, 0, LAN, WAN, &mut skb);
            assert!(!passed || skb.ip().src() == ip("203.0.113.1"));
            passed.then(|| crate::transport::ports(skb.ip()).map_or(0, |(sport, _)| sport))
        })
        .collect()
}

#[test]
fn source_ports_are_kept_if_they_can_be() {
    let masquerade = &["nat:POSTROUTING -o wan -j MASQUERADE"][..];
    assert_eq!(
        mapped(masquerade, &[("10.0.0.2", 5000, 53), ("10.0.0.3", 5001, 53)]),
        [Some(5000), Some(5001)]
    );
    // The same port towards another server is no conflict.
    assert_eq!(
        mapped(masquerade, &[("10.0.0.2", 5000, 53), ("10.0.0.3", 5000, 54)]),
        [Some(5000), Some(5000)]
    );
    // A conflict moves the second; its next destination keeps that mapping.
    let moved = mapped(masquerade, &[("10.0.0.2", 5000, 53), ("10.0.0.3", 5000, 53), ("10.0.0.3", 5000, 54)]);
    assert!(moved[1].is_some_and(|port| port >= 1024 && port != 5000), "{moved:?}");
    assert_eq!(moved[1], moved[2]);
    // A range that is used up drops.
    let range = &["nat:POSTROUTING -p udp -j MASQUERADE --to-ports 7000-7001"][..];
    let mut ports = mapped(range, &[("10.0.0.2", 1, 53), ("10.0.0.3", 2, 53), ("10.0.0.4", 3, 53)]);
    assert_eq!(ports.pop(), Some(None));
    ports.sort();
    assert_eq!(ports, [Some(7000), Some(7001)]);
}

#[test]
fn both_directions_are_translated() {
    let mut netfilter =
        ruleset(&["nat:PREROUTING -i wan -p tcp --dport 80 -j DNAT --to-destination 10.0.0.2:8080"]);
    let mut syn = tcp("203.0.113.2", 5000, "203.0.113.1", 80, TcpFlags::SYN);
    assert!(forward(&mut netfilter, 0, WAN, LAN, &mut syn));
    assert_eq!((syn.ip().dst(), crate::transport::ports(syn.ip())), (ip("10.0.0.2"), Some((5000, 8080))));
    let mut answer = tcp("10.0.0.2", 8080, "203.0.113.2", 5000, TcpFlags::SYN | TcpFlags::ACK);
    assert!(forward(&mut netfilter, 0, LAN, WAN, &mut answer));
    assert_eq!(
        (answer.ip().src(), crate::transport::ports(answer.ip())),
        (ip("203.0.113.1"), Some((80, 5000)))
    );
    let filter = ConntrackFilter { orig_dport: Some(80), ..ConntrackFilter::default() };
    let delete = ConntrackChange::Delete(Box::new(filter));
    assert_eq!(netfilter.change_conntrack(&delete, &TestEnv(SimTime::ZERO), 1), Ok(()));
    assert_eq!(netfilter.conntrack().map(|ct| ct.len(SimTime::ZERO)), Some(0));
}

#[test]
fn a_policy_names_the_nearest_rule() {
    let mut netfilter = ruleset(&[
        "FORWARD policy DROP",
        "FORWARD -s 192.168.0.0/16 -p tcp -j ACCEPT",
        "FORWARD -s 10.0.0.0/8 -p tcp --dport 80 -j ACCEPT",
    ]);
    let mut recorder = Recorder::default();
    let place = Place { host: HostId(0), netns: NetnsId::INIT, dev: None };
    let mut skb = tcp("10.0.0.2", 5000, "203.0.113.2", 81, TcpFlags::SYN);
    let mut watch = Watch { obs: &mut recorder, place, at: SimTime::ZERO, packet: skb.id };
    let state = HookState { hook: HookName::Forward, indev: LAN, outdev: WAN };
    netfilter.run(&TestEnv(SimTime::ZERO), state, &mut Vec::new(), None, &mut watch, &mut skb);
    let Some(StepKind::Chain { rules_visited: 2, decided_by: Decision::Policy { nearest, .. }, .. }) =
        recorder.steps.pop().map(|step| step.kind)
    else {
        panic!("the chain is the last step");
    };
    let rule = "-A FORWARD -s 10.0.0.0/8 -p tcp -m tcp --dport 80 -j ACCEPT";
    assert_eq!(
        nearest,
        Some((rule.to_owned(), "-m tcp --dport 80 (packet: sport 5000 dport 81)".to_owned()))
    );
}

/// Appends a rule, perhaps an empty one, to a chain of table filter.
fn append_rule(netfilter: &mut Netfilter, chain: &str, text: &str) {
    let (chain, rule) = (chain.to_owned(), Arc::new(rule(text)));
    let what = What::Append { chain, rule, counters: Counters::default() };
    change(netfilter, TableName::Filter, what).expect(text);
}

/// Rules that an index finds by each of its keys, and by none.
fn any_rule() -> impl Strategy<Value = String> {
    let one_of = |choices: &'static [&'static str]| proptest::sample::select(choices);
    let src = one_of(&[
        "",
        "-s 10.0.0.2",
        "! -s 10.0.0.2",
        "-s 10.0.0.3",
        "-s 10.0.0.0/31",
        "-s 10.0.0.2/255.0.0.255",
    ]);
    let dst = one_of(&["", "-d 203.0.113.2", "! -d 203.0.113.2", "-d 203.0.113.3", "-d 203.0.113.0/24"]);
    let devs = one_of(&["", "-i lan", "! -i lan", "-i la+", "-i wan", "-o wan", "-o lan", "-i lan -o wan"]);
    let ports = one_of(&[
        "",
        "-p tcp --dport 80",
        "-p tcp ! --dport 80",
        "-p udp --dport 53",
        "-p udp -m comment --comment dns --dport 53",
        "-p udp -m statistic --mode nth --every 2 --packet 0 -m udp --dport 53",
        "-p udp --dport 50:60",
        "-p udp --sport 5000 --dport 53",
        "! -p udp",
        "-p icmp",
        "-m mark --mark 1",
    ]);
    let target = one_of(&["", "-j ACCEPT", "-j DROP"]);
    (src, dst, devs, ports, target).prop_map(|(src, dst, devs, ports, target)| {
        [src, dst, devs, ports, target].join(" ").trim().to_owned()
    })
}

fn any_packet() -> impl Strategy<Value = Skb> {
    let addrs = (
        proptest::sample::select(&["10.0.0.2", "10.0.0.3"]),
        proptest::sample::select(&["203.0.113.2", "203.0.113.3"]),
    );
    (addrs, 0..4_u8).prop_map(|((src, dst), kind)| match kind {
        0 => udp(src, 5000, dst, 53),
        1 => udp(src, 5001, dst, 54),
        2 => tcp(src, 5000, dst, 80, TcpFlags::SYN),
        _ => ping(src, dst, true),
    })
}

proptest! {
    /// A long chain, which is evaluated by index, does what the same rules do in chains that are
    /// too short for one.
    #[test]
    fn long_chains_equal_short_ones(
        rules in proptest::collection::vec(any_rule(), 16..60),
        packets in proptest::collection::vec(any_packet(), 1..8),
    ) {
        let (mut long, mut short) = (Netfilter::default(), Netfilter::default());
        for (at, rule) in rules.iter().enumerate() {
            append_rule(&mut long, "FORWARD", rule);
            let part = format!("part{}", at / 8);
            if at % 8 == 0 {
                append(&mut short, &part).expect("a chain");
                append(&mut short, &format!("FORWARD -j {part}")).expect("a jump");
            }
            append_rule(&mut short, &part, rule);
        }
        for packet in packets {
            let through = |netfilter: &mut Netfilter| forward(netfilter, 0, LAN, WAN, &mut packet.clone());
            prop_assert_eq!(through(&mut long), through(&mut short));
        }
        let counters = |netfilter: &Netfilter, chain: &str| {
            let chain = netfilter.table(TableName::Filter).and_then(|table| table.chain(chain));
            chain.map_or_else(Vec::new, |chain| chain.counters.clone())
        };
        let parts: Vec<Counters> =
            (0..rules.len().div_ceil(8)).flat_map(|part| counters(&short, &format!("part{part}"))).collect();
        prop_assert_eq!(counters(&long, "FORWARD"), parts);
    }
}

#[test]
fn a_refused_restore_leaves_the_table() {
    let mut netfilter = ruleset(&["web", "FORWARD -p tcp -j web", "web -j ACCEPT"]);
    let before = format!("{:?}", netfilter.table(TableName::Filter));
    let append = |chain: &str, text: &str| What::Append {
        chain: chain.to_owned(),
        rule: Arc::new(rule(text)),
        counters: Counters::default(),
    };
    let chain = |name: &str| Some(name.to_owned());
    let changes = vec![
        What::Flush { chain: chain("web") },
        What::NewChain { chain: "new".to_owned() },
        append("new", "-m state --state NEW -j DROP"),
        append("web", "-j new"),
        append("new", "-j web"),
        append("web", "-j DROP"),
        What::DeleteChain { chain: chain("web") },
    ];
    let refused =
        netfilter.restore(&crate::Restore { table: TableName::Filter.into(), flush: false, changes });
    assert_eq!(refused, Err(vec![(4, Refused::TooDeep), (5, Refused::TooDeep), (6, Refused::Busy)]));
    assert_eq!(format!("{:?}", netfilter.table(TableName::Filter)), before);
}

/// A kernel with few places for connections.
struct Full(SimTime, u32);

impl Env for Full {
    fn now(&self) -> SimTime {
        self.0
    }

    fn dev_name(&self, dev: DevId) -> &str {
        ["lo", "lan", "wan"][dev.0 as usize]
    }

    fn addr_type(&self, _: IpAddr, _: Option<DevId>) -> AddrType {
        AddrType::Unicast
    }

    fn primary_addr(&self, _: DevId) -> Option<IpAddr> {
        None
    }

    fn masquerade_addr(&self, _: DevId, _: IpAddr) -> Option<IpAddr> {
        None
    }

    fn path_mtu(&self, _: IpAddr, _: Option<DevId>) -> u32 {
        1500
    }

    fn reverse_path(&self, _: IpAddr, _: IpAddr, _: u8, _: u32, _: DevId) -> crate::ReversePath {
        crate::ReversePath::None
    }

    fn ct_sysctl(&self, key: CtSysctl) -> u32 {
        match key {
            CtSysctl::Max => 2,
            CtSysctl::Buckets => self.1,
            other => other.default_value(),
        }
    }

    fn reroute(&self, _: &Skb) -> bool {
        true
    }

    fn seed(&self) -> u64 {
        1
    }
}

#[test]
fn a_full_table_makes_room_only_next_to_the_new_one() {
    for (buckets, passed, early_drop, drop) in [(1, 4, 2, 0), (u32::MAX, 2, 0, 2)] {
        let mut netfilter = ruleset(&["FORWARD -m conntrack --ctstate NEW"]);
        let place = Place { host: HostId(0), netns: NetnsId::INIT, dev: None };
        let mut through = 0;
        for port in 1..=4 {
            let mut skb = udp("10.0.0.2", port, "203.0.113.2", 53);
            let mut accepted = true;
            for (hook, indev, outdev) in [
                (HookName::Prerouting, LAN, None),
                (HookName::Forward, LAN, WAN),
                (HookName::Postrouting, None, WAN),
            ] {
                let mut off = trace::Off;
                let mut watch = Watch { obs: &mut off, place, at: SimTime::ZERO, packet: skb.id };
                let state = HookState { hook, indev, outdev };
                let env = Full(SimTime::ZERO, buckets);
                let verdict = netfilter.run(&env, state, &mut Vec::new(), None, &mut watch, &mut skb);
                accepted &= verdict == HookVerdict::Accept;
                if !accepted {
                    break;
                }
            }
            through += u32::from(accepted);
        }
        let stats = netfilter.conntrack().map(|table| table.stats).unwrap_or_default();
        assert_eq!((through, stats.early_drop, stats.drop), (passed, early_drop, drop));
        let notices = netfilter.take_notices();
        assert_eq!(notices.len(), drop as usize, "{notices:?}");
    }
}
