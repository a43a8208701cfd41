use std::net::IpAddr;

use dns::Name;

use super::Plugin;
use crate::coredns::cluster::Cluster;

/// The labels before a zone that name its server.
const NAME: [&str; 2] = ["ns", "dns"];

/// The name of a zone's server if it is in no Service: `ns.dns.` and the zone.
pub fn default_name(zone: &Name) -> Name {
    NAME.iter()
        .rev()
        .try_fold(zone.clone(), |name, label| name.prepend_label(*label))
        .unwrap_or_else(|_| zone.clone())
}

impl Plugin {
    /// Names and addresses of the Services that this CoreDNS is an endpoint of; its own if there are
    /// none. CoreDNS: `nsAddrs`.
    pub fn name_servers(&self, zone: &Name, cluster: &Cluster) -> Vec<(Name, IpAddr)> {
        let mut servers = Vec::new();
        let mut is_endpoint = false;
        for local in &self.local {
            for slice in self.watched_slices_with(*local, cluster) {
                is_endpoint = true;
                let Some(service) = cluster.service(&slice.service) else { continue };
                let (namespace, name) = &service.key;
                let name_of = |labels: &[&str]| {
                    let name = Name::from_ascii(labels.join(".")).ok()?;
                    name.append_domain(zone).ok()
                };
                if service.headless {
                    for endpoint in &slice.addresses {
                        let name = name_of(&[&self.hostname(endpoint), name, namespace, "svc"]);
                        servers.extend(name.map(|name| (name, endpoint.ip)));
                    }
                } else {
                    let name = name_of(&[name, namespace, "svc"]);
                    let addresses = service.addresses.iter().copied();
                    servers.extend(addresses.filter_map(|address| Some((name.clone()?, address))));
                }
            }
        }
        if !is_endpoint {
            servers.extend(self.local.iter().map(|local| (default_name(zone), *local)));
        }
        servers
    }
}
