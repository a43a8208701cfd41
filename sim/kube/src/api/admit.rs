//! What the API server does to an object before it keeps it; each kind has a file.

mod account;
mod endpoints;
pub mod ip;
pub mod label;
pub mod name;
mod namespace;
mod node;
mod pod;
mod rbac;
mod service;
mod workload;

use std::fmt;

use world::Sys;

pub use account::TOKEN_SECONDS;

/// A field with a value that it can't have. Kubernetes: `field.Error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// Its path, e.g. `spec.ports[0].nodePort`.
    pub path: String,
    /// What is wrong, e.g. `Invalid value: 80: provided port is not in the valid range…`.
    pub detail: String,
}

impl Invalid {
    /// `Invalid value: VALUE: WHY`.
    pub fn value(path: impl Into<String>, value: impl fmt::Debug, why: impl fmt::Display) -> Self {
        Self { path: path.into(), detail: format!("Invalid value: {value:?}: {why}") }
    }

    /// `Required value`, with a reason or without.
    pub fn required(path: impl Into<String>, why: &str) -> Self {
        let detail =
            if why.is_empty() { "Required value".to_owned() } else { format!("Required value: {why}") };
        Self { path: path.into(), detail }
    }

    /// `Unsupported value: VALUE: supported values: …`.
    pub fn unsupported(path: impl Into<String>, value: &str, supported: &[&str]) -> Self {
        let all: Vec<String> = supported.iter().map(|word| format!("{word:?}")).collect();
        let detail = format!("Unsupported value: {value:?}: supported values: {}", all.join(", "));
        Self { path: path.into(), detail }
    }

    /// `Duplicate value: VALUE`; the value as Go's `%#v` prints it.
    pub fn duplicate(path: impl Into<String>, value: impl fmt::Display) -> Self {
        Self { path: path.into(), detail: format!("Duplicate value: {value}") }
    }

    /// `Too many: COUNT: must have at most MOST items`.
    pub fn too_many(path: impl Into<String>, count: usize, most: usize) -> Self {
        Self { path: path.into(), detail: format!("Too many: {count}: must have at most {most} items") }
    }

    /// `Forbidden: WHY`.
    pub fn forbidden(path: impl Into<String>, why: &str) -> Self {
        Self { path: path.into(), detail: format!("Forbidden: {why}") }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.detail)
    }
}

/// What the names of a kind's objects are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// As the names of hosts.
    Subdomain,
    /// As a part of a path.
    PathSegment,
}

/// Why the API server can't give an object what it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Fields ask for what isn't to be had.
    Invalid(Vec<Invalid>),
    /// It must not be.
    Forbidden(String),
    /// What nobody asked for by name isn't to be had.
    Internal(String),
}

/// A kind's defaults, checks and allocation.
pub trait Admit: Sized {
    /// What its objects' names are like.
    const NAMES: Names = Names::Subdomain;
    /// Whether its objects count how often what is wanted of them has changed.
    const HAS_GENERATION: bool = false;

    /// What is wrong with its name, beyond what is wrong with all names.
    fn check_name(name: &str) -> Vec<Invalid> {
        let _ = name;
        Vec::new()
    }

    /// Fills in what wasn't said.
    fn set_defaults(&mut self) {}

    /// What is wrong with it by itself. `old` is the object that it replaces.
    fn validate(&self, old: Option<&Self>) -> Vec<Invalid> {
        let _ = old;
        Vec::new()
    }

    /// Takes what the cluster has to give: addresses, ports. What is already taken is invalid. It
    /// comes before [`validate`](Self::validate), as in the API server: `BeginCreate` runs first.
    ///
    /// # Errors
    /// What isn't to be had.
    fn allocate(&mut self, sys: &mut dyn Sys, old: Option<&Self>) -> Result<(), Refused> {
        let _ = (sys, old);
        Ok(())
    }

    /// Whether a change from `old` is one of what is wanted, not of what is: it has a new
    /// generation then.
    fn wants_else(&self, old: &Self) -> bool {
        let _ = old;
        false
    }

    /// Whether it goes only when somebody has tidied up: a pod on a node.
    fn lingers(&self) -> bool {
        false
    }

    /// How many seconds it has for that if the client doesn't say.
    fn grace(&self) -> Option<i64> {
        None
    }
}

macro_rules! plain {
    ($($kind:ty),* $(,)?) => {$( impl Admit for $kind {} )*};
}

plain! {
    k8s_openapi::api::core::v1::ConfigMap,
    k8s_openapi::api::core::v1::ServiceAccount,
    k8s_openapi::api::core::v1::Event,
    k8s_openapi::api::apps::v1::ControllerRevision,
}

macro_rules! by_spec {
    ($($kind:ty),* $(,)?) => {$(
        impl Admit for $kind {
            const HAS_GENERATION: bool = true;

            fn wants_else(&self, old: &Self) -> bool {
                self.spec != old.spec
            }
        }
    )*};
}

by_spec! {
    k8s_openapi::api::networking::v1::Ingress,
    k8s_openapi::api::networking::v1::NetworkPolicy,
}
