use std::collections::{BTreeMap, BTreeSet};

use packet::SimTime;

use super::context::Context;
use super::object::Path;
use super::{daemon_set, deployment, garbage, namespace, node_ipam, replica_set};

/// A controller, in the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Controller {
    Namespace,
    GarbageCollector,
    NodeIpam,
    Deployment,
    ReplicaSet,
    DaemonSet,
}

impl Controller {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Namespace,
        Self::GarbageCollector,
        Self::NodeIpam,
        Self::Deployment,
        Self::ReplicaSet,
        Self::DaemonSet,
    ];

    /// Whether that is one of its names.
    pub fn is_called(self, name: &str) -> bool {
        let (new, old) = self.names();
        name == new || name == old
    }

    /// As `--controllers` knows it, with the name it had before Kubernetes 1.28.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Namespace => ("namespace-controller", "namespace"),
            Self::GarbageCollector => ("garbage-collector-controller", "garbagecollector"),
            Self::NodeIpam => ("node-ipam-controller", "nodeipam"),
            Self::Deployment => ("deployment-controller", "deployment"),
            Self::ReplicaSet => ("replicaset-controller", "replicaset"),
            Self::DaemonSet => ("daemonset-controller", "daemonset"),
        }
    }

    /// Looks at an object and does what is to be done about it.
    pub fn sync(self, cx: &mut Context<'_>, namespace: &str, name: &str) {
        let sync = match self {
            Self::Namespace => namespace::sync,
            Self::GarbageCollector => garbage::sync,
            Self::NodeIpam => node_ipam::sync,
            Self::Deployment => deployment::sync,
            Self::ReplicaSet => replica_set::sync,
            Self::DaemonSet => daemon_set::sync,
        };
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
