use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use packet::{DevId, NetnsId};
use trace::Observer;

use crate::fib_change::{NextHopConfig, RouteConfig};
use crate::fib_table::{mask_of, v4};
use crate::request::Mode;
use crate::{AddrFlags, Cx, Host, InterfaceAddr, Netns, NextHop, RouteKind, RouteProto, Scope, TableId};

/// The least MTU with which a device has IPv4. Kernel: `IPV4_MIN_MTU`.
const IPV4_MIN_MTU: u32 = 68;

/// An address's numbers. Kernel: `struct in_ifaddr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ifa {
    /// `ifa_local`.
    pub local: u32,
    /// `ifa_address`: the peer's, or the own one.
    pub address: u32,
    /// 0 if none.
    pub broadcast: u32,
    pub plen: u8,
    pub secondary: bool,
    pub noprefixroute: bool,
    pub metric: u32,
}

impl Ifa {
    /// `None` for IPv6.
    pub(crate) fn of(addr: &InterfaceAddr) -> Option<Self> {
        let local = v4(addr.local.addr())?;
        Some(Self {
            local,
            address: addr.peer.and_then(v4).unwrap_or(local),
            broadcast: addr.broadcast.and_then(v4).unwrap_or(0),
            plen: addr.local.prefix_len(),
            secondary: addr.flags.secondary,
            noprefixroute: addr.flags.noprefixroute,
            metric: addr.metric,
        })
    }

    pub(crate) fn mask(&self) -> u32 {
        mask_of(self.plen)
    }

    /// Kernel: `inet_ifa_match`.
    pub(crate) fn holds(&self, addr: u32) -> bool {
        (addr ^ self.address) & self.mask() == 0
    }

    /// Whether both are of one subnet.
    pub(crate) fn same_subnet(&self, other: &Self) -> bool {
        self.plen == other.plen && self.holds(other.address)
    }
}

/// Kernel: `ipv4_is_zeronet`.
pub(crate) fn is_zeronet(addr: u32) -> bool {
    addr >> 24 == 0
}

impl Host {
    /// The device's IPv4 addresses as numbers, in order.
    pub(crate) fn ifas(&self, dev: DevId) -> Vec<Ifa> {
        self.dev(dev).addrs.iter().filter_map(Ifa::of).collect()
    }

    /// Kernel: `net/ipv4/devinet.c`, `inet_ifa_byprefix`.
    fn inet_ifa_byprefix(&self, dev: DevId, prefix: u32, plen: u8) -> Option<Ifa> {
        self.ifas(dev).into_iter().find(|ifa| ifa.plen == plen && ifa.holds(prefix))
    }

    pub(crate) fn is_loopback(&self, dev: DevId) -> bool {
        self.get_dev(dev).and_then(|dev| self.get_ns(dev.netns)).is_some_and(|ns| ns.loopback == dev)
    }

    /// Kernel: `net/ipv4/fib_frontend.c`, `fib_magic`.
    pub(crate) fn fib_magic(
        &self,
        dev: DevId,
        kind: RouteKind,
        addr: u32,
        plen: u8,
        prim: &Ifa,
        metric: u32,
    ) -> RouteConfig {
        RouteConfig {
            table: if kind == RouteKind::Unicast { TableId::MAIN } else { TableId::LOCAL },
            addr,
            plen,
            kind: Some(kind),
            tos: 0,
            metric,
            proto: Some(RouteProto::KERNEL),
            scope: Some(if kind == RouteKind::Local { Scope::HOST } else { Scope::LINK }),
            prefsrc: Some(IpAddr::V4(prim.local.into())),
            nexthops: vec![NextHopConfig { dev: Some(dev), via: None, onlink: false, weight: 1 }],
            multipath: false,
            mtu: None,
            advmss: None,
            metrics: Vec::new(),
            nhid: None,
        }
    }

    /// The routes that an address brings. Kernel: `net/ipv4/fib_frontend.c`, `fib_add_ifaddr`.
    pub(crate) fn fib_add_ifaddr(&mut self, dev: DevId, ifa: &Ifa) {
        let ns = self.dev(dev).netns;
        let mask = ifa.mask();
        let prefix = ifa.address & mask;
        let prim = match ifa.secondary {
            true => match self.inet_ifa_byprefix(dev, prefix, ifa.plen) {
                Some(prim) => prim,
                None => return,
            },
            false => *ifa,
        };
        let mut add = |kind, addr, plen, metric| {
            let config = self.fib_magic(dev, kind, addr, plen, &prim, metric);
            // A route that is there already is what is wanted.
            let _ = self.fib_table_insert(ns, &config, Mode::Append);
        };
        add(RouteKind::Local, ifa.local, 32, 0);
        if !self.dev(dev).up {
            return;
        }
        let connected = if self.is_loopback(dev) { RouteKind::Local } else { RouteKind::Unicast };
        let mut add = |kind, addr, plen, metric| {
            let config = self.fib_magic(dev, kind, addr, plen, &prim, metric);
            let _ = self.fib_table_insert(ns, &config, Mode::Append);
        };
        if ifa.broadcast != 0 && ifa.broadcast != u32::MAX {
            add(RouteKind::Broadcast, ifa.broadcast, 32, 0);
        }
        if !is_zeronet(prefix) && !ifa.secondary && (prefix != ifa.local || ifa.plen < 32) {
            if !ifa.noprefixroute {
                add(connected, prefix, ifa.plen, ifa.metric);
            }
            if ifa.plen < 31 {
                add(RouteKind::Broadcast, prefix | !mask, 32, 0);
            }
        }
    }

    /// Removes the routes that came with an address, except those that another address needs.
    /// `iprim` is the primary address that goes when a secondary one is promoted. Kernel: `net/ipv4/fib_frontend.c`, `fib_del_ifaddr`.
    pub(crate) fn fib_del_ifaddr(&mut self, dev: DevId, ifa: &Ifa, iprim: Option<&Ifa>) {
        let ns = self.dev(dev).netns;
        let brd = ifa.address | !ifa.mask();
        let any = ifa.address & ifa.mask();
        let mut prim = *ifa;
        let mut subnet = false;
        if ifa.secondary {
            match self.inet_ifa_byprefix(dev, any, ifa.plen) {
                Some(found) if iprim.is_none_or(|iprim| *iprim == found) => prim = found,
                _ => return,
            }
        } else if !is_zeronet(any) && (any != ifa.local || ifa.plen < 32) {
            if !ifa.noprefixroute {
                let kind = if self.is_loopback(dev) { RouteKind::Local } else { RouteKind::Unicast };
                self.fib_magic_del(ns, dev, kind, any, ifa.plen, &prim);
            }
            subnet = true;
        }
        let (mut local_ok, mut brd_ok, mut brd0_ok, mut brd1_ok) = (false, false, false, false);
        let mut gone = true;
        let mut same_prefsrc = false;
        let mut prim1: Option<Ifa> = None;
        for ifa1 in self.ifas(dev) {
            if ifa1 == *ifa {
                gone = false;
                continue;
            }
            if iprim.is_some_and(|iprim| iprim.same_subnet(&ifa1)) {
                continue;
            }
            if ifa1.secondary {
                if prim.same_subnet(&ifa1) {
                    prim1 = Some(prim);
                } else {
                    if !same_prefsrc {
                        continue;
                    }
                    if prim1.is_none_or(|prim1| !prim1.same_subnet(&ifa1)) {
                        prim1 = self.inet_ifa_byprefix(dev, ifa1.address, ifa1.plen);
                    }
                    if prim1.is_none_or(|prim1| prim1.local != prim.local) {
                        continue;
                    }
                }
            } else {
                if prim.local != ifa1.local {
                    continue;
                }
                prim1 = Some(ifa1);
                same_prefsrc |= prim != ifa1;
            }
            local_ok |= ifa.local == ifa1.local;
            brd_ok |= ifa.broadcast == ifa1.broadcast;
            brd1_ok |= brd == ifa1.broadcast;
            brd0_ok |= any == ifa1.broadcast;
            if prim1 == Some(ifa1) && ifa1.plen < 31 {
                let own = [ifa1.address | !ifa1.mask(), ifa1.address & ifa1.mask()];
                if !is_zeronet(own[1]) {
                    brd_ok |= own.contains(&ifa.broadcast);
                    brd1_ok |= own.contains(&brd);
                    brd0_ok |= own.contains(&any);
                }
            }
        }
        if !brd_ok {
            self.fib_magic_del(ns, dev, RouteKind::Broadcast, ifa.broadcast, 32, &prim);
        }
        if subnet && ifa.plen < 31 {
            if !brd1_ok {
                self.fib_magic_del(ns, dev, RouteKind::Broadcast, brd, 32, &prim);
            }
            if !brd0_ok {
                self.fib_magic_del(ns, dev, RouteKind::Broadcast, any, 32, &prim);
            }
        }
        if !local_ok {
            self.fib_magic_del(ns, dev, RouteKind::Local, ifa.local, 32, &prim);
            let local = IpAddr::V4(ifa.local.into());
            if gone && self.inet_addr_type(ns, local) != RouteKind::Local {
                self.fib_sync_down_addr(ns, local);
            }
        }
    }

    fn fib_magic_del(&mut self, ns: NetnsId, dev: DevId, kind: RouteKind, addr: u32, plen: u8, prim: &Ifa) {
        let config = self.fib_magic(dev, kind, addr, plen, prim, 0);
        // A person may have removed it before.
        let _ = self.fib_table_delete(ns, &config);
    }

    /// Removes the routes of the main table whose preferred source is gone.
    /// Kernel: `net/ipv4/fib_semantics.c`, `fib_sync_down_addr`.
    fn fib_sync_down_addr(&mut self, ns: NetnsId, local: IpAddr) {
        let fib = &mut self.ns_mut(ns).fib;
        if fib.table(TableId::MAIN).is_some_and(|table| table.any(|route| route.prefsrc == Some(local))) {
            fib.table_mut(TableId::MAIN).retain(|route| route.prefsrc != Some(local));
        }
    }

    /// The device lost its carrier (`Carrier`), was set down (`Down`) or goes (`Gone`): routes
    /// without another way are removed, save in the first case.
    /// Kernel: `net/ipv4/fib_semantics.c`, `fib_sync_down_dev`, and `fib_flush`.
    pub(crate) fn fib_sync_down_dev(&mut self, dev: DevId, why: DownReason) {
        let ns = self.dev(dev).netns;
        let Netns { fib, sysctl, .. } = self.ns_mut(ns);
        let used = |id: TableId, fib: &crate::Fib| {
            fib.table(id)
                .is_some_and(|table| table.any(|route| route.nexthops.iter().any(|nh| nh.dev == dev)))
        };
        let ids: Vec<TableId> = fib.tables.iter().map(|(id, _)| *id).collect();
        for id in ids {
            if !used(id, fib) {
                continue;
            }
            let table = fib.table_mut(id);
            table.change_over(dev, |route| {
                for nh in route.nexthops.iter_mut().filter(|nh| nh.dev == dev) {
                    if nh.scope == Scope::NOWHERE && why != DownReason::Gone && why != DownReason::LastAddress
                    {
                        continue;
                    }
                    nh.linkdown = true;
                    nh.dead |= why != DownReason::Carrier;
                }
                route.fib_rebalance(sysctl);
            });
            if why != DownReason::Carrier {
                table.retain(|route| {
                    let gone = why == DownReason::Gone && route.nexthops.iter().any(|nh| nh.dev == dev);
                    route.nhid.is_some()
                        || route.nexthops.is_empty()
                        || !(gone || route.nexthops.iter().all(|nh| nh.dead))
                });
            }
        }
    }

    /// The device came up (`dead`) or has its carrier again. Kernel: `net/ipv4/fib_semantics.c`, `fib_sync_up`.
    pub(crate) fn fib_sync_up(&mut self, dev: DevId, dead: bool) {
        let Some(device) = self.get_dev(dev) else { return };
        let (ns, up, carrier) = (device.netns, device.up, device.carrier);
        if !up {
            return;
        }
        let Netns { fib, sysctl, .. } = self.ns_mut(ns);
        let ids: Vec<TableId> = fib.tables.iter().map(|(id, _)| *id).collect();
        for id in ids {
            let waits = |route: &crate::Route| {
                let several = route.nexthops.len() > 1;
                let waits = |nh: &NextHop| several || (dead && nh.dead) || (carrier && nh.linkdown);
                route.nexthops.iter().any(|nh| nh.dev == dev && waits(nh))
            };
            if !fib.table(id).is_some_and(|table| table.any(waits)) {
                continue;
            }
            fib.table_mut(id).change_over(dev, |route| {
                for nh in route.nexthops.iter_mut().filter(|nh| nh.dev == dev) {
                    nh.dead &= !dead;
                    nh.linkdown &= !carrier;
                }
                route.fib_rebalance(sysctl);
            });
        }
    }
}

/// Why ways over a device are no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DownReason {
    /// `NETDEV_CHANGE` without carrier.
    Carrier,
    /// `NETDEV_DOWN`.
    Down,
    /// The last address was deleted: local routes go too.
    LastAddress,
    /// `NETDEV_UNREGISTER`.
    Gone,
}

impl<O: Observer> Cx<'_, O> {
    /// `dev` was set up: its addresses' routes come back; lo gets 127.0.0.1 if it has no address.
    /// Kernel: `net/ipv4/devinet.c`, `inetdev_event`; `net/ipv4/fib_frontend.c`, `fib_netdev_event`.
    pub fn fib_dev_up(&mut self, dev: DevId) {
        let host = &mut *self.host;
        if host.is_loopback(dev) && host.dev(dev).addrs.is_empty() {
            let name = host.dev(dev).name.clone();
            let local = IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::LOCALHOST, 8));
            host.dev_mut(dev).addrs.push(InterfaceAddr {
                local,
                peer: None,
                broadcast: None,
                scope: Scope::HOST,
                label: name,
                flags: AddrFlags::default(),
                metric: 0,
                lifetime: None,
            });
            host.ipv4_devconf_setall(dev);
        }
        for ifa in host.ifas(dev) {
            host.fib_add_ifaddr(dev, &ifa);
        }
        host.fib_sync_up(dev, true);
    }

    /// `dev` was set down: routes over it go, those to its own addresses stay.
    /// Kernel: `net/ipv4/fib_frontend.c`, `fib_disable_ip`.
    pub fn fib_dev_down(&mut self, dev: DevId) {
        self.masquerade_gone(dev, None);
        self.host.nexthop_flush_dev(dev);
        self.host.fib_sync_down_dev(dev, DownReason::Down);
    }

    /// `dev` lost or got its carrier. Kernel: `NETDEV_CHANGE` in `fib_netdev_event`.
    pub fn fib_carrier(&mut self, dev: DevId) {
        match self.host.dev(dev).carrier {
            true => self.host.fib_sync_up(dev, false),
            false => {
                self.host.nexthop_flush_dev(dev);
                self.host.fib_sync_down_dev(dev, DownReason::Carrier);
            }
        }
    }

    /// `dev` leaves its namespace or is destroyed: addresses, routes and settings go. Called while
    /// `dev.netns` still is the old one. Kernel: `inetdev_destroy`, `fib_disable_ip` by force.
    pub fn fib_dev_gone(&mut self, dev: DevId) {
        let ns = self.host.dev(dev).netns;
        self.host.nexthop_flush_dev(dev);
        self.host.fib_sync_down_dev(dev, DownReason::Gone);
        while let Some(ifa) = self.host.ifas(dev).first().copied() {
            self.host.dev_mut(dev).addrs.remove(0);
            self.host.fib_del_ifaddr(dev, &ifa, None);
        }
        self.host.dev_mut(dev).addrs.clear();
        self.host.ns_mut(ns).sysctl.forget_dev(dev);
    }

    /// `dev` has a new MTU: below 68 bytes there is no IPv4 on it.
    /// Kernel: `NETDEV_CHANGEMTU` in `inetdev_event`.
    pub fn fib_dev_mtu(&mut self, dev: DevId) {
        if self.host.dev(dev).mtu < IPV4_MIN_MTU {
            self.fib_dev_gone(dev);
        }
    }
}
