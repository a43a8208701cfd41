//! Ways between hosts, as a person with a drawing of the network would find them.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use ipnet::IpNet;
use kernel::{Device, DeviceKind, TableId};
use packet::{HostId, NetnsId};

use super::compare::Wanted;
use super::facts::Facts;

impl Facts<'_> {
    /// The subnet in which an address is, as the host says that has it; a pod's is that of its node.
    pub fn subnet_of(&self, address: IpAddr) -> Option<IpNet> {
        if let Some(pod) = self.pod_at(address)
            && let Some(cidr) = self.node_named(&pod.node).and_then(|node| node.pod_cidr)
        {
            return Some(IpNet::V4(cidr));
        }
        let hosts = self.world.hosts().flat_map(|host| host.addrs(NetnsId::INIT));
        let nets = hosts.map(|info| info.addr.local.trunc()).filter(|net| net.contains(&address));
        nets.max_by_key(|net| net.prefix_len()).filter(|net| !net.addr().is_loopback())
    }

    /// The segments on which a device sends: its own, and those of a bridge's ports.
    pub fn segments_of(&self, host: HostId, device: &Device) -> Vec<usize> {
        let ports = self
            .devices(host, device.netns)
            .into_iter()
            .filter(|port| port.id == device.id || port.master == Some(device.id));
        let lower = |port: &Device| match &port.kind {
            DeviceKind::Vlan(vlan) => vlan.lower,
            _ => port.id,
        };
        let ends: Vec<_> = ports.map(|port| (host, lower(port))).collect();
        let all = self.world.segments().enumerate();
        let own =
            all.filter(|(_, (_, plugged))| plugged.iter().any(|end| ends.contains(&(end.host, end.dev))));
        own.map(|(number, _)| number).collect()
    }

    /// The hosts next to a host: on a subnet and a segment with it, each with the address by which it
    /// is reached and the device that leads there.
    pub fn next_to(&self, host: HostId) -> Vec<(HostId, IpAddr, String)> {
        let mut found = Vec::new();
        for device in self.devices(host, NetnsId::INIT).into_iter().filter(|device| device.up) {
            let segments = self.segments_of(host, device);
            if segments.is_empty() {
                continue;
            }
            for other in self.world.hosts().filter(|other| other.id != host) {
                for theirs in self.devices(other.id, NetnsId::INIT) {
                    let shared = self.segments_of(other.id, theirs).iter().any(|one| segments.contains(one));
                    let near = theirs
                        .addrs
                        .iter()
                        .map(|addr| addr.local.addr())
                        .find(|address| device.addrs.iter().any(|own| own.local.contains(address)));
                    if let (true, Some(address)) = (shared, near) {
                        found.push((other.id, address, device.name.clone()));
                    }
                }
            }
        }
        found
    }

    /// The route by which a host can reach a subnet: by the neighbor that is nearest to who has it.
    pub fn way_to(&self, host: HostId, netns: NetnsId, net: &IpNet) -> Option<Wanted> {
        if netns != NetnsId::INIT {
            return None;
        }
        let has = |host: HostId| {
            self.routes(host, NetnsId::INIT).iter().any(|route| {
                route.table == TableId::MAIN
                    && route.dst == *net
                    && route.nexthops.iter().all(|way| way.via.is_none())
            }) || self
                .kernel(host)
                .addrs(NetnsId::INIT)
                .iter()
                .any(|info| net.prefix_len() == 32 && info.addr.local.addr() == net.addr())
        };
        // Breadth first; each host remembers the first step that led to it.
        let mut first: BTreeMap<HostId, (IpAddr, String)> = BTreeMap::new();
        let mut queue = VecDeque::from([host]);
        while let Some(at) = queue.pop_front() {
            for (next, via, dev) in self.next_to(at) {
                if next == host || first.contains_key(&next) {
                    continue;
                }
                let step = first.get(&at).cloned().unwrap_or((via, dev));
                if has(next) {
                    let (via, dev) = step;
                    return Some(Wanted {
                        dst: *net,
                        via: Some(via),
                        dev: Some(dev),
                        onlink: false,
                        src: None,
                        why: String::new(),
                    });
                }
                first.insert(next, step);
                queue.push_back(next);
            }
        }
        None
    }
}
