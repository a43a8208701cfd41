//! The plugins but for kubernetes, each with what it keeps.

pub(super) mod cache;
pub(super) mod errors;
pub(super) mod find_loop;
pub(super) mod forward;
pub(super) mod hosts;
pub(super) mod loadbalance;
pub(super) mod log;
pub(super) mod rewrite;
pub(super) mod typify;
