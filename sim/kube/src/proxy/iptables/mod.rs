//! The iptables mode of kube-proxy 1.30.

mod jumps;
mod rules;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

pub use jumps::{CANARY_TABLES, Ensure, canaries, jumps};

use super::tracker::Changes;
use super::{Family, ProxyConfig, ServiceName, Tracker};

/// From how many endpoints on comments are left out, and old chains are not looked for each time.
const LARGE_CLUSTER: usize = 1000;

/// A proxier of one family. Kubernetes: `pkg/proxy/iptables`, `Proxier`.
#[derive(Clone, Debug)]
pub struct Proxier {
    family: Family,
    config: Arc<ProxyConfig>,
    /// The objects that it watches.
    pub tracker: Tracker,
    zone: Option<String>,
    needs_full_sync: bool,
    cleaned_at: Option<Duration>,
}

/// What a proxier sees of its node when it syncs.
#[derive(Clone, Debug, Default)]
pub struct NodeView {
    /// Virtual time.
    pub now: Duration,
    /// All addresses of the node, its loopback's too.
    pub addresses: Vec<IpAddr>,
    /// The chains in the table `nat`.
    pub nat_chains: BTreeSet<String>,
}

/// What a sync asks for, in the order of doing.
#[derive(Clone, Debug, Default)]
pub struct Sync {
    /// Chains and rules that must exist; none in a partial sync.
    pub ensure: Vec<Ensure>,
    /// The `*filter` part of what `iptables-restore --noflush --counters` gets.
    pub filter: String,
    /// The `*nat` part.
    pub nat: String,
    /// Arguments of `conntrack` commands, after the restore succeeded.
    pub conntrack: Vec<String>,
    /// Where load balancers ask for a Service's health: Service, port, ready endpoints here.
    pub health: Vec<(ServiceName, u16, usize)>,
    /// Endpoints whose address is of the other family.
    pub other_family: Vec<(ServiceName, String)>,
}

impl Sync {
    /// All that `iptables-restore` reads.
    pub fn payload(&self) -> String {
        format!("{}{}", self.filter, self.nat)
    }
}

impl Proxier {
    /// One that has done nothing yet.
    pub fn new(family: Family, config: Arc<ProxyConfig>) -> Self {
        let tracker = Tracker::new(family, &config.node_name);
        Self { family, config, tracker, zone: None, needs_full_sync: true, cleaned_at: None }
    }

    /// The sysctls that it sets when it starts.
    pub fn sysctls(&self) -> Vec<(&'static str, &'static str)> {
        let localhost = self.config.has_localhost_node_ports(self.family);
        localhost.then_some(("net.ipv4.conf.all.route_localnet", "1")).into_iter().collect()
    }

    /// The family of addresses that it works for.
    pub fn family(&self) -> Family {
        self.family
    }

    /// The zone of the node, by its labels; answers whether that is news.
    pub fn set_zone(&mut self, zone: Option<String>) -> bool {
        let is_new = self.zone != zone;
        self.zone = zone;
        self.needs_full_sync |= is_new;
        is_new
    }

    /// Whether a sync at that time looks for chains to delete: not each time in a large cluster.
    pub fn looks_for_old_chains(&self, now: Duration) -> bool {
        let period = self.config.sync_period;
        !self.is_large() || self.cleaned_at.is_none_or(|at| now.saturating_sub(at) > period)
    }

    fn is_large(&self) -> bool {
        self.tracker.endpoint_count() > LARGE_CLUSTER
    }

    /// The next sync writes everything: the rules were lost, or the last sync failed.
    pub fn force_full_sync(&mut self) {
        self.needs_full_sync = true;
    }

    /// Takes up all changes. The caller says [`Self::force_full_sync`] if the restore fails.
    pub fn sync(&mut self, node: &NodeView) -> Sync {
        let changes = self.tracker.apply();
        let is_full = std::mem::take(&mut self.needs_full_sync);
        let large = self.is_large();
        let cleans = self.looks_for_old_chains(node.now);
        let (filter, nat) = rules::Writer {
            family: self.family,
            config: &self.config,
            tracker: &self.tracker,
            zone: self.zone.as_deref(),
            node,
            changed: (!is_full).then_some(&changes.services),
            large,
            cleans,
        }
        .write();
        if cleans {
            self.cleaned_at = Some(node.now);
        }
        let Changes { stale, other_family, .. } = changes;
        Sync {
            ensure: if is_full { jumps() } else { Vec::new() },
            filter,
            nat,
            conntrack: stale.commands(self.family == Family::Ipv6),
            health: self.health(),
            other_family,
        }
    }

    /// The ports for load balancers' health checks.
    fn health(&self) -> Vec<(ServiceName, u16, usize)> {
        let mut found: Vec<(ServiceName, u16, usize)> = Vec::new();
        for port in self.tracker.ports() {
            let Some(number) = port.health_check_node_port else { continue };
            if found.iter().all(|(service, ..)| *service != port.service) {
                found.push((port.service.clone(), number, self.tracker.local_ready(&port.service)));
            }
        }
        found
    }
}
