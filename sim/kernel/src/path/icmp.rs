use packet::{NetnsId, Skb};
use trace::{DropReason, Observer};

use crate::{Cx, PathResult};

/// Token buckets of ICMP errors. Kernel: `struct inet_peer`, `icmp_global`.
#[derive(Clone, Debug, Default)]
pub struct IcmpLimits {}

impl<O: Observer> Cx<'_, O> {
    /// An ICMP message for this host. Kernel: `net/ipv4/icmp.c, icmp_rcv`.
    pub fn icmp_rcv(&mut self, ns: NetnsId, skb: Skb) -> PathResult {
        Err(self.dropped(ns, &skb, DropReason::UnhandledProto))
    }

    /// Sends an ICMP error about `orig` to its source, unless the rules forbid it. `rest` is the
    /// second word of the header (next-hop MTU, gateway). Kernel: `net/ipv4/icmp.c, icmp_send`.
    pub fn icmp_send(&mut self, _ns: NetnsId, _orig: &Skb, _kind: u8, _code: u8, _rest: u32) {}
}
