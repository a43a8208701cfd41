//! Netlink messages as bytes, for `save` and `restore`. Numbers are little-endian, as on the
//! machines that most people have. Kernel: `include/uapi/linux/netlink.h`.

use std::collections::BTreeMap;

/// Length of `struct nlmsghdr` in bytes.
const HEADER: usize = 16;

fn align(length: usize) -> usize {
    length.next_multiple_of(4)
}

/// A message that is being written.
#[derive(Clone, Debug)]
pub struct Message {
    bytes: Vec<u8>,
}

impl Message {
    /// A message of this type (`RTM_*`) with these flags (`NLM_F_*`) and family header.
    pub fn new(kind: u16, flags: u16, seq: u32, pid: u32, family_header: &[u8]) -> Self {
        let mut bytes = vec![0; 4];
        bytes.extend(kind.to_le_bytes());
        bytes.extend(flags.to_le_bytes());
        bytes.extend(seq.to_le_bytes());
        bytes.extend(pid.to_le_bytes());
        bytes.extend(family_header);
        Self { bytes }
    }

    /// Appends an attribute.
    pub fn attr(&mut self, kind: u16, payload: &[u8]) {
        self.bytes.extend(attribute(kind, payload));
    }

    /// Appends a 32-bit attribute.
    pub fn attr_u32(&mut self, kind: u16, value: u32) {
        self.attr(kind, &value.to_le_bytes());
    }

    /// Appends a string attribute, with its terminating zero.
    pub fn attr_str(&mut self, kind: u16, text: &str) {
        self.attr(kind, &[text.as_bytes(), &[0]].concat());
    }

    /// The bytes, with their length at the beginning.
    pub fn finish(mut self) -> Vec<u8> {
        let length = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.bytes[..4].copy_from_slice(&length.to_le_bytes());
        self.bytes
    }
}

/// One attribute, padded to four bytes.
pub fn attribute(kind: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 4).unwrap_or(u16::MAX);
    let mut bytes = [length.to_le_bytes(), kind.to_le_bytes()].concat();
    bytes.extend(payload);
    bytes.resize(align(bytes.len()), 0);
    bytes
}

/// A message that was read: its type, family header and attributes.
#[derive(Clone, Debug)]
pub struct Received<'a> {
    /// `RTM_*`.
    pub kind: u16,
    /// The family header, of the length that was asked for.
    pub header: &'a [u8],
    /// Attributes by type; the last of several counts.
    pub attrs: BTreeMap<u16, &'a [u8]>,
}

impl<'a> Received<'a> {
    /// The messages in `bytes`, whose family headers have this length; what is cut off is left out.
    pub fn all(mut bytes: &'a [u8], header: usize) -> Vec<Self> {
        let mut all = Vec::new();
        while let Some(length) = bytes.get(..4).and_then(le_u32).map(|length| length as usize) {
            let Some(message) = bytes.get(..length).filter(|m| m.len() >= HEADER + header) else { break };
            let kind = u16::from_le_bytes([message[4], message[5]]);
            let (header, rest) = message[HEADER..].split_at(header);
            all.push(Self { kind, header, attrs: attributes(rest) });
            bytes = bytes.get(align(length)..).unwrap_or_default();
        }
        all
    }

    /// A 32-bit attribute.
    pub fn u32(&self, kind: u16) -> Option<u32> {
        self.attrs.get(&kind).and_then(|payload| le_u32(payload))
    }

    /// An attribute that is an IPv4 address.
    pub fn v4(&self, kind: u16) -> Option<std::net::Ipv4Addr> {
        self.attrs.get(&kind).and_then(|payload| v4(payload))
    }

    /// A string attribute, up to its terminating zero.
    pub fn str(&self, kind: u16) -> Option<String> {
        let bytes = self.attrs.get(&kind)?;
        let text = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
        Some(String::from_utf8_lossy(text).into_owned())
    }
}

/// The attributes in `bytes` by type.
pub fn attributes(mut bytes: &[u8]) -> BTreeMap<u16, &[u8]> {
    let mut attrs = BTreeMap::new();
    while let [low, high, kind_low, kind_high, ..] = *bytes {
        let length = usize::from(u16::from_le_bytes([low, high]));
        let Some(payload) = bytes.get(4..length) else { break };
        attrs.insert(u16::from_le_bytes([kind_low, kind_high]), payload);
        bytes = bytes.get(align(length)..).unwrap_or_default();
    }
    attrs
}

/// Four bytes as a number.
pub fn le_u32(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?))
}

/// Four bytes as an address.
pub fn v4(bytes: &[u8]) -> Option<std::net::Ipv4Addr> {
    let bytes: [u8; 4] = bytes.get(..4)?.try_into().ok()?;
    Some(bytes.into())
}
