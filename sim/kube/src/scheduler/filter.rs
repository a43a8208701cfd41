//! Where a pod can run.

use std::fmt;

use k8s_openapi::api::core::v1::{Node, Pod, PodSpec};

use super::affinity::{self, Terms};
use super::cluster::{Cluster, Place};
use super::resources::{self, Resources};
use super::taint::{self, Effect};
use super::{node_affinity, topology};
use crate::api::name_of;

/// Why a pod can't run on a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unfit {
    /// The pod names other nodes.
    OtherNode,
    /// The node takes no pods.
    Unschedulable,
    /// It has a taint: key and value.
    Taint(String, String),
    /// It hasn't the labels that the pod asks for.
    NodeAffinity,
    /// A host port is taken.
    Ports,
    /// It has as many pods as it can have.
    TooManyPods,
    /// It has too little of something.
    Insufficient(String),
    /// Its domain has pods enough of that kind.
    Topology,
    /// It belongs to no domain.
    TopologyLabel,
    /// The pod wants to be with others.
    Affinity,
    /// The pod wants to be away from others.
    AntiAffinity,
    /// Others want to be away from the pod.
    ExistingAntiAffinity,
}

impl Unfit {
    /// Whether nothing would change if other pods made room. Kubernetes:
    /// `UnschedulableAndUnresolvable`.
    pub const fn is_final(&self) -> bool {
        match self {
            Self::OtherNode
            | Self::Unschedulable
            | Self::Taint(..)
            | Self::NodeAffinity
            | Self::TopologyLabel
            | Self::Affinity => true,
            Self::Ports
            | Self::TooManyPods
            | Self::Insufficient(_)
            | Self::Topology
            | Self::AntiAffinity
            | Self::ExistingAntiAffinity => false,
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherNode => "node(s) didn't satisfy plugin(s) [NodeAffinity]",
            Self::Unschedulable => "node(s) were unschedulable",
            Self::Taint(key, value) => return write!(f, "node(s) had untolerated taint {{{key}: {value}}}"),
            Self::NodeAffinity => "node(s) didn't match Pod's node affinity/selector",
            Self::Ports => "node(s) didn't have free ports for the requested pod ports",
            Self::TooManyPods => "Too many pods",
            Self::Insufficient(resource) => return write!(f, "Insufficient {resource}"),
            Self::Topology => "node(s) didn't match pod topology spread constraints",
            Self::TopologyLabel => {
                "node(s) didn't match pod topology spread constraints (missing required label)"
            }
            Self::Affinity => "node(s) didn't match pod affinity rules",
            Self::AntiAffinity => "node(s) didn't match pod anti-affinity rules",
            Self::ExistingAntiAffinity => "node(s) didn't satisfy existing pods anti-affinity rules",
        })
    }
}

/// What is to be known of a pod before nodes are looked at.
pub struct Wanted<'a> {
    pod: &'a Pod,
    spec: &'a PodSpec,
    requests: Resources,
    /// The node that it names by a field: a daemon's pod does.
    named: Option<&'a Vec<String>>,
    terms: Terms<'a>,
    spread: topology::Spread<'a>,
}

impl<'a> Wanted<'a> {
    /// Looks at a pod; none if it says nothing.
    pub fn of(cluster: &'a Cluster, pod: &'a Pod) -> Option<Self> {
        let spec = pod.spec.as_ref()?;
        Some(Self {
            pod,
            spec,
            requests: resources::of_pod(pod),
            named: named_nodes(spec),
            terms: affinity::terms(cluster, pod),
            spread: topology::spread(cluster, pod),
        })
    }

    /// Why the pod can't run on a node; nothing if it can. The order is that of Kubernetes' plugins;
    /// the first that objects is heard.
    pub fn objections(&self, node: &Node, place: &Place) -> Vec<Unfit> {
        if self.named.is_some_and(|names| !names.iter().any(|name| name == name_of(node))) {
            return vec![Unfit::OtherNode];
        }
        let closed = node.spec.as_ref().is_some_and(|spec| spec.unschedulable == Some(true));
        if closed && !self.tolerates_closed() {
            return vec![Unfit::Unschedulable];
        }
        if let Some(taint) = taint::untolerated(self.spec, node, &[Effect::NoSchedule, Effect::NoExecute]) {
            return vec![Unfit::Taint(taint.key.clone(), taint.value.clone().unwrap_or_default())];
        }
        if !node_affinity::allows(self.spec, node) {
            return vec![Unfit::NodeAffinity];
        }
        if place.pods.values().any(|other| ports_conflict(self.pod, other)) {
            return vec![Unfit::Ports];
        }
        let lacking = self.lacking(node, place);
        if !lacking.is_empty() {
            return lacking;
        }
        self.spread.objection(node).or_else(|| self.terms.objection(node)).into_iter().collect()
    }

    fn tolerates_closed(&self) -> bool {
        let taint = k8s_openapi::api::core::v1::Taint {
            key: "node.kubernetes.io/unschedulable".to_owned(),
            effect: "NoSchedule".to_owned(),
            ..Default::default()
        };
        self.spec.tolerations.iter().flatten().any(|toleration| taint::tolerates(toleration, &taint))
    }

    /// Kubernetes: `fitsRequest`.
    fn lacking(&self, node: &Node, place: &Place) -> Vec<Unfit> {
        let mut lacking = Vec::new();
        let most = resources::of_node(node, "pods") / 1000;
        if i64::try_from(place.pods.len()).unwrap_or(i64::MAX) >= most {
            lacking.push(Unfit::TooManyPods);
        }
        for (resource, amount) in self.requests.iter().filter(|(_, amount)| **amount > 0) {
            let used = place.requested.get(resource).copied().unwrap_or(0);
            if *amount > resources::of_node(node, resource).saturating_sub(used) {
                lacking.push(Unfit::Insufficient(resource.clone()));
            }
        }
        lacking
    }
}

fn named_nodes(spec: &PodSpec) -> Option<&Vec<String>> {
    let affinity = spec.affinity.as_ref()?.node_affinity.as_ref()?;
    let required = affinity.required_during_scheduling_ignored_during_execution.as_ref()?;
    let [term] = &required.node_selector_terms[..] else { return None };
    let field = term
        .match_fields
        .as_ref()?
        .iter()
        .find(|field| field.key == "metadata.name" && field.operator == "In")?;
    field.values.as_ref()
}

fn host_ports(pod: &Pod) -> impl Iterator<Item = (&str, i32, &str)> {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let ports = containers.flat_map(|container| container.ports.iter().flatten());
    ports.filter_map(|port| {
        let number = port.host_port.filter(|number| *number > 0)?;
        let ip = port.host_ip.as_deref().filter(|ip| !ip.is_empty()).unwrap_or("0.0.0.0");
        Some((port.protocol.as_deref().unwrap_or("TCP"), number, ip))
    })
}

fn ports_conflict(one: &Pod, other: &Pod) -> bool {
    host_ports(one).any(|(proto, port, ip)| {
        host_ports(other).any(|(other_proto, other_port, other_ip)| {
            let same_ip = ip == other_ip || ip == "0.0.0.0" || other_ip == "0.0.0.0";
            proto == other_proto && port == other_port && same_ip
        })
    })
}
