//! Requests about devices, namespaces and forwarding entries, and their dumps.

mod add;
mod bridge;
mod carrier;
mod display;
mod dump;
mod fdb;
mod multicast;
mod netns;
mod open;
mod register;
mod set;
mod tunnel;

pub(crate) use display::link_set;

#[cfg(test)]
mod tests;
