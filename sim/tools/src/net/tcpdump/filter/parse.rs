//! From tokens to a filter.

use packet::MacAddr;

use super::lex::{Token, tokens};
use super::{
    Arith, Direction, EtherNet, Filter, Header, LinkType, Op, PortProto, Relation, Target, Test, dotted,
};

/// Why words are no filter.
enum Refused {
    /// The parser could try another way.
    Syntax,
    /// A text of libpcap.
    Because(String),
}

fn because<T>(text: impl Into<String>) -> Result<T, Refused> {
    Err(Refused::Because(text.into()))
}

/// A protocol's name before an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proto {
    None,
    Link,
    Net(u16, &'static str),
    Transport(u8, &'static str),
}

/// The kind of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    None,
    Host,
    Net,
    Port,
    PortRange,
    Proto,
    Gateway,
}

/// Words before an address; a following one without any takes over those of the one before it.
#[derive(Clone, Copy, Debug)]
struct Qualifiers {
    proto: Proto,
    direction: Option<Direction>,
    kind: Kind,
}

struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    target: Target<'a>,
    last: Option<Qualifiers>,
    tags: usize,
}

/// See [`Filter::compile`].
pub(super) fn compile(text: &str, target: Target<'_>) -> Result<Filter, String> {
    let parsed = tokens(text).ok_or(Refused::Syntax).and_then(|tokens| {
        let mut parser = Parser { tokens, at: 0, target, last: None, tags: 0 };
        let filter = parser.expression()?;
        if parser.at == parser.tokens.len() { Ok(filter) } else { Err(Refused::Syntax) }
    });
    parsed.map_err(|refused| match refused {
        Refused::Syntax => "can't parse filter expression: syntax error".to_owned(),
        Refused::Because(text) => text,
    })
}

fn proto_of(word: &str) -> Option<Proto> {
    Some(match word {
        "ether" | "link" | "fddi" | "tr" | "wlan" => Proto::Link,
        "ip" => Proto::Net(0x0800, "ip"),
        "arp" => Proto::Net(0x0806, "arp"),
        "rarp" => Proto::Net(0x8035, "rarp"),
        "ip6" => Proto::Net(0x86dd, "ip6"),
        "tcp" => Proto::Transport(6, "tcp"),
        "udp" => Proto::Transport(17, "udp"),
        "sctp" => Proto::Transport(132, "sctp"),
        "icmp" => Proto::Transport(1, "icmp"),
        "igmp" => Proto::Transport(2, "igmp"),
        "igrp" => Proto::Transport(9, "igrp"),
        "ah" => Proto::Transport(51, "ah"),
        "esp" => Proto::Transport(50, "esp"),
        "pim" => Proto::Transport(103, "pim"),
        "vrrp" => Proto::Transport(112, "vrrp"),
        "icmp6" => Proto::Transport(58, "icmp6"),
        _ => return None,
    })
}

/// Names of offsets and values.
fn constant(word: &str) -> Option<u32> {
    Some(match word {
        "icmptype" | "icmp-echoreply" => 0,
        "icmpcode" => 1,
        "tcpflags" | "icmp-tstamp" => 13,
        "icmp-unreach" => 3,
        "icmp-sourcequench" => 4,
        "icmp-redirect" => 5,
        "icmp-echo" => 8,
        "icmp-routeradvert" => 9,
        "icmp-routersolicit" => 10,
        "icmp-timxceed" => 11,
        "icmp-paramprob" => 12,
        "icmp-tstampreply" => 14,
        "icmp-ireq" => 15,
        "icmp-ireqreply" => 16,
        "icmp-maskreq" => 17,
        "icmp-maskreply" => 18,
        "tcp-fin" => 0x01,
        "tcp-syn" => 0x02,
        "tcp-rst" => 0x04,
        "tcp-push" => 0x08,
        "tcp-ack" => 0x10,
        "tcp-urg" => 0x20,
        "tcp-ece" => 0x40,
        "tcp-cwr" => 0x80,
        _ => return None,
    })
}

fn number(word: &str) -> Option<u32> {
    match (word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")), word.strip_prefix('0')) {
        (Some(hex), _) => u32::from_str_radix(hex, 16).ok(),
        (None, Some(octal)) if !octal.is_empty() => u32::from_str_radix(octal, 8).ok(),
        _ => word.parse().ok(),
    }
}

fn ip_proto_number(name: &str) -> Option<u8> {
    const NAMES: [(&str, u8); 17] = [
        ("icmp", 1),
        ("igmp", 2),
        ("ipencap", 4),
        ("tcp", 6),
        ("egp", 8),
        ("igp", 9),
        ("udp", 17),
        ("ipv6", 41),
        ("rsvp", 46),
        ("gre", 47),
        ("esp", 50),
        ("ah", 51),
        ("ipv6-icmp", 58),
        ("ospf", 89),
        ("pim", 103),
        ("vrrp", 112),
        ("sctp", 132),
    ];
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, proto)| *proto)
}

fn ether_proto_number(name: &str) -> Option<u16> {
    Some(match name {
        "ip" => 0x0800,
        "arp" => 0x0806,
        "rarp" => 0x8035,
        "ip6" | "ipv6" => 0x86dd,
        "loopback" => 0x9000,
        "lat" => 0x6004,
        "decnet" => 0x6003,
        "atalk" => 0x809b,
        "aarp" => 0x80f3,
        "ipx" => 0x8137,
        _ => return None,
    })
}

impl Parser<'_> {
    fn word(&self) -> Option<&str> {
        match self.tokens.get(self.at) {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn take_sign(&mut self, signs: &[&'static str]) -> Option<&'static str> {
        match self.tokens.get(self.at) {
            Some(Token::Sign(sign)) if signs.contains(sign) => {
                self.at += 1;
                Some(sign)
            }
            _ => None,
        }
    }

    fn take_word(&mut self, words: &[&'static str]) -> Option<&'static str> {
        let word = self.word()?;
        let found = words.iter().find(|known| **known == word)?;
        self.at += 1;
        Some(found)
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), Refused> {
        self.take_sign(&[sign]).map(|_| ()).ok_or(Refused::Syntax)
    }

    fn test(&self, test: Test) -> Filter {
        Filter::Test(self.tags, test)
    }

    fn take_junction(&mut self) -> Option<bool> {
        if self.take_word(&["and"]).is_some() || self.take_sign(&["&&"]).is_some() {
            Some(true)
        } else if self.take_word(&["or"]).is_some() || self.take_sign(&["||"]).is_some() {
            Some(false)
        } else {
            None
        }
    }

    /// `and` and `or` bind alike, from the left.
    fn expression(&mut self) -> Result<Filter, Refused> {
        let mut filter = self.term()?;
        while let Some(and) = self.take_junction() {
            let next = self.term()?;
            filter = if and { filter.and(next) } else { filter.or(next) };
        }
        Ok(filter)
    }

    fn term(&mut self) -> Result<Filter, Refused> {
        if self.take_sign(&["!"]).is_some() || self.take_word(&["not"]).is_some() {
            return Ok(Filter::Not(Box::new(self.term()?)));
        }
        let (start, tags) = (self.at, self.tags);
        match self.relation() {
            Err(Refused::Syntax) => (self.at, self.tags) = (start, tags),
            done => return done,
        }
        if self.take_sign(&["("]).is_some() {
            let filter = self.expression()?;
            self.expect(")")?;
            return Ok(filter);
        }
        self.primitive()
    }

    fn relation(&mut self) -> Result<Filter, Refused> {
        let a = self.arith(0)?;
        let relation = match self.take_sign(&["==", "!=", "<", "<=", ">", ">="]) {
            Some("==") => Relation::Equal,
            Some("!=") => Relation::NotEqual,
            Some("<") => Relation::Less,
            Some("<=") => Relation::LessEqual,
            Some(">") => Relation::Greater,
            Some(_) => Relation::GreaterEqual,
            None => return Err(Refused::Syntax),
        };
        let b = self.arith(0)?;
        Ok(self.test(Test::Compare(a, relation, b)))
    }

    /// Operators from the loosest: `| ^`, `&`, `<< >>`, `+ -`, `* / %`.
    fn arith(&mut self, level: usize) -> Result<Arith, Refused> {
        const LEVELS: [&[(&str, Op)]; 5] = [
            &[("|", Op::Or), ("^", Op::Xor)],
            &[("&", Op::And)],
            &[("<<", Op::Shl), (">>", Op::Shr)],
            &[("+", Op::Add), ("-", Op::Sub)],
            &[("*", Op::Mul), ("/", Op::Div), ("%", Op::Mod)],
        ];
        let Some(ops) = LEVELS.get(level) else { return self.operand() };
        let mut left = self.arith(level + 1)?;
        while let Some(Token::Sign(sign)) = self.tokens.get(self.at)
            && let Some((_, op)) = ops.iter().find(|(known, _)| known == sign)
        {
            self.at += 1;
            let right = self.arith(level + 1)?;
            if matches!((op, &right), (Op::Div, Arith::Number(0))) {
                return because("division by zero");
            }
            if matches!((op, &right), (Op::Mod, Arith::Number(0))) {
                return because("modulus by zero");
            }
            left = Arith::Binary(*op, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn operand(&mut self) -> Result<Arith, Refused> {
        if self.take_sign(&["-"]).is_some() {
            return Ok(Arith::Negative(Box::new(self.operand()?)));
        }
        if self.take_sign(&["("]).is_some() {
            let inner = self.arith(0)?;
            self.expect(")")?;
            return Ok(inner);
        }
        let word = self.word().ok_or(Refused::Syntax)?.to_owned();
        if let Some(value) = constant(&word).or_else(|| number(&word)) {
            self.at += 1;
            return Ok(Arith::Number(value));
        }
        if word == "len" {
            self.at += 1;
            return Ok(Arith::Len);
        }
        let header = match proto_of(&word).ok_or(Refused::Syntax)? {
            Proto::Link | Proto::None => Header::Link,
            Proto::Net(ether_type, _) => Header::Net(ether_type),
            Proto::Transport(proto, _) => Header::Transport(proto),
        };
        self.at += 1;
        self.expect("[")?;
        let index = self.arith(0)?;
        let mut size = 1;
        if self.take_sign(&[":"]).is_some() {
            size = self.word().and_then(number).ok_or(Refused::Syntax)? as usize;
            self.at += 1;
            if ![1, 2, 4].contains(&size) {
                return because("data size must be 1, 2, or 4");
            }
        }
        self.expect("]")?;
        Ok(Arith::Load(header, Box::new(index), size))
    }

    fn primitive(&mut self) -> Result<Filter, Refused> {
        if let Some(word) = self.take_word(&["less", "greater"]) {
            let length = self.word().and_then(number).ok_or(Refused::Syntax)?;
            self.at += 1;
            let relation = if word == "less" { Relation::LessEqual } else { Relation::GreaterEqual };
            return Ok(self.test(Test::Compare(Arith::Len, relation, Arith::Number(length))));
        }
        if let Some(word) = self.take_word(&["inbound", "outbound"]) {
            if !self.target.live {
                let on = match self.target.link {
                    LinkType::Ethernet => "Ethernet",
                    LinkType::Raw => "Raw IP",
                    LinkType::Sll2 => return Ok(self.test(Test::Inbound(word == "inbound"))),
                };
                return because(format!("inbound/outbound not supported on {on} when reading savefiles"));
            }
            return Ok(self.test(Test::Inbound(word == "inbound")));
        }
        if self.take_word(&["vlan"]).is_some() {
            if self.target.link == LinkType::Raw {
                return because("no VLAN support for Raw IP");
            }
            let vid = self.word().and_then(number);
            if let Some(vid) = vid {
                self.at += 1;
                if vid > 4095 {
                    return because(format!("VLAN tag {vid} greater than maximum 4095"));
                }
            }
            self.tags += 1;
            return Ok(self.test(Test::Vlan(vid.and_then(|vid| u16::try_from(vid).ok()))));
        }
        let proto = self.word().and_then(proto_of);
        if proto.is_some() {
            self.at += 1;
        }
        if let Some(word) = self.take_word(&["broadcast", "multicast"]) {
            return self.to_many(proto.unwrap_or(Proto::None), word == "broadcast");
        }
        let direction = self.direction()?;
        let kind =
            self.take_word(&["host", "net", "portrange", "port", "proto", "gateway"]).map(
                |word| match word {
                    "host" => Kind::Host,
                    "net" => Kind::Net,
                    "portrange" => Kind::PortRange,
                    "port" => Kind::Port,
                    "proto" => Kind::Proto,
                    _ => Kind::Gateway,
                },
            );
        let qualifiers = match (proto, direction, kind) {
            (None, None, None) => self.last.ok_or(Refused::Syntax)?,
            (Some(proto), None, None) => return self.alone(proto),
            _ => Qualifiers {
                proto: proto.unwrap_or(Proto::None),
                direction,
                kind: kind.unwrap_or(Kind::None),
            },
        };
        self.last = Some(qualifiers);
        if self.take_sign(&["("]).is_some() {
            let filter = self.list(qualifiers)?;
            self.expect(")")?;
            return Ok(filter);
        }
        self.id(qualifiers)
    }

    /// Addresses in parentheses that share their qualifiers.
    fn list(&mut self, qualifiers: Qualifiers) -> Result<Filter, Refused> {
        let mut filter = self.list_member(qualifiers)?;
        while let Some(and) = self.take_junction() {
            let next = self.list_member(qualifiers)?;
            filter = if and { filter.and(next) } else { filter.or(next) };
        }
        Ok(filter)
    }

    fn list_member(&mut self, qualifiers: Qualifiers) -> Result<Filter, Refused> {
        if self.take_sign(&["!"]).is_some() || self.take_word(&["not"]).is_some() {
            return Ok(Filter::Not(Box::new(self.list_member(qualifiers)?)));
        }
        if self.take_sign(&["("]).is_some() {
            let filter = self.list(qualifiers)?;
            self.expect(")")?;
            return Ok(filter);
        }
        self.id(qualifiers)
    }

    fn direction(&mut self) -> Result<Option<Direction>, Refused> {
        let Some(first) = self.take_word(&["src", "dst"]) else { return Ok(None) };
        let other = if first == "src" { "dst" } else { "src" };
        let start = self.at;
        if let Some(and) = self.take_junction() {
            if self.take_word(&[other]).is_some() {
                return Ok(Some(if and { Direction::Both } else { Direction::Either }));
            }
            self.at = start;
        }
        Ok(Some(if first == "src" { Direction::Src } else { Direction::Dst }))
    }

    fn to_many(&self, proto: Proto, broadcast: bool) -> Result<Filter, Refused> {
        match (proto, broadcast) {
            (Proto::None | Proto::Link, _) if self.target.link != LinkType::Ethernet => {
                because(if broadcast {
                    "not a broadcast link"
                } else {
                    "link-layer multicast filters supported only on ethernet/FDDI/token ring/ARCNET/802.11/ATM LANE/Fibre Channel"
                })
            }
            (Proto::None | Proto::Link, true) => Ok(self.test(Test::Mac(Direction::Dst, MacAddr::BROADCAST))),
            (Proto::None | Proto::Link, false) => Ok(self.test(Test::EtherMulticast)),
            (Proto::Net(0x0800, _), true) => Ok(self.test(Test::IpBroadcast(!self.target.netmask))),
            (Proto::Net(0x0800, _), false) => Ok(self.test(Test::IpMulticast)),
            (_, true) => because("only link-layer/IP broadcast filters supported"),
            (_, false) => because("only IP multicast filters supported on ethernet/FDDI"),
        }
    }

    /// A protocol's name by itself.
    fn alone(&self, proto: Proto) -> Result<Filter, Refused> {
        match proto {
            Proto::Net(ether_type, _) => Ok(self.test(Test::EtherType(ether_type))),
            Proto::Transport(proto @ (6 | 17 | 132 | 51 | 50 | 103), _) => {
                Ok(self.test(Test::IpProto(proto)).or(self.test(Test::Ip6Proto(proto))))
            }
            Proto::Transport(58, _) => Ok(self.test(Test::Ip6Proto(58))),
            Proto::Transport(proto, _) => Ok(self.test(Test::IpProto(proto))),
            Proto::Link => because("link layer is not a valid expression"),
            Proto::None => Err(Refused::Syntax),
        }
    }

    fn id(&mut self, q: Qualifiers) -> Result<Filter, Refused> {
        let (word, escaped) = match self.tokens.get(self.at) {
            Some(Token::Word(word)) => (word.clone(), false),
            Some(Token::Escaped(word)) => (word.clone(), true),
            _ => return Err(Refused::Syntax),
        };
        let keyword = matches!(
            word.as_str(),
            "and"
                | "or"
                | "not"
                | "src"
                | "dst"
                | "host"
                | "net"
                | "port"
                | "portrange"
                | "proto"
                | "gateway"
                | "less"
                | "greater"
                | "len"
                | "vlan"
                | "mask"
                | "inbound"
                | "outbound"
                | "broadcast"
                | "multicast"
        ) || proto_of(&word).is_some();
        if !escaped && keyword {
            return Err(Refused::Syntax);
        }
        self.at += 1;
        if let Ok(mac) = word.parse::<MacAddr>() {
            return self.ether_host(q, mac);
        }
        match q.kind {
            Kind::Gateway => because("'gateway' not supported in this configuration"),
            Kind::Port => self.port(q, &word),
            Kind::PortRange => self.port_range(q, &word),
            Kind::Proto => self.proto(q, &word),
            Kind::None | Kind::Host if q.proto == Proto::Link => because("illegal link layer address"),
            Kind::None | Kind::Host | Kind::Net => self.address(q, &word),
        }
    }

    fn ether_host(&self, q: Qualifiers, mac: MacAddr) -> Result<Filter, Refused> {
        if q.proto != Proto::Link || !matches!(q.kind, Kind::Host | Kind::None) {
            return because("ethernet address used in non-ether expression");
        }
        if self.target.link != LinkType::Ethernet {
            return because(
                "ethernet addresses supported only on ethernet/FDDI/token ring/802.11/ATM LANE/Fibre Channel",
            );
        }
        Ok(self.test(Test::Mac(q.direction.unwrap_or(Direction::Either), mac)))
    }

    fn address(&mut self, q: Qualifiers, word: &str) -> Result<Filter, Refused> {
        let looks_numeric = word.chars().all(|c| c.is_ascii_digit() || c == '.');
        let (addr, own_mask) = if looks_numeric && word.contains('.') {
            dotted(word).ok_or_else(|| Refused::Because(format!("invalid IPv4 address '{word}'")))?
        } else if let Some(value) = number(word) {
            // A number without dots fills the address from the left when it is a network.
            match (q.kind, value) {
                (Kind::Net, 1..=0xff) => (value << 24, 0xff00_0000),
                (Kind::Net, 0x100..=0xffff) => (value << 16, 0xffff_0000),
                (Kind::Net, 0x1_0000..=0xff_ffff) => (value << 8, 0xffff_ff00),
                _ => (value, u32::MAX),
            }
        } else if q.kind == Kind::Net {
            return because(format!("unknown network '{word}'"));
        } else {
            let addr = self
                .target
                .names
                .address(word)
                .ok_or_else(|| Refused::Because(format!("unknown host '{word}'")))?;
            (u32::from(addr), u32::MAX)
        };
        let mask = if self.take_sign(&["/"]).is_some() {
            let len = self.word().and_then(number).ok_or(Refused::Syntax)?;
            self.at += 1;
            if len > 32 {
                return because("mask length must be <= 32");
            }
            let mask = u32::MAX.checked_shl(32 - len).unwrap_or(0);
            if addr & !mask != 0 {
                return because(format!("non-network bits set in \"{word}/{len}\""));
            }
            if q.kind != Kind::Net && q.kind != Kind::None {
                return because("Mask syntax for networks only");
            }
            mask
        } else if self.take_word(&["mask"]).is_some() {
            let text = self.word().ok_or(Refused::Syntax)?.to_owned();
            self.at += 1;
            let (mask, _) = dotted(&text).ok_or(Refused::Syntax)?;
            if q.kind != Kind::Net {
                return because("Mask syntax for networks only");
            }
            if addr & !mask != 0 {
                return because(format!("non-network bits set in \"{word} mask {text}\""));
            }
            mask
        } else {
            own_mask
        };
        let what = if q.kind == Kind::Net { "net" } else { "host" };
        let direction = q.direction.unwrap_or(Direction::Either);
        let one = |family| self.test(Test::Net(family, direction, addr & mask, mask));
        match q.proto {
            Proto::None => Ok(one(EtherNet::Ip).or(one(EtherNet::Arp)).or(one(EtherNet::Rarp))),
            Proto::Net(0x0800, _) => Ok(one(EtherNet::Ip)),
            Proto::Net(0x0806, _) => Ok(one(EtherNet::Arp)),
            Proto::Net(0x8035, _) => Ok(one(EtherNet::Rarp)),
            Proto::Net(_, name) => because(format!("'{name}' modifier applied to ip {what}")),
            Proto::Transport(_, name) => because(format!("'{name}' modifier applied to {what}")),
            Proto::Link => because(format!("illegal qualifier of '{what}'")),
        }
    }

    /// The protocol of a port, and a port's number by name or number.
    fn port_number(&self, q: Qualifiers, word: &str, kind: &str) -> Result<(PortProto, u16), Refused> {
        let proto = match q.proto {
            Proto::None => PortProto::Any,
            Proto::Transport(proto @ (6 | 17 | 132), _) => PortProto::Only(proto),
            _ => return because(format!("illegal qualifier of '{kind}'")),
        };
        if let Some(value) = number(word) {
            return match u16::try_from(value) {
                Ok(port) => Ok((proto, port)),
                Err(_) => because(format!("illegal port number {value} > 65535")),
            };
        }
        let (tcp, udp) = (self.target.names.port(word, "tcp"), self.target.names.port(word, "udp"));
        match (proto, tcp, udp) {
            (_, None, None) => because(format!("unknown {kind} '{word}'")),
            (PortProto::Only(17), Some(_), None) => because(format!("{kind} '{word}' is tcp")),
            (PortProto::Only(6), None, Some(_)) => because(format!("{kind} '{word}' is udp")),
            (PortProto::Any, Some(port), None) => Ok((PortProto::Only(6), port)),
            (PortProto::Any, None, Some(port)) => Ok((PortProto::Only(17), port)),
            (PortProto::Only(17), _, Some(port)) | (_, Some(port), _) | (_, None, Some(port)) => {
                Ok((proto, port))
            }
        }
    }

    fn port(&self, q: Qualifiers, word: &str) -> Result<Filter, Refused> {
        let (proto, port) = self.port_number(q, word, "port")?;
        Ok(self.test(Test::Ports(proto, q.direction.unwrap_or(Direction::Either), port, port)))
    }

    fn port_range(&self, q: Qualifiers, word: &str) -> Result<Filter, Refused> {
        let (low, high) = word.split_once('-').unwrap_or((word, word));
        let ((proto, low), (_, high)) =
            (self.port_number(q, low, "portrange")?, self.port_number(q, high, "portrange")?);
        Ok(self.test(Test::Ports(
            proto,
            q.direction.unwrap_or(Direction::Either),
            low.min(high),
            low.max(high),
        )))
    }

    fn proto(&self, q: Qualifiers, word: &str) -> Result<Filter, Refused> {
        if q.direction.is_some() {
            return because("'src' or 'dst' qualifier applied to 'proto'");
        }
        match q.proto {
            Proto::Link => {
                match number(word).and_then(|n| u16::try_from(n).ok()).or_else(|| ether_proto_number(word)) {
                    Some(ether_type) => Ok(self.test(Test::EtherType(ether_type))),
                    None => because(format!("unknown ether proto '{word}'")),
                }
            }
            Proto::None | Proto::Net(0x0800 | 0x86dd, _) => {
                match (
                    number(word).and_then(|n| u8::try_from(n).ok()).or_else(|| ip_proto_number(word)),
                    q.proto,
                ) {
                    (None, _) => because(format!("unknown ip proto '{word}'")),
                    (Some(proto), Proto::Net(0x0800, _)) => Ok(self.test(Test::IpProto(proto))),
                    (Some(proto), Proto::Net(..)) => Ok(self.test(Test::Ip6Proto(proto))),
                    (Some(proto), _) => {
                        Ok(self.test(Test::IpProto(proto)).or(self.test(Test::Ip6Proto(proto))))
                    }
                }
            }
            Proto::Net(_, name) => because(format!("{name} does not encapsulate another protocol")),
            Proto::Transport(_, name) => because(format!("'{name} proto' is bogus")),
        }
    }
}
