//! A topology as it is written: brief and full forms, nothing looked up yet.

use std::fmt;
use std::marker::PhantomData;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A file of `topologies/`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Topology")]
pub struct TopologyFile {
    /// One line that says what it is.
    #[serde(default)]
    pub title: String,
    /// Topologies beside this file, without `.ron`, whose hosts, segments and links are taken in.
    #[serde(default)]
    pub include: Vec<String>,
    /// What this file's hosts and cables have unless they say otherwise.
    #[serde(default)]
    pub defaults: Defaults,
    /// Hosts by name.
    #[serde(default)]
    pub hosts: IndexMap<String, HostFile>,
    /// Hubs and switches by name.
    #[serde(default)]
    pub segments: IndexMap<String, SegmentFile>,
    /// Cables between two NICs.
    #[serde(default)]
    pub links: Vec<LinkFile>,
    /// Hosts and cables of a regular shape, by the name that their hosts' names begin with.
    #[serde(default)]
    pub shapes: IndexMap<String, ShapeFile>,
    /// A Kubernetes cluster on some of the hosts.
    pub cluster: Option<ClusterFile>,
}

/// A Kubernetes cluster.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Cluster")]
pub struct ClusterFile {
    /// Its nodes by the names of their hosts; or how many: `node1` … are made then, on one switch
    /// with the host `gateway`.
    pub nodes: NodesFile,
    /// Pods' addresses; 10.244.0.0/16 if not given.
    pub pod_cidr: Option<String>,
    /// Prefix length of each node's part of them; 24 if not given.
    pub node_mask: Option<u8>,
    /// Services' addresses; 10.96.0.0/12 if not given. With a subnet of IPv6 after a comma Services
    /// can be dual-stack.
    pub service_cidr: Option<String>,
    /// The pod network; flannel with vxlan if not given.
    #[serde(default)]
    pub network: NetworkFile,
    /// What gives Services of type LoadBalancer their addresses; nobody if not given.
    pub cloud: Option<BalancersFile>,
    /// What implements Services; kube-proxy 1.30 if not given.
    #[serde(default)]
    pub proxy: ProxyFile,
    /// What answers DNS queries. If not given, CoreDNS as kubeadm installs it, if there are a pod
    /// network, a proxy, and a server that CoreDNS can ask for names outside: one that each node's
    /// `/etc/resolv.conf` names.
    #[serde(default)]
    pub dns: DnsFile,
    /// Files with Kubernetes objects, beside this file, that are applied when the cluster has
    /// booted.
    #[serde(default)]
    pub manifests: Vec<String>,
}

/// The nodes of a cluster: by name, or how many.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(untagged)]
pub enum NodesFile {
    /// So many, made for the cluster.
    Count(usize),
    /// Hosts of this topology.
    Named(IndexMap<String, NodeFile>),
}

/// A node of a cluster.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Node")]
pub struct NodeFile {
    /// Whether the control plane runs here; on the first node if no node says so.
    #[serde(default)]
    pub control_plane: bool,
    /// `--node-ip` of its kubelet, and where the API server listens; the host's first address if not
    /// given. `"none"` leaves it to the kubelet.
    pub node_ip: Option<String>,
    /// Further options of its kubelet.
    #[serde(default)]
    pub kubelet: Vec<String>,
    /// Labels, `key=value`.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Taints, `key=value:Effect`; otherwise a node of the control plane has kubeadm's, unless it is
    /// the only node.
    pub taints: Option<Vec<String>>,
}

/// A cluster's pod network.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Network")]
pub enum NetworkFile {
    /// None: pods wait for one.
    None,
    /// flannel as a DaemonSet.
    Flannel {
        /// `vxlan`, `host-gw`, `udp`, `ipip`, `aws-vpc`; `vxlan` if not given.
        #[serde(default = "vxlan")]
        backend: String,
        /// Whether nodes on one subnet do without a tunnel.
        #[serde(default)]
        direct_routing: bool,
        /// Further arguments of flanneld, e.g. `--iface=eth1`.
        #[serde(default)]
        args: Vec<String>,
    },
    /// kubenet, as kubelets up to 1.23 had it.
    Kubenet {
        /// The cloud in whose route table the controller manager writes where nodes' pods are;
        /// without one, somebody else makes routes.
        cloud: Option<CloudFile>,
    },
}

/// A cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum CloudFile {
    /// AWS, as the program `vpc-router` plays it on one of the hosts.
    Aws,
}

/// A cloud with balancers for Services.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Cloud")]
#[schemars(rename = "Balancers")]
pub struct BalancersFile {
    /// The host that plays them. It is the nodes' way to the clients.
    pub balancer: String,
    /// The addresses of balancers, a subnet that others reach by that host.
    pub addresses: String,
}

fn vxlan() -> String {
    "vxlan".to_owned()
}

impl Default for NetworkFile {
    fn default() -> Self {
        Self::Flannel { backend: vxlan(), direct_routing: false, args: Vec::new() }
    }
}

/// What implements a cluster's Services.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Proxy")]
pub enum ProxyFile {
    /// Nothing.
    None,
    /// kube-proxy as a DaemonSet.
    KubeProxy {
        /// The tag of its image: `v1.30.5` if not given, or one of 1.9 or 1.1, e.g. `v1.9.11`.
        #[serde(default = "newest_proxy")]
        version: String,
        /// `iptables` or `userspace`; the version's own choice if not given.
        #[serde(default)]
        mode: String,
        /// Further arguments of kube-proxy, e.g. `--masquerade-all`.
        #[serde(default)]
        args: Vec<String>,
    },
}

fn newest_proxy() -> String {
    "v1.30.5".to_owned()
}

impl Default for ProxyFile {
    fn default() -> Self {
        Self::KubeProxy { version: newest_proxy(), mode: String::new(), args: Vec::new() }
    }
}

/// What answers a cluster's DNS queries.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Dns")]
pub enum DnsFile {
    /// The file doesn't say.
    #[default]
    #[serde(skip)]
    Unsaid,
    /// Nothing.
    None,
    /// CoreDNS as a Deployment behind the Service kube-dns.
    CoreDns {
        /// The tag of its image; `v1.11.1` if not given.
        #[serde(default = "newest_dns")]
        version: String,
        /// How many pods; 2 if not given.
        #[serde(default = "usual_replicas")]
        replicas: u32,
        /// Its Corefile; kubeadm's if not given.
        corefile: Option<String>,
    },
}

impl DnsFile {
    /// CoreDNS as kubeadm installs it.
    pub(super) fn usual() -> Self {
        Self::CoreDns { version: newest_dns(), replicas: usual_replicas(), corefile: None }
    }
}

fn newest_dns() -> String {
    "v1.11.1".to_owned()
}

const fn usual_replicas() -> u32 {
    2
}

/// What hosts and cables have unless they say otherwise.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// Of hosts, also of those that a shape makes.
    #[serde(default)]
    pub host: HostDefaults,
    /// Of cables.
    #[serde(default)]
    pub cable: Cable,
}

/// What hosts have unless they say otherwise.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Host")]
#[schemars(rename = "HostDefaults")]
pub struct HostDefaults {
    /// The gateway of hosts that name none; a shape's hosts have routes instead.
    pub gateway: Option<String>,
    /// Commands that run before the host's own.
    #[serde(default)]
    pub setup: Vec<String>,
    /// Files that the host's own of the same path replace.
    #[serde(default)]
    pub files: IndexMap<String, String>,
}

/// A host.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Host")]
pub struct HostFile {
    /// Physical NICs by name.
    #[serde(default)]
    pub nics: IndexMap<String, NicFile>,
    /// Bridges by name.
    #[serde(default)]
    pub bridges: IndexMap<String, BridgeFile>,
    /// The next hop of the default route: an address, or the name of the host that has it.
    pub gateway: Option<String>,
    /// Shell commands that the host runs when it boots, one after the other.
    #[serde(default)]
    pub setup: Vec<String>,
    /// Files by absolute path.
    #[serde(default)]
    pub files: IndexMap<String, String>,
}

/// How a value was written: its parts have other paths then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// As a text or a list.
    Brief,
    /// With a struct's fields.
    #[default]
    Full,
}

/// A physical NIC; in brief one address, `"auto"` or `"none"`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Nic", remote = "Self")]
#[schemars(transform = crate::schema::or_text)]
pub struct NicFile {
    /// Addresses with prefix length, or `auto`.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// MAC address; otherwise one that follows from host and NIC name.
    pub mac: Option<String>,
    /// MTU in bytes.
    pub mtu: Option<u32>,
    /// Whether it is up; otherwise it is if it has an address or is a bridge's port.
    pub up: Option<bool>,
    #[serde(skip)]
    pub(crate) form: Form,
}

/// A bridge.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Bridge")]
pub struct BridgeFile {
    /// NICs of the host.
    #[serde(default)]
    pub ports: Vec<String>,
    /// Addresses with prefix length.
    #[serde(default)]
    pub addresses: Vec<String>,
}

/// A hub or switch; in brief the list of its ports.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Segment", remote = "Self")]
#[schemars(transform = crate::schema::or_list)]
pub struct SegmentFile {
    /// Hub or switch.
    #[serde(default)]
    pub kind: SegmentSort,
    /// The NICs plugged in, `host:nic`.
    #[serde(default)]
    pub ports: Vec<String>,
    /// What its cables do.
    #[serde(default)]
    pub cable: Cable,
    /// What it doesn't carry, e.g. `"udp port 8472"`, `"ipip from node1:eth0"`,
    /// `"sources but 192.168.0.11 from node1:eth0"`, `"fragments"`, `"longer than 1400"`,
    /// `"more than 100 a second"`, `"all to node2:eth0"`. The command `fabric` changes it later.
    #[serde(default)]
    pub bars: Vec<String>,
    /// The subnet of automatic addresses.
    pub subnet: Option<String>,
    #[serde(skip)]
    pub(crate) form: Form,
}

/// How a segment passes frames on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum SegmentSort {
    /// To every port.
    Hub,
    /// Learning.
    #[default]
    Switch,
}

/// A cable between two NICs; in brief `"a:eth0 -- b:eth0"`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Link", remote = "Self")]
#[schemars(transform = crate::schema::or_text)]
pub struct LinkFile {
    /// The NICs, `host:nic`.
    pub ends: (String, String),
    /// What it does.
    #[serde(default)]
    pub cable: Cable,
    /// What it doesn't carry, as of a segment.
    #[serde(default)]
    pub bars: Vec<String>,
    /// The subnet of automatic addresses.
    pub subnet: Option<String>,
    /// Where the second end begins in the brief form, in bytes.
    #[serde(skip)]
    pub(crate) second: usize,
    #[serde(skip)]
    pub(crate) form: Form,
}

/// What a cable does to frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cable {
    /// Microseconds; 50 if not given.
    pub latency_us: Option<u64>,
    /// Megabits per second; unlimited if not given.
    pub bandwidth_mbit: Option<u64>,
    /// Frames lost, in a million.
    pub loss_ppm: Option<u32>,
    /// Frames that wait at most; 1000 if not given.
    pub queue: Option<u32>,
    /// Longest IP packet in bytes.
    pub mtu: Option<u32>,
}

/// Hosts and cables of a regular shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Shape")]
pub enum ShapeFile {
    /// So many hosts in a row.
    Line(usize),
    /// One host in the middle and so many around it.
    Star(usize),
    /// A host with branches, each branch with branches, and so on.
    Tree {
        /// How often it branches from the root to a leaf.
        depth: usize,
        /// Branches of each host.
        fanout: usize,
    },
}

/// A type that can also be written as a text or as a list.
trait Brief: Sized {
    const EXPECTED: &'static str;
    fn full<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error>;
    fn text(_: &str) -> Option<Self> {
        None
    }
    fn list(_: Vec<String>) -> Option<Self> {
        None
    }
}

impl Brief for NicFile {
    const EXPECTED: &'static str = "an address in quotes, \"auto\", \"none\" or `Nic(…)`";
    fn full<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::deserialize(from)
    }
    fn text(text: &str) -> Option<Self> {
        let addresses = if text == "none" { Vec::new() } else { vec![text.to_owned()] };
        Some(Self { addresses, form: Form::Brief, ..Self::default() })
    }
    fn list(items: Vec<String>) -> Option<Self> {
        items.is_empty().then(Self::default)
    }
}

impl Brief for SegmentFile {
    const EXPECTED: &'static str = "a list of ports or `Segment(…)`";
    fn full<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::deserialize(from)
    }
    fn list(ports: Vec<String>) -> Option<Self> {
        Some(Self { ports, form: Form::Brief, ..Self::default() })
    }
}

impl Brief for LinkFile {
    const EXPECTED: &'static str = "a link such as \"a:eth0 -- b:eth0\" or `Link(ends: …)`";
    fn full<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::deserialize(from)
    }
    fn text(text: &str) -> Option<Self> {
        let (first, rest) = text.split_once(" -- ")?;
        let second = rest.trim_start();
        let ends = (first.trim().to_owned(), second.trim_end().to_owned());
        Some(Self { ends, second: text.len() - second.len(), form: Form::Brief, ..Self::default() })
    }
}

/// Reads a number or a map of nodes.
struct NodesVisitor;

impl<'de> Visitor<'de> for NodesVisitor {
    type Value = NodesFile;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of nodes, or nodes by their hosts' names")
    }

    fn visit_u64<E: Error>(self, nodes: u64) -> Result<NodesFile, E> {
        usize::try_from(nodes).map(NodesFile::Count).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, from: A) -> Result<NodesFile, A::Error> {
        IndexMap::deserialize(MapAccessDeserializer::new(from)).map(NodesFile::Named)
    }
}

impl<'de> Deserialize<'de> for NodesFile {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(NodesVisitor)
    }
}

/// Reads either form; ron tells which it is.
struct Either<T>(PhantomData<T>);

impl<'de, T: Brief> Visitor<'de> for Either<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::text(text).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<T, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element()? {
            items.push(item);
        }
        T::list(items).ok_or_else(|| A::Error::invalid_type(serde::de::Unexpected::Seq, &self))
    }

    fn visit_map<A: MapAccess<'de>>(self, from: A) -> Result<T, A::Error> {
        T::full(MapAccessDeserializer::new(from))
    }
}

macro_rules! either {
    ($($name:ty),*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                from.deserialize_any(Either(PhantomData))
            }
        }
    )*};
}

either!(NicFile, SegmentFile, LinkFile);
