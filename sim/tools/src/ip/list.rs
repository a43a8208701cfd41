//! `ip link show`, `ip addr show` and `ip addr flush`. iproute2: `ipaddr_list_flush_or_save`.

use kernel::dump::{AddrInfo, LinkInfo};
use kernel::request::{AddrSpec, Lifetimes, Request};

use super::addr_show::print_addr;
use super::filter::Filter;
use super::link_show::{Listing, print_brief, print_link, print_stats};
use super::options::Options;
use crate::iproute::args::Family;
use crate::iproute::env::Env;
use crate::iproute::printer::Printer;

/// The listing's text.
pub fn show(
    filter: &Filter,
    listing: Listing,
    links: &[LinkInfo],
    addrs: &[AddrInfo],
    options: &Options,
    env: Env<'_>,
) -> String {
    let mut p = options.printer();
    let link_only = matches!(filter.family, Family::Packet);
    let no_link = !link_only && options.oneline && !options.brief;
    for link in links.iter().filter(|link| passes(link, filter, addrs)) {
        p.open_object("");
        if filter.prints_link(link) || no_link {
            print_entry(&mut p, link, filter, listing, addrs, options, env);
        }
        p.close_object();
    }
    p.finish()
}

/// A device and its addresses.
fn print_entry(
    p: &mut Printer,
    link: &LinkInfo,
    filter: &Filter,
    listing: Listing,
    addrs: &[AddrInfo],
    options: &Options,
    env: Env<'_>,
) {
    let link_only = filter.family == Family::Packet;
    // A filter by label is about addresses alone.
    let with_link = filter.label.is_none() && (options.brief || link_only || !options.oneline);
    if with_link && options.brief {
        print_brief(p, link, if link_only { Listing::Link } else { Listing::Addr }, env);
    } else if with_link {
        let options = Options { family: filter.family, ..options.clone() };
        print_link(p, link, listing, &options, env);
    }
    if link_only {
        return;
    }
    p.open_array("addr_info");
    let own = addrs.iter().filter(|info| info.ifindex == link.ifindex);
    for info in own.filter(|info| filter.takes_addr(info) && (!filter.up || link.flags & 1 != 0)) {
        p.open_object("");
        print_addr(p, info, options.oneline, options, env);
        p.close_object();
    }
    p.close_array("");
    if options.brief {
        p.fp("\n");
    } else if with_link && listing == Listing::Addr && options.stats > 0 {
        print_stats(p, &link.stats, link.carrier_changes, options);
        p.nl();
    }
}

/// Whether a device is listed: with addresses that pass, or without any where families don't
/// matter. iproute2: `ipaddr_filter`.
fn passes(link: &LinkInfo, filter: &Filter, addrs: &[AddrInfo]) -> bool {
    if !filter.dumps_link(link) {
        return false;
    }
    if filter.family == Family::Packet {
        return true;
    }
    let mut own = addrs.iter().filter(|info| info.ifindex == link.ifindex).peekable();
    if own.peek().is_none() {
        return filter.family == Family::Unspec;
    }
    own.any(|info| filter.takes_addr(info))
}

/// The addresses a flush deletes.
pub fn flushed<'a>(filter: &Filter, addrs: &'a [AddrInfo], env: Env<'_>) -> Vec<&'a AddrInfo> {
    let index = filter.dev.as_ref().and_then(|dev| env.index_of(dev));
    addrs
        .iter()
        .filter(|info| index.is_none_or(|index| index == info.ifindex) && filter.takes_addr(info))
        .collect()
}

/// The deletion of one listed address.
pub fn deletion(info: &AddrInfo, env: Env<'_>) -> Option<Request> {
    spec_of(info, env).map(Request::AddrDel)
}

/// A listed address as a request names it; `None` if its device is gone.
pub fn spec_of(info: &AddrInfo, env: Env<'_>) -> Option<AddrSpec> {
    let dev = env.name_at(info.ifindex)?.to_owned();
    let addr = &info.addr;
    let lifetime = addr.lifetime.map(|lifetime| lifetime.left(env.now));
    Some(AddrSpec {
        dev,
        local: addr.local,
        peer: addr.peer.and_then(|peer| ipnet::IpNet::new(peer, addr.local.prefix_len()).ok()),
        broadcast: addr.broadcast,
        scope: Some(addr.scope),
        label: Some(addr.label.clone()),
        noprefixroute: addr.flags.noprefixroute,
        metric: addr.metric,
        lifetime: lifetime.map(|(valid, preferred)| Lifetimes { valid, preferred }),
    })
}
