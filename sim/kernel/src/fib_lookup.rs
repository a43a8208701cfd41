use std::net::IpAddr;
use std::sync::Arc;

use packet::{DevId, NetnsId, Proto};

use crate::fib_table::{FibTable, v4};
use crate::path::Flow;
use crate::{Errno, Fib, Host, NextHop, Route, RouteKind, Rule, RuleAction, Scope, TableId};

/// What a lookup goes by. Kernel: `struct flowi4`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FlowKey {
    pub daddr: u32,
    /// 0 is not known.
    pub saddr: u32,
    pub oif: Option<DevId>,
    pub iif: DevId,
    pub mark: u32,
    pub tos: u8,
    pub proto: Proto,
    pub sport: u16,
    pub dport: u16,
    /// Routes that reach less far than this don't count.
    pub scope: Scope,
}

impl FlowKey {
    /// A key by destination only, as if sent by this host.
    pub(crate) fn to(daddr: u32, loopback: DevId) -> Self {
        Self {
            daddr,
            saddr: 0,
            oif: None,
            iif: loopback,
            mark: 0,
            tos: 0,
            proto: Proto(0),
            sport: 0,
            dport: 0,
            scope: Scope::GLOBAL,
        }
    }

    /// The key of `flow`, as if sent by this host; `None` for IPv6.
    pub(crate) fn of_output(flow: &Flow, loopback: DevId) -> Option<Self> {
        Some(Self {
            daddr: v4(flow.dst)?,
            saddr: flow.src.map_or(Some(0), v4)?,
            oif: flow.oif,
            iif: loopback,
            mark: flow.mark,
            tos: flow.tos & !3,
            proto: flow.proto,
            sport: flow.sport,
            dport: flow.dport,
            scope: if flow.onlink_only { Scope::LINK } else { Scope::GLOBAL },
        })
    }
}

/// Whether routes over a device without carrier count when its sysctl says they don't.
/// Kernel: `FIB_LOOKUP_IGNORE_LINKSTATE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Linkstate {
    Heed,
    Ignore,
}

/// A route found. Kernel: `struct fib_result`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FibResult<'a> {
    pub route: &'a Arc<Route>,
    /// Which of its ways.
    pub nh: usize,
    pub prefixlen: u8,
    pub table: TableId,
}

impl<'a> FibResult<'a> {
    /// The way; a route that was found has one.
    #[inline]
    pub(crate) fn nexthop(&self) -> Option<&'a NextHop> {
        self.route.nexthops.get(self.nh)
    }
}

impl RouteKind {
    /// The error of a lookup that meets such a route. Kernel: `fib_props`.
    pub(crate) fn error(self) -> Option<Errno> {
        match self {
            Self::Unicast | Self::Local | Self::Broadcast | Self::Multicast => None,
            Self::Blackhole => Some(Errno::Inval),
            Self::Unreachable => Some(Errno::HostUnreach),
            Self::Prohibit => Some(Errno::Acces),
            Self::Throw => Some(Errno::Again),
        }
    }
}

impl Host {
    /// Asks the rules and their tables. Kernel: `include/net/ip_fib.h`, `fib_lookup`.
    #[inline]
    pub(crate) fn fib_lookup(
        &self,
        ns: NetnsId,
        key: &FlowKey,
        linkstate: Linkstate,
    ) -> Result<FibResult<'_>, Errno> {
        let fib = &self.ns(ns).fib;
        let found = match fib.has_custom_rules {
            true => self.fib_rules_lookup(ns, fib, key, linkstate),
            false => self.fib_merged_lookup(ns, fib, key, linkstate),
        };
        found.map_err(|errno| if errno == Errno::Again { Errno::NetUnreach } else { errno })
    }

    /// The tables local and main as one, then default. Kernel: `fib_trie_table` shares the trie of
    /// main with local until the first rule is added.
    fn fib_merged_lookup<'a>(
        &'a self,
        ns: NetnsId,
        fib: &'a Fib,
        key: &FlowKey,
        linkstate: Linkstate,
    ) -> Result<FibResult<'a>, Errno> {
        let ask = |table| self.fib_table_lookup(ns, fib.table(table), table, key, linkstate);
        let (local, main) = (ask(TableId::LOCAL), ask(TableId::MAIN));
        let found = match (local, main) {
            (Found::Nothing, main) => main,
            (local, main) if main.prefixlen() > local.prefixlen() => main,
            (local, _) => local,
        };
        match found.into_result() {
            Err(Errno::Again) => ask(TableId::DEFAULT).into_result(),
            found => found,
        }
    }

    /// Kernel: `net/core/fib_rules.c`, `fib_rules_lookup`.
    fn fib_rules_lookup<'a>(
        &'a self,
        ns: NetnsId,
        fib: &'a Fib,
        key: &FlowKey,
        linkstate: Linkstate,
    ) -> Result<FibResult<'a>, Errno> {
        let mut at = 0;
        while let Some(rule) = fib.rules.get(at) {
            at += 1;
            if !self.fib_rule_match(rule, key) {
                continue;
            }
            let table = match rule.action {
                RuleAction::Lookup(table) => table,
                RuleAction::Goto(target) => {
                    // A goto leads forward only, which the request made sure of.
                    match fib.rules[at..].iter().position(|r| r.priority == target) {
                        Some(ahead) => at += ahead,
                        None => continue,
                    }
                    continue;
                }
                RuleAction::Nop => continue,
                RuleAction::Unreachable => return Err(Errno::NetUnreach),
                RuleAction::Blackhole => return Err(Errno::Inval),
                RuleAction::Prohibit => return Err(Errno::Acces),
            };
            match self.fib_table_lookup(ns, fib.table(table), table, key, linkstate).into_result() {
                Ok(found)
                    if rule.suppress_prefixlength.is_some_and(|len| u32::from(found.prefixlen) <= len) => {}
                Err(Errno::Again) => {}
                found => return found,
            }
        }
        Err(Errno::NetUnreach)
    }

    /// Kernel: `net/core/fib_rules.c`, `fib_rule_match` and `net/ipv4/fib_rules.c`, `fib4_rule_match`.
    fn fib_rule_match(&self, rule: &Rule, key: &FlowKey) -> bool {
        let Rule { from, to, iif, oif, fwmark, tos, ipproto, sport, dport, uidrange, .. } = rule;
        let is_dev = |name: &str, dev: DevId| self.get_dev(dev).is_some_and(|dev| dev.name == name);
        let holds = |net: &ipnet::IpNet, addr: u32| net.contains(&IpAddr::V4(addr.into()));
        let within = |range: &(u16, u16), port: u16| (range.0..=range.1).contains(&port);
        let fits = iif.as_ref().is_none_or(|name| is_dev(name, key.iif))
            && oif.as_ref().is_none_or(|name| key.oif.is_some_and(|dev| is_dev(name, dev)))
            && fwmark.is_none_or(|(mark, mask)| (mark ^ key.mark) & mask == 0)
            // Simplified: every packet is root's.
            && uidrange.is_none_or(|(first, _)| first == 0)
            && from.as_ref().is_none_or(|net| holds(net, key.saddr))
            && to.as_ref().is_none_or(|net| holds(net, key.daddr))
            && (*tos == 0 || *tos == key.tos)
            && ipproto.is_none_or(|proto| proto == key.proto.0)
            && sport.as_ref().is_none_or(|range| within(range, key.sport))
            && dport.as_ref().is_none_or(|range| within(range, key.dport));
        fits != rule.not
    }

    /// Kernel: `net/ipv4/fib_trie.c`, `fib_table_lookup`.
    pub(crate) fn fib_table_lookup<'a>(
        &self,
        ns: NetnsId,
        table: Option<&'a FibTable>,
        id: TableId,
        key: &FlowKey,
        linkstate: Linkstate,
    ) -> Found<'a> {
        let Some(table) = table else { return Found::Nothing };
        let found = table.find_map(key.daddr, |route, prefixlen| {
            if (route.tos != 0 && route.tos != key.tos) || route.scope < key.scope {
                return None;
            }
            if let Some(errno) = route.kind.error() {
                return Some(Found::Refused(errno, prefixlen));
            }
            if route.nhid.is_some_and(|id| self.ns(ns).nexthops.is_blackhole(id)) {
                return RouteKind::Blackhole.error().map(|errno| Found::Refused(errno, prefixlen));
            }
            let good = |nh: &NextHop| {
                !nh.dead
                    && key.oif.is_none_or(|oif| oif == nh.dev)
                    && !(nh.linkdown && linkstate == Linkstate::Heed && self.ignores_linkdown(ns, nh.dev))
            };
            let nh = route.nexthops.iter().position(good)?;
            Some(Found::Route(FibResult { route, nh, prefixlen, table: id }))
        });
        found.unwrap_or(Found::Nothing)
    }

    /// Kernel: `ip_ignore_linkdown`.
    pub(crate) fn ignores_linkdown(&self, ns: NetnsId, dev: DevId) -> bool {
        self.ns(ns).sysctl.ignore_routes_with_linkdown(dev)
    }
}

/// What one table says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'a> {
    Route(FibResult<'a>),
    /// A route of a special type, and its prefix length.
    Refused(Errno, u8),
    Nothing,
}

impl<'a> Found<'a> {
    #[inline]
    fn prefixlen(&self) -> Option<u8> {
        match self {
            Self::Route(found) => Some(found.prefixlen),
            Self::Refused(_, prefixlen) => Some(*prefixlen),
            Self::Nothing => None,
        }
    }

    /// `Errno::Again` asks the next table.
    #[inline]
    pub(crate) fn into_result(self) -> Result<FibResult<'a>, Errno> {
        match self {
            Self::Route(found) => Ok(found),
            Self::Refused(errno, _) => Err(errno),
            Self::Nothing => Err(Errno::Again),
        }
    }
}
