//! Mistakes that can be seen before anything runs.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use packet::MacAddr;

use super::graph::{Domains, Held, Node};
use super::read::first_of;
use super::{At, Medium, Topology};
use crate::error::{FileError, Problem};

/// Something that is wrong with a topology, or looks as if it were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether it can be used all the same.
    pub severity: Severity,
    /// What it is, where, and what would do.
    pub error: FileError,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It can be used; perhaps it isn't meant.
    Warning,
    /// It can't be used.
    Error,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, "{word}: {}", self.error)
    }
}

impl Topology {
    /// What looks wrong.
    ///
    /// # Errors
    /// What is wrong.
    pub fn warnings(&self) -> Result<Vec<Finding>, FileError> {
        let (errors, warnings): (Vec<_>, Vec<_>) =
            self.check().into_iter().partition(|finding| finding.severity == Severity::Error);
        match first_of(errors.into_iter().map(|finding| finding.error).collect()) {
            Some(error) => Err(error),
            None => Ok(warnings),
        }
    }

    /// What is wrong and what looks wrong, in the order in which it was found.
    pub fn check(&self) -> Vec<Finding> {
        let domains = Domains::new(self);
        let held = domains.addresses(self);
        let mut found = Findings { topology: self, found: Vec::new() };
        found.plugged_twice();
        found.bridge_ports();
        found.duplicate_macs(&domains);
        found.duplicate_addresses(&held);
        found.unanswered_gateways(&held);
        found.outside_of_subnet();
        found.overlapping_subnets(&held, &domains.silent(self));
        found.loops(&domains);
        found.isolated_hosts();
        found.found.extend(self.manifest_notices());
        found.found
    }
}

struct Findings<'a> {
    topology: &'a Topology,
    found: Vec<Finding>,
}

impl Findings<'_> {
    fn add(&mut self, severity: Severity, at: &At, problem: Problem) {
        self.found.push(Finding { severity, error: self.topology.error(at, problem) });
    }

    fn duplicate(&mut self, at: &At, what: String, first: &str, other: &At) {
        let first = format!("{first} ({})", self.topology.line_of(other, at));
        self.add(Severity::Error, at, Problem::Duplicate { what, first, hint: None });
    }

    fn warn(&mut self, at: &At, message: String, hint: &str) {
        let hint = Some(hint.to_owned());
        self.add(Severity::Warning, at, Problem::Conflict { message, hint });
    }

    /// A NIC has one socket.
    fn plugged_twice(&mut self) {
        let mut seen = BTreeMap::new();
        for segment in &self.topology.segments {
            for port in &segment.ports {
                let Some((other, name)) = seen.insert((&port.host, &port.nic), (&port.at, segment)) else {
                    continue;
                };
                let what = format!("`{}:{}`", port.host, port.nic);
                let first = match name.medium {
                    Medium::Hub | Medium::Switch => format!("plugged into `{}`", name.name),
                    Medium::Link | Medium::ShapeLink => "an end of a link".to_owned(),
                };
                self.duplicate(&port.at, what, &first, other);
            }
        }
    }

    /// A NIC belongs to one bridge, and the address to the bridge.
    fn bridge_ports(&mut self) {
        for host in self.topology.hosts.values() {
            let mut seen: BTreeMap<&str, (&str, &At)> = BTreeMap::new();
            for (name, bridge) in &host.bridges {
                for port in &bridge.ports {
                    if let Some((other, at)) = seen.insert(port, (name, &bridge.at)) {
                        self.duplicate(
                            &bridge.at,
                            format!("its port `{port}`"),
                            &format!("a port of `{other}`"),
                            at,
                        );
                    }
                    let nic = &host.nics[port];
                    if let (Some(address), Some(at)) = (nic.addresses.first(), nic.places.first()) {
                        let message =
                            format!("`{port}` has the address {address}, but it is a port of `{name}`");
                        self.warn(
                            at,
                            message,
                            "a bridge's port hands all frames to the bridge: give the address to it",
                        );
                    }
                }
            }
        }
    }

    fn duplicate_macs(&mut self, domains: &Domains) {
        let mut seen: BTreeMap<(usize, MacAddr), (&At, String)> = BTreeMap::new();
        for (i, segment) in self.topology.segments.iter().enumerate() {
            for port in &segment.ports {
                let nic = &self.topology.hosts[&port.host].nics[&port.nic];
                let name = format!("{}:{}", port.host, port.nic);
                match seen.get(&(domains.of(i), nic.mac)) {
                    Some((at, other)) if *other != name => {
                        let what = format!("the MAC address {}", nic.mac);
                        self.duplicate(&nic.at.join(".mac"), what, &format!("that of `{other}`"), at);
                    }
                    Some(_) => {}
                    None => {
                        seen.insert((domains.of(i), nic.mac), (&nic.at, name));
                    }
                }
            }
        }
    }

    fn duplicate_addresses(&mut self, held: &[Held<'_>]) {
        let mut seen: BTreeMap<(usize, Ipv4Addr), &Held<'_>> = BTreeMap::new();
        for holder in held {
            let Some(other) = seen.get(&(holder.domain, holder.address.addr())) else {
                seen.insert((holder.domain, holder.address.addr()), holder);
                continue;
            };
            let automatic = |holder: &Held<'_>| {
                let nic = self.topology.hosts[holder.host].nics.get(holder.device);
                nic.is_some_and(|nic| nic.auto.as_ref() == Some(holder.at))
            };
            let chance = automatic(holder) || automatic(other);
            let hint = chance.then(|| "an automatic address is in the way: write another address".to_owned());
            let line = self.topology.line_of(other.at, holder.at);
            let first = format!("that of `{}:{}` on the same segment ({line})", other.host, other.device);
            let what = format!("the address {}", holder.address.addr());
            self.add(Severity::Error, holder.at, Problem::Duplicate { what, first, hint });
        }
    }

    fn unanswered_gateways(&mut self, held: &[Held<'_>]) {
        for (name, host) in &self.topology.hosts {
            let (Some((_, at)), Some(gateway)) = (&host.gateway_name, host.gateway) else { continue };
            let mut own = held.iter().filter(|own| own.host == name);
            let reached = own.clone().any(|own| {
                held.iter().any(|other| other.domain == own.domain && other.address.addr() == gateway)
            });
            if own.any(|own| own.address.contains(&gateway)) && !reached {
                let message =
                    format!("nobody on a segment of `{name}` has the address of its gateway {gateway}");
                self.warn(
                    at,
                    message,
                    "a host that gets the address later, by its `setup`, is not looked at here",
                );
            }
        }
    }

    fn outside_of_subnet(&mut self) {
        for segment in &self.topology.segments {
            let Some(subnet) = segment.subnet else { continue };
            for port in &segment.ports {
                let nic = &self.topology.hosts[&port.host].nics[&port.nic];
                if nic.addresses.is_empty() || nic.addresses.iter().any(|net| subnet.contains(&net.addr())) {
                    continue;
                }
                let message = format!(
                    "{} of `{}:{}` is not in the subnet of `{}`, {subnet}",
                    nic.addresses[0], port.host, port.nic, segment.name
                );
                let hint = "the first port with an address decides on a segment's subnet if it names none";
                self.warn(&nic.places[0], message, hint);
            }
        }
    }

    /// Two wires with one subnet. A host that has a silent NIC on both may be there to join them.
    fn overlapping_subnets(&mut self, held: &[Held<'_>], silent: &[(usize, &str)]) {
        let joined = |one: usize, other: usize| {
            let on =
                |domain: usize| silent.iter().filter(move |(of, _)| *of == domain).map(|(_, host)| *host);
            on(one).any(|host| on(other).any(|name| name == host))
        };
        let mut subnets: Vec<(usize, Ipv4Net, &Held<'_>)> = Vec::new();
        for holder in held.iter().filter(|holder| holder.address.prefix_len() < 32) {
            let (domain, net) = (holder.domain, holder.address.trunc());
            if subnets.iter().any(|&(other, known, _)| other == domain && known == net) {
                continue;
            }
            let overlaps = |known: &Ipv4Net| known.contains(&net) || net.contains(known);
            if let Some((_, known, other)) =
                subnets.iter().find(|(other, known, _)| *other != domain && overlaps(known))
                && !(*known == net && joined(other.domain, domain))
            {
                let line = self.topology.line_of(other.at, holder.at);
                let message = format!(
                    "the subnet {net} of `{}:{}` overlaps with {known} of `{}:{}` on another segment ({line})",
                    holder.host, holder.device, other.host, other.device
                );
                self.warn(holder.at, message, "a router sends each address one way only");
            }
            subnets.push((domain, net, holder));
        }
    }

    fn loops(&mut self, domains: &Domains) {
        for around in &domains.loops {
            let names: Vec<String> = around
                .iter()
                .map(|&node| match &domains.graph[node] {
                    Node::Segment(i) => format!("`{}`", self.topology.segments[*i].name),
                    Node::Bridge(host, bridge) => format!("`{host}:{bridge}`"),
                })
                .collect();
            let bridge = around.iter().find_map(|&node| match &domains.graph[node] {
                Node::Bridge(host, bridge) => Some(&self.topology.hosts[host].bridges[bridge]),
                Node::Segment(_) => None,
            });
            let Some(bridge) = bridge else { continue };
            let message = format!("bridges form a loop: {}", names.join(", "));
            let at = bridge.at.clone();
            self.warn(&at, message, "no spanning tree is simulated: a broadcast circulates forever");
        }
    }

    fn isolated_hosts(&mut self) {
        if self.topology.hosts.len() < 2 {
            return;
        }
        for (name, host) in &self.topology.hosts {
            if !self
                .topology
                .segments
                .iter()
                .any(|segment| segment.ports.iter().any(|port| port.host == *name))
            {
                let message = format!("no segment or link leads to `{name}`");
                self.warn(&host.at, message, "name one of its NICs in `segments` or `links`");
            }
        }
    }
}
