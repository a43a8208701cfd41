//! `ip nexthop`: text to requests, and the listing. iproute2: `ip/ipnexthop.c`.

use kernel::dump::NexthopInfo;
use kernel::request::{Mode, NexthopSpec, Request};
use kernel::{RouteProto, Scope};

use super::Ip;
use super::options::Options;
use crate::console::Stop;
use crate::iproute::args::{Family, Words, get_addr, get_u32, invarg, matches, not_simulated};
use crate::iproute::env::Env;
use crate::iproute::names::{is_list, proto_name, read_proto, scope_name};
use crate::iproute::netlink::{refusal_text, refused};
use crate::iproute::printer::Printer;

fn usage() -> Stop {
    Stop::text(
        255,
        "Usage: ip nexthop { list | flush } [ protocol ID ] SELECTOR\n\
         \x20      ip nexthop { add | replace } id ID NH [ protocol ID ]\n\
         \x20      ip nexthop { get | del } id ID\n\
         \x20      ip nexthop bucket list BUCKET_SELECTOR\n\
         \x20      ip nexthop bucket get id ID index INDEX\n\
         SELECTOR := [ id ID ] [ dev DEV ] [ vrf NAME ] [ master DEV ]\n\
         \x20           [ groups ] [ fdb ]\n\
         BUCKET_SELECTOR := SELECTOR | [ nhid ID ]\n\
         NH := { blackhole | [ via ADDRESS ] [ dev DEV ] [ onlink ]\n\
         \x20       [ encap ENCAPTYPE ENCAPHDR ] |\n\
         \x20       group GROUP [ fdb ] [ type TYPE [ TYPE_ARGS ] ] }\n\
         GROUP := [ <id[,weight]>/<id[,weight]>/... ]\n\
         TYPE := { mpath | resilient }\n\
         TYPE_ARGS := [ RESILIENT_ARGS ]\n\
         RESILIENT_ARGS := [ buckets BUCKETS ] [ idle_timer IDLE ]\n\
         \x20                 [ unbalanced_timer UNBALANCED ]\n\
         ENCAPTYPE := [ mpls ]\n\
         ENCAPHDR := [ MPLSLABEL ]\n",
    )
}

/// What a `nexthop` command changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `add`, `replace`.
    Put(Mode),
    /// `delete`.
    Delete,
}

/// Runs one `ip nexthop` command. iproute2: `do_ipnh`.
pub fn run(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let Some((&verb, rest)) = words.split_first() else { return show(ip, &[]) };
    let change = match verb {
        _ if matches(verb, "add") => Some(Verb::Put(Mode::Add)),
        _ if matches(verb, "replace") => Some(Verb::Put(Mode::Replace)),
        _ if matches(verb, "delete") => Some(Verb::Delete),
        _ => None,
    };
    if let Some(change) = change {
        let request = parse(rest, change, &ip.options, ip.env())?;
        return ip.send(vec![request]);
    }
    match verb {
        _ if is_list(verb) => show(ip, rest),
        _ if matches(verb, "get") => get(ip, rest),
        _ if matches(verb, "flush") => flush(ip, rest),
        _ if matches(verb, "bucket") => Err(not_simulated("ip", "nexthop bucket")),
        _ if matches(verb, "help") => Err(usage()),
        _ => Err(Stop::exit(255, format!("Command \"{verb}\" is unknown, try \"ip nexthop help\"."))),
    }
}

/// `ip nexthop add|replace|delete …`. iproute2: `ipnh_modify`.
///
/// # Errors
/// What iproute2 says about words it doesn't take.
pub fn parse(words: &[&str], verb: Verb, options: &Options, env: Env<'_>) -> Result<Request, Stop> {
    let mut spec = NexthopSpec::default();
    let mut family = options.family;
    let mut words = Words::new(words);
    while let Some(word) = words.next_word() {
        match word {
            "id" => spec.id = Some(read_id(words.value()?)?),
            "dev" => {
                spec.dev = Some(read_dev(words.value()?, env)?);
                adopt(&mut family, Family::Inet);
            }
            "via" => {
                let mut value = words.value()?;
                let mut wanted = family;
                if let Some(named) = Family::read(value) {
                    wanted = named;
                    value = words.value()?;
                }
                let addr = get_addr(value, wanted)?;
                adopt(&mut family, addr.family);
                if family != addr.family {
                    return Err(invarg("address family mismatch\n", value));
                }
                spec.via = Some(addr.address());
            }
            "blackhole" => {
                spec.blackhole = true;
                adopt(&mut family, Family::Inet);
            }
            "encap" | "fdb" => return Err(not_simulated("ip", word)),
            "onlink" => spec.onlink = true,
            "group" => {
                let value = words.value()?;
                spec.group = Some(read_group(value)?);
            }
            "type" => match words.value()? {
                "mpath" => {}
                "resilient" => return Err(not_simulated("ip", "type resilient")),
                value => return Err(invarg("\"type\" value is invalid\n", value)),
            },
            _ if matches(word, "protocol") => {
                let value = words.value()?;
                spec.proto =
                    read_proto(value).ok_or_else(|| invarg("\"protocol\" value is invalid\n", value))?;
            }
            "help" => return Err(usage()),
            _ => return Err(invarg("", word)),
        }
    }
    if family == Family::Inet6 {
        return Err(not_simulated("ip", "-6 nexthop"));
    }
    Ok(match verb {
        Verb::Put(mode) => Request::NexthopAdd(spec, mode),
        Verb::Delete => Request::NexthopDel { id: spec.id },
    })
}

fn adopt(family: &mut Family, found: Family) {
    if *family == Family::Unspec {
        *family = found;
    }
}

fn read_id(value: &str) -> Result<u32, Stop> {
    get_u32(value).ok_or_else(|| invarg("invalid id value", value))
}

fn read_dev(value: &str, env: Env<'_>) -> Result<String, Stop> {
    match env.has_device(value) {
        true => Ok(env.own_name(value)),
        false => Err(invarg("Device does not exist\n", value)),
    }
}

/// `1/2,3`: ids, each with a weight perhaps. iproute2: `add_nh_group_attr`.
fn read_group(value: &str) -> Result<Vec<(u32, Option<u32>)>, Stop> {
    let bad = || invarg("\"group\" value is invalid\n", value.split(['/', ',']).next().unwrap_or_default());
    let member = |text: &str| {
        let (id, weight) = match text.split_once(',') {
            Some((id, weight)) => (id, Some(weight)),
            None => (text, None),
        };
        let id = get_u32(id).ok_or_else(bad)?;
        let weight = match weight {
            Some(text) => {
                let weight = get_u32(text).filter(|weight| (1..=256).contains(weight));
                Some(weight.ok_or_else(|| invarg("\"weight\" is invalid\n", text))?)
            }
            None => None,
        };
        Ok((id, weight))
    };
    if value.is_empty() {
        return Err(bad());
    }
    value.split('/').map(member).collect()
}

/// The words after `list` or `flush`. iproute2: `ipnh_list_flush`.
#[derive(Clone, Debug, Default)]
struct Filter {
    dev: Option<String>,
    groups: bool,
    master: Option<String>,
    proto: Option<u32>,
    id: Option<u32>,
}

impl Filter {
    fn parse(words: &[&str], env: Env<'_>) -> Result<Self, Stop> {
        let mut filter = Self::default();
        let mut words = Words::new(words);
        while let Some(word) = words.next_word() {
            match word {
                _ if matches(word, "dev") => filter.dev = Some(read_dev(words.value()?, env)?),
                _ if matches(word, "groups") => filter.groups = true,
                _ if matches(word, "master") => filter.master = Some(read_dev(words.value()?, env)?),
                _ if matches(word, "vrf") => return Err(not_simulated("ip", word)),
                "id" => {
                    filter.id = Some(read_id(words.value()?)?);
                    return Ok(filter);
                }
                _ if matches(word, "protocol") => {
                    let value = words.value()?;
                    let proto = get_u32(value).ok_or_else(|| invarg("invalid protocol value", value))?;
                    filter.proto = Some(proto).filter(|&proto| proto != 0);
                }
                _ if matches(word, "fdb") => return Err(not_simulated("ip", word)),
                _ if matches(word, "help") => return Err(usage()),
                _ => return Err(invarg("", word)),
            }
        }
        Ok(filter)
    }

    /// Whether an object passes. Kernel: `net/ipv4/nexthop.c`, `nh_dump_filtered`.
    fn takes(&self, info: &NexthopInfo, family: Family, env: Env<'_>) -> bool {
        let master = || info.dev.as_ref().and_then(|dev| env.link(dev)?.master);
        let single = self.dev.is_none() && self.master.is_none() && family == Family::Unspec;
        (!self.groups || info.group.is_some())
            && (single || info.group.is_none())
            && (self.dev.is_none() || self.dev == info.dev)
            && (self.master.is_none() || self.master == master())
            && self.proto.is_none_or(|proto| proto == u32::from(info.proto.0))
    }
}

fn show(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let env = ip.env();
    let filter = Filter::parse(words, env)?;
    if let Some(id) = filter.id {
        return show_one(ip, id);
    }
    let mut p = ip.options.printer();
    if ip.options.family != Family::Inet6 {
        for info in ip.console.sys.kernel().nexthops(ip.netns) {
            if filter.takes(&info, ip.options.family, env) {
                print_nexthop(&mut p, "", &info, &ip.options);
                p.fp("\n");
            }
        }
    }
    ip.console.out(&p.finish());
    Ok(0)
}

fn get(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let mut id = 0;
    let mut words = Words::new(words);
    while let Some(word) = words.next_word() {
        match word {
            "id" => id = read_id(words.value()?)?,
            _ => return Err(usage()),
        }
    }
    match id {
        0 => Err(usage()),
        id => show_one(ip, id),
    }
}

fn show_one(ip: &mut Ip<'_, '_>, id: u32) -> Result<i32, Stop> {
    let found = ip.console.sys.kernel().nexthops(ip.netns).into_iter().find(|info| info.id == id);
    let Some(info) = found else {
        let refusal = match id {
            0 => kernel::Refusal::because(kernel::Errno::Inval, "Invalid nexthop id."),
            _ => kernel::Errno::NoEnt.into(),
        };
        return Err(refused(-2, &refusal));
    };
    let mut p = ip.options.printer();
    print_nexthop(&mut p, "", &info, &ip.options);
    p.fp("\n");
    ip.console.out(&p.finish());
    Ok(0)
}

/// iproute2: `ipnh_flush`. Without a selector the groups go first.
fn flush(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let filter = Filter::parse(words, ip.env())?;
    if let Some(id) = filter.id {
        let request = Request::NexthopDel { id: Some(id) };
        return match ip.console.sys.request(ip.netns, request) {
            Ok(_) => Ok(0),
            Err(refusal) => Err(refused(-1, &refusal)),
        };
    }
    let rounds = if words.is_empty() {
        vec![Filter { groups: true, ..Filter::default() }, Filter::default()]
    } else {
        vec![filter]
    };
    let mut flushed = 0;
    for filter in rounds {
        for info in ip.console.sys.kernel().nexthops(ip.netns) {
            if !filter.takes(&info, ip.options.family, ip.env()) {
                continue;
            }
            match ip.console.sys.request(ip.netns, Request::NexthopDel { id: Some(info.id) }) {
                Ok(_) => flushed += 1,
                // A group went with its last member.
                Err(refusal) => ip.console.error(&refusal_text(&refusal)),
            }
        }
    }
    ip.console.line(&match flushed {
        0 => "Nothing to flush".to_owned(),
        count => format!("Flushed {count} nexthops"),
    });
    Ok(0)
}

/// One object, without its end of line; `key` is the JSON member it is under.
/// iproute2: `__print_nexthop_entry`.
pub fn print_nexthop(p: &mut Printer, key: &str, info: &NexthopInfo, options: &Options) {
    p.open_object(key);
    p.any("id", "id {} ", info.id);
    if let Some(group) = &info.group {
        p.open_array_or("group", "group ");
        for (at, (id, weight)) in group.iter().enumerate() {
            p.open_object("");
            if at > 0 {
                p.fp("/");
            }
            p.any("id", "{}", *id);
            if *weight > 1 {
                p.any("weight", ",{}", *weight);
            }
            p.close_object();
        }
        p.close_array(" ");
    }
    if let Some(via) = info.via {
        p.any("gateway", "via {} ", via.to_string());
    }
    if let Some(dev) = &info.dev {
        p.any("dev", "dev {} ", dev.as_str());
    }
    if info.scope != Scope::GLOBAL || options.details {
        p.any("scope", "scope {} ", scope_name(info.scope, options.numeric));
    }
    if info.blackhole {
        p.null("blackhole", "blackhole ");
    }
    if info.proto != RouteProto(0) || options.details {
        p.any("protocol", "proto {} ", proto_name(info.proto, options.numeric));
    }
    p.open_array("flags");
    if info.onlink {
        p.element("onlink", "onlink ");
    }
    p.close_array("");
    p.close_object();
}
