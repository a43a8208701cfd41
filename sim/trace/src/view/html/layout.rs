use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::block::{Align, Bar, Block, Insets, Px, TitleAt};
use crate::view::map::{DeviceKey, DeviceSort, EdgeSort, MapDevice, MapHost, MapNamespace, NetworkMap};

/// Space between hosts.
const HOST_GAP: Px = 44;
/// Space between rows of devices in a host.
const ROW_GAP: Px = 30;
const CHIP_GAP: Px = 14;
const MARGIN: Px = 16;
/// Namespaces side by side.
const NAMESPACES_PER_ROW: usize = 5;
/// Devices side by side in a namespace.
const DEVICES_PER_ROW: usize = 4;
/// Hosts side by side.
const HOSTS_PER_ROW: usize = 6;
/// Hosts in a line that are drawn from left to right; longer lines go down.
const LINE: usize = 5;
/// Parts of a network up to which the middle is looked for.
const SEARCHED: usize = 300;

/// A host or a segment, by its place in the map's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Host(usize),
    Segment(usize),
}

/// The edge of its host at which a NIC stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Top,
    Bottom,
    Left,
    Right,
}

/// Which host or segment is joined to which, and by which NIC.
type Links = BTreeMap<Node, Vec<(DeviceKey, Node)>>;

/// Places everything that is to be shown; the same map gives the same picture.
pub(super) fn layout(map: &NetworkMap, shown: &dyn Fn(&MapDevice) -> bool) -> Block {
    let links = links(map);
    let mut left: BTreeSet<Node> = links.keys().copied().collect();
    let mut parts = Vec::new();
    while let Some(&first) = left.first() {
        let part = reachable(first, &links);
        left.retain(|node| !part.contains_key(node));
        let nodes: Vec<Node> = part.into_keys().collect();
        let drawing = Drawing { map, shown, links: &links };
        parts.push(match line(&nodes, &links) {
            Some(line) => drawing.across(&line),
            None => drawing.layers(&nodes),
        });
    }
    let all = Block::rows(parts, HOSTS_PER_ROW, HOST_GAP, Align::Top);
    let mut picture = Block::default();
    let (w, h) = (all.w + 2 * MARGIN, all.h + 2 * MARGIN);
    picture.put(all, MARGIN, MARGIN);
    (picture.w, picture.h) = (w, h);
    picture
}

fn links(map: &NetworkMap) -> Links {
    let mut links: Links = BTreeMap::new();
    let host = |key: DeviceKey| map.hosts.iter().position(|host| host.id == key.host.0).map(Node::Host);
    for i in 0..map.hosts.len() {
        links.insert(Node::Host(i), Vec::new());
    }
    for (i, segment) in map.segments.iter().enumerate() {
        let me = Node::Segment(i);
        links.insert(me, Vec::new());
        for &port in &segment.ports {
            if let Some(host) = host(port) {
                links.entry(me).or_default().push((port, host));
                links.entry(host).or_default().push((port, me));
            }
        }
    }
    for edge in map.edges.iter().filter(|edge| edge.kind == EdgeSort::Cable) {
        if let (Some(a), Some(b)) = (host(edge.from), host(edge.to)) {
            links.entry(a).or_default().push((edge.from, b));
            links.entry(b).or_default().push((edge.to, a));
        }
    }
    links
}

/// All that is joined to `first`, with its distance, nearest first.
fn reachable(first: Node, links: &Links) -> BTreeMap<Node, usize> {
    let mut distance = BTreeMap::from([(first, 0)]);
    let mut queue = VecDeque::from([first]);
    while let Some(node) = queue.pop_front() {
        let next = distance.get(&node).map_or(0, |d| d + 1);
        for &(_, neighbor) in links.get(&node).into_iter().flatten() {
            if let std::collections::btree_map::Entry::Vacant(entry) = distance.entry(neighbor) {
                entry.insert(next);
                queue.push_back(neighbor);
            }
        }
    }
    distance
}

/// The nodes from one end to the other, if they stand in a line that is short enough.
fn line(nodes: &[Node], links: &Links) -> Option<Vec<Node>> {
    let hosts = nodes.iter().filter(|node| matches!(node, Node::Host(_))).count();
    let degree = |node: &Node| links.get(node).map_or(0, Vec::len);
    let ends: Vec<Node> = nodes.iter().copied().filter(|node| degree(node) <= 1).collect();
    if hosts > LINE || nodes.iter().any(|node| degree(node) > 2) || (ends.len() != 2 && nodes.len() > 1) {
        return None;
    }
    let mut order: Vec<(usize, Node)> =
        reachable(*ends.first()?, links).into_iter().map(|(node, distance)| (distance, node)).collect();
    order.sort_unstable();
    Some(order.into_iter().map(|(_, node)| node).collect())
}

/// The node from which the others are nearest; among equals the one with most neighbors.
fn middle(nodes: &[Node], links: &Links) -> Option<Node> {
    if nodes.len() > SEARCHED {
        return nodes.first().copied();
    }
    let rank = |node: &Node| {
        let farthest = reachable(*node, links).into_values().max().unwrap_or_default();
        let degree = links.get(node).map_or(0, Vec::len);
        (farthest, std::cmp::Reverse(degree), *node)
    };
    nodes.iter().copied().min_by_key(rank)
}

struct Drawing<'a> {
    map: &'a NetworkMap,
    shown: &'a dyn Fn(&MapDevice) -> bool,
    links: &'a Links,
}

impl Drawing<'_> {
    /// A line of hosts and segments from left to right.
    fn across(&self, line: &[Node]) -> Block {
        let place = |node: &Node| line.iter().position(|other| other == node).unwrap_or_default();
        let blocks = line.iter().map(|node| match *node {
            Node::Host(i) => self.host(i, &|other| {
                if place(&other) < place(node) { Side::Left } else { Side::Right }
            }),
            Node::Segment(i) => {
                let segment = &self.map.segments[i];
                Block::bar(i, &segment.name, &segment.ports)
            }
        });
        Block::row(blocks.collect(), HOST_GAP, Align::Middle)
    }

    /// Hosts in rows by their distance from the middle, segments as bars between the rows.
    fn layers(&self, nodes: &[Node]) -> Block {
        let Some(root) = middle(nodes, self.links) else { return Block::default() };
        let distance = reachable(root, self.links);
        let deepest = distance.values().copied().max().unwrap_or_default();
        // Hosts stand on the segment that joins them.
        let layer_of = |node: &Node| {
            let d = distance.get(node).copied().unwrap_or_default();
            if matches!(root, Node::Segment(_)) { deepest - d } else { d }
        };
        let align = if matches!(root, Node::Segment(_)) { Align::Bottom } else { Align::Top };
        let mut rows: Vec<(Block, Vec<Bar>)> = Vec::new();
        for layer in 0..=deepest {
            let mut hosts = Vec::new();
            let mut bars = Vec::new();
            for node in nodes.iter().filter(|node| layer_of(node) == layer) {
                match *node {
                    Node::Host(i) => hosts.push(self.host(i, &|other| {
                        if layer_of(&other) < layer { Side::Top } else { Side::Bottom }
                    })),
                    Node::Segment(i) => {
                        let segment = &self.map.segments[i];
                        bars.extend(Block::bar(i, &segment.name, &segment.ports).bars);
                    }
                }
            }
            rows.push((Block::rows(hosts, HOSTS_PER_ROW, HOST_GAP, align), bars));
        }
        stack(rows)
    }

    /// A host. `side` says at which edge the NIC to a neighbor stands.
    fn host(&self, index: usize, side: &dyn Fn(Node) -> Side) -> Block {
        let host = &self.map.hosts[index];
        let mut sides: BTreeMap<DeviceKey, Side> = BTreeMap::new();
        for &(key, other) in self.links.get(&Node::Host(index)).into_iter().flatten() {
            sides.insert(key, side(other));
        }
        let has = |wanted: Side| sides.values().any(|side| *side == wanted);
        let upside_down = has(Side::Top) && !has(Side::Bottom);
        let initial: Vec<&MapDevice> = host
            .namespaces
            .iter()
            .filter(|ns| ns.id == 0)
            .flat_map(|ns| &ns.devices)
            .filter(|dev| (self.shown)(dev))
            .collect();
        let namespaces = self.order(host);
        let across = has(Side::Left) || has(Side::Right);
        let place = |dev: &MapDevice| match sides.get(&dev.id) {
            Some(side) => Some(*side),
            None if dev.kind == DeviceSort::Nic && !across => {
                Some(if upside_down { Side::Top } else { Side::Bottom })
            }
            None => None,
        };
        let at = |wanted: Side| -> Vec<Block> {
            initial.iter().filter(|dev| place(dev) == Some(wanted)).map(|dev| Block::chip(dev)).collect()
        };
        let inner = |dev: &&&MapDevice| place(dev).is_none();
        let to_namespace = |dev: &MapDevice| self.peer_namespace(host, dev).is_some();
        let mut veths: Vec<&MapDevice> =
            initial.iter().filter(inner).copied().filter(|dev| to_namespace(dev)).collect();
        veths.sort_by_key(|dev| {
            let peer = self.peer_namespace(host, dev);
            namespaces.iter().position(|ns| Some(ns.id) == peer)
        });
        let soft = initial.iter().filter(inner).copied().filter(|dev| !to_namespace(dev));
        let chips = |devices: Vec<&MapDevice>| {
            Block::rows(
                devices.into_iter().map(Block::chip).collect(),
                2 * DEVICES_PER_ROW,
                CHIP_GAP,
                Align::Middle,
            )
        };
        let boxes =
            (0..namespaces.len()).map(|at| self.namespace(host, &namespaces, at, upside_down)).collect();
        let spaces = Block::rows(
            boxes,
            NAMESPACES_PER_ROW,
            CHIP_GAP,
            if upside_down { Align::Top } else { Align::Bottom },
        );
        let (top, bottom) = (
            Block::row(at(Side::Top), CHIP_GAP, Align::Bottom),
            Block::row(at(Side::Bottom), CHIP_GAP, Align::Top),
        );
        let (left, right) =
            (Block::column(at(Side::Left), CHIP_GAP), Block::column(at(Side::Right), CHIP_GAP));
        let insets = Insets { top: top.h / 2, bottom: bottom.h / 2, left: left.w / 2, right: right.w / 2 };
        let soft = chips(soft.collect());
        let mut rows = vec![spaces, chips(veths), soft];
        if upside_down {
            rows.reverse();
        }
        rows.insert(0, top);
        rows.push(bottom);
        let middle = Block::column(rows, ROW_GAP);
        let sides = [left, middle, right].into_iter().filter(|block| block.w > 0).collect();
        let title_at = if upside_down { TitleAt::Bottom } else { TitleAt::Top };
        let content = match Block::row(sides, CHIP_GAP, Align::Middle) {
            block if block.w == 0 => Block { w: 60, h: 10, ..Block::default() },
            block => block,
        };
        content.framed(host.id, None, &host.name, title_at, insets)
    }

    /// The namespace at a place in its row; its devices stand nearest to those they lead to.
    fn namespace(&self, host: &MapHost, row: &[&MapNamespace], at: usize, upside_down: bool) -> Block {
        let ns = row[at];
        let mut devices: Vec<&MapDevice> = ns.devices.iter().filter(|dev| (self.shown)(dev)).collect();
        devices.sort_by_key(|dev| {
            let peer = self.peer_namespace(host, dev);
            row.iter().position(|other| Some(other.id) == peer).unwrap_or(at)
        });
        let chips: Vec<Block> = devices.into_iter().map(Block::chip).collect();
        if chips.is_empty() {
            let room = Block { w: 40, h: 6, ..Block::default() };
            return room.framed(host.id, Some(ns.id), &ns.name, TitleAt::Top, Insets::default());
        }
        let block = Block::rows(
            chips,
            DEVICES_PER_ROW,
            CHIP_GAP,
            if upside_down { Align::Top } else { Align::Bottom },
        );
        let half = block.chips.iter().map(|chip| chip.h / 2).min().unwrap_or_default();
        let (title_at, insets) = if upside_down {
            (TitleAt::Bottom, Insets { top: half, ..Insets::default() })
        } else {
            (TitleAt::Top, Insets { bottom: half, ..Insets::default() })
        };
        block.framed(host.id, Some(ns.id), &ns.name, title_at, insets)
    }

    /// The namespaces of a host besides the initial one; those joined by a veth stand side by side.
    fn order<'b>(&self, host: &'b MapHost) -> Vec<&'b MapNamespace> {
        let all: Vec<&MapNamespace> = host.namespaces.iter().filter(|ns| ns.id != 0).collect();
        let home = |key: DeviceKey| all.iter().position(|ns| ns.devices.iter().any(|dev| dev.id == key));
        let mut joined: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for edge in self.map.edges.iter().filter(|edge| edge.kind == EdgeSort::Veth) {
            if let (Some(a), Some(b)) = (home(edge.from), home(edge.to)) {
                joined.entry(a).or_default().push(b);
                joined.entry(b).or_default().push(a);
            }
        }
        // From an end of each chain along it.
        let mut order: Vec<usize> = Vec::new();
        let mut starts: Vec<usize> = (0..all.len()).collect();
        starts.sort_by_key(|i| (joined.get(i).map_or(0, Vec::len) > 1, *i));
        for start in starts {
            let mut stack = vec![start];
            while let Some(at) = stack.pop() {
                if !order.contains(&at) {
                    order.push(at);
                    stack.extend(joined.get(&at).into_iter().flatten().rev());
                }
            }
        }
        order.into_iter().map(|i| all[i]).collect()
    }

    /// The other namespace in which a veth's peer is.
    fn peer_namespace(&self, host: &MapHost, device: &MapDevice) -> Option<u32> {
        let edge =
            self.map.edges.iter().find(|edge| {
                edge.kind == EdgeSort::Veth && (edge.from == device.id || edge.to == device.id)
            })?;
        let peer = if edge.from == device.id { edge.to } else { edge.from };
        host.namespaces
            .iter()
            .find(|ns| ns.id != 0 && ns.devices.iter().any(|dev| dev.id == peer))
            .map(|ns| ns.id)
    }
}

/// Rows of hosts below each other, each followed by its segments as bars that reach from their
/// first port to their last.
fn stack(rows: Vec<(Block, Vec<Bar>)>) -> Block {
    let widest = rows.iter().map(|(hosts, _)| hosts.w).max().unwrap_or_default();
    let mut middle_x: BTreeMap<DeviceKey, Px> = BTreeMap::new();
    for (hosts, _) in &rows {
        for chip in &hosts.chips {
            middle_x.insert(chip.key, (widest - hosts.w) / 2 + chip.x);
        }
    }
    let mut picture = Block { w: widest, ..Block::default() };
    for (hosts, mut bars) in rows {
        if hosts.w > 0 {
            let y = if picture.h > 0 { picture.h + HOST_GAP } else { 0 };
            picture.put(hosts.clone(), (widest - hosts.w) / 2, y);
        }
        // Bars that don't overlap share a level.
        let mut levels: Vec<Vec<(Px, Px)>> = Vec::new();
        let from = if picture.h > 0 { picture.h + HOST_GAP } else { 0 };
        for bar in &mut bars {
            let ports: Vec<Px> = bar.ports.iter().filter_map(|port| middle_x.get(port).copied()).collect();
            let (first, last) = (ports.iter().min().copied(), ports.iter().max().copied());
            let (first, last) = (first.unwrap_or(0), last.unwrap_or(0));
            let middle = (first + last) / 2;
            bar.w = bar.w.max(last - first + 60);
            bar.x = (middle - bar.w / 2).clamp(0, (widest - bar.w).max(0));
            let span = (bar.x - CHIP_GAP, bar.x + bar.w + CHIP_GAP);
            let free = |level: &Vec<(Px, Px)>| level.iter().all(|&(a, b)| span.1 <= a || b <= span.0);
            let level = levels.iter().position(free).unwrap_or_else(|| {
                levels.push(Vec::new());
                levels.len() - 1
            });
            levels[level].push(span);
            bar.h = 26;
            bar.y = from + Px::try_from(level).unwrap_or_default() * (bar.h + CHIP_GAP);
            picture.h = picture.h.max(bar.y + bar.h);
            picture.w = picture.w.max(bar.x + bar.w);
        }
        picture.bars.append(&mut bars);
    }
    picture
}
