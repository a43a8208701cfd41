//! Random targets: every one that the simulation has, where its table and chain allow it.

use crate::dice::Dice;
use crate::matches::MARKS;
use crate::probes::PORTS;
use crate::rules::Site;
use crate::topology::{NOWHERE, TCP_PORTS, UDP_PORTS};

/// The end of a rule, from ` -j` on; nothing for a rule that only counts.
pub fn random(dice: &mut Dice, site: &Site<'_>, protocol: Option<&str>, callable: &[String]) -> String {
    if !callable.is_empty() && dice.percent(if is_own(site.chain) { 30 } else { 40 }) {
        let how = if dice.percent(25) { "-g" } else { "-j" };
        return format!(" {how} {}", dice.pick(callable));
    }
    match dice.number(0..=99) {
        0..=17 => String::new(),
        18..=29 => " -j RETURN".to_owned(),
        30..=44 => " -j ACCEPT".to_owned(),
        45..=49 if site.table != "nat" => " -j DROP".to_owned(),
        50..=56 => format!(" -j {}", mark(dice)),
        57..=60 => format!(" -j {}", connmark(dice)),
        61 => " -j LOG".to_owned(),
        62 => " -j NFLOG --nflog-group 5".to_owned(),
        63 if site.table != "nat" => {
            format!(" -j NFQUEUE --queue-num 3{}", dice.pick(&["", " --queue-bypass"]))
        }
        64..=66 => format!(
            " -j SET {}",
            dice.pick(&[
                "--add-set dyn src",
                "--add-set dyn dst",
                "--del-set dyn src",
                "--add-set dyn src --exist"
            ])
        ),
        _ => own_of_table(dice, site, protocol),
    }
}

fn is_own(chain: &str) -> bool {
    !chain.starts_with(|c: char| c.is_ascii_uppercase())
}

fn mark(dice: &mut Dice) -> String {
    let option = dice.pick(&["--set-mark", "--set-xmark", "--or-mark", "--and-mark", "--xor-mark"]);
    let value = if option.contains("set") { *dice.pick(&MARKS) } else { *dice.pick(&MARKS[..4]) };
    format!("MARK {option} {value}")
}

fn connmark(dice: &mut Dice) -> String {
    match dice.number(0..=4) {
        0 => format!("CONNMARK --set-mark {}", dice.pick(&MARKS)),
        1 => "CONNMARK --save-mark".to_owned(),
        2 => "CONNMARK --restore-mark".to_owned(),
        3 => "CONNMARK --save-mark --nfmask 0xf --ctmask 0xff".to_owned(),
        _ => format!("CONNMARK --or-mark {}", dice.pick(&MARKS[..4])),
    }
}

fn own_of_table(dice: &mut Dice, site: &Site<'_>, protocol: Option<&str>) -> String {
    match site.table {
        "filter" => format!(" -j {}", filter(dice, protocol)),
        "mangle" => format!(" -j {}", mangle(dice, site, protocol)),
        "raw" => format!(" -j {}", raw(dice)),
        "nat" => nat(dice, site, protocol),
        _ => " -j ACCEPT".to_owned(),
    }
}

fn filter(dice: &mut Dice, protocol: Option<&str>) -> String {
    let kinds = [
        "icmp-net-unreachable",
        "icmp-host-unreachable",
        "icmp-port-unreachable",
        "icmp-proto-unreachable",
        "icmp-net-prohibited",
        "icmp-host-prohibited",
        "icmp-admin-prohibited",
    ];
    match dice.number(0..=5) {
        0 | 1 => "DROP".to_owned(),
        2 => "REJECT".to_owned(),
        3 if protocol == Some("tcp") => "REJECT --reject-with tcp-reset".to_owned(),
        3 | 4 => format!("REJECT --reject-with {}", dice.pick(&kinds)),
        _ => "ACCEPT".to_owned(),
    }
}

fn mangle(dice: &mut Dice, site: &Site<'_>, protocol: Option<&str>) -> String {
    match dice.number(0..=9) {
        0 | 1 => {
            let how = dice.pick(&["--ttl-set", "--ttl-inc", "--ttl-dec"]);
            let value = if *how == "--ttl-set" { dice.number(1..=70) } else { dice.number(1..=3) };
            format!("TTL {how} {value}")
        }
        2 => format!(
            "TOS {}",
            dice.pick(&["--set-tos 0x10", "--set-tos 0x08/0x3f", "--and-tos 0x0c", "--or-tos 0x04"])
        ),
        3 => format!("DSCP {}", dice.pick(&["--set-dscp 0x08", "--set-dscp 0x2e", "--set-dscp 0x00"])),
        4 => "CHECKSUM --checksum-fill".to_owned(),
        5 if ["OUTPUT", "POSTROUTING", "FORWARD"].contains(&site.chain) => {
            "CLASSIFY --set-class 1:2".to_owned()
        }
        6 if site.chain == "PREROUTING" && matches!(protocol, Some("tcp" | "udp")) => {
            format!(
                "TPROXY --on-port {} --on-ip {} --tproxy-mark 0x20",
                service(dice, protocol),
                site.own_address(dice)
            )
        }
        7 => format!("DSCP --set-dscp-class {}", dice.pick(&["EF", "CS1", "AF21", "BE"])),
        _ => mark(dice),
    }
}

fn raw(dice: &mut Dice) -> String {
    match dice.number(0..=5) {
        0 | 1 => "NOTRACK".to_owned(),
        2 => "CT --notrack".to_owned(),
        3 => format!("CT --zone {}", dice.number(1..=3)),
        4 => "TRACE".to_owned(),
        _ => mark(dice),
    }
}

fn nat(dice: &mut Dice, site: &Site<'_>, protocol: Option<&str>) -> String {
    let ports = matches!(protocol, Some("tcp" | "udp"));
    let chain = match site.chain {
        "PREROUTING" | "INPUT" | "OUTPUT" | "POSTROUTING" => site.chain,
        _ => "own",
    };
    let source = chain == "POSTROUTING" || chain == "INPUT";
    match (chain, dice.number(0..=5)) {
        // A chain of its own may be called from anywhere: what isn't allowed there is refused.
        ("own", _) => " -j ACCEPT".to_owned(),
        ("POSTROUTING", 0..=2) => " -j MASQUERADE".to_owned(),
        ("PREROUTING" | "OUTPUT", 0) => {
            let to = if ports { format!(" --to-ports {}", service(dice, protocol)) } else { String::new() };
            format!(" -j REDIRECT{to}")
        }
        (_, 1) => format!(" -j NETMAP --to {NOWHERE}.0/24"),
        _ if source => {
            let address = if dice.percent(70) { site.own_address(dice) } else { site.nowhere(dice) };
            let port =
                if ports && dice.percent(30) { format!(":{}", dice.pick(&PORTS)) } else { String::new() };
            format!(" -j SNAT --to-source {address}{port}")
        }
        _ => {
            let port = if ports && dice.percent(60) {
                format!(":{}", service(dice, protocol))
            } else {
                String::new()
            };
            let address = match dice.number(0..=9) {
                0 => "127.0.0.1".to_owned(),
                1 => site.nowhere(dice),
                2 if !port.is_empty() => String::new(),
                _ => site.any_address(dice),
            };
            format!(" -j DNAT --to-destination {address}{port}")
        }
    }
}

fn service(dice: &mut Dice, protocol: Option<&str>) -> u16 {
    if dice.percent(15) {
        return 81;
    }
    if protocol == Some("tcp") { *dice.pick(&TCP_PORTS) } else { *dice.pick(&UDP_PORTS) }
}
