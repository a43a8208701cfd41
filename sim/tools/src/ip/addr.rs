//! `ip addr`: text to requests. iproute2: `ipaddr_modify` in `ip/ipaddress.c`.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use kernel::Scope;
use kernel::dump::AddrInfo;
use kernel::request::{AddrSpec, Lifetimes, Mode, Request};

use super::options::Options;
use crate::console::Stop;
use crate::iproute::args::{
    Family, Prefix, Words, duparg, duparg2, get_addr, get_prefix, get_u32, invarg, matches, matches_any,
    nodev, not_simulated,
};
use crate::iproute::env::Env;
use crate::iproute::names::read_scope;

/// What an `addr` command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `add`, `change`, `replace`.
    Put(Mode),
    /// `delete`.
    Delete,
}

/// Simplified: the first lines of the real text.
pub fn usage() -> Stop {
    Stop::text(
        255,
        "Usage: ip address {add|change|replace} IFADDR dev IFNAME [ LIFETIME ]\n\
         \x20                                                     [ CONFFLAG-LIST ]\n\
         \x20      ip address del IFADDR dev IFNAME [mngtmpaddr]\n",
    )
}

/// What `broadcast` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broadcast {
    Given(IpAddr),
    Ones,
    Zeros,
}

/// A request with what is said on standard error before it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parse {
    /// The request.
    pub request: Request,
    /// Text with newlines.
    pub warning: String,
}

#[derive(Clone, Debug, Default)]
struct Parsed<'a> {
    dev: Option<&'a str>,
    label: Option<&'a str>,
    local: Option<(&'a str, Prefix)>,
    peer: Option<Prefix>,
    broadcast: Option<Broadcast>,
    scope: Option<Scope>,
    metric: u32,
    noprefixroute: bool,
    valid_lft: Option<u32>,
    preferred_lft: Option<u32>,
    family: Family,
    warning: String,
}

/// `ip addr add|change|replace|delete …`. `addrs` are the namespace's addresses: deletion without
/// a prefix length looks there.
///
/// # Errors
/// What iproute2 says about words it doesn't take.
pub fn parse(
    words: &[&str],
    verb: Verb,
    options: &Options,
    env: Env<'_>,
    addrs: &[AddrInfo],
) -> Result<Parse, Stop> {
    let p = parse_words(words, options.family)?;
    let Some(dev) = p.dev else {
        return Err(Stop::fail(-1, "Not enough information: \"dev\" argument is required."));
    };
    let mut warning = p.warning.clone();
    let mut wildcard = false;
    if let (Verb::Delete, Some((word, local)), None) = (verb, &p.local, &p.peer)
        && local.family == Family::Inet
        && !local.len_given
    {
        wildcard = true;
        warning.push_str(&format!(
            "Warning: Executing wildcard deletion to stay compatible with old scripts.\n         \
                 Explicitly specify the prefix length ({word}/32) to avoid this warning.\n         \
                 This special behaviour is likely to disappear in further releases,\n         \
                 fix your scripts!\n"
        ));
    }
    let warned = |stop: Stop| Stop { text: format!("{warning}{}", stop.text), ..stop };
    if matches!(p.broadcast, Some(Broadcast::Ones | Broadcast::Zeros))
        && p.family != Family::Inet
        && verb != Verb::Delete
    {
        return Err(warned(Stop::fail(-1, "Broadcast can be set only for IPv4 addresses")));
    }
    if !env.has_device(dev) {
        return Err(warned(nodev(dev)));
    }
    let lifetime = (p.valid_lft.is_some() || p.preferred_lft.is_some()).then_some(Lifetimes {
        valid: p.valid_lft.unwrap_or(Lifetimes::FOREVER),
        preferred: p.preferred_lft.unwrap_or(Lifetimes::FOREVER),
    });
    if lifetime.is_some_and(|lifetime| lifetime.valid == 0) {
        return Err(warned(Stop::fail(-1, "valid_lft is zero")));
    }
    if lifetime.is_some_and(|lifetime| lifetime.valid < lifetime.preferred) {
        return Err(warned(Stop::fail(-1, "preferred_lft is greater than valid_lft")));
    }
    let Some((_, local)) = p.local else {
        // Without a family nobody in the kernel answers; with one the local address is missing.
        let errno = if p.family == Family::Unspec { "Operation not supported" } else { "Invalid argument" };
        return Err(warned(Stop::fail(-2, format!("RTNETLINK answers: {errno}"))));
    };
    if local.family == Family::Unspec {
        return Err(warned(Stop::fail(-2, "RTNETLINK answers: Operation not supported")));
    }
    if local.family == Family::Inet6 {
        return Err(warned(not_simulated("ip", "-6 addr")));
    }
    let dev = env.own_name(dev);
    let len = p.peer.map(|peer| peer.len).filter(|&len| len != 0).unwrap_or(local.len);
    let mut own = IpNet::new(local.address(), len).unwrap_or_else(|_| local.net());
    if wildcard {
        // The kernel compares only the address then: the first that fits goes.
        let index = env.link(&dev).map(|link| link.ifindex);
        let found = addrs.iter().find(|a| Some(a.ifindex) == index && a.addr.local.addr() == own.addr());
        own = found.map_or(own, |a| a.addr.local);
    }
    let mut peer = p.peer.map(|peer| IpNet::new(peer.address(), len).unwrap_or_else(|_| peer.net()));
    if wildcard {
        peer = None;
    }
    let broadcast = match p.broadcast {
        Some(Broadcast::Given(addr)) => Some(addr),
        Some(kind) if verb != Verb::Delete => computed_broadcast(peer.unwrap_or(own), kind),
        _ => None,
    };
    let scope = match p.scope {
        None if verb != Verb::Delete => default_scope(local.address()),
        scope => scope,
    };
    let spec = AddrSpec {
        dev,
        local: own,
        peer,
        broadcast,
        scope,
        label: p.label.map(str::to_owned),
        noprefixroute: p.noprefixroute,
        metric: p.metric,
        lifetime: lifetime.filter(|_| verb != Verb::Delete),
    };
    let request = match verb {
        Verb::Put(mode) => Request::AddrAdd(spec, mode),
        Verb::Delete => Request::AddrDel(spec),
    };
    Ok(Parse { request, warning })
}

fn default_scope(addr: IpAddr) -> Option<Scope> {
    matches!(addr, IpAddr::V4(v4) if v4.octets()[0] == 127).then_some(Scope::HOST)
}

/// `brd +` and `brd -`; none for /31 and /32.
fn computed_broadcast(net: IpNet, kind: Broadcast) -> Option<IpAddr> {
    let IpNet::V4(net) = net else { return None };
    if net.prefix_len() > 30 {
        return None;
    }
    let addr: Ipv4Addr = if kind == Broadcast::Ones { net.broadcast() } else { net.network() };
    Some(IpAddr::V4(addr))
}

/// iproute2: `set_lifetime`.
fn read_lifetime(words: &mut Words<'_>, key: &str, word: &str, lft: &mut Option<u32>) -> Result<(), Stop> {
    if lft.is_some() {
        return Err(duparg(key, word));
    }
    let value = words.value()?;
    *lft = Some(match value {
        "forever" => Lifetimes::FOREVER,
        _ => get_u32(value).ok_or_else(|| invarg(&format!("{key} value"), value))?,
    });
    Ok(())
}

fn parse_words<'a>(words: &'a [&'a str], family: Family) -> Result<Parsed<'a>, Stop> {
    let mut p = Parsed { family, ..Parsed::default() };
    let mut words = Words::new(words);
    let adopt = |family: &mut Family, prefix: &Prefix| {
        if *family == Family::Unspec {
            *family = prefix.family;
        }
    };
    while let Some(word) = words.next_word() {
        match word {
            "peer" | "remote" => {
                let value = words.value()?;
                if p.peer.is_some() {
                    return Err(duparg("peer", value));
                }
                let peer = get_prefix(value, p.family)?;
                adopt(&mut p.family, &peer);
                p.peer = Some(peer);
            }
            _ if word == "brd" || matches(word, "broadcast") => {
                let value = words.value()?;
                if p.broadcast.is_some() {
                    return Err(duparg("broadcast", value));
                }
                p.broadcast = Some(match value {
                    "+" => Broadcast::Ones,
                    "-" => Broadcast::Zeros,
                    _ => {
                        let addr = get_addr(value, p.family)?;
                        adopt(&mut p.family, &addr);
                        Broadcast::Given(addr.address())
                    }
                });
            }
            "anycast" => return Err(not_simulated("ip", word)),
            "scope" => {
                let value = words.value()?;
                p.scope = Some(read_scope(value).ok_or_else(|| invarg("invalid scope value.", value))?);
            }
            "dev" => p.dev = Some(words.value()?),
            "label" => p.label = Some(words.value()?),
            _ if matches_any(word, &["metric", "priority", "preference"]) => {
                let value = words.value()?;
                p.metric = get_u32(value).ok_or_else(|| invarg("\"metric\" value is invalid\n", value))?;
            }
            _ if matches(word, "valid_lft") => {
                read_lifetime(&mut words, "valid_lft", word, &mut p.valid_lft)?
            }
            _ if matches(word, "preferred_lft") => {
                read_lifetime(&mut words, "preferred_lft", word, &mut p.preferred_lft)?;
            }
            "noprefixroute" => p.noprefixroute = true,
            "secondary" | "temporary" | "dadfailed" | "deprecated" | "tentative" | "permanent"
            | "stable-privacy" => {
                p.warning.push_str(&format!("Warning: {word} option is not mutable from userspace\n"));
            }
            "nodad" | "optimistic" | "home" | "mngtmpaddr" => {
                p.warning.push_str(&format!("Warning: {word} option can be set only for IPv6 addresses\n"));
            }
            "autojoin" => return Err(not_simulated("ip", word)),
            _ => {
                let value = if word == "local" { words.value()? } else { word };
                if matches(value, "help") {
                    return Err(usage());
                }
                if p.local.is_some() {
                    return Err(duparg2("local", value));
                }
                let local = get_prefix(value, p.family)?;
                adopt(&mut p.family, &local);
                p.local = Some((value, local));
            }
        }
    }
    Ok(p)
}
