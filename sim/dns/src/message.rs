//! Messages to bytes and back. RFC 1035 §4.1, RFC 6891.

use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::{DNSClass, Name, RecordType};
use hickory_proto::serialize::binary::{BinEncodable, BinEncoder, NameEncoding};

/// What fits into a datagram without EDNS, in bytes (RFC 1035 §4.2.1).
pub const MIN_UDP_SIZE: u16 = 512;

/// Bytes that are no DNS message, or a message that can't be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadMessage(pub String);

impl std::fmt::Display for BadMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadMessage {}

/// Reads a message.
///
/// # Errors
/// What is wrong with the bytes.
pub fn decode(bytes: &[u8]) -> Result<Message, BadMessage> {
    Message::from_vec(bytes).map_err(|error| BadMessage(error.to_string()))
}

/// Writes a message of any size that fits DNS over TCP, with names compressed.
///
/// # Errors
/// If it is longer than 65,535 bytes.
pub fn encode(message: &Message) -> Result<Vec<u8>, BadMessage> {
    message.to_vec().map_err(|error| BadMessage(error.to_string()))
}

/// Writes a message as [`encode`], with all names written out.
///
/// # Errors
/// If it is longer than 65,535 bytes.
pub fn encode_plain(message: &Message) -> Result<Vec<u8>, BadMessage> {
    let mut bytes = Vec::new();
    let mut encoder = BinEncoder::new(&mut bytes);
    encoder.set_name_encoding(NameEncoding::Uncompressed);
    message.emit(&mut encoder).map_err(|error| BadMessage(error.to_string()))?;
    Ok(bytes)
}

/// Writes what fits into `size` bytes: records go from the message's end, the OPT record stays, and
/// TC says that answers are missing (RFC 2181 §9).
///
/// # Errors
/// If not even header and question fit.
pub fn encode_within(message: &Message, size: u16) -> Result<Vec<u8>, BadMessage> {
    let fits = |bytes: &[u8]| bytes.len() <= usize::from(size);
    let whole = encode(message)?;
    if fits(&whole) {
        return Ok(whole);
    }
    let (answers, authorities) = (message.answers.len(), message.authorities.len());
    let shortened = |records: usize| {
        let mut short = message.clone();
        short.answers.truncate(records);
        short.authorities.truncate(records.saturating_sub(answers));
        short.additionals.truncate(records.saturating_sub(answers + authorities));
        short.metadata.truncation |= records < answers;
        encode(&short)
    };
    // The most records that fit: a message grows with each.
    let (mut most, mut too_many) = (0, answers + authorities + message.additionals.len());
    while too_many - most > 1 {
        let half = (most + too_many) / 2;
        if fits(&shortened(half)?) {
            most = half;
        } else {
            too_many = half;
        }
    }
    let bytes = shortened(most)?;
    if fits(&bytes) { Ok(bytes) } else { Err(BadMessage(format!("no {size} bytes hold the question"))) }
}

/// A query with recursion desired.
pub fn query(id: u16, name: Name, kind: RecordType) -> Message {
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    let mut question = Query::query(name, kind);
    question.set_query_class(DNSClass::IN);
    message.add_query(question);
    message
}

/// An empty response: id, opcode, question and the RD bit are the query's.
pub fn response_to(query: &Message) -> Message {
    let mut message = Message::response(query.metadata.id, query.metadata.op_code);
    message.metadata.recursion_desired = query.metadata.recursion_desired;
    message.queries.clone_from(&query.queries);
    message
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use hickory_proto::rr::{RData, Record, rdata::A};

    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_does_not_fit_is_cut() {
        let name = Name::from_ascii("web.default.svc.cluster.local.").expect("a name");
        let mut message = response_to(&query(7, name.clone(), RecordType::A));
        for last in 0..40 {
            message.add_answer(Record::from_rdata(
                name.clone(),
                30,
                RData::A(A(Ipv4Addr::new(10, 244, 0, last))),
            ));
        }
        let whole = encode(&message).expect("fits TCP");
        assert_eq!(decode(&whole).expect("read back"), message);
        let cut = encode_within(&message, MIN_UDP_SIZE).expect("question fits");
        assert!(cut.len() <= usize::from(MIN_UDP_SIZE));
        let cut = decode(&cut).expect("read back");
        // 12 bytes of header, 35 of question, 16 a record.
        assert_eq!((cut.metadata.truncation, cut.answers.len()), (true, 29));
        assert!(decode(&whole[..40]).is_err());
    }
}
