//! What `ip` and `bridge` of iproute2 6.1 share.

pub mod args;
pub mod env;
pub mod names;
pub mod netlink;
pub mod nlmsg;
pub mod printer;
