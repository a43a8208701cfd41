//! `ip` of iproute2 6.1: options, objects, batches.
//!
//! Each object's file has a parser, a pure function of words and [`Env`], and a printer of the
//! kernel's dumps; this file joins them.

pub(crate) mod addr;
mod addr_show;
mod each;
mod filter;
pub(crate) mod link;
mod link_details;
mod link_show;
mod link_type;
mod list;
mod maddr;
pub(crate) mod neigh;
pub(crate) mod netns;
pub(crate) mod nexthop;
pub(crate) mod options;
pub(crate) mod route;
mod route_filter;
mod route_get;
mod route_show;
pub(crate) mod rule;
mod save;
#[cfg(test)]
mod tests;
mod tunnel;
mod tuntap;

use kernel::TableId;
use kernel::request::{Mode, Request};
use packet::NetnsId;
use world::{Fd, OpenMode, ReadResult, Registry, Sys};

use crate::console::{Console, End, Stop};
use crate::iproute::args::{Family, matches, matches_any, not_simulated};
use crate::iproute::env::Env;
use crate::iproute::names::is_list;
use crate::iproute::netlink::{refused, send};
use each::{Each, IpProcess};
use link_show::Listing;
use options::{Options, Parsed};

pub use link_details::priority_of;
pub use link_show::{link_type_name, print_link_flags, print_name_and_link};
pub use link_type::new_vxlan;
pub use options::is_color;

/// Installs `ip`.
pub fn install(registry: &mut Registry) {
    registry.install("ip", |args| Box::new(IpProcess { args, each: None, child: None }));
}

/// One run of the command.
pub struct Ip<'a, 's> {
    /// Where it prints, and its system calls.
    pub console: &'a mut Console<'s>,
    /// The namespace it acts in.
    pub netns: NetnsId,
    /// Options before the object.
    pub options: Options,
    /// Whether words come from a file.
    pub in_batch: bool,
    /// The process has become another program (`netns exec`).
    pub became_another: bool,
    /// What `-all netns exec` leaves to be run.
    pub each: Option<Each>,
}

impl Ip<'_, '_> {
    /// The names that exist now.
    pub fn env(&self) -> Env<'_> {
        Env::of(self.console.sys, self.netns)
    }

    fn send(&mut self, requests: Vec<Request>) -> Result<i32, Stop> {
        send(self.console.sys, self.netns, requests, -2)?;
        Ok(0)
    }
}

fn run(sys: &mut dyn Sys, args: &[String], each: &mut Option<Each>) -> i32 {
    let words: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    let mut console = Console::new(sys);
    let outcome = run_words(&mut console, &words, each);
    console.finish(outcome)
}

/// Runs `ip` with these words for a command that would call it.
pub(crate) fn run_at_once(sys: &mut dyn Sys, words: &[&str]) -> i32 {
    let mut console = Console::new(sys);
    let outcome = run_words(&mut console, words, &mut None);
    console.finish(outcome)
}

fn run_words(console: &mut Console<'_>, words: &[&str], each: &mut Option<Each>) -> Result<i32, Stop> {
    let (options, words) = match options::parse(words)? {
        Parsed::Version => {
            console.line("ip utility, iproute2-6.1.0, libbpf 1.1.2");
            return Ok(0);
        }
        Parsed::Options(options, words) => (*options, words),
    };
    let netns = enter(console.sys, &options.netns)?;
    let batch = options.batch.clone();
    let mut ip = Ip { console, netns, options, in_batch: false, became_another: false, each: None };
    if let Some(file) = batch {
        return run_batch(&mut ip, &file);
    }
    match words.split_first() {
        Some((object, rest)) => {
            let done = do_cmd(&mut ip, object, rest).map_err(as_exit);
            *each = ip.each;
            done
        }
        None => Err(options::usage()),
    }
}

/// Enters the namespaces of `-n`; the process stays there.
///
/// # Errors
/// There is none of that name.
pub fn enter(sys: &mut dyn Sys, names: &[String]) -> Result<NetnsId, Stop> {
    for name in names {
        match sys.netns_by_name(name) {
            Some(netns) => sys.set_netns(netns),
            None => return Err(netns::cannot_open(name, End::Exit(255))),
        }
    }
    Ok(sys.netns())
}

/// `ip` makes an exit status of a function's value by negating it.
fn as_exit(stop: Stop) -> Stop {
    match stop.end {
        End::Return(value) => Stop { end: End::Exit(-value & 0xff), ..stop },
        End::Exit(_) => stop,
    }
}

/// Objects that are there in reality, refused by name.
const OTHER_OBJECTS: &[&str] = &[
    "addrlabel",
    "ntable",
    "ntbl",
    "l2tp",
    "fou",
    "ila",
    "macsec",
    "token",
    "tcpmetrics",
    "tcp_metrics",
    "monitor",
    "xfrm",
    "mroute",
    "mrule",
    "netconf",
    "vrf",
    "sr",
    "mptcp",
    "ioam",
    "stats",
];

/// Objects in the order in which abbreviations are tried. iproute2: `cmds`.
const OBJECTS: &[&str] = &[
    "address",
    "addrlabel",
    "maddress",
    "route",
    "rule",
    "neighbor",
    "neighbour",
    "ntable",
    "ntbl",
    "link",
    "l2tp",
    "fou",
    "ila",
    "macsec",
    "tunnel",
    "tunl",
    "tuntap",
    "tap",
    "token",
    "tcpmetrics",
    "tcp_metrics",
    "monitor",
    "xfrm",
    "mroute",
    "mrule",
    "netns",
    "netconf",
    "vrf",
    "sr",
    "nexthop",
    "mptcp",
    "ioam",
    "help",
    "stats",
];

fn do_cmd(ip: &mut Ip<'_, '_>, object: &str, words: &[&str]) -> Result<i32, Stop> {
    let found = OBJECTS.iter().find(|name| matches(object, name)).copied();
    match found {
        Some("address") => do_addr(ip, words),
        Some("route") => do_route(ip, words),
        Some("rule") => do_rule(ip, words),
        Some("neighbor" | "neighbour") => do_neigh(ip, words),
        Some("link") => do_link(ip, words),
        Some("tuntap" | "tap") => tuntap::run(ip, words),
        Some("tunnel" | "tunl") => tunnel::run(ip, words),
        Some("netns") => netns::run(ip, words),
        Some("maddress") => maddr::run(ip, words),
        Some("nexthop") => nexthop::run(ip, words),
        Some("monitor") => Err(monitor(words)),
        Some("help") => Err(options::usage()),
        Some(name) if OTHER_OBJECTS.contains(&name) => Err(not_simulated("ip", name)),
        _ => Err(Stop::fail(-1, format!("Object \"{object}\" is unknown, try \"ip help\"."))),
    }
}

/// `ip monitor` refuses what it doesn't know before it listens. iproute2: `do_ipmonitor`.
fn monitor(words: &[&str]) -> Stop {
    const KNOWN: &[&str] = &[
        "file", "label", "all-nsid", "dev", "all", "link", "address", "route", "mroute", "prefix", "neigh",
        "netconf", "rule", "nsid", "nexthop", "stats", "help",
    ];
    match words.first() {
        Some(word) if !matches_any(word, KNOWN) => {
            Stop::exit(255, format!("Argument \"{word}\" is unknown, try \"ip monitor help\"."))
        }
        _ => not_simulated("ip", "monitor"),
    }
}

fn unknown(object: &str, verb: &str) -> Stop {
    Stop::exit(255, format!("Command \"{verb}\" is unknown, try \"ip {object} help\"."))
}

fn do_link(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let Some((&verb, rest)) = words.split_first() else { return show_links(ip, &[], Listing::Link) };
    let env = ip.env();
    let kind = match verb {
        _ if matches(verb, "add") => Some(link::Verb::Add),
        _ if matches_any(verb, &["set", "change"]) => Some(link::Verb::Set),
        _ if matches(verb, "replace") => Some(link::Verb::Replace),
        _ if matches(verb, "delete") => Some(link::Verb::Delete),
        _ => None,
    };
    if let Some(kind) = kind {
        let parse = link::parse(rest, kind, &ip.options, env)?;
        ip.console.error(&parse.warning);
        return ip.send(parse.requests);
    }
    match verb {
        _ if is_list(verb) => show_links(ip, rest, Listing::Link),
        _ if matches_any(verb, &["xstats", "afstats"]) => Err(not_simulated("ip", verb)),
        _ if matches(verb, "property") => {
            let requests = link::parse_property(rest, env)?;
            ip.send(requests)
        }
        _ if matches(verb, "help") => Err(link::usage()),
        _ => Err(unknown("link", verb)),
    }
}

fn show_links(ip: &mut Ip<'_, '_>, words: &[&str], listing: Listing) -> Result<i32, Stop> {
    let filter = filter::Filter::parse(words, listing, &ip.options, ip.env())?;
    // iproute2 asks for one device if nothing but its name is asked for, otherwise for all.
    let only = filter.dev.as_deref().filter(|_| listing == Listing::Link && filter.group.is_none());
    let links = ip.console.sys.links(ip.netns, only);
    let addrs = ip.console.sys.kernel().addrs(ip.netns);
    let text = list::show(&filter, listing, &links, &addrs, &ip.options, ip.env());
    ip.console.out(&text);
    Ok(0)
}

fn do_addr(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let Some((&verb, rest)) = words.split_first() else { return show_links(ip, &[], Listing::Addr) };
    let kind = match verb {
        _ if matches(verb, "add") => Some(addr::Verb::Put(Mode::Add)),
        _ if matches(verb, "change") || verb == "chg" => Some(addr::Verb::Put(Mode::Change)),
        _ if matches(verb, "replace") => Some(addr::Verb::Put(Mode::Replace)),
        _ if matches(verb, "delete") => Some(addr::Verb::Delete),
        _ => None,
    };
    if let Some(kind) = kind {
        let env = ip.env();
        let addrs = ip.console.sys.kernel().addrs(ip.netns);
        let parse = addr::parse(rest, kind, &ip.options, env, &addrs)?;
        ip.console.error(&parse.warning);
        return ip.send(vec![parse.request]);
    }
    match verb {
        _ if is_list(verb) => show_links(ip, rest, Listing::Addr),
        _ if matches(verb, "flush") => flush_addrs(ip, rest),
        _ if matches(verb, "save") => save::save_addrs(ip, rest),
        _ if matches(verb, "showdump") => save::show_addrs(ip),
        _ if matches(verb, "restore") => save::restore_addrs(ip),
        _ if matches(verb, "help") => Err(addr::usage()),
        _ => Err(unknown("address", verb)),
    }
}

/// How often a flush goes round. iproute2: `max_flush_loops`.
const MAX_ROUNDS: u32 = 10;

fn flush_addrs(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    if words.is_empty() {
        return Err(Stop::fail(-1, "Flush requires arguments."));
    }
    if ip.options.family == Family::Packet {
        return Err(Stop::fail(-1, "Cannot flush link addresses."));
    }
    let filter = filter::Filter::parse(words, Listing::Addr, &ip.options, ip.env())?;
    for round in 0..MAX_ROUNDS {
        let addrs = ip.console.sys.kernel().addrs(ip.netns);
        let doomed: Vec<_> = list::flushed(&filter, &addrs, ip.env()).into_iter().cloned().collect();
        if doomed.is_empty() {
            flush_done(ip, round);
            return Ok(0);
        }
        for info in &doomed {
            if ip.options.stats > 1 {
                let mut p = ip.options.printer();
                addr_show::print_addr(&mut p, info, true, &ip.options, ip.env());
                ip.console.out(&p.finish());
            }
            if let Some(request) = list::deletion(info, ip.env()) {
                // An address may have gone with its primary.
                let _ = ip.console.sys.request(ip.netns, request);
            }
        }
        flush_round(ip, round + 1, doomed.len(), "addresses");
        if filter.primary_only() {
            flush_done(ip, round + 1);
            return Ok(0);
        }
    }
    Err(Stop::fail(-1, format!("*** Flush remains incomplete after {MAX_ROUNDS} rounds. ***")))
}

fn flush_round(ip: &mut Ip<'_, '_>, round: u32, count: usize, what: &str) {
    if ip.options.stats > 0 {
        ip.console.line(&format!("\n*** Round {round}, deleting {count} {what} ***"));
    }
}

fn flush_done(ip: &mut Ip<'_, '_>, rounds: u32) {
    if ip.options.stats > 0 {
        let plural = if rounds > 1 { "s" } else { "" };
        ip.console.line(&match rounds {
            0 => "Nothing to flush.".to_owned(),
            _ => format!("*** Flush is complete after {rounds} round{plural} ***"),
        });
    }
}

fn do_route(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let Some((&verb, rest)) = words.split_first() else { return show_routes(ip, &[]) };
    let kind = match verb {
        _ if matches(verb, "add") => Some(route::Verb::Put(Mode::Add)),
        _ if matches(verb, "change") || verb == "chg" => Some(route::Verb::Put(Mode::Change)),
        _ if matches(verb, "replace") => Some(route::Verb::Put(Mode::Replace)),
        _ if matches(verb, "prepend") => Some(route::Verb::Put(Mode::Prepend)),
        _ if matches(verb, "append") => Some(route::Verb::Put(Mode::Append)),
        _ if matches(verb, "test") => Some(route::Verb::Put(Mode::Test)),
        _ if matches(verb, "delete") => Some(route::Verb::Delete),
        _ => None,
    };
    if let Some(kind) = kind {
        let request = route::parse(rest, kind, &ip.options, ip.env())?;
        return ip.send(vec![request]);
    }
    match verb {
        _ if is_list(verb) => show_routes(ip, rest),
        _ if matches(verb, "get") => get_route(ip, rest),
        _ if matches(verb, "flush") => flush_routes(ip, rest),
        _ if matches(verb, "save") => save::save_routes(ip, rest),
        _ if matches(verb, "restore") => save::restore_routes(ip),
        _ if matches(verb, "showdump") => save::show_routes(ip),
        _ if matches(verb, "help") => Err(route::usage()),
        _ => Err(unknown("route", verb)),
    }
}

fn show_routes(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let filter = route_filter::RouteFilter::parse(words, &ip.options, ip.env())?;
    let mut p = ip.options.printer();
    if ip.options.family != Family::Inet6 {
        let routes = ip.console.sys.kernel().routes(ip.netns);
        let host = ip.console.sys.kernel();
        let missing = filter.table.filter(|&t| t != TableId::MAIN && !host.fib_table_exists(ip.netns, t));
        if missing.is_some() {
            return Err(Stop {
                text: "Error: ipv4: FIB table does not exist.\nDump terminated\n".to_owned(),
                end: End::Return(-2),
            });
        }
        if filter.cache {
            let now = ip.console.sys.now();
            for (table, answer) in ip.console.sys.kernel().route_exceptions(ip.netns, now) {
                if filter.takes_exception(table, &answer) {
                    route_show::print_answer(&mut p, &answer, 0, &filter, &ip.options);
                }
            }
        }
        let objects = ip.console.sys.kernel().nexthops(ip.netns);
        for route in routes.iter().filter(|route| filter.takes(route)) {
            route_show::print_route(&mut p, route, &objects, &filter, &ip.options);
        }
    }
    ip.console.out(&p.finish());
    Ok(0)
}

fn get_route(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let get = route_get::parse(words, &ip.options, ip.env())?;
    ip.console.error(&get.warning);
    let sys = &*ip.console.sys;
    let answer =
        sys.kernel().route_get(ip.netns, &get.query, sys.now()).map_err(|refusal| refused(-2, &refusal))?;
    let mut p = ip.options.printer();
    match answer.fib.as_ref().filter(|_| get.fibmatch) {
        Some(route) => {
            let objects = sys.kernel().nexthops(ip.netns);
            let filter = route_filter::RouteFilter::default();
            route_show::print_route(&mut p, route, &objects, &filter, &ip.options);
        }
        None => {
            let all = route_filter::RouteFilter::default();
            route_show::print_answer(&mut p, &answer, get.query.tos, &all, &ip.options);
        }
    }
    ip.console.out(&p.finish());
    Ok(0)
}

fn flush_routes(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    if words.is_empty() {
        return Err(Stop::fail(-1, "\"ip route flush\" requires arguments."));
    }
    let filter = route_filter::RouteFilter::parse(words, &ip.options, ip.env())?;
    if filter.cache {
        ip.send(vec![Request::RouteFlushCache])?;
        if ip.options.stats > 0 {
            ip.console.line("*** IPv4 routing cache is flushed.");
        }
        return Ok(0);
    }
    for round in 0..MAX_ROUNDS {
        let routes = ip.console.sys.kernel().routes(ip.netns);
        let doomed: Vec<_> = routes.iter().filter(|route| filter.takes(route)).collect();
        if doomed.is_empty() || ip.options.family == Family::Inet6 {
            flush_done(ip, round);
            return Ok(0);
        }
        let count = doomed.len();
        for route in doomed {
            if ip.options.stats > 1 {
                let mut p = ip.options.printer();
                let objects = ip.console.sys.kernel().nexthops(ip.netns);
                route_show::print_route(&mut p, route, &objects, &filter, &ip.options);
                ip.console.out(&p.finish());
            }
            let request = route_filter::deletion(route);
            if let Err(refusal) = ip.console.sys.request(ip.netns, request) {
                return Err(Stop::fail(-2, format!("Failed to send flush request: {}", refusal.errno)));
            }
        }
        flush_round(ip, round + 1, count, "entries");
    }
    Ok(0)
}

fn do_rule(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let Some((&verb, rest)) = words.split_first() else { return show_rules(ip, &[]) };
    match verb {
        _ if matches_any(verb, &["list", "lst", "show"]) => show_rules(ip, rest),
        _ if matches(verb, "save") => save::save_rules(ip, rest),
        _ if matches(verb, "restore") => save::restore_rules(ip),
        _ if matches(verb, "add") => {
            let request = rule::parse(rest, rule::Verb::Add, &ip.options)?;
            ip.send(vec![request])
        }
        _ if matches(verb, "delete") => {
            let request = rule::parse(rest, rule::Verb::Delete, &ip.options)?;
            ip.send(vec![request])
        }
        _ if matches(verb, "flush") => {
            let filter = rule::RuleFilter::parse(rest, &ip.options)?;
            let rules = ip.console.sys.kernel().rules(ip.netns);
            let requests = rules.iter().filter(|rule| filter.flushes(rule)).map(rule::deletion).collect();
            ip.send(requests)
        }
        _ if matches(verb, "help") => Err(rule::usage()),
        _ => Err(unknown("rule", verb)),
    }
}

fn show_rules(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let filter = rule::RuleFilter::parse(words, &ip.options)?;
    let env = ip.env();
    let mut p = ip.options.printer();
    if ip.options.family != Family::Inet6 {
        let rules = ip.console.sys.kernel().rules(ip.netns);
        for rule in rules.iter().filter(|rule| filter.takes(rule)) {
            rule::print_rule(&mut p, rule, &rules, &ip.options, env);
        }
    }
    ip.console.out(&p.finish());
    Ok(0)
}

fn do_neigh(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let Some((&verb, rest)) = words.split_first() else { return show_neigh(ip, &[]) };
    let kind = match verb {
        _ if matches(verb, "add") => Some(neigh::Verb::Put(Mode::Add)),
        _ if matches(verb, "change") || verb == "chg" => Some(neigh::Verb::Put(Mode::Change)),
        _ if matches(verb, "replace") => Some(neigh::Verb::Put(Mode::Replace)),
        _ if matches(verb, "delete") => Some(neigh::Verb::Delete),
        _ => None,
    };
    if let Some(kind) = kind {
        let request = neigh::parse(rest, kind, &ip.options, ip.env())?;
        return ip.send(vec![request]);
    }
    match verb {
        _ if matches(verb, "get") => get_neigh(ip, rest),
        _ if is_list(verb) => show_neigh(ip, rest),
        _ if matches(verb, "flush") => flush_neigh(ip, rest),
        _ if matches(verb, "help") => Err(neigh::usage()),
        _ => Err(unknown("neigh", verb)),
    }
}

fn show_neigh(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let env = ip.env();
    let filter = neigh::NeighFilter::parse(words, neigh::Purpose::Show, &ip.options, env)?;
    let sys = &*ip.console.sys;
    let mut p = ip.options.printer();
    for info in sys.kernel().neighbours(ip.netns, sys.now()).iter().filter(|info| filter.takes(info, env)) {
        neigh::print_neigh(&mut p, info, filter.dev.is_none(), &ip.options);
    }
    ip.console.out(&p.finish());
    Ok(0)
}

fn get_neigh(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let query = neigh::parse_get(words, &ip.options, ip.env())?;
    let sys = &*ip.console.sys;
    let all = sys.kernel().neighbours(ip.netns, sys.now());
    let found = all.iter().find(|info| {
        info.addr == query.addr && info.proxy == query.proxy && (query.dev.is_none() || info.dev == query.dev)
    });
    let Some(info) = found else {
        let what = if query.proxy { "Proxy neighbour" } else { "Neighbour" };
        return Err(Stop::fail(-2, format!("Error: {what} entry not found.")));
    };
    // Always text: iproute2 opens no JSON here.
    let mut p = crate::iproute::printer::Printer::text(ip.options.oneline);
    neigh::print_neigh(&mut p, info, true, &ip.options);
    ip.console.out(&p.finish());
    Ok(0)
}

fn flush_neigh(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let mut filter = neigh::NeighFilter::parse(words, neigh::Purpose::Flush, &ip.options, ip.env())?;
    for round in 0..MAX_ROUNDS {
        let sys = &*ip.console.sys;
        let all = sys.kernel().neighbours(ip.netns, sys.now());
        let doomed: Vec<_> = all.iter().filter(|info| filter.takes(info, ip.env())).collect();
        if doomed.is_empty() {
            flush_done(ip, round);
            return Ok(0);
        }
        let count = doomed.len();
        for info in doomed {
            if ip.options.stats > 1 {
                let mut p = ip.options.printer();
                neigh::print_neigh(&mut p, info, filter.dev.is_none(), &ip.options);
                ip.console.out(&p.finish());
            }
            // An entry may have gone meanwhile.
            let _ = ip.console.sys.request(ip.netns, neigh::deletion(info));
        }
        flush_round(ip, round + 1, count, "entries");
        filter.states.retain(|&state| state != kernel::Nud::Failed);
    }
    ip.console.line(&format!("*** Flush not complete bailing out after {MAX_ROUNDS} rounds"));
    Ok(255)
}

/// Runs each line of a file. iproute2: `do_batch`.
fn run_batch(ip: &mut Ip<'_, '_>, file: &str) -> Result<i32, Stop> {
    let text = read_script(ip.console.sys, file)?;
    ip.in_batch = true;
    let family = ip.options.family;
    for_each_line(&text, |number, words| {
        ip.options.family = family;
        let Some((object, rest)) = words.split_first() else { return Ok(Outcome::Done) };
        match do_cmd(ip, object, rest) {
            Ok(0) => Ok(Outcome::Done),
            Ok(_) => Ok(batch_failed(ip.console, file, number, "", ip.options.force)),
            Err(Stop { text, end: End::Return(_) }) => {
                Ok(batch_failed(ip.console, file, number, &text, ip.options.force))
            }
            Err(stop) => Err(stop),
        }
    })
}

/// How a line of a batch went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Well.
    Done,
    /// It failed and the batch goes on.
    Failed,
    /// It failed and ends the batch.
    FailedLast,
}

/// Says that a line failed.
pub fn batch_failed(
    console: &mut Console<'_>,
    file: &str,
    number: usize,
    text: &str,
    force: bool,
) -> Outcome {
    console.error(&format!("{text}Command failed {file}:{number}\n"));
    if force { Outcome::Failed } else { Outcome::FailedLast }
}

/// The text of a batch file, or of standard input for `-`.
///
/// # Errors
/// The file can't be opened.
pub fn read_script(sys: &mut dyn Sys, file: &str) -> Result<String, Stop> {
    let fd = if file == "-" {
        Fd::STDIN
    } else {
        sys.open(file, OpenMode::Read)
            .map_err(|errno| Stop::exit(1, format!("Cannot open file \"{file}\" for reading: {errno}")))?
    };
    let mut bytes = Vec::new();
    // Simplified: what a pipe will bring later is not waited for.
    while let Ok(ReadResult::Data(data)) = sys.read(fd, 65536) {
        bytes.extend(data);
    }
    if fd != Fd::STDIN {
        sys.close(fd);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Calls `each` with the number and words of every line that has some.
///
/// # Errors
/// Those of `each`, and a quote without end.
pub fn for_each_line(
    text: &str,
    mut each: impl FnMut(usize, &[&str]) -> Result<Outcome, Stop>,
) -> Result<i32, Stop> {
    let mut status = 0;
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let mut number = index + 1;
        let strip = |line: &str| line.split('#').next().unwrap_or_default().to_owned();
        let mut line = strip(line);
        while let Some(head) = line.strip_suffix('\\').map(str::to_owned) {
            let Some((index, next)) = lines.next() else {
                return Err(Stop::text(status, "Missing continuation line\n"));
            };
            number = index + 1;
            line = head + &strip(next);
        }
        let words = split_words(&line)?;
        if words.is_empty() {
            continue;
        }
        match each(number, &words)? {
            Outcome::Done => {}
            Outcome::Failed => status = 1,
            Outcome::FailedLast => return Ok(1),
        }
    }
    Ok(status)
}

/// iproute2: `makeargs`.
fn split_words(line: &str) -> Result<Vec<&str>, Stop> {
    let mut words = Vec::new();
    let mut rest = line.trim_start_matches([' ', '\t', '\r', '\n']);
    while let Some(first) = rest.chars().next() {
        let (word, after) = if first == '\'' || first == '"' {
            rest[1..].split_once(first).ok_or_else(|| Stop::exit(1, "Unterminated quoted string"))?
        } else {
            rest.split_once([' ', '\t', '\r', '\n']).unwrap_or((rest, ""))
        };
        words.push(word);
        rest = after.trim_start_matches([' ', '\t', '\r', '\n']);
    }
    Ok(words)
}
