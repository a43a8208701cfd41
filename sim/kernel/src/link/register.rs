use packet::{DevId, IfIndex, MacAddr, NetnsId};
use trace::Observer;

use crate::device::{Device, DeviceKind, arphrd};
use crate::{Cx, Errno, Host, Refusal};

/// Longest device name in bytes. Kernel: `IFNAMSIZ - 1`.
const NAME_LEN: usize = 15;

/// How many devices may stand on each other. Kernel: `MAX_NEST_DEV`.
pub(crate) const MAX_NEST_DEV: usize = 8;

impl Host {
    /// A random unicast address of the locally administered range. Kernel: `eth_random_addr`.
    pub(crate) fn random_mac(&mut self) -> MacAddr {
        let [a, b, c, d, e, f, ..] = self.next_random().to_be_bytes();
        MacAddr([a & 0xfc | 2, b, c, d, e, f])
    }

    /// Refuses a name that no device may have, or that one of `netns` has.
    /// Kernel: `dev_get_valid_name`.
    pub(crate) fn check_name(&self, netns: NetnsId, name: &str) -> Result<(), Refusal> {
        if name.len() > NAME_LEN {
            return Err(Refusal::because(Errno::Range, "Attribute failed policy validation."));
        }
        let bad = |c: char| c == '/' || c == ':' || c.is_whitespace();
        if name.is_empty() || name == "." || name == ".." || name.contains(bad) {
            return Err(Errno::Inval.into());
        }
        if self.name_in_use(netns, name) { Err(Errno::Exist.into()) } else { Ok(()) }
    }

    /// How many devices stand on each other up to `dev`, no more than [`MAX_NEST_DEV`].
    /// Kernel: `dev->lower_level`.
    pub(crate) fn lower_level(&self, dev: DevId) -> usize {
        let mut level = vec![dev];
        for depth in 1..MAX_NEST_DEV {
            let below = level.iter().filter_map(|dev| self.get_dev(*dev)).flat_map(|dev| match &dev.kind {
                DeviceKind::Vlan(vlan) => vec![vlan.lower],
                DeviceKind::Bridge(bridge) => bridge.ports.clone(),
                DeviceKind::Loopback(_)
                | DeviceKind::Veth(_)
                | DeviceKind::Nic(_)
                | DeviceKind::Vxlan(_)
                | DeviceKind::Tun(_)
                | DeviceKind::Ipip(_)
                | DeviceKind::Dummy(_) => Vec::new(),
            });
            level = below.collect();
            if level.is_empty() {
                return depth;
            }
        }
        MAX_NEST_DEV
    }

    /// Kernel: `netdev_name_in_use`; alternative names count.
    pub(crate) fn name_in_use(&self, netns: NetnsId, name: &str) -> bool {
        let Some(ns) = self.get_ns(netns) else { return false };
        ns.devices
            .values()
            .filter_map(|&id| self.get_dev(id))
            .any(|dev| dev.name == name || dev.altnames.iter().any(|alt| alt == name))
    }

    /// The first free of `prefix0`, `prefix1`, … Kernel: `dev_alloc_name`.
    pub(crate) fn alloc_name(&self, netns: NetnsId, prefix: &str) -> String {
        let mut number = 0_u32;
        loop {
            let name = format!("{prefix}{number}");
            if !self.name_in_use(netns, &name) {
                return name;
            }
            number += 1;
        }
    }

    /// Takes `wanted`, or the next index after the last one given. Kernel: `dev_index_reserve`.
    pub(crate) fn dev_index_reserve(
        &mut self,
        netns: NetnsId,
        wanted: Option<u32>,
    ) -> Result<IfIndex, Errno> {
        let ns = self.ns_mut(netns);
        if let Some(index) = wanted {
            let index = IfIndex(index);
            return if ns.devices.contains_key(&index) { Err(Errno::Busy) } else { Ok(index) };
        }
        while ns.devices.contains_key(&IfIndex(ns.last_ifindex + 1)) {
            ns.last_ifindex += 1;
        }
        ns.last_ifindex += 1;
        Ok(IfIndex(ns.last_ifindex))
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Makes a device that is down. A name that ends in `%d` is numbered.
    /// Kernel: `register_netdevice` in `net/core/dev.c`.
    pub(crate) fn register_netdevice(
        &mut self,
        netns: NetnsId,
        name: &str,
        ifindex: Option<u32>,
        kind: DeviceKind,
    ) -> Result<DevId, Refusal> {
        let name = match name.strip_suffix("%d") {
            Some(prefix) => self.host.alloc_name(netns, prefix),
            None => name.to_owned(),
        };
        self.host.check_name(netns, &name)?;
        let ifindex = self.host.dev_index_reserve(netns, ifindex)?;
        let id = DevId(u32::try_from(self.host.devices.len()).unwrap_or(u32::MAX));
        let mut device = Device::new(id, netns, ifindex, &name, kind);
        if device.kind.traits().arphrd == arphrd::ETHER {
            device.mac = self.host.random_mac();
        }
        device.taps = self.host.packet_taps(netns);
        self.host.devices.push(Some(device));
        self.host.ns_mut(netns).devices.insert(ifindex, id);
        Ok(id)
    }

    /// Destroys a device, its other end, and what stands on it.
    /// Kernel: `unregister_netdevice_many` in `net/core/dev.c`.
    pub(crate) fn unregister_netdevice(&mut self, dev: DevId) {
        let Some(device) = self.host.get_dev(dev) else { return };
        let peer = if let DeviceKind::Veth(veth) = device.kind { Some(veth.peer) } else { None };
        if let Some(bridge) = self.host.bridge(dev) {
            for port in bridge.ports.clone() {
                self.br_del_if(port);
            }
        }
        self.dev_close(dev);
        if let Some(peer) = peer {
            self.dev_close(peer);
        }
        self.leave_netns(dev);
        if let Some(peer) = peer {
            self.leave_netns(peer);
            self.forget_device(peer);
        }
        self.forget_device(dev);
    }

    /// What every part of the kernel forgets when a device leaves its namespace.
    /// Kernel: `NETDEV_UNREGISTER`.
    pub(crate) fn leave_netns(&mut self, dev: DevId) {
        let Some(device) = self.host.get_dev(dev) else { return };
        if device.master.is_some() {
            self.br_del_if(dev);
        }
        for (_, vlan) in self.host.dev(dev).vlans.clone() {
            self.unregister_netdevice(vlan);
        }
        self.fib_dev_gone(dev);
        self.neigh_dev_gone(dev);
        self.sockets_dev_gone(dev);
        // Kernel: `vxlan_handle_lowerdev_unregister`.
        let stands_on = |id: DevId, host: &Host| host.vxlan(id).is_some_and(|vxlan| vxlan.lower == Some(dev));
        let all = self.host.devices.iter().flatten().map(|device| device.id);
        let vxlans: Vec<DevId> = all.filter(|&id| stands_on(id, self.host)).collect();
        for vxlan in vxlans {
            self.unregister_netdevice(vxlan);
        }
    }

    /// Takes a closed device out of the tables.
    fn forget_device(&mut self, dev: DevId) {
        let Some(device) = self.host.devices.get_mut(dev.0 as usize).and_then(Option::take) else { return };
        self.host.ns_mut(device.netns).devices.remove(&device.ifindex);
        match device.kind {
            DeviceKind::Vlan(vlan) => {
                if let Some(lower) = self.host.get_dev_mut(vlan.lower) {
                    lower.vlans.retain(|(_, id)| *id != dev);
                }
            }
            DeviceKind::Ipip(tunnel) => {
                if self.host.get_ns(tunnel.net).is_some() {
                    self.host.ns_mut(tunnel.net).ipip.retain(|id| *id != dev);
                }
            }
            DeviceKind::Loopback(_)
            | DeviceKind::Veth(_)
            | DeviceKind::Bridge(_)
            | DeviceKind::Nic(_)
            | DeviceKind::Vxlan(_)
            | DeviceKind::Tun(_)
            | DeviceKind::Dummy(_) => {}
        }
    }
}
