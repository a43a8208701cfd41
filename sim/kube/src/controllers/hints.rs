//! Which zone's traffic an endpoint is for: endpoints in proportion to the CPUs of each zone.
//! Kubernetes: `staging/src/k8s.io/endpointslice/topologycache`.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Service};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointHints, EndpointSlice, ForZone};

use super::context::Context;
use super::endpoint_slice::ZONE;
use super::node_lifecycle::is_ready_node;
use super::queue::Controller;
use super::slices::{Plan, SERVICE_NAME};
use crate::api::event::Severity;
use crate::api::{list, namespace_of};
use crate::scheduler::resources::thousandths;

/// How much more than its share an endpoint may get. Kubernetes: `overloadThreshold`.
const OVERLOAD: f64 = 0.2;

const COMPONENT: &str = "endpoint-slice-controller";

/// Each zone's part of all CPUs.
type Ratios = BTreeMap<String, f64>;

/// A zone's endpoints: how many at least and at most, how many exactly.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Allocation {
    minimum: usize,
    maximum: usize,
    desired: f64,
}

/// Whether a Service wants hints.
pub fn wanted(service: &Service) -> bool {
    let annotation = |key: &str| service.metadata.annotations.as_ref().and_then(|all| all.get(key));
    let older = annotation("service.kubernetes.io/topology-aware-hints");
    let mode = older.or_else(|| annotation("service.kubernetes.io/topology-mode"));
    mode.is_some_and(|mode| mode == "Auto" || mode == "auto")
}

/// What of a node the hints depend on: whether it counts, its zone, its CPUs.
pub fn weight(node: &Node) -> Option<(Option<&String>, i64)> {
    let labels = node.metadata.labels.as_ref();
    let has = |label: &str| labels.is_some_and(|labels| labels.contains_key(label));
    if has("node-role.kubernetes.io/control-plane") || has("node-role.kubernetes.io/master") {
        return None;
    }
    let cpu = node.status.as_ref().and_then(|status| status.allocatable.as_ref()?.get("cpu"));
    let zone = labels.and_then(|labels| labels.get(ZONE)).filter(|zone| !zone.is_empty());
    is_ready_node(node).then(|| (zone, cpu.and_then(|cpu| thousandths(&cpu.0)).unwrap_or(0)))
}

/// None if a node doesn't say enough, or if there is one zone only. Kubernetes: `SetNodes`.
fn ratios(nodes: &[Arc<Node>]) -> Option<Ratios> {
    let mut by_zone: BTreeMap<String, i64> = BTreeMap::new();
    for (zone, cpu) in nodes.iter().filter_map(|node| weight(node)) {
        *by_zone.entry(zone.filter(|_| cpu > 0)?.clone()).or_default() += cpu;
    }
    let total: i64 = by_zone.values().sum();
    let ratio = |(zone, cpu): (String, i64)| (zone, float(cpu) / float(total));
    (by_zone.len() >= 2).then(|| by_zone.into_iter().map(ratio).collect())
}

#[expect(clippy::cast_precision_loss, reason = "milli-CPUs and endpoints are far below 2^52")]
fn float(number: i64) -> f64 {
    number as f64
}

fn float_of(count: usize) -> f64 {
    float(i64::try_from(count).unwrap_or(i64::MAX))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast of a float saturates")]
fn ceil(number: f64) -> usize {
    number.ceil() as usize
}

fn allocations(ratios: Option<Ratios>, count: usize) -> Result<BTreeMap<String, Allocation>, String> {
    let Some(ratios) = ratios else {
        let why = "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes";
        return Err(why.to_owned());
    };
    let why = |text: &str| Err(format!("{text} ({count} endpoints, {} zones)", ratios.len()));
    if ratios.len() > count {
        return why("Insufficient number of endpoints");
    }
    let mut found = BTreeMap::new();
    let mut least = 0;
    for (zone, ratio) in &ratios {
        let exact = ratio * float_of(count);
        let minimum = ceil(exact * (1.0 / (1.0 + OVERLOAD)));
        least += minimum;
        let desired = exact.max(float_of(minimum));
        found.insert(zone.clone(), Allocation { minimum, maximum: 0, desired });
    }
    if least > count {
        let text =
            "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold";
        return why(text);
    }
    for allocation in found.values_mut() {
        allocation.maximum = allocation.minimum + count - least;
    }
    Ok(found)
}

fn is_ready(endpoint: &Endpoint) -> bool {
    endpoint.conditions.as_ref().and_then(|conditions| conditions.ready) == Some(true)
}

fn zones(endpoint: &Endpoint) -> Vec<&String> {
    let hints = endpoint.hints.iter().flat_map(|hints| hints.for_zones.iter().flatten());
    hints.map(|zone| &zone.name).collect()
}

fn hint(zone: &str) -> EndpointHints {
    let zone = ForZone { name: zone.to_owned() };
    EndpointHints { for_zones: Some(vec![zone]), ..EndpointHints::default() }
}

/// Takes all hints away.
fn remove(plan: &mut Plan) {
    for slice in plan.create.iter_mut().chain(&mut plan.update) {
        slice.endpoints.iter_mut().for_each(|endpoint| endpoint.hints = None);
    }
    let hinted = |slice: &Arc<EndpointSlice>| slice.endpoints.iter().any(|one| one.hints.is_some());
    let (some, none): (Vec<_>, Vec<_>) = plan.unchanged.drain(..).partition(hinted);
    plan.unchanged = none;
    for slice in some {
        let mut slice = EndpointSlice::clone(&slice);
        slice.endpoints.iter_mut().for_each(|endpoint| endpoint.hints = None);
        plan.update.push(slice);
    }
}

/// How many of an unchanged slice's endpoints are for each zone; none if the slice must change.
/// Kubernetes: `getHintsByZone`.
fn counts(
    slice: &EndpointSlice,
    so_far: &BTreeMap<String, usize>,
    allocations: &BTreeMap<String, Allocation>,
) -> Option<BTreeMap<String, usize>> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for endpoint in slice.endpoints.iter().filter(|endpoint| is_ready(endpoint)) {
        let zones = zones(endpoint);
        if zones.is_empty() {
            return None;
        }
        for zone in zones {
            *counts.entry(zone.clone()).or_default() += 1;
        }
    }
    let fits = |(zone, count): (&String, &usize)| {
        let known = so_far.get(zone).copied().unwrap_or(0);
        allocations.get(zone).is_some_and(|allocation| known + count <= allocation.maximum)
    };
    counts.iter().all(fits).then_some(counts)
}

/// How many endpoints zones give, and how many they get. Kubernetes: `getGivingAndReceivingZones`.
fn exchange(
    allocations: &BTreeMap<String, Allocation>,
    counts: &BTreeMap<String, usize>,
) -> (BTreeMap<String, usize>, BTreeMap<String, usize>) {
    let (mut more, mut less) = (BTreeMap::new(), BTreeMap::new());
    for (zone, allocation) in allocations {
        let have = float_of(counts.get(zone).copied().unwrap_or(0));
        if have > allocation.desired {
            more.insert(zone.clone(), have - allocation.desired);
        } else if have < allocation.desired {
            less.insert(zone.clone(), allocation.desired - have);
        }
    }
    // Of equals the first by name: the real one takes any.
    let most = |zones: &BTreeMap<String, f64>| {
        let mut found: Option<(String, f64)> = None;
        for (zone, number) in zones {
            if *number > found.as_ref().map_or(0.0, |(_, most)| *most) {
                found = Some((zone.clone(), *number));
            }
        }
        found
    };
    let (mut giving, mut receiving) = (BTreeMap::new(), BTreeMap::new());
    while let (Some((giver, give)), Some((receiver, receive))) = (most(&more), most(&less)) {
        if give < 1.0 && receive < 1.0 || give < 0.5 || receive < 0.5 {
            break;
        }
        *giving.entry(giver.clone()).or_insert(0) += 1;
        *receiving.entry(receiver.clone()).or_insert(0) += 1;
        more.entry(giver).and_modify(|number| *number -= 1.0);
        less.entry(receiver).and_modify(|number| *number -= 1.0);
    }
    (giving, receiving)
}

/// Writes the hints; says why it doesn't. Kubernetes: `AddHints`.
fn assign(plan: &mut Plan, ratios: Option<Ratios>) -> Result<(), String> {
    let all = plan.create.iter().chain(&plan.update).chain(plan.unchanged.iter().map(|slice| &**slice));
    let count = all.flat_map(|slice| &slice.endpoints).filter(|endpoint| is_ready(endpoint)).count();
    let allocations = allocations(ratios, count)?;
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for slice in std::mem::take(&mut plan.unchanged) {
        match counts(&slice, &counted, &allocations) {
            Some(counts) => {
                counts.into_iter().for_each(|(zone, count)| *counted.entry(zone).or_default() += count);
                plan.unchanged.push(slice);
            }
            None => plan.update.push(EndpointSlice::clone(&slice)),
        }
    }
    let mut changing: Vec<&mut Endpoint> = plan
        .create
        .iter_mut()
        .chain(&mut plan.update)
        .flat_map(|slice| &mut slice.endpoints)
        .filter(|endpoint| is_ready(endpoint))
        .collect();
    for endpoint in &mut changing {
        let Some(zone) = endpoint.zone.clone().filter(|zone| !zone.is_empty()) else {
            return Err("One or more endpoints do not have a zone specified".to_owned());
        };
        endpoint.hints = Some(hint(&zone));
        *counted.entry(zone).or_default() += 1;
    }
    let (mut giving, mut receiving) = exchange(&allocations, &counted);
    for endpoint in changing {
        let own = endpoint.zone.clone().unwrap_or_default();
        let Some(left) = giving.get_mut(&own).filter(|left| **left > 0) else { continue };
        let Some((zone, open)) = receiving.iter_mut().find(|(_, open)| **open > 0) else { break };
        endpoint.hints = Some(hint(zone));
        *left -= 1;
        *open -= 1;
    }
    if counted.is_empty() { Err("No hints allocated for zones".to_owned()) } else { Ok(()) }
}

/// Adds hints to slices, or takes them away if the Service doesn't want them or it can't be done.
pub fn apply(cx: &mut Context<'_>, service: &Service, plan: &mut Plan, address_type: &str) {
    let known = plan.unchanged.iter().chain(&plan.delete).map(|slice| &**slice);
    let before = cx.sys.store();
    let old = plan.update.iter().filter_map(|slice| {
        crate::api::get::<EndpointSlice>(before, namespace_of(slice), crate::api::name_of(slice))
    });
    let hinted = |slice: &EndpointSlice| slice.endpoints.iter().any(|endpoint| endpoint.hints.is_some());
    let had = known.into_iter().any(hinted) || old.into_iter().any(|slice| hinted(&slice));
    let (severity, reason, message) = if wanted(service) {
        let nodes = list::<Node>(cx.sys.store(), None);
        match assign(plan, ratios(&nodes)) {
            Ok(()) if had => return,
            Ok(()) => {
                let message = "Topology Aware Hints has been enabled".to_owned();
                (Severity::Normal, "TopologyAwareHintsEnabled", message)
            }
            Err(why) => {
                remove(plan);
                (Severity::Warning, "TopologyAwareHintsDisabled", why)
            }
        }
    } else {
        remove(plan);
        if !had {
            return;
        }
        let message = "Topology Aware Hints has been disabled".to_owned();
        (Severity::Warning, "TopologyAwareHintsDisabled", message)
    };
    let message = format!("{message}, addressType: {address_type}");
    cx.report(COMPONENT, service, severity, reason, &message);
}

/// Looks again at the Services whose hints no longer fit the nodes. Kubernetes:
/// `checkNodeTopologyDistribution`.
pub fn sync_nodes(cx: &mut Context<'_>, _: &str, _: &str) {
    let ratios = ratios(&list::<Node>(cx.sys.store(), None)).unwrap_or_default();
    let mut services: BTreeMap<(String, String), BTreeMap<String, usize>> = BTreeMap::new();
    for slice in list::<EndpointSlice>(cx.sys.store(), None) {
        let name = slice.metadata.labels.as_ref().and_then(|labels| labels.get(SERVICE_NAME));
        let Some(name) = name else { continue };
        for zone in slice.endpoints.iter().filter(|endpoint| is_ready(endpoint)).flat_map(zones) {
            let key = (namespace_of(&*slice).to_owned(), name.clone());
            *services.entry(key).or_default().entry(zone.clone()).or_default() += 1;
        }
    }
    for ((namespace, name), counts) in services {
        let total = float_of(counts.values().sum());
        let short = |(zone, ratio): (&String, &f64)| {
            let least = ceil(total * ratio * (1.0 / (1.0 + OVERLOAD)));
            counts.get(zone).is_none_or(|count| *count < least)
        };
        if ratios.is_empty() || ratios.iter().any(short) {
            cx.queue.add(Controller::EndpointSlice, &namespace, &name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `zones` has milli-CPUs by zone, `endpoints` how many are in each; the answer says how many
    /// are for each, and how many moved.
    fn check(zones: &[(&str, i64)], endpoints: &[(&str, usize)], expected: &str) {
        let total: i64 = zones.iter().map(|(_, cpu)| cpu).sum();
        let ratios: Ratios =
            zones.iter().map(|(zone, cpu)| ((*zone).to_owned(), float(*cpu) / float(total))).collect();
        let ready = |zone: &str| Endpoint {
            conditions: serde_json::from_str(r#"{"ready": true}"#).expect("conditions"),
            zone: Some(zone.to_owned()).filter(|zone| !zone.is_empty()),
            ..Endpoint::default()
        };
        let all = endpoints.iter().flat_map(|(zone, count)| (0..*count).map(|_| ready(zone)));
        let slice = EndpointSlice { endpoints: all.collect(), ..EndpointSlice::default() };
        let mut plan = Plan { create: vec![slice], ..Plan::default() };
        let found = assign(&mut plan, Some(ratios).filter(|ratios| ratios.len() > 1)).map(|()| {
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            let mut moved = 0;
            for endpoint in &plan.create[0].endpoints {
                let hint = super::zones(endpoint)[0].clone();
                moved += usize::from(endpoint.zone.as_ref() != Some(&hint));
                *counts.entry(hint).or_default() += 1;
            }
            let counts: Vec<String> = counts.iter().map(|(zone, count)| format!("{zone}:{count}")).collect();
            format!("{} moved {moved}", counts.join(" "))
        });
        assert_eq!(found.unwrap_or_else(|why| why), expected);
    }

    #[test]
    fn zones_get_endpoints_by_their_cpus() {
        let even = &[("a", 4000), ("b", 4000)];
        check(even, &[("a", 3), ("b", 3)], "a:3 b:3 moved 0");
        check(even, &[("a", 4), ("b", 2)], "a:3 b:3 moved 1");
        check(even, &[("a", 6), ("b", 0)], "a:3 b:3 moved 3");
        check(&[("a", 6000), ("b", 2000)], &[("a", 4), ("b", 4)], "a:6 b:2 moved 2");
        let three = &[("a", 1000), ("b", 1000), ("c", 1000)];
        check(three, &[("a", 1), ("b", 1), ("c", 1)], "a:1 b:1 c:1 moved 0");
        check(three, &[("a", 1), ("b", 1)], "Insufficient number of endpoints (2 endpoints, 3 zones)");
        check(
            three,
            &[("a", 2), ("b", 1), ("c", 1)],
            "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (4 \
             endpoints, 3 zones)",
        );
        check(even, &[("", 2), ("b", 2)], "One or more endpoints do not have a zone specified");
        check(
            &[("a", 4000)],
            &[("a", 2)],
            "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes",
        );
    }
}
