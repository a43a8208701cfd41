//! One address as `ip addr` prints it. iproute2: `print_addrinfo` in `ip/ipaddress.c`.

use kernel::dump::AddrInfo;
use kernel::request::Lifetimes;

use super::options::Options;
use crate::iproute::env::Env;
use crate::iproute::names::scope_name;
use crate::iproute::printer::Printer;

/// One address; with the device's index and name before it where one line is one address.
pub fn print_addr(p: &mut Printer, info: &AddrInfo, with_device: bool, options: &Options, env: Env<'_>) {
    let addr = &info.addr;
    if !options.brief {
        if with_device {
            let name = env.name_at(info.ifindex);
            let name = name.map_or_else(|| format!("if{}", info.ifindex.0), str::to_owned);
            p.js("index", info.ifindex.0);
            p.js("dev", name.as_str());
            p.fp(&format!("{}: {name}", info.ifindex.0));
        }
        p.any("family", "    {} ", if addr.local.addr().is_ipv6() { "inet6" } else { "inet" });
    }
    p.any("local", "{}", addr.local.addr().to_string());
    if let Some(peer) = addr.peer.filter(|peer| *peer != addr.local.addr()) {
        p.fp(" peer ");
        p.any("address", "{}", peer.to_string());
    }
    p.any("prefixlen", "/{} ", addr.local.prefix_len());
    if addr.metric != 0 {
        p.any("metric", "metric {} ", addr.metric);
    }
    if options.brief {
        return;
    }
    if let Some(broadcast) = addr.broadcast {
        p.fp("brd ");
        p.any("broadcast", "{} ", broadcast.to_string());
    }
    p.any("scope", "scope {} ", scope_name(addr.scope, options.numeric));
    if addr.flags.secondary {
        p.flag("secondary", "secondary ");
    }
    if addr.flags.deprecated {
        p.flag("deprecated", "deprecated ");
    }
    if addr.lifetime.is_some() {
        p.flag("dynamic", "dynamic ");
    }
    if addr.flags.noprefixroute {
        p.flag("noprefixroute", "noprefixroute ");
    }
    p.any("label", "{}", addr.label.as_str());
    p.nl();
    let (valid, preferred) = match addr.lifetime {
        Some(lifetime) => lifetime.left(env.now),
        None => (Lifetimes::FOREVER, Lifetimes::FOREVER),
    };
    for (name, key, seconds) in [
        ("       valid_lft ", "valid_life_time", valid),
        (" preferred_lft ", "preferred_life_time", preferred),
    ] {
        p.fp(name);
        p.js(key, seconds);
        p.fp(&match seconds {
            Lifetimes::FOREVER => "forever".to_owned(),
            seconds => format!("{seconds}sec"),
        });
    }
    p.fp("\n");
}
