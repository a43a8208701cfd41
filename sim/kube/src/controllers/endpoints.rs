//! The Endpoints of Services that select pods. Kubernetes: `pkg/controller/endpoint`.
//!
//! Simplified: ports are sorted by their names, and `last-change-trigger-time` is the time of
//! writing; more than 1,000 addresses are all written.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{EndpointAddress, EndpointPort, EndpointSubset, Endpoints, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::cache::selector_of;
use super::context::Context;
use super::endpoint::{
    HEADLESS, TRIGGER, hostname, ip_of, is_headless, pods_of, reference, target_port, wants_unready,
};
use super::pods::{is_deleted, is_ready, node_of};
use crate::api::labels::Labels;
use crate::api::{create, delete, get, update};

/// Brings the Endpoints of a Service up to date.
pub fn sync(cx: &mut Context<'_>, namespace: &str, name: &str) {
    let known = get::<Endpoints>(cx.sys.store(), namespace, name);
    let Some(service) = get::<Service>(cx.sys.store(), namespace, name) else {
        if known.is_some() {
            let _ = delete::<Endpoints>(cx.sys, namespace, name, None);
        }
        return;
    };
    let external = service.spec.as_ref().and_then(|spec| spec.type_.as_deref()) == Some("ExternalName");
    if external || selector_of(&service).is_none() {
        return;
    }
    let subsets = Some(subsets(cx, &service)).filter(|subsets| !subsets.is_empty());
    let mut labels = service.metadata.labels.clone().unwrap_or_default();
    if is_headless(&service) {
        labels.insert(HEADLESS.to_owned(), String::new());
    }
    let labels = Some(labels).filter(|labels| !labels.is_empty());
    let trigger = Labels::from([(TRIGGER.to_owned(), cx.now().0.to_string())]);
    // What can't be written now is looked at again with the next change.
    let _ = match known {
        Some(known) if known.subsets == subsets && known.metadata.labels == labels => return,
        Some(known) => {
            let mut changed = Endpoints::clone(&known);
            changed.subsets = subsets;
            changed.metadata.labels = labels;
            changed.metadata.annotations.get_or_insert_default().extend(trigger);
            update(cx.sys, changed)
        }
        None => {
            let metadata = ObjectMeta {
                name: Some(name.to_owned()),
                namespace: Some(namespace.to_owned()),
                labels,
                annotations: Some(trigger),
                ..ObjectMeta::default()
            };
            create(cx.sys, Endpoints { metadata, subsets })
        }
    };
}

/// What a port is known by: name, number, protocol, application's protocol.
type Port = (String, i32, String, Option<String>);

/// The addresses by ports: those ports that have the same ones are together. Kubernetes:
/// `RepackSubsets`.
fn subsets(cx: &Context<'_>, service: &Service) -> Vec<EndpointSubset> {
    let unready = wants_unready(service);
    let mut addresses: BTreeMap<String, EndpointAddress> = BTreeMap::new();
    let mut by_port: BTreeMap<Option<Port>, BTreeSet<(String, bool)>> = BTreeMap::new();
    for pod in pods_of(cx, service).iter().filter(|pod| unready || !is_deleted(pod)) {
        let ip = ip_of(pod).unwrap_or_default().to_owned();
        let ready = unready || is_ready(pod);
        addresses.insert(
            ip.clone(),
            EndpointAddress {
                ip: ip.clone(),
                hostname: hostname(pod, service),
                node_name: node_of(pod).map(str::to_owned),
                target_ref: Some(reference(pod)),
            },
        );
        let ports = service.spec.iter().flat_map(|spec| spec.ports.iter().flatten());
        let mut any = false;
        for port in ports {
            any = true;
            let Some(number) = target_port(pod, port) else { continue };
            let proto = port.protocol.clone().unwrap_or_else(|| "TCP".to_owned());
            let port = (port.name.clone().unwrap_or_default(), number, proto, port.app_protocol.clone());
            by_port.entry(Some(port)).or_default().insert((ip.clone(), ready));
        }
        if !any && is_headless(service) {
            by_port.entry(None).or_default().insert((ip, ready));
        }
    }
    let mut grouped: Vec<(BTreeSet<(String, bool)>, Vec<EndpointPort>)> = Vec::new();
    for (port, found) in by_port {
        let port = port.map(|(name, port, protocol, app_protocol)| EndpointPort {
            name: Some(name).filter(|name| !name.is_empty()),
            port,
            protocol: Some(protocol),
            app_protocol,
        });
        match grouped.iter_mut().find(|(same, _)| *same == found) {
            Some((_, ports)) => ports.extend(port),
            None => grouped.push((found, port.into_iter().collect())),
        }
    }
    let subset = |(found, ports): (BTreeSet<(String, bool)>, Vec<EndpointPort>)| {
        let pick = |wanted: bool| {
            let ips = found.iter().filter(|(_, ready)| *ready == wanted);
            let list: Vec<_> = ips.filter_map(|(ip, _)| addresses.get(ip).cloned()).collect();
            Some(list).filter(|list| !list.is_empty())
        };
        EndpointSubset {
            addresses: pick(true),
            not_ready_addresses: pick(false),
            ports: Some(ports).filter(|ports| !ports.is_empty()),
        }
    };
    grouped.into_iter().map(subset).collect()
}
