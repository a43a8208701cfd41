use packet::{DevId, Skb};
use trace::Observer;

use crate::device::{Traits, iff};
use crate::dump::KindInfo;
use crate::{Cx, Fate, Host, PathResult};

/// A device that swallows what it sends. Kernel: `drivers/net/dummy.c`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dummy;

impl Dummy {
    pub(super) const NAME: Option<&'static str> = Some("dummy");

    pub(super) fn traits(&self) -> Traits {
        Traits { min_mtu: 0, max_mtu: 0, flags: iff::BROADCAST | iff::NOARP, ..Traits::ETHER }
    }

    pub(super) fn info(&self, _: &Host) -> Option<KindInfo> {
        Some(KindInfo::Dummy)
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Counts the frame and forgets it. Kernel: `dummy_xmit`.
    pub(crate) fn dummy_xmit(&mut self, dev: DevId, skb: Skb) -> PathResult {
        let stats = &mut self.host.dev_mut(dev).stats;
        stats.tx_packets += 1;
        stats.tx_bytes += skb.frame.len() as u64;
        Ok(Fate::Consumed)
    }
}
