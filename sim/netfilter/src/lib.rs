//! Hooks, tables, rules, connection tracking and NAT: a verdict for a packet.
//!
//! [`Netfilter`] is one namespace's state. It is changed by a [`Change`] or [`Restore`], checked
//! when installed so that evaluation can't fail, and asked by [`Netfilter::run`] at each hook.
//! A match is one file of `matches`, a target one file of `targets`: syntax, meaning, listing.
//!
//! Read first: [`Rule`], [`Table`], `evaluate.rs`, `hook.rs`, [`conntrack`].
//!
//! This room knows packets and the words of a trace. It asks the kernel around it through [`Env`]
//! and knows nothing of sockets, routes or commands.

mod apply;
pub mod args;
mod change;
mod choice;
pub mod conntrack;
mod env;
mod eval;
mod evaluate;
mod hook;
mod index;
mod journal;
mod matches;
mod monitor;
pub mod names;
pub mod nat;
mod native;
mod netfilter;
mod parse;
mod reach;
mod rule;
mod selector;
pub mod set;
mod shared;
mod table;
mod targets;
#[cfg(test)]
mod tests;
mod transport;

pub use change::{Change, Refused, Restore, RuleSite, What};
pub use choice::{Choice, Choices, Draws};
pub use env::{AddrType, Env, Random, ReversePath};
pub use eval::{Action, EvalCx, Memory};
pub use hook::{HookState, HookVerdict, Watch};
pub use matches::{HashlimitTable, Match, RecentTable, RecentWrite};
pub use monitor::{TraceEvent, TraceVerdict, Traced, TracedPacket};
pub use netfilter::Netfilter;
pub use parse::{RuleOption, RuleParser};
pub use rule::{Listed, Rule, Then};
pub use selector::{AddrMask, DevPattern, Not, Selector};
pub use shared::{Held, Shared};
pub use table::{Backend, Base, Chain, Counters, Installed, Policy, Table, TableId, TableName};
pub use targets::{NOT_SIMULATED, RejectWith, Target};
