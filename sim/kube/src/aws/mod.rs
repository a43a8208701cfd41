//! A VPC of AWS: the EC2 API, the fabric between instances, and what a cluster does with both.
//!
//! Read first: [`model`] (the API's objects, which live in the store that hosts share) and
//! [`fabric`] (what they mean for the kernel of the host that plays the fabric). Instances hang on
//! that host by a cable each; `vpc-router` on it follows the objects. `aws` reads and changes them.
//!
//! Simplified: the API is reached out of band, without credentials.

mod cli;
mod config;
mod describe;
pub mod ec2;
mod fabric;
mod metadata;
pub mod model;
mod operations;
mod output;
mod router;
pub mod routes;

use world::Registry;

/// Installs `vpc-router` and `aws`.
pub fn install(registry: &mut Registry) {
    registry.install("vpc-router", |args| Box::new(router::VpcRouter::new(args)));
    registry.install("aws", |args| Box::new(cli::Aws::new(args)));
}
