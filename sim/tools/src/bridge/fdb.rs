//! `bridge fdb`. iproute2: `bridge/fdb.c`.

use std::net::IpAddr;

use kernel::dump::{FdbInfo, KindInfo};
use kernel::request::{FdbSpec, FdbState, Mode, Request};
use packet::{MacAddr, Vni};

use super::Bridge;
use crate::console::{End, Stop};
use crate::iproute::args::{
    Family, Words, atoi, duparg, duparg2, get_addr, invarg, matches, matches_any, nodev, not_simulated,
    strtol,
};
use crate::iproute::env::Env;
use crate::iproute::names::is_list;
use crate::iproute::netlink::send;
use crate::iproute::printer::Printer;

/// What an `fdb` command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `add`, `append`, `replace`.
    Put(Mode),
    /// `delete`.
    Delete,
}

/// Simplified: the first lines of the real text.
fn usage() -> Stop {
    Stop::text(
        255,
        "Usage: bridge fdb { add | append | del | replace } ADDR dev DEV\n              \
         [ self ] [ master ] [ use ] [ router ] [ extern_learn ]\n",
    )
}

/// Runs one `bridge fdb` command.
pub fn run(bridge: &mut Bridge<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let Some((&verb, rest)) = words.split_first() else { return show(bridge, &[]) };
    let kind = match verb {
        _ if matches(verb, "add") => Some(Verb::Put(Mode::Add)),
        _ if matches(verb, "append") => Some(Verb::Put(Mode::Append)),
        _ if matches(verb, "replace") => Some(Verb::Put(Mode::Replace)),
        _ if matches(verb, "delete") => Some(Verb::Delete),
        _ => None,
    };
    if let Some(kind) = kind {
        let request = parse(rest, kind, bridge.options.family, bridge.env())?;
        send(bridge.console.sys, bridge.netns, vec![request], -1)?;
        return Ok(0);
    }
    match verb {
        _ if matches(verb, "get") => get(bridge, rest),
        _ if is_list(verb) => show(bridge, rest),
        "flush" => {
            let request = parse_flush(rest, bridge.env())?;
            send(bridge.console.sys, bridge.netns, vec![request], -1)?;
            Ok(0)
        }
        _ if matches(verb, "help") => Err(usage()),
        _ => Err(Stop::exit(255, format!("Command \"{verb}\" is unknown, try \"bridge fdb help\"."))),
    }
}

/// As `sscanf("%hhx:%hhx:…")`: six hexadecimal numbers, anything after them ignored.
fn read_mac(word: &str) -> Result<MacAddr, Stop> {
    let invalid = || Stop::fail(-1, format!("Invalid mac address {word}"));
    let mut bytes = [0u8; 6];
    let mut rest = word;
    for (i, byte) in bytes.iter_mut().enumerate() {
        if i > 0 {
            rest = rest.strip_prefix(':').ok_or_else(invalid)?;
        }
        let end = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
        let (digits, after) = rest.split_at(end);
        let value = u64::from_str_radix(digits, 16).map_err(|_| invalid())?;
        *byte = u8::try_from(value & 0xff).map_err(|_| invalid())?;
        rest = after;
    }
    Ok(MacAddr(bytes))
}

fn read_vni(word: &str) -> Result<Vni, Stop> {
    let vni = strtol(word).filter(|(_, rest)| rest.is_empty()).and_then(|(v, _)| u32::try_from(v).ok());
    vni.and_then(Vni::new).ok_or_else(|| invarg("invalid VNI\n", word))
}

/// `bridge fdb add|append|replace|delete …`. iproute2: `fdb_modify`.
///
/// # Errors
/// What `bridge` says about words it doesn't take.
pub fn parse(words: &[&str], verb: Verb, family: Family, env: Env<'_>) -> Result<Request, Stop> {
    let (mut dev, mut addr, mut dst): (Option<&str>, Option<&str>, Option<IpAddr>) = (None, None, None);
    let (mut port, mut vni, mut via, mut vlan) = (None, None, None, None);
    let (mut to_self, mut to_master, mut extern_learn) = (false, false, false);
    let (mut permanent, mut reachable, mut noarp) = (false, false, true);
    let mut words = Words::new(words);
    while let Some(word) = words.next_word() {
        match word {
            "dev" => dev = Some(words.value()?),
            "dst" => {
                let value = words.value()?;
                if dst.is_some() {
                    return Err(duparg2("dst", value));
                }
                dst = Some(get_addr(value, family)?.address());
            }
            "nhid" | "src_vni" => return Err(not_simulated("bridge", word)),
            "port" => {
                let value = words.value()?;
                let number = strtol(value).filter(|(_, rest)| rest.is_empty());
                let number = number.and_then(|(v, _)| u16::try_from(v).ok());
                port = Some(number.ok_or_else(|| invarg("invalid port\n", value))?).filter(|&p| p != 0);
            }
            "vni" => vni = Some(read_vni(words.value()?)?),
            "via" => {
                let value = words.value()?;
                if !env.has_device(value) {
                    return Err(Stop { end: End::Exit(255), ..nodev(value) });
                }
                via = Some(env.own_name(value));
            }
            "self" => to_self = true,
            _ if matches(word, "master") => to_master = true,
            _ if matches(word, "router") => return Err(not_simulated("bridge", word)),
            _ if matches_any(word, &["local", "permanent"]) => permanent = true,
            _ if matches_any(word, &["temp", "static"]) => reachable = true,
            _ if matches(word, "dynamic") => (reachable, noarp) = (true, false),
            _ if matches(word, "vlan") => {
                if vlan.is_some() {
                    return Err(duparg2("vlan", word));
                }
                vlan = u16::try_from(atoi(words.value()?)).ok();
            }
            _ if matches(word, "extern_learn") => extern_learn = true,
            _ if matches_any(word, &["use", "sticky"]) => return Err(not_simulated("bridge", word)),
            _ => {
                let value = if word == "to" { words.value()? } else { word };
                if matches(value, "help") {
                    return Err(usage());
                }
                if addr.is_some() {
                    return Err(duparg2("to", value));
                }
                addr = Some(value);
            }
        }
    }
    let (Some(dev), Some(addr)) = (dev, addr) else {
        return Err(Stop::fail(-1, "Device and address are required arguments."));
    };
    let mac = read_mac(addr)?;
    if !env.has_device(dev) {
        return Err(nodev(dev));
    }
    let spec = FdbSpec {
        mac,
        dev: env.own_name(dev),
        to_self: to_self || !to_master,
        to_master,
        state: match (permanent || !reachable, noarp) {
            (true, _) => FdbState::Permanent,
            (false, true) => FdbState::Static,
            (false, false) => FdbState::Dynamic,
        },
        dst,
        port,
        vni,
        via,
        vlan,
        extern_learn,
    };
    Ok(match verb {
        Verb::Put(mode) => Request::FdbAdd(spec, mode),
        Verb::Delete => Request::FdbDel(spec),
    })
}

/// `bridge fdb flush …`. iproute2: `fdb_flush`.
///
/// # Errors
/// What iproute2 says about words it doesn't take.
pub fn parse_flush(words: &[&str], env: Env<'_>) -> Result<Request, Stop> {
    let (mut dev, mut port) = (None, None);
    let mut words = Words::new(words);
    while let Some(word) = words.next_word() {
        match word {
            "dev" => dev = Some(words.value()?),
            "brport" => {
                if port.is_some() {
                    return Err(duparg2("brport", word));
                }
                port = Some(words.value()?);
            }
            "master" | "self" => {}
            "permanent" | "nopermanent" | "static" | "nostatic" | "dynamic" | "nodynamic"
            | "added_by_user" | "noadded_by_user" | "extern_learn" | "noextern_learn" | "sticky"
            | "nosticky" | "offloaded" | "nooffloaded" | "vlan" => return Err(not_simulated("bridge", word)),
            _ => {}
        }
    }
    let Some(dev) = dev else { return Err(Stop::fail(-1, "Device is a required argument.")) };
    if !env.has_device(dev) {
        return Err(Stop::fail(-1, format!("Cannot find bridge device \"{dev}\"")));
    }
    if let Some(port) = port.filter(|port| !env.has_device(port)) {
        return Err(Stop::fail(-1, format!("Cannot find bridge port device \"{port}\"")));
    }
    Ok(Request::FdbFlush { dev: env.own_name(dev), port: port.map(|port| env.own_name(port)) })
}

/// The words after `show`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Filter {
    dev: Option<String>,
    bridge: Option<String>,
    vlan: bool,
    states: Vec<FdbState>,
    dynamic: bool,
}

/// iproute2: `state_a2n`.
fn read_state(word: &str) -> Option<Vec<FdbState>> {
    Some(match word {
        _ if matches(word, "permanent") => vec![FdbState::Permanent],
        _ if matches_any(word, &["static", "temp"]) => vec![FdbState::Static],
        // An entry that was not used lately; the bridge doesn't tell them apart here.
        _ if matches(word, "stale") => vec![],
        _ if matches_any(word, &["reachable", "dynamic"]) => vec![FdbState::Dynamic],
        "all" => vec![FdbState::Permanent, FdbState::Static, FdbState::Dynamic],
        _ => return None,
    })
}

impl Filter {
    fn parse(words: &[&str], env: Env<'_>) -> Result<Self, Stop> {
        let mut f = Self::default();
        let mut words = Words::new(words);
        while let Some(word) = words.next_word() {
            match word {
                "brport" | "dev" => f.dev = Some(words.value()?.to_owned()),
                "br" => f.bridge = Some(words.value()?.to_owned()),
                "vlan" => {
                    let value = words.value()?;
                    if f.vlan {
                        return Err(duparg("vlan", value));
                    }
                    f.vlan = atoi(value) != 0;
                }
                "state" => {
                    let value = words.value()?;
                    f.states.extend(read_state(value).ok_or_else(|| invarg("invalid state", value))?);
                }
                "dynamic" => f.dynamic = true,
                _ if matches(word, "help") => return Err(usage()),
                _ => {}
            }
        }
        if let Some(bridge) = f.bridge.as_ref().filter(|bridge| !env.has_device(bridge)) {
            return Err(Stop::fail(-1, format!("Cannot find bridge device \"{bridge}\"")));
        }
        if let Some(dev) = f.dev.as_ref().filter(|dev| !env.has_device(dev)) {
            return Err(nodev(dev));
        }
        f.dev = f.dev.map(|dev| env.own_name(&dev));
        f.bridge = f.bridge.map(|bridge| env.own_name(&bridge));
        Ok(f)
    }

    fn takes(&self, info: &FdbInfo, env: Env<'_>) -> bool {
        // The kernel walks the bridge and its ports, with their own tables.
        let of_bridge = |bridge: &String| {
            let is_bridge =
                env.link(bridge).is_some_and(|link| matches!(link.kind, Some(KindInfo::Bridge(_))));
            is_bridge
                && (info.dev == *bridge
                    || env.link(&info.dev).is_some_and(|link| link.master.as_ref() == Some(bridge)))
        };
        self.dev.as_ref().is_none_or(|dev| *dev == info.dev)
            && self.bridge.as_ref().is_none_or(of_bridge)
            && !self.vlan
            && (self.states.is_empty() || self.states.contains(&info.state))
            && !(self.dynamic && info.state == FdbState::Permanent)
    }
}

fn show(bridge: &mut Bridge<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let env = bridge.env();
    let filter = Filter::parse(words, env)?;
    let sys = &*bridge.console.sys;
    let mut p = bridge.printer();
    for info in sys.kernel().fdb(bridge.netns, sys.now()).iter().filter(|info| filter.takes(info, env)) {
        print_fdb(&mut p, info, filter.dev.is_none(), bridge.options.stats);
    }
    bridge.console.out(&p.finish());
    Ok(0)
}

/// `bridge fdb get …`. iproute2: `fdb_get`.
fn get(bridge: &mut Bridge<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let env = bridge.env();
    let (mut dev, mut br, mut addr, mut to_self, mut to_master) = (None, None, None, false, false);
    let mut words = Words::new(words);
    while let Some(word) = words.next_word() {
        match word {
            "brport" | "dev" => dev = Some(words.value()?),
            "br" => br = Some(words.value()?),
            "vni" => {
                read_vni(words.value()?)?;
            }
            "self" => to_self = true,
            _ if matches(word, "master") => to_master = true,
            _ if matches(word, "vlan") => return Err(not_simulated("bridge", word)),
            _ if matches(word, "dynamic") => {}
            _ => {
                let value = if word == "to" { words.value()? } else { word };
                if matches(value, "help") {
                    return Err(usage());
                }
                if addr.is_some() {
                    return Err(duparg2("to", value));
                }
                addr = Some(value);
            }
        }
    }
    let (Some(addr), true) = (addr, dev.is_some() || br.is_some()) else {
        return Err(Stop::fail(-1, "Device or master and address are required arguments."));
    };
    let mac = read_mac(addr)?;
    if let Some(dev) = dev.filter(|dev| !env.has_device(dev)) {
        return Err(nodev(dev));
    }
    if let Some(br) = br.filter(|br| !env.has_device(br)) {
        return Err(Stop::fail(-1, format!("Cannot find bridge device \"{br}\"")));
    }
    let sys = &*bridge.console.sys;
    // Asked by a bridge or with `master`, that bridge's table; else the device's own.
    let wanted_bridge = br.map(|br| env.own_name(br)).or_else(|| {
        dev.filter(|_| to_master).and_then(|dev| env.link(dev)).and_then(|link| link.master.clone())
    });
    let all = sys.kernel().fdb(bridge.netns, sys.now());
    let found = all.iter().find(|info| {
        info.mac == mac
            && match &wanted_bridge {
                Some(wanted) if !to_self => !info.from_self && info.master.as_ref() == Some(wanted),
                _ => info.from_self && dev.is_some_and(|dev| info.dev == dev),
            }
    });
    let Some(info) = found else { return Err(Stop::fail(-2, "Error: Fdb entry not found.")) };
    let mut p = bridge.printer();
    print_fdb(&mut p, info, true, bridge.options.stats);
    bridge.console.out(&p.finish());
    Ok(0)
}

/// One entry; a dynamic one ends with a blank. iproute2: `print_fdb`.
fn print_fdb(p: &mut Printer, info: &FdbInfo, with_dev: bool, stats: bool) {
    p.open_object("");
    p.any("mac", "{} ", info.mac.to_string());
    if with_dev {
        p.any("ifname", "dev {} ", info.dev.as_str());
    }
    if let Some(dst) = info.dst {
        p.any("dst", "dst {} ", dst.to_string());
    }
    if let Some(port) = info.port {
        p.any("port", "port {} ", port);
    }
    if let Some(vni) = info.vni {
        p.any("vni", "vni {} ", vni);
    }
    if let Some(via) = &info.via {
        p.any("viaIf", "via {} ", via.as_str());
    }
    if stats {
        p.js("used", info.ages.0);
        p.js("updated", info.ages.1);
        p.fp(&format!("used {}/{} ", info.ages.0, info.ages.1));
    }
    p.open_array("flags");
    if info.from_self {
        p.element("self", "self ");
    }
    if info.extern_learn {
        p.element("extern_learn", "extern_learn ");
    }
    p.close_array("");
    if let Some(master) = &info.master {
        p.any("master", "master {} ", master.as_str());
    }
    let state = match info.state {
        FdbState::Permanent => "permanent",
        FdbState::Static => "static",
        FdbState::Dynamic => "",
    };
    p.any("state", "{}\n", state);
    p.close_object();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_sscanf_does() {
        assert_eq!(read_mac("2:0:0:0:a:1").map(|mac| mac.to_string()), Ok("02:00:00:00:0a:01".to_owned()));
        assert_eq!(read_mac("02:00:00:00:0a:01x").map(|mac| mac.0[5]), Ok(1));
        for bad in ["02:00:00:00:0a", "foo", ""] {
            assert_eq!(read_mac(bad).expect_err(bad).text, format!("Invalid mac address {bad}\n"));
        }
    }
}
