use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use packet::SimTime;

use super::context::Context;
use super::object::Path;
use super::{
    daemon_set, deployment, endpoint_mirror, endpoint_slice, endpoints, garbage, hints, namespace, node_ipam,
    node_lifecycle, node_route, pod_garbage, replica_set, service_account, service_lb, stateful_set,
    taint_eviction,
};

/// A controller, in the order in which they run. Some have two tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Controller {
    /// Empties namespaces that go.
    Namespace,
    /// Makes ServiceAccounts.
    ServiceAccount,
    /// Publishes the CA.
    RootCa,
    /// Deletes what has lost its owner.
    GarbageCollector,
    /// Looks for pods without a node.
    PodGarbage,
    /// Deletes them.
    PodGarbageDeadline,
    /// Gives subnets to nodes.
    NodeIpam,
    /// Makes routes to nodes' subnets in a cloud.
    NodeRoute,
    /// Watches over nodes.
    NodeLifecycle,
    /// Marks the pods of a node that is not ready.
    NodeDown,
    /// Looks which pods must leave a node.
    TaintEviction,
    /// Has them leave.
    TaintDeadline,
    /// Deployments.
    Deployment,
    /// ReplicaSets.
    ReplicaSet,
    /// DaemonSets.
    DaemonSet,
    /// StatefulSets.
    StatefulSet,
    /// Endpoints of Services with a selector.
    Endpoints,
    /// Looks whether EndpointSlices' hints still fit the nodes.
    Topology,
    /// EndpointSlices of Services with a selector.
    EndpointSlice,
    /// EndpointSlices of Endpoints without a selector.
    EndpointSliceMirroring,
    /// Balancers of a cloud.
    ServiceLb,
}

/// What a controller does for an object, by namespace and name.
type Sync = fn(&mut Context<'_>, &str, &str);

impl Controller {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Namespace,
        Self::ServiceAccount,
        Self::RootCa,
        Self::GarbageCollector,
        Self::PodGarbage,
        Self::PodGarbageDeadline,
        Self::NodeIpam,
        Self::NodeRoute,
        Self::NodeLifecycle,
        Self::NodeDown,
        Self::TaintEviction,
        Self::TaintDeadline,
        Self::Deployment,
        Self::ReplicaSet,
        Self::DaemonSet,
        Self::StatefulSet,
        Self::Endpoints,
        Self::Topology,
        Self::EndpointSlice,
        Self::EndpointSliceMirroring,
        Self::ServiceLb,
    ];

    /// Its name for `--controllers`, the one it had before Kubernetes 1.28, and what it does.
    const fn properties(self) -> (&'static str, &'static str, Sync) {
        match self {
            Self::Namespace => ("namespace-controller", "namespace", namespace::sync),
            Self::ServiceAccount => {
                ("serviceaccount-controller", "serviceaccount", service_account::sync_account)
            }
            Self::RootCa => (
                "root-ca-certificate-publisher-controller",
                "root-ca-cert-publisher",
                service_account::sync_root_ca,
            ),
            Self::GarbageCollector => ("garbage-collector-controller", "garbagecollector", garbage::sync),
            Self::PodGarbage => ("pod-garbage-collector-controller", "podgc", pod_garbage::sync),
            Self::PodGarbageDeadline => {
                ("pod-garbage-collector-controller", "podgc", pod_garbage::sync_deadline)
            }
            Self::NodeIpam => ("node-ipam-controller", "nodeipam", node_ipam::sync),
            Self::NodeRoute => ("node-route-controller", "route", node_route::sync),
            Self::NodeLifecycle => ("node-lifecycle-controller", "nodelifecycle", node_lifecycle::sync),
            Self::NodeDown => ("node-lifecycle-controller", "nodelifecycle", node_lifecycle::sync_down),
            Self::TaintEviction => ("taint-eviction-controller", "taintmanager", taint_eviction::sync),
            Self::TaintDeadline => {
                ("taint-eviction-controller", "taintmanager", taint_eviction::sync_deadline)
            }
            Self::Deployment => ("deployment-controller", "deployment", deployment::sync),
            Self::ReplicaSet => ("replicaset-controller", "replicaset", replica_set::sync),
            Self::DaemonSet => ("daemonset-controller", "daemonset", daemon_set::sync),
            Self::StatefulSet => ("statefulset-controller", "statefulset", stateful_set::sync),
            Self::Endpoints => ("endpoints-controller", "endpoint", endpoints::sync),
            Self::Topology => ("endpointslice-controller", "endpointslice", hints::sync_nodes),
            Self::EndpointSlice => ("endpointslice-controller", "endpointslice", endpoint_slice::sync),
            Self::EndpointSliceMirroring => {
                ("endpointslice-mirroring-controller", "endpointslicemirroring", endpoint_mirror::sync)
            }
            Self::ServiceLb => ("service-lb-controller", "service", service_lb::sync),
        }
    }

    /// Whether that is one of its names.
    pub fn is_called(self, name: &str) -> bool {
        let (new, old, _) = self.properties();
        name == new || name == old
    }

    /// Looks at an object and does what is to be done about it.
    pub fn sync(self, cx: &mut Context<'_>, namespace: &str, name: &str) {
        let (.., sync) = self.properties();
        sync(cx, namespace, name);
    }
}

/// Work for a controller: an object to look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Task {
    /// Whose work it is.
    pub controller: Controller,
    /// Namespace of the object; may be empty.
    pub namespace: String,
    /// Name of the object.
    pub name: String,
}

/// Work that is waiting: each task once.
///
/// Simplified: a controller works off its tasks sorted by name, not in the order of the changes.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    ready: BTreeSet<Task>,
    later: BTreeMap<Task, SimTime>,
    /// How often tasks have failed in a row.
    failures: BTreeMap<Task, u32>,
}

impl Queue {
    /// Adds work.
    pub fn add(&mut self, controller: Controller, namespace: &str, name: &str) {
        self.ready.insert(Task { controller, namespace: namespace.to_owned(), name: name.to_owned() });
    }

    /// Adds work on the object with that key.
    pub fn add_key(&mut self, controller: Controller, key: &str) {
        if let Some(path) = Path::read(key) {
            self.add(controller, path.namespace, path.name);
        }
    }

    /// Adds work for later; the earliest time counts.
    pub fn add_at(&mut self, task: Task, at: SimTime) {
        let due = self.later.entry(task).or_insert(at);
        *due = at.min(*due);
    }

    /// Adds work that has failed: for later, twice as late each time.
    pub fn retry(&mut self, task: Task, now: SimTime, first: Duration, most: Duration) {
        let failed = self.failures.entry(task.clone()).or_insert(0);
        let after = first.saturating_mul(1 << (*failed).min(16)).min(most);
        *failed += 1;
        self.later.insert(task, now + after);
    }

    /// It hasn't failed.
    pub fn forget(&mut self, task: &Task) {
        self.failures.remove(task);
        self.later.remove(task);
    }

    /// Whether that is to be done later.
    pub fn is_waiting(&self, task: &Task) -> bool {
        self.later.contains_key(task)
    }

    /// Forgets work for later; answers whether there was some.
    pub fn cancel(&mut self, task: &Task) -> bool {
        self.later.remove(task).is_some()
    }

    /// Takes the work that is due.
    pub fn take(&mut self, now: SimTime) -> BTreeSet<Task> {
        let due: Vec<Task> =
            self.later.iter().filter(|(_, at)| **at <= now).map(|(task, _)| task.clone()).collect();
        for task in due {
            self.later.remove(&task);
            self.ready.insert(task);
        }
        std::mem::take(&mut self.ready)
    }

    /// When there is work next.
    pub fn next(&self) -> Option<SimTime> {
        self.later.values().min().copied()
    }
}
