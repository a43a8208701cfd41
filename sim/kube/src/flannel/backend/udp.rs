use std::net::{IpAddr, SocketAddr};

use ipnet::{IpNet, Ipv4Net};
use kernel::request::{LinkChange, Mode, NextHopSpec, Request, RouteSpec};
use kernel::socket::SocketKind;
use kernel::{Errno, Scope};
use tools::net::flannel_udp::{Proxy, Unreachable};
use world::{Fd, Sys};

use super::super::config::Config as NetworkConfig;
use super::super::iface::ExternalInterface;
use super::super::lease::{Lease, LeaseEvent};
use super::super::log::Log;
use super::super::manager::Manager;
use crate::cni::go_json::Struct;
use crate::cni::{go_text, link};

/// Bytes of the outer headers: IPv4 and UDP.
const OVERHEAD: u32 = 28;

/// `Backend` of the network's configuration.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    port: u16,
    prefix: TunPrefix,
}

/// The prefix length of the TUN device's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TunPrefix {
    /// That of the whole network; the kernel makes the route to it. Before release 0.11.
    Network,
    /// 32; flannel makes the route.
    Host,
}

impl Config {
    /// Reads it.
    ///
    /// # Errors
    /// In flannel's words.
    pub fn parse(config: &NetworkConfig, manager: &Manager) -> Result<Self, String> {
        let wrong = |error| format!("error decoding UDP backend config: {error}");
        let fields = Struct::new(&config.backend, "", "struct { Port int }").map_err(wrong)?;
        let port = fields.int("Port").map_err(wrong)?.unwrap_or(8285);
        let port = u16::try_from(port).map_err(|_| wrong(format!("invalid port {port}")))?;
        let prefix = match manager {
            Manager::Etcd(_) => TunPrefix::Network,
            Manager::Kube(_) => TunPrefix::Host,
        };
        Ok(Self { port, prefix })
    }
}

/// A process that carries packets between a TUN device and UDP.
#[derive(Clone, Debug)]
pub struct Udp {
    proxy: Proxy,
    port: u16,
    mtu: u32,
}

impl Udp {
    /// Opens device and socket. flannel: `newNetwork`.
    ///
    /// # Errors
    /// In flannel's words.
    pub fn start(
        sys: &mut dyn Sys,
        config: Config,
        network: &NetworkConfig,
        iface: &ExternalInterface,
        lease: &Lease,
    ) -> Result<Self, String> {
        let netns = sys.netns();
        let mut names = (0..).map(|number| format!("flannel{number}"));
        let name = names.find(|name| sys.kernel().dev_by_name(netns, name).is_none()).unwrap_or_default();
        let tun = sys
            .open_tun(&name)
            .map_err(|errno| format!("failed to open TUN device: ioctl failed with '{}'", go_text(errno)))?;
        let mtu = iface.mtu.saturating_sub(OVERHEAD);
        let whole = network.network.unwrap_or_default();
        configure(sys, &name, (lease.subnet, whole), config.prefix, mtu)?;
        let listen = SocketAddr::new(IpAddr::V4(iface.addr), config.port);
        let bound = sys.socket(SocketKind::Udp).and_then(|fd| sys.bind(fd, listen).map(|()| fd));
        let socket = bound.map_err(|errno| {
            let why = go_text(errno);
            format!("failed to start listening on UDP socket: listen udp4 {listen}: bind: {why}")
        })?;
        let own = IpAddr::V4(lease.subnet.network());
        let proxy = Proxy { tun, socket, own, routes: Vec::new(), unreachable: Unreachable::Flannel };
        Ok(Self { proxy, port: config.port, mtu })
    }

    /// The MTU of the device and of containers in bytes.
    pub fn mtu(&self) -> u32 {
        self.mtu
    }

    /// What it waits for.
    pub fn fds(&self) -> Vec<Fd> {
        vec![self.proxy.tun, self.proxy.socket]
    }

    /// Carries all packets that wait.
    pub fn carry(&self, sys: &mut dyn Sys) {
        self.proxy.carry(sys);
    }

    /// Does what an event asks for. flannel: `processSubnetEvents`.
    pub fn handle(&mut self, sys: &mut dyn Sys, log: Log, event: &LeaseEvent) {
        let (LeaseEvent::Added(lease) | LeaseEvent::Removed(lease)) = event;
        let net = IpNet::V4(lease.subnet);
        let routes = &mut self.proxy.routes;
        match event {
            LeaseEvent::Added(lease) => {
                log.info(sys, "udp_network_amd64.go:205", &format!("Subnet added: {net}"));
                let node = SocketAddr::new(IpAddr::V4(lease.attrs.public_ip), self.port);
                match routes.iter_mut().find(|(known, _)| *known == net) {
                    Some(route) => route.1 = node,
                    None => routes.push((net, node)),
                }
            }
            LeaseEvent::Removed(_) => {
                log.info(sys, "udp_network_amd64.go:210", &format!("Subnet removed: {net}"));
                routes.retain(|(known, _)| *known != net);
            }
        }
    }
}

/// flannel: `configureIface`.
fn configure(
    sys: &mut dyn Sys,
    dev: &str,
    (subnet, whole): (Ipv4Net, Ipv4Net),
    prefix: TunPrefix,
    mtu: u32,
) -> Result<(), String> {
    let netns = sys.netns();
    let length = match prefix {
        TunPrefix::Network => whole.prefix_len(),
        TunPrefix::Host => 32,
    };
    let addr = Ipv4Net::new(subnet.network(), length).unwrap_or(subnet);
    link::add_address(sys, netns, dev, IpNet::V4(addr))
        .map_err(|errno| format!("failed to add IP address {addr} to {dev}: {}", go_text(errno)))?;
    link::set(sys, netns, dev, LinkChange::Mtu(mtu))
        .map_err(|errno| format!("failed to set MTU for {dev}: {}", go_text(errno)))?;
    link::set(sys, netns, dev, LinkChange::Up(true))
        .map_err(|errno| format!("failed to set interface {dev} to UP state: {}", go_text(errno)))?;
    // The kernel has made the route already, unless the prefix is 32.
    let way = NextHopSpec { dev: Some(dev.to_owned()), via: None, onlink: false, weight: None };
    let route = RouteSpec {
        dst: Some(IpNet::V4(whole)),
        scope: Some(Scope::GLOBAL),
        nexthops: vec![way],
        ..RouteSpec::default()
    };
    match link::ask(sys, netns, Request::RouteAdd(route, Mode::Add)) {
        Ok(()) | Err(Errno::Exist) => Ok(()),
        Err(errno) => Err(format!("failed to add route ({whole} -> {dev}): {}", go_text(errno))),
    }
}
