//! The part of a device's listing that `-d` adds. iproute2: `print_linktype` and the kinds'
//! `print_opt`.
//!
//! Simplified: timers of the spanning tree are not running and print as 0.00.

use kernel::device::BridgePort;
use kernel::dump::{KindInfo, LinkInfo};
use kernel::request::{BridgeOption, TunnelConfig, VxlanConfig};
use packet::MacAddr;

use super::link_show::Listing;
use crate::iproute::env::Env;
use crate::iproute::names::STP_STATES;
use crate::iproute::printer::{Cell, Printer, hex};

/// From `promiscuity` to `gro_max_size`.
pub fn print(p: &mut Printer, link: &LinkInfo, listing: Listing, env: Env<'_>) {
    p.any("promiscuity", " promiscuity {} ", link.promiscuity);
    p.any("allmulti", " allmulti {} ", link.allmulti);
    p.any("min_mtu", "minmtu {} ", link.min_mtu);
    p.any("max_mtu", "maxmtu {} ", link.max_mtu);
    if link.kind.is_some() || link.port.is_some() {
        p.open_object("linkinfo");
        if let Some(kind) = &link.kind {
            print_kind(p, kind, link);
        }
        if let Some(port) = &link.port {
            p.nl();
            p.any("info_slave_kind", "    {}_slave ", "bridge");
            p.open_object("info_slave_data");
            let bridge = link.master.as_ref().and_then(|master| env.link(master));
            print_port(p, port, bridge.as_ref());
            p.close_object();
        }
        p.close_object();
    }
    if listing == Listing::Link {
        p.any("inet6_addr_gen_mode", "addrgenmode {} ", "eui64");
    }
    p.any("num_tx_queues", "numtxqueues {} ", link.queues.0);
    p.any("num_rx_queues", "numrxqueues {} ", link.queues.1);
    p.any("gso_max_size", "gso_max_size {} ", 65536u32);
    p.any("gso_max_segs", "gso_max_segs {} ", 65535u32);
    p.any("tso_max_size", "tso_max_size {} ", link.tso_max_size);
    p.any("tso_max_segs", "tso_max_segs {} ", 65535u32);
    p.any("gro_max_size", "gro_max_size {} ", 65536u32);
}

/// The kind's word.
pub const fn kind_name(kind: &KindInfo) -> &'static str {
    match kind {
        KindInfo::Veth => "veth",
        KindInfo::Bridge(_) => "bridge",
        KindInfo::Vxlan(_) => "vxlan",
        KindInfo::Dummy => "dummy",
        KindInfo::Vlan { .. } => "vlan",
        KindInfo::Ipip(_) => "ipip",
        KindInfo::Tun { .. } => "tun",
    }
}

fn print_kind(p: &mut Printer, kind: &KindInfo, link: &LinkInfo) {
    p.nl();
    p.any("info_kind", "    {} ", kind_name(kind));
    if matches!(kind, KindInfo::Veth | KindInfo::Dummy) {
        return;
    }
    p.open_object("info_data");
    match kind {
        KindInfo::Bridge(options) => print_bridge(p, options, link),
        KindInfo::Vxlan(config) => print_vxlan(p, config),
        KindInfo::Vlan { proto, id } => {
            p.any("protocol", "protocol {} ", proto.name());
            p.any("id", "id {} ", *id);
            p.open_array_or("flags", "<");
            p.element("REORDER_HDR", "REORDER_HDR");
            p.close_array("> ");
        }
        KindInfo::Ipip(config) => print_ipip(p, config),
        KindInfo::Tun { tap, persist } => {
            p.any("type", "type {} ", if *tap { "tap" } else { "tun" });
            p.on_off("pi", "pi {} ", false);
            p.on_off("vnet_hdr", "vnet_hdr {} ", false);
            p.js_bool("multi_queue", false);
            p.on_off("persist", "persist {} ", *persist);
        }
        KindInfo::Veth | KindInfo::Dummy => {}
    }
    p.close_object();
}

/// `8000.2:0:0:0:0:b0`: bytes without leading zeros.
pub fn bridge_id(priority: u16, mac: MacAddr) -> String {
    let [a, b, c, d, e, f] = mac.0;
    format!("{priority:04x}.{a:x}:{b:x}:{c:x}:{d:x}:{e:x}:{f:x}")
}

/// A bridge's priority, 32768 unless its options say otherwise.
pub fn priority_of(options: &[BridgeOption]) -> u16 {
    let found = options.iter().find_map(|option| match option {
        BridgeOption::Priority(priority) => Some(*priority),
        _ => None,
    });
    found.unwrap_or(32768)
}

/// The id of the bridge that `link` describes.
pub fn id_of(link: &LinkInfo) -> String {
    let mac = link.address.map_or(MacAddr::ZERO, |(mac, _)| mac);
    match &link.kind {
        Some(KindInfo::Bridge(options)) => bridge_id(priority_of(options), mac),
        _ => bridge_id(32768, mac),
    }
}

fn option<T>(options: &[BridgeOption], pick: impl Fn(&BridgeOption) -> Option<T>, default: T) -> T {
    options.iter().find_map(pick).unwrap_or(default)
}

fn timer(p: &mut Printer, key: &str) {
    if p.is_json() {
        p.js(key, Cell::Raw("0.00".to_owned()));
    } else {
        p.fp(&format!("{key}    0.00 "));
    }
}

/// iproute2: `bridge_print_opt`.
fn print_bridge(p: &mut Printer, options: &[BridgeOption], link: &LinkInfo) {
    use BridgeOption as B;
    macro_rules! get {
        ($variant:ident, $default:expr) => {
            option(options, |o| if let B::$variant(v) = o { Some(*v) } else { None }, $default)
        };
    }
    p.any("forward_delay", "forward_delay {} ", get!(ForwardDelay, 1500));
    p.any("hello_time", "hello_time {} ", get!(HelloTime, 200));
    p.any("max_age", "max_age {} ", get!(MaxAge, 2000));
    p.any("ageing_time", "ageing_time {} ", get!(AgeingTime, 30000));
    p.any("stp_state", "stp_state {} ", get!(StpState, 0));
    p.any("priority", "priority {} ", get!(Priority, 32768));
    p.any("vlan_filtering", "vlan_filtering {} ", get!(VlanFiltering, 0));
    let id = id_of(link);
    p.any("bridge_id", "bridge_id {} ", id.as_str());
    p.any("root_id", "designated_root {} ", id);
    for key in ["root_port", "root_path_cost", "topology_change", "topology_change_detected"] {
        p.any(key, &format!("{key} {{}} "), 0u32);
    }
    for key in ["hello_timer", "tcn_timer", "topology_change_timer", "gc_timer"] {
        timer(p, key);
    }
    p.any("group_fwd_mask", "group_fwd_mask {} ", hex(0));
    p.any("group_addr", "group_address {} ", "01:80:c2:00:00:00");
    p.any("mcast_snooping", "mcast_snooping {} ", get!(McastSnooping, 1));
    for (key, name, value) in [
        ("no_linklocal_learn", "no_linklocal_learn", 0),
        ("mcast_vlan_snooping", "mcast_vlan_snooping", 0),
        ("mcast_router", "mcast_router", 1),
        ("mcast_query_use_ifaddr", "mcast_query_use_ifaddr", 0),
        ("mcast_querier", "mcast_querier", u32::from(get!(McastQuerier, 0))),
        ("mcast_hash_elasticity", "mcast_hash_elasticity", 16),
        ("mcast_hash_max", "mcast_hash_max", 4096),
        ("mcast_last_member_cnt", "mcast_last_member_count", 2),
        ("mcast_startup_query_cnt", "mcast_startup_query_count", 2),
        ("mcast_last_member_intvl", "mcast_last_member_interval", 100),
        ("mcast_membership_intvl", "mcast_membership_interval", 26000),
        ("mcast_querier_intvl", "mcast_querier_interval", 25500),
        ("mcast_query_intvl", "mcast_query_interval", 12500),
        ("mcast_query_response_intvl", "mcast_query_response_interval", 1000),
        ("mcast_startup_query_intvl", "mcast_startup_query_interval", 3124),
        ("mcast_stats_enabled", "mcast_stats_enabled", 0),
        ("mcast_igmp_version", "mcast_igmp_version", 2),
        ("mcast_mld_version", "mcast_mld_version", 1),
        ("nf_call_iptables", "nf_call_iptables", u32::from(get!(NfCallIptables, 0))),
        ("nf_call_ip6tables", "nf_call_ip6tables", u32::from(get!(NfCallIp6tables, 0))),
        ("nf_call_arptables", "nf_call_arptables", u32::from(get!(NfCallArptables, 0))),
    ] {
        p.any(key, &format!("{name} {{}} "), value);
    }
}

/// iproute2: `bridge_slave_print_opt`.
fn print_port(p: &mut Printer, port: &BridgePort, bridge: Option<&LinkInfo>) {
    p.any("state", "state {} ", STP_STATES.get(usize::from(port.state)).copied().unwrap_or("disabled"));
    p.any("priority", "priority {} ", port.priority);
    p.any("cost", "cost {} ", port.cost);
    p.on_off("hairpin", "hairpin {} ", port.hairpin);
    p.on_off("guard", "guard {} ", port.guard);
    p.on_off("root_block", "root_block {} ", port.root_block);
    p.on_off("fastleave", "fastleave {} ", port.fast_leave);
    p.on_off("learning", "learning {} ", port.learning);
    p.on_off("flood", "flood {} ", port.flood);
    let id = (port.priority << 10) | port.number;
    p.any("id", "port_id {} ", hex(id.into()));
    p.any("no", "port_no {} ", hex(port.number.into()));
    p.any("designated_port", "designated_port {} ", id);
    p.any("designated_cost", "designated_cost {} ", 0u32);
    let bridge_id = bridge.map(id_of).unwrap_or_default();
    p.any("bridge_id", "designated_bridge {} ", bridge_id.as_str());
    p.any("root_id", "designated_root {} ", bridge_id);
    for key in ["hold_timer", "message_age_timer", "forward_delay_timer"] {
        timer(p, key);
    }
    p.any("topology_change_ack", "topology_change_ack {} ", 0u32);
    p.any("config_pending", "config_pending {} ", 0u32);
    p.on_off("proxy_arp", "proxy_arp {} ", port.proxy_arp);
    p.on_off("proxy_arp_wifi", "proxy_arp_wifi {} ", false);
    p.any("multicast_router", "mcast_router {} ", u32::from(port.mcast_router));
    p.fp(&format!("mcast_fast_leave {} ", if port.fast_leave { "on" } else { "off" }));
    p.on_off("mcast_flood", "mcast_flood {} ", port.mcast_flood);
    p.on_off("bcast_flood", "bcast_flood {} ", port.bcast_flood);
    p.on_off("mcast_to_unicast", "mcast_to_unicast {} ", false);
    p.on_off("neigh_suppress", "neigh_suppress {} ", port.neigh_suppress);
    p.any("group_fwd_mask", "group_fwd_mask {} ", hex(0));
    p.any("group_fwd_mask_str", "group_fwd_mask_str {} ", "0x0");
    p.on_off("vlan_tunnel", "vlan_tunnel {} ", false);
    p.on_off("isolated", "isolated {} ", port.isolated);
    p.on_off("locked", "locked {} ", false);
}

/// iproute2: `vxlan_print_opt`.
fn print_vxlan(p: &mut Printer, c: &VxlanConfig) {
    p.any("id", "id {} ", c.vni.get());
    if let Some(remote) = c.remote {
        let (key, template) = match (remote.is_multicast(), remote.is_ipv6()) {
            (true, false) => ("group", "group {} "),
            (true, true) => ("group6", "group {} "),
            (false, false) => ("remote", "remote {} "),
            (false, true) => ("remote6", "remote {} "),
        };
        p.any(key, template, remote.to_string());
    }
    if let Some(local) = c.local {
        p.any(if local.is_ipv6() { "local6" } else { "local" }, "local {} ", local.to_string());
    }
    if let Some(link) = &c.link {
        p.any("link", "dev {} ", link.as_str());
    }
    let (low, high) = c.srcport.unwrap_or((0, 0));
    p.open_object("port_range");
    p.js("low", low);
    p.js("high", high);
    p.close_object();
    p.fp(&format!("srcport {low} {high} "));
    p.any("port", "dstport {} ", c.dstport.unwrap_or(8472));
    p.js_bool("learning", c.learning);
    if !c.learning {
        p.fp("nolearning ");
    }
    for (on, key) in [(c.proxy, "proxy"), (c.l2miss, "l2miss"), (c.l3miss, "l3miss")] {
        if on {
            p.flag(key, &format!("{key} "));
        }
    }
    print_tos_ttl(p, c.tos, c.ttl, "auto", true);
    p.js("df", "unset");
    if c.ageing == 0 {
        p.any("ageing", "ageing none ", 0u32);
    } else {
        p.any("ageing", "ageing {} ", c.ageing);
    }
    if let Some(max) = c.maxaddress {
        p.any("limit", "maxaddr {} ", max);
    }
    p.bool_as("udp_csum", c.udpcsum, if c.udpcsum { "udpcsum " } else { "noudpcsum " });
    p.bool_as("udp_zero_csum6_tx", false, "noudp6zerocsumtx ");
    p.bool_as("udp_zero_csum6_rx", false, "noudp6zerocsumrx ");
}

/// `tos` and `ttl`; a vxlan prints tos first, a tunnel ttl.
fn print_tos_ttl(p: &mut Printer, tos: u8, ttl: u8, no_ttl: &str, tos_first: bool) {
    let print_tos = |p: &mut Printer| match tos {
        0 => {}
        1 if !p.is_json() => p.fp("tos inherit "),
        _ => p.any("tos", "tos {} ", hex(tos.into())),
    };
    if tos_first {
        print_tos(p);
    }
    if p.is_json() || ttl != 0 {
        p.any("ttl", "ttl {} ", ttl);
    } else {
        p.fp(&format!("ttl {no_ttl} "));
    }
    if !tos_first {
        print_tos(p);
    }
}

/// iproute2: `iptunnel_print_opt`.
fn print_ipip(p: &mut Printer, c: &TunnelConfig) {
    p.any("proto", "{} ", if c.ipv4_only { "ipip" } else { "any" });
    let endpoint = |addr: Option<std::net::IpAddr>| addr.map_or_else(|| "any".to_owned(), |a| a.to_string());
    p.any("remote", "remote {} ", endpoint(c.remote));
    p.any("local", "local {} ", endpoint(c.local));
    if let Some(link) = &c.link {
        p.any("link", "dev {} ", link.as_str());
    }
    print_tos_ttl(p, c.tos, c.ttl, "inherit", false);
    p.bool_as("pmtudisc", !c.nopmtudisc, if c.nopmtudisc { "nopmtudisc " } else { "pmtudisc " });
}
