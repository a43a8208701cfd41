use packet::{DevId, IfIndex, MacAddr, NetnsId};
use trace::Observer;

use crate::device::{DeviceKind, Qdisc, Vxlan, arphrd};
use crate::request::{LinkChange, NetnsRef, Reply, VxlanConfig};
use crate::{Cx, Errno, Host, Refusal};

impl<O: Observer> Cx<'_, O> {
    /// Changes a device, in the kernel's order of attributes. What was done before one is
    /// refused stays done, as in the kernel.
    /// Kernel: `rtnl_changelink`, `do_setlink` in `net/core/rtnetlink.c`.
    pub fn link_set(
        &mut self,
        netns: NetnsId,
        dev: &str,
        changes: Vec<LinkChange>,
    ) -> Result<Reply, Refusal> {
        let dev = self.host.find_dev(netns, dev).ok_or(Errno::NoDev)?;
        self.do_setlink(netns, dev, changes)?;
        Ok(Reply::default())
    }

    /// Carries out `changes` that a process in `netns` asks for.
    pub(crate) fn do_setlink(
        &mut self,
        netns: NetnsId,
        dev: DevId,
        changes: Vec<LinkChange>,
    ) -> Result<(), Refusal> {
        let mut changes = changes;
        changes.sort_by_key(order);
        let rename = changes.iter().find_map(|change| match change {
            LinkChange::Name(name) => Some(name.clone()),
            _ => None,
        });
        for change in changes {
            self.set_one(netns, dev, change, rename.as_deref())?;
        }
        Ok(())
    }

    fn set_one(
        &mut self,
        netns: NetnsId,
        dev: DevId,
        change: LinkChange,
        rename: Option<&str>,
    ) -> Result<(), Refusal> {
        match change {
            LinkChange::Bridge(option) => return self.br_changelink(dev, option),
            LinkChange::Port(option) => return self.br_setport(dev, option),
            LinkChange::Vxlan(config) => return self.vxlan_changelink(dev, config),
            LinkChange::Ipip(config) => return self.ipip_changelink(dev, config),
            LinkChange::Netns(target) => {
                let target = self.host.netns_ref(netns, &target)?;
                return self.dev_change_net_namespace(dev, target, rename);
            }
            LinkChange::Address(mac) => return self.dev_set_mac_address(dev, mac),
            LinkChange::Mtu(mtu) => return self.dev_set_mtu(dev, mtu),
            LinkChange::Name(name) => return self.dev_change_name(dev, &name),
            LinkChange::Master(master) => return self.do_set_master(dev, master.as_deref()),
            LinkChange::Up(true) => return self.dev_open(dev),
            LinkChange::Up(false) => self.dev_close(dev),
            LinkChange::Arp(on) => {
                let changed = self.host.dev(dev).noarp == on;
                self.host.dev_mut(dev).noarp = !on;
                if changed {
                    self.neigh_changeaddr(dev);
                }
            }
            LinkChange::Promisc(on) => {
                let device = self.host.dev_mut(dev);
                if device.promisc != on {
                    device.promisc = on;
                    let count = device.promiscuity;
                    device.promiscuity = if on { count + 1 } else { count.saturating_sub(1) };
                    let verb = if on { "entered" } else { "left" };
                    let line = format!("{}: {verb} promiscuous mode", device.name);
                    if count == u32::from(!on) {
                        self.host.log.log(self.now, line);
                    }
                }
            }
            // On a NIC this is the cable, as the world plugs it.
            LinkChange::Carrier(on) => match self.host.dev(dev).kind {
                DeviceKind::Nic(_) => self.nic_link(dev, on),
                DeviceKind::Dummy(_) => self.set_carrier(&[(dev, on)]),
                _ => return Err(Errno::OpNotSupp.into()),
            },
            LinkChange::AltnameAdd(name) => {
                let netns = self.host.dev(dev).netns;
                if self.host.name_in_use(netns, &name) {
                    return Err(Errno::Exist.into());
                }
                self.host.dev_mut(dev).altnames.push(name);
            }
            LinkChange::AltnameDel(name) => {
                let device = self.host.dev_mut(dev);
                if !device.altnames.contains(&name) {
                    return Err(Errno::NoEnt.into());
                }
                device.altnames.retain(|alt| *alt != name);
            }
            LinkChange::Broadcast(mac) => self.host.dev_mut(dev).broadcast = mac,
            LinkChange::TxQueueLen(len) => self.host.dev_mut(dev).txqueuelen = len,
            LinkChange::Alias(alias) => self.host.dev_mut(dev).alias = (!alias.is_empty()).then_some(alias),
            LinkChange::Group(group) => self.host.dev_mut(dev).group = group,
            LinkChange::Allmulticast(on) => self.host.dev_mut(dev).allmulticast = on,
            LinkChange::Multicast(on) => self.host.dev_mut(dev).multicast = on,
            LinkChange::Dynamic(on) => self.host.dev_mut(dev).dynamic = on,
        }
        Ok(())
    }

    /// Kernel: `dev_set_mac_address`, `eth_mac_addr`.
    fn dev_set_mac_address(&mut self, dev: DevId, mac: MacAddr) -> Result<(), Refusal> {
        let device = self.host.dev(dev);
        if !matches!(device.kind.traits().arphrd, arphrd::ETHER | arphrd::LOOPBACK) {
            return Err(Errno::OpNotSupp.into());
        }
        if mac.is_multicast() || mac.is_zero() {
            return Err(Errno::AddrNotAvail.into());
        }
        let (old, port) = (device.mac, device.master.is_some());
        if self.host.bridge(dev).is_some() {
            if old != mac {
                self.br_stp_change_bridge_id(dev, mac);
            }
        } else {
            self.host.dev_mut(dev).mac = mac;
        }
        self.host.dev_mut(dev).mac_set = true;
        if old != mac {
            if port {
                self.br_fdb_changeaddr(dev, old);
            }
            self.neigh_changeaddr(dev);
            if self.host.dev(dev).up {
                self.inetdev_send_gratuitous_arp(dev);
            }
        }
        Ok(())
    }

    /// Kernel: `dev_set_mtu_ext`, `dev_validate_mtu`.
    fn dev_set_mtu(&mut self, dev: DevId, mtu: u32) -> Result<(), Refusal> {
        let device = self.host.dev(dev);
        if device.mtu == mtu {
            return Ok(());
        }
        dev_validate_mtu(device.kind.traits(), mtu)?;
        if let DeviceKind::Vxlan(vxlan) = &device.kind
            && let Some(lower) = vxlan.lower.and_then(|lower| self.host.get_dev(lower))
            && mtu > lower.mtu.saturating_sub(Vxlan::HEADROOM)
        {
            return Err(Errno::Inval.into());
        }
        if let DeviceKind::Vlan(vlan) = &device.kind
            && self.host.get_dev(vlan.lower).is_some_and(|lower| mtu > lower.mtu)
        {
            return Err(Errno::Range.into());
        }
        let device = self.host.dev_mut(dev);
        device.mtu = mtu;
        let (master, vlans) = (device.master, device.vlans.clone());
        if let DeviceKind::Bridge(bridge) = &mut device.kind {
            bridge.mtu_set = true;
        }
        self.fib_dev_mtu(dev);
        if let Some(br) = master {
            self.br_mtu_auto_adjust(br);
        }
        for (_, vlan) in vlans {
            if self.host.dev(vlan).mtu > mtu {
                self.dev_set_mtu(vlan, mtu)?;
            }
        }
        Ok(())
    }

    /// A renamed device's first address takes its name as label, the others a number with it.
    /// Kernel: `dev_change_name`, `inetdev_changename`.
    fn dev_change_name(&mut self, dev: DevId, name: &str) -> Result<(), Refusal> {
        let device = self.host.dev(dev);
        if device.name == name {
            return Ok(());
        }
        self.host.check_name(device.netns, name)?;
        let device = self.host.dev_mut(dev);
        let old = std::mem::replace(&mut device.name, name.to_owned());
        for (number, addr) in device.addrs.iter_mut().enumerate() {
            let suffix = match addr.label.find(':') {
                Some(colon) => addr.label[colon..].to_owned(),
                None => format!(":{}", number + 1),
            };
            addr.label = if number == 0 { name.to_owned() } else { format!("{name}{suffix}") };
        }
        let while_up = if device.up { " (while UP)" } else { "" };
        let line = format!("{name}: renamed from {old}{while_up}");
        self.host.log.log(self.now, line);
        Ok(())
    }

    /// Kernel: `do_set_master`.
    fn do_set_master(&mut self, dev: DevId, master: Option<&str>) -> Result<(), Refusal> {
        let device = self.host.dev(dev);
        let netns = device.netns;
        let old = device.master;
        let new = match master {
            Some(name) => Some(self.host.find_dev(netns, name).ok_or(Errno::Inval)?),
            None => None,
        };
        if old.is_some() && old == new {
            return Ok(());
        }
        if old.is_some() {
            self.br_del_if(dev);
        }
        match new {
            Some(br) if self.host.bridge(br).is_some() => self.br_add_if(br, dev),
            Some(_) => Err(Errno::OpNotSupp.into()),
            None => Ok(()),
        }
    }

    /// Moves a device: it goes down and loses its addresses, routes, neighbours and bridge, but
    /// keeps name and index if they are free there. Kernel: `dev_change_net_namespace`.
    fn dev_change_net_namespace(
        &mut self,
        dev: DevId,
        target: NetnsId,
        rename: Option<&str>,
    ) -> Result<(), Refusal> {
        let device = self.host.dev(dev);
        if device.kind.traits().netns_immutable {
            return Err(Refusal::because(Errno::Inval, "The interface netns is immutable."));
        }
        let (old, ifindex) = (device.netns, device.ifindex);
        if old == target {
            return Ok(());
        }
        let mut name = device.name.clone();
        if self.host.name_in_use(target, &name) {
            let Some(rename) = rename else {
                let text = "An interface with the same name exists in the target netns.";
                return Err(Refusal::because(Errno::Exist, text));
            };
            self.host.check_name(target, rename)?;
            name = rename.to_owned();
        }
        for alt in &device.altnames {
            if self.host.name_in_use(target, alt) {
                let text = format!("An interface with the altname {alt} exists in the target netns.");
                return Err(Refusal::because(Errno::Exist, text));
            }
        }
        let index = match self.host.dev_index_reserve(target, Some(ifindex.0)) {
            Ok(index) => index,
            Err(_) => self.host.dev_index_reserve(target, None)?,
        };
        self.dev_close(dev);
        self.leave_netns(dev);
        self.relist(dev, target, index, name);
        self.notify_link(dev);
        Ok(())
    }

    fn relist(&mut self, dev: DevId, target: NetnsId, index: IfIndex, name: String) {
        let device = self.host.dev(dev);
        let (old, ifindex) = (device.netns, device.ifindex);
        self.host.ns_mut(old).devices.remove(&ifindex);
        let taps = self.host.packet_taps(target);
        let device = self.host.dev_mut(dev);
        device.taps = taps;
        device.netns = target;
        device.ifindex = index;
        device.name = name;
        device.qdisc = Qdisc::Noop;
        device.fdb_self.clear();
        self.host.ns_mut(target).devices.insert(index, dev);
    }

    /// A NIC of a namespace that goes comes back to the initial one. Kernel:
    /// `default_device_exit_net`.
    pub(crate) fn push_to_init(&mut self, dev: DevId) {
        let device = self.host.dev(dev);
        let fallback = format!("dev{}", device.ifindex.0);
        let fallback = if self.host.name_in_use(NetnsId::INIT, &fallback) {
            self.host.alloc_name(NetnsId::INIT, "dev")
        } else {
            fallback
        };
        let _ = self.dev_change_net_namespace(dev, NetnsId::INIT, Some(&fallback));
    }

    /// Kernel: `vxlan_changelink`, for the parameters that can change.
    fn vxlan_changelink(&mut self, dev: DevId, config: VxlanConfig) -> Result<(), Refusal> {
        let Some(vxlan) = self.host.vxlan_mut(dev) else { return Err(Errno::OpNotSupp.into()) };
        let refuse = |what: &str| Err(Refusal::because(Errno::OpNotSupp, format!("Cannot change {what}.")));
        if config.vni != vxlan.config.vni {
            return refuse("VNI");
        }
        if config.dstport.is_some_and(|port| port != vxlan.port()) {
            return refuse("port");
        }
        vxlan.config =
            VxlanConfig { link: vxlan.config.link.clone(), dstport: vxlan.config.dstport, ..config };
        Ok(())
    }
}

/// Refuses an MTU outside the range of the kind. Kernel: `dev_validate_mtu`.
pub(crate) fn dev_validate_mtu(traits: crate::device::Traits, mtu: u32) -> Result<(), Refusal> {
    if mtu < traits.min_mtu {
        return Err(Refusal::because(Errno::Inval, "mtu less than device minimum."));
    }
    if traits.max_mtu > 0 && mtu > traits.max_mtu {
        return Err(Refusal::because(Errno::Inval, "mtu greater than device maximum."));
    }
    Ok(())
}

/// The kernel's order of attributes, whatever the order of the command.
fn order(change: &LinkChange) -> u8 {
    match change {
        LinkChange::Bridge(_) | LinkChange::Port(_) | LinkChange::Vxlan(_) | LinkChange::Ipip(_) => 0,
        LinkChange::Netns(_) => 1,
        LinkChange::Address(_) => 2,
        LinkChange::Mtu(_) => 3,
        LinkChange::Group(_) => 4,
        LinkChange::Name(_) => 5,
        LinkChange::Alias(_) => 6,
        LinkChange::Broadcast(_) => 7,
        LinkChange::Master(_) => 8,
        LinkChange::Arp(_) | LinkChange::Multicast(_) | LinkChange::Dynamic(_) => 9,
        LinkChange::Up(_) => 10,
        LinkChange::Promisc(_) | LinkChange::Allmulticast(_) => 11,
        LinkChange::Carrier(_) => 12,
        LinkChange::TxQueueLen(_) => 13,
        LinkChange::AltnameAdd(_) | LinkChange::AltnameDel(_) => 14,
    }
}

impl Host {
    /// The device that a command in `netns` calls `name`; alternative names count.
    pub fn find_dev(&self, netns: NetnsId, name: &str) -> Option<DevId> {
        self.dev_by_name(netns, name).or_else(|| {
            let named = |id: &DevId| self.dev(*id).altnames.iter().any(|alt| alt == name);
            self.get_ns(netns)?.devices.values().copied().find(named)
        })
    }

    /// The namespace that a request names. A pid means the initial namespace here: who knows
    /// processes gives [`NetnsRef::Id`].
    pub(crate) fn netns_ref(&self, _from: NetnsId, target: &NetnsRef) -> Result<NetnsId, Refusal> {
        match target {
            NetnsRef::Name(name) => self.netns_names.get(name).copied().ok_or(Errno::Inval.into()),
            NetnsRef::Pid(_) => Ok(NetnsId::INIT),
            NetnsRef::Id(id) if self.get_ns(*id).is_some() => Ok(*id),
            NetnsRef::Id(_) => Err(Errno::Inval.into()),
        }
    }
}
