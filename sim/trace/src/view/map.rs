use std::fmt;

use packet::{DevId, HostId};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

/// A device of the map: its host's number and its own, printed `3.7`. Stable while the world
/// lives, also when the device is renamed or moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(with = "String")]
pub struct DeviceKey {
    /// The host.
    pub host: HostId,
    /// The device.
    pub dev: DevId,
}

impl fmt::Display for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.host, self.dev)
    }
}

impl Serialize for DeviceKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A network as a picture shows it: hosts, the namespaces in them, the devices in these, and what
/// joins devices. Whoever has a world makes it; views draw it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NetworkMap {
    /// Hosts, in order of creation.
    pub hosts: Vec<MapHost>,
    /// Hubs and switches; a cable between two devices is an edge instead.
    pub segments: Vec<MapSegment>,
    /// What joins two devices.
    pub edges: Vec<MapEdge>,
}

/// A host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MapHost {
    /// Its number.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Its namespaces, the initial one first.
    pub namespaces: Vec<MapNamespace>,
}

/// A network namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MapNamespace {
    /// Its number in its host; 0 is the initial one.
    pub id: u32,
    /// Its name; empty for the initial one.
    pub name: String,
    /// Its devices, in the order of `ip link`.
    pub devices: Vec<MapDevice>,
}

/// A network device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MapDevice {
    /// Its key.
    pub id: DeviceKey,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: DeviceSort,
    /// Link-layer address.
    pub mac: String,
    /// MTU in bytes.
    pub mtu: u32,
    /// Administratively up.
    pub up: bool,
    /// Addresses with prefix length.
    pub addresses: Vec<String>,
    /// What else tells it apart, e.g. `vni 1`.
    pub detail: Option<String>,
}

/// What a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeviceSort {
    /// `lo`.
    Loopback,
    /// A physical NIC.
    Nic,
    /// One end of a veth pair.
    Veth,
    /// A bridge.
    Bridge,
    /// A VXLAN tunnel endpoint.
    Vxlan,
    /// A VLAN on another device.
    Vlan,
    /// An IP-in-IP tunnel.
    Ipip,
    /// A TUN device.
    Tun,
    /// Any other.
    Other,
}

impl DeviceSort {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Nic => "NIC",
            Self::Veth => "veth",
            Self::Bridge => "bridge",
            Self::Vxlan => "VXLAN",
            Self::Vlan => "VLAN",
            Self::Ipip => "IP-in-IP tunnel",
            Self::Tun => "TUN",
            Self::Other => "device",
        }
    }

    /// Whether its frames begin with an Ethernet header.
    pub const fn has_ethernet(self) -> bool {
        !matches!(self, Self::Tun | Self::Ipip)
    }
}

/// A shared medium.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MapSegment {
    /// Its name.
    pub name: String,
    /// How it passes frames on.
    pub kind: SegmentSort,
    /// The devices plugged in.
    pub ports: Vec<DeviceKey>,
}

/// How a segment passes frames on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SegmentSort {
    /// To every other port.
    Hub,
    /// Learns addresses.
    Switch,
}

/// What joins two devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MapEdge {
    /// How.
    pub kind: EdgeSort,
    /// One device: the port of a bridge, the upper device of a pair.
    pub from: DeviceKey,
    /// The other one: the bridge, the lower device.
    pub to: DeviceKey,
}

/// How two devices are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EdgeSort {
    /// A cable between two NICs.
    Cable,
    /// Two ends of a veth pair.
    Veth,
    /// A bridge's port.
    Port,
    /// A device on top of another (VLAN, tunnel bound to a device).
    Lower,
    /// A tunnel from end to end.
    Tunnel,
}

impl NetworkMap {
    /// All devices with their host and namespace.
    pub fn devices(&self) -> impl Iterator<Item = (&MapHost, &MapNamespace, &MapDevice)> {
        self.hosts.iter().flat_map(|host| {
            host.namespaces.iter().flat_map(move |ns| ns.devices.iter().map(move |dev| (host, ns, dev)))
        })
    }

    /// The device of that key.
    pub fn device(&self, key: DeviceKey) -> Option<&MapDevice> {
        let host = self.hosts.iter().find(|host| host.id == key.host.0)?;
        host.namespaces.iter().flat_map(|ns| &ns.devices).find(|dev| dev.id == key)
    }

    /// Adds what `later` has and this map hasn't; what both have is taken from `later`. What is
    /// gone stays, so that packets that passed it can be shown.
    pub fn merge(&mut self, later: Self) {
        for host in later.hosts {
            match self.hosts.iter_mut().find(|known| known.id == host.id) {
                Some(known) => known.merge(host),
                None => self.hosts.push(host),
            }
        }
        for segment in later.segments {
            match self.segments.iter_mut().find(|known| known.name == segment.name) {
                Some(known) => *known = segment,
                None => self.segments.push(segment),
            }
        }
        for edge in later.edges {
            if !self.edges.contains(&edge) {
                self.edges.push(edge);
            }
        }
    }

    /// Keeps only hosts that `wanted` says, and what joins their devices.
    pub fn retain_hosts(&mut self, wanted: impl Fn(u32) -> bool) {
        self.hosts.retain(|host| wanted(host.id));
        self.edges.retain(|edge| wanted(edge.from.host.0) && wanted(edge.to.host.0));
        for segment in &mut self.segments {
            segment.ports.retain(|port| wanted(port.host.0));
        }
        self.segments.retain(|segment| !segment.ports.is_empty());
    }
}

impl MapHost {
    fn merge(&mut self, later: Self) {
        // A device that moved is where it is now.
        for ns in &mut self.namespaces {
            ns.devices.retain(|dev| {
                !later.namespaces.iter().any(|n| n.id != ns.id && n.devices.iter().any(|d| d.id == dev.id))
            });
        }
        for ns in later.namespaces {
            let Some(known) = self.namespaces.iter_mut().find(|known| known.id == ns.id) else {
                self.namespaces.push(ns);
                continue;
            };
            known.name = ns.name;
            for dev in ns.devices {
                match known.devices.iter_mut().find(|d| d.id == dev.id) {
                    Some(old) => *old = dev,
                    None => known.devices.push(dev),
                }
            }
        }
        self.name = later.name;
    }
}
