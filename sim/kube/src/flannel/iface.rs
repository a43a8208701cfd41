use std::net::{IpAddr, Ipv4Addr};

use kernel::TableId;
use kernel::dump::{LinkInfo, RouteQuery};
use world::Sys;

use super::log::Log;
use super::options::Options;
use crate::cni::go_text;

/// The interface by which the other nodes are reached. flannel: `ExternalInterface`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalInterface {
    /// Its name.
    pub name: String,
    /// Its MTU in bytes.
    pub mtu: u32,
    /// Its address.
    pub addr: Ipv4Addr,
    /// The address that the other nodes use.
    pub ext_addr: Ipv4Addr,
}

/// How the interface is looked for.
#[derive(Clone, Copy, Debug)]
enum By<'a> {
    /// `-iface`, or an address.
    Name(&'a str),
    /// `-iface-regex`.
    Regex(&'a str),
    /// `-iface-can-reach`.
    Reach(&'a str),
    /// The default route.
    Default,
}

impl ExternalInterface {
    /// Finds it. flannel: `main`, `LookupExtIface`.
    ///
    /// # Errors
    /// Place and text of what is logged before flanneld ends.
    pub fn find(
        sys: &mut dyn Sys,
        log: Log,
        options: &Options,
        public_ip: &str,
    ) -> Result<Self, (&'static str, String)> {
        if !options.names_interface() {
            let by = if public_ip.is_empty() { By::Default } else { By::Name(public_ip) };
            return lookup(sys, log, by, public_ip).map_err(|error| {
                ("main.go:328", format!("Failed to find any valid interface to use: {error}"))
            });
        }
        let names = options.iface.iter().map(|name| ("main.go:336", name, By::Name(name)));
        let regexes = options.iface_regex.iter().map(|regex| ("main.go:349", regex, By::Regex(regex)));
        let reach = &options.iface_can_reach;
        let reach = (!reach.is_empty()).then_some(("main.go:361", reach, By::Reach(reach)));
        for (place, asked, by) in names.chain(regexes).chain(reach) {
            match lookup(sys, log, by, public_ip) {
                Ok(found) => return Ok(found),
                Err(error) => {
                    let what = if matches!(by, By::Reach(_)) { "ifaceCanReach: " } else { "" };
                    let text = format!("Could not find valid interface matching {what}{asked}: {error}");
                    log.info(sys, place, &text);
                }
            }
        }
        let text = "Failed to find interface to use that matches the interfaces and/or regexes provided";
        Err(("main.go:367", text.to_owned()))
    }
}

fn lookup(sys: &mut dyn Sys, log: Log, by: By<'_>, public_ip: &str) -> Result<ExternalInterface, String> {
    let netns = sys.netns();
    let links = sys.links(netns, None);
    let named = |name: &str| links.iter().find(|link| link.name == name);
    let (link, addr) = match by {
        By::Name(name) => match name.parse::<Ipv4Addr>() {
            Ok(addr) => {
                log.info(sys, "match.go:74", &format!("Searching for interface using {addr}"));
                let owner = links.iter().find(|link| own_addresses(sys, link).contains(&addr));
                let missing =
                    || format!("error looking up interface {name}: no interface with given IP found");
                (owner.ok_or_else(missing)?, Some(addr))
            }
            Err(_) => {
                let missing =
                    || format!("error looking up interface {name}: route ip+net: no such network interface");
                (named(name).ok_or_else(missing)?, None)
            }
        },
        By::Regex(pattern) => by_regex(sys, &links, pattern)?,
        By::Reach(target) => {
            let text = format!("Determining interface to use based on given ifcanreach: {target}");
            log.info(sys, "match.go:206", &text);
            let query = RouteQuery { dst: target.parse().ok(), ..RouteQuery::default() };
            let answer = sys.kernel().route_get(netns, &query, sys.now()).map_err(|refusal| {
                let why = go_text(refusal.errno);
                format!("failed to get ifcanreach based interface: couldn't lookup route to {target}: {why}")
            })?;
            let source = match answer.prefsrc {
                Some(IpAddr::V4(source)) => Some(source),
                _ => None,
            };
            let dev = answer.dev.unwrap_or_default();
            let missing =
                || "failed to get ifcanreach based interface: no interface with given IP found".to_owned();
            (named(&dev).ok_or_else(missing)?, source)
        }
        By::Default => {
            log.info(sys, "match.go:211", "Determining IP address of default interface");
            let fail = |why: &str| Err(format!("failed to get default interface: {why}"));
            let routes = sys.kernel().routes(netns);
            let default =
                routes.iter().find(|route| route.table == TableId::MAIN && route.dst.prefix_len() == 0);
            match default.map(|route| route.nexthops.as_slice()) {
                None => return fail("unable to find default route"),
                Some([way]) => match named(&way.dev) {
                    Some(link) => (link, None),
                    None => return fail("found default route but could not determine interface"),
                },
                Some(_) => return fail("found default route but could not determine interface"),
            }
        }
    };
    let addr = match addr {
        Some(addr) => addr,
        None => *addresses(sys, link)
            .first()
            .ok_or_else(|| format!("failed to find IPv4 address for interface {}", link.name))?,
    };
    let text = format!("Using interface with name {} and address {addr}", link.name);
    log.info(sys, "match.go:269", &text);
    if link.mtu == 0 {
        return Err(format!("failed to determine MTU for {addr} interface"));
    }
    let ext_addr = match public_ip {
        "" => {
            let text = format!("Defaulting external address to interface address ({addr})");
            log.info(sys, "match.go:291", &text);
            addr
        }
        given => {
            let given = given.parse().map_err(|_| format!("invalid public IP address: {given}"))?;
            log.info(sys, "match.go:287", &format!("Using {given} as external address"));
            given
        }
    };
    Ok(ExternalInterface { name: link.name.clone(), mtu: link.mtu, addr, ext_addr })
}

/// First an address that fits, then a name.
fn by_regex<'a>(
    sys: &dyn Sys,
    links: &'a [LinkInfo],
    pattern: &str,
) -> Result<(&'a LinkInfo, Option<Ipv4Addr>), String> {
    let regex = regex::Regex::new(pattern)
        .map_err(|error| format!("could not compile the IP address regex '{pattern}': {error}"))?;
    for link in links {
        let fits = |addr: &Ipv4Addr| regex.is_match(&addr.to_string());
        if let Some(addr) = addresses(sys, link).into_iter().find(fits) {
            return Ok((link, Some(addr)));
        }
    }
    if let Some(link) = links.iter().find(|link| regex.is_match(&link.name)) {
        return Ok((link, None));
    }
    let all: Vec<String> = links
        .iter()
        .map(|link| {
            let addrs: Vec<String> = addresses(sys, link).iter().map(Ipv4Addr::to_string).collect();
            format!("{}:[{}]", link.name, addrs.join(" "))
        })
        .collect();
    let all = all.join(", ");
    Err(format!("could not match pattern {pattern} to any of the available network interfaces ({all})"))
}

/// All IPv4 addresses of a device.
fn own_addresses(sys: &dyn Sys, link: &LinkInfo) -> Vec<Ipv4Addr> {
    let all = sys.kernel().addrs(sys.netns()).into_iter();
    let own = all.filter(|info| info.ifindex == link.ifindex);
    own.filter_map(|info| match info.addr.local.addr() {
        IpAddr::V4(addr) => Some(addr),
        IpAddr::V6(_) => None,
    })
    .collect()
}

/// The addresses by which it may be reached, the better ones first.
/// flannel: `GetInterfaceIP4Addrs`, `compareAddrs`.
pub fn addresses(sys: &dyn Sys, link: &LinkInfo) -> Vec<Ipv4Addr> {
    let all = sys.kernel().addrs(sys.netns()).into_iter();
    let mut own: Vec<(bool, bool, Ipv4Addr)> = all
        .filter(|info| info.ifindex == link.ifindex && !info.addr.flags.deprecated)
        .filter_map(|info| match info.addr.local.addr() {
            IpAddr::V4(addr) => Some((addr.is_link_local(), info.addr.lifetime.is_some(), addr)),
            IpAddr::V6(_) => None,
        })
        .filter(|(_, _, addr)| {
            !(addr.is_loopback() || addr.is_unspecified() || addr.is_multicast() || addr.is_broadcast())
        })
        .collect();
    own.sort_by_key(|(local, lives, _)| (*local, *lives));
    own.into_iter().map(|(_, _, addr)| addr).collect()
}
