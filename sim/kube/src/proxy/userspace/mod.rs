//! The userspace mode of kube-proxy 1.9: a port of the node for each port of a Service, at which the
//! proxy itself takes connections and passes them on.

mod balancer;
mod portals;
mod tcp;
mod udp;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use kernel::Errno;
use packet::SimTime;
use tools::net::relay::Relay;
use world::{Fd, Sys, Wait};

use super::daemon::{node, ports::listen};
use super::iptables::Ensure;
use super::{Family, Protocol, ProxyConfig, ServicePort, ServicePortName, Tracker};
use crate::cni::go_text;
use crate::time::klog;
use balancer::Balancer;
use portals::{CHAINS, Listening, Portal, foundation};
use tcp::TcpProxy;
use udp::UdpProxy;

/// A proxier of the userspace mode, with its sockets. Kubernetes: `pkg/proxy/userspace`, `Proxier`.
#[derive(Clone, Debug)]
pub struct Userspace {
    config: Arc<ProxyConfig>,
    /// The objects that it watches.
    pub tracker: Tracker,
    balancer: Balancer,
    services: BTreeMap<ServicePortName, Proxied>,
    /// Ports of the node that are held for a Service, so that nobody else takes them.
    claims: BTreeMap<Claim, (ServicePortName, Fd)>,
    relays: Vec<Relay>,
    /// When all rules are looked after again; before the first turn never.
    next_sync: Option<SimTime>,
}

/// An address, if not all of the node's, a port, and its protocol.
type Claim = (Option<IpAddr>, u16, Protocol);

/// A Service's port, and the node's port at which it is served.
#[derive(Clone, Debug)]
struct Proxied {
    port: ServicePort,
    proxy_port: u16,
    proxy: Proxy,
}

#[derive(Clone, Debug)]
enum Proxy {
    Tcp(TcpProxy),
    Udp(UdpProxy),
}

impl Proxied {
    /// Whether another version of the port needs no new socket. Kubernetes: `sameConfig`.
    fn serves(&self, other: &ServicePort) -> bool {
        let what = |port: &ServicePort| {
            let addresses = (port.cluster_ip, port.external_ips.clone(), port.balancer_ips.clone());
            (port.name.clone(), port.port, port.node_port, addresses, port.affinity.is_some())
        };
        what(&self.port) == what(other)
    }
}

impl Userspace {
    /// One that has done nothing yet.
    pub fn new(config: Arc<ProxyConfig>) -> Self {
        Self {
            tracker: Tracker::new(Family::Ipv4, config.profile, &config.node_name),
            config,
            balancer: Balancer::default(),
            services: BTreeMap::new(),
            claims: BTreeMap::new(),
            relays: Vec::new(),
            next_sync: None,
        }
    }

    /// Takes up what changed and what came.
    pub fn turn(&mut self, sys: &mut dyn Sys) -> Wait {
        let now = sys.now();
        match self.next_sync {
            None => {
                ensure(sys, &foundation());
                // The ports of an earlier process are gone.
                CHAINS.iter().for_each(|(table, chain)| node::flush(sys, table, chain));
            }
            Some(at) if now >= at => {
                ensure(sys, &foundation());
                for name in self.services.keys().cloned().collect::<Vec<_>>() {
                    self.open_portals(sys, &name);
                }
                self.balancer.forget_clients(now);
            }
            Some(_) => {}
        }
        if self.next_sync.is_none_or(|at| now >= at) {
            self.next_sync = Some(now + self.config.sync_period);
        }
        if self.tracker.is_pending() {
            self.tracker.apply();
            self.take_up(sys);
        }
        for (name, proxied) in &mut self.services {
            match &mut proxied.proxy {
                Proxy::Tcp(tcp) => self.relays.extend(tcp.turn(sys, name, &mut self.balancer)),
                Proxy::Udp(udp) => udp.turn(sys, name, &mut self.balancer),
            }
        }
        self.relays.retain_mut(|relay| relay.turn(sys));
        self.wait()
    }

    fn wait(&self) -> Wait {
        let mut fds: Vec<Fd> = self.relays.iter().flat_map(Relay::fds).collect();
        let mut until = self.next_sync;
        for proxied in self.services.values() {
            let next = match &proxied.proxy {
                Proxy::Tcp(tcp) => {
                    fds.extend(tcp.fds());
                    tcp.until()
                }
                Proxy::Udp(udp) => {
                    fds.extend(udp.fds());
                    udp.until()
                }
            };
            until = until.into_iter().chain(next).min();
        }
        Wait { fds, until, ..Wait::default() }
    }

    /// Opens what is new, closes what is gone. Kubernetes: `mergeService`, `unmergeService`.
    fn take_up(&mut self, sys: &mut dyn Sys) {
        let wanted: BTreeMap<ServicePortName, ServicePort> =
            self.tracker.ports().map(|port| (port.name.clone(), port.clone())).collect();
        let served = |name: &ServicePortName, proxied: &Proxied| {
            wanted.get(name).is_some_and(|port| proxied.serves(port))
        };
        let gone = self.services.iter().filter(|(name, proxied)| !served(name, proxied));
        for name in gone.map(|(name, _)| name.clone()).collect::<Vec<_>>() {
            self.close(sys, &name, !wanted.contains_key(&name));
        }
        for (name, port) in wanted {
            if !self.services.contains_key(&name) {
                self.open(sys, port);
            }
            let endpoints = self.tracker.endpoints(&name).iter().map(|endpoint| endpoint.address).collect();
            self.balancer.set_endpoints(&name, endpoints, &mut || sys.random());
        }
    }

    /// Listens for a Service's port, and leads its traffic there.
    fn open(&mut self, sys: &mut dyn Sys, port: ServicePort) {
        let name = port.name.clone();
        let at = SocketAddr::new(self.config.bind_address, self.free_port(sys));
        let opened = listen(sys, port.name.protocol, at);
        let opened = opened.and_then(|fd| Ok((fd, sys.local_addr(fd).ok_or(Errno::Inval)?)));
        let (fd, proxy_port) = match opened {
            Ok((fd, local)) => (fd, local.port()),
            Err(errno) => {
                let error = format!("listen {} {at}: bind: {}", port.name.protocol.name(), go_text(errno));
                complain(sys, &format!("Failed to start proxy for {:?}: {error}", name.text()));
                return;
            }
        };
        let proxy = match port.name.protocol {
            Protocol::Udp => Proxy::Udp(UdpProxy::new(fd, self.config.udp_idle_timeout)),
            Protocol::Tcp | Protocol::Sctp => Proxy::Tcp(TcpProxy::new(fd)),
        };
        self.balancer.set_service(&name, port.affinity);
        self.services.insert(name.clone(), Proxied { port, proxy_port, proxy });
        self.open_portals(sys, &name);
    }

    /// A port of the range from which the proxy takes its own; 0, and the kernel chooses, if there
    /// is no range. Kubernetes: `PortAllocator`.
    fn free_port(&self, sys: &mut dyn Sys) -> u16 {
        let Some((first, last)) = self.config.port_range else { return 0 };
        let span = u64::from(last.saturating_sub(first)) + 1;
        let start = sys.random() % span;
        let taken = |port: u16| self.services.values().any(|proxied| proxied.proxy_port == port);
        let ports = (0..span).filter_map(|step| u16::try_from((start + step) % span).ok());
        ports.map(|step| first.saturating_add(step)).find(|port| !taken(*port)).unwrap_or(0)
    }

    fn portal<'a>(&self, proxied: &'a Proxied) -> Portal<'a> {
        let host_ip = self.config.node_ip(Family::Ipv4).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let listening = Listening { ip: self.config.bind_address, host_ip };
        Portal { port: &proxied.port, proxy_port: proxied.proxy_port, listening }
    }

    /// Claims the node's own ports and makes the rules; the first that fails ends it.
    /// Kubernetes: `openPortal`.
    fn open_portals(&mut self, sys: &mut dyn Sys, name: &ServicePortName) {
        let Some(proxied) = self.services.get(name).cloned() else { return };
        for (claim, rules) in self.steps(sys, &proxied) {
            if let Some(claim) = claim
                && let Err(why) = self.claim(sys, name, claim)
            {
                complain(sys, &format!("Failed to open portal for {:?}: {why}", name.text()));
                return;
            }
            ensure(sys, &rules);
        }
    }

    /// The rules of a Service's port, each with the node's port that has to be held for it.
    fn steps(&self, sys: &dyn Sys, proxied: &Proxied) -> Vec<(Option<Claim>, Vec<Ensure>)> {
        let (port, portal) = (&proxied.port, self.portal(proxied));
        let own: Vec<IpAddr> =
            sys.kernel().addrs(sys.netns()).into_iter().map(|addr| addr.addr.local.addr()).collect();
        let protocol = port.name.protocol;
        let claim = |ip: &IpAddr| own.contains(ip).then_some((Some(*ip), port.port, protocol));
        let mut steps = vec![(claim(&port.cluster_ip), portal.inner(port.cluster_ip))];
        steps.extend(port.external_ips.iter().map(|ip| (claim(ip), portal.external(*ip))));
        steps.extend(port.balancer_ips.iter().map(|ip| (claim(ip), portal.inner(*ip))));
        let node_port = port.node_port;
        steps.extend(node_port.map(|number| (Some((None, number, protocol)), portal.node_port(number))));
        steps
    }

    /// Holds a port of the node for a Service. Kubernetes: `claimNodePort`.
    fn claim(&mut self, sys: &mut dyn Sys, name: &ServicePortName, claim: Claim) -> Result<(), String> {
        let (ip, number, protocol) = claim;
        let text = || {
            let ip = ip.map_or("<nil>".to_owned(), |ip| ip.to_string());
            format!("{ip}:{number}/{}", protocol.name().to_uppercase())
        };
        match self.claims.get(&claim) {
            Some((owner, _)) if owner == name => Ok(()),
            Some((owner, _)) => Err(format!("Port conflict detected on port {}.  {name} vs {owner}", text())),
            None => {
                let at = SocketAddr::new(ip.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), number);
                let fd = listen(sys, protocol, at).map_err(|errno| {
                    let error = format!("listen {} :{number}: bind: {}", protocol.name(), go_text(errno));
                    format!("can't open node port for {}: {error}", text())
                })?;
                self.claims.insert(claim, (name.clone(), fd));
                Ok(())
            }
        }
    }

    /// Stops serving a port; connections that stand stay.
    fn close(&mut self, sys: &mut dyn Sys, name: &ServicePortName, is_gone: bool) {
        let Some(proxied) = self.services.remove(name) else { return };
        for (_, rules) in self.steps(sys, &proxied) {
            rules.iter().for_each(|rule| node::delete(sys, rule));
        }
        self.claims.retain(|_, (owner, fd)| {
            if owner == name {
                sys.close(*fd);
            }
            owner != name
        });
        match &proxied.proxy {
            Proxy::Tcp(tcp) => tcp.close(sys),
            Proxy::Udp(udp) => udp.close(sys),
        }
        if is_gone {
            self.balancer.remove_service(name);
            if name.protocol == Protocol::Udp {
                let ip = proxied.port.cluster_ip;
                node::run_quietly(sys, &format!("conntrack -D --orig-dst {ip} -p udp"));
            }
        }
    }
}

fn complain(sys: &mut dyn Sys, text: &str) {
    klog(sys, 'E', "proxier.go", text);
}

fn ensure(sys: &mut dyn Sys, wanted: &[Ensure]) {
    for each in wanted {
        if let Err(rejected) = node::ensure(sys, each) {
            complain(sys, &format!("Failed to ensure iptables: {}", rejected.message));
        }
    }
}
