use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{Icmp, Payload, Tcp, Udp};

/// An IP packet: header fields and what they carry.
///
/// Total length and checksums are not stored: they are computed when bytes are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Source and destination.
    pub addrs: Addrs,
    /// Time to live (IPv4) or hop limit (IPv6).
    pub ttl: u8,
    /// Type of service: DSCP and ECN (8 bits).
    pub tos: u8,
    /// Identification, host byte order.
    pub id: u16,
    /// Fragment offset and flags.
    pub frag: Frag,
    /// IPv4 options, a multiple of 4 bytes, at most 40.
    pub options: Option<Box<Vec<u8>>>,
    /// What the header carries.
    pub body: Body,
}

/// Source and destination of one family.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Addrs {
    /// IPv4.
    V4 {
        /// Source.
        src: Ipv4Addr,
        /// Destination.
        dst: Ipv4Addr,
    },
    /// IPv6, boxed to keep an IPv4 packet small.
    V6(Box<(Ipv6Addr, Ipv6Addr)>),
}

/// The fragment fields of an IPv4 header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Frag {
    /// Don't fragment.
    pub df: bool,
    /// More fragments follow.
    pub mf: bool,
    /// Offset of the first payload byte, in bytes (a multiple of 8).
    pub offset: u16,
}

impl Frag {
    /// Whether the packet is a fragment. Kernel: `ip_is_fragment`.
    #[inline]
    pub const fn is_fragment(self) -> bool {
        self.mf || self.offset != 0
    }
}

/// An IP protocol number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Proto(pub u8);

impl Proto {
    /// ICMP for IPv4.
    pub const ICMP: Self = Self(1);
    /// IGMP.
    pub const IGMP: Self = Self(2);
    /// IP in IP (RFC 2003).
    pub const IPIP: Self = Self(4);
    /// TCP.
    pub const TCP: Self = Self(6);
    /// UDP.
    pub const UDP: Self = Self(17);
    /// GRE.
    pub const GRE: Self = Self(47);
    /// ESP.
    pub const ESP: Self = Self(50);
    /// ICMPv6.
    pub const ICMPV6: Self = Self(58);
    /// SCTP.
    pub const SCTP: Self = Self(132);
}

/// What an IP header is followed by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A TCP segment.
    Tcp(Tcp),
    /// A UDP datagram; VXLAN is UDP data.
    Udp(Udp),
    /// An ICMP message.
    Icmp(Icmp),
    /// IP in IP.
    Ip(Box<Packet>),
    /// The raw bytes of one fragment of a packet of this protocol.
    Fragment(Proto, Payload),
    /// Any other protocol, unparsed.
    Bytes(Proto, Payload),
}

impl Body {
    /// Protocol number of the IP header.
    #[inline]
    pub fn proto(&self) -> Proto {
        match self {
            Self::Tcp(_) => Proto::TCP,
            Self::Udp(_) => Proto::UDP,
            Self::Icmp(_) => Proto::ICMP,
            Self::Ip(_) => Proto::IPIP,
            Self::Fragment(proto, _) | Self::Bytes(proto, _) => *proto,
        }
    }

    /// Length in bytes.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            Self::Tcp(tcp) => tcp.len(),
            Self::Udp(udp) => udp.len(),
            Self::Icmp(icmp) => icmp.len(),
            Self::Ip(packet) => packet.len(),
            Self::Fragment(_, bytes) | Self::Bytes(_, bytes) => bytes.len(),
        }
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Packet {
    /// A packet with TTL 64, no options, not fragmented, DF clear, id 0.
    pub fn new(src: IpAddr, dst: IpAddr, body: Body) -> Self {
        Self {
            addrs: Addrs::new(src, dst),
            ttl: 64,
            tos: 0,
            id: 0,
            frag: Frag::default(),
            options: None,
            body,
        }
    }

    /// Source address.
    #[inline]
    pub fn src(&self) -> IpAddr {
        match &self.addrs {
            Addrs::V4 { src, .. } => IpAddr::V4(*src),
            Addrs::V6(pair) => IpAddr::V6(pair.0),
        }
    }

    /// Destination address.
    #[inline]
    pub fn dst(&self) -> IpAddr {
        match &self.addrs {
            Addrs::V4 { dst, .. } => IpAddr::V4(*dst),
            Addrs::V6(pair) => IpAddr::V6(pair.1),
        }
    }

    /// Replaces the source address. An address of the other family leaves the packet as it is.
    pub fn set_src(&mut self, addr: IpAddr) {
        match (&mut self.addrs, addr) {
            (Addrs::V4 { src, .. }, IpAddr::V4(addr)) => *src = addr,
            (Addrs::V6(pair), IpAddr::V6(addr)) => pair.0 = addr,
            (Addrs::V4 { .. }, IpAddr::V6(_)) | (Addrs::V6(_), IpAddr::V4(_)) => {}
        }
    }

    /// Replaces the destination address. An address of the other family leaves the packet as it is.
    pub fn set_dst(&mut self, addr: IpAddr) {
        match (&mut self.addrs, addr) {
            (Addrs::V4 { dst, .. }, IpAddr::V4(addr)) => *dst = addr,
            (Addrs::V6(pair), IpAddr::V6(addr)) => pair.1 = addr,
            (Addrs::V4 { .. }, IpAddr::V6(_)) | (Addrs::V6(_), IpAddr::V4(_)) => {}
        }
    }

    /// Whether this is IPv6.
    #[inline]
    pub fn is_v6(&self) -> bool {
        matches!(self.addrs, Addrs::V6(_))
    }

    /// Length of the IP header in bytes.
    #[inline]
    pub fn header_len(&self) -> usize {
        match self.addrs {
            Addrs::V4 { .. } => 20 + self.options.as_ref().map_or(0, |o| o.len()),
            Addrs::V6(_) => 40,
        }
    }

    /// Total length in bytes. Kernel: `ip_totlen`.
    #[inline]
    pub fn len(&self) -> usize {
        self.header_len() + self.body.len()
    }

    /// Never true: a packet has a header.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Protocol number.
    #[inline]
    pub fn proto(&self) -> Proto {
        self.body.proto()
    }
}

impl Addrs {
    /// Both addresses must be of one family; otherwise the IPv4 one is mapped into IPv6.
    pub fn new(src: IpAddr, dst: IpAddr) -> Self {
        match (src, dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => Self::V4 { src, dst },
            (src, dst) => Self::V6(Box::new((to_v6(src), to_v6(dst)))),
        }
    }
}

fn to_v6(addr: IpAddr) -> Ipv6Addr {
    match addr {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}
