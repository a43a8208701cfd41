//! Kubernetes: the components that program kernels.
//!
//! Read first: [`api`] (objects and the API server), [`cni`] (plugins),
//! [`controllers`] and [`scheduler`] (the control plane).
//!
//! Nothing here looks into a packet; everything acts through the system calls of a process.

pub mod api;
pub mod apiserver;
pub mod aws;
pub mod cloud;
pub mod cluster;
pub mod cni;
pub mod controllers;
pub mod coredns;
mod daemon;
pub mod etcd;
pub mod flannel;
pub mod kubectl;
pub mod kubelet;
pub mod kubenet;
pub mod proxy;
pub mod scheduler;
pub mod stream;
pub mod time;

/// Installs every program of this room.
pub fn install_all(registry: &mut world::Registry) {
    cni::install(registry, cni::Release::V1_9);
    cni::install(registry, cni::Release::V1_1);
    cni::cnitool::install(registry);
    aws::install(registry);
    cloud::install(registry);
    controllers::install(registry);
    coredns::install(registry);
    etcd::install(registry);
    flannel::install(registry);
    kubectl::install(registry);
    scheduler::install(registry);
    apiserver::install(registry);
    kubelet::install(registry);
    proxy::install(registry);
}
