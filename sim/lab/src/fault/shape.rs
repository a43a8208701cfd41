//! Topologies made by seed: a cluster with a shop, on networks of several kinds.

use std::net::Ipv4Addr;
use std::path::Path;

use ipnet::Ipv4Net;

use super::draw::Dice;
use crate::error::FileError;
use crate::lab::Lab;
use crate::topology::Topology;

/// How the hosts of a cluster hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lan {
    /// One switch, and a router to the world.
    Switch,
    /// Two subnets with a router between them.
    Racks,
    /// Two cards in each node: one behind a NAT of its own, with the same address everywhere, and one
    /// on a switch of the nodes.
    Cards,
    /// Two cards in each node, both with a router behind: one for the world, one for the cluster.
    Dual,
}

/// What a topology is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Nodes, 2 to 5.
    pub nodes: u8,
    /// How they hang together.
    pub lan: Lan,
    /// flannel's backend: `vxlan`, `host-gw`, `ipip`.
    pub backend: &'static str,
    /// Whether nodes on one subnet do without a tunnel.
    pub direct: bool,
    /// The first two numbers of the nodes' subnets, e.g. 192.168.
    pub prefix: (u8, u8),
    /// Pods' addresses.
    pub pods: Ipv4Net,
    /// Services' addresses.
    pub services: Ipv4Net,
    /// The seed of its random streams.
    pub seed: u64,
}

/// What runs on it: on each node a shop's pages, whose node port and host port are open; a server
/// that is alone behind its Service; one that echoes datagrams.
const SHOP: &str = include_str!("shop.yaml");

impl Default for Shape {
    /// Three nodes on a switch, flannel with vxlan.
    fn default() -> Self {
        Self {
            nodes: 3,
            lan: Lan::Switch,
            backend: "vxlan",
            direct: false,
            prefix: (192, 168),
            pods: net(10, 244, 16),
            services: net(10, 96, 12),
            seed: 0,
        }
    }
}

const fn net(a: u8, b: u8, len: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, 0, 0), len)
}

impl Shape {
    /// The shape that a seed stands for.
    pub fn of_seed(seed: u64) -> Self {
        let mut dice = Dice::new(seed, "shape");
        let lan = *dice.pick(&[Lan::Switch, Lan::Switch, Lan::Racks, Lan::Cards, Lan::Dual]);
        let (backend, direct) = match lan {
            // What needs neighbors doesn't reach the other rack.
            Lan::Racks => *dice.pick(&[("vxlan", false), ("vxlan", true), ("ipip", false), ("ipip", true)]),
            Lan::Switch | Lan::Cards | Lan::Dual => {
                *dice.pick(&[("vxlan", false), ("vxlan", false), ("host-gw", false), ("ipip", false)])
            }
        };
        Self {
            nodes: *dice.pick(&[2, 3, 3, 4]),
            lan,
            backend,
            direct,
            prefix: *dice.pick(&[(192, 168), (172, 20), (10, 0)]),
            pods: *dice.pick(&[net(10, 244, 16), net(172, 30, 16), net(10, 52, 16)]),
            services: *dice.pick(&[net(10, 96, 12), net(10, 254, 16), net(100, 64, 13)]),
            seed,
        }
    }

    /// Builds and boots it.
    ///
    /// # Errors
    /// A bug here.
    pub fn boot(&self) -> Result<Lab, FileError> {
        let topology = self.topology()?;
        Lab::of(topology, Path::new("made by seed"), self.seed)
    }

    /// The topology.
    ///
    /// # Errors
    /// A bug here.
    pub fn topology(&self) -> Result<Topology, FileError> {
        let topology = Topology::parse(&self.text(), Path::new("made by seed"))?;
        Ok(topology.with_manifest(("shop.yaml".to_owned(), SHOP.to_owned())))
    }

    fn two_cards(&self) -> bool {
        matches!(self.lan, Lan::Cards | Lan::Dual)
    }

    /// The text of the topology file, without the manifest.
    pub fn text(&self) -> String {
        let (a, b) = self.prefix;
        let (mut hosts, mut nodes, mut segments) = (Vec::new(), Vec::new(), Vec::new());
        let internet = "http-echo -listen :80 -text internet -show-peer &";
        hosts.push(format!(
            "\"internet\": Host(nics: {{\"eth0\": \"203.0.113.7/24\"}}, gateway: \"203.0.113.1\", setup: [{internet:?}])"
        ));
        let forward = "sysctl -qw net.ipv4.ip_forward=1";
        let name = |number: u8| format!("node{number}");
        let mut wan = vec!["internet:eth0".to_owned()];
        let racks = if self.lan == Lan::Racks { 2 } else { 1 };
        let rack = |number: u8| if racks == 2 { 1 + (number > self.nodes.div_ceil(2)) as u8 } else { 1 };
        if self.lan != Lan::Cards {
            let mut lans: Vec<String> =
                (1..=racks).map(|rack| format!("\"lan{rack}\": \"{a}.{b}.{rack}.1/24\"")).collect();
            if self.lan == Lan::Dual {
                lans.push(format!("\"office\": \"{a}.{b}.9.1/24\""));
            }
            let lans = lans.join(", ");
            hosts.push(format!(
                "\"router\": Host(nics: {{\"wan\": \"203.0.113.1/24\", {lans}}}, setup: [{forward:?}])"
            ));
            wan.push("router:wan".to_owned());
        }
        for number in 1..=self.nodes {
            let (node, last) = (name(number), 10 + number);
            match self.lan {
                Lan::Switch | Lan::Racks => {
                    let rack = rack(number);
                    hosts.push(format!(
                        "\"{node}\": Host(nics: {{\"eth0\": \"{a}.{b}.{rack}.{last}/24\"}}, gateway: \"{a}.{b}.{rack}.1\")"
                    ));
                }
                Lan::Dual => hosts.push(format!(
                    "\"{node}\": Host(nics: {{\"eth1\": \"{a}.{b}.1.{last}/24\", \"eth0\": \"{a}.{b}.9.{last}/24\"}}, \
                     gateway: \"{a}.{b}.9.1\")"
                )),
                Lan::Cards => {
                    let nat = format!("nat{number}");
                    let masquerade = "iptables -t nat -A POSTROUTING -o wan -j MASQUERADE";
                    let inside = "ip addr add 10.0.2.2/24 dev lan";
                    hosts.push(format!(
                        "\"{nat}\": Host(nics: {{\"wan\": \"203.0.113.{}/24\", \"lan\": Nic(up: true)}}, \
                         setup: [{inside:?}, {forward:?}, {masquerade:?}])",
                        20 + number
                    ));
                    let own = "ip addr add 10.0.2.15/24 dev eth0 && ip route add default via 10.0.2.2";
                    hosts.push(format!(
                        "\"{node}\": Host(nics: {{\"eth1\": \"{a}.{b}.1.{last}/24\", \"eth0\": Nic(up: true)}}, \
                         setup: [{own:?}])"
                    ));
                    wan.push(format!("{nat}:wan"));
                    segments.push(format!("\"nat{number}\": [\"{nat}:lan\", \"{node}:eth0\"]"));
                }
            }
            let control = if number == 1 { "control_plane: true, taints: []" } else { "" };
            nodes.push(format!("\"{node}\": Node({control})"));
        }
        for rack_number in 1..=racks {
            let card = if self.two_cards() { "eth1" } else { "eth0" };
            let here = (1..=self.nodes).filter(|number| rack(*number) == rack_number);
            let mut ports: Vec<String> = here.map(|number| format!("{}:{card}", name(number))).collect();
            if self.lan != Lan::Cards {
                ports.push(format!("router:lan{rack_number}"));
            }
            segments.push(format!("\"lan{rack_number}\": {ports:?}"));
        }
        if self.lan == Lan::Dual {
            let mut ports: Vec<String> =
                (1..=self.nodes).map(|number| format!("{}:eth0", name(number))).collect();
            ports.push("router:office".to_owned());
            segments.push(format!("\"office\": {ports:?}"));
        }
        segments.push(format!("\"wan\": Segment(ports: {wan:?}, cable: Cable(latency_us: 1000))"));
        let args = if self.two_cards() { ", args: [\"--iface=eth1\"]" } else { "" };
        let direct = if self.direct { ", direct_routing: true" } else { "" };
        format!(
            "Topology(\n    title: \"{} nodes, {}\",\n    hosts: {{\n        {},\n    }},\n    segments: {{\n        \
             {},\n    }},\n    cluster: Cluster(\n        nodes: {{{}}},\n        pod_cidr: \"{}\",\n        \
             service_cidr: \"{}\",\n        network: Flannel(backend: {:?}{direct}{args}),\n    ),\n)\n",
            self.nodes,
            self.backend,
            hosts.join(",\n        "),
            segments.join(",\n        "),
            nodes.join(", "),
            self.pods,
            self.services,
            self.backend,
        )
    }
}
