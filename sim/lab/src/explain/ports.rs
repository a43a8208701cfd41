use kernel::device::BridgePort;
use kernel::request::{LinkChange, PortOption, Request};
use kernel::{Device, DeviceKind};
use world::Object;

use super::draft::Draft;
use super::links::name_of;

impl Draft<'_> {
    /// Makes devices ports of their bridges, in the order of their numbers.
    pub fn ports(&mut self) {
        self.part("Ports of bridges");
        for bridge in self.devices() {
            let DeviceKind::Bridge(state) = &bridge.kind else { continue };
            let Some(space) = self.space_of(bridge.netns) else { continue };
            let target = self.target();
            let mut ports: Vec<&Device> =
                state.ports.iter().filter_map(|port| target.get_dev(*port)).collect();
            ports.sort_by_key(|port| port.port.as_ref().map(|port| port.number));
            for port in ports {
                let changes = vec![LinkChange::Master(Some(bridge.name.clone()))];
                let request = Request::LinkSet { dev: port.name.clone(), changes };
                let objects = [Object::Property(port.id, "master".to_owned()), Object::Link(port.id)];
                self.ask(space, request, &objects);
            }
            let Some(twin) = self.twin(bridge.id) else { continue };
            let mut changes = Vec::new();
            if twin.mac != bridge.mac {
                changes.push(LinkChange::Address(bridge.mac));
            }
            if twin.mtu != bridge.mtu {
                changes.push(LinkChange::Mtu(bridge.mtu));
            }
            self.change(space, bridge, changes);
        }
    }

    /// Sets the devices up, and gives the ports of bridges their settings.
    pub fn up(&mut self) {
        self.part("Up");
        for device in self.devices() {
            let Some(space) = self.space_of(device.netns) else { continue };
            let Some(up) = self.twin(device.id).map(|twin| twin.up) else { continue };
            if up != device.up {
                self.change(space, device, vec![LinkChange::Up(device.up)]);
            }
        }
        for device in self.devices() {
            let Some(space) = self.space_of(device.netns) else { continue };
            let twin = self.twin(device.id).and_then(|twin| twin.port.clone());
            let Some((now, wanted)) = twin.zip(device.port.as_ref()) else { continue };
            let options = options(&now, wanted).into_iter().map(LinkChange::Port).collect();
            self.change(space, device, options);
        }
        for device in self.devices() {
            if let Some(lower) = device.master.filter(|_| device.port.is_none()) {
                let master = name_of(self.target(), lower).unwrap_or_default().to_owned();
                self.remark(format!("{}: belongs to {master}, which is no bridge", device.name));
            }
        }
    }
}

/// The settings of a port that differ. The kernel chooses numbers.
fn options(now: &BridgePort, wanted: &BridgePort) -> Vec<PortOption> {
    let BridgePort {
        number: _,
        state,
        cost,
        priority,
        hairpin,
        isolated,
        learning,
        flood,
        mcast_flood,
        bcast_flood,
        guard,
        root_block,
        fast_leave,
        mcast_router,
        proxy_arp,
        neigh_suppress,
    } = wanted;
    let all = [
        (now.state != *state, PortOption::State(*state)),
        (now.cost != *cost, PortOption::Cost(*cost)),
        (now.priority != *priority, PortOption::Priority(*priority)),
        (now.hairpin != *hairpin, PortOption::Hairpin(*hairpin)),
        (now.isolated != *isolated, PortOption::Isolated(*isolated)),
        (now.learning != *learning, PortOption::Learning(*learning)),
        (now.flood != *flood, PortOption::Flood(*flood)),
        (now.mcast_flood != *mcast_flood, PortOption::McastFlood(*mcast_flood)),
        (now.bcast_flood != *bcast_flood, PortOption::BcastFlood(*bcast_flood)),
        (now.guard != *guard, PortOption::Guard(*guard)),
        (now.root_block != *root_block, PortOption::RootBlock(*root_block)),
        (now.fast_leave != *fast_leave, PortOption::FastLeave(*fast_leave)),
        (now.mcast_router != *mcast_router, PortOption::McastRouter(*mcast_router)),
        (now.proxy_arp != *proxy_arp, PortOption::ProxyArp(*proxy_arp)),
        (now.neigh_suppress != *neigh_suppress, PortOption::NeighSuppress(*neigh_suppress)),
    ];
    all.into_iter().filter(|(differs, _)| *differs).map(|(_, option)| option).collect()
}
