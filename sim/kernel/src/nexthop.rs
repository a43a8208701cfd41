use std::collections::BTreeMap;
use std::sync::Arc;

use packet::{DevId, NetnsId};

use crate::path::upper_bound;
use crate::{Host, NextHop, RouteProto};

/// Nexthop objects of a namespace. Kernel: `struct netns_nexthop`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Nexthops {
    /// By id.
    pub objects: BTreeMap<u32, Nexthop>,
    /// The id that was chosen last for one that came without.
    pub last_id_allocated: u32,
}

/// A nexthop object. Kernel: `struct nexthop`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Nexthop {
    /// Who made it.
    pub proto: RouteProto,
    pub kind: NexthopKind,
}

/// Kernel: `struct nh_info` or `struct nh_group`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NexthopKind {
    /// Drops; the way is over lo.
    Blackhole(NextHop),
    /// One way.
    Single(NextHop),
    /// Ids of single ones with their weights, from 1.
    Group(Vec<(u32, u32)>),
}

impl Nexthops {
    /// The way of a single object.
    pub(crate) fn single(&self, id: u32) -> Option<&NextHop> {
        match &self.objects.get(&id)?.kind {
            NexthopKind::Blackhole(way) | NexthopKind::Single(way) => Some(way),
            NexthopKind::Group(_) => None,
        }
    }

    /// Kernel: `include/net/nexthop.h`, `nexthop_is_blackhole`.
    pub(crate) fn is_blackhole(&self, id: u32) -> bool {
        match self.objects.get(&id).map(|object| &object.kind) {
            Some(NexthopKind::Blackhole(_)) => true,
            Some(NexthopKind::Group(members)) => match members.as_slice() {
                [(only, _)] => self.is_blackhole(*only),
                _ => false,
            },
            Some(NexthopKind::Single(_)) | None => false,
        }
    }

    /// The ways that a route to this object has; those of a group share the hash by weight,
    /// whether they can be used or not. Kernel: `nh_hthr_group_rebalance`.
    pub(crate) fn ways(&self, id: u32) -> Vec<NextHop> {
        let Some(object) = self.objects.get(&id) else { return Vec::new() };
        let members = match &object.kind {
            NexthopKind::Blackhole(way) | NexthopKind::Single(way) => return vec![way.clone()],
            NexthopKind::Group(members) => members,
        };
        let total = members.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut sum = 0;
        let mut ways = Vec::new();
        for (member, weight) in members {
            sum += u64::from(*weight);
            let upper_bound = Some(upper_bound(sum, total));
            let way = self.single(*member).cloned();
            ways.extend(way.map(|way| NextHop { weight: *weight, upper_bound, ..way }));
        }
        ways
    }

    /// The groups that an object is a member of, by ascending id.
    pub(crate) fn groups_of(&self, id: u32) -> Vec<u32> {
        let holds = |object: &Nexthop| match &object.kind {
            NexthopKind::Group(members) => members.iter().any(|(member, _)| *member == id),
            NexthopKind::Blackhole(_) | NexthopKind::Single(_) => false,
        };
        self.objects.iter().filter(|(_, object)| holds(object)).map(|(id, _)| *id).collect()
    }

    /// The first free id after the one chosen last. Kernel: `nh_find_unused_id`.
    pub(crate) fn find_unused_id(&mut self) -> Option<u32> {
        let start = self.last_id_allocated;
        loop {
            self.last_id_allocated = self.last_id_allocated.wrapping_add(1);
            if self.last_id_allocated == start {
                return None;
            }
            if self.last_id_allocated != 0 && !self.objects.contains_key(&self.last_id_allocated) {
                return Some(self.last_id_allocated);
            }
        }
    }
}

impl Host {
    /// Deletes an object, the routes that use it, and its membership in groups; a group without
    /// members goes too. Kernel: `net/ipv4/nexthop.c`, `remove_nexthop`.
    pub(crate) fn remove_nexthop(&mut self, ns: NetnsId, id: u32) {
        let netns = self.ns_mut(ns);
        let groups = netns.nexthops.groups_of(id);
        if netns.nexthops.objects.remove(&id).is_none() {
            return;
        }
        self.remove_nexthop_fib(ns, id);
        for group in groups {
            let Some(object) = self.ns_mut(ns).nexthops.objects.get_mut(&group) else { continue };
            if let NexthopKind::Group(members) = &mut object.kind {
                members.retain(|(member, _)| *member != id);
                match members.is_empty() {
                    true => self.remove_nexthop(ns, group),
                    false => self.nexthop_changed(ns, group),
                }
            }
        }
    }

    /// Kernel: `net/ipv4/nexthop.c`, `__remove_nexthop_fib`.
    fn remove_nexthop_fib(&mut self, ns: NetnsId, id: u32) {
        let fib = &mut self.ns_mut(ns).fib;
        for (_, table) in &mut fib.tables {
            if table.any(|route| route.nhid == Some(id)) {
                Arc::make_mut(table).retain(|route| route.nhid != Some(id));
            }
        }
    }

    /// Gives the routes that use an object its ways of now; what was learned about them before is
    /// forgotten.
    pub(crate) fn nexthop_changed(&mut self, ns: NetnsId, id: u32) {
        let netns = self.ns_mut(ns);
        let ways = netns.nexthops.ways(id);
        let fib = &mut netns.fib;
        for (_, table) in &mut fib.tables {
            if table.any(|route| route.nhid == Some(id)) {
                Arc::make_mut(table).change_where(
                    |route| route.nhid == Some(id),
                    |route| {
                        route.nexthops.clone_from(&ways);
                        fib.last_info += 1;
                        route.info = fib.last_info;
                    },
                );
            }
        }
    }

    /// A device went down, lost its carrier or goes away. Kernel: `net/ipv4/nexthop.c`,
    /// `nexthop_flush_dev`.
    pub(crate) fn nexthop_flush_dev(&mut self, dev: DevId) {
        let ns = self.dev(dev).netns;
        let over = |object: &Nexthop| matches!(&object.kind, NexthopKind::Single(way) if way.dev == dev);
        let objects = &self.ns(ns).nexthops.objects;
        let gone: Vec<u32> = objects.iter().filter(|(_, object)| over(object)).map(|(id, _)| *id).collect();
        for id in gone {
            self.remove_nexthop(ns, id);
        }
    }
}
