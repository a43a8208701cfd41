//! `ip link add|set|replace|delete|property`: text to requests. iproute2: `ip/iplink.c`.

use kernel::request::{LinkAdd, LinkChange, LinkKind, NetnsRef, Request, VethPeer};
use packet::MacAddr;

use super::{link_type, options::Options};
use crate::console::{End, Stop};
use crate::iproute::args::{
    self, Words, duparg, duparg2, get_integer, invarg, matches, matches_any, nodev, not_simulated, on_off,
    parse_on_off,
};
use crate::iproute::env::Env;
use crate::iproute::names::read_group;

/// What a `link` command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `add`.
    Add,
    /// `replace`.
    Replace,
    /// `set`, `change`.
    Set,
    /// `delete`.
    Delete,
}

impl Verb {
    /// Whether a device is made. iproute2: `NLM_F_CREATE`.
    pub const fn creates(self) -> bool {
        matches!(self, Self::Add | Self::Replace)
    }
}

/// What the words before `type` say. iproute2: what `iplink_parse` puts into the request.
#[derive(Clone, Debug, Default)]
struct Parsed<'a> {
    name: Option<&'a str>,
    dev: Option<&'a str>,
    link: Option<&'a str>,
    kind: Option<&'a str>,
    address: Option<Vec<u8>>,
    mtu: Option<u32>,
    txqueuelen: Option<u32>,
    netns: Option<NetnsRef>,
    index: Option<u32>,
    group: Option<u32>,
    changes: Vec<LinkChange>,
}

/// The namespace a word names: /run/netns first, then a process. iproute2: `netns_get_fd`.
fn read_netns(word: &str, env: Env<'_>) -> Result<NetnsRef, Stop> {
    if let Some(pid) = word.strip_prefix("/proc/").and_then(|w| w.strip_suffix("/ns/net"))
        && let Ok(pid) = pid.parse()
    {
        return Ok(NetnsRef::Pid(pid));
    }
    let name =
        ["/run/netns/", "/var/run/netns/"].iter().find_map(|dir| word.strip_prefix(dir)).unwrap_or(word);
    let is_pid = get_integer(word).is_some();
    if env.has_netns(name) && !(env.all_exist() && is_pid) {
        return Ok(NetnsRef::Name(name.to_owned()));
    }
    match get_integer(word) {
        Some(pid) => Ok(NetnsRef::Pid(u32::try_from(pid).unwrap_or(u32::MAX))),
        None => Err(invarg("Invalid \"netns\" value\n", word)),
    }
}

fn mac_of(bytes: &[u8]) -> Result<MacAddr, Stop> {
    // The kernel's word for an address that is too short or too long on a new device.
    args::as_mac(bytes).ok_or_else(|| Stop::fail(-2, "RTNETLINK answers: Invalid argument"))
}

/// iproute2: `iplink_parse`.
fn iplink_parse<'a>(words: &mut Words<'a>, verb: Verb, env: Env<'_>) -> Result<Parsed<'a>, Stop> {
    let mut p = Parsed::default();
    while let Some(word) = words.next_word() {
        match word {
            // One bit of the request's flags: the last word counts.
            "up" | "down" => {
                p.changes.retain(|change| !matches!(change, LinkChange::Up(_)));
                p.changes.push(LinkChange::Up(word == "up"));
            }
            "name" => {
                let value = words.value()?;
                if p.name.is_some() {
                    return Err(duparg("name", value));
                }
                if !args::is_ifname(value) {
                    return Err(invarg("\"name\" not a valid ifname", value));
                }
                p.name = Some(value);
                if p.dev.is_none() {
                    p.dev = p.name;
                }
            }
            "index" => {
                let value = words.value()?;
                if p.index.is_some() {
                    return Err(duparg("index", value));
                }
                let index = u32::try_from(args::atoi(value)).ok().filter(|&i| i > 0);
                p.index = Some(index.ok_or_else(|| invarg("Invalid \"index\" value", value))?);
            }
            _ if matches(word, "link") => p.link = Some(words.value()?),
            _ if matches(word, "address") => p.address = Some(args::ll_addr(words.value()?)?),
            _ if matches(word, "broadcast") || word == "brd" => {
                let bytes = args::ll_addr(words.value()?)?;
                p.changes.push(LinkChange::Broadcast(mac_of(&bytes)?));
            }
            _ if matches_any(word, &["txqueuelen", "txqlen"]) || word == "qlen" => {
                let value = words.value()?;
                if p.txqueuelen.is_some() {
                    return Err(duparg("txqueuelen", value));
                }
                let qlen =
                    get_integer(value).ok_or_else(|| invarg("Invalid \"txqueuelen\" value\n", value))?;
                p.txqueuelen = Some(qlen.cast_unsigned());
            }
            "mtu" => {
                let value = words.value()?;
                if p.mtu.is_some() {
                    return Err(duparg("mtu", value));
                }
                let mtu = get_integer(value).ok_or_else(|| invarg("Invalid \"mtu\" value\n", value))?;
                p.mtu = Some(mtu.cast_unsigned());
            }
            "xdpgeneric" | "xdpdrv" | "xdpoffload" | "xdp" => return Err(not_simulated("ip", word)),
            "netns" => {
                let value = words.value()?;
                if p.netns.is_some() {
                    return Err(duparg("netns", value));
                }
                p.netns = Some(read_netns(value, env)?);
            }
            "multicast" => p.changes.push(LinkChange::Multicast(on_off(word, words.value()?)?)),
            "allmulticast" => p.changes.push(LinkChange::Allmulticast(on_off(word, words.value()?)?)),
            "promisc" => p.changes.push(LinkChange::Promisc(on_off(word, words.value()?)?)),
            "trailers" => return Err(not_simulated("ip", word)),
            "arp" => p.changes.push(LinkChange::Arp(on_off(word, words.value()?)?)),
            "carrier" => p.changes.push(LinkChange::Carrier(parse_on_off(word, words.value()?)?)),
            "vf" => return Err(not_simulated("ip", word)),
            _ if matches(word, "master") => {
                let value = words.value()?;
                if !env.has_device(value) {
                    return Err(invarg("Device does not exist\n", value));
                }
                p.changes.push(LinkChange::Master(Some(env.own_name(value))));
            }
            "vrf" => return Err(not_simulated("ip", word)),
            _ if matches(word, "nomaster") => p.changes.push(LinkChange::Master(None)),
            _ if matches(word, "dynamic") => {
                p.changes.push(LinkChange::Dynamic(on_off("dynamic", words.value()?)?))
            }
            _ if matches(word, "type") => {
                p.kind = Some(words.value()?);
                break;
            }
            _ if matches(word, "alias") => {
                let value = words.value()?;
                if value.len() >= 256 {
                    return Err(invarg("alias too long\n", value));
                }
                p.changes.push(LinkChange::Alias(value.to_owned()));
            }
            "group" => {
                let value = words.value()?;
                if p.group.is_some() {
                    return Err(duparg("group", value));
                }
                p.group = Some(read_group(value).ok_or_else(|| invarg("Invalid \"group\" value\n", value))?);
            }
            "mode" | "state" | "protodown" | "protodown_reason" | "gso_max_size" | "gso_max_segs"
            | "gro_max_size" | "parentdev" => return Err(not_simulated("ip", word)),
            _ if matches_any(word, &["numtxqueues", "numrxqueues", "link-netns", "link-netnsid"]) => {
                return Err(not_simulated("ip", word));
            }
            _ if matches(word, "addrgenmode") => {
                // Simplified: it is about IPv6 addresses, which are not simulated; taken and ignored.
                let value = words.value()?;
                if !["eui64", "none", "stable_secret", "random"].contains(&value) {
                    return Err(invarg("Invalid address generation mode\n", value));
                }
            }
            _ => {
                if matches(word, "help") {
                    return Err(usage());
                }
                let value = if word == "dev" { words.value()? } else { word };
                if p.dev != p.name {
                    return Err(duparg2("dev", value));
                }
                if !args::is_altname(value) {
                    return Err(invarg("\"dev\" not a valid ifname", value));
                }
                p.dev = Some(value);
            }
        }
    }
    finish_parse(p, words, verb, env)
}

/// The checks after the words. iproute2: the end of `iplink_parse`.
fn finish_parse<'a>(
    mut p: Parsed<'a>,
    words: &Words<'a>,
    verb: Verb,
    env: Env<'_>,
) -> Result<Parsed<'a>, Stop> {
    if p.name.is_none() {
        p.name = p.dev;
    } else if p.dev.is_none() {
        p.dev = p.name;
    }
    if let (Some(dev), Some(address), false) = (p.dev, &p.address, verb.creates()) {
        let expected = env.link(dev).as_ref().map(address_len);
        if let Some(expected) = expected.filter(|&n| n != address.len()) {
            return Err(Stop::fail(
                -1,
                format!("Invalid address length {} - must be {expected} bytes", address.len()),
            ));
        }
    }
    if p.index.is_some() && !verb.creates() && p.netns.is_none() {
        return Err(Stop::exit(
            255,
            "index can be used only when creating devices or when moving device to another netns.",
        ));
    }
    if p.group.is_some() && p.dev.is_none() {
        if let Some(word) = words.peek() {
            return Err(garbage(word, End::Exit(255)));
        }
        if verb.creates() {
            return Err(Stop::exit(255, "group cannot be used when creating devices."));
        }
        p.kind = None;
        return Ok(p);
    }
    if verb.creates() {
        if p.name != p.dev {
            return Err(Stop::exit(255, "both \"name\" and \"dev\" cannot be used when creating devices."));
        }
        if let Some(link) = p.link.filter(|link| !env.has_device(link)) {
            return Err(nodev(link));
        }
    } else {
        let Some(dev) = p.dev else {
            return Err(Stop::exit(255, "Not enough information: \"dev\" argument is required."));
        };
        if !env.has_device(dev) {
            return Err(nodev(dev));
        }
        if p.index.is_some() {
            return Err(not_simulated("ip", "index"));
        }
        if p.name == p.dev {
            p.name = None;
        }
    }
    Ok(p)
}

fn address_len(link: &kernel::dump::LinkInfo) -> usize {
    if link.address.is_some() {
        6
    } else if link.tunnel.is_some() {
        4
    } else {
        0
    }
}

fn garbage(word: &str, end: End) -> Stop {
    Stop { text: format!("Garbage instead of arguments \"{word} ...\". Try \"ip link help\".\n"), end }
}

/// Simplified: the first lines of the real text.
pub fn usage() -> Stop {
    Stop::text(
        255,
        "Usage: ip link add [link DEV | parentdev NAME] [ name ] NAME\n\
         \t\t    [ txqueuelen PACKETS ]\n\t\t    [ address LLADDR ]\n\t\t    [ broadcast LLADDR ]\n\
         \t\t    [ mtu MTU ] [index IDX ]\n",
    )
}

/// `ip link add|set|replace|delete …`. iproute2: `iplink_modify`.
///
/// # Errors
/// What iproute2 says about words it doesn't take.
pub fn parse(words: &[&str], verb: Verb, options: &Options, env: Env<'_>) -> Result<Parse, Stop> {
    let mut words = Words::new(words);
    let parsed = iplink_parse(&mut words, verb, env)?;
    let mut warning = String::new();
    let request = match parsed.kind {
        Some(kind) => {
            let own = link_type::parse(kind, &mut words, verb, parsed.dev, options, env)?;
            warning = own.warning;
            build(parsed, own.kind, own.peer, own.changes, verb, env)?
        }
        None if verb.creates() => {
            return Err(Stop::fail(-1, "Not enough information: \"type\" argument is required"));
        }
        None => build(parsed, None, None, Vec::new(), verb, env)?,
    };
    Ok(Parse { requests: request, warning })
}

/// Requests and what the command says on standard error although it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parse {
    /// In order.
    pub requests: Vec<Request>,
    /// Text with newlines.
    pub warning: String,
}

fn build(
    p: Parsed<'_>,
    kind: Option<LinkKind>,
    peer: Option<VethPeer>,
    more: Vec<LinkChange>,
    verb: Verb,
    env: Env<'_>,
) -> Result<Vec<Request>, Stop> {
    if verb == Verb::Delete {
        return Ok(targets(&p, env).into_iter().map(|dev| Request::LinkDel { dev }).collect());
    }
    let address = p.address.as_deref().map(mac_of).transpose()?;
    let mut changes = p.changes.clone();
    if let Some(group) = p.group.filter(|_| p.dev.is_some()) {
        changes.push(LinkChange::Group(group));
    }
    if verb.creates() {
        let kind = match (kind, p.kind) {
            (Some(LinkKind::Vlan { proto, id, .. }), _) => {
                LinkKind::Vlan { link: p.link.unwrap_or_default().to_owned(), proto, id }
            }
            (Some(LinkKind::Veth { .. }), _) => LinkKind::Veth { peer: Box::new(peer.unwrap_or_default()) },
            (Some(kind), _) => kind,
            (None, name) => LinkKind::Unknown(name.unwrap_or_default().to_owned()),
        };
        changes.extend(more);
        return Ok(vec![Request::LinkAdd(LinkAdd {
            name: p.name.map(str::to_owned),
            netns: p.netns,
            address,
            mtu: p.mtu,
            txqueuelen: p.txqueuelen,
            index: p.index,
            changes,
            kind,
        })]);
    }
    let mut all = Vec::new();
    all.extend(p.netns.clone().map(LinkChange::Netns));
    all.extend(p.name.map(|name| LinkChange::Name(name.to_owned())));
    all.extend(address.map(LinkChange::Address));
    all.extend(p.mtu.map(LinkChange::Mtu));
    all.extend(p.txqueuelen.map(LinkChange::TxQueueLen));
    all.extend(changes);
    all.extend(more);
    Ok(targets(&p, env).into_iter().map(|dev| Request::LinkSet { dev, changes: all.clone() }).collect())
}

/// The devices a `set` or `delete` acts on: one, or a whole group.
fn targets(p: &Parsed<'_>, env: Env<'_>) -> Vec<String> {
    match (p.dev, p.group) {
        (None, Some(group)) => {
            env.links().into_iter().filter(|link| link.group == group).map(|link| link.name).collect()
        }
        (dev, _) => vec![env.own_name(dev.unwrap_or_default())],
    }
}

/// The `peer` words of a veth pair. iproute2: `veth_parse_opt`.
pub fn parse_peer(words: &mut Words<'_>, env: Env<'_>) -> Result<VethPeer, Stop> {
    let p = iplink_parse(words, Verb::Add, env)?;
    if p.kind.is_some() {
        return Err(duparg("type", words.peek().unwrap_or_default()));
    }
    let mut changes = p.changes;
    changes.extend(p.group.map(LinkChange::Group));
    Ok(VethPeer {
        name: p.name.map(str::to_owned),
        netns: p.netns,
        address: p.address.as_deref().map(mac_of).transpose()?,
        mtu: p.mtu,
        index: p.index,
        txqueuelen: p.txqueuelen,
        changes,
    })
}

/// `ip link property add|del …`. iproute2: `iplink_prop`.
///
/// # Errors
/// What iproute2 says about words it doesn't take.
pub fn parse_property(words: &[&str], env: Env<'_>) -> Result<Vec<Request>, Stop> {
    let mut words = Words::new(words);
    let add = match words.next_word() {
        Some(word) if matches(word, "add") => true,
        Some(word) if matches(word, "del") => false,
        None => return Err(usage()),
        Some(word) if matches(word, "help") => return Err(usage()),
        Some(_) => return Err(Stop::exit(255, "Operator required")),
    };
    let mut dev = None;
    let mut changes = Vec::new();
    while let Some(word) = words.next_word() {
        if matches(word, "altname") {
            let value = words.value()?;
            if !args::is_altname(value) {
                return Err(invarg("not a valid altname", value));
            }
            let name = value.to_owned();
            changes.push(if add { LinkChange::AltnameAdd(name) } else { LinkChange::AltnameDel(name) });
        } else if matches(word, "help") {
            return Err(usage());
        } else {
            let value = if word == "dev" { words.value()? } else { word };
            if dev.is_some() {
                return Err(duparg2("dev", value));
            }
            if !args::is_altname(value) {
                return Err(invarg("\"dev\" not a valid ifname", value));
            }
            dev = Some(value);
        }
    }
    let Some(dev) = dev else {
        return Err(Stop::exit(255, "Not enough of information: \"dev\" argument is required."));
    };
    if !env.has_device(dev) {
        return Err(nodev(dev));
    }
    Ok(vec![Request::LinkSet { dev: env.own_name(dev), changes }])
}
