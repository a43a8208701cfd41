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

/// Services that rules name, a part of /etc/services.
const SERVICES: &[(&str, u16)] = &[
    ("echo", 7),
    ("discard", 9),
    ("daytime", 13),
    ("ftp-data", 20),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("time", 37),
    ("domain", 53),
    ("bootps", 67),
    ("bootpc", 68),
    ("tftp", 69),
    ("http", 80),
    ("pop3", 110),
    ("sunrpc", 111),
    ("ntp", 123),
    ("imap2", 143),
    ("snmp", 161),
    ("snmp-trap", 162),
    ("bgp", 179),
    ("ldap", 389),
    ("https", 443),
    ("microsoft-ds", 445),
    ("submission", 587),
    ("ldaps", 636),
    ("imaps", 993),
    ("pop3s", 995),
    ("openvpn", 1194),
    ("mysql", 3306),
    ("postgresql", 5432),
    ("http-alt", 8080),
];

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

/// The port of a service.
pub fn service_port(name: &str) -> Option<u16> {
    SERVICES.iter().find(|(service, _)| *service == name).map(|(_, port)| *port)
}

/// The service of a port.
pub fn service(port: u16) -> Option<&'static str> {
    SERVICES.iter().find(|(_, number)| *number == port).map(|(name, _)| *name)
}
