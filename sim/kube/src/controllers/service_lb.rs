//! Services of type LoadBalancer get a balancer of the cloud. Kubernetes: `cloud-provider`,
//! `controllers/service`; it runs in `cloud-controller-manager`.
//!
//! Simplified: a Service that changes its type says so only when it loses its balancer.

use std::time::Duration;

use k8s_openapi::api::core::v1::{LoadBalancerIngress, LoadBalancerStatus, Node, Service, ServiceSpec};

use super::context::Context;
use super::node_lifecycle::is_ready_node;
use super::queue::{Controller, Task};
use crate::api::event::Severity;
use crate::api::{get, list, modify, name_of, namespace_of};
use crate::cloud::{Balancer, Listener, Pool, Target};

const FINALIZER: &str = "service.kubernetes.io/load-balancer-cleanup";
const COMPONENT: &str = "service-controller";
/// The older way to say `loadBalancerSourceRanges`.
const RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";

fn is_balanced(spec: &ServiceSpec) -> bool {
    // With a class it is somebody else's.
    spec.type_.as_deref() == Some("LoadBalancer") && spec.load_balancer_class.is_none()
}

fn has_finalizer(service: &Service) -> bool {
    service.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == FINALIZER)
}

/// Whether a node stands behind balancers. Kubernetes: `getNodeConditionPredicate`.
fn takes_traffic(node: &Node) -> bool {
    let label = "node.kubernetes.io/exclude-from-external-load-balancers";
    let excluded = node.metadata.labels.as_ref().is_some_and(|labels| labels.contains_key(label));
    !excluded && is_ready_node(node)
}

/// The node as a target, if it is one.
pub fn target(node: &Node) -> Option<Target> {
    let mut addresses = node.status.iter().flat_map(|status| status.addresses.iter().flatten());
    let internal = addresses.find(|address| address.type_ == "InternalIP")?;
    let address = internal.address.parse().ok()?;
    takes_traffic(node).then(|| Target { node: name_of(node).to_owned(), address })
}

/// Brings a Service's balancer up to date.
pub fn sync(cx: &mut Context<'_>, namespace: &str, name: &str) {
    let task =
        Task { controller: Controller::ServiceLb, namespace: namespace.to_owned(), name: name.to_owned() };
    let Some(service) = get::<Service>(cx.sys.store(), namespace, name) else {
        Balancer::delete(cx.sys, &format!("{namespace}/{name}"));
        return cx.queue.forget(&task);
    };
    let spec = service.spec.clone().unwrap_or_default();
    let done = if is_balanced(&spec) && service.metadata.deletion_timestamp.is_none() {
        ensure(cx, &service, &spec)
    } else if has_finalizer(&service) {
        clean_up(cx, &service);
        Ok(())
    } else {
        Ok(())
    };
    match done {
        Ok(()) => cx.queue.forget(&task),
        Err(why) => {
            let message = format!("Error syncing load balancer: {why}");
            cx.report(COMPONENT, &*service, Severity::Warning, "SyncLoadBalancerFailed", &message);
            let now = cx.sys.now();
            cx.queue.retry(task, now, Duration::from_secs(5), Duration::from_secs(300));
        }
    }
}

fn ensure(cx: &mut Context<'_>, service: &Service, spec: &ServiceSpec) -> Result<(), String> {
    let (namespace, name) = (namespace_of(service), name_of(service));
    let key = format!("{namespace}/{name}");
    let targets: Vec<Target> =
        list::<Node>(cx.sys.store(), None).iter().filter_map(|node| target(node)).collect();
    let known = Balancer::get(cx.sys.store(), &key);
    let wanted = balancer(cx, service, spec, &key, targets);
    let shown = service.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    let shown = shown.and_then(|status| status.ingress.as_ref()?.first()?.ip.clone());
    if let (Some(known), Ok(wanted)) = (&known, &wanted)
        && has_finalizer(service)
        && shown == Some(wanted.address.to_string())
    {
        let same = Balancer { targets: known.targets.clone(), ..wanted.clone() } == **known;
        if same && known.targets == wanted.targets {
            return Ok(());
        }
        if same {
            let is_empty = wanted.targets.is_empty();
            wanted.clone().put(cx.sys);
            match is_empty {
                true => nobody(cx, service),
                false => {
                    let message = "Updated load balancer with new hosts";
                    cx.report(COMPONENT, service, Severity::Normal, "UpdatedLoadBalancer", message);
                }
            }
            return Ok(());
        }
    }
    cx.report(COMPONENT, service, Severity::Normal, "EnsuringLoadBalancer", "Ensuring load balancer");
    // What can't be written now is tried again with the next change.
    let _ = modify::<Service>(cx.sys, namespace, name, |service| {
        let finalizers = service.metadata.finalizers.get_or_insert_default();
        if !finalizers.iter().any(|finalizer| finalizer == FINALIZER) {
            finalizers.push(FINALIZER.to_owned());
        }
    });
    let wanted = wanted.map_err(|why| format!("failed to ensure load balancer: {why}"))?;
    if wanted.targets.is_empty() {
        nobody(cx, service);
    }
    let ip = wanted.address.to_string();
    wanted.put(cx.sys);
    cx.report(COMPONENT, service, Severity::Normal, "EnsuredLoadBalancer", "Ensured load balancer");
    let ingress = LoadBalancerIngress { ip: Some(ip), ..LoadBalancerIngress::default() };
    show(cx, service, LoadBalancerStatus { ingress: Some(vec![ingress]) });
    Ok(())
}

fn nobody(cx: &mut Context<'_>, service: &Service) {
    let message = "There are no available nodes for LoadBalancer";
    cx.report(COMPONENT, service, Severity::Warning, "UnAvailableLoadBalancer", message);
}

fn show(cx: &mut Context<'_>, service: &Service, status: LoadBalancerStatus) {
    let _ = modify::<Service>(cx.sys, namespace_of(service), name_of(service), |service| {
        service.status.get_or_insert_default().load_balancer = Some(status);
    });
}

/// What the cloud is asked for.
fn balancer(
    cx: &Context<'_>,
    service: &Service,
    spec: &ServiceSpec,
    key: &str,
    targets: Vec<Target>,
) -> Result<Balancer, String> {
    let store = cx.sys.store();
    let pool = Pool::of(store).ok_or("the cloud doesn't answer")?;
    let asked = spec.load_balancer_ip.as_deref().filter(|ip| !ip.is_empty());
    let number = |port: i32| u16::try_from(port).unwrap_or(0);
    let mut listeners = Vec::new();
    for port in spec.ports.iter().flatten() {
        let protocol = match port.protocol.as_deref().unwrap_or("TCP") {
            "TCP" => "tcp",
            "UDP" => "udp",
            other => return Err(format!("protocol {other} is not supported")),
        };
        let node_port = port.node_port.map(number);
        let node_port = node_port.ok_or_else(|| format!("port {} has no node port", port.port))?;
        listeners.push(Listener { protocol, port: number(port.port), node_port });
    }
    let annotation = service.metadata.annotations.as_ref().and_then(|all| all.get(RANGES));
    let listed = spec.load_balancer_source_ranges.clone().unwrap_or_default();
    let words: Vec<&str> = match (&listed[..], annotation) {
        ([], Some(text)) => text.split(',').collect(),
        (listed, _) => listed.iter().map(String::as_str).collect(),
    };
    let local = spec.external_traffic_policy.as_deref() == Some("Local");
    Ok(Balancer {
        service: key.to_owned(),
        address: pool.address(store, key, asked)?,
        listeners,
        ranges: words.iter().filter_map(|word| word.trim().parse().ok()).collect(),
        targets,
        health: spec.health_check_node_port.filter(|_| local).map(number),
    })
}

/// Gives the balancer back. Kubernetes: `syncLoadBalancerIfNeeded`.
fn clean_up(cx: &mut Context<'_>, service: &Service) {
    let key = format!("{}/{}", namespace_of(service), name_of(service));
    let kind = service.spec.as_ref().and_then(|spec| spec.type_.as_deref()).unwrap_or_default();
    if service.metadata.deletion_timestamp.is_none() && kind != "LoadBalancer" {
        let message = format!("LoadBalancer -> {kind}");
        cx.report(COMPONENT, service, Severity::Normal, "Type", &message);
    }
    if Balancer::get(cx.sys.store(), &key).is_some() {
        cx.report(COMPONENT, service, Severity::Normal, "DeletingLoadBalancer", "Deleting load balancer");
        Balancer::delete(cx.sys, &key);
    }
    cx.report(COMPONENT, service, Severity::Normal, "DeletedLoadBalancer", "Deleted load balancer");
    show(cx, service, LoadBalancerStatus::default());
    let _ = modify::<Service>(cx.sys, namespace_of(service), name_of(service), |service| {
        let finalizers = service.metadata.finalizers.take().unwrap_or_default();
        let rest: Vec<String> = finalizers.into_iter().filter(|finalizer| finalizer != FINALIZER).collect();
        service.metadata.finalizers = Some(rest).filter(|rest| !rest.is_empty());
    });
}
