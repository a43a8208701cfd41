//! `ptp`: a veth pair without a bridge; the node is the gateway. Plugins: `plugins/main/ptp`.

use std::net::IpAddr;

use ipnet::IpNet;
use kernel::request::{Request, RouteSpec};
use kernel::{Errno, Scope};
use packet::NetnsId;
use world::Sys;

use super::call::{Call, find_netns};
use super::check::{check_addresses, check_container_device, check_routes, needed_previous, own_interface};
use super::go_json::{self, Struct};
use super::iptables::Iptables;
use super::link::{self, ask, go_text};
use super::result::{CniResult, Dns, Interface};
use super::{CniError, Plugin, Release, ipam, masquerade};

pub(super) const PLUGIN: Plugin = Plugin { name: "ptp", add, check, del, status: Some(status) };

struct Config {
    network: String,
    ip_masq: bool,
    mtu: Option<u32>,
    ipam: String,
    dns: Dns,
}

impl Config {
    fn load(call: &Call) -> Result<Self, CniError> {
        let failed = |message: String| CniError::from(format!("failed to load netconf: {message}"));
        let value = go_json::parse(&call.stdin).map_err(failed)?;
        let fields = Struct::new(&value, "NetConf", "main.NetConf").map_err(failed)?;
        let mtu = fields.int("mtu").map_err(failed)?.and_then(|mtu| u32::try_from(mtu).ok());
        Ok(Self {
            network: fields.string("name").map_err(failed)?,
            ip_masq: fields.bool("ipMasq").map_err(failed)?.unwrap_or(false),
            mtu: mtu.filter(|&mtu| mtu > 0),
            ipam: fields
                .inner("ipam", "ipam.", "types.IPAM")
                .and_then(|ipam| ipam.string("type"))
                .map_err(failed)?,
            dns: fields.inner("dns", "dns.", "types.DNS").and_then(Dns::from_json).map_err(failed)?,
        })
    }
}

/// One address alone.
fn single(ip: IpAddr) -> IpNet {
    IpNet::from(ip)
}

fn add(sys: &mut dyn Sys, release: Release, call: &Call) -> Result<String, CniError> {
    let config = Config::load(call)?;
    let mut result = ipam::add(sys, &config.ipam, call)?;
    let done = connect(sys, release, call, &config, &mut result);
    if let Err(error) = done {
        // What the IPAM plugin gave goes back; the error that led here counts.
        let _ = ipam::delegate(sys, &config.ipam, "DEL", call);
        return Err(error);
    }
    if !config.dns.is_empty() {
        result.dns = config.dns;
    }
    Ok(result.print(&call.version()?, release)?)
}

fn connect(
    sys: &mut dyn Sys,
    release: Release,
    call: &Call,
    config: &Config,
    result: &mut CniResult,
) -> Result<(), CniError> {
    if result.ips.is_empty() {
        return Err("IPAM plugin returned missing IP config".to_owned().into());
    }
    let host = sys.netns();
    link::sysctl(sys, host, "net.ipv4.ip_forward", "1")
        .map_err(|errno| format!("Could not enable IP forwarding: {}", go_text(errno)))?;
    let container = call.open_netns(sys)?;
    let peer = link::setup_veth(sys, (host, container), &call.ifname, config.mtu, None, release)?;
    result.interfaces =
        vec![Interface::of(sys, host, &peer, ""), Interface::of(sys, container, &call.ifname, &call.netns)];
    for ip in &mut result.ips {
        ip.interface = Some(1);
    }
    ipam::configure(sys, container, &call.ifname, result)?;
    for ip in &result.ips {
        let Some(gateway) = ip.gateway else { continue };
        route_by_gateway(sys, container, &call.ifname, ip.address, gateway)?;
        point_to(sys, host, &peer, ip.address.addr(), gateway)?;
    }
    if config.ip_masq {
        let addresses: Vec<IpNet> = result.ips.iter().map(|ip| ip.address).collect();
        masquerade::setup(
            &mut Iptables { sys, table: "nat" },
            &addresses,
            &config.network,
            &call.container_id,
        )?;
    }
    Ok(())
}

/// Makes the gateway the only neighbour: the subnet is reached through it.
/// Plugins: `setupContainerVeth`.
fn route_by_gateway(
    sys: &mut dyn Sys,
    netns: NetnsId,
    dev: &str,
    address: IpNet,
    gateway: IpAddr,
) -> Result<(), String> {
    let subnet = address.trunc();
    let failed = |verb: &str, dst: IpNet, errno| format!("failed to {verb} route {dst}: {}", go_text(errno));
    let connected = RouteSpec { scope: Some(Scope::NOWHERE), ..link::route(dev, subnet, None) };
    ask(sys, netns, Request::RouteDel(connected)).map_err(|errno| failed("delete", subnet, errno))?;
    let prefsrc = Some(address.addr());
    let to_gateway =
        RouteSpec { scope: Some(Scope::LINK), prefsrc, ..link::route(dev, single(gateway), None) };
    let to_subnet = RouteSpec { prefsrc, ..link::route(dev, subnet, Some(gateway)) };
    for route in [to_gateway, to_subnet] {
        let dst = route.dst.unwrap_or(subnet);
        link::add_route(sys, netns, route).map_err(|errno| failed("add", dst, errno))?;
    }
    Ok(())
}

/// The host's end: the gateway's address, and a route to the container. Plugins: `setupHostVeth`.
fn point_to(
    sys: &mut dyn Sys,
    host: NetnsId,
    dev: &str,
    container: IpAddr,
    gateway: IpAddr,
) -> Result<(), String> {
    link::add_address(sys, host, dev, single(gateway)).map_err(|errno| {
        format!("failed to add IP addr ({}) to veth: {}", single(gateway), go_text(errno))
    })?;
    let route = RouteSpec { scope: Some(Scope::HOST), ..link::route(dev, single(container), None) };
    match link::add_route(sys, host, route) {
        Ok(()) | Err(Errno::Exist) => Ok(()),
        Err(errno) => Err(format!("failed to add route on host: {}", go_text(errno))),
    }
}

fn del(sys: &mut dyn Sys, release: Release, call: &Call) -> Result<String, CniError> {
    let config = Config::load(call)?;
    ipam::delegate(sys, &config.ipam, "DEL", call)?;
    let Some(container) = find_netns(sys, &call.netns) else { return Ok(String::new()) };
    let addresses = link::delete(sys, container, &call.ifname)?;
    if config.ip_masq && !addresses.is_empty() {
        let nat = &mut Iptables { sys, table: "nat" };
        masquerade::teardown(nat, &addresses, &config.network, &call.container_id, release.not_exist())?;
    }
    Ok(String::new())
}

fn check(sys: &mut dyn Sys, _: Release, call: &Call) -> Result<String, CniError> {
    let config = Config::load(call)?;
    let container = call.open_netns(sys)?;
    ipam::delegate(sys, &config.ipam, "CHECK", call)?;
    let result = needed_previous(call, "ptp: Required prevResult missing")?;
    let own = own_interface(&result, call)?;
    check_container_device(sys, container, &own, "ptp: ")?;
    check_addresses(sys, container, &call.ifname, &result.ips)?;
    check_routes(sys, container, &result.routes)?;
    Ok(String::new())
}

fn status(sys: &mut dyn Sys, _: Release, call: &Call) -> Result<String, CniError> {
    let config = Config::load(call)?;
    ipam::delegate(sys, &config.ipam, "STATUS", call)
}
