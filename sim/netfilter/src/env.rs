use std::net::IpAddr;

use packet::{DevId, SimTime, Skb};

use crate::conntrack::CtSysctl;

/// What netfilter asks of the kernel around it.
pub trait Env {
    /// Virtual time.
    fn now(&self) -> SimTime;
    /// Name of a device.
    fn dev_name(&self, dev: DevId) -> &str;
    /// What the routing tables take an address for; with a device, only its own addresses are local.
    fn addr_type(&self, addr: IpAddr, dev: Option<DevId>) -> AddrType;
    /// First address of a device. Kernel: `nf_nat_redirect_ipv4`.
    fn primary_addr(&self, dev: DevId) -> Option<IpAddr>;
    /// The address that MASQUERADE gives to what leaves by `out` for `dst`: that of the device
    /// towards the next hop. Kernel: `nf_nat_masquerade_ipv4`, `inet_select_addr`.
    fn masquerade_addr(&self, out: DevId, dst: IpAddr) -> Option<IpAddr>;
    /// Path MTU in bytes towards `dst`, at most the output device's. Kernel: `dst_mtu`.
    fn path_mtu(&self, dst: IpAddr, out: Option<DevId>) -> u32;
    /// Where an answer to a packet from `src` would go. Kernel: `rpfilter_lookup_reverse`.
    fn reverse_path(&self, src: IpAddr, dst: IpAddr, tos: u8, mark: u32, indev: DevId) -> ReversePath;
    /// A setting of connection tracking.
    fn ct_sysctl(&self, key: CtSysctl) -> u32 {
        key.default_value()
    }
    /// Routes a packet of this host again, as it is now; false if there is no route.
    /// Kernel: `ip_route_me_harder`.
    fn reroute(&self, skb: &Skb) -> bool;
    /// Seed of the random stream, the same for the same world, host and namespace.
    fn seed(&self) -> u64;
}

/// The way back to a packet's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReversePath {
    /// No route, or one that refuses.
    None,
    /// The source is an own address.
    Local {
        /// Of the device that the packet came from.
        same: bool,
    },
    /// A route to other hosts.
    By {
        /// It leaves by the device that the packet came from.
        same: bool,
    },
}

/// Kernel: `RTN_*`, as `-m addrtype` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddrType {
    /// 0.0.0.0, or no route at all.
    Unspec,
    /// Anything else.
    Unicast,
    /// An own address.
    Local,
    /// A broadcast address.
    Broadcast,
    /// An anycast address.
    Anycast,
    /// A multicast group.
    Multicast,
    /// Behind a `blackhole` route.
    Blackhole,
    /// Behind an `unreachable` route.
    Unreachable,
    /// Behind a `prohibit` route.
    Prohibit,
    /// Behind a `throw` route.
    Throw,
    /// `nat`: no address is.
    Nat,
    /// `xresolve`: no address is.
    Xresolve,
}

/// A stream of random numbers (SplitMix64), the same for the same seed.
#[derive(Clone, Debug, Default)]
pub struct Random(u64);

impl Random {
    /// A stream.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next number of 31 bits. Kernel: `get_random_u32() & 0x7FFFFFFF`.
    pub fn next_u31(&mut self) -> u32 {
        (self.next_u64() >> 33) as u32
    }

    /// The next number of 16 bits. Kernel: `get_random_u16`.
    pub fn next_u16(&mut self) -> u16 {
        (self.next_u64() >> 48) as u16
    }
}
