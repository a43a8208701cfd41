use kernel::device::TunnelMade;
use kernel::dump::KindInfo;
use kernel::request::{LinkAdd, LinkChange, LinkKind, NetnsRef, Request, TunnelRequest, VethPeer};
use kernel::{Device, DeviceKind, Host};
use packet::{DevId, NetnsId};
use world::Object;

use super::bare::HOST;
use super::draft::Draft;

/// A device that isn't made yet.
struct NotMade;

impl Draft<'_> {
    /// Makes the devices and gives them their properties, all down.
    pub fn links(&mut self) {
        self.part("Devices");
        let mut waiting: Vec<&Device> = self.devices().filter(|device| !device.is_loopback()).collect();
        // A device may stand on one that was made later: as often as there is progress.
        while !waiting.is_empty() {
            let before = waiting.len();
            waiting.retain(|device| !self.link(device));
            if waiting.len() == before {
                break;
            }
        }
        for device in waiting {
            self.remark(format!("{}: what it stands on is missing", device.name));
        }
        for device in self.devices() {
            self.properties(device);
        }
    }

    /// Makes a device, unless it waits for another one.
    fn link(&mut self, device: &Device) -> bool {
        if let DeviceKind::Nic(_) = device.kind {
            self.place_nic(device);
            return true;
        }
        if self.devs.contains_key(&device.id) {
            return true;
        }
        let Some(home) = self.space_of(device.netns) else { return true };
        match &device.kind {
            DeviceKind::Veth(veth) => {
                // The peer is made first.
                let target = self.target();
                let Some(other) = target.get_dev(veth.peer) else { return true };
                let (main, peer) = if other.id < device.id { (device, other) } else { (other, device) };
                self.veth(main, peer);
                true
            }
            DeviceKind::Bridge(bridge) => {
                let target = self.target();
                let follows = |port: &DevId| target.get_dev(*port).is_some_and(|port| port.mac == device.mac);
                let own = device.mac_set || !bridge.ports.iter().any(follows);
                let add = LinkAdd {
                    address: own.then_some(device.mac),
                    ..LinkAdd::new(&device.name, LinkKind::Bridge(Vec::new()))
                };
                self.add(home, device, add);
                true
            }
            DeviceKind::Dummy(_) => {
                let add =
                    LinkAdd { address: Some(device.mac), ..LinkAdd::new(&device.name, LinkKind::Dummy) };
                self.add(home, device, add);
                true
            }
            DeviceKind::Vxlan(vxlan) => {
                let Ok(lower) = self.name_of_lower(vxlan.lower) else { return false };
                // Without a port `ip` prints a warning.
                let dstport = Some(vxlan.port());
                let config = kernel::request::VxlanConfig { link: lower, dstport, ..vxlan.config.clone() };
                let add = LinkAdd {
                    address: Some(device.mac),
                    ..LinkAdd::new(&device.name, LinkKind::Vxlan(config))
                };
                self.add_from(vxlan.net, device, add);
                true
            }
            DeviceKind::Vlan(vlan) => {
                let Some(lower) = self.target().get_dev(vlan.lower) else { return true };
                let Some(twin) = self.twin(lower.id) else { return false };
                let kind = LinkKind::Vlan { link: lower.name.clone(), proto: vlan.proto, id: Some(vlan.id) };
                let address = (twin.mac != device.mac).then_some(device.mac);
                self.add_from(lower.netns, device, LinkAdd { address, ..LinkAdd::new(&device.name, kind) });
                true
            }
            DeviceKind::Ipip(tunnel) => {
                let Ok(link) = self.name_of_lower(tunnel.lower) else { return false };
                let config = kernel::request::TunnelConfig { link, ..tunnel.config.clone() };
                match tunnel.made {
                    TunnelMade::Fallback => self.fallback_tunnel(device),
                    TunnelMade::Netlink => {
                        self.add_from(tunnel.net, device, LinkAdd::new(&device.name, LinkKind::Ipip(config)));
                    }
                    TunnelMade::Ioctl => {
                        let request = TunnelRequest::Add { name: Some(device.name.clone()), config };
                        let space = self.space_of(tunnel.net).unwrap_or(home);
                        self.ask(space, Request::Tunnel(request), &[Object::Link(device.id)]);
                        self.note_twin(home, device);
                    }
                }
                true
            }
            DeviceKind::Tun(tun) => {
                let kind = LinkKind::Tun { tap: tun.tap, persist: true };
                let address = tun.tap.then_some(device.mac);
                if tun.open {
                    let whose = self.makers.of(&[Object::Link(device.id)]);
                    self.remark(format!(
                        "{}: a process has it open ({whose}); without one it has no carrier",
                        device.name
                    ));
                }
                // `ip tuntap add` takes neither index nor MTU.
                let add = LinkAdd::new(&device.name, kind);
                self.ask(home, Request::LinkAdd(add), &[Object::Link(device.id)]);
                self.note_twin(home, device);
                let twin = self.twin(device.id).map(|twin| twin.mac);
                if let Some(mac) = address.filter(|mac| twin != Some(*mac)) {
                    let changes = vec![LinkChange::Address(mac)];
                    let request = Request::LinkSet { dev: device.name.clone(), changes };
                    self.ask(home, request, &[Object::Link(device.id)]);
                }
                true
            }
            DeviceKind::Loopback(_) | DeviceKind::Nic(_) => true,
        }
    }

    /// What the device that another one stands on is called; fails as long as it isn't made.
    fn name_of_lower(&self, lower: Option<DevId>) -> Result<Option<String>, NotMade> {
        match lower {
            Some(lower) if !self.devs.contains_key(&lower) => Err(NotMade),
            lower => Ok(lower.and_then(|lower| name_of(self.target(), lower)).map(str::to_owned)),
        }
    }

    /// `tunl0` comes with the first tunnel of its kind, in every namespace.
    fn fallback_tunnel(&mut self, device: &Device) {
        let Some(home) = self.space_of(device.netns) else { return };
        let netns = self.spaces[home].bare;
        if self.bare().dev_by_name(netns, &device.name).is_none() {
            let add = LinkAdd::new("ipip0", LinkKind::Ipip(kernel::request::TunnelConfig::default()));
            let object = [Object::Link(device.id)];
            let local = Some(std::net::Ipv4Addr::LOCALHOST.into());
            let kind = LinkKind::Ipip(kernel::request::TunnelConfig { local, ..Default::default() });
            self.ask(0, Request::LinkAdd(LinkAdd { kind, ..add }), &object);
            self.ask(0, Request::LinkDel { dev: "ipip0".to_owned() }, &object);
        }
        self.note_twin(home, device);
    }

    /// A NIC is there; it may have been moved and renamed.
    fn place_nic(&mut self, device: &Device) {
        let Some(home) = self.space_of(device.netns) else { return };
        let Some(first) = self.twin(device.id).map(|twin| twin.name.clone()) else { return };
        let mut changes: Vec<LinkChange> =
            self.seen_from_init(home).map(LinkChange::Netns).into_iter().collect();
        if first != device.name {
            changes.push(LinkChange::Name(device.name.clone()));
        }
        if !changes.is_empty() {
            let objects = changes.iter().map(|change| Object::property(device.id, change));
            let objects: Vec<Object> = objects.chain([Object::Link(device.id)]).collect();
            self.ask(0, Request::LinkSet { dev: first, changes }, &objects);
        }
    }

    fn veth(&mut self, main: &Device, peer: &Device) {
        let (Some(home), Some(other)) = (self.space_of(main.netns), self.space_of(peer.netns)) else {
            return;
        };
        let kind = LinkKind::Veth {
            peer: Box::new(VethPeer {
                name: Some(peer.name.clone()),
                netns: self.seen_from_init(other),
                address: Some(peer.mac),
                ..VethPeer::default()
            }),
        };
        // Both ends in one namespace: it is typed there.
        let (space, netns, kind) = match kind {
            LinkKind::Veth { peer } if home == other => {
                (home, None, LinkKind::Veth { peer: Box::new(VethPeer { netns: None, ..*peer }) })
            }
            kind => (0, self.seen_from_init(home), kind),
        };
        let add = LinkAdd { netns, address: Some(main.mac), ..LinkAdd::new(&main.name, kind) };
        let add = self.fitted(space, main, Some(peer), add);
        self.ask(space, Request::LinkAdd(add), &[Object::Link(main.id)]);
        self.note_twin(home, main);
        self.note_twin(other, peer);
    }

    /// How a command in the initial namespace calls another one.
    fn seen_from_init(&self, space: usize) -> Option<NetnsRef> {
        self.spaces[space].name.clone().map(NetnsRef::Name)
    }

    /// Makes a device where it is.
    fn add(&mut self, space: usize, device: &Device, add: LinkAdd) {
        let add = self.fitted(space, device, None, add);
        self.ask(space, Request::LinkAdd(add), &[Object::Link(device.id)]);
        if let Some(home) = self.space_of(device.netns) {
            self.note_twin(home, device);
        }
    }

    /// Makes a device in `net`, from where it may have been moved.
    fn add_from(&mut self, net: NetnsId, device: &Device, add: LinkAdd) {
        let (Some(space), Some(home)) = (self.space_of(net), self.space_of(device.netns)) else {
            let text = "the namespace that it was made in is gone";
            return self.remark(format!("{}: {text}", device.name));
        };
        let netns = match self.seen_from_init(home) {
            _ if space == home => None,
            None => Some(NetnsRef::Pid(1)),
            named => named,
        };
        self.add(space, device, LinkAdd { netns, ..add });
    }

    /// Adds what the kernel would choose otherwise: index, MTU, queue length, options of a bridge.
    fn fitted(&self, space: usize, device: &Device, peer: Option<&Device>, mut add: LinkAdd) -> LinkAdd {
        let mut trial = self.bare.clone();
        let netns = self.spaces[space].bare;
        let made = trial.host(HOST).devices.len();
        if trial.request(HOST, netns, Request::LinkAdd(add.clone()), &mut trace::Off).is_err() {
            return add;
        }
        let host = trial.host(HOST);
        let twin = |wanted: &Device| {
            let mut new = host.devices[made..].iter().flatten();
            new.find(|new| new.name == wanted.name && new.kind.name() == wanted.kind.name()).cloned()
        };
        if let Some(twin) = twin(device) {
            add.index = (twin.ifindex != device.ifindex).then_some(device.ifindex.0);
            add.mtu = (twin.mtu != device.mtu).then_some(device.mtu);
            add.txqueuelen = (twin.txqueuelen != device.txqueuelen).then_some(device.txqueuelen);
            if let (LinkKind::Bridge(options), Some(KindInfo::Bridge(now)), Some(KindInfo::Bridge(wanted))) =
                (&mut add.kind, twin.kind.info(host), device.kind.info(self.target()))
            {
                options.extend(wanted.into_iter().filter(|option| !now.contains(option)));
                // It follows its ports.
                add.mtu = None;
            }
        }
        if let (LinkKind::Veth { peer: spec }, Some(peer)) = (&mut add.kind, peer)
            && let Some(twin) = twin(peer)
        {
            spec.index = (twin.ifindex != peer.ifindex).then_some(peer.ifindex.0);
            spec.mtu = (twin.mtu != peer.mtu).then_some(peer.mtu);
            spec.txqueuelen = (twin.txqueuelen != peer.txqueuelen).then_some(peer.txqueuelen);
        }
        add
    }

    /// Remembers which device of the bare host stands for `device`.
    fn note_twin(&mut self, space: usize, device: &Device) {
        let twin = self.bare().dev_by_name(self.spaces[space].bare, &device.name);
        if let Some(twin) = twin {
            self.devs.insert(device.id, twin);
        }
    }

    /// What differs of a device's own settings. A bridge's address and MTU follow its ports.
    pub fn properties(&mut self, device: &Device) {
        let (Some(twin), Some(space)) = (self.twin(device.id), self.space_of(device.netns)) else { return };
        let bridge = matches!(device.kind, DeviceKind::Bridge(_));
        let mut changes = differences(twin, device);
        changes.retain(|change| !(bridge && matches!(change, LinkChange::Address(_) | LinkChange::Mtu(_))));
        self.change(space, device, changes);
    }

    /// One command for all changes of a device that have the same maker.
    pub fn change(&mut self, space: usize, device: &Device, changes: Vec<LinkChange>) {
        let mut left = changes;
        while let Some(first) = left.first() {
            let maker = |draft: &Self, change: &LinkChange| {
                draft.makers.of(&[Object::property(device.id, change), Object::Link(device.id)])
            };
            let by = maker(self, first);
            let (now, later) = left.into_iter().partition(|change| maker(self, change) == by);
            left = later;
            let request = Request::LinkSet { dev: device.name.clone(), changes: now };
            self.ask_for(space, request, by);
        }
    }
}

/// The changes that make `twin` what `device` is, apart from what others do to it.
fn differences(twin: &Device, device: &Device) -> Vec<LinkChange> {
    let mut changes = Vec::new();
    let mut differ = |differs: bool, change: LinkChange| {
        if differs {
            changes.push(change);
        }
    };
    let has_address = device.kind.traits().arphrd == kernel::device::arphrd::ETHER;
    differ(has_address && twin.mac != device.mac, LinkChange::Address(device.mac));
    differ(twin.broadcast != device.broadcast, LinkChange::Broadcast(device.broadcast));
    differ(twin.mtu != device.mtu, LinkChange::Mtu(device.mtu));
    differ(twin.txqueuelen != device.txqueuelen, LinkChange::TxQueueLen(device.txqueuelen));
    differ(twin.group != device.group, LinkChange::Group(device.group));
    differ(twin.alias != device.alias, LinkChange::Alias(device.alias.clone().unwrap_or_default()));
    differ(twin.noarp != device.noarp, LinkChange::Arp(!device.noarp));
    differ(twin.multicast != device.multicast, LinkChange::Multicast(device.multicast));
    differ(twin.allmulticast != device.allmulticast, LinkChange::Allmulticast(device.allmulticast));
    differ(twin.promisc != device.promisc, LinkChange::Promisc(device.promisc));
    differ(twin.dynamic != device.dynamic, LinkChange::Dynamic(device.dynamic));
    for name in device.altnames.iter().filter(|name| !twin.altnames.contains(name)) {
        differ(true, LinkChange::AltnameAdd(name.clone()));
    }
    match (&twin.kind, &device.kind) {
        (DeviceKind::Nic(now), DeviceKind::Nic(wanted)) => {
            differ(now.link != wanted.link, LinkChange::Carrier(wanted.link));
        }
        (DeviceKind::Dummy(_), DeviceKind::Dummy(_)) => {
            differ(twin.carrier != device.carrier, LinkChange::Carrier(device.carrier));
        }
        _ => {}
    }
    changes
}

/// The name of a device of a host.
pub(super) fn name_of(host: &Host, dev: DevId) -> Option<&str> {
    host.get_dev(dev).map(|device| device.name.as_str())
}
