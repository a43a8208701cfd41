use packet::{NetnsId, Skb};
use trace::{DropReason, Observer};

use crate::{Cx, PathResult};

impl<O: Observer> Cx<'_, O> {
    /// An IPv4 packet received on `skb.dev`. Kernel: `net/ipv4/ip_input.c, ip_rcv`.
    pub fn ip_rcv(&mut self, ns: NetnsId, skb: Skb) -> PathResult {
        Err(self.dropped(ns, &skb, DropReason::UnhandledProto))
    }

    /// A packet for this host. Kernel: `net/ipv4/ip_input.c, ip_local_deliver`.
    pub fn ip_local_deliver(&mut self, ns: NetnsId, skb: Skb) -> PathResult {
        Err(self.dropped(ns, &skb, DropReason::UnhandledProto))
    }
}
