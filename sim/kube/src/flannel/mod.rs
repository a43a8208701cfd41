//! `flanneld`: gives each node a part of one network and carries packets between the parts.
//!
//! [`Daemon`] runs it: a [`Manager`](manager::Manager) knows which node has which part (leases), a backend programs
//! the kernel for them, [`traffic`] keeps the iptables rules. Followed: flannel 0.28; with a
//! key-value store it speaks etcd's v2 API, as releases before 0.20 did, and then the udp backend
//! gives its TUN device the prefix of the whole network, as releases before 0.11 did.

mod backend;
mod config;
mod daemon;
mod etcd_manager;
mod iface;
mod kube_manager;
mod lease;
mod log;
mod manager;
mod net;
mod options;
mod run;
mod subnet_file;
mod traffic;

use world::Registry;

use daemon::Daemon;

/// Where flannel's image has the program.
pub const PATH: &str = "/opt/bin/flanneld";

/// Installs `flanneld`, by its name and by its [`PATH`].
pub fn install(registry: &mut Registry) {
    for name in ["flanneld", PATH] {
        registry.install(name, |args| Box::new(Daemon::new(args)));
    }
}
