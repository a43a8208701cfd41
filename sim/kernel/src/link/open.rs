use std::time::Duration;

use packet::DevId;
use smallvec::SmallVec;
use trace::Observer;

use crate::device::{DeviceKind, Qdisc};
use crate::request::FdbState;
use crate::{Cx, Errno, Refusal, Timer};

impl<O: Observer> Cx<'_, O> {
    /// Sets a device up. Kernel: `dev_open` and the driver's `ndo_open`.
    pub(crate) fn dev_open(&mut self, dev: DevId) -> Result<(), Refusal> {
        let device = self.host.dev(dev);
        if device.up {
            return Ok(());
        }
        let mut carriers: SmallVec<[(DevId, bool); 2]> = SmallVec::new();
        let mut socket = None;
        match &device.kind {
            DeviceKind::Veth(veth) => {
                if self.host.dev(veth.peer).up {
                    carriers.push((dev, true));
                    carriers.push((veth.peer, true));
                }
            }
            DeviceKind::Nic(nic) => carriers.push((dev, nic.link)),
            DeviceKind::Vlan(vlan) => {
                let lower = self.host.dev(vlan.lower);
                if !lower.up {
                    return Err(Errno::NetDown.into());
                }
                carriers.push((dev, lower.carrier));
            }
            DeviceKind::Vxlan(vxlan) => socket = Some((vxlan.net, (vxlan.port(), vxlan.config.vni, dev))),
            DeviceKind::Loopback(_)
            | DeviceKind::Bridge(_)
            | DeviceKind::Tun(_)
            | DeviceKind::Ipip(_)
            | DeviceKind::Dummy(_) => {}
        }
        if let Some((net, socket)) = socket {
            self.host.ns_mut(net).vxlan.push(socket);
        }
        let device = self.host.dev_mut(dev);
        device.up = true;
        if device.qdisc == Qdisc::Noop {
            let queue = device.kind.traits().qdisc;
            device.qdisc = if device.txqueuelen == 0 { Qdisc::Noqueue } else { queue };
        }
        if let DeviceKind::Bridge(_) = device.kind {
            self.br_dev_open(dev);
        }
        let changed = self.note_carrier(&carriers);
        self.fib_dev_up(dev);
        if self.host.dev(dev).master.is_some() {
            self.br_port_up(dev);
        }
        self.linkwatch(&changed);
        // Kernel: `vlan_device_event`.
        for (_, vlan) in self.host.dev(dev).vlans.clone() {
            let _ = self.dev_open(vlan);
        }
        Ok(())
    }

    /// Sets a device down. Kernel: `dev_close` and the driver's `ndo_stop`.
    pub(crate) fn dev_close(&mut self, dev: DevId) {
        let Some(device) = self.host.get_dev_mut(dev).filter(|device| device.up) else { return };
        device.up = false;
        let mut carriers: SmallVec<[(DevId, bool); 2]> = SmallVec::new();
        let mut socket = None;
        match &mut device.kind {
            DeviceKind::Veth(veth) => {
                carriers.push((dev, false));
                carriers.push((veth.peer, false));
            }
            DeviceKind::Nic(_) | DeviceKind::Vlan(_) => carriers.push((dev, false)),
            DeviceKind::Vxlan(vxlan) => {
                vxlan.fdb.retain(|_, entry| entry.state != FdbState::Dynamic);
                socket = Some(vxlan.net);
            }
            DeviceKind::Tun(tun) => tun.queue.clear(),
            DeviceKind::Loopback(_) | DeviceKind::Bridge(_) | DeviceKind::Ipip(_) | DeviceKind::Dummy(_) => {}
        }
        if let Some(net) = socket
            && self.host.get_ns(net).is_some()
        {
            self.host.ns_mut(net).vxlan.retain(|(_, _, id)| *id != dev);
        }
        if self.host.bridge(dev).is_some() {
            self.br_dev_stop(dev);
        }
        let changed = self.note_carrier(&carriers);
        self.fib_dev_down(dev);
        self.neigh_dev_down(dev);
        self.sockets_dev_down(dev);
        if self.host.dev(dev).master.is_some() {
            self.br_port_down(dev);
        }
        for (_, vlan) in self.host.dev(dev).vlans.clone() {
            self.dev_close(vlan);
        }
        self.linkwatch(&changed);
    }

    /// Arms the timers of the reports that a bridge with multicast snooping sends when it comes
    /// up: two, each at a random time in its second. Kernel: `br_multicast_join_snoopers`.
    pub(crate) fn br_multicast_join_snoopers(&mut self, dev: DevId) {
        for round in 0..2_u8 {
            let millis = self.host.next_random() % 1000;
            let after = Duration::from_millis(millis / 2 + 500 * u64::from(round));
            self.arm(after, Timer::Bridge { dev, round });
        }
    }

    /// A bridge sends one of its IGMP reports; called by [`Cx::on_timer`].
    pub fn bridge_timer(&mut self, dev: DevId, _round: u8) {
        let snoops = self.host.bridge(dev).is_some_and(|bridge| bridge.mcast_snooping != 0);
        if snoops && self.host.dev(dev).up {
            self.igmp_report_snoopers(dev);
        }
    }
}
