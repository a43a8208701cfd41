//! What a changed Service keeps of what it was given, and what it loses with its type.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::ServiceSpec;

use super::{has_node_ports, is, is_external, needs_health_check};

fn numbers(spec: &ServiceSpec) -> Vec<Option<i32>> {
    spec.ports.iter().flatten().map(|port| port.node_port).collect()
}

/// What a client doesn't say stays as it was: a replaced Service keeps address and ports.
/// Kubernetes: `patchAllocatedValues`.
pub fn keep_allocated(spec: &mut ServiceSpec, old: &ServiceSpec) {
    if !is(old, "ExternalName") && !is(spec, "ExternalName") {
        if spec.cluster_ip.is_none() && spec.cluster_ips.is_none() {
            spec.cluster_ip.clone_from(&old.cluster_ip);
        }
        if spec.cluster_ips.is_none() && spec.cluster_ip == old.cluster_ip {
            spec.cluster_ips.clone_from(&old.cluster_ips);
        }
    }
    if has_node_ports(old) && has_node_ports(spec) {
        let used = |spec: &ServiceSpec| numbers(spec).into_iter().flatten().collect::<BTreeSet<i32>>();
        let mut used: BTreeSet<i32> = used(old).intersection(&used(spec)).copied().collect();
        let by_name: BTreeMap<_, _> =
            old.ports.iter().flatten().map(|port| (port.name.as_deref(), port.node_port)).collect();
        for port in spec.ports.iter_mut().flatten().filter(|port| port.node_port.is_none()) {
            let known = by_name.get(&port.name.as_deref()).copied().flatten();
            port.node_port = known.filter(|number| used.insert(*number));
        }
    }
    if needs_health_check(old) && needs_health_check(spec) && spec.health_check_node_port.is_none() {
        spec.health_check_node_port = old.health_check_node_port;
    }
}

/// `clusterIP` and `clusterIPs` say the same. Kubernetes: `normalizeClusterIPs`.
pub fn join_addresses(spec: &mut ServiceSpec, old: Option<&ServiceSpec>) {
    let Some(old) = old else {
        if spec.cluster_ips.is_none() {
            spec.cluster_ips = spec.cluster_ip.clone().map(|ip| vec![ip]);
        }
        return;
    };
    if spec.cluster_ip == old.cluster_ip {
        return;
    }
    let same = spec.cluster_ips == old.cluster_ips;
    match &spec.cluster_ip {
        None if same => spec.cluster_ips = None,
        Some(ip) if same || spec.cluster_ips.is_none() => match &mut spec.cluster_ips {
            Some(all) if !all.is_empty() => all[0].clone_from(ip),
            _ => spec.cluster_ips = Some(vec![ip.clone()]),
        },
        _ => {}
    }
}

/// What a type doesn't have goes with the change of the type, if nobody touched it. Kubernetes:
/// `dropTypeDependentFields`.
pub fn drop_unneeded(spec: &mut ServiceSpec, old: &ServiceSpec) {
    fn drop_same<T: PartialEq>(new: &mut Option<T>, old: &Option<T>) {
        if new == old {
            *new = None;
        }
    }
    if is(spec, "ExternalName") && !is(old, "ExternalName") {
        if spec.cluster_ips == old.cluster_ips {
            (spec.cluster_ip, spec.cluster_ips) = (None, None);
        }
        drop_same(&mut spec.ip_families, &old.ip_families);
        drop_same(&mut spec.ip_family_policy, &old.ip_family_policy);
    }
    if has_node_ports(old) && !has_node_ports(spec) {
        // A number that is new was asked for, and is refused later.
        let known: BTreeSet<_> = numbers(old).into_iter().collect();
        if numbers(spec).iter().all(|number| known.contains(number)) {
            for port in spec.ports.iter_mut().flatten() {
                port.node_port = None;
            }
        }
    }
    if needs_health_check(old) && !needs_health_check(spec) {
        drop_same(&mut spec.health_check_node_port, &old.health_check_node_port);
    }
    if is(old, "LoadBalancer") && !is(spec, "LoadBalancer") {
        drop_same(&mut spec.allocate_load_balancer_node_ports, &old.allocate_load_balancer_node_ports);
        drop_same(&mut spec.load_balancer_class, &old.load_balancer_class);
    }
    if is_external(old) && !is_external(spec) {
        drop_same(&mut spec.external_traffic_policy, &old.external_traffic_policy);
    }
}
