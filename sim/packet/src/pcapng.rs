//! Captures: writes pcapng, reads pcapng and classic pcap.
//!
//! Every interface is Ethernet; a device without link-layer header is written with zero addresses.

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use pcap_file::pcapng::PcapNgWriter;

use crate::Frame;

/// Writes a pcapng capture: one interface a device, nanosecond timestamps, packet comments.
pub struct Writer<W: Write> {
    _inner: PcapNgWriter<W>,
}

/// One packet of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The interface's name; empty if the capture gives none.
    pub interface: String,
    /// Time since 1970.
    pub at: Duration,
    /// The bytes captured.
    pub bytes: Vec<u8>,
    /// Length on the wire in bytes.
    pub original_len: u32,
    /// The packet's comment.
    pub comment: Option<String>,
}

/// A capture that can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureError {
    /// Number of packets read before the error.
    pub packets: usize,
    /// What is wrong.
    pub expected: String,
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "after {} packets: {}", self.packets, self.expected)
    }
}

impl std::error::Error for CaptureError {}

impl<W: Write> Writer<W> {
    /// Starts a capture.
    pub fn new(out: W) -> io::Result<Self> {
        PcapNgWriter::new(out).map(|inner| Self { _inner: inner }).map_err(io::Error::other)
    }

    /// Adds an interface; the number that packets of it are written with.
    pub fn interface(&mut self, _name: &str) -> io::Result<u32> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Writes a frame that passed `interface` at `at` (since 1970).
    pub fn frame(&mut self, _interface: u32, _at: Duration, _frame: &Frame, _comment: Option<&str>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Reads a capture from memory.
pub struct Reader<'a> {
    _bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Looks at the file's first bytes to tell pcapng from classic pcap.
    pub fn new(bytes: &'a [u8]) -> Result<Self, CaptureError> {
        Ok(Self { _bytes: bytes })
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Record, CaptureError>;

    fn next(&mut self) -> Option<Self::Item> {
        None
    }
}
