use std::collections::BTreeMap;

use packet::{DevId, MacAddr, NetnsId, SimTime};

use crate::Host;
use crate::device::{Device, DeviceKind, OperState, arphrd};
use crate::dump::{FdbInfo, LinkInfo};
use crate::link::netns::nsid;
use crate::request::FdbState;

impl Host {
    /// All devices of `netns` in order of index. Kernel: `rtnl_dump_ifinfo`.
    pub fn links(&self, netns: NetnsId) -> Vec<LinkInfo> {
        let Some(ns) = self.get_ns(netns) else { return Vec::new() };
        // Ids that this dump gives; they are kept by `links_get_nsids`.
        let mut ids = ns.nsids.clone();
        // Of two names of one namespace the first one counts.
        let names: BTreeMap<NetnsId, &str> =
            self.netns_names.iter().rev().map(|(name, &netns)| (netns, name.as_str())).collect();
        let devices = ns.devices.values().filter_map(|&dev| self.get_dev(dev));
        devices
            .map(|dev| {
                let net = |other| (nsid(&mut ids, other), names.get(&other).copied());
                self.rtnl_fill_ifinfo(dev, self.link_net(dev.id).map(net))
            })
            .collect()
    }

    /// One device. Kernel: `rtnl_getlink`.
    pub fn link(&self, dev: DevId) -> Option<LinkInfo> {
        let device = self.get_dev(dev)?;
        let net = |other| {
            let known = self.peernet2id(device.netns, other);
            let id = known.unwrap_or_else(|| nsid(&mut self.ns(device.netns).nsids.clone(), other));
            let name = self.netns_names.iter().find(|(_, netns)| **netns == other);
            (id, name.map(|(name, _)| name.as_str()))
        };
        Some(self.rtnl_fill_ifinfo(device, self.link_net(dev).map(net)))
    }

    /// `net`: the id and the name of the linked device's namespace.
    fn rtnl_fill_ifinfo(&self, device: &Device, net: Option<(u32, Option<&str>)>) -> LinkInfo {
        let traits = device.kind.traits();
        let link = self.iflink(device.id);
        let tunnelled = matches!(device.kind, DeviceKind::Ipip(_));
        let link_name = match net {
            None => self.dev_by_index(device.netns, link).filter(|_| link != device.ifindex),
            Some(_) => None,
        };
        let queues = match device.kind {
            DeviceKind::Veth(_) => (2, 2),
            _ => (1, 1),
        };
        LinkInfo {
            ifindex: device.ifindex,
            name: device.name.clone(),
            link: if tunnelled && link == device.ifindex {
                Some(packet::IfIndex(0))
            } else {
                (link != device.ifindex || net.is_some()).then_some(link)
            },
            link_name: link_name.map(|dev| self.dev(dev).name.clone()),
            link_netnsid: net.map(|(id, _)| id),
            link_netns_name: net.and_then(|(_, name)| name).map(str::to_owned),
            flags: device.flags(),
            mtu: device.mtu,
            qdisc: device.qdisc.name().to_owned(),
            master: device.master.and_then(|br| self.get_dev(br)).map(|br| br.name.clone()),
            operstate: if device.up { device.operstate.name() } else { OperState::Down.name() },
            group: device.group,
            txqueuelen: device.txqueuelen,
            arphrd: traits.arphrd,
            address: device.has_link_header().then_some((device.mac, device.broadcast)),
            tunnel: match &device.kind {
                DeviceKind::Ipip(tunnel) => {
                    let any = std::net::Ipv4Addr::UNSPECIFIED.into();
                    Some((tunnel.config.local.unwrap_or(any), tunnel.config.remote.unwrap_or(any)))
                }
                _ => None,
            },
            alias: device.alias.clone(),
            kind: device.kind.info(self),
            port: device.port.clone(),
            promiscuity: device.promiscuity,
            allmulti: u32::from(device.allmulticast) + u32::from(device.port.is_some()),
            min_mtu: traits.min_mtu,
            max_mtu: traits.max_mtu,
            stats: device.stats,
            queues,
            tso_max_size: traits.tso_max_size,
            carrier_changes: device.carrier_changes,
            altnames: device.altnames.clone(),
        }
    }

    /// All forwarding entries of the bridges, ports and vxlans of `netns`, per device in order of
    /// index. Kernel: `rtnl_fdb_dump`, `br_fdb_dump`, `vxlan_fdb_dump`, `ndo_dflt_fdb_dump`.
    pub fn fdb(&self, netns: NetnsId, now: SimTime) -> Vec<FdbInfo> {
        let mut all = Vec::new();
        let Some(ns) = self.get_ns(netns) else { return all };
        for device in ns.devices.values().filter_map(|&dev| self.get_dev(dev)) {
            if let Some(br) = device.master {
                self.br_fdb_dump(br, Some(device.id), now, &mut all);
            }
            match &device.kind {
                DeviceKind::Vxlan(_) => self.vxlan_fdb_dump(device, now, &mut all),
                DeviceKind::Bridge(_) => {
                    self.dflt_fdb_dump(device, now, &mut all);
                    self.br_fdb_dump(device.id, None, now, &mut all);
                }
                _ if device.kind.traits().arphrd == arphrd::ETHER => {
                    self.dflt_fdb_dump(device, now, &mut all)
                }
                _ => {}
            }
        }
        all
    }

    fn br_fdb_dump(&self, br: DevId, port: Option<DevId>, now: SimTime, all: &mut Vec<FdbInfo>) {
        let Some(bridge) = self.bridge(br) else { return };
        let master = &self.dev(br).name;
        let Some(dev) = self.get_dev(port.unwrap_or(br)) else { return };
        // The kernel's list has the newest entry first.
        for (mac, entry) in bridge.fdb.iter().rev() {
            if entry.port != port || bridge.expired(entry, now) {
                continue;
            }
            all.push(FdbInfo {
                mac: *mac,
                dev: dev.name.clone(),
                from_self: false,
                master: Some(master.clone()),
                state: entry.state,
                dst: None,
                port: None,
                vni: None,
                via: None,
                ages: (now.since(entry.used).as_secs(), now.since(entry.updated).as_secs()),
                learned: entry.state == FdbState::Dynamic,
                extern_learn: entry.extern_learn,
            });
        }
    }

    fn vxlan_fdb_dump(&self, device: &Device, now: SimTime, all: &mut Vec<FdbInfo>) {
        let Some(vxlan) = self.vxlan(device.id) else { return };
        for (mac, entry) in &vxlan.fdb {
            if vxlan.expired(entry, now) {
                continue;
            }
            for remote in &entry.remotes {
                all.push(FdbInfo {
                    mac: *mac,
                    dev: device.name.clone(),
                    from_self: true,
                    master: None,
                    state: entry.state,
                    dst: Some(remote.addr),
                    port: remote.port.filter(|port| *port != vxlan.port()),
                    vni: remote.vni.filter(|vni| *vni != vxlan.config.vni).map(|vni| vni.get()),
                    via: remote.via.and_then(|dev| self.get_dev(dev)).map(|dev| dev.name.clone()),
                    ages: (now.since(entry.used).as_secs(), now.since(entry.updated).as_secs()),
                    learned: entry.state == FdbState::Dynamic,
                    extern_learn: false,
                });
            }
        }
    }

    /// Addresses that the device itself accepts beside its own.
    fn dflt_fdb_dump(&self, device: &Device, _now: SimTime, all: &mut Vec<FdbInfo>) {
        let (multicast, unicast): (Vec<MacAddr>, Vec<MacAddr>) =
            device.fdb_self.iter().partition(|mac| mac.is_multicast());
        for mac in unicast.into_iter().chain(self.dev_mc(device.id)).chain(multicast) {
            all.push(FdbInfo {
                mac,
                dev: device.name.clone(),
                from_self: true,
                master: None,
                state: FdbState::Permanent,
                dst: None,
                port: None,
                vni: None,
                via: None,
                ages: (0, 0),
                learned: false,
                extern_learn: false,
            });
        }
    }
}
