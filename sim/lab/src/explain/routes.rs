use kernel::Rule;
use kernel::dump::{NexthopInfo, RouteInfo};
use kernel::request::{Mode, NexthopSpec, Request, RuleSpec};
use packet::NetnsId;
use world::Object;

use super::draft::Draft;

impl Draft<'_> {
    /// Nexthop objects, routes of all tables, and the rules that choose a table.
    pub fn routes(&mut self) {
        self.part("Routes");
        for space in 0..self.spaces.len() {
            self.nexthops_in(space);
            self.routes_in(space);
        }
        self.part("Policy rules");
        for space in 0..self.spaces.len() {
            self.rules_in(space);
        }
    }

    fn nexthops_in(&mut self, space: usize) {
        let netns = self.spaces[space].target;
        let (groups, single): (Vec<NexthopInfo>, Vec<NexthopInfo>) =
            self.target().nexthops(netns).into_iter().partition(|object| object.group.is_some());
        for object in single.into_iter().chain(groups) {
            let NexthopInfo { id, group, via, dev, scope: _, blackhole, onlink, proto } = object;
            let members = group.map(|members| {
                members.into_iter().map(|(id, weight)| (id, (weight != 1).then_some(weight))).collect()
            });
            let spec = NexthopSpec { id: Some(id), via, dev, onlink, blackhole, group: members, proto };
            self.ask(space, Request::NexthopAdd(spec, Mode::Add), &[Object::Nexthop(netns, id)]);
        }
    }

    fn routes_in(&mut self, space: usize) {
        let (target, bare) = (self.spaces[space].target, self.spaces[space].bare);
        let wanted = self.target().routes(target);
        let own = self.bare().routes(bare);
        for route in own.iter().filter(|route| !wanted.iter().any(|other| same(route, other))) {
            self.ask(space, Request::RouteDel(route.spec().brief()), &[object(target, route)]);
        }
        let mut missing: Vec<&RouteInfo> =
            wanted.iter().filter(|route| !own.iter().any(|other| same(route, other))).collect();
        // A gateway must be reachable: those that need another route come after it.
        while !missing.is_empty() {
            let before = missing.len();
            let mut later = Vec::new();
            for route in missing {
                if !self.route(space, target, route) {
                    later.push(route);
                }
            }
            missing = later;
            if missing.len() == before {
                break;
            }
        }
        for route in missing {
            self.ask(space, Request::RouteAdd(route.spec().brief(), Mode::Append), &[object(target, route)]);
        }
    }

    /// Adds a route, after another one that differs in its ways only.
    fn route(&mut self, space: usize, netns: NetnsId, route: &RouteInfo) -> bool {
        for mode in [Mode::Add, Mode::Append] {
            let request = Request::RouteAdd(route.spec().brief(), mode);
            if self.try_out(space, request.clone()).is_ok() {
                let by = self.makers.of(&[object(netns, route)]);
                self.write(space, &request.to_string(), by);
                return true;
            }
        }
        false
    }

    fn rules_in(&mut self, space: usize) {
        let (target, bare) = (self.spaces[space].target, self.spaces[space].bare);
        let (wanted, own) = (self.target().rules(target), self.bare().rules(bare));
        for rule in own.iter().filter(|rule| !wanted.contains(rule)) {
            self.ask(space, Request::RuleDel(rule_spec(rule)), &[Object::rule(target, rule)]);
        }
        for rule in wanted.iter().filter(|rule| !own.contains(rule)) {
            self.ask(space, Request::RuleAdd(rule_spec(rule)), &[Object::rule(target, rule)]);
        }
    }
}

fn rule_spec(rule: &Rule) -> RuleSpec {
    // The tool says which protocol made a rule: its own, unless told otherwise.
    RuleSpec { rule: rule.clone(), priority_given: true, action_given: true, duplicate: false }
}

fn object(netns: NetnsId, route: &RouteInfo) -> Object {
    Object::Route(netns, route.table, route.dst, route.tos, route.metric)
}

/// Whether two routes are the same, whatever the carriers of their devices.
fn same(a: &RouteInfo, b: &RouteInfo) -> bool {
    let plain = |route: &RouteInfo| {
        let mut route = route.clone();
        for way in &mut route.nexthops {
            (way.linkdown, way.dead) = (false, false);
        }
        route
    };
    plain(a) == plain(b)
}
