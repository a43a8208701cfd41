//! `bridge link`. iproute2: `bridge/link.c`.

use kernel::device::BridgePort;
use kernel::dump::LinkInfo;
use kernel::request::{LinkChange, PortOption, Request};

use super::Bridge;
use crate::console::Stop;
use crate::ip::{print_link_flags, print_name_and_link};
use crate::iproute::args::{Words, atoi, duparg, matches, matches_any, nodev, not_simulated, parse_on_off};
use crate::iproute::env::Env;
use crate::iproute::names::{STP_STATES, is_list};
use crate::iproute::netlink::send;
use crate::iproute::printer::Printer;

/// Simplified: the first line of the real text.
fn usage() -> Stop {
    Stop::text(255, "Usage: bridge link set dev DEV [ cost COST ] [ priority PRIO ] [ state STATE ]\n")
}

/// Runs one `bridge link` command.
pub fn run(bridge: &mut Bridge<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let Some((&verb, rest)) = words.split_first() else { return show(bridge, &[]) };
    match verb {
        _ if matches_any(verb, &["set", "change"]) => {
            let requests = parse_set(rest, bridge.env())?;
            send(bridge.console.sys, bridge.netns, requests, -1)?;
            Ok(0)
        }
        _ if is_list(verb) => show(bridge, rest),
        _ if matches(verb, "help") => Err(usage()),
        _ => Err(Stop::exit(255, format!("Command \"{verb}\" is unknown, try \"bridge link help\"."))),
    }
}

/// `bridge link set …`. iproute2: `brlink_modify`.
///
/// # Errors
/// What `bridge` says about words it doesn't take.
pub fn parse_set(words: &[&str], env: Env<'_>) -> Result<Vec<Request>, Stop> {
    let mut dev = None;
    let mut options = Vec::new();
    let mut words = Words::new(words);
    while let Some(word) = words.next_word() {
        let flag = |words: &mut Words<'_>| parse_on_off(word, words.value()?);
        match word {
            "dev" => dev = Some(words.value()?),
            "guard" => options.push(PortOption::Guard(flag(&mut words)?)),
            "hairpin" => options.push(PortOption::Hairpin(flag(&mut words)?)),
            "fastleave" => options.push(PortOption::FastLeave(flag(&mut words)?)),
            "root_block" => options.push(PortOption::RootBlock(flag(&mut words)?)),
            "learning" => options.push(PortOption::Learning(flag(&mut words)?)),
            "flood" => options.push(PortOption::Flood(flag(&mut words)?)),
            "mcast_flood" => options.push(PortOption::McastFlood(flag(&mut words)?)),
            "bcast_flood" => options.push(PortOption::BcastFlood(flag(&mut words)?)),
            "neigh_suppress" => options.push(PortOption::NeighSuppress(flag(&mut words)?)),
            "isolated" => options.push(PortOption::Isolated(flag(&mut words)?)),
            "cost" => {
                let cost = atoi(words.value()?);
                options.extend(u32::try_from(cost).ok().filter(|&c| c > 0).map(PortOption::Cost));
            }
            "priority" => {
                let priority = atoi(words.value()?);
                options.extend(u16::try_from(priority).ok().map(PortOption::Priority));
            }
            "state" => {
                let value = words.value()?;
                let named = STP_STATES.iter().position(|name| *name == value);
                let state = value.parse::<u8>().ok().or_else(|| named.and_then(|n| u8::try_from(n).ok()));
                let state = state.ok_or_else(|| Stop::fail(-1, "Error: invalid STP port state"))?;
                options.push(PortOption::State(state));
            }
            "mcast_router" => {
                options.extend(u8::try_from(atoi(words.value()?)).ok().map(PortOption::McastRouter))
            }
            "master" | "self" => {}
            "learning_sync" | "mcast_to_unicast" | "hwmode" | "vlan_tunnel" | "locked" | "backup_port"
            | "nobackup_port" => return Err(not_simulated("bridge", word)),
            _ => return Err(usage()),
        }
    }
    let Some(dev) = dev else { return Err(Stop::fail(-1, "Device is a required argument.")) };
    if !env.has_device(dev) {
        return Err(Stop::fail(-1, format!("Cannot find bridge device \"{dev}\"")));
    }
    let changes = options.into_iter().map(LinkChange::Port).collect();
    Ok(vec![Request::LinkSet { dev: env.own_name(dev), changes }])
}

fn show(bridge: &mut Bridge<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let env = bridge.env();
    let mut only = None;
    let mut words = Words::new(words);
    while let Some(word) = words.next_word() {
        if word == "dev" {
            let value = words.value()?;
            if only.is_some() {
                return Err(duparg("dev", value));
            }
            only = Some(value);
        }
    }
    if let Some(dev) = only.filter(|dev| !env.has_device(dev)) {
        return Err(nodev(dev));
    }
    let only = only.map(|dev| env.own_name(dev));
    let mut p = bridge.printer();
    for link in env.links().iter().filter(|link| only.as_ref().is_none_or(|dev| *dev == link.name)) {
        if let Some(port) = &link.port {
            print_port(&mut p, link, port, bridge.options.details, env);
        }
    }
    bridge.console.out(&p.finish());
    Ok(0)
}

/// One port. The dump of this family gives the peer's index without its namespace, so that
/// the name shown is that of the local device with that index.
fn print_port(p: &mut Printer, link: &LinkInfo, port: &BridgePort, details: bool, env: Env<'_>) {
    let linked = LinkInfo {
        link_name: link
            .link
            .map(|index| env.name_at(index).map_or_else(|| format!("if{}", index.0), str::to_owned)),
        link_netnsid: None,
        ..link.clone()
    };
    p.open_object("");
    p.any("ifindex", "{}: ", link.ifindex.0);
    let lower_is_down = print_name_and_link(p, "{}: ", &linked, env);
    print_link_flags(p, link.flags, lower_is_down);
    p.any("mtu", "mtu {} ", link.mtu);
    if let Some(master) = &link.master {
        p.any("master", "master {} ", master.as_str());
    }
    p.any("state", "state {} ", STP_STATES.get(usize::from(port.state)).copied().unwrap_or("disabled"));
    p.any("priority", "priority {} ", port.priority);
    p.any("cost", "cost {} ", port.cost);
    if details {
        p.nl();
        p.fp("    ");
        for (key, value) in [
            ("hairpin", port.hairpin),
            ("guard", port.guard),
            ("root_block", port.root_block),
            ("fastleave", port.fast_leave),
            ("learning", port.learning),
            ("flood", port.flood),
            ("mcast_flood", port.mcast_flood),
            ("bcast_flood", port.bcast_flood),
        ] {
            p.on_off(key, &format!("{key} {{}} "), value);
        }
        p.any("mcast_router", "mcast_router {} ", u32::from(port.mcast_router));
        for (key, value) in [
            ("mcast_to_unicast", false),
            ("neigh_suppress", port.neigh_suppress),
            ("vlan_tunnel", false),
            ("isolated", port.isolated),
            ("locked", false),
        ] {
            p.on_off(key, &format!("{key} {{}} "), value);
        }
    }
    p.fp("\n");
    p.close_object();
}
