//! Bytes of frames and packets: emitting and parsing.
//!
//! Invariant: `parse(emit(x)) == x` for every value whose parts are in range: IPv4 options and
//! TCP options of at most 40 bytes, a packet of at most 65535 bytes, at most [`MAX_NESTED`] packets
//! in one another, VXLAN on a port that [`is_vxlan`] knows.

mod emit;
mod fragment;
mod nesting;
mod parse;
mod quote;
mod verify;

use std::fmt;

pub use emit::{emit_body, emit_frame, emit_packet};
pub use fragment::{fragment, reassemble};
pub use nesting::{MAX_NESTED, limit_nesting};
pub use parse::{parse_body, parse_frame, parse_packet, parse_vxlan};
pub use quote::quote;
pub use verify::{BadChecksum, verify_checksums};

use crate::{Addrs, Proto};

/// The bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireError {
    /// Offset in bytes from the first byte parsed.
    pub offset: usize,
    /// What was expected there, e.g. `an IPv4 header of 20 bytes`.
    pub expected: &'static str,
}

impl WireError {
    pub(crate) const fn new(offset: usize, expected: &'static str) -> Self {
        Self { offset, expected }
    }

    /// The same error in bytes that begin `by` earlier.
    pub(crate) const fn shifted(self, by: usize) -> Self {
        Self { offset: self.offset + by, expected: self.expected }
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: expected {}", self.offset, self.expected)
    }
}

impl std::error::Error for WireError {}

/// Whether UDP data to this port is taken to be VXLAN: IANA's 4789, Linux' 8472.
pub const fn is_vxlan(port: u16) -> bool {
    port == 4789 || port == 8472
}

/// The Internet checksum (RFC 1071) of `parts`, each but the last of even length.
pub(crate) fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = etherparse::checksum::Sum16BitWords::new();
    for part in parts {
        sum = sum.add_slice(part);
    }
    sum.ones_complement().to_be()
}

/// The checksum of a TCP or UDP message with its pseudo header (RFC 793, RFC 8200).
pub(crate) fn transport_sum(addrs: &Addrs, proto: Proto, bytes: &[u8]) -> u16 {
    let mut sum = etherparse::checksum::Sum16BitWords::new();
    // The length is a 32-bit word for both families, as its upper half is 0 in IPv4.
    let mut sum = sum.add_4bytes((bytes.len() as u32).to_be_bytes()).add_2bytes([0, proto.0]);
    let sum = match addrs {
        Addrs::V4 { src, dst } => sum.add_4bytes(src.octets()).add_4bytes(dst.octets()),
        Addrs::V6(pair) => sum.add_16bytes(pair.0.octets()).add_16bytes(pair.1.octets()),
    };
    sum.add_slice(bytes).ones_complement().to_be()
}

#[cfg(test)]
mod tests;
