//! Capture files of libpcap, version 2.4.

use std::time::Duration;

use packet::pcapng;

use super::filter::LinkType;

/// A packet of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Since 1970.
    pub at: Duration,
    /// The bytes that were kept.
    pub bytes: Vec<u8>,
    /// Length in bytes, as sent.
    pub len: usize,
}

/// A capture that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Capture {
    pub link: LinkType,
    /// Bytes kept of each packet at most.
    pub snaplen: u32,
    pub records: Vec<Record>,
    /// What was wrong with the end of the file.
    pub error: Option<String>,
}

const MAGIC_MICROS: u32 = 0xa1b2_c3d4;
const MAGIC_NANOS: u32 = 0xa1b2_3c4d;
const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

impl LinkType {
    /// The number in a file.
    const fn number(self) -> u32 {
        match self {
            Self::Ethernet => 1,
            Self::Raw => 101,
            Self::Sll2 => 276,
        }
    }

    /// Name and description, as tcpdump says them.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Ethernet => "EN10MB (Ethernet)",
            Self::Raw => "RAW (Raw IP)",
            Self::Sll2 => "LINUX_SLL2 (Linux cooked v2)",
        }
    }
}

/// The header of a file.
pub(crate) fn file_header(link: LinkType, snaplen: u32) -> Vec<u8> {
    let mut bytes = MAGIC_MICROS.to_le_bytes().to_vec();
    bytes.extend(2_u16.to_le_bytes());
    bytes.extend(4_u16.to_le_bytes());
    for word in [0, 0, snaplen, link.number()] {
        bytes.extend(word.to_le_bytes());
    }
    bytes
}

/// A packet with its header.
pub(crate) fn emit(record: &Record) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(RECORD_HEADER + record.bytes.len());
    for word in
        [record.at.as_secs() as u32, record.at.subsec_micros(), record.bytes.len() as u32, record.len as u32]
    {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(&record.bytes);
    bytes
}

/// Reads a file: pcap in either byte order, or pcapng.
///
/// # Errors
/// Libpcap's text.
pub(crate) fn parse(bytes: &[u8]) -> Result<Capture, String> {
    if bytes.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
        return parse_pcapng(bytes);
    }
    let word = |at: usize, big: bool| -> Option<u32> {
        let word: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(if big { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) })
    };
    let Some(magic) = word(0, false) else {
        return Err(format!("truncated dump file; tried to read 4 header bytes, only got {}", bytes.len()));
    };
    let (big, nanos) = match (magic, magic.swap_bytes()) {
        (MAGIC_MICROS, _) => (false, false),
        (_, MAGIC_MICROS) => (true, false),
        (MAGIC_NANOS, _) => (false, true),
        (_, MAGIC_NANOS) => (true, true),
        _ => return Err("unknown file format".to_owned()),
    };
    let (Some(snaplen), Some(link)) = (word(16, big), word(20, big)) else {
        return Err(format!(
            "truncated dump file; tried to read {FILE_HEADER} file header bytes, only got {}",
            bytes.len()
        ));
    };
    let link = match link & 0xffff {
        1 => LinkType::Ethernet,
        12 | 101 | 228 => LinkType::Raw,
        276 => LinkType::Sll2,
        other => return Err(format!("link-type {other} is not simulated")),
    };
    let mut capture = Capture { link, snaplen, records: Vec::new(), error: None };
    let mut at = FILE_HEADER;
    while at < bytes.len() {
        let (Some(secs), Some(fraction), Some(kept), Some(len)) =
            (word(at, big), word(at + 4, big), word(at + 8, big), word(at + 12, big))
        else {
            let left = bytes.len() - at;
            capture.error = Some(format!(
                "truncated dump file; tried to read {RECORD_HEADER} header bytes, only got {left}"
            ));
            break;
        };
        let start = at + RECORD_HEADER;
        let Some(data) = bytes.get(start..start.saturating_add(kept as usize)) else {
            let left = bytes.len() - start;
            capture.error =
                Some(format!("truncated dump file; tried to read {kept} captured bytes, only got {left}"));
            break;
        };
        let nanos = if nanos { fraction } else { fraction.saturating_mul(1000) };
        let at_time = Duration::from_secs(secs.into()) + Duration::from_nanos(nanos.into());
        capture.records.push(Record { at: at_time, bytes: data.to_vec(), len: len as usize });
        at = start + data.len();
    }
    Ok(capture)
}

fn parse_pcapng(bytes: &[u8]) -> Result<Capture, String> {
    let reader = pcapng::Reader::new(bytes).map_err(|error| error.to_string())?;
    let mut capture =
        Capture { link: LinkType::Ethernet, snaplen: 262_144, records: Vec::new(), error: None };
    for record in reader {
        match record {
            Ok(record) => {
                capture.records.push(Record {
                    at: record.at,
                    bytes: record.bytes,
                    len: record.original_len as usize,
                });
            }
            Err(error) => capture.error = Some(error.to_string()),
        }
    }
    Ok(capture)
}
