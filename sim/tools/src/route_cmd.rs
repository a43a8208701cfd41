//! `route` and `netstat` of net-tools 2.10.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use kernel::dump::RouteInfo;
use kernel::request::{Mode, NextHopSpec, Request, RouteSpec};
use kernel::{RouteKind, RouteMetric, RouteProto, Scope, TableId};
use world::{Registry, Sys};

use crate::console::{Console, Stop};
use crate::iproute::args::Words;
use crate::iproute::env::Env;
use crate::netstat;
use crate::nettools::{class_len, host, mask_len, mask_of};

/// Installs `route` and `netstat`.
pub fn install(registry: &mut Registry) {
    registry.install_command("route", run_route);
    registry.install_command("netstat", run_netstat);
}

const USAGE: &str = "\
Usage: inet_route [-vF] del {-host|-net} Target[/prefix] [gw Gw] [metric M] [[dev] If]
       inet_route [-vF] add {-host|-net} Target[/prefix] [gw Gw] [metric M]
                              [netmask N] [mss Mss] [window W] [irtt I]
                              [mod] [dyn] [reinstate] [[dev] If]
       inet_route [-vF] add {-host|-net} Target[/prefix] [metric M] reject
       inet_route [-FC] flush      NOT supported
";

/// Simplified: the first lines of the real text.
const MAIN_USAGE: &str = "Usage: route [-nNvee] [-FC] [<AF>]           List kernel routing tables\n       \
                          route [-v] [-FC] {add|del|flush} ...  Modify routing table for AF.\n";

fn run_route(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let words: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    let mut console = Console::new(sys);
    let outcome = route(&mut console, &words);
    console.finish(outcome)
}

fn run_netstat(sys: &mut dyn Sys, args: &[String]) -> i32 {
    let words: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    let mut console = Console::new(sys);
    let letters: String = words.iter().filter_map(|word| word.strip_prefix('-')).collect();
    let outcome = if letters.contains('r') && letters.chars().all(|c| "rne".contains(c)) {
        // `-e` turns netstat's short form into route's.
        list(&mut console, letters.contains('n'), !letters.contains('e'));
        Ok(0)
    } else {
        netstat::run(&mut console, &words)
    };
    console.finish(outcome)
}

fn route(console: &mut Console<'_>, words: &[&str]) -> Result<i32, Stop> {
    let (mut numeric, mut extended) = (false, 0);
    let mut words = Words::new(words);
    while let Some(word) = words.peek().filter(|word| word.starts_with('-')) {
        words.next_word();
        match word {
            "-V" | "--version" => {
                console.line("net-tools 2.10");
                return Ok(0);
            }
            "-h" | "--help" => return Err(Stop::text(3, MAIN_USAGE)),
            _ => {}
        }
        for letter in word.chars().skip(1) {
            match letter {
                'n' => numeric = true,
                'e' => extended += 1,
                'v' | '4' | 'F' => {}
                _ => return Err(Stop::exit(2, format!("route: option \"{word}\" is not simulated"))),
            }
        }
    }
    match words.next_word() {
        None => {
            list(console, numeric, extended == 1);
            Ok(0)
        }
        Some("add") => change(console, words, true),
        Some("del" | "delete") => change(console, words, false),
        Some("flush") => Err(Stop::exit(2, "route: option \"flush\" is not simulated")),
        Some(_) => Err(Stop::text(3, MAIN_USAGE)),
    }
}

fn misuse(line: &str) -> Stop {
    Stop::text(3, format!("{line}{USAGE}"))
}

/// What the words of `add` or `del` ask for.
///
/// # Errors
/// What `route` says about words it doesn't take.
fn parse(mut words: Words<'_>, add: bool, env: Env<'_>) -> Result<RouteSpec, Stop> {
    let Some(mut word) = words.next_word() else { return Err(Stop::text(0, USAGE)) };
    let mut kind = None;
    if matches!(word, "-net" | "-host") {
        kind = Some(word == "-net");
        word = words.next_word().ok_or_else(|| misuse(""))?;
    }
    let (text, len) = word.split_once('/').map_or((word, None), |(text, len)| (text, Some(len)));
    let target = host(text, 6)?;
    let is_default = word == "default" || (target.is_unspecified() && kind != Some(false));
    let mut mask = match len.map(str::parse::<u8>) {
        Some(Ok(len)) if len <= 32 => Some(mask_of(len)),
        Some(_) => return Err(misuse("route: netmask doesn't match route address\n")),
        None => None,
    };
    let is_net = kind.unwrap_or(is_default || mask.is_some_and(|mask| mask != Ipv4Addr::BROADCAST));
    let mut spec = empty(add);
    let (mut via, mut dev): (Option<IpAddr>, Option<String>) = (None, None);
    while let Some(word) = words.next_word() {
        let mut value = || words.next_word().ok_or_else(|| misuse(""));
        let number = |text: &str| text.parse::<u32>().map_err(|_| misuse(""));
        match word {
            "metric" => spec.metric = Some(number(value()?)?).filter(|&metric| metric != 0),
            "netmask" => mask = Some(host(value()?, 6)?),
            "gw" | "gateway" => {
                let text = value()?;
                let addr =
                    host(text, 6).map_err(|stop| Stop { text: format!("{text}: Unknown host\n"), ..stop })?;
                via = Some(IpAddr::V4(addr));
            }
            // The kernel takes the value as a segment's size with 40 bytes of headers.
            "mss" => spec.advmss = Some(number(value()?)?.saturating_sub(40)),
            "window" => spec.metrics.push(RouteMetric { number: 3, value: number(value()?)?, locked: false }),
            "irtt" => {
                spec.metrics.push(RouteMetric {
                    number: 4,
                    value: number(value()?)?.saturating_mul(8),
                    locked: false,
                });
            }
            "reject" => spec.kind = Some(RouteKind::Unreachable),
            "mod" | "dyn" | "reinstate" => {}
            "dev" | "device" => dev = Some(value()?.to_owned()),
            _ if dev.is_none() => dev = Some(word.to_owned()),
            _ => return Err(misuse("")),
        }
    }
    if let Some(mask) = mask {
        let bits = u32::from(mask);
        if !is_net && mask != Ipv4Addr::BROADCAST {
            let text = format!("route: netmask {:08x} doesn't make sense with host route\n", !bits);
            return Err(misuse(&text));
        }
        if mask_len(mask).is_none() {
            return Err(misuse(&format!("route: bogus netmask {mask}\n")));
        }
        if u32::from(target) & !bits != 0 {
            return Err(misuse("route: netmask doesn't match route address\n"));
        }
    }
    let len = match (mask.and_then(mask_len), is_net) {
        (Some(len), _) => len,
        (None, true) if is_default => 0,
        (None, true) => class_len(target),
        (None, false) => 32,
    };
    let net = Ipv4Net::new(target, len).map_err(|_| misuse(""))?;
    if net.network() != target {
        return Err(Stop::exit(7, format!("{}: Invalid argument", ioctl(add))));
    }
    spec.dst = (len != 0).then_some(IpNet::V4(net));
    if let Some(dev) = dev.as_ref().filter(|dev| !env.has_device(dev)) {
        let _ = dev;
        return Err(Stop::exit(7, format!("{}: No such device", ioctl(add))));
    }
    if add {
        spec.scope = Some(match (spec.kind, via) {
            (Some(RouteKind::Unreachable), _) => Scope::HOST,
            (_, Some(_)) => Scope::GLOBAL,
            _ => Scope::LINK,
        });
        spec.proto = Some(RouteProto::BOOT);
    }
    if dev.is_some() || via.is_some() {
        spec.nexthops = vec![NextHopSpec { dev, via, onlink: false, weight: None }];
    }
    Ok(spec)
}

fn empty(add: bool) -> RouteSpec {
    RouteSpec {
        kind: if add { Some(RouteKind::Unicast) } else { None },
        table: Some(TableId::MAIN),
        ..RouteSpec::default()
    }
}

const fn ioctl(add: bool) -> &'static str {
    if add { "SIOCADDRT" } else { "SIOCDELRT" }
}

fn change(console: &mut Console<'_>, words: Words<'_>, add: bool) -> Result<i32, Stop> {
    let netns = console.sys.netns();
    let env = Env::of(console.sys, netns);
    let spec = parse(words, add, env)?;
    // The ioctl creates without asking whether another such route exists: it comes first.
    let request = if add { Request::RouteAdd(spec, Mode::Prepend) } else { Request::RouteDel(spec) };
    match console.sys.request(netns, request) {
        Ok(_) => Ok(0),
        Err(refusal) => Err(Stop::exit(7, format!("{}: {}", ioctl(add), refusal.errno))),
    }
}

/// The main table. Kernel: `fib_route_seq_show`; broadcasts and multicasts are left out.
fn list(console: &mut Console<'_>, numeric: bool, short: bool) {
    let netns = console.sys.netns();
    console.line("Kernel IP routing table");
    console.line(if short {
        "Destination     Gateway         Genmask         Flags   MSS Window  irtt Iface"
    } else {
        "Destination     Gateway         Genmask         Flags Metric Ref    Use Iface"
    });
    for route in console.sys.kernel().routes(netns) {
        let listed = route.table == TableId::MAIN
            && !matches!(route.kind, RouteKind::Broadcast | RouteKind::Multicast);
        if listed {
            console.line(&line(&route, numeric, short));
        }
    }
}

fn line(route: &RouteInfo, numeric: bool, short: bool) -> String {
    let hop = route.nexthops.first();
    let via = hop.and_then(|hop| hop.via);
    let reject = matches!(route.kind, RouteKind::Unreachable | RouteKind::Prohibit);
    let mut flags = String::new();
    if reject {
        flags.push('!');
        if route.dst.prefix_len() == 32 {
            flags.push('H');
        }
    } else {
        flags.push_str(if hop.is_some_and(|hop| hop.dead) { "" } else { "U" });
        flags.push_str(if via.is_some() { "G" } else { "" });
        flags.push_str(if route.dst.prefix_len() == 32 { "H" } else { "" });
    }
    let dst = match route.dst.prefix_len() {
        0 if !numeric => "default".to_owned(),
        _ => route.dst.addr().to_string(),
    };
    let gateway = match via {
        _ if reject => "-".to_owned(),
        Some(via) => via.to_string(),
        None => "0.0.0.0".to_owned(),
    };
    let mask = mask_of(route.dst.prefix_len());
    let dev = match hop {
        _ if reject => "-",
        Some(hop) if !hop.dev.is_empty() => hop.dev.as_str(),
        _ => "*",
    };
    let head = format!("{dst:<15} {gateway:<15} {mask:<15} {flags:<5}", mask = mask.to_string());
    let metric_of = |number: u8| route.metrics.iter().find(|m| m.number == number).map_or(0, |m| m.value);
    match (short, reject) {
        (true, true) => format!("{head} {:>5} {:<5} {:>6} {dev}", "-", "-", "-"),
        (true, false) => {
            let mss = route.advmss.map_or(0, |mss| mss + 40);
            format!("{head} {mss:>5} {:<5} {:>6} {dev}", metric_of(3), metric_of(4) / 8)
        }
        (false, true) => format!("{head} {:<6} {:<2} {:>7} {dev}", route.metric, "-", 0),
        (false, false) => format!("{head} {:<6} {:<2} {:>7} {dev}", route.metric, 0, 0),
    }
}
