use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use packet::{DevId, NetnsId, SimTime};
use rustc_hash::FxHashMap;
use trace::Observer;

use crate::Cx;
use crate::dump::RouteAnswer;
use crate::fib_lookup::{FlowKey, Linkstate};
use crate::fib_table::v4;
use crate::path::Flow;
use crate::path::route_output::{ip, is_lbcast, is_loopback, is_multicast};
use crate::{RouteKind, TableId, fib_event::is_zeronet};

/// How long a redirect is believed. Kernel: `ip_rt_gc_timeout`.
const REDIRECT_TIMEOUT: Duration = Duration::from_secs(300);

/// Path MTUs and redirects learned, by route, way and destination.
/// Kernel: `struct fib_nh_exception`.
#[derive(Clone, Debug, Default)]
pub struct RouteExceptions {
    learned: Arc<FxHashMap<(u32, usize, u32), Exception>>,
}

/// What was learned about one destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exception {
    /// From a redirect. Kernel: `fnhe_gw`.
    pub gateway: Option<u32>,
    /// Path MTU in bytes, and whether it is locked. Kernel: `fnhe_pmtu`, `fnhe_mtu_locked`.
    pub mtu: Option<(u32, bool)>,
    /// When it is forgotten.
    pub expires: SimTime,
}

impl RouteExceptions {
    /// Kernel: `net/ipv4/route.c`, `find_exception`.
    #[inline]
    pub(crate) fn find(&self, info: u32, nh: usize, daddr: u32, now: SimTime) -> Option<&Exception> {
        if self.learned.is_empty() {
            return None;
        }
        self.learned.get(&(info, nh, daddr)).filter(|exception| exception.expires > now)
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.learned = Arc::default();
    }

    /// Kernel: `net/ipv4/route.c`, `update_or_create_fnhe`.
    fn update(
        &mut self,
        at: (u32, usize, u32),
        gateway: Option<u32>,
        mtu: Option<(u32, bool)>,
        expires: SimTime,
        now: SimTime,
    ) {
        let old = self.find(at.0, at.1, at.2, now).copied();
        let gateway = gateway.or(old.and_then(|old| old.gateway));
        let mtu = mtu.or(old.and_then(|old| old.mtu));
        let learned = Arc::make_mut(&mut self.learned);
        learned.retain(|_, exception| exception.expires > now);
        learned.insert(at, Exception { gateway, mtu, expires });
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Learns that packets to `dst` may have `mtu` bytes.
    /// Kernel: `net/ipv4/route.c`, `__ip_rt_update_pmtu`.
    pub fn update_pmtu(&mut self, ns: NetnsId, dst: IpAddr, mtu: u32) {
        self.update_pmtu_flow(ns, &Flow::to(dst), mtu);
    }

    /// As [`Cx::update_pmtu`], for the route of a certain flow.
    pub fn update_pmtu_flow(&mut self, ns: NetnsId, flow: &Flow, mtu: u32) {
        let now = self.now;
        let netns = self.host.ns(ns);
        let Ok(dst) = self.host.ip_route_output(ns, flow, now) else { return };
        let Some(mut key) = FlowKey::of_output(flow, netns.loopback) else { return };
        if dst.mtu_locked || dst.mtu < mtu {
            return;
        }
        let min = netns.sysctl.route_min_pmtu();
        let learned = if mtu < min { (dst.mtu.min(min), true) } else { (mtu, false) };
        let lifetime = Duration::from_secs(netns.sysctl.route_mtu_expires().into());
        // What is known and not yet half over isn't learned again.
        let fresh = dst.expires.is_some_and(|expires| now < expires - lifetime / 2);
        if fresh && dst.mtu == mtu && !learned.1 {
            return;
        }
        let expires = now + lifetime;
        let Ok(mut found) = self.host.fib_lookup(ns, &key, Linkstate::Heed) else { return };
        self.host.fib_select_path(ns, &mut found, &mut key);
        let (info, nh, ways) = (found.route.info, found.nh, found.route.nexthops.len());
        let exceptions = &mut self.host.ns_mut(ns).exceptions;
        let ways = if ways > 1 { 0..ways } else { nh..nh + 1 };
        for nh in ways {
            exceptions.update((info, nh, key.daddr), None, Some(learned), expires, now);
        }
    }

    /// An ICMP redirect came in by `dev` from `from`: packets to `dst` should go to `gateway`.
    /// While the gateway's link-layer address isn't known, it is only asked for; a later redirect
    /// is then believed. Kernel: `net/ipv4/route.c`, `__ip_do_redirect`.
    pub fn accept_redirect(&mut self, ns: NetnsId, dev: DevId, from: IpAddr, gateway: IpAddr, dst: IpAddr) {
        if self.host.heeds_redirect(ns, dev, from, gateway, dst, self.now)
            && self.neigh_event_send(ns, dev, gateway)
        {
            self.learn_redirect(ns, dst, gateway);
        }
    }

    /// Packets to `dst` go to `gateway` from now on. Kernel: the end of `__ip_do_redirect`.
    pub(crate) fn learn_redirect(&mut self, ns: NetnsId, dst: IpAddr, gateway: IpAddr) {
        let now = self.now;
        let (Some(daddr), Some(gateway)) = (v4(dst), v4(gateway)) else { return };
        let mut key = FlowKey::to(daddr, self.host.ns(ns).loopback);
        let Ok(mut found) = self.host.fib_lookup(ns, &key, Linkstate::Heed) else { return };
        self.host.fib_select_path(ns, &mut found, &mut key);
        let at = (found.route.info, found.nh, daddr);
        let exceptions = &mut self.host.ns_mut(ns).exceptions;
        exceptions.update(at, Some(gateway), None, now + REDIRECT_TIMEOUT, now);
    }
}

impl crate::Host {
    /// Exceptions with their tables, in the order of the routes they were learned for, as
    /// `ip route show cache` lists them. Kernel: `net/ipv4/route.c`, `fnhe_dump_bucket`.
    ///
    /// Simplified: listed once learned, though the kernel waits for the first packet that uses
    /// one; those of one route by address, not by hash.
    pub fn route_exceptions(&self, ns: NetnsId, now: SimTime) -> Vec<(TableId, RouteAnswer)> {
        let netns = self.ns(ns);
        let mut learned: Vec<_> =
            netns.exceptions.learned.iter().filter(|(_, learned)| learned.expires > now).collect();
        learned.sort_by_key(|(at, _)| **at);
        let mut list = Vec::new();
        for (table, route) in self.routes_in_order(ns) {
            for &(&(_, nh, daddr), exception) in learned.iter().filter(|(at, _)| at.0 == route.info) {
                let Some(way) = route.nexthops.get(nh) else { continue };
                let answer = RouteAnswer {
                    kind: RouteKind::Unicast,
                    dst: ip(daddr),
                    from: None,
                    via: exception.gateway.map(ip).or(way.via),
                    dev: Some(self.dev(way.dev).name.clone()),
                    table: Some(table).filter(|table| *table != TableId::MAIN),
                    prefsrc: None,
                    mark: 0,
                    iif: None,
                    uid: None,
                    expires: Some(exception.expires.since(now).as_secs()),
                    mtu: exception.mtu.or(route.mtu),
                    advmss: route.advmss,
                    metrics: route.metrics.clone(),
                    redirected: exception.gateway.is_some(),
                    do_redirect: false,
                    fib: None,
                };
                list.push((table, answer));
            }
        }
        list
    }

    /// Whether a redirect may be believed. Kernel: the first half of `__ip_do_redirect`.
    pub(crate) fn heeds_redirect(
        &self,
        ns: NetnsId,
        dev: DevId,
        from: IpAddr,
        gateway: IpAddr,
        dst: IpAddr,
        now: SimTime,
    ) -> bool {
        let sysctl = &self.ns(ns).sysctl;
        let (Some(old), Some(new)) = (v4(from), v4(gateway)) else { return false };
        let odd = new == old || is_multicast(new) || is_lbcast(new) || is_zeronet(new) || is_loopback(new);
        let Ok(route) = self.ip_route_output(ns, &Flow::to(dst), now) else { return false };
        if odd || !sysctl.accept_redirects(dev) || route.gateway != Some(from) || route.dev != dev {
            return false;
        }
        if sysctl.shared_media(dev) {
            return self.inet_addr_type(ns, gateway) == RouteKind::Unicast;
        }
        let onlink = self.ifas(dev).iter().any(|ifa| ifa.holds(new) && ifa.holds(old));
        onlink && (!sysctl.secure_redirects(dev) || self.ip_fib_check_default(ns, dev, new))
    }

    /// Whether some route over `dev` has this gateway. Kernel: `net/ipv4/fib_semantics.c`, `ip_fib_check_default`.
    fn ip_fib_check_default(&self, ns: NetnsId, dev: DevId, gateway: u32) -> bool {
        let gateway = ip(gateway);
        let fits = |route: &crate::Route| {
            route.nexthops.iter().any(|nh| nh.dev == dev && nh.via == Some(gateway) && !nh.dead)
        };
        self.ns(ns).fib.tables.iter().any(|(_, table)| table.any(fits))
    }
}
