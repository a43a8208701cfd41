use packet::{DevId, NetnsId};
use trace::Observer;

use crate::fib_change::NextHopConfig;
use crate::nexthop::{Nexthop, NexthopKind};
use crate::request::{Mode, NexthopSpec};
use crate::{Cx, Errno, Host, NextHop, Refusal, Scope, TableId};

fn invalid(sentence: &str) -> Refusal {
    Refusal::because(Errno::Inval, sentence)
}

impl<O: Observer> Cx<'_, O> {
    /// Adds or replaces a nexthop object. Kernel: `net/ipv4/nexthop.c`, `rtm_new_nexthop`.
    pub(crate) fn nexthop_add(&mut self, ns: NetnsId, spec: &NexthopSpec, mode: Mode) -> Result<(), Refusal> {
        let host = &mut *self.host;
        let dev = host.rtm_to_nh_config(ns, spec)?;
        let id = match spec.id {
            Some(id) if id != 0 => id,
            _ if mode == Mode::Replace => return Err(invalid("Replace requires nexthop id.")),
            _ => {
                let unused = host.ns_mut(ns).nexthops.find_unused_id();
                unused.ok_or_else(|| invalid("No unused id."))?
            }
        };
        let kind = host.nexthop_create(ns, spec, dev)?;
        host.insert_nexthop(ns, id, Nexthop { proto: spec.proto, kind }, mode)
    }

    /// Deletes a nexthop object with the routes that use it. Kernel: `net/ipv4/nexthop.c`,
    /// `rtm_del_nexthop`.
    pub(crate) fn nexthop_del(&mut self, ns: NetnsId, id: Option<u32>) -> Result<(), Refusal> {
        let id = id.ok_or_else(|| invalid("Nexthop id is missing."))?;
        if id == 0 {
            return Err(invalid("Invalid nexthop id."));
        }
        if !self.host.ns(ns).nexthops.objects.contains_key(&id) {
            return Err(Errno::NoEnt.into());
        }
        self.host.remove_nexthop(ns, id);
        Ok(())
    }
}

impl Host {
    /// Which attributes go together; the device. Kernel: `net/ipv4/nexthop.c`, `rtm_to_nh_config`.
    fn rtm_to_nh_config(&self, ns: NetnsId, spec: &NexthopSpec) -> Result<Option<DevId>, Refusal> {
        let NexthopSpec { id: _, via, dev, onlink, blackhole, group, proto: _ } = spec;
        let has_family = via.is_some() || dev.is_some() || *blackhole;
        if let Some(members) = group {
            if has_family {
                return Err(invalid("Invalid family for group."));
            }
            return self.nh_check_attr_group(ns, members).map(|()| None);
        }
        if !has_family {
            return Err(invalid("Invalid address family."));
        }
        if via.is_some_and(|via| via.is_ipv6()) {
            return Err(Errno::OpNotSupp.into());
        }
        if *blackhole {
            return match via.is_some() || dev.is_some() {
                true => Err(invalid("Blackhole attribute can not be used with gateway, oif, encap or fdb.")),
                false => Ok(Some(self.ns(ns).loopback)),
            };
        }
        let Some(name) = dev else {
            return Err(invalid("Device attribute required for non-blackhole and non-fdb nexthops."));
        };
        let dev = self.dev_by_name(ns, name).ok_or_else(|| invalid("Invalid device index."))?;
        let device = self.dev(dev);
        if !device.up {
            return Err(Refusal::because(Errno::NetDown, "Nexthop device is not up."));
        }
        if !device.carrier {
            return Err(Refusal::because(Errno::NetDown, "Carrier for nexthop device is down."));
        }
        if via.is_none() && *onlink {
            return Err(invalid("ONLINK flag can not be set for nexthop without a gateway."));
        }
        Ok(Some(dev))
    }

    /// Kernel: `net/ipv4/nexthop.c`, `nh_check_attr_group`, `valid_group_nh`.
    fn nh_check_attr_group(&self, ns: NetnsId, members: &[(u32, Option<u32>)]) -> Result<(), Refusal> {
        if members.is_empty() {
            return Err(invalid("Invalid length for nexthop group attribute."));
        }
        for (at, (id, _)) in members.iter().enumerate() {
            if members[at + 1..].iter().any(|(other, _)| other == id) {
                return Err(invalid("Nexthop id can not be used twice in a group."));
            }
        }
        for (id, _) in members {
            match self.ns(ns).nexthops.objects.get(id).map(|object| &object.kind) {
                None => return Err(invalid("Invalid nexthop id.")),
                Some(NexthopKind::Group(_)) => {
                    return Err(invalid("Hash-threshold group can not be a nexthop within a group."));
                }
                Some(NexthopKind::Blackhole(_)) if members.len() > 1 => {
                    return Err(invalid(
                        "Blackhole nexthop can not be used in a group with more than 1 path.",
                    ));
                }
                Some(NexthopKind::Blackhole(_) | NexthopKind::Single(_)) => {}
            }
        }
        Ok(())
    }

    /// Kernel: `net/ipv4/nexthop.c`, `nexthop_create`, `nexthop_create_group`.
    fn nexthop_create(
        &self,
        ns: NetnsId,
        spec: &NexthopSpec,
        dev: Option<DevId>,
    ) -> Result<NexthopKind, Refusal> {
        if let Some(members) = &spec.group {
            return Ok(NexthopKind::Group(
                members.iter().map(|(id, weight)| (*id, weight.unwrap_or(1))).collect(),
            ));
        }
        let via = spec.via.filter(|via| !via.is_unspecified());
        let config = NextHopConfig { dev, via, onlink: spec.onlink, weight: 1 };
        let way = self.fib_check_nh(ns, &config, TableId::MAIN, Scope::GLOBAL)?;
        Ok(if spec.blackhole { NexthopKind::Blackhole(way) } else { NexthopKind::Single(way) })
    }

    /// Kernel: `net/ipv4/nexthop.c`, `insert_nexthop`, `replace_nexthop`.
    fn insert_nexthop(&mut self, ns: NetnsId, id: u32, new: Nexthop, mode: Mode) -> Result<(), Refusal> {
        let nexthops = &self.ns(ns).nexthops;
        if let Some(old) = nexthops.objects.get(&id) {
            if mode != Mode::Replace {
                return Err(Errno::Exist.into());
            }
            let groups = nexthops.groups_of(id);
            self.fib_check_nh_list(ns, id, &new)?;
            for group in &groups {
                let several = nexthops.ways(*group).len() > 1;
                if several && matches!(new.kind, NexthopKind::Blackhole(_)) {
                    return Err(invalid(
                        "Blackhole nexthop can not be a member of a group with more than one path.",
                    ));
                }
                self.fib_check_nh_list(ns, *group, &new)?;
            }
            match (&old.kind, &new.kind) {
                (NexthopKind::Group(_), NexthopKind::Blackhole(_) | NexthopKind::Single(_)) => {
                    return Err(invalid("Can not replace a nexthop group with a nexthop."));
                }
                (NexthopKind::Blackhole(_) | NexthopKind::Single(_), NexthopKind::Group(_)) => {
                    return Err(invalid("Can not replace a nexthop with a nexthop group."));
                }
                _ => {}
            }
            self.ns_mut(ns).nexthops.objects.insert(id, new);
            self.nexthop_changed(ns, id);
            for group in groups {
                self.nexthop_changed(ns, group);
            }
            return Ok(());
        }
        self.ns_mut(ns).nexthops.objects.insert(id, new);
        Ok(())
    }

    /// Whether the routes that use `id` may use `new` in its place.
    /// Kernel: `net/ipv4/nexthop.c`, `fib_check_nh_list`.
    fn fib_check_nh_list(&self, ns: NetnsId, id: u32, new: &Nexthop) -> Result<(), Refusal> {
        let tables = self.ns(ns).fib.tables.iter().flat_map(|(_, table)| table.dump());
        let mut scopes = tables.filter(|route| route.nhid == Some(id)).map(|route| route.scope);
        scopes.try_for_each(|scope| self.fib_check_nexthop(ns, new, scope))
    }

    /// Whether a route of this scope may use the object. Kernel: `net/ipv4/nexthop.c`,
    /// `fib_check_nexthop`, `nexthop_check_scope`.
    pub(crate) fn fib_check_nexthop(
        &self,
        ns: NetnsId,
        object: &Nexthop,
        scope: Scope,
    ) -> Result<(), Refusal> {
        let way: Option<&NextHop> = match &object.kind {
            NexthopKind::Blackhole(way) | NexthopKind::Single(way) => Some(way),
            NexthopKind::Group(_) if scope == Scope::HOST => {
                return Err(invalid("Route with host scope can not have multiple nexthops."));
            }
            NexthopKind::Group(members) => {
                members.first().and_then(|(first, _)| self.ns(ns).nexthops.single(*first))
            }
        };
        let Some(way) = way else { return Ok(()) };
        if scope == Scope::HOST && way.via.is_some() {
            return Err(invalid("Route with host scope can not have a gateway."));
        }
        if way.onlink && scope >= Scope::LINK {
            return Err(invalid("Scope mismatch with nexthop."));
        }
        Ok(())
    }
}
