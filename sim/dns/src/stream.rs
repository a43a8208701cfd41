//! DNS over TCP: two bytes of length before each message. RFC 1035 §4.2.2, RFC 7766.

use crate::BadMessage;

/// A message's bytes with their length before them.
///
/// # Errors
/// If they are more than 65,535.
pub fn framed(bytes: &[u8]) -> Result<Vec<u8>, BadMessage> {
    let length = u16::try_from(bytes.len()).map_err(|_| BadMessage("message too long".to_owned()))?;
    Ok([&length.to_be_bytes(), bytes].concat())
}

/// Bytes that came by a connection and are not yet a whole message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frames {
    bytes: Vec<u8>,
}

impl Frames {
    /// Takes what was read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message's bytes.
    pub fn take(&mut self) -> Option<Vec<u8>> {
        let (length, rest) = self.bytes.split_first_chunk::<2>()?;
        let message = rest.get(..usize::from(u16::from_be_bytes(*length)))?.to_vec();
        self.bytes.drain(..2 + message.len());
        Some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_whole_however_the_bytes_arrive() {
        let bytes =
            [framed(b"first").expect("short"), framed(b"").expect("short"), vec![0, 3, b'x']].concat();
        let mut frames = Frames::default();
        let mut seen = Vec::new();
        for byte in bytes {
            frames.push(&[byte]);
            seen.extend(frames.take());
        }
        assert_eq!(seen, [b"first".to_vec(), Vec::new()]);
        assert_eq!(frames.take(), None);
    }
}
