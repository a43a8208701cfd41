use std::net::IpAddr;
use std::time::Duration;

use indexmap::IndexMap;
use packet::{DevId, MacAddr, NetnsId, SimTime, Vni};
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use crate::Host;
use crate::device::Traits;
use crate::dump::KindInfo;
use crate::request::{FdbState, VxlanConfig};

/// A VXLAN tunnel endpoint. Kernel: `struct vxlan_dev` in `include/net/vxlan.h`.
#[derive(Clone, Debug)]
pub struct Vxlan {
    /// Parameters.
    pub config: VxlanConfig,
    /// The namespace its outer packets travel in: where it was made.
    pub net: NetnsId,
    /// The device of `dev`.
    pub lower: Option<DevId>,
    /// Forwarding entries in order of addition; the zero address is the default.
    pub fdb: IndexMap<MacAddr, VxlanEntry, FxBuildHasher>,
}

/// Where frames to an address go. Kernel: `struct vxlan_fdb`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VxlanEntry {
    /// How it ages.
    pub state: FdbState,
    /// Every remote gets a copy.
    pub remotes: SmallVec<[Remote; 1]>,
    /// When it was last looked up.
    pub used: SimTime,
    /// When it was made or changed.
    pub updated: SimTime,
}

/// One destination of an entry. Kernel: `struct vxlan_rdst`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Address.
    pub addr: IpAddr,
    /// UDP port, if not the device's.
    pub port: Option<u16>,
    /// VNI, if not the device's.
    pub vni: Option<Vni>,
    /// Output device.
    pub via: Option<DevId>,
}

impl Vxlan {
    pub(super) const NAME: Option<&'static str> = Some("vxlan");

    /// Bytes that encapsulation in IPv4 adds: Ethernet, IP, UDP and VXLAN headers.
    /// Kernel: `vxlan_headroom`.
    pub(crate) const HEADROOM: u32 = 50;

    pub(super) fn traits(&self) -> Traits {
        Traits { tso_max_size: if self.lower.is_some() { 524_280 } else { 65536 }, ..Traits::ETHER }
    }

    pub(super) fn info(&self, host: &Host) -> Option<KindInfo> {
        let link = self.lower.and_then(|dev| host.get_dev(dev)).map(|dev| dev.name.clone());
        Some(KindInfo::Vxlan(VxlanConfig { link, ..self.config.clone() }))
    }

    /// UDP port, host byte order. Kernel: `vxlan_port`, 8472 unless given.
    pub fn port(&self) -> u16 {
        self.config.dstport.filter(|&port| port != 0).unwrap_or(8472)
    }

    /// Whether `entry` has outlived `ageing`. Kernel: `vxlan_cleanup`.
    pub(crate) fn expired(&self, entry: &VxlanEntry, now: SimTime) -> bool {
        entry.state == FdbState::Dynamic
            && self.config.ageing != 0
            && now.since(entry.used) >= Duration::from_secs(u64::from(self.config.ageing))
    }

    /// The living entry of `mac`, marked used. Kernel: `vxlan_find_mac`.
    pub(crate) fn find_mac(&mut self, mac: MacAddr, now: SimTime) -> Option<&VxlanEntry> {
        let entry = self.fdb.get(&mac)?;
        if self.expired(entry, now) {
            self.fdb.shift_remove(&mac);
            return None;
        }
        let entry = self.fdb.get_mut(&mac)?;
        entry.used = now;
        Some(entry)
    }
}
