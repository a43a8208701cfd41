//! How a stream's pieces go over the connection between API server and kubelet.
//!
//! Simplified: SPDY has streams and TLS around them; here a piece is a byte for its kind, four bytes
//! for its length, and the bytes.

use crate::stream::Piece;

const HEADER: usize = 5;

/// A piece as it is sent.
pub fn encode(piece: &Piece) -> Vec<u8> {
    let (kind, bytes) = match piece {
        Piece::In(bytes) => (0, bytes.clone()),
        Piece::EndOfInput => (1, Vec::new()),
        Piece::Out(bytes) => (2, bytes.clone()),
        Piece::Err(bytes) => (3, bytes.clone()),
        Piece::Refused(text) => (4, text.clone().into_bytes()),
        Piece::Exited(status) => (5, status.to_be_bytes().to_vec()),
    };
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [vec![kind], length.to_be_bytes().to_vec(), bytes].concat()
}

/// Takes the first piece from what has come, if it is complete. What is no piece ends the stream.
pub fn take(received: &mut Vec<u8>) -> Option<Piece> {
    let header: [u8; HEADER] = received.get(..HEADER)?.try_into().ok()?;
    let [kind, length @ ..] = header;
    let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
    let end = HEADER.checked_add(length)?;
    let bytes = received.get(HEADER..end)?.to_vec();
    received.drain(..end);
    Some(match kind {
        0 => Piece::In(bytes),
        1 => Piece::EndOfInput,
        2 => Piece::Out(bytes),
        3 => Piece::Err(bytes),
        4 => Piece::Refused(String::from_utf8_lossy(&bytes).into_owned()),
        _ => Piece::Exited(bytes.try_into().map_or(255, i32::from_be_bytes)),
    })
}

/// Text as part of a URL.
pub fn escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    let escaped = text.bytes().map(|byte| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    escaped.collect()
}

/// Text that was part of a URL.
pub fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits: Vec<u8> = rest.by_ref().take(2).collect();
        let digits = String::from_utf8_lossy(&digits).into_owned();
        bytes.extend(u8::from_str_radix(&digits, 16).ok());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_and_words_come_back_as_they_went() {
        let pieces = [
            Piece::In(b"a\n".to_vec()),
            Piece::EndOfInput,
            Piece::Out(Vec::new()),
            Piece::Err(b"x".to_vec()),
            Piece::Refused("no".to_owned()),
            Piece::Exited(-1),
        ];
        let mut sent: Vec<u8> = pieces.iter().flat_map(encode).collect();
        let rest = sent.split_off(3);
        assert_eq!(take(&mut sent), None);
        sent.extend(rest);
        let mut back = Vec::new();
        while let Some(piece) = take(&mut sent) {
            back.push(piece);
        }
        assert_eq!(back, pieces);
        assert_eq!(unescape(&escape("a b&c=%ü/")), "a b&c=%ü/");
    }
}
