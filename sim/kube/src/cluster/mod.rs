//! A cluster as `kubeadm` makes it: what lies on each node's disk, and what is typed to boot it.

mod dns;
mod files;
mod network;
pub(crate) mod pki;
mod proxy;

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Node, Pod};
use world::{Registry, Store};

use crate::api::{ClusterSettings, list};
use crate::cloud;

pub use dns::{COREFILE, Dns};
pub use network::{Cloud, Network};
pub use proxy::Proxy;

/// What a cluster is made of.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// Its nodes; those of the control plane first.
    pub nodes: Vec<NodePlan>,
    /// What the control plane is told.
    pub settings: ClusterSettings,
    /// Its pod network.
    pub network: Network,
    /// What implements its Services.
    pub proxy: Proxy,
    /// What answers its DNS queries.
    pub dns: Dns,
    /// Its cloud's balancers.
    pub balancer: Option<BalancerPlan>,
    /// What is applied at the end: names of files, and their texts.
    pub manifests: Vec<(String, String)>,
}

/// A node.
#[derive(Clone, Debug, Default)]
pub struct NodePlan {
    /// The host's name.
    pub name: String,
    /// Whether the control plane runs on it.
    pub control_plane: bool,
    /// The address that other nodes reach it by.
    pub ip: Option<Ipv4Addr>,
    /// Further options of its kubelet.
    pub kubelet: Vec<String>,
    /// Labels as `kubectl label` takes them.
    pub labels: Vec<String>,
    /// Taints as `kubectl taint` takes them.
    pub taints: Vec<String>,
}

/// What gives Services of type LoadBalancer their addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalancerPlan {
    /// The host before the nodes.
    pub host: String,
    /// The addresses of balancers.
    pub addresses: Ipv4Net,
}

/// A command that is typed on a node while the cluster boots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootCommand {
    /// The node.
    pub node: String,
    /// What is typed.
    pub command: String,
}

/// The programs of a node.
pub fn registry() -> Registry {
    let mut registry = tools::registry();
    crate::install_all(&mut registry);
    registry
}

impl Cluster {
    /// The files of a node, by path.
    pub fn files(&self, node: &NodePlan) -> Vec<(String, String)> {
        files::of(self, node)
    }

    /// The files of the host that plays the cloud's balancers.
    pub fn balancer_files(&self) -> Vec<(String, String)> {
        self.balancer.iter().map(files::of_balancer).collect()
    }

    /// The pod network's manifest on a node, with its path; none on nodes without the control plane.
    pub fn network_file(&self, node: &NodePlan) -> Option<(String, String)> {
        files::of_network(self).filter(|_| node.control_plane)
    }

    /// What is typed, in order, once all hosts run.
    pub fn boot(&self) -> Vec<BootCommand> {
        let on = |node: &NodePlan, command: String| BootCommand { node: node.name.clone(), command };
        let mut commands = Vec::new();
        if let Some(balancer) = &self.balancer {
            let command = format!("systemctl start {}", cloud::PROGRAM);
            commands.push(BootCommand { node: balancer.host.clone(), command });
        }
        let masters: Vec<&NodePlan> = self.nodes.iter().filter(|node| node.control_plane).collect();
        for node in &masters {
            let cloud = if self.balancer.is_some() { " cloud-controller-manager" } else { "" };
            let units = format!("kube-apiserver kube-controller-manager kube-scheduler{cloud}");
            commands.push(on(node, format!("systemctl start {units}")));
            // As kubeadm tells people to.
            let copy = format!("mkdir -p $HOME/.kube && cp {} $HOME/.kube/config", files::ADMIN);
            commands.push(on(node, copy));
        }
        commands.extend(self.nodes.iter().map(|node| on(node, "systemctl start kubelet".to_owned())));
        let Some(master) = masters.first() else { return commands };
        for node in &self.nodes {
            let name = &node.name;
            commands.push(on(
                master,
                format!("until kubectl get node {name} >/dev/null 2>&1; do sleep 0.01; done"),
            ));
            if node.control_plane {
                let labels = "node-role.kubernetes.io/control-plane= \
                              node.kubernetes.io/exclude-from-external-load-balancers=";
                commands.push(on(master, format!("kubectl label node {name} {labels}")));
            }
            for label in &node.labels {
                commands.push(on(master, format!("kubectl label node {name} '{label}'")));
            }
            for taint in &node.taints {
                commands.push(on(master, format!("kubectl taint node {name} '{taint}'")));
            }
        }
        let proxy = self.proxy.manifest(&self.settings).map(|_| proxy::MANIFEST.to_owned());
        let network = self.network.manifest(&self.settings).map(|_| network::MANIFEST.to_owned());
        let dns = self.dns.manifest(&self.settings).map(|_| dns::MANIFEST.to_owned());
        let own = self.manifests.iter().map(|(name, _)| name.clone());
        for name in proxy.into_iter().chain(network).chain(dns).chain(own) {
            commands.push(on(master, format!("kubectl apply -f {}/{name}", files::MANIFESTS)));
        }
        commands
    }
}

/// Whether nothing is left to do: every node is ready, every workload has the pods that it wants,
/// every pod is ready or has ended. A cluster in which something is broken never comes to that.
pub fn is_settled(store: &Store) -> bool {
    let ready = |conditions: Option<&str>| conditions == Some("True");
    let nodes = list::<Node>(store, None).iter().all(|node| {
        let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
        let state = conditions.into_iter().flatten().find(|condition| condition.type_ == "Ready");
        ready(state.map(|condition| condition.status.as_str()))
    });
    let pods = list::<Pod>(store, None).iter().all(|pod| {
        let Some(status) = &pod.status else { return false };
        let state = status.conditions.iter().flatten().find(|condition| condition.type_ == "Ready");
        let over = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
        pod.metadata.deletion_timestamp.is_none() && (over || ready(state.map(|c| c.status.as_str())))
    });
    let deployments = list::<Deployment>(store, None).iter().all(|deployment| {
        let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
        let status = deployment.status.clone().unwrap_or_default();
        status.updated_replicas.unwrap_or(0) == wanted
            && status.replicas.unwrap_or(0) == wanted
            && status.ready_replicas.unwrap_or(0) == wanted
    });
    let stateful = list::<StatefulSet>(store, None).iter().all(|set| {
        let wanted = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
        set.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0) == wanted
    });
    let daemons = list::<DaemonSet>(store, None).iter().all(|set| {
        set.status.as_ref().is_some_and(|status| {
            status.observed_generation == set.metadata.generation
                && status.number_ready == status.desired_number_scheduled
        })
    });
    nodes && pods && deployments && stateful && daemons
}
