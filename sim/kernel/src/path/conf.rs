//! The settings that the IPv4 path asks for, combined as the kernel combines `conf.all` and the
//! device's own. Kernel: `include/linux/inetdevice.h`, `IN_DEV_ORCONF`, `IN_DEV_MAXCONF`.

use std::time::Duration;

use packet::{DevId, NetnsId};

use crate::Host;
use crate::sysctl_keys::{ConfKey, NeighKey};

impl Host {
    /// The number at a place in [`crate::sysctl_keys::KEYS`].
    pub(crate) fn ipv4_sysctl(&self, ns: NetnsId, key: usize) -> i64 {
        self.ns(ns).sysctl.at(key)
    }

    /// `net.ipv4.conf.DEV.NAME`. Kernel: `IN_DEV_CONF_GET`.
    pub(crate) fn in_dev_conf(&self, dev: DevId, key: ConfKey) -> i64 {
        self.ns(self.dev(dev).netns).sysctl.conf_both(dev, key).1
    }

    /// Set for all or for the device. Kernel: `IN_DEV_ORCONF`.
    pub(crate) fn in_dev_orconf(&self, dev: DevId, key: ConfKey) -> bool {
        let (all, own) = self.ns(self.dev(dev).netns).sysctl.conf_both(dev, key);
        all != 0 || own != 0
    }

    /// The greater of both. Kernel: `IN_DEV_MAXCONF`.
    pub(crate) fn in_dev_maxconf(&self, dev: DevId, key: ConfKey) -> i64 {
        let (all, own) = self.ns(self.dev(dev).netns).sysctl.conf_both(dev, key);
        all.max(own)
    }

    /// Whether packets received on `dev` may be forwarded. Kernel: `IN_DEV_FORWARD`.
    pub(crate) fn in_dev_forward(&self, dev: DevId) -> bool {
        self.ns(self.dev(dev).netns).sysctl.ip_forward(dev)
    }

    /// `net.ipv4.neigh.DEV.NAME`. Kernel: `NEIGH_VAR`.
    pub(crate) fn neigh_var(&self, dev: DevId, key: NeighKey) -> i64 {
        i64::from(self.ns(self.dev(dev).netns).sysctl.neigh_at(dev, key))
    }

    /// `net.ipv4.neigh.DEV.NAME`, a number of milliseconds.
    pub(crate) fn neigh_var_ms(&self, dev: DevId, key: NeighKey) -> Duration {
        Duration::from_millis(self.neigh_var(dev, key).max(0) as u64)
    }
}
