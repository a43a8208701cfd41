use std::sync::Arc;

/// Application bytes, shared by all copies of a packet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Payload(Option<Arc<Box<[u8]>>>);

impl Payload {
    /// No bytes.
    pub const EMPTY: Self = Self(None);

    /// Number of bytes.
    #[inline]
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |b| b.len())
    }

    /// Whether there are no bytes.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The bytes.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |b| b)
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        if bytes.is_empty() { Self(None) } else { Self(Some(Arc::new(bytes.into_boxed_slice()))) }
    }
}

impl From<&[u8]> for Payload {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

impl std::ops::Deref for Payload {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}
