//! From a topology to hosts and cables.

use std::sync::Arc;
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net};
use kernel::request::{AddrSpec, LinkAdd, LinkChange, LinkKind, Mode, NextHopSpec, Request, RouteSpec};
use kernel::{Refusal, RouteProto};
use kube::api::ClusterSettings;
use packet::{HostId, NetnsId};
use trace::Off;
use world::{CableOptions, Endpoint, FabricChange, SegmentKind, World};

use super::written::Cable;
use super::{At, Host, Medium, Nic, Topology};
use crate::error::{FileError, Problem};

impl Topology {
    /// Makes the hosts, their devices and the cables. Set-up commands are not run yet.
    ///
    /// # Errors
    /// What a kernel refuses.
    pub fn build(&self, seed: u64) -> Result<World, FileError> {
        let mut world = World::new(seed);
        let registry = kube::cluster::registry();
        for (name, spec) in &self.hosts {
            let host = world.add_host(name, registry.clone());
            for (path, content) in &spec.files {
                world.install_file(host, path, content.clone().into_bytes());
            }
            for (request, at) in requests(spec) {
                world
                    .request(host, NetnsId::INIT, request, &mut Off)
                    .map_err(|refusal| self.refused(at, refusal))?;
            }
        }
        for segment in &self.segments {
            let kind = match segment.medium {
                Medium::Link | Medium::ShapeLink | Medium::Hub => SegmentKind::Hub,
                Medium::Switch => SegmentKind::Switch,
            };
            let id = world.add_segment(&segment.name, kind);
            for port in &segment.ports {
                let end = endpoint(&world, &port.host, &port.nic).ok_or_else(|| {
                    let name = format!("{}:{}", port.host, port.nic);
                    self.error(&port.at, Problem::Unknown { kind: "NIC", name, hint: None })
                })?;
                world.plug(id, end, segment.cable.options(), &mut Off);
            }
            for barrier in &segment.bars {
                let change = FabricChange::Bar(barrier.clone());
                world.change_fabric(&segment.name, change).map_err(|errno| {
                    let message = format!("`{barrier}` of `{}`: {errno}", segment.name);
                    self.error(&segment.at, Problem::Conflict { message, hint: None })
                })?;
            }
        }
        for (name, spec) in &self.hosts {
            let Some(host) = world.host_by_name(name) else { continue };
            for (request, at) in routes(spec) {
                world
                    .request(host, NetnsId::INIT, request, &mut Off)
                    .map_err(|refusal| self.refused(at, refusal))?;
            }
        }
        if let Some(cluster) = &self.cluster {
            world.store_put(ClusterSettings::KEY, Arc::new(cluster.plan.settings.clone()));
        }
        Ok(world)
    }

    fn refused(&self, at: &At, refusal: Refusal) -> FileError {
        let why = refusal.extack.unwrap_or_else(|| refusal.errno.to_string());
        self.error(at, Problem::Conflict { message: format!("the kernel refuses: {why}"), hint: None })
    }
}

fn endpoint(world: &World, host: &str, nic: &str) -> Option<Endpoint> {
    let host: HostId = world.host_by_name(host)?;
    Some(Endpoint { host, dev: world.host(host).dev_by_name(NetnsId::INIT, nic)? })
}

/// What a host is asked for before its cables are there, each with where it is written.
fn requests(host: &Host) -> Vec<(Request, &At)> {
    let up = |dev: &str| Request::LinkSet { dev: dev.to_owned(), changes: vec![LinkChange::Up(true)] };
    let mut asked = vec![(up("lo"), &host.at)];
    if host.forwards {
        let (key, value) = ("net.ipv4.ip_forward".to_owned(), "1".to_owned());
        asked.push((Request::Sysctl { key, value }, &host.at));
    }
    for (name, nic) in &host.nics {
        asked.push((Request::LinkAdd(nic_link(name, nic)), &nic.at));
        asked.extend(nic.addresses.iter().zip(&nic.places).map(|(net, at)| (address(name, *net), at)));
        if nic.up {
            asked.push((up(name), &nic.at));
        }
    }
    for (name, bridge) in &host.bridges {
        let link = LinkAdd::new(name, LinkKind::Bridge(Vec::new()));
        asked.push((Request::LinkAdd(link), &bridge.at));
        for port in &bridge.ports {
            let changes = vec![LinkChange::Master(Some(name.clone()))];
            asked.push((Request::LinkSet { dev: port.clone(), changes }, &bridge.at));
        }
        asked.extend(bridge.addresses.iter().zip(&bridge.places).map(|(net, at)| (address(name, *net), at)));
        asked.push((up(name), &bridge.at));
    }
    asked
}

/// The routes of a host; its devices have a carrier by now.
fn routes(host: &Host) -> Vec<(Request, &At)> {
    let gateway = host.gateway.zip(host.gateway_name.as_ref());
    let default = gateway.map(|(via, (_, at))| (None, via, at));
    let others = host.routes.iter().map(|(dst, via)| (Some(IpNet::V4(*dst)), *via, &host.at));
    default
        .into_iter()
        .chain(others)
        .map(|(dst, via, at)| {
            let nexthop = NextHopSpec { via: Some(via.into()), ..NextHopSpec::default() };
            let spec = RouteSpec {
                dst,
                proto: Some(RouteProto::BOOT),
                nexthops: vec![nexthop],
                ..RouteSpec::default()
            };
            (Request::RouteAdd(spec, Mode::Add), at)
        })
        .collect()
}

fn nic_link(name: &str, nic: &Nic) -> LinkAdd {
    LinkAdd { address: Some(nic.mac), mtu: nic.mtu, ..LinkAdd::new(name, LinkKind::Nic) }
}

fn address(dev: &str, local: Ipv4Net) -> Request {
    let spec = AddrSpec::new(dev, IpNet::V4(local));
    Request::AddrAdd(spec, Mode::Add)
}

impl Cable {
    fn options(&self) -> CableOptions {
        let default = CableOptions::default();
        CableOptions {
            latency: self.latency_us.map_or(default.latency, Duration::from_micros),
            bandwidth: self.bandwidth_mbit.map(|mbit| mbit.saturating_mul(1_000_000)),
            loss_ppm: self.loss_ppm.unwrap_or(0),
            queue: self.queue.unwrap_or(default.queue),
            mtu: self.mtu,
        }
    }
}
