//! `forward FROM TO… { … }`. CoreDNS: `plugin/forward/setup.go`.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use dns::{Name, PORT};

use super::config::{Forward, HealthCheck, Policy, Recursion, Upstream};
use super::dispenser::Dispenser;
use super::error::Error;
use super::setup::Context;
use super::{Plugins, go, zone};

/// So many servers may be named.
const MAX_SERVERS: usize = 15;

pub(super) fn setup(
    at: &mut Dispenser<'_>,
    context: &mut Context<'_>,
    plugins: &mut Plugins,
) -> Result<(), Error> {
    while at.next() {
        plugins.forward.push(stanza(at, context)?);
    }
    match plugins.forward.iter().map(|forward| forward.to.len()).find(|&count| count > MAX_SERVERS) {
        Some(count) => Err(Error::refused(format_args!("more than {MAX_SERVERS} TOs configured: {count}"))),
        None => Ok(()),
    }
}

fn stanza(at: &mut Dispenser<'_>, context: &mut Context<'_>) -> Result<Forward, Error> {
    let from = at.arg()?;
    let zones = zone::zones(&from);
    let Some(zone) = zones.first() else {
        return Err(Error::refused(format_args!("unable to normalize '{from}'")));
    };
    if zones.len() > 1 {
        context.warnings.push(format!(
            "[WARNING] plugin/forward: Unsupported CIDR notation: '{from}' expands to multiple zones. \
             Using only '{zone}'."
        ));
    }
    let names = at.remaining_args();
    if names.is_empty() {
        return Err(at.arg_error());
    }
    let mut to = Vec::new();
    for name in &names {
        to.extend(servers(at, context, name)?);
    }
    if to.is_empty() {
        return Err(Error::refused("no nameservers found"));
    }
    let health_check = HealthCheck {
        interval: Duration::from_millis(500),
        recursion: Recursion::Desired,
        domain: Name::root(),
    };
    let mut forward = Forward {
        from: zone.clone(),
        except: Vec::new(),
        to,
        policy: Policy::Random,
        max_concurrent: None,
        protocol: Upstream::AsAsked,
        expire: Duration::from_secs(10),
        max_fails: 2,
        health_check,
    };
    while at.next_block() {
        property(at, &mut forward)?;
    }
    Ok(forward)
}

/// The servers that a word names: an address with or without port, or a file like resolv.conf.
/// CoreDNS: `parse.HostPortOrFile`.
fn servers(at: &Dispenser<'_>, context: &mut Context<'_>, text: &str) -> Result<Vec<SocketAddr>, Error> {
    let (transport, host) = zone::transport(text);
    if host.is_empty() {
        return Err(Error::refused(format_args!("invalid address: {text:?}")));
    }
    match transport {
        None => {}
        Some("tls") => return Err(at.not_simulated(format!("CoreDNS forward to {text}"))),
        Some(other) => {
            return Err(Error::refused(format_args!(
                "'{other}' is not supported as a destination protocol in forward: {text}"
            )));
        }
    }
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, PORT)]);
    }
    if let Ok((address, port)) = go::split_host_port(host)
        && let Ok(ip) = address.parse()
    {
        let port = port.parse().map_err(|_| Error::refused(format_args!("address {port}: invalid port")))?;
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    if let Some((ip, _)) = host.split_once('%')
        && ip.trim_start_matches('[').parse::<IpAddr>().is_ok()
    {
        return Err(at.not_simulated(format!("CoreDNS forward to {text}, an address with a zone")));
    }
    let file = context.outside.read(host);
    let file = file.map_err(|_| Error::refused(format_args!("not an IP address or file: {host:?}")))?;
    Ok(nameservers(&file).map(|ip| SocketAddr::new(ip, PORT)).collect())
}

/// The servers of a resolv.conf.
///
/// Simplified: what is no address is passed over; CoreDNS would fail to ask it.
fn nameservers(text: &str) -> impl Iterator<Item = IpAddr> {
    text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        words.next().filter(|&word| word == "nameserver")?;
        words.next()?.parse().ok()
    })
}

fn property(at: &mut Dispenser<'_>, forward: &mut Forward) -> Result<(), Error> {
    match at.text().to_owned().as_str() {
        "except" => {
            let names = at.remaining_args();
            if names.is_empty() {
                return Err(at.arg_error());
            }
            forward.except.extend(names.iter().flat_map(|name| zone::zones(name)));
        }
        "max_fails" => forward.max_fails = go::unsigned(&at.arg()?)?,
        "health_check" => health_check(at, &mut forward.health_check)?,
        "force_tcp" => {
            no_args(at)?;
            forward.protocol = Upstream::ForceTcp;
        }
        "prefer_udp" => {
            no_args(at)?;
            if forward.protocol == Upstream::AsAsked {
                forward.protocol = Upstream::PreferUdp;
            }
        }
        option @ ("tls" | "tls_servername") => {
            return Err(at.not_simulated(format!("CoreDNS forward option {option}")));
        }
        "expire" => {
            let text = at.arg()?;
            let expire = go::duration(&text)?;
            forward.expire =
                expire.ok_or_else(|| Error::refused(format_args!("expire can't be negative: {text}")))?;
        }
        "policy" => {
            forward.policy = match at.arg()?.as_str() {
                "random" => Policy::Random,
                "round_robin" => Policy::RoundRobin,
                "sequential" => Policy::Sequential,
                other => return Err(at.error(format_args!("unknown policy '{other}'"))),
            }
        }
        "max_concurrent" => {
            let limit = go::integer(&at.arg()?)?;
            if limit < 0 {
                return Err(Error::refused(format_args!("max_concurrent can't be negative: {limit}")));
            }
            forward.max_concurrent = u32::try_from(limit).ok().filter(|&limit| limit > 0);
        }
        other => return Err(at.error(format_args!("unknown property '{other}'"))),
    }
    Ok(())
}

fn no_args(at: &mut Dispenser<'_>) -> Result<(), Error> {
    if at.next_arg() { Err(at.arg_error()) } else { Ok(()) }
}

fn health_check(at: &mut Dispenser<'_>, check: &mut HealthCheck) -> Result<(), Error> {
    let nanoseconds = go::nanoseconds(&at.arg()?)?;
    check.interval = u64::try_from(nanoseconds)
        .map(Duration::from_nanos)
        .map_err(|_| Error::refused(format_args!("health_check can't be negative: {nanoseconds}")))?;
    check.domain = Name::root();
    while at.next_arg() {
        match at.text() {
            "no_rec" => check.recursion = Recursion::Off,
            "domain" => {
                let name = at.arg()?;
                check.domain = zone::name(&name).ok_or_else(|| {
                    Error::refused(format_args!("health_check: invalid domain name {name}"))
                })?;
            }
            other => {
                return Err(Error::refused(format_args!("health_check: unknown option {other}")));
            }
        }
    }
    Ok(())
}
