use kernel::Nud;
use kernel::dump::{FdbInfo, NeighInfo};
use kernel::request::{FdbSpec, FdbState, Mode, NeighSpec, Request};
use packet::{NetnsId, Vni};
use world::Object;

use super::draft::Draft;

impl Draft<'_> {
    /// Neighbours and forwarding entries that nobody learned.
    pub fn entries(&mut self) {
        self.part("Neighbors");
        for space in 0..self.spaces.len() {
            self.neighbors_in(space);
        }
        self.part("Forwarding entries");
        for space in 0..self.spaces.len() {
            self.fdb_in(space);
        }
    }

    fn neighbors_in(&mut self, space: usize) {
        let (target, bare) = (self.spaces[space].target, self.spaces[space].bare);
        let own = self.bare().neighbours(bare, self.bare.now());
        for neigh in self.target().neighbours(target, self.world.now()) {
            let dev = neigh.dev.as_ref().and_then(|dev| self.target().dev_by_name(target, dev));
            let object = Object::Neigh(dev, neigh.addr);
            let asked = self.makers.request(std::slice::from_ref(&object)).is_some();
            let stays = neigh.proxy || neigh.nud == Nud::Permanent || neigh.nud == Nud::Noarp && asked;
            let there = |other: &NeighInfo| {
                (&other.addr, &other.dev, other.proxy) == (&neigh.addr, &neigh.dev, neigh.proxy)
            };
            if !stays || own.iter().any(there) {
                continue;
            }
            let spec = NeighSpec {
                addr: neigh.addr,
                dev: neigh.dev,
                lladdr: neigh.lladdr,
                nud: (neigh.nud == Nud::Noarp).then_some(Nud::Noarp),
                proxy: neigh.proxy,
                router: neigh.router,
                extern_learn: neigh.extern_learn,
            };
            self.ask(space, Request::NeighAdd(spec, Mode::Add), &[object]);
        }
    }

    fn fdb_in(&mut self, space: usize) {
        let (target, bare) = (self.spaces[space].target, self.spaces[space].bare);
        let wanted = self.target().fdb(target, self.world.now());
        let own = self.bare().fdb(bare, self.bare.now());
        for entry in own.iter().filter(|entry| !wanted.iter().any(|other| same(entry, other))) {
            self.ask(space, Request::FdbDel(spec(entry)), &[self.fdb_object(target, entry)]);
        }
        // The newest comes first in a listing.
        let missing = wanted.iter().rev().filter(|entry| !own.iter().any(|other| same(entry, other)));
        for entry in missing.filter(|entry| entry.state != FdbState::Dynamic || entry.extern_learn) {
            let object = self.fdb_object(target, entry);
            let first = !self.bare().fdb(bare, self.bare.now()).iter().any(|other| {
                (other.mac, &other.dev, other.from_self) == (entry.mac, &entry.dev, entry.from_self)
            });
            let mode = if first { Mode::Add } else { Mode::Append };
            self.ask(space, Request::FdbAdd(spec(entry), mode), &[object]);
        }
    }

    fn fdb_object(&self, netns: NetnsId, entry: &FdbInfo) -> Object {
        let dev = self.target().dev_by_name(netns, &entry.dev).unwrap_or(packet::DevId(u32::MAX));
        Object::Fdb(dev, entry.mac)
    }
}

/// Whether two entries are the same, whatever their ages.
pub(super) fn same(a: &FdbInfo, b: &FdbInfo) -> bool {
    FdbInfo { ages: b.ages, learned: b.learned, ..a.clone() } == *b
}

fn spec(entry: &FdbInfo) -> FdbSpec {
    let FdbInfo {
        mac,
        dev,
        from_self,
        master,
        state,
        dst,
        port,
        vni,
        via,
        ages: _,
        learned: _,
        extern_learn,
    } = entry;
    FdbSpec {
        mac: *mac,
        dev: dev.clone(),
        to_self: *from_self || master.as_ref() == Some(dev),
        to_master: !from_self && master.as_ref() != Some(dev),
        state: *state,
        dst: *dst,
        port: *port,
        vni: vni.and_then(Vni::new),
        via: via.clone(),
        vlan: None,
        extern_learn: *extern_learn,
    }
}
