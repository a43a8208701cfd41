//! flannel: what nodes' annotations say against their devices and against what other nodes made of
//! it.

use std::net::Ipv4Addr;

use k8s_openapi::api::core::v1::Node;
use kernel::DeviceKind;
use kube::api::get;
use packet::{MacAddr, NetnsId};

use super::Scene;
use crate::culprit::{Culprit, Object};
use crate::diagnose::facts::{Facts, NodeFacts};
use crate::diagnose::owner::{Owner, daemon_set};
use crate::diagnose::suspect::{Fix, Rank, Size, Suspect};

/// What flannel says of itself in a Node's annotations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::diagnose) struct Lease {
    /// What the annotations' names begin with.
    pub prefix: String,
    /// `backend-type`.
    pub backend: String,
    /// `public-ip`: where the tunnel's other end is.
    pub public_ip: Option<Ipv4Addr>,
    /// The MAC address of the VXLAN device.
    pub mac: Option<MacAddr>,
    /// The VXLAN network's number.
    pub vni: Option<u32>,
}

impl Lease {
    /// What a node's annotations say; none if flannel never ran there.
    pub fn of(facts: &Facts<'_>, node: &NodeFacts) -> Option<Self> {
        let object = get::<Node>(facts.world.store(), "", &node.name)?;
        let annotations = object.metadata.annotations.clone()?;
        let (key, backend) = annotations.iter().find(|(key, _)| key.ends_with("/backend-type"))?;
        let prefix = key.trim_end_matches("/backend-type").to_owned();
        let data = annotations.get(&format!("{prefix}/backend-data")).map_or("", String::as_str);
        let data: serde_json::Value = serde_json::from_str(data).unwrap_or_default();
        Some(Self {
            backend: backend.clone(),
            public_ip: annotations.get(&format!("{prefix}/public-ip")).and_then(|ip| ip.parse().ok()),
            mac: data.get("VtepMAC").and_then(|mac| mac.as_str()?.parse().ok()),
            vni: data.get("VNI").and_then(|vni| u32::try_from(vni.as_u64()?).ok()),
            prefix,
        })
    }
}

pub(super) fn suspects(scene: &Scene<'_>) -> Vec<Suspect> {
    let facts = &scene.facts;
    let leases: Vec<(&NodeFacts, Lease)> =
        facts.nodes.iter().filter_map(|node| Some((node, Lease::of(facts, node)?))).collect();
    let mut found = Vec::new();
    for (node, lease) in &leases {
        found.extend(identity(scene, node, lease, &leases));
        for (other, theirs) in leases.iter().filter(|(other, _)| other.host != node.host) {
            found.extend(entries(scene, node, other, theirs));
        }
    }
    found.extend(lost(scene, &leases));
    found
}

/// A node's own annotations against its own device and addresses.
fn identity(scene: &Scene<'_>, node: &NodeFacts, lease: &Lease, all: &[(&NodeFacts, Lease)]) -> Vec<Suspect> {
    let facts = &scene.facts;
    let mut found = Vec::new();
    let rank = |rank| scene.rank(node.host, rank);
    let device = facts.devices(node.host, NetnsId::INIT).into_iter().find_map(|device| match &device.kind {
        DeviceKind::Vxlan(vxlan) if device.name.starts_with("flannel") => Some((device, vxlan)),
        _ => None,
    });
    let annotation = |name: &str| Object::ApiObject {
        kind: "Node".to_owned(),
        namespace: String::new(),
        name: node.name.clone(),
        field: format!("metadata.annotations[{}/{name}]", lease.prefix),
    };
    if let (Some((device, _)), Some(mac)) = (device, lease.mac)
        && device.mac != mac
    {
        let object = Object::Mac { dev: device.name.clone() };
        let text = format!("it is {}, and the others were told {mac}", device.mac);
        let mut suspect = Suspect::new(rank(Rank::Contradicted), node.name.clone(), object, text)
            .because(format!("{}: ip link: {} has {}", node.name, device.name, device.mac))
            .because(format!("Node {}: {}/backend-data says {mac}", node.name, lease.prefix))
            .mended_by(Fix::one(
                node.name.clone(),
                format!("ip link set {} address {mac}", device.name),
                Size::Value,
            ));
        suspect.fixes.extend(Owner::Flannel.restart(facts, node.host));
        found.push(suspect);
        // The annotation may be the wrong one of both.
        let mut other = Suspect::new(
            rank(Rank::Odd),
            Culprit::CLUSTER,
            annotation("backend-data"),
            format!("it says {mac}, and {} has {}", device.name, device.mac),
        );
        other.fixes = Owner::Flannel.restart(facts, node.host);
        found.push(other);
    }
    let shared = all.iter().find(|(other, theirs)| {
        other.host != node.host && theirs.public_ip.is_some() && theirs.public_ip == lease.public_ip
    });
    let own = facts.kernel(node.host).addrs(NetnsId::INIT);
    if let Some(ip) = lease.public_ip {
        let has_it = own.iter().any(|info| info.addr.local.addr() == ip);
        let other_than_node = node.ip.is_some_and(|node_ip| node_ip != ip);
        let local = device.and_then(|(_, vxlan)| vxlan.config.local);
        let differs = local.is_some_and(|local| local != std::net::IpAddr::from(ip));
        if !has_it || differs {
            let text = match local {
                Some(local) => format!("it says {ip}, and the tunnel's own end is {local}"),
                None => format!("it says {ip}, which is no address of {}", node.name),
            };
            let mut suspect =
                Suspect::new(Rank::Contradicted, Culprit::CLUSTER, annotation("public-ip"), text)
                    .because(format!("Node {}: {}/public-ip is {ip}", node.name, lease.prefix));
            let right = local.map(|local| local.to_string()).or(node.ip.map(|ip| ip.to_string()));
            if let (Some(admin), Some(right)) = (facts.admin(), right) {
                let command = format!(
                    "kubectl annotate node {} {}/public-ip={right} --overwrite",
                    node.name, lease.prefix
                );
                suspect = suspect.mended_by(Fix::one(admin, command, Size::Object));
            }
            suspect.fixes.extend(Owner::Flannel.restart(facts, node.host));
            found.push(suspect);
        } else if shared.is_some() || other_than_node {
            found.extend(interface(scene, node, ip, shared.map(|(other, _)| *other)));
        }
    }
    found
}

/// flannel has taken an address that the others don't reach it by.
fn interface(
    scene: &Scene<'_>,
    node: &NodeFacts,
    ip: Ipv4Addr,
    shared: Option<&NodeFacts>,
) -> Option<Suspect> {
    let facts = &scene.facts;
    let (namespace, name, set) = daemon_set(facts, "flanneld")?;
    let text = match shared {
        Some(other) => {
            format!("flannel on {} and on {} both say that they are at {ip}", node.name, other.name)
        }
        None => format!("flannel says that {} is at {ip}, and the node's address is another", node.name),
    };
    let object = Object::Flag { component: "flanneld".to_owned(), flag: "--iface".to_owned() };
    let mut suspect = Suspect::new(Rank::Contradicted, Culprit::CLUSTER, object, text).because(format!(
        "Node {}: the annotation public-ip is {ip}; InternalIP is {}",
        node.name,
        node.ip.map_or("none".to_owned(), |ip| ip.to_string())
    ));
    let admin = facts.admin()?;
    let args =
        set.spec.as_ref()?.template.spec.as_ref()?.containers.first()?.args.clone().unwrap_or_default();
    let at = args.iter().position(|arg| arg.starts_with("--iface="));
    for device in facts.devices(node.host, NetnsId::INIT) {
        let reached = device.addrs.iter().any(|addr| Some(addr.local.addr()) == node.ip.map(Into::into));
        if !reached {
            continue;
        }
        let patch = match at {
            Some(at) => format!(
                r#"[{{"op":"replace","path":"/spec/template/spec/containers/0/args/{at}","value":"--iface={}"}}]"#,
                device.name
            ),
            None => format!(
                r#"[{{"op":"add","path":"/spec/template/spec/containers/0/args/-","value":"--iface={}"}}]"#,
                device.name
            ),
        };
        let command = format!("kubectl -n {namespace} patch daemonset {name} --type=json -p '{patch}'");
        suspect = suspect.mended_by(Fix::one(admin.clone(), command, Size::Object));
    }
    Some(suspect)
}

/// What one node made of another's lease: the neighbor and forwarding entries of its VXLAN device.
fn entries(scene: &Scene<'_>, node: &NodeFacts, other: &NodeFacts, lease: &Lease) -> Vec<Suspect> {
    let facts = &scene.facts;
    let mut found = Vec::new();
    let (Some(mac), Some(ip), Some(cidr)) = (lease.mac, lease.public_ip, other.pod_cidr) else {
        return found;
    };
    let devices = facts.devices(node.host, NetnsId::INIT);
    let Some((device, vxlan)) = devices.into_iter().find_map(|device| match &device.kind {
        DeviceKind::Vxlan(vxlan) if device.name.starts_with("flannel") => Some((device, vxlan)),
        _ => None,
    }) else {
        return found;
    };
    let dev = &device.name;
    // A node on the same subnet may be reached without the tunnel.
    let routes = facts.routes(node.host, NetnsId::INIT);
    let tunnels = !routes
        .iter()
        .any(|route| route.dst == ipnet::IpNet::V4(cidr) && route.nexthops.iter().any(|way| way.dev != *dev));
    if !tunnels {
        return found;
    }
    let rank = scene.rank(node.host, Rank::Contradicted);
    let gateway = cidr.network();
    let neighbours = facts.kernel(node.host).neighbours(NetnsId::INIT, facts.world.now());
    let entry = neighbours
        .iter()
        .find(|entry| entry.addr == std::net::IpAddr::from(gateway) && entry.dev.as_ref() == Some(dev));
    let has = entry.and_then(|entry| entry.lladdr);
    if has != Some(mac) {
        let text = match has {
            Some(has) => format!("it says {has}, and {} says {mac}", other.name),
            None => format!("there is none; {} says {mac}", other.name),
        };
        let command = format!("ip neigh replace {gateway} dev {dev} lladdr {mac} nud permanent");
        let object = Object::Neighbor { address: gateway.to_string() };
        let mut suspect = Suspect::new(rank, node.name.clone(), object, text)
            .because(format!("Node {}: {}/backend-data says {mac}", other.name, lease.prefix))
            .mended_by(Fix::one(node.name.clone(), command, Size::Entry));
        suspect.fixes.extend(Owner::Flannel.restart(facts, node.host));
        found.push(suspect);
    }
    let remotes =
        vxlan.fdb.get(&mac).map(|entry| entry.remotes.iter().map(|remote| remote.addr).collect::<Vec<_>>());
    if remotes.as_deref() != Some(&[std::net::IpAddr::from(ip)][..]) {
        let text = match &remotes {
            Some(remotes) => format!(
                "it leads to {}, and {} says that it is at {ip}",
                remotes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
                other.name
            ),
            None => format!("there is none; {} says that it is at {ip}", other.name),
        };
        let command = format!("bridge fdb replace {mac} dev {dev} dst {ip} self permanent");
        let object = Object::FdbEntry { dev: dev.clone(), mac: mac.to_string() };
        let mut suspect = Suspect::new(rank, node.name.clone(), object, text)
            .because(format!("Node {}: {}/public-ip says {ip}", other.name, lease.prefix))
            .mended_by(Fix::one(node.name.clone(), command, Size::Entry));
        suspect.fixes.extend(Owner::Flannel.restart(facts, node.host));
        found.push(suspect);
    }
    found
}

/// Settings in which all VXLAN devices must agree: number and port.
fn lost(scene: &Scene<'_>, leases: &[(&NodeFacts, Lease)]) -> Vec<Suspect> {
    let facts = &scene.facts;
    let of = |node: &NodeFacts| {
        facts.devices(node.host, NetnsId::INIT).into_iter().find_map(|device| match &device.kind {
            DeviceKind::Vxlan(vxlan) if device.name.starts_with("flannel") => {
                Some((device.name.clone(), vxlan.port(), vxlan.config.vni.get()))
            }
            _ => None,
        })
    };
    let all: Vec<(&NodeFacts, (String, u16, u32))> =
        leases.iter().filter_map(|(node, _)| Some((*node, of(node)?))).collect();
    let mut found = Vec::new();
    for (node, (dev, port, vni)) in &all {
        let same = all.iter().filter(|(_, (_, other, theirs))| (other, theirs) == (port, vni)).count();
        if same * 2 > all.len() || all.len() < 2 {
            continue;
        }
        let object = Object::Device { dev: dev.clone() };
        let text = format!("it uses VNI {vni} and port {port}, and the other nodes' devices don't");
        let mut suspect =
            Suspect::new(scene.rank(node.host, Rank::Contradicted), node.name.clone(), object, text)
                .because(format!("{}: ip -d link show {dev}: vxlan id {vni} dstport {port}", node.name));
        suspect.fixes = Owner::Flannel
            .restart(facts, node.host)
            .into_iter()
            .map(|mut fix| {
                fix.commands.insert(0, format!("ip link del {dev}"));
                fix
            })
            .collect();
        found.push(suspect);
    }
    found
}
