//! Settings under /proc/sys/net.

use packet::{DevId, NetnsId};
use trace::Observer;

use crate::{Cx, Errno, Host};

/// The settings of one namespace that differ from the kernel's defaults.
#[derive(Clone, Debug, Default)]
pub struct Sysctls {}

impl Sysctls {
    /// The settings of a new namespace: `conf.all` and `conf.default` are copied from the initial
    /// one. Kernel: `net/ipv4/devinet.c`, `devinet_init_net`.
    pub fn for_new_netns(_init: &Self) -> Self {
        todo!()
    }

    /// The value of a key that holds one number, by its full name; 0 if there is no such key.
    pub fn int(&self, _key: &str) -> i64 {
        todo!()
    }

    /// `conf.DEV.forwarding`. Kernel: `IN_DEV_FORWARD`.
    pub fn ip_forward(&self, _dev: DevId) -> bool {
        todo!()
    }
}

impl Host {
    /// The text that reading the key's file gives, without the final newline.
    pub fn sysctl_get(&self, _ns: NetnsId, _key: &str) -> Result<String, Errno> {
        todo!()
    }

    /// Every key with its text, in the order in which procfs lists them.
    pub fn sysctl_list(&self, _ns: NetnsId) -> Vec<(String, String)> {
        todo!()
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Writes `value` to the key's file.
    pub fn sysctl_set(&mut self, _ns: NetnsId, _key: &str, _value: &str) -> Result<(), Errno> {
        todo!()
    }
}
