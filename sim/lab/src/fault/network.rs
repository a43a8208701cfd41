//! What a network consists of, for whoever looks for places to break it.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;
use k8s_openapi::api::core::v1::{Node as NodeObject, Pod as PodObject, Service as ServiceObject};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kernel::device::{Device, DeviceKind};
use kube::api::{ClusterSettings, list, name_of, namespace_of};
use packet::{HostId, MacAddr, NetnsId, Proto};
use world::{FabricSegment, World};

use super::probe::At;
use crate::lab::{has_kubectl, locate};

/// A cluster and what is around it.
#[derive(Clone, Debug)]
pub struct Network {
    /// Its nodes.
    pub nodes: Vec<Node>,
    /// Pods that run in a network namespace of their own.
    pub pods: Vec<Pod>,
    /// Services with a cluster address.
    pub services: Vec<Service>,
    /// Hosts that are no nodes.
    pub others: Vec<Other>,
    /// Pods' addresses.
    pub pod_cidr: Ipv4Net,
    /// Services' addresses.
    pub service_cidr: Ipv4Net,
    /// What is between the hosts.
    pub segments: Vec<FabricSegment>,
    /// Whether flannel's DaemonSet is the pod network.
    pub flannel: bool,
}

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    /// Name of node and host.
    pub name: String,
    /// Its InternalIP.
    pub ip: Ipv4Addr,
    /// The device that has it.
    pub dev: String,
    /// That device's MAC address.
    pub mac: MacAddr,
    /// The addresses of the subnet that it is on.
    pub subnet: Ipv4Net,
    /// Its pods' addresses.
    pub pod_cidr: Option<Ipv4Net>,
    /// The bridge of its pods.
    pub bridge: Option<String>,
    /// Its tunnel devices.
    pub tunnels: Vec<Tunnel>,
    /// Whether the control plane runs on it.
    pub control_plane: bool,
    /// How it reaches the other nodes' pods.
    pub routes: Vec<PodRoute>,
    /// Next hop and device of its default route.
    pub gateway: Option<(Ipv4Addr, String)>,
    /// Other addresses of its physical devices.
    pub cards: Vec<(String, Ipv4Net)>,
    /// Whether `kubectl` works there.
    pub is_admin: bool,
}

/// A tunnel device.
#[derive(Clone, Debug)]
pub struct Tunnel {
    /// Its name.
    pub dev: String,
    /// Its MAC address.
    pub mac: MacAddr,
    /// `vxlan` or `ipip`.
    pub kind: &'static str,
    /// UDP port of a VXLAN.
    pub port: u16,
    /// Its MTU in bytes.
    pub mtu: u32,
}

/// A node's route to the pods of another.
#[derive(Clone, Debug)]
pub struct PodRoute {
    /// The other node.
    pub to: String,
    /// Its pods.
    pub dst: Ipv4Net,
    /// By which device.
    pub dev: String,
    /// Next hop.
    pub via: Ipv4Addr,
    /// Whether the next hop is taken to be on the device's link.
    pub onlink: bool,
}

/// A pod.
#[derive(Clone, Debug)]
pub struct Pod {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Where it runs.
    pub node: String,
    /// Its address.
    pub ip: Ipv4Addr,
    /// Labels.
    pub labels: Vec<(String, String)>,
    /// The kind of its controller; empty if it has none.
    pub owner: String,
    /// The image of its first container.
    pub image: String,
    /// Ports that its containers say they have.
    pub ports: Vec<(Proto, u16)>,
    /// Ports of its node that lead to it, with its own.
    pub host_ports: Vec<(u16, u16)>,
    /// The node's end of its veth.
    pub veth: String,
    /// Whether it is taken out of Services when it doesn't answer.
    pub is_probed: bool,
}

/// A Service.
#[derive(Clone, Debug)]
pub struct Service {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Its cluster address.
    pub ip: Ipv4Addr,
    /// Its first port.
    pub port: u16,
    /// Where that leads.
    pub target: Option<u16>,
    /// Its protocol.
    pub proto: Proto,
    /// Its node port.
    pub node_port: Option<u16>,
    /// What its pods have to have.
    pub selector: Vec<(String, String)>,
}

/// A host that is no node.
#[derive(Clone, Debug)]
pub struct Other {
    /// Its name.
    pub name: String,
    /// Its addresses with their devices.
    pub addresses: Vec<(String, Ipv4Net)>,
    /// Whether it forwards.
    pub forwards: bool,
    /// Ports of TCP on which it serves.
    pub serves: Vec<u16>,
}

impl Network {
    /// Looks at a network that runs.
    pub fn of(world: &World) -> Self {
        let store = world.store();
        let settings = store.get(ClusterSettings::KEY).and_then(world::Entry::get::<ClusterSettings>);
        let settings = settings.map(|settings| (*settings).clone()).unwrap_or_default();
        let mut network = Self {
            nodes: Vec::new(),
            pods: Vec::new(),
            services: services(world),
            others: Vec::new(),
            pod_cidr: settings.pod_cidr.unwrap_or_default(),
            service_cidr: settings.service_cidr,
            segments: world.fabric(),
            flannel: list::<k8s_openapi::api::apps::v1::DaemonSet>(store, Some("kube-flannel"))
                .iter()
                .any(|set| name_of(&**set) == "kube-flannel-ds"),
        };
        network.nodes =
            list::<NodeObject>(store, None).iter().filter_map(|node| Node::of(world, node)).collect();
        let cidrs: Vec<(String, Ipv4Net)> =
            network.nodes.iter().filter_map(|node| Some((node.name.clone(), node.pod_cidr?))).collect();
        for node in &mut network.nodes {
            node.routes = node.routes_to(world, &cidrs);
        }
        network.pods = list::<PodObject>(store, None).iter().filter_map(|pod| Pod::of(world, pod)).collect();
        let others = world.hosts().filter(|host| !network.nodes.iter().any(|node| node.name == host.name));
        network.others = others.map(|host| Other::of(world, host.id)).collect();
        network
    }

    /// The node of that name.
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// Where `kubectl` is typed.
    pub fn admin(&self) -> &str {
        self.nodes.iter().find(|node| node.is_admin).map_or("", |node| &node.name)
    }

    /// The pods of a node.
    pub fn pods_on<'a>(&'a self, node: &'a str) -> impl Iterator<Item = &'a Pod> {
        self.pods.iter().filter(move |pod| pod.node == node)
    }

    /// A pod of a node that serves TCP.
    pub fn server_on<'a>(&'a self, node: &'a str) -> Option<&'a Pod> {
        self.pods_on(node).find(|pod| pod.tcp().is_some())
    }

    /// Pairs of a pod and one that serves TCP on another node, each pair of nodes once.
    pub fn cross_pairs(&self) -> Vec<(&Pod, &Pod)> {
        let mut pairs = Vec::new();
        for a in &self.nodes {
            for b in self.nodes.iter().filter(|b| b.name != a.name) {
                let (from, to) = (self.pods_on(&a.name).next(), self.server_on(&b.name));
                pairs.extend(from.zip(to));
            }
        }
        pairs
    }

    /// The pods that a Service leads to.
    pub fn endpoints<'a>(&'a self, service: &'a Service) -> impl Iterator<Item = &'a Pod> {
        self.pods.iter().filter(move |pod| {
            pod.namespace == service.namespace
                && !service.selector.is_empty()
                && service.selector.iter().all(|label| pod.labels.contains(label))
        })
    }

    /// The segment that a NIC is plugged into.
    pub fn segment_of(&self, port: &str) -> Option<&FabricSegment> {
        self.segments.iter().find(|segment| segment.ports.iter().any(|other| other == port))
    }

    /// Whether pods of one node reach those of another by a tunnel.
    pub fn is_tunneled(&self, from: &Node, to: &Node) -> bool {
        let route = self.route(&from.name, &to.name);
        route.is_some_and(|route| from.tunnels.iter().any(|tunnel| tunnel.dev == route.dev))
    }

    /// A node from which a tunnel leads to this one.
    pub fn tunnel_to(&self, node: &Node) -> Option<&Node> {
        self.nodes.iter().find(|from| self.is_tunneled(from, node))
    }

    /// The tunnel's packets, as `iptables -S` prints what they match.
    pub fn tunnel_match(&self, node: &Node) -> String {
        match node.vxlan() {
            Some(tunnel) => format!("-p udp -m udp --dport {}", tunnel.port),
            None => "-p ipencap".to_owned(),
        }
    }

    /// The host that is a node's way out: of several with one address, the one on its cable.
    pub fn gateway_of(&self, node: &Node) -> Option<&Other> {
        let (gateway, dev) = node.gateway.as_ref()?;
        let segment = self.segment_of(&format!("{}:{dev}", node.name))?;
        self.others.iter().find(|other| {
            let mut own = other.addresses.iter().filter(|(_, net)| net.addr() == *gateway);
            own.any(|(dev, _)| segment.ports.contains(&format!("{}:{dev}", other.name)))
        })
    }

    /// The route of one node to the pods of another.
    pub fn route(&self, from: &str, to: &str) -> Option<&PodRoute> {
        self.node(from)?.routes.iter().find(|route| route.to == to)
    }
}

impl Node {
    fn of(world: &World, object: &NodeObject) -> Option<Self> {
        let name = name_of(object).to_owned();
        let host = world.host_by_name(&name)?;
        let status = object.status.clone().unwrap_or_default();
        let internal = status.addresses.iter().flatten().find(|address| address.type_ == "InternalIP")?;
        let ip: Ipv4Addr = internal.address.parse().ok()?;
        let all = addresses(world, host);
        let (dev, net) = all.iter().find(|(_, net)| net.addr() == ip)?.clone();
        let kernel = world.host(host);
        let devices = || kernel.devices.iter().flatten().filter(|dev| dev.netns == NetnsId::INIT);
        let spec = object.spec.clone().unwrap_or_default();
        let mut cards = Vec::new();
        for (card, net) in all {
            let is_nic = devices().any(|dev| dev.name == card && matches!(dev.kind, DeviceKind::Nic(_)));
            if is_nic && net.addr() != ip {
                cards.push((card, net));
            }
        }
        let default = kernel.routes(NetnsId::INIT).into_iter().find(|route| route.dst.prefix_len() == 0);
        let gateway = default.and_then(|route| {
            let hop = route.nexthops.first()?;
            match hop.via? {
                IpAddr::V4(via) => Some((via, hop.dev.clone())),
                IpAddr::V6(_) => None,
            }
        });
        Some(Self {
            mac: devices().find(|device| device.name == dev).map(|device| device.mac)?,
            pod_cidr: spec.pod_cidr.as_deref().and_then(|cidr| cidr.parse().ok()),
            bridge: devices()
                .find(|device| ["cni0", "cbr0"].contains(&&*device.name))
                .map(|d| d.name.clone()),
            tunnels: devices().filter_map(Tunnel::of).collect(),
            control_plane: object
                .metadata
                .labels
                .iter()
                .flatten()
                .any(|(key, _)| key.ends_with("/control-plane")),
            is_admin: has_kubectl(world, host),
            subnet: net.trunc(),
            routes: Vec::new(),
            name,
            ip,
            dev,
            gateway,
            cards,
        })
    }

    fn routes_to(&self, world: &World, cidrs: &[(String, Ipv4Net)]) -> Vec<PodRoute> {
        let Some(host) = world.host_by_name(&self.name) else { return Vec::new() };
        let routes = world.host(host).routes(NetnsId::INIT);
        let others = cidrs.iter().filter(|(name, _)| *name != self.name);
        let found = others.filter_map(|(to, dst)| {
            let route = routes.iter().find(|route| route.dst == ipnet::IpNet::V4(*dst))?;
            let hop = route.nexthops.first()?;
            let Some(IpAddr::V4(via)) = hop.via else { return None };
            Some(PodRoute { to: to.clone(), dst: *dst, dev: hop.dev.clone(), via, onlink: hop.onlink })
        });
        found.collect()
    }

    /// Its port of the fabric, `host:nic`.
    pub fn port(&self) -> String {
        format!("{}:{}", self.name, self.dev)
    }

    /// Its VXLAN device.
    pub fn vxlan(&self) -> Option<&Tunnel> {
        self.tunnels.iter().find(|tunnel| tunnel.kind == "vxlan")
    }

    /// The first address of its pods: its bridge's.
    pub fn bridge_ip(&self) -> Option<Ipv4Addr> {
        Some(Ipv4Addr::from(u32::from(self.pod_cidr?.network()) + 1))
    }
}

impl Tunnel {
    fn of(device: &Device) -> Option<Self> {
        let (kind, port) = match &device.kind {
            DeviceKind::Vxlan(vxlan) => ("vxlan", vxlan.config.dstport.unwrap_or(8472)),
            DeviceKind::Ipip(_) if device.name != "tunl0" => ("ipip", 0),
            _ => return None,
        };
        Some(Self { dev: device.name.clone(), mac: device.mac, kind, port, mtu: device.mtu })
    }
}

impl Pod {
    fn of(world: &World, object: &PodObject) -> Option<Self> {
        let spec = object.spec.clone().unwrap_or_default();
        let status = object.status.clone().unwrap_or_default();
        let running =
            status.phase.as_deref() == Some("Running") && object.metadata.deletion_timestamp.is_none();
        if spec.host_network == Some(true) || !running {
            return None;
        }
        let (namespace, name) = (namespace_of(object).to_owned(), name_of(object).to_owned());
        let spot = locate(world, &format!("pod/{namespace}/{name}")).ok()?;
        let kernel = world.host(spot.host);
        let veth = kernel.devices.iter().flatten().find_map(|device| match &device.kind {
            DeviceKind::Veth(veth) if device.netns == spot.netns => kernel.get_dev(veth.peer),
            _ => None,
        })?;
        let ports = spec.containers.iter().flat_map(|container| container.ports.iter().flatten());
        let number = |port: i32| u16::try_from(port).ok();
        let listed = ports.clone().filter_map(|port| {
            let proto = match port.protocol.as_deref() {
                None | Some("TCP") => Proto::TCP,
                Some("UDP") => Proto::UDP,
                Some(_) => return None,
            };
            Some((proto, number(port.container_port)?))
        });
        let owners = object.metadata.owner_references.iter().flatten();
        Some(Self {
            ip: status.pod_ip.as_deref()?.parse().ok()?,
            node: spec.node_name.clone()?,
            labels: object.metadata.labels.iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect(),
            owner: owners.map(|owner| owner.kind.clone()).next().unwrap_or_default(),
            ports: listed.collect(),
            host_ports: ports
                .filter_map(|port| Some((number(port.host_port?)?, number(port.container_port)?)))
                .collect(),
            veth: veth.name.clone(),
            image: spec.containers.first().and_then(|container| container.image.clone()).unwrap_or_default(),
            is_probed: spec.containers.iter().any(|container| container.readiness_probe.is_some()),
            namespace,
            name,
        })
    }

    /// Its first port of TCP.
    pub fn tcp(&self) -> Option<u16> {
        self.ports.iter().find(|(proto, _)| *proto == Proto::TCP).map(|(_, port)| *port)
    }

    /// Its first port of UDP.
    pub fn udp(&self) -> Option<u16> {
        self.ports.iter().find(|(proto, _)| *proto == Proto::UDP).map(|(_, port)| *port)
    }

    /// Where it is; if a controller made it, the pod that takes its place there too.
    pub fn at(&self) -> At {
        let app = self.labels.iter().find(|(key, _)| key == "app");
        match app.filter(|_| !self.owner.is_empty()) {
            Some((key, value)) => At::Like {
                namespace: self.namespace.clone(),
                label: (key.clone(), value.clone()),
                node: self.node.clone(),
            },
            None => At::Named(self.place()),
        }
    }

    /// `node/NAME`, as traces print it.
    pub fn spot(&self) -> String {
        match self.namespace.as_str() {
            "default" => format!("{}/{}", self.node, self.name),
            namespace => format!("{}/{}.{namespace}", self.node, self.name),
        }
    }

    /// `pod/NAME` or `pod/NAMESPACE/NAME`.
    pub fn place(&self) -> String {
        match self.namespace.as_str() {
            "default" => format!("pod/{}", self.name),
            namespace => format!("pod/{namespace}/{}", self.name),
        }
    }
}

impl Service {
    /// `svc/NAME` or `svc/NAMESPACE/NAME`.
    pub fn place(&self) -> String {
        match self.namespace.as_str() {
            "default" => format!("svc/{}", self.name),
            namespace => format!("svc/{namespace}/{}", self.name),
        }
    }
}

impl Other {
    fn of(world: &World, host: HostId) -> Self {
        let kernel = world.host(host);
        let forwards = kernel.sysctl_get(NetnsId::INIT, "net.ipv4.ip_forward");
        let sockets = kernel.socket_list(NetnsId::INIT);
        let serves = sockets.iter().filter(|socket| socket.kind == "tcp" && socket.state == "LISTEN");
        Self {
            name: kernel.name.clone(),
            addresses: addresses(world, host),
            forwards: forwards.is_ok_and(|value| value == "1"),
            serves: serves.map(|socket| socket.local.1).collect(),
        }
    }
}

/// The addresses of a host with their devices, without loopback's.
fn addresses(world: &World, host: HostId) -> Vec<(String, Ipv4Net)> {
    let kernel = world.host(host);
    let addrs = kernel.addrs(NetnsId::INIT);
    let found = addrs.iter().filter_map(|info| {
        let devices = kernel.devices.iter().flatten();
        let mut here = devices.filter(|dev| dev.netns == NetnsId::INIT && dev.ifindex == info.ifindex);
        match info.addr.local {
            ipnet::IpNet::V4(net) if !net.addr().is_loopback() => Some((here.next()?.name.clone(), net)),
            _ => None,
        }
    });
    found.collect()
}

fn services(world: &World) -> Vec<Service> {
    let all = list::<ServiceObject>(world.store(), None);
    let found = all.iter().filter_map(|object| {
        let spec = object.spec.clone().unwrap_or_default();
        let port = spec.ports.as_ref()?.first()?;
        let number = |port: i32| u16::try_from(port).ok();
        let target = match &port.target_port {
            Some(IntOrString::Int(target)) => number(*target),
            Some(IntOrString::String(_)) => None,
            None => number(port.port),
        };
        Some(Service {
            namespace: namespace_of(&**object).to_owned(),
            name: name_of(&**object).to_owned(),
            ip: spec.cluster_ip.as_deref()?.parse().ok()?,
            port: number(port.port)?,
            target,
            proto: match port.protocol.as_deref() {
                Some("UDP") => Proto::UDP,
                Some("SCTP") => return None,
                _ => Proto::TCP,
            },
            node_port: port.node_port.and_then(number),
            selector: spec.selector.iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect(),
        })
    });
    found.collect()
}
