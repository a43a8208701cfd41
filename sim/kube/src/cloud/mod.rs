//! A cloud that puts balancers before a cluster's nodes.
//!
//! Read first: [`Balancer`] (what the cloud's API keeps), then `daemon` (the host that plays all
//! balancers) and `rules` (what they are to its kernel). The service controller
//! (`controllers/service_lb.rs`) asks for balancers.
//!
//! A balancer passes connections on at layer 4: it rewrites the destination to a node's port and
//! leaves the client's address, as the network balancers of AWS, Google and Azure do.
//!
//! Simplified: those find the way back in their fabric; here nodes' answers must come back through
//! the balancer's host, which is their gateway. The API is reached out of band.

mod daemon;
mod model;
mod rules;

pub use model::{Balancer, Listener, Pool, Target};

use world::Registry;

/// The program that plays the balancers.
pub const PROGRAM: &str = "cloud-balancer";

/// Installs `cloud-balancer`.
pub fn install(registry: &mut Registry) {
    registry.install(PROGRAM, |args| Box::new(daemon::Daemon::new(args)));
}
