use std::net::Ipv4Addr;

use crate::MacAddr;

/// An ARP message for IPv4 over Ethernet (RFC 826).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arp {
    /// Request, reply or another operation.
    pub op: ArpOp,
    /// Sender's hardware address.
    pub sha: MacAddr,
    /// Sender's protocol address; 0.0.0.0 in a probe (RFC 5227).
    pub spa: Ipv4Addr,
    /// Target's hardware address; zero in a request.
    pub tha: MacAddr,
    /// Target's protocol address.
    pub tpa: Ipv4Addr,
}

/// The operation field of an ARP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArpOp {
    /// Who has the target address?
    Request,
    /// The sender has it.
    Reply,
    /// Any other number (RARP, InARP).
    Other(u16),
}

impl Arp {
    /// Length in bytes for IPv4 over Ethernet.
    pub const LEN: usize = 28;
}
