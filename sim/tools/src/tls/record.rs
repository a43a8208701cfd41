//! TLS records (RFC 8446, section 5).

use super::bytes::{Reader, number};

/// What a record carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    ChangeCipherSpec = 20,
    Alert = 21,
    Handshake = 22,
    Application = 23,
}

impl Content {
    const fn of(byte: u8) -> Option<Self> {
        Some(match byte {
            20 => Self::ChangeCipherSpec,
            21 => Self::Alert,
            22 => Self::Handshake,
            23 => Self::Application,
            _ => return None,
        })
    }
}

/// The bytes are no record of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotTls;

/// Type, version, length.
pub(super) const HEADER: usize = 5;
/// Bytes of content in a record.
const MAX: usize = 1 << 14;
/// What the cipher adds behind the content's type.
const TAG: usize = 16;

/// Takes the first record off what has been received; nothing if it isn't complete.
pub(super) fn take(received: &mut Vec<u8>) -> Result<Option<(Content, Vec<u8>)>, NotTls> {
    let mut reader = Reader(received);
    let Some(header) = reader.take(HEADER) else { return Ok(None) };
    let content = Content::of(header[0]).filter(|_| header[1] == 3).ok_or(NotTls)?;
    let length = usize::from(header[3]) << 8 | usize::from(header[4]);
    if length > MAX + 256 {
        return Err(NotTls);
    }
    let Some(body) = reader.take(length).map(<[u8]>::to_vec) else { return Ok(None) };
    received.drain(..HEADER + length);
    Ok(Some((content, body)))
}

/// A record as it is before keys are agreed upon.
pub(super) fn plain(content: Content, body: &[u8]) -> Vec<u8> {
    let mut record = vec![content as u8, 3, 3];
    record.extend(number(body.len(), 2));
    record.extend(body);
    record
}

/// Records as they are afterwards: application data, with the true type inside.
///
/// Simplified: the cipher leaves the bytes as they are, and its tag is zero.
pub(super) fn sealed(content: Content, data: &[u8]) -> Vec<u8> {
    let one = |part: &[u8]| {
        let mut inner = part.to_vec();
        inner.push(content as u8);
        inner.extend([0; TAG]);
        plain(Content::Application, &inner)
    };
    data.chunks(MAX).flat_map(one).collect()
}

/// What is in such a record.
pub(super) fn open(mut body: Vec<u8>) -> Result<(Content, Vec<u8>), NotTls> {
    body.truncate(body.len().checked_sub(TAG).ok_or(NotTls)?);
    while body.last() == Some(&0) {
        body.pop();
    }
    let content = body.pop().and_then(Content::of).ok_or(NotTls)?;
    Ok((content, body))
}
