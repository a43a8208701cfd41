//! Neighbor entries against the addresses that devices have.

use std::net::IpAddr;

use kernel::Nud;
use packet::{HostId, MacAddr, NetnsId};
use trace::Names;

use super::Scene;
use crate::culprit::Object;
use crate::diagnose::facts::Facts;
use crate::diagnose::suspect::{Fix, Rank, Size, Suspect};

pub(super) fn suspects(scene: &Scene<'_>) -> Vec<Suspect> {
    let facts = &scene.facts;
    let mut found = Vec::new();
    let asked = scene.next_hops();
    for (host, netns) in scene.places() {
        let node = facts.world.node(host, netns);
        for entry in facts.kernel(host).neighbours(netns, facts.world.now()) {
            let (Some(dev), Some(lladdr)) = (entry.dev, entry.lladdr) else { continue };
            if matches!(entry.nud, Nud::Noarp) {
                continue;
            }
            let owners = owners(facts, host, netns, &dev, entry.addr);
            if owners.is_empty() || owners.contains(&lladdr) {
                continue;
            }
            let address = entry.addr;
            let used = asked.contains(&(host, netns, address));
            let rank = scene.rank(host, if used { Rank::Contradicted } else { Rank::Odd });
            let right = owners[0];
            found.push(
                Suspect::new(
                    rank,
                    node.clone(),
                    Object::Neighbor { address: address.to_string() },
                    format!("it says {lladdr}, and {address} is at {right}"),
                )
                .because(format!("{node}: ip neigh: {address} dev {dev} lladdr {lladdr}"))
                .mended_by(Fix::one(
                    node.clone(),
                    format!("ip neigh replace {address} dev {dev} lladdr {right} nud reachable"),
                    Size::Entry,
                ))
                .mended_by(Fix::one(
                    node.clone(),
                    format!("ip neigh del {address} dev {dev}"),
                    Size::Entry,
                )),
            );
        }
    }
    found
}

/// The MAC addresses of the devices that have an address and can be a device's neighbors: those of
/// its cables and bridges, and the other ends of its tunnel.
fn owners(facts: &Facts<'_>, host: HostId, netns: NetnsId, dev: &str, address: IpAddr) -> Vec<MacAddr> {
    let Some(own) = facts.device(host, netns, dev) else { return Vec::new() };
    let tunnel = matches!(own.kind, kernel::DeviceKind::Vxlan(_));
    let mut found = Vec::new();
    for other in facts.world.hosts() {
        for device in other.devices.iter().flatten() {
            let same_kind = tunnel == matches!(device.kind, kernel::DeviceKind::Vxlan(_));
            let here = (other.id, device.id) == (host, own.id);
            let near = other.id == host || netns == NetnsId::INIT && device.netns == NetnsId::INIT;
            let has = device.addrs.iter().any(|addr| addr.local.addr() == address);
            if has && same_kind && !here && near {
                found.push(device.mac);
            }
        }
    }
    found
}
