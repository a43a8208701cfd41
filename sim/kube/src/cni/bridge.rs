//! `bridge`: a veth pair whose host end is a port of a bridge. Plugins: `plugins/main/bridge`.

use std::net::IpAddr;

use ipnet::IpNet;
use kernel::Errno;
use kernel::dump::LinkInfo;
use kernel::request::{LinkChange, LinkKind, PortOption, Request};
use packet::{MacAddr, NetnsId};
use world::Sys;

use super::call::{Call, find_netns};
use super::check::{check_addresses, check_container_device, check_routes, needed_previous, own_interface};
use super::go_json::{self, Struct};
use super::ip_range::next_ip;
use super::iptables::Iptables;
use super::link::{self, ask, go_text};
use super::result::{CniResult, Dns, Interface, Route};
use super::{CniError, Plugin, Release, ipam, masquerade};

pub(super) const PLUGIN: Plugin = Plugin { name: "bridge", add, check, del, status: Some(status) };

/// The configuration.
struct Config {
    network: String,
    bridge: String,
    is_gateway: bool,
    is_default_gateway: bool,
    force_address: bool,
    ip_masq: bool,
    mtu: Option<u32>,
    hairpin: bool,
    promisc: bool,
    isolated: bool,
    no_container_interface: bool,
    mac: Option<MacAddr>,
    /// The IPAM plugin; empty for a port without addresses.
    ipam: String,
    dns: Dns,
}

impl Config {
    /// Plugins: `loadNetConf`.
    fn load(call: &Call, release: Release) -> Result<Self, CniError> {
        let failed = |message: String| CniError::from(format!("failed to load netconf: {message}"));
        let value = go_json::parse(&call.stdin).map_err(failed)?;
        let fields = Struct::new(&value, "NetConf", "main.NetConf").map_err(failed)?;
        let flag = |key: &str| fields.bool(key).map(Option::unwrap_or_default).map_err(failed);
        let vlan = fields.int("vlan").map_err(failed)?.unwrap_or(0);
        if !(0..=4094).contains(&vlan) {
            return Err(format!("invalid VLAN ID {vlan} (must be between 0 and 4094)").into());
        }
        for (key, asked) in [("vlan", vlan != 0), ("vlanTrunk", fields.get("vlanTrunk").is_some())] {
            if asked {
                return Err(format!("bridge: `{key}` is not simulated").into());
            }
        }
        if flag("macspoofchk")? {
            return Err("bridge: `macspoofchk` is not simulated".to_owned().into());
        }
        let args = call.load_args(&["MAC"])?;
        let asked_mac = |outer: &str, path: &'static str| -> Result<String, CniError> {
            let inner = fields.inner(outer, path, "struct").map_err(failed)?;
            let inner =
                if outer == "args" { inner.inner("cni", path, "struct").map_err(failed)? } else { inner };
            inner.string("mac").map_err(failed)
        };
        let from_env = args.into_iter().map(|(_, mac)| mac).next_back().unwrap_or_default();
        let macs = [asked_mac("runtimeConfig", "runtimeConfig.")?, asked_mac("args", "args.cni.")?, from_env];
        let mac = macs.into_iter().find(|mac| !mac.is_empty());
        let mac = mac.map(|mac| mac.parse().map_err(|_| format!("address {mac}: invalid MAC address")));
        let bridge = fields.string("bridge").map_err(failed)?;
        let config = Self {
            network: fields.string("name").map_err(failed)?,
            bridge: if bridge.is_empty() { "cni0".to_owned() } else { bridge },
            is_default_gateway: flag("isDefaultGateway")?,
            is_gateway: flag("isGateway")? || flag("isDefaultGateway")?,
            force_address: flag("forceAddress")?,
            ip_masq: flag("ipMasq")?,
            mtu: fields
                .int("mtu")
                .map_err(failed)?
                .and_then(|mtu| u32::try_from(mtu).ok())
                .filter(|&mtu| mtu > 0),
            hairpin: flag("hairpinMode")?,
            promisc: flag("promiscMode")?,
            isolated: flag("portIsolation")?,
            no_container_interface: flag("disableContainerInterface")?,
            mac: mac.transpose()?,
            ipam: fields
                .inner("ipam", "ipam.", "types.IPAM")
                .and_then(|ipam| ipam.string("type"))
                .map_err(failed)?,
            dns: fields.inner("dns", "dns.", "types.DNS").and_then(Dns::from_json).map_err(failed)?,
        };
        if call.command == "ADD" && config.hairpin && config.promisc {
            let full_stop = if release == Release::V1_1 { "." } else { "" };
            let why = "cannot set hairpin mode and promiscuous mode at the same time";
            return Err(format!("{why}{full_stop}").into());
        }
        Ok(config)
    }
}

fn add(sys: &mut dyn Sys, release: Release, call: &Call) -> Result<String, CniError> {
    let config = Config::load(call, release)?;
    if !config.ipam.is_empty() && config.no_container_interface {
        return Err("cannot use IPAM when DisableContainerInterface flag is set".to_owned().into());
    }
    let host = sys.netns();
    let bridge = ensure_bridge(sys, host, &config)
        .map_err(|message| format!("failed to create bridge {:?}: {message}", config.bridge))?;
    let container = call.open_netns(sys)?;
    let port = setup_port(sys, (host, container), &config, &call.ifname, release)?;
    let interfaces = vec![
        Interface::of(sys, host, &config.bridge, ""),
        Interface::of(sys, host, &port, ""),
        Interface::of(sys, container, &call.ifname, &call.netns),
    ];
    let mut result = CniResult { interfaces, ..CniResult::default() };
    if !config.ipam.is_empty() {
        let done = address(sys, release, call, &config, (host, container), &bridge, &mut result);
        if let Err(error) = done {
            // What the IPAM plugin gave goes back; the error that led here counts.
            let _ = ipam::delegate(sys, &config.ipam, "DEL", call);
            return Err(error);
        }
    } else if !config.no_container_interface {
        link::set(sys, container, &call.ifname, LinkChange::Up(true))
            .map_err(|errno| format!("failed to set {:?} up: {}", call.ifname, go_text(errno)))?;
    }
    // Simplified: the real plugin looks five times in 2.5 s whether the port is up.
    let port_link = link::find(sys, host, &port);
    let state = port_link.as_ref().map_or("not-present".to_owned(), |link| link.operstate.to_lowercase());
    if state != "up" && !config.no_container_interface {
        return Err(format!("bridge port in error state: {state}").into());
    }
    // The port's and the bridge's address may have changed meanwhile.
    for (index, name) in [&config.bridge, &port].into_iter().enumerate() {
        let found = link::find(sys, host, name);
        if let (Some(interface), Some(found)) = (result.interfaces.get_mut(index), found) {
            interface.mac = link::mac_text(&found);
        }
    }
    if !config.dns.is_empty() {
        result.dns = config.dns;
    }
    Ok(result.print(&call.version()?, release)?)
}

/// Makes the bridge unless it is there; answers what it then is. Plugins: `ensureBridge`.
fn ensure_bridge(sys: &mut dyn Sys, host: NetnsId, config: &Config) -> Result<LinkInfo, String> {
    let name = &config.bridge;
    let bridge = link::add(name, config.mtu, LinkKind::Bridge(Vec::new()));
    match ask(sys, host, Request::LinkAdd(bridge)) {
        Ok(()) | Err(Errno::Exist) => {}
        Err(errno) => return Err(format!("could not add {name:?}: {}", go_text(errno))),
    }
    if config.promisc {
        link::set(sys, host, name, LinkChange::Promisc(true))
            .map_err(|errno| format!("could not set promiscuous mode on {name:?}: {}", go_text(errno)))?;
    }
    let found =
        link::find(sys, host, name).ok_or_else(|| format!("could not lookup {name:?}: Link not found"))?;
    if !link::is_bridge(&found) {
        return Err(format!("{name:?} already exists but is not a bridge"));
    }
    link::set(sys, host, name, LinkChange::Up(true)).map_err(go_text)?;
    Ok(found)
}

/// Makes the pair and puts its host end into the bridge; answers that end's name.
/// Plugins: `setupVeth`.
fn setup_port(
    sys: &mut dyn Sys,
    (host, container): (NetnsId, NetnsId),
    config: &Config,
    ifname: &str,
    release: Release,
) -> Result<String, String> {
    let port = link::setup_veth(sys, (host, container), ifname, config.mtu, config.mac, release)?;
    let bridge = &config.bridge;
    link::set(sys, host, &port, LinkChange::Master(Some(bridge.clone())))
        .map_err(|errno| format!("failed to connect {port:?} to bridge {bridge}: {}", go_text(errno)))?;
    link::set(sys, host, &port, LinkChange::Port(PortOption::Hairpin(config.hairpin)))
        .map_err(|errno| format!("failed to setup hairpin mode for {port}: {}", go_text(errno)))?;
    if config.isolated {
        link::set(sys, host, &port, LinkChange::Port(PortOption::Isolated(true)))
            .map_err(|errno| format!("failed to set isolated on for {port}: {}", go_text(errno)))?;
    }
    Ok(port)
}

/// Asks the IPAM plugin for addresses and configures container, bridge and masquerading.
fn address(
    sys: &mut dyn Sys,
    release: Release,
    call: &Call,
    config: &Config,
    (host, container): (NetnsId, NetnsId),
    bridge: &LinkInfo,
    result: &mut CniResult,
) -> Result<(), CniError> {
    let given = ipam::add(sys, &config.ipam, call)?;
    if given.ips.is_empty() {
        return Err("IPAM plugin returned missing IP config".to_owned().into());
    }
    (result.ips, result.routes, result.dns) = (given.ips, given.routes, given.dns);
    let gateways = gateways(config, result);
    if release == Release::V1_9 {
        let key = format!("net.ipv4.conf.{}.arp_notify", call.ifname.replace('.', "/"));
        // The plugin doesn't look whether it worked.
        let _ = link::sysctl(sys, container, &key, "1");
    }
    ipam::configure(sys, container, &call.ifname, result)?;
    for gateway in &gateways {
        ensure_address(sys, host, config, bridge, *gateway)
            .map_err(|message| format!("failed to set bridge addr: {message}"))?;
    }
    if gateways.iter().any(|gateway| gateway.addr().is_ipv4()) {
        link::sysctl(sys, host, "net.ipv4.ip_forward", "1")
            .map_err(|errno| format!("failed to enable forwarding: {}", go_text(errno)))?;
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

/// The bridge's addresses as gateways; adds a default route where it is wanted.
/// Plugins: `calcGateways`.
fn gateways(config: &Config, result: &mut CniResult) -> Vec<IpNet> {
    let mut gateways = Vec::new();
    let CniResult { ips, routes, .. } = result;
    for ip in ips {
        ip.interface = Some(2);
        if config.is_gateway && ip.gateway.is_none() {
            ip.gateway = Some(next_ip(ip.address.network()));
        }
        let Some(gateway) = ip.gateway else { continue };
        let everything = match gateway {
            IpAddr::V4(_) => IpNet::new_assert(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0),
            IpAddr::V6(_) => IpNet::new_assert(IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED), 0),
        };
        let has_default = routes.iter().any(|route| route.gw.is_some() && route.dst == everything);
        if config.is_default_gateway && !has_default {
            routes.push(Route::to(everything, Some(gateway)));
        }
        if config.is_gateway {
            gateways.push(IpNet::new_assert(gateway, ip.address.prefix_len()));
        }
    }
    gateways
}

/// Gives the bridge an address, and pins its MAC address to the one that it had when the plugin
/// found it; otherwise it would change with its ports. Plugins: `ensureAddr`.
fn ensure_address(
    sys: &mut dyn Sys,
    host: NetnsId,
    config: &Config,
    bridge: &LinkInfo,
    address: IpNet,
) -> Result<(), String> {
    let name = &config.bridge;
    for other in link::addresses(sys, host, name) {
        if other == address {
            return Ok(());
        }
        if other.addr().is_ipv4() != address.addr().is_ipv4() {
            continue;
        }
        if !config.force_address {
            return Err(format!("{name:?} already has an IP address different from {address}"));
        }
        link::del_address(sys, host, name, other)
            .map_err(|errno| format!("could not remove IP address from {name:?}: {}", go_text(errno)))?;
    }
    match link::add_address(sys, host, name, address) {
        Ok(()) | Err(Errno::Exist) => {}
        Err(errno) => {
            return Err(format!("could not add IP address {address} to {name:?}: {}", go_text(errno)));
        }
    }
    // Without an address there is nothing to send, which the kernel takes for a malformed request.
    let set = match link::mac(bridge) {
        Some(mac) => link::set(sys, host, name, LinkChange::Address(mac)),
        None => Err(Errno::Inval),
    };
    set.map_err(|errno| format!("could not set bridge's mac: {}", go_text(errno)))
}

fn del(sys: &mut dyn Sys, release: Release, call: &Call) -> Result<String, CniError> {
    let config = Config::load(call, release)?;
    let release_address = |sys: &mut dyn Sys| match config.ipam.as_str() {
        "" => Ok(String::new()),
        plugin => ipam::delegate(sys, plugin, "DEL", call),
    };
    let Some(container) = find_netns(sys, &call.netns) else {
        release_address(sys)?;
        return Ok(String::new());
    };
    let addresses = link::delete(sys, container, &call.ifname)?;
    release_address(sys)?;
    if !config.ipam.is_empty() && config.ip_masq {
        let nat = &mut Iptables { sys, table: "nat" };
        masquerade::teardown(nat, &addresses, &config.network, &call.container_id, release.not_exist())?;
    }
    Ok(String::new())
}

fn check(sys: &mut dyn Sys, release: Release, call: &Call) -> Result<String, CniError> {
    let config = Config::load(call, release)?;
    let container = call.open_netns(sys)?;
    ipam::delegate(sys, &config.ipam, "CHECK", call)?;
    let result = needed_previous(call, "Required prevResult missing")?;
    let bridge = result.interfaces.iter().find(|interface| interface.name == config.bridge);
    let bridge = bridge.cloned().unwrap_or_default();
    check_bridge(sys, &config, &bridge)?;
    let own = own_interface(&result, call)?;
    let device = check_container_device(sys, container, &own, "")?;
    let mut found = false;
    for interface in &result.interfaces {
        if interface.name != bridge.name && interface.name != own.name && !found {
            found = check_port(sys, &config, interface, &device)?;
        }
    }
    if !found {
        return Err(format!("CNI veth created for bridge {} was not found", config.bridge).into());
    }
    check_addresses(sys, container, &call.ifname, &result.ips)?;
    check_routes(sys, container, &result.routes)?;
    Ok(String::new())
}

/// A device of the previous result that must be on the host. Plugins: `validateInterface`.
fn on_host(sys: &mut dyn Sys, interface: &Interface) -> Result<LinkInfo, String> {
    let name = &interface.name;
    if name.is_empty() {
        return Err("Interface name missing ".to_owned());
    }
    let host = sys.netns();
    let found = link::find(sys, host, name).ok_or_else(|| format!("Interface name {name} not found"))?;
    if !interface.sandbox.is_empty() {
        return Err(format!("Interface {name} should not be in sandbox"));
    }
    Ok(found)
}

/// Plugins: `validateCniBrInterface`.
fn check_bridge(sys: &mut dyn Sys, config: &Config, bridge: &Interface) -> Result<(), String> {
    const IFF_PROMISC: u32 = 0x100;
    let found = on_host(sys, bridge)?;
    let Interface { name, mac, .. } = bridge;
    if !link::is_bridge(&found) {
        return Err(format!("Interface {name} does not have link type of bridge"));
    }
    if !mac.is_empty() && *mac != link::mac_text(&found) {
        return Err(format!("Bridge interface {name} Mac doesn't match: {mac}"));
    }
    let promisc = found.promiscuity > 0 || found.flags & IFF_PROMISC != 0;
    if promisc != config.promisc {
        return Err(format!(
            "Bridge interface {name} configured Promisc Mode {} doesn't match current state: {promisc} ",
            config.promisc
        ));
    }
    Ok(())
}

/// Whether the device is the container's other end and in the bridge; other devices are not the
/// plugin's. Plugins: `validateCniVethInterface`.
fn check_port(
    sys: &mut dyn Sys,
    config: &Config,
    interface: &Interface,
    device: &LinkInfo,
) -> Result<bool, String> {
    let found = on_host(sys, interface)?;
    let is_pair = Some(found.ifindex) == device.link && found.link == Some(device.ifindex);
    if !link::is_veth(&found) || !is_pair || found.master.as_ref() != Some(&config.bridge) {
        return Ok(false);
    }
    let Interface { name, mac, .. } = interface;
    if !mac.is_empty() && *mac != link::mac_text(&found) {
        return Err(format!("Interface {name} Mac doesn't match: {mac} not found"));
    }
    Ok(true)
}

fn status(sys: &mut dyn Sys, release: Release, call: &Call) -> Result<String, CniError> {
    let config = Config::load(call, release)?;
    match config.ipam.as_str() {
        "" => Ok(String::new()),
        plugin => ipam::delegate(sys, plugin, "STATUS", call),
    }
}
