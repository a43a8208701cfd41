//! Routes as `ip route` prints them. iproute2: `print_route` in `ip/iproute.c`.

use std::net::IpAddr;

use ipnet::IpNet;
use kernel::dump::{NextHopInfo, NexthopInfo, RouteAnswer, RouteInfo};
use kernel::{RouteKind, RouteMetric, RouteProto, Scope, TableId};

use super::nexthop::print_nexthop;
use super::options::Options;
use super::route_filter::RouteFilter;
use crate::iproute::names::{dsfield_name, proto_name, route_kind_name, scope_name, table_name};
use crate::iproute::printer::{Printer, hex};

/// A destination: a host without its length, everything as `default`.
fn dst_text(dst: &IpNet) -> String {
    if dst.prefix_len() == 0 {
        "default".to_owned()
    } else if dst.prefix_len() == dst.max_prefix_len() {
        dst.addr().to_string()
    } else {
        dst.to_string()
    }
}

fn print_via_dev(p: &mut Printer, via: Option<IpAddr>, dev: Option<&str>) {
    if let Some(via) = via {
        p.any("gateway", "via {} ", via.to_string());
    }
    if let Some(dev) = dev {
        p.any("dev", "dev {} ", dev);
    }
}

fn print_flags(p: &mut Printer, hop: Option<&NextHopInfo>) {
    p.open_array("flags");
    if let Some(hop) = hop {
        for (on, word) in [(hop.dead, "dead"), (hop.onlink, "onlink"), (hop.linkdown, "linkdown")] {
            if on {
                p.element(word, &format!("{word} "));
            }
        }
    }
    p.close_array("");
}

/// Names by `RTAX_*` number.
const METRIC_NAMES: [&str; 18] = [
    "",
    "",
    "mtu",
    "window",
    "rtt",
    "rttvar",
    "ssthresh",
    "cwnd",
    "advmss",
    "reordering",
    "hoplimit",
    "initcwnd",
    "features",
    "rto_min",
    "initrwnd",
    "quickack",
    "congctl",
    "fastopen_no_cookie",
];

fn print_metrics(p: &mut Printer, mtu: Option<(u32, bool)>, advmss: Option<u32>, others: &[RouteMetric]) {
    let mut all = others.to_vec();
    all.extend(mtu.map(|(value, locked)| RouteMetric { number: 2, value, locked }));
    all.extend(advmss.map(|value| RouteMetric { number: 8, value, locked: false }));
    all.sort_by_key(|metric| metric.number);
    if all.is_empty() {
        return;
    }
    p.open_array("metrics");
    p.open_object("");
    for metric in all {
        let name = METRIC_NAMES.get(usize::from(metric.number)).copied().unwrap_or("metric");
        p.fp(&format!("{name} {}", if metric.locked { "lock " } else { "" }));
        let value = match metric.number {
            4 => metric.value / 8,
            5 => metric.value / 4,
            _ => metric.value,
        };
        p.js(name, value);
        match metric.number {
            4 | 5 | 13 if value >= 1000 => p.fp(&format!("{}s ", thousandths(value))),
            4 | 5 | 13 => p.fp(&format!("{value}ms ")),
            _ => p.fp(&format!("{value} ")),
        }
    }
    p.close_object();
    p.close_array("");
}

/// A number of thousandths as `%g` prints the quotient.
fn thousandths(value: u32) -> String {
    let text = format!("{}.{:03}", value / 1000, value % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// One route of a listing. `objects` are the namespace's nexthop objects, for details.
pub fn print_route(
    p: &mut Printer,
    route: &RouteInfo,
    objects: &[NexthopInfo],
    filter: &RouteFilter,
    options: &Options,
) {
    p.open_object("");
    let type_fits = filter.kind.is_none_or(|kind| kind == route.kind);
    if (route.kind != RouteKind::Unicast || options.details) && type_fits {
        p.any("type", "{} ", route_kind_name(route.kind));
    }
    p.any("dst", "{} ", dst_text(&route.dst));
    if let Some(id) = route.nhid {
        p.any("nhid", "nhid {} ", id);
    }
    if route.tos != 0 && filter.tos.is_none() {
        p.any("tos", "tos {} ", dsfield_name(route.tos, options.numeric));
    }
    let single = match route.nexthops.as_slice() {
        [hop] => Some(hop),
        _ => None,
    };
    if let Some(hop) = single {
        let via = hop.via.filter(|_| !filter.via_is_host());
        let dev = Some(hop.dev.as_str()).filter(|dev| filter.oif.is_none() && !dev.is_empty());
        print_via_dev(p, via, dev);
    }
    if route.table != TableId(0)
        && (route.table != TableId::MAIN || options.details)
        && filter.table.is_none()
    {
        p.any("table", "table {} ", table_name(route.table, options.numeric));
    }
    if (route.proto != RouteProto::BOOT || options.details) && filter.proto.is_none() {
        p.any("protocol", "proto {} ", proto_name(route.proto, options.numeric));
    }
    if (route.scope != Scope::GLOBAL || options.details) && filter.scope.is_none() {
        p.any("scope", "scope {} ", scope_name(route.scope, options.numeric));
    }
    if let Some(src) = route.prefsrc.filter(|_| !filter.src_is_host()) {
        p.any("prefsrc", "src {} ", src.to_string());
    }
    if route.metric != 0 && filter.metric.is_none() {
        p.any("metric", "metric {} ", route.metric);
    }
    print_flags(p, single);
    print_metrics(p, route.mtu, route.advmss, &route.metrics);
    let object = objects.iter().find(|object| Some(object.id) == route.nhid);
    if let Some(object) = object.filter(|_| options.details) {
        p.fp("\n\tnh_info ");
        print_nexthop(p, "nh_info", object, options);
    }
    if route.nexthops.len() > 1 {
        p.open_array("nexthops");
        for hop in &route.nexthops {
            p.open_object("");
            p.nl();
            p.fp("\tnexthop ");
            print_via_dev(p, hop.via, None);
            p.any("dev", "dev {} ", hop.dev.as_str());
            p.any("weight", "weight {} ", hop.weight);
            print_flags(p, Some(hop));
            p.close_object();
        }
        p.close_array("");
    }
    p.fp("\n");
    p.close_object();
}

/// The answer of `ip route get`, asked with `tos`; an exception of `ip route show cache`.
pub fn print_answer(p: &mut Printer, answer: &RouteAnswer, tos: u8, filter: &RouteFilter, options: &Options) {
    p.open_object("");
    if answer.kind != RouteKind::Unicast || options.details {
        p.any("type", "{} ", route_kind_name(answer.kind));
    }
    p.any("dst", "{} ", answer.dst.to_string());
    if let Some(from) = answer.from {
        p.any("from", "from {} ", from.to_string());
    }
    if tos != 0 {
        p.any("tos", "tos {} ", dsfield_name(tos, options.numeric));
    }
    print_via_dev(p, answer.via, answer.dev.as_deref());
    // The kernel says main for an answer out of the local table too.
    let table = answer.table.filter(|&table| table != TableId::LOCAL).unwrap_or(TableId::MAIN);
    if (table != TableId::MAIN || options.details) && filter.table.is_none() {
        p.any("table", "table {} ", table_name(table, options.numeric));
    }
    if let Some(src) = answer.prefsrc {
        p.any("prefsrc", "src {} ", src.to_string());
    }
    p.open_array("flags");
    if answer.kind == RouteKind::Multicast {
        // The bit of a multicast answer is that of this flag, which iproute2 takes it for.
        p.element("rt_offload_failed", "rt_offload_failed ");
    }
    p.close_array("");
    if answer.mark != 0 {
        p.js("mark", answer.mark);
        if answer.mark >= 16 {
            p.fp(&format!("mark {} ", hex(answer.mark.into())));
        } else {
            p.fp(&format!("mark {} ", answer.mark));
        }
    }
    if let Some(uid) = answer.uid {
        p.any("uid", "uid {} ", uid);
    }
    print_cache(p, answer);
    if let Some(expires) = answer.expires {
        p.any("expires", "expires {}sec ", expires);
    }
    print_metrics(p, answer.mtu, answer.advmss, &answer.metrics);
    if let Some(iif) = &answer.iif {
        p.any("iif", "iif {} ", iif.as_str());
    }
    p.fp("\n");
    p.close_object();
}

/// `    cache <local,brd> `.
fn print_cache(p: &mut Printer, answer: &RouteAnswer) {
    p.nl();
    p.fp("    cache ");
    let mut words = Vec::new();
    match answer.kind {
        RouteKind::Local => words.push("local"),
        RouteKind::Broadcast => words.extend(["local", "brd"]),
        RouteKind::Multicast => words.push("mc"),
        _ => {}
    }
    if answer.redirected {
        words.push("redirected");
    }
    if answer.do_redirect {
        words.push("redirect");
    }
    p.open_array("cache");
    for (i, word) in words.iter().enumerate() {
        let open = if i == 0 { "<" } else { "" };
        let close = if i + 1 == words.len() { "> " } else { "," };
        p.element(word, &format!("{open}{word}{close}"));
    }
    p.close_array("");
}
