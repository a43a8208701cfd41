use packet::{DevId, Frame, Skb, VlanTag};
use trace::{DropReason, Observer};

use crate::device::{DeviceKind, Traits};
use crate::dump::KindInfo;
use crate::request::CROSSING;
use crate::{Cx, Effect, Errno, Fate, Host, PathResult};

/// One end of a pair. Kernel: `drivers/net/veth.c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Veth {
    /// The other end. Both ends live and die together.
    pub peer: DevId,
}

impl Veth {
    pub(super) const NAME: Option<&'static str> = Some("veth");

    pub(super) fn traits(&self) -> Traits {
        Traits { tso_max_size: 524_280, ..Traits::ETHER }
    }

    pub(super) fn info(&self, _: &Host) -> Option<KindInfo> {
        Some(KindInfo::Veth)
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Gives the frame to the other end. Kernel: `veth_xmit`, `__dev_forward_skb`.
    pub(crate) fn veth_xmit(&mut self, dev: DevId, mut skb: Skb) -> PathResult {
        let device = self.host.dev(dev);
        let DeviceKind::Veth(Veth { peer }) = device.kind else {
            return Err(self.dropped(device.netns, &skb, DropReason::DevReady));
        };
        let netns = device.netns;
        let len = skb.frame.skb_len();
        let other = self.host.dev_mut(peer);
        if !other.up || len > other.mtu as usize + Frame::HEADER_LEN + VlanTag::LEN {
            other.stats.rx_dropped += 1;
            let reason = if other.up { DropReason::PeerMtu } else { DropReason::NoCarrier };
            self.host.dev_mut(dev).stats.tx_dropped += 1;
            let dropped = self.dropped(netns, &skb, reason);
            return Err(crate::Dropped { errno: Some(Errno::NoBufs), ..dropped });
        }
        let crosses = other.netns != netns;
        let stats = &mut self.host.dev_mut(dev).stats;
        stats.tx_packets += 1;
        stats.tx_bytes += len as u64;
        skb.scrub();
        if crosses {
            skb.mark = 0;
        }
        skb.dev = peer;
        self.effects.push(Effect::Receive { after: CROSSING, skb });
        Ok(Fate::Transmitted)
    }
}
