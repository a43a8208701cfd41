//! CoreDNS: the server that answers a cluster's DNS queries.
//!
//! Read first: [`corefile`] (what a Corefile says), [`cluster`] (the objects that it watches).

pub mod cluster;
pub mod corefile;
mod entry;

pub use cluster::Cluster;
pub use entry::{ServiceImport, ServiceImportPort, ServiceImportSpec};
