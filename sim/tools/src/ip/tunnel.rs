//! `ip tunnel show`. iproute2: `ip/iptunnel.c`.

use kernel::dump::{KindInfo, LinkInfo};
use kernel::request::TunnelConfig;

use super::Ip;
use crate::console::Stop;
use crate::iproute::args::{Words, duparg2, matches, matches_any, not_simulated};
use crate::iproute::names::is_list;

/// Runs one `ip tunnel` command.
///
/// Simplified: lists IP-in-IP tunnels; tunnels are made by `ip link add`.
pub fn run(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let Some((&verb, rest)) = words.split_first() else { return show(ip, &[]) };
    match verb {
        _ if is_list(verb) => show(ip, rest),
        _ if matches_any(verb, &["add", "change", "delete", "prl", "6rd", "help"]) => {
            Err(not_simulated("ip", &format!("tunnel {verb}")))
        }
        _ => Err(Stop::exit(255, format!("Command \"{verb}\" is unknown, try \"ip tunnel help\"."))),
    }
}

/// iproute2: `do_tunnels_list`.
fn show(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let mut name = None;
    let mut words = Words::new(words);
    while let Some(word) = words.next_word() {
        let value = if matches(word, "name") { words.value()? } else { word };
        if matches_any(value, &["mode", "remote", "local", "ttl", "tos", "dev", "key"]) {
            return Err(not_simulated("ip", &format!("tunnel show {value}")));
        }
        if name.is_some() {
            return Err(duparg2("name", value));
        }
        name = Some(value);
    }
    for link in ip.env().links.iter().filter(|link| name.is_none_or(|name| name == link.name)) {
        if let Some(KindInfo::Ipip(config)) = &link.kind {
            ip.console.line(&line(link, config));
        }
    }
    Ok(0)
}

/// iproute2: `print_tunnel`.
fn line(link: &LinkInfo, config: &TunnelConfig) -> String {
    // The fallback device takes what no other tunnel does.
    let fallback = config.remote.is_none() && config.local.is_none() && link.name == "tunl0";
    let any = |addr: Option<std::net::IpAddr>| addr.map_or_else(|| "any".to_owned(), |addr| addr.to_string());
    let protocol = if fallback { "any" } else { "ip" };
    let mut text =
        format!("{}: {protocol}/ip remote {} local {}", link.name, any(config.remote), any(config.local));
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
    if config.nopmtudisc || fallback {
        text.push_str(" nopmtudisc");
    }
    text
}
