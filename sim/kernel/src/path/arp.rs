use packet::{NetnsId, Skb};
use trace::{DropReason, Observer};

use crate::{Cx, PathResult};

impl<O: Observer> Cx<'_, O> {
    /// An ARP message received on `skb.dev`. Kernel: `net/ipv4/arp.c, arp_rcv`.
    pub fn arp_rcv(&mut self, ns: NetnsId, skb: Skb) -> PathResult {
        Err(self.dropped(ns, &skb, DropReason::UnhandledProto))
    }
}
