use super::{Filter, LinkType, Seen, Target};
use crate::net::tcpdump::names::Names;
use crate::net::tcpdump::samples::sample;

fn compile(text: &str) -> Result<Option<Filter>, String> {
    let names =
        Names::parse("127.0.0.1 localhost\n", "http 80/tcp\nssh 22/tcp\ndomain 53/tcp\ndomain 53/udp\n");
    Filter::compile(
        text,
        Target { link: LinkType::Ethernet, names: &names, netmask: 0xffff_ff00, live: false },
    )
}

/// Which of the samples pass, by their first letters in this order.
#[test]
fn filters_pass_what_they_say() {
    const SAMPLES: [(&str, char); 9] = [
        ("arp request", 'q'),
        ("arp reply", 'r'),
        ("ping", 'i'),
        ("pong", 'o'),
        ("probe", 'u'),
        ("port unreachable", 'x'),
        ("syn", 's'),
        ("reset", 't'),
        ("long ping", 'l'),
    ];
    for (text, expected) in [
        ("", "qriouxstl"),
        ("host 10.0.0.1", "qriouxstl"),
        ("src host 10.0.0.1", "qiusl"),
        ("dst 10.0.0.1", "roxt"),
        ("net 10.0.0.0/24 and udp", "u"),
        ("src net 10.0.0.2/32", "roxt"),
        ("net 10", "qriouxstl"),
        ("port 9000", "u"),
        ("src port 9000", ""),
        ("portrange 9000-9001", "u"),
        ("port 9000 or 8001", "ust"),
        ("port (9000 or 8001) and src 10.0.0.1", "us"),
        ("tcp port 8001", "st"),
        ("udp port 8001", ""),
        ("icmp or arp", "qriox l"),
        ("not ip", "qr"),
        ("ether src 02:00:00:00:01:02", "roxt"),
        ("broadcast", "q"),
        ("ether proto 0x0806", "qr"),
        ("ether proto \\arp", "qr"),
        ("greater 500", "l"),
        ("less 60", "qrust"),
        ("len > 500", "l"),
        ("tcp[tcpflags] & tcp-syn != 0", "s"),
        ("tcp[tcpflags] & (tcp-rst|tcp-ack) != 0", "t"),
        ("tcp[13] == 2", "s"),
        ("icmp[icmptype] = icmp-echo", "il"),
        ("icmp[0] != 3", "iol"),
        ("ip[6:2] & 0x1fff = 0", "iouxstl"),
        ("ether[0] & 1 = 1", "q"),
        ("(ip[2:2] - 20) > 200", "l"),
        ("not (udp or tcp or arp)", "ioxl"),
        ("ip proto 17", "u"),
        ("udp or arp and src 10.0.0.1", "qu"),
        ("vlan", ""),
        ("ip6", ""),
    ] {
        let filter = compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let passed: String = SAMPLES
            .iter()
            .filter(|(name, _)| {
                let bytes = sample(name);
                let seen = Seen {
                    link: LinkType::Ethernet,
                    bytes: &bytes,
                    len: bytes.len(),
                    tag: None,
                    outgoing: false,
                };
                filter.as_ref().is_none_or(|filter| filter.passes(seen))
            })
            .map(|(_, letter)| *letter)
            .collect();
        assert_eq!(passed, expected.replace(' ', ""), "{text}");
    }
}

#[test]
fn tags_move_what_follows() {
    let bytes = sample("tagged");
    for (text, expected) in [
        ("icmp", false),
        ("vlan", true),
        ("vlan 10 and icmp", true),
        ("vlan 11", false),
        ("vlan and vlan", false),
    ] {
        let seen =
            Seen { link: LinkType::Ethernet, bytes: &bytes, len: bytes.len(), tag: None, outgoing: false };
        let filter = compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(filter.is_some_and(|filter| filter.passes(seen)), expected, "{text}");
    }
}

/// What tcpdump 4.99.3 says of these.
#[test]
fn refusals_are_worded_as_libpcap_words_them() {
    const SYNTAX: &str = "can't parse filter expression: syntax error";
    for (text, expected) in [
        ("foo", SYNTAX),
        ("10.0.0.1", SYNTAX),
        ("port", SYNTAX),
        ("tcp port 80 and", SYNTAX),
        ("(tcp", SYNTAX),
        ("tcp udp", SYNTAX),
        ("tcp src", SYNTAX),
        ("ip proto tcp", SYNTAX),
        ("tcp[tcpflags] = tcp-foo", SYNTAX),
        ("host foo", "unknown host 'foo'"),
        ("port foo", "unknown port 'foo'"),
        ("port 80-90", "unknown port '80-90'"),
        ("port 70000", "illegal port number 70000 > 65535"),
        ("udp port http", "port 'http' is tcp"),
        ("icmp port 80", "illegal qualifier of 'port'"),
        ("host 10.0.0.300", "invalid IPv4 address '10.0.0.300'"),
        ("net 10.0.0.1/24", "non-network bits set in \"10.0.0.1/24\""),
        ("net 10.0.0.0/33", "mask length must be <= 32"),
        ("tcp host 10.0.0.1", "'tcp' modifier applied to host"),
        ("ip6 host 10.0.0.1", "'ip6' modifier applied to ip host"),
        ("ether host 1.2.3.4", "illegal link layer address"),
        ("proto foo", "unknown ip proto 'foo'"),
        ("tcp[13:3] = 2", "data size must be 1, 2, or 4"),
        ("gateway x", "'gateway' not supported in this configuration"),
        ("inbound", "inbound/outbound not supported on Ethernet when reading savefiles"),
    ] {
        assert_eq!(compile(text), Err(expected.to_owned()), "{text}");
    }
}
