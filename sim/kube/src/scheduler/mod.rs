//! Which node a pod runs on: `kube-scheduler`.
//!
//! Read first: [`Scheduler`](process::Scheduler), then `filter` (where a pod can run) and `score`
//! (where it runs best).

mod affinity;
mod cluster;
mod filter;
mod fit_error;
pub mod node_affinity;
mod process;
pub(crate) mod resources;
mod score;
pub mod taint;
mod topology;

use world::Registry;

/// Installs `kube-scheduler`.
pub fn install(registry: &mut Registry) {
    registry.install("kube-scheduler", |args| Box::new(process::Scheduler::new(&args)));
}
