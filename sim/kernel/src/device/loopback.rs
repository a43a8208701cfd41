use packet::{DevId, SkOwner, Skb};
use trace::Observer;

use crate::device::{Qdisc, Traits, arphrd, iff};
use crate::dump::KindInfo;
use crate::request::CROSSING;
use crate::{Cx, Effect, Fate, Host, PathResult};

/// `lo`. Kernel: `drivers/net/loopback.c`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loopback;

impl Loopback {
    pub(super) const NAME: Option<&'static str> = None;

    pub(super) fn traits(&self) -> Traits {
        Traits {
            arphrd: arphrd::LOOPBACK,
            mtu: 65536,
            min_mtu: 0,
            max_mtu: 0,
            txqueuelen: 1000,
            flags: iff::LOOPBACK,
            qdisc: Qdisc::Noqueue,
            netns_immutable: true,
            tso_max_size: 524_280,
        }
    }

    pub(super) fn info(&self, _: &Host) -> Option<KindInfo> {
        None
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Receives what it sends; mark and connection stay. Kernel: `loopback_xmit`.
    pub(crate) fn loopback_xmit(&mut self, dev: DevId, mut skb: Skb) -> PathResult {
        // Kernel: `skb_orphan`.
        skb.sk = SkOwner::None;
        let stats = &mut self.host.dev_mut(dev).stats;
        stats.tx_packets += 1;
        stats.tx_bytes += skb.frame.payload.len() as u64;
        self.effects.push(Effect::Receive { after: CROSSING, skb });
        Ok(Fate::Transmitted)
    }
}
