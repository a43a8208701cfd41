//! Names of protocols and services, as /etc/protocols and /etc/services have them.

use packet::Proto;

use crate::args::number;

/// /etc/protocols of Debian 12 without its comments: name, number, other names.
const PROTOCOLS: &str = include_str!("protocols.txt");

/// Protocols that iptables knows besides. iptables `xtables_chain_protos`.
const MORE_PROTOCOLS: &[(&str, u8)] = &[("icmpv6", 58), ("ipv6-mh", 135), ("mh", 135), ("all", 0)];

/// Name, number and other names of each protocol.
fn protocols() -> impl Iterator<Item = (&'static str, u8, &'static str)> {
    PROTOCOLS.lines().filter_map(|line| {
        let mut fields = line.split('\t');
        Some((fields.next()?, fields.next()?.parse().ok()?, fields.next().unwrap_or("")))
    })
}

/// /etc/services of Debian 12 without its comments: name, port and protocol, other names.
pub const SERVICES: &str = include_str!("services.txt");

/// The name of a protocol, if it has one; 0 is `all`.
pub fn protocol(proto: Proto) -> Option<&'static str> {
    match proto {
        Proto(0) => Some("all"),
        Proto::TCP => Some("tcp"),
        Proto::UDP => Some("udp"),
        Proto::ICMP => Some("icmp"),
        Proto(wanted) => protocols().find(|(_, number, _)| *number == wanted).map(|(name, ..)| name),
    }
}

/// The protocol of that name, in any case or as a number.
pub fn protocol_number(text: &str) -> Option<Proto> {
    if let Some(number) = number(text) {
        return u8::try_from(number).ok().map(Proto);
    }
    let text = text.to_ascii_lowercase();
    let named = |(name, _, others): &(&str, u8, &str)| {
        !text.is_empty()
            && (*name == text || others.to_ascii_lowercase().split(' ').any(|other| other == text))
    };
    let more = || MORE_PROTOCOLS.iter().find(|(name, _)| *name == text).map(|(_, number)| Proto(*number));
    protocols().find(named).map(|(_, number, _)| Proto(number)).or_else(more)
}

/// Names, port and protocol of each service.
fn services() -> impl Iterator<Item = (&'static str, u16, &'static str, &'static str)> {
    SERVICES.lines().filter_map(|line| {
        let mut fields = line.split('\t');
        let name = fields.next()?;
        let (port, proto) = fields.next()?.split_once('/')?;
        Some((name, port.parse().ok()?, proto, fields.next().unwrap_or("")))
    })
}

/// The port of a service; over any protocol if none is given.
pub fn service_port(name: &str, proto: Option<Proto>) -> Option<u16> {
    let wanted = proto.map(|proto| protocol(proto).unwrap_or_default());
    if name.is_empty() {
        return None;
    }
    let named = |main: &str, others: &str| main == name || others.split(' ').any(|other| other == name);
    services()
        .find(|(main, _, over, others)| wanted.is_none_or(|wanted| wanted == *over) && named(main, others))
        .map(|(_, port, ..)| port)
}

/// The service of a port.
pub fn service(port: u16, proto: Proto) -> Option<&'static str> {
    let wanted = protocol(proto)?;
    services().find(|(_, number, over, _)| *number == port && *over == wanted).map(|(name, ..)| name)
}

/// Users of /etc/passwd, as Debian's base-passwd has them.
const USERS: &[(&str, u32)] = &[
    ("root", 0),
    ("daemon", 1),
    ("bin", 2),
    ("sys", 3),
    ("sync", 4),
    ("games", 5),
    ("man", 6),
    ("lp", 7),
    ("mail", 8),
    ("news", 9),
    ("uucp", 10),
    ("proxy", 13),
    ("www-data", 33),
    ("backup", 34),
    ("list", 38),
    ("irc", 39),
    ("_apt", 42),
    ("nobody", 65534),
];

/// Groups of /etc/group, likewise.
const GROUPS: &[(&str, u32)] = &[
    ("root", 0),
    ("daemon", 1),
    ("bin", 2),
    ("sys", 3),
    ("adm", 4),
    ("tty", 5),
    ("disk", 6),
    ("lp", 7),
    ("mail", 8),
    ("news", 9),
    ("uucp", 10),
    ("man", 12),
    ("proxy", 13),
    ("kmem", 15),
    ("dialout", 20),
    ("fax", 21),
    ("voice", 22),
    ("cdrom", 24),
    ("floppy", 25),
    ("tape", 26),
    ("sudo", 27),
    ("audio", 29),
    ("dip", 30),
    ("www-data", 33),
    ("backup", 34),
    ("operator", 37),
    ("list", 38),
    ("irc", 39),
    ("src", 40),
    ("shadow", 42),
    ("utmp", 43),
    ("video", 44),
    ("sasl", 45),
    ("plugdev", 46),
    ("staff", 50),
    ("games", 60),
    ("users", 100),
    ("nogroup", 65534),
];

fn id_of(table: &[(&str, u32)], name: &str) -> Option<u32> {
    table.iter().find(|(known, _)| *known == name).map(|(_, id)| *id)
}

fn name_of(table: &[(&'static str, u32)], id: u32) -> Option<&'static str> {
    table.iter().find(|(_, known)| *known == id).map(|(name, _)| *name)
}

/// The id of a user.
pub fn user(name: &str) -> Option<u32> {
    id_of(USERS, name)
}

/// The name of a user.
pub fn user_name(id: u32) -> Option<&'static str> {
    name_of(USERS, id)
}

/// The id of a group.
pub fn group(name: &str) -> Option<u32> {
    id_of(GROUPS, name)
}

/// The name of a group.
pub fn group_name(id: u32) -> Option<&'static str> {
    name_of(GROUPS, id)
}
