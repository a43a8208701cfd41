use std::collections::BTreeMap;
use std::time::Duration;

use packet::{DevId, NetnsId};
use trace::Observer;

use crate::device::{DeviceKind, Nic};
use crate::request::Reply;
use crate::{Cx, Errno, Host, Refusal, Timer};

/// How long a deleted namespace lives on. Simplified: always the same; the kernel's work queue
/// takes some tens of milliseconds.
const CLEANUP: Duration = Duration::from_millis(50);

impl Host {
    /// The id that `netns` gave to `other`. Kernel: `peernet2id`.
    pub fn peernet2id(&self, netns: NetnsId, other: NetnsId) -> Option<u32> {
        self.get_ns(netns)?.nsids.iter().find(|(_, id)| **id == other).map(|(nsid, _)| *nsid)
    }

    /// The id that `netns` gave to `other`, a new one if there is none: the least that is free.
    /// Kernel: `peernet2id_alloc` in `net/core/net_namespace.c`.
    pub(crate) fn peernet2id_alloc(&mut self, netns: NetnsId, other: NetnsId) -> u32 {
        nsid(&mut self.ns_mut(netns).nsids, other)
    }

    /// What a dump of links, or of `only` one, does besides telling: namespaces of linked devices
    /// get ids. Kernel: `rtnl_fill_link_netnsid`.
    pub fn links_get_nsids(&mut self, netns: NetnsId, only: Option<DevId>) {
        let Some(ns) = self.get_ns(netns) else { return };
        let told = ns.devices.values().copied().filter(|dev| only.is_none_or(|only| only == *dev));
        for dev in told.collect::<Vec<_>>() {
            if let Some(other) = self.link_net(dev) {
                self.peernet2id_alloc(netns, other);
            }
        }
    }

    /// The namespace of the linked device, if it is another than the device's own.
    /// Kernel: `rtnl_link_ops.get_link_net`.
    pub(crate) fn link_net(&self, dev: DevId) -> Option<NetnsId> {
        let device = self.get_dev(dev)?;
        let net = match &device.kind {
            DeviceKind::Veth(veth) => self.get_dev(veth.peer)?.netns,
            DeviceKind::Vlan(vlan) => self.get_dev(vlan.lower)?.netns,
            DeviceKind::Vxlan(vxlan) => vxlan.net,
            DeviceKind::Ipip(tunnel) => tunnel.net,
            DeviceKind::Loopback(_)
            | DeviceKind::Bridge(_)
            | DeviceKind::Nic(_)
            | DeviceKind::Tun(_)
            | DeviceKind::Dummy(_) => return None,
        };
        (net != device.netns).then_some(net)
    }
}

impl<O: Observer> Cx<'_, O> {
    /// Listeners are told of a new or moved device, which gives the namespace of its link an id.
    /// Kernel: `rtmsg_ifinfo`.
    pub(crate) fn notify_link(&mut self, dev: DevId) {
        if let Some(other) = self.host.link_net(dev) {
            let netns = self.host.dev(dev).netns;
            self.host.peernet2id_alloc(netns, other);
        }
    }

    /// Makes a namespace and names it (`ip netns add`).
    pub fn netns_add(&mut self, _netns: NetnsId, name: &str) -> Result<Reply, Refusal> {
        if self.host.netns_names.contains_key(name) {
            return Err(Errno::Exist.into());
        }
        let id = self.host.setup_net();
        self.ipip_init_net(id);
        self.host.netns_names.insert(name.to_owned(), id);
        Ok(Reply::default())
    }

    /// Makes a namespace without a name; it lives as long as a process is in it
    /// (`unshare(CLONE_NEWNET)`).
    pub fn netns_unshare(&mut self) -> NetnsId {
        let id = self.host.setup_net();
        self.ipip_init_net(id);
        id
    }

    /// Names a namespace by a symbolic link to `target`, which doesn't keep it
    /// (`ln -s /proc/PID/ns/net /run/netns/NAME`).
    ///
    /// Simplified: the link goes with its namespace, where Linux leaves it dangling.
    pub fn netns_link(&mut self, name: &str, netns: NetnsId, target: &str) -> Result<(), Errno> {
        if self.host.netns_names.contains_key(name) {
            return Err(Errno::Exist);
        }
        self.host.netns_names.insert(name.to_owned(), netns);
        self.host.netns_links.insert(name.to_owned(), target.to_owned());
        Ok(())
    }

    /// Removes a symbolic link of /run/netns.
    pub fn netns_unlink(&mut self, name: &str) -> Result<(), Errno> {
        self.host.netns_links.remove(name).ok_or(Errno::Busy)?;
        self.host.netns_names.remove(name);
        Ok(())
    }

    /// Removes a namespace's name; the namespace goes when nobody uses it (`ip netns del`).
    pub fn netns_del(&mut self, _netns: NetnsId, name: &str) -> Result<Reply, Refusal> {
        let id = self.host.netns_names.remove(name).ok_or(Errno::NoEnt)?;
        self.host.netns_links.remove(name);
        self.put_net(id);
        Ok(Reply::default())
    }

    /// Gives a named namespace an id in `netns` (`ip netns set`). Kernel: `rtnl_net_newid`.
    pub fn netns_set_id(&mut self, netns: NetnsId, name: &str, id: Option<u32>) -> Result<Reply, Refusal> {
        let other = self.host.netns_names.get(name).copied().ok_or(Errno::NoEnt)?;
        if self.host.peernet2id(netns, other).is_some() {
            return Err(Refusal::because(Errno::Exist, "Peer netns already has a nsid assigned."));
        }
        let Some(id) = id else {
            self.host.peernet2id_alloc(netns, other);
            return Ok(Reply::default());
        };
        let ids = &mut self.host.ns_mut(netns).nsids;
        if ids.contains_key(&id) {
            return Err(Refusal::because(Errno::Exist, "The specified nsid is already used."));
        }
        ids.insert(id, other);
        Ok(Reply::default())
    }

    /// A process enters `netns`: it lives at least until [`Cx::netns_put`].
    pub fn netns_get(&mut self, netns: NetnsId) {
        if self.host.get_ns(netns).is_some() {
            self.host.ns_mut(netns).users += 1;
        }
    }

    /// A process leaves `netns`; a namespace without name and process is cleaned up.
    pub fn netns_put(&mut self, netns: NetnsId) {
        if self.host.get_ns(netns).is_some() {
            let ns = self.host.ns_mut(netns);
            ns.users = ns.users.saturating_sub(1);
            self.put_net(netns);
        }
    }

    fn unused(&self, netns: NetnsId) -> bool {
        netns != NetnsId::INIT
            && self.host.get_ns(netns).is_some_and(|ns| ns.users == 0)
            && !self
                .host
                .netns_names
                .iter()
                .any(|(name, id)| *id == netns && !self.host.netns_links.contains_key(name))
    }

    fn put_net(&mut self, netns: NetnsId) {
        if self.unused(netns) {
            self.arm(CLEANUP, Timer::CleanupNetns(netns));
        }
    }

    /// Destroys what is in a deleted namespace; NICs go back to the initial one. Called by
    /// [`Cx::on_timer`]. Kernel: `cleanup_net` in `net/core/net_namespace.c`.
    pub fn cleanup_net(&mut self, netns: NetnsId) {
        if !self.unused(netns) {
            return;
        }
        self.sockets_netns_gone(netns);
        let links = &self.host.netns_links;
        self.host.netns_names.retain(|name, id| *id != netns || !links.contains_key(name));
        let names = &self.host.netns_names;
        self.host.netns_links.retain(|name, _| names.contains_key(name));
        for ns in self.host.netns.iter_mut().flatten() {
            ns.nsids.retain(|_, id| *id != netns);
        }
        let made_here = |kind: &DeviceKind| match kind {
            DeviceKind::Vxlan(vxlan) => vxlan.net == netns,
            DeviceKind::Ipip(tunnel) => tunnel.net == netns,
            _ => false,
        };
        let doomed: Vec<DevId> = (self.host.devices.iter().flatten())
            .filter(|dev| dev.netns == netns || made_here(&dev.kind))
            .map(|dev| dev.id)
            .collect();
        for dev in doomed {
            match self.host.get_dev(dev).map(|device| &device.kind) {
                Some(DeviceKind::Nic(Nic { .. })) => self.push_to_init(dev),
                Some(_) => self.unregister_netdevice(dev),
                None => {}
            }
        }
        if let Some(slot) = self.host.netns.get_mut(netns.0 as usize) {
            *slot = None;
        }
    }
}

/// The id of `other` in `ids`, the least that is free if it has none yet.
pub(super) fn nsid(ids: &mut BTreeMap<u32, NetnsId>, other: NetnsId) -> u32 {
    if let Some((id, _)) = ids.iter().find(|(_, known)| **known == other) {
        return *id;
    }
    let free = (0..).find(|id| !ids.contains_key(id)).unwrap_or(u32::MAX);
    ids.insert(free, other);
    free
}
