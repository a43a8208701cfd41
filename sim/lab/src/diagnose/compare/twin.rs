//! Addresses that two have: of IP on one segment, of Ethernet on one segment or one overlay.

use std::net::IpAddr;

use kernel::{Device, DeviceKind};
use packet::{HostId, NetnsId};

use super::Scene;
use crate::culprit::Object;
use crate::diagnose::suspect::{Fix, Rank, Size, Suspect};

pub(super) fn suspects(scene: &Scene<'_>) -> Vec<Suspect> {
    let facts = &scene.facts;
    let mut all: Vec<(HostId, &Device)> = Vec::new();
    for host in facts.world.hosts() {
        all.extend(facts.devices(host.id, NetnsId::INIT).into_iter().map(|device| (host.id, device)));
    }
    let mut found = Vec::new();
    for (at, (host, device)) in all.iter().enumerate() {
        for (other, twin) in &all[at + 1..] {
            if host == other || !meet(scene, (*host, device), (*other, twin)) {
                continue;
            }
            let shared = device.addrs.iter().map(|addr| addr.local.addr()).find(|address| {
                !address.is_loopback() && twin.addrs.iter().any(|addr| addr.local.addr() == *address)
            });
            if let Some(address) = shared {
                found.extend(twice(scene, address, [(*host, device), (*other, twin)]));
            }
            if device.mac == twin.mac && device.mac != packet::MacAddr::ZERO {
                found.extend(same_mac(scene, [(*host, device), (*other, twin)]));
            }
        }
    }
    found
}

/// Whether frames of one device can come to the other.
fn meet(scene: &Scene<'_>, one: (HostId, &Device), other: (HostId, &Device)) -> bool {
    let tunnel = |device: &Device| matches!(device.kind, DeviceKind::Vxlan(_));
    match (tunnel(one.1), tunnel(other.1)) {
        (true, true) => true,
        (false, false) => {
            let own = scene.facts.segments_of(one.0, one.1);
            scene.facts.segments_of(other.0, other.1).iter().any(|segment| own.contains(segment))
        }
        _ => false,
    }
}

/// Who has an address that another host has: rather the one of whom the cluster doesn't say so, and
/// the one that has other addresses.
fn twice(scene: &Scene<'_>, address: IpAddr, ends: [(HostId, &Device); 2]) -> Vec<Suspect> {
    let facts = &scene.facts;
    let rightful =
        |host: HostId| facts.node(host).is_some_and(|node| node.ip.map(IpAddr::from) == Some(address));
    let suspects = ends.into_iter().filter(|(host, _)| !rightful(*host)).map(|(host, device)| {
        let node = facts.name(host).to_owned();
        let addr = device.addrs.iter().find(|addr| addr.local.addr() == address);
        let text = addr.map_or_else(|| address.to_string(), |addr| addr.local.to_string());
        let only = device.addrs.len() == 1;
        let mut fix = Fix::one(node.clone(), format!("ip addr del {text} dev {}", device.name), Size::Entry);
        let (right, theirs) =
            ends.iter().find(|(other, _)| *other != host).copied().unwrap_or((host, device));
        // The others have to hear it.
        fix.then.push(Fix::one(
            facts.name(right).to_owned(),
            format!("arping -q -A -c 2 -I {} {address}", theirs.name),
            Size::Entry,
        ));
        let rank = if only { Rank::Near } else { Rank::Contradicted };
        Suspect::new(
            rank,
            node.clone(),
            Object::Address { address: address.to_string() },
            format!("{} has it, too: both answer for it", facts.name(right)),
        )
        .because(format!("{node} {} and {} {} have {address}", device.name, facts.name(right), theirs.name))
        .mended_by(fix)
    });
    suspects.collect()
}

/// Two devices with one MAC address: one of them needs another.
fn same_mac(scene: &Scene<'_>, ends: [(HostId, &Device); 2]) -> Vec<Suspect> {
    let facts = &scene.facts;
    let suspects = ends.into_iter().map(|(host, device)| {
        let node = facts.name(host).to_owned();
        let (other, theirs) =
            ends.iter().find(|(other, _)| *other != host).copied().unwrap_or((host, device));
        // One that was set by hand is rather the wrong one.
        let rank = if device.mac_set && !theirs.mac_set { Rank::Contradicted } else { Rank::Odd };
        let number = host.0 & 0xff;
        let fresh = format!("02:00:5e:10:{:02x}:{number:02x}", device.ifindex.0 & 0xff);
        let mut fix =
            Fix::one(node.clone(), format!("ip link set {} address {fresh}", device.name), Size::Value);
        for (of, dev) in [(host, device), (other, theirs)] {
            if let Some(address) = dev.addrs.first().filter(|_| !matches!(dev.kind, DeviceKind::Vxlan(_))) {
                let announce = format!("arping -q -A -c 2 -I {} {}", dev.name, address.local.addr());
                fix.then.push(Fix::one(facts.name(of).to_owned(), announce, Size::Entry));
            }
        }
        Suspect::new(
            rank,
            node.clone(),
            Object::Mac { dev: device.name.clone() },
            format!("{} of {} has the same one, {}", theirs.name, facts.name(other), theirs.mac),
        )
        .because(format!(
            "{node} {} and {} {}: link/ether {}",
            device.name,
            facts.name(other),
            theirs.name,
            device.mac
        ))
        .mended_by(fix)
    });
    suspects.collect()
}
