//! EndpointSlices from what should be in them. Kubernetes: `staging/src/k8s.io/endpointslice`.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::discovery::v1::{Endpoint, EndpointPort, EndpointSlice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::context::Context;
use crate::api::{create, delete, name_of, namespace_of, update};

/// The label with the name of a slice's Service.
pub const SERVICE_NAME: &str = "kubernetes.io/service-name";
/// The label with who looks after a slice.
pub const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
/// Endpoints in a slice at most. Kubernetes: `--max-endpoints-per-slice`.
const MOST: usize = 100;

/// Endpoints that have the same ports.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Their ports.
    pub ports: Vec<EndpointPort>,
    /// The endpoints; each address once.
    pub endpoints: Vec<Endpoint>,
}

/// What is to be done with the slices of one Service and address type.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// New ones.
    pub create: Vec<EndpointSlice>,
    /// Changed ones.
    pub update: Vec<EndpointSlice>,
    /// Those that may stay as they are.
    pub unchanged: Vec<Arc<EndpointSlice>>,
    /// Those that nobody needs.
    pub delete: Vec<Arc<EndpointSlice>>,
}

/// What tells an endpoint from others.
type Key = (Option<String>, Vec<String>);

fn key(endpoint: &Endpoint) -> Key {
    let uid = endpoint.target_ref.as_ref().and_then(|reference| reference.uid.clone());
    (uid, endpoint.addresses.clone())
}

/// Whether two are the same but for the zones that they are hinted to.
fn same(one: &Endpoint, other: &Endpoint) -> bool {
    let plain = |endpoint: &Endpoint| Endpoint { hints: None, ..endpoint.clone() };
    if one.hints.is_none() && other.hints.is_none() { one == other } else { plain(one) == plain(other) }
}

/// Finds the fewest changes: an endpoint stays in its slice, new ones fill up slices that change
/// anyway, then the one slice that they fit best, then new slices. Kubernetes:
/// `reconcileByPortMapping`.
pub fn plan(
    present: &[Arc<EndpointSlice>],
    wanted: Vec<Group>,
    address_type: &str,
    metadata: &ObjectMeta,
) -> Plan {
    let mut plan = Plan::default();
    let ports = |slice: &EndpointSlice| slice.ports.clone().unwrap_or_default();
    for slice in present {
        if !wanted.iter().any(|group| group.ports == ports(slice)) {
            plan.delete.push(Arc::clone(slice));
        }
    }
    for group in wanted {
        let mine: Vec<_> = present.iter().filter(|slice| ports(slice) == group.ports).collect();
        plan_group(&mut plan, &mine, group, address_type, metadata);
    }
    plan
}

fn plan_group(
    plan: &mut Plan,
    mine: &[&Arc<EndpointSlice>],
    group: Group,
    address_type: &str,
    metadata: &ObjectMeta,
) {
    let is_empty = group.endpoints.is_empty();
    let mut order: Vec<Key> = Vec::new();
    let mut desired: BTreeMap<Key, Endpoint> = BTreeMap::new();
    for endpoint in group.endpoints {
        let key = key(&endpoint);
        if desired.insert(key.clone(), endpoint).is_none() {
            order.push(key);
        }
    }
    let (mut changed, mut unchanged) = (Vec::new(), Vec::new());
    for slice in mine {
        let mut is_changed = false;
        let mut kept = Vec::new();
        for known in &slice.endpoints {
            let Some(found) = desired.remove(&key(known)) else { continue };
            is_changed |= !same(&found, known);
            kept.push(found);
        }
        if kept.len() == slice.endpoints.len() && !is_changed {
            if slice.metadata.labels == metadata.labels {
                unchanged.push(Arc::clone(slice));
            } else {
                changed.push(EndpointSlice::clone(slice));
            }
        } else if kept.is_empty() {
            plan.delete.push(Arc::clone(slice));
        } else {
            changed.push(EndpointSlice { endpoints: kept, ..EndpointSlice::clone(slice) });
        }
    }
    let mut rest: Vec<Endpoint> = order.iter().filter_map(|key| desired.remove(key)).collect();
    changed.sort_by_key(|slice| std::cmp::Reverse(slice.endpoints.len()));
    for slice in &mut changed {
        fill(slice, &mut rest);
    }
    let nothing_yet = is_empty && changed.is_empty() && unchanged.is_empty();
    let mut new = Vec::new();
    while !rest.is_empty() || nothing_yet && new.is_empty() {
        let fits = unchanged
            .iter()
            .enumerate()
            .map(|(at, slice)| (slice.endpoints.len() + rest.len(), at))
            .filter(|(together, _)| *together <= MOST && !rest.is_empty())
            .max_by_key(|(together, at)| (*together, std::cmp::Reverse(*at)));
        if let Some((_, at)) = fits {
            let mut slice = EndpointSlice::clone(&unchanged.remove(at));
            fill(&mut slice, &mut rest);
            changed.push(slice);
        } else {
            let mut slice = EndpointSlice {
                metadata: metadata.clone(),
                address_type: address_type.to_owned(),
                endpoints: Vec::new(),
                ports: Some(group.ports.clone()),
            };
            fill(&mut slice, &mut rest);
            new.push(slice);
        }
    }
    plan.create.extend(new);
    plan.update.extend(changed);
    plan.unchanged.extend(unchanged);
}

fn fill(slice: &mut EndpointSlice, rest: &mut Vec<Endpoint>) {
    let room = MOST.saturating_sub(slice.endpoints.len()).min(rest.len());
    slice.endpoints.extend(rest.drain(..room));
}

impl Plan {
    /// Does it. A slice that would go becomes one that would be new. Kubernetes: `finalize`.
    pub fn carry_out(mut self, cx: &mut Context<'_>, metadata: &ObjectMeta) {
        while !self.create.is_empty() && !self.delete.is_empty() {
            let old = self.delete.remove(0);
            if let Some(new) = self.create.pop() {
                let metadata = old.metadata.clone();
                self.update.push(EndpointSlice { metadata, ..new });
            }
        }
        // A namespace that is going takes nothing new; and what can't be written now is looked at
        // again with the next change.
        for slice in self.create {
            let _ = create(cx.sys, slice);
        }
        for mut slice in self.update {
            slice.metadata.labels.clone_from(&metadata.labels);
            slice.metadata.annotations.clone_from(&metadata.annotations);
            let _ = update(cx.sys, slice);
        }
        for slice in self.delete {
            let _ = delete::<EndpointSlice>(cx.sys, namespace_of(&*slice), name_of(&*slice), None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(numbers: &[usize]) -> Vec<Endpoint> {
        let endpoint = |number: &usize| Endpoint {
            addresses: vec![format!("10.0.{}.{}", number / 250, number % 250)],
            ..Endpoint::default()
        };
        numbers.iter().map(endpoint).collect()
    }

    fn group(port: i32, numbers: &[usize]) -> Group {
        let ports = vec![EndpointPort { port: Some(port), ..EndpointPort::default() }];
        Group { ports, endpoints: endpoints(numbers) }
    }

    /// Slices as `PORT:COUNT`, and the same after `wanted`: created, updated, unchanged, deleted.
    fn check(present: &[(i32, &[usize])], wanted: Vec<Group>, expected: &str) {
        let slice = |(port, numbers): &(i32, &[usize])| {
            let Group { ports, endpoints } = group(*port, numbers);
            Arc::new(EndpointSlice { ports: Some(ports), endpoints, ..EndpointSlice::default() })
        };
        let present: Vec<_> = present.iter().map(slice).collect();
        let plan = plan(&present, wanted, "IPv4", &ObjectMeta::default());
        let show = |slice: &EndpointSlice| {
            let port = slice.ports.iter().flatten().next().and_then(|port| port.port);
            format!("{}:{}", port.unwrap_or(0), slice.endpoints.len())
        };
        let join = |all: Vec<String>| all.join(" ");
        let found = [
            join(plan.create.iter().map(show).collect()),
            join(plan.update.iter().map(show).collect()),
            join(plan.unchanged.iter().map(|slice| show(slice)).collect()),
            join(plan.delete.iter().map(|slice| show(slice)).collect()),
        ];
        assert_eq!(found.join(" | "), expected);
    }

    #[test]
    fn endpoints_stay_where_they_are_and_new_ones_fill_up() {
        let many = |from: usize, to: usize| (from..to).collect::<Vec<_>>();
        let (first, second) = (many(0, 100), many(100, 150));
        check(&[], vec![group(80, &many(0, 250))], "80:100 80:100 80:50 |  |  | ");
        check(&[(80, &[1, 2])], vec![group(80, &[1, 2])], " |  | 80:2 | ");
        // What changes anyway takes the new one; otherwise the fullest that has room.
        check(&[(80, &[1, 2]), (80, &[3])], vec![group(80, &[1, 3, 4])], " | 80:2 | 80:1 | ");
        let all = many(0, 152);
        check(&[(80, &first), (80, &second)], vec![group(80, &all)], " | 80:52 | 80:100 | ");
        // More than fit into one get their own.
        let all = many(0, 210);
        check(&[(80, &first), (80, &second)], vec![group(80, &all)], "80:60 |  | 80:100 80:50 | ");
        // Pods that call their port otherwise are in another slice; a group without pods goes.
        check(&[(80, &[1, 2])], vec![group(80, &[1]), group(81, &[2])], "81:1 | 80:1 |  | ");
        check(&[(80, &[1])], vec![group(81, &[1])], "81:1 |  |  | 80:1");
        check(&[(80, &[])], vec![group(80, &[])], " |  | 80:0 | ");
        check(&[], vec![group(80, &[])], "80:0 |  |  | ");
    }
}
