use crate::{Packet, Payload};

/// An ICMP message (RFC 792).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Icmp {
    /// Echo request (type 8) or reply (type 0), code 0.
    Echo {
        /// True for a request.
        request: bool,
        /// Identifier; conntrack's port of a ping.
        id: u16,
        /// Sequence number.
        seq: u16,
        /// Data.
        payload: Payload,
    },
    /// An error that quotes the packet that caused it (types 3, 5, 11, 12).
    Error(Box<IcmpError>),
    /// Any other message.
    Other {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
        /// Second word of the header.
        rest: u32,
        /// What follows the 8-byte header.
        payload: Payload,
    },
}

/// An ICMP error message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IcmpError {
    /// Type: 3 unreachable, 5 redirect, 11 time exceeded, 12 parameter problem.
    pub kind: u8,
    /// Code.
    pub code: u8,
    /// Second word of the header: next-hop MTU in its low half (3/4), gateway (5), pointer (12).
    pub rest: u32,
    /// The packet that caused it.
    pub quoted: Quoted,
}

/// The first bytes of a packet, as an ICMP error quotes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// The quoted packet. Its payload is cut to what is quoted.
    pub packet: Packet,
    /// Total length that the quoted IP header states, in bytes.
    pub total_len: u16,
    /// Transport checksum of the whole original when the quote is cut; it can't be recomputed.
    pub cut_checksum: Option<u16>,
}

impl Icmp {
    /// Length of the header in bytes.
    pub const HEADER_LEN: usize = 8;
    /// Type of an echo reply.
    pub const ECHO_REPLY: u8 = 0;
    /// Type of destination unreachable.
    pub const UNREACHABLE: u8 = 3;
    /// Type of redirect.
    pub const REDIRECT: u8 = 5;
    /// Type of echo request.
    pub const ECHO_REQUEST: u8 = 8;
    /// Type of time exceeded.
    pub const TIME_EXCEEDED: u8 = 11;
    /// Type of parameter problem.
    pub const PARAMETER_PROBLEM: u8 = 12;

    /// Type and code.
    pub fn type_code(&self) -> (u8, u8) {
        match self {
            Self::Echo { request: true, .. } => (Self::ECHO_REQUEST, 0),
            Self::Echo { request: false, .. } => (Self::ECHO_REPLY, 0),
            Self::Error(error) => (error.kind, error.code),
            Self::Other { kind, code, .. } => (*kind, *code),
        }
    }

    /// Length of header and data in bytes.
    #[inline]
    pub fn len(&self) -> usize {
        Self::HEADER_LEN
            + match self {
                Self::Echo { payload, .. } | Self::Other { payload, .. } => payload.len(),
                Self::Error(error) => error.quoted.packet.len(),
            }
    }

    /// Never true: a message has a header.
    pub fn is_empty(&self) -> bool {
        false
    }
}
