use packet::wire::{self, BadChecksum};
use packet::{DevId, EtherPayload, EtherType, Frame, MacAddr, NetnsId, PktType, Skb};
use trace::{DropReason, Observer, StepKind};

use crate::device::{DeviceKind, Vlan};
use crate::{Cx, Dropped, Fate, PathResult};

impl<O: Observer> Cx<'_, O> {
    /// Receives `skb` on `skb.dev`: the entry for [`crate::Effect::Receive`] and for the cable.
    pub fn receive(&mut self, skb: Skb) -> PathResult {
        let result = self.netif_receive_skb(skb);
        self.finish(result)
    }

    /// Counts the frame on its device and hands it up.
    /// Kernel: `netif_receive_skb` in `net/core/dev.c`.
    pub(crate) fn netif_receive_skb(&mut self, mut skb: Skb) -> PathResult {
        let dev = skb.dev;
        let Some(device) = self.host.get_dev_mut(dev) else {
            return Err(self.dropped(NetnsId::INIT, &skb, DropReason::DevReady));
        };
        let netns = device.netns;
        if !device.up {
            return Err(self.dropped(netns, &skb, DropReason::DevReady));
        }
        device.stats.rx_packets += 1;
        device.stats.rx_bytes += device.rx_len(&skb);
        skb.pkt_type = eth_type_trans(device.mac, device.has_link_header(), &skb.frame);
        if self.host.verify_checksums {
            self.verify_checksums(netns, &skb)?;
        }
        self.netif_receive_skb_core(netns, skb)
    }

    /// Computes the packet's bytes and checks their checksums. Kernel: `skb_checksum_init`.
    #[cold]
    fn verify_checksums(&self, netns: NetnsId, skb: &Skb) -> Result<(), Dropped> {
        let Some(packet) = skb.frame.ip() else { return Ok(()) };
        let reason = match wire::verify_checksums(&wire::emit_packet(packet)) {
            Ok(()) => return Ok(()),
            Err(BadChecksum::Ip) => DropReason::IpCsum,
            Err(BadChecksum::Tcp) => DropReason::TcpCsum,
            Err(BadChecksum::Udp) => DropReason::UdpCsum,
            Err(BadChecksum::Icmp) => DropReason::IcmpCsum,
        };
        Err(self.dropped(netns, skb, reason))
    }

    /// Taps, then VLAN, then the bridge, then the protocol. Counters and `pkt_type` are the
    /// caller's. Kernel: `__netif_receive_skb_core` in `net/core/dev.c`.
    pub(crate) fn netif_receive_skb_core(&mut self, mut netns: NetnsId, mut skb: Skb) -> PathResult {
        loop {
            let dev = skb.dev;
            self.emit(skb.id, netns, Some(dev), || StepKind::Receive(Box::new(skb.frame.clone())));
            let device = self.host.dev(dev);
            let (taps, master) = (device.taps, device.master);
            if taps > 0 {
                self.packet_rcv(dev, &skb, false);
            }
            if skb.frame.vlan.is_some() && self.vlan_do_receive(&mut skb) {
                // The VLAN's device may live in another namespace.
                netns = self.host.dev(skb.dev).netns;
                continue;
            }
            let Some(bridge) = master.filter(|_| skb.pkt_type != PktType::Loopback) else {
                return self.deliver_skb(netns, skb);
            };
            return match self.br_handle_frame(bridge, skb)? {
                // A link-local frame is the port's own business.
                Some(skb) => self.deliver_skb(netns, skb),
                None => Ok(Fate::Consumed),
            };
        }
    }

    /// Hands the frame to the protocol that its type names. Kernel: `deliver_skb`.
    fn deliver_skb(&mut self, netns: NetnsId, skb: Skb) -> PathResult {
        if skb.frame.vlan.is_some_and(|tag| tag.vid != 0) {
            return Err(self.dropped(netns, &skb, DropReason::VlanUnknown));
        }
        match &skb.frame.payload {
            EtherPayload::Ip(packet) if !packet.is_v6() => self.ip_rcv(netns, skb),
            EtherPayload::Arp(_) => self.arp_rcv(netns, skb),
            // Simplified: IPv6 is ignored as with disable_ipv6=1, uncounted.
            EtherPayload::Ip(_) | EtherPayload::Other(EtherType::IPV6, _) => {
                Err(self.dropped(netns, &skb, DropReason::UnhandledProto))
            }
            EtherPayload::Other(..) => {
                self.host.dev_mut(skb.dev).stats.rx_dropped += 1;
                Err(self.dropped(netns, &skb, DropReason::UnhandledProto))
            }
        }
    }

    /// Takes the tag off if a VLAN device on `skb.dev` has it, which then is the receiver.
    /// Kernel: `vlan_do_receive` in `net/8021q/vlan_core.c`.
    fn vlan_do_receive(&mut self, skb: &mut Skb) -> bool {
        let Some(tag) = skb.frame.vlan else { return false };
        let Some(vlan) = self.vlan_find_dev(skb.dev, tag.vid) else { return false };
        let device = self.host.dev_mut(vlan);
        if !device.up {
            return false;
        }
        skb.frame.vlan = None;
        skb.dev = vlan;
        device.stats.rx_packets += 1;
        device.stats.rx_bytes += skb.frame.payload.len() as u64;
        if skb.pkt_type == PktType::Multicast {
            device.stats.multicast += 1;
        }
        if skb.pkt_type == PktType::OtherHost && skb.frame.dst == device.mac {
            skb.pkt_type = PktType::Host;
        }
        true
    }

    /// The VLAN device with this tag on `lower`, in the same namespace or another.
    /// Kernel: `vlan_find_dev`.
    fn vlan_find_dev(&self, lower: DevId, vid: u16) -> Option<DevId> {
        let device = self.host.dev(lower);
        let (_, dev) = device.vlans.iter().find(|(id, _)| *id == vid)?;
        let vlan = self.host.get_dev(*dev)?;
        matches!(vlan.kind, DeviceKind::Vlan(Vlan { .. })).then_some(*dev)
    }
}

/// To whom a frame is addressed, seen by a device of address `own`. Kernel: `eth_type_trans`.
fn eth_type_trans(own: MacAddr, ether: bool, frame: &Frame) -> PktType {
    if !ether || frame.dst == own {
        PktType::Host
    } else if frame.dst.is_multicast() {
        if frame.dst.is_broadcast() { PktType::Broadcast } else { PktType::Multicast }
    } else {
        PktType::OtherHost
    }
}
