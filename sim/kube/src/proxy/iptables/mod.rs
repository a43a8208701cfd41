//! The iptables mode of kube-proxy: that of 1.30 (`rules`), and older ones (`old`).

mod jumps;
mod local_port;
mod old;
mod rules;
mod table;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

pub use jumps::{CANARY_TABLES, Ensure, Place, canaries, kubelet, mark_of};
pub use local_port::LocalPort;

use super::tracker::Changes;
use super::{Family, Profile, Protocol, ProxyConfig, ServiceName, Tracker};

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
    /// The ports that the last sync said to hold.
    held: BTreeSet<LocalPort>,
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
    /// Chains and rules that must exist, in this order; none in a partial sync.
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
    /// The ports to hold open from before the restore on; all others are given back after it. If
    /// one can't be had, [`Proxier::without`] writes the rules for it.
    pub listen: Vec<LocalPort>,
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
        let tracker = Tracker::new(family, config.profile, &config.node_name);
        let (zone, cleaned_at, held) = (None, None, BTreeSet::new());
        Self { family, config, tracker, zone, needs_full_sync: true, cleaned_at, held }
    }

    /// The sysctls that it sets when it starts.
    pub fn sysctls(&self) -> Vec<(&'static str, &'static str)> {
        let route_localnet = ("net.ipv4.conf.all.route_localnet", "1");
        match self.config.profile {
            Profile::V1_30 if !self.config.has_localhost_node_ports(self.family) => Vec::new(),
            Profile::V1_30 | Profile::V1_9 => vec![route_localnet],
            Profile::V1_1 => vec![route_localnet, ("net.bridge.bridge-nf-call-iptables", "1")],
        }
    }

    /// The chains by which it sees that its rules were flushed: before 1.30 it doesn't.
    pub fn canaries(&self) -> Vec<Ensure> {
        if self.config.profile == Profile::V1_30 { canaries() } else { Vec::new() }
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

    /// Older ones know no large clusters.
    fn is_large(&self) -> bool {
        self.config.profile == Profile::V1_30 && self.tracker.endpoint_count() > LARGE_CLUSTER
    }

    /// The next sync writes everything: the rules were lost, or the last sync failed.
    pub fn force_full_sync(&mut self) {
        self.needs_full_sync = true;
    }

    /// Takes up all changes. The caller says [`Self::force_full_sync`] if the restore fails.
    pub fn sync(&mut self, node: &NodeView) -> Sync {
        let changes = self.tracker.apply();
        // Older ones write everything each time.
        let is_full = std::mem::take(&mut self.needs_full_sync) || self.config.profile != Profile::V1_30;
        let mut sync = match self.config.profile {
            Profile::V1_30 => self.write(node, (!is_full).then_some(&changes.services)),
            Profile::V1_9 | Profile::V1_1 => self.write_old(node, &BTreeSet::new()),
        };
        let Changes { stale, other_family, .. } = changes;
        if is_full {
            sync.ensure = jumps::jumps(self.config.profile, &mark_of(self.config.masquerade_bit));
        }
        sync.conntrack.extend(stale.commands(self.family == Family::Ipv6));
        Sync { health: self.health(), other_family, ..sync }
    }

    /// The same sync, but others have some of the ports that it was to hold.
    pub fn without(&mut self, node: &NodeView, sync: Sync, refused: &BTreeSet<LocalPort>) -> Sync {
        self.held.retain(|port| !refused.contains(port));
        let Sync { filter, nat, listen, .. } = self.write_old(node, refused);
        Sync { filter, nat, listen, ..sync }
    }

    fn write(&mut self, node: &NodeView, changed: Option<&BTreeSet<ServiceName>>) -> Sync {
        let large = self.is_large();
        let cleans = self.looks_for_old_chains(node.now);
        let (filter, nat) = rules::Writer {
            family: self.family,
            config: &self.config,
            tracker: &self.tracker,
            zone: self.zone.as_deref(),
            node,
            changed,
            large,
            cleans,
        }
        .write();
        if cleans {
            self.cleaned_at = Some(node.now);
        }
        Sync { filter, nat, ..Sync::default() }
    }

    /// Simplified: connections to a UDP node port that is new are forgotten after the restore, not
    /// when the port is opened.
    fn write_old(&mut self, node: &NodeView, refused: &BTreeSet<LocalPort>) -> Sync {
        let family = (self.family, &*self.config);
        let old::Written { filter, nat, held } =
            old::Writer::new(family, &self.tracker, node, refused).write();
        let new_udp = held
            .iter()
            .filter(|port| port.protocol == Protocol::Udp && port.ip.is_none() && !self.held.contains(*port));
        let family = if self.family == Family::Ipv6 { " -f ipv6" } else { "" };
        let conntrack = match self.config.profile {
            Profile::V1_9 => new_udp.map(|port| format!("-D -p udp --dport {}{family}", port.port)).collect(),
            _ => Vec::new(),
        };
        self.held = held.iter().cloned().collect();
        Sync { filter, nat, conntrack, listen: held, ..Sync::default() }
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
