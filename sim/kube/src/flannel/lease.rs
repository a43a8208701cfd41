use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use packet::SimTime;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use world::Sys;

use super::log::Log;

/// What a node says about its lease.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeaseAttrs {
    /// Where the other nodes reach it.
    #[serde(rename = "PublicIP")]
    pub public_ip: Ipv4Addr,
    /// Its backend; udp and alloc don't say theirs.
    #[serde(default, rename = "BackendType", skip_serializing_if = "String::is_empty")]
    pub backend_type: String,
    /// What the backend has to tell the other nodes.
    #[serde(default, rename = "BackendData", skip_serializing_if = "Option::is_none")]
    pub backend_data: Option<Value>,
}

impl LeaseAttrs {
    /// Attributes without data of the backend.
    pub fn new(public_ip: Ipv4Addr, backend_type: &str) -> Self {
        Self { public_ip, backend_type: backend_type.to_owned(), backend_data: None }
    }
}

/// As flannel logs it.
impl std::fmt::Display for LeaseAttrs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let data = self.backend_data.as_ref().map_or("(nil)".to_owned(), Value::to_string);
        let Self { public_ip, backend_type, .. } = self;
        write!(
            f,
            "BackendType: {backend_type}, PublicIP: {public_ip}, PublicIPv6: (nil), BackendData: {data}, \
             BackendV6Data: (nil)"
        )
    }
}

/// A node's part of the network.
#[derive(Clone, Debug, PartialEq)]
pub struct Lease {
    /// The part.
    pub subnet: Ipv4Net,
    /// What the node says.
    pub attrs: LeaseAttrs,
    /// When it ends, if it does.
    pub expiration: Option<SimTime>,
}

/// What happens to a lease.
#[derive(Clone, Debug, PartialEq)]
pub enum LeaseEvent {
    /// It is new or has changed.
    Added(Lease),
    /// It is gone; of what it was only the part may be known.
    Removed(Lease),
}

/// What a look at the leases gives.
#[derive(Clone, Debug, PartialEq)]
pub enum LeaseNews {
    /// One thing happened.
    Event(LeaseEvent),
    /// These are all.
    Snapshot(Vec<Lease>),
}

/// Keeps the leases of the other nodes. flannel: `LeaseWatcher`.
#[derive(Clone, Debug, Default)]
pub struct LeaseWatcher {
    own: Option<Ipv4Net>,
    leases: Vec<Lease>,
}

impl LeaseWatcher {
    /// Keeps the leases of all nodes but the one with this part.
    pub fn new(own: Ipv4Net) -> Self {
        Self { own: Some(own), leases: Vec::new() }
    }

    /// Takes news; answers what the backend has to do.
    pub fn take(&mut self, sys: &mut dyn Sys, log: Log, news: LeaseNews) -> Vec<LeaseEvent> {
        match news {
            LeaseNews::Snapshot(leases) => self.reset(leases),
            LeaseNews::Event(LeaseEvent::Added(lease) | LeaseEvent::Removed(lease))
                if Some(lease.subnet) == self.own =>
            {
                Vec::new()
            }
            LeaseNews::Event(LeaseEvent::Added(lease)) => {
                match self.leases.iter_mut().find(|known| known.subnet == lease.subnet) {
                    Some(known) => known.clone_from(&lease),
                    None => self.leases.push(lease.clone()),
                }
                vec![LeaseEvent::Added(lease)]
            }
            LeaseNews::Event(LeaseEvent::Removed(lease)) => {
                let found = self.leases.iter().position(|known| known.subnet == lease.subnet);
                let gone = found.map(|at| self.leases.remove(at)).unwrap_or_else(|| {
                    let text =
                        format!("Removed subnet ({}) and ipv6 subnet (<nil>) were not found", lease.subnet);
                    log.error(sys, "lease.go:186", &text);
                    lease
                });
                vec![LeaseEvent::Removed(gone)]
            }
        }
    }

    fn reset(&mut self, leases: Vec<Lease>) -> Vec<LeaseEvent> {
        let leases: Vec<Lease> = leases.into_iter().filter(|lease| Some(lease.subnet) != self.own).collect();
        let known = |all: &[Lease], one: &Lease| all.iter().any(|lease| lease.subnet == one.subnet);
        let new = leases.iter().filter(|lease| !known(&self.leases, lease)).cloned();
        let gone = self.leases.iter().filter(|lease| !known(&leases, lease)).cloned();
        let events = new.map(LeaseEvent::Added).chain(gone.map(LeaseEvent::Removed)).collect();
        self.leases = leases;
        events
    }
}
