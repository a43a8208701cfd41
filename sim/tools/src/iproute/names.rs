//! Names of numbers, as Debian 12's `/etc/iproute2` and iproute2's own tables give them.

use kernel::{Nud, RouteKind, RouteProto, Scope, TableId};

use super::args::{matches, matches_any, strtol};

const PROTOS: &[(u8, &str)] = &[
    (0, "unspec"),
    (1, "redirect"),
    (2, "kernel"),
    (3, "boot"),
    (4, "static"),
    (8, "gated"),
    (9, "ra"),
    (10, "mrt"),
    (11, "zebra"),
    (12, "bird"),
    (13, "dnrouted"),
    (14, "xorp"),
    (15, "ntk"),
    (16, "dhcp"),
    (18, "keepalived"),
    (42, "babel"),
    (99, "openr"),
    (186, "bgp"),
    (187, "isis"),
    (188, "ospf"),
    (189, "rip"),
    (192, "eigrp"),
];

const SCOPES: &[(u8, &str)] = &[(0, "global"), (255, "nowhere"), (254, "host"), (253, "link"), (200, "site")];

const DSFIELDS: &[(u8, &str)] = &[
    (0x00, "default"),
    (0x28, "AF11"),
    (0x30, "AF12"),
    (0x38, "AF13"),
    (0x48, "AF21"),
    (0x50, "AF22"),
    (0x58, "AF23"),
    (0x68, "AF31"),
    (0x70, "AF32"),
    (0x78, "AF33"),
    (0x88, "AF41"),
    (0x90, "AF42"),
    (0x98, "AF43"),
    (0x20, "CS1"),
    (0x40, "CS2"),
    (0x60, "CS3"),
    (0x80, "CS4"),
    (0xa0, "CS5"),
    (0xc0, "CS6"),
    (0xe0, "CS7"),
    (0xb8, "EF"),
];

/// Names in `/etc/protocols` that rules are written with.
const IP_PROTOS: &[(u8, &str)] = &[
    (0, "ip"),
    (1, "icmp"),
    (2, "igmp"),
    (4, "ipencap"),
    (6, "tcp"),
    (17, "udp"),
    (33, "dccp"),
    (41, "ipv6"),
    (47, "gre"),
    (50, "esp"),
    (51, "ah"),
    (58, "ipv6-icmp"),
    (89, "ospf"),
    (103, "pim"),
    (112, "vrrp"),
    (115, "l2tp"),
    (132, "sctp"),
    (136, "udplite"),
];

fn name_of(table: &[(u8, &'static str)], id: u8) -> Option<&'static str> {
    table.iter().find(|(n, _)| *n == id).map(|(_, name)| *name)
}

fn id_of(table: &[(u8, &str)], word: &str) -> Option<u8> {
    let named = table.iter().find(|(_, name)| *name == word).map(|(n, _)| *n);
    named.or_else(|| {
        let (value, rest) = strtol(word)?;
        if rest.is_empty() { u8::try_from(value).ok() } else { None }
    })
}

/// iproute2: `rtnl_rtprot_n2a`.
pub fn proto_name(proto: RouteProto, numeric: bool) -> String {
    name_of(PROTOS, proto.0).filter(|_| !numeric).map_or_else(|| proto.0.to_string(), str::to_owned)
}

/// iproute2: `rtnl_rtprot_a2n`.
pub fn read_proto(word: &str) -> Option<RouteProto> {
    id_of(PROTOS, word).map(RouteProto)
}

/// iproute2: `rtnl_rtscope_n2a`.
pub fn scope_name(scope: Scope, numeric: bool) -> String {
    name_of(SCOPES, scope.0).filter(|_| !numeric).map_or_else(|| scope.0.to_string(), str::to_owned)
}

/// iproute2: `rtnl_rtscope_a2n`.
pub fn read_scope(word: &str) -> Option<Scope> {
    id_of(SCOPES, word).map(Scope)
}

/// iproute2: `rtnl_rttable_n2a`.
pub fn table_name(table: TableId, numeric: bool) -> String {
    match table {
        _ if numeric => table.0.to_string(),
        TableId::LOCAL => "local".to_owned(),
        TableId::MAIN => "main".to_owned(),
        TableId::DEFAULT => "default".to_owned(),
        TableId(0) => "unspec".to_owned(),
        TableId(n) => n.to_string(),
    }
}

/// iproute2: `rtnl_rttable_a2n`.
pub fn read_table(word: &str) -> Option<TableId> {
    Some(match word {
        "local" => TableId::LOCAL,
        "main" => TableId::MAIN,
        "default" => TableId::DEFAULT,
        "unspec" => TableId(0),
        _ => {
            let (value, rest) = strtol(word)?;
            TableId(u32::try_from(value).ok().filter(|_| rest.is_empty())?)
        }
    })
}

/// iproute2: `rtnl_dsfield_n2a`.
pub fn dsfield_name(tos: u8, numeric: bool) -> String {
    name_of(DSFIELDS, tos).filter(|_| !numeric).map_or_else(|| format!("0x{tos:02x}"), str::to_owned)
}

/// iproute2: `rtnl_dsfield_a2n`: numbers are hexadecimal.
pub fn read_dsfield(word: &str) -> Option<u8> {
    let named = DSFIELDS.iter().find(|(_, name)| *name == word).map(|(n, _)| *n);
    named.or_else(|| {
        let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")).unwrap_or(word);
        u8::from_str_radix(digits, 16).ok()
    })
}

/// iproute2: `inet_proto_n2a`.
pub fn ip_proto_name(proto: u8, numeric: bool) -> String {
    name_of(IP_PROTOS, proto).filter(|_| !numeric).map_or_else(|| format!("ipproto-{proto}"), str::to_owned)
}

/// iproute2: `inet_proto_a2n`.
pub fn read_ip_proto(word: &str) -> Option<u8> {
    word.parse().ok().or_else(|| IP_PROTOS.iter().find(|(_, name)| *name == word).map(|(n, _)| *n))
}

/// A device group's name.
pub fn group_name(group: u32, numeric: bool) -> String {
    if group == 0 && !numeric { "default".to_owned() } else { group.to_string() }
}

/// iproute2: `rtnl_group_a2n`.
pub fn read_group(word: &str) -> Option<u32> {
    if word == "default" {
        return Some(0);
    }
    let (value, rest) = strtol(word)?;
    let value = i32::try_from(value).ok().filter(|_| rest.is_empty())?;
    u32::try_from(value).ok()
}

/// iproute2: `rtnl_rtntype_n2a`.
pub const fn route_kind_name(kind: RouteKind) -> &'static str {
    match kind {
        RouteKind::Unicast => "unicast",
        RouteKind::Local => "local",
        RouteKind::Broadcast => "broadcast",
        RouteKind::Multicast => "multicast",
        RouteKind::Blackhole => "blackhole",
        RouteKind::Unreachable => "unreachable",
        RouteKind::Prohibit => "prohibit",
        RouteKind::Throw => "throw",
    }
}

/// iproute2: `rtnl_rtntype_a2n`, in its order. `Err` carries the name of a type that isn't simulated.
pub fn read_route_kind(word: &str) -> Option<Result<RouteKind, &'static str>> {
    Some(Ok(match word {
        "local" => RouteKind::Local,
        "nat" => return Some(Err("nat")),
        "throw" => RouteKind::Throw,
        _ if word == "brd" || matches(word, "broadcast") => RouteKind::Broadcast,
        _ if matches(word, "anycast") => return Some(Err("anycast")),
        _ if matches(word, "multicast") => RouteKind::Multicast,
        _ if matches(word, "prohibit") => RouteKind::Prohibit,
        _ if matches(word, "unreachable") => RouteKind::Unreachable,
        _ if matches(word, "blackhole") => RouteKind::Blackhole,
        _ if matches(word, "xresolve") => return Some(Err("xresolve")),
        _ if matches(word, "unicast") => RouteKind::Unicast,
        _ => {
            let (value, rest) = strtol(word)?;
            if !rest.is_empty() {
                return None;
            }
            match value {
                1 => RouteKind::Unicast,
                2 => RouteKind::Local,
                3 => RouteKind::Broadcast,
                5 => RouteKind::Multicast,
                6 => RouteKind::Blackhole,
                7 => RouteKind::Unreachable,
                8 => RouteKind::Prohibit,
                9 => RouteKind::Throw,
                0..=255 => return Some(Err("type")),
                _ => return None,
            }
        }
    }))
}

/// A neighbour state as iproute2 reads it. iproute2: `nud_state_a2n`.
pub fn read_nud(word: &str) -> Option<Nud> {
    Some(match word {
        _ if matches(word, "permanent") => Nud::Permanent,
        _ if matches(word, "reachable") => Nud::Reachable,
        "noarp" => Nud::Noarp,
        "none" => Nud::None,
        "stale" => Nud::Stale,
        "incomplete" => Nud::Incomplete,
        "delay" => Nud::Delay,
        "probe" => Nud::Probe,
        _ if matches(word, "failed") => Nud::Failed,
        _ => {
            let (value, rest) = strtol(word)?;
            match value {
                _ if !rest.is_empty() => return None,
                0 => Nud::None,
                0x01 => Nud::Incomplete,
                0x02 => Nud::Reachable,
                0x04 => Nud::Stale,
                0x08 => Nud::Delay,
                0x10 => Nud::Probe,
                0x20 => Nud::Failed,
                0x40 => Nud::Noarp,
                0x80 => Nud::Permanent,
                _ => return None,
            }
        }
    })
}

/// The state in capitals; empty for none.
pub const fn nud_name(nud: Nud) -> &'static str {
    match nud {
        Nud::None => "",
        Nud::Incomplete => "INCOMPLETE",
        Nud::Reachable => "REACHABLE",
        Nud::Stale => "STALE",
        Nud::Delay => "DELAY",
        Nud::Probe => "PROBE",
        Nud::Failed => "FAILED",
        Nud::Noarp => "NOARP",
        Nud::Permanent => "PERMANENT",
    }
}

/// Spanning tree states by number.
pub const STP_STATES: [&str; 5] = ["disabled", "listening", "learning", "forwarding", "blocking"];

/// Whether a word asks for a listing.
pub fn is_list(word: &str) -> bool {
    matches_any(word, &["show", "lst", "list"])
}
