//! `ip neigh`. iproute2: `ip/ipneigh.c`.

use std::net::IpAddr;

use kernel::Nud;
use kernel::dump::NeighInfo;
use kernel::request::{Mode, NeighSpec, Request};

use super::options::Options;
use crate::console::Stop;
use crate::iproute::args::{
    self, Family, Prefix, Words, duparg, duparg2, get_addr, get_prefix, invarg, matches, nodev, not_simulated,
};
use crate::iproute::env::Env;
use crate::iproute::names::{nud_name, read_nud};
use crate::iproute::printer::Printer;

/// What a `neigh` command does.
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
        "Usage: ip neigh { add | del | change | replace }\n                \
         { ADDR [ lladdr LLADDR ] [ nud STATE ] proxy ADDR }\n",
    )
}

/// `ip neigh add|change|replace|delete …`. iproute2: `ipneigh_modify`.
///
/// # Errors
/// What iproute2 says about words it doesn't take, and what the kernel says about a link-layer
/// address of a wrong length.
pub fn parse(words: &[&str], verb: Verb, options: &Options, env: Env<'_>) -> Result<Request, Stop> {
    let (mut dst, mut dev, mut lladdr): (Option<Prefix>, Option<&str>, Option<&str>) = (None, None, None);
    let mut nud = None;
    let (mut proxy, mut router, mut extern_learn) = (false, false, false);
    let mut words = Words::new(words);
    while let Some(word) = words.next_word() {
        match word {
            _ if matches(word, "lladdr") => {
                let value = words.value()?;
                if lladdr.is_some() {
                    return Err(duparg("lladdr", value));
                }
                lladdr = Some(value);
            }
            "nud" => {
                let value = words.value()?;
                nud = Some(read_nud(value).ok_or_else(|| invarg("nud state is bad", value))?);
            }
            _ if matches(word, "proxy") => {
                let value = words.value()?;
                if matches(value, "help") {
                    return Err(usage());
                }
                if dst.is_some() {
                    return Err(duparg("address", value));
                }
                dst = Some(get_addr(value, options.family)?);
                proxy = true;
            }
            "router" => router = true,
            "use" | "managed" => return Err(not_simulated("ip", word)),
            _ if matches(word, "extern_learn") => extern_learn = true,
            "dev" => dev = Some(words.value()?),
            _ if matches(word, "protocol") => return Err(not_simulated("ip", word)),
            _ => {
                let value = if word == "to" { words.value()? } else { word };
                if matches(value, "help") {
                    words.value()?;
                }
                if dst.is_some() {
                    return Err(duparg2("to", value));
                }
                dst = Some(get_addr(value, options.family)?);
            }
        }
    }
    let known = dst.filter(|dst| dst.family != Family::Unspec).filter(|_| dev.is_some() || proxy);
    let Some(dst) = known else {
        return Err(Stop::exit(255, "Device and destination are required arguments."));
    };
    let lladdr = match lladdr.filter(|text| *text != "null") {
        Some(text) => Some(args::ll_addr(text)?),
        None => None,
    };
    if let Some(dev) = dev.filter(|dev| !env.has_device(dev)) {
        return Err(nodev(dev));
    }
    if dst.family == Family::Inet6 {
        return Err(not_simulated("ip", "-6 neigh"));
    }
    let lladdr = match lladdr {
        Some(bytes) => {
            Some(args::as_mac(&bytes).ok_or_else(|| Stop::exit(2, "Error: Invalid link address."))?)
        }
        None => None,
    };
    let spec = NeighSpec {
        addr: dst.address(),
        dev: dev.map(|dev| env.own_name(dev)),
        lladdr,
        nud,
        proxy,
        router,
        extern_learn,
    };
    Ok(match verb {
        Verb::Put(mode) => Request::NeighAdd(spec, mode),
        Verb::Delete => Request::NeighDel(spec),
    })
}

/// Which neighbours a listing or flush is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeighFilter {
    /// `dev`.
    pub dev: Option<String>,
    /// `to`.
    pub to: Option<Prefix>,
    /// States that pass.
    pub states: Vec<Nud>,
    /// `proxy`: those entries instead.
    pub proxy: bool,
    /// `master`: the device's bridge; `Some(None)` is `nomaster`.
    pub master: Option<Option<String>>,
    /// Address family.
    pub family: Family,
}

const ALL: [Nud; 9] = [
    Nud::None,
    Nud::Incomplete,
    Nud::Reachable,
    Nud::Stale,
    Nud::Delay,
    Nud::Probe,
    Nud::Failed,
    Nud::Noarp,
    Nud::Permanent,
];

/// Listing or deleting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `show`.
    Show,
    /// `flush`.
    Flush,
}

impl NeighFilter {
    /// Reads the words. iproute2: `do_show_or_flush`.
    ///
    /// # Errors
    /// What iproute2 says about words it doesn't take.
    pub fn parse(words: &[&str], purpose: Purpose, options: &Options, env: Env<'_>) -> Result<Self, Stop> {
        if purpose == Purpose::Flush && words.is_empty() {
            return Err(Stop::fail(-1, "Flush requires arguments."));
        }
        let without: &[Nud] = match purpose {
            Purpose::Flush => &[Nud::None, Nud::Permanent, Nud::Noarp],
            Purpose::Show => &[Nud::None, Nud::Noarp],
        };
        let mut f = Self {
            dev: None,
            to: None,
            states: ALL.into_iter().filter(|state| !without.contains(state)).collect(),
            proxy: false,
            master: None,
            family: options.family,
        };
        let mut state_given = false;
        let mut words = Words::new(words);
        while let Some(word) = words.next_word() {
            match word {
                "dev" => {
                    let value = words.value()?;
                    if f.dev.is_some() {
                        return Err(duparg("dev", value));
                    }
                    f.dev = Some(value.to_owned());
                }
                "master" => {
                    let value = words.value()?;
                    if !env.has_device(value) {
                        return Err(invarg("Device does not exist\n", value));
                    }
                    f.master = Some(Some(env.own_name(value)));
                }
                "nomaster" => f.master = Some(None),
                "vrf" | "unused" => return Err(not_simulated("ip", word)),
                "nud" => {
                    let value = words.value()?;
                    if !state_given {
                        f.states.clear();
                        state_given = true;
                    }
                    match read_nud(value) {
                        Some(state) => f.states.push(state),
                        None if value == "all" => {
                            let all =
                                ALL.into_iter().filter(|&s| purpose == Purpose::Show || s != Nud::Noarp);
                            f.states.extend(all);
                        }
                        None => return Err(invarg("nud state is bad", value)),
                    }
                }
                "proxy" => f.proxy = true,
                _ if matches(word, "protocol") => return Err(not_simulated("ip", word)),
                _ => {
                    let value = if word == "to" { words.value()? } else { word };
                    if matches(value, "help") {
                        return Err(usage());
                    }
                    let prefix = get_prefix(value, f.family)?;
                    if f.family == Family::Unspec {
                        f.family = prefix.family;
                    }
                    f.to = Some(prefix);
                }
            }
        }
        if let Some(dev) = &f.dev {
            if !env.has_device(dev) {
                return Err(nodev(dev));
            }
            f.dev = Some(env.own_name(dev));
        }
        Ok(f)
    }

    /// Whether an entry passes. iproute2: the beginning of `print_neigh`.
    pub fn takes(&self, info: &NeighInfo, env: Env<'_>) -> bool {
        let family_fits = matches!(self.family, Family::Unspec) || self.family == Family::of(info.addr);
        let to_fits = |to: &Prefix| to.len == 0 || to.net().contains(&info.addr);
        let master = info.dev.as_ref().and_then(|dev| env.link(dev)).and_then(|link| link.master.clone());
        self.proxy == info.proxy
            && family_fits
            && (self.dev.is_none() || self.dev == info.dev)
            && self.master.as_ref().is_none_or(|wanted| *wanted == master)
            && (info.proxy || info.extern_learn || self.states.contains(&info.nud))
            && self.to.as_ref().is_none_or(to_fits)
    }
}

/// The deletion of one listed entry, as `flush` sends it back.
pub fn deletion(info: &NeighInfo) -> Request {
    Request::NeighDel(NeighSpec {
        addr: info.addr,
        dev: info.dev.clone(),
        lladdr: info.lladdr,
        nud: Some(info.nud),
        proxy: info.proxy,
        router: info.router,
        extern_learn: info.extern_learn,
    })
}

/// One entry. `with_dev` is false where the command names the device.
pub fn print_neigh(p: &mut Printer, info: &NeighInfo, with_dev: bool, options: &Options) {
    p.open_object("");
    let dev = info.dev.as_deref().filter(|_| with_dev);
    if options.brief {
        let pad = |p: &mut Printer, key: &str, text: String, width: usize| {
            if p.is_json() {
                p.js(key, text);
            } else {
                p.fp(&format!("{text:<width$} "));
            }
        };
        pad(p, "dst", info.addr.to_string(), 39);
        if let Some(dev) = dev {
            pad(p, "dev", dev.to_owned(), 16);
        }
        if let Some(lladdr) = link_layer(info) {
            p.any("lladdr", "{}", lladdr);
        }
        p.fp("\n");
        p.close_object();
        return;
    }
    p.any("dst", "{} ", info.addr.to_string());
    if let Some(dev) = dev {
        p.any("dev", "dev {} ", dev);
    }
    if let Some(lladdr) = link_layer(info) {
        p.any("lladdr", "lladdr {} ", lladdr);
    }
    for (on, word) in [(info.router, "router"), (info.proxy, "proxy"), (info.extern_learn, "extern_learn")] {
        if on {
            p.null(word, &format!("{word} "));
        }
    }
    if options.stats > 0 && !info.proxy {
        let (used, confirmed, updated) = info.ages;
        p.any("used", " used {}", used);
        p.any("confirmed", "/{}", confirmed);
        p.any("updated", "/{}", updated);
        p.any("probes", "probes {} ", info.probes);
    }
    if !info.proxy && info.nud != Nud::None {
        p.open_array("state");
        let name = nud_name(info.nud);
        p.element(name, &format!("{name} "));
        p.close_array("");
    }
    p.fp("\n");
    p.close_object();
}

/// What `ip neigh get` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeighQuery {
    /// The address.
    pub addr: IpAddr,
    /// The device, unless a proxy entry is asked for.
    pub dev: Option<String>,
    /// A proxy entry.
    pub proxy: bool,
}

/// `ip neigh get …`. iproute2: `ipneigh_get`.
///
/// # Errors
/// What iproute2 says about words it doesn't take.
pub fn parse_get(words: &[&str], options: &Options, env: Env<'_>) -> Result<NeighQuery, Stop> {
    let (mut dst, mut dev, mut proxy): (Option<Prefix>, Option<&str>, bool) = (None, None, false);
    let mut words = Words::new(words);
    while let Some(word) = words.next_word() {
        if word == "dev" {
            dev = Some(words.value()?);
            continue;
        }
        let is_proxy = matches(word, "proxy");
        let value = if is_proxy || word == "to" { words.value()? } else { word };
        if matches(value, "help") {
            return Err(usage());
        }
        if dst.is_some() {
            return Err(if is_proxy { duparg("address", value) } else { duparg2("to", value) });
        }
        proxy |= is_proxy;
        dst = Some(get_addr(value, options.family)?);
    }
    let known = dst.filter(|dst| dst.family != Family::Unspec).filter(|_| dev.is_some() || proxy);
    let Some(dst) = known else {
        return Err(Stop::fail(-1, "Device and address are required arguments."));
    };
    if let Some(dev) = dev.filter(|dev| !env.has_device(dev)) {
        return Err(nodev(dev));
    }
    Ok(NeighQuery { addr: dst.address(), dev: dev.map(|dev| env.own_name(dev)), proxy })
}

/// The link-layer address, which on an IP tunnel is an IP address.
fn link_layer(info: &NeighInfo) -> Option<String> {
    info.lladdr.map(|mac| mac.to_string()).or_else(|| info.tunnel_addr.map(|addr| addr.to_string()))
}
