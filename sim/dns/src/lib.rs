//! Names as DNS has them: messages, without sockets and without a clock.
//!
//! Names, records and messages are hickory-proto's types. What is here is what resolvers, servers
//! and the commands that ask them share.

pub use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
pub use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType, rdata};

pub use self::message::{BadMessage, MIN_UDP_SIZE, decode, encode, encode_within, query, response_to};
pub use self::stream::{Frames, framed};

mod message;
pub mod present;
mod stream;

/// The port of DNS over UDP and TCP (RFC 1035 §4.2).
pub const PORT: u16 = 53;
