//! kube-proxy: what a node does so that Services work on it.
//!
//! Read first: [`service`] and [`endpoint`] (what a proxier takes from the objects), [`iptables`]
//! (the rules it makes of them). A proxier is a plain state machine: objects go in, texts for
//! `iptables` and `iptables-restore` come out; who runs them is the caller's matter. Only that of
//! [`userspace`] mode has sockets, and acts itself.

mod behind;
pub mod config;
pub mod conntrack;
mod daemon;
pub mod endpoint;
pub mod flow;
pub mod input;
pub mod iptables;
pub mod names;
pub mod offline;
mod options;
pub mod service;
pub mod tracker;
pub mod userspace;

pub use behind::behind;
pub use config::{Family, LocalDetector, Mode, Profile, ProxyConfig};
pub use endpoint::{Endpoint, Usable};
pub use names::{Protocol, ServiceName, ServicePortName};
pub(crate) use options::split_arguments;
pub use service::ServicePort;
pub use tracker::Tracker;

/// Where images and nodes have the program.
const PATHS: [&str; 3] = ["kube-proxy", "/usr/local/bin/kube-proxy", "/usr/bin/kube-proxy"];

/// Installs `kube-proxy`.
pub fn install(registry: &mut world::Registry) {
    for path in PATHS {
        registry.install(path, |args| Box::new(daemon::Daemon::new(args)));
    }
}
