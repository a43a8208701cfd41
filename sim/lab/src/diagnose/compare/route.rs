//! Routes: those that addresses, peers and the cluster say there should be, and those that nobody
//! else has.

use std::net::IpAddr;

use ipnet::IpNet;
use kernel::dump::RouteInfo;
use kernel::{DeviceKind, RouteKind, RouteProto, Scope, TableId};
use packet::{HostId, NetnsId};
use trace::Names;

use super::Scene;
use crate::culprit::Object;
use crate::diagnose::facts::{Facts, NodeFacts};
use crate::diagnose::suspect::{Fix, Rank, Size, Suspect};

/// A route that should be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::diagnose) struct Wanted {
    /// Destination.
    pub dst: IpNet,
    /// Gateway.
    pub via: Option<IpAddr>,
    /// Device; the gateway's if none.
    pub dev: Option<String>,
    /// The gateway needs no route.
    pub onlink: bool,
    /// Source address of a connected route.
    pub src: Option<IpAddr>,
    /// Who says so.
    pub why: String,
}

impl Wanted {
    /// Whether a route is this one.
    fn is(&self, route: &RouteInfo) -> bool {
        let [way] = &route.nexthops[..] else { return false };
        route.dst == self.dst
            && route.table == TableId::MAIN
            && route.kind == RouteKind::Unicast
            && way.via == self.via
            && self.dev.as_ref().is_none_or(|dev| *dev == way.dev)
            && !way.dead
    }

    /// After `ip route add` or `replace`.
    pub fn text(&self) -> String {
        let mut text = prefix(&self.dst);
        if let Some(via) = self.via {
            text += &format!(" via {via}");
        }
        if let Some(dev) = &self.dev {
            text += &format!(" dev {dev}");
        }
        if self.onlink {
            text += " onlink";
        }
        if let Some(src) = self.src {
            text += &format!(" proto kernel scope link src {src}");
        }
        text
    }
}

/// A prefix as `ip route` prints it.
pub(in crate::diagnose) fn prefix(net: &IpNet) -> String {
    match net.prefix_len() {
        0 => "default".to_owned(),
        32 => net.addr().to_string(),
        _ => net.to_string(),
    }
}

pub(super) fn suspects(scene: &Scene<'_>) -> Vec<Suspect> {
    let mut found = Vec::new();
    for (host, netns) in scene.places() {
        found.extend(missing(scene, host, netns));
        found.extend(foreign(scene, host, netns));
    }
    found
}

/// Routes that should be there and are not, or lead elsewhere.
fn missing(scene: &Scene<'_>, host: HostId, netns: NetnsId) -> Vec<Suspect> {
    let facts = &scene.facts;
    let node = facts.world.node(host, netns);
    let routes = facts.routes(host, netns);
    let addresses = scene.addresses();
    let mut found = Vec::new();
    for wanted in wanted(facts, host, netns) {
        if routes.iter().any(|route| wanted.is(route)) {
            continue;
        }
        let concerns = addresses.iter().any(|address| wanted.dst.contains(address));
        let rank = scene.rank(host, if concerns { Rank::Contradicted } else { Rank::Odd });
        let other = routes.iter().find(|route| route.dst == wanted.dst && route.table == TableId::MAIN);
        let (text, evidence) = match other {
            Some(other) => {
                let line = line(other);
                (
                    format!("it should be `{}`", wanted.text()),
                    format!("{node}: ip route: {line}; {}", wanted.why),
                )
            }
            None => (
                format!("there is none; it should be `{}`", wanted.text()),
                format!("{node}: ip route has nothing for {}; {}", prefix(&wanted.dst), wanted.why),
            ),
        };
        let verb = if other.is_some() { "replace" } else { "add" };
        found.push(
            Suspect::new(rank, node.clone(), Object::Route { prefix: prefix(&wanted.dst) }, text)
                .because(evidence)
                .mended_by(Fix::one(node.clone(), format!("ip route {verb} {}", wanted.text()), Size::Entry)),
        );
    }
    found
}

/// Routes that somebody added by hand and that no peer has, if they concern the packets.
fn foreign(scene: &Scene<'_>, host: HostId, netns: NetnsId) -> Vec<Suspect> {
    let facts = &scene.facts;
    let node = facts.world.node(host, netns);
    let peers = if netns == NetnsId::INIT { facts.peers(host) } else { Vec::new() };
    let wanted = wanted(facts, host, netns);
    let addresses = scene.addresses();
    let mut found = Vec::new();
    for route in facts.routes(host, netns) {
        let concerns = addresses.iter().any(|address| route.dst.contains(address));
        if route.proto == RouteProto::KERNEL || !concerns || wanted.iter().any(|wanted| wanted.is(&route)) {
            continue;
        }
        let refuses = route.kind != RouteKind::Unicast;
        let common = peers.iter().any(|&peer| {
            let theirs = facts.routes(peer, NetnsId::INIT);
            theirs.iter().any(|theirs| theirs.dst == route.dst && theirs.kind == route.kind)
        });
        let odd = match (refuses, common, route.dst.prefix_len()) {
            (true, ..) => Rank::Contradicted,
            (_, true, _) | (_, _, 0) => Rank::Near,
            (_, false, _) => Rank::Odd,
        };
        let text = match refuses {
            true => "it refuses or swallows what should pass",
            false => "no peer has it, and it takes the packets elsewhere",
        };
        let spec = route.spec().brief();
        let mut fixes = vec![Fix::one(node.clone(), format!("ip route del {spec}"), Size::Entry)];
        if let Some(way) = facts.way_to(host, netns, &route.dst) {
            fixes.push(Fix::one(node.clone(), format!("ip route replace {}", way.text()), Size::Entry));
        }
        let mut suspect = Suspect::new(
            scene.rank(host, odd),
            node.clone(),
            Object::Route { prefix: prefix(&route.dst) },
            text,
        )
        .because(format!("{node}: ip route: {}", line(&route)));
        suspect.fixes = fixes;
        found.push(suspect);
    }
    found
}

/// A route in one line.
fn line(route: &RouteInfo) -> String {
    route.spec().brief().to_string()
}

/// What should be in the table main of a place.
pub(in crate::diagnose) fn wanted(facts: &Facts<'_>, host: HostId, netns: NetnsId) -> Vec<Wanted> {
    let mut wanted = connected(facts, host, netns);
    if netns == NetnsId::INIT {
        wanted.extend(of_peers(facts, host));
        if let Some(node) = facts.node(host) {
            wanted.extend(to_pods(facts, node));
        }
    } else {
        wanted.extend(inside(facts, host, netns));
    }
    wanted
}

/// The subnets of a place's addresses.
fn connected(facts: &Facts<'_>, host: HostId, netns: NetnsId) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    for device in facts.devices(host, netns).into_iter().filter(|device| device.up && !device.is_loopback()) {
        for addr in device.addrs.iter().filter(|addr| addr.peer.is_none() && addr.local.prefix_len() < 32) {
            if addr.flags.noprefixroute || addr.scope == Scope::HOST {
                continue;
            }
            wanted.push(Wanted {
                dst: addr.local.trunc(),
                via: None,
                dev: Some(device.name.clone()),
                onlink: false,
                src: Some(addr.local.addr()),
                why: format!("{} has the address {}", device.name, addr.local),
            });
        }
    }
    wanted
}

/// Routes by way of a gateway that most peers on the same subnets have.
fn of_peers(facts: &Facts<'_>, host: HostId) -> Vec<Wanted> {
    let peers = facts.peers(host);
    let own = facts.kernel(host).addrs(NetnsId::INIT);
    let mut all: Vec<Wanted> = Vec::new();
    let mut counts: Vec<usize> = Vec::new();
    let mut voters = 0;
    for &peer in &peers {
        voters += 1;
        for route in facts.routes(peer, NetnsId::INIT) {
            let [way] = &route.nexthops[..] else { continue };
            let Some(via) = way.via.filter(|_| !way.onlink && route.table == TableId::MAIN) else { continue };
            let reached = own.iter().find(|info| info.addr.local.contains(&via));
            let mine = own.iter().any(|info| {
                info.addr.local.addr() == via
                    || route.dst.prefix_len() > 0 && route.dst.contains(&info.addr.local.addr())
            });
            let (Some(reached), false) = (reached, mine) else { continue };
            let dev = facts.kernel(host).dev_by_index(NetnsId::INIT, reached.ifindex);
            let one = Wanted {
                dst: route.dst,
                via: Some(via),
                dev: dev.map(|dev| facts.world.dev(host, dev)),
                onlink: false,
                src: None,
                why: "most of its peers have it".to_owned(),
            };
            match all.iter().position(|known| *known == one) {
                Some(at) => counts[at] += 1,
                None => {
                    all.push(one);
                    counts.push(1);
                }
            }
        }
    }
    let common = all.into_iter().zip(counts).filter(|(_, count)| count * 2 > voters);
    common.map(|(wanted, _)| wanted).collect()
}

/// How nodes reach each other's pods.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Style {
    /// By a tunnel device, whose other end has the subnet's first address.
    Tunnel(String),
    /// By the node's address.
    Direct,
}

/// Routes to the pods of other nodes, in the style of those that there are.
fn to_pods(facts: &Facts<'_>, node: &NodeFacts) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    let others = facts.nodes.iter().filter(|other| other.host != node.host);
    for other in others {
        let Some(cidr) = other.pod_cidr else { continue };
        let Some(style) = style(facts, node, other) else { continue };
        let dst = IpNet::V4(cidr);
        let why = format!("{} has the podCIDR {cidr}", other.name);
        let none = Wanted { dst, via: None, dev: None, onlink: false, src: None, why };
        match style {
            Style::Tunnel(dev) => {
                wanted.push(Wanted { via: Some(cidr.network().into()), dev: Some(dev), onlink: true, ..none })
            }
            Style::Direct => {
                wanted.extend(other.ip.map(|ip| Wanted { via: Some(ip.into()), ..none }));
            }
        }
    }
    wanted
}

/// The style of the routes from one node to another's pods: that of its other routes to pods, of the
/// way back, or of any node.
fn style(facts: &Facts<'_>, from: &NodeFacts, to: &NodeFacts) -> Option<Style> {
    let back = facts.nodes.iter().filter(|node| node.host == to.host);
    let own = facts.nodes.iter().filter(|node| node.host == from.host);
    let all = facts.nodes.iter();
    // Where neighbors are reached without a tunnel, the way back says so.
    back.chain(own).chain(all).find_map(|node| {
        facts.nodes.iter().find_map(|other| {
            let relevant = node.host != to.host || other.host == from.host;
            let cidr = other.pod_cidr.filter(|_| other.host != node.host && relevant)?;
            let routes = facts.routes(node.host, NetnsId::INIT);
            let route = routes.iter().find(|route| route.dst == IpNet::V4(cidr))?;
            let [way] = &route.nexthops[..] else { return None };
            let tunnel = facts.device(node.host, NetnsId::INIT, &way.dev);
            match tunnel.map(|device| &device.kind) {
                Some(DeviceKind::Vxlan(_)) if way.via == Some(cidr.network().into()) => {
                    Some(Style::Tunnel(way.dev.clone()))
                }
                Some(DeviceKind::Nic(_)) if way.via == other.ip.map(IpAddr::from) => Some(Style::Direct),
                _ => None,
            }
        })
    })
}

/// The way out of a container: its bridge's address.
fn inside(facts: &Facts<'_>, host: HostId, netns: NetnsId) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    for device in facts.devices(host, netns) {
        let Some(peer) = facts.veth_peer(host, device).filter(|peer| peer.netns == NetnsId::INIT) else {
            continue;
        };
        let Some(bridge) = peer.master.and_then(|bridge| facts.kernel(host).get_dev(bridge)) else {
            continue;
        };
        let own = device.addrs.first().map(|addr| addr.local);
        let gateway = bridge
            .addrs
            .iter()
            .map(|addr| addr.local.addr())
            .find(|gateway| own.is_some_and(|own| own.contains(gateway)));
        if let Some(gateway) = gateway {
            wanted.push(Wanted {
                dst: IpNet::default(),
                via: Some(gateway),
                dev: Some(device.name.clone()),
                onlink: false,
                src: None,
                why: format!("its bridge {} has the address {gateway}", bridge.name),
            });
            break;
        }
    }
    wanted
}
