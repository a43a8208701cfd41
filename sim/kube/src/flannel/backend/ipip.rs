use ipnet::Ipv4Net;
use kernel::Errno;
use kernel::dump::KindInfo;
use kernel::request::{LinkAdd, LinkChange, LinkKind, Request, TunnelConfig};
use std::net::IpAddr;
use world::Sys;

use super::super::config::Config as NetworkConfig;
use super::super::iface::ExternalInterface;
use super::super::lease::Lease;
use super::super::log::Log;
use super::super::net::ensure_address;
use super::route_network::{Kind, RouteNetwork};
use crate::cni::go_json::Struct;
use crate::cni::{go_text, link};

/// The device. flannel: `tunnelName`.
const DEV: &str = "flannel.ipip";

/// Bytes of the outer header.
const OVERHEAD: u32 = 20;

/// `Backend` of the network's configuration.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    direct_routing: bool,
}

impl Config {
    /// Reads it.
    ///
    /// # Errors
    /// In flannel's words.
    pub fn parse(sys: &mut dyn Sys, log: Log, config: &NetworkConfig) -> Result<Self, String> {
        let wrong = |error| format!("error decoding IPIP backend config: {error}");
        let fields = Struct::new(&config.backend, "", "struct { DirectRouting bool }").map_err(wrong)?;
        let direct_routing = fields.bool("DirectRouting").map_err(wrong)?.unwrap_or_default();
        log.info(sys, "ipip.go:68", &format!("IPIP config: DirectRouting={direct_routing}"));
        Ok(Self { direct_routing })
    }
}

/// The ipip backend.
pub struct Ipip;

impl Ipip {
    /// Makes the tunnel. flannel: `configureIPIPDevice`.
    ///
    /// # Errors
    /// In flannel's words.
    pub fn start(
        sys: &mut dyn Sys,
        log: Log,
        config: Config,
        network: &NetworkConfig,
        iface: &ExternalInterface,
        lease: &Lease,
    ) -> Result<RouteNetwork, String> {
        make(sys, log, iface)?;
        let netns = sys.netns();
        let mtu = iface.mtu.checked_sub(OVERHEAD).filter(|mtu| *mtu > 0).ok_or_else(|| {
            format!("MTU {} of iface {} is too small for ipip mode to work", iface.mtu, iface.name)
        })?;
        log.info(sys, "ipip.go:187", &format!("current MTU of {DEV} is 0, setting it to {mtu}"));
        link::set(sys, netns, DEV, LinkChange::Mtu(mtu))
            .map_err(|errno| format!("failed to set {DEV} MTU to {mtu}: {}", go_text(errno)))?;
        let addr = Ipv4Net::new(lease.subnet.network(), 32).unwrap_or(lease.subnet);
        let whole = network.network.unwrap_or_default();
        ensure_address(sys, log, DEV, addr, whole)
            .map_err(|error| format!("failed to ensure address of interface {DEV}: {error}"))?;
        link::set(sys, netns, DEV, LinkChange::Up(true))
            .map_err(|errno| format!("failed to set {DEV} UP: {}", go_text(errno)))?;
        let direct = config.direct_routing.then(|| iface.name.clone());
        Ok(RouteNetwork::new(sys, Kind::Ipip { direct }, DEV, mtu))
    }
}

/// Makes the device, unless it is there as it has to be.
fn make(sys: &mut dyn Sys, log: Log, iface: &ExternalInterface) -> Result<(), String> {
    let netns = sys.netns();
    let local = IpAddr::V4(iface.addr);
    let config = TunnelConfig { local: Some(local), nopmtudisc: true, ..TunnelConfig::default() };
    // The netlink library asks for a queue of 0 packets.
    let add = LinkAdd { txqueuelen: Some(0), ..LinkAdd::new(DEV, LinkKind::Ipip(config)) };
    match link::ask(sys, netns, Request::LinkAdd(add.clone())) {
        Ok(()) => return Ok(()),
        Err(Errno::Exist) => {}
        Err(errno) => return Err(go_text(errno)),
    }
    let kind = link::find(sys, netns, DEV).and_then(|link| link.kind);
    let Some(KindInfo::Ipip(existing)) = kind else {
        return Err(format!("{DEV} isn't an ipip mode device, please remove device and try again"));
    };
    let any = |addr: Option<IpAddr>| addr.is_none_or(|addr| addr.is_unspecified());
    if existing.local == Some(local) && any(existing.remote) {
        return Ok(());
    }
    let show = |addr: Option<IpAddr>| addr.map_or("<nil>".to_owned(), |addr| addr.to_string());
    let text = format!(
        "{DEV:?} already exists with incompatible attributes: local={} remote={}; recreating device",
        show(existing.local),
        show(existing.remote)
    );
    log.warning(sys, "ipip.go:165", &text);
    link::ask(sys, netns, Request::LinkDel { dev: DEV.to_owned() })
        .map_err(|errno| format!("failed to delete interface: {}", go_text(errno)))?;
    link::ask(sys, netns, Request::LinkAdd(add))
        .map_err(|errno| format!("failed to create ipip interface: {}", go_text(errno)))
}
