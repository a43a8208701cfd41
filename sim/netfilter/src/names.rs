//! Names of protocols and services, as /etc/protocols and /etc/services have them.

use packet::Proto;

/// Protocols in the order in which iptables looks a name up.
const PROTOCOLS: &[(&str, u8)] = &[
    ("tcp", 6),
    ("sctp", 132),
    ("udp", 17),
    ("udplite", 136),
    ("icmp", 1),
    ("icmpv6", 58),
    ("ipv6-icmp", 58),
    ("esp", 50),
    ("ah", 51),
    ("ipv6-mh", 135),
    ("mh", 135),
    ("all", 0),
    ("igmp", 2),
    ("ipencap", 4),
    ("egp", 8),
    ("igp", 9),
    ("dccp", 33),
    ("ipv6", 41),
    ("rsvp", 46),
    ("gre", 47),
    ("skip", 57),
    ("eigrp", 88),
    ("ospf", 89),
    ("ipip", 94),
    ("etherip", 97),
    ("pim", 103),
    ("ipcomp", 108),
    ("vrrp", 112),
    ("l2tp", 115),
];

/// /etc/services of Debian 12 without its comments: name, port and protocol, other names.
pub const SERVICES: &str = include_str!("services.txt");

/// The name of a protocol, if it has one; 0 is `all`.
pub fn protocol(proto: Proto) -> Option<&'static str> {
    PROTOCOLS.iter().find(|(_, number)| *number == proto.0).map(|(name, _)| *name)
}

/// The protocol of that name, in lower case or as a number.
pub fn protocol_number(text: &str) -> Option<Proto> {
    if let Ok(number) = text.parse::<u8>() {
        return Some(Proto(number));
    }
    let text = text.to_ascii_lowercase();
    PROTOCOLS.iter().find(|(name, _)| *name == text).map(|(_, number)| Proto(*number))
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
