//! The bridge driver: what dockerd asks the kernel for. libnetwork: `drivers/bridge/bridge.go`,
//! `osl/interface_linux.go`.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use kernel::Refusal;
use kernel::request::{
    AddrSpec, LinkAdd, LinkChange, LinkKind, Mode, NetnsRef, NextHopSpec, PortOption, Request, RouteSpec,
    VethPeer,
};
use kernel::{RouteKind, RouteProto, Scope, TableId};
use packet::{MacAddr, NetnsId};
use world::Sys;

use super::rules::Proxy;
use super::state::Network;

/// Docker's MAC address for an IPv4 address: `02:42` and its four bytes.
pub fn mac_of(addr: Ipv4Addr) -> MacAddr {
    let [a, b, c, d] = addr.octets();
    MacAddr([0x02, 0x42, a, b, c, d])
}

fn set(sys: &mut dyn Sys, netns: NetnsId, dev: &str, changes: Vec<LinkChange>) -> Result<(), Refusal> {
    sys.request(netns, Request::LinkSet { dev: dev.to_owned(), changes }).map(|_| ())
}

fn add_address(sys: &mut dyn Sys, netns: NetnsId, dev: &str, addr: Ipv4Net) -> Result<(), Refusal> {
    let spec = AddrSpec {
        broadcast: Some(IpAddr::V4(addr.broadcast())),
        scope: Some(Scope::GLOBAL),
        ..AddrSpec::new(dev, IpNet::V4(addr))
    };
    sys.request(netns, Request::AddrAdd(spec, Mode::Add)).map(|_| ())
}

/// A link with a queue length of 0, as libnetwork asks for.
fn new_link(name: &str, kind: LinkKind) -> LinkAdd {
    LinkAdd { txqueuelen: Some(0), ..LinkAdd::new(name, kind) }
}

/// Writes a sysctl of a namespace.
///
/// # Errors
/// The kernel's refusal.
pub fn sysctl(sys: &mut dyn Sys, netns: NetnsId, key: &str, value: &str) -> Result<(), Refusal> {
    let request = Request::Sysctl { key: key.to_owned(), value: value.to_owned() };
    sys.request(netns, request).map(|_| ())
}

/// Makes a network's bridge, or takes one that is there, gives it its address and turns it on.
///
/// # Errors
/// The kernel's refusal.
pub fn set_up(sys: &mut dyn Sys, network: &Network, proxy: Proxy) -> Result<(), Refusal> {
    let name = &network.bridge;
    if sys.kernel().dev_by_name(NetnsId::INIT, name).is_none() {
        let [.., a, b, c, d] = sys.random().to_be_bytes();
        let mut link = new_link(name, LinkKind::Bridge(Vec::new()));
        link.address = Some(MacAddr([0x02, 0x42, a, b, c, d]));
        sys.request(NetnsId::INIT, Request::LinkAdd(link))?;
    }
    if let (Some(gateway), Some(subnet)) = (network.gateway, network.subnet) {
        let has = sys.kernel().addrs(NetnsId::INIT).iter().any(|info| info.addr.local.addr() == gateway);
        if let (false, Ok(addr)) = (has, Ipv4Net::new(gateway, subnet.prefix_len())) {
            add_address(sys, NetnsId::INIT, name, addr)?;
        }
    }
    if proxy == Proxy::Hairpin {
        sysctl(sys, NetnsId::INIT, &format!("net.ipv4.conf.{}.route_localnet", name.replace('.', "/")), "1")?;
    }
    set(sys, NetnsId::INIT, name, vec![LinkChange::Up(true)])
}

/// Removes a network's bridge.
pub fn tear_down(sys: &mut dyn Sys, network: &Network) {
    let _ = sys.request(NetnsId::INIT, Request::LinkDel { dev: network.bridge.clone() });
}

/// A device of a container.
#[derive(Clone, Debug)]
pub struct Plug<'a> {
    /// The container's namespace.
    pub netns: NetnsId,
    /// Its name there.
    pub device: &'a str,
    /// Its address, with the network's prefix length.
    pub address: Ipv4Net,
    /// Its MAC address.
    pub mac: MacAddr,
    /// The way out, if it is this one.
    pub gateway: Option<Ipv4Addr>,
}

/// Joins a container to a bridge; answers the name of the host's end.
///
/// # Errors
/// The kernel's refusal.
pub fn plug(sys: &mut dyn Sys, network: &Network, plug: &Plug<'_>, proxy: Proxy) -> Result<String, Refusal> {
    let mut end = || format!("veth{:07x}", sys.random() >> 36);
    let (host, inner) = (end(), end());
    let peer = VethPeer {
        name: Some(inner.clone()),
        mtu: Some(network.mtu),
        txqueuelen: Some(0),
        ..VethPeer::default()
    };
    let mut pair = new_link(&host, LinkKind::Veth { peer: Box::new(peer) });
    pair.mtu = Some(network.mtu);
    sys.request(NetnsId::INIT, Request::LinkAdd(pair))?;
    set(sys, NetnsId::INIT, &host, vec![LinkChange::Master(Some(network.bridge.clone()))])?;
    if proxy == Proxy::Hairpin {
        set(sys, NetnsId::INIT, &host, vec![LinkChange::Port(PortOption::Hairpin(true))])?;
    }
    set(sys, NetnsId::INIT, &inner, vec![LinkChange::Netns(NetnsRef::Id(plug.netns))])?;
    set(sys, plug.netns, &inner, vec![LinkChange::Name(plug.device.to_owned())])?;
    set(sys, plug.netns, plug.device, vec![LinkChange::Address(plug.mac)])?;
    add_address(sys, plug.netns, plug.device, plug.address)?;
    set(sys, plug.netns, plug.device, vec![LinkChange::Up(true)])?;
    set(sys, NetnsId::INIT, &host, vec![LinkChange::Up(true)])?;
    if let Some(gateway) = plug.gateway {
        let way = NextHopSpec { via: Some(IpAddr::V4(gateway)), ..NextHopSpec::default() };
        let route = RouteSpec {
            kind: Some(RouteKind::Unicast),
            table: Some(TableId::MAIN),
            proto: Some(RouteProto::BOOT),
            nexthops: vec![way],
            ..RouteSpec::default()
        };
        sys.request(plug.netns, Request::RouteAdd(route, Mode::Add))?;
    }
    Ok(host)
}

/// Takes a container off a bridge.
pub fn unplug(sys: &mut dyn Sys, veth: &str) {
    let _ = sys.request(NetnsId::INIT, Request::LinkDel { dev: veth.to_owned() });
}

/// Turns a new namespace's loopback on.
pub fn loopback(sys: &mut dyn Sys, netns: NetnsId) {
    let _ = set(sys, netns, "lo", vec![LinkChange::Up(true)]);
}
