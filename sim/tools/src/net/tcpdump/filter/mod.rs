//! tcpdump's filter language, pcap-filter(7).
//!
//! Source: libpcap `grammar.y.in`, `scanner.l`, `gencode.c`.

mod eval;
mod lex;
mod parse;

use std::net::Ipv4Addr;

pub(crate) use eval::Seen;
use packet::MacAddr;

use super::names::Names;

/// A filter as it was compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    /// Both hold.
    And(Box<Self>, Box<Self>),
    /// One holds.
    Or(Box<Self>, Box<Self>),
    /// It doesn't hold.
    Not(Box<Self>),
    /// One test, behind this many VLAN tags that earlier words asked for.
    Test(usize, Test),
}

/// One test of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    /// The network protocol.
    EtherType(u16),
    /// The transport protocol over IPv4.
    IpProto(u8),
    /// The transport protocol over IPv6.
    Ip6Proto(u8),
    /// Addresses of a network protocol under a mask.
    Net(EtherNet, Direction, u32, u32),
    /// Ports from low to high.
    Ports(PortProto, Direction, u16, u16),
    /// Ethernet addresses.
    Mac(Direction, MacAddr),
    /// The group bit of the destination.
    EtherMulticast,
    /// A multicast destination of IPv4.
    IpMulticast,
    /// A broadcast destination of IPv4; the mask of the host part.
    IpBroadcast(u32),
    /// A VLAN tag, with this number if there is one.
    Vlan(Option<u16>),
    /// Came in (false: went out).
    Inbound(bool),
    /// A comparison of numbers.
    Compare(Arith, Relation, Arith),
}

/// A network protocol that has IPv4 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EtherNet {
    Ip,
    Arp,
    Rarp,
}

/// Protocols that a port belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PortProto {
    /// TCP, UDP or SCTP.
    Any,
    /// This one.
    Only(u8),
}

/// Which of the two addresses or ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Src,
    Dst,
    Either,
    Both,
}

/// How two numbers are compared, without sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// A number of 32 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Arith {
    Number(u32),
    /// Length of the packet in bytes.
    Len,
    /// 1, 2 or 4 bytes at an offset from the start of a header.
    Load(Header, Box<Self>, usize),
    Binary(Op, Box<Self>, Box<Self>),
    Negative(Box<Self>),
}

/// An operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    And,
    Or,
    Xor,
    Shl,
    Shr,
}

/// A header that bytes are counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    Link,
    /// A network protocol.
    Net(u16),
    /// A transport protocol over IPv4.
    Transport(u8),
}

/// How a capture begins each packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkType {
    /// An Ethernet header.
    Ethernet,
    /// Nothing: an IP packet.
    Raw,
    /// Linux cooked capture, version 2.
    Sll2,
}

/// Where a filter is used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub link: LinkType,
    pub names: &'a Names,
    /// Netmask of the device, 0 if there is none.
    pub netmask: u32,
    /// Directions are known.
    pub live: bool,
}

impl Filter {
    /// Compiles words; none is no filter.
    ///
    /// # Errors
    /// Libpcap's text.
    pub fn compile(text: &str, target: Target<'_>) -> Result<Option<Self>, String> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        parse::compile(text, target).map(Some)
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self::And(Box::new(self), Box::new(other))
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self::Or(Box::new(self), Box::new(other))
    }
}

/// An IPv4 address with fewer parts means a network: address and mask.
pub(super) fn dotted(text: &str) -> Option<(u32, u32)> {
    let parts: Vec<u8> = text.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let mut octets = [0; 4];
    octets.get_mut(..parts.len())?.copy_from_slice(&parts);
    let mask = u32::MAX.checked_shl(32 - 8 * parts.len() as u32).unwrap_or(0);
    Some((u32::from(Ipv4Addr::from(octets)), mask))
}

#[cfg(test)]
mod tests;
