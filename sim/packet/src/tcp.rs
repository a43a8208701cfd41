use std::fmt;

use crate::Payload;

/// A TCP segment (RFC 9293).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tcp {
    /// Source port.
    pub sport: u16,
    /// Destination port.
    pub dport: u16,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgment number.
    pub ack: u32,
    /// Control bits.
    pub flags: TcpFlags,
    /// Window as sent, before scaling.
    pub window: u16,
    /// Options; `None` when there are none.
    pub options: Option<Box<TcpOptions>>,
    /// Data.
    pub payload: Payload,
}

/// TCP control bits, as they stand in the header's 14th byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// No more data from sender.
    pub const FIN: Self = Self(0x01);
    /// Synchronize sequence numbers.
    pub const SYN: Self = Self(0x02);
    /// Reset the connection.
    pub const RST: Self = Self(0x04);
    /// Push.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgment field counts.
    pub const ACK: Self = Self(0x10);
    /// The urgent pointer counts.
    pub const URG: Self = Self(0x20);
    /// ECN echo.
    pub const ECE: Self = Self(0x40);
    /// Congestion window reduced.
    pub const CWR: Self = Self(0x80);

    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl std::ops::BitOr for TcpFlags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// `SYN,ACK`, in header order from low to high; `none` when empty.
impl fmt::Display for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 8] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];
        if self.0 == 0 {
            return f.write_str("none");
        }
        let mut first = true;
        for (bit, name) in NAMES.iter().enumerate() {
            if self.0 & (1 << bit) != 0 {
                if !first {
                    f.write_str(",")?;
                }
                first = false;
                f.write_str(name)?;
            }
        }
        Ok(())
    }
}

/// TCP options in the order and padding in which Linux writes them
/// (`net/ipv4/tcp_output.c`, `tcp_options_write`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TcpOptions {
    /// Maximum segment size in bytes.
    pub mss: Option<u16>,
    /// SACK permitted.
    pub sack_permitted: bool,
    /// Timestamp value and echo reply.
    pub timestamps: Option<(u32, u32)>,
    /// Window scale shift, 0..=14.
    pub window_scale: Option<u8>,
    /// SACK blocks, left and right edge, at most 4.
    pub sack: Vec<(u32, u32)>,
}

impl TcpOptions {
    /// Length in bytes, a multiple of 4.
    #[inline]
    pub fn len(&self) -> usize {
        let mut len = 0;
        if self.mss.is_some() {
            len += 4;
        }
        match (self.timestamps.is_some(), self.sack_permitted) {
            (true, _) => len += 12,
            (false, true) => len += 4,
            (false, false) => {}
        }
        if self.window_scale.is_some() {
            len += 4;
        }
        if !self.sack.is_empty() {
            len += 4 + 8 * self.sack.len();
        }
        len
    }

    /// Whether no option is present.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Tcp {
    /// Length of the header with options in bytes.
    #[inline]
    pub fn header_len(&self) -> usize {
        20 + self.options.as_ref().map_or(0, |o| o.len())
    }

    /// Length of header and data in bytes.
    #[inline]
    pub fn len(&self) -> usize {
        self.header_len() + self.payload.len()
    }

    /// Never true: a segment has a header.
    pub fn is_empty(&self) -> bool {
        false
    }
}
