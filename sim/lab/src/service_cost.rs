//! What a Service costs the first packet of a connection, against how many Services there are.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{list, name_of, namespace_of};
use kube::cluster::Proxy;
use kube::proxy::iptables::{NodeView, Proxier};
use kube::proxy::{Family, Profile, ProxyConfig};
use netfilter::{Backend, TableId, TableName};
use packet::{NetnsId, Proto, TcpFlags};
use serde::Serialize;
use trace::StepKind;
use world::{Follow, Probe, Store};

use crate::error::{FileError, Problem};
use crate::lab::Lab;
use crate::table::aligned;
use crate::topology::Topology;

/// Endpoints of each Service.
const ENDPOINTS: usize = 3;
/// More Services than an address range of usual size holds.
const SERVICES_MAX: usize = 60_000;
/// The release that still has the mode userspace.
const USERSPACE: &str = "v1.9.11";

/// How a kube-proxy brings packets to endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ProxyMode {
    /// By rules.
    Iptables,
    /// By a process, to which rules lead.
    Userspace,
}

impl ProxyMode {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Iptables, Self::Userspace];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Iptables => "iptables",
            Self::Userspace => "userspace",
        }
    }

    /// The cluster's kube-proxy in this mode.
    fn proxy(self, present: &Proxy) -> Proxy {
        let (version, args) = match (self, present) {
            (Self::Iptables, Proxy::KubeProxy { version, args, .. }) => (version.clone(), args.clone()),
            (Self::Iptables, Proxy::None) => ("v1.30.5".to_owned(), Vec::new()),
            (Self::Userspace, _) => (USERSPACE.to_owned(), Vec::new()),
        };
        Proxy::KubeProxy { version, mode: self.name().to_owned(), args }
    }
}

impl FromStr for ProxyMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|mode| mode.name() == text);
        found.ok_or_else(|| "expected iptables or userspace".to_owned())
    }
}

/// What so many Services cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServiceCost {
    /// The mode.
    pub mode: ProxyMode,
    /// Services, each with three endpoints; the cluster's own not counted.
    pub services: usize,
    /// Rules of table nat on the first node.
    pub rules: usize,
    /// Rules that this node's kernel evaluates for the first packet of a connection to the last
    /// Service.
    pub rules_visited: u32,
    /// Bytes that iptables-restore gets when kube-proxy starts; none without iptables-restore.
    pub full_sync: Option<usize>,
    /// Bytes that it gets when one endpoint changes.
    pub partial_sync: Option<usize>,
}

/// Builds a topology's cluster once with each mode and number of Services, and counts.
///
/// # Errors
/// A bad file, no cluster in it, more Services than it has addresses for.
pub fn service_costs(
    file: &Path,
    modes: &[ProxyMode],
    counts: &[usize],
    seed: u64,
) -> Result<Vec<ServiceCost>, FileError> {
    let topology = Topology::read(file)?;
    let wrong = |problem| FileError::new(file, problem);
    let Some(cluster) = &topology.cluster else {
        return Err(wrong(Problem::Missing("a `cluster` whose Services can be counted")));
    };
    let present = cluster.plan.proxy.clone();
    let range = cluster.plan.settings.service_cidr;
    let mut costs = Vec::new();
    for mode in modes {
        for count in counts {
            let hosts: Vec<Ipv4Addr> = range.hosts().skip(256).take(*count).collect();
            if hosts.len() < *count || *count == 0 || *count > SERVICES_MAX {
                let expected = "a number of Services from 1 to 60000 for which there are addresses";
                return Err(wrong(Problem::Invalid { value: count.to_string(), expected }));
            }
            let topology = topology.clone().with_proxy(mode.proxy(&present), manifest(&hosts));
            let lab = Lab::of(topology, file, seed)?;
            costs.push(measure(&lab, *mode, &hosts).map_err(wrong)?);
        }
    }
    Ok(costs)
}

/// Services with these addresses and endpoints outside the cluster.
fn manifest(addresses: &[Ipv4Addr]) -> (String, String) {
    let mut text = String::new();
    for (number, address) in addresses.iter().enumerate() {
        let metadata = format!("{{name: s{number:05}}}");
        let _ = writeln!(
            text,
            "apiVersion: v1\nkind: Service\nmetadata: {metadata}\nspec: {{clusterIP: {address}, ports: [{{port: 80}}]}}\n---\n\
             apiVersion: v1\nkind: Endpoints\nmetadata: {metadata}\nsubsets:\n- ports: [{{port: 8080}}]\n  addresses:"
        );
        for endpoint in 0..ENDPOINTS {
            let ip = Ipv4Addr::from(0x0b00_0000 + u32::try_from(number * ENDPOINTS + endpoint).unwrap_or(0));
            let _ = writeln!(text, "  - {{ip: {ip}}}");
        }
        text.push_str("---\n");
    }
    ("services.yaml".to_owned(), text)
}

fn measure(lab: &Lab, mode: ProxyMode, addresses: &[Ipv4Addr]) -> Result<ServiceCost, Problem> {
    let world = &lab.world;
    let missing =
        |what: &str| Problem::Conflict { message: format!("the cluster has no {what}"), hint: None };
    let host = world.hosts().next().map(|host| host.name.clone()).ok_or_else(|| missing("host"))?;
    let nodes = list::<k8s_openapi::api::core::v1::Node>(world.store(), None);
    let first = nodes.first().map_or(host, |node| name_of(&**node).to_owned());
    let host = world.host_by_name(&first).ok_or_else(|| missing("node"))?;
    let last = addresses.last().copied().ok_or_else(|| missing("Service"))?;
    let own = world.source_for(host, NetnsId::INIT, IpAddr::V4(last)).ok_or_else(|| missing("route"))?;
    let probe = Probe {
        device: None,
        proto: Proto::TCP,
        src: own,
        sport: 40000,
        dst: IpAddr::V4(last),
        dport: 80,
        flags: TcpFlags::SYN,
        mark: 0,
    };
    let outcomes = world.probe(host, NetnsId::INIT, &probe, Follow::Drawn);
    let outcomes = outcomes.map_err(|error| Problem::Conflict { message: error.to_string(), hint: None })?;
    let hops = outcomes.iter().flat_map(|outcome| &outcome.trace.hops).filter(|hop| hop.host == host);
    let visited = hops.flat_map(|hop| &hop.steps).map(|step| match &step.kind {
        StepKind::Chain { rules_visited, .. } => *rules_visited,
        _ => 0,
    });
    let nat = TableId { backend: Backend::Nft, name: TableName::Nat };
    let netfilter = &world.host(host).ns(NetnsId::INIT).netfilter;
    let rules = netfilter.table(nat).map_or(0, |table| table.chains().map(|chain| chain.rules.len()).sum());
    let sizes = (mode == ProxyMode::Iptables).then(|| sync_sizes(world.store()));
    Ok(ServiceCost {
        mode,
        services: addresses.len(),
        rules,
        rules_visited: visited.sum(),
        full_sync: sizes.map(|(full, _)| full),
        partial_sync: sizes.map(|(_, partial)| partial),
    })
}

/// Bytes of the first sync, and of one after an endpoint is gone.
fn sync_sizes(store: &Store) -> (usize, usize) {
    let config = ProxyConfig { profile: Profile::V1_30, ..ProxyConfig::default() };
    let mut proxier = Proxier::new(Family::Ipv4, Arc::new(config));
    for service in list::<Service>(store, None) {
        let name = (namespace_of(&*service).to_owned(), name_of(&*service).to_owned());
        proxier.tracker.set_service(name, Some(service));
    }
    let slices = list::<EndpointSlice>(store, None);
    for slice in &slices {
        proxier.tracker.set_slice(namespace_of(&**slice), name_of(&**slice), Some(Arc::clone(slice)));
    }
    let full = proxier.sync(&NodeView::default()).payload().len();
    if let Some(slice) = slices.last() {
        let mut smaller = (**slice).clone();
        smaller.endpoints.pop();
        proxier.tracker.set_slice(namespace_of(&**slice), name_of(&**slice), Some(Arc::new(smaller)));
    }
    (full, proxier.sync(&NodeView::default()).payload().len())
}

/// The costs as a table.
pub fn service_cost_table(costs: &[ServiceCost]) -> String {
    let head = ["mode", "Services", "rules in nat", "rules visited", "full sync", "one endpoint"];
    let bytes = |bytes: Option<usize>| bytes.map_or("-".to_owned(), |bytes| format!("{bytes} bytes"));
    let rows = costs.iter().map(|cost| {
        vec![
            cost.mode.name().to_owned(),
            cost.services.to_string(),
            cost.rules.to_string(),
            cost.rules_visited.to_string(),
            bytes(cost.full_sync),
            bytes(cost.partial_sync),
        ]
    });
    let head = head.map(str::to_owned).to_vec();
    aligned(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

/// The rules that a first packet visits, against the number of Services: an SVG picture with
/// logarithmic axes.
pub fn service_cost_plot(costs: &[ServiceCost]) -> String {
    const WIDTH: f64 = 560.0;
    const HEIGHT: f64 = 320.0;
    const COLORS: [&str; 2] = ["#0b6bcb", "#c4460a"];
    let log = |value: usize| f64::from(u32::try_from(value.max(1)).unwrap_or(u32::MAX)).log10();
    let most = |values: &mut dyn Iterator<Item = usize>| values.map(log).fold(1.0, f64::max).ceil();
    let x_max = most(&mut costs.iter().map(|cost| cost.services));
    let y_max = most(&mut costs.iter().map(|cost| cost.rules_visited as usize));
    let (left, right, top, bottom) = (64.0, WIDTH - 120.0, 16.0, HEIGHT - 48.0);
    let x = |services: usize| left + (right - left) * log(services) / x_max;
    let y = |rules: usize| bottom - (bottom - top) * log(rules) / y_max;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         font-family=\"sans-serif\" font-size=\"12\" fill=\"currentColor\">\n\
         <title>Rules that the first packet visits, against the number of Services</title>\n"
    );
    for (max, horizontal) in [(x_max, true), (y_max, false)] {
        let mut decade = 1;
        while log(decade) <= max {
            let _ = match horizontal {
                true => writeln!(
                    svg,
                    "<path d=\"M{0:.0} {top}V{bottom}\" stroke=\"currentColor\" opacity=\".2\"/>\
                     <text x=\"{0:.0}\" y=\"{1:.0}\" text-anchor=\"middle\">{decade}</text>",
                    x(decade),
                    bottom + 18.0
                ),
                false => writeln!(
                    svg,
                    "<path d=\"M{left} {0:.0}H{right}\" stroke=\"currentColor\" opacity=\".2\"/>\
                     <text x=\"{1:.0}\" y=\"{2:.0}\" text-anchor=\"end\">{decade}</text>",
                    y(decade),
                    left - 8.0,
                    y(decade) + 4.0
                ),
            };
            decade *= 10;
        }
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\">Services</text>\
         <text x=\"14\" y=\"{:.0}\" text-anchor=\"middle\" transform=\"rotate(-90 14 {2:.0})\">rules visited</text>",
        (left + right) / 2.0,
        HEIGHT - 8.0,
        (top + bottom) / 2.0
    );
    let mut label_above = f64::NEG_INFINITY;
    for (mode, color) in ProxyMode::ALL.into_iter().zip(COLORS) {
        let points: Vec<(f64, f64)> = costs
            .iter()
            .filter(|cost| cost.mode == mode)
            .map(|cost| (x(cost.services), y(cost.rules_visited as usize)))
            .collect();
        let Some((end_x, end_y)) = points.last().copied() else { continue };
        // The second label makes way for the first.
        let label = if (end_y - label_above).abs() < 14.0 { label_above + 14.0 } else { end_y };
        label_above = label;
        let line: Vec<String> = points.iter().map(|(x, y)| format!("{x:.0},{y:.0}")).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>\
             <text x=\"{:.0}\" y=\"{:.0}\" fill=\"{color}\">{}</text>",
            line.join(" "),
            end_x + 8.0,
            label + 4.0,
            mode.name()
        );
    }
    svg.push_str("</svg>\n");
    svg
}
