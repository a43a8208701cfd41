//! Random networks of two to five namespaces.

use std::fmt::Write as _;

use crate::dice::Dice;

/// Port of the UDP servers.
pub const UDP_PORTS: [u16; 2] = [53, 7000];
/// Port of the TCP servers.
pub const TCP_PORTS: [u16; 1] = [80];
/// A network that no device is in: packets to it end in a router's blackhole, without a neighbour
/// that has to be waited for.
pub const NOWHERE: &str = "198.51.100";

/// A device of a node.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its name.
    pub name: String,
    /// Its MAC address.
    pub mac: String,
    /// Its IPv4 addresses with their prefix lengths; none for the port of a bridge.
    pub addresses: Vec<(String, u8)>,
}

/// A namespace.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its devices, `lo` left out.
    pub devices: Vec<Device>,
    /// Whether it forwards.
    pub router: bool,
}

impl Node {
    /// Its addresses.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.devices.iter().flat_map(|device| &device.addresses).map(|(address, _)| address.as_str())
    }
}

/// A network segment: `BASE.0/24` and who is in it.
#[derive(Clone, Debug)]
struct Segment {
    base: String,
    /// Node and address.
    members: Vec<(usize, String)>,
}

/// A network, and the lines of shell that make it.
#[derive(Clone, Debug)]
pub struct Topology {
    /// The namespaces.
    pub nodes: Vec<Node>,
    /// The first three bytes of each network in it.
    pub networks: Vec<String>,
    /// The lines that make it, up to the time it needs to settle.
    pub setup: String,
}

impl Topology {
    /// The nodes that have an address.
    pub fn speakers(&self) -> Vec<&Node> {
        self.nodes.iter().filter(|node| node.addresses().next().is_some()).collect()
    }

    /// Draws one.
    pub fn random(dice: &mut Dice) -> Self {
        let mut builder = Builder::default();
        match dice.number(0..=9) {
            0 | 1 => builder.pair(dice),
            2..=4 => builder.line(dice),
            5 | 6 => builder.star(dice),
            7 | 8 => builder.bridge(dice),
            _ => builder.switch(dice),
        }
        builder.finish(dice)
    }
}

const SETTINGS: &str = "net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_msgs_per_sec=100000 \
    net.ipv4.icmp_msgs_burst=10000 net.ipv4.tcp_synack_retries=0 net.ipv4.conf.all.send_redirects=0 \
    net.ipv4.conf.default.send_redirects=0";

#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
    segments: Vec<Segment>,
    links: String,
}

impl Builder {
    fn node(&mut self, name: &str, router: bool) -> usize {
        self.nodes.push(Node { name: name.to_owned(), devices: Vec::new(), router });
        self.nodes.len() - 1
    }

    fn segment(&mut self, dice: &mut Dice) -> usize {
        let index = self.segments.len() as u32;
        let base = match dice.number(0..=3) {
            0 => format!("10.{}.{}", dice.number(0..=255), index),
            1 => format!("192.168.{}", 10 * index + dice.number(0..=9)),
            2 => format!("172.{}.{index}", dice.number(16..=31)),
            _ => format!("203.0.{}", 110 + index),
        };
        self.segments.push(Segment { base, members: Vec::new() });
        self.segments.len() - 1
    }

    fn device(&mut self, node: usize, name: String) -> String {
        let count = self.nodes[node].devices.len() + 1;
        let mac = format!("02:00:00:00:{:02x}:{count:02x}", node + 1);
        self.nodes[node].devices.push(Device { name, mac: mac.clone(), addresses: Vec::new() });
        mac
    }

    /// Gives the newest device of a node its address, sometimes more than one.
    fn address(&mut self, dice: &mut Dice, node: usize, segment: usize) {
        let Some(device) = self.nodes[node].devices.last_mut() else { return };
        let base = self.segments[segment].base.clone();
        let host = 1 + 10 * self.segments[segment].members.len() as u32 + dice.number(0..=4);
        let first = format!("{base}.{host}");
        device.addresses.push((first.clone(), 24));
        if dice.percent(20) {
            device.addresses.push((format!("{base}.{}", host + 5), 24));
        }
        if dice.percent(10) {
            device.addresses.push((format!("10.99.{}.{}", node + 1, self.segments.len()), 32));
        }
        let device = device.clone();
        self.segments[segment].members.push((node, first));
        let node = &self.nodes[node].name;
        for (address, length) in &device.addresses {
            let _ = writeln!(self.links, "ip -n {node} addr add {address}/{length} dev {}", device.name);
        }
    }

    /// A veth pair between two nodes; the ends' names.
    fn veth(&mut self, dice: &mut Dice, from: (usize, &str), to: (usize, &str)) {
        let (from_mac, to_mac) = (self.device(from.0, from.1.to_owned()), self.device(to.0, to.1.to_owned()));
        let (from_node, to_node) = (&self.nodes[from.0].name, &self.nodes[to.0].name);
        let _ = writeln!(
            self.links,
            "ip -n {from_node} link add {} address {from_mac} type veth peer name {} address {to_mac} netns {to_node}",
            from.1, to.1
        );
        let mtu = if dice.percent(15) { *dice.pick(&[1400, 1000, 600]) } else { 1500 };
        for (node, device) in [(from_node, from.1), (to_node, to.1)] {
            let mtu = if mtu == 1500 { String::new() } else { format!("mtu {mtu} ") };
            let _ = writeln!(self.links, "ip -n {node} link set {device} {mtu}up");
        }
    }

    /// A wire between two nodes that is a network of its own.
    fn wire(&mut self, dice: &mut Dice, from: (usize, &str), to: (usize, &str)) {
        let segment = self.segment(dice);
        self.veth(dice, from, to);
        self.address(dice, from.0, segment);
        self.address(dice, to.0, segment);
    }

    fn pair(&mut self, dice: &mut Dice) {
        let (a, b) = (self.node("a", false), self.node("b", true));
        self.wire(dice, (a, "eth0"), (b, "eth0"));
    }

    /// Hosts at the ends, one to three routers between them.
    fn line(&mut self, dice: &mut Dice) {
        let routers = dice.number(1..=3) as usize;
        let mut before = self.node("c", false);
        for index in 1..=routers {
            let router = self.node(&format!("r{index}"), true);
            let from = if index == 1 { "eth0" } else { "eth1" };
            self.wire(dice, (before, from), (router, "eth0"));
            before = router;
        }
        let server = self.node("s", false);
        self.wire(dice, (before, "eth1"), (server, "eth0"));
    }

    /// Hosts around one router.
    fn star(&mut self, dice: &mut Dice) {
        let router = self.node("r", true);
        for (index, name) in ["a", "b", "c", "d"].into_iter().take(dice.number(2..=4) as usize).enumerate() {
            let host = self.node(name, false);
            self.wire(dice, (host, "eth0"), (router, &format!("eth{index}")));
        }
    }

    /// A bridge with ports in `node`, and hosts behind them, in one segment.
    fn ports(&mut self, dice: &mut Dice, node: usize, hosts: &[usize], segment: usize) {
        for (index, host) in hosts.iter().enumerate() {
            let port = format!("port{index}");
            let end = format!("eth{}", self.nodes[*host].devices.len());
            self.veth(dice, (node, &port), (*host, &end));
            let name = &self.nodes[node].name;
            let _ = writeln!(self.links, "ip -n {name} link set {port} master br0");
            self.address(dice, *host, segment);
        }
    }

    fn bridge_device(&mut self, node: usize) {
        let mac = self.device(node, "br0".to_owned());
        let name = &self.nodes[node].name;
        let _ = writeln!(self.links, "ip -n {name} link add br0 address {mac} type bridge mcast_snooping 0");
        let _ = writeln!(self.links, "ip -n {name} link set br0 up");
    }

    /// A router whose inner network is a bridge, and a host outside.
    fn bridge(&mut self, dice: &mut Dice) {
        let router = self.node("r", true);
        let hosts: Vec<usize> = ["a", "b", "c"]
            .into_iter()
            .take(dice.number(1..=3) as usize)
            .map(|name| self.node(name, false))
            .collect();
        let segment = self.segment(dice);
        self.bridge_device(router);
        self.address(dice, router, segment);
        self.ports(dice, router, &hosts, segment);
        let outside = self.node("o", false);
        self.wire(dice, (router, "wan"), (outside, "eth0"));
    }

    /// A bridge without an address between a router and hosts, and a host outside.
    fn switch(&mut self, dice: &mut Dice) {
        let switch = self.node("sw", false);
        let router = self.node("r", true);
        let hosts = [router, self.node("a", false), self.node("b", false)];
        let segment = self.segment(dice);
        self.bridge_device(switch);
        self.ports(dice, switch, &hosts, segment);
        let outside = self.node("o", false);
        self.wire(dice, (router, "wan"), (outside, "eth0"));
    }

    /// Who of the neighbours leads from a node to a segment: breadth first.
    fn next_hop(&self, from: usize, to: usize) -> Option<String> {
        let mut seen = vec![false; self.nodes.len()];
        let mut queue = vec![(from, None::<String>)];
        let mut at = 0;
        seen[from] = true;
        while at < queue.len() {
            let (node, via) = queue[at].clone();
            at += 1;
            for segment in
                self.segments.iter().filter(|s| s.members.iter().any(|(member, _)| *member == node))
            {
                if std::ptr::eq(segment, &raw const self.segments[to]) {
                    return via;
                }
                for (member, address) in &segment.members {
                    if !seen[*member] && self.nodes[*member].router {
                        seen[*member] = true;
                        queue.push((*member, via.clone().or_else(|| Some(address.clone()))));
                    }
                }
            }
        }
        None
    }

    fn routes(&self, dice: &mut Dice) -> String {
        let mut text = String::new();
        for (index, node) in self.nodes.iter().enumerate() {
            let name = &node.name;
            let gateway = (0..self.segments.len()).find_map(|to| self.next_hop(index, to));
            if node.router {
                for to in 0..self.segments.len() {
                    if let Some(via) = self.next_hop(index, to) {
                        let base = &self.segments[to].base;
                        let _ = writeln!(text, "ip -n {name} route add {base}.0/24 via {via}");
                    }
                }
                let _ = writeln!(text, "ip -n {name} route add blackhole default");
                if dice.percent(30) {
                    let mark = dice.pick(&["0x1", "0x2", "0x10/0xf0"]);
                    let _ = writeln!(text, "ip -n {name} rule add fwmark {mark} lookup 100");
                    let route = match (&gateway, dice.percent(50)) {
                        (Some(via), true) => format!("default via {via}"),
                        _ => "blackhole default".to_owned(),
                    };
                    let _ = writeln!(text, "ip -n {name} route add {route} table 100");
                }
            } else if let Some(via) = gateway
                .or_else(|| self.segments.iter().find_map(|segment| self.router_beside(index, segment)))
            {
                let _ = writeln!(text, "ip -n {name} route add default via {via}");
            }
        }
        text
    }

    /// The address of a router in a segment that the node is in too.
    fn router_beside(&self, node: usize, segment: &Segment) -> Option<String> {
        segment.members.iter().find(|(member, _)| *member == node)?;
        let router = segment.members.iter().find(|(member, _)| *member != node && self.nodes[*member].router);
        router.map(|(_, address)| address.clone())
    }

    fn finish(self, dice: &mut Dice) -> Topology {
        let names: Vec<&str> = self.nodes.iter().map(|node| node.name.as_str()).collect();
        let mut setup = format!("for n in {}; do\n", names.join(" "));
        setup.push_str("  ip netns add $n\n");
        setup.push_str(
            "  ip netns exec $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1\n",
        );
        let _ = writeln!(setup, "  ip netns exec $n sysctl -qw {SETTINGS}");
        let bridged = u32::from(dice.percent(50));
        let _ = writeln!(setup, "  ip netns exec $n sysctl -qw net.bridge.bridge-nf-call-iptables={bridged}");
        setup.push_str("  ip -n $n link set lo up\ndone\n");
        setup.push_str(&self.links);
        setup.push_str(&self.routes(dice));
        for node in &self.nodes {
            let name = &node.name;
            if node.router {
                let _ = writeln!(setup, "ip netns exec {name} sysctl -qw net.ipv4.ip_forward=1");
            }
            if node.addresses().next().is_some() {
                for port in UDP_PORTS {
                    let _ = writeln!(
                        setup,
                        "ip netns exec {name} udp-echo -listen :{port} -text {name}{port} -show-peer &"
                    );
                }
                for port in TCP_PORTS {
                    let _ = writeln!(setup, "ip netns exec {name} http-echo -listen :{port} -text {name} &");
                }
            }
        }
        setup.push_str(&sets(dice, &self.nodes, &self.segments));
        setup.push_str("sleep 2.5\n");
        let networks = self.segments.into_iter().map(|segment| segment.base).collect();
        Topology { nodes: self.nodes, networks, setup }
    }
}

/// The sets that rules of every namespace may ask.
fn sets(dice: &mut Dice, nodes: &[Node], segments: &[Segment]) -> String {
    let speakers: Vec<&Node> = nodes.iter().filter(|node| node.addresses().next().is_some()).collect();
    let mut text = String::new();
    for node in nodes {
        let mut lines = vec![
            "create addrs hash:ip".to_owned(),
            "create nets hash:net".to_owned(),
            "create dyn hash:ip".to_owned(),
            "create pairs hash:ip,port".to_owned(),
            "create ports bitmap:port range 0-20000".to_owned(),
            "create all list:set".to_owned(),
            "add ports 53".to_owned(),
            "add ports 10000-10100".to_owned(),
            "add all addrs".to_owned(),
            "add all dyn".to_owned(),
        ];
        for (index, other) in speakers.iter().enumerate() {
            let address = other.addresses().next().unwrap_or_default();
            if index % 2 == 0 {
                lines.push(format!("add addrs {address}"));
            }
            let protocol = dice.pick(&["udp:53", "tcp:80", "icmp:echo-request"]);
            lines.push(format!("add pairs {address},{protocol}"));
        }
        lines.push(format!("add nets {}.0/24", dice.pick(segments).base));
        let _ = writeln!(text, "ip netns exec {} ipset restore <<EOF\n{}\nEOF", node.name, lines.join("\n"));
    }
    text
}
