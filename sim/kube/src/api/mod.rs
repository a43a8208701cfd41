//! The API server's objects and what it does with them: versions, defaults, checks, allocation.
//!
//! Read first: [`Kind`] (a type of object), [`create`], [`update`] and [`delete`] (what a client asks
//! for), [`manifest`] (YAML to objects).
//!
//! Objects lie typed in the world's [`Store`](world::Store), under `/registry/PLURAL/NAMESPACE/NAME`.
//! Components run as processes on hosts and reach it through [`Sys`](world::Sys).

mod admit;
mod error;
pub mod event;
mod kind;
pub mod labels;
pub mod manifest;
pub mod rbac;
mod resource;
mod server;
mod settings;
pub mod token;

pub use admit::{Admit, Invalid, ip, name as names};
pub use error::{ApiError, Reason};
pub use kind::{Kind, Unsimulated, key, prefix};
pub use resource::{Mismatch, Part, RESOURCES, ResourceType, read, resource};
use server::suffix;
pub use server::{create, delete, finalize, get, list, modify, name_of, namespace_of, now, update};
pub use settings::ClusterSettings;

/// The key that an API server holds in the store while it runs: its address.
pub const API_SERVER: &str = "/cluster/apiserver";
