use dns::{Message, OpCode, RecordType, ResponseCode};

use crate::coredns::corefile::Class;
use crate::coredns::message;

/// What an answer is. CoreDNS: `response.Type`.
///
/// Simplified: signatures that have expired are not looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// There are records.
    Success,
    /// There is no such name.
    NameError,
    /// The server failed.
    ServerError,
    /// There is no record of that type.
    NoData,
    /// Another server knows.
    Delegation,
    /// It is about a zone, or changes one.
    Meta,
    /// Something else is wrong.
    OtherError,
}

/// Says what an answer is. CoreDNS: `response.Typify`.
pub fn typify(answer: &Message) -> Kind {
    let code = answer.metadata.response_code;
    if matches!(answer.metadata.op_code, OpCode::Update | OpCode::Notify)
        || matches!(message::kind(answer), RecordType::AXFR | RecordType::IXFR)
    {
        return Kind::Meta;
    }
    if !answer.answers.is_empty() {
        match code {
            ResponseCode::NoError => return Kind::Success,
            ResponseCode::NXDomain => return Kind::OtherError,
            _ => {}
        }
    }
    let has = |kind: RecordType| answer.authorities.iter().any(|record| record.record_type() == kind);
    match code {
        ResponseCode::NoError if has(RecordType::SOA) => Kind::NoData,
        ResponseCode::NXDomain => Kind::NameError,
        ResponseCode::ServFail | ResponseCode::NotImp => Kind::ServerError,
        ResponseCode::NoError if has(RecordType::NS) => Kind::Delegation,
        ResponseCode::NoError => Kind::Success,
        _ => Kind::OtherError,
    }
}

impl Kind {
    /// Its class. CoreDNS: `response.Classify`.
    pub fn class(self) -> Class {
        match self {
            Self::Success | Self::Delegation => Class::Success,
            Self::NameError | Self::NoData => Class::Denial,
            Self::ServerError | Self::Meta | Self::OtherError => Class::Error,
        }
    }
}
