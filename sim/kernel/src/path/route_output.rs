use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use packet::{DevId, NetnsId, SimTime, Skb};
use trace::{Observer, StepKind};

use crate::fib_event::{Ifa, is_zeronet};
use crate::fib_lookup::{FibResult, FlowKey, Linkstate};
use crate::fib_table::v4;
use crate::path::route_text::route_text;
use crate::path::{Dst, Flow};
use crate::{Cx, Errno, Host, RouteKind, Scope, TableId};

/// Greatest IPv4 packet in bytes. Kernel: `IP_MAX_MTU`.
const IP_MAX_MTU: u32 = 0xffff;
/// 127.0.0.1.
const LOOPBACK: u32 = 0x7f00_0001;

pub(crate) fn is_multicast(addr: u32) -> bool {
    addr >> 28 == 0xe
}

pub(crate) fn is_loopback(addr: u32) -> bool {
    addr >> 24 == 127
}

pub(crate) fn is_lbcast(addr: u32) -> bool {
    addr == u32::MAX
}

/// 224.0.0.0/24.
fn is_local_multicast(addr: u32) -> bool {
    addr >> 8 == 0xe0_0000
}

pub(crate) fn ip(addr: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from_bits(addr))
}

/// What the output lookup has found out so far.
struct Output<'a> {
    kind: RouteKind,
    found: Option<FibResult<'a>>,
    dev: DevId,
}

impl Host {
    /// Routes a packet of this host; chooses the source address.
    /// Kernel: `net/ipv4/route.c`, `ip_route_output_key_hash_rcu`.
    pub fn ip_route_output(&self, ns: NetnsId, flow: &Flow, now: SimTime) -> Result<Dst, Errno> {
        let netns = self.ns(ns);
        let lo = netns.loopback;
        let mut key = FlowKey::of_output(flow, lo).ok_or(Errno::AfNoSupport)?;
        let asked_dst = key.daddr;
        if key.saddr != 0 {
            if is_multicast(key.saddr) || is_lbcast(key.saddr) || is_zeronet(key.saddr) {
                return Err(Errno::Inval);
            }
            if key.oif.is_none() && (is_multicast(key.daddr) || is_lbcast(key.daddr)) {
                let dev = self.ip_dev_find(ns, key.saddr).ok_or(Errno::NetUnreach)?;
                return self.mkroute_output(
                    ns,
                    &key,
                    Output { kind: RouteKind::Unicast, found: None, dev },
                    now,
                );
            }
            if !flow.any_src && self.ip_dev_find(ns, key.saddr).is_none() {
                return Err(Errno::NetUnreach);
            }
        }
        if let Some(oif) = key.oif {
            let dev = self.get_dev(oif).filter(|dev| dev.netns == ns).ok_or(Errno::NoDev)?;
            if !dev.up {
                return Err(Errno::NetUnreach);
            }
            if is_local_multicast(key.daddr) || is_lbcast(key.daddr) {
                if key.saddr == 0 {
                    key.saddr = self.select_addr(oif, 0, Scope::LINK);
                }
                return self.mkroute_output(
                    ns,
                    &key,
                    Output { kind: RouteKind::Unicast, found: None, dev: oif },
                    now,
                );
            }
            if key.saddr == 0 {
                if is_multicast(key.daddr) {
                    key.saddr = self.select_addr(oif, 0, key.scope);
                } else if key.daddr == 0 {
                    key.saddr = self.select_addr(oif, 0, Scope::HOST);
                }
            }
        }
        if asked_dst == 0 {
            key.daddr = if key.saddr == 0 { LOOPBACK } else { key.saddr };
            key.saddr = key.daddr;
            return self.mkroute_output(
                ns,
                &key,
                Output { kind: RouteKind::Local, found: None, dev: lo },
                now,
            );
        }
        let mut found = match (self.fib_lookup(ns, &key, Linkstate::Heed), key.oif) {
            (Ok(found), _) => found,
            (Err(_), Some(oif)) => {
                // The device was given: the destination is taken to be on its link.
                if key.saddr == 0 {
                    key.saddr = self.select_addr(oif, 0, Scope::LINK);
                }
                return self.mkroute_output(
                    ns,
                    &key,
                    Output { kind: RouteKind::Unicast, found: None, dev: oif },
                    now,
                );
            }
            (Err(errno), None) => return Err(errno),
        };
        let kind = found.route.kind;
        if kind == RouteKind::Local {
            if key.saddr == 0 {
                key.saddr = found.route.prefsrc.and_then(v4).unwrap_or(key.daddr);
            }
            return self.mkroute_output(ns, &key, Output { kind, found: Some(found), dev: lo }, now);
        }
        self.fib_select_path(ns, &mut found, &mut key);
        let dev = found.nexthop().map_or(lo, |nh| nh.dev);
        self.mkroute_output(ns, &key, Output { kind, found: Some(found), dev }, now)
    }

    /// Kernel: `net/ipv4/route.c`, `__mkroute_output`.
    fn mkroute_output(
        &self,
        ns: NetnsId,
        key: &FlowKey,
        output: Output<'_>,
        now: SimTime,
    ) -> Result<Dst, Errno> {
        let Output { mut kind, mut found, dev } = output;
        let device = self.dev(dev);
        let on_loopback = self.is_loopback(dev);
        if is_loopback(key.saddr) && !on_loopback && !self.ns(ns).sysctl.route_localnet(dev) {
            return Err(Errno::Inval);
        }
        let iif = match found {
            Some(found) if kind == RouteKind::Local => found.nexthop().map(|nh| nh.dev),
            Some(_) | None => key.oif,
        };
        let route = found.map(|found| Arc::clone(found.route));
        let table = found.map_or(TableId::MAIN, |found| found.table);
        if is_lbcast(key.daddr) {
            kind = RouteKind::Broadcast;
            found = None;
        } else if is_multicast(key.daddr) {
            kind = RouteKind::Multicast;
            // No gateway for a group that only the default route holds.
            found = found.filter(|found| found.prefixlen >= 4);
        } else if is_zeronet(key.daddr) {
            return Err(Errno::Inval);
        }
        let dst = Dst {
            kind,
            dev,
            gateway: None,
            iif,
            src: ip(key.saddr),
            mtu: device.mtu.min(IP_MAX_MTU),
            mtu_locked: false,
            advmss: None,
            table,
            do_redirect: false,
            route,
            expires: None,
            redirected: false,
        };
        Ok(match found {
            Some(found) if kind != RouteKind::Local => {
                self.rt_set_nexthop(ns, dst, &found, key.daddr, now, false)
            }
            Some(_) | None => dst,
        })
    }

    /// Gateway, MTU and metrics of the chosen way and of what was learned about the destination.
    /// Kernel: `net/ipv4/route.c`, `rt_set_nexthop`, `rt_bind_exception`, `ip_dst_mtu_maybe_forward`.
    pub(crate) fn rt_set_nexthop(
        &self,
        ns: NetnsId,
        mut dst: Dst,
        found: &FibResult<'_>,
        daddr: u32,
        now: SimTime,
        forwarding: bool,
    ) -> Dst {
        let netns = self.ns(ns);
        let route = found.route;
        if let Some(nh) = found.nexthop().filter(|nh| nh.scope == Scope::LINK) {
            dst.gateway = nh.via;
        }
        dst.advmss = route.advmss;
        if let Some((mtu, locked)) = route.mtu {
            dst.mtu = if mtu == 0 { dst.mtu } else { mtu.min(IP_MAX_MTU) };
            dst.mtu_locked = locked;
        }
        let Some(exception) = netns.exceptions.find(route.info, found.nh, daddr, now) else { return dst };
        dst.expires = Some(exception.expires);
        if let Some(gateway) = exception.gateway {
            dst.gateway = Some(ip(gateway));
            dst.redirected = true;
        }
        if let Some((mtu, locked)) = exception.mtu {
            dst.mtu_locked |= locked;
            if !forwarding || dst.mtu_locked || netns.sysctl.ip_forward_use_pmtu() {
                dst.mtu = mtu;
            }
        }
        dst
    }

    /// Chooses among several ways, and the source address. Kernel: `net/ipv4/fib_semantics.c`, `fib_select_path`.
    ///
    /// Simplified: several default routes of one metric are not tried in turn when a gateway is
    /// silent (`fib_select_default`).
    pub(crate) fn fib_select_path(&self, ns: NetnsId, found: &mut FibResult<'_>, key: &mut FlowKey) {
        if key.oif.is_none() && found.route.nexthops.len() > 1 {
            self.fib_select_multipath(ns, found, key);
        }
        if key.saddr == 0 {
            key.saddr = self.fib_result_prefsrc(found);
        }
    }

    /// Kernel: `net/ipv4/fib_semantics.c`, `fib_result_prefsrc`.
    pub(crate) fn fib_result_prefsrc(&self, found: &FibResult<'_>) -> u32 {
        let chosen = || {
            found
                .nexthop()
                .map_or(0, |nh| self.select_addr(nh.dev, nh.via.and_then(v4).unwrap_or(0), found.route.scope))
        };
        found.route.prefsrc.and_then(v4).unwrap_or_else(chosen)
    }

    /// The device that has this address, or that a local route names for it.
    /// Kernel: `net/ipv4/devinet.c`, `__ip_dev_find`.
    pub(crate) fn ip_dev_find(&self, ns: NetnsId, addr: u32) -> Option<DevId> {
        let table = self.ns(ns).fib.table(TableId::LOCAL)?;
        table.find_map(addr, |route, _| {
            let nh = route.nexthops.first().filter(|_| route.kind == RouteKind::Local);
            nh.map(|nh| nh.dev)
        })
    }

    /// What `addr` is to this namespace: local, broadcast, multicast or unicast.
    /// Kernel: `net/ipv4/fib_frontend.c`, `inet_addr_type`.
    pub fn inet_addr_type(&self, ns: NetnsId, addr: IpAddr) -> RouteKind {
        self.inet_addr_type_table(ns, TableId::LOCAL, addr)
    }

    /// As [`Host::inet_addr_type`], but only routes over `dev` count.
    /// Kernel: `net/ipv4/fib_frontend.c`, `inet_dev_addr_type`.
    pub fn inet_addr_type_dev(&self, ns: NetnsId, dev: Option<DevId>, addr: IpAddr) -> RouteKind {
        self.inet_dev_addr_type(ns, dev, TableId::LOCAL, addr)
    }

    pub(crate) fn inet_addr_type_table(&self, ns: NetnsId, table: TableId, addr: IpAddr) -> RouteKind {
        self.inet_dev_addr_type(ns, None, table, addr)
    }

    /// Kernel: `net/ipv4/fib_frontend.c`, `__inet_dev_addr_type`.
    fn inet_dev_addr_type(&self, ns: NetnsId, dev: Option<DevId>, id: TableId, addr: IpAddr) -> RouteKind {
        // Simplified: an IPv6 address is never an own one.
        let Some(addr) = v4(addr) else { return RouteKind::Unicast };
        if is_zeronet(addr) || is_lbcast(addr) {
            return RouteKind::Broadcast;
        }
        if is_multicast(addr) {
            return RouteKind::Multicast;
        }
        let netns = self.ns(ns);
        let Some(table) = netns.fib.table(id) else { return RouteKind::Broadcast };
        let key = FlowKey::to(addr, netns.loopback);
        match self.fib_table_lookup(ns, Some(table), id, &key, Linkstate::Heed).into_result() {
            Ok(found) if dev.is_none() || dev == found.nexthop().map(|nh| nh.dev) => found.route.kind,
            Ok(_) | Err(_) => RouteKind::Unicast,
        }
    }

    /// A source address on `dev` for `dst` (unspecified: any) that reaches at least as far as
    /// `scope`. Kernel: `net/ipv4/devinet.c`, `inet_select_addr`.
    pub fn inet_select_addr(&self, dev: DevId, dst: IpAddr, scope: Scope) -> Option<IpAddr> {
        Some(self.select_addr(dev, v4(dst)?, scope)).filter(|addr| *addr != 0).map(ip)
    }

    /// As [`Host::inet_select_addr`], in numbers; 0 is none.
    pub(crate) fn select_addr(&self, dev: DevId, dst: u32, scope: Scope) -> u32 {
        let Some(device) = self.get_dev(dev) else { return 0 };
        let netns = self.ns(device.netns);
        let localnet_scope = if netns.sysctl.route_localnet(dev) { Scope::LINK } else { Scope::HOST };
        let mut first = 0;
        for addr in device.addrs.iter().filter(|addr| !addr.flags.secondary) {
            let Some(ifa) = Ifa::of(addr) else { continue };
            if addr.scope.min(localnet_scope) > scope {
                continue;
            }
            if dst == 0 || ifa.holds(dst) {
                return ifa.local;
            }
            if first == 0 {
                first = ifa.local;
            }
        }
        if first != 0 {
            return first;
        }
        // Any device's address will do; lo comes first.
        let devices = netns.devices.values().filter_map(|&dev| self.get_dev(dev));
        let mut addrs = devices.flat_map(|dev| &dev.addrs);
        let found =
            addrs.find(|addr| !addr.flags.secondary && addr.scope != Scope::LINK && addr.scope <= scope);
        found.and_then(|addr| v4(addr.local.addr())).unwrap_or(0)
    }

    /// The own address that answers `skb`. Kernel: `net/ipv4/fib_frontend.c`, `fib_compute_spec_dst`.
    pub fn fib_compute_spec_dst(&self, ns: NetnsId, skb: &Skb) -> IpAddr {
        let packet = skb.ip();
        let kind = self.inet_addr_type(ns, packet.dst());
        let to_many = matches!(kind, RouteKind::Broadcast | RouteKind::Multicast);
        if skb.is_looped_back() && !to_many {
            return packet.dst();
        }
        let (Some(saddr), Some(daddr)) = (v4(packet.src()), v4(packet.dst())) else { return packet.dst() };
        if self.inet_addr_type(ns, ip(daddr)) == RouteKind::Local {
            return ip(daddr);
        }
        let netns = self.ns(ns);
        let mut scope = Scope::LINK;
        if !is_zeronet(saddr) {
            scope = Scope::GLOBAL;
            let mark = if netns.sysctl.src_valid_mark(skb.dev) { skb.mark } else { 0 };
            let key = FlowKey { mark, tos: packet.tos & !3, ..FlowKey::to(saddr, netns.loopback) };
            if let Ok(found) = self.fib_lookup(ns, &key, Linkstate::Heed) {
                return ip(self.fib_result_prefsrc(&found));
            }
        }
        ip(self.select_addr(skb.dev, saddr, scope))
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Records the routing decision about a packet of this host.
    pub fn emit_route(&mut self, ns: NetnsId, skb: &Skb, dst: &Dst) {
        if O::ON {
            let route = route_text(self.host, dst);
            let dev = Some(dst.dev).filter(|_| dst.kind != RouteKind::Local);
            let gateway = dst.gateway;
            self.emit(skb.id, ns, None, || StepKind::Route { route, gateway, dev });
        }
    }
}
