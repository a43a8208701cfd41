//! What a probe between two pods costs over each pod network.

use std::path::Path;
use std::str::FromStr;

use kube::cluster::Network;
use packet::{Body, EtherPayload, Frame, Packet, UdpData};
use serde::Serialize;
use trace::{Disposition, StepKind, Trace};

use crate::error::{FileError, Problem};
use crate::lab::{Lab, Spot};
use crate::ran::Ran;
use crate::table::aligned;
use crate::topology::Topology;

/// A network to compare: flannel's backend, `+direct` behind it for `DirectRouting`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    name: String,
}

impl Backend {
    /// All that are compared unless something else is asked for.
    pub fn all() -> Vec<Self> {
        ["vxlan", "vxlan+direct", "host-gw", "ipip", "udp"]
            .map(|name| Self { name: name.to_owned() })
            .to_vec()
    }

    /// The cluster's network with this backend; flannel's arguments stay.
    fn network(&self, present: &Network) -> Network {
        let args = match present {
            Network::Flannel { args, .. } => args.clone(),
            Network::None | Network::Kubenet { .. } => Vec::new(),
        };
        let (backend, direct_routing) = match self.name.strip_suffix("+direct") {
            Some(backend) => (backend, true),
            None => (self.name.as_str(), false),
        };
        Network::Flannel { backend: backend.to_owned(), direct_routing, args }
    }
}

impl FromStr for Backend {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = Self::all().into_iter().map(|backend| backend.name);
        let known: Vec<String> = all.chain(["ipip+direct".to_owned()]).collect();
        match known.iter().any(|name| name == text) {
            true => Ok(Self { name: text.to_owned() }),
            false => Err(format!("expected one of {}", known.join(", "))),
        }
    }
}

/// What one packet cost on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// The network.
    pub network: String,
    /// `delivered`, or why not.
    pub outcome: String,
    /// Namespaces that it passed, its own included.
    pub hops: usize,
    /// Its longest frame on a cable, from the outside in.
    pub headers: Vec<&'static str>,
    /// Bytes of that frame that the sender's frame didn't have.
    pub overhead: usize,
    /// Times that it went between kernel and user space, the sender's system call included.
    pub crossings: usize,
    /// Rules that kernels evaluated for it.
    pub rules_visited: u32,
    /// Microseconds until it was delivered.
    pub micros: u64,
}

/// Builds the topology once with each network, sends a `ping` from one place to another and counts.
///
/// # Errors
/// A bad file, no cluster in it, a place that doesn't exist.
pub fn compare(
    file: &Path,
    from: &str,
    to: &str,
    networks: &[Backend],
    seed: u64,
) -> Result<Vec<Cost>, FileError> {
    let topology = Topology::read(file)?;
    let Some(cluster) = &topology.cluster else {
        return Err(FileError::new(file, Problem::Missing("a `cluster` whose networks can be compared")));
    };
    let present = cluster.plan.network.clone();
    let mut costs = Vec::new();
    for backend in networks {
        let topology = topology.clone().with_network(backend.network(&present));
        let mut lab = Lab::of(topology, file, seed)?;
        let wrong = |problem| FileError::new(file, problem);
        let target = target(&lab, to).map_err(wrong)?;
        let ping = format!("ping -c 1 -W 2 {target}");
        // The first one asks for link-layer addresses.
        lab.run(from, &ping).map_err(wrong)?;
        let ran = lab.run(from, &ping).map_err(wrong)?;
        costs.push(Cost::of(&backend.name, &ran));
    }
    Ok(costs)
}

/// The address that a place is reached by.
fn target(lab: &Lab, to: &str) -> Result<String, Problem> {
    if to.parse::<std::net::IpAddr>().is_ok() {
        return Ok(to.to_owned());
    }
    let Spot { host, netns, .. } = lab.locate(to)?;
    let addrs = lab.world.host(host).addrs(netns);
    let mut all = addrs.iter().map(|info| info.addr.local.addr()).filter(|addr| !addr.is_loopback());
    let message = || Problem::Conflict { message: format!("`{to}` has no address"), hint: None };
    all.next().map(|addr| addr.to_string()).ok_or_else(message)
}

/// The costs as a table.
pub fn table(costs: &[Cost]) -> String {
    let head = ["network", "outcome", "hops", "overhead", "crossings", "rules", "µs", "headers on the cable"];
    let rows = costs.iter().map(|cost| {
        vec![
            cost.network.clone(),
            cost.outcome.clone(),
            cost.hops.to_string(),
            format!("{} bytes", cost.overhead),
            cost.crossings.to_string(),
            cost.rules_visited.to_string(),
            cost.micros.to_string(),
            cost.headers.join(" "),
        ]
    });
    let head = head.map(str::to_owned).to_vec();
    aligned(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

impl Cost {
    fn of(network: &str, ran: &Ran) -> Self {
        let nothing = Self {
            network: network.to_owned(),
            outcome: "nothing was sent".to_owned(),
            hops: 0,
            headers: Vec::new(),
            overhead: 0,
            crossings: 0,
            rules_visited: 0,
            micros: 0,
        };
        let Some(trace) = &ran.subject else { return nothing };
        let steps = || trace.hops.iter().flat_map(|hop| &hop.steps);
        let frames = steps().filter_map(|step| match &step.kind {
            StepKind::Transmit(frame) => Some(&**frame),
            _ => None,
        });
        let longest = frames.max_by_key(|frame| frame.len());
        let rules = steps().map(|step| match &step.kind {
            StepKind::Chain { rules_visited, .. } => *rules_visited,
            _ => 0,
        });
        Self {
            outcome: outcome(trace),
            hops: trace.hops.len(),
            headers: longest.map(|longest| wrapped(longest, &trace.frame)).unwrap_or_default(),
            overhead: longest.map_or(0, |frame| frame.len().saturating_sub(trace.frame.len())),
            crossings: trace.crossings(),
            rules_visited: rules.sum(),
            micros: duration(trace),
            ..nothing
        }
    }
}

fn outcome(trace: &Trace) -> String {
    match trace.disposition {
        Disposition::Delivered { .. } => "delivered".to_owned(),
        Disposition::Dropped { reason, .. } => format!("dropped: {reason}"),
        Disposition::Pending => "on its way".to_owned(),
    }
}

fn duration(trace: &Trace) -> u64 {
    let last = trace.hops.iter().flat_map(|hop| &hop.steps).map(|step| step.at).max();
    let took = last.unwrap_or(trace.sent_at).since(trace.sent_at);
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

/// The headers of a frame, from the outside in; behind those of a datagram that a process filled
/// with a packet follow the packet's.
fn wrapped(frame: &Frame, sent: &Frame) -> Vec<&'static str> {
    let mut names = headers(frame);
    let inner = headers(sent);
    if names.last() != inner.last() {
        names.extend(inner.into_iter().skip(1));
    }
    names
}

/// The headers of a frame, from the outside in.
fn headers(frame: &Frame) -> Vec<&'static str> {
    let mut names = vec!["Eth"];
    match &frame.payload {
        EtherPayload::Ip(packet) => ip_headers(packet, &mut names),
        EtherPayload::Arp(_) => names.push("ARP"),
        EtherPayload::Other(..) => {}
    }
    names
}

fn ip_headers(packet: &Packet, names: &mut Vec<&'static str>) {
    names.push("IP");
    match &packet.body {
        Body::Tcp(_) => names.push("TCP"),
        Body::Udp(udp) => {
            names.push("UDP");
            if let UdpData::Vxlan(_, inner) = &udp.data {
                names.push("VXLAN");
                names.extend(headers(inner));
            }
        }
        Body::Icmp(_) => names.push("ICMP"),
        Body::Ip(inner) => ip_headers(inner, names),
        Body::Fragment(..) => names.push("fragment"),
        Body::Bytes(..) => {}
    }
}
