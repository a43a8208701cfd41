//! Probes of a network, chosen by what should work.

use std::net::Ipv4Addr;

use packet::Proto;

use super::Case;
use super::network::{Network, Node, Other, Pod, Service};
use super::probe::{At, Probe, To, Way};

impl Network {
    /// A case for each node that has one.
    pub(super) fn each_node(&self, make: impl Fn(&Node) -> Option<Case>) -> Vec<Case> {
        self.nodes.iter().filter_map(make).collect()
    }

    /// From a pod of another node to a pod.
    pub(super) fn to_pod(&self, pod: &Pod) -> Option<Probe> {
        let from = self.pods.iter().find(|from| from.node != pod.node)?;
        Some(self.pair(from, pod, Way::Http(pod.tcp()?)))
    }

    /// From one pod to another.
    pub(super) fn pair(&self, from: &Pod, to: &Pod, way: Way) -> Probe {
        Probe::once(from.at(), To::Place(to.at()), way)
    }

    /// From a pod of another node to a pod of this one.
    pub(super) fn to_pod_of(&self, node: &Node) -> Option<Probe> {
        self.to_pod(self.server_on(&node.name)?)
    }

    /// From a pod of this node to a pod of another.
    pub(super) fn pod_of_to_others(&self, node: &Node) -> Option<Probe> {
        let (from, to) = self.cross_pairs().into_iter().find(|(from, _)| from.node == node.name)?;
        Some(self.pair(from, to, Way::Http(to.tcp()?)))
    }

    /// From a pod of one node to a pod of another.
    pub(super) fn between(&self, from: &Node, to: &Node) -> Option<Probe> {
        let (from, to) = self.pods_on(&from.name).next().zip(self.server_on(&to.name))?;
        Some(self.pair(from, to, Way::Http(to.tcp()?)))
    }

    /// From a pod of one node to a pod of another, with packets of full size.
    pub(super) fn big_between(&self, from: &Node, to: &Node) -> Option<Probe> {
        let Probe { from, to, way, times } = self.between(from, to)?;
        let Way::Http(port) = way else { return None };
        Some(Probe { from, to, way: Way::Big(port), times })
    }

    /// To a Service, so often that each endpoint has its turn.
    pub(super) fn to_service(&self, from: At, service: &Service) -> Probe {
        let to = To::Service(service.namespace.clone(), service.name.clone());
        let way = match service.proto {
            Proto::UDP => Way::Udp(service.port),
            _ => Way::Http(service.port),
        };
        Probe::often(from, to, way)
    }

    /// A Service of TCP with a node port and endpoints.
    pub(super) fn node_port_service(&self) -> Option<&Service> {
        let mut open = self.services.iter().filter(|service| service.node_port.is_some());
        open.find(|service| service.proto == Proto::TCP && self.endpoints(service).next().is_some())
    }

    /// Services of TCP with endpoints in pods.
    pub(super) fn tcp_services(&self) -> impl Iterator<Item = &Service> {
        let tcp = self.services.iter().filter(|service| service.proto == Proto::TCP);
        tcp.filter(|service| self.endpoints(service).next().is_some())
    }

    /// A Service with one endpoint, and that pod.
    pub(super) fn single(&self) -> Option<(&Service, &Pod)> {
        self.tcp_services().find_map(|service| {
            let mut endpoints = self.endpoints(service);
            let first = endpoints.next()?;
            endpoints.next().is_none().then_some((service, first))
        })
    }

    /// A host beyond the nodes' subnets that serves, with its address and port: the internet.
    pub(super) fn internet(&self) -> Option<(&Other, Ipv4Addr, u16)> {
        self.others.iter().find_map(|other| {
            let (_, net) = other.addresses.first()?;
            let near = |node: &Node| {
                node.subnet.contains(&net.addr())
                    || node.cards.iter().any(|(_, own)| own.contains(&net.addr()))
            };
            let port = *other.serves.iter().min()?;
            (!self.nodes.iter().any(near)).then_some((other, net.addr(), port))
        })
    }

    /// From a place to the internet.
    pub(super) fn to_internet(&self, from: At) -> Option<Probe> {
        let (_, address, port) = self.internet()?;
        Some(Probe::once(from, To::Address(address.into()), Way::Http(port)))
    }

    /// From the internet to a node's port of a Service.
    pub(super) fn to_node_port(&self, node: &Node) -> Option<(At, Probe, &Service)> {
        let service = self.node_port_service()?;
        let client = self.client_of(node)?;
        let to = To::Address(node.ip.into());
        let probe = Probe::often(client.clone(), to, Way::Http(service.node_port?));
        Some((client, probe, service))
    }

    /// A host outside from which a node is reached at its own address.
    pub(super) fn client_of(&self, node: &Node) -> Option<At> {
        let gateway = node.gateway.as_ref().is_some_and(|(_, dev)| *dev == node.dev);
        if gateway {
            return self.internet().map(|(other, ..)| At::host(&other.name));
        }
        let near = self
            .others
            .iter()
            .find(|other| other.addresses.iter().any(|(_, net)| node.subnet.contains(&net.addr())));
        near.map(|other| At::host(&other.name))
    }

    /// Where a node's own address is reached by one device while answers leave by another: from
    /// where, the address, the device by which it comes in.
    pub(super) fn asymmetric(&self, node: &Node) -> Option<(At, Ipv4Addr, String)> {
        let (via, out) = node.gateway.as_ref()?;
        let has = |router: &&Other, wanted: &dyn Fn(Ipv4Addr) -> bool| {
            router.addresses.iter().any(|(_, net)| wanted(net.addr()))
        };
        let router = self.others.iter().find(|router| has(router, &|address| address == *via))?;
        let both = *out != node.dev && has(&router, &|address| node.subnet.contains(&address));
        let (internet, ..) = self.internet()?;
        both.then(|| (At::host(&internet.name), node.ip, node.dev.clone()))
    }
}
