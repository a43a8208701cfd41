use std::fmt;
use std::net::IpAddr;

use crate::proxy::{Protocol, ServicePort};

/// A port that a proxier before 1.20 holds open, so that no process gets what the rules take away
/// from it. Kubernetes: `utilproxy.LocalPort`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalPort {
    /// What it is for, e.g. `nodePort for default/web:`.
    pub description: String,
    /// The address, if not all.
    pub ip: Option<IpAddr>,
    /// The port.
    pub port: u16,
    /// The protocol.
    pub protocol: Protocol,
}

impl LocalPort {
    /// The node port of a Service's port.
    pub(super) fn of_node(port: &ServicePort, number: u16) -> Self {
        let description = format!("nodePort for {}", port.name);
        Self { description, ip: None, port: number, protocol: port.name.protocol }
    }

    /// An external address of a Service's port that is the node's own.
    pub(super) fn of_address(port: &ServicePort, ip: IpAddr) -> Self {
        let description = format!("externalIP for {}", port.name);
        Self { description, ip: Some(ip), port: port.port, protocol: port.name.protocol }
    }
}

impl fmt::Display for LocalPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ip = self.ip.map(|ip| ip.to_string()).unwrap_or_default();
        write!(f, "{:?} ({ip}:{}/{})", self.description, self.port, self.protocol.name())
    }
}
