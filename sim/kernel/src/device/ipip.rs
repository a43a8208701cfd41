use packet::{DevId, NetnsId};

use crate::Host;
use crate::device::{Qdisc, Traits, arphrd, iff};
use crate::dump::KindInfo;
use crate::request::TunnelConfig;

/// An IP-in-IP tunnel. Kernel: `net/ipv4/ipip.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ipip {
    /// Parameters.
    pub config: TunnelConfig,
    /// The namespace its outer packets travel in: where it was made.
    pub net: NetnsId,
    /// The device its outer packets leave by, if bound.
    pub lower: Option<DevId>,
    /// How it came to be.
    pub made: TunnelMade,
    /// Errors about its outer packets that no inner packet has met yet, and the time of the last.
    /// Kernel: `err_count`, `err_time`.
    pub errors: (u32, packet::SimTime),
}

/// How a tunnel came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TunnelMade {
    /// By the kernel itself (`tunl0`): takes what no other tunnel takes.
    Fallback,
    /// By `ip link add`.
    Netlink,
    /// By `ip tunnel add`.
    Ioctl,
}

impl Ipip {
    pub(super) const NAME: Option<&'static str> = Some("ipip");

    /// Bytes of the outer header.
    pub(crate) const HEADER_LEN: u32 = 20;

    pub(super) fn traits(&self) -> Traits {
        // Kernel: only `ip_tunnel_create` sets the range.
        let (min_mtu, max_mtu) = match self.made {
            TunnelMade::Ioctl => (68, 65535 - Self::HEADER_LEN),
            TunnelMade::Fallback | TunnelMade::Netlink => (0, 0),
        };
        Traits {
            arphrd: arphrd::TUNNEL,
            mtu: 1480,
            min_mtu,
            max_mtu,
            txqueuelen: 1000,
            flags: iff::NOARP | if self.config.remote.is_some() { iff::POINTOPOINT } else { 0 },
            qdisc: Qdisc::Noqueue,
            netns_immutable: self.made == TunnelMade::Fallback,
            tso_max_size: 65536,
        }
    }

    pub(super) fn info(&self, _: &Host) -> Option<KindInfo> {
        Some(KindInfo::Ipip(self.config.clone()))
    }
}
