use packet::{DevId, NetnsId, Packet, Skb};
use trace::Observer;

use crate::{Cx, Errno, Fate, Host, PathResult};

impl Host {
    /// Whether a vxlan device of `netns` listens on this UDP port.
    pub fn is_vxlan_port(&self, netns: NetnsId, port: u16) -> bool {
        let _ = (netns, port);
        false
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Takes a UDP datagram to a vxlan port apart. Kernel: `vxlan_rcv` in
    /// `drivers/net/vxlan/vxlan_core.c`.
    pub fn vxlan_rcv(&mut self, netns: NetnsId, skb: Skb) -> PathResult {
        let _ = (netns, skb);
        Ok(Fate::Consumed)
    }

    /// Takes an IP-in-IP packet apart. Kernel: `ipip_rcv` in `net/ipv4/ipip.c`.
    pub fn ipip_rcv(&mut self, netns: NetnsId, skb: Skb) -> PathResult {
        let _ = (netns, skb);
        Ok(Fate::Consumed)
    }

    /// Opens the TUN device `name`, making it if it isn't there. Kernel: `tun_set_iff`.
    pub fn tun_open(&mut self, netns: NetnsId, name: &str) -> Result<DevId, Errno> {
        let _ = (netns, name);
        Err(Errno::NoDev)
    }

    /// The oldest packet that waits for the process. Kernel: `tun_do_read`.
    pub fn tun_read(&mut self, dev: DevId) -> Option<Packet> {
        let _ = dev;
        None
    }

    /// A packet that the process writes into the kernel. Kernel: `tun_get_user`.
    pub fn tun_write(&mut self, dev: DevId, packet: Packet) -> PathResult {
        let _ = (dev, packet);
        Ok(Fate::Consumed)
    }

    /// The process closes its end; a device that isn't persistent goes. Kernel: `tun_chr_close`.
    pub fn tun_close(&mut self, dev: DevId) {
        let _ = dev;
    }
}
