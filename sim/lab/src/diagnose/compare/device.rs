//! Devices: down, missing, too small, attached to nothing, without their address.

use kernel::{Device, DeviceKind};
use packet::{HostId, NetnsId};
use trace::Names;

use super::Scene;
use crate::culprit::Object;
use crate::diagnose::facts::Facts;
use crate::diagnose::owner::Owner;
use crate::diagnose::suspect::{Fix, Rank, Size, Suspect};

pub(super) fn suspects(scene: &Scene<'_>) -> Vec<Suspect> {
    let mut found = Vec::new();
    for (host, netns) in scene.places() {
        for device in scene.facts.devices(host, netns) {
            found.extend(down(scene, host, device));
            found.extend(no_arp(scene, host, device));
            found.extend(mtu(scene, host, device));
            found.extend(port(scene, host, device));
        }
        if netns == NetnsId::INIT {
            found.extend(missing(scene, host));
            found.extend(masterless(scene, host));
            found.extend(address(scene, host));
        } else {
            // The host's end of a container's cable.
            for device in scene.facts.devices(host, netns) {
                if let Some(peer) = scene.facts.veth_peer(host, device) {
                    found.extend(down(scene, host, peer));
                }
            }
        }
    }
    found
}

/// The same device of a peer.
fn of_peers<'a>(facts: &Facts<'a>, host: HostId, device: &Device) -> Vec<&'a Device> {
    let peers = if device.netns == NetnsId::INIT { facts.peers(host) } else { Vec::new() };
    peers.into_iter().filter_map(|peer| facts.device(peer, NetnsId::INIT, &device.name)).collect()
}

fn down(scene: &Scene<'_>, host: HostId, device: &Device) -> Option<Suspect> {
    (!device.up).then_some(())?;
    let facts = &scene.facts;
    let node = facts.world.node(host, device.netns);
    let up_elsewhere = of_peers(facts, host, device).iter().any(|peer| peer.up);
    let used = !device.addrs.is_empty() || device.master.is_some() || up_elsewhere || device.is_loopback();
    let rank = scene.rank(host, if used { Rank::Contradicted } else { Rank::Odd });
    let name = device.name.clone();
    let mut up = Fix::one(node.clone(), format!("ip link set {name} up"), Size::Value);
    let mut fixes = vec![up.clone()];
    // Routes by way of it went when it was set down.
    let routes = super::wanted_routes(facts, host, device.netns);
    let lost = routes.iter().filter(|wanted| {
        let via_it = wanted.dev.as_deref() == Some(&name)
            || wanted.via.is_some_and(|via| device.addrs.iter().any(|addr| addr.local.contains(&via)));
        via_it && wanted.src.is_none()
    });
    up.commands.extend(lost.map(|wanted| format!("ip route replace {}", wanted.text())));
    if up.commands.len() > 1 {
        fixes.push(up);
    }
    let mut suspect = Suspect::new(rank, node.clone(), Object::Device { dev: name.clone() }, "it is down")
        .because(format!("{node}: ip link: {name} has no UP"));
    suspect.fixes = fixes;
    if matches!(device.kind, DeviceKind::Vxlan(_)) {
        suspect.fixes.extend(Owner::Flannel.restart(facts, host));
    }
    Some(suspect)
}

fn no_arp(scene: &Scene<'_>, host: HostId, device: &Device) -> Option<Suspect> {
    let usual = matches!(device.kind, DeviceKind::Nic(_) | DeviceKind::Veth(_) | DeviceKind::Bridge(_));
    (usual && device.noarp).then(|| {
        let node = scene.facts.world.node(host, device.netns);
        let name = &device.name;
        Suspect::new(
            scene.rank(host, Rank::Odd),
            node.clone(),
            Object::Device { dev: name.clone() },
            "it has the flag NOARP: it asks and answers no ARP",
        )
        .because(format!("{node}: ip link: {name} has NOARP"))
        .mended_by(Fix::one(node, format!("ip link set {name} arp on"), Size::Value))
    })
}

/// An MTU that peers' devices of this name don't have, or that both ends of a cable don't share.
fn mtu(scene: &Scene<'_>, host: HostId, device: &Device) -> Option<Suspect> {
    let facts = &scene.facts;
    let theirs: Vec<u32> = of_peers(facts, host, device).iter().map(|peer| peer.mtu).collect();
    let common = theirs
        .iter()
        .copied()
        .find(|mtu| theirs.iter().filter(|other| *other == mtu).count() * 2 > theirs.len());
    let usual = match (&device.kind, common) {
        (_, Some(common)) => common,
        (DeviceKind::Veth(_), _) => {
            let peer = facts.veth_peer(host, device)?;
            let bridge = peer.master.or(device.master).and_then(|bridge| facts.kernel(host).get_dev(bridge));
            bridge.map_or(peer.mtu, |bridge| bridge.mtu)
        }
        (DeviceKind::Nic(_), _) => 1500,
        _ => return None,
    };
    if usual == device.mtu {
        return None;
    }
    let node = facts.world.node(host, device.netns);
    let name = &device.name;
    let text = format!("it is {}, usually {usual}", device.mtu);
    Some(
        Suspect::new(scene.rank(host, Rank::Odd), node.clone(), Object::Mtu { dev: name.clone() }, text)
            .because(format!("{node}: ip link: {name} mtu {}; usually {usual}", device.mtu))
            .mended_by(Fix::one(node, format!("ip link set {name} mtu {usual}"), Size::Value)),
    )
}

/// Settings of a bridge's port that its siblings don't have.
fn port(scene: &Scene<'_>, host: HostId, device: &Device) -> Vec<Suspect> {
    let facts = &scene.facts;
    let Some(port) = &device.port else { return Vec::new() };
    let node = facts.world.node(host, device.netns);
    let siblings = facts
        .devices(host, device.netns)
        .into_iter()
        .filter(|other| other.id != device.id && other.master == device.master);
    let hairpin_usual = siblings.filter_map(|other| other.port.as_ref()).any(|port| port.hairpin);
    let name = &device.name;
    // Name, whether it is as usual, what the usual is.
    let settings = [
        ("state", port.state == 3 || !device.up, "3"),
        ("isolated", !port.isolated, "off"),
        ("learning", port.learning, "on"),
        ("flood", port.flood, "on"),
        ("bcast_flood", port.bcast_flood, "on"),
        ("hairpin", port.hairpin || !hairpin_usual, "on"),
    ];
    let odd = settings.into_iter().filter(|(_, usual, _)| !usual).map(|(setting, _, usual)| {
        let object = Object::BridgePort { dev: name.clone(), setting: setting.to_owned() };
        let text = format!("it is not `{usual}`, as it usually is");
        Suspect::new(scene.rank(host, Rank::Odd), node.clone(), object, text)
            .because(format!("{node}: bridge -d link show dev {name}: {setting}"))
            .mended_by(Fix::one(
                node.clone(),
                format!("bridge link set dev {name} {setting} {usual}"),
                Size::Value,
            ))
    });
    odd.collect()
}

/// Bridges and tunnels that all peers have.
fn missing(scene: &Scene<'_>, host: HostId) -> Vec<Suspect> {
    let facts = &scene.facts;
    let peers = facts.peers(host);
    let Some((&first, others)) = peers.split_first() else { return Vec::new() };
    let node = facts.name(host).to_owned();
    let theirs = facts.devices(first, NetnsId::INIT).into_iter().filter(|device| {
        matches!(
            device.kind,
            DeviceKind::Bridge(_) | DeviceKind::Vxlan(_) | DeviceKind::Tun(_) | DeviceKind::Ipip(_)
        )
    });
    let common = theirs.filter(|device| {
        facts.device(host, NetnsId::INIT, &device.name).is_none()
            && others.iter().all(|&other| facts.device(other, NetnsId::INIT, &device.name).is_some())
    });
    let missing = common.map(|device| {
        let name = &device.name;
        let mut suspect = Suspect::new(
            scene.rank(host, Rank::Odd),
            node.clone(),
            Object::Device { dev: name.clone() },
            "there is none, and its peers have it",
        )
        .because(format!("{node}: ip link has no {name}"));
        if !matches!(device.kind, DeviceKind::Bridge(_)) {
            suspect.fixes = Owner::Flannel.restart(facts, host);
        }
        suspect
    });
    missing.collect()
}

/// A container's cable that is plugged into nothing while others are plugged into a bridge.
fn masterless(scene: &Scene<'_>, host: HostId) -> Vec<Suspect> {
    let facts = &scene.facts;
    let devices = facts.devices(host, NetnsId::INIT);
    let node = facts.name(host).to_owned();
    let mut found = Vec::new();
    for device in devices.iter().filter(|device| device.master.is_none() && device.addrs.is_empty()) {
        let Some(inner) = facts.veth_peer(host, device).filter(|peer| peer.netns != NetnsId::INIT) else {
            continue;
        };
        let bridge = devices.iter().find(|bridge| {
            matches!(bridge.kind, DeviceKind::Bridge(_))
                && inner
                    .addrs
                    .iter()
                    .any(|own| bridge.addrs.iter().any(|addr| addr.local.contains(&own.local.addr())))
        });
        let Some(bridge) = bridge else { continue };
        let name = &device.name;
        let inside = facts.world.node(host, inner.netns);
        found.push(
            Suspect::new(
                scene.rank(host, Rank::Contradicted),
                node.clone(),
                Object::Device { dev: name.clone() },
                format!("it leads to {inside} and is no port of {}", bridge.name),
            )
            .because(format!("{node}: ip link: {name} has no master"))
            .mended_by(Fix::one(
                node.clone(),
                format!("ip link set {name} master {}", bridge.name),
                Size::Value,
            )),
        );
    }
    found
}

/// Addresses that should be there: the node's own, and that of its pods' bridge.
fn address(scene: &Scene<'_>, host: HostId) -> Vec<Suspect> {
    let facts = &scene.facts;
    let Some(node) = facts.node(host) else { return Vec::new() };
    let own = facts.kernel(host).addrs(NetnsId::INIT);
    let mut found = Vec::new();
    let mut lacks = |address: std::net::IpAddr, length: u8, dev: &str, why: String| {
        let text = format!("{address}/{length}");
        let mut fix = Fix::one(node.name.clone(), format!("ip addr add {text} dev {dev}"), Size::Entry);
        let mut fixes = vec![fix.clone()];
        let routes = super::wanted_routes(facts, host, NetnsId::INIT);
        let here = facts.routes(host, NetnsId::INIT);
        let lost =
            routes.iter().filter(|wanted| wanted.via.is_some() && !here.iter().any(|r| r.dst == wanted.dst));
        fix.commands.extend(lost.map(|wanted| format!("ip route replace {}", wanted.text())));
        if fix.commands.len() > 1 {
            fixes.push(fix);
        }
        let object = Object::Address { address: address.to_string() };
        let mut suspect = Suspect::new(scene.rank(host, Rank::Contradicted), node.name.clone(), object, why)
            .because(format!("{}: ip addr has no {text}", node.name));
        suspect.fixes = fixes;
        found.push(suspect);
    };
    if let Some(ip) = node.ip.filter(|ip| !own.iter().any(|info| info.addr.local.addr() == *ip)) {
        let peer = facts.peers(host).into_iter().find_map(|peer| {
            let address = facts.node(peer)?.ip?;
            let devices = facts.devices(peer, NetnsId::INIT);
            devices.into_iter().find_map(|device| {
                let addr = device.addrs.iter().find(|addr| addr.local.addr() == address)?;
                Some((device.name.clone(), addr.local.prefix_len()))
            })
        });
        if let Some((dev, length)) = peer {
            lacks(ip.into(), length, &dev, "the API says that the node has it, and it doesn't".to_owned());
        }
    }
    // The bridge of the pods: the one into which their cables are plugged.
    let bridge = facts.devices(host, NetnsId::INIT).into_iter().find(|bridge| {
        matches!(bridge.kind, DeviceKind::Bridge(_))
            && facts.devices(host, NetnsId::INIT).iter().any(|port| {
                port.master == Some(bridge.id)
                    && facts.veth_peer(host, port).is_some_and(|inner| {
                        inner.addrs.iter().any(|addr| facts.pod_at(addr.local.addr()).is_some())
                    })
            })
    });
    if let (Some(bridge), Some(cidr)) = (bridge, node.pod_cidr) {
        let inside = bridge.addrs.iter().any(|addr| cidr.contains(&v4(addr.local.addr())));
        if !inside && let Some(gateway) = cidr.hosts().next() {
            let why = format!("it is the gateway of the node's pods, and {} hasn't got it", bridge.name);
            lacks(gateway.into(), cidr.prefix_len(), &bridge.name, why);
        }
    }
    found
}

fn v4(address: std::net::IpAddr) -> std::net::Ipv4Addr {
    match address {
        std::net::IpAddr::V4(address) => address,
        std::net::IpAddr::V6(_) => std::net::Ipv4Addr::UNSPECIFIED,
    }
}
