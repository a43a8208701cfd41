//! The settings that the IPv4 path asks for, combined as the kernel combines `conf.all` and the
//! device's own. Kernel: `include/linux/inetdevice.h`, `IN_DEV_ORCONF`, `IN_DEV_MAXCONF`.

use std::time::Duration;

use packet::{DevId, NetnsId};

use crate::Host;

impl Host {
    /// `net.ipv4.NAME`.
    pub(crate) fn ipv4_sysctl(&self, ns: NetnsId, name: &str) -> i64 {
        self.ns(ns).sysctl.ipv4(name)
    }

    /// `net.ipv4.conf.DEV.NAME`. Kernel: `IN_DEV_CONF_GET`.
    pub(crate) fn in_dev_conf(&self, dev: DevId, name: &str) -> i64 {
        self.ns(self.dev(dev).netns).sysctl.conf_named(dev, name).1
    }

    /// Set for all or for the device. Kernel: `IN_DEV_ORCONF`.
    pub(crate) fn in_dev_orconf(&self, dev: DevId, name: &str) -> bool {
        let (all, own) = self.ns(self.dev(dev).netns).sysctl.conf_named(dev, name);
        all != 0 || own != 0
    }

    /// The greater of both. Kernel: `IN_DEV_MAXCONF`.
    pub(crate) fn in_dev_maxconf(&self, dev: DevId, name: &str) -> i64 {
        let (all, own) = self.ns(self.dev(dev).netns).sysctl.conf_named(dev, name);
        all.max(own)
    }

    /// Whether packets received on `dev` may be forwarded. Kernel: `IN_DEV_FORWARD`.
    pub(crate) fn in_dev_forward(&self, dev: DevId) -> bool {
        self.ns(self.dev(dev).netns).sysctl.ip_forward(dev)
    }

    /// `net.ipv4.neigh.DEV.NAME`. Kernel: `NEIGH_VAR`.
    pub(crate) fn neigh_var(&self, dev: DevId, name: &str) -> i64 {
        self.ns(self.dev(dev).netns).sysctl.neigh(dev, name)
    }

    /// `net.ipv4.neigh.DEV.NAME`, a number of milliseconds.
    pub(crate) fn neigh_var_ms(&self, dev: DevId, name: &str) -> Duration {
        Duration::from_millis(self.neigh_var(dev, name).max(0) as u64)
    }
}
