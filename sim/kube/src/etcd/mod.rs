//! `etcd`, the key-value store, and `etcdctl`: the v2 API, as flannel used it.
//!
//! [`Keys`] is the tree of keys, [`Event`] what happened to one, `server` answers HTTP from them,
//! and [`EtcdClient`] asks. Followed: etcd 3.4 with `--enable-v2`.

mod client;
mod error;
mod etcdctl;
mod event;
mod keys;
mod options;
mod request;
mod server;

use world::Registry;

pub use client::{EtcdAnswer, EtcdCall, EtcdClient, EtcdFailure, Timeouts};
pub use error::{EtcdError, code};
pub use event::{Event, KeyNode};
pub use keys::{Compare, Expiry, Keys};

/// The version that is followed.
pub const VERSION: &str = "3.4.23";

/// Installs `etcd` and `etcdctl`.
pub fn install(registry: &mut Registry) {
    registry.install("etcd", |args| Box::new(server::Etcd::new(args)));
    registry.install("etcdctl", |args| Box::new(etcdctl::Etcdctl::new(args)));
}
