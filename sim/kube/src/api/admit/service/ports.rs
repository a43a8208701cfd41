//! Node ports. Kubernetes: `pkg/registry/core/service/portallocator`.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::ServiceSpec;
use world::Sys;

use super::{Given, Invalid, Refused, has_node_ports, is, needs_health_check};

/// The numbers that can be had. A number is given once, whatever the protocol.
struct Ports {
    low: i32,
    high: i32,
    taken: BTreeSet<i32>,
}

impl Ports {
    fn take(&mut self, number: i32) -> Result<(), String> {
        let Self { low, high, taken } = self;
        if !(*low..=*high).contains(&number) {
            let range = format!("The range of valid ports is {low}-{high}");
            return Err(format!("provided port is not in the valid range. {range}"));
        }
        if !taken.insert(number) {
            return Err("provided port is already allocated".to_owned());
        }
        Ok(())
    }

    /// A free number; the first part of the range is left to those who ask for a port.
    fn free(&mut self, sys: &mut dyn Sys) -> Result<i32, String> {
        let size = self.high - self.low + 1;
        let offset = if size < 16 { 0 } else { (size / 32).clamp(16, 128) };
        let upper = size - offset;
        let full = || "range is full".to_owned();
        let start = sys.random() % u64::try_from(upper).map_err(|_| full())?;
        let start = i32::try_from(start).unwrap_or(0);
        let free = |port: &i32| !self.taken.contains(port);
        let found = (0..upper)
            .map(|step| self.low + offset + (start + step) % upper)
            .find(free)
            .or_else(|| (self.low..self.low + offset).find(free));
        let found = found.ok_or_else(full)?;
        self.taken.insert(found);
        Ok(found)
    }
}

fn numbers(spec: &ServiceSpec) -> impl Iterator<Item = i32> {
    spec.ports.iter().flatten().filter_map(|port| port.node_port)
}

/// Gives a Service the ports on nodes that it doesn't have yet.
pub fn allocate(sys: &mut dyn Sys, given: &Given<'_>, spec: &mut ServiceSpec) -> Result<(), Refused> {
    let specs = given.others.iter().filter_map(|service| service.spec.as_ref());
    let taken = specs.flat_map(|spec| numbers(spec).chain(spec.health_check_node_port)).collect();
    let (low, high) = given.settings.node_ports;
    let mut ports = Ports { low: low.into(), high: high.into(), taken };
    if has_node_ports(spec) {
        match given.before {
            None => first(sys, &mut ports, spec)?,
            Some(old) => again(sys, &mut ports, spec, old)?,
        }
    }
    let needed = given.before.is_some_and(needs_health_check);
    if needs_health_check(spec) && !needed {
        health_check(sys, &mut ports, spec).map_err(Refused::Internal)?;
    }
    Ok(())
}

fn may_allocate(spec: &ServiceSpec) -> bool {
    !is(spec, "LoadBalancer") || spec.allocate_load_balancer_node_ports != Some(false)
}

fn wrong(number: usize, value: i32, why: &str) -> Refused {
    Refused::Invalid(vec![Invalid::value(format!("spec.ports[{number}].nodePort"), value, why)])
}

fn none_left(why: &str) -> Refused {
    Refused::Internal(format!("failed to allocate a nodePort: {why}"))
}

/// For a new Service: ports with one number (DNS over UDP and TCP) share a node port. Kubernetes:
/// `initNodePorts`.
fn first(sys: &mut dyn Sys, ports: &mut Ports, spec: &mut ServiceSpec) -> Result<(), Refused> {
    let allowed = may_allocate(spec);
    let mut shared: BTreeMap<i32, i32> = BTreeMap::new();
    let mut asked: BTreeMap<i32, i32> = BTreeMap::new();
    for port in spec.ports.iter().flatten() {
        if let Some(number) = port.node_port {
            asked.entry(port.port).or_insert(number);
        }
    }
    for (number, port) in spec.ports.iter_mut().flatten().enumerate() {
        if port.node_port.is_none() && !allowed {
            continue;
        }
        match (shared.get(&port.port).copied(), port.node_port) {
            (Some(known), own) if own.is_none_or(|own| own == known) => port.node_port = Some(known),
            (Some(_), Some(own)) => ports.take(own).map_err(|why| wrong(number, own, &why))?,
            _ => {
                let chosen = match asked.get(&port.port).copied() {
                    Some(wanted) => {
                        ports.take(wanted).map_err(|why| wrong(number, wanted, &why))?;
                        wanted
                    }
                    None => ports.free(sys).map_err(|why| none_left(&why))?,
                };
                port.node_port = Some(chosen);
                shared.insert(port.port, chosen);
            }
        }
    }
    Ok(())
}

/// For one that changes. Kubernetes: `updateNodePorts`.
fn again(
    sys: &mut dyn Sys,
    ports: &mut Ports,
    spec: &mut ServiceSpec,
    old: &ServiceSpec,
) -> Result<(), Refused> {
    let allowed = may_allocate(spec);
    let mut own: BTreeSet<i32> = numbers(old).collect();
    ports.taken.extend(&own);
    for (number, port) in spec.ports.iter_mut().flatten().enumerate() {
        match port.node_port {
            Some(wanted) if own.insert(wanted) => {
                ports.take(wanted).map_err(|why| wrong(number, wanted, &why))?;
            }
            None if allowed => {
                port.node_port = Some(ports.free(sys).map_err(|why| none_left(&why))?);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Kubernetes: `allocHealthCheckNodePort`.
fn health_check(sys: &mut dyn Sys, ports: &mut Ports, spec: &mut ServiceSpec) -> Result<(), String> {
    match spec.health_check_node_port {
        Some(wanted) => ports
            .take(wanted)
            .map_err(|why| format!("failed to allocate requested HealthCheck NodePort {wanted}: {why}")),
        None => {
            let failed = |why: String| format!("failed to allocate a HealthCheck NodePort 0: {why}");
            spec.health_check_node_port = Some(ports.free(sys).map_err(failed)?);
            Ok(())
        }
    }
}
