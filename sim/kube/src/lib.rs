//! Kubernetes: the components that program kernels.
//!
//! Read first: [`cni`].
//!
//! Nothing here looks into a packet; everything acts through the system calls of a process.

pub mod cni;
