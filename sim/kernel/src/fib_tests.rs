//! Addresses, routes, rules and lookups: what the recordings of `tests/parity` show, in miniature.

use std::fmt::Write;
use std::net::IpAddr;

use ipnet::IpNet;
use packet::{
    Body, DevId, HostId, IfIndex, NetnsId, Packet, PacketId, PacketIds, Payload, Proto, SimTime, Skb,
};
use trace::Off;

use crate::dump::RouteQuery;
use crate::path::{InputRoute, prefix_text};
use crate::request::{AddrSpec, Mode, NextHopSpec, Request, RouteSpec, RuleSpec};
use crate::request_text::{kind_word, proto_word, scope_word};
use crate::{Cx, Device, Host, Refusal, RouteKind, RouteProto, Rule, RuleAction, Scope, TableId};

const NS: NetnsId = NetnsId::INIT;

struct Lab {
    host: Host,
    now: SimTime,
}

impl Lab {
    /// lo is up; eth0, eth1 and eth2 are up with carrier.
    fn new() -> Self {
        let mut host = Host::new(HostId(0), "h", 0);
        for (at, name) in ["eth0", "eth1", "eth2"].into_iter().enumerate() {
            let (id, ifindex) = (DevId(host.devices.len() as u32), IfIndex(at as u32 + 2));
            // Routing asks no device what kind it is, only whether it is its namespace's loopback.
            let kind = host.dev(host.ns(NS).loopback).kind.clone();
            let mut dev = Device::new(id, NS, ifindex, name, kind);
            dev.mtu = 1500;
            host.devices.push(Some(dev));
            host.ns_mut(NS).devices.insert(ifindex, id);
        }
        let mut lab = Self { host, now: SimTime::ZERO };
        for dev in ["lo", "eth0", "eth1", "eth2"] {
            lab.run(&format!("up {dev}"));
        }
        lab
    }

    fn with(commands: &[&str]) -> Self {
        let mut lab = Self::new();
        for command in commands {
            assert_eq!(lab.run(command), "", "{command}");
        }
        lab
    }

    fn cx<T>(&mut self, act: impl FnOnce(&mut Cx<'_, Off>) -> T) -> T {
        let (mut effects, mut ids, mut obs) = (Vec::new(), PacketIds::default(), Off);
        act(&mut Cx {
            host: &mut self.host,
            now: self.now,
            effects: &mut effects,
            ids: &mut ids,
            obs: &mut obs,
            choices: None,
            current: None,
            icmp_busy: false,
        })
    }

    fn dev(&self, name: &str) -> DevId {
        self.host.dev_by_name(NS, name).unwrap()
    }

    /// Carries out one command; the error, or nothing, or a listing.
    fn run(&mut self, command: &str) -> String {
        let words: Vec<&str> = command.split_whitespace().collect();
        let request = match words.as_slice() {
            ["up", dev] => {
                let dev = self.dev(dev);
                self.host.dev_mut(dev).up = true;
                self.host.dev_mut(dev).carrier = true;
                self.cx(|cx| cx.fib_dev_up(dev));
                return String::new();
            }
            ["down", dev] => {
                let dev = self.dev(dev);
                self.host.dev_mut(dev).up = false;
                self.cx(|cx| cx.fib_dev_down(dev));
                return String::new();
            }
            ["carrier", dev, state] => {
                let dev = self.dev(dev);
                self.host.dev_mut(dev).carrier = *state == "on";
                self.cx(|cx| cx.fib_carrier(dev));
                return String::new();
            }
            ["gone", dev] => {
                let dev = self.dev(dev);
                self.cx(|cx| cx.fib_dev_gone(dev));
                return String::new();
            }
            ["addr"] => return self.addrs(),
            ["route"] => return self.routes(TableId::MAIN),
            ["route", "table", table] => return self.routes(table_of(table)),
            ["addr", "del", rest @ ..] => Request::AddrDel(addr_spec(rest)),
            ["addr", mode, rest @ ..] => Request::AddrAdd(addr_spec(rest), mode_of(mode)),
            ["route", "del", rest @ ..] => Request::RouteDel(route_spec(rest)),
            ["route", "get", rest @ ..] => return self.get(rest),
            ["route", "flush", "cache"] => Request::RouteFlushCache,
            ["route", mode, rest @ ..] => Request::RouteAdd(route_spec(rest), mode_of(mode)),
            ["rule", "del", rest @ ..] => Request::RuleDel(rule_spec(rest, false)),
            ["rule", "add", rest @ ..] => Request::RuleAdd(rule_spec(rest, true)),
            ["sysctl", key, value] => Request::Sysctl { key: (*key).to_owned(), value: (*value).to_owned() },
            words => panic!("no such command: {words:?}"),
        };
        match self.cx(|cx| cx.request(NS, request)) {
            Ok(_) => String::new(),
            Err(Refusal { extack: Some(text), .. }) => text,
            Err(Refusal { errno, extack: None }) => errno.to_string(),
        }
    }

    fn addrs(&self) -> String {
        let mut text = String::new();
        for info in self.host.addrs(NS) {
            let dev = self.host.dev(self.host.dev_by_index(NS, info.ifindex).unwrap());
            if dev.name == "lo" {
                continue;
            }
            let secondary = if info.addr.flags.secondary { " secondary" } else { "" };
            writeln!(text, "{} {}{secondary}", info.addr.local, dev.name).unwrap();
        }
        text
    }

    fn routes(&self, table: TableId) -> String {
        let mut text = String::new();
        for route in self.host.routes(NS).into_iter().filter(|route| route.table == table) {
            if matches!(route.dst.addr(), IpAddr::V4(addr) if addr.is_loopback()) {
                continue;
            }
            if route.kind != RouteKind::Unicast {
                write!(text, "{} ", kind_word(route.kind)).unwrap();
            }
            write!(text, "{}", prefix_text(&route.dst)).unwrap();
            let ways: Vec<String> = route
                .nexthops
                .iter()
                .map(|nh| {
                    let via = nh.via.map_or(String::new(), |via| format!(" via {via}"));
                    let flags = [(nh.dead, " dead"), (nh.onlink, " onlink"), (nh.linkdown, " linkdown")];
                    let flags: String =
                        flags.into_iter().filter(|(on, _)| *on).map(|(_, word)| word).collect();
                    format!("{via} dev {}{flags}", nh.dev)
                })
                .collect();
            text += &ways.join(" +");
            if route.proto != RouteProto::BOOT {
                write!(text, " proto {}", proto_word(route.proto)).unwrap();
            }
            if route.scope != Scope::GLOBAL {
                write!(text, " scope {}", scope_word(route.scope)).unwrap();
            }
            if let Some(src) = route.prefsrc {
                write!(text, " src {src}").unwrap();
            }
            if route.metric != 0 {
                write!(text, " metric {}", route.metric).unwrap();
            }
            text.push('\n');
        }
        text
    }

    fn get(&self, words: &[&str]) -> String {
        let mut query = RouteQuery { dst: words[0].parse().ok(), ..RouteQuery::default() };
        for pair in words[1..].chunks(2) {
            let [name, value] = pair else { panic!("a word and a value") };
            match *name {
                "from" => query.src = value.parse().ok(),
                "iif" => query.iif = Some((*value).to_owned()),
                "oif" => query.oif = Some((*value).to_owned()),
                "mark" => query.mark = value.parse().unwrap(),
                "tos" => query.tos = u8::from_str_radix(value.trim_start_matches("0x"), 16).unwrap(),
                "ipproto" => query.ipproto = value.parse().ok(),
                "dport" => query.dport = value.parse().ok(),
                name => panic!("{name}"),
            }
        }
        let answer = match self.host.route_get(NS, &query, self.now) {
            Ok(answer) => answer,
            Err(refusal) => return refusal.errno.to_string(),
        };
        let mut text = String::new();
        if answer.kind != RouteKind::Unicast {
            write!(text, "{} ", kind_word(answer.kind)).unwrap();
        }
        write!(text, "{}", answer.dst).unwrap();
        let mut word = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                write!(text, " {name} {value}").unwrap();
            }
        };
        word("from", answer.from.map(|a| a.to_string()));
        word("via", answer.via.map(|a| a.to_string()));
        word("dev", answer.dev);
        word("table", answer.table.map(|t| t.0.to_string()));
        word("src", answer.prefsrc.map(|a| a.to_string()));
        word("expires", answer.expires.map(|s| s.to_string()));
        word("mtu", answer.mtu.map(|(mtu, locked)| format!("{}{mtu}", if locked { "lock " } else { "" })));
        if answer.redirected {
            text += " <redirected>";
        }
        if answer.do_redirect {
            text += " <redirect>";
        }
        text
    }

    /// What becomes of a received packet: `local`, `forward DEV`, a code or a drop reason.
    fn receive(&mut self, dev: &str, src: &str, dst: &str) -> String {
        let dev = self.dev(dev);
        let body = Body::Bytes(Proto(99), Payload::default());
        let skb =
            Skb::from_ip(PacketId(1), dev, Packet::new(src.parse().unwrap(), dst.parse().unwrap(), body));
        match self.cx(|cx| cx.ip_route_input(NS, &skb)) {
            Ok(InputRoute::Local(dst)) => match dst.kind {
                RouteKind::Local => "local".to_owned(),
                kind => format!("local {}", kind_word(kind)),
            },
            Ok(InputRoute::Forward(dst)) => {
                let redirect = if dst.do_redirect { " redirect" } else { "" };
                format!("forward {}{redirect}", self.host.dev(dst.dev).name)
            }
            Ok(InputRoute::Unreachable { code }) => format!("unreachable {code}"),
            Err(dropped) => dropped.reason.name().to_owned(),
        }
    }
}

fn mode_of(word: &str) -> Mode {
    match word {
        "add" => Mode::Add,
        "replace" => Mode::Replace,
        "change" => Mode::Change,
        "append" => Mode::Append,
        "prepend" => Mode::Prepend,
        word => panic!("{word}"),
    }
}

fn table_of(word: &str) -> TableId {
    match word {
        "local" => TableId::LOCAL,
        "main" => TableId::MAIN,
        number => TableId(number.parse().unwrap()),
    }
}

fn net(word: &str) -> IpNet {
    word.parse().unwrap_or_else(|_| IpNet::from(word.parse::<IpAddr>().unwrap()))
}

fn addr_spec(words: &[&str]) -> AddrSpec {
    let mut spec = AddrSpec::new("", net(words[0]));
    let mut words = words[1..].iter();
    while let Some(word) = words.next() {
        match *word {
            "noprefixroute" => spec.noprefixroute = true,
            word => {
                let value = words.next().unwrap();
                match word {
                    "dev" => spec.dev = (*value).to_owned(),
                    "peer" => spec.peer = Some(net(value)),
                    "brd" => spec.broadcast = value.parse().ok(),
                    "scope" => spec.scope = Some(Scope::LINK),
                    "metric" => spec.metric = value.parse().unwrap(),
                    word => panic!("{word}"),
                }
            }
        }
    }
    spec
}

fn route_spec(words: &[&str]) -> RouteSpec {
    let kinds = [
        ("local", RouteKind::Local),
        ("blackhole", RouteKind::Blackhole),
        ("unreachable", RouteKind::Unreachable),
        ("prohibit", RouteKind::Prohibit),
        ("throw", RouteKind::Throw),
    ];
    let kind = kinds.iter().find(|(word, _)| *word == words[0]).map(|(_, kind)| *kind);
    let words = if kind.is_some() { &words[1..] } else { words };
    let mut spec =
        RouteSpec { kind, dst: (words[0] != "default").then(|| net(words[0])), ..RouteSpec::default() };
    let mut way = NextHopSpec::default();
    let mut words = words[1..].iter();
    while let Some(word) = words.next() {
        match *word {
            "onlink" => way.onlink = true,
            "nexthop" => {
                if way != NextHopSpec::default() {
                    spec.nexthops.push(std::mem::take(&mut way));
                }
                way.weight = Some(1);
            }
            word => {
                let value = words.next().unwrap();
                match word {
                    "via" => way.via = value.parse().ok(),
                    "dev" => way.dev = Some((*value).to_owned()),
                    "weight" => way.weight = value.parse().ok(),
                    "table" => spec.table = Some(table_of(value)),
                    "metric" => spec.metric = value.parse().ok(),
                    "tos" => spec.tos = u8::from_str_radix(value.trim_start_matches("0x"), 16).unwrap(),
                    "src" => spec.prefsrc = value.parse().ok(),
                    "mtu" => spec.mtu = Some((value.parse().unwrap(), false)),
                    "scope" => spec.scope = Some(if *value == "host" { Scope::HOST } else { Scope::LINK }),
                    word => panic!("{word}"),
                }
            }
        }
    }
    if way != NextHopSpec::default() {
        spec.nexthops.push(way);
    }
    spec
}

fn rule_spec(words: &[&str], adding: bool) -> RuleSpec {
    let mut rule = Rule { proto: RouteProto::BOOT, ..Rule::default() };
    let (mut priority_given, mut action_given) = (false, adding);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let action = match *word {
            "not" => {
                rule.not = true;
                continue;
            }
            "unreachable" => RuleAction::Unreachable,
            "prohibit" => RuleAction::Prohibit,
            "blackhole" => RuleAction::Blackhole,
            "nop" => RuleAction::Nop,
            word => {
                let value = words.next().unwrap();
                match word {
                    "pref" => {
                        rule.priority = value.parse().unwrap();
                        priority_given = true;
                    }
                    "from" => rule.from = Some(net(value)),
                    "to" => rule.to = Some(net(value)),
                    "iif" => rule.iif = Some((*value).to_owned()),
                    "oif" => rule.oif = Some((*value).to_owned()),
                    "fwmark" => rule.fwmark = Some((value.parse().unwrap(), u32::MAX)),
                    "ipproto" => rule.ipproto = value.parse().ok(),
                    "dport" => rule.dport = value.parse().ok().map(|port| (port, port)),
                    "suppress_prefixlength" => rule.suppress_prefixlength = value.parse().ok(),
                    "lookup" | "goto" => {}
                    word => panic!("{word}"),
                }
                match word {
                    "lookup" => RuleAction::Lookup(table_of(value)),
                    "goto" => RuleAction::Goto(value.parse().unwrap()),
                    _ => continue,
                }
            }
        };
        rule.action = action;
        action_given = true;
    }
    RuleSpec { rule, priority_given, action_given, duplicate: false }
}

/// Runs `commands`, whose answers are expected beside them.
#[track_caller]
fn check(lab: &mut Lab, commands: &[(&str, &str)]) {
    for (command, answer) in commands {
        let got = lab.run(command);
        assert_eq!(got.trim_end(), answer.trim_end(), "{command}");
    }
}

#[test]
fn addresses_and_their_routes() {
    let mut lab = Lab::with(&[
        "addr add 10.0.0.1/24 dev eth0",
        "addr add 10.0.0.2/24 dev eth0",
        "addr add 10.0.1.1/24 dev eth0",
        "addr add 10.0.0.3/24 dev eth0",
        "addr add 10.0.1.2/24 dev eth0",
        "addr add 10.0.0.4/25 dev eth0",
    ]);
    check(
        &mut lab,
        &[
            (
                "addr",
                "10.0.0.1/24 eth0\n10.0.1.1/24 eth0\n10.0.0.4/25 eth0\n10.0.0.2/24 eth0 secondary\n10.0.0.3/24 eth0 secondary\n10.0.1.2/24 eth0 secondary",
            ),
            ("addr add 10.0.0.1/24 dev eth0", "ipv4: Address already assigned."),
            ("addr add 10.0.0.9/24 dev eth0 scope link", "ipv4: Invalid scope value."),
            ("addr del 10.0.0.7/24 dev eth0", "ipv4: Address not found."),
            ("sysctl net.ipv4.conf.eth0.promote_secondaries 1", ""),
            ("addr del 10.0.0.1/24 dev eth0", ""),
            (
                "addr",
                "10.0.1.1/24 eth0\n10.0.0.4/25 eth0\n10.0.0.2/24 eth0\n10.0.0.3/24 eth0 secondary\n10.0.1.2/24 eth0 secondary",
            ),
            (
                "route",
                "10.0.0.0/25 dev eth0 proto kernel scope link src 10.0.0.4\n10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.2\n10.0.1.0/24 dev eth0 proto kernel scope link src 10.0.1.1",
            ),
            ("sysctl net.ipv4.conf.eth0.promote_secondaries 0", ""),
            ("addr del 10.0.0.2/24 dev eth0", ""),
            (
                "route",
                "10.0.0.0/25 dev eth0 proto kernel scope link src 10.0.0.4\n10.0.1.0/24 dev eth0 proto kernel scope link src 10.0.1.1",
            ),
            ("addr del 10.0.0.4/25 dev eth0", ""),
            (
                "route table local",
                "local 10.0.1.1 dev eth0 proto kernel scope host src 10.0.1.1\nlocal 10.0.1.2 dev eth0 proto kernel scope host src 10.0.1.1\nbroadcast 10.0.1.255 dev eth0 proto kernel scope link src 10.0.1.1",
            ),
            ("down eth0", ""),
            ("route", ""),
            (
                "route table local",
                "local 10.0.1.1 dev eth0 proto kernel scope host src 10.0.1.1\nlocal 10.0.1.2 dev eth0 proto kernel scope host src 10.0.1.1",
            ),
            ("addr del 10.0.1.1/24 dev eth0", ""),
            ("route table local", ""),
        ],
    );
    let mut lab = Lab::with(&[
        "addr add 10.1.2.1/32 dev eth0 peer 10.1.3.0/24",
        "addr add 10.1.1.1/32 dev eth1",
        "addr add 10.9.0.0/31 dev eth1",
    ]);
    check(
        &mut lab,
        &[
            (
                "route",
                "10.1.3.0/24 dev eth0 proto kernel scope link src 10.1.2.1\n10.9.0.0/31 dev eth1 proto kernel scope link src 10.9.0.0",
            ),
            ("addr change 10.9.0.0/31 dev eth1 metric 50", ""),
            (
                "route",
                "10.1.3.0/24 dev eth0 proto kernel scope link src 10.1.2.1\n10.9.0.0/31 dev eth1 proto kernel scope link src 10.9.0.0 metric 50",
            ),
            ("addr replace 10.8.0.1/24 dev eth1 noprefixroute", ""),
            ("route get 10.8.0.2", "Network is unreachable"),
        ],
    );
}

#[test]
fn route_changes() {
    let mut lab = Lab::with(&["addr add 10.0.0.1/24 dev eth0"]);
    check(
        &mut lab,
        &[
            ("route change 10.2.0.0/16 via 10.0.0.2", "No such file or directory"),
            ("route add 10.2.0.0/16 via 10.9.9.9", "Nexthop has invalid gateway."),
            ("route add 10.2.0.0/16 via 10.0.0.255", "Nexthop has invalid gateway."),
            ("route add 10.2.0.1/16 via 10.0.0.2", "Invalid prefix for given prefix length."),
            ("route add 10.3.0.0/16", "No such device"),
            ("route add 10.3.0.0/16 via 10.0.0.2 src 10.0.0.77", "Invalid prefsrc address."),
            (
                "route add blackhole 10.3.0.0/16 via 10.0.0.2",
                "Gateway, device and multipath can not be specified for this route type.",
            ),
            (
                "route add 10.7.0.0/16 dev eth0 onlink",
                "Invalid flags for nexthop - PERVASIVE and ONLINK can not be set.",
            ),
            ("route add 10.7.0.0/16 via 10.0.0.2 scope link", "Nexthop has invalid gateway."),
            (
                "route add 10.7.0.0/16 via 10.0.0.2 scope host",
                "Route with host scope can not have a gateway.",
            ),
            ("route del 10.4.0.0/16", "No such process"),
            ("route replace 10.2.0.0/16 via 10.0.0.2", ""),
            ("route replace 10.2.0.0/16 via 10.0.0.3", ""),
            ("route replace 10.2.0.0/16 via 10.0.0.4 metric 10", ""),
            ("route append 10.2.0.0/16 via 10.0.0.5", ""),
            ("route prepend 10.2.0.0/16 via 10.0.0.6", ""),
            ("route get 10.2.0.1", "10.2.0.1 via 10.0.0.6 dev eth0 src 10.0.0.1"),
            ("route change 10.2.0.0/16 via 10.0.0.7", ""),
            (
                "route",
                "10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.1\n10.2.0.0/16 via 10.0.0.7 dev eth0\n10.2.0.0/16 via 10.0.0.3 dev eth0\n10.2.0.0/16 via 10.0.0.5 dev eth0\n10.2.0.0/16 via 10.0.0.4 dev eth0 metric 10",
            ),
            ("route del 10.2.0.0/16", ""),
            ("route del 10.2.0.0/16 metric 10", ""),
            ("route append 10.2.0.0/16 via 10.0.0.5", "File exists"),
            ("route add 10.2.0.0/16 via 10.0.0.9 tos 0x10", ""),
            (
                "route",
                "10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.1\n10.2.0.0/16 via 10.0.0.9 dev eth0\n10.2.0.0/16 via 10.0.0.3 dev eth0\n10.2.0.0/16 via 10.0.0.5 dev eth0",
            ),
            ("route get 10.2.0.1 tos 0x10", "10.2.0.1 via 10.0.0.9 dev eth0 src 10.0.0.1"),
            ("route get 10.2.0.1", "10.2.0.1 via 10.0.0.3 dev eth0 src 10.0.0.1"),
            ("route add 10.6.0.0/16 via 10.2.0.1 dev eth0 onlink", ""),
            ("route get 10.6.0.1", "10.6.0.1 via 10.2.0.1 dev eth0 src 10.0.0.1"),
            ("addr del 10.0.0.1/24 dev eth0", ""),
            ("route", ""),
        ],
    );
}

#[test]
fn devices_take_routes_with_them() {
    let mut lab = Lab::with(&[
        "addr add 10.0.0.1/24 dev eth0",
        "addr add 10.1.0.1/24 dev eth1",
        "route add 10.9.0.0/16 nexthop via 10.0.0.2 nexthop via 10.1.0.2 weight 3",
        "route add 10.7.0.0/16 via 10.1.0.9",
        "carrier eth1 off",
    ]);
    check(
        &mut lab,
        &[
            (
                "route",
                "10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.1\n10.1.0.0/24 dev eth1 linkdown proto kernel scope link src 10.1.0.1\n10.7.0.0/16 via 10.1.0.9 dev eth1 linkdown\n10.9.0.0/16 via 10.0.0.2 dev eth0 + via 10.1.0.2 dev eth1 linkdown",
            ),
            ("route get 10.7.0.1", "10.7.0.1 via 10.1.0.9 dev eth1 src 10.1.0.1"),
            ("sysctl net.ipv4.conf.all.ignore_routes_with_linkdown 1", ""),
            ("route get 10.7.0.1", "Network is unreachable"),
            // The shares of a multipath route change at device events only.
            ("route get 10.9.0.1", "10.9.0.1 via 10.1.0.2 dev eth1 src 10.1.0.1"),
            ("down eth1", ""),
            (
                "route",
                "10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.1\n10.9.0.0/16 via 10.0.0.2 dev eth0 + via 10.1.0.2 dev eth1 dead linkdown",
            ),
            ("route add 10.8.0.0/16 dev eth1", "Device for nexthop is not up."),
            ("up eth1", ""),
            (
                "route",
                "10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.1\n10.1.0.0/24 dev eth1 proto kernel scope link src 10.1.0.1\n10.9.0.0/16 via 10.0.0.2 dev eth0 + via 10.1.0.2 dev eth1",
            ),
            ("gone eth1", ""),
            ("route", "10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.1"),
            (
                "route table local",
                "local 10.0.0.1 dev eth0 proto kernel scope host src 10.0.0.1\nbroadcast 10.0.0.255 dev eth0 proto kernel scope link src 10.0.0.1",
            ),
        ],
    );
}

#[test]
fn lookups_choose_route_and_source() {
    let mut lab = Lab::with(&[
        "addr add 10.0.1.1/24 dev eth0",
        "addr add 10.0.1.7/24 dev eth0",
        "addr add 10.0.2.1/24 dev eth1",
        "route add 10.5.0.0/16 via 10.0.2.2",
        "route add 10.5.5.0/24 via 10.0.1.9 metric 5",
        "route add 10.5.5.0/24 via 10.0.1.8 metric 4",
        "route add 10.6.0.0/16 via 10.0.2.2 src 10.0.1.7 mtu 1400",
        "route add blackhole 10.7.1.0/24",
        "route add unreachable 10.7.2.0/24",
        "route add prohibit 10.7.3.0/24",
        "route add throw 10.7.4.0/24",
        "route add local 10.8.0.0/16 dev lo",
    ]);
    check(
        &mut lab,
        &[
            ("route get 10.5.0.1", "10.5.0.1 via 10.0.2.2 dev eth1 src 10.0.2.1"),
            ("route get 10.5.5.1", "10.5.5.1 via 10.0.1.8 dev eth0 src 10.0.1.1"),
            ("route get 10.6.0.1", "10.6.0.1 via 10.0.2.2 dev eth1 src 10.0.1.7 mtu 1400"),
            ("route get 10.7.1.1", "Invalid argument"),
            ("route get 10.7.2.1", "No route to host"),
            ("route get 10.7.3.1", "Permission denied"),
            ("route get 10.7.4.1", "Network is unreachable"),
            ("route get 10.77.0.1", "Network is unreachable"),
            ("route get 10.8.3.4", "local 10.8.3.4 dev lo src 10.8.3.4"),
            ("route get 10.0.1.7", "local 10.0.1.7 dev lo src 10.0.1.1"),
            ("route get 127.0.0.1", "local 127.0.0.1 dev lo src 127.0.0.1"),
            ("route get 0.0.0.0", "local 0.0.0.0 dev lo src 127.0.0.1"),
            ("route get 10.0.1.255", "broadcast 10.0.1.255 dev eth0 src 10.0.1.1"),
            ("route get 224.0.0.5", "Network is unreachable"),
            ("route get 255.255.255.255 from 10.0.2.1", "broadcast 255.255.255.255 from 10.0.2.1 dev eth1"),
            ("route get 10.5.0.1 from 10.0.1.1", "10.5.0.1 from 10.0.1.1 via 10.0.2.2 dev eth1"),
            ("route get 10.5.0.1 from 10.0.1.2", "Network is unreachable"),
            ("route get 10.5.0.1 oif eth0", "10.5.0.1 dev eth0 src 10.0.1.1"),
            ("sysctl net.ipv4.ip_forward 1", ""),
            ("route get 10.5.0.1 from 10.0.1.2 iif eth0", "10.5.0.1 from 10.0.1.2 via 10.0.2.2 dev eth1"),
            ("route get 10.0.1.1 from 10.0.2.2 iif eth1", "local 10.0.1.1 from 10.0.2.2 dev lo"),
            ("route get 10.0.1.2 from 127.0.0.1 iif eth1", "Invalid argument"),
        ],
    );
}

#[test]
fn rules() {
    let mut lab = Lab::with(&[
        "addr add 10.0.0.1/24 dev eth0",
        "route add default via 10.0.0.2",
        "route add default via 10.0.0.3 table 51",
        "route add 10.7.0.0/16 via 10.0.0.4",
        "rule add pref 50 lookup main suppress_prefixlength 0",
        "rule add pref 51 not fwmark 51820 lookup 51",
    ]);
    check(
        &mut lab,
        &[
            ("route get 8.8.8.8", "8.8.8.8 via 10.0.0.3 dev eth0 table 51 src 10.0.0.1"),
            ("route get 8.8.8.8 mark 51820", "8.8.8.8 via 10.0.0.2 dev eth0 src 10.0.0.1"),
            ("route get 10.7.0.1", "10.7.0.1 via 10.0.0.4 dev eth0 src 10.0.0.1"),
            ("route get 10.0.0.1", "local 10.0.0.1 dev lo table 255 src 10.0.0.1"),
            ("rule add pref 10 to 10.7.0.0/16 goto 40", ""),
            ("rule add pref 20 unreachable", ""),
            ("rule add pref 20 unreachable", "File exists"),
            ("rule add pref 40 nop", ""),
            ("rule add pref 45 goto 10", "Backward goto not supported."),
            ("route get 10.7.0.1", "10.7.0.1 via 10.0.0.4 dev eth0 src 10.0.0.1"),
            ("route get 8.8.8.8", "Network is unreachable"),
            ("rule del pref 20", ""),
            ("rule add pref 20 blackhole", ""),
            ("route get 8.8.8.8", "Invalid argument"),
            ("rule del blackhole", ""),
            ("rule del pref 9", "No such file or directory"),
            ("rule add iif eth1 lookup 7", ""),
            ("rule add ipproto 6 dport 80 prohibit", ""),
            ("route get 8.8.8.8 ipproto 6 dport 80", "Permission denied"),
            ("route get 8.8.8.8 ipproto 6 dport 81", "8.8.8.8 via 10.0.0.3 dev eth0 table 51 src 10.0.0.1"),
        ],
    );
    let priorities: Vec<u32> = lab.host.rules(NS).iter().map(|rule| rule.priority).collect();
    assert_eq!(priorities, [0, 8, 9, 10, 40, 50, 51, 32766, 32767]);
}

#[test]
fn received_packets() {
    let setup = [
        "addr add 10.0.1.1/24 dev eth0",
        "addr add 10.0.2.1/24 dev eth1",
        "route add 10.5.0.0/16 via 10.0.1.5",
        "route add unreachable 10.6.1.0/24",
        "route add prohibit 10.6.2.0/24",
        "route add blackhole 10.6.3.0/24",
        "sysctl net.ipv4.ip_forward 1",
    ];
    // Settings, device, source, destination, what happens.
    let cases: &[(&[&str], &str, &str, &str, &str)] = &[
        (&[], "eth0", "10.0.1.2", "10.0.1.1", "local"),
        (&[], "eth1", "10.0.2.2", "10.0.1.1", "local"),
        (&[], "eth0", "10.0.1.2", "10.0.2.2", "forward eth1"),
        (&[], "eth0", "10.0.1.2", "10.5.0.1", "forward eth0 redirect"),
        (&[], "eth1", "10.0.2.2", "10.5.0.1", "forward eth0"),
        (&[], "eth0", "10.5.0.1", "10.5.0.2", "forward eth0"),
        (&[], "eth0", "10.0.1.2", "10.6.1.1", "unreachable 1"),
        (&[], "eth0", "10.0.1.2", "10.6.2.1", "unreachable 13"),
        (&[], "eth0", "10.0.1.2", "10.6.3.1", "HOPLAB_ROUTE_BLACKHOLE"),
        (&[], "eth0", "10.0.1.2", "10.99.0.1", "unreachable 0"),
        (&["sysctl net.ipv4.ip_forward 0"], "eth0", "10.0.1.2", "10.0.2.2", "IP_INADDRERRORS"),
        (&["sysctl net.ipv4.conf.eth0.forwarding 0"], "eth1", "10.0.2.2", "10.0.1.2", "forward eth0"),
        (&[], "eth0", "10.0.1.2", "10.0.1.255", "local broadcast"),
        (&[], "eth0", "0.0.0.0", "255.255.255.255", "local broadcast"),
        (&[], "eth0", "10.0.1.2", "224.0.0.1", "local multicast"),
        (&[], "eth0", "10.0.1.1", "10.0.2.2", "IP_LOCAL_SOURCE"),
        (&["sysctl net.ipv4.conf.all.accept_local 1"], "eth0", "10.0.1.1", "10.0.2.2", "forward eth1"),
        (&[], "eth0", "127.0.0.1", "10.0.1.1", "IP_LOCALNET"),
        (&[], "eth0", "10.0.1.2", "127.0.0.1", "IP_LOCALNET"),
        (&["sysctl net.ipv4.conf.eth0.route_localnet 1"], "eth0", "10.0.1.2", "127.0.0.1", "local"),
        (&[], "eth0", "255.255.255.255", "10.0.1.1", "IP_INVALID_SOURCE"),
        (&[], "eth0", "0.0.0.0", "10.0.1.1", "IP_INVALID_SOURCE"),
        // Reverse path: 10.5.0.0/16 is behind eth0; 10.98.0.0/16 is nowhere.
        (&[], "eth1", "10.5.0.1", "10.0.1.1", "local"),
        (&["sysctl net.ipv4.conf.eth1.rp_filter 1"], "eth1", "10.5.0.1", "10.0.1.1", "IP_RPFILTER"),
        (&["sysctl net.ipv4.conf.all.rp_filter 1"], "eth1", "10.5.0.1", "10.0.1.1", "IP_RPFILTER"),
        (
            &["sysctl net.ipv4.conf.all.rp_filter 1", "sysctl net.ipv4.conf.eth1.rp_filter 2"],
            "eth1",
            "10.5.0.1",
            "10.0.1.1",
            "local",
        ),
        (&["sysctl net.ipv4.conf.all.rp_filter 2"], "eth1", "10.98.0.1", "10.0.1.1", "IP_RPFILTER"),
        (&["sysctl net.ipv4.conf.all.rp_filter 1"], "eth0", "10.5.0.1", "10.0.1.1", "local"),
        (&["sysctl net.ipv4.conf.all.rp_filter 1"], "eth0", "10.0.1.1", "10.0.2.2", "IP_LOCAL_SOURCE"),
    ];
    for (extra, dev, src, dst, expected) in cases {
        let mut lab = Lab::with(&setup);
        for command in *extra {
            assert_eq!(lab.run(command), "");
        }
        assert_eq!(lab.receive(dev, src, dst), *expected, "{extra:?} {dev} {src} > {dst}");
    }
}

#[test]
fn learned_path_mtus_and_redirects() {
    let mut lab = Lab::with(&["addr add 10.0.0.1/24 dev eth0", "route add default via 10.0.0.2"]);
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    lab.cx(|cx| cx.update_pmtu(NS, ip("8.8.8.8"), 1000));
    lab.cx(|cx| cx.update_pmtu(NS, ip("8.8.4.4"), 200));
    let eth0 = lab.dev("eth0");
    let heeds = |from| lab.host.heeds_redirect(NS, eth0, ip(from), ip("10.0.0.3"), ip("9.9.9.9"), lab.now);
    assert!(heeds("10.0.0.2") && !heeds("10.0.0.4"));
    lab.cx(|cx| cx.learn_redirect(NS, ip("9.9.9.9"), ip("10.0.0.3")));
    check(
        &mut lab,
        &[
            ("route get 8.8.8.8", "8.8.8.8 via 10.0.0.2 dev eth0 src 10.0.0.1 expires 600 mtu 1000"),
            ("route get 8.8.4.4", "8.8.4.4 via 10.0.0.2 dev eth0 src 10.0.0.1 expires 600 mtu lock 552"),
            ("route get 9.9.9.9", "9.9.9.9 via 10.0.0.3 dev eth0 src 10.0.0.1 expires 300 <redirected>"),
            ("route get 8.8.8.9", "8.8.8.9 via 10.0.0.2 dev eth0 src 10.0.0.1"),
        ],
    );
    lab.now += std::time::Duration::from_secs(301);
    check(
        &mut lab,
        &[
            ("route get 9.9.9.9", "9.9.9.9 via 10.0.0.2 dev eth0 src 10.0.0.1"),
            ("route get 8.8.8.8", "8.8.8.8 via 10.0.0.2 dev eth0 src 10.0.0.1 expires 299 mtu 1000"),
            ("route flush cache", ""),
            ("route get 8.8.8.8", "8.8.8.8 via 10.0.0.2 dev eth0 src 10.0.0.1"),
        ],
    );
}

#[test]
fn multipath_spreads_flows_by_weight() {
    let lab = Lab::with(&[
        "addr add 10.0.0.1/24 dev eth0",
        "addr add 10.1.0.1/24 dev eth1",
        "route add 10.9.0.0/16 nexthop via 10.0.0.2 nexthop via 10.1.0.2 weight 3",
    ]);
    let by_eth1 = (0..1000u32)
        .filter(|n| lab.get(&[&format!("10.9.{}.{}", n / 250, n % 250)]).contains("dev eth1"))
        .count();
    assert!((700..800).contains(&by_eth1), "{by_eth1} of 1000 flows go the way of weight 3 of 4");
}

#[test]
fn sysctls() {
    let mut lab = Lab::new();
    check(
        &mut lab,
        &[
            ("sysctl net.ipv4.ip_default_ttl 0", "Invalid argument"),
            ("sysctl net.ipv4.ip_default_ttl abc", "Invalid argument"),
            ("sysctl net.ipv4.nosuch 1", "No such file or directory"),
            ("sysctl net.ipv4.conf.nosuch.rp_filter 1", "No such file or directory"),
            ("sysctl net.ipv4.tcp_ehash_entries 1", "Permission denied"),
            ("sysctl net.ipv4.ip_default_ttl 33", ""),
            ("sysctl net.ipv4.conf.default.rp_filter 2", ""),
            ("addr add 10.0.0.1/24 dev eth1", ""),
            ("sysctl net.ipv4.conf.default.rp_filter 1", ""),
            ("sysctl net.ipv4.ip_forward 2", ""),
        ],
    );
    let get = |key: &str| lab.host.sysctl_get(NS, key).unwrap_or_else(|errno| errno.to_string());
    let expected = [
        ("net.ipv4.ip_default_ttl", "33"),
        ("net.ipv4.conf.eth0.rp_filter", "1"),
        ("net.ipv4.conf.eth1.rp_filter", "2"),
        ("net.ipv4.conf.all.forwarding", "2"),
        ("net.ipv4.conf.eth0.forwarding", "2"),
        ("net/ipv4/conf/all/accept_redirects", "0"),
        ("net.ipv4.ip_local_port_range", "32768\t60999"),
        ("net.ipv4.neigh.eth0.mcast_solicit", "3"),
        ("net.ipv4.neigh.default.mcast_solicit", "No such file or directory"),
    ];
    for (key, value) in expected {
        assert_eq!(get(key), value, "{key}");
    }
    let names: Vec<String> = lab.host.sysctl_list(NS).into_iter().map(|(name, _)| name).collect();
    assert!(names.is_sorted_by_key(|name| name.split('.').map(str::to_owned).collect::<Vec<_>>()));
    assert!(crate::sysctl_keys::KEYS.is_sorted_by_key(|(name, ..)| name));
}

#[test]
fn requests_print_as_commands() {
    let cases = [
        "ip route add 10.2.0.0/16 via 10.0.0.2 dev eth0 onlink table 7 metric 5 mtu 1400",
        "ip route add blackhole 10.3.0.0/16",
        "ip route add default nexthop via 10.0.0.2 weight 1 nexthop via 10.1.0.2 weight 3",
    ];
    for text in cases {
        let words: Vec<&str> = text.split_whitespace().skip(3).collect();
        assert_eq!(Request::RouteAdd(route_spec(&words), Mode::Add).to_string(), text);
    }
    let rule = rule_spec(&["pref", "5", "from", "10.0.0.0/24", "fwmark", "16", "lookup", "7"], true);
    assert_eq!(
        Request::RuleAdd(rule).to_string(),
        "ip rule add pref 5 from 10.0.0.0/24 fwmark 0x10 lookup 7"
    );
    let addr = addr_spec(&["10.0.0.1/24", "dev", "eth0", "brd", "10.0.0.255"]);
    assert_eq!(
        Request::AddrAdd(addr, Mode::Add).to_string(),
        "ip addr add 10.0.0.1/24 brd 10.0.0.255 dev eth0"
    );
}
