//! The one door for configuration: netlink, sysctl and rulesets as typed requests.
//!
//! A request names things as a person does (device and namespace names), because it prints as
//! the command a person would type; parsing that command gives the same request
//! (`tools` holds the parsers, [`Request`]'s `Display` the printer). Which namespace it acts in is
//! said beside it (`Cx::request(netns, request)`).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use packet::{MacAddr, NetnsId, VlanProto, Vni};

use crate::{Errno, Nud, RouteKind, RouteMetric, RouteProto, Rule, Scope, TableId};

/// A change of configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// `ip link add`.
    LinkAdd(LinkAdd),
    /// `ip tunnel add`, `change`, `del`: the ioctls.
    Tunnel(TunnelRequest),
    /// `ip link set DEV …`, changes in the order given.
    LinkSet {
        /// The device.
        dev: String,
        /// What changes; all or none.
        changes: Vec<LinkChange>,
    },
    /// `ip link del DEV`.
    LinkDel {
        /// The device.
        dev: String,
    },
    /// `ip addr add|replace|change`.
    AddrAdd(AddrSpec, Mode),
    /// `ip addr del`.
    AddrDel(AddrSpec),
    /// `ip route add|replace|change|append|prepend`.
    RouteAdd(RouteSpec, Mode),
    /// `ip route del`: every field that is given must fit.
    RouteDel(RouteSpec),
    /// `ip route flush cache`: forgets route exceptions.
    RouteFlushCache,
    /// `ip nexthop add|replace`.
    NexthopAdd(NexthopSpec, Mode),
    /// `ip nexthop del id ID`: the routes that use it go too.
    NexthopDel {
        /// Its id.
        id: Option<u32>,
    },
    /// `ip rule add`. Without a priority the kernel chooses one.
    RuleAdd(RuleSpec),
    /// `ip rule del`.
    RuleDel(RuleSpec),
    /// `ip neigh add|replace|change`.
    NeighAdd(NeighSpec, Mode),
    /// `ip neigh del`.
    NeighDel(NeighSpec),
    /// `bridge fdb add|replace|append`.
    FdbAdd(FdbSpec, Mode),
    /// `bridge fdb del`.
    FdbDel(FdbSpec),
    /// `bridge fdb flush dev DEV`: all entries of a bridge or vxlan, or those of one port.
    FdbFlush {
        /// Bridge or vxlan device.
        dev: String,
        /// `brport`.
        port: Option<String>,
    },
    /// `ip netns add NAME`: makes a namespace and names it.
    NetnsAdd {
        /// Its name in /run/netns.
        name: String,
    },
    /// `ip netns del NAME`: removes the name; the namespace goes when nobody uses it.
    NetnsDel {
        /// Its name.
        name: String,
    },
    /// `ip netns set NAME ID`; `None` lets the kernel choose (`auto`).
    NetnsSetId {
        /// The other namespace's name.
        name: String,
        /// The id it gets here.
        id: Option<u32>,
    },
    /// `iptables -A …` and kin: one change of a ruleset.
    Ruleset(netfilter::Change),
    /// `iptables-restore`: the changes of one table, all or none.
    RulesetRestore(Arc<netfilter::Restore>),
    /// A write to /proc/net/xt_recent/NAME.
    Recent {
        /// The table's name.
        table: String,
        /// What was written.
        write: netfilter::RecentWrite,
    },
    /// `conntrack -D`, `conntrack -F`.
    Conntrack(netfilter::conntrack::ConntrackChange),
    /// Changes the sets of `ipset`.
    Set(netfilter::set::SetChange),
    /// `sysctl -w KEY=VALUE`.
    Sysctl {
        /// Dotted key, e.g. `net.ipv4.ip_forward`; a device name's dots are written `/`.
        key: String,
        /// The text written.
        value: String,
    },
}

/// How an add treats what exists. Kernel: `NLM_F_CREATE | EXCL | REPLACE | APPEND`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `add`: refuse if it exists.
    Add,
    /// `replace`: create or overwrite.
    Replace,
    /// `change`: refuse if it doesn't exist.
    Change,
    /// `append`: after what exists.
    Append,
    /// `prepend`: before what exists.
    Prepend,
    /// `test`: refuse in both cases, with another error each.
    Test,
}

/// A namespace as a command names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetnsRef {
    /// A name in /run/netns.
    Name(String),
    /// The namespace of a process (`ip link set eth0 netns 1`).
    Pid(u32),
    /// Known by id (other components than commands).
    Id(NetnsId),
}

/// `ip link add`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkAdd {
    /// Name; the kernel numbers one (`veth0`, `dummy0`) if none is given.
    pub name: Option<String>,
    /// The namespace it is made in, if not that of the request.
    pub netns: Option<NetnsRef>,
    /// Address, if given.
    pub address: Option<MacAddr>,
    /// MTU in bytes, if given.
    pub mtu: Option<u32>,
    /// `txqueuelen` in packets.
    pub txqueuelen: Option<u32>,
    /// Interface index, if asked for.
    pub index: Option<u32>,
    /// Further changes that the same command asked for (`up`, `master BR`, `arp off` …).
    pub changes: Vec<LinkChange>,
    /// Kind and its parameters.
    pub kind: LinkKind,
}

impl LinkAdd {
    /// A device of that name, and nothing else said.
    pub fn new(name: &str, kind: LinkKind) -> Self {
        Self {
            name: Some(name.to_owned()),
            netns: None,
            address: None,
            mtu: None,
            txqueuelen: None,
            index: None,
            changes: Vec::new(),
            kind,
        }
    }
}

/// `type KIND …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// `veth peer …`.
    Veth {
        /// The other end; its kind is ignored.
        peer: Box<VethPeer>,
    },
    /// `bridge …`.
    Bridge(Vec<BridgeOption>),
    /// `vxlan …`.
    Vxlan(VxlanConfig),
    /// `dummy`.
    Dummy,
    /// `vlan id N` on `link`.
    Vlan {
        /// The lower device; none if empty.
        link: String,
        /// Whose tag.
        proto: VlanProto,
        /// VLAN identifier, 0..=4094, if given.
        id: Option<u16>,
    },
    /// `ipip …`.
    Ipip(TunnelConfig),
    /// A TUN device (`ip tuntap add`, or TUNSETIFF).
    Tun {
        /// `TUN_TAP_DEV`: Ethernet frames. Not simulated yet when true.
        tap: bool,
        /// Persists without a process.
        persist: bool,
    },
    /// A physical NIC. Only a topology adds one; no command does.
    Nic,
    /// A kind this kernel doesn't have; refused with `Unknown device type.`
    Unknown(String),
}

/// The other end of a new veth pair.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VethPeer {
    /// Name; numbered by the kernel if none.
    pub name: Option<String>,
    /// Namespace, if another.
    pub netns: Option<NetnsRef>,
    /// Address, if given.
    pub address: Option<MacAddr>,
    /// MTU in bytes, if given.
    pub mtu: Option<u32>,
    /// Interface index, if asked for.
    pub index: Option<u32>,
    /// `txqueuelen` in packets.
    pub txqueuelen: Option<u32>,
    /// Further changes.
    pub changes: Vec<LinkChange>,
}

/// One change of `ip link set`, `bridge link set` or `brctl`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkChange {
    /// `up` / `down`.
    Up(bool),
    /// `name NEW`.
    Name(String),
    /// `mtu N`, bytes.
    Mtu(u32),
    /// `address MAC`.
    Address(MacAddr),
    /// `broadcast MAC`.
    Broadcast(MacAddr),
    /// `txqueuelen N`, packets.
    TxQueueLen(u32),
    /// `alias TEXT`.
    Alias(String),
    /// `group N`.
    Group(u32),
    /// `master DEV`; `None` for `nomaster`.
    Master(Option<String>),
    /// `netns NS`.
    Netns(NetnsRef),
    /// `promisc on|off`.
    Promisc(bool),
    /// `allmulticast on|off`.
    Allmulticast(bool),
    /// `arp on|off`.
    Arp(bool),
    /// `multicast on|off`.
    Multicast(bool),
    /// `dynamic on|off`.
    Dynamic(bool),
    /// `carrier on|off`.
    Carrier(bool),
    /// `type bridge …` on a bridge.
    Bridge(BridgeOption),
    /// `type bridge_slave …` or `bridge link set dev …` on a port.
    Port(PortOption),
    /// `type vxlan …` on a vxlan.
    Vxlan(VxlanConfig),
    /// `type ipip …`: all parameters, changed or not.
    Ipip(TunnelConfig),
    /// `ip link property add dev DEV altname NAME`.
    AltnameAdd(String),
    /// `ip link property del dev DEV altname NAME`.
    AltnameDel(String),
}

/// `ip link set type bridge`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BridgeOption {
    /// Seconds/100 until a learned entry is forgotten.
    AgeingTime(u32),
    /// Seconds/100.
    ForwardDelay(u32),
    /// Seconds/100.
    HelloTime(u32),
    /// Seconds/100.
    MaxAge(u32),
    /// 0 or 1.
    StpState(u32),
    /// Bridge priority.
    Priority(u16),
    /// 0 or 1.
    VlanFiltering(u8),
    /// 0 or 1.
    McastSnooping(u8),
    /// 0 or 1.
    McastQuerier(u8),
    /// 0 or 1.
    NfCallIptables(u8),
    /// 0 or 1.
    NfCallIp6tables(u8),
    /// 0 or 1.
    NfCallArptables(u8),
    /// Forget learned entries.
    FdbFlush,
}

/// `bridge link set`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortOption {
    /// May a frame leave by the port it came by?
    Hairpin(bool),
    /// Talks to ports that are not isolated only.
    Isolated(bool),
    /// Learns source addresses.
    Learning(bool),
    /// Floods unknown unicast.
    Flood(bool),
    /// Floods multicast.
    McastFlood(bool),
    /// Floods broadcast.
    BcastFlood(bool),
    /// BPDU guard.
    Guard(bool),
    /// Root block.
    RootBlock(bool),
    /// Fast leave.
    FastLeave(bool),
    /// Router port: 0 never, 1 learned, 2 always, 3 for a while. Simplified: a setting only.
    McastRouter(u8),
    /// Proxy ARP.
    ProxyArp(bool),
    /// Neighbour suppression.
    NeighSuppress(bool),
    /// Spanning tree state, 0 disabled to 4 blocking.
    State(u8),
    /// Path cost.
    Cost(u32),
    /// Port priority, 0..=63.
    Priority(u16),
    /// Forget learned entries of this port (`type bridge_slave fdb_flush`).
    FdbFlush,
}

/// `type vxlan`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VxlanConfig {
    /// `id`.
    pub vni: Vni,
    /// `remote` or `group`.
    pub remote: Option<IpAddr>,
    /// `local`.
    pub local: Option<IpAddr>,
    /// `dev`.
    pub link: Option<String>,
    /// `dstport`, host byte order; 8472 if not given, as the kernel's default.
    pub dstport: Option<u16>,
    /// `learning` / `nolearning`.
    pub learning: bool,
    /// `ttl`; 0 is inherit/default 64 for unicast.
    pub ttl: u8,
    /// `tos`.
    pub tos: u8,
    /// `srcport MIN MAX`.
    pub srcport: Option<(u16, u16)>,
    /// `ageing`, seconds.
    pub ageing: u32,
    /// `maxaddress`.
    pub maxaddress: Option<u32>,
    /// `proxy`.
    pub proxy: bool,
    /// `l2miss`.
    pub l2miss: bool,
    /// `l3miss`.
    pub l3miss: bool,
    /// `udpcsum`.
    pub udpcsum: bool,
}

/// `type ipip`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TunnelConfig {
    /// `remote`.
    pub remote: Option<IpAddr>,
    /// `local`.
    pub local: Option<IpAddr>,
    /// `dev`.
    pub link: Option<String>,
    /// `ttl`; 0 is inherit.
    pub ttl: u8,
    /// `tos`; 1 is inherit.
    pub tos: u8,
    /// `nopmtudisc`.
    pub nopmtudisc: bool,
    /// `mode ipip`: IPv4 only. Otherwise MPLS too, which nothing here sends.
    pub ipv4_only: bool,
}

/// What `ip tunnel` asks for. Without a name the tunnel is found by its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TunnelRequest {
    /// SIOCADDTUNNEL. Without a name the kernel numbers one.
    Add {
        /// Name.
        name: Option<String>,
        /// Parameters.
        config: TunnelConfig,
    },
    /// SIOCCHGTUNNEL.
    Change {
        /// Name.
        name: Option<String>,
        /// All parameters, changed or not.
        config: TunnelConfig,
    },
    /// SIOCDELTUNNEL.
    Del {
        /// Name.
        name: Option<String>,
        /// Parameters, if there is no name.
        config: TunnelConfig,
    },
}

/// An address in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddrSpec {
    /// The device.
    pub dev: String,
    /// Own address and prefix length.
    pub local: IpNet,
    /// The other end's.
    pub peer: Option<IpNet>,
    /// `brd`.
    pub broadcast: Option<IpAddr>,
    /// `scope`; the tool derives it when not given (host for 127/8, else global).
    pub scope: Option<Scope>,
    /// `label`.
    pub label: Option<String>,
    /// `noprefixroute`.
    pub noprefixroute: bool,
    /// `metric`.
    pub metric: u32,
    /// `valid_lft` and `preferred_lft`, if one of them is given.
    pub lifetime: Option<Lifetimes>,
}

impl AddrSpec {
    /// An address of a device, and nothing else said.
    pub fn new(dev: &str, local: IpNet) -> Self {
        Self {
            dev: dev.to_owned(),
            local,
            peer: None,
            broadcast: None,
            scope: None,
            label: None,
            noprefixroute: false,
            metric: 0,
            lifetime: None,
        }
    }
}

/// How long an address is to live, in seconds; `u32::MAX` is `forever`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// `valid_lft`.
    pub valid: u32,
    /// `preferred_lft`.
    pub preferred: u32,
}

impl Lifetimes {
    /// Without end. Kernel: `INFINITY_LIFE_TIME`.
    pub const FOREVER: u32 = u32::MAX;
}

/// A route in a request. `None` means not given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteSpec {
    /// Type; `None` is unicast, and on deletion any.
    pub kind: Option<RouteKind>,
    /// Destination; `None` is the default route.
    pub dst: Option<IpNet>,
    /// Table; `None` is main (local for local and broadcast routes).
    pub table: Option<TableId>,
    /// `tos`.
    pub tos: u8,
    /// `metric`.
    pub metric: Option<u32>,
    /// `proto`.
    pub proto: Option<RouteProto>,
    /// `scope`.
    pub scope: Option<Scope>,
    /// `src`.
    pub prefsrc: Option<IpAddr>,
    /// `mtu`, `mtu lock`.
    pub mtu: Option<(u32, bool)>,
    /// `advmss`.
    pub advmss: Option<u32>,
    /// Other metrics (`window`, `rtt`, `hoplimit` …), by ascending number.
    pub metrics: Vec<RouteMetric>,
    /// One way, or several with `nexthop`.
    pub nexthops: Vec<NextHopSpec>,
    /// `nhid`: a nexthop object in place of ways.
    pub nhid: Option<u32>,
}

/// A nexthop object in a request: one way, a blackhole or a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NexthopSpec {
    /// `id`; the kernel chooses one if none is given.
    pub id: Option<u32>,
    /// `via`.
    pub via: Option<IpAddr>,
    /// `dev`.
    pub dev: Option<String>,
    /// `onlink`.
    pub onlink: bool,
    /// `blackhole`.
    pub blackhole: bool,
    /// `group ID[,WEIGHT]/…`.
    pub group: Option<Vec<(u32, Option<u32>)>>,
    /// `protocol`; 0 is none.
    pub proto: RouteProto,
}

/// `via ADDR dev DEV weight N onlink`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NextHopSpec {
    /// `dev`.
    pub dev: Option<String>,
    /// `via`.
    pub via: Option<IpAddr>,
    /// `onlink`.
    pub onlink: bool,
    /// `weight`, from 1; `None` outside multipath.
    pub weight: Option<u32>,
}

/// A rule in a request: the kernel chooses the priority if none is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSpec {
    /// The rule; its `priority` counts only if `priority_given`.
    pub rule: Rule,
    /// Whether a priority was given.
    pub priority_given: bool,
    /// Whether an action was given (on deletion it need not be).
    pub action_given: bool,
    /// Such a rule may exist already (`ip rule restore`; no command line says so).
    pub duplicate: bool,
}

/// A neighbour in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeighSpec {
    /// Protocol address.
    pub addr: IpAddr,
    /// The device; may miss for `proxy`.
    pub dev: Option<String>,
    /// Link-layer address.
    pub lladdr: Option<MacAddr>,
    /// State; `None` is permanent on add.
    pub nud: Option<Nud>,
    /// `proxy`: answer ARP for it.
    pub proxy: bool,
    /// `router`.
    pub router: bool,
    /// `extern_learn`.
    pub extern_learn: bool,
}

/// A forwarding entry in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FdbSpec {
    /// Address.
    pub mac: MacAddr,
    /// Port or vxlan device.
    pub dev: String,
    /// `self`: the device's own table.
    pub to_self: bool,
    /// `master`: the bridge's table.
    pub to_master: bool,
    /// `permanent`/`local`, `static`, `dynamic`.
    pub state: FdbState,
    /// `dst` of a vxlan entry.
    pub dst: Option<IpAddr>,
    /// `port` of a vxlan entry.
    pub port: Option<u16>,
    /// `vni` of a vxlan entry.
    pub vni: Option<Vni>,
    /// `via` of a vxlan entry.
    pub via: Option<String>,
    /// `vlan`.
    pub vlan: Option<u16>,
    /// `extern_learn`: learned by someone outside the kernel; does not age.
    pub extern_learn: bool,
}

/// How an fdb entry ages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FdbState {
    /// Own address of a port: passed up.
    Permanent,
    /// Never ages.
    Static,
    /// Ages.
    Dynamic,
}

/// What a change answers, besides being done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// Names that the kernel chose for new devices, in order.
    pub names: Vec<String>,
    /// The refused ones of changes that were sent together, by index, each with its error; none
    /// was made then.
    pub refused: Vec<(usize, Errno)>,
}

/// How long a crossing (veth, cable, loopback) takes at least.
pub const CROSSING: Duration = Duration::from_micros(1);
