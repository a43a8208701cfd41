//! `ip tunnel`. iproute2: `ip/iptunnel.c`, `tunnel.c`.

use std::net::{IpAddr, Ipv4Addr};

use kernel::dump::KindInfo;
use kernel::request::{Request, TunnelConfig, TunnelRequest};

use super::Ip;
use crate::console::Stop;
use crate::iproute::args::{
    Family, Words, duparg2, get_addr, get_u8, invarg, is_ifname, matches, matches_any, nodev, not_simulated,
};
use crate::iproute::env::Env;
use crate::iproute::names::{is_list, read_dsfield};

/// The device that the ioctls of IP in IP go to.
const FALLBACK: &str = "tunl0";

/// What is done with the tunnel that words describe.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Add,
    Change,
    Del,
    Show,
}

/// The parameters of a tunnel. iproute2: `struct ip_tunnel_parm`.
#[derive(Clone, Debug, Default)]
struct Params {
    name: Option<String>,
    config: TunnelConfig,
    /// The mode is known: IP in IP.
    ipip: bool,
}

/// Runs one `ip tunnel` command.
///
/// Simplified: IP in IP is the only mode.
pub fn run(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let Some((&verb, rest)) = words.split_first() else { return show(ip, &[]) };
    match verb {
        _ if matches(verb, "add") => add(ip, rest, Verb::Add),
        _ if matches(verb, "change") => add(ip, rest, Verb::Change),
        _ if matches(verb, "delete") => del(ip, rest),
        _ if is_list(verb) => show(ip, rest),
        _ if matches_any(verb, &["prl", "6rd", "help"]) => {
            Err(not_simulated("ip", &format!("tunnel {verb}")))
        }
        _ => Err(Stop::exit(255, format!("Command \"{verb}\" is unknown, try \"ip tunnel help\"."))),
    }
}

/// iproute2: `parse_args`.
fn parse_args(words: &[&str], verb: Verb, env: Env<'_>) -> Result<Params, Stop> {
    let mut params = Params::default();
    let mut medium = None;
    let mut words = Words::new(words);
    let mut first = true;
    while let Some(word) = words.next_word() {
        match word {
            "mode" => match words.value()? {
                "ipip" | "ip/ip" => params.ipip = true,
                mode @ ("gre" | "gre/ip" | "sit" | "ipv6/ip" | "isatap" | "vti") => {
                    return Err(not_simulated("ip", &format!("tunnel mode {mode}")));
                }
                mode => return Err(Stop::exit(255, format!("Unknown tunnel mode \"{mode}\""))),
            },
            "key" | "ikey" | "okey" | "seq" | "iseq" | "oseq" | "csum" | "icsum" | "ocsum" => {
                return Err(not_simulated("ip", &format!("tunnel {word}")));
            }
            "nopmtudisc" => params.config.nopmtudisc = true,
            "pmtudisc" => params.config.nopmtudisc = false,
            "remote" => params.config.remote = address(words.value()?)?,
            "local" => params.config.local = address(words.value()?)?,
            "dev" => medium = Some(words.value()?),
            "ttl" | "hoplimit" | "hlim" => match words.value()? {
                // A changed tunnel keeps the one that it has.
                "inherit" => {}
                value => {
                    params.config.ttl = get_u8(value).ok_or_else(|| invarg("invalid TTL\n", value))?;
                }
            },
            _ if matches!(word, "tos" | "tclass") || matches(word, "dsfield") => {
                params.config.tos = match words.value()? {
                    "inherit" => 1,
                    value => read_dsfield(value).ok_or_else(|| invarg("bad TOS value", value))?,
                };
            }
            _ => {
                let name = if word == "name" { words.value()? } else { word };
                if word != "name" && matches(word, "help") {
                    return Err(not_simulated("ip", "tunnel help"));
                }
                if params.name.is_some() {
                    return Err(duparg2("name", name));
                }
                if !is_ifname(name) {
                    return Err(invarg("\"name\" not a valid ifname", name));
                }
                if verb == Verb::Change && first {
                    params.config = get(env, name)?.1;
                    params.ipip = params.config.ipv4_only;
                }
                params.name = Some(name.to_owned());
            }
        }
        first = false;
    }
    if let Some(name) = params.name.as_deref().filter(|_| !params.ipip) {
        params.ipip = name.starts_with("ipip");
        if ["gre", "sit", "isatap", "vti"].iter().any(|mode| name.starts_with(mode)) && verb == Verb::Add {
            return Err(not_simulated("ip", "tunnel modes other than ipip"));
        }
    }
    if let Some(medium) = medium {
        if !env.has_device(medium) {
            return Err(nodev(medium));
        }
        params.config.link = Some(env.own_name(medium));
    }
    let multicast = |addr: &IpAddr| matches!(addr, IpAddr::V4(addr) if addr.is_multicast());
    if params.config.remote.as_ref().is_some_and(multicast) {
        if params.config.local.is_none() {
            return Err(Stop::fail(-1, "A broadcast tunnel requires a source address"));
        }
        return Err(Stop::fail(-1, "Keys are not allowed with ipip and sit tunnels"));
    }
    params.config.ipv4_only = params.ipip;
    Ok(params)
}

fn address(word: &str) -> Result<Option<IpAddr>, Stop> {
    let addr = get_addr(word, Family::Inet)?.address();
    Ok((addr != IpAddr::V4(Ipv4Addr::UNSPECIFIED)).then_some(addr))
}

/// A tunnel's parameters. iproute2: `tnl_get_ioctl`.
fn get(env: Env<'_>, name: &str) -> Result<(String, TunnelConfig), Stop> {
    let failed = |why: &str| Stop::fail(-1, format!("get tunnel \"{name}\" failed: {why}"));
    let link = env.link(name).ok_or_else(|| failed("No such device"))?;
    match link.kind {
        Some(KindInfo::Ipip(config)) => Ok((link.name, config)),
        _ => Err(failed("Operation not supported")),
    }
}

/// iproute2: `do_add`, `tnl_add_ioctl`.
fn add(ip: &mut Ip<'_, '_>, words: &[&str], verb: Verb) -> Result<i32, Stop> {
    let Params { name, config, ipip } = parse_args(words, verb, ip.env())?;
    if config.ttl != 0 && config.nopmtudisc {
        return Err(Stop::fail(-1, "ttl != 0 and nopmtudisc are incompatible"));
    }
    // A changed tunnel of any mode has the protocol 0, which names no device either.
    if !ipip {
        return Err(Stop::fail(-1, "cannot determine tunnel mode (ipip, gre, vti or sit)"));
    }
    let (to, request) = match verb {
        Verb::Change => {
            (name.clone().unwrap_or_else(|| FALLBACK.to_owned()), TunnelRequest::Change { name, config })
        }
        Verb::Add | Verb::Del | Verb::Show => (FALLBACK.to_owned(), TunnelRequest::Add { name, config }),
    };
    ask(ip, request, "add", &to)
}

/// iproute2: `do_del`, `tnl_del_ioctl`.
fn del(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let Params { name, config, ipip } = parse_args(words, Verb::Del, ip.env())?;
    let to = match &name {
        Some(name) => name.clone(),
        None if ipip => FALLBACK.to_owned(),
        None => String::new(),
    };
    if to.is_empty() {
        return Err(Stop::fail(-1, "delete tunnel \"\" failed: No such device"));
    }
    ask(ip, TunnelRequest::Del { name, config }, "delete", &to)
}

fn ask(ip: &mut Ip<'_, '_>, request: TunnelRequest, verb: &str, dev: &str) -> Result<i32, Stop> {
    let netns = ip.netns;
    match ip.console.sys.request(netns, Request::Tunnel(request)) {
        Ok(_) => Ok(0),
        Err(refusal) => Err(Stop::fail(-1, format!("{verb} tunnel \"{dev}\" failed: {}", refusal.errno))),
    }
}

/// iproute2: `do_show`, `do_tunnels_list`.
fn show(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    if ip.options.json {
        return Err(not_simulated("ip", "-json tunnel"));
    }
    let env = ip.env();
    let wanted = parse_args(words, Verb::Show, env)?;
    if wanted.ipip {
        let (name, config) = get(env, wanted.name.as_deref().unwrap_or(FALLBACK))?;
        ip.console.line(&line(&name, &config));
        return Ok(0);
    }
    let TunnelConfig { remote, local, link: lower, .. } = &wanted.config;
    for link in &env.links() {
        let Some(KindInfo::Ipip(config)) = &link.kind else { continue };
        let fits = wanted.name.as_ref().is_none_or(|name| *name == link.name)
            && (remote.is_none() || *remote == config.remote)
            && (local.is_none() || *local == config.local)
            && (lower.is_none() || *lower == config.link);
        if fits {
            ip.console.line(&line(&link.name, config));
        }
    }
    Ok(0)
}

/// iproute2: `print_tunnel`.
fn line(name: &str, config: &TunnelConfig) -> String {
    let any = |addr: Option<IpAddr>| addr.map_or_else(|| "any".to_owned(), |addr| addr.to_string());
    let protocol = if config.ipv4_only { "ip" } else { "any" };
    let mut text =
        format!("{}: {protocol}/ip remote {} local {}", name, any(config.remote), any(config.local));
    if let Some(dev) = &config.link {
        text.push_str(&format!(" dev {dev}"));
    }
    match config.ttl {
        0 => text.push_str(" ttl inherit"),
        ttl => text.push_str(&format!(" ttl {ttl}")),
    }
    match config.tos {
        0 => {}
        1 => text.push_str(" tos inherit"),
        tos => text.push_str(&format!(" tos {tos:#x}")),
    }
    if config.nopmtudisc {
        text.push_str(" nopmtudisc");
    }
    text
}
