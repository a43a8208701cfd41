use packet::Skb;
use trace::Observer;

use crate::{Cx, Fate, PathResult};

impl<O: Observer> Cx<'_, O> {
    /// Receives `skb` on `skb.dev`: the entry for [`crate::Effect::Receive`] and for the cable.
    /// Kernel: `netif_receive_skb` in `net/core/dev.c`.
    pub fn receive(&mut self, skb: Skb) -> PathResult {
        let _ = skb;
        Ok(Fate::Consumed)
    }
}
