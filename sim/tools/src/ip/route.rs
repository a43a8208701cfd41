//! `ip route add|del|change|replace|append|prepend`: text to requests.
//! iproute2: `iproute_modify` in `ip/iproute.c`.

use kernel::request::{Mode, NextHopSpec, Request, RouteSpec};
use kernel::{RouteKind, RouteMetric, RouteProto, Scope, TableId};

use super::options::Options;
use crate::console::{End, Stop};
use crate::iproute::args::{
    Family, Prefix, Words, duparg2, get_addr, get_prefix, get_u32, invarg, matches, matches_any, nodev,
    not_simulated,
};
use crate::iproute::env::Env;
use crate::iproute::names::{read_dsfield, read_proto, read_route_kind, read_scope, read_table};

/// What a `route` command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `add`, `change`, `replace`, `append`, `prepend`.
    Put(Mode),
    /// `delete`.
    Delete,
}

/// Simplified: the first lines of the real text.
pub fn usage() -> Stop {
    Stop::text(
        255,
        "Usage: ip route { list | flush } SELECTOR\n       ip route save SELECTOR\n       ip route restore\n",
    )
}

/// Metrics that are kept without effect: word, `RTAX_*` number, whether an abbreviation is enough,
/// and how the value is read.
const METRICS: &[(&str, u8, bool, Unit)] = &[
    ("hoplimit", 10, false, Unit::Byte),
    ("reordering", 9, true, Unit::Number),
    ("rtt", 4, false, Unit::Time(8)),
    ("rto_min", 13, false, Unit::Time(1)),
    ("window", 3, true, Unit::Number),
    ("cwnd", 7, true, Unit::Number),
    ("initcwnd", 11, true, Unit::Number),
    ("initrwnd", 14, true, Unit::Number),
    ("quickack", 15, true, Unit::Bool),
    ("rttvar", 5, true, Unit::Time(4)),
    ("ssthresh", 6, true, Unit::Number),
];

/// How a metric's value is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Number,
    Byte,
    Bool,
    /// `100ms`, `1s`; a plain number is in the kernel's unit, others are multiplied.
    Time(u32),
}

#[derive(Clone, Debug, Default)]
struct Parsed {
    dst: Option<Prefix>,
    family: Family,
    dev: Option<String>,
    via: Option<std::net::IpAddr>,
    onlink: bool,
    mtu_locked: bool,
    nexthops: Option<Vec<NextHopSpec>>,
}

/// `ip route add …` and kin.
///
/// # Errors
/// What iproute2 says about words it doesn't take.
pub fn parse(words: &[&str], verb: Verb, options: &Options, env: Env<'_>) -> Result<Request, Stop> {
    let mut p = Parsed { family: options.family, ..Parsed::default() };
    let mut spec = RouteSpec::default();
    let mut words = Words::new(words);
    parse_words(&mut words, &mut p, &mut spec)?;
    let Some(dst) = p.dst else { return Err(usage()) };
    if let Some(dev) = p.dev.as_ref().filter(|dev| !env.has_device(dev)) {
        return Err(nodev(dev));
    }
    if words.peek() == Some("nexthop") {
        p.nexthops = Some(parse_nexthops(&mut words, &mut p.family, env)?);
    }
    if p.family == Family::Inet6 {
        return Err(not_simulated("ip", "-6 route"));
    }
    if let Some((_, locked)) = &mut spec.mtu {
        *locked = p.mtu_locked;
    }
    spec.dst = (dst.len != 0).then(|| dst.net());
    let gateway_or_more = p.via.is_some() || p.nexthops.is_some() || spec.nhid.is_some_and(|id| id != 0);
    spec.nexthops = match p.nexthops {
        Some(hops) => hops,
        None if p.dev.is_some() || p.via.is_some() || p.onlink => vec![NextHopSpec {
            dev: p.dev.map(|dev| env.own_name(&dev)),
            via: p.via,
            onlink: p.onlink,
            weight: None,
        }],
        None => Vec::new(),
    };
    let kind = spec.kind.unwrap_or(RouteKind::Unicast);
    if spec.table.is_none() && matches!(spec.kind, Some(RouteKind::Local | RouteKind::Broadcast)) {
        spec.table = Some(TableId::LOCAL);
    }
    match verb {
        Verb::Put(_) => {
            spec.proto = spec.proto.or(Some(RouteProto::BOOT));
            spec.scope = spec.scope.or(Some(match kind {
                RouteKind::Local => Scope::HOST,
                RouteKind::Broadcast | RouteKind::Multicast => Scope::LINK,
                RouteKind::Unicast if !gateway_or_more => Scope::LINK,
                _ => Scope::GLOBAL,
            }));
        }
        Verb::Delete => {
            spec.scope = spec.scope.or(match spec.kind {
                Some(RouteKind::Local) => Some(Scope::HOST),
                Some(RouteKind::Broadcast | RouteKind::Multicast) => Some(Scope::LINK),
                _ => None,
            });
        }
    }
    Ok(match verb {
        Verb::Put(mode) => Request::RouteAdd(spec, mode),
        Verb::Delete => Request::RouteDel(spec),
    })
}

fn adopt(family: &mut Family, prefix: &Prefix) {
    if *family == Family::Unspec {
        *family = prefix.family;
    }
}

/// `via [FAMILY] ADDR`.
fn parse_via(words: &mut Words<'_>, family: &mut Family) -> Result<std::net::IpAddr, Stop> {
    let mut value = words.value()?;
    let mut wanted = *family;
    if let Some(named) = Family::read(value) {
        wanted = named;
        value = words.value()?;
    }
    let addr = get_addr(value, wanted)?;
    adopt(family, &addr);
    if addr.family != *family {
        return Err(not_simulated("ip", "via inet6"));
    }
    Ok(addr.address())
}

fn parse_words(words: &mut Words<'_>, p: &mut Parsed, spec: &mut RouteSpec) -> Result<(), Stop> {
    while let Some(word) = words.peek() {
        if word == "nexthop" {
            break;
        }
        words.next_word();
        let number = |words: &mut Words<'_>, name: &str| {
            let value = words.value()?;
            get_u32(value).ok_or_else(|| invarg(&format!("\"{name}\" value is invalid\n"), value))
        };
        match word {
            "src" => {
                let addr = get_addr(words.value()?, p.family)?;
                adopt(&mut p.family, &addr);
                spec.prefsrc = Some(addr.address());
            }
            "as" => return Err(not_simulated("ip", word)),
            "via" => {
                if p.via.is_some() {
                    return Err(invarg("use nexthop syntax to specify multiple via\n", word));
                }
                p.via = Some(parse_via(words, &mut p.family)?);
            }
            "nhid" => {
                let value = words.value()?;
                spec.nhid = Some(get_u32(value).ok_or_else(|| invarg("\"id\" value is invalid\n", value))?);
            }
            "from" | "expires" | "encap" | "ttl-propagate" => return Err(not_simulated("ip", word)),
            _ if word == "tos" || matches(word, "dsfield") => {
                let value = words.value()?;
                spec.tos = read_dsfield(value).ok_or_else(|| invarg("\"tos\" value is invalid\n", value))?;
            }
            _ if word == "preference" || matches_any(word, &["metric", "priority"]) => {
                spec.metric = Some(number(words, "metric")?);
            }
            "scope" => {
                let value = words.value()?;
                spec.scope =
                    Some(read_scope(value).ok_or_else(|| invarg("invalid \"scope\" value\n", value))?);
            }
            "mtu" => {
                if words.peek() == Some("lock") {
                    words.next_word();
                    p.mtu_locked = true;
                }
                spec.mtu = Some((number(words, "mtu")?, false));
            }
            "advmss" => {
                if words.peek() == Some("lock") {
                    return Err(not_simulated("ip", "advmss lock"));
                }
                let value = words.value()?;
                spec.advmss =
                    Some(get_u32(value).ok_or_else(|| invarg("\"mss\" value is invalid\n", value))?);
            }
            _ if metric_of(word).is_some() => {
                let metric = metric_of(word).map(|m| parse_metric(words, m)).transpose()?;
                spec.metrics.extend(metric);
                spec.metrics.sort_by_key(|metric| metric.number);
            }
            _ if matches_any(word, &["features", "congctl", "realms"]) => {
                return Err(not_simulated("ip", word));
            }
            "onlink" => p.onlink = true,
            _ if matches(word, "protocol") => {
                let value = words.value()?;
                let proto =
                    read_proto(value).ok_or_else(|| invarg("\"protocol\" value is invalid\n", value))?;
                spec.proto = Some(proto);
            }
            _ if matches(word, "table") => {
                let value = words.value()?;
                let table = read_table(value).ok_or_else(|| invarg("\"table\" value is invalid\n", value))?;
                spec.table = Some(table).filter(|table| table.0 != 0);
            }
            // Simplified: there are no VRFs.
            _ if matches(word, "vrf") => return Err(invarg("Invalid VRF\n", words.value()?)),
            "dev" | "oif" => p.dev = Some(words.value()?.to_owned()),
            _ if matches_any(word, &["pref", "fastopen_no_cookie"]) => return Err(not_simulated("ip", word)),
            _ => parse_destination(word, words, p, spec)?,
        }
    }
    Ok(())
}

/// `[to] [TYPE] PREFIX`.
fn parse_destination(
    word: &str,
    words: &mut Words<'_>,
    p: &mut Parsed,
    spec: &mut RouteSpec,
) -> Result<(), Stop> {
    let mut value = if word == "to" { words.value()? } else { word };
    let mut refused = None;
    if !value.starts_with(|c: char| c.is_ascii_digit())
        && let Some(kind) = read_route_kind(value)
    {
        refused = kind.err().map(|name| not_simulated("ip", name));
        spec.kind = kind.ok();
        value = words.value()?;
    }
    if matches(value, "help") {
        return Err(usage());
    }
    if p.dst.is_some() {
        return Err(duparg2("to", value));
    }
    let dst = get_prefix(value, p.family)?;
    adopt(&mut p.family, &dst);
    p.dst = Some(dst);
    refused.map_or(Ok(()), Err)
}

type Metric = (&'static str, u8, bool, Unit);

fn metric_of(word: &str) -> Option<Metric> {
    METRICS.iter().copied().find(|(name, _, short, _)| word == *name || (*short && matches(word, name)))
}

fn parse_metric(words: &mut Words<'_>, (name, number, _, unit): Metric) -> Result<RouteMetric, Stop> {
    let mut locked = name == "rto_min";
    if words.peek() == Some("lock") && !matches!(name, "quickack" | "rto_min") {
        words.next_word();
        locked = true;
    }
    let value = words.value()?;
    let invalid = || invarg(&format!("\"{name}\" value is invalid\n"), value);
    let number_of = || get_u32(value).ok_or_else(invalid);
    let value = match unit {
        Unit::Number => number_of()?,
        Unit::Byte => Some(number_of()?).filter(|&v| v <= 255).ok_or_else(invalid)?,
        Unit::Bool => {
            let v = number_of()?;
            if v > 1 {
                return Err(invarg("\"quickack\" value should be 0 or 1\n", value));
            }
            v
        }
        Unit::Time(factor) => {
            let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
            let (count, suffix) = value.split_at(digits);
            let count: u32 = count.parse().map_err(|_| invalid())?;
            match suffix.to_ascii_lowercase().as_str() {
                "" => count,
                "s" | "sec" | "secs" => count.saturating_mul(1000 * factor),
                "ms" | "msec" | "msecs" => count.saturating_mul(factor),
                _ => return Err(invalid()),
            }
        }
    };
    Ok(RouteMetric { number, value, locked })
}

/// iproute2: `parse_nexthops`.
fn parse_nexthops(
    words: &mut Words<'_>,
    family: &mut Family,
    env: Env<'_>,
) -> Result<Vec<NextHopSpec>, Stop> {
    let mut hops = Vec::new();
    while let Some(word) = words.next_word() {
        if word != "nexthop" {
            return Err(Stop::exit(
                255,
                format!("Error: \"nexthop\" or end of line is expected instead of \"{word}\""),
            ));
        }
        if words.is_empty() {
            return Err(Stop::exit(255, "Error: unexpected end of line after \"nexthop\""));
        }
        let mut hop = NextHopSpec { weight: Some(1), ..NextHopSpec::default() };
        while let Some(word) = words.peek() {
            match word {
                "via" | "dev" | "weight" | "onlink" => {
                    words.next_word();
                }
                "encap" | "as" => return Err(not_simulated("ip", word)),
                _ if matches(word, "realms") => return Err(not_simulated("ip", word)),
                _ => break,
            }
            match word {
                "via" => hop.via = Some(parse_via(words, family)?),
                "dev" => {
                    let value = words.value()?;
                    if !env.has_device(value) {
                        let text = format!("{}Error: cannot parse nexthop\n", nodev(value).text);
                        return Err(Stop { text, end: End::Exit(255) });
                    }
                    hop.dev = Some(env.own_name(value));
                }
                "weight" => {
                    let value = words.value()?;
                    let weight = get_u32(value).filter(|w| (1..=256).contains(w));
                    hop.weight = Some(weight.ok_or_else(|| invarg("\"weight\" is invalid\n", value))?);
                }
                _ => hop.onlink = true,
            }
        }
        hops.push(hop);
    }
    Ok(hops)
}
