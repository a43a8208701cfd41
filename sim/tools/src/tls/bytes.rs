//! Vectors with their lengths before them (RFC 8446, section 3.4).

/// Reads what has been received; everything is `None` past the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }

    /// A big-endian number of that many bytes.
    pub fn number(&mut self, bytes: usize) -> Option<usize> {
        Some(self.take(bytes)?.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    }

    /// A vector whose length has that many bytes.
    pub fn vector(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let length = self.number(bytes)?;
        self.take(length)
    }
}

/// The last `bytes` bytes of a number, big-endian.
pub(super) fn number(value: usize, bytes: usize) -> Vec<u8> {
    let all = (value as u64).to_be_bytes();
    all[all.len() - bytes..].to_vec()
}

/// A vector whose length has that many bytes.
pub(super) fn vector(bytes: usize, content: &[u8]) -> Vec<u8> {
    let mut vector = number(content.len(), bytes);
    vector.extend(content);
    vector
}
