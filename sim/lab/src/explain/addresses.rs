use ipnet::IpNet;
use kernel::request::{AddrSpec, Lifetimes, LinkChange, Mode, Request};
use kernel::{Device, InterfaceAddr, Scope};
use world::Object;

use super::draft::Draft;

impl Draft<'_> {
    /// Gives the devices their addresses. Loopback devices, which have one by themselves, go up
    /// first.
    pub fn addresses(&mut self) {
        self.part("Addresses");
        for device in self.devices().filter(|device| device.is_loopback() && device.up) {
            let Some(space) = self.space_of(device.netns) else { continue };
            self.change(space, device, vec![LinkChange::Up(true)]);
        }
        let now = self.world.now();
        for device in self.devices() {
            let Some(space) = self.space_of(device.netns) else { continue };
            let Some(own) = self.twin(device.id).map(|twin| twin.addrs.clone()) else { continue };
            for addr in own.iter().filter(|addr| !device.addrs.iter().any(|other| same(addr, other))) {
                let spec = AddrSpec::new(&device.name, addr.local);
                self.ask(space, Request::AddrDel(spec), &[Object::Addr(device.id, addr.local)]);
            }
            for addr in device.addrs.iter().filter(|addr| !own.iter().any(|other| same(addr, other))) {
                let lifetime = addr.lifetime.map(|lifetime| {
                    let (valid, preferred) = lifetime.left(now);
                    Lifetimes { valid, preferred }
                });
                let spec = AddrSpec { lifetime, ..spec(device, addr) };
                let objects = [Object::Addr(device.id, addr.local)];
                self.ask(space, Request::AddrAdd(spec, Mode::Add), &objects);
            }
        }
    }
}

fn same(a: &InterfaceAddr, b: &InterfaceAddr) -> bool {
    a.local == b.local && a.peer == b.peer
}

/// The address as it is asked for, but for its lifetime.
fn spec(device: &Device, addr: &InterfaceAddr) -> AddrSpec {
    let InterfaceAddr { local, peer, broadcast, scope, label, flags, metric, lifetime: _ } = addr;
    let derived = if local.addr().is_loopback() { Scope::HOST } else { Scope::GLOBAL };
    AddrSpec {
        peer: peer.and_then(|peer| IpNet::new(peer, local.prefix_len()).ok()),
        broadcast: *broadcast,
        scope: (*scope != derived).then_some(*scope),
        label: (*label != device.name).then(|| label.clone()),
        noprefixroute: flags.noprefixroute,
        metric: *metric,
        ..AddrSpec::new(&device.name, *local)
    }
}
