//! What a process does with a TUN device. Kernel: `drivers/net/tun.c`.

use packet::{DevId, NetnsId, Packet, PacketId, Skb};
use trace::{Observer, Relation, StepKind};

use crate::device::{DeviceKind, Tun};
use crate::{Cx, Errno, Host, PathResult};

/// What the running process has read last: what it writes next carries that on, when one side is a
/// TUN device and the other a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relay {
    /// A packet from a TUN device, for a socket.
    FromTun(PacketId),
    /// A datagram from a socket, for a TUN device.
    FromSocket(PacketId),
}

impl Host {
    /// Another process runs: what was read before is not its business.
    pub fn forget_relay(&mut self) {
        self.relay = None;
    }

    fn tun_mut(&mut self, dev: DevId) -> Option<&mut Tun> {
        if let DeviceKind::Tun(tun) = &mut self.get_dev_mut(dev)?.kind { Some(tun) } else { None }
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Opens the TUN device `name`, making it if it isn't there. Kernel: `tun_set_iff`.
    pub fn tun_open(&mut self, netns: NetnsId, name: &str) -> Result<DevId, Errno> {
        let dev = match self.host.dev_by_name(netns, name) {
            Some(dev) => dev,
            None => {
                let tun = Tun { tap: false, persist: false, open: false, queue: Default::default() };
                self.register_netdevice(netns, name, None, DeviceKind::Tun(tun))
                    .map_err(|refusal| refusal.errno)?
            }
        };
        match self.host.tun_mut(dev) {
            Some(tun) if tun.tap => return Err(Errno::Inval),
            Some(tun) if tun.open => return Err(Errno::Busy),
            Some(tun) => tun.open = true,
            None => return Err(Errno::Inval),
        }
        self.set_carrier(&[(dev, true)]);
        Ok(dev)
    }

    /// The oldest packet that waits for the process. Kernel: `tun_do_read`.
    pub fn tun_read(&mut self, dev: DevId) -> Option<Packet> {
        let (id, packet) = self.host.tun_mut(dev)?.queue.pop_front()?;
        let stats = &mut self.host.dev_mut(dev).stats;
        stats.tx_packets += 1;
        stats.tx_bytes += packet.len() as u64;
        self.host.relay = Some(Relay::FromTun(id));
        Some(packet)
    }

    /// A packet that the process writes into the kernel. Kernel: `tun_get_user`.
    pub fn tun_write(&mut self, dev: DevId, packet: Packet) -> PathResult {
        let skb = Skb::from_ip(self.ids.next_id(), dev, packet);
        let netns = self.host.get_dev(dev).map_or(NetnsId::INIT, |dev| dev.netns);
        let parents = match self.host.relay.take() {
            Some(Relay::FromSocket(id)) => vec![(Relation::RelayedBy, id)],
            _ => Vec::new(),
        };
        self.emit_created(&skb, netns, &parents);
        self.emit(skb.id, netns, Some(dev), || StepKind::Crossing { to_kernel: true });
        self.receive(skb)
    }

    /// The process closes its end; a device that isn't persistent goes. Kernel: `tun_chr_close`.
    pub fn tun_close(&mut self, dev: DevId) {
        let Some(tun) = self.host.tun_mut(dev) else { return };
        tun.open = false;
        tun.queue.clear();
        if tun.persist {
            self.set_carrier(&[(dev, false)]);
        } else {
            self.unregister_netdevice(dev);
        }
    }
}
