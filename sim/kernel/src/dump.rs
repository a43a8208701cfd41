//! Listings: what netlink dumps answer.
//!
//! A dump is a copy of the tables as plain data, made by [`crate::Host`]; the tools print it.

use std::net::IpAddr;

use ipnet::IpNet;
use packet::{IfIndex, MacAddr, VlanProto};

use crate::device::BridgePort;
use crate::request::{BridgeOption, FdbState, TunnelConfig, VxlanConfig};
use crate::{InterfaceAddr, Nud, RouteKind, RouteMetric, RouteProto, Scope, Stats, TableId};

/// One device, as `RTM_NEWLINK` describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkInfo {
    /// Index.
    pub ifindex: IfIndex,
    /// Name.
    pub name: String,
    /// `IFLA_LINK`: the peer's or lower device's index.
    pub link: Option<IfIndex>,
    /// The name of the linked device when it is in the same namespace.
    pub link_name: Option<String>,
    /// `IFLA_LINK_NETNSID` when the linked device is elsewhere.
    pub link_netnsid: Option<u32>,
    /// The name in /run/netns of that namespace.
    pub link_netns_name: Option<String>,
    /// `IFF_*` bits as the kernel reports them (`include/uapi/linux/if.h`).
    pub flags: u32,
    /// MTU in bytes.
    pub mtu: u32,
    /// Queueing discipline: `noqueue`, `noop`, `pfifo_fast`, `fq_codel`.
    pub qdisc: String,
    /// Master's name.
    pub master: Option<String>,
    /// `UP`, `DOWN`, `UNKNOWN`, `LOWERLAYERDOWN`, `DORMANT`, `TESTING`, `NOTPRESENT`.
    pub operstate: &'static str,
    /// Group number; 0 is `default`.
    pub group: u32,
    /// `qlen` in packets.
    pub txqueuelen: u32,
    /// Link type: 1 Ethernet, 772 loopback, 65534 none, 768 ipip.
    pub arphrd: u16,
    /// Address and broadcast address; `None` for a device without (TUN).
    pub address: Option<(MacAddr, MacAddr)>,
    /// Addresses of a tunnel as link-layer addresses (`link/ipip LOCAL peer REMOTE`).
    pub tunnel: Option<(IpAddr, IpAddr)>,
    /// `alias`.
    pub alias: Option<String>,
    /// Kind and parameters, `None` for loopback and physical NICs.
    pub kind: Option<KindInfo>,
    /// Port parameters when it has a bridge as master.
    pub port: Option<BridgePort>,
    /// Promiscuity count.
    pub promiscuity: u32,
    /// All-multicast count.
    pub allmulti: u32,
    /// MTU range in bytes.
    pub min_mtu: u32,
    /// MTU range in bytes; 0 is unlimited.
    pub max_mtu: u32,
    /// Counters.
    pub stats: Stats,
    /// Number of transmit and receive queues.
    pub queues: (u32, u32),
    /// `tso_max_size` in bytes: 524280 for veth, lo, bridges and a vxlan with `dev`, else 65536.
    pub tso_max_size: u32,
    /// How often the carrier came or went. Kernel: `IFLA_CARRIER_CHANGES`.
    pub carrier_changes: u32,
    /// Alternative names, in the order of addition (`IFLA_ALT_IFNAME`).
    pub altnames: Vec<String>,
}

/// `IFLA_LINKINFO`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KindInfo {
    /// veth.
    Veth,
    /// bridge: all options it has, and its id, ageing timers, …
    Bridge(Vec<BridgeOption>),
    /// vxlan.
    Vxlan(VxlanConfig),
    /// dummy.
    Dummy,
    /// vlan.
    Vlan {
        /// Whose tag.
        proto: VlanProto,
        /// VLAN identifier.
        id: u16,
    },
    /// ipip.
    Ipip(TunnelConfig),
    /// tun.
    Tun {
        /// TAP.
        tap: bool,
        /// Persistent.
        persist: bool,
    },
}

/// One address with its device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddrInfo {
    /// Device index.
    pub ifindex: IfIndex,
    /// The address.
    pub addr: InterfaceAddr,
}

/// One route; devices by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteInfo {
    /// Table.
    pub table: TableId,
    /// Destination.
    pub dst: IpNet,
    /// Type.
    pub kind: RouteKind,
    /// Type of service.
    pub tos: u8,
    /// Metric.
    pub metric: u32,
    /// Who made it.
    pub proto: RouteProto,
    /// Scope.
    pub scope: Scope,
    /// Preferred source.
    pub prefsrc: Option<IpAddr>,
    /// Path MTU and lock.
    pub mtu: Option<(u32, bool)>,
    /// Advertised MSS.
    pub advmss: Option<u32>,
    /// Other metrics, by ascending number.
    pub metrics: Vec<RouteMetric>,
    /// Ways.
    pub nexthops: Vec<NextHopInfo>,
    /// The nexthop object that they come from.
    pub nhid: Option<u32>,
}

/// One nexthop object, as `RTM_NEWNEXTHOP` describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NexthopInfo {
    /// Id.
    pub id: u32,
    /// Members of a group with their weights, from 1; `None` for one that is no group.
    pub group: Option<Vec<(u32, u32)>>,
    /// Gateway.
    pub via: Option<IpAddr>,
    /// Device name; none for a blackhole or a group.
    pub dev: Option<String>,
    /// Scope.
    pub scope: Scope,
    /// `blackhole`.
    pub blackhole: bool,
    /// `onlink`.
    pub onlink: bool,
    /// Who made it; 0 is not said.
    pub proto: RouteProto,
}

/// One way of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextHopInfo {
    /// Device name.
    pub dev: String,
    /// Gateway.
    pub via: Option<IpAddr>,
    /// `onlink`.
    pub onlink: bool,
    /// Weight, from 1.
    pub weight: u32,
    /// `linkdown`.
    pub linkdown: bool,
    /// `dead`.
    pub dead: bool,
}

/// What `ip route get` is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteQuery {
    /// `to`.
    pub dst: Option<IpAddr>,
    /// `from`.
    pub src: Option<IpAddr>,
    /// `iif`.
    pub iif: Option<String>,
    /// `oif`.
    pub oif: Option<String>,
    /// `mark`.
    pub mark: u32,
    /// `tos`.
    pub tos: u8,
    /// `ipproto`.
    pub ipproto: Option<u8>,
    /// `sport`.
    pub sport: Option<u16>,
    /// `dport`.
    pub dport: Option<u16>,
}

/// What `ip route get` answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteAnswer {
    /// Type.
    pub kind: RouteKind,
    /// Destination.
    pub dst: IpAddr,
    /// The source asked with, if one was.
    pub from: Option<IpAddr>,
    /// Gateway.
    pub via: Option<IpAddr>,
    /// Output device.
    pub dev: Option<String>,
    /// Table, if not main.
    pub table: Option<TableId>,
    /// Chosen source address.
    pub prefsrc: Option<IpAddr>,
    /// Mark asked with.
    pub mark: u32,
    /// Input device asked with.
    pub iif: Option<String>,
    /// The user asked for; a listed exception has none.
    pub uid: Option<u32>,
    /// From an exception: seconds left, path MTU, lock.
    pub expires: Option<u64>,
    /// Path MTU, from the route or an exception.
    pub mtu: Option<(u32, bool)>,
    /// Advertised MSS, from the route.
    pub advmss: Option<u32>,
    /// Other metrics of the route, by ascending number.
    pub metrics: Vec<RouteMetric>,
    /// Installed by a redirect.
    pub redirected: bool,
    /// `iif` asked for a way back to where the packet came from. Kernel: `RTCF_DOREDIRECT`.
    pub do_redirect: bool,
    /// The route that answered, as `ip route get fibmatch` prints it.
    pub fib: Option<RouteInfo>,
}

/// One neighbour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeighInfo {
    /// Address.
    pub addr: IpAddr,
    /// Device name.
    pub dev: Option<String>,
    /// Link-layer address.
    pub lladdr: Option<MacAddr>,
    /// In its place for a neighbour on an IP tunnel: the tunnel's own address.
    pub tunnel_addr: Option<IpAddr>,
    /// State.
    pub nud: Nud,
    /// A proxy entry.
    pub proxy: bool,
    /// `router`.
    pub router: bool,
    /// `extern_learn`.
    pub extern_learn: bool,
    /// Seconds since used, confirmed, updated (`ip -s neigh`).
    pub ages: (u64, u64, u64),
    /// Requests sent without an answer.
    pub probes: u32,
}

/// The multicast groups of one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaddrInfo {
    /// Index.
    pub ifindex: IfIndex,
    /// Name.
    pub dev: String,
    /// Link-layer addresses that it accepts, and whether each was set by hand.
    pub link: Vec<(MacAddr, bool)>,
    /// Groups of IPv4, newest first.
    pub inet: Vec<std::net::Ipv4Addr>,
    /// Groups of IPv6, newest first.
    pub inet6: Vec<std::net::Ipv6Addr>,
}

/// One forwarding entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FdbInfo {
    /// Address.
    pub mac: MacAddr,
    /// Port or vxlan device.
    pub dev: String,
    /// From the device's own table (`self`); otherwise from its bridge's.
    pub from_self: bool,
    /// The bridge.
    pub master: Option<String>,
    /// State.
    pub state: FdbState,
    /// Vxlan: remote.
    pub dst: Option<IpAddr>,
    /// Vxlan: port, if another than the device's.
    pub port: Option<u16>,
    /// Vxlan: VNI, if another than the device's.
    pub vni: Option<u32>,
    /// Vxlan: output device.
    pub via: Option<String>,
    /// Seconds since used and updated.
    pub ages: (u64, u64),
    /// Learned by the kernel here. `offload` is not simulated.
    pub learned: bool,
    /// `extern_learn`.
    pub extern_learn: bool,
}

/// One socket, as `ss` lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketInfo {
    /// `tcp`, `udp`, `icmp`, `raw`, `p_raw`.
    pub kind: &'static str,
    /// TCP state as `ss` words it (`LISTEN`, `ESTAB`, …), `UNCONN` or `ESTAB` for UDP.
    pub state: &'static str,
    /// Bytes received and not read; for a listener connections waiting.
    pub recv_q: usize,
    /// Bytes sent and not acknowledged; for a listener the backlog's size.
    pub send_q: usize,
    /// Own address and port.
    pub local: (IpAddr, u16),
    /// Other end's address and port.
    pub remote: (IpAddr, u16),
    /// Bound device.
    pub dev: Option<String>,
    /// Owner.
    pub pid: Option<packet::Pid>,
}
