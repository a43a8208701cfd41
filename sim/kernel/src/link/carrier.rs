use packet::{DevId, IfIndex};
use smallvec::SmallVec;
use trace::Observer;

use crate::device::{DeviceKind, OperState};
use crate::{Cx, Host};

impl Host {
    /// The index that a dump calls the device's link: its peer or lower device, else its own.
    /// Kernel: `dev_get_iflink`.
    pub(crate) fn iflink(&self, dev: DevId) -> IfIndex {
        let device = self.dev(dev);
        let other = match &device.kind {
            DeviceKind::Veth(veth) => Some(veth.peer),
            DeviceKind::Vlan(vlan) => Some(vlan.lower),
            DeviceKind::Ipip(tunnel) => tunnel.lower,
            DeviceKind::Loopback(_)
            | DeviceKind::Bridge(_)
            | DeviceKind::Nic(_)
            | DeviceKind::Vxlan(_)
            | DeviceKind::Tun(_)
            | DeviceKind::Dummy(_) => None,
        };
        other.and_then(|other| self.get_dev(other)).map_or(device.ifindex, |other| other.ifindex)
    }

    /// Kernel: `default_operstate` in `net/core/link_watch.c`. It looks the link's index up in
    /// the device's own namespace even if the link is elsewhere; so does this.
    fn default_operstate(&self, dev: DevId) -> OperState {
        let device = self.dev(dev);
        if device.carrier {
            return OperState::Up;
        }
        let link = self.iflink(dev);
        if link == device.ifindex {
            return OperState::Down;
        }
        match self.dev_by_index(device.netns, link) {
            Some(below) if !self.dev(below).carrier => OperState::LowerLayerDown,
            Some(_) | None => OperState::Down,
        }
    }
}

impl<O: Observer> Cx<'_, O> {
    /// The cable of a NIC was plugged in or pulled out.
    pub fn nic_link(&mut self, dev: DevId, on: bool) {
        let Some(device) = self.host.get_dev_mut(dev) else { return };
        let DeviceKind::Nic(nic) = &mut device.kind else { return };
        nic.link = on;
        if device.up {
            self.set_carrier(&[(dev, on)]);
        }
    }

    /// Carriers come or go, and everyone learns of it.
    pub(crate) fn set_carrier(&mut self, carriers: &[(DevId, bool)]) {
        let changed = self.note_carrier(carriers);
        self.linkwatch(&changed);
    }

    /// Sets carrier flags; the devices that changed. Kernel: `netif_carrier_on`, `_off`.
    pub(crate) fn note_carrier(&mut self, carriers: &[(DevId, bool)]) -> SmallVec<[DevId; 2]> {
        let mut changed = SmallVec::new();
        for &(dev, on) in carriers {
            if let Some(device) = self.host.get_dev_mut(dev)
                && device.carrier != on
            {
                device.carrier = on;
                device.carrier_changes += 1;
                changed.push(dev);
            }
        }
        changed
    }

    /// Works out operational states and tells who cares.
    ///
    /// Simplified: at once; the kernel's link watch may wait up to a second.
    /// Kernel: `linkwatch_do_dev` in `net/core/link_watch.c`.
    pub(crate) fn linkwatch(&mut self, changed: &[DevId]) {
        for &dev in changed {
            if self.host.get_dev(dev).is_some() {
                let state = self.host.default_operstate(dev);
                self.host.dev_mut(dev).operstate = state;
            }
        }
        for &dev in changed {
            let Some(device) = self.host.get_dev(dev).filter(|device| device.up) else { continue };
            let (carrier, vlans, port) = (device.carrier, device.vlans.clone(), device.master.is_some());
            self.fib_carrier(dev);
            if !carrier {
                self.neigh_carrier_down(dev);
            }
            if port {
                self.br_port_carrier_check(dev);
            }
            // Kernel: `vlan_stacked_transfer_operstate`.
            for (_, vlan) in vlans {
                self.set_carrier(&[(vlan, carrier)]);
            }
        }
    }
}
