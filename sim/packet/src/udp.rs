use crate::{Frame, Payload};

/// A UDP datagram (RFC 768).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Udp {
    /// Source port.
    pub sport: u16,
    /// Destination port.
    pub dport: u16,
    /// Whether a checksum is sent; false writes 0 (VXLAN over IPv4 does, `noudpcsum`).
    pub checksum: bool,
    /// Data.
    pub data: UdpData,
}

/// What a UDP header is followed by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UdpData {
    /// Application bytes.
    Bytes(Payload),
    /// A VXLAN header (RFC 7348, flags `I`) and the frame it carries.
    Vxlan(Vni, Box<Frame>),
}

/// A VXLAN network identifier, 24 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vni(u32);

impl Vni {
    /// `None` if `vni` needs more than 24 bits.
    pub const fn new(vni: u32) -> Option<Self> {
        if vni < 1 << 24 { Some(Self(vni)) } else { None }
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl UdpData {
    /// Length in bytes.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Vxlan(_, frame) => 8 + frame.len(),
        }
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Udp {
    /// Length of the header in bytes.
    pub const HEADER_LEN: usize = 8;

    /// Length of header and data in bytes.
    #[inline]
    pub fn len(&self) -> usize {
        Self::HEADER_LEN + self.data.len()
    }

    /// Never true: a datagram has a header.
    pub fn is_empty(&self) -> bool {
        false
    }
}
