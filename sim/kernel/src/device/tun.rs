use std::collections::VecDeque;

use packet::{DevId, EtherPayload, Packet, PacketId, Skb};
use trace::{DropReason, Observer, StepKind};

use crate::device::{DeviceKind, Qdisc, Traits, arphrd, iff};
use crate::dump::KindInfo;
use crate::{Cx, Effect, Fate, Host, PathResult};

/// A TUN device with a process behind it. Kernel: `drivers/net/tun.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tun {
    /// Carries Ethernet frames. Simplified: no process can read or write a TAP device.
    pub tap: bool,
    /// Stays when the process closes it.
    pub persist: bool,
    /// A process has it open.
    pub open: bool,
    /// Packets that wait for the process, with their numbers, oldest first.
    pub queue: VecDeque<(PacketId, Packet)>,
}

impl Tun {
    pub(super) const NAME: Option<&'static str> = Some("tun");

    pub(super) fn traits(&self) -> Traits {
        if self.tap {
            return Traits { max_mtu: 65521, qdisc: Qdisc::PfifoFast, ..Traits::ETHER };
        }
        Traits {
            arphrd: arphrd::NONE,
            txqueuelen: 500,
            flags: iff::POINTOPOINT | iff::NOARP | iff::MULTICAST,
            qdisc: Qdisc::PfifoFast,
            ..Traits::ETHER
        }
    }

    pub(super) fn info(&self, _: &Host) -> Option<KindInfo> {
        Some(KindInfo::Tun { tap: self.tap, persist: self.persist })
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Queues the packet for the process. Kernel: `tun_net_xmit`.
    pub(crate) fn tun_net_xmit(&mut self, dev: DevId, skb: Skb) -> PathResult {
        let device = self.host.dev_mut(dev);
        let (netns, limit) = (device.netns, device.txqueuelen as usize);
        let reason = match (&mut device.kind, &skb.frame.payload) {
            (DeviceKind::Tun(tun), EtherPayload::Ip(packet)) if tun.open => {
                if tun.queue.len() < limit.max(1) {
                    tun.queue.push_back((skb.id, packet.clone()));
                    self.effects.push(Effect::WakeTun(dev));
                    self.emit(skb.id, netns, Some(dev), || StepKind::Crossing { to_kernel: false });
                    return Ok(Fate::Transmitted);
                }
                DropReason::FullRing
            }
            _ => DropReason::NoProcess,
        };
        device.stats.tx_dropped += 1;
        Err(self.dropped(netns, &skb, reason))
    }
}
