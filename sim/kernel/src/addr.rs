use std::net::IpAddr;

use ipnet::IpNet;
use packet::SimTime;

/// An address of a device. Kernel: `struct in_ifaddr`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceAddr {
    /// The own address (`IFA_LOCAL`) with its prefix length.
    pub local: IpNet,
    /// The other end's address (`IFA_ADDRESS`), if it is not the own one.
    pub peer: Option<IpAddr>,
    /// Broadcast address, if one was given.
    pub broadcast: Option<IpAddr>,
    /// How far the address is valid.
    pub scope: Scope,
    /// `label` of `ip addr`; the device's name unless another was given.
    pub label: String,
    /// Flags.
    pub flags: AddrFlags,
    /// `metric` of the connected route; 0 is none.
    pub metric: u32,
    /// How long it lives; `None` is for ever.
    pub lifetime: Option<AddrLifetime>,
}

/// How long an address lives. Kernel: `ifa_valid_lft`, `ifa_preferred_lft`, `ifa_tstamp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddrLifetime {
    /// Seconds until it is deleted.
    pub valid: u32,
    /// Seconds until it is deprecated; at most `valid`.
    pub preferred: u32,
    /// When both were set.
    pub since: SimTime,
}

impl AddrLifetime {
    /// What is left at `now` of both times, in seconds. Kernel: `inet_fill_ifaddr`.
    pub fn left(&self, now: SimTime) -> (u32, u32) {
        let gone = u32::try_from(now.since(self.since).as_secs()).unwrap_or(u32::MAX);
        (self.valid.saturating_sub(gone), self.preferred.saturating_sub(gone))
    }
}

/// Kernel: `IFA_F_*`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddrFlags {
    /// Another address of the same subnet came first.
    pub secondary: bool,
    /// No connected route is made (`noprefixroute`).
    pub noprefixroute: bool,
    /// Its preferred time is over. IPv4 uses it as any other.
    pub deprecated: bool,
}

/// Kernel: `enum rt_scope_t`. A greater number reaches less far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(pub u8);

impl Scope {
    /// Everywhere.
    pub const GLOBAL: Self = Self(0);
    /// This site.
    pub const SITE: Self = Self(200);
    /// Directly attached networks.
    pub const LINK: Self = Self(253);
    /// This host.
    pub const HOST: Self = Self(254);
    /// Nowhere.
    pub const NOWHERE: Self = Self(255);
}
