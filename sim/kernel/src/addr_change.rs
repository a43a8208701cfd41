use ipnet::{IpNet, Ipv4Net};
use packet::{DevId, NetnsId};
use trace::Observer;

use crate::addr_lifetime::set_ifa_lifetime;
use crate::fib_event::{DownReason, Ifa, is_zeronet};
use crate::fib_table::v4;
use crate::request::{AddrSpec, Mode};
use crate::{AddrFlags, Cx, Errno, Host, InterfaceAddr, Refusal, RouteKind, Scope};

impl<O: Observer> Cx<'_, O> {
    /// Adds or replaces an address. Kernel: `net/ipv4/devinet.c`, `inet_rtm_newaddr`.
    pub(crate) fn addr_add(&mut self, ns: NetnsId, spec: &AddrSpec, mode: Mode) -> Result<(), Refusal> {
        let dev = self.host.dev_by_name(ns, &spec.dev).ok_or(Errno::NoDev)?;
        let (mut addr, ifa) = new_ifa(spec)?;
        let existing =
            self.host.ifas(dev).iter().position(|old| old.local == ifa.local && old.same_subnet(&ifa));
        let Some(at) = existing else {
            set_ifa_lifetime(&mut addr, spec.lifetime, self.now);
            self.host.inet_insert_ifa(dev, addr)?;
            self.check_lifetime(ns);
            return Ok(());
        };
        if !matches!(mode, Mode::Replace | Mode::Change) {
            return Err(Refusal::because(Errno::Exist, "ipv4: Address already assigned."));
        }
        let old = self.host.ifas(dev)[at];
        if old.metric != ifa.metric {
            self.host.fib_modify_prefix_metric(dev, &old, ifa.metric);
            self.host.dev_mut(dev).addrs[at].metric = ifa.metric;
        }
        set_ifa_lifetime(&mut self.host.dev_mut(dev).addrs[at], spec.lifetime, self.now);
        self.check_lifetime(ns);
        Ok(())
    }

    /// Deletes an address, and with a primary one the secondary ones of its subnet, unless they
    /// are promoted. Kernel: `net/ipv4/devinet.c`, `inet_rtm_deladdr`.
    pub(crate) fn addr_del(&mut self, ns: NetnsId, spec: &AddrSpec) -> Result<(), Refusal> {
        let dev = self.host.dev_by_name(ns, &spec.dev).ok_or(Errno::NoDev)?;
        let (_, asked) = new_ifa(spec)?;
        let label_fits = |addr: &InterfaceAddr| spec.label.as_ref().is_none_or(|label| *label == addr.label);
        let fits = |addr: &InterfaceAddr| {
            Ifa::of(addr).is_some_and(|ifa| {
                ifa.local == asked.local
                    && ifa.plen == asked.plen
                    && ifa.holds(asked.address)
                    && label_fits(addr)
            })
        };
        let at = self.host.dev(dev).addrs.iter().position(fits);
        let at = at.ok_or_else(|| Refusal::because(Errno::AddrNotAvail, "ipv4: Address not found."))?;
        self.inet_del_ifa(dev, at);
        Ok(())
    }

    /// Deletes the address at `at`, and with the last one the device's neighbours.
    pub(crate) fn inet_del_ifa(&mut self, dev: DevId, at: usize) {
        let addrs =
            |host: &Host| -> Vec<_> { host.dev(dev).addrs.iter().map(|addr| addr.local.addr()).collect() };
        let before = addrs(self.host);
        self.host.inet_del_ifa(dev, at);
        let after = addrs(self.host);
        for addr in before.into_iter().filter(|addr| !after.contains(addr)) {
            self.masquerade_gone(dev, Some(addr));
        }
        if self.host.dev(dev).addrs.is_empty() {
            // Kernel: `fib_disable_ip`, `arp_ifdown`.
            self.neigh_dev_down(dev);
        }
    }
}

/// The address that is asked for. Kernel: `net/ipv4/devinet.c`, `rtm_to_ifaddr`; the scope that
/// iproute2 fills in when none is given.
fn new_ifa(spec: &AddrSpec) -> Result<(InterfaceAddr, Ifa), Refusal> {
    let AddrSpec { dev, local, peer, broadcast, scope, label, noprefixroute, metric, lifetime } = spec;
    if lifetime.is_some_and(|lft| lft.valid == 0 || lft.preferred > lft.valid) {
        return Err(Errno::Inval.into());
    }
    let own = v4(local.addr()).ok_or(Errno::OpNotSupp)?;
    let plen = peer.as_ref().map_or(local.prefix_len(), IpNet::prefix_len);
    let peer = match peer.as_ref().map(IpNet::addr) {
        Some(peer) if v4(peer).is_none() => return Err(Errno::OpNotSupp.into()),
        peer => peer.filter(|peer| *peer != local.addr()),
    };
    let default_scope = if own >> 24 == 127 { Scope::HOST } else { Scope::GLOBAL };
    let addr = InterfaceAddr {
        local: IpNet::V4(Ipv4Net::new_assert(own.into(), plen.min(32))),
        peer,
        broadcast: *broadcast,
        scope: scope.unwrap_or(default_scope),
        label: label.clone().unwrap_or_else(|| dev.clone()),
        flags: AddrFlags { noprefixroute: *noprefixroute, ..AddrFlags::default() },
        metric: *metric,
        lifetime: None,
    };
    let ifa = Ifa::of(&addr).ok_or(Errno::OpNotSupp)?;
    Ok((addr, ifa))
}

impl Host {
    /// Kernel: `net/ipv4/devinet.c`, `__inet_insert_ifa`.
    pub(crate) fn inet_insert_ifa(&mut self, dev: DevId, mut addr: InterfaceAddr) -> Result<(), Refusal> {
        let Some(ifa) = Ifa::of(&addr) else { return Err(Errno::OpNotSupp.into()) };
        self.ipv4_devconf_setall(dev);
        if ifa.local == 0 {
            return Ok(());
        }
        let mut last_primary = 0;
        let addrs = &self.dev(dev).addrs;
        for (at, old) in addrs.iter().enumerate() {
            if !old.flags.secondary && addr.scope <= old.scope {
                last_primary = at + 1;
            }
            let Some(old_ifa) = Ifa::of(old) else { continue };
            if old_ifa.same_subnet(&ifa) {
                if old_ifa.local == ifa.local {
                    return Err(Refusal::because(Errno::Exist, "ipv4: Address already assigned."));
                }
                if old.scope != addr.scope {
                    return Err(Refusal::because(Errno::Inval, "ipv4: Invalid scope value."));
                }
                addr.flags.secondary = true;
            }
        }
        let ifa = Ifa { secondary: addr.flags.secondary, ..ifa };
        let at = if addr.flags.secondary { addrs.len() } else { last_primary };
        self.dev_mut(dev).addrs.insert(at, addr);
        self.fib_add_ifaddr(dev, &ifa);
        self.fib_sync_up(dev, true);
        Ok(())
    }

    /// Kernel: `net/ipv4/devinet.c`, `__inet_del_ifa`.
    pub(crate) fn inet_del_ifa(&mut self, dev: DevId, mut at: usize) {
        let ns = self.dev(dev).netns;
        let ifas = self.ifas(dev);
        let (scope, Some(gone)) = (self.dev(dev).addrs[at].scope, ifas.get(at).copied()) else { return };
        let promotes = self.ns(ns).sysctl.promote_secondaries(dev);
        let mut last_primary = at;
        let mut promote = None;
        if !gone.secondary {
            let mut next = at + 1;
            while let Some(ifa) = self.ifas(dev).get(next).copied() {
                if !ifa.secondary && scope <= self.dev(dev).addrs[next].scope {
                    last_primary = next;
                }
                if !ifa.secondary || !gone.same_subnet(&ifa) {
                    next += 1;
                } else if promotes {
                    promote = Some(next);
                    break;
                } else {
                    self.dev_mut(dev).addrs.remove(next);
                    self.fib_inetaddr_down(dev, &ifa);
                }
            }
        }
        if let Some(first) = promote {
            // Their routes name the old primary address; they come back with the new one.
            for ifa in self.ifas(dev).into_iter().skip(first).filter(|ifa| gone.same_subnet(ifa)) {
                self.fib_del_ifaddr(dev, &ifa, Some(&gone));
            }
        }
        self.dev_mut(dev).addrs.remove(at);
        self.fib_inetaddr_down(dev, &gone);
        let Some(promoted) = promote else { return };
        let mut addr = self.dev_mut(dev).addrs.remove(promoted - 1);
        addr.flags.secondary = false;
        // After the last primary address of no wider scope, whose place moved when `at` was removed.
        at = if last_primary > at { last_primary } else { at };
        let at = at.min(self.dev(dev).addrs.len());
        let rest = self.ifas(dev).into_iter().skip(promoted - 1).collect::<Vec<_>>();
        let ifa = Ifa::of(&addr);
        self.dev_mut(dev).addrs.insert(at, addr);
        if let Some(ifa) = ifa {
            self.fib_add_ifaddr(dev, &ifa);
            self.fib_sync_up(dev, true);
        }
        for ifa in rest.into_iter().filter(|ifa| gone.same_subnet(ifa)) {
            self.fib_add_ifaddr(dev, &ifa);
        }
    }

    /// Kernel: `net/ipv4/fib_frontend.c`, `fib_inetaddr_event` for `NETDEV_DOWN`.
    fn fib_inetaddr_down(&mut self, dev: DevId, ifa: &Ifa) {
        self.fib_del_ifaddr(dev, ifa, None);
        if self.dev(dev).addrs.is_empty() {
            self.fib_sync_down_dev(dev, DownReason::LastAddress);
        }
    }

    /// Kernel: `net/ipv4/fib_frontend.c`, `fib_modify_prefix_metric`.
    fn fib_modify_prefix_metric(&mut self, dev: DevId, ifa: &Ifa, metric: u32) {
        let prefix = ifa.address & ifa.mask();
        let no_route = ifa.secondary || ifa.noprefixroute || is_zeronet(prefix);
        if !self.dev(dev).up || no_route || (prefix == ifa.local && ifa.plen == 32) {
            return;
        }
        let ns = self.dev(dev).netns;
        let kind = if self.is_loopback(dev) { RouteKind::Local } else { RouteKind::Unicast };
        let new = self.fib_magic(dev, kind, prefix, ifa.plen, ifa, metric);
        let old = self.fib_magic(dev, kind, prefix, ifa.plen, ifa, ifa.metric);
        // Both may meet what a person changed by hand, which then stays.
        let _ = self.fib_table_insert(ns, &new, Mode::Append);
        let _ = self.fib_table_delete(ns, &old);
    }
}
