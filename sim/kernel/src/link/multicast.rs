//! The multicast groups that the kernel itself joins.

use std::net::{Ipv4Addr, Ipv6Addr};

use packet::{DevId, MacAddr, NetnsId};

use crate::Host;
use crate::device::arphrd;
use crate::dump::MaddrInfo;

impl Host {
    /// The multicast addresses that the kernel's own memberships make an Ethernet device accept:
    /// all nodes of IPv6 always, all hosts of IPv4 while it is up, all snoopers on a bridge that
    /// snoops. Kernel: `dev->mc`.
    pub fn dev_mc(&self, dev: DevId) -> Vec<MacAddr> {
        let Some(device) = self.get_dev(dev) else { return Vec::new() };
        if device.kind.traits().arphrd != arphrd::ETHER {
            return Vec::new();
        }
        let mut all = vec![MacAddr([0x33, 0x33, 0, 0, 0, 1])];
        if device.up {
            if self.snoops(dev) {
                all.push(MacAddr([1, 0, 0x5e, 0, 0, 0x6a]));
                all.push(MacAddr([0x33, 0x33, 0, 0, 0, 0x6a]));
            }
            all.push(MacAddr([1, 0, 0x5e, 0, 0, 1]));
        }
        all
    }

    /// The groups of each device in order of index: /proc/net/dev_mcast, igmp and igmp6.
    ///
    /// Simplified: memberships of sockets are not listed.
    pub fn maddrs(&self, netns: NetnsId) -> Vec<MaddrInfo> {
        let Some(ns) = self.get_ns(netns) else { return Vec::new() };
        let devices = ns.devices.values().filter_map(|&dev| self.get_dev(dev));
        let info = |device: &crate::Device| {
            let set = device.fdb_self.iter().filter(|mac| mac.is_multicast()).map(|mac| (*mac, true));
            let mut inet = Vec::new();
            let mut inet6 = Vec::new();
            if device.up {
                inet.push(Ipv4Addr::new(224, 0, 0, 1));
                if self.snoops(device.id) {
                    inet.push(Ipv4Addr::new(224, 0, 0, 106));
                    inet6.push(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x6a));
                }
            }
            inet6.push(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1));
            inet6.push(Ipv6Addr::new(0xff01, 0, 0, 0, 0, 0, 0, 1));
            MaddrInfo {
                ifindex: device.ifindex,
                dev: device.name.clone(),
                link: self.dev_mc(device.id).into_iter().map(|mac| (mac, false)).chain(set).collect(),
                inet,
                inet6,
            }
        };
        devices.map(info).collect()
    }

    fn snoops(&self, dev: DevId) -> bool {
        self.bridge(dev).is_some_and(|bridge| bridge.mcast_snooping != 0)
    }
}
