//! Random matches: every one that the simulation has, with options that the traffic sometimes meets.

use crate::dice::Dice;
use crate::probes::{LENGTHS, PORTS, TTLS};
use crate::rules::Site;
use crate::topology::{TCP_PORTS, UDP_PORTS};

/// Marks that rules set and ask for.
pub const MARKS: [&str; 6] = ["0x1", "0x2", "0x10", "0x11", "0x10/0xf0", "0x1/0x3"];
/// Connection states.
const STATES: [&str; 7] = ["NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED", "SNAT", "DNAT"];

/// The matches of a rule for a protocol, `-s` and the like included; at least `least` of them.
pub fn random(dice: &mut Dice, site: &Site<'_>, protocol: Option<&str>, least: u32) -> String {
    let mut text = String::new();
    for side in ["-s", "-d"] {
        if dice.percent(25) {
            let prefix = site.prefix(dice);
            let not = if prefix.ends_with("/0") { "" } else { not(dice, 20) };
            text.push_str(&format!("{not} {side} {prefix}"));
        }
    }
    if dice.percent(15) && !["OUTPUT", "POSTROUTING"].contains(&site.chain) {
        text.push_str(&format!("{} -i {}", not(dice, 20), device(dice, site)));
    }
    if dice.percent(15) && !["PREROUTING", "INPUT"].contains(&site.chain) {
        text.push_str(&format!("{} -o {}", not(dice, 20), device(dice, site)));
    }
    match protocol {
        Some(protocol) => {
            let not = if site.table == "raw" || protocol != "sctp" { "" } else { not(dice, 50) };
            text.push_str(&format!("{not} -p {protocol}"));
            if dice.percent(50) && not.is_empty() {
                text.push_str(&of_protocol(dice, protocol));
            }
        }
        None if dice.percent(3) => text.push_str(" -f"),
        None => {}
    }
    let count = least.max(*dice.weighted(&[(4, 0), (5, 1), (2, 2), (1, 3)]));
    let mut used: Vec<String> = Vec::new();
    for _ in 0..count {
        let one = extension(dice, site, protocol);
        let name = one.split(' ').nth(2).unwrap_or_default().to_owned();
        if !used.contains(&name) {
            text.push_str(&one);
            used.push(name);
        }
    }
    text
}

fn not(dice: &mut Dice, chance: u32) -> &'static str {
    if dice.percent(chance) { " !" } else { "" }
}

fn device(dice: &mut Dice, site: &Site<'_>) -> String {
    let names: Vec<&str> = site.node.devices.iter().map(|device| device.name.as_str()).collect();
    match dice.number(0..=9) {
        0 => "lo".to_owned(),
        1 => "eth+".to_owned(),
        2 => "+".to_owned(),
        _ => (*dice.pick(&names)).to_owned(),
    }
}

fn port_option(dice: &mut Dice) -> String {
    let side = *dice.pick(&["--dport", "--dport", "--sport"]);
    let ports = ports(dice);
    let not = if ports.contains(':') { "" } else { not(dice, 20) };
    format!("{not} {side} {ports}")
}

/// A port or a range that holds ports of the traffic.
fn ports(dice: &mut Dice) -> String {
    let one = *dice.pick(&PORTS);
    match dice.number(0..=5) {
        0 => format!("{}:{}", one - one.min(20), one + 20),
        1 => format!(":{one}"),
        2 => format!("{one}:"),
        _ => one.to_string(),
    }
}

fn of_protocol(dice: &mut Dice, protocol: &str) -> String {
    match protocol {
        "icmp" => {
            let kinds = [
                "echo-request",
                "echo-reply",
                "destination-unreachable",
                "port-unreachable",
                "fragmentation-needed",
                "time-exceeded",
                "8",
                "3/3",
                "any",
                "8/0",
            ];
            format!(" -m icmp{} --icmp-type {}", not(dice, 20), dice.pick(&kinds))
        }
        "tcp" => match dice.number(0..=5) {
            0 => format!(" -m tcp{} --syn", not(dice, 30)),
            1 => {
                let masks = [
                    "SYN,RST SYN",
                    "ALL NONE",
                    "ALL SYN",
                    "FIN,SYN,RST,ACK SYN",
                    "ACK ACK",
                    "RST RST",
                    "SYN,ACK SYN,ACK",
                    "ALL FIN,PSH,URG",
                ];
                format!(" -m tcp{} --tcp-flags {}", not(dice, 30), dice.pick(&masks))
            }
            2 => format!(" -m tcp{} --tcp-option {}", not(dice, 30), dice.pick(&[2, 3, 4, 8])),
            _ => format!(" -m tcp{}", port_option(dice)),
        },
        "sctp" => String::new(),
        other => format!(" -m {other}{}", port_option(dice)),
    }
}

fn list(dice: &mut Dice, of: &[&str], most: u32) -> String {
    let mut chosen: Vec<&str> = Vec::new();
    for _ in 0..dice.number(1..=most) {
        let one = *dice.pick(of);
        if !chosen.contains(&one) {
            chosen.push(one);
        }
    }
    chosen.join(",")
}

/// One `-m NAME` with its options.
fn extension(dice: &mut Dice, site: &Site<'_>, protocol: Option<&str>) -> String {
    match dice.number(0..=34) {
        0 => format!(" -m addrtype{} {}", not(dice, 20), addrtype(dice, site)),
        1 => format!(" -m comment --comment {}", dice.pick(&["plain", "\"two words\"", "\"a-b_c.d\""])),
        2 => format!(" -m connmark{} --mark {}", not(dice, 20), dice.pick(&MARKS)),
        3..=5 => format!(" -m conntrack{}", conntrack(dice, site)),
        6 => format!(" -m dscp{} --dscp {}", not(dice, 20), dice.pick(&["0x00", "0x04", "0x08", "0x2e"])),
        7 => {
            let (a, b) = (site.any_address(dice), site.any_address(dice));
            let key = |address: &str| address.parse::<std::net::Ipv4Addr>().ok();
            let (low, high) = if key(&a) <= key(&b) { (a, b) } else { (b, a) };
            let side = dice.pick(&["--src-range", "--dst-range"]);
            format!(" -m iprange{} {side} {low}-{high}", not(dice, 20))
        }
        8 => {
            let length = *dice.pick(&LENGTHS);
            let range = match dice.number(0..=2) {
                0 => format!("{length}"),
                1 => format!("{}:{}", length - length.min(30), length + 30),
                _ => format!("{length}:65535"),
            };
            format!(" -m length{} --length {range}", not(dice, 20))
        }
        9 => format!(" -m limit --limit {}/hour --limit-burst {}", dice.number(1..=3), dice.number(1..=5)),
        10 if ["PREROUTING", "INPUT", "FORWARD"].contains(&site.chain) => {
            let macs: Vec<&str> = site
                .topology
                .nodes
                .iter()
                .flat_map(|node| &node.devices)
                .map(|device| device.mac.as_str())
                .collect();
            format!(" -m mac{} --mac-source {}", not(dice, 20), dice.pick(&macs))
        }
        11 | 12 => format!(" -m mark{} --mark {}", not(dice, 20), dice.pick(&MARKS)),
        13 => match protocol {
            Some("tcp" | "udp") => {
                let side = dice.pick(&["--dports", "--sports", "--ports"]);
                let many: Vec<String> = (0..dice.number(1..=3))
                    .map(|_| {
                        let port = *dice.pick(&PORTS);
                        if dice.percent(30) { format!("{port}:{}", port + 10) } else { port.to_string() }
                    })
                    .collect();
                format!(" -m multiport{} {side} {}", not(dice, 20), many.join(","))
            }
            _ => format!(" -m state{} --state {}", not(dice, 20), list(dice, &STATES[..5], 2)),
        },
        14 => format!(
            " -m pkttype{} --pkt-type {}",
            not(dice, 20),
            dice.pick(&["unicast", "broadcast", "multicast"])
        ),
        15 => {
            let every = dice.number(1..=4);
            let packet = dice.number(0..=every - 1);
            format!(" -m statistic --mode nth{} --every {every} --packet {packet}", not(dice, 20))
        }
        16 => format!(" -m tos{} --tos {}", not(dice, 20), dice.pick(&["0x10", "0x00/0x3f", "0x08/0x18"])),
        17 => {
            let compare = dice.pick(&["--ttl-eq", "--ttl-gt", "--ttl-lt"]);
            format!(" -m ttl {compare} {}", dice.pick(&TTLS) - dice.number(0..=2))
        }
        19 => format!(
            " -m conntrack --ctstate NEW,ESTABLISHED,RELATED -m connlimit --connlimit-{} {} --connlimit-mask {}",
            dice.pick(&["above", "upto"]),
            dice.number(1..=3),
            dice.pick(&[0, 24, 32])
        ),
        20 => format!(
            " -m hashlimit --hashlimit-{} 1/hour --hashlimit-burst {} --hashlimit-mode {} --hashlimit-name h{}",
            dice.pick(&["upto", "above"]),
            dice.number(1..=4),
            dice.pick(&["srcip", "dstip", "srcip,dstip"]),
            site.case
        ),
        21 if ["OUTPUT", "POSTROUTING"].contains(&site.chain) => {
            format!(
                " -m owner{} {}",
                not(dice, 20),
                dice.pick(&["--uid-owner 0", "--gid-owner 0-5", "--socket-exists"])
            )
        }
        22 => format!(" -m quota{} --quota {}", not(dice, 20), dice.pick(&[50, 100, 200, 2000])),
        23 | 24 => recent(dice, site),
        25 if site.chain == "PREROUTING" && site.table != "nat" => {
            format!(
                " -m rpfilter{}",
                dice.pick(&["", " --loose", " --validmark", " --accept-local", " --invert"])
            )
        }
        26 => format!(
            " -m string --algo {} --string {}{}",
            dice.pick(&["bm", "kmp"]),
            dice.pick(&["probe", "xxxx", "01234567", "from"]),
            dice.pick(&["", " --from 28", " --to 40"])
        ),
        27 => format!(
            " -m u32 --u32 \"{}\"",
            dice.pick(&[
                "0&0xFFFF=84",
                "6&0xFF=1",
                "8>>24=0:64",
                "0>>22&0x3C@0>>16=10000:11000",
                "4&0x3FFF=0"
            ])
        ),
        28 | 29 => set(dice),
        30 | 31 => {
            let port = dice.pick(&["port0", "port1", "port2", "port+"]);
            match site.chain {
                "FORWARD" => format!(
                    " -m physdev{} {}",
                    not(dice, 20),
                    match dice.number(0..=2) {
                        0 => format!("--physdev-in {port}"),
                        1 => format!("--physdev-is-bridged --physdev-out {port}"),
                        _ => "--physdev-is-bridged".to_owned(),
                    }
                ),
                "PREROUTING" | "INPUT" => format!(" -m physdev{} --physdev-in {port}", not(dice, 20)),
                _ => format!(" -m mark{} --mark {}", not(dice, 20), dice.pick(&MARKS)),
            }
        }
        32 if protocol == Some("tcp") => {
            format!(" -m tcpmss{} --mss {}", not(dice, 20), dice.pick(&["536:1460", "1460", "0:1000"]))
        }
        18 => format!(" -m state{} --state {}", not(dice, 20), list(dice, &STATES[..5], 2)),
        _ => format!(" -m conntrack --ctstate {}", list(dice, &STATES, 3)),
    }
}

fn recent(dice: &mut Dice, site: &Site<'_>) -> String {
    let what = match dice.number(0..=5) {
        0 | 1 => "--set".to_owned(),
        2 => "--rcheck".to_owned(),
        3 => format!("--rcheck --hitcount {}", dice.number(1..=3)),
        4 => "--update --seconds 1000".to_owned(),
        _ => "--remove".to_owned(),
    };
    let name = format!("r{}", site.case);
    format!(" -m recent{} {what} --name {name} {}", not(dice, 15), dice.pick(&["--rsource", "--rdest"]))
}

/// One of the sets that every namespace has.
fn set(dice: &mut Dice) -> String {
    let side = *dice.pick(&["src", "dst"]);
    let (name, dimension) =
        *dice.pick(&[("addrs", 1), ("nets", 1), ("dyn", 1), ("pairs", 2), ("ports", 1), ("all", 1)]);
    let sides =
        if dimension == 2 { format!("{side},{}", dice.pick(&["src", "dst"])) } else { side.to_owned() };
    format!(" -m set{} --match-set {name} {sides}", not(dice, 20))
}

fn addrtype(dice: &mut Dice, site: &Site<'_>) -> String {
    let kinds = ["LOCAL", "UNICAST", "BROADCAST", "MULTICAST", "BLACKHOLE", "LOCAL,UNICAST"];
    let side = *dice.pick(&["--src-type", "--dst-type"]);
    let limit = match site.chain {
        "PREROUTING" | "INPUT" | "FORWARD" if dice.percent(15) => " --limit-iface-in",
        "OUTPUT" | "POSTROUTING" if dice.percent(15) => " --limit-iface-out",
        _ => "",
    };
    format!("{side} {}{limit}", dice.pick(&kinds))
}

fn conntrack(dice: &mut Dice, site: &Site<'_>) -> String {
    let port = || [UDP_PORTS[0], UDP_PORTS[1], TCP_PORTS[0]];
    match dice.number(0..=10) {
        0..=2 => format!("{} --ctstate {}", not(dice, 20), list(dice, &STATES, 3)),
        3 => format!(
            " --ctstate {}{} --ctorigdst {}",
            list(dice, &STATES, 3),
            not(dice, 20),
            site.prefix(dice)
        ),
        4 => format!("{} --ctorigsrc {}", not(dice, 20), site.prefix(dice)),
        5 => format!("{} --ctorigdst {}", not(dice, 20), site.prefix(dice)),
        6 => format!("{} --ctreplsrc {}", not(dice, 20), site.prefix(dice)),
        7 => format!(" --ctproto {} --ctorigdstport {}", dice.pick(&["tcp", "udp"]), dice.pick(&port())),
        8 => format!(" --ctdir {}", dice.pick(&["ORIGINAL", "REPLY"])),
        9 => format!(
            "{} --ctstatus {}",
            not(dice, 20),
            list(dice, &["NONE", "EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED"], 2)
        ),
        _ => format!("{} --ctrepldst {}", not(dice, 20), site.prefix(dice)),
    }
}
