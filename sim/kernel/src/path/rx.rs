use packet::wire::{self, BadChecksum};
use packet::{DevId, EtherPayload, EtherType, Frame, MacAddr, NetnsId, PktType, Skb, VlanTag};
use trace::{DropReason, Observer, StepKind};

use crate::{Cx, Dropped, Fate, Host, PathResult};

impl Host {
    /// The VLAN device with this tag on `lower`, in the same namespace or another.
    /// Kernel: `vlan_find_dev`.
    pub(super) fn vlan_find_dev(&self, lower: DevId, tag: VlanTag) -> Option<DevId> {
        let vlans = &self.dev(lower).vlans;
        let place = vlans.binary_search_by_key(&(tag.proto, tag.vid), |(key, _)| *key).ok()?;
        self.get_dev(vlans[place].1).map(|device| device.id)
    }
}

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
            if !skb.frame.tags.is_empty()
                && let Some(home) = self.vlan_do_receive(&mut skb)?
            {
                netns = home;
                continue;
            }
            if let Some(bridge) = master.filter(|_| skb.pkt_type != PktType::Loopback) {
                match self.br_handle_frame(bridge, skb)? {
                    // A link-local frame is the port's own business.
                    Some(own) => skb = own,
                    None => return Ok(Fate::Consumed),
                }
            }
            if skb.frame.tags.is_empty() {
                return self.deliver_skb(netns, skb);
            }
            match self.check_vlan_id(netns, &mut skb)? {
                Some(home) => netns = home,
                None => return self.deliver_skb(netns, skb),
            }
        }
    }

    /// Takes off the tag that no VLAN device has: the frame is for someone else, unless the tag
    /// tells a priority only; then the next one counts. Answers the namespace of the device that
    /// has that one. Kernel: `check_vlan_id` in `__netif_receive_skb_core`.
    fn check_vlan_id(&mut self, netns: NetnsId, skb: &mut Skb) -> Result<Option<NetnsId>, Dropped> {
        while let Some(tag) = skb.frame.tags.outer() {
            let rest = skb.frame.tags.len() > 1;
            if tag.vid != 0 {
                let known = matches!(skb.frame.payload, EtherPayload::Ip(_) | EtherPayload::Arp(_));
                if known && !rest {
                    return Err(self.dropped(netns, skb, DropReason::VlanUnknown));
                }
                skb.frame.tags.pop();
                break;
            }
            skb.frame.tags.pop();
            if rest && let Some(home) = self.vlan_do_receive(skb)? {
                return Ok(Some(home));
            }
        }
        Ok(None)
    }

    /// Hands the frame to the protocol that its type names. Kernel: `deliver_skb`.
    fn deliver_skb(&mut self, netns: NetnsId, skb: Skb) -> PathResult {
        match &skb.frame.payload {
            // The protocol is that of the next tag, which nobody handles.
            _ if !skb.frame.tags.is_empty() => {
                self.host.dev_mut(skb.dev).stats.rx_dropped += 1;
                Err(self.dropped(netns, &skb, DropReason::UnhandledProto))
            }
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

    /// Takes the tag off if a VLAN device on `skb.dev` has it, which then is the receiver; it may
    /// live in another namespace, which is the answer. Kernel: `vlan_do_receive` in
    /// `net/8021q/vlan_core.c`.
    fn vlan_do_receive(&mut self, skb: &mut Skb) -> Result<Option<NetnsId>, Dropped> {
        let found = skb.frame.tags.outer().and_then(|tag| self.host.vlan_find_dev(skb.dev, tag));
        let Some(vlan) = found else { return Ok(None) };
        let device = self.host.dev_mut(vlan);
        let home = device.netns;
        if !device.up {
            return Err(self.dropped(home, skb, DropReason::DevReady));
        }
        skb.frame.tags.pop();
        skb.dev = vlan;
        device.stats.rx_packets += 1;
        // The next tag is in the data still.
        device.stats.rx_bytes += (skb.frame.len() - Frame::HEADER_LEN) as u64;
        if skb.pkt_type == PktType::OtherHost && skb.frame.dst == device.mac {
            skb.pkt_type = PktType::Host;
        }
        if skb.pkt_type == PktType::Multicast {
            device.stats.multicast += 1;
        }
        Ok(Some(home))
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
