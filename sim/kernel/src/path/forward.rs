use packet::{NetnsId, Skb};
use trace::{DropReason, Observer};

use crate::path::Dst;
use crate::{Cx, PathResult};

impl<O: Observer> Cx<'_, O> {
    /// A packet for another host. Kernel: `net/ipv4/ip_forward.c, ip_forward`.
    pub fn ip_forward(&mut self, ns: NetnsId, skb: Skb, _dst: Dst) -> PathResult {
        Err(self.dropped(ns, &skb, DropReason::UnhandledProto))
    }
}
