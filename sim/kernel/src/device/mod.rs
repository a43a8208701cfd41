//! Devices: one file a kind.

use ipnet::IpNet;
use packet::{DevId, IfIndex, MacAddr, NetnsId};

use crate::InterfaceAddr;

/// A network device. Kernel: `struct net_device` with its `struct in_device`.
#[derive(Clone, Debug)]
pub struct Device {
    /// Stable id.
    pub id: DevId,
    /// The namespace it is in.
    pub netns: NetnsId,
    /// Its index there.
    pub ifindex: IfIndex,
    /// Name, at most 15 bytes.
    pub name: String,
    /// Kind and its state.
    pub kind: DeviceKind,
    /// Own address.
    pub mac: MacAddr,
    /// Link-layer broadcast address.
    pub broadcast: MacAddr,
    /// The address was set by hand. Kernel: `NET_ADDR_SET`.
    pub mac_set: bool,
    /// MTU in bytes.
    pub mtu: u32,
    /// Administratively up. Kernel: `IFF_UP`.
    pub up: bool,
    /// The lower layer is there. Kernel: `netif_carrier_ok`.
    pub carrier: bool,
    /// No ARP. Kernel: `IFF_NOARP`.
    pub noarp: bool,
    /// Multicast allowed. Kernel: `IFF_MULTICAST`.
    pub multicast: bool,
    /// `promisc on` by hand; the count also holds captures and bridges.
    pub promisc: bool,
    /// Promiscuity count. Kernel: `dev->promiscuity`.
    pub promiscuity: u32,
    /// `allmulticast on`.
    pub allmulticast: bool,
    /// `dynamic on`.
    pub dynamic: bool,
    /// Queue length in packets.
    pub txqueuelen: u32,
    /// `alias`.
    pub alias: Option<String>,
    /// Group.
    pub group: u32,
    /// The bridge it is a port of.
    pub master: Option<DevId>,
    /// State as a bridge port.
    pub port: Option<BridgePort>,
    /// Counters.
    pub stats: Stats,
    /// IPv4 addresses in the order of `ip addr`.
    pub addrs: Vec<InterfaceAddr>,
    /// Packet sockets (tcpdump, arping) that see what passes: number of them.
    pub taps: u32,
}

/// Counters. Kernel: `struct rtnl_link_stats64`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes received.
    pub rx_bytes: u64,
    /// Packets received.
    pub rx_packets: u64,
    /// Errors on receive.
    pub rx_errors: u64,
    /// Dropped on receive.
    pub rx_dropped: u64,
    /// Multicast packets received.
    pub multicast: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Packets sent.
    pub tx_packets: u64,
    /// Errors on send.
    pub tx_errors: u64,
    /// Dropped on send.
    pub tx_dropped: u64,
    /// Carrier errors.
    pub tx_carrier: u64,
}

/// A device's kind.
#[derive(Clone, Debug)]
pub enum DeviceKind {
    /// `lo`.
    Loopback,
}

/// A bridge port's settings. Kernel: `struct net_bridge_port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgePort {
    /// Port number in its bridge, from 1.
    pub number: u16,
    /// Spanning tree state, 0 disabled, 3 forwarding.
    pub state: u8,
    /// Path cost.
    pub cost: u32,
    /// Priority, 0..=63.
    pub priority: u16,
    /// May a frame leave by the port it came by?
    pub hairpin: bool,
    /// Talks to ports that are not isolated only.
    pub isolated: bool,
    /// Learns.
    pub learning: bool,
    /// Floods unknown unicast.
    pub flood: bool,
    /// Floods multicast.
    pub mcast_flood: bool,
    /// Floods broadcast.
    pub bcast_flood: bool,
    /// BPDU guard.
    pub guard: bool,
    /// Root block.
    pub root_block: bool,
    /// Fast leave.
    pub fast_leave: bool,
    /// Proxy ARP.
    pub proxy_arp: bool,
    /// Neighbour suppression.
    pub neigh_suppress: bool,
}

impl Device {
    /// A device that is down, with the defaults of its kind.
    pub fn new(id: DevId, netns: NetnsId, ifindex: IfIndex, name: &str, kind: DeviceKind) -> Self {
        Self {
            id,
            netns,
            ifindex,
            name: name.to_owned(),
            kind,
            mac: MacAddr::ZERO,
            broadcast: MacAddr::ZERO,
            mac_set: false,
            mtu: 65536,
            up: false,
            carrier: true,
            noarp: false,
            multicast: false,
            promisc: false,
            promiscuity: 0,
            allmulticast: false,
            dynamic: false,
            txqueuelen: 1000,
            alias: None,
            group: 0,
            master: None,
            port: None,
            stats: Stats::default(),
            addrs: Vec::new(),
            taps: 0,
        }
    }

    /// First address whose subnet holds `addr`.
    pub fn subnet_of(&self, addr: std::net::IpAddr) -> Option<IpNet> {
        self.addrs.iter().map(|a| a.local).find(|net| net.contains(&addr))
    }
}
