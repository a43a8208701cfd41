use std::net::IpAddr;

use dns::Name;

use super::Plugin;
use super::question::{Asked, Invalid, Otherwise, Part, Shape, parse};
use super::reverse::family;
use crate::api::labels;
use crate::coredns::cluster::Cluster;
use crate::coredns::corefile::{EndpointNames, Endpoints, IfEmpty, Pods, Zonal};
use crate::coredns::entry::{EndpointAddress, Key, Port, ServiceEntry, SliceEntry};

/// What stands behind a name: a record to be. CoreDNS: `msg.Service`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// An address, or another name.
    pub host: Host,
    /// The port; none if there is none.
    pub port: Option<u16>,
    /// The name of what has the address, for SRV records.
    pub owner: Name,
}

/// An address or a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// An address.
    Address(IpAddr),
    /// A name, which an ExternalName Service stands for.
    Name(Name),
}

/// There is no such name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoName;

impl From<Invalid> for NoName {
    fn from(_: Invalid) -> Self {
        Self
    }
}

impl Plugin {
    /// What stands behind a name in a zone; nothing if the name exists without. CoreDNS: `Records`.
    pub fn find(&self, name: &Name, zone: &Name, cluster: &Cluster) -> Result<Vec<Found>, NoName> {
        let asked = parse(name, zone, self.shape(zone))?;
        let namespace = match &asked {
            Asked::Above => return Ok(Vec::new()),
            Asked::Pod { namespace, .. } | Asked::Service { namespace, .. } => namespace.clone(),
        };
        if family(name).is_some() || !self.exposes(&namespace, cluster) {
            return Err(NoName);
        }
        match asked {
            Asked::Above => Ok(Vec::new()),
            Asked::Pod { pod, .. } => self.pods(&namespace, pod, zone, cluster),
            Asked::Service { service: None, .. } => Ok(Vec::new()),
            Asked::Service { service: Some(service), part, .. } => {
                self.services(&(namespace, service), &part, zone, cluster)
            }
        }
    }

    /// The shape of the names of a zone.
    pub fn shape(&self, zone: &Name) -> Shape {
        match (self.is_set(zone), self.config.zonal) {
            (true, _) => Shape::Set,
            (false, Zonal::Named) => Shape::Zonal,
            (false, Zonal::Unknown) => Shape::Cluster,
        }
    }

    /// Whether a zone is that of a set of clusters.
    pub fn is_set(&self, zone: &Name) -> bool {
        self.config.multicluster.iter().any(|set| set.zone_of(zone))
    }

    /// Whether names of a namespace resolve.
    pub fn exposes(&self, namespace: &str, cluster: &Cluster) -> bool {
        let config = &self.config;
        let Some(found) = cluster.namespace(namespace) else { return false };
        (config.namespaces.is_empty() || config.namespaces.contains(namespace))
            && config.namespace_labels.as_ref().is_none_or(|wanted| labels::selects(wanted, Some(found)))
    }

    /// Whether the plugin watches an object with such labels.
    pub fn watches(&self, found: &labels::Labels) -> bool {
        self.config.labels.as_ref().is_none_or(|wanted| labels::selects(wanted, Some(found)))
    }

    fn pods(
        &self,
        namespace: &str,
        pod: Option<String>,
        zone: &Name,
        cluster: &Cluster,
    ) -> Result<Vec<Found>, NoName> {
        if self.config.pods == Pods::Disabled {
            return Err(NoName);
        }
        let Some(pod) = pod else { return Ok(Vec::new()) };
        let is_v4 = pod.matches('-').count() == 3 && !pod.contains("--");
        let text = pod.replace('-', if is_v4 { "." } else { ":" });
        let ip: IpAddr = text.parse().map_err(|_| NoName)?;
        let owner = owner(&[&pod, namespace, "pod"], zone);
        let found = Found { host: Host::Address(ip.to_canonical()), port: Some(0), owner };
        if self.config.pods == Pods::Insecure {
            return Ok(vec![found]);
        }
        let pods = cluster.pods_with(ip).filter(|pod| pod.key.0 == namespace && self.watches(&pod.labels));
        // CoreDNS finds a pod by its address as text: `fd00-0--1` isn't the pod with fd00::1.
        let count = if ip.to_string() == text { pods.count() } else { 0 };
        if count == 0 { Err(NoName) } else { Ok(vec![found; count]) }
    }

    fn services(&self, key: &Key, part: &Part, zone: &Name, cluster: &Cluster) -> Result<Vec<Found>, NoName> {
        let set = self.is_set(zone);
        let service = if set { cluster.import(key) } else { cluster.service(key) };
        let service = service.filter(|service| set || self.watches(&service.labels)).ok_or(NoName)?;
        let slices = self.slices(key, set, cluster);
        let zonal = matches!(part, Part::Zone { .. });
        if self.config.empty_services == IfEmpty::Ignored
            && service.external_name.is_none()
            && !service.headless
            && slices.iter().all(|slice| slice.addresses.is_empty())
            || zonal && !service.headless
        {
            return Err(NoName);
        }
        let own = owner(&[&key.1, &key.0, "svc"], zone);
        if let Some(external) = &service.external_name {
            // Its name has no ports or endpoints below it.
            let whole = matches!(part, Part::All) || part.port() == ("", "") && !part.is_endpoint();
            return if whole {
                external_name(external, own).ok_or(NoName).map(|one| vec![one])
            } else {
                Err(NoName)
            };
        }
        let found = if service.headless || part.is_endpoint() {
            let narrow = self.endpoints(&slices, part, &own, set);
            match part {
                Part::Zone { otherwise: Otherwise::All, .. } if narrow.is_empty() => {
                    self.endpoints(&slices, &Part::All, &own, set)
                }
                _ => narrow,
            }
        } else {
            cluster_ips(service, part, &own)?
        };
        // A Service without endpoints has no name, unless it has one in each zone.
        let is_there = zonal || !service.headless && !part.is_endpoint();
        if found.is_empty() && !is_there { Err(NoName) } else { Ok(found) }
    }

    /// The slices of a Service that the plugin watches.
    fn slices<'a>(&self, key: &Key, set: bool, cluster: &'a Cluster) -> Vec<&'a SliceEntry> {
        let watched = |slice: &&SliceEntry| self.watches(&slice.labels);
        match set {
            true => cluster.imported_slices_of(key).filter(watched).collect(),
            false if self.config.endpoints == Endpoints::Ignored => Vec::new(),
            false => cluster.slices_of(key).filter(watched).collect(),
        }
    }

    fn endpoints(&self, slices: &[&SliceEntry], part: &Part, own: &Name, set: bool) -> Vec<Found> {
        let mut found = Vec::new();
        for slice in slices {
            for address in &slice.addresses {
                let hostname = self.hostname(address);
                let wanted = match part {
                    Part::Endpoint { hostname: wanted, cluster } => {
                        let here =
                            !set || slice.cluster.eq_ignore_ascii_case(cluster.as_deref().unwrap_or(""));
                        here && hostname.eq_ignore_ascii_case(wanted)
                    }
                    Part::Zone { zone, .. } => address.zone.as_ref() == Some(zone),
                    Part::All | Part::Port { .. } => true,
                };
                if !wanted {
                    continue;
                }
                let labels = if set { vec![&*hostname, &*slice.cluster] } else { vec![&*hostname] };
                let owner = owner(&labels, own);
                for port in slice.ports.iter().filter(|port| is_wanted(part, port)) {
                    let host = Host::Address(address.ip);
                    found.push(Found { host, port: port.number, owner: owner.clone() });
                }
            }
        }
        found
    }

    /// The host name of an endpoint. CoreDNS: `endpointHostname`.
    pub fn hostname(&self, address: &EndpointAddress) -> String {
        let pod = address.pod.as_ref().filter(|_| self.config.endpoint_names == EndpointNames::Pod);
        if let Some(name) = address.hostname.as_ref().or(pod) {
            return name.clone();
        }
        let text = address.ip.to_string().replace(['.', ':'], "-");
        // No label ends with a hyphen.
        if text.ends_with('-') { text + "0" } else { text }
    }
}

fn cluster_ips(service: &ServiceEntry, part: &Part, own: &Name) -> Result<Vec<Found>, NoName> {
    let ports: Vec<&Port> = service.ports.iter().filter(|port| is_wanted(part, port)).collect();
    if ports.is_empty() {
        return Err(NoName);
    }
    let of_port = |port: &&Port| {
        let port = port.number;
        let found = move |ip: &IpAddr| Found { host: Host::Address(*ip), port, owner: own.clone() };
        service.addresses.iter().map(found).collect::<Vec<_>>()
    };
    Ok(ports.iter().flat_map(of_port).collect())
}

fn external_name(text: &str, owner: Name) -> Option<Found> {
    // An address is no name: there is no record for it.
    if text.parse::<IpAddr>().is_ok() {
        return None;
    }
    let mut name = Name::from_ascii(text).ok()?;
    name.set_fqdn(true);
    Some(Found { host: Host::Name(name), port: Some(0), owner })
}

fn is_wanted(part: &Part, port: &Port) -> bool {
    let (name, protocol) = part.port();
    (name.is_empty() || name.eq_ignore_ascii_case(&port.name))
        && (protocol.is_empty() || protocol.eq_ignore_ascii_case(&port.protocol))
}

/// A name of labels before a domain; the domain itself if they can't be a name.
fn owner(labels: &[&str], domain: &Name) -> Name {
    let mut name = domain.clone();
    for label in labels.iter().rev() {
        match name.prepend_label(*label) {
            Ok(longer) => name = longer,
            Err(_) => return domain.clone(),
        }
    }
    name
}
