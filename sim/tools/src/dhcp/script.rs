//! What a distribution's script does with a lease. Source: Debian 12's `dhclient-script` and
//! `/etc/udhcpc/default.script`; the commands are run as they stand there.

use std::net::Ipv4Addr;

use kernel::request::Mode;
use world::{OpenMode, Sys};

use super::lease::Lease;
use crate::ip::options::Options;
use crate::ip::route;
use crate::iproute::env::Env;
use crate::net::read_file;

/// Runs `ip` with these words; its errors go to standard error.
fn ip(sys: &mut dyn Sys, words: &[&str]) -> i32 {
    crate::ip::run_at_once(sys, words)
}

/// Adds a route and says nothing of a failure (`>/dev/null 2>&1`).
fn quiet_route(sys: &mut dyn Sys, words: &[&str]) {
    let netns = sys.netns();
    let env = Env::of(sys, netns);
    if let Ok(request) = route::parse(words, route::Verb::Put(Mode::Add), &Options::default(), env) {
        let _ = sys.request(netns, request);
    }
}

/// `PREINIT`: the device is set up. Answers whether it could be.
pub(super) fn preinit(sys: &mut dyn Sys, device: &str) -> bool {
    ip(sys, &["link", "set", "dev", device, "up"]) == 0
}

/// `BOUND`, `REBOOT`, `RENEW`, `REBIND`, `TIMEOUT`: the address, default routes and name servers.
pub(super) fn bound(sys: &mut dyn Sys, device: &str, lease: &Lease, old: Option<Ipv4Addr>, renewed: bool) {
    if old.is_some_and(|old| old != lease.address) {
        ip(sys, &["-4", "addr", "flush", "dev", device, "label", device]);
    }
    let again = renewed && old == Some(lease.address);
    let mut words = vec!["-4".to_owned(), "addr".to_owned()];
    words.push(if again { "change" } else { "add" }.to_owned());
    words.push(match lease.mask() {
        Some(mask) => format!("{}/{mask}", lease.address),
        None => lease.address.to_string(),
    });
    if let Some(broadcast) = lease.broadcast() {
        words.extend(["broadcast".to_owned(), broadcast.to_string()]);
    }
    if let (Some(time), ..) = lease.times() {
        for key in ["valid_lft", "preferred_lft"] {
            words.extend([key.to_owned(), time.to_string()]);
        }
    }
    words.extend(["dev", device, "label", device].map(str::to_owned));
    ip(sys, &words.iter().map(String::as_str).collect::<Vec<_>>());
    if !again {
        if let Some(mtu) = lease.mtu() {
            ip(sys, &["link", "set", "dev", device, "mtu", &mtu.to_string()]);
        }
        default_routes(sys, device, lease);
    }
    resolv_conf(sys, lease);
}

fn default_routes(sys: &mut dyn Sys, device: &str, lease: &Lease) {
    let routers = lease.routers();
    for (index, router) in routers.iter().enumerate() {
        let router = router.to_string();
        if lease.mask() == Some(Ipv4Addr::BROADCAST) {
            quiet_route(sys, &[&router, "dev", device]);
        }
        let metric = (index + 1).to_string();
        let mut words = vec!["default", "via", &router, "dev", device];
        if routers.len() > 1 {
            words.extend(["metric", &metric]);
        }
        quiet_route(sys, &words);
    }
}

/// `EXPIRE`, `RELEASE`, `FAIL`: the address goes.
pub(super) fn unbound(sys: &mut dyn Sys, device: &str) {
    ip(sys, &["-4", "addr", "flush", "dev", device, "label", device]);
}

/// `TIMEOUT`, when the recorded router doesn't answer: no address is left.
pub(super) fn flush(sys: &mut dyn Sys, device: &str) {
    ip(sys, &["-4", "addr", "flush", "dev", device]);
}

/// Source: `make_resolv_conf`.
fn resolv_conf(sys: &mut dyn Sys, lease: &Lease) {
    let (domain, servers) = (lease.domain(), lease.name_servers());
    if domain.is_none() && servers.is_empty() {
        return;
    }
    let mut text = String::new();
    if let Some(domain) = &domain {
        let first = domain.split(' ').next().unwrap_or_default();
        text.push_str(&format!("domain {first}\nsearch {domain}\n"));
    }
    if servers.is_empty() {
        let kept = read_file(sys, RESOLV_CONF).unwrap_or_default();
        let is_server = |line: &&str| line.to_ascii_lowercase().contains("nameserver");
        text.extend(kept.lines().filter(is_server).map(|line| format!("{line}\n")));
    }
    text.extend(servers.iter().map(|server| format!("nameserver {server}\n")));
    write_file(sys, RESOLV_CONF, &text);
}

const RESOLV_CONF: &str = "/etc/resolv.conf";

/// `deconfig` of udhcpc's script: the device is up and has neither addresses nor routes.
pub(super) fn deconfig(sys: &mut dyn Sys, device: &str) {
    ip(sys, &["link", "set", device, "up"]);
    ip(sys, &["-4", "addr", "flush", "dev", device]);
    ip(sys, &["-4", "route", "flush", "dev", device]);
}

/// `bound` and `renew` of udhcpc's script.
pub(super) fn udhcpc_bound(sys: &mut dyn Sys, device: &str, lease: &Lease) {
    let address = lease.address.to_string();
    let mut words = vec![device.to_owned(), address];
    for (key, value) in [("netmask", lease.mask()), ("broadcast", lease.broadcast())] {
        words.extend(value.into_iter().flat_map(|value| [key.to_owned(), value.to_string()]));
    }
    if let Some(mtu) = lease.mtu() {
        words.extend(["mtu".to_owned(), mtu.to_string()]);
    }
    crate::ifconfig::run_at_once(sys, &words.iter().map(String::as_str).collect::<Vec<_>>());
    if let Some(router) = lease.routers().first() {
        let netns = sys.netns();
        let router = router.to_string();
        let present = sys.kernel().routes(netns).iter().any(|route| {
            route.dst.prefix_len() == 0
                && route
                    .nexthops
                    .iter()
                    .any(|hop| hop.dev == device && hop.via.is_some_and(|via| via.to_string() == router))
        });
        if !present {
            ip(sys, &["-4", "route", "flush", "exact", "0.0.0.0/0", "dev", device]);
        }
        let mut words = vec!["default", "via", &router, "dev", device];
        if lease.mask() == Some(Ipv4Addr::BROADCAST) {
            words.push("onlink");
        }
        let env = Env::of(sys, netns);
        if let Ok(request) = route::parse(&words, route::Verb::Put(Mode::Add), &Options::default(), env)
            && let Err(refusal) = sys.request(netns, request)
        {
            crate::net::complain(sys, &format!("ip: RTNETLINK answers: {}\n", refusal.errno));
        }
    }
    let domain = lease.domain().map(|domain| format!("domain {domain}")).unwrap_or_default();
    let servers: String =
        lease.name_servers().iter().map(|server| format!("\nnameserver {server}")).collect();
    write_file(sys, RESOLV_CONF, &format!("{domain}{servers}\n"));
}

/// Replaces a file; its folder must exist.
pub(super) fn write_file(sys: &mut dyn Sys, path: &str, text: &str) {
    put(sys, path, OpenMode::Write, text);
}

/// Adds to a file; its folder must exist.
pub(super) fn append_file(sys: &mut dyn Sys, path: &str, text: &str) {
    put(sys, path, OpenMode::Append, text);
}

fn put(sys: &mut dyn Sys, path: &str, mode: OpenMode, text: &str) {
    if let Some((folder, _)) = path.rsplit_once('/') {
        make_folders(sys, folder);
    }
    if let Ok(fd) = sys.open(path, mode) {
        crate::console::write_all(sys, fd, text);
        sys.close(fd);
    }
}

/// Packages bring these folders; a simulated host is emptier.
fn make_folders(sys: &mut dyn Sys, folder: &str) {
    for (end, _) in folder.match_indices('/').skip(1).chain([(folder.len(), "")]) {
        if let Some(part) = folder.get(..end) {
            let _ = sys.mkdir(part);
        }
    }
}
