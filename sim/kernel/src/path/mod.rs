//! The packet path: methods of [`crate::Cx`] under the kernel's own function names.

mod hook;
mod route;
mod route_exception;
mod route_get;
mod route_input;
mod route_output;

pub use route::{Dst, Flow, InputRoute};
pub use route_exception::RouteExceptions;

/// Packets being put together. Kernel: `struct inet_frags`.
#[derive(Clone, Debug, Default)]
pub struct FragmentQueues {}

/// Token buckets of ICMP errors. Kernel: `struct inet_peer`, `icmp_global`.
#[derive(Clone, Debug, Default)]
pub struct IcmpLimits {}
