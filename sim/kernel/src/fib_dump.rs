use packet::NetnsId;

use crate::dump::{AddrInfo, NextHopInfo, NexthopInfo, RouteInfo};
use crate::nexthop::{Nexthop, NexthopKind};
use crate::{Host, NextHop, Route, RouteKind, Rule, Scope, TableId};

impl Host {
    /// All addresses of a namespace in the order of `ip addr`.
    pub fn addrs(&self, ns: NetnsId) -> Vec<AddrInfo> {
        let devices = self.ns(ns).devices.iter();
        devices
            .flat_map(|(&ifindex, &dev)| {
                self.dev(dev).addrs.iter().map(move |addr| AddrInfo { ifindex, addr: addr.clone() })
            })
            .collect()
    }

    /// All routes of all tables in the order of `ip route show table all`: tables by the low byte
    /// of their number, the newest first among equal ones. Kernel: `inet_dump_fib`.
    pub fn routes(&self, ns: NetnsId) -> Vec<RouteInfo> {
        self.routes_in_order(ns).map(|(id, route)| self.route_info(ns, id, route)).collect()
    }

    pub(crate) fn routes_in_order(&self, ns: NetnsId) -> impl Iterator<Item = (TableId, &Route)> {
        let mut tables: Vec<_> = self.ns(ns).fib.tables.iter().rev().collect();
        tables.sort_by_key(|(id, _)| id.0 & 0xff);
        tables.into_iter().flat_map(|(id, table)| table.dump().into_iter().map(|route| (*id, &**route)))
    }

    /// All nexthop objects by ascending id. Kernel: `net/ipv4/nexthop.c`, `nh_fill_node`.
    pub fn nexthops(&self, ns: NetnsId) -> Vec<NexthopInfo> {
        let info = |(id, object): (&u32, &Nexthop)| {
            let none = NexthopInfo {
                id: *id,
                group: None,
                via: None,
                dev: None,
                scope: Scope::GLOBAL,
                blackhole: false,
                onlink: false,
                proto: object.proto,
            };
            match &object.kind {
                NexthopKind::Blackhole(_) => NexthopInfo { blackhole: true, ..none },
                NexthopKind::Group(members) => NexthopInfo { group: Some(members.clone()), ..none },
                NexthopKind::Single(way) => NexthopInfo {
                    via: way.via,
                    dev: Some(self.dev(way.dev).name.clone()),
                    scope: way.scope,
                    onlink: way.onlink,
                    ..none
                },
            }
        };
        self.ns(ns).nexthops.objects.iter().map(info).collect()
    }

    /// Whether `ip route show table N` finds the table. Kernel: `fib_get_table`.
    pub fn fib_table_exists(&self, ns: NetnsId, table: TableId) -> bool {
        table == TableId::MAIN || self.ns(ns).fib.table(table).is_some()
    }

    /// Whether a route was ever added; the first one makes both the main and the local table.
    pub fn fib_has_tables(&self, ns: NetnsId) -> bool {
        let fib = &self.ns(ns).fib;
        fib.table(TableId::MAIN).is_some() || fib.table(TableId::LOCAL).is_some()
    }

    /// All rules in order.
    pub fn rules(&self, ns: NetnsId) -> Vec<Rule> {
        self.ns(ns).fib.rules.to_vec()
    }

    pub(crate) fn route_info(&self, ns: NetnsId, table: TableId, route: &Route) -> RouteInfo {
        let netns = self.ns(ns);
        let blackhole = route.nhid.is_some_and(|id| netns.nexthops.is_blackhole(id));
        let hides_ways = route.nhid.is_some() && !netns.sysctl.nexthop_compat_mode();
        let way = |nh: &NextHop| NextHopInfo {
            dev: self.dev(nh.dev).name.clone(),
            via: nh.via,
            onlink: nh.onlink,
            weight: nh.weight,
            linkdown: nh.linkdown,
            // Kernel: `fib_nexthop_info`.
            dead: nh.dead || (nh.linkdown && self.ignores_linkdown(self.dev(nh.dev).netns, nh.dev)),
        };
        RouteInfo {
            table,
            dst: route.dst,
            kind: if blackhole { RouteKind::Blackhole } else { route.kind },
            tos: route.tos,
            metric: route.metric,
            proto: route.proto,
            scope: route.scope,
            prefsrc: route.prefsrc,
            mtu: route.mtu,
            advmss: route.advmss,
            metrics: route.metrics.clone(),
            nexthops: if hides_ways { Vec::new() } else { route.nexthops.iter().map(way).collect() },
            nhid: route.nhid,
        }
    }
}
