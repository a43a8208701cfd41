//! Devices, addresses and routes, as flannel's netlink library asks for them.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use kernel::dump::{RouteInfo, RouteQuery};
use kernel::request::{Mode, NextHopSpec, Request, RouteSpec};
use kernel::{Errno, TableId};
use world::Sys;

use super::log::Log;
use crate::cni::{go_text, link};

/// A route by a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayRoute {
    /// Destination.
    pub dst: Ipv4Net,
    /// Gateway.
    pub via: Ipv4Addr,
    /// Device; `None` leaves it to the kernel.
    pub dev: Option<String>,
    /// The gateway counts as neighbour.
    pub onlink: bool,
}

impl GatewayRoute {
    fn spec(&self) -> RouteSpec {
        let Self { dst, via, dev, onlink } = self;
        let way =
            NextHopSpec { dev: dev.clone(), via: Some(IpAddr::V4(*via)), onlink: *onlink, weight: None };
        RouteSpec { dst: Some(IpNet::V4(*dst)), nexthops: vec![way], ..RouteSpec::default() }
    }

    /// Adds it, or puts it in the place of another.
    ///
    /// # Errors
    /// The kernel's.
    pub fn add(&self, sys: &mut dyn Sys, mode: Mode) -> Result<(), Errno> {
        let netns = sys.netns();
        link::ask(sys, netns, Request::RouteAdd(self.spec(), mode))
    }

    /// Deletes it.
    ///
    /// # Errors
    /// The kernel's.
    pub fn delete(&self, sys: &mut dyn Sys) -> Result<(), Errno> {
        let netns = sys.netns();
        link::ask(sys, netns, Request::RouteDel(self.spec()))
    }

    /// Whether the kernel has it: destination, gateway and device count. flannel: `routeEqual`.
    pub fn is(&self, route: &RouteInfo) -> bool {
        let way = route.nexthops.first();
        let via = way.and_then(|way| way.via);
        route.dst == IpNet::V4(self.dst)
            && via == Some(IpAddr::V4(self.via))
            && (self.dev.is_none() || self.dev.as_deref() == way.map(|way| way.dev.as_str()))
    }

    /// As the netlink library prints it.
    pub fn describe(&self, sys: &dyn Sys) -> String {
        let Self { dst, via, dev, onlink } = self;
        let index = dev.as_deref().map_or(0, |dev| index_of(sys, dev));
        let flags = if *onlink { "[onlink]" } else { "[]" };
        format!("{{Ifindex: {index} Dst: {dst} Src: <nil> Gw: {via} Flags: {flags} Table: 0 Realm: 0}}")
    }
}

/// A route of the kernel as the netlink library prints it.
pub fn describe(sys: &dyn Sys, route: &RouteInfo) -> String {
    let way = route.nexthops.first();
    let index = way.map_or(0, |way| index_of(sys, &way.dev));
    let show = |addr: Option<IpAddr>| addr.map_or("<nil>".to_owned(), |addr| addr.to_string());
    let flags = if way.is_some_and(|way| way.onlink) { "[onlink]" } else { "[]" };
    format!(
        "{{Ifindex: {index} Dst: {} Src: {} Gw: {} Flags: {flags} Table: {} Realm: 0}}",
        route.dst,
        show(route.prefsrc),
        show(way.and_then(|way| way.via)),
        route.table.0
    )
}

fn index_of(sys: &dyn Sys, dev: &str) -> u32 {
    let kernel = sys.kernel();
    kernel.dev_by_name(sys.netns(), dev).map_or(0, |dev| kernel.dev(dev).ifindex.0)
}

/// The routes of the main table.
pub fn main_routes(sys: &dyn Sys) -> Vec<RouteInfo> {
    let all = sys.kernel().routes(sys.netns()).into_iter();
    all.filter(|route| route.table == TableId::MAIN).collect()
}

/// Whether an address is reached without a gateway. flannel: `DirectRouting`.
///
/// # Errors
/// There is no route.
pub fn direct_routing(sys: &dyn Sys, addr: Ipv4Addr) -> Result<bool, String> {
    let query = RouteQuery { dst: Some(IpAddr::V4(addr)), ..RouteQuery::default() };
    let answer = sys.kernel().route_get(sys.netns(), &query, sys.now());
    answer
        .map(|answer| answer.via.is_none())
        .map_err(|refusal| format!("couldn't lookup route to {addr}: {}", go_text(refusal.errno)))
}

/// Makes `addr` the only address of a device that lies in the network.
/// flannel: `EnsureV4AddressOnLink`.
///
/// # Errors
/// In flannel's words.
pub fn ensure_address(
    sys: &mut dyn Sys,
    log: Log,
    dev: &str,
    addr: Ipv4Net,
    network: Ipv4Net,
) -> Result<(), String> {
    let netns = sys.netns();
    let mut there = false;
    for existing in link::addresses(sys, netns, dev) {
        let IpNet::V4(existing) = existing else { continue };
        if existing == addr {
            there = true;
        } else if network.contains(&existing.addr()) {
            link::del_address(sys, netns, dev, IpNet::V4(existing)).map_err(|errno| {
                format!("failed to remove IP address {existing} from {dev}: {}", go_text(errno))
            })?;
            log.info(sys, "iface.go:263", &format!("removed IP address {existing} from {dev}"));
        }
    }
    if there {
        return Ok(());
    }
    link::add_address(sys, netns, dev, IpNet::V4(addr))
        .map_err(|errno| format!("failed to add IP address {addr} to {dev}: {}", go_text(errno)))
}
