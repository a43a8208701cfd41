//! A request prints as a command, and that command means the same request.
//!
//! Commands are made at random from the words that each takes.

use kernel::request::{Mode, Request};
use netfilter::{Change, Counters, What};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::bridge;
use crate::ip::{addr, link, neigh, netns, nexthop, options::Options, route, rule};
use crate::iproute::args::Family;
use crate::iproute::env::Env;
use crate::iptables::command::{self, Action, RuleVerb};
use crate::sysctl_cmd;

type Text = BoxedStrategy<String>;

/// Splits at blanks outside quotes, as a shell does.
fn split(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().expect("there is a word").push(c),
        }
    }
    words
}

fn mode(verb: &str) -> Mode {
    match verb {
        "replace" => Mode::Replace,
        "change" => Mode::Change,
        "append" => Mode::Append,
        "prepend" => Mode::Prepend,
        "test" => Mode::Test,
        _ => Mode::Add,
    }
}

/// What a command line asks of the kernel.
fn parse(text: &str) -> Result<Vec<Request>, String> {
    let owned = split(text);
    let words: Vec<&str> = owned.iter().map(String::as_str).collect();
    let (env, options) = (Env::all(), Options::default());
    if let ["iptables", ..] = words.as_slice() {
        let command = command::parse(owned[1..].to_vec(), netfilter::Backend::Nft, None)
            .map_err(|error| error.to_string())?;
        let Action::Rules { verb, chain, rules, counters } = command.action else {
            return Err(text.to_owned());
        };
        let of = |rule| Change { table: command.table, what: what(verb, chain.clone(), rule, counters) };
        return Ok(rules.into_iter().map(|rule| Request::Ruleset(of(rule))).collect());
    }
    if let ["sysctl", "-w", setting] = words.as_slice() {
        let (key, value) = sysctl_cmd::assignment(setting).ok_or(text)?;
        return Ok(vec![sysctl_cmd::request(key, value)]);
    }
    let [tool, object, verb, rest @ ..] = words.as_slice() else { return Err(text.to_owned()) };
    let deletes = verb.starts_with("del");
    let parsed = match (*tool, *object) {
        ("bridge", "fdb") if *verb == "flush" => {
            bridge::fdb::parse_flush(rest, env).map(|request| vec![request])
        }
        ("bridge", "link") => bridge::link::parse_set(rest, env),
        ("bridge", _) => {
            let verb = if deletes { bridge::fdb::Verb::Delete } else { bridge::fdb::Verb::Put(mode(verb)) };
            bridge::fdb::parse(rest, verb, Family::Unspec, env).map(|request| vec![request])
        }
        (_, "link") => {
            let verb = match *verb {
                "add" => link::Verb::Add,
                "set" => link::Verb::Set,
                _ => link::Verb::Delete,
            };
            link::parse(rest, verb, &options, env).map(|parse| parse.requests)
        }
        (_, "addr") => {
            let verb = if deletes { addr::Verb::Delete } else { addr::Verb::Put(mode(verb)) };
            addr::parse(rest, verb, &options, env, &[]).map(|parse| vec![parse.request])
        }
        (_, "route") => {
            let verb = if deletes { route::Verb::Delete } else { route::Verb::Put(mode(verb)) };
            route::parse(rest, verb, &options, env).map(|request| vec![request])
        }
        (_, "rule") => {
            let verb = if deletes { rule::Verb::Delete } else { rule::Verb::Add };
            rule::parse(rest, verb, &options).map(|request| vec![request])
        }
        (_, "netns") => {
            let verb = match *verb {
                "add" => netns::Verb::Add,
                "set" => netns::Verb::Set,
                _ => netns::Verb::Delete,
            };
            netns::parse(rest, verb).map(|request| vec![request])
        }
        (_, "nexthop") => {
            let verb = if deletes { nexthop::Verb::Delete } else { nexthop::Verb::Put(mode(verb)) };
            nexthop::parse(rest, verb, &options, env).map(|request| vec![request])
        }
        _ => {
            let verb = if deletes { neigh::Verb::Delete } else { neigh::Verb::Put(mode(verb)) };
            neigh::parse(rest, verb, &options, env).map(|request| vec![request])
        }
    };
    parsed.map_err(|stop| stop.text)
}

fn what(verb: RuleVerb, chain: String, rule: netfilter::Rule, counters: Counters) -> What {
    let rule = std::sync::Arc::new(rule);
    match verb {
        RuleVerb::Append | RuleVerb::Check => What::Append { chain, rule, counters },
        RuleVerb::Insert(number) => What::Insert { chain, number, rule, counters },
        RuleVerb::Replace(number) => What::Replace { chain, number, rule, counters },
        RuleVerb::Delete => What::Delete { chain, rule },
    }
}

fn one(words: &'static [&'static str]) -> Text {
    select(words).prop_map(str::to_owned).boxed()
}

fn dev() -> Text {
    one(&["eth0", "v1", "br0", "flannel.1", "veth1a2b3c4d"])
}

fn v4() -> Text {
    (1..224_u8, any::<[u8; 3]>())
        .prop_map(|(a, [b, c, d])| format!("{}.{b}.{c}.{d}", if a == 127 { 10 } else { a }))
        .boxed()
}

fn net() -> Text {
    let masked = |addr: u32, len: u8| {
        let net = ipnet::Ipv4Net::new(addr.into(), len).expect("at most 32");
        net.trunc().to_string()
    };
    (any::<u32>(), 1..=32_u8).prop_map(move |(addr, len)| masked(addr, len)).boxed()
}

fn mac() -> Text {
    any::<[u8; 6]>()
        .prop_map(|mut bytes| {
            bytes[0] &= 0xfe;
            packet::MacAddr(bytes).to_string()
        })
        .boxed()
}

fn number(range: std::ops::RangeInclusive<u32>) -> Text {
    range.prop_map(|number| number.to_string()).boxed()
}

/// `word VALUE`.
fn with(word: &'static str, value: Text) -> Text {
    value.prop_map(move |value| format!("{word} {value}")).boxed()
}

/// Perhaps.
fn maybe(text: Text) -> Text {
    prop_oneof![Just(String::new()), text].boxed()
}

/// All of them, those that are not empty, with blanks between.
fn all(parts: Vec<Text>) -> Text {
    parts
        .prop_map(|parts| parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "))
        .boxed()
}

fn flag(words: &'static [&'static str]) -> Text {
    (select(words), select(&["on", "off"][..])).prop_map(|(word, value)| format!("{word} {value}")).boxed()
}

fn link_kind() -> Text {
    let peer = all(vec![
        Just("veth peer name p0".to_owned()).boxed(),
        maybe(with("netns", one(&["web", "c1"]))),
        maybe(with("address", mac())),
        maybe(with("mtu", number(68..=9000))),
        maybe(one(&["up", "master br0", "arp off"])),
    ]);
    let bridge = all(vec![
        Just("bridge".to_owned()).boxed(),
        maybe(with("ageing_time", number(0..=30_000))),
        maybe(with("forward_delay", number(200..=3000))),
        maybe(with("stp_state", number(0..=1))),
        maybe(with("priority", number(0..=65_535))),
        maybe(with("vlan_filtering", number(0..=1))),
        maybe(with("mcast_snooping", number(0..=1))),
    ]);
    let vxlan = all(vec![
        with("vxlan id", number(0..=0xff_ffff)),
        maybe(with("remote", v4())),
        maybe(with("local", v4())),
        maybe(with("dev", dev())),
        maybe(with("dstport", number(1..=65_535))),
        maybe(with("ttl", number(1..=255))),
        maybe(one(&["learning", "nolearning"])),
        maybe(with("ageing", number(0..=9000))),
        maybe(one(&["proxy", "l2miss", "l3miss"])),
        maybe(one(&["udpcsum", "noudpcsum"])),
    ]);
    let ipip = all(vec![
        Just("ipip".to_owned()).boxed(),
        maybe(with("remote", v4())),
        maybe(with("local", v4())),
        maybe(with("ttl", number(1..=255))),
    ]);
    prop_oneof![one(&["dummy", "veth"]), peer, bridge, vxlan, ipip].boxed()
}

fn link_commands() -> Text {
    let add = all(vec![
        Just("ip link add name n0".to_owned()).boxed(),
        maybe(with("address", mac())),
        maybe(with("mtu", number(68..=9000))),
        maybe(with("txqueuelen", number(0..=10_000))),
        maybe(with("index", number(5..=500))),
        maybe(one(&["up", "down", "master br0", "arp off", "promisc on"])),
        with("type", link_kind()),
    ]);
    let vlan = with("ip link add link eth0 name n0 type vlan id", number(0..=4094));
    let port = (
        flag(&[
            "hairpin",
            "guard",
            "fastleave",
            "root_block",
            "learning",
            "flood",
            "mcast_flood",
            "neigh_suppress",
            "isolated",
        ]),
        maybe(with("cost", number(1..=60_000))),
        maybe(with("state", number(0..=4))),
    );
    let port = port.prop_map(|(flag, cost, state)| {
        format!("{flag} {cost} {state}").split_whitespace().collect::<Vec<_>>().join(" ")
    });
    let set = all(vec![
        with("ip link set dev", dev()),
        maybe(with("netns", one(&["web", "c1"]))),
        maybe(with("name", one(&["new0", "eth9"]))),
        maybe(with("address", mac())),
        maybe(with("mtu", number(68..=9000))),
        maybe(with("txqueuelen", number(0..=10_000))),
        maybe(one(&["up", "down", "master br0", "nomaster"])),
        maybe(flag(&["promisc", "allmulticast", "arp", "multicast", "dynamic", "carrier"])),
        maybe(with("alias", one(&["uplink", "to-node2"]))),
        maybe(with("type bridge_slave", port.clone().boxed())),
    ]);
    let bridge_set = (dev(), port).prop_map(|(dev, port)| format!("bridge link set dev {dev} {port}"));
    prop_oneof![4 => add, 1 => vlan, 3 => set, 1 => bridge_set, 1 => with("ip link del dev", dev())].boxed()
}

fn addr_commands() -> Text {
    let own = (v4(), 1..=32_u8).prop_map(|(addr, len)| format!("{addr}/{len}")).boxed();
    let peer = (v4(), net()).prop_map(|(addr, peer)| format!("{addr} peer {peer}")).boxed();
    let put = all(vec![
        with("ip addr", one(&["add", "replace", "change"])),
        prop_oneof![own.clone(), peer].boxed(),
        maybe(with("brd", prop_oneof![v4(), one(&["+", "-"])].boxed())),
        with("dev", dev()),
        maybe(with("scope", one(&["global", "link", "host", "7"]))),
        maybe(one(&["noprefixroute"])),
        maybe(with("metric", number(1..=9999))),
        maybe(one(&["valid_lft 100 preferred_lft 50", "preferred_lft 7", "valid_lft 5 preferred_lft 0"])),
    ]);
    prop_oneof![put, all(vec![with("ip addr del", own), with("dev", dev())])].boxed()
}

fn route_commands() -> Text {
    let dst = || prop_oneof![3 => net(), 1 => one(&["default"])].boxed();
    let hop = || {
        all(vec![
            Just("nexthop".to_owned()).boxed(),
            with("via", v4()),
            with("dev", dev()),
            maybe(with("weight", number(1..=256))),
            maybe(one(&["onlink"])),
        ])
    };
    let way = prop_oneof![
        with("via", v4()),
        with("dev", dev()),
        all(vec![with("via", v4()), with("dev", dev()), maybe(one(&["onlink"]))]),
    ]
    .boxed();
    let attributes = || {
        all(vec![
            maybe(with("table", one(&["main", "local", "100", "4000"]))),
            maybe(with("proto", one(&["static", "kernel", "boot", "42"]))),
            maybe(with("scope", one(&["global", "link", "host"]))),
            maybe(with("src", v4())),
            maybe(with("metric", number(1..=9999))),
            maybe(with("mtu", prop_oneof![number(68..=9000), with("lock", number(68..=9000))].boxed())),
            maybe(with("advmss", number(1..=9000))),
            maybe(with("window", number(1..=60_000))),
            maybe(with("hoplimit", number(1..=255))),
        ])
    };
    let verb = || with("ip route", one(&["add", "replace", "change", "append", "prepend", "test", "del"]));
    let single = all(vec![verb(), dst(), way, attributes()]);
    let several =
        all(vec![verb(), dst(), attributes(), vec(hop(), 2..4).prop_map(|hops| hops.join(" ")).boxed()]);
    let special = all(vec![
        verb(),
        one(&["blackhole", "unreachable", "prohibit", "throw"]),
        dst(),
        maybe(with("metric", number(1..=99))),
    ]);
    let local = all(vec![verb(), with("local", net()), with("dev", dev())]);
    let object = all(vec![verb(), dst(), with("nhid", number(1..=99)), attributes()]);
    prop_oneof![single, several, special, local, object].boxed()
}

fn other_commands() -> Text {
    let setting = (
        one(&["net.ipv4.ip_forward", "net.ipv4.conf.eth0/1.rp_filter", "net/ipv4/conf/eth0.1/arp_ignore"]),
        one(&["1", "0", "", "4096 131072 33554432", "32768\t60999", "a=b"]),
    )
        .prop_map(|(key, value)| format!("sysctl -w \"{key}={value}\""))
        .boxed();
    let name = || one(&["web", "c1", "node-2", "a.b"]);
    let set = all(vec![with("ip netns set", name()), prop_oneof![number(0..=9999), one(&["auto"])].boxed()]);
    let flush = all(vec![with("bridge fdb flush dev", dev()), maybe(with("brport", dev()))]);
    prop_oneof![setting, with("ip netns", all(vec![one(&["add", "del"]), name()])), set, flush].boxed()
}

fn nexthop_commands() -> Text {
    let way = all(vec![
        maybe(with("via", v4())),
        with("dev", dev()),
        maybe(one(&["onlink"])),
        maybe(with("proto", one(&["static", "77"]))),
    ]);
    let put = all(vec![
        with("ip nexthop", one(&["add", "replace"])),
        maybe(with("id", number(1..=99))),
        prop_oneof![way, one(&["blackhole", "group 1", "group 1/2,3/7", "group 4,256"])].boxed(),
    ]);
    prop_oneof![put, with("ip nexthop del id", number(1..=99))].boxed()
}

fn rule_commands() -> Text {
    let ports =
        || (1..=60_000_u16, 0..=5000_u16).prop_map(|(low, more)| format!("{low}-{}", low + more)).boxed();
    all(vec![
        with("ip rule", one(&["add", "del"])),
        maybe(with("pref", number(0..=32_765))),
        maybe(one(&["not"])),
        maybe(with("from", net())),
        maybe(with("to", net())),
        maybe(with("tos", one(&["0x10", "0x08"]))),
        maybe(with("fwmark", one(&["0x1", "0x10/0xf0", "0x0"]))),
        maybe(with("iif", dev())),
        maybe(with("oif", dev())),
        maybe(with("protocol", one(&["static", "kernel", "77"]))),
        maybe(all(vec![
            with("ipproto", one(&["tcp", "udp", "icmp", "47"])),
            maybe(with("sport", ports())),
            maybe(with("dport", ports())),
        ])),
        prop_oneof![
            with("lookup", one(&["main", "local", "default", "100"])),
            one(&["blackhole", "unreachable", "prohibit", "nop", "goto 32766"])
        ]
        .boxed(),
        maybe(with("suppress_prefixlength", number(0..=32))),
    ])
}

fn neigh_commands() -> Text {
    let states =
        &["permanent", "reachable", "stale", "noarp", "none", "delay", "probe", "failed", "incomplete"];
    let put = all(vec![
        with("ip neigh", one(&["add", "replace", "change"])),
        v4(),
        maybe(with("lladdr", mac())),
        maybe(with("nud", one(states))),
        with("dev", dev()),
        maybe(one(&["router"])),
        maybe(one(&["extern_learn"])),
    ]);
    let proxy = all(vec![with("ip neigh", one(&["add", "del"])), with("proxy", v4()), with("dev", dev())]);
    let fdb = all(vec![
        with("bridge fdb", one(&["add", "append", "replace", "del"])),
        mac(),
        with("dev", dev()),
        maybe(with("dst", v4())),
        maybe(with("port", number(1..=65_535))),
        maybe(with("vni", number(0..=0xff_ffff))),
        maybe(with("vlan", number(1..=4094))),
        maybe(one(&["self", "master", "self master"])),
        maybe(one(&["permanent", "local", "static", "dynamic"])),
        maybe(one(&["extern_learn"])),
    ]);
    prop_oneof![put, proxy, fdb].boxed()
}

fn iptables_commands() -> Text {
    let not = || maybe(one(&["!"]));
    let matches = all(vec![
        maybe(all(vec![not(), with("-s", net())])),
        maybe(all(vec![not(), with("-d", net())])),
        maybe(all(vec![not(), with("-i", one(&["eth0", "veth+"]))])),
        maybe(
            prop_oneof![
                all(vec![
                    Just("-p tcp -m tcp".to_owned()).boxed(),
                    maybe(all(vec![not(), with("--dport", number(1..=65_535))])),
                    maybe(with("--sport", one(&["1:99", "1024:", ":1023"])))
                ]),
                all(vec![Just("-p udp -m udp".to_owned()).boxed(), with("--dport", number(1..=65_535))]),
                with("-p icmp -m icmp --icmp-type", one(&["8", "3/4", "0"])),
                with("-p tcp -m multiport --dports", one(&["80,443", "80,1000:2000"])),
            ]
            .boxed(),
        ),
        maybe(with(
            "-m conntrack --ctstate",
            one(&["NEW", "RELATED,ESTABLISHED", "INVALID", "DNAT", "UNTRACKED"]),
        )),
        maybe(with(
            "-m comment --comment",
            one(&["\"kubernetes service portals\"", "default/api:http", "\"a -j b\""]),
        )),
        maybe(all(vec![
            Just("-m mark".to_owned()).boxed(),
            not(),
            with("--mark", one(&["0x4000/0x4000", "0x1", "0x0/0xff"])),
        ])),
        maybe(all(vec![
            Just("-m addrtype".to_owned()).boxed(),
            not(),
            with("--dst-type", one(&["LOCAL", "BROADCAST"])),
        ])),
        maybe(with(
            "-m statistic --mode random --probability",
            one(&["0.33333333349", "0.50000000000", "0.1"]),
        )),
        maybe(with("-m limit --limit", one(&["3/min", "5/sec --limit-burst 9", "1/hour"]))),
    ]);
    let filter = prop_oneof![
        one(&[
            "ACCEPT",
            "DROP",
            "RETURN",
            "KUBE-FORWARD",
            "REJECT",
            "REJECT --reject-with icmp-host-prohibited"
        ]),
        with("LOG --log-prefix", one(&["\"drop: \"", "x"])),
    ];
    let filter = (
        one(&["-A FORWARD", "-I INPUT 2", "-R FORWARD 3", "-D OUTPUT", "-A KUBE-X"]),
        matches.clone(),
        filter,
    )
        .prop_map(|(verb, matches, target)| format!("iptables {verb} {matches} -j {target}"));
    let source = prop_oneof![
        one(&["MASQUERADE", "MASQUERADE --random-fully", "RETURN", "ACCEPT"]),
        with("SNAT --to-source", one(&["10.0.0.1", "10.0.0.1-10.0.0.9 --persistent", "10.0.0.1-10.0.0.9"])),
        with("MARK --set-xmark", one(&["0x4000/0x4000", "0x1/0xffffffff"])),
    ];
    let source = (matches, source)
        .prop_map(|(matches, target)| format!("iptables -t nat -A POSTROUTING {matches} -j {target}"));
    let dest = prop_oneof![
        with(
            "DNAT --to-destination",
            (v4(), 1..=65_535_u16).prop_map(|(addr, port)| format!("{addr}:{port}")).boxed()
        ),
        with("REDIRECT --to-ports", one(&["8080", "8000-8010"])),
    ];
    let dest = (one(&["PREROUTING", "OUTPUT"]), dest)
        .prop_map(|(chain, target)| format!("iptables -t nat -A {chain} -p tcp -j {target}"));
    prop_oneof![filter, source, dest]
        .prop_map(|text| text.replace("  ", " "))
        .prop_filter("an interface that came in has no place there", |text| {
            !(text.contains(" -i ") && (text.contains("POSTROUTING") || text.contains("OUTPUT")))
        })
        .boxed()
}

/// `text` is a command, and what it asks for prints as one that asks for the same.
fn check(text: &str) -> Result<(), TestCaseError> {
    let requests = parse(text).map_err(|error| TestCaseError::fail(format!("{text}\n{error}")))?;
    let [request] = requests.as_slice() else {
        return Err(TestCaseError::fail(format!("{text}: {requests:?}")));
    };
    let printed = request.to_string();
    let again = printed.lines().try_fold(Vec::new(), |mut all, line| {
        parse(line).map(|more| {
            all.extend(more);
            all
        })
    });
    prop_assert_eq!(again.as_deref(), Ok(&requests[..]), "{} prints {}", text, printed);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn links(text in link_commands()) { check(&text)?; }

    #[test]
    fn addresses(text in addr_commands()) { check(&text)?; }

    #[test]
    fn routes(text in route_commands()) { check(&text)?; }

    #[test]
    fn settings_namespaces_and_flushes(text in other_commands()) { check(&text)?; }

    #[test]
    fn nexthops(text in nexthop_commands()) { check(&text)?; }

    #[test]
    fn rules(text in rule_commands()) { check(&text)?; }

    #[test]
    fn neighbours_and_fdb(text in neigh_commands()) { check(&text)?; }

    #[test]
    fn rulesets(text in iptables_commands()) { check(&text)?; }
}
