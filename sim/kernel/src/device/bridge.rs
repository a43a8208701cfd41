use std::time::Duration;

use indexmap::IndexMap;
use packet::{DevId, MacAddr, SimTime};
use rustc_hash::FxBuildHasher;

use crate::Host;
use crate::device::{DeviceKind, Traits};
use crate::dump::KindInfo;
use crate::request::{BridgeOption, FdbState};

/// A bridge. Kernel: `struct net_bridge` in `net/bridge/br_private.h`.
#[derive(Clone, Debug)]
pub struct Bridge {
    /// Its ports, newest first, which is the order of flooding. Kernel: `br->port_list`.
    pub ports: Vec<DevId>,
    /// Forwarding entries in order of addition.
    pub fdb: IndexMap<MacAddr, BridgeEntry, FxBuildHasher>,
    /// Centiseconds until a learned entry is forgotten; 0 learns nothing.
    pub ageing_time: u32,
    /// Centiseconds.
    pub forward_delay: u32,
    /// Centiseconds.
    pub hello_time: u32,
    /// Centiseconds.
    pub max_age: u32,
    /// Simplified: spanning tree is a setting only; ports forward at once.
    pub stp_state: u32,
    /// Bridge priority.
    pub priority: u16,
    /// Simplified: VLAN filtering is a setting only.
    pub vlan_filtering: u8,
    /// Takes part in IGMP. Simplified: keeps no groups, so that multicast is flooded as it is by
    /// a kernel that hears no querier.
    pub mcast_snooping: u8,
    /// Simplified: a setting only.
    pub mcast_querier: u8,
    /// Bridged IPv4 packets meet iptables whatever the sysctl says. Kernel: `BROPT_NF_CALL_IPTABLES`.
    pub nf_call_iptables: u8,
    /// Simplified: a setting only. Kernel: `BROPT_NF_CALL_IP6TABLES`.
    pub nf_call_ip6tables: u8,
    /// Simplified: a setting only. Kernel: `BROPT_NF_CALL_ARPTABLES`.
    pub nf_call_arptables: u8,
    /// The MTU was set by hand and follows the ports no more. Kernel: `BROPT_MTU_SET_BY_USER`.
    pub mtu_set: bool,
}

/// Where frames to an address go. Kernel: `struct net_bridge_fdb_entry`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BridgeEntry {
    /// The port; `None` is the bridge itself. Kernel: `fdb->dst`.
    pub port: Option<DevId>,
    /// Kind: permanent entries are passed up, static ones don't age.
    pub state: FdbState,
    /// Learned by someone outside the kernel; doesn't age. Kernel: `BR_FDB_ADDED_BY_EXT_LEARN`.
    pub extern_learn: bool,
    /// When it last forwarded a frame.
    pub used: SimTime,
    /// When it was made, moved or last seen as a source.
    pub updated: SimTime,
}

impl Default for Bridge {
    /// Kernel: `br_dev_setup`.
    fn default() -> Self {
        Self {
            ports: Vec::new(),
            fdb: IndexMap::default(),
            ageing_time: 30_000,
            forward_delay: 1500,
            hello_time: 200,
            max_age: 2000,
            stp_state: 0,
            priority: 0x8000,
            vlan_filtering: 0,
            mcast_snooping: 1,
            mcast_querier: 0,
            nf_call_iptables: 0,
            nf_call_ip6tables: 0,
            nf_call_arptables: 0,
            mtu_set: false,
        }
    }
}

impl Bridge {
    pub(super) const NAME: Option<&'static str> = Some("bridge");

    pub(super) fn traits(&self) -> Traits {
        Traits { netns_immutable: true, tso_max_size: 524_280, ..Traits::ETHER }
    }

    pub(super) fn info(&self, _: &Host) -> Option<KindInfo> {
        Some(KindInfo::Bridge(vec![
            BridgeOption::ForwardDelay(self.forward_delay),
            BridgeOption::HelloTime(self.hello_time),
            BridgeOption::MaxAge(self.max_age),
            BridgeOption::AgeingTime(self.ageing_time),
            BridgeOption::StpState(self.stp_state),
            BridgeOption::Priority(self.priority),
            BridgeOption::VlanFiltering(self.vlan_filtering),
            BridgeOption::McastSnooping(self.mcast_snooping),
            BridgeOption::McastQuerier(self.mcast_querier),
            BridgeOption::NfCallIptables(self.nf_call_iptables),
            BridgeOption::NfCallIp6tables(self.nf_call_ip6tables),
            BridgeOption::NfCallArptables(self.nf_call_arptables),
        ]))
    }

    /// Whether `entry` has outlived the ageing time. Kernel: `has_expired` in `br_fdb.c`.
    pub(crate) fn expired(&self, entry: &BridgeEntry, now: SimTime) -> bool {
        entry.state == FdbState::Dynamic
            && !entry.extern_learn
            && now.since(entry.updated) >= Duration::from_millis(u64::from(self.ageing_time) * 10)
    }

    /// The living entry of `mac`. Kernel: `br_fdb_find_rcu`.
    pub(crate) fn find(&self, mac: MacAddr, now: SimTime) -> Option<&BridgeEntry> {
        self.fdb.get(&mac).filter(|entry| !self.expired(entry, now))
    }

    /// Learns that `mac` is behind `port`. Kernel: `br_fdb_update`.
    pub(crate) fn learn(&mut self, mac: MacAddr, port: DevId, now: SimTime) {
        if self.ageing_time == 0 {
            return;
        }
        if self.fdb.get(&mac).is_some_and(|entry| self.expired(entry, now)) {
            self.fdb.shift_remove(&mac);
        }
        match self.fdb.get_mut(&mac) {
            Some(entry) if entry.state == FdbState::Permanent => {}
            Some(entry) => {
                entry.updated = now;
                if entry.port != Some(port) {
                    entry.port = Some(port);
                    entry.extern_learn = false;
                }
            }
            None => {
                self.insert(mac, Some(port), FdbState::Dynamic, now);
            }
        }
    }

    /// Adds or replaces the entry of `mac`.
    pub(crate) fn insert(&mut self, mac: MacAddr, port: Option<DevId>, state: FdbState, now: SimTime) {
        self.fdb.insert(mac, BridgeEntry { port, state, extern_learn: false, used: now, updated: now });
    }

    /// Adds the own address of a port or, without `port`, of the bridge. Who shares an address
    /// leaves it to the first. Kernel: `fdb_add_local`.
    pub(crate) fn add_local(&mut self, mac: MacAddr, port: Option<DevId>, now: SimTime) {
        if !self.fdb.get(&mac).is_some_and(|entry| entry.state == FdbState::Permanent) {
            self.insert(mac, port, FdbState::Permanent, now);
        }
    }

    /// Forgets the entries of `port`: the learned ones, or all. Kernel: `br_fdb_delete_by_port`.
    pub(crate) fn forget_port(&mut self, port: DevId, all: bool) {
        self.fdb.retain(|_, entry| entry.port != Some(port) || !all && entry.state != FdbState::Dynamic);
    }
}

impl Host {
    /// The bridge state of `dev`, if it is one.
    pub(crate) fn bridge(&self, dev: DevId) -> Option<&Bridge> {
        match &self.get_dev(dev)?.kind {
            DeviceKind::Bridge(bridge) => Some(bridge),
            _ => None,
        }
    }

    /// The bridge state of `dev`, if it is one.
    pub(crate) fn bridge_mut(&mut self, dev: DevId) -> Option<&mut Bridge> {
        match &mut self.get_dev_mut(dev)?.kind {
            DeviceKind::Bridge(bridge) => Some(bridge),
            _ => None,
        }
    }
}
