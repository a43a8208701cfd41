//! The packet path: methods of [`crate::Cx`] under the kernel's own function names.

mod arp;
mod forward;
mod fragment;
mod hook;
mod icmp;
mod ip_input;
mod ip_output;
mod route;
mod route_exception;
mod route_get;
mod route_input;
mod route_output;
mod timer;
mod rx;
mod tunnel;
mod tx;

pub use fragment::FragmentQueues;
pub use icmp::IcmpLimits;
pub use route::{Dst, Flow, InputRoute};
pub use route_exception::RouteExceptions;
