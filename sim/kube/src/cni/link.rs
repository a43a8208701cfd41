//! Devices, addresses and routes, as the plugins' netlink library asks for them.

use std::net::IpAddr;

use ipnet::IpNet;
use kernel::dump::{KindInfo, LinkInfo};
use kernel::request::{
    AddrSpec, LinkAdd, LinkChange, LinkKind, Mode, NetnsRef, NextHopSpec, Request, RouteSpec, VethPeer,
};
use kernel::{Errno, Scope};
use packet::{MacAddr, NetnsId};
use world::Sys;

use super::Release;

/// An error number in Go's words.
pub fn go_text(errno: Errno) -> String {
    let text = errno.to_string();
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_lowercase().chain(chars).collect())
}

/// Carries a request out.
///
/// # Errors
/// The kernel's error number; the plugins don't print its text.
pub fn ask(sys: &mut dyn Sys, netns: NetnsId, request: Request) -> Result<(), Errno> {
    sys.request(netns, request).map(drop).map_err(|refusal| refusal.errno)
}

/// The device of that name.
pub fn find(sys: &mut dyn Sys, netns: NetnsId, name: &str) -> Option<LinkInfo> {
    sys.links(netns, Some(name)).into_iter().find(|link| link.name == name)
}

/// The device's MAC address; the netlink library takes one of zeros for none.
pub fn mac(link: &LinkInfo) -> Option<MacAddr> {
    link.address.map(|(mac, _)| mac).filter(|mac| mac.0 != [0; 6])
}

/// The device's MAC address as the plugins print it; empty if it has none.
pub fn mac_text(link: &LinkInfo) -> String {
    mac(link).map_or(String::new(), |mac| mac.to_string())
}

/// Whether it is a bridge.
pub fn is_bridge(link: &LinkInfo) -> bool {
    matches!(link.kind, Some(KindInfo::Bridge(_)))
}

/// Whether it is an end of a veth pair.
pub fn is_veth(link: &LinkInfo) -> bool {
    matches!(link.kind, Some(KindInfo::Veth))
}

/// A device to be made.
pub fn add(name: &str, mtu: Option<u32>, kind: LinkKind) -> LinkAdd {
    LinkAdd { mtu, ..LinkAdd::new(name, kind) }
}

/// Changes a device.
///
/// # Errors
/// The kernel's error number.
pub fn set(sys: &mut dyn Sys, netns: NetnsId, dev: &str, change: LinkChange) -> Result<(), Errno> {
    ask(sys, netns, Request::LinkSet { dev: dev.to_owned(), changes: vec![change] })
}

/// Makes a veth pair: the container's end under the name `ifname` in `container` and the other, up, in `host`;
/// answers the other's name. Plugins: `ip.SetupVeth`.
///
/// # Errors
/// In the plugins' words.
pub fn setup_veth(
    sys: &mut dyn Sys,
    (host, container): (NetnsId, NetnsId),
    ifname: &str,
    mtu: Option<u32>,
    mac: Option<MacAddr>,
    release: Release,
) -> Result<String, String> {
    for _ in 0..10 {
        let peer_name = random_name(sys);
        let peer = VethPeer {
            name: Some(peer_name.clone()),
            netns: Some(NetnsRef::Id(host)),
            mtu,
            ..VethPeer::default()
        };
        let mut veth = add(ifname, mtu, LinkKind::Veth { peer: Box::new(peer) });
        veth.address = mac;
        match ask(sys, container, Request::LinkAdd(veth)) {
            Ok(()) => {
                set(sys, host, &peer_name, LinkChange::Up(true))
                    .map_err(|errno| format!("failed to set {peer_name:?} up: {}", go_text(errno)))?;
                return Ok(peer_name);
            }
            Err(Errno::Exist) if find(sys, container, &peer_name).is_some() => {}
            Err(Errno::Exist) => {
                return Err(match release {
                    Release::V1_1 => format!("container veth name provided ({ifname}) already exists"),
                    Release::V1_9 => format!(
                        "container veth name ({ifname:?}) peer provided ({peer_name:?}) already exists"
                    ),
                });
            }
            Err(errno) => return Err(format!("failed to make veth pair: {}", go_text(errno))),
        }
    }
    Err("failed to find a unique veth name".to_owned())
}

/// `veth` and eight hexadecimal digits.
fn random_name(sys: &mut dyn Sys) -> String {
    let [a, b, c, d, ..] = sys.random().to_be_bytes();
    format!("veth{a:02x}{b:02x}{c:02x}{d:02x}")
}

/// Removes a device, if it is there; answers the addresses that it had.
/// Plugins: `ip.DelLinkByNameAddr`.
///
/// # Errors
/// In the plugins' words.
pub fn delete(sys: &mut dyn Sys, netns: NetnsId, dev: &str) -> Result<Vec<IpNet>, String> {
    let addresses = addresses(sys, netns, dev);
    if find(sys, netns, dev).is_some() {
        ask(sys, netns, Request::LinkDel { dev: dev.to_owned() })
            .map_err(|errno| format!("failed to delete {dev:?}: {}", go_text(errno)))?;
    }
    Ok(addresses)
}

/// Writes a sysctl. A dot of a device's name is written `/`.
///
/// # Errors
/// The kernel's error number.
pub fn sysctl(sys: &mut dyn Sys, netns: NetnsId, key: &str, value: &str) -> Result<(), Errno> {
    ask(sys, netns, Request::Sysctl { key: key.to_owned(), value: value.to_owned() })
}

/// Adds an address; its broadcast address is the subnet's last, as the netlink library fills in.
///
/// # Errors
/// The kernel's error number.
pub fn add_address(sys: &mut dyn Sys, netns: NetnsId, dev: &str, address: IpNet) -> Result<(), Errno> {
    let broadcast = match address {
        IpNet::V4(net) if net.prefix_len() < 31 => Some(IpAddr::V4(net.broadcast())),
        _ => None,
    };
    ask(sys, netns, Request::AddrAdd(AddrSpec { broadcast, ..address_of(dev, address) }, Mode::Add))
}

/// Adds an address unless it is there.
///
/// # Errors
/// The address, its device, and what the kernel says.
pub fn ensure_address(sys: &mut dyn Sys, netns: NetnsId, dev: &str, address: IpNet) -> Result<(), String> {
    match add_address(sys, netns, dev, address) {
        Ok(()) | Err(Errno::Exist) => Ok(()),
        Err(errno) => Err(format!("{address} on {dev}: {}", go_text(errno))),
    }
}

/// Removes an address.
///
/// # Errors
/// The kernel's error number.
pub fn del_address(sys: &mut dyn Sys, netns: NetnsId, dev: &str, address: IpNet) -> Result<(), Errno> {
    ask(sys, netns, Request::AddrDel(address_of(dev, address)))
}

fn address_of(dev: &str, local: IpNet) -> AddrSpec {
    AddrSpec::new(dev, local)
}

/// The IPv4 addresses of a device.
pub fn addresses(sys: &mut dyn Sys, netns: NetnsId, dev: &str) -> Vec<IpNet> {
    let Some(link) = find(sys, netns, dev) else { return Vec::new() };
    let all = sys.kernel().addrs(netns);
    all.into_iter().filter(|info| info.ifindex == link.ifindex).map(|info| info.addr.local).collect()
}

/// A route by a device.
pub fn route(dev: &str, dst: IpNet, via: Option<IpAddr>) -> RouteSpec {
    RouteSpec {
        dst: (dst.prefix_len() > 0).then_some(dst),
        nexthops: vec![NextHopSpec { dev: Some(dev.to_owned()), via, onlink: false, weight: None }],
        ..RouteSpec::default()
    }
}

/// Adds a route.
///
/// # Errors
/// The kernel's error number.
pub fn add_route(sys: &mut dyn Sys, netns: NetnsId, route: RouteSpec) -> Result<(), Errno> {
    ask(sys, netns, Request::RouteAdd(route, Mode::Add))
}

/// Adds a route beside those to the same destination. Netlink library: `RouteAddEcmp`, which asks
/// without `NLM_F_EXCL`.
///
/// # Errors
/// The kernel's error number.
pub fn add_route_ecmp(sys: &mut dyn Sys, netns: NetnsId, route: RouteSpec) -> Result<(), Errno> {
    ask(sys, netns, Request::RouteAdd(route, Mode::Prepend))
}

/// Scope by its number. Kernel: `rt_scope_t`.
pub fn scope(number: i64) -> Option<Scope> {
    u8::try_from(number).ok().map(Scope)
}
