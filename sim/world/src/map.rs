use std::net::IpAddr;

use kernel::{Device, DeviceKind, Host};
use packet::{DevId, NetnsId};
use trace::Names;
use trace::view::{
    DeviceKey, DeviceSort, EdgeSort, MapDevice, MapEdge, MapHost, MapNamespace, MapSegment, NetworkMap,
    SegmentSort,
};

use crate::{SegmentKind, World};

impl World {
    /// The network as a picture shows it.
    pub fn map(&self) -> NetworkMap {
        let mut map = NetworkMap::default();
        for host in self.hosts() {
            map.hosts.push(self.map_host(host));
            for device in host.devices.iter().flatten() {
                self.add_edges(&mut map.edges, host, device);
            }
        }
        for (name, kind, ends) in self.segments_with_kind() {
            let ports: Vec<DeviceKey> =
                ends.iter().map(|end| DeviceKey { host: end.host, dev: end.dev }).collect();
            match (kind, &ports[..]) {
                (SegmentKind::Hub, &[from, to]) => {
                    map.edges.push(MapEdge { kind: EdgeSort::Cable, from, to });
                }
                _ => map.segments.push(MapSegment {
                    name: name.to_owned(),
                    kind: match kind {
                        SegmentKind::Hub => SegmentSort::Hub,
                        SegmentKind::Switch => SegmentSort::Switch,
                    },
                    ports,
                }),
            }
        }
        map
    }

    fn map_host(&self, host: &Host) -> MapHost {
        let namespaces = host.netns.iter().flatten().map(|ns| MapNamespace {
            id: ns.id.0,
            name: self.netns(host.id, ns.id),
            devices: ns
                .devices
                .values()
                .filter_map(|&dev| host.get_dev(dev))
                .map(|dev| map_device(host, dev))
                .collect(),
        });
        MapHost { id: host.id.0, name: host.name.clone(), namespaces: namespaces.collect() }
    }

    fn add_edges(&self, edges: &mut Vec<MapEdge>, host: &Host, device: &Device) {
        let from = key(host, device.id);
        let mut join = |kind, dev| edges.push(MapEdge { kind, from, to: key(host, dev) });
        if let Some(bridge) = device.master {
            join(EdgeSort::Port, bridge);
        }
        match &device.kind {
            DeviceKind::Veth(veth) if device.id < veth.peer => join(EdgeSort::Veth, veth.peer),
            DeviceKind::Vlan(vlan) => join(EdgeSort::Lower, vlan.lower),
            DeviceKind::Vxlan(vxlan) => {
                if let Some(lower) = vxlan.lower {
                    join(EdgeSort::Lower, lower);
                }
                let remotes = vxlan.fdb.values().flat_map(|entry| entry.remotes.iter().map(|r| r.addr));
                for remote in vxlan.config.remote.into_iter().chain(remotes) {
                    self.add_tunnels(edges, host, device, remote);
                }
            }
            DeviceKind::Ipip(tunnel) => {
                if let Some(lower) = tunnel.lower {
                    join(EdgeSort::Lower, lower);
                }
                if let Some(remote) = tunnel.config.remote {
                    self.add_tunnels(edges, host, device, remote);
                }
            }
            DeviceKind::Veth(_)
            | DeviceKind::Loopback(_)
            | DeviceKind::Bridge(_)
            | DeviceKind::Nic(_)
            | DeviceKind::Tun(_)
            | DeviceKind::Dummy(_) => {}
        }
    }

    /// The other ends of a tunnel to `remote`: devices that take what it sends there. A group
    /// reaches all of its members.
    fn add_tunnels(&self, edges: &mut Vec<MapEdge>, host: &Host, device: &Device, remote: IpAddr) {
        for other in self.hosts() {
            for end in other.devices.iter().flatten() {
                if (other.id, end.id) == (host.id, device.id) || !takes(other, end, device, remote) {
                    continue;
                }
                let (from, to) = (key(host, device.id), key(other, end.id));
                let known = |edge: &MapEdge| {
                    edge.kind == EdgeSort::Tunnel
                        && ((edge.from, edge.to) == (from, to) || (edge.from, edge.to) == (to, from))
                };
                if !edges.iter().any(known) {
                    edges.push(MapEdge { kind: EdgeSort::Tunnel, from, to });
                }
            }
        }
    }
}

fn key(host: &Host, dev: DevId) -> DeviceKey {
    DeviceKey { host: host.id, dev }
}

/// Whether `end` receives what the tunnel `device` sends to `remote`.
fn takes(other: &Host, end: &Device, device: &Device, remote: IpAddr) -> bool {
    match (&device.kind, &end.kind) {
        (DeviceKind::Vxlan(a), DeviceKind::Vxlan(b)) => {
            a.config.vni == b.config.vni
                && if remote.is_multicast() {
                    b.config.remote == Some(remote)
                } else {
                    has_address(other, b.net, remote)
                }
        }
        (DeviceKind::Ipip(a), DeviceKind::Ipip(b)) => {
            // `tunl0` takes what nobody else does: it is nobody's other end.
            let back = b.config.remote.is_some_and(|back| a.config.local.is_none_or(|local| local == back));
            back && has_address(other, b.net, remote)
        }
        _ => false,
    }
}

fn has_address(host: &Host, netns: NetnsId, addr: IpAddr) -> bool {
    let devices = host.devices.iter().flatten().filter(|dev| dev.netns == netns);
    devices.flat_map(|dev| &dev.addrs).any(|a| a.local.addr() == addr)
}

fn map_device(host: &Host, device: &Device) -> MapDevice {
    let (kind, detail) = match &device.kind {
        DeviceKind::Loopback(_) => (DeviceSort::Loopback, None),
        DeviceKind::Nic(_) => (DeviceSort::Nic, None),
        DeviceKind::Veth(_) => (DeviceSort::Veth, None),
        DeviceKind::Bridge(_) => (DeviceSort::Bridge, None),
        DeviceKind::Vxlan(vxlan) => (DeviceSort::Vxlan, Some(format!("vni {}", vxlan.config.vni.get()))),
        DeviceKind::Vlan(vlan) => (DeviceSort::Vlan, Some(format!("vlan {}", vlan.id))),
        DeviceKind::Ipip(_) => (DeviceSort::Ipip, None),
        DeviceKind::Tun(_) => (DeviceSort::Tun, None),
        DeviceKind::Dummy(_) => (DeviceSort::Other, Some("dummy".to_owned())),
    };
    MapDevice {
        id: key(host, device.id),
        name: device.name.clone(),
        kind,
        mac: device.mac.to_string(),
        mtu: device.mtu,
        up: device.up,
        addresses: device.addrs.iter().map(|addr| addr.local.to_string()).collect(),
        detail,
    }
}
