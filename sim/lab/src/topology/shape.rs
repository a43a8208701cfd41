//! Regular shapes: lines, stars, trees.

use petgraph::graph::UnGraph;
use petgraph::visit::EdgeRef;

use super::written::{Cable, ShapeFile};
use super::{At, Host, Medium, Nic, Origin, Port, Segment};
use crate::error::Problem;

/// Hosts that one shape may have: each has a route to each of its cables.
const HOSTS_MAX: usize = 256;

/// The hosts and cables of a shape. Names follow from a host's place alone, so that a shape grows
/// without renaming anybody: the hosts of a line are `r1`, `r2` …; the middle of a star `r` and
/// those around it `r1`, `r2` …; the root of a tree `r`, its branches `r1`, `r2` …, theirs `r1-1`,
/// `r1-2` …. NICs are numbered from `eth0` in the order of their cables, which is that of the hosts
/// further out.
pub(super) fn expand(name: &str, shape: ShapeFile) -> Result<(Vec<(String, Host)>, Vec<Segment>), Problem> {
    let graph = graph(name, shape)?;
    let mut hosts: Vec<(String, Host)> = graph
        .node_weights()
        .map(|name| (name.clone(), Host { forwards: true, origin: Origin::Shape, ..Host::default() }))
        .collect();
    let segments = graph.edge_references().map(|edge| {
        let ports: Vec<Port> = [edge.source(), edge.target()]
            .into_iter()
            .map(|end| {
                let (host, spec) = &mut hosts[end.index()];
                let nic = format!("eth{}", spec.nics.len());
                spec.nics.insert(nic.clone(), Nic::automatic(host, &nic, At::default()));
                Port { host: host.clone(), nic, at: At::default() }
            })
            .collect();
        Segment {
            name: ports
                .iter()
                .map(|port| format!("{}:{}", port.host, port.nic))
                .collect::<Vec<_>>()
                .join(" -- "),
            medium: Medium::ShapeLink,
            ports,
            cable: Cable::default(),
            bars: Vec::new(),
            subnet: None,
            at: At::default(),
        }
    });
    let segments = segments.collect();
    Ok((hosts, segments))
}

fn graph(name: &str, shape: ShapeFile) -> Result<UnGraph<String, ()>, Problem> {
    let too_many =
        || Problem::Conflict { message: format!("a shape has 1 to {HOSTS_MAX} hosts"), hint: None };
    let within = |n: usize| if (1..=HOSTS_MAX).contains(&n) { Ok(()) } else { Err(too_many()) };
    let mut graph = UnGraph::default();
    match shape {
        ShapeFile::Line(hosts) => {
            within(hosts)?;
            let mut last = None;
            for i in 1..=hosts {
                let host = graph.add_node(format!("{name}{i}"));
                last.into_iter().for_each(|last| {
                    graph.add_edge(last, host, ());
                });
                last = Some(host);
            }
        }
        ShapeFile::Star(around) => return self::graph(name, ShapeFile::Tree { depth: 1, fanout: around }),
        ShapeFile::Tree { depth, fanout } => {
            within(depth.max(1))?;
            within(fanout)?;
            let mut level = vec![graph.add_node(name.to_owned())];
            for depth in 0..depth {
                let mut next = Vec::new();
                for parent in level {
                    for i in 1..=fanout {
                        let dash = if depth == 0 { "" } else { "-" };
                        let child = graph.add_node(format!("{}{dash}{i}", graph[parent]));
                        graph.add_edge(parent, child, ());
                        within(graph.node_count())?;
                        next.push(child);
                    }
                }
                level = next;
            }
        }
    }
    Ok(graph)
}
