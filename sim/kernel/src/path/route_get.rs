use std::net::{IpAddr, Ipv4Addr};

use packet::{DevId, NetnsId, Proto, SimTime};
use trace::DropReason;

use crate::dump::{RouteAnswer, RouteQuery};
use crate::fib_table::v4;
use crate::path::route_input::Received;
use crate::path::{Dst, Flow, InputRoute};
use crate::{Errno, Host, Refusal, TableId};

impl Host {
    /// `ip route get`. Kernel: `net/ipv4/route.c`, `inet_rtm_getroute`.
    pub fn route_get(&self, ns: NetnsId, query: &RouteQuery, now: SimTime) -> Result<RouteAnswer, Refusal> {
        let RouteQuery { dst, src, iif, oif, mark, tos, ipproto, sport, dport } = query;
        let by_name = |name: &Option<String>| -> Result<Option<DevId>, Errno> {
            name.as_ref().map(|name| self.dev_by_name(ns, name).ok_or(Errno::NoDev)).transpose()
        };
        let asked = dst.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let (iif_dev, oif_dev) = (by_name(iif)?, by_name(oif)?);
        let (route, prefsrc) = match iif_dev {
            Some(dev) => {
                let received = Received {
                    saddr: src.map_or(Some(0), v4).ok_or(Errno::AfNoSupport)?,
                    daddr: v4(asked).ok_or(Errno::AfNoSupport)?,
                    dev,
                    mark: *mark,
                    tos: tos & !3,
                    // Kernel: `inet_rtm_getroute` takes UDP where nothing is said.
                    proto: Proto(ipproto.unwrap_or(17)),
                    sport: sport.unwrap_or(0),
                    dport: dport.unwrap_or(0),
                    hash_addrs: None,
                };
                let route = self.route_input(ns, &received, now).map_err(input_errno)?;
                let route = match route {
                    InputRoute::Local(dst) | InputRoute::Forward(dst) => dst,
                    InputRoute::Unreachable { code: 0 } => return Err(Errno::NetUnreach.into()),
                    InputRoute::Unreachable { code: 1 } => return Err(Errno::HostUnreach.into()),
                    InputRoute::Unreachable { .. } => return Err(Errno::Acces.into()),
                };
                (route, None)
            }
            None => {
                let flow = Flow {
                    src: src.filter(|src| !src.is_unspecified()),
                    oif: oif_dev,
                    mark: *mark,
                    tos: *tos,
                    proto: Proto(ipproto.unwrap_or(17)),
                    sport: sport.unwrap_or(0),
                    dport: dport.unwrap_or(0),
                    ..Flow::to(asked)
                };
                let route = self.ip_route_output(ns, &flow, now)?;
                let source =
                    Some(route.src).filter(|chosen| Some(*chosen) != *src && !chosen.is_unspecified());
                (route, source)
            }
        };
        let Dst {
            kind,
            dev,
            gateway,
            iif: _,
            src: _,
            mtu,
            mtu_locked,
            advmss,
            table,
            do_redirect,
            route,
            expires,
            redirected,
        } = route;
        let configured = route.as_ref().and_then(|route| route.mtu);
        // An exception without a redirect holds an MTU, though it may be the device's.
        let other = configured.map(|(mtu, _)| mtu) != Some(mtu) && mtu != self.dev(dev).mtu;
        let learned = expires.filter(|_| !redirected || other);
        let seconds = |at: SimTime| at.since(now).as_secs();
        let merged = table == TableId::LOCAL && !self.ns(ns).fib.has_custom_rules;
        Ok(RouteAnswer {
            kind,
            dst: asked,
            from: *src,
            via: gateway,
            dev: Some(self.dev(dev).name.clone()),
            table: Some(table).filter(|table| *table != TableId::MAIN && route.is_some() && !merged),
            prefsrc,
            mark: *mark,
            iif: iif.clone(),
            uid: iif.is_none().then_some(0),
            expires: expires.map(seconds),
            mtu: if learned.is_some() { Some((mtu, mtu_locked)) } else { configured },
            advmss,
            metrics: route.as_ref().map_or_else(Vec::new, |route| route.metrics.clone()),
            redirected,
            do_redirect,
            fib: route.as_ref().map(|route| self.route_info(ns, table, route)),
        })
    }
}

/// The error that stands for a drop.
fn input_errno(reason: DropReason) -> Errno {
    match reason {
        DropReason::IpInaddrerrors => Errno::HostUnreach,
        _ => Errno::Inval,
    }
}
