use std::task::Poll;

use world::{Sys, Wait};

use super::config::Config;
use super::etcd_manager::EtcdManager;
use super::kube_manager::KubeManager;
use super::lease::{Lease, LeaseAttrs, LeaseNews};
use super::log::Log;

/// Who knows which node has which part of the network. flannel: `subnet.Manager`.
#[derive(Clone, Debug)]
pub enum Manager {
    /// A key-value store: nodes take parts.
    Etcd(Box<EtcdManager>),
    /// Kubernetes: nodes are given parts (`spec.podCIDR`).
    Kube(Box<KubeManager>),
}

/// What becomes of the own lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// It lives.
    Goes,
    /// Nothing more is to be done about it.
    Done,
    /// Somebody took it away.
    Revoked,
}

impl Manager {
    /// As the log names it.
    pub fn name(&self) -> String {
        match self {
            Self::Etcd(manager) => manager.name(),
            Self::Kube(manager) => manager.name(),
        }
    }

    /// The public address that somebody wrote to the node.
    pub fn stored_public_ip(&self, sys: &mut dyn Sys, log: Log) -> String {
        match self {
            Self::Etcd(_) => String::new(),
            Self::Kube(manager) => manager.stored_public_ip(sys, log),
        }
    }

    /// The MAC address that the node's vxlan device had.
    pub fn stored_mac(&self, sys: &mut dyn Sys, log: Log) -> String {
        match self {
            Self::Etcd(_) => String::new(),
            Self::Kube(manager) => manager.stored_mac(sys, log),
        }
    }

    /// The network's configuration.
    pub fn config(&mut self, sys: &mut dyn Sys) -> Poll<Result<Config, String>> {
        match self {
            Self::Etcd(manager) => manager.config(sys),
            Self::Kube(manager) => Poll::Ready(Ok(manager.config().clone())),
        }
    }

    /// Gets a part for this node.
    pub fn acquire(
        &mut self,
        sys: &mut dyn Sys,
        log: Log,
        attrs: &LeaseAttrs,
    ) -> Poll<Result<Lease, String>> {
        match self {
            Self::Etcd(manager) => manager.acquire(sys, log, attrs),
            Self::Kube(manager) => manager.acquire(sys, log, attrs),
        }
    }

    /// What has happened to the nodes' parts.
    pub fn news(&mut self, sys: &mut dyn Sys, log: Log) -> Vec<LeaseNews> {
        match self {
            Self::Etcd(manager) => manager.news(sys, log),
            Self::Kube(manager) => manager.news(sys, log),
        }
    }

    /// Looks after the own lease.
    pub fn complete(&mut self, sys: &mut dyn Sys, log: Log, lease: &mut Lease) -> Completion {
        match self {
            Self::Etcd(manager) => manager.complete(sys, log, lease),
            Self::Kube(manager) => manager.complete(sys, log),
        }
    }

    /// What it waits for while it starts.
    pub fn wait_starting(&self) -> Wait {
        match self {
            Self::Etcd(manager) => manager.wait_starting(),
            Self::Kube(manager) => manager.wait(),
        }
    }

    /// What it waits for once there is a lease.
    pub fn wait(&self) -> Wait {
        match self {
            Self::Etcd(manager) => manager.wait(),
            Self::Kube(manager) => manager.wait(),
        }
    }
}

/// Waits for either.
pub fn join(mut one: Wait, other: Wait) -> Wait {
    one.fds.extend(other.fds);
    one.pids.extend(other.pids);
    one.until = [one.until, other.until].into_iter().flatten().min();
    one.watch = one.watch.or(other.watch);
    one
}
