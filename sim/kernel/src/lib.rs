//! One Linux kernel: a [`Host`] with its network namespaces.
//!
//! Every change of configuration is a [`Request`] answered by a reply or a [`Refusal`]
//! ([`request`]); listings are typed dumps ([`dump`]). Packets move through [`Cx`], whose methods
//! carry the kernel's own function names ([`path`]); what leaves the kernel is an [`Effect`].
//!
//! Read first: [`Host`], [`Netns`], [`Device`], [`Cx`], `path/rx.rs`.
//!
//! This room knows nothing of cables, other hosts, files, processes (beyond a pid as an owner) or
//! commands.

mod addr;
mod addr_change;
mod addr_lifetime;
mod cx;
pub mod device;
pub mod dump;
mod errno;
mod fib;
mod fib_change;
mod fib_dump;
mod fib_event;
mod fib_lookup;
mod fib_table;
#[cfg(test)]
mod fib_tests;
mod host;
mod klog;
mod link;
mod neigh;
mod netns;
mod nexthop;
mod nexthop_change;
pub mod path;
mod random;
pub mod request;
mod request_dispatch;
mod request_text;
mod route_change;
mod rule_change;
mod siphash;
pub mod socket;
mod sysctl;
mod sysctl_access;
mod sysctl_keys;
mod timer_wheel;

pub use addr::{AddrFlags, AddrLifetime, InterfaceAddr, Scope};
pub use cx::{Cx, Dropped, Effect, Fate, PathResult, Timer};
pub use device::{Device, DeviceKind, Stats};
pub use errno::{Errno, Refusal};
pub use fib::{Fib, NextHop, Route, RouteKind, RouteMetric, RouteProto, Rule, RuleAction, TableId};
pub use host::Host;
pub use klog::KernelLog;
pub use neigh::{Neighbour, Nud};
pub use netns::Netns;
pub use request::Request;
pub use sysctl::Sysctls;
