//! Service ports: what a proxier takes from a Service.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use k8s_openapi::api::core::v1::{Service, ServiceSpec};

use super::{Family, Profile, Protocol, ServiceName, ServicePortName};

/// What a proxier knows of a port of a Service. Kubernetes: `BaseServicePortInfo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePort {
    /// Its name.
    pub name: ServicePortName,
    /// The Service.
    pub service: ServiceName,
    /// The cluster address.
    pub cluster_ip: IpAddr,
    /// The port.
    pub port: u16,
    /// The node port.
    pub node_port: Option<u16>,
    /// Further addresses that nodes answer to.
    pub external_ips: Vec<IpAddr>,
    /// The load balancer's addresses that nodes answer to.
    pub balancer_ips: Vec<IpAddr>,
    /// Who may use the load balancer's addresses; all if empty.
    pub source_ranges: Vec<IpNet>,
    /// How long a client stays with its endpoint.
    pub affinity: Option<Duration>,
    /// Whether traffic from outside stays on its node.
    pub external_local: bool,
    /// Whether traffic to the cluster address stays on its node.
    pub internal_local: bool,
    /// Where load balancers ask whether the node has an endpoint.
    pub health_check_node_port: Option<u16>,
    /// Whether the Service wants hints about zones to be followed.
    pub follows_hints: bool,
}

impl ServicePort {
    /// Whether it has addresses or ports for the world outside.
    pub fn is_external(&self) -> bool {
        self.node_port.is_some() || !self.balancer_ips.is_empty() || !self.external_ips.is_empty()
    }

    /// Whether some of its traffic goes to endpoints on any node: also with external policy
    /// `Local`, as traffic from pods doesn't follow it. Kubernetes: `UsesClusterEndpoints`.
    pub fn uses_cluster(&self) -> bool {
        !self.internal_local || self.is_external()
    }

    /// Whether some of its traffic goes to endpoints on this node only.
    /// Kubernetes: `UsesLocalEndpoints`.
    pub fn uses_local(&self) -> bool {
        self.internal_local || self.external_local && self.is_external()
    }
}

/// How long a client stays with its endpoint in 1.1, whose Services can't say it.
const AFFINITY_1_1: Duration = Duration::from_secs(180);

fn port_number(number: Option<i32>) -> Option<u16> {
    number.and_then(|number| u16::try_from(number).ok()).filter(|number| *number != 0)
}

/// The addresses of a family among those.
fn addresses<'a>(texts: impl IntoIterator<Item = &'a String>, family: Family) -> Vec<IpAddr> {
    let all = texts.into_iter().filter_map(|text| text.parse().ok());
    all.filter(|ip| Family::of(ip) == family).collect()
}

/// The ports of a Service that a proxier of a family has work with; none for headless Services,
/// names, and Services without an address of the family. Kubernetes: `serviceToServiceMap`.
pub fn ports(service: &Service, family: Family, profile: Profile) -> Vec<ServicePort> {
    let metadata = &service.metadata;
    let name: ServiceName =
        (metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default());
    let Some(spec) = &service.spec else { return Vec::new() };
    let Some(cluster_ip) = cluster_ip(spec, family) else { return Vec::new() };
    let kind = spec.type_.as_deref().unwrap_or("ClusterIP");
    let external_ips = addresses(spec.external_ips.iter().flatten(), family);
    let declares_external = match profile {
        Profile::V1_30 => {
            matches!(kind, "NodePort" | "LoadBalancer")
                || spec.external_ips.as_ref().is_some_and(|ips| !ips.is_empty())
        }
        Profile::V1_9 => matches!(kind, "NodePort" | "LoadBalancer"),
        Profile::V1_1 => false,
    };
    let external_local = declares_external && spec.external_traffic_policy.as_deref() == Some("Local");
    let ranges = spec.load_balancer_source_ranges.iter().flatten();
    let source_ranges = ranges.filter_map(|text| text.trim().parse::<IpNet>().ok());
    let hints = metadata.annotations.as_ref().and_then(|annotations| {
        // The older annotation wins.
        let names = ["service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"];
        names.iter().find_map(|name| annotations.get(*name))
    });
    let affinity = (spec.session_affinity.as_deref() == Some("ClientIP")).then(|| {
        let config = spec.session_affinity_config.as_ref().and_then(|config| config.client_ip.as_ref());
        let seconds = config.and_then(|config| config.timeout_seconds).unwrap_or(10800);
        match profile {
            Profile::V1_30 | Profile::V1_9 => Duration::from_secs(u64::try_from(seconds).unwrap_or(0)),
            Profile::V1_1 => AFFINITY_1_1,
        }
    });
    let common = ServicePort {
        name: ServicePortName::new(profile, &name, "", Protocol::Tcp),
        service: name,
        cluster_ip,
        port: 0,
        node_port: None,
        external_ips,
        balancer_ips: balancer_ips(service, family, profile),
        source_ranges: source_ranges.filter(|net| Family::of(&net.addr()) == family).collect(),
        affinity,
        external_local,
        internal_local: spec.internal_traffic_policy.as_deref() == Some("Local"),
        health_check_node_port: port_number(spec.health_check_node_port)
            .filter(|_| kind == "LoadBalancer" && external_local),
        follows_hints: hints.is_some_and(|text| !matches!(text.as_str(), "" | "disabled" | "Disabled")),
    };
    let mut ports = Vec::new();
    for port in spec.ports.iter().flatten() {
        let Some(protocol) = Protocol::of(port.protocol.as_deref()) else { continue };
        let Some(number) = port_number(Some(port.port)) else { continue };
        let port_name = port.name.as_deref().unwrap_or_default();
        ports.push(ServicePort {
            name: ServicePortName::new(profile, &common.service, port_name, protocol),
            port: number,
            node_port: port_number(port.node_port),
            ..common.clone()
        });
    }
    ports
}

/// The cluster address of a family. Kubernetes: `ShouldSkipService`, `GetClusterIPByFamily`.
fn cluster_ip(spec: &ServiceSpec, family: Family) -> Option<IpAddr> {
    let main = spec.cluster_ip.as_deref().unwrap_or_default();
    if matches!(main, "" | "None") || spec.type_.as_deref() == Some("ExternalName") {
        return None;
    }
    let all = spec.cluster_ips.iter().flatten().map(String::as_str).chain([main]);
    all.filter_map(|text| text.parse().ok()).find(|ip| Family::of(ip) == family)
}

/// The balancer's addresses that a node answers to itself: not those whose traffic the balancer
/// sends to node ports (`ipMode: Proxy`), which only 1.30 knows.
fn balancer_ips(service: &Service, family: Family, profile: Profile) -> Vec<IpAddr> {
    let balancer = service.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    let ingress = balancer.iter().filter_map(|balancer| balancer.ingress.as_ref()).flatten();
    let knows_modes = profile == Profile::V1_30;
    let vips = ingress.filter(|ingress| !knows_modes || ingress.ip_mode.as_deref() != Some("Proxy"));
    addresses(vips.filter_map(|ingress| ingress.ip.as_ref()), family)
}
