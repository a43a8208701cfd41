//! CoreDNS: the server that answers a cluster's DNS queries.
//!
//! Read first: [`corefile`] (what a Corefile says), [`cluster`] (the objects that it watches),
//! [`server`] (queries in, answers out). The server is a plain state machine without sockets; it
//! follows CoreDNS 1.14, whose `plugin.cfg` gives the plugins' order.

mod act;
mod chain;
pub mod cluster;
pub mod corefile;
mod daemon;
mod entry;
mod kubernetes;
mod message;
mod metrics;
pub mod offline;
mod plugin;
pub mod server;

pub use act::{Act, Ask, AskId, Came, Context, QueryId, Socket, Why};
pub use cluster::Cluster;
pub use entry::{ServiceImport, ServiceImportPort, ServiceImportSpec};
pub use message::{Accepted, Client, Transport, accept};
pub use metrics::Metrics;
pub use server::Server;

/// Installs `coredns`.
pub fn install(registry: &mut world::Registry) {
    daemon::install(registry);
}
