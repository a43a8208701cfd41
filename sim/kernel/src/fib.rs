use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use packet::DevId;

use crate::Scope;
use crate::fib_table::FibTable;

/// A routing table's number: 255 local, 254 main, 253 default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(pub u32);

impl TableId {
    /// The table of own and broadcast addresses.
    pub const LOCAL: Self = Self(255);
    /// The table that `ip route` changes.
    pub const MAIN: Self = Self(254);
    /// The table after main, normally empty.
    pub const DEFAULT: Self = Self(253);
}

/// A route. Kernel: `struct fib_alias` with its `struct fib_info`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Destination prefix.
    pub dst: IpNet,
    /// Type.
    pub kind: RouteKind,
    /// Type of service; 0 is any.
    pub tos: u8,
    /// Metric; the lowest wins.
    pub metric: u32,
    /// Who made it.
    pub proto: RouteProto,
    /// How far the destination is.
    pub scope: Scope,
    /// Preferred source address.
    pub prefsrc: Option<IpAddr>,
    /// Where packets go; several for multipath, none for the special types.
    pub nexthops: Vec<NextHop>,
    /// Path MTU in bytes, and whether it is locked.
    pub mtu: Option<(u32, bool)>,
    /// Advertised MSS in bytes.
    pub advmss: Option<u32>,
    /// Other metrics, by ascending number.
    pub metrics: Vec<RouteMetric>,
    /// The nexthop object that `nexthops` come from.
    pub nhid: Option<u32>,
    /// Which route this is; exceptions are learned for one. Kernel: the `struct fib_info` itself.
    pub(crate) info: u32,
}

/// A route's metric other than MTU and advertised MSS.
///
/// Simplified: rtt, rttvar, ssthresh, cwnd, reordering and rto_min are kept and listed, without
/// effect on packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteMetric {
    /// Kernel: `RTAX_*` (3 window, 4 rtt in 1/8 ms, 5 rttvar in 1/4 ms, 6 ssthresh, 7 cwnd,
    /// 9 reordering, 10 hoplimit, 11 initcwnd, 13 rto_min, 14 initrwnd, 15 quickack).
    pub number: u8,
    /// Value in the kernel's unit.
    pub value: u32,
    /// `lock`.
    pub locked: bool,
}

impl RouteMetric {
    /// Limit of TCP's receive window, bytes. Kernel: `RTAX_WINDOW`.
    pub const WINDOW: u8 = 3;
    /// TTL. Kernel: `RTAX_HOPLIMIT`.
    pub const HOPLIMIT: u8 = 10;
    /// TCP's first congestion window, segments. Kernel: `RTAX_INITCWND`.
    pub const INITCWND: u8 = 11;
    /// TCP's first receive window, segments. Kernel: `RTAX_INITRWND`.
    pub const INITRWND: u8 = 14;
    /// TCP acknowledges every segment at once. Kernel: `RTAX_QUICKACK`.
    pub const QUICKACK: u8 = 15;
}

/// One way of a route. Kernel: `struct fib_nh`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextHop {
    /// Output device.
    pub dev: DevId,
    /// Gateway.
    pub via: Option<IpAddr>,
    /// The gateway is taken to be on the link without a route to it.
    pub onlink: bool,
    /// Weight, from 1.
    pub weight: u32,
    /// The device lost its carrier. Kernel: `RTNH_F_LINKDOWN`.
    pub linkdown: bool,
    /// The device is down. Kernel: `RTNH_F_DEAD`.
    pub dead: bool,
    /// How far the gateway is: link for another host's address, host for no gateway or an own
    /// address, nowhere for a local route. Kernel: `fib_nh_scope`.
    pub(crate) scope: Scope,
    /// The greatest hash of the flows that take this way of several; none do while it is `None`.
    /// Kernel: `fib_nh_upper_bound`.
    pub(crate) upper_bound: Option<u32>,
}

/// Kernel: `RTN_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RouteKind {
    /// A gateway or direct route.
    Unicast,
    /// An own address.
    Local,
    /// A broadcast address.
    Broadcast,
    /// A multicast group.
    Multicast,
    /// Dropped silently.
    Blackhole,
    /// Refused with host unreachable.
    Unreachable,
    /// Refused with packet filtered.
    Prohibit,
    /// Goes on with the next rule.
    Throw,
}

/// Kernel: `RTPROT_*`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteProto(pub u8);

impl RouteProto {
    /// Installed by ICMP redirects.
    pub const REDIRECT: Self = Self(1);
    /// Installed by the kernel.
    pub const KERNEL: Self = Self(2);
    /// Installed by an administrator (`ip route`).
    pub const BOOT: Self = Self(3);
    /// Installed by an administrator to override dynamic routing.
    pub const STATIC: Self = Self(4);
}

/// A policy rule. Kernel: `struct fib_rule`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Order; lower is asked first.
    pub priority: u32,
    /// The sense of the whole selector is reversed.
    pub not: bool,
    /// Source prefix.
    pub from: Option<IpNet>,
    /// Destination prefix.
    pub to: Option<IpNet>,
    /// Input device by name, which need not exist.
    pub iif: Option<String>,
    /// Output device by name (of a bound socket), which need not exist.
    pub oif: Option<String>,
    /// Mark and mask.
    pub fwmark: Option<(u32, u32)>,
    /// Type of service; 0 is any.
    pub tos: u8,
    /// IP protocol.
    pub ipproto: Option<u8>,
    /// Source port range.
    pub sport: Option<(u16, u16)>,
    /// Destination port range.
    pub dport: Option<(u16, u16)>,
    /// What to do.
    pub action: RuleAction,
    /// Reject a route whose prefix is this long or shorter.
    pub suppress_prefixlength: Option<u32>,
    /// Who made it.
    pub proto: RouteProto,
    /// User ids of local senders, first and last. All processes here are user 0.
    pub uidrange: Option<(u32, u32)>,
}

/// Kernel: `FR_ACT_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleAction {
    /// Ask a table.
    Lookup(TableId),
    /// Go on with the rule of this priority.
    Goto(u32),
    /// Do nothing.
    Nop,
    /// Refuse with network unreachable.
    Unreachable,
    /// Drop.
    Blackhole,
    /// Refuse with packet filtered.
    Prohibit,
}

/// The tables and rules of a namespace. Kernel: `struct netns_ipv4`, `fib_*`.
#[derive(Clone, Debug)]
pub struct Fib {
    /// Tables in order of creation.
    pub(crate) tables: Vec<(TableId, Arc<FibTable>)>,
    /// Rules in order of priority.
    pub(crate) rules: Arc<Vec<Rule>>,
    /// A rule was added or removed once: the tables local and main are asked one after the other,
    /// no longer as one. Kernel: `fib_has_custom_rules`, `fib_unmerge`.
    pub(crate) has_custom_rules: bool,
    /// A local route was added by hand once. Kernel: `fib_has_custom_local_routes`.
    pub(crate) has_custom_local_routes: bool,
    /// Number of the route made last.
    pub(crate) last_info: u32,
}

impl Default for Fib {
    /// Kernel: `net/ipv4/fib_rules.c`, `fib_default_rules_init`.
    fn default() -> Self {
        let rule = |priority, table| Rule { priority, action: RuleAction::Lookup(table), ..Rule::default() };
        Self {
            tables: Vec::new(),
            rules: Arc::new(vec![
                rule(0, TableId::LOCAL),
                rule(32766, TableId::MAIN),
                rule(32767, TableId::DEFAULT),
            ]),
            has_custom_rules: false,
            has_custom_local_routes: false,
            last_info: 0,
        }
    }
}

impl Default for Rule {
    /// Matches everything and asks the main table.
    fn default() -> Self {
        Self {
            priority: 0,
            not: false,
            from: None,
            to: None,
            iif: None,
            oif: None,
            fwmark: None,
            tos: 0,
            ipproto: None,
            sport: None,
            dport: None,
            uidrange: None,
            action: RuleAction::Lookup(TableId::MAIN),
            suppress_prefixlength: None,
            proto: RouteProto::KERNEL,
        }
    }
}

impl Fib {
    /// The table, if it was ever used.
    #[inline]
    pub(crate) fn table(&self, id: TableId) -> Option<&FibTable> {
        self.tables.iter().find(|(table, _)| *table == id).map(|(_, table)| &**table)
    }

    /// The table, made if it doesn't exist. Kernel: `fib_new_table`.
    pub(crate) fn table_mut(&mut self, id: TableId) -> &mut FibTable {
        let at = match self.tables.iter().position(|(table, _)| *table == id) {
            Some(at) => at,
            None => {
                self.tables.push((id, Arc::default()));
                self.tables.len() - 1
            }
        };
        Arc::make_mut(&mut self.tables[at].1)
    }
}
