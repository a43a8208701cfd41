//! Bytes of frames and packets: emitting and parsing.

use std::fmt;

use crate::{Frame, Packet};

/// The bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireError {
    /// Offset in bytes from the first byte parsed.
    pub offset: usize,
    /// What was expected there, e.g. `an IPv4 header of 20 bytes`.
    pub expected: &'static str,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: expected {}", self.offset, self.expected)
    }
}

impl std::error::Error for WireError {}

/// The bytes of a frame, as a device would put them on its wire (no preamble, padding or FCS).
pub fn emit_frame(_frame: &Frame) -> Vec<u8> {
    Vec::new()
}

/// The bytes of an IP packet, checksums computed.
pub fn emit_packet(_packet: &Packet) -> Vec<u8> {
    Vec::new()
}

/// Reads a frame.
pub fn parse_frame(_bytes: &[u8]) -> Result<Frame, WireError> {
    Err(WireError { offset: 0, expected: "a frame" })
}

/// Reads an IP packet.
pub fn parse_packet(_bytes: &[u8]) -> Result<Packet, WireError> {
    Err(WireError { offset: 0, expected: "a packet" })
}
