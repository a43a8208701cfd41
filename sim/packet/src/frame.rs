use crate::{Arp, MacAddr, Packet, Payload};

/// An Ethernet frame without preamble and FCS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Destination address.
    pub dst: MacAddr,
    /// Source address.
    pub src: MacAddr,
    /// 802.1Q tag.
    pub vlan: Option<VlanTag>,
    /// What follows the header.
    pub payload: EtherPayload,
}

/// An 802.1Q tag (TPID 0x8100).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VlanTag {
    /// VLAN identifier, 0..=4095 (12 bits).
    pub vid: u16,
    /// Priority code point, 0..=7 (3 bits).
    pub pcp: u8,
    /// Drop eligible indicator.
    pub dei: bool,
}

/// An Ethernet protocol number, host byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EtherType(pub u16);

impl EtherType {
    /// IPv4.
    pub const IPV4: Self = Self(0x0800);
    /// ARP.
    pub const ARP: Self = Self(0x0806);
    /// 802.1Q.
    pub const VLAN: Self = Self(0x8100);
    /// IPv6.
    pub const IPV6: Self = Self(0x86dd);
}

/// What an Ethernet header is followed by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EtherPayload {
    /// IPv4 (or IPv6, by the packet's addresses).
    Ip(Packet),
    /// ARP for IPv4 over Ethernet.
    Arp(Box<Arp>),
    /// Anything else, unparsed.
    Other(EtherType, Payload),
}

impl Frame {
    /// Length of the Ethernet header in bytes. Kernel: `ETH_HLEN`.
    pub const HEADER_LEN: usize = 14;

    /// Length in bytes of header, tag and payload, as `tcpdump -e` prints it.
    #[inline]
    pub fn len(&self) -> usize {
        Self::HEADER_LEN + if self.vlan.is_some() { 4 } else { 0 } + self.payload.len()
    }

    /// Never true: a frame has a header.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The IP packet inside, if there is one.
    #[inline]
    pub fn ip(&self) -> Option<&Packet> {
        match &self.payload {
            EtherPayload::Ip(packet) => Some(packet),
            EtherPayload::Arp(_) | EtherPayload::Other(..) => None,
        }
    }

    /// The IP packet inside, if there is one.
    #[inline]
    pub fn ip_mut(&mut self) -> Option<&mut Packet> {
        match &mut self.payload {
            EtherPayload::Ip(packet) => Some(packet),
            EtherPayload::Arp(_) | EtherPayload::Other(..) => None,
        }
    }
}

impl EtherPayload {
    /// Length in bytes.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            Self::Ip(packet) => packet.len(),
            Self::Arp(_) => Arp::LEN,
            Self::Other(_, bytes) => bytes.len(),
        }
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The protocol number that the Ethernet header carries.
    #[inline]
    pub fn ether_type(&self) -> EtherType {
        match self {
            Self::Ip(packet) if packet.is_v6() => EtherType::IPV6,
            Self::Ip(_) => EtherType::IPV4,
            Self::Arp(_) => EtherType::ARP,
            Self::Other(ether_type, _) => *ether_type,
        }
    }
}
