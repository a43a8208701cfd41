//! Captures: writes pcapng, reads pcapng and classic pcap.
//!
//! Every interface is Ethernet; a device without link-layer header is written with zero addresses.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use pcap_file::pcap::PcapParser;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::{Block, PcapNgBlock, PcapNgParser, PcapNgWriter};
use pcap_file::{DataLink, Endianness, PcapError};

use crate::{Frame, wire};

/// Longest packet that an interface says it captures, in bytes: tcpdump's default.
const SNAPLEN: u32 = 262_144;

/// Writes a pcapng capture: one interface a device, nanosecond timestamps, packet comments.
///
/// The bytes are the same on every machine: little endian.
pub struct Writer<W: Write> {
    inner: PcapNgWriter<W>,
    interfaces: u32,
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

/// A capture that can't be read on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureError {
    /// Offset in bytes of the header or block that can't be read.
    pub offset: usize,
    /// Number of packets read before it.
    pub packets: usize,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The file begins neither as pcapng nor as pcap.
    NotACapture,
    /// The file ends in the middle of a header or block.
    Cut,
    /// The link type isn't Ethernet (1); its number.
    LinkType(u32),
    /// A packet of an interface that wasn't described.
    Interface(u32),
    /// A field that makes no sense, as `pcap-file` words it.
    Field(String),
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, packets, problem } = self;
        write!(f, "byte {offset}, after {packets} packets: ")?;
        match problem {
            Problem::NotACapture => f.write_str("neither pcapng nor pcap"),
            Problem::Cut => f.write_str("the capture is cut"),
            Problem::LinkType(number) => write!(f, "link type {number} instead of 1 (Ethernet)"),
            Problem::Interface(number) => write!(f, "interface {number} is not described"),
            Problem::Field(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for CaptureError {}

fn to_io(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        error => io::Error::other(error),
    }
}

impl<W: Write> Writer<W> {
    /// Starts a capture.
    ///
    /// # Errors
    /// `out` can't be written.
    pub fn new(out: W) -> io::Result<Self> {
        let inner = PcapNgWriter::with_endianness(out, Endianness::Little).map_err(to_io)?;
        Ok(Self { inner, interfaces: 0 })
    }

    /// Adds an interface; the number that packets of it are written with.
    ///
    /// # Errors
    /// `out` can't be written.
    pub fn interface(&mut self, name: &str) -> io::Result<u32> {
        const NANOSECONDS: u8 = 9;
        let block = InterfaceDescriptionBlock {
            linktype: DataLink::ETHERNET,
            snaplen: SNAPLEN,
            options: vec![
                InterfaceDescriptionOption::IfName(Cow::Borrowed(name)),
                InterfaceDescriptionOption::IfTsResol(NANOSECONDS),
            ],
        };
        self.inner.write_block(&block.into_block()).map_err(to_io)?;
        self.interfaces += 1;
        Ok(self.interfaces - 1)
    }

    /// Writes a frame that passed `interface` at `at` (since 1970).
    ///
    /// # Errors
    /// `out` can't be written, or there is no such interface.
    pub fn frame(
        &mut self,
        interface: u32,
        at: Duration,
        frame: &Frame,
        comment: Option<&str>,
    ) -> io::Result<()> {
        self.bytes(interface, at, &wire::emit_frame(frame), comment)
    }

    /// Writes the bytes of a frame.
    ///
    /// # Errors
    /// As [`Self::frame`].
    pub fn bytes(
        &mut self,
        interface: u32,
        at: Duration,
        bytes: &[u8],
        comment: Option<&str>,
    ) -> io::Result<()> {
        let comment = comment.map(|text| EnhancedPacketOption::Comment(Cow::Borrowed(text)));
        let block = EnhancedPacketBlock {
            interface_id: interface,
            timestamp: at,
            original_len: bytes.len() as u32,
            data: Cow::Borrowed(bytes),
            options: comment.into_iter().collect(),
        };
        self.inner.write_block(&block.into_block()).map(|_| ()).map_err(to_io)
    }
}

/// Reads a capture from memory, packet by packet; ends after the first error.
pub struct Reader<'a> {
    len: usize,
    rest: &'a [u8],
    packets: usize,
    format: Format,
}

enum Format {
    Pcapng(PcapNgParser),
    Pcap(PcapParser),
    /// An error was met.
    Over,
}

/// Units a second of an interface's timestamps. Default: microseconds.
fn resolution(interface: &InterfaceDescriptionBlock<'_>) -> Option<u64> {
    let byte = interface.options.iter().find_map(|option| match option {
        InterfaceDescriptionOption::IfTsResol(byte) => Some(*byte),
        _ => None,
    });
    match byte.unwrap_or(6) {
        power @ 0..=9 => Some(10_u64.pow(u32::from(power))),
        power @ 0x80..=0x9e => Some(1 << (power & 0x7f)),
        _ => None,
    }
}

fn if_name(interface: &InterfaceDescriptionBlock<'_>) -> String {
    let name = interface.options.iter().find_map(|option| match option {
        InterfaceDescriptionOption::IfName(name) => Some(name.to_string()),
        _ => None,
    });
    name.unwrap_or_default()
}

fn problem(error: PcapError) -> Problem {
    match error {
        PcapError::IncompleteBuffer => Problem::Cut,
        error => Problem::Field(error.to_string()),
    }
}

/// The record of an enhanced packet block.
fn record(
    block: &EnhancedPacketBlock<'_>,
    interfaces: &[InterfaceDescriptionBlock<'_>],
) -> Result<Record, Problem> {
    let interface =
        interfaces.get(block.interface_id as usize).ok_or(Problem::Interface(block.interface_id))?;
    ethernet(interface.linktype)?;
    let units = resolution(interface)
        .ok_or_else(|| Problem::Field("a timestamp resolution finer than a nanosecond".to_owned()))?;
    // The parser takes every unit for a nanosecond.
    let stamp = block.timestamp.as_nanos() as u64;
    let nanos = u128::from(stamp % units) * 1_000_000_000 / u128::from(units);
    let comment = block.options.iter().find_map(|option| match option {
        EnhancedPacketOption::Comment(text) => Some(text.to_string()),
        _ => None,
    });
    Ok(Record {
        interface: if_name(interface),
        at: Duration::new(stamp / units, nanos as u32),
        bytes: block.data.to_vec(),
        original_len: block.original_len,
        comment,
    })
}

fn ethernet(link_type: DataLink) -> Result<(), Problem> {
    if link_type == DataLink::ETHERNET { Ok(()) } else { Err(Problem::LinkType(link_type.into())) }
}

impl<'a> Reader<'a> {
    /// Looks at the file's first bytes to tell pcapng from classic pcap.
    ///
    /// # Errors
    /// The bytes begin no capture.
    pub fn new(bytes: &'a [u8]) -> Result<Self, CaptureError> {
        const PCAPNG: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
        let error = |problem| CaptureError { offset: 0, packets: 0, problem };
        let (rest, format) = if bytes.starts_with(&PCAPNG) {
            // A section header has at least 28 bytes.
            if bytes.len() < 28 {
                return Err(error(Problem::Cut));
            }
            let (rest, parser) = PcapNgParser::new(bytes).map_err(|e| error(problem(e)))?;
            (rest, Format::Pcapng(parser))
        } else {
            match PcapParser::new(bytes) {
                Ok((rest, parser)) => {
                    ethernet(parser.header().datalink).map_err(error)?;
                    (rest, Format::Pcap(parser))
                }
                Err(PcapError::IncompleteBuffer) => return Err(error(Problem::Cut)),
                Err(_) => return Err(error(Problem::NotACapture)),
            }
        };
        Ok(Self { len: bytes.len(), rest, packets: 0, format })
    }

    /// The next packet; blocks that hold none are skipped.
    fn read(&mut self) -> Option<Result<Record, Problem>> {
        while !self.rest.is_empty() {
            match &mut self.format {
                Format::Over => return None,
                Format::Pcap(parser) => {
                    let (rest, packet) = match parser.next_packet(self.rest) {
                        Ok(found) => found,
                        Err(error) => return Some(Err(problem(error))),
                    };
                    self.rest = rest;
                    return Some(Ok(Record {
                        interface: String::new(),
                        at: packet.timestamp,
                        bytes: packet.data.to_vec(),
                        original_len: packet.orig_len,
                        comment: None,
                    }));
                }
                Format::Pcapng(parser) => {
                    let (rest, block) = match parser.next_block(self.rest) {
                        Ok(found) => found,
                        Err(error) => return Some(Err(problem(error))),
                    };
                    match block {
                        Block::EnhancedPacket(block) => {
                            let found = record(&block, parser.interfaces());
                            if found.is_ok() {
                                self.rest = rest;
                            }
                            return Some(found);
                        }
                        Block::SimplePacket(_) | Block::Packet(_) => {
                            return Some(Err(Problem::Field(
                                "simple and obsolete packet blocks are not read".to_owned(),
                            )));
                        }
                        _ => self.rest = rest,
                    }
                }
            }
        }
        None
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Record, CaptureError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.read()? {
            Ok(record) => {
                self.packets += 1;
                Some(Ok(record))
            }
            Err(problem) => {
                self.format = Format::Over;
                Some(Err(CaptureError { offset: self.len - self.rest.len(), packets: self.packets, problem }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn capture(packets: &[(u32, u64, Vec<u8>, Option<String>)]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out).unwrap();
        for name in ["web eth0", "node1 docker0"] {
            writer.interface(name).unwrap();
        }
        for (interface, at, bytes, comment) in packets {
            writer.bytes(*interface, Duration::from_nanos(*at), bytes, comment.as_deref()).unwrap();
        }
        out
    }

    fn packets() -> impl Strategy<Value = Vec<(u32, u64, Vec<u8>, Option<String>)>> {
        let comment = proptest::option::of("[a-z \u{21d2}]{0,20}");
        let packet = (0..2_u32, any::<u64>(), proptest::collection::vec(any::<u8>(), 0..80), comment);
        proptest::collection::vec(packet, 0..5)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_was_written_is_read(packets in packets()) {
            let bytes = capture(&packets);
            let read: Vec<Record> = Reader::new(&bytes).unwrap().map(Result::unwrap).collect();
            let expected: Vec<Record> = packets.into_iter().map(|(interface, at, bytes, comment)| Record {
                interface: ["web eth0", "node1 docker0"][interface as usize].to_owned(),
                at: Duration::from_nanos(at),
                original_len: bytes.len() as u32,
                bytes,
                comment,
            }).collect();
            prop_assert_eq!(read, expected);
        }

        #[test]
        fn a_damaged_capture_never_panics(packets in packets(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
            let mut bytes = capture(&packets);
            let place = at.index(bytes.len());
            bytes[place] = byte;
            bytes.truncate(cut.index(bytes.len() + 1));
            if let Ok(reader) = Reader::new(&bytes) {
                reader.for_each(drop);
            }
        }
    }

    #[test]
    fn a_cut_capture_is_an_error_after_the_packets_before_it() {
        let whole = capture(&[(0, 1, vec![1; 60], None), (1, 2, vec![2; 60], None)]);
        let read: Vec<_> = Reader::new(&whole[..whole.len() - 1]).unwrap().collect();
        let first = whole.len() - 2 * (32 + 60);
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].as_ref().unwrap().bytes, [1; 60]);
        let error = read[1].clone().unwrap_err();
        assert_eq!(error, CaptureError { offset: first + 92, packets: 1, problem: Problem::Cut });
        assert_eq!(error.to_string(), format!("byte {}, after 1 packets: the capture is cut", first + 92));
    }

    #[test]
    fn classic_pcap_is_read_with_microseconds_and_nanoseconds() {
        for (magic, nanos) in [(0xa1b2_c3d4_u32, 5000), (0xa1b2_3c4d, 5)] {
            let mut file = Vec::new();
            for word in [magic, 0x0004_0002, 0, 0, 65535, 1, 7, 5, 3, 60] {
                file.extend(word.to_le_bytes());
            }
            file.extend([1, 2, 3]);
            let read: Vec<_> = Reader::new(&file).unwrap().map(Result::unwrap).collect();
            let at = Duration::new(7, nanos);
            let expected = Record {
                interface: String::new(),
                at,
                bytes: vec![1, 2, 3],
                original_len: 60,
                comment: None,
            };
            assert_eq!(read, [expected]);
            let cut = Reader::new(&file[..file.len() - 1]).unwrap().next();
            assert!(matches!(cut, Some(Err(CaptureError { problem: Problem::Cut, .. }))));
        }
    }
}
