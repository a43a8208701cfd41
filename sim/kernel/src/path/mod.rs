//! The packet path: methods of [`crate::Cx`] under the kernel's own function names.

mod hook;
mod route;

pub use route::{Dst, Flow, InputRoute};

/// Packets being put together. Kernel: `struct inet_frags`.
#[derive(Clone, Debug, Default)]
pub struct FragmentQueues {}

/// Token buckets of ICMP errors. Kernel: `struct inet_peer`, `icmp_global`.
#[derive(Clone, Debug, Default)]
pub struct IcmpLimits {}

/// Path MTUs and redirects learned. Kernel: `struct fib_nh_exception`.
#[derive(Clone, Debug, Default)]
pub struct RouteExceptions {}
