//! The node's own object: registered once, its conditions reported again and again. Kubernetes:
//! `pkg/kubelet/nodestatus`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use k8s_openapi::api::core::v1::{
    DaemonEndpoint, Node, NodeAddress, NodeCondition, NodeDaemonEndpoints, NodeSpec, NodeStatus,
    NodeSystemInfo,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use packet::{NetnsId, SimTime};
use world::Sys;

use super::config::Config;
use super::network::NOT_READY;
use crate::api;
use crate::api::event::{Report, Severity};
use crate::time::{klog, time, unix};

/// How often the conditions are reported.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// The port of the kubelet's server.
pub const PORT: u16 = 10250;
/// What runs on a node.
const KUBELET: &str = "v1.30.14";

/// What the kubelet reports of its node.
#[derive(Clone, Debug)]
pub struct NodeReport {
    registered: bool,
    ready: Option<bool>,
    next: SimTime,
}

/// The address that the kubelet takes for its node: the one it was told; that of the host's name;
/// that of the device of the default route. Kubernetes: `nodestatus.NodeAddress`.
pub fn address(sys: &mut dyn Sys, config: &Config) -> Option<Ipv4Addr> {
    if config.node_ip.is_some() {
        return config.node_ip;
    }
    if let Ok(addr) = config.node_name.parse() {
        return Some(addr);
    }
    let own: Vec<(u32, Ipv4Addr)> = sys
        .kernel()
        .addrs(NetnsId::INIT)
        .iter()
        .filter_map(|info| match info.addr.local.addr() {
            IpAddr::V4(addr) if !addr.is_loopback() => Some((info.ifindex.0, addr)),
            _ => None,
        })
        .collect();
    let hosts = tools::file::read(sys, "/etc/hosts").unwrap_or_default();
    let named = hosts.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let addr: Ipv4Addr = words.next()?.parse().ok()?;
        let is_own = own.iter().any(|(_, own)| *own == addr);
        (is_own && words.any(|word| word.eq_ignore_ascii_case(&config.node_name))).then_some(addr)
    });
    if named.is_some() {
        return named;
    }
    let routes = sys.kernel().routes(NetnsId::INIT);
    let ways = routes.iter().filter(|route| route.dst.prefix_len() == 0).flat_map(|route| &route.nexthops);
    let devices: Vec<String> = ways.map(|way| way.dev.clone()).collect();
    let index = devices.iter().find_map(|dev| {
        let id = sys.kernel().dev_by_name(NetnsId::INIT, dev)?;
        Some(sys.kernel().get_dev(id)?.ifindex.0)
    })?;
    own.iter().find(|(ifindex, _)| *ifindex == index).map(|(_, addr)| *addr)
}

impl Default for NodeReport {
    fn default() -> Self {
        Self { registered: false, ready: None, next: SimTime::ZERO }
    }
}

impl NodeReport {
    /// When it reports next.
    pub fn next(&self) -> SimTime {
        self.next
    }

    /// Registers the node if it hasn't yet, and reports if it is time or something is new.
    pub fn turn(&mut self, sys: &mut dyn Sys, config: &Config, host_ip: Option<Ipv4Addr>, ready: bool) {
        if !self.registered {
            self.register(sys, config, host_ip, ready);
        } else if sys.now() >= self.next || self.ready != Some(ready) {
            self.report(sys, config, ready);
        } else {
            return;
        }
        self.ready = Some(ready);
        self.next = sys.now() + HEARTBEAT;
    }

    fn register(&mut self, sys: &mut dyn Sys, config: &Config, host_ip: Option<Ipv4Addr>, ready: bool) {
        self.registered = true;
        let name = &config.node_name;
        let new = object(sys, config, host_ip);
        let known = api::get::<Node>(sys.store(), "", name).is_some();
        // A node that exists keeps what others wrote into it.
        let outcome = match known {
            _ if !config.register => return,
            false => api::create(sys, new).map(drop),
            true => api::modify::<Node>(sys, "", name, |node| {
                node.metadata.labels.get_or_insert_default().extend(new.metadata.labels.unwrap_or_default());
                let status = node.status.get_or_insert_default();
                let fresh = new.status.unwrap_or_default();
                let conditions = status.conditions.take();
                *status = NodeStatus { conditions, ..fresh };
            })
            .map(drop),
        };
        if let Err(error) = outcome {
            klog(
                sys,
                'E',
                "kubelet_node_status.go:96",
                &format!("\"Unable to register node with API server\" err={:?}", error.message),
            );
            self.registered = false;
            return;
        }
        self.event(sys, config, "Starting", "Starting kubelet.");
        self.report(sys, config, ready);
        self.event(sys, config, "NodeAllocatableEnforced", "Updated Node Allocatable limit across pods");
    }

    fn event(&self, sys: &mut dyn Sys, config: &Config, reason: &str, message: &str) {
        let Some(node) = api::get::<Node>(sys.store(), "", &config.node_name) else { return };
        let host = &config.node_name;
        let report = Report { severity: Severity::Normal, reason, message, component: "kubelet", host };
        api::event::record(sys, &*node, &report);
    }

    fn report(&self, sys: &mut dyn Sys, config: &Config, ready: bool) {
        let now = unix(sys);
        let mut turned = Vec::new();
        // A node that was deleted isn't registered again before the kubelet is.
        let _ = api::modify::<Node>(sys, "", &config.node_name, |node| {
            let conditions = node.status.get_or_insert_default().conditions.get_or_insert_default();
            for (kind, good, reason, message) in conditions_of(ready) {
                let status = if good { "True" } else { "False" }.to_owned();
                let old = conditions.iter().position(|old| old.type_ == kind);
                let same = old.filter(|&at| conditions[at].status == status);
                if same.is_none() {
                    turned.push((kind, reason));
                }
                let since: Option<Time> = same.and_then(|at| conditions[at].last_transition_time.clone());
                let new = NodeCondition {
                    type_: kind.to_owned(),
                    status,
                    reason: Some(reason.to_owned()),
                    message: Some(message.to_owned()),
                    last_heartbeat_time: Some(time(now)),
                    last_transition_time: Some(since.unwrap_or_else(|| time(now))),
                };
                match old {
                    Some(at) => conditions[at] = new,
                    None => conditions.push(new),
                }
            }
        });
        for (kind, reason) in turned {
            let word = match (kind, ready) {
                ("Ready", true) => "NodeReady",
                // A node that begins so says nothing.
                ("Ready", false) if self.ready.is_none() => continue,
                ("Ready", false) => "NodeNotReady",
                _ => match reason {
                    "KubeletHasSufficientMemory" => "NodeHasSufficientMemory",
                    "KubeletHasNoDiskPressure" => "NodeHasNoDiskPressure",
                    _ => "NodeHasSufficientPID",
                },
            };
            self.event(sys, config, word, &format!("Node {} status is now: {word}", config.node_name));
        }
    }
}

/// Type, status, reason and message of each condition.
fn conditions_of(ready: bool) -> [(&'static str, bool, &'static str, &'static str); 4] {
    let state = match ready {
        true => ("Ready", true, "KubeletReady", "kubelet is posting ready status"),
        false => ("Ready", false, "KubeletNotReady", NOT_READY),
    };
    [
        ("MemoryPressure", false, "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        ("DiskPressure", false, "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", false, "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        state,
    ]
}

fn object(sys: &dyn Sys, config: &Config, host_ip: Option<Ipv4Addr>) -> Node {
    let name = config.node_name.clone();
    let mut labels: BTreeMap<String, String> = BTreeMap::new();
    for prefix in ["kubernetes.io", "beta.kubernetes.io"] {
        labels.insert(format!("{prefix}/arch"), "amd64".to_owned());
        labels.insert(format!("{prefix}/os"), "linux".to_owned());
    }
    labels.insert("kubernetes.io/hostname".to_owned(), name.clone());
    labels.extend(config.labels.clone());
    let mut addresses = Vec::new();
    if let Some(ip) = host_ip {
        addresses.push(NodeAddress { address: ip.to_string(), type_: "InternalIP".to_owned() });
    }
    addresses.push(NodeAddress { address: name.clone(), type_: "Hostname".to_owned() });
    let capacity: BTreeMap<String, Quantity> = [
        ("cpu", "2".to_owned()),
        ("ephemeral-storage", "20134592Ki".to_owned()),
        ("hugepages-2Mi", "0".to_owned()),
        ("memory", "4019584Ki".to_owned()),
        ("pods", config.max_pods.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), Quantity(value)))
    .into();
    let _ = sys;
    let info = NodeSystemInfo {
        architecture: "amd64".to_owned(),
        container_runtime_version: "containerd://1.7.27".to_owned(),
        kernel_version: "6.18.0".to_owned(),
        kubelet_version: KUBELET.to_owned(),
        kube_proxy_version: KUBELET.to_owned(),
        operating_system: "linux".to_owned(),
        os_image: "Debian GNU/Linux 12 (bookworm)".to_owned(),
        ..NodeSystemInfo::default()
    };
    let taints = Some(config.taints.clone()).filter(|taints| !taints.is_empty());
    Node {
        metadata: ObjectMeta {
            name: Some(name),
            labels: Some(labels),
            annotations: Some(
                [("volumes.kubernetes.io/controller-managed-attach-detach".to_owned(), "true".to_owned())]
                    .into(),
            ),
            ..ObjectMeta::default()
        },
        spec: Some(NodeSpec {
            taints,
            pod_cidr: config.pod_cidr.map(|cidr| cidr.to_string()),
            pod_cidrs: config.pod_cidr.map(|cidr| vec![cidr.to_string()]),
            ..NodeSpec::default()
        }),
        status: Some(NodeStatus {
            addresses: Some(addresses),
            allocatable: Some(capacity.clone()),
            capacity: Some(capacity),
            daemon_endpoints: Some(NodeDaemonEndpoints {
                kubelet_endpoint: Some(DaemonEndpoint { port: i32::from(PORT) }),
            }),
            node_info: Some(info),
            ..NodeStatus::default()
        }),
    }
}
