use kernel::request::Request;
use packet::NetnsId;
use world::Object;

use super::draft::{Draft, Space};

impl Draft<'_> {
    /// Makes the namespaces, each with a name.
    pub fn namespaces(&mut self) {
        self.part("Namespaces");
        let target = self.target();
        let living: Vec<NetnsId> = target.netns.iter().flatten().map(|netns| netns.id).collect();
        for id in living.into_iter().filter(|id| *id != NetnsId::INIT) {
            let own =
                target.netns_names.iter().find(|(_, netns)| **netns == id).map(|(name, _)| name.clone());
            let place = self.world.place_of_netns(self.host, id);
            let wanted = own.clone().or_else(|| place.clone()).unwrap_or_else(|| format!("ns{}", id.0));
            let wanted = wanted.replace('/', "-");
            let taken = |name: &str| self.spaces.iter().any(|space| space.name.as_deref() == Some(name));
            let name = if taken(&wanted) { format!("{wanted}-{}", id.0) } else { wanted };
            if own.is_none() {
                let whose = place.map_or("a process".to_owned(), |place| format!("`{place}`"));
                self.remark(format!("{name}: it has no name on the host, {whose} keeps it"));
            }
            let by = match own {
                Some(own) => self.makers.of(&[Object::Netns(own)]),
                None => self.makers.of_netns(id),
            };
            if !self.ask_for(0, Request::NetnsAdd { name: name.clone() }, by) {
                continue;
            }
            let Some(bare) = self.bare().netns_names.get(&name).copied() else { continue };
            let lo = target.get_ns(id).zip(self.bare().get_ns(bare)).map(|(a, b)| (a.loopback, b.loopback));
            self.devs.extend(lo);
            self.spaces.push(Space { target: id, bare, name: Some(name) });
        }
    }
}
