//! Services. Kubernetes: `SetDefaults_Service`, `pkg/registry/core/service/storage`.

mod addresses;
mod families;
mod ports;
mod update;
mod validate;

use std::sync::Arc;

use k8s_openapi::api::core::v1::{LoadBalancerIngress, Service, ServiceSpec, ServiceStatus};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use world::Sys;

use super::{Admit, Invalid, Refused, name};
use crate::api::{ClusterSettings, list};

/// The protocols of ports.
pub(super) const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];

/// What was given before: what a Service gets depends on it.
struct Given<'a> {
    settings: Arc<ClusterSettings>,
    /// All other Services.
    others: Vec<Arc<Service>>,
    /// The Service as it was, if it isn't new.
    before: Option<&'a ServiceSpec>,
}

fn is(spec: &ServiceSpec, kind: &str) -> bool {
    spec.type_.as_deref() == Some(kind)
}

fn is_headless(spec: &ServiceSpec) -> bool {
    spec.cluster_ips.as_ref().is_some_and(|ips| ips.len() == 1 && ips[0] == "None")
}

/// Whether it has ports on nodes. Kubernetes: `needsNodePort`.
fn has_node_ports(spec: &ServiceSpec) -> bool {
    is(spec, "NodePort") || is(spec, "LoadBalancer")
}

/// Kubernetes: `ExternallyAccessible`.
fn is_external(spec: &ServiceSpec) -> bool {
    has_node_ports(spec)
        || is(spec, "ClusterIP") && spec.external_ips.as_ref().is_some_and(|ips| !ips.is_empty())
}

/// Kubernetes: `NeedsHealthCheck`.
fn needs_health_check(spec: &ServiceSpec) -> bool {
    is(spec, "LoadBalancer") && spec.external_traffic_policy.as_deref() == Some("Local")
}

/// A list as Go's `%#v` prints it.
fn go_strings(list: Option<&Vec<String>>) -> String {
    match list {
        None => "[]string(nil)".to_owned(),
        Some(list) => {
            let all: Vec<String> = list.iter().map(|text| format!("{text:?}")).collect();
            format!("[]string{{{}}}", all.join(", "))
        }
    }
}

/// A wrong `clusterIPs`.
fn wrong_ips(path: &str, spec: &ServiceSpec, why: &str) -> Invalid {
    let value = go_strings(spec.cluster_ips.as_ref());
    Invalid { path: path.to_owned(), detail: format!("Invalid value: {value}: {why}") }
}

impl Admit for Service {
    fn check_name(text: &str) -> Vec<Invalid> {
        name::service("metadata.name", text)
    }

    fn set_defaults(&mut self) {
        let status = self.status.get_or_insert_with(|| ServiceStatus {
            load_balancer: Some(Default::default()),
            ..ServiceStatus::default()
        });
        let Some(spec) = &mut self.spec else { return };
        spec.type_.get_or_insert_with(|| "ClusterIP".to_owned());
        spec.session_affinity.get_or_insert_with(|| "None".to_owned());
        match spec.session_affinity.as_deref() {
            Some("None") => spec.session_affinity_config = None,
            Some("ClientIP") => {
                let config = spec.session_affinity_config.get_or_insert_default();
                config.client_ip.get_or_insert_default().timeout_seconds.get_or_insert(10800);
            }
            _ => {}
        }
        for port in spec.ports.iter_mut().flatten() {
            port.protocol.get_or_insert_with(|| "TCP".to_owned());
            let unsaid = match &port.target_port {
                None | Some(IntOrString::Int(0)) => true,
                Some(IntOrString::String(name)) => name.is_empty(),
                Some(IntOrString::Int(_)) => false,
            };
            if unsaid {
                port.target_port = Some(IntOrString::Int(port.port));
            }
            port.node_port = port.node_port.filter(|number| *number != 0);
        }
        // The alpha field of 1.30 is off.
        spec.traffic_distribution = None;
        spec.cluster_ip = spec.cluster_ip.take().filter(|ip| !ip.is_empty());
        spec.health_check_node_port = spec.health_check_node_port.filter(|number| *number != 0);
        if is_external(spec) {
            spec.external_traffic_policy.get_or_insert_with(|| "Cluster".to_owned());
        }
        if has_node_ports(spec) || is(spec, "ClusterIP") {
            spec.internal_traffic_policy.get_or_insert_with(|| "Cluster".to_owned());
        }
        if is(spec, "LoadBalancer") {
            spec.allocate_load_balancer_node_ports.get_or_insert(true);
            let ingress = status.load_balancer.iter_mut().flat_map(|status| status.ingress.iter_mut());
            let by_ip = |entry: &&mut LoadBalancerIngress| entry.ip.is_some();
            for entry in ingress.flatten().filter(by_ip) {
                entry.ip_mode.get_or_insert_with(|| "VIP".to_owned());
            }
        }
    }

    fn validate(&self, old: Option<&Self>) -> Vec<Invalid> {
        validate::service(self, old)
    }

    fn allocate(&mut self, sys: &mut dyn Sys, old: Option<&Self>) -> Result<(), Refused> {
        let before = old.and_then(|old| old.spec.as_ref());
        let Some(spec) = &mut self.spec else { return Ok(()) };
        if let Some(before) = before {
            update::keep_allocated(spec, before);
        }
        update::join_addresses(spec, before);
        let settings = ClusterSettings::of(sys.store());
        families::settle(spec, before, settings.as_deref().unwrap_or(&ClusterSettings::default()))
            .map_err(Refused::Invalid)?;
        if let Some(settings) = settings {
            let own = self.metadata.uid.as_deref();
            let is_other = move |service: &Arc<Self>| own.is_none() || service.metadata.uid.as_deref() != own;
            let others = list::<Self>(sys.store(), None).into_iter().filter(is_other);
            let given = Given { settings, others: others.collect(), before };
            addresses::allocate(sys, &given, spec)?;
            ports::allocate(sys, &given, spec)?;
        }
        if let Some(before) = before {
            update::drop_unneeded(spec, before);
        }
        Ok(())
    }
}
