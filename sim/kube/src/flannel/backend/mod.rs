//! How packets get from a node to another one: what a backend programs for each lease.

mod aws_vpc;
mod ipip;
mod route_network;
mod udp;
mod vxlan;

use packet::SimTime;
use world::{Sys, Wait};

use super::config::Config;
use super::iface::ExternalInterface;
use super::lease::{Lease, LeaseAttrs, LeaseEvent};
use super::log::Log;
use super::manager::Manager;
use ipip::Ipip;
use route_network::RouteNetwork;
use udp::Udp;
use vxlan::Vxlan;

/// Backends of flannel that are not simulated.
const FOREIGN: &[&str] = &["wireguard", "ipsec", "extension", "tencent-vpc", "ali-vpc", "gce"];

/// A backend before it has a lease.
#[derive(Clone, Debug)]
pub enum Backend {
    /// Gives parts to nodes, no more.
    Alloc,
    /// A process carries packets between a TUN device and UDP.
    Udp(udp::Config),
    /// The kernel wraps frames into UDP.
    Vxlan(vxlan::Prepared),
    /// Routes to the other nodes.
    HostGw,
    /// The kernel wraps packets into packets.
    Ipip(ipip::Config),
    /// The VPC's router knows which node has which part.
    AwsVpc(aws_vpc::Config),
}

/// A backend with its lease.
#[derive(Clone, Debug)]
pub enum Network {
    /// [`Backend::Alloc`] and [`Backend::AwsVpc`].
    Alloc {
        /// The interface's MTU.
        mtu: u32,
    },
    /// [`Backend::Udp`].
    Udp(Udp),
    /// [`Backend::Vxlan`].
    Vxlan(Vxlan),
    /// [`Backend::HostGw`] and [`Backend::Ipip`].
    Routes(RouteNetwork),
}

impl Backend {
    /// The backend of that type.
    ///
    /// # Errors
    /// Place and text of what is logged before flanneld ends.
    pub fn find(
        sys: &mut dyn Sys,
        log: Log,
        config: &Config,
        iface: &ExternalInterface,
        manager: &Manager,
    ) -> Result<Self, (&'static str, String)> {
        let fetching = |error: &str| ("main.go:376", format!("Error fetching backend: {error}"));
        let registering = |error: String| ("main.go:384", format!("Error registering network: {error}"));
        match config.backend_type.to_lowercase().as_str() {
            "alloc" => Ok(Self::Alloc),
            "udp" => udp::Config::parse(config, manager).map(Self::Udp).map_err(registering),
            "vxlan" => vxlan::prepare(sys, log, config, iface, manager).map(Self::Vxlan).map_err(registering),
            "host-gw" if iface.addr != iface.ext_addr => Err(fetching(
                "your PublicIP differs from interface IP, meaning that probably you're on a NAT, which is not \
                 supported by host-gw backend",
            )),
            "host-gw" => Ok(Self::HostGw),
            "ipip" => ipip::Config::parse(sys, log, config).map(Self::Ipip).map_err(registering),
            "aws-vpc" => aws_vpc::Config::parse(config).map(Self::AwsVpc).map_err(registering),
            kind if FOREIGN.contains(&kind) => {
                Err(("main.go:376", format!("hoplab: flannel's {kind} backend is not simulated")))
            }
            kind => Err(fetching(&format!("unknown backend type: {kind}"))),
        }
    }

    /// What the other nodes have to know.
    pub fn attrs(&self, iface: &ExternalInterface) -> LeaseAttrs {
        let attrs = |kind| LeaseAttrs::new(iface.ext_addr, kind);
        match self {
            Self::Alloc | Self::Udp(_) | Self::AwsVpc(_) => attrs(""),
            Self::Vxlan(prepared) => prepared.attrs(iface.ext_addr),
            Self::HostGw => attrs("host-gw"),
            Self::Ipip(_) => attrs("ipip"),
        }
    }

    /// Sets up what the lease needs.
    ///
    /// # Errors
    /// In flannel's words.
    pub fn start(
        &self,
        sys: &mut dyn Sys,
        log: Log,
        config: &Config,
        iface: &ExternalInterface,
        lease: &Lease,
    ) -> Result<Network, String> {
        match self {
            Self::Alloc => Ok(Network::Alloc { mtu: iface.mtu }),
            Self::Udp(udp) => Udp::start(sys, *udp, config, iface, lease).map(Network::Udp),
            Self::Vxlan(prepared) => prepared.start(sys, log, config, iface, lease).map(Network::Vxlan),
            Self::HostGw => Ok(Network::Routes(RouteNetwork::host_gw(sys, iface))),
            Self::Ipip(ipip) => Ipip::start(sys, log, *ipip, config, iface, lease).map(Network::Routes),
            Self::AwsVpc(vpc) => {
                vpc.start(sys, log, config, iface, lease)?;
                Ok(Network::Alloc { mtu: iface.mtu })
            }
        }
    }
}

impl Network {
    /// The MTU of containers in bytes.
    pub fn mtu(&self) -> u32 {
        match self {
            Self::Alloc { mtu } => *mtu,
            Self::Udp(udp) => udp.mtu(),
            Self::Vxlan(vxlan) => vxlan.mtu(),
            Self::Routes(routes) => routes.mtu(),
        }
    }

    /// Whether it wants to hear of the other nodes.
    pub fn watches(&self) -> bool {
        !matches!(self, Self::Alloc { .. })
    }

    /// Says that it begins.
    pub fn announce(&self, sys: &mut dyn Sys, log: Log) {
        match self {
            Self::Alloc { .. } => {}
            Self::Udp(_) => log.info(sys, "udp_network_amd64.go:111", "Watching for new subnet leases"),
            Self::Vxlan(_) => {
                log.info(sys, "vxlan_network.go:68", "watching for new subnet leases");
                log.info(sys, "vxlan_network.go:115", "starting vxlan device watcher");
            }
            Self::Routes(_) => log.info(sys, "route_network.go:56", "Watching for new subnet leases"),
        }
    }

    /// Does what an event asks for.
    pub fn handle(&mut self, sys: &mut dyn Sys, log: Log, event: &LeaseEvent) {
        match self {
            Self::Alloc { .. } => {}
            Self::Udp(udp) => udp.handle(sys, log, event),
            Self::Vxlan(vxlan) => vxlan.handle(sys, log, event),
            Self::Routes(routes) => routes.handle(sys, log, event),
        }
    }

    /// Does what it has to do from time to time, and carries packets.
    pub fn turn(&mut self, sys: &mut dyn Sys, log: Log, manager: &Manager, lease: &Lease) {
        match self {
            Self::Alloc { .. } => {}
            Self::Udp(udp) => udp.carry(sys),
            Self::Vxlan(vxlan) => vxlan.turn(sys, log, manager, lease),
            Self::Routes(routes) => routes.turn(sys, log),
        }
    }

    /// What it waits for.
    pub fn wait(&self) -> Wait {
        let until = |at: SimTime| Wait::until(at);
        match self {
            Self::Alloc { .. } => Wait::default(),
            Self::Udp(udp) => Wait { fds: udp.fds(), ..Wait::default() },
            Self::Vxlan(vxlan) => until(vxlan.next()),
            Self::Routes(routes) => until(routes.next()),
        }
    }
}
