use packet::{NetnsId, Skb};
use trace::{DropReason, Observer};

use crate::path::Dst;
use crate::{Cx, PathResult};

impl<O: Observer> Cx<'_, O> {
    /// Sends a packet of this host by `dst`: OUTPUT, routing again if that changed what routing
    /// looks at, then [`Cx::ip_output`]. Kernel: `net/ipv4/ip_output.c, ip_local_out`.
    pub fn ip_local_out(&mut self, ns: NetnsId, skb: Skb, dst: Dst) -> PathResult {
        self.ip_output(ns, skb, dst)
    }

    /// POSTROUTING, fragmentation, neighbour. Kernel: `net/ipv4/ip_output.c, ip_output`.
    pub fn ip_output(&mut self, ns: NetnsId, skb: Skb, _dst: Dst) -> PathResult {
        Err(self.dropped(ns, &skb, DropReason::UnhandledProto))
    }

    /// Chooses the identification of a packet that no connected socket sends: 0 with DF, else
    /// from a generator per destination. Kernel: `include/net/ip.h, ip_select_ident`.
    pub fn ip_select_ident(&mut self, _ns: NetnsId, packet: &mut packet::Packet) {
        packet.id = 0;
    }
}
