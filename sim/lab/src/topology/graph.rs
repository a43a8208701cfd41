//! The topology as a graph: which segments are one broadcast domain, which way leads where.

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use petgraph::graph::{NodeIndex, UnGraph};
use petgraph::unionfind::UnionFind;

use super::{At, Origin, Topology};

/// A node of the graph of what passes frames on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// A segment, by its number.
    Segment(usize),
    /// A bridge: host and name.
    Bridge(String, String),
}

/// An address that somebody has in a broadcast domain.
#[derive(Clone, Debug)]
pub(super) struct Held<'a> {
    pub domain: usize,
    pub host: &'a str,
    pub device: &'a str,
    pub address: Ipv4Net,
    pub at: &'a At,
}

/// Segments and the bridges between them.
pub(super) struct Domains {
    pub graph: UnGraph<Node, ()>,
    sets: UnionFind<usize>,
    /// Bridges whose port closes a loop, with the nodes around it.
    pub loops: Vec<Vec<NodeIndex>>,
}

impl Domains {
    pub fn new(topology: &Topology) -> Self {
        let mut graph = UnGraph::default();
        for i in 0..topology.segments.len() {
            graph.add_node(Node::Segment(i));
        }
        let bridges: usize = topology.hosts.values().map(|host| host.bridges.len()).sum();
        let mut sets = UnionFind::new(topology.segments.len() + bridges);
        let mut loops = Vec::new();
        for (host, spec) in &topology.hosts {
            for (bridge, ports) in &spec.bridges {
                let node = graph.add_node(Node::Bridge(host.clone(), bridge.clone()));
                let plugged = ports.ports.iter().filter_map(|port| topology.segment_of(host, port));
                for segment in plugged {
                    let segment = NodeIndex::new(segment);
                    if !sets.union(node.index(), segment.index()) {
                        loops.extend(way(&graph, node, segment));
                    }
                    graph.add_edge(node, segment, ());
                }
            }
        }
        Self { graph, sets, loops }
    }

    /// The number of the domain that a node belongs to.
    pub fn of(&self, node: usize) -> usize {
        self.sets.find(node)
    }

    /// Hosts with a NIC in a domain that has no address and is no bridge's port: what they do with it,
    /// their set-up says.
    pub fn silent<'a>(&self, topology: &'a Topology) -> Vec<(usize, &'a str)> {
        let mut silent = Vec::new();
        for (name, spec) in &topology.hosts {
            for (nic, nic_spec) in &spec.nics {
                let port = spec.bridges.values().any(|bridge| bridge.ports.contains(nic));
                let Some(segment) = topology.segment_of(name, nic) else { continue };
                if nic_spec.addresses.is_empty() && !port {
                    silent.push((self.of(segment), name.as_str()));
                }
            }
        }
        silent
    }

    /// All addresses, each with the domain where it can be reached; NICs without a segment have
    /// none.
    pub fn addresses<'a>(&self, topology: &'a Topology) -> Vec<Held<'a>> {
        let mut held = Vec::new();
        for (name, spec) in &topology.hosts {
            for (nic, nic_spec) in &spec.nics {
                let Some(segment) = topology.segment_of(name, nic) else { continue };
                let addresses = nic_spec.addresses.iter().zip(&nic_spec.places);
                held.extend(addresses.map(|(&address, at)| Held {
                    domain: self.of(segment),
                    host: name,
                    device: nic,
                    address,
                    at,
                }));
            }
            for (bridge, bridge_spec) in &spec.bridges {
                let node = Node::Bridge(name.clone(), bridge.clone());
                let Some(node) = self.graph.node_indices().find(|&i| self.graph[i] == node) else { continue };
                let addresses = bridge_spec.addresses.iter().zip(&bridge_spec.places);
                held.extend(addresses.map(|(&address, at)| Held {
                    domain: self.of(node.index()),
                    host: name,
                    device: bridge,
                    address,
                    at,
                }));
            }
        }
        held
    }
}

/// The shortest way between two nodes.
fn way(graph: &UnGraph<Node, ()>, from: NodeIndex, to: NodeIndex) -> Option<Vec<NodeIndex>> {
    petgraph::algo::astar(graph, from, |node| node == to, |_| 1, |_| 0).map(|(_, way)| way)
}

impl Topology {
    /// The segment that a NIC is plugged into.
    pub(super) fn segment_of(&self, host: &str, nic: &str) -> Option<usize> {
        self.segments
            .iter()
            .position(|segment| segment.ports.iter().any(|port| port.host == host && port.nic == nic))
    }

    /// Gives the hosts of shapes a route to each subnet that one of them is on, the shortest way
    /// over hosts of shapes.
    pub(super) fn route_shapes(&mut self) {
        let mut graph = UnGraph::<Hop, ()>::default();
        for i in 0..self.segments.len() {
            graph.add_node(Hop::Segment(i));
        }
        let shaped = self.hosts.iter().enumerate().filter(|(_, (_, host))| host.origin == Origin::Shape);
        for (i, (name, host)) in shaped {
            let node = graph.add_node(Hop::Host(i));
            for nic in host.nics.keys() {
                let segment = self.segment_of(name, nic);
                segment.into_iter().for_each(|segment| {
                    graph.add_edge(node, NodeIndex::new(segment), ());
                });
            }
        }
        let mut found = Vec::new();
        for target in 0..self.segments.len() {
            let Some(subnet) = self.segments[target].subnet else { continue };
            for (host, segment, hop) in ways_to(&graph, NodeIndex::new(target)) {
                found.extend(self.address_on(hop, segment).map(|via| (host, subnet, via)));
            }
        }
        for (host, subnet, via) in found {
            self.hosts[host].routes.push((subnet, via));
        }
    }

    /// The address that a host has on a segment.
    fn address_on(&self, host: usize, segment: usize) -> Option<Ipv4Addr> {
        let (name, spec) = self.hosts.get_index(host)?;
        let port = self.segments[segment].ports.iter().find(|port| port.host == *name)?;
        spec.nics[&port.nic].addresses.first().map(Ipv4Net::addr)
    }
}

/// A node of the graph of routes.
#[derive(Clone, Copy, Debug)]
enum Hop {
    Segment(usize),
    Host(usize),
}

/// For each host that is not on the target: the segment by which the shortest way goes, and the
/// host there that is next.
fn ways_to(graph: &UnGraph<Hop, ()>, target: NodeIndex) -> Vec<(usize, usize, usize)> {
    let mut before: Vec<Option<NodeIndex>> = vec![None; graph.node_count()];
    let mut queue = VecDeque::from([target]);
    let mut ways = Vec::new();
    while let Some(node) = queue.pop_front() {
        let mut next: Vec<NodeIndex> = graph.neighbors(node).collect();
        next.sort_unstable();
        next.dedup();
        for other in next {
            if other == target || before[other.index()].is_some() {
                continue;
            }
            before[other.index()] = Some(node);
            queue.push_back(other);
            // `other` is a host behind a segment behind a host that is nearer.
            let nearer = before[node.index()].map(|nearer| graph[nearer]);
            if let (Hop::Host(host), Hop::Segment(segment), Some(Hop::Host(hop))) =
                (graph[other], graph[node], nearer)
            {
                ways.push((host, segment, hop));
            }
        }
    }
    ways
}
