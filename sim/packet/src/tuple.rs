use std::net::IpAddr;

use crate::{Body, Icmp, Packet, Proto};

/// One direction of a flow, as conntrack and hashes key it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tuple {
    /// Source address.
    pub src: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// Protocol.
    pub proto: Proto,
    /// Ports, or what stands for them.
    pub l4: L4Key,
}

/// The protocol's part of a [`Tuple`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum L4Key {
    /// TCP, UDP, SCTP.
    Ports {
        /// Source port.
        src: u16,
        /// Destination port.
        dst: u16,
    },
    /// ICMP query messages.
    Icmp {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
        /// Identifier.
        id: u16,
    },
    /// Any other protocol.
    None,
}

impl Tuple {
    /// The tuple of `packet`. Kernel: `nf_ct_get_tuple`.
    pub fn of(packet: &Packet) -> Self {
        let l4 = match &packet.body {
            Body::Tcp(tcp) => L4Key::Ports { src: tcp.sport, dst: tcp.dport },
            Body::Udp(udp) => L4Key::Ports { src: udp.sport, dst: udp.dport },
            Body::Icmp(icmp) => {
                let (kind, code) = icmp.type_code();
                let id = match icmp {
                    Icmp::Echo { id, .. } => *id,
                    Icmp::Other { rest, .. } => (rest >> 16) as u16,
                    Icmp::Error(_) => 0,
                };
                L4Key::Icmp { kind, code, id }
            }
            Body::Ip(_) | Body::Fragment(..) | Body::Bytes(..) => L4Key::None,
        };
        Self { src: packet.src(), dst: packet.dst(), proto: packet.proto(), l4 }
    }

    /// Source and destination port; zero where the protocol has none.
    pub fn ports(&self) -> (u16, u16) {
        match self.l4 {
            L4Key::Ports { src, dst } => (src, dst),
            L4Key::Icmp { .. } | L4Key::None => (0, 0),
        }
    }
}
