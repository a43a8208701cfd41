use packet::{DevId, NetnsId, VlanProto};
use smallvec::smallvec;
use trace::Observer;

use crate::device::{Bridge, DeviceKind, Dummy, Nic, Remote, Tun, TunnelMade, Veth, Vlan, Vxlan, VxlanEntry};
use crate::link::register::MAX_NEST_DEV;
use crate::link::set::dev_validate_mtu;
use crate::request::{FdbState, LinkAdd, LinkChange, LinkKind, Reply, VethPeer, VxlanConfig};
use crate::{Cx, Errno, Host, Refusal};

/// What a new device is given besides its kind.
pub(super) struct Given<'a> {
    pub name: Option<&'a str>,
    pub mtu: Option<u32>,
    address: Option<packet::MacAddr>,
    txqueuelen: Option<u32>,
    index: Option<u32>,
}

impl<O: Observer> Cx<'_, O> {
    /// Makes a device. Kernel: `rtnl_newlink` in `net/core/rtnetlink.c`.
    pub fn link_add(&mut self, netns: NetnsId, add: LinkAdd) -> Result<Reply, Refusal> {
        let target = match &add.netns {
            Some(target) => self.host.netns_ref(netns, target)?,
            None => netns,
        };
        if let LinkKind::Vlan { proto, id, .. } = &add.kind {
            vlan_validate(*proto, *id)?;
        }
        if let Some(name) = &add.name
            && self.host.find_dev(target, name).is_some()
        {
            let tun = matches!(add.kind, LinkKind::Tun { .. });
            return Err(if tun { Errno::Busy } else { Errno::Exist }.into());
        }
        // Kernel: `__rtnl_newlink` finds the device of that index, which NLM_F_EXCL refuses.
        if let Some(index) = add.index
            && self.host.dev_by_index(target, packet::IfIndex(index)).is_some()
        {
            return Err(Errno::Exist.into());
        }
        let given = Given {
            name: add.name.as_deref(),
            mtu: add.mtu,
            address: add.address,
            txqueuelen: add.txqueuelen,
            index: add.index,
        };
        let (dev, peer) = match add.kind {
            LinkKind::Veth { peer } => {
                let (dev, peer) = self.veth_newlink(netns, target, &given, &peer)?;
                (dev, Some(peer))
            }
            LinkKind::Bridge(options) => {
                let dev =
                    self.rtnl_create_link(target, &given, "bridge", DeviceKind::Bridge(Bridge::default()))?;
                self.br_dev_newlink(dev);
                for option in options {
                    self.undo_on_refusal(dev, |cx| cx.br_changelink(dev, option))?;
                }
                (dev, None)
            }
            LinkKind::Vxlan(config) => (self.vxlan_newlink(netns, target, &given, config)?, None),
            LinkKind::Dummy => {
                (self.rtnl_create_link(target, &given, "dummy", DeviceKind::Dummy(Dummy))?, None)
            }
            LinkKind::Vlan { link, proto, id } => {
                (self.vlan_newlink(netns, target, &given, &link, (proto, id))?, None)
            }
            LinkKind::Ipip(config) => (self.ipip_newlink(netns, target, &given, config)?, None),
            LinkKind::Tun { tap, persist } => {
                let tun = Tun { tap, persist, open: false, queue: Default::default() };
                let dev = self.rtnl_create_link(
                    target,
                    &given,
                    if tap { "tap" } else { "tun" },
                    DeviceKind::Tun(tun),
                )?;
                // Who made it has closed it again.
                self.set_carrier(&[(dev, false)]);
                (dev, None)
            }
            LinkKind::Nic => {
                let dev =
                    self.rtnl_create_link(target, &given, "eth", DeviceKind::Nic(Nic { link: true }))?;
                self.set_carrier(&[(dev, false)]);
                (dev, None)
            }
            LinkKind::Unknown(_) => return Err(Refusal::because(Errno::OpNotSupp, "Unknown device type.")),
        };
        // Kernel: `rtnl_configure_link` sets flags before the master is set.
        let (master, rest): (Vec<_>, Vec<_>) =
            add.changes.into_iter().partition(|change| matches!(change, LinkChange::Master(_)));
        self.undo_on_refusal(dev, |cx| cx.do_setlink(target, dev, rest))?;
        self.notify_link(dev);
        self.undo_on_refusal(dev, |cx| cx.do_setlink(target, dev, master))?;
        let names = std::iter::once(dev).chain(peer).map(|dev| self.host.dev(dev).name.clone()).collect();
        Ok(Reply { names, ..Reply::default() })
    }

    /// Deletes a device. Kernel: `rtnl_dellink` in `net/core/rtnetlink.c`.
    pub fn link_del(&mut self, netns: NetnsId, dev: &str) -> Result<Reply, Refusal> {
        let dev = self.host.find_dev(netns, dev).ok_or(Errno::NoDev)?;
        let device = self.host.dev(dev);
        let fallback =
            matches!(&device.kind, DeviceKind::Ipip(tunnel) if tunnel.made == TunnelMade::Fallback);
        if device.kind.name().is_none() {
            return Err(Errno::OpNotSupp.into());
        }
        // Kernel: `ip_tunnel_dellink` leaves the fallback device alone.
        if !fallback {
            self.unregister_netdevice(dev);
        }
        Ok(Reply::default())
    }

    /// A device whose creation is refused half way is destroyed.
    fn undo_on_refusal(
        &mut self,
        dev: DevId,
        step: impl FnOnce(&mut Self) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let done = step(self);
        if done.is_err() {
            self.unregister_netdevice(dev);
        }
        done
    }

    /// Kernel: `rtnl_create_link`, then `register_netdevice`.
    pub(super) fn rtnl_create_link(
        &mut self,
        netns: NetnsId,
        given: &Given<'_>,
        prefix: &str,
        kind: DeviceKind,
    ) -> Result<DevId, Refusal> {
        if let Some(mtu) = given.mtu {
            dev_validate_mtu(kind.traits(), mtu)?;
        }
        if given.address.is_some_and(|mac| mac.is_multicast() || mac.is_zero()) {
            return Err(Errno::AddrNotAvail.into());
        }
        let pattern = format!("{prefix}%d");
        let dev = self.register_netdevice(netns, given.name.unwrap_or(&pattern), given.index, kind)?;
        let device = self.host.dev_mut(dev);
        if let Some(mtu) = given.mtu {
            device.mtu = mtu;
        }
        if let Some(mac) = given.address {
            device.mac = mac;
            device.mac_set = true;
        }
        if let Some(len) = given.txqueuelen {
            device.txqueuelen = len;
        }
        Ok(dev)
    }

    /// The peer is made first and so gets the lower index. Kernel: `veth_newlink`.
    fn veth_newlink(
        &mut self,
        netns: NetnsId,
        target: NetnsId,
        given: &Given<'_>,
        peer: &VethPeer,
    ) -> Result<(DevId, DevId), Refusal> {
        let peer_netns = match &peer.netns {
            Some(peer_netns) => self.host.netns_ref(netns, peer_netns)?,
            None => netns,
        };
        let peer_given = Given {
            name: peer.name.as_deref(),
            mtu: peer.mtu,
            address: peer.address,
            txqueuelen: peer.txqueuelen,
            index: peer.index,
        };
        // Until both exist, each is its own peer.
        let lone = |host: &Host| Veth { peer: DevId(u32::try_from(host.devices.len()).unwrap_or(u32::MAX)) };
        let kind = DeviceKind::Veth(lone(self.host));
        let other = self.rtnl_create_link(peer_netns, &peer_given, "veth", kind)?;
        let kind = DeviceKind::Veth(Veth { peer: other });
        let dev = match self.rtnl_create_link(target, given, "veth", kind) {
            Ok(dev) => dev,
            Err(refusal) => {
                self.unregister_netdevice(other);
                return Err(refusal);
            }
        };
        if let DeviceKind::Veth(veth) = &mut self.host.dev_mut(other).kind {
            veth.peer = dev;
        }
        self.set_carrier(&[(other, false), (dev, false)]);
        self.undo_on_refusal(dev, |cx| cx.do_setlink(peer_netns, other, peer.changes.clone()))?;
        Ok((dev, other))
    }

    /// The bridge's own address gets its entry. Kernel: `br_dev_newlink`.
    fn br_dev_newlink(&mut self, dev: DevId) {
        let (now, mac) = (self.now, self.host.dev(dev).mac);
        if let Some(bridge) = self.host.bridge_mut(dev) {
            bridge.insert(mac, None, FdbState::Permanent, now);
        }
        if self.host.dev(dev).mac_set {
            self.br_stp_change_bridge_id(dev, mac);
        }
    }

    /// Kernel: `vxlan_newlink`, `vxlan_dev_configure`.
    fn vxlan_newlink(
        &mut self,
        netns: NetnsId,
        target: NetnsId,
        given: &Given<'_>,
        config: VxlanConfig,
    ) -> Result<DevId, Refusal> {
        let lower = match &config.link {
            Some(name) => Some(self.host.find_dev(netns, name).ok_or(Errno::NoDev)?),
            None => None,
        };
        if config.remote.is_some_and(|remote| remote.is_multicast()) && lower.is_none() {
            let text = "Local interface required for multicast remote destination.";
            return Err(Refusal::because(Errno::Inval, text));
        }
        let remote = config.remote.filter(|remote| !remote.is_unspecified());
        let vxlan = Vxlan { config, net: netns, lower, fdb: Default::default() };
        let taken = self.host.devices.iter().flatten().any(|device| {
            matches!(&device.kind, DeviceKind::Vxlan(other)
                if other.net == netns && other.config.vni == vxlan.config.vni && other.port() == vxlan.port())
        });
        if taken {
            let text = "A VXLAN device with the specified VNI already exists.";
            return Err(Refusal::because(Errno::Exist, text));
        }
        let dev = self.rtnl_create_link(target, given, "vxlan", DeviceKind::Vxlan(vxlan))?;
        let room = lower.map(|lower| self.host.dev(lower).mtu.saturating_sub(Vxlan::HEADROOM).max(68));
        let now = self.now;
        let device = self.host.dev_mut(dev);
        if let Some(room) = room {
            device.mtu = given.mtu.map_or(room, |mtu| mtu.min(room));
        }
        if let (DeviceKind::Vxlan(vxlan), Some(addr)) = (&mut device.kind, remote) {
            let remotes = smallvec![Remote { addr, port: None, vni: None, via: lower }];
            let entry = VxlanEntry { state: FdbState::Permanent, remotes, used: now, updated: now };
            vxlan.fdb.insert(packet::MacAddr::ZERO, entry);
        }
        Ok(dev)
    }

    /// Kernel: `vlan_newlink`, `vlan_check_real_dev`.
    fn vlan_newlink(
        &mut self,
        netns: NetnsId,
        target: NetnsId,
        given: &Given<'_>,
        link: &str,
        (proto, id): (VlanProto, Option<u16>),
    ) -> Result<DevId, Refusal> {
        let inval = |text| Err(Refusal::because(Errno::Inval, text));
        let Some(id) = id else { return inval("8021q: VLAN id not specified.") };
        if link.is_empty() {
            return inval("8021q: link not specified.");
        }
        let Some(lower) = self.host.find_dev(netns, link) else {
            return Err(Refusal::because(Errno::NoDev, "8021q: link does not exist."));
        };
        let real = self.host.dev(lower);
        if real.is_loopback() || !real.has_link_header() {
            let text = "8021q: VLANs not supported on device.";
            return Err(Refusal::because(Errno::OpNotSupp, text));
        }
        let place = real.vlans.binary_search_by_key(&(proto, id), |(key, _)| *key);
        let Err(place) = place else {
            return Err(Refusal::because(Errno::Exist, "8021q: VLAN device already exists."));
        };
        let (mac, mtu, carrier) = (real.mac, real.mtu, real.carrier);
        if given.mtu.is_some_and(|given| given > mtu) {
            return Err(Errno::Inval.into());
        }
        if self.host.lower_level(lower) >= MAX_NEST_DEV {
            return Err(Errno::MLink.into());
        }
        let kind = DeviceKind::Vlan(Vlan { lower, proto, id });
        let dev = self.rtnl_create_link(target, given, "vlan", kind)?;
        self.host.dev_mut(lower).vlans.insert(place, ((proto, id), dev));
        let device = self.host.dev_mut(dev);
        if given.address.is_none() {
            device.mac = mac;
        }
        device.mtu = given.mtu.unwrap_or(mtu);
        device.carrier = carrier;
        self.linkwatch(&[dev]);
        Ok(dev)
    }
}

/// Kernel: `vlan_validate`, called before the name is looked up.
fn vlan_validate(proto: VlanProto, id: Option<u16>) -> Result<(), Refusal> {
    match id {
        None if proto == VlanProto::default() => {
            Err(Refusal::because(Errno::Inval, "8021q: VLAN properties not specified."))
        }
        Some(4095..) => Err(Refusal::because(Errno::Range, "8021q: Invalid VLAN id.")),
        None | Some(_) => Ok(()),
    }
}
