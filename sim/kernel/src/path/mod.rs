//! The packet path: methods of [`crate::Cx`] under the kernel's own function names.

mod arp;
mod br_netfilter;
mod bridge;
mod conf;
mod forward;
mod fragment;
mod hook;
mod icmp;
mod icmp_limit;
mod icmp_send;
mod igmp;
mod ip_input;
mod ip_output;
mod ipip;
mod multipath;
mod options;
mod reject;
mod route;
mod route_exception;
mod route_get;
mod route_input;
mod route_output;
mod route_text;
mod rx;
mod timer;
mod tun;
mod tx;
mod vxlan;

pub use fragment::FragmentQueues;
pub use icmp_limit::IcmpLimits;
pub use ip_output::IpIdents;
pub(crate) use multipath::upper_bound;
pub use route::{Dst, Flow, InputRoute};
pub use route_exception::RouteExceptions;
pub(crate) use route_text::prefix_text;
pub(crate) use tun::Relay;

#[cfg(test)]
mod tests;
