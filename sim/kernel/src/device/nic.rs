use packet::{DevId, Skb};
use trace::Observer;

use crate::device::{Qdisc, Traits};
use crate::dump::KindInfo;
use crate::{Cx, Effect, Fate, Host, PathResult};

/// A physical NIC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nic {
    /// Whether its cable is plugged in at both ends.
    pub link: bool,
}

impl Nic {
    pub(super) const NAME: Option<&'static str> = None;

    pub(super) fn traits(&self) -> Traits {
        Traits { qdisc: Qdisc::PfifoFast, ..Traits::ETHER }
    }

    pub(super) fn info(&self, _: &Host) -> Option<KindInfo> {
        None
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Puts the frame on the cable.
    pub(crate) fn nic_xmit(&mut self, dev: DevId, skb: Skb) -> PathResult {
        let stats = &mut self.host.dev_mut(dev).stats;
        stats.tx_packets += 1;
        stats.tx_bytes += skb.frame.len() as u64;
        self.effects.push(Effect::Wire(skb));
        Ok(Fate::Transmitted)
    }
}
