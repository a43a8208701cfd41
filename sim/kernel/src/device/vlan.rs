use packet::{DevId, Skb, VlanProto, VlanTag};
use trace::{DropReason, Observer};

use crate::device::{DeviceKind, Traits};
use crate::dump::KindInfo;
use crate::{Cx, Host, PathResult};

/// A VLAN on another device. Kernel: `net/8021q/vlan_dev.c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vlan {
    /// The device that carries the tagged frames.
    pub lower: DevId,
    /// Whose tag.
    pub proto: VlanProto,
    /// VLAN identifier.
    pub id: u16,
}

impl Vlan {
    pub(super) const NAME: Option<&'static str> = Some("vlan");

    pub(super) fn traits(&self) -> Traits {
        Traits { min_mtu: 0, ..Traits::ETHER }
    }

    pub(super) fn info(&self, _: &Host) -> Option<KindInfo> {
        Some(KindInfo::Vlan { proto: self.proto, id: self.id })
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Tags the frame and sends it by the lower device. Kernel: `vlan_dev_hard_start_xmit`.
    pub(crate) fn vlan_dev_hard_start_xmit(&mut self, dev: DevId, mut skb: Skb) -> PathResult {
        let device = self.host.dev_mut(dev);
        let DeviceKind::Vlan(Vlan { lower, proto, id }) = device.kind else {
            let netns = device.netns;
            return Err(self.dropped(netns, &skb, DropReason::DevReady));
        };
        let len = skb.frame.len() as u64;
        skb.frame.tags.push(VlanTag { proto, vid: id, pcp: 0, dei: false });
        let sent = self.dev_queue_xmit(lower, skb);
        let stats = &mut self.host.dev_mut(dev).stats;
        if sent.is_ok() {
            stats.tx_packets += 1;
            stats.tx_bytes += len;
        } else {
            stats.tx_dropped += 1;
        }
        sent
    }
}
