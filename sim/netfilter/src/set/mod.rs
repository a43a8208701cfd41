//! The sets of a namespace: `ipset`, `-m set` and `-j SET`.
//!
//! [`Sets`] is changed by a [`SetChange`], listed by [`Sets::list`], and asked by rules with
//! [`Sets::test`]. Kernel: `net/netfilter/ipset/`.
//!
//! A hash set is the kernel's own table (`table.rs`): buckets found with `jhash2`, in whose order
//! elements are listed, so that a set created with `initval` lists as Linux lists it. Without
//! `initval` Linux rolls dice; here the number follows from the namespace's seed.
//!
//! Simplified: family inet6 and the types `bitmap:ip,mac` and `hash:net,iface` are refused by the
//! command; a rule's reference to a set is its name, which can't change while there is one.

mod adt;
mod bitmap;
mod change;
mod elem;
mod entry;
mod error;
mod ext;
mod instance;
mod kind;
mod list;
mod packet;
mod sets;
mod table;

pub use change::SetChange;
pub use entry::{CreateOptions, Entry};
pub use error::SetError;
pub use ext::SkbInfo;
pub use kind::SetType;
pub use packet::{CounterMatch, CounterOp, Dirs, PacketOptions, Tested};
pub use sets::{Listing, Sets};
