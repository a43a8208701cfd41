use std::net::IpAddr;

use k8s_openapi::api::core::v1::Service;
use kube::api::{get, list, name_of, namespace_of};
use packet::{NetnsId, Proto};
use world::World;

use super::Options;
use super::facts::Facts;
use super::probe::{Probe, To, Way, first_address};
use crate::error::{Problem, nearest};
use crate::lab::{Spot, locate};

/// How often a Service is tried, so that each of a few endpoints is likely to have its turn.
const TURNS: u32 = 12;

/// How many Services are tried when nothing is asked for in particular.
const SERVICES_MAX: usize = 8;

/// Source ports that are used again at most.
const TRACKED_MAX: usize = 4;

/// The rungs, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rung {
    /// Between places of one host.
    SameHost,
    /// From host to host.
    CrossHost,
    /// Services' addresses.
    ClusterIp,
    /// The API server.
    ApiServer,
    /// Beyond the network.
    Internet,
}

impl Rung {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SameHost => "same host",
            Self::CrossHost => "cross host",
            Self::ClusterIp => "ClusterIP",
            Self::ApiServer => "apiserver",
            Self::Internet => "internet",
        }
    }
}

/// A rung with what is tried on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Which.
    pub rung: Rung,
    /// What is tried only to see how far the way goes.
    pub hints: Vec<Probe>,
    /// What must work.
    pub goals: Vec<Probe>,
}

impl Step {
    fn new(rung: Rung) -> Self {
        Self { rung, hints: Vec::new(), goals: Vec::new() }
    }
}

/// What is asked for.
pub(super) struct Plan {
    /// The rungs that matter.
    pub steps: Vec<Step>,
}

impl Plan {
    /// Finds out what `to` depends on; everything without one.
    pub fn new(facts: &Facts<'_>, from: &str, to: Option<&str>, options: Options) -> Result<Self, Problem> {
        let spot = locate(facts.world, from)?;
        let planner = Planner { facts, from, spot, options };
        let mut steps = match to {
            Some(to) => planner.towards(to)?,
            None => planner.everything(),
        };
        steps.retain(|step| !step.hints.is_empty() || !step.goals.is_empty());
        steps.sort_by_key(|step| step.rung);
        Ok(Self { steps })
    }
}

struct Planner<'a> {
    facts: &'a Facts<'a>,
    from: &'a str,
    spot: Spot,
    options: Options,
}

impl Planner<'_> {
    fn world(&self) -> &World {
        self.facts.world
    }

    /// What must work to reach a place: the port asked for, or those that it says it has, or else
    /// that it answers a ping.
    fn reach(&self, to: &To, ports: &[u16]) -> Vec<Probe> {
        let once = |way| Probe::once(self.from, way);
        let (proto, port) = (self.options.proto, self.options.port);
        let ways = match (proto, port) {
            (Some(Proto::UDP), port) => vec![Way::Udp(to.clone(), port.unwrap_or(53))],
            (Some(Proto::ICMP), _) => vec![Way::Ping(to.clone()), Way::Full(to.clone())],
            (_, Some(port)) => vec![Way::Tcp(to.clone(), port)],
            (Some(_), None) => vec![Way::Tcp(to.clone(), ports.first().copied().unwrap_or(80))],
            (None, None) => match ports.first() {
                Some(port) => vec![Way::Tcp(to.clone(), *port), Way::Full(to.clone())],
                None => vec![Way::Ping(to.clone()), Way::Full(to.clone())],
            },
        };
        ways.into_iter().map(once).collect()
    }

    /// A ping to the own host's end of the way out.
    fn first_hop(&self) -> Option<Probe> {
        (self.spot.netns != NetnsId::INIT).then_some(())?;
        let routes = self.facts.routes(self.spot.host, self.spot.netns);
        let gateway = routes.iter().find(|route| route.dst.prefix_len() == 0)?.nexthops.first()?.via?;
        let own = self.facts.kernel(self.spot.host).addrs(NetnsId::INIT);
        let here = own.iter().any(|info| info.addr.local.addr() == gateway);
        here.then(|| Probe::once(self.from, Way::Ping(To::Address(gateway))))
    }

    fn towards(&self, to: &str) -> Result<Vec<Step>, Problem> {
        let mut same = Step::new(Rung::SameHost);
        if let Some(name) = to.strip_prefix("svc/") {
            let (name, port) = split_port(name);
            let mut steps = self.service(name, port.or(self.options.port))?;
            same.hints.extend(self.first_hop());
            steps.push(same);
            return Ok(steps);
        }
        if to == "internet" {
            let mut step = Step::new(Rung::Internet);
            step.goals = self.internet();
            if step.goals.is_empty() {
                let message = "this network has no address outside of it that could be tried".to_owned();
                let hint = Some("give the address of a host".to_owned());
                return Err(Problem::Conflict { message, hint });
            }
            same.hints.extend(self.first_hop());
            return Ok(vec![same, step]);
        }
        if let Ok(address) = to.parse::<IpAddr>() {
            return Ok(self.to_address(address, same));
        }
        if let Some(pod) = to.strip_prefix("pod/") {
            return self.to_pod(to, pod, same);
        }
        let target = locate(self.world(), to)?;
        if first_address(self.world(), &target).is_none() {
            let message = format!("`{to}` has no address");
            return Err(Problem::Conflict { message, hint: None });
        }
        let goals = self.reach(&To::Place(to.to_owned()), &[]);
        Ok(self.placed(target.host, goals, same))
    }

    fn to_pod(&self, to: &str, pod: &str, same: Step) -> Result<Vec<Step>, Problem> {
        let (namespace, name) = pod.split_once('/').unwrap_or(("default", pod));
        let known = self.facts.pods.iter().find(|pod| pod.namespace == namespace && pod.name == name);
        let Some(pod) = known else {
            let names = self.facts.pods.iter().filter(|pod| pod.namespace == namespace);
            let hint = nearest(name, names.map(|pod| pod.name.as_str()));
            return Err(Problem::Unknown { kind: "pod", name: to.to_owned(), hint });
        };
        let goals = self.reach(&To::Place(to.to_owned()), &pod.ports);
        let host = self.facts.node_named(&pod.node).map_or(self.spot.host, |node| node.host);
        Ok(self.placed(host, goals, same))
    }

    /// Goals at a host: on the same one, in the cluster, or outside.
    fn placed(&self, host: packet::HostId, goals: Vec<Probe>, mut same: Step) -> Vec<Step> {
        if host == self.spot.host {
            same.goals = goals;
            return vec![same];
        }
        let outside = self.facts.node(self.spot.host).is_some() && self.facts.node(host).is_none();
        let mut step = Step::new(if outside { Rung::Internet } else { Rung::CrossHost });
        step.goals = goals;
        same.hints.extend(self.first_hop());
        vec![same, step]
    }

    fn to_address(&self, address: IpAddr, same: Step) -> Vec<Step> {
        let store = self.world().store();
        let services = list::<Service>(store, None);
        let service = services.iter().find(|service| {
            let ip = service.spec.as_ref().and_then(|spec| spec.cluster_ip.as_deref());
            ip.is_some_and(|ip| ip.parse() == Ok(address))
        });
        if let Some(service) = service {
            let name = format!("{}/{}", namespace_of(&**service), name_of(&**service));
            if let Ok(mut steps) = self.service(&name, self.options.port) {
                steps.push(same);
                return steps;
            }
        }
        let ports = self.facts.pod_at(address).map_or(&[][..], |pod| &pod.ports);
        let goals = self.reach(&To::Address(address), ports);
        let pod = self.facts.pod_at(address).and_then(|pod| self.facts.node_named(&pod.node));
        let host = pod.map(|node| node.host).or_else(|| self.facts.host_at(address));
        match host {
            Some(host) => self.placed(host, goals, same),
            None => {
                let mut step = Step::new(Rung::CrossHost);
                step.goals = goals;
                vec![same, step]
            }
        }
    }

    /// A Service: its endpoints one by one to see how far the way goes, then its address.
    fn service(&self, name: &str, port: Option<u16>) -> Result<Vec<Step>, Problem> {
        let (namespace, short) = name.split_once('/').unwrap_or(("default", name));
        let store = self.world().store();
        let Some(service) = get::<Service>(store, namespace, short) else {
            let all = list::<Service>(store, Some(namespace));
            let hint = nearest(short, all.iter().map(|service| name_of(&**service)));
            return Err(Problem::Unknown { kind: "Service", name: name.to_owned(), hint });
        };
        let spec = service.spec.clone().unwrap_or_default();
        let Some(address) = spec.cluster_ip.and_then(|ip| ip.parse::<IpAddr>().ok()) else {
            let message = format!("the Service `{name}` has no cluster address");
            return Err(Problem::Conflict { message, hint: None });
        };
        let ports = spec.ports.unwrap_or_default();
        let number = |port: i32| u16::try_from(port).ok();
        let chosen = ports.iter().find(|one| port.is_none() || number(one.port) == port);
        let Some(port) = port.or_else(|| chosen.and_then(|one| number(one.port))) else {
            let message = format!("the Service `{name}` has no port");
            return Err(Problem::Conflict { message, hint: None });
        };
        let udp = chosen.is_some_and(|one| one.protocol.as_deref() == Some("UDP"));
        let to = To::Address(address);
        let way = if udp { Way::Udp(to, port) } else { Way::Tcp(to, port) };
        let api = (namespace, short) == ("default", "kubernetes");
        let mut step = Step::new(if api { Rung::ApiServer } else { Rung::ClusterIp });
        step.goals.push(Probe { from: self.from.to_owned(), way, times: TURNS });
        if udp {
            let again = self.used_ports(address, port).into_iter();
            step.goals.extend(
                again.map(|own| Probe::once(self.from, Way::UdpFrom(To::Address(address), port, own))),
            );
        }
        let mut cross = Step::new(Rung::CrossHost);
        let mut same = Step::new(Rung::SameHost);
        for (address, port, _) in super::service::endpoints(store, namespace, short) {
            let probe = Probe::once(
                self.from,
                match udp {
                    true => Way::Udp(To::Address(address), port),
                    false => Way::Tcp(To::Address(address), port),
                },
            );
            let pod = self.facts.pod_at(address).and_then(|pod| self.facts.node_named(&pod.node));
            let host = pod.map(|node| node.host).or_else(|| self.facts.host_at(address));
            if host == Some(self.spot.host) {
                same.hints.push(probe);
            } else {
                cross.hints.push(probe);
            }
        }
        Ok(vec![same, cross, step])
    }

    /// Source ports from which datagrams were sent there, as the host tracks them, and that are free
    /// to be used again: what was decided for the first is done to all.
    fn used_ports(&self, to: IpAddr, port: u16) -> Vec<u16> {
        let kernel = self.facts.kernel(self.spot.host);
        let own: Vec<IpAddr> =
            kernel.addrs(self.spot.netns).into_iter().map(|info| info.addr.local.addr()).collect();
        let busy: Vec<u16> =
            kernel.socket_list(self.spot.netns).iter().map(|socket| socket.local.1).collect();
        let tracked = kernel.get_ns(NetnsId::INIT).and_then(|netns| netns.netfilter.conntrack());
        let entries = tracked.into_iter().flat_map(|tracked| tracked.iter(self.world().now()));
        let mut ports: Vec<u16> = entries
            .filter(|entry| entry.original.proto == Proto::UDP && entry.original.dst == to)
            .filter(|entry| own.contains(&entry.original.src) && entry.original.ports().1 == port)
            .map(|entry| entry.original.ports().0)
            .filter(|port| !busy.contains(port))
            .collect();
        ports.sort_unstable();
        ports.dedup();
        ports.truncate(TRACKED_MAX);
        ports
    }

    /// Addresses outside: of hosts that are no nodes and are reached by a gateway.
    fn internet(&self) -> Vec<Probe> {
        let world = self.world();
        let own: Vec<_> = world.host(self.spot.host).addrs(NetnsId::INIT);
        let gateways: Vec<IpAddr> = self
            .facts
            .routes(self.spot.host, NetnsId::INIT)
            .iter()
            .flat_map(|route| route.nexthops.iter().filter_map(|way| way.via))
            .collect();
        let outside =
            world.hosts().filter(|host| self.facts.node(host.id).is_none() && host.id != self.spot.host);
        let mut beyond = Vec::new();
        let mut beside = Vec::new();
        for host in outside {
            for info in host.addrs(NetnsId::INIT) {
                let address = info.addr.local.addr();
                let link_local = matches!(address, IpAddr::V4(address) if address.is_link_local());
                if address.is_loopback() || link_local {
                    continue;
                }
                let near = own.iter().any(|own| own.addr.local.contains(&address));
                if !near {
                    beyond.push(address);
                } else if gateways.contains(&address) {
                    beside.push(address);
                }
            }
        }
        let chosen = if beyond.is_empty() || self.facts.nodes.is_empty() { beside } else { beyond };
        let probe = |address| Probe::once(self.from, Way::Ping(To::Address(address)));
        chosen.into_iter().take(1).map(probe).collect()
    }

    fn everything(&self) -> Vec<Step> {
        let (mut same, mut cross) = (Step::new(Rung::SameHost), Step::new(Rung::CrossHost));
        same.goals.extend(self.first_hop());
        let own_node = self.facts.node(self.spot.host).map(|node| node.name.clone());
        let outside = !self.facts.nodes.is_empty() && own_node.is_none();
        if outside {
            // Nobody promises that others reach pods.
            let near = self.facts.nodes.iter().map(|node| self.facts.kernel(node.host));
            cross.goals.extend(near.flat_map(|host| self.neighbors(host)));
            return vec![cross];
        }
        let mut seen: Vec<&str> = Vec::new();
        for pod in self.facts.pods.iter().filter(|pod| pod.ready && !pod.host_network) {
            let place = pod.place();
            if place == self.from || seen.contains(&pod.node.as_str()) {
                continue;
            }
            seen.push(&pod.node);
            let goals = self.reach(&To::Place(place), &pod.ports);
            if Some(&pod.node) == own_node.as_ref() {
                same.goals.extend(goals);
            } else {
                cross.goals.extend(goals);
            }
        }
        for node in self.facts.nodes.iter().filter(|node| node.host != self.spot.host) {
            if let Some(ip) = node.ip {
                cross.goals.push(Probe::once(self.from, Way::Ping(To::Address(ip.into()))));
            }
        }
        if self.facts.nodes.is_empty() {
            let own = self.facts.name(self.spot.host).to_owned();
            for host in self.world().hosts().filter(|host| host.id != self.spot.host) {
                cross.goals.extend(self.neighbors(host));
            }
            for place in self.world().places(self.spot.host) {
                let name = format!("{own}/{place}");
                if name != self.from {
                    same.goals.push(Probe::once(self.from, Way::Ping(To::Place(name))));
                }
            }
        }
        let mut steps = vec![same, cross];
        let proxied = self.facts.has_proxy();
        let services = list::<Service>(self.world().store(), None).into_iter().filter(|_| proxied);
        let mut tried = 0;
        for service in services {
            let (namespace, name) = (namespace_of(&*service), name_of(&*service));
            let expected = !super::service::endpoints(self.world().store(), namespace, name).is_empty();
            if tried < SERVICES_MAX && (expected || super::service::selects(&service)) {
                tried += 1;
                let found = self.service(&format!("{namespace}/{name}"), None).unwrap_or_default();
                steps.extend(found.into_iter().filter(|step| !step.goals.is_empty()).map(|mut step| {
                    step.hints.clear();
                    step
                }));
            }
        }
        let mut internet = Step::new(Rung::Internet);
        internet.goals = self.internet();
        steps.push(internet);
        merged(steps)
    }

    /// Addresses of another host on a subnet of this one.
    fn neighbors(&self, host: &kernel::Host) -> Vec<Probe> {
        let near = self.facts.next_to(self.spot.host).into_iter().find(|(other, ..)| *other == host.id);
        near.map(|(_, address, _)| Probe::once(self.from, Way::Ping(To::Address(address))))
            .into_iter()
            .collect()
    }
}

/// One step for each rung.
fn merged(steps: Vec<Step>) -> Vec<Step> {
    let mut merged: Vec<Step> = Vec::new();
    for step in steps {
        match merged.iter_mut().find(|known| known.rung == step.rung) {
            Some(known) => {
                known.goals.extend(step.goals);
                known.hints.extend(step.hints);
            }
            None => merged.push(step),
        }
    }
    merged
}

/// `web:80` is the Service web and its port.
fn split_port(name: &str) -> (&str, Option<u16>) {
    match name.rsplit_once(':').and_then(|(name, port)| Some((name, port.parse().ok()?))) {
        Some((name, port)) => (name, Some(port)),
        None => (name, None),
    }
}
