use std::sync::Arc;

use packet::{Body, DevId, Icmp, NetnsId, Packet, Proto, SimTime, Skb};
use trace::{DropReason, Observer, StepKind};

use crate::fib_event::is_zeronet;
use crate::fib_lookup::{FibResult, FlowKey, Linkstate};
use crate::fib_table::v4;
use crate::path::route_output::{ip, is_lbcast, is_loopback, is_multicast};
use crate::path::route_text::route_text;
use crate::path::{Dst, InputRoute};
use crate::{Cx, Dropped, Errno, Host, RouteKind, Scope, TableId};

/// 224.0.0.1, the group of which every host is a member.
const ALL_HOSTS: u32 = 0xe000_0001;
/// ICMP codes of "destination unreachable".
const ICMP_NET_UNREACH: u8 = 0;
const ICMP_HOST_UNREACH: u8 = 1;
const ICMP_PKT_FILTERED: u8 = 13;

/// What a received packet is routed by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received {
    pub saddr: u32,
    pub daddr: u32,
    pub dev: DevId,
    pub mark: u32,
    pub tos: u8,
    pub proto: Proto,
    pub sport: u16,
    pub dport: u16,
    /// Addresses that choose among several ways, if not the packet's own: an ICMP error goes the
    /// way of what it is about.
    pub hash_addrs: Option<(u32, u32)>,
}

impl Received {
    /// `None` for IPv6.
    pub(crate) fn of(skb: &Skb) -> Option<Self> {
        let packet = skb.ip();
        let (sport, dport) = ports(packet);
        let quoted = match &packet.body {
            Body::Icmp(Icmp::Error(error)) => {
                let quoted = &error.quoted.packet;
                v4(quoted.dst()).zip(v4(quoted.src()))
            }
            _ => None,
        };
        Some(Self {
            saddr: v4(packet.src())?,
            daddr: v4(packet.dst())?,
            dev: skb.dev,
            mark: skb.mark,
            tos: packet.tos & !3,
            proto: packet.proto(),
            sport,
            dport,
            hash_addrs: quoted,
        })
    }
}

fn ports(packet: &Packet) -> (u16, u16) {
    match &packet.body {
        Body::Tcp(tcp) => (tcp.sport, tcp.dport),
        Body::Udp(udp) => (udp.sport, udp.dport),
        Body::Icmp(_) | Body::Ip(_) | Body::Fragment(..) | Body::Bytes(..) => (0, 0),
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Routes a received packet. Kernel: `net/ipv4/route.c`, `ip_route_input_noref`.
    pub fn ip_route_input(&mut self, ns: NetnsId, skb: &Skb) -> Result<InputRoute, Dropped> {
        let routed = match Received::of(skb) {
            Some(received) => self.host.route_input(ns, &received, self.now),
            None => Err(DropReason::UnhandledProto),
        };
        if O::ON
            && let Ok(InputRoute::Local(dst) | InputRoute::Forward(dst)) = &routed
        {
            let route = route_text(self.host, dst);
            let dev = matches!(routed, Ok(InputRoute::Forward(_))).then_some(dst.dev);
            let gateway = dst.gateway;
            self.emit(skb.id, ns, Some(skb.dev), || StepKind::Route { route, gateway, dev });
        }
        routed.map_err(|reason| {
            self.log_martian(ns, skb, reason);
            self.dropped(ns, skb, reason)
        })
    }

    /// Kernel: `net/ipv4/route.c`, `ip_handle_martian_source` and the label `martian_destination`.
    ///
    /// Simplified: every one is logged (`net_ratelimit`).
    fn log_martian(&mut self, ns: NetnsId, skb: &Skb, reason: DropReason) {
        use DropReason::{IpInvalidDest, IpInvalidSource, IpLocalSource, IpLocalnet, IpRpfilter};
        if !matches!(reason, IpInvalidDest | IpInvalidSource | IpLocalSource | IpLocalnet | IpRpfilter)
            || !self.host.ns(ns).sysctl.log_martians(skb.dev)
        {
            return;
        }
        let (src, dst) = (skb.ip().src(), skb.ip().dst());
        let about_dst = reason == IpInvalidDest || (reason == IpLocalnet && dst.is_loopback());
        let device = self.host.dev(skb.dev);
        let name = device.name.clone();
        if about_dst {
            if !dst.is_multicast() {
                self.host
                    .log
                    .log(self.now, format!("IPv4: martian destination {dst} from {src}, dev {name}"));
            }
            return;
        }
        let has_header = device.has_link_header();
        self.host.log.log(self.now, format!("IPv4: martian source {dst} from {src}, on dev {name}"));
        if has_header {
            let macs = format!("{}:{}:08:00", skb.frame.dst, skb.frame.src).replace(':', " ");
            self.host.log.log(self.now, format!("ll header: 00000000: {macs}"));
        }
    }
}

impl Host {
    /// Kernel: `net/ipv4/route.c`, `ip_route_input_slow` and `ip_route_input_mc`.
    pub(crate) fn route_input(
        &self,
        ns: NetnsId,
        received: &Received,
        now: SimTime,
    ) -> Result<InputRoute, DropReason> {
        let Received { saddr, daddr, dev, mark, tos, proto, sport, dport, .. } = *received;
        let netns = self.ns(ns);
        let sysctl = &netns.sysctl;
        if is_multicast(daddr) {
            return self.route_input_mc(ns, received);
        }
        if is_multicast(saddr) || is_lbcast(saddr) {
            return Err(DropReason::IpInvalidSource);
        }
        if is_lbcast(daddr) || (saddr == 0 && daddr == 0) {
            return self.route_input_brd(ns, received, None);
        }
        if is_zeronet(saddr) {
            return Err(DropReason::IpInvalidSource);
        }
        if is_zeronet(daddr) {
            return Err(DropReason::IpInvalidDest);
        }
        let looped = self.is_loopback(dev);
        if !looped && (is_loopback(daddr) || is_loopback(saddr)) && !sysctl.route_localnet(dev) {
            return Err(DropReason::IpLocalnet);
        }
        // Rules see ports only if one of them asks for them, which makes no difference here.
        let key = FlowKey {
            daddr,
            saddr,
            oif: None,
            iif: dev,
            mark,
            tos,
            proto,
            sport,
            dport,
            scope: Scope::GLOBAL,
        };
        let forwards = sysctl.ip_forward(dev);
        let mut found = match self.fib_lookup(ns, &key, Linkstate::Heed) {
            Ok(found) => found,
            // A packet on lo kept the route it was sent by.
            Err(_) if looped => {
                return Ok(InputRoute::Local(self.local_dst(ns, received, RouteKind::Local, None)));
            }
            Err(_) if !forwards => return Err(DropReason::IpInaddrerrors),
            Err(Errno::HostUnreach) => return Ok(InputRoute::Unreachable { code: ICMP_HOST_UNREACH }),
            Err(Errno::Acces) => return Ok(InputRoute::Unreachable { code: ICMP_PKT_FILTERED }),
            Err(Errno::NetUnreach) => return Ok(InputRoute::Unreachable { code: ICMP_NET_UNREACH }),
            Err(_) => return Err(DropReason::Blackhole),
        };
        match found.route.kind {
            RouteKind::Broadcast if !sysctl.bc_forwarding(dev) => {
                return self.route_input_brd(ns, received, Some(&found));
            }
            RouteKind::Local => {
                if !looped {
                    self.fib_validate_source(ns, received, 0, None)?;
                }
                return Ok(InputRoute::Local(self.local_dst(ns, received, RouteKind::Local, Some(&found))));
            }
            _ if looped => {
                return Ok(InputRoute::Local(self.local_dst(ns, received, RouteKind::Local, None)));
            }
            _ if !forwards => return Err(DropReason::IpInaddrerrors),
            RouteKind::Unicast | RouteKind::Broadcast => {}
            _ => return Err(DropReason::IpInvalidDest),
        }
        if found.route.nexthops.len() > 1 {
            let key = match received.hash_addrs {
                Some((saddr, daddr)) => FlowKey { saddr, daddr, ..key },
                None => key,
            };
            self.fib_select_multipath(ns, &mut found, &key);
        }
        self.mkroute_input(ns, received, &found, now).map(InputRoute::Forward)
    }

    /// Kernel: `net/ipv4/route.c`, `__mkroute_input`.
    fn mkroute_input(
        &self,
        ns: NetnsId,
        received: &Received,
        found: &FibResult<'_>,
        now: SimTime,
    ) -> Result<Dst, DropReason> {
        let Received { saddr, daddr, dev, .. } = *received;
        let sysctl = &self.ns(ns).sysctl;
        let nh = found.nexthop().ok_or(DropReason::IpInvalidDest)?;
        let src_on_link = self.fib_validate_source(ns, received, daddr, Some(nh.dev))?;
        let mut do_redirect = false;
        if nh.dev == dev && src_on_link && sysctl.send_redirects(dev) {
            let gateway = nh.via.and_then(v4).unwrap_or(0);
            do_redirect = sysctl.shared_media(dev)
                || self.ifas(dev).iter().any(|ifa| ifa.holds(saddr) && (gateway == 0 || ifa.holds(gateway)));
        }
        let dst = Dst {
            kind: found.route.kind,
            dev: nh.dev,
            gateway: None,
            iif: None,
            src: ip(saddr),
            mtu: self.dev(nh.dev).mtu.min(0xffff),
            mtu_locked: false,
            advmss: None,
            table: found.table,
            do_redirect,
            route: Some(Arc::clone(found.route)),
            expires: None,
            redirected: false,
        };
        Ok(self.rt_set_nexthop(ns, dst, found, daddr, now, true))
    }

    /// Kernel: the label `brd_input` in `ip_route_input_slow`.
    fn route_input_brd(
        &self,
        ns: NetnsId,
        received: &Received,
        found: Option<&FibResult<'_>>,
    ) -> Result<InputRoute, DropReason> {
        if !is_zeronet(received.saddr) && !self.is_loopback(received.dev) {
            self.fib_validate_source(ns, received, 0, None)?;
        }
        Ok(InputRoute::Local(self.local_dst(ns, received, RouteKind::Broadcast, found)))
    }

    /// Kernel: `net/ipv4/route.c`, `ip_mc_validate_source`, `ip_route_input_mc`.
    ///
    /// Simplified: the only group is 224.0.0.1.
    fn route_input_mc(&self, ns: NetnsId, received: &Received) -> Result<InputRoute, DropReason> {
        let Received { saddr, daddr, dev, .. } = *received;
        if daddr != ALL_HOSTS {
            return Err(DropReason::IpInvalidDest);
        }
        if is_multicast(saddr) || is_lbcast(saddr) {
            return Err(DropReason::IpInvalidSource);
        }
        let looped = self.is_loopback(dev);
        if !looped && is_loopback(saddr) && !self.ns(ns).sysctl.route_localnet(dev) {
            return Err(DropReason::IpLocalnet);
        }
        if !looped && !is_zeronet(saddr) {
            self.fib_validate_source(ns, received, 0, None)?;
        }
        Ok(InputRoute::Local(self.local_dst(ns, received, RouteKind::Multicast, None)))
    }

    fn local_dst(
        &self,
        ns: NetnsId,
        received: &Received,
        kind: RouteKind,
        found: Option<&FibResult<'_>>,
    ) -> Dst {
        let lo = self.ns(ns).loopback;
        Dst {
            kind,
            dev: lo,
            gateway: None,
            iif: None,
            src: ip(received.saddr),
            mtu: self.dev(lo).mtu,
            mtu_locked: false,
            advmss: None,
            table: found.map_or(TableId::LOCAL, |found| found.table),
            do_redirect: false,
            route: found.map(|found| Arc::clone(found.route)),
            expires: None,
            redirected: false,
        }
    }

    /// Whether the source may come in by this device; `Ok(true)` if it is directly attached.
    /// `dst` is 0 for packets to this host. Kernel: `net/ipv4/fib_frontend.c`, `fib_validate_source`.
    fn fib_validate_source(
        &self,
        ns: NetnsId,
        received: &Received,
        dst: u32,
        oif: Option<DevId>,
    ) -> Result<bool, DropReason> {
        let netns = self.ns(ns);
        let (fib, sysctl, dev) = (&netns.fib, &netns.sysctl, received.dev);
        let rpf = sysctl.rp_filter(dev);
        if rpf == 0 && (oif != Some(dev) || !sysctl.send_redirects(dev)) {
            if sysctl.accept_local(dev) {
                return Ok(false);
            }
            if !fib.has_custom_local_routes && !fib.has_custom_rules {
                return match self.is_own_addr(ns, received.saddr) {
                    true => Err(DropReason::IpLocalSource),
                    false => Ok(false),
                };
            }
        }
        self.fib_validate_source_full(ns, received, dst, oif, rpf)
    }

    /// Kernel: `net/ipv4/fib_frontend.c`, `__fib_validate_source`.
    fn fib_validate_source_full(
        &self,
        ns: NetnsId,
        received: &Received,
        dst: u32,
        oif: Option<DevId>,
        rpf: u8,
    ) -> Result<bool, DropReason> {
        let Received { saddr, dev, mark, tos, proto, sport, dport, .. } = *received;
        let netns = self.ns(ns);
        let sysctl = &netns.sysctl;
        let mut key = FlowKey {
            daddr: saddr,
            saddr: dst,
            oif: None,
            iif: oif.unwrap_or(netns.loopback),
            mark: if sysctl.src_valid_mark(dev) { mark } else { 0 },
            tos,
            proto,
            sport: dport,
            dport: sport,
            scope: Scope::GLOBAL,
        };
        let last_resort = || if rpf != 0 { Err(DropReason::IpRpfilter) } else { Ok(false) };
        let on_link = |found: &FibResult<'_>| found.nexthop().is_some_and(|nh| nh.scope >= Scope::HOST);
        let Ok(found) = self.fib_lookup(ns, &key, Linkstate::Heed) else { return last_resort() };
        match found.route.kind {
            RouteKind::Unicast => {}
            RouteKind::Local if sysctl.accept_local(dev) => {}
            RouteKind::Local => return Err(DropReason::IpLocalSource),
            _ => return Err(DropReason::IpInvalidSource),
        }
        if found.route.nexthops.iter().any(|nh| nh.dev == dev) {
            return Ok(on_link(&found));
        }
        if self.dev(dev).addrs.is_empty() {
            return last_resort();
        }
        if rpf == 1 {
            return Err(DropReason::IpRpfilter);
        }
        key.oif = Some(dev);
        let found = self.fib_lookup(ns, &key, Linkstate::Ignore);
        Ok(found.is_ok_and(|found| found.route.kind == RouteKind::Unicast && on_link(&found)))
    }

    /// Whether a device has this address, by the local route that it brought.
    /// Kernel: `inet_lookup_ifaddr_rcu`.
    fn is_own_addr(&self, ns: NetnsId, addr: u32) -> bool {
        let table = self.ns(ns).fib.table(TableId::LOCAL);
        table.is_some_and(|table| table.aliases(addr, 32).iter().any(|route| route.kind == RouteKind::Local))
    }
}
