//! A topology's cluster: the hosts that it makes, and what its nodes run.

use std::net::Ipv4Addr;
use std::path::Path;

use indexmap::IndexMap;
use ipnet::{Ipv4Net, Ipv6Net};
use kube::api::ClusterSettings;
use kube::api::manifest::{self, ManifestError};
use kube::cluster::{BalancerPlan, Cloud, Dns, Network, NodePlan, Proxy};

use super::check::{Finding, Severity};
use super::read::Reader;
use super::written::{
    BalancersFile, Cable, CloudFile, ClusterFile, DnsFile, NetworkFile, NodeFile, NodesFile, ProxyFile,
};
use super::{At, Cluster, Host, Medium, Nic, Port, Segment, Topology};
use crate::error::{FileError, Place, Problem, nearest};

/// Nodes that a cluster may be asked to make.
const NODES_MAX: usize = 240;
/// The subnet of nodes that are made.
const NODES_SUBNET: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 24);
/// The host that is the way out for nodes that are made.
const GATEWAY: &str = "gateway";

/// Which servers a host asks for names.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// The taint that kubeadm gives nodes of the control plane.
const CONTROL_PLANE_TAINT: &str = "node-role.kubernetes.io/control-plane:NoSchedule";

impl Reader {
    /// Makes the hosts of a cluster that only says how many nodes it has.
    pub(super) fn cluster_hosts(&mut self, written: &ClusterFile, place: &At) {
        let NodesFile::Count(nodes) = written.nodes else { return };
        let at = place.join(".nodes");
        if !(1..=NODES_MAX).contains(&nodes) {
            let expected = "a number of nodes from 1 to 240";
            return self.error(&at, Problem::Invalid { value: nodes.to_string(), expected });
        }
        let mut ports = Vec::new();
        let gateway = host_address(1);
        for number in 0..=nodes {
            let name = if number == 0 { GATEWAY.to_owned() } else { format!("node{number}") };
            let address = if number == 0 { gateway } else { host_address(10 + number) };
            let mut nic = Nic::automatic(&name, "eth0", at.clone());
            nic.auto = None;
            nic.addresses.push(address);
            nic.places.push(at.clone());
            let mut host = Host { forwards: number == 0, at: at.clone(), ..Host::default() };
            if number > 0 {
                host.gateway_name = Some((gateway.addr().to_string(), at.clone()));
            }
            host.nics.insert("eth0".to_owned(), nic);
            self.add_host(name.clone(), host);
            ports.push(Port { host: name, nic: "eth0".to_owned(), at: at.clone() });
        }
        self.topology.segments.push(Segment {
            name: "nodes".to_owned(),
            medium: Medium::Switch,
            ports,
            cable: Cable::default(),
            bars: Vec::new(),
            subnet: Some(NODES_SUBNET),
            at,
        });
    }

    /// Settles what a cluster is made of, once all hosts have their addresses.
    pub(super) fn cluster(&mut self, written: ClusterFile, place: At, file: &Path) {
        if let Some(other) = &self.topology.cluster {
            let first = format!("a cluster ({})", self.topology.line_of(&other.at, &place));
            let what = "what is declared here".to_owned();
            return self.error(&place, Problem::Duplicate { what, first, hint: None });
        }
        let ClusterFile { nodes, pod_cidr, node_mask, service_cidr, network, cloud, proxy, dns, manifests } =
            written;
        let mut settings = ClusterSettings::default();
        if let Some(cidr) = self.subnet(pod_cidr, &place.join(".pod_cidr")) {
            settings.pod_cidr = Some(cidr);
        }
        let at = place.join(".service_cidr");
        let (first, second) = match service_cidr.as_deref().and_then(|text| text.split_once(',')) {
            Some((first, second)) => (Some(first.to_owned()), Some(second.to_owned())),
            None => (service_cidr, None),
        };
        if let Some(text) = second {
            let expected = "a subnet of IPv6 such as fd00:10:96::/112 after the comma";
            match text.trim().parse::<Ipv6Net>().ok().filter(|net| net.addr() == net.network()) {
                Some(net) => settings.service_cidr6 = Some(net),
                None => self.error(&at, Problem::Invalid { value: text, expected }),
            }
        }
        if let Some(cidr) = self.subnet(first, &at) {
            settings.service_cidr = cidr;
            let dns = u32::from(cidr.network()).saturating_add(10);
            settings.dns = Ipv4Addr::from(dns);
        }
        let pods = settings.pod_cidr.map_or(0, |cidr| cidr.prefix_len());
        settings.node_mask = node_mask.unwrap_or_else(|| pods.max(24));
        if settings.node_mask < pods || settings.node_mask > 30 {
            let value = settings.node_mask.to_string();
            let expected = "the prefix length of a part of `pod_cidr`, 30 at most";
            self.error(&place.join(".node_mask"), Problem::Invalid { value, expected });
        }
        let nodes = self.nodes(nodes, &place);
        if let Some(ip) = nodes.iter().find(|node| node.control_plane).and_then(|node| node.ip) {
            settings.api_server.0 = ip;
        }
        let network = match network {
            NetworkFile::None => Network::None,
            NetworkFile::Kubenet { cloud } => {
                Network::Kubenet { cloud: cloud.map(|CloudFile::Aws| Cloud::Aws) }
            }
            NetworkFile::Flannel { backend, direct_routing, args } => {
                Network::Flannel { backend, direct_routing, args }
            }
        };
        let balancer = cloud.and_then(|cloud| self.balancer(cloud, &place.join(".cloud")));
        let proxy = match proxy {
            ProxyFile::None => Proxy::None,
            ProxyFile::KubeProxy { version, mode, args } => Proxy::KubeProxy { version, mode, args },
        };
        let works = network != Network::None && proxy != Proxy::None && self.nodes_can_ask(&nodes);
        let dns = match dns {
            DnsFile::Unsaid if works => DnsFile::usual(),
            said => said,
        };
        let dns = match dns {
            DnsFile::Unsaid | DnsFile::None => Dns::None,
            DnsFile::CoreDns { version, replicas, corefile } => Dns::CoreDns { version, replicas, corefile },
        };
        let (manifests, notices) = self.manifests(manifests, &place, file);
        let plan = kube::cluster::Cluster { nodes, settings, network, proxy, dns, balancer, manifests };
        for node in &plan.nodes {
            let Some(host) = self.topology.hosts.get_mut(&node.name) else { continue };
            for (path, text) in plan.files(node) {
                host.files.entry(path).or_insert(text);
            }
        }
        if let Some(host) = plan.balancer.as_ref().and_then(|plan| self.topology.hosts.get_mut(&plan.host)) {
            for (path, text) in plan.balancer_files() {
                host.files.entry(path).or_insert(text);
            }
        }
        self.topology.cluster = Some(Cluster { plan, notices, at: place });
    }

    /// Whether every node knows a server to ask for names.
    fn nodes_can_ask(&self, nodes: &[NodePlan]) -> bool {
        let mut hosts = nodes.iter().filter_map(|node| self.topology.hosts.get(&node.name));
        hosts.all(|host| host.files.get(RESOLV_CONF).is_some_and(|text| text.contains("nameserver ")))
    }

    fn balancer(&mut self, written: BalancersFile, place: &At) -> Option<BalancerPlan> {
        let BalancersFile { balancer: host, addresses } = written;
        if !self.topology.hosts.contains_key(&host) {
            let hint = nearest(&host, self.topology.hosts.keys().map(String::as_str));
            self.error(&place.join(".balancer"), Problem::Unknown { kind: "host", name: host, hint });
            return None;
        }
        let addresses = self.subnet(Some(addresses), &place.join(".addresses"))?;
        Some(BalancerPlan { host, addresses })
    }

    fn subnet(&mut self, text: Option<String>, at: &At) -> Option<Ipv4Net> {
        let text = text?;
        let net = text.parse::<Ipv4Net>().ok().filter(|net| net.addr() == net.network());
        if net.is_none() {
            let expected = "a subnet such as 10.244.0.0/16";
            self.error(at, Problem::Invalid { value: text, expected });
        }
        net
    }

    /// The nodes, those of the control plane first.
    fn nodes(&mut self, written: NodesFile, place: &At) -> Vec<NodePlan> {
        let written: IndexMap<String, NodeFile> = match written {
            NodesFile::Named(nodes) => nodes,
            NodesFile::Count(count) => {
                (1..=count).map(|number| (format!("node{number}"), NodeFile::default())).collect()
            }
        };
        if written.is_empty() {
            self.error(&place.join(".nodes"), Problem::Missing("at least one node"));
        }
        let (only, nobody) = (written.len() == 1, !written.values().any(|node| node.control_plane));
        let mut nodes = Vec::new();
        for (number, (name, node)) in written.into_iter().enumerate() {
            let at = place.join(&format!(".nodes[{name:?}]"));
            let Some(host) = self.topology.hosts.get(&name) else {
                let hint = nearest(&name, self.topology.hosts.keys().map(String::as_str));
                self.error(&at.join("#key"), Problem::Unknown { kind: "host", name, hint });
                continue;
            };
            let addresses = || host.nics.values().flat_map(|nic| &nic.addresses).map(Ipv4Net::addr);
            let control_plane = node.control_plane || nobody && number == 0;
            let ip = match node.node_ip.as_deref() {
                None => Ok(addresses().next()),
                Some("none") => Ok(None),
                Some(text) => match text.parse().ok().filter(|ip| addresses().any(|own| own == *ip)) {
                    Some(ip) => Ok(Some(ip)),
                    None => Err(Problem::Invalid {
                        value: text.to_owned(),
                        expected: "an address of this host, or \"none\"",
                    }),
                },
            };
            let api_server = if control_plane { addresses().next() } else { None };
            let ip = ip.unwrap_or_else(|problem| {
                self.error(&at.join(".node_ip"), problem);
                None
            });
            if control_plane && ip.or(api_server).is_none() {
                let message = format!("the API server needs an address of `{name}`");
                self.error(&at, Problem::Conflict { message, hint: None });
            }
            let usual =
                if control_plane && !only { vec![CONTROL_PLANE_TAINT.to_owned()] } else { Vec::new() };
            nodes.push(NodePlan {
                name,
                control_plane,
                ip,
                kubelet: node.kubelet,
                labels: node.labels,
                taints: node.taints.unwrap_or(usual),
            });
        }
        nodes.sort_by_key(|node| !node.control_plane);
        nodes
    }

    /// Reads manifests beside the topology's file.
    fn manifests(
        &mut self,
        names: Vec<String>,
        place: &At,
        file: &Path,
    ) -> (Vec<(String, String)>, Vec<Finding>) {
        let folder = file.parent().unwrap_or(Path::new(""));
        let (mut texts, mut notices) = (Vec::new(), Vec::new());
        for (number, name) in names.into_iter().enumerate() {
            let path = folder.join(&name);
            let text = match std::fs::read_to_string(&path) {
                Ok(text) => text,
                Err(error) => {
                    let problem = Problem::Conflict {
                        message: format!("`{name}` can't be read: {error}"),
                        hint: Some("manifests lie beside the topology's file".to_owned()),
                    };
                    self.error(&place.join(&format!(".manifests[{number}]")), problem);
                    continue;
                }
            };
            match manifest::read(&text) {
                Err(error) => self.errors.push(in_manifest(&path, &text, error)),
                Ok(objects) => notices.extend(objects.iter().flat_map(|object| {
                    object.notices.iter().map(|notice| Finding {
                        severity: Severity::Warning,
                        error: in_manifest(&path, &text, object.error("", notice)),
                    })
                })),
            }
            texts.push((name.rsplit('/').next().unwrap_or(&name).to_owned(), text));
        }
        (texts, notices)
    }
}

impl Topology {
    /// The same topology with another pod network.
    pub(crate) fn with_network(mut self, network: Network) -> Self {
        let Some(cluster) = &mut self.cluster else { return self };
        cluster.plan.network = network;
        for node in &cluster.plan.nodes {
            let Some(host) = self.hosts.get_mut(&node.name) else { continue };
            host.files.extend(cluster.plan.network_file(node));
        }
        self
    }

    /// The same topology with another kube-proxy and a further manifest, given as name and text.
    pub(crate) fn with_proxy(mut self, proxy: Proxy, manifest: (String, String)) -> Self {
        if let Some(cluster) = &mut self.cluster {
            cluster.plan.proxy = proxy;
        }
        self.with_manifest(manifest)
    }

    /// The same topology with a further manifest, given as name and text.
    pub(crate) fn with_manifest(mut self, manifest: (String, String)) -> Self {
        let Some(cluster) = &mut self.cluster else { return self };
        cluster.plan.manifests.push(manifest);
        for node in &cluster.plan.nodes {
            let Some(host) = self.hosts.get_mut(&node.name) else { continue };
            host.files.extend(cluster.plan.files(node));
        }
        self
    }

    /// What a person should know about the cluster's manifests.
    pub(super) fn manifest_notices(&self) -> impl Iterator<Item = Finding> {
        self.cluster.iter().flat_map(|cluster| cluster.notices.clone())
    }
}

impl Cluster {
    /// Where it is written.
    pub(crate) fn at(&self) -> &At {
        &self.at
    }
}

fn host_address(number: usize) -> Ipv4Net {
    let host = u32::try_from(number).unwrap_or(0);
    let address = Ipv4Addr::from(u32::from(NODES_SUBNET.network()) + host);
    Ipv4Net::new(address, NODES_SUBNET.prefix_len()).unwrap_or(NODES_SUBNET)
}

fn in_manifest(file: &Path, text: &str, error: ManifestError) -> FileError {
    let ManifestError { line, column, message, hint, .. } = error;
    let start = text.split_inclusive('\n').take(line - 1).map(str::len).sum::<usize>();
    let before: usize = text[start..].chars().take(column - 1).map(char::len_utf8).sum();
    let at = start + before;
    let word = text[at..].find(|c: char| c.is_whitespace() || c == ':').unwrap_or(text.len() - at);
    let place = Some(Place::new(text, at..at + word.max(1).min(text.len() - at)));
    FileError { place, ..FileError::new(file, Problem::Conflict { message, hint }) }
}
