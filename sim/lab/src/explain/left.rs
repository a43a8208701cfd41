use std::fmt::Debug;

use kernel::dump::LinkInfo;
use kernel::request::FdbState;
use kernel::{Device, Nud};
use packet::{DevId, NetnsId};

use super::draft::Draft;
use super::entries;

impl Draft<'_> {
    /// Says what the commands don't reach.
    pub fn left(&mut self) {
        self.part("What no command makes");
        for space in 0..self.spaces.len() {
            let (target, bare) = (self.spaces[space].target, self.spaces[space].bare);
            let whose = self.spaces[space].name.clone().map_or(String::new(), |name| format!("in {name}, "));
            let mut left = self.links_left(target, bare);
            left.extend(self.lists_left(target, bare));
            for text in left {
                self.remark(format!("{whose}{text}"));
            }
        }
    }

    fn links_left(&self, target: NetnsId, bare: NetnsId) -> Vec<String> {
        let (wanted, now) = (self.target().links(target), self.bare().links(bare));
        let mut left = Vec::new();
        for link in &wanted {
            let Some(twin) = now.iter().find(|twin| twin.name == link.name) else {
                left.push(format!("{}: the device", link.name));
                continue;
            };
            let differs = differences(link, twin);
            if !differs.is_empty() {
                left.push(format!("{}: {}", link.name, differs.join(", ")));
            }
        }
        for twin in now.iter().filter(|twin| !wanted.iter().any(|link| link.name == twin.name)) {
            left.push(format!("{}: it is not there", twin.name));
        }
        left
    }

    fn lists_left(&self, target: NetnsId, bare: NetnsId) -> Vec<String> {
        let mut left = Vec::new();
        let (host, twin) = (self.target(), self.bare());
        let addrs = |host: &kernel::Host, netns| {
            let own = |dev: &Device| {
                let plain =
                    dev.addrs.iter().map(|addr| kernel::InterfaceAddr { lifetime: None, ..addr.clone() });
                (dev.name.clone(), plain.collect::<Vec<_>>())
            };
            let devices: Vec<DevId> = host.ns(netns).devices.values().copied().collect();
            devices.into_iter().filter_map(|dev| host.get_dev(dev)).map(own).collect::<Vec<_>>()
        };
        left.extend(unequal("addresses", &addrs(host, target), &addrs(twin, bare)));
        let texts = |host: &kernel::Host, netns| {
            let routes = host.routes(netns);
            routes.iter().map(|route| route.spec().brief().to_string()).collect::<Vec<_>>()
        };
        left.extend(unequal("routes", &texts(host, target), &texts(twin, bare)));
        left.extend(unequal("policy rules", &host.rules(target), &twin.rules(bare)));
        left.extend(unequal("nexthop objects", &host.nexthops(target), &twin.nexthops(bare)));
        let neighbors = |host: &kernel::Host, netns, now| {
            let all = host.neighbours(netns, now).into_iter();
            let kept = all.filter(|neigh| neigh.proxy || neigh.nud == Nud::Permanent);
            kept.map(|neigh| (neigh.addr, neigh.dev, neigh.lladdr)).collect::<Vec<_>>()
        };
        let times = (self.world.now(), self.bare.now());
        left.extend(unequal("neighbors", &neighbors(host, target, times.0), &neighbors(twin, bare, times.1)));
        let (wanted, now) = (host.fdb(target, times.0), twin.fdb(bare, times.1));
        let missing = |entries: &[_], others: &[_]| {
            let stays =
                |entry: &&kernel::dump::FdbInfo| entry.state != FdbState::Dynamic || entry.extern_learn;
            entries.iter().filter(stays).any(|entry| !others.iter().any(|other| entries::same(entry, other)))
        };
        if missing(&wanted, &now) || missing(&now, &wanted) {
            left.push("forwarding entries".to_owned());
        }
        left
    }
}

/// The properties of a device that differ, apart from counters and from what time changes.
fn differences(a: &LinkInfo, b: &LinkInfo) -> Vec<&'static str> {
    let all = [
        ("index", a.ifindex != b.ifindex),
        ("flags", a.flags != b.flags),
        ("MTU", a.mtu != b.mtu),
        ("queueing discipline", a.qdisc != b.qdisc),
        ("master", a.master != b.master),
        ("state", a.operstate != b.operstate),
        ("group", a.group != b.group),
        ("queue length", a.txqueuelen != b.txqueuelen),
        ("address", a.address != b.address || a.tunnel != b.tunnel),
        ("alias", a.alias != b.alias),
        ("kind", a.kind != b.kind),
        ("port settings", a.port != b.port),
        ("promiscuity", a.promiscuity != b.promiscuity),
        ("alternative names", a.altnames != b.altnames),
        ("what it is linked with", a.link_name != b.link_name || a.link != b.link),
    ];
    all.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

fn unequal<T: PartialEq + Debug>(what: &str, wanted: &[T], now: &[T]) -> Option<String> {
    if wanted == now {
        return None;
    }
    let missing = wanted.iter().filter(|item| !now.contains(item));
    let extra = now.iter().filter(|item| !wanted.contains(item));
    let told: Vec<String> = missing
        .map(|item| format!("missing {item:?}"))
        .chain(extra.map(|item| format!("too many {item:?}")))
        .collect();
    Some(if told.is_empty() {
        format!("the order of {what}")
    } else {
        format!("{what}: {}", told.join("; "))
    })
}
