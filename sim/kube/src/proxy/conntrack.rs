//! Which connection tracking entries have to go after a change: those of UDP, that would lead
//! packets to where no endpoint is, or to none although there is one now.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use super::{Endpoint, Profile, Protocol, ServicePort, ServicePortName};

/// What to delete. Kubernetes: `pkg/proxy/conntrack`, `CleanStaleEntries`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stale {
    /// Entries to these addresses.
    pub addresses: BTreeSet<IpAddr>,
    /// Entries to these ports.
    pub ports: BTreeSet<u16>,
    /// Entries to an address that lead to an endpoint.
    pub address_to_endpoint: BTreeSet<(IpAddr, IpAddr)>,
    /// Entries to a port that lead to an endpoint.
    pub port_to_endpoint: BTreeSet<(u16, IpAddr)>,
    newly_active: BTreeSet<ServicePortName>,
    deleted: BTreeSet<(ServicePortName, SocketAddr)>,
}

impl Stale {
    /// Takes up how the endpoints of a Service changed. Kubernetes: `detectStaleConntrackEntries`.
    pub fn compare(
        &mut self,
        before: &BTreeMap<ServicePortName, Vec<Endpoint>>,
        after: &BTreeMap<ServicePortName, Vec<Endpoint>>,
    ) {
        let serving = |endpoints: Option<&Vec<Endpoint>>| -> BTreeSet<SocketAddr> {
            let all = endpoints.into_iter().flatten().filter(|endpoint| endpoint.is_serving);
            all.map(|endpoint| endpoint.address).collect()
        };
        let names: BTreeSet<&ServicePortName> = before.keys().chain(after.keys()).collect();
        for name in names.into_iter().filter(|name| name.protocol == Protocol::Udp) {
            let (old, new) = (serving(before.get(name)), serving(after.get(name)));
            self.deleted.extend(old.difference(&new).map(|address| (name.clone(), *address)));
            if old.is_empty() && !new.is_empty() {
                self.newly_active.insert(name.clone());
            }
        }
    }

    /// Finds the addresses of the ports whose endpoints changed: before 1.30 only the cluster's.
    pub fn complete(&mut self, ports: &BTreeMap<ServicePortName, ServicePort>, profile: Profile) {
        let knows_all = profile == Profile::V1_30;
        for port in std::mem::take(&mut self.newly_active).iter().filter_map(|name| ports.get(name)) {
            self.addresses.insert(port.cluster_ip);
            if knows_all {
                self.addresses.extend(port.external_ips.iter().chain(&port.balancer_ips));
                self.ports.extend(port.node_port);
            }
        }
        for (name, endpoint) in std::mem::take(&mut self.deleted) {
            let Some(port) = ports.get(&name) else { continue };
            match port.node_port.filter(|_| knows_all) {
                Some(node_port) => drop(self.port_to_endpoint.insert((node_port, endpoint.ip()))),
                None => drop(self.address_to_endpoint.insert((port.cluster_ip, endpoint.ip()))),
            }
            let further = port.external_ips.iter().chain(&port.balancer_ips).filter(|_| knows_all);
            self.address_to_endpoint.extend(further.map(|ip| (*ip, endpoint.ip())));
        }
    }

    /// The arguments of the `conntrack` commands that delete the entries.
    pub fn commands(&self, is_ipv6: bool) -> Vec<String> {
        let family = if is_ipv6 { " -f ipv6" } else { "" };
        let mut commands = Vec::new();
        commands.extend(self.addresses.iter().map(|ip| format!("-D --orig-dst {ip} -p udp{family}")));
        commands.extend(self.ports.iter().map(|port| format!("-D -p udp --dport {port}{family}")));
        commands.extend(
            self.port_to_endpoint
                .iter()
                .map(|(port, to)| format!("-D -p udp --dport {port} --dst-nat {to}{family}")),
        );
        commands.extend(
            self.address_to_endpoint
                .iter()
                .map(|(ip, to)| format!("-D --orig-dst {ip} --dst-nat {to} -p udp{family}")),
        );
        commands
    }
}
