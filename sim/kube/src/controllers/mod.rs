//! The control plane's loops: what `kube-controller-manager` and `cloud-controller-manager` run.
//!
//! Read first: [`Manager`](manager::Manager) (the process), [`Cache`](cache::Cache) (what it has
//! seen), `route` (which change concerns which controller), then a controller, e.g. `replica_set`.
//!
//! - A controller is level triggered: it is handed the name of an object, looks at what is there,
//!   computes what should be, and writes the difference.
//! - What a controller writes it sees, like all others, when the store's watchers are woken.

pub(crate) mod cache;
mod context;
mod daemon_set;
mod deployment;
pub(crate) mod endpoint;
pub(crate) mod endpoint_mirror;
pub(crate) mod endpoint_slice;
mod endpoints;
pub(crate) mod flags;
mod garbage;
mod hash;
mod hints;
mod kubernetes_service;
pub(crate) mod manager;
mod namespace;
mod node_ipam;
mod node_lifecycle;
mod node_route;
mod object;
mod owner;
mod pod_garbage;
pub(crate) mod pods;
mod queue;
mod replica_set;
mod revision;
mod route;
mod service_account;
mod service_lb;
pub(crate) mod slices;
mod stateful_set;
mod taint_eviction;
pub(crate) mod written;

pub(crate) use endpoint_mirror::group;
pub use kubernetes_service::kubernetes_service;
pub use namespace::system_namespaces;
pub(crate) use slices::Group;
pub use slices::SERVICE_NAME;

use world::Registry;

/// Installs `kube-controller-manager` and `cloud-controller-manager`.
pub fn install(registry: &mut Registry) {
    registry.install("cloud-controller-manager", |args| Box::new(manager::Manager::new(&args)));
    registry.install("kube-controller-manager", |args| Box::new(manager::Manager::new(&args)));
}
