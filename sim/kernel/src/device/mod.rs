//! Devices: one file a kind, and one line in `register_devices!`.
//!
//! A kind's file holds its state, its fixed properties ([`Traits`]), what its dump says, and how
//! it sends (`ndo_start_xmit`). Everything else is the same for all devices.

mod bridge;
mod dummy;
mod ipip;
mod loopback;
mod nic;
mod tun;
mod veth;
mod vlan;
mod vxlan;

use ipnet::IpNet;
use packet::{DevId, Frame, IfIndex, MacAddr, NetnsId, Skb, VlanProto};
use trace::Observer;

use crate::dump::KindInfo;
use crate::{Cx, Host, InterfaceAddr, PathResult};

pub use bridge::{Bridge, BridgeEntry};
pub use dummy::Dummy;
pub use ipip::{Ipip, TunnelMade};
pub use loopback::Loopback;
pub use nic::Nic;
pub use tun::Tun;
pub use veth::Veth;
pub use vlan::Vlan;
pub use vxlan::{Remote, Vxlan, VxlanEntry};

macro_rules! register_devices {
    ($($(#[$doc:meta])* $kind:ident => $xmit:ident;)*) => {
        /// A device's kind with its state.
        #[derive(Clone, Debug)]
        pub enum DeviceKind { $($(#[$doc])* $kind($kind),)* }

        impl DeviceKind {
            /// The name after `type`; `None` for what no command makes.
            /// Kernel: `rtnl_link_ops.kind`.
            pub fn name(&self) -> Option<&'static str> {
                match self { $(Self::$kind(_) => $kind::NAME,)* }
            }

            /// Properties that never change.
            pub fn traits(&self) -> Traits {
                match self { $(Self::$kind(kind) => kind.traits(),)* }
            }

            /// What a dump says of the kind. Kernel: `rtnl_link_ops.fill_info`.
            pub fn info(&self, host: &Host) -> Option<KindInfo> {
                match self { $(Self::$kind(kind) => kind.info(host),)* }
            }
        }

        impl<O: Observer> Cx<'_, O> {
            /// Hands `skb` to the driver of `dev`. Kernel: `ndo_start_xmit`.
            pub(crate) fn ndo_start_xmit(&mut self, dev: DevId, skb: Skb) -> PathResult {
                match self.host.dev(dev).kind { $(DeviceKind::$kind(_) => self.$xmit(dev, skb),)* }
            }
        }
    };
}

register_devices! {
    /// `lo`.
    Loopback => loopback_xmit;
    /// One end of a pair.
    Veth => veth_xmit;
    /// A bridge, which is also a host on its own segment.
    Bridge => br_dev_xmit;
    /// A physical NIC with a cable.
    Nic => nic_xmit;
    /// A VXLAN tunnel endpoint.
    Vxlan => vxlan_xmit;
    /// A TUN device with a process behind it.
    Tun => tun_net_xmit;
    /// An IP-in-IP tunnel.
    Ipip => ipip_tunnel_xmit;
    /// A device that swallows what it sends.
    Dummy => dummy_xmit;
    /// A VLAN on another device.
    Vlan => vlan_dev_hard_start_xmit;
}

/// What is the same for all devices of a kind. Kernel: its `setup` function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits {
    /// Link type. Kernel: `ARPHRD_*`.
    pub arphrd: u16,
    /// Default MTU in bytes.
    pub mtu: u32,
    /// Least MTU in bytes.
    pub min_mtu: u32,
    /// Greatest MTU in bytes; 0 is unlimited.
    pub max_mtu: u32,
    /// Default queue length in packets.
    pub txqueuelen: u32,
    /// Flags of a new device (`IFF_*`).
    pub flags: u32,
    /// The queueing discipline that it gets when it is first set up.
    pub qdisc: Qdisc,
    /// It may not leave its namespace. Kernel: `dev->netns_immutable`.
    pub netns_immutable: bool,
    /// Largest super-packet in bytes that its driver takes. Kernel: `dev->tso_max_size`.
    pub tso_max_size: u32,
}

impl Traits {
    /// An Ethernet device without a queue. Kernel: `ether_setup`.
    pub const ETHER: Self = Self {
        arphrd: arphrd::ETHER,
        mtu: 1500,
        min_mtu: 68,
        max_mtu: 65535,
        txqueuelen: 1000,
        flags: iff::BROADCAST | iff::MULTICAST,
        qdisc: Qdisc::Noqueue,
        netns_immutable: false,
        tso_max_size: 65536,
    };
}

/// Kernel: `include/uapi/linux/if_arp.h`.
pub mod arphrd {
    /// Ethernet.
    pub const ETHER: u16 = 1;
    /// IP in IP.
    pub const TUNNEL: u16 = 768;
    /// Loopback.
    pub const LOOPBACK: u16 = 772;
    /// No link-layer header.
    pub const NONE: u16 = 65534;
}

/// Kernel: `include/uapi/linux/if.h`.
pub mod iff {
    /// Administratively up.
    pub const UP: u32 = 1;
    /// Broadcast address valid.
    pub const BROADCAST: u32 = 1 << 1;
    /// Loopback.
    pub const LOOPBACK: u32 = 1 << 3;
    /// Point to point.
    pub const POINTOPOINT: u32 = 1 << 4;
    /// Operational.
    pub const RUNNING: u32 = 1 << 6;
    /// No ARP.
    pub const NOARP: u32 = 1 << 7;
    /// Promiscuous by hand.
    pub const PROMISC: u32 = 1 << 8;
    /// All multicast by hand.
    pub const ALLMULTI: u32 = 1 << 9;
    /// Multicast.
    pub const MULTICAST: u32 = 1 << 12;
    /// Dynamic addresses.
    pub const DYNAMIC: u32 = 1 << 15;
    /// The lower layer is there.
    pub const LOWER_UP: u32 = 1 << 16;
}

/// A root queueing discipline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Qdisc {
    /// Never set up: drops.
    #[default]
    Noop,
    /// Straight to the driver.
    Noqueue,
    /// Three bands.
    PfifoFast,
    /// Fair queueing.
    FqCodel,
}

impl Qdisc {
    /// The name that `ip link` prints.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Noop => "noop",
            Self::Noqueue => "noqueue",
            Self::PfifoFast => "pfifo_fast",
            Self::FqCodel => "fq_codel",
        }
    }
}

/// RFC 2863 state. Kernel: `IF_OPER_*`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OperState {
    /// The driver never said.
    #[default]
    Unknown,
    /// No carrier.
    Down,
    /// No carrier, nor has the device below.
    LowerLayerDown,
    /// Works.
    Up,
}

impl OperState {
    /// The name that `ip link` prints.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Down => "DOWN",
            Self::LowerLayerDown => "LOWERLAYERDOWN",
            Self::Up => "UP",
        }
    }
}

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
    /// Root queueing discipline; [`Qdisc::Noop`] until it is first set up.
    pub qdisc: Qdisc,
    /// Operational state, as of the last change of carrier.
    pub operstate: OperState,
    /// How often the carrier came or went.
    pub carrier_changes: u32,
    /// Alternative names in order of addition.
    pub altnames: Vec<String>,
    /// VLAN devices on it by protocol and VLAN identifier, in this order.
    pub vlans: Vec<((VlanProto, u16), DevId)>,
    /// Addresses that `bridge fdb add … self` made it accept.
    pub fdb_self: Vec<MacAddr>,
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
    /// Routed back to itself, for a tunnel.
    pub collisions: u64,
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
    /// Router port: 0 never, 1 learned, 2 always, 3 for a while.
    pub mcast_router: u8,
    /// Proxy ARP.
    pub proxy_arp: bool,
    /// Neighbour suppression.
    pub neigh_suppress: bool,
}

impl BridgePort {
    /// A port that is not forwarding yet. Kernel: `new_nbp`.
    pub fn new(number: u16, cost: u32) -> Self {
        Self {
            number,
            state: 0,
            cost,
            priority: 32,
            hairpin: false,
            isolated: false,
            learning: true,
            flood: true,
            mcast_flood: true,
            bcast_flood: true,
            guard: false,
            root_block: false,
            fast_leave: false,
            mcast_router: 1,
            proxy_arp: false,
            neigh_suppress: false,
        }
    }
}

impl Device {
    /// A device that is down, with the defaults of its kind.
    pub fn new(id: DevId, netns: NetnsId, ifindex: IfIndex, name: &str, kind: DeviceKind) -> Self {
        let traits = kind.traits();
        let ether = traits.arphrd == arphrd::ETHER;
        Self {
            id,
            netns,
            ifindex,
            name: name.to_owned(),
            kind,
            mac: MacAddr::ZERO,
            broadcast: if ether { MacAddr::BROADCAST } else { MacAddr::ZERO },
            mac_set: false,
            mtu: traits.mtu,
            up: false,
            carrier: true,
            noarp: traits.flags & iff::NOARP != 0,
            multicast: traits.flags & iff::MULTICAST != 0,
            promisc: false,
            promiscuity: 0,
            allmulticast: false,
            dynamic: false,
            txqueuelen: traits.txqueuelen,
            alias: None,
            group: 0,
            master: None,
            port: None,
            stats: Stats::default(),
            addrs: Vec::new(),
            taps: 0,
            qdisc: Qdisc::Noop,
            operstate: OperState::Unknown,
            carrier_changes: 0,
            altnames: Vec::new(),
            vlans: Vec::new(),
            fdb_self: Vec::new(),
        }
    }

    /// Whether it is a loopback device.
    pub fn is_loopback(&self) -> bool {
        matches!(self.kind, DeviceKind::Loopback(_))
    }

    /// Kernel: `IFF_POINTOPOINT`.
    pub(crate) fn is_point_to_point(&self) -> bool {
        self.kind.traits().flags & iff::POINTOPOINT != 0
    }

    /// Whether its packets have an Ethernet header. Kernel: `dev->header_ops`.
    pub fn has_link_header(&self) -> bool {
        matches!(self.kind.traits().arphrd, arphrd::ETHER | arphrd::LOOPBACK)
    }

    /// Whether it may be used: operational state up or unknown. Kernel: `netif_oper_up`.
    pub fn oper_up(&self) -> bool {
        matches!(self.operstate, OperState::Up | OperState::Unknown)
    }

    /// The flags that user space sees. Kernel: `dev_get_flags` in `net/core/dev.c`.
    pub fn flags(&self) -> u32 {
        let fixed = iff::BROADCAST | iff::LOOPBACK | iff::POINTOPOINT;
        let mut flags = self.kind.traits().flags & fixed;
        let mut set = |on: bool, bit: u32| {
            if on {
                flags |= bit;
            }
        };
        set(self.noarp, iff::NOARP);
        set(self.multicast, iff::MULTICAST);
        set(self.promisc, iff::PROMISC);
        set(self.allmulticast, iff::ALLMULTI);
        set(self.dynamic, iff::DYNAMIC);
        set(self.up, iff::UP);
        set(self.up && self.oper_up(), iff::RUNNING);
        set(self.up && self.carrier, iff::LOWER_UP);
        flags
    }

    /// Bytes of `skb` that its counters count when it receives: without the link-layer header
    /// where the driver has taken it off.
    pub(crate) fn rx_len(&self, skb: &Skb) -> u64 {
        let frame = &skb.frame;
        let len = match self.kind {
            DeviceKind::Veth(_) | DeviceKind::Nic(_) => frame.skb_len(),
            // A tag is in the data still.
            DeviceKind::Vxlan(_) => frame.len() - Frame::HEADER_LEN,
            DeviceKind::Loopback(_)
            | DeviceKind::Bridge(_)
            | DeviceKind::Tun(_)
            | DeviceKind::Ipip(_)
            | DeviceKind::Dummy(_)
            | DeviceKind::Vlan(_) => frame.skb_len() - Frame::HEADER_LEN,
        };
        len as u64
    }

    /// First address whose subnet holds `addr`.
    pub fn subnet_of(&self, addr: std::net::IpAddr) -> Option<IpNet> {
        self.addrs.iter().map(|a| a.local).find(|net| net.contains(&addr))
    }
}
