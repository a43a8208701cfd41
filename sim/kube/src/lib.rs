//! Kubernetes: the components that program kernels.
//!
//! Read first: [`api`] (objects and the API server), [`cni`] (plugins).
//!
//! Nothing here looks into a packet; everything acts through the system calls of a process.

pub mod api;
pub mod cni;
pub mod etcd;
pub mod stream;
