//! The text files of /proc/net.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};

use kernel::{Host, Nud, RouteKind, TableId};
use netfilter::conntrack::{Conn, CtStats, Shown};
use packet::{MacAddr, NetnsId, SimTime};

/// Kernel: `net/ipv4/arp.c, arp_format_neigh_entry`.
pub(crate) fn arp(host: &Host, netns: NetnsId, now: SimTime) -> String {
    let mut text =
        "IP address       HW type     Flags       HW address            Mask     Device\n".to_owned();
    for neighbour in host.neighbours(netns, now) {
        if neighbour.nud == Nud::Noarp && !neighbour.proxy {
            continue;
        }
        // ATF_COM 2, ATF_PERM 4, ATF_PUBL 8
        let flags = match neighbour.nud {
            _ if neighbour.proxy => 0xc,
            Nud::Permanent => 0x6,
            Nud::Reachable | Nud::Stale | Nud::Delay | Nud::Probe => 0x2,
            Nud::None | Nud::Incomplete | Nud::Failed | Nud::Noarp => 0x0,
        };
        let mac = neighbour.lladdr.unwrap_or(MacAddr::ZERO);
        let dev = neighbour.dev.as_deref().unwrap_or("*");
        let addr = neighbour.addr.to_string();
        // Writing to a string doesn't fail.
        let _ =
            writeln!(text, "{addr:<16} {:<12}{:<12}{mac}     *        {dev}", "0x1", format!("{flags:#x}"));
    }
    text
}

/// Kernel: `net/netfilter/x_tables.c`, `xt_table_seq_show`.
pub(crate) fn ip_tables_names(host: &Host, netns: NetnsId) -> String {
    let names = host.get_ns(netns).map_or_else(Vec::new, |ns| ns.netfilter.legacy_tables());
    names.into_iter().map(|name| format!("{name}\n")).collect()
}

/// Kernel: `net/ipv4/fib_trie.c, fib_route_seq_show`.
pub(crate) fn route(host: &Host, netns: NetnsId) -> String {
    // The main table is made with the first route, be it a local one.
    if !host.fib_has_tables(netns) {
        return String::new();
    }
    let header = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT";
    let mut text = format!("{header:<127}\n");
    for route in host.routes(netns) {
        if route.table != TableId::MAIN || matches!(route.kind, RouteKind::Broadcast | RouteKind::Multicast) {
            continue;
        }
        let hop = route.nexthops.first();
        let via = hop.and_then(|hop| hop.via);
        // RTF_UP, RTF_GATEWAY, RTF_HOST, RTF_REJECT
        let mut flags = 0x1;
        if via.is_some() {
            flags |= 0x2;
        }
        if route.dst.prefix_len() == 32 {
            flags |= 0x4;
        }
        if matches!(route.kind, RouteKind::Unreachable | RouteKind::Prohibit) {
            flags |= 0x200;
        }
        let line = format!(
            "{}\t{:08X}\t{:08X}\t{flags:04X}\t0\t0\t{}\t{:08X}\t{}\t0\t0",
            hop.map_or("*", |hop| hop.dev.as_str()),
            raw(route.dst.network()),
            raw(via.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))),
            route.metric,
            raw(route.dst.netmask()),
            route.advmss.map_or(0, |mss| mss + 40),
        );
        let _ = writeln!(text, "{line:<127}");
    }
    text
}

/// Kernel: `net/core/net-procfs.c, dev_seq_show`.
pub(crate) fn dev(host: &Host, netns: NetnsId) -> String {
    let mut text = "Inter-|   Receive                                                |  Transmit\n \
        face |bytes    packets errs drop fifo frame compressed multicast|\
        bytes    packets errs drop fifo colls carrier compressed\n"
        .to_owned();
    for link in host.links(netns) {
        let s = link.stats;
        let _ = writeln!(
            text,
            "{:>6}: {:>7} {:>7} {:>4} {:>4} {:>4} {:>5} {:>10} {:>9} {:>8} {:>7} {:>4} {:>4} {:>4} {:>5} {:>7} {:>10}",
            link.name,
            s.rx_bytes,
            s.rx_packets,
            s.rx_errors,
            s.rx_dropped,
            0,
            0,
            0,
            s.multicast,
            s.tx_bytes,
            s.tx_packets,
            s.tx_errors,
            s.tx_dropped,
            0,
            0,
            s.tx_carrier,
            0,
        );
    }
    text
}

/// An address as the number that a little-endian machine reads from its bytes.
fn raw(addr: IpAddr) -> u32 {
    match addr {
        IpAddr::V4(addr) => u32::from_le_bytes(addr.octets()),
        IpAddr::V6(_) => 0,
    }
}

/// Kernel: `net/netfilter/nf_conntrack_standalone.c, ct_seq_show`. Each connection is held once
/// while it is shown.
pub(crate) fn nf_conntrack(host: &Host, netns: NetnsId, now: SimTime) -> String {
    let Some(table) = host.get_ns(netns).and_then(|ns| ns.netfilter.conntrack()) else {
        return String::new();
    };
    let shown = |conn: &Conn| Shown {
        layer3: true,
        timeout: Some(conn.seconds_left(now)),
        state: true,
        counters: true,
        mark: true,
        zone: true,
        delta_at: Some(now),
        uses: Some(2),
        ..Shown::default()
    };
    table.iter(now).map(|conn| conn.line(&shown(conn)) + "\n").collect()
}

/// Kernel: `ct_cpu_seq_show`. The first of two processors does all the work.
pub(crate) fn nf_conntrack_stat(host: &Host, netns: NetnsId) -> String {
    let table = host.get_ns(netns).and_then(|ns| ns.netfilter.conntrack());
    let (entries, stats) = table.map_or((0, CtStats::default()), |table| (table.count(), table.stats));
    let mut text = "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop \
                    early_drop icmp_error  expect_new expect_create expect_delete search_restart\n"
        .to_owned();
    for stats in [stats, CtStats::default()] {
        let _ = writeln!(
            text,
            "{entries:08x}  {:08x} {:08x} {:08x} {:08x} {:08x} {:08x} {:08x} {:08x} {:08x} {:08x} {:08x} {:08x}  \
             {:08x} {:08x} {:08x} {:08x}",
            stats.clash_resolve,
            stats.found,
            0,
            stats.invalid,
            0,
            0,
            0,
            stats.insert,
            stats.insert_failed,
            stats.drop,
            stats.early_drop,
            stats.error,
            0,
            0,
            0,
            0,
        );
    }
    text
}
