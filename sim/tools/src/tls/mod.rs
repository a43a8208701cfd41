//! TLS 1.3 (RFC 8446) between simulated processes: records, handshakes, certificates.
//!
//! Read first: [`ClientSession`], [`ServerSession`], [`Certificate`].
//!
//! Simplified: what is sealed isn't encrypted; keys and signatures are hashes; sessions are not
//! resumed.

mod bytes;
mod certificate;
mod client;
mod issue;
mod message;
mod record;
mod server;
mod verify;

pub use certificate::{AltName, Certificate};
pub use client::{Check, ClientFailure, ClientSession, Direction, Seen};
pub use issue::{Authority, Identity, Key, Role, Wanted};
pub use message::Kind;
pub use server::{ServerFailure, ServerSession};
pub use verify::{Mismatch, Untrusted, check_name, verify};

#[cfg(test)]
mod tests;
