//! The settings that the IPv4 path asks for, combined as the kernel combines `conf.all` and the
//! device's own. Kernel: `include/linux/inetdevice.h`, `IN_DEV_ORCONF`, `IN_DEV_MAXCONF`.

use std::time::Duration;

use packet::{DevId, NetnsId};

use crate::{Device, DeviceKind, Host};

impl Device {
    /// Kernel: `IFF_LOOPBACK`.
    pub(crate) fn is_loopback(&self) -> bool {
        matches!(self.kind, DeviceKind::Loopback)
    }

    /// Kernel: `IFF_POINTOPOINT`.
    pub(crate) fn is_point_to_point(&self) -> bool {
        false
    }

    /// Whether its packets have an Ethernet header. Kernel: `dev->header_ops`.
    pub(crate) fn has_link_header(&self) -> bool {
        true
    }
}

impl Host {
    /// `net.ipv4.NAME`.
    pub(crate) fn ipv4_sysctl(&self, ns: NetnsId, name: &str) -> i64 {
        self.number(ns, &format!("net.ipv4.{name}"))
    }

    /// `net.ipv4.conf.DEV.NAME`. Kernel: `IN_DEV_CONF_GET`.
    pub(crate) fn in_dev_conf(&self, dev: DevId, name: &str) -> i64 {
        let device = self.dev(dev);
        self.number(device.netns, &format!("net.ipv4.conf.{}.{name}", device.name.replace('.', "/")))
    }

    fn all_conf(&self, dev: DevId, name: &str) -> i64 {
        self.number(self.dev(dev).netns, &format!("net.ipv4.conf.all.{name}"))
    }

    /// Set for all or for the device. Kernel: `IN_DEV_ORCONF`.
    pub(crate) fn in_dev_orconf(&self, dev: DevId, name: &str) -> bool {
        self.all_conf(dev, name) != 0 || self.in_dev_conf(dev, name) != 0
    }

    /// The greater of both. Kernel: `IN_DEV_MAXCONF`.
    pub(crate) fn in_dev_maxconf(&self, dev: DevId, name: &str) -> i64 {
        self.all_conf(dev, name).max(self.in_dev_conf(dev, name))
    }

    /// Whether packets received on `dev` may be forwarded. Kernel: `IN_DEV_FORWARD`.
    pub(crate) fn in_dev_forward(&self, dev: DevId) -> bool {
        self.ns(self.dev(dev).netns).sysctl.ip_forward(dev)
    }

    /// `net.ipv4.neigh.DEV.NAME`. Kernel: `NEIGH_VAR`.
    pub(crate) fn neigh_var(&self, dev: DevId, name: &str) -> i64 {
        let device = self.dev(dev);
        self.number(device.netns, &format!("net.ipv4.neigh.{}.{name}", device.name.replace('.', "/")))
    }

    /// `net.ipv4.neigh.DEV.NAME`, a number of milliseconds.
    pub(crate) fn neigh_var_ms(&self, dev: DevId, name: &str) -> Duration {
        Duration::from_millis(self.neigh_var(dev, name).max(0) as u64)
    }

    fn number(&self, ns: NetnsId, key: &str) -> i64 {
        self.sysctl_get(ns, key).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }
}
