use std::time::Duration;

use kernel::Errno;
use kernel::request::Mode;
use packet::SimTime;
use world::Sys;

use super::super::iface::ExternalInterface;
use super::super::lease::{Lease, LeaseEvent};
use super::super::log::Log;
use super::super::net::{GatewayRoute, describe, direct_routing, main_routes};
use crate::cni::go_text;

/// How often it looks whether its routes are there. flannel: `routeCheckRetries`.
const CHECK: Duration = Duration::from_secs(10);

/// A route for each of the other nodes. flannel: `RouteNetwork`.
#[derive(Clone, Debug)]
pub struct RouteNetwork {
    kind: Kind,
    mtu: u32,
    /// By which device.
    dev: String,
    routes: Vec<GatewayRoute>,
    check_at: SimTime,
}

/// What the routes are like.
#[derive(Clone, Debug)]
pub enum Kind {
    /// By the external interface to the other node.
    HostGw,
    /// By the tunnel, the other node on link.
    Ipip {
        /// The device for nodes that need no tunnel, if they may go without.
        direct: Option<String>,
    },
}

impl Kind {
    fn name(&self) -> &'static str {
        match self {
            Self::HostGw => "host-gw",
            Self::Ipip { .. } => "ipip",
        }
    }
}

impl RouteNetwork {
    /// Routes of that kind by a device.
    pub fn new(sys: &dyn Sys, kind: Kind, dev: &str, mtu: u32) -> Self {
        Self { kind, mtu, dev: dev.to_owned(), routes: Vec::new(), check_at: sys.now() + CHECK }
    }

    /// Routes by the external interface.
    pub fn host_gw(sys: &dyn Sys, iface: &ExternalInterface) -> Self {
        Self::new(sys, Kind::HostGw, &iface.name, iface.mtu)
    }

    /// The MTU of containers in bytes.
    pub fn mtu(&self) -> u32 {
        self.mtu
    }

    /// When it looks again.
    pub fn next(&self) -> SimTime {
        self.check_at
    }

    fn route(&self, sys: &mut dyn Sys, log: Log, lease: &Lease) -> GatewayRoute {
        let via = lease.attrs.public_ip;
        let mut dev = self.dev.clone();
        let onlink = matches!(self.kind, Kind::Ipip { .. });
        if let Kind::Ipip { direct: Some(direct) } = &self.kind {
            match direct_routing(sys, via) {
                Ok(true) => {
                    let text = format!("configure route to {via} via direct routing");
                    log.detail(sys, 2, "ipip.go:117", &text);
                    dev.clone_from(direct);
                }
                Ok(false) => {}
                Err(error) => log.error(sys, "ipip.go:113", &error),
            }
        }
        GatewayRoute { dst: lease.subnet, via, dev: Some(dev), onlink }
    }

    /// Does what an event asks for. flannel: `handleSubnetEvents`.
    pub fn handle(&mut self, sys: &mut dyn Sys, log: Log, event: &LeaseEvent) {
        let (LeaseEvent::Added(lease) | LeaseEvent::Removed(lease)) = event;
        let kind = self.kind.name();
        if lease.attrs.backend_type != kind {
            let text = format!("Ignoring non-{kind} subnet: type={}", lease.attrs.backend_type);
            let added = matches!(event, LeaseEvent::Added(_));
            log.warning(sys, if added { "route_network.go:88" } else { "route_network.go:108" }, &text);
            return;
        }
        let route = self.route(sys, log, lease);
        let subnet = lease.subnet;
        match event {
            LeaseEvent::Added(lease) => {
                let text = format!("Subnet added: {subnet} via {}", lease.attrs.public_ip);
                log.info(sys, "route_network.go:93", &text);
                self.add(sys, log, route);
            }
            LeaseEvent::Removed(_) => {
                log.info(sys, "route_network.go:113", &format!("Subnet removed: {subnet}"));
                self.routes.retain(|known| !same(known, &route));
                if let Err(errno) = route.delete(sys) {
                    let text = format!("Error deleting route to {subnet}: {}", go_text(errno));
                    log.error(sys, "route_network.go:120", &text);
                }
            }
        }
    }

    /// flannel: `routeAdd`.
    fn add(&mut self, sys: &mut dyn Sys, log: Log, route: GatewayRoute) {
        if !self.routes.iter().any(|known| same(known, &route)) {
            self.routes.push(route.clone());
        }
        let first = |sys: &dyn Sys| {
            main_routes(sys).into_iter().find(|existing| existing.dst == ipnet::IpNet::V4(route.dst))
        };
        if let Some(existing) = first(sys).filter(|existing| !route.is(existing)) {
            let text = format!(
                "Replacing existing route to {} with {}",
                describe(sys, &existing),
                route.describe(sys)
            );
            log.warning(sys, "route_network.go:152", &text);
            if let Err(errno) = delete(sys, &existing) {
                let text = format!("Effor deleteing route to {}: {}", existing.dst, go_text(errno));
                log.error(sys, "route_network.go:154", &text);
                return;
            }
            self.routes.retain(|known| !known.is(&existing));
        }
        if first(sys).is_some_and(|existing| route.is(&existing)) {
            let text = format!("Route to {} already exists, skipping.", route.describe(sys));
            log.info(sys, "route_network.go:166", &text);
        } else if let Err(errno) = route.add(sys, Mode::Add) {
            let text = format!("Error adding route to {}: {}", route.describe(sys), go_text(errno));
            log.error(sys, "route_network.go:168", &text);
        }
    }

    /// Adds routes anew that somebody deleted. flannel: `routeCheck`. What the kernel refuses is
    /// tried again without a word.
    pub fn turn(&mut self, sys: &mut dyn Sys, log: Log) {
        if sys.now() < self.check_at {
            return;
        }
        self.check_at = sys.now() + CHECK;
        let existing = main_routes(sys);
        for route in &self.routes {
            if !existing.iter().any(|existing| route.is(existing)) && route.add(sys, Mode::Add).is_ok() {
                let text = format!("Route recovered {} : {}", route.dst, route.via);
                log.info(sys, "route_network.go:254", &text);
            }
        }
    }
}

/// Destination, gateway and device count.
fn same(one: &GatewayRoute, other: &GatewayRoute) -> bool {
    (one.dst, one.via, &one.dev) == (other.dst, other.via, &other.dev)
}

/// Deletes a route as it was listed.
fn delete(sys: &mut dyn Sys, route: &kernel::dump::RouteInfo) -> Result<(), Errno> {
    use kernel::request::{NextHopSpec, Request, RouteSpec};
    let ways = route.nexthops.iter().map(|way| NextHopSpec {
        dev: Some(way.dev.clone()),
        via: way.via,
        onlink: way.onlink,
        weight: None,
    });
    let spec = RouteSpec {
        dst: Some(route.dst),
        kind: Some(route.kind),
        tos: route.tos,
        metric: Some(route.metric),
        proto: Some(route.proto),
        scope: Some(route.scope),
        prefsrc: route.prefsrc,
        nexthops: ways.collect(),
        ..RouteSpec::default()
    };
    let netns = sys.netns();
    crate::cni::link::ask(sys, netns, Request::RouteDel(spec))
}
