//! `ip tuntap`. iproute2: `ip/iptuntap.c`.

use kernel::dump::KindInfo;
use kernel::request::{LinkAdd, LinkKind, Request};

use super::Ip;
use crate::console::Stop;
use crate::iproute::args::{Words, duparg2, invarg, is_ifname, matches, matches_any, not_simulated};
use crate::iproute::env::Env;
use crate::iproute::names::is_list;

fn usage() -> Stop {
    Stop::text(
        255,
        "Usage: ip tuntap { add | del | show | list | lst | help } [ dev PHYS_DEV ]\n       \
         [ mode { tun | tap } ] [ user USER ] [ group GROUP ]\n       \
         [ one_queue ] [ pi ] [ vnet_hdr ] [ multi_queue ] [ name NAME ]\n\n\
         Where: USER  := { STRING | NUMBER }\n       GROUP := { STRING | NUMBER }\n",
    )
}

/// The words after `add` or `del`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TunArgs {
    /// `dev` or `name`.
    pub name: Option<String>,
    /// `mode tap`.
    pub tap: bool,
}

/// iproute2: `parse_args`.
///
/// # Errors
/// What iproute2 says about words it doesn't take.
pub fn parse_args(words: &[&str]) -> Result<TunArgs, Stop> {
    let (mut name, mut mode): (Option<String>, Option<bool>) = (None, None);
    let mut words = Words::new(words);
    while let Some(word) = words.next_word() {
        match word {
            _ if matches(word, "mode") => {
                let value = words.value()?;
                let tap = if matches(value, "tun") {
                    false
                } else if matches(value, "tap") {
                    true
                } else {
                    return Err(Stop::exit(255, format!("Unknown tunnel mode \"{value}\"")));
                };
                if mode.is_some_and(|mode| mode != tap) {
                    return Err(Stop::exit(255, "You managed to ask for more than one tunnel mode."));
                }
                mode = Some(tap);
            }
            _ if matches_any(word, &["user", "group", "pi", "one_queue", "vnet_hdr", "multi_queue"]) => {
                return Err(not_simulated("ip", word));
            }
            _ => {
                let dev = matches(word, "dev");
                let key = if dev { "dev" } else { "name" };
                let value = if dev || matches(word, "name") {
                    words.value()?
                } else if matches(word, "help") {
                    return Err(usage());
                } else {
                    word
                };
                if !dev && name.is_some() {
                    return Err(duparg2("name", value));
                }
                if !is_ifname(value) {
                    return Err(invarg(&format!("\"{key}\" not a valid ifname"), value));
                }
                name = Some(value.to_owned());
            }
        }
    }
    match mode {
        Some(tap) => Ok(TunArgs { name, tap }),
        None => Err(Stop::fail(-1, "You failed to specify a tunnel mode")),
    }
}

/// `ip tuntap add …` as a request.
pub fn request(args: &TunArgs) -> Request {
    Request::LinkAdd(LinkAdd {
        name: args.name.clone(),
        netns: None,
        address: None,
        mtu: None,
        txqueuelen: None,
        index: None,
        changes: Vec::new(),
        kind: LinkKind::Tun { tap: args.tap, persist: true },
    })
}

/// Runs one `ip tuntap` command.
pub fn run(ip: &mut Ip<'_, '_>, words: &[&str]) -> Result<i32, Stop> {
    let Some((&verb, rest)) = words.split_first() else { return show(ip) };
    match verb {
        _ if matches(verb, "add") => add(ip, &parse_args(rest)?),
        _ if matches(verb, "delete") => delete(ip, &parse_args(rest)?),
        _ if is_list(verb) => show(ip),
        _ if matches(verb, "help") => Err(usage()),
        _ => Err(Stop::exit(255, format!("Command \"{verb}\" is unknown, try \"ip tuntap help\"."))),
    }
}

fn ioctl_failed(text: &str) -> Stop {
    Stop::fail(-1, format!("ioctl(TUNSETIFF): {text}"))
}

/// Kernel: `tun_set_iff` with `IFF_TUN_EXCL`.
fn add(ip: &mut Ip<'_, '_>, args: &TunArgs) -> Result<i32, Stop> {
    let env = ip.env();
    if let Some(link) = args.name.as_ref().and_then(|name| env.link(name)) {
        let busy = matches!(link.kind, Some(KindInfo::Tun { .. }));
        return Err(ioctl_failed(if busy { "Device or resource busy" } else { "Invalid argument" }));
    }
    match ip.console.sys.request(ip.netns, request(args)) {
        Ok(_) => Ok(0),
        Err(refusal) => Err(ioctl_failed(&refusal.errno.to_string())),
    }
}

/// Attaches to the device, which makes it if need be, and lets it go without a process.
fn delete(ip: &mut Ip<'_, '_>, args: &TunArgs) -> Result<i32, Stop> {
    let env = ip.env();
    let Some(link) = args.name.as_ref().and_then(|name| env.link(name)) else { return Ok(0) };
    match link.kind {
        Some(KindInfo::Tun { tap, .. }) if tap == args.tap => {
            let doomed = Request::LinkDel { dev: link.name };
            match ip.console.sys.request(ip.netns, doomed) {
                Ok(_) => Ok(0),
                Err(refusal) => Err(ioctl_failed(&refusal.errno.to_string())),
            }
        }
        _ => Err(ioctl_failed("Invalid argument")),
    }
}

fn show(ip: &mut Ip<'_, '_>) -> Result<i32, Stop> {
    let text = listing(ip.env(), ip);
    ip.console.out(&text);
    Ok(0)
}

fn listing(env: Env<'_>, ip: &Ip<'_, '_>) -> String {
    let mut p = ip.options.printer();
    for link in env.links() {
        let Some(KindInfo::Tun { tap, persist }) = link.kind else { continue };
        p.open_object("");
        p.any("ifname", "{}:", link.name.as_str());
        p.open_array("flags");
        let mode = if tap { "tap" } else { "tun" };
        p.element(mode, &format!(" {mode}"));
        if persist {
            p.element("persist", " persist");
        }
        p.close_array("");
        if ip.options.details {
            // Simplified: the processes attached are not listed.
            p.nl();
            p.fp("\tAttached to processes:");
            p.open_array("processes");
            p.close_array("");
        }
        p.close_object();
        p.fp("\n");
    }
    p.finish()
}
