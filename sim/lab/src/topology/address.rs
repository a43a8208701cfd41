//! Automatic addresses. They follow from names alone, so that appending to a file changes none:
//!
//! - A segment's subnet is the one it names; else that of the first port, in the order of the list,
//!   that has an address; else a /24 that its name's hash chooses: of 10.128.0.0/11 for hubs and
//!   switches, of 10.160.0.0/12 for `links`, of 10.176.0.0/12 for the cables of shapes.
//! - A NIC's place in its subnet follows from the hash of `host:nic`. The first two addresses and
//!   the last two are left for those that are written by hand, if there are eight or more.
//! - Who comes later gives way: what is taken already, in the order of the list, is passed over.
//!   An address written by hand that a NIC before it has by chance is an error.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;

use super::{Medium, Topology};
use crate::error::{FileError, Problem, nearest};

/// Where each kind of medium takes its subnets from, and how many there are.
fn pool(medium: Medium) -> (Ipv4Addr, u32) {
    match medium {
        Medium::Hub | Medium::Switch => (Ipv4Addr::new(10, 128, 0, 0), 8192),
        Medium::Link => (Ipv4Addr::new(10, 160, 0, 0), 4096),
        Medium::ShapeLink => (Ipv4Addr::new(10, 176, 0, 0), 4096),
    }
}

impl Topology {
    /// Gives every NIC that asks for one its address, every host its gateway, and the hosts of
    /// shapes their routes. Answers what can't be done.
    pub(super) fn assign_addresses(&mut self) -> Vec<FileError> {
        let mut errors = Vec::new();
        let mut subnets = BTreeSet::new();
        for segment in 0..self.segments.len() {
            if let Err(problem) = self.assign_segment(segment, &mut subnets) {
                errors.push(self.error(&self.segments[segment].at, problem));
            }
        }
        let this = &*self;
        let unplugged = this.hosts.iter().flat_map(|(host, spec)| {
            spec.nics.iter().filter_map(move |(nic, spec)| {
                let at = spec.auto.as_ref().filter(|_| this.segment_of(host, nic).is_none())?;
                let message =
                    format!("an automatic address needs a segment or link that `{host}:{nic}` is on");
                let hint = Some("plug it in, or write the address, or `none`".to_owned());
                Some(this.error(at, Problem::Conflict { message, hint }))
            })
        });
        errors.extend(unplugged);
        if errors.is_empty() {
            errors.extend(self.find_gateways());
        }
        if errors.is_empty() {
            self.route_shapes();
        }
        errors
    }

    fn assign_segment(&mut self, segment: usize, subnets: &mut BTreeSet<Ipv4Net>) -> Result<(), Problem> {
        let mut taken = BTreeSet::new();
        for port in 0..self.segments[segment].ports.len() {
            let port = self.segments[segment].ports[port].clone();
            let given = self.given_addresses(&port.host, &port.nic);
            taken.extend(given.iter().map(Ipv4Net::addr));
            if let Some(net) = given.first() {
                self.segments[segment].subnet.get_or_insert(net.trunc());
            }
            let nic = &self.hosts[&port.host].nics[&port.nic];
            // A NIC that is plugged in twice is another error's business.
            if nic.auto.is_none() || nic.places.len() > nic.addresses.len() {
                continue;
            }
            let subnet = match self.segments[segment].subnet {
                Some(subnet) => subnet,
                None => {
                    let subnet = self.free_subnet(segment, subnets)?;
                    subnets.insert(subnet);
                    subnet
                }
            };
            self.segments[segment].subnet = Some(subnet);
            let address =
                free_address(subnet, &port.host, &port.nic, &taken).ok_or_else(|| Problem::Conflict {
                    message: format!(
                        "the subnet {subnet} of `{}` has no free address",
                        self.segments[segment].name
                    ),
                    hint: None,
                })?;
            taken.insert(address);
            let nic = &mut self.hosts[&port.host].nics[&port.nic];
            if let (Some(at), Ok(net)) = (&nic.auto, Ipv4Net::new(address, subnet.prefix_len())) {
                nic.places.push(at.clone());
                nic.addresses.push(net);
            }
        }
        Ok(())
    }

    /// The addresses that are written for a NIC or for the bridge that it belongs to.
    fn given_addresses(&self, host: &str, nic: &str) -> Vec<Ipv4Net> {
        let spec = &self.hosts[host];
        let bridges = spec.bridges.values().filter(|bridge| bridge.ports.iter().any(|port| port == nic));
        let bridged = bridges.flat_map(|bridge| &bridge.addresses);
        spec.nics[nic].addresses.iter().chain(bridged).copied().collect()
    }

    /// The subnet that a segment's name chooses, or the next that no earlier one has.
    fn free_subnet(&self, segment: usize, subnets: &BTreeSet<Ipv4Net>) -> Result<Ipv4Net, Problem> {
        let segment = &self.segments[segment];
        let (base, count) = pool(segment.medium);
        let hash = world::stream_key(0, &segment.name, "subnet");
        let all = (0..count).map(|i| {
            let number = (u32::try_from(hash % u64::from(count)).unwrap_or(0) + i) % count;
            Ipv4Net::new_assert((u32::from(base) + (number << 8)).into(), 24)
        });
        all.into_iter().find(|net| !subnets.contains(net)).ok_or_else(|| Problem::Conflict {
            message: format!("no subnet is left for `{}`", segment.name),
            hint: Some("write a `subnet`".to_owned()),
        })
    }

    /// Turns gateways into addresses: a host's name stands for its address in a subnet of the one
    /// that asks.
    fn find_gateways(&mut self) -> Vec<FileError> {
        let mut errors = Vec::new();
        let mut found = Vec::new();
        for (name, spec) in &self.hosts {
            let Some((text, at)) = &spec.gateway_name else { continue };
            let own: Vec<Ipv4Net> = subnets_of(self, name);
            let gateway = match text.parse::<IpAddr>() {
                Ok(IpAddr::V4(gateway)) if own.iter().any(|net| net.contains(&gateway)) => Ok(gateway),
                Ok(_) => Err(Problem::Conflict {
                    message: format!("no NIC of `{name}` has a subnet with the gateway {text}"),
                    hint: list("its subnets are", own.iter().map(Ipv4Net::trunc)),
                }),
                Err(_) => self.gateway_by_name(name, text, &own),
            };
            match gateway {
                Ok(gateway) => found.push((name.clone(), gateway)),
                Err(problem) => errors.push(self.error(at, problem)),
            }
        }
        for (name, gateway) in found {
            self.hosts[&name].gateway = Some(gateway);
        }
        errors
    }

    fn gateway_by_name(&self, host: &str, gateway: &str, own: &[Ipv4Net]) -> Result<Ipv4Addr, Problem> {
        if !self.hosts.contains_key(gateway) {
            let others = self.hosts.keys().map(String::as_str).filter(|name| *name != host);
            let hint = nearest(gateway, others);
            // Something with dots and digits only was meant as an address.
            return Err(match gateway.contains(|c: char| !(c.is_ascii_digit() || "./".contains(c))) {
                true => Problem::Unknown { kind: "host", name: gateway.to_owned(), hint },
                false => Problem::Invalid {
                    value: gateway.to_owned(),
                    expected: "an address such as 10.0.0.1, or the name of a host",
                },
            });
        }
        let theirs = subnets_of(self, gateway);
        let common = theirs.iter().find(|net| own.iter().any(|own| own.contains(&net.addr())));
        common.map(Ipv4Net::addr).ok_or_else(|| Problem::Conflict {
            message: format!("the gateway `{gateway}` has no address in a subnet of `{host}`"),
            hint: list("it has", theirs.iter()),
        })
    }
}

/// `its subnets are 10.0.0.0/24, 10.1.0.0/24`.
fn list<T: ToString>(what: &str, items: impl Iterator<Item = T>) -> Option<String> {
    let items: Vec<String> = items.map(|item| item.to_string()).collect();
    (!items.is_empty()).then(|| format!("{what} {}", items.join(", ")))
}

/// The addresses of a host's NICs and bridges, with their subnets.
fn subnets_of(topology: &Topology, host: &str) -> Vec<Ipv4Net> {
    let spec = &topology.hosts[host];
    let nics = spec.nics.values().flat_map(|nic| &nic.addresses);
    let bridges = spec.bridges.values().flat_map(|bridge| &bridge.addresses);
    nics.chain(bridges).copied().collect()
}

/// The address that the hash of `host:nic` chooses in a subnet, or the next that is free.
fn free_address(subnet: Ipv4Net, host: &str, nic: &str, taken: &BTreeSet<Ipv4Addr>) -> Option<Ipv4Addr> {
    let size = 1u64 << (32 - subnet.prefix_len());
    let (first, last) = match size {
        0..=2 => (0, size - 1),
        4 => (1, 2),
        _ => (2, size - 3),
    };
    let count = last - first + 1;
    let hash = world::stream_key(0, host, nic);
    let numbers = (0..count).map(|i| first + (hash % count + i) % count);
    numbers
        .filter_map(|number| Some(Ipv4Addr::from(u32::from(subnet.network()) + u32::try_from(number).ok()?)))
        .find(|address| !taken.contains(address))
}
