use crate::{Arp, MacAddr, Packet, Payload, VlanTag, VlanTags};

/// An Ethernet frame without preamble and FCS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Destination address.
    pub dst: MacAddr,
    /// Source address.
    pub src: MacAddr,
    /// VLAN tags.
    pub tags: VlanTags,
    /// What follows the header.
    pub payload: EtherPayload,
}

/// An Ethernet protocol number, host byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EtherType(pub u16);

impl EtherType {
    /// IPv4.
    pub const IPV4: Self = Self(0x0800);
    /// ARP.
    pub const ARP: Self = Self(0x0806);
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

    /// Length in bytes of header, tags and payload, as `tcpdump -e` prints it.
    #[inline]
    pub fn len(&self) -> usize {
        Self::HEADER_LEN + VlanTag::LEN * self.tags.len() + self.payload.len()
    }

    /// Length in bytes that Linux counts for it: the outermost tag travels beside the frame.
    /// Kernel: `skb->len` with `skb_vlan_tag_present`.
    #[inline]
    pub fn skb_len(&self) -> usize {
        Self::HEADER_LEN + VlanTag::LEN * self.tags.len().saturating_sub(1) + self.payload.len()
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
