//! A proxier without a node: what it writes for given objects, sync by sync.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use super::Family;
use super::input::{Change, Input, Step};
use super::iptables::{Ensure, NodeView, Place, Proxier, Sync, kubelet};

/// What the proxier of a family does to its node, from its start on.
#[derive(Clone, Debug)]
pub struct Output {
    /// The family.
    pub family: Family,
    /// What the kubelet of that time has made before.
    pub kubelet: Vec<Ensure>,
    /// The sysctls that it sets before anything else.
    pub sysctls: Vec<(String, String)>,
    /// What each sync asks for; the canaries are among the first one's chains.
    pub syncs: Vec<Sync>,
}

/// Lets the proxier of each family take up the steps of an input.
pub fn run(input: &Input) -> Vec<Output> {
    input.families.iter().map(|family| run_family(input, *family)).collect()
}

impl Output {
    /// Shell commands that do to a node what the proxier does, sync by sync.
    pub fn script(&self) -> String {
        let mut script = String::new();
        for (name, value) in &self.sysctls {
            let _ = writeln!(script, "sysctl -qw {name}={value}");
        }
        script.push_str(&ensure_script(self.family, &self.kubelet));
        script.extend(self.syncs.iter().map(|sync| sync_script(self.family, sync)));
        script
    }
}

/// The `iptables` of a family.
fn tool(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "iptables",
        Family::Ipv6 => "ip6tables",
    }
}

/// Shell commands that do to a node what a sync asks for.
pub fn sync_script(family: Family, Sync { ensure, filter, nat, conntrack, .. }: &Sync) -> String {
    let (tool, mut script) = (tool(family), ensure_script(family, ensure));
    let _ = write!(script, "{tool}-restore -w 5 --noflush --counters <<'END'\n{filter}{nat}END\n");
    for command in conntrack {
        let _ = writeln!(script, "conntrack {command} > /dev/null 2>&1 || true");
    }
    script
}

/// Shell commands that make the chains and rules that aren't there.
pub fn ensure_script(family: Family, wanted: &[Ensure]) -> String {
    let (tool, mut script) = (tool(family), String::new());
    for (number, ensure) in wanted.iter().enumerate() {
        if !wanted[..number].contains(ensure) {
            let _ = writeln!(script, "{}", ensure_command(tool, ensure));
        }
    }
    script
}

/// A command that changes nothing if the chain or rule is there already.
fn ensure_command(tool: &str, ensure: &Ensure) -> String {
    let there = match ensure {
        // A chain is there if it can be listed.
        Ensure::Chain { table, chain } => format!("-t {table} -S {chain}"),
        Ensure::Rule { place: Place::First, .. } => ensure.to_string().replacen(" -I ", " -C ", 1),
        Ensure::Rule { place: Place::Last, .. } => ensure.to_string().replacen(" -A ", " -C ", 1),
    };
    format!("{tool} -w 5 {there} > /dev/null 2>&1 || {tool} -w 5 {ensure}")
}

fn run_family(input: &Input, family: Family) -> Output {
    let mut run = Run::new(input, family);
    let own = run.proxier.sysctls().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let sysctls = input.sysctls.iter().cloned().chain(own).collect();
    let syncs = std::iter::from_fn(|| run.sync()).collect();
    let kubelet = kubelet(input.config.profile, input.config.masquerade_bit);
    Output { family, kubelet, sysctls, syncs }
}

/// A proxier that takes up the steps of an input one after the other.
#[derive(Clone, Debug)]
pub struct Run {
    /// The proxier.
    pub proxier: Proxier,
    /// What it sees of its node: the chains that its own syncs have left.
    pub view: NodeView,
    steps: std::vec::IntoIter<Step>,
    pause: Duration,
    has_synced: bool,
}

impl Run {
    /// The proxier of a family, before its first sync.
    pub fn new(input: &Input, family: Family) -> Self {
        Self {
            proxier: Proxier::new(family, Arc::new(input.config.clone())),
            view: NodeView { addresses: node_addresses(input), ..NodeView::default() },
            steps: input.steps.clone().into_iter(),
            pause: input.config.min_sync_period.max(Duration::from_secs(1)),
            has_synced: false,
        }
    }

    /// The next sync; none after the last step.
    pub fn sync(&mut self) -> Option<Sync> {
        let Step { changes, zone } = self.steps.next()?;
        for change in changes {
            match change {
                Change::Service(name, service) => self.proxier.tracker.set_service(name, service),
                Change::Slice((namespace, name), slice) => {
                    self.proxier.tracker.set_slice(&namespace, &name, slice);
                }
            }
        }
        self.proxier.set_zone(zone);
        let mut sync = self.proxier.sync(&self.view);
        note_chains(&sync, &mut self.view.nat_chains);
        if !std::mem::replace(&mut self.has_synced, true) {
            sync.ensure.splice(..0, self.proxier.canaries());
        }
        self.view.now += self.pause;
        Some(sync)
    }
}

/// The addresses of a node that are its own: its loopback's, its main ones, its bridge's.
pub fn node_addresses(input: &Input) -> Vec<IpAddr> {
    let mut addresses = vec![IpAddr::from([127, 0, 0, 1]), IpAddr::from(Ipv6Addr::LOCALHOST)];
    let bridge = input.pod_networks.iter().filter_map(bridge_address);
    for ip in input.addresses.iter().copied().chain(bridge) {
        if !addresses.contains(&ip) {
            addresses.push(ip);
        }
    }
    addresses
}

/// The first address of the network of a node's pods: its bridge's.
pub fn bridge_address(network: &IpNet) -> Option<IpAddr> {
    match network {
        IpNet::V4(network) => network.hosts().next().map(IpAddr::V4),
        IpNet::V6(network) => Some(Ipv6Addr::from(u128::from(network.network()) | 1).into()),
    }
}

/// Notes which chains the table `nat` has after a restore.
fn note_chains(sync: &Sync, chains: &mut BTreeSet<String>) {
    for ensure in &sync.ensure {
        if let Ensure::Chain { table: "nat", chain } = ensure {
            chains.insert((*chain).to_owned());
        }
    }
    for line in sync.nat.lines() {
        if let Some(chain) = line.strip_prefix(':') {
            chains.insert(chain.split(' ').next().unwrap_or_default().to_owned());
        } else if let Some(chain) = line.strip_prefix("-X ") {
            chains.remove(chain);
        }
    }
}
