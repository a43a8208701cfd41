use packet::{DevId, MacAddr, NetnsId};
use smallvec::smallvec;
use trace::Observer;

use crate::device::{BridgeEntry, DeviceKind, Remote, VxlanEntry, arphrd};
use crate::request::{FdbSpec, FdbState, Mode, Reply};
use crate::{Cx, Errno, Refusal};

impl<O: Observer> Cx<'_, O> {
    /// Adds a forwarding entry: to the bridge of a port (`master`), to the device (`self`), or
    /// both. Kernel: `rtnl_fdb_add` in `net/core/rtnetlink.c`.
    pub fn fdb_add(&mut self, netns: NetnsId, spec: FdbSpec, mode: Mode) -> Result<Reply, Refusal> {
        let dev = self.fdb_dev(netns, &spec, "FDB add only supported for Ethernet devices.")?;
        let mut done = false;
        if spec.to_master
            && let Some(br) = self.host.dev(dev).master
        {
            self.br_fdb_add(br, Some(dev), &spec, mode)?;
            done = true;
        }
        if spec.to_self || !spec.to_master {
            match self.host.dev(dev).kind {
                DeviceKind::Vxlan(_) => self.vxlan_fdb_add(netns, dev, &spec, mode)?,
                DeviceKind::Bridge(_) => self.br_fdb_add(dev, None, &spec, mode)?,
                _ => self.dflt_fdb_add(dev, &spec, mode)?,
            }
            done = true;
        }
        if done { Ok(Reply::default()) } else { Err(Errno::OpNotSupp.into()) }
    }

    /// Deletes a forwarding entry. Kernel: `rtnl_fdb_del` in `net/core/rtnetlink.c`.
    pub fn fdb_del(&mut self, netns: NetnsId, spec: FdbSpec) -> Result<Reply, Refusal> {
        let dev = self.fdb_dev(netns, &spec, "FDB delete only supported for Ethernet devices.")?;
        let mut done = false;
        if spec.to_master
            && let Some(br) = self.host.dev(dev).master
        {
            self.br_fdb_delete(br, Some(dev), spec.mac)?;
            done = true;
        }
        if spec.to_self || !spec.to_master {
            match self.host.dev(dev).kind {
                DeviceKind::Vxlan(_) => self.vxlan_fdb_delete(netns, dev, &spec)?,
                DeviceKind::Bridge(_) => self.br_fdb_delete(dev, None, spec.mac)?,
                _ => {
                    let device = self.host.dev_mut(dev);
                    if !device.fdb_self.contains(&spec.mac) {
                        return Err(Errno::NoEnt.into());
                    }
                    device.fdb_self.retain(|mac| *mac != spec.mac);
                }
            }
            done = true;
        }
        if done { Ok(Reply::default()) } else { Err(Errno::OpNotSupp.into()) }
    }

    /// Deletes all entries of a bridge, of one of its ports, or of a vxlan but its default entry.
    /// Kernel: `br_fdb_delete_bulk`, `vxlan_fdb_delete_bulk`.
    pub fn fdb_flush(&mut self, netns: NetnsId, dev: &str, port: Option<&str>) -> Result<Reply, Refusal> {
        let dev = self.host.find_dev(netns, dev).ok_or(Errno::NoDev)?;
        let port = match port {
            Some(port) => Some(self.host.find_dev(netns, port).ok_or(Errno::NoDev)?),
            None => None,
        };
        match &mut self.host.dev_mut(dev).kind {
            DeviceKind::Bridge(bridge) => bridge.fdb.retain(|_, entry| port.is_some() && entry.port != port),
            DeviceKind::Vxlan(vxlan) => vxlan.fdb.retain(|mac, _| mac.is_zero()),
            _ => return Err(Errno::OpNotSupp.into()),
        }
        Ok(Reply::default())
    }

    fn fdb_dev(&self, netns: NetnsId, spec: &FdbSpec, text: &str) -> Result<DevId, Refusal> {
        let dev = self.host.find_dev(netns, &spec.dev).ok_or(Errno::NoDev)?;
        if self.host.dev(dev).kind.traits().arphrd != arphrd::ETHER {
            return Err(Refusal::because(Errno::Inval, text));
        }
        Ok(dev)
    }

    /// Kernel: `br_fdb_add`, `fdb_add_entry` in `net/bridge/br_fdb.c`.
    fn br_fdb_add(
        &mut self,
        br: DevId,
        port: Option<DevId>,
        spec: &FdbSpec,
        mode: Mode,
    ) -> Result<(), Refusal> {
        let now = self.now;
        if spec.mac.is_zero() {
            return Err(Errno::Inval.into());
        }
        let state = port.and_then(|port| self.host.dev(port).port.as_ref()).map_or(3, |port| port.state);
        if port.is_some() && spec.state == FdbState::Dynamic && state != 2 && state != 3 {
            return Err(Errno::Perm.into());
        }
        if port.is_none() && spec.state != FdbState::Permanent {
            return Err(Errno::Inval.into());
        }
        let Some(bridge) = self.host.bridge_mut(br) else { return Err(Errno::OpNotSupp.into()) };
        if bridge.fdb.get(&spec.mac).is_some_and(|entry| bridge.expired(entry, now)) {
            bridge.fdb.shift_remove(&spec.mac);
        }
        let wanted =
            BridgeEntry { port, state: spec.state, extern_learn: spec.extern_learn, used: now, updated: now };
        match (bridge.fdb.get_mut(&spec.mac), mode) {
            (Some(_), Mode::Add) if !spec.extern_learn => return Err(Errno::Exist.into()),
            (Some(entry), _) => {
                let changed = entry.port != port || entry.state != spec.state;
                let updated = if changed { now } else { entry.updated };
                *entry = BridgeEntry { updated, ..wanted };
            }
            (None, Mode::Change) => return Err(Errno::NoEnt.into()),
            (None, _) => {
                bridge.fdb.insert(spec.mac, wanted);
            }
        }
        Ok(())
    }

    /// Kernel: `fdb_delete_by_addr_and_port`.
    fn br_fdb_delete(&mut self, br: DevId, port: Option<DevId>, mac: MacAddr) -> Result<(), Refusal> {
        let now = self.now;
        let Some(bridge) = self.host.bridge_mut(br) else { return Err(Errno::OpNotSupp.into()) };
        match bridge.find(mac, now) {
            Some(entry) if entry.port == port => {
                bridge.fdb.shift_remove(&mac);
                Ok(())
            }
            _ => Err(Errno::NoEnt.into()),
        }
    }

    /// Kernel: `ndo_dflt_fdb_add`.
    fn dflt_fdb_add(&mut self, dev: DevId, spec: &FdbSpec, mode: Mode) -> Result<(), Refusal> {
        if spec.state != FdbState::Permanent {
            return Err(Errno::Inval.into());
        }
        let device = self.host.dev_mut(dev);
        if !device.fdb_self.contains(&spec.mac) {
            device.fdb_self.push(spec.mac);
        } else if mode == Mode::Add {
            return Err(Errno::Exist.into());
        }
        Ok(())
    }

    fn vxlan_remote(&self, netns: NetnsId, spec: &FdbSpec) -> Result<Option<Remote>, Refusal> {
        let via = match &spec.via {
            Some(name) => Some(self.host.find_dev(netns, name).ok_or(Errno::AddrNotAvail)?),
            None => None,
        };
        Ok(spec.dst.map(|addr| Remote { addr, port: spec.port, vni: spec.vni, via }))
    }

    /// Kernel: `vxlan_fdb_add`, `vxlan_fdb_update`.
    fn vxlan_fdb_add(
        &mut self,
        netns: NetnsId,
        dev: DevId,
        spec: &FdbSpec,
        mode: Mode,
    ) -> Result<(), Refusal> {
        let now = self.now;
        let Some(remote) = self.vxlan_remote(netns, spec)? else { return Err(Errno::Inval.into()) };
        let Some(vxlan) = self.host.vxlan_mut(dev) else { return Err(Errno::OpNotSupp.into()) };
        let several = spec.mac.is_multicast() || spec.mac.is_zero();
        if vxlan.fdb.get(&spec.mac).is_some_and(|entry| vxlan.expired(entry, now)) {
            vxlan.fdb.shift_remove(&spec.mac);
        }
        let Some(entry) = vxlan.fdb.get_mut(&spec.mac) else {
            if several && mode == Mode::Replace {
                return Err(Errno::OpNotSupp.into());
            }
            if mode == Mode::Change {
                return Err(Errno::NoEnt.into());
            }
            let entry = VxlanEntry { state: spec.state, remotes: smallvec![remote], used: now, updated: now };
            vxlan.fdb.insert(spec.mac, entry);
            return Ok(());
        };
        match mode {
            Mode::Add => return Err(Errno::Exist.into()),
            Mode::Replace if several => return Err(Errno::OpNotSupp.into()),
            Mode::Replace => entry.remotes = smallvec![remote],
            Mode::Append if several && !entry.remotes.contains(&remote) => entry.remotes.push(remote),
            Mode::Append | Mode::Change | Mode::Prepend | Mode::Test => {}
        }
        if entry.state != spec.state || mode == Mode::Replace {
            entry.updated = now;
        }
        entry.state = spec.state;
        Ok(())
    }

    /// Kernel: `__vxlan_fdb_delete`.
    fn vxlan_fdb_delete(&mut self, netns: NetnsId, dev: DevId, spec: &FdbSpec) -> Result<(), Refusal> {
        let now = self.now;
        let remote = self.vxlan_remote(netns, spec)?;
        let Some(vxlan) = self.host.vxlan_mut(dev) else { return Err(Errno::OpNotSupp.into()) };
        if vxlan.fdb.get(&spec.mac).is_none_or(|entry| vxlan.expired(entry, now)) {
            return Err(Errno::NoEnt.into());
        }
        let Some(entry) = vxlan.fdb.get_mut(&spec.mac) else { return Err(Errno::NoEnt.into()) };
        if let Some(remote) = remote {
            let same = |other: &Remote| other.addr == remote.addr && other.port == remote.port;
            // As in the kernel, an entry without that remote is left alone and it is no error.
            let Some(place) = entry.remotes.iter().position(same) else { return Ok(()) };
            if entry.remotes.len() > 1 {
                entry.remotes.remove(place);
                return Ok(());
            }
        }
        vxlan.fdb.shift_remove(&spec.mac);
        Ok(())
    }
}
