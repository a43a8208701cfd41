//! `ip maddress`. iproute2: `ip/ipmaddr.c`.

use kernel::Errno;
use kernel::request::{FdbSpec, FdbState, Mode, Request};
use packet::MacAddr;

use super::Ip;
use crate::console::Stop;
use crate::iproute::args::{Family, Words, as_mac, duparg2, ll_addr, matches, matches_any};
use crate::iproute::names::is_list;

fn usage() -> Stop {
    Stop::text(
        255,
        "Usage: ip maddr [ add | del ] MULTIADDR dev STRING\n       ip maddr show [ dev STRING ]\n",
    )
}

/// Runs one `ip maddress` command.
pub fn run(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let Some((&verb, rest)) = words.split_first() else { return show(ip, &[]) };
    match verb {
        _ if matches(verb, "add") => modify(ip, rest, true),
        _ if matches(verb, "delete") => modify(ip, rest, false),
        _ if is_list(verb) => show(ip, rest),
        _ if matches(verb, "help") => Err(usage()),
        _ => Err(Stop::exit(255, format!("Command \"{verb}\" is unknown, try \"ip maddr help\"."))),
    }
}

/// iproute2: `multiaddr_list`, `print_mlist`.
fn show(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let mut dev = None;
    let mut words = Words::new(words);
    while let Some(word) = words.next_word() {
        if matches(word, "help") && word != "dev" {
            return Err(usage());
        }
        let value = if word == "dev" { words.value()? } else { word };
        if dev.is_some() {
            return Err(duparg2("dev", value));
        }
        dev = Some(value);
    }
    let family = ip.options.family;
    let mut p = ip.options.printer();
    for info in ip.console.sys.kernel().maddrs(ip.netns) {
        if dev.is_some_and(|dev| dev != info.dev) {
            continue;
        }
        let with = |wanted: Family| family == Family::Unspec || family == wanted;
        p.open_object("");
        p.js("ifindex", info.ifindex.0);
        p.js("ifname", info.dev.as_str());
        // On one line, each group has the device before it.
        let head = format!("{}:\t{}", info.ifindex, info.dev);
        let line = if ip.options.oneline { format!("{head}\\") } else { String::new() };
        if !ip.options.oneline {
            p.fp(&format!("{head}\n"));
        }
        p.open_array("maddr");
        for (mac, set) in info.link.iter().filter(|_| with(Family::Packet)) {
            p.open_object("");
            p.fp(&line);
            p.any("link", "\tlink  {}", mac.to_string());
            if *set {
                p.any("static", "{}", " static");
            }
            p.close_object();
            p.fp("\n");
        }
        let inet = info.inet.iter().filter(|_| with(Family::Inet)).map(|addr| ("inet", addr.to_string()));
        let inet6 = info.inet6.iter().filter(|_| with(Family::Inet6)).map(|addr| ("inet6", addr.to_string()));
        for (name, addr) in inet.chain(inet6) {
            p.open_object("");
            p.js("family", name);
            p.fp(&format!("{line}\t{name:<5}"));
            p.any("address", " {}", addr);
            p.close_object();
            p.fp("\n");
        }
        p.close_array("");
        p.close_object();
    }
    ip.console.out(&p.finish());
    Ok(0)
}

/// The ioctls `SIOCADDMULTI` and `SIOCDELMULTI`. iproute2: `multiaddr_modify`.
fn modify(ip: &mut Ip<'_, '_>, words: &[&str], add: bool) -> Result<i32, Stop> {
    let (mut dev, mut addr) = (None, None);
    let mut words = Words::new(words);
    while let Some(word) = words.next_word() {
        if word == "dev" {
            let value = words.value()?;
            if dev.is_some() {
                return Err(duparg2("dev", value));
            }
            dev = Some(value);
            continue;
        }
        let value = if matches(word, "address") { words.value()? } else { word };
        if matches_any(value, &["help"]) {
            return Err(usage());
        }
        if addr.is_some() {
            return Err(duparg2("address", value));
        }
        addr = Some(read_addr(value)?);
    }
    let Some(dev) = dev else {
        return Err(Stop::exit(255, "Not enough information: \"dev\" is required."));
    };
    let mac = addr.unwrap_or(MacAddr::ZERO);
    let failed = |errno: Errno| Stop::exit(1, format!("ioctl: {errno}"));
    if ip.env().link(dev).is_none() {
        return Err(failed(Errno::NoDev));
    }
    if !mac.is_multicast() {
        return Err(failed(Errno::Inval));
    }
    let spec = FdbSpec {
        mac,
        dev: dev.to_owned(),
        to_self: true,
        to_master: false,
        state: FdbState::Permanent,
        dst: None,
        port: None,
        vni: None,
        via: None,
        vlan: None,
        extern_learn: false,
    };
    let request = if add { Request::FdbAdd(spec, Mode::Add) } else { Request::FdbDel(spec) };
    match ip.console.sys.request(ip.netns, request) {
        Ok(_) => Ok(0),
        // One that is there already only counts another user.
        Err(refusal) if add && refusal.errno == Errno::Exist => Ok(0),
        Err(refusal) => Err(failed(refusal.errno)),
    }
}

/// A link-layer address.
fn read_addr(word: &str) -> Result<MacAddr, Stop> {
    let bytes = ll_addr(word).map_err(|stop| Stop { end: crate::console::End::Exit(1), ..stop })?;
    as_mac(&bytes).ok_or_else(|| {
        Stop::exit(1, format!("Error: Invalid address length {} - must be 6 bytes", bytes.len()))
    })
}
