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
mod daemon;
