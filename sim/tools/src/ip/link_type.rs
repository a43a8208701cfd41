//! The words after `type KIND` of `ip link add` and `ip link set`.

use std::net::IpAddr;

use kernel::dump::KindInfo;
use kernel::request::{BridgeOption, LinkChange, LinkKind, PortOption, TunnelConfig, VethPeer, VxlanConfig};
use packet::{VlanProto, Vni};

use super::link::{self, Verb};
use super::options::Options;
use crate::console::{End, Stop};
use crate::iproute::args::{
    Family, Words, duparg2, get_addr, get_u8, get_u16, get_u32, invarg, matches, matches_any, nodev,
    not_simulated, on_off, parse_on_off,
};
use crate::iproute::env::Env;
use crate::iproute::names::read_dsfield;

/// What the words say.
#[derive(Clone, Debug, Default)]
pub struct OwnPart {
    /// The new device's kind.
    pub kind: Option<LinkKind>,
    /// The other end of a veth.
    pub peer: Option<VethPeer>,
    /// Changes to an existing device or to the new one's port.
    pub changes: Vec<LinkChange>,
    /// What is said on standard error before the request is sent.
    pub warning: String,
}

/// Kinds that iproute2 has options for and whose kernel side isn't here: their options are
/// skipped, and the kernel refuses the kind.
const OTHER_KINDS: &[&str] = &[
    "amt",
    "bareudp",
    "batadv",
    "bond",
    "bond_slave",
    "can",
    "dsa",
    "erspan",
    "geneve",
    "gre",
    "gretap",
    "gtp",
    "hsr",
    "ifb",
    "ip6erspan",
    "ip6gre",
    "ip6gretap",
    "ip6tnl",
    "ipoib",
    "ipvlan",
    "ipvtap",
    "macsec",
    "macvlan",
    "macvtap",
    "netdevsim",
    "nlmon",
    "rmnet",
    "sit",
    "team",
    "team_slave",
    "vcan",
    "vrf",
    "vrf_slave",
    "vti",
    "vti6",
    "vxcan",
    "wwan",
    "xfrm",
    "virt_wifi",
];

/// Reads the words of one kind.
pub fn parse(
    kind: &str,
    words: &mut Words<'_>,
    verb: Verb,
    dev: Option<&str>,
    options: &Options,
    env: Env<'_>,
) -> Result<OwnPart, Stop> {
    let mut own = OwnPart::default();
    // Without words iproute2 sends no parameters at all, and the kernel misses the needed ones.
    if words.is_empty() && verb.creates() && kind == "vxlan" {
        let text = "Error: Required attributes not provided to perform the operation.";
        return Err(Stop::fail(-2, text));
    }
    match kind {
        "veth" => {
            if let Some(word) = words.next_word() {
                if word != "peer" {
                    return Err(Stop {
                        text: "Usage: ip link <options> type veth [peer <options>]\n\
                               To get <options> type 'ip link add help'\n"
                            .to_owned(),
                        end: End::Return(-1),
                    });
                }
                own.peer = Some(link::parse_peer(words, env)?);
            }
            own.kind = Some(LinkKind::Veth { peer: Box::default() });
            if verb == Verb::Set {
                return Err(Stop::fail(-2, "RTNETLINK answers: Operation not supported"));
            }
        }
        "bridge" => {
            let options = bridge(words)?;
            if verb.creates() {
                own.kind = Some(LinkKind::Bridge(options));
            } else {
                own.changes.extend(options.into_iter().map(LinkChange::Bridge));
            }
        }
        "bridge_slave" => {
            own.changes.extend(bridge_slave(words)?.into_iter().map(LinkChange::Port));
            own.kind = Some(LinkKind::Unknown(kind.to_owned()));
        }
        "vxlan" => vxlan(words, verb, dev, options, env, &mut own)?,
        "ipip" => {
            let config = ipip(words, dev, verb, env)?;
            if verb == Verb::Set {
                own.changes.push(LinkChange::Ipip(config));
            } else {
                own.kind = Some(LinkKind::Ipip(config));
            }
        }
        "vlan" => {
            let (proto, id) = vlan(words)?;
            if verb == Verb::Set {
                return Err(not_simulated("ip", "link set type vlan"));
            }
            own.kind = Some(LinkKind::Vlan { link: String::new(), proto, id });
        }
        "dummy" => {
            while words.next_word().is_some() {}
            own.kind = Some(LinkKind::Dummy);
        }
        _ if OTHER_KINDS.contains(&kind) => {
            while words.next_word().is_some() {}
            own.kind = Some(LinkKind::Unknown(kind.to_owned()));
        }
        _ => {
            if let Some(word) = words.peek() {
                if matches(word, "help") {
                    return Err(link::usage());
                }
                return Err(Stop::fail(
                    -1,
                    format!("Garbage instead of arguments \"{word} ...\". Try \"ip link help\"."),
                ));
            }
            own.kind = Some(LinkKind::Unknown(kind.to_owned()));
        }
    }
    Ok(own)
}

fn explain(line: &str, usage: &str) -> Stop {
    let line = if line.is_empty() { String::new() } else { format!("{line}\n") };
    Stop { text: format!("{line}{usage}\n"), end: End::Return(-1) }
}

/// iproute2: `bridge_parse_opt`.
fn bridge(words: &mut Words<'_>) -> Result<Vec<BridgeOption>, Stop> {
    // Simplified: the first line of the usage text.
    const USAGE: &str = "Usage: ... bridge [ fdb_flush ]";
    let mut list = Vec::new();
    while let Some(word) = words.next_word() {
        let u32_of = |name: &str, words: &mut Words<'_>| {
            let value = words.value()?;
            get_u32(value).ok_or_else(|| invarg(&format!("invalid {name}"), value))
        };
        let u8_of = |name: &str, words: &mut Words<'_>| {
            let value = words.value()?;
            get_u8(value).ok_or_else(|| invarg(&format!("invalid {name}"), value))
        };
        list.push(if matches(word, "forward_delay") {
            BridgeOption::ForwardDelay(u32_of("forward_delay", words)?)
        } else if matches(word, "hello_time") {
            BridgeOption::HelloTime(u32_of("hello_time", words)?)
        } else if matches(word, "max_age") {
            BridgeOption::MaxAge(u32_of("max_age", words)?)
        } else if matches(word, "ageing_time") {
            BridgeOption::AgeingTime(u32_of("ageing_time", words)?)
        } else if matches(word, "stp_state") {
            BridgeOption::StpState(u32_of("stp_state", words)?)
        } else if matches(word, "priority") {
            let value = words.value()?;
            BridgeOption::Priority(get_u16(value).ok_or_else(|| invarg("invalid priority", value))?)
        } else if matches(word, "vlan_filtering") {
            BridgeOption::VlanFiltering(u8_of("vlan_filtering", words)?)
        } else if word == "no_linklocal_learn"
            || matches_any(word, &["vlan_protocol", "group_fwd_mask", "group_address"])
        {
            return Err(not_simulated("ip", word));
        } else if matches(word, "fdb_flush") {
            BridgeOption::FdbFlush
        } else if matches_any(
            word,
            &["vlan_default_pvid", "vlan_stats_enabled", "vlan_stats_per_port", "mcast_router"],
        ) {
            return Err(not_simulated("ip", word));
        } else if matches(word, "mcast_snooping") {
            BridgeOption::McastSnooping(u8_of("mcast_snooping", words)?)
        } else if matches(word, "mcast_querier") && !matches(word, "mcast_query_use_ifaddr") {
            BridgeOption::McastQuerier(u8_of("mcast_querier", words)?)
        } else if matches(word, "nf_call_iptables") {
            BridgeOption::NfCallIptables(u8_of("nf_call_iptables", words)?)
        } else if matches(word, "nf_call_ip6tables") {
            BridgeOption::NfCallIp6tables(u8_of("nf_call_ip6tables", words)?)
        } else if matches(word, "nf_call_arptables") {
            BridgeOption::NfCallArptables(u8_of("nf_call_arptables", words)?)
        } else if word.starts_with("mcast_") {
            return Err(not_simulated("ip", word));
        } else if matches(word, "help") {
            return Err(explain("", USAGE));
        } else {
            return Err(explain(&format!("bridge: unknown command \"{word}\"?"), USAGE));
        });
    }
    Ok(list)
}

/// iproute2: `bridge_slave_parse_opt`.
fn bridge_slave(words: &mut Words<'_>) -> Result<Vec<PortOption>, Stop> {
    // Simplified: the first line of the usage text.
    const USAGE: &str = "Usage: ... bridge_slave [ fdb_flush ]";
    let mut list = Vec::new();
    while let Some(word) = words.next_word() {
        // iproute2 ends the process with 1 if neither on nor off.
        let flag = |name: &str, words: &mut Words<'_>| {
            parse_on_off(name, words.value()?).map_err(|stop| Stop { end: End::Exit(1), ..stop })
        };
        list.push(if matches(word, "fdb_flush") {
            PortOption::FdbFlush
        } else if matches(word, "state") {
            let value = words.value()?;
            PortOption::State(get_u8(value).ok_or_else(|| invarg("state is invalid", value))?)
        } else if matches(word, "priority") {
            let value = words.value()?;
            PortOption::Priority(get_u16(value).ok_or_else(|| invarg("priority is invalid", value))?)
        } else if matches(word, "cost") {
            let value = words.value()?;
            PortOption::Cost(get_u32(value).ok_or_else(|| invarg("cost is invalid", value))?)
        } else if matches(word, "hairpin") {
            PortOption::Hairpin(flag("hairpin", words)?)
        } else if matches(word, "guard") {
            PortOption::Guard(flag("guard", words)?)
        } else if matches(word, "root_block") {
            PortOption::RootBlock(flag("root_block", words)?)
        } else if matches(word, "fastleave") {
            PortOption::FastLeave(flag("fastleave", words)?)
        } else if matches(word, "learning") {
            PortOption::Learning(flag("learning", words)?)
        } else if matches(word, "flood") {
            PortOption::Flood(flag("flood", words)?)
        } else if matches(word, "mcast_flood") {
            PortOption::McastFlood(flag("mcast_flood", words)?)
        } else if matches(word, "bcast_flood") {
            PortOption::BcastFlood(flag("bcast_flood", words)?)
        } else if matches(word, "mcast_to_unicast") {
            return Err(not_simulated("ip", word));
        } else if matches(word, "proxy_arp") {
            PortOption::ProxyArp(flag("proxy_arp", words)?)
        } else if matches(word, "mcast_router") {
            let value = words.value()?;
            PortOption::McastRouter(get_u8(value).ok_or_else(|| invarg("invalid mcast_router", value))?)
        } else if matches(word, "proxy_arp_wifi") {
            return Err(not_simulated("ip", word));
        } else if matches(word, "mcast_fast_leave") {
            PortOption::FastLeave(flag("mcast_fast_leave", words)?)
        } else if matches(word, "neigh_suppress") {
            PortOption::NeighSuppress(flag("neigh_suppress", words)?)
        } else if matches(word, "group_fwd_mask") || matches(word, "vlan_tunnel") {
            return Err(not_simulated("ip", word));
        } else if matches(word, "isolated") {
            PortOption::Isolated(flag("isolated", words)?)
        } else if matches_any(word, &["locked", "backup_port", "nobackup_port"]) {
            return Err(not_simulated("ip", word));
        } else if matches(word, "help") {
            return Err(explain("", USAGE));
        } else {
            return Err(explain(&format!("bridge_slave: unknown option \"{word}\"?"), USAGE));
        });
    }
    Ok(list)
}

const fn is_multicast(addr: IpAddr) -> bool {
    addr.is_multicast()
}

/// VNI 0, which counts only until the words give one.
const NO_VNI: Vni = match Vni::new(0) {
    Some(vni) => vni,
    None => unreachable!(),
};

/// A new vxlan without options, as the kernel fills it in.
pub const fn new_vxlan() -> VxlanConfig {
    VxlanConfig {
        vni: NO_VNI,
        remote: None,
        local: None,
        link: None,
        dstport: None,
        learning: true,
        ttl: 0,
        tos: 0,
        srcport: None,
        ageing: 300,
        maxaddress: None,
        proxy: false,
        l2miss: false,
        l3miss: false,
        udpcsum: true,
    }
}

/// iproute2: `vxlan_parse_opt`.
fn vxlan(
    words: &mut Words<'_>,
    verb: Verb,
    dev: Option<&str>,
    options: &Options,
    env: Env<'_>,
    own: &mut OwnPart,
) -> Result<(), Stop> {
    // Simplified: the first lines of the usage text.
    const USAGE: &str = "Usage: ... vxlan id VNI\n\t\t[ { group | remote } IP_ADDRESS ]";
    let existing = dev.and_then(|dev| env.link(dev)).and_then(|link| match link.kind {
        Some(KindInfo::Vxlan(config)) => Some(config),
        _ => None,
    });
    let mut config = match existing {
        Some(config) if verb == Verb::Set => config,
        _ => new_vxlan(),
    };
    let mut seen: Vec<&'static str> = Vec::new();
    let mut once = |key: &'static str, shown: &str, word: &str| {
        if seen.contains(&key) {
            return Err(duparg2(shown, word));
        }
        seen.push(key);
        Ok(())
    };
    let (mut has_id, mut has_port, mut has_dev) = (false, false, false);
    let family = |addr: Option<IpAddr>| addr.map_or(Family::Unspec, Family::of);
    let fail = |line: &str| Stop::fail(-1, line);
    let (mut remote, mut local) = (None, None);
    while let Some(word) = words.next_word() {
        if matches_any(word, &["id", "vni"]) {
            let value = words.value()?;
            once("id", "id", value)?;
            config.vni = get_u32(value).and_then(Vni::new).ok_or_else(|| invarg("invalid id", value))?;
            has_id = true;
        } else if matches_any(word, &["group", "remote"]) {
            let group = matches(word, "group");
            if remote.is_some_and(|addr| is_multicast(addr) != group) {
                return Err(fail("vxlan: both group and remote cannot be specified"));
            }
            let value = words.value()?;
            once("remote", if group { "group" } else { "remote" }, value)?;
            let addr = get_addr(value, family(local))?.address();
            if is_multicast(addr) != group {
                let what = if group { "group" } else { "remote" };
                return Err(invarg(&format!("invalid {what} address"), value));
            }
            remote = Some(addr);
        } else if matches(word, "local") {
            let value = words.value()?;
            once("local", "local", value)?;
            let addr = get_addr(value, family(remote))?.address();
            if is_multicast(addr) {
                return Err(invarg("invalid local address", value));
            }
            local = Some(addr);
        } else if matches(word, "dev") {
            let value = words.value()?;
            once("dev", "dev", value)?;
            if !env.has_device(value) {
                return Err(Stop { end: End::Exit(255), ..nodev(value) });
            }
            config.link = Some(env.own_name(value));
            has_dev = true;
        } else if matches_any(word, &["ttl", "hoplimit"]) {
            let value = words.value()?;
            once("ttl", "ttl", value)?;
            config.ttl = match value {
                "inherit" => return Err(not_simulated("ip", "ttl inherit")),
                "auto" => 0,
                _ => {
                    let ttl = get_u32(value).ok_or_else(|| invarg("invalid TTL", value))?;
                    u8::try_from(ttl).map_err(|_| invarg("TTL must be <= 255", value))?
                }
            };
        } else if matches_any(word, &["tos", "dsfield"]) {
            let value = words.value()?;
            once("tos", "tos", value)?;
            config.tos = match value {
                "inherit" => 1,
                _ => read_dsfield(value).ok_or_else(|| invarg("bad TOS value", value))?,
            };
        } else if matches(word, "df") || matches_any(word, &["label", "flowlabel"]) {
            return Err(not_simulated("ip", word));
        } else if matches(word, "ageing") {
            let value = words.value()?;
            once("ageing", "ageing", value)?;
            config.ageing = match value {
                "none" => 0,
                _ => get_u32(value).ok_or_else(|| invarg("ageing timer", value))?,
            };
        } else if matches(word, "maxaddress") {
            let value = words.value()?;
            once("maxaddress", "maxaddress", value)?;
            let max = match value {
                "unlimited" => 0,
                _ => get_u32(value).ok_or_else(|| invarg("max addresses", value))?,
            };
            config.maxaddress = (max != 0).then_some(max);
        } else if matches_any(word, &["port", "srcport"]) {
            let value = words.value()?;
            once("srcport", "srcport", value)?;
            let low = get_u16(value).ok_or_else(|| invarg("min port", value))?;
            let value = words.value()?;
            let high = get_u16(value).ok_or_else(|| invarg("max port", value))?;
            config.srcport = (low != 0 || high != 0).then_some((low, high));
        } else if matches(word, "dstport") {
            let value = words.value()?;
            once("dstport", "dstport", value)?;
            let port = get_u16(value).ok_or_else(|| invarg("dst port", value))?;
            config.dstport = (port != 0).then_some(port);
            has_port = true;
        } else if let Some((field, on)) = vxlan_flag(word) {
            once(field, word, word)?;
            match field {
                "learning" => config.learning = on,
                "proxy" => config.proxy = on,
                "l2miss" => config.l2miss = on,
                "l3miss" => config.l3miss = on,
                "udpcsum" => config.udpcsum = on,
                // Off is how they are; IPv6 underlays are not simulated.
                _ if !on => {}
                _ => return Err(not_simulated("ip", word)),
            }
        } else if matches_any(word, &["external", "gbp", "gpe", "vnifilter"]) {
            return Err(not_simulated("ip", word));
        } else if matches(word, "help") {
            return Err(explain("", USAGE));
        } else {
            return Err(explain(&format!("vxlan: unknown command \"{word}\"?"), USAGE));
        }
    }
    let set = verb == Verb::Set;
    if !has_id && !set {
        return Err(fail("vxlan: missing virtual network identifier"));
    }
    if remote.is_some_and(is_multicast) && !has_dev {
        return Err(fail("vxlan: 'group' requires 'dev' to be specified"));
    }
    if !has_port && !set {
        own.warning = "vxlan: destination port not specified\n\
                       Will use Linux kernel default (non-standard value)\n\
                       Use 'dstport 4789' to get the IANA assigned value\n\
                       Use 'dstport 0' to get default and quiet this message\n"
            .to_owned();
    }
    config.remote = remote.or(config.remote);
    config.local = local.or(config.local);
    let _ = options;
    if set {
        own.changes.push(LinkChange::Vxlan(config));
    } else {
        own.kind = Some(LinkKind::Vxlan(config));
    }
    Ok(())
}

/// A vxlan option that is a word alone: its field and whether it turns it on, in iproute2's order.
fn vxlan_flag(word: &str) -> Option<(&'static str, bool)> {
    const FLAGS: &[(&str, &str, bool)] = &[
        ("nolearning", "learning", false),
        ("learning", "learning", true),
        ("noproxy", "proxy", false),
        ("proxy", "proxy", true),
        ("norsc", "rsc", false),
        ("rsc", "rsc", true),
        ("nol2miss", "l2miss", false),
        ("l2miss", "l2miss", true),
        ("nol3miss", "l3miss", false),
        ("l3miss", "l3miss", true),
        ("udpcsum", "udpcsum", true),
        ("noudpcsum", "udpcsum", false),
        ("udp6zerocsumtx", "udp6zerocsumtx", true),
        ("noudp6zerocsumtx", "udp6zerocsumtx", false),
        ("udp6zerocsumrx", "udp6zerocsumrx", true),
        ("noudp6zerocsumrx", "udp6zerocsumrx", false),
        ("remcsumtx", "remcsumtx", true),
        ("noremcsumtx", "remcsumtx", false),
        ("remcsumrx", "remcsumrx", true),
        ("noremcsumrx", "remcsumrx", false),
        ("noexternal", "external", false),
    ];
    FLAGS.iter().find(|(name, _, _)| matches(word, name)).map(|(_, field, on)| (*field, *on))
}

/// iproute2: `iptunnel_parse_opt`.
fn ipip(words: &mut Words<'_>, dev: Option<&str>, verb: Verb, env: Env<'_>) -> Result<TunnelConfig, Stop> {
    let mut config = TunnelConfig::default();
    if verb == Verb::Set && !env.all_exist() {
        match dev.and_then(|dev| env.link(dev)).and_then(|link| link.kind) {
            Some(KindInfo::Ipip(now)) => config = now,
            _ => return Err(Stop::fail(-1, "Failed to get existing tunnel info.")),
        }
    }
    let given = |addr: IpAddr| (!addr.is_unspecified()).then_some(addr);
    while let Some(word) = words.next_word() {
        match word {
            "mode" => {
                let value = words.value()?;
                match value {
                    "ipv4/ipv4" | "ipip" | "ip4ip4" => config.ipv4_only = true,
                    "any/ipv4" | "any" => config.ipv4_only = false,
                    "mpls/ipv4" | "mplsip" => return Err(not_simulated("ip", value)),
                    _ => return Err(invarg("Cannot guess tunnel mode.", value)),
                }
            }
            "remote" => config.remote = given(get_addr(words.value()?, Family::Inet)?.address()),
            "local" => config.local = given(get_addr(words.value()?, Family::Inet)?.address()),
            _ if matches(word, "dev") => {
                let value = words.value()?;
                if !env.has_device(value) {
                    return Err(Stop { end: End::Exit(255), ..nodev(value) });
                }
                config.link = Some(env.own_name(value));
            }
            "ttl" | "hoplimit" | "hlim" => {
                let value = words.value()?;
                config.ttl = match value {
                    "inherit" => 0,
                    _ => get_u8(value).ok_or_else(|| invarg("invalid TTL\n", value))?,
                };
            }
            _ if matches!(word, "tos" | "tclass" | "tc") || matches(word, "dsfield") => {
                let value = words.value()?;
                config.tos = match value {
                    "inherit" => 1,
                    _ => read_dsfield(value).ok_or_else(|| invarg("bad TOS value", value))?,
                };
            }
            "nopmtudisc" => config.nopmtudisc = true,
            "pmtudisc" => config.nopmtudisc = false,
            "noencap" | "noencap-csum" | "noencap-udp6-csum" | "noencap-remcsum" => {}
            "encap" | "encap-sport" | "encap-dport" | "encap-csum" | "encap-udp6-csum" | "encap-remcsum"
            | "external" | "6rd-prefix" | "6rd-relay_prefix" | "6rd-reset" | "fwmark" => {
                return Err(not_simulated("ip", word));
            }
            // Simplified: the first lines of the usage text.
            _ => {
                return Err(explain("", "Usage: ... ipip\t[ remote ADDR ]\n\t\t[ local ADDR ]"));
            }
        }
    }
    if config.ttl != 0 && config.nopmtudisc {
        return Err(Stop::exit(255, "ttl != 0 and nopmtudisc are incompatible"));
    }
    Ok(config)
}

/// iproute2: `vlan_parse_opt`. Without `id` the kernel refuses.
fn vlan(words: &mut Words<'_>) -> Result<(VlanProto, Option<u16>), Stop> {
    // Simplified: the first line of the usage text.
    const USAGE: &str = "Usage: ... vlan id VLANID";
    let mut id = None;
    let mut proto = VlanProto::default();
    while let Some(word) = words.next_word() {
        if matches(word, "protocol") {
            let value = words.value()?;
            // iproute2: `ll_proto_a2n` knows many more, which the kernel refuses.
            proto = match value.to_ascii_lowercase().as_str() {
                "802.1q" | "0x8100" => VlanProto::Dot1Q,
                "802.1ad" | "0x88a8" => VlanProto::Dot1Ad,
                _ => return Err(invarg("protocol is invalid", value)),
            };
        } else if matches(word, "id") {
            let value = words.value()?;
            id = Some(get_u16(value).ok_or_else(|| invarg("id is invalid", value))?);
        } else if let Some(flag) = ["reorder_hdr", "gvrp", "mvrp", "loose_binding", "bridge_binding"]
            .into_iter()
            .find(|f| matches(word, f))
        {
            let on = on_off(flag, words.value()?)?;
            if on != (flag == "reorder_hdr") {
                return Err(not_simulated("ip", word));
            }
        } else if matches_any(word, &["ingress-qos-map", "egress-qos-map"]) {
            return Err(not_simulated("ip", word));
        } else if matches(word, "help") {
            return Err(explain("", USAGE));
        } else {
            return Err(explain(&format!("vlan: unknown command \"{word}\"?"), USAGE));
        }
    }
    Ok((proto, id))
}
