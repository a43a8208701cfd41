//! `ip netns`. iproute2: `ip/ipnetns.c`.

use kernel::request::Request;
use packet::{NetnsId, Pid};
use world::Sys;

use super::Ip;
use super::each::Each;
use crate::console::{End, Stop};
use crate::iproute::args::{get_integer, invarg, matches, matches_any, not_simulated};
use crate::iproute::netlink::send;

fn usage() -> Stop {
    Stop::text(
        255,
        "Usage:\tip netns list\n\tip netns add NAME\n\tip netns attach NAME PID\n\tip netns set NAME NETNSID\n\
         \tip [-all] netns delete [NAME]\n\tip netns identify [PID]\n\tip netns pids NAME\n\
         \tip [-all] netns exec [NAME] cmd ...\n\tip netns monitor\n\
         \tip netns list-id [target-nsid POSITIVE-INT] [nsid POSITIVE-INT]\n\
         NETNSID := auto | POSITIVE-INT\n",
    )
}

/// Names in the order of the directory: newest first.
fn names(sys: &dyn Sys) -> Vec<(String, NetnsId)> {
    let mut names: Vec<_> = sys.kernel().netns_names.iter().map(|(name, id)| (name.clone(), *id)).collect();
    names.sort_by_key(|(_, id)| std::cmp::Reverse(*id));
    names
}

/// The id that `viewer` gave to another namespace.
fn nsid_of(sys: &dyn Sys, viewer: NetnsId, other: NetnsId) -> Option<u32> {
    let ids = &sys.kernel().get_ns(viewer)?.nsids;
    ids.iter().find(|(_, ns)| **ns == other).map(|(id, _)| *id)
}

/// Runs one `ip netns` command.
pub fn run(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let Some((&verb, rest)) = words.split_first() else { return list(ip) };
    if let (false, Some(name)) = (ip.options.all, rest.first())
        && (name.is_empty() || name.len() > 255 || name.contains('/') || *name == "." || *name == "..")
    {
        return Err(Stop::exit(255, format!("Invalid netns name \"{name}\"")));
    }
    if matches_any(verb, &["list", "show", "lst"]) {
        return list(ip);
    }
    match verb {
        _ if matches(verb, "list-id") => list_id(ip, rest),
        _ if matches(verb, "help") => Err(usage()),
        _ if matches(verb, "add") => add(ip, rest),
        _ if matches(verb, "set") => set(ip, rest),
        _ if matches(verb, "delete") => delete(ip, rest),
        _ if matches(verb, "identify") => identify(ip, rest),
        _ if matches(verb, "pids") => pids(ip, rest),
        _ if matches(verb, "exec") => exec(ip, rest),
        _ if matches_any(verb, &["monitor", "attach"]) => Err(not_simulated("ip", &format!("netns {verb}"))),
        _ => Err(Stop::exit(255, format!("Command \"{verb}\" is unknown, try \"ip netns help\"."))),
    }
}

fn list(ip: &mut Ip<'_, '_>) -> Result<i32, Stop> {
    let mut p = ip.options.printer();
    for (name, id) in names(ip.console.sys) {
        p.open_object("");
        p.any("name", "{}", name);
        if let Some(nsid) = nsid_of(ip.console.sys, ip.netns, id) {
            p.any("id", " (id: {})", nsid);
        }
        p.fp("\n");
        p.close_object();
    }
    ip.console.out(&p.finish());
    Ok(0)
}

fn list_id(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let only = match words {
        [] => None,
        ["target-nsid", ..] => return Err(not_simulated("ip", "target-nsid")),
        ["nsid", word, ..] => match get_integer(word) {
            None => return Err(invarg("\"nsid\" value is invalid", word)),
            Some(id) => Some(u32::try_from(id).map_err(|_| invarg("\"nsid\" value should be >= 0", word))?),
        },
        ["nsid"] => return Err(crate::iproute::args::incomplete()),
        _ => return Err(usage()),
    };
    let mut p = ip.options.printer();
    let names = names(ip.console.sys);
    let ids = ip.console.sys.kernel().get_ns(ip.netns).map(|ns| ns.nsids.clone()).unwrap_or_default();
    for (id, ns) in ids.iter().filter(|(id, _)| only.is_none_or(|only| only == **id)) {
        p.open_object("");
        p.any("nsid", "nsid {} ", *id);
        if let Some((name, _)) = names.iter().find(|(_, other)| other == ns) {
            p.any("name", "(iproute2 netns name: {})", name.as_str());
        }
        p.fp("\n");
        p.close_object();
    }
    ip.console.out(&p.finish());
    Ok(0)
}

/// What an `ip netns` command changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `add`.
    Add,
    /// `set`.
    Set,
    /// `delete`.
    Delete,
}

/// `ip netns add|set|delete …`.
///
/// # Errors
/// What iproute2 says about words it doesn't take.
pub fn parse(words: &[&str], verb: Verb) -> Result<Request, Stop> {
    let Some(&name) = words.first() else { return Err(Stop::fail(-1, "No netns name specified")) };
    let name = name.to_owned();
    match verb {
        Verb::Add => Ok(Request::NetnsAdd { name }),
        Verb::Delete => Ok(Request::NetnsDel { name }),
        Verb::Set => {
            let Some(word) = words.get(1) else { return Err(Stop::fail(-1, "No nsid specified")) };
            let id = match (*word, get_integer(word)) {
                ("auto", _) => None,
                (_, None) => return Err(invarg("Invalid \"netnsid\" value", word)),
                (_, Some(id)) => {
                    Some(u32::try_from(id).map_err(|_| invarg("\"netnsid\" value should be >= 0", word))?)
                }
            };
            Ok(Request::NetnsSetId { name, id })
        }
    }
}

fn add(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let request = parse(words, Verb::Add)?;
    let name = words.first().copied().unwrap_or_default();
    if ip.console.sys.netns_by_name(name).is_some() {
        return Err(Stop::fail(
            -1,
            format!("Cannot create namespace file \"/run/netns/{name}\": File exists"),
        ));
    }
    send(ip.console.sys, ip.netns, vec![request], -1)?;
    Ok(0)
}

fn set(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let request = parse(words, Verb::Set)?;
    let name = words.first().copied().unwrap_or_default();
    if ip.console.sys.netns_by_name(name).is_none() {
        return Err(cannot_open(name, End::Return(-1)));
    }
    send(ip.console.sys, ip.netns, vec![request], -2)?;
    Ok(0)
}

/// The refusal to enter a namespace that isn't there.
pub fn cannot_open(name: &str, end: End) -> Stop {
    Stop { text: format!("Cannot open network namespace \"{name}\": No such file or directory\n"), end }
}

fn delete(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let doomed: Vec<String> = if ip.options.all {
        names(ip.console.sys).into_iter().map(|(name, _)| name).collect()
    } else {
        parse(words, Verb::Delete)?;
        words.first().map(|name| (*name).to_owned()).into_iter().collect()
    };
    for name in doomed {
        let request = parse(&[&name], Verb::Delete)?;
        if ip.console.sys.netns_by_name(&name).is_none() {
            return Err(Stop::fail(
                -1,
                format!("Cannot remove namespace file \"/run/netns/{name}\": No such file or directory"),
            ));
        }
        send(ip.console.sys, ip.netns, vec![request], -1)?;
    }
    Ok(0)
}

fn identify(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let netns = match words {
        [] => Some(ip.netns),
        [word] => {
            if !word.chars().all(|c| c.is_ascii_digit()) {
                return Err(Stop::fail(-1, format!("Specified string '{word}' is not a pid")));
            }
            word.parse().ok().and_then(|pid| ip.console.sys.netns_of_pid(Pid(pid)))
        }
        _ => return Err(Stop::fail(-1, "extra arguments specified")),
    };
    let Some(netns) = netns else {
        return Err(Stop::fail(-1, "Cannot open network namespace: No such file or directory"));
    };
    let names = names(ip.console.sys);
    let name = names.iter().rev().find(|(_, id)| *id == netns).map(|(name, _)| name.as_str());
    ip.console.line(name.unwrap_or_default());
    Ok(0)
}

fn pids(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let name = match words {
        [] => return Err(Stop::fail(-1, "No netns name specified")),
        [name] => *name,
        _ => return Err(Stop::fail(-1, "extra arguments specified")),
    };
    let sys = &*ip.console.sys;
    let Some(netns) = sys.netns_by_name(name) else {
        return Err(Stop::fail(-1, "Cannot open network namespace: No such file or directory"));
    };
    let mut pids = sys.processes();
    pids.retain(|&pid| sys.netns_of_pid(pid) == Some(netns));
    pids.sort_unstable();
    for pid in pids {
        ip.console.line(&pid.to_string());
    }
    Ok(0)
}

/// `ip netns exec NAME COMMAND…`: the process enters the namespace and becomes the command.
fn exec(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    if ip.options.all {
        if words.is_empty() {
            return Err(Stop::fail(-1, "No command specified"));
        }
        if ip.in_batch {
            return Err(not_simulated("ip", "netns exec in a batch"));
        }
        let mut namespaces = names(ip.console.sys);
        namespaces.reverse();
        let command = words.iter().map(|word| (*word).to_owned()).collect();
        ip.each = Some(Each { namespaces, command });
        return Ok(0);
    }
    let Some((&name, command)) = words.split_first() else {
        return Err(Stop::fail(-1, "No netns name specified"));
    };
    let Some(program) = command.first() else { return Err(Stop::fail(-1, "No command specified")) };
    if ip.in_batch {
        return Err(not_simulated("ip", "netns exec in a batch"));
    }
    let Some(netns) = ip.console.sys.netns_by_name(name) else {
        return Err(cannot_open(name, End::Exit(255)));
    };
    ip.console.flush();
    ip.console.sys.set_netns(netns);
    let args = command.iter().map(|word| (*word).to_owned()).collect();
    match ip.console.sys.exec(args) {
        Ok(()) => {
            ip.became_another = true;
            Ok(0)
        }
        Err(errno) => Err(Stop::exit(1, format!("exec of \"{program}\" failed: {errno}"))),
    }
}
