//! Names as DNS has them: messages, without sockets and without a clock.
//!
//! Names, records and messages are hickory-proto's types. What is here is what resolvers, servers
//! and the commands that ask them share.

pub use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
pub use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType, rdata};

pub use self::hosts::Hosts;
pub use self::lookup::{Addresses, Family, GaiError, Libc, inet_aton};
pub use self::message::{
    BadMessage, MIN_UDP_SIZE, decode, encode, encode_plain, encode_within, query, response_to,
};
pub use self::resolv_conf::ResolvConf;
pub use self::search::Search;
pub use self::stream::{Frames, framed};

pub mod hosts;
mod lookup;
mod message;
pub mod nsswitch;
pub mod present;
pub mod resolv_conf;
pub mod search;
mod stream;
pub mod zone;
pub mod zone_file;

/// The port of DNS over UDP and TCP (RFC 1035 §4.2).
pub const PORT: u16 = 53;
