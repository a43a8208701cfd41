use std::collections::BTreeMap;

use packet::{DevId, IfIndex, NetnsId, SimTime, Vni};

use crate::neigh::NeighTable;
use crate::nexthop::Nexthops;
use crate::path::{FragmentQueues, IcmpLimits, IpIdents, RouteExceptions};
use crate::{Fib, Sysctls};

/// A network namespace. Kernel: `struct net`.
#[derive(Clone, Debug)]
pub struct Netns {
    /// Which namespace of its host.
    pub id: NetnsId,
    /// Devices by index, which is the order of listings.
    pub devices: BTreeMap<IfIndex, DevId>,
    /// Highest index given so far. Kernel: `net->ifindex`.
    pub last_ifindex: u32,
    /// Ids that this namespace gave to others. Kernel: `net->netns_ids`.
    pub nsids: BTreeMap<u32, NetnsId>,
    /// Processes in it. Kernel: `net->ns.count`.
    pub users: u32,
    /// Vxlan devices that are up, whose outer packets travel here: UDP port, VNI, device.
    pub(crate) vxlan: Vec<(u16, Vni, DevId)>,
    /// IP-in-IP tunnels whose outer packets travel here.
    pub(crate) ipip: Vec<DevId>,
    /// The loopback device.
    pub loopback: DevId,
    /// When addresses are looked at next for their lifetimes. Kernel: `net->ipv4.addr_chk_work`.
    pub(crate) addr_check_at: Option<SimTime>,
    /// Routing tables and rules.
    pub fib: Fib,
    /// Nexthop objects.
    pub(crate) nexthops: Nexthops,
    /// Learned and configured route exceptions (path MTU, redirects).
    pub exceptions: RouteExceptions,
    /// Neighbours of all devices.
    pub neigh: NeighTable,
    /// Settings under /proc/sys/net.
    pub sysctl: Sysctls,
    /// Packets being put together.
    pub frags: FragmentQueues,
    /// Token buckets of ICMP errors.
    pub icmp_limits: IcmpLimits,
    /// Counters of IP identifications.
    pub ip_idents: IpIdents,
    /// Tables, conntrack, sets.
    pub netfilter: netfilter::Netfilter,
}

impl Netns {
    /// An empty namespace. Its loopback device has index 1 and is added by the caller.
    pub fn new(id: NetnsId, loopback: DevId) -> Self {
        Self {
            id,
            devices: BTreeMap::new(),
            last_ifindex: 1,
            nsids: BTreeMap::new(),
            users: 0,
            vxlan: Vec::new(),
            ipip: Vec::new(),
            loopback,
            addr_check_at: None,
            fib: Fib::default(),
            nexthops: Nexthops::default(),
            exceptions: RouteExceptions::default(),
            neigh: NeighTable::default(),
            sysctl: Sysctls::default(),
            frags: FragmentQueues::default(),
            icmp_limits: IcmpLimits::default(),
            ip_idents: IpIdents::default(),
            netfilter: netfilter::Netfilter::default(),
        }
    }
}
