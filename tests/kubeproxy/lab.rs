//! The places of a recording: a network namespace of one machine each.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::machine::Machine;
use crate::{client, server};

/// The namespace that each address belongs to.
pub type Places = BTreeMap<IpAddr, String>;

/// A machine without namespaces, which has the programs of the flows.
pub fn machine() -> Machine {
    let mut registry = tools::registry();
    client::install(&mut registry);
    server::install(&mut registry);
    Machine::new(registry)
}

/// Makes the namespaces and runs the commands that a recording lists.
pub fn set_up(machine: &mut Machine, setup: &[String]) -> Result<Places, String> {
    let commands: Vec<(&str, &str)> = setup.iter().filter_map(|line| line.split_once(": ")).collect();
    let mut places = Places::new();
    let mut names: Vec<&str> = Vec::new();
    for (place, command) in &commands {
        let words: Vec<&str> = command.split_whitespace().collect();
        let peer = words.iter().position(|&word| word == "netns").and_then(|at| words.get(at + 1));
        for name in std::iter::once(place).chain(peer) {
            if !names.contains(name) {
                names.push(name);
            }
        }
        if let ["ip", "addr", "add", address, ..] = words[..]
            && let Some(Ok(address)) = address.split('/').next().map(str::parse)
        {
            places.insert(address, (*place).to_owned());
        }
    }
    let mut script = String::new();
    for name in names {
        script.push_str(&format!(
            "ip netns add {name}; ip -n {name} link set lo up
             ip netns exec {name} sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv4.conf.all.rp_filter=0\n"
        ));
    }
    for (place, command) in commands {
        if !about_ipv6(command) {
            script.push_str(&format!("ip netns exec {place} {command}\n"));
        }
    }
    machine.quietly(&script)?;
    Ok(places)
}

/// Whether a command of the set-up concerns IPv6, which has no data path yet.
fn about_ipv6(command: &str) -> bool {
    command.split_whitespace().any(|word| {
        let address = word.split('/').next().unwrap_or(word);
        word.starts_with("net.ipv6.") || address.contains(':') && address.parse::<IpAddr>().is_ok()
    })
}
