use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;
use k8s_openapi::api::core::v1::{Node, Pod};
use kernel::dump::RouteInfo;
use kernel::{Device, DeviceKind, Host};
use kube::api::{list, name_of, namespace_of};
use packet::{HostId, NetnsId};
use world::World;

/// What listings and the API say of a network.
pub(super) struct Facts<'a> {
    /// The network.
    pub world: &'a World,
    /// The cluster's nodes that are hosts.
    pub nodes: Vec<NodeFacts>,
    /// The cluster's pods.
    pub pods: Vec<PodFacts>,
}

/// A node of the cluster.
#[derive(Clone, Debug)]
pub(super) struct NodeFacts {
    /// Name of node and host.
    pub name: String,
    /// The host.
    pub host: HostId,
    /// Its InternalIP.
    pub ip: Option<Ipv4Addr>,
    /// Its podCIDR.
    pub pod_cidr: Option<Ipv4Net>,
}

/// A pod.
#[derive(Clone, Debug)]
pub(super) struct PodFacts {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Node.
    pub node: String,
    /// Address.
    pub ip: Option<IpAddr>,
    /// Whether it shares the node's network.
    pub host_network: bool,
    /// Whether it is Ready.
    pub ready: bool,
    /// Ports of TCP that it says it has.
    pub ports: Vec<u16>,
}

impl PodFacts {
    /// As [`crate::lab::locate`] finds it.
    pub fn place(&self) -> String {
        match self.namespace.as_str() {
            "default" => format!("pod/{}", self.name),
            namespace => format!("pod/{namespace}/{}", self.name),
        }
    }
}

impl<'a> Facts<'a> {
    /// Reads the API, if there is a cluster.
    pub fn of(world: &'a World) -> Self {
        Self { world, nodes: nodes(world), pods: pods(world) }
    }

    /// The node that is this host.
    pub fn node(&self, host: HostId) -> Option<&NodeFacts> {
        self.nodes.iter().find(|node| node.host == host)
    }

    /// The node by its name.
    pub fn node_named(&self, name: &str) -> Option<&NodeFacts> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// The host's name.
    pub fn name(&self, host: HostId) -> &str {
        &self.world.host(host).name
    }

    /// The kernel of a host.
    pub fn kernel(&self, host: HostId) -> &'a Host {
        self.world.host(host)
    }

    /// The pod with this address.
    pub fn pod_at(&self, ip: IpAddr) -> Option<&PodFacts> {
        self.pods.iter().find(|pod| pod.ip == Some(ip) && !pod.host_network)
    }

    /// The host that has this address in its initial namespace.
    pub fn host_at(&self, ip: IpAddr) -> Option<HostId> {
        let mut hosts = self.world.hosts();
        hosts.find(|host| host.addrs(NetnsId::INIT).iter().any(|a| a.addr.local.addr() == ip)).map(|h| h.id)
    }

    /// The place that has this address: a pod's or container's namespace, or a host.
    pub fn place_of(&self, ip: IpAddr) -> Option<(HostId, NetnsId)> {
        let mut places = self
            .world
            .hosts()
            .flat_map(|host| host.netns.iter().flatten().map(move |netns| (host.id, netns.id)));
        places.find(|&(host, netns)| self.kernel(host).addrs(netns).iter().any(|a| a.addr.local.addr() == ip))
    }

    /// Every namespace of every host but the initial ones.
    pub fn namespaces(&self) -> Vec<(HostId, NetnsId)> {
        let all = self
            .world
            .hosts()
            .flat_map(|host| host.netns.iter().flatten().map(move |netns| (host.id, netns.id)));
        all.filter(|(_, netns)| *netns != NetnsId::INIT).collect()
    }

    /// A device by its name.
    pub fn device(&self, host: HostId, netns: NetnsId, name: &str) -> Option<&'a Device> {
        let kernel = self.kernel(host);
        kernel.get_dev(kernel.dev_by_name(netns, name)?)
    }

    /// The devices of a place, in the order of `ip link`.
    pub fn devices(&self, host: HostId, netns: NetnsId) -> Vec<&'a Device> {
        let kernel = self.kernel(host);
        let Some(netns) = kernel.get_ns(netns) else { return Vec::new() };
        netns.devices.values().filter_map(|&dev| kernel.get_dev(dev)).collect()
    }

    /// The other end of a veth.
    pub fn veth_peer(&self, host: HostId, device: &Device) -> Option<&'a Device> {
        match &device.kind {
            DeviceKind::Veth(veth) => self.kernel(host).get_dev(veth.peer),
            _ => None,
        }
    }

    /// Other hosts that should look like this one: the cluster's other nodes, or else hosts with the
    /// same bridges and tunnels.
    pub fn peers(&self, host: HostId) -> Vec<HostId> {
        if self.node(host).is_some() {
            return self.nodes.iter().map(|node| node.host).filter(|&other| other != host).collect();
        }
        let shape = |host: &Host| {
            let mut kinds: Vec<&str> = host
                .devices
                .iter()
                .flatten()
                .filter(|dev| dev.netns == NetnsId::INIT)
                .filter_map(|dev| dev.kind.name())
                .filter(|kind| *kind != "veth")
                .collect();
            kinds.sort_unstable();
            kinds.dedup();
            kinds
        };
        let own = shape(self.kernel(host));
        if own.is_empty() {
            return Vec::new();
        }
        self.world.hosts().filter(|other| other.id != host && shape(other) == own).map(|h| h.id).collect()
    }

    /// Whether anything implements Services: a kube-proxy is wanted or has left its rules.
    pub fn has_proxy(&self) -> bool {
        let ruled = |node: &NodeFacts| {
            let netns = self.kernel(node.host).get_ns(NetnsId::INIT);
            let mut tables = netns.into_iter().flat_map(|netns| netns.netfilter.tables());
            tables.any(|table| table.chain("KUBE-SERVICES").is_some())
        };
        super::owner::daemon_set(self, "kube-proxy").is_some() || self.nodes.iter().any(ruled)
    }

    /// Where `kubectl` is typed: a host with an administrator's configuration.
    pub fn admin(&self) -> Option<String> {
        let node = self.nodes.iter().find(|node| crate::lab::has_kubectl(self.world, node.host));
        node.map(|node| node.name.clone())
    }

    /// The routes of the tables that people use.
    pub fn routes(&self, host: HostId, netns: NetnsId) -> Vec<RouteInfo> {
        let all = self.kernel(host).routes(netns);
        all.into_iter().filter(|route| route.table != kernel::TableId::LOCAL).collect()
    }

    /// The value of a setting.
    pub fn sysctl(&self, host: HostId, netns: NetnsId, key: &str) -> Option<String> {
        self.kernel(host).sysctl_get(netns, key).ok()
    }
}

fn nodes(world: &World) -> Vec<NodeFacts> {
    let nodes = list::<Node>(world.store(), None);
    let facts = nodes.iter().filter_map(|node| {
        let name = name_of(&**node).to_owned();
        let status = node.status.clone().unwrap_or_default();
        let internal = status.addresses.iter().flatten().find(|address| address.type_ == "InternalIP");
        Some(NodeFacts {
            host: world.host_by_name(&name)?,
            ip: internal.and_then(|address| address.address.parse().ok()),
            pod_cidr: node.spec.as_ref().and_then(|spec| spec.pod_cidr.as_deref()?.parse().ok()),
            name,
        })
    });
    facts.collect()
}

fn pods(world: &World) -> Vec<PodFacts> {
    let pods = list::<Pod>(world.store(), None);
    let facts = pods.iter().map(|pod| {
        let (spec, status) = (pod.spec.clone().unwrap_or_default(), pod.status.clone().unwrap_or_default());
        let ready = status.conditions.iter().flatten().any(|c| c.type_ == "Ready" && c.status == "True");
        let ports = spec.containers.iter().flat_map(|container| container.ports.iter().flatten());
        let tcp = ports.filter(|port| port.protocol.as_deref().unwrap_or("TCP") == "TCP");
        PodFacts {
            namespace: namespace_of(&**pod).to_owned(),
            name: name_of(&**pod).to_owned(),
            node: spec.node_name.clone().unwrap_or_default(),
            ip: status.pod_ip.as_deref().and_then(|ip| ip.parse().ok()),
            host_network: spec.host_network == Some(true),
            ready,
            ports: tcp.filter_map(|port| u16::try_from(port.container_port).ok()).collect(),
        }
    });
    facts.collect()
}
