//! What the router's kernel has to hold for a VPC to behave as one: a pure function of the API's
//! objects.
//!
//! - raw PREROUTING: what an interface sends has its own source address (source/destination check);
//! - mangle PREROUTING: the route table of the sender's subnet knows the destination;
//! - the kernel's routes: one table for each of the VPC's, then `main` with an address for each
//!   interface;
//! - filter FORWARD: what an interface receives has its own destination address, and one of its
//!   security groups lets it in.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};
use kernel::request::{NextHopSpec, RouteSpec};
use kernel::{RouteKind, Scope, TableId};

use super::model::{Cloud, Interface, Peer, Permission, Route, RouteTable, SecurityGroup, State, Target};

/// The kernel's number of the first route table.
const FIRST_TABLE: u32 = 1000;

/// Rules of a chain, as `iptables-restore` reads them after `-A CHAIN`.
pub type Chain = Vec<String>;

/// What the router's kernel holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fabric {
    /// Chains by table and name.
    pub chains: BTreeMap<(&'static str, String), Chain>,
    /// Routes.
    pub routes: Vec<RouteSpec>,
    /// Which table decides for what comes in by a NIC.
    pub lookups: Vec<(String, TableId)>,
    /// NICs of interfaces, the router's address there, and whether the instance runs.
    pub nics: Vec<(String, Ipv4Net, State)>,
}

fn comment(text: &str) -> String {
    format!("-m comment --comment \"{text}\"")
}

impl Fabric {
    /// The fabric for these objects.
    pub fn of(cloud: &Cloud) -> Self {
        let mut fabric = Self::default();
        let Some(vpc) = cloud.vpc() else { return fabric };
        let (mut raw, mut mangle, mut forward) = (Chain::new(), Chain::new(), Chain::new());
        let (mut dnat, mut snat) = (Chain::new(), Chain::new());
        mangle.push(format!("{} -j TTL --ttl-inc 1", comment("the VPC is no hop")));
        mangle.push("-m addrtype --dst-type LOCAL -j RETURN".to_owned());
        for interface in &cloud.interfaces {
            let Some(subnet) = cloud.subnet(&interface.subnet) else { continue };
            let Interface { id, nic, address, .. } = interface.as_ref();
            raw.push(format!("-i {nic} -j {id}"));
            forward.push(format!("-o {nic} -j {id}"));
            fabric.chains.insert(("raw", id.clone()), source_check(interface));
            fabric.chains.insert(("filter", id.clone()), incoming(interface));
            if let Some(table) = cloud.table_of(&subnet.id) {
                mangle.push(format!("-i {nic} -j {}", table.id));
                fabric.lookups.push((nic.clone(), number(cloud, table)));
            }
            if let (Some(public), Some(gateway)) = (interface.public_address, cloud.gateways.first()) {
                dnat.push(format!("-i {} -d {public} -j DNAT --to-destination {address}", gateway.nic));
                snat.push(format!("-o {} -s {address} -j SNAT --to-source {public}", gateway.nic));
            }
            let own = Ipv4Net::new(subnet.router(), 32).unwrap_or(subnet.cidr);
            let state = cloud.instance(&interface.instance).map_or(State::Stopped, |instance| instance.state);
            fabric.nics.push((nic.clone(), own, state));
            if state == State::Running {
                fabric.routes.push(host_route(*address, nic));
            }
        }
        for gateway in &cloud.gateways {
            forward.push(format!("-o {} -j {}", gateway.nic, gateway.id));
            let mut chain: Chain = Vec::new();
            for interface in cloud.interfaces.iter().filter(|each| each.public_address.is_some()) {
                chain.push(format!("-s {} -j ACCEPT", interface.address));
            }
            let text = format!("internet gateway {}: the source has no public address", gateway.id);
            chain.push(format!("{} -j DROP", comment(&text)));
            fabric.chains.insert(("filter", gateway.id.clone()), chain);
            fabric.lookups.push((gateway.nic.clone(), TableId::MAIN));
        }
        for group in &cloud.groups {
            fabric.chains.insert(("filter", group.id.clone()), allowed(cloud, group));
        }
        for table in &cloud.route_tables {
            fabric.chains.insert(("mangle", table.id.clone()), decisions(cloud, table, vpc.cidr));
            let number = number(cloud, table);
            // The local route: on to the addresses of the interfaces.
            fabric.routes.push(RouteSpec { table: Some(number), ..special(vpc.cidr, RouteKind::Throw) });
            for route in table.routes.iter().filter(|route| cloud.is_active(route)) {
                fabric.routes.extend(kernel_route(cloud, route, number));
            }
        }
        fabric.routes.push(special(vpc.cidr, RouteKind::Blackhole));
        for (table, chain, rules) in [
            ("raw", "PREROUTING", raw),
            ("mangle", "PREROUTING", mangle),
            ("filter", "FORWARD", forward),
            ("nat", "PREROUTING", dnat),
            ("nat", "POSTROUTING", snat),
        ] {
            fabric.chains.insert((table, chain.to_owned()), rules);
        }
        fabric
    }
}

/// The kernel's table for a route table.
fn number(cloud: &Cloud, table: &RouteTable) -> TableId {
    let place = cloud.route_tables.iter().take_while(|other| other.id != table.id).count();
    TableId(FIRST_TABLE + u32::try_from(place).unwrap_or(0))
}

fn checked(interface: &Interface) -> String {
    comment(&format!("source/destination check of {}", interface.instance))
}

fn source_check(interface: &Interface) -> Chain {
    if !interface.source_dest_check {
        return Vec::new();
    }
    vec![format!("! -s {} {} -j DROP", interface.address, checked(interface))]
}

/// What an interface receives.
fn incoming(interface: &Interface) -> Chain {
    let mut chain = Vec::new();
    if interface.source_dest_check {
        chain.push(format!("! -d {} {} -j DROP", interface.address, checked(interface)));
    }
    let stateful = comment("answers to what it sent");
    chain.push(format!("-m conntrack --ctstate RELATED,ESTABLISHED {stateful} -j ACCEPT"));
    chain.extend(interface.groups.iter().map(|group| format!("-j {group}")));
    let groups = interface.groups.join(", ");
    chain.push(format!("{} -j DROP", comment(&format!("security group {groups}: no rule allows this"))));
    chain
}

/// The permissions of a security group.
fn allowed(cloud: &Cloud, group: &SecurityGroup) -> Chain {
    let mut chain = Vec::new();
    for permission in &group.ingress {
        let note = comment(&format!("security group {}", group.id));
        let what = what(permission);
        match &permission.from {
            Peer::Cidr(cidr) => chain.push(format!("-s {cidr} {what}{note} -j ACCEPT")),
            // Members are known by the interface that sends, whatever its packets' source.
            Peer::Group(id) => {
                for member in cloud.interfaces.iter().filter(|each| each.groups.contains(id)) {
                    chain.push(format!("-i {} {what}{note} -j ACCEPT", member.nic));
                }
            }
        }
    }
    chain
}

/// Protocol and ports of a permission, with a blank at the end.
fn what(permission: &Permission) -> String {
    match (permission.protocol.as_str(), permission.ports) {
        ("-1", _) => String::new(),
        (protocol @ ("tcp" | "udp"), Some((first, last))) if first >= 0 => {
            format!("-p {protocol} --dport {first}:{last} ")
        }
        ("icmp", Some((kind, code))) if kind >= 0 && code >= 0 => {
            format!("-p icmp --icmp-type {kind}/{code} ")
        }
        ("icmp", Some((kind, _))) if kind >= 0 => format!("-p icmp --icmp-type {kind} "),
        (protocol, _) => format!("-p {protocol} "),
    }
}

/// What a route table says of a destination, the longest prefix first; the local route before all.
fn decisions(cloud: &Cloud, table: &RouteTable, local: Ipv4Net) -> Chain {
    let id = &table.id;
    let mut chain = vec![format!("-d {local} {} -j RETURN", comment(&format!("route table {id}: local")))];
    let mut routes: Vec<&Route> = table.routes.iter().collect();
    routes.sort_by_key(|route| (std::cmp::Reverse(route.destination.prefix_len()), route.destination));
    for route in routes {
        let destination = route.destination;
        let (to, verdict) = match &route.target {
            _ if !cloud.is_active(route) => ("blackhole".to_owned(), "DROP"),
            Target::Interface(id) => {
                (cloud.interface(id).map_or_else(|| id.clone(), |each| each.instance.clone()), "RETURN")
            }
            Target::Gateway(id) => (id.clone(), "RETURN"),
        };
        let note = comment(&format!("route table {id}: {destination} to {to}"));
        chain.push(format!("-d {destination} {note} -j {verdict}"));
    }
    chain.push(format!("{} -j DROP", comment(&format!("route table {id}: no route"))));
    chain
}

fn host_route(address: Ipv4Addr, nic: &str) -> RouteSpec {
    RouteSpec {
        dst: Some(IpNet::new_assert(address.into(), 32)),
        scope: Some(Scope::LINK),
        nexthops: vec![NextHopSpec { dev: Some(nic.to_owned()), ..NextHopSpec::default() }],
        ..RouteSpec::default()
    }
}

fn special(dst: Ipv4Net, kind: RouteKind) -> RouteSpec {
    RouteSpec { kind: Some(kind), dst: Some(IpNet::V4(dst)), ..RouteSpec::default() }
}

fn kernel_route(cloud: &Cloud, route: &Route, table: TableId) -> Option<RouteSpec> {
    let (nic, via) = match &route.target {
        Target::Interface(id) => cloud.interface(id).map(|each| (each.nic.clone(), each.address))?,
        Target::Gateway(id) => {
            let gateway = cloud.gateways.iter().find(|gateway| gateway.id == *id)?;
            (gateway.nic.clone(), gateway.next_hop)
        }
    };
    let way = NextHopSpec { dev: Some(nic), via: Some(via.into()), onlink: true, weight: None };
    let dst = Some(IpNet::V4(route.destination)).filter(|dst| dst.prefix_len() > 0);
    Some(RouteSpec { dst, table: Some(table), nexthops: vec![way], ..RouteSpec::default() })
}
