use packet::{DevId, NetnsId, Skb};
use trace::{DropReason, Observer, StepKind};

use crate::device::Qdisc;
use crate::{Cx, Dropped, Errno, PathResult};

/// How many stacked devices one packet may pass. Kernel: `XMIT_RECURSION_LIMIT`.
const XMIT_RECURSION_LIMIT: u8 = 8;

impl<O: Observer> Cx<'_, O> {
    /// Sends `skb` by `dev`; the caller has set the frame's addresses. A device that is down or
    /// has no carrier swallows it without an error. Kernel: `dev_queue_xmit` in `net/core/dev.c`.
    pub fn dev_queue_xmit(&mut self, dev: DevId, mut skb: Skb) -> PathResult {
        skb.dev = dev;
        let Some(device) = self.host.get_dev_mut(dev) else {
            return Err(self.dropped(NetnsId::INIT, &skb, DropReason::DevReady));
        };
        let (netns, taps) = (device.netns, device.taps);
        if !device.up || !device.carrier || device.qdisc == Qdisc::Noop {
            // Kernel: `noop_enqueue`, whose NET_XMIT_CN is no error.
            device.stats.tx_dropped += 1;
            let reason = if device.up { DropReason::NoCarrier } else { DropReason::DevReady };
            return Err(self.dropped(netns, &skb, reason));
        }
        if self.host.xmit_recursion >= XMIT_RECURSION_LIMIT {
            return Err(self.dead_loop(netns, dev, &skb));
        }
        self.emit(skb.id, netns, Some(dev), || StepKind::Transmit(Box::new(skb.frame.clone())));
        if taps > 0 {
            self.packet_rcv(dev, &skb, true);
        }
        self.host.xmit_recursion += 1;
        let sent = self.ndo_start_xmit(dev, skb);
        self.host.xmit_recursion -= 1;
        sent
    }

    /// The packet goes round through stacked devices: logs and drops it.
    fn dead_loop(&mut self, netns: NetnsId, dev: DevId, skb: &Skb) -> Dropped {
        let device = self.host.dev_mut(dev);
        device.stats.tx_dropped += 1;
        let line = format!("Dead loop on virtual device {}, fix it urgently!", device.name);
        self.host.log.log(self.now, line);
        let dropped = self.dropped(netns, skb, DropReason::RecursionLimit);
        Dropped { errno: Some(Errno::NetDown), ..dropped }
    }
}
