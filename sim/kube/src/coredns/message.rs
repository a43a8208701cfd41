//! What CoreDNS does to any message: replies, EDNS, sizes.

use std::net::SocketAddr;

use dns::{
    BadMessage, DNSClass, Edns, MIN_UDP_SIZE, Message, MessageType, Name, OpCode, Query, Record, RecordType,
    ResponseCode,
};

/// How a query came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    /// In a datagram.
    Udp,
    /// By a connection.
    Tcp,
}

impl Transport {
    /// `udp` or `tcp`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        }
    }
}

/// Who asks, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its address.
    pub from: SocketAddr,
    /// The address that it asked.
    pub to: SocketAddr,
    /// How.
    pub transport: Transport,
}

/// What comes of bytes that a client sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Accepted {
    /// A query to answer.
    Query(Box<Message>),
    /// They are answered at once: so.
    Answer(Vec<u8>),
    /// Nothing: they are no query.
    Ignored,
}

/// The length of a message's header.
const HEADER: usize = 12;

/// Reads what a client sent. miekg/dns: `DefaultMsgAcceptFunc` and `serveDNS`.
pub fn accept(bytes: &[u8]) -> Accepted {
    let Some((header, _)) = bytes.split_first_chunk::<HEADER>() else { return Accepted::Ignored };
    let is_response = header[2] & 0x80 != 0;
    if is_response {
        return Accepted::Ignored;
    }
    let count = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    const QUERY: u8 = 0;
    const NOTIFY: u8 = 4;
    let refusal = |code: ResponseCode| {
        // What the query has besides its header may be unreadable.
        let mut answer = header.to_vec();
        answer[2] |= 0x80;
        answer[2] &= !0x04;
        if code == ResponseCode::FormErr {
            answer[2] &= !0x78;
        }
        answer[3] = answer[3] & 0xb0 | code.low();
        answer[4..].fill(0);
        Accepted::Answer(answer)
    };
    match header[2] >> 3 & 0xf {
        QUERY | NOTIFY => {}
        _ => return refusal(ResponseCode::NotImp),
    }
    // One question, and no more of the rest than a query may have.
    if count(4) != 1 || count(6) > 1 || count(8) > 1 || count(10) > 2 {
        return refusal(ResponseCode::FormErr);
    }
    match dns::decode(bytes) {
        Ok(message) if message.queries.len() == 1 => Accepted::Query(Box::new(message)),
        _ => refusal(ResponseCode::FormErr),
    }
}

/// The question of a message that was accepted.
pub(super) fn question(message: &Message) -> Option<&Query> {
    message.queries.first()
}

/// How many labels a name has.
pub(super) fn depth(name: &Name) -> usize {
    name.iter().count()
}

/// The name that a message asks for, in small letters.
pub(super) fn name(message: &Message) -> Name {
    question(message).map_or_else(Name::root, |question| question.name.to_lowercase())
}

/// The type that a message asks for.
pub(super) fn kind(message: &Message) -> RecordType {
    question(message).map_or(RecordType::ZERO, |question| question.query_type)
}

/// A query like another, with another question.
pub(super) fn with_question(query: &Message, name: Name, kind: RecordType) -> Message {
    let mut message = query.clone();
    let mut question = Query::query(name, kind);
    question.set_query_class(DNSClass::IN);
    message.queries = vec![question];
    message
}

/// An empty answer. miekg/dns: `SetRcode`.
pub(super) fn reply(query: &Message, code: ResponseCode) -> Message {
    let mut message = dns::response_to(query);
    message.queries.truncate(1);
    message.metadata.message_type = MessageType::Response;
    if query.metadata.op_code == OpCode::Query {
        message.metadata.checking_disabled = query.metadata.checking_disabled;
    } else {
        message.metadata.recursion_desired = false;
    }
    message.metadata.response_code = code;
    message
}

/// Whether an answer is one to a query's question.
pub(super) fn matches(query: &Message, answer: &Message) -> bool {
    let [answered] = &answer.queries[..] else { return false };
    let Some(asked) = question(query) else { return false };
    answer.metadata.message_type == MessageType::Response
        && answered.name == asked.name
        && answered.query_type == asked.query_type
        && answered.query_class == asked.query_class
}

/// Whether a client wants DNSSEC's records.
pub(super) fn wants_dnssec(query: &Message) -> bool {
    query.edns.as_ref().is_some_and(|edns| edns.flags().dnssec_ok)
}

/// How long an answer may be.
pub(super) fn size(query: &Message, transport: Transport) -> u16 {
    match transport {
        Transport::Tcp => u16::MAX,
        Transport::Udp => {
            let told = query.edns.as_ref().map_or(0, Edns::max_payload);
            told.max(MIN_UDP_SIZE)
        }
    }
}

/// The answer to a version of EDNS that isn't known, if the query has one.
pub(super) fn bad_version(query: &Message) -> Option<Message> {
    query.edns.as_ref().filter(|edns| edns.version() != 0)?;
    let mut message = reply(query, ResponseCode::BADVERS);
    let mut edns = Edns::new();
    edns.set_version(0).set_max_payload(0);
    edns.set_rcode_high(ResponseCode::BADVERS.high());
    message.edns = Some(edns);
    Some(message)
}

/// Gives an answer the OPT record that its query asks for. CoreDNS: `SizeAndDo`.
pub(super) fn answer_edns(query: &Message, answer: &mut Message) {
    let Some(asked) = &query.edns else { return };
    if let Some(edns) = &mut answer.edns {
        edns.set_version(0).set_max_payload(asked.max_payload());
        edns.flags_mut().z = 0;
        edns.set_dnssec_ok(asked.flags().dnssec_ok);
        return;
    }
    let mut edns = asked.clone();
    edns.set_version(0).set_rcode_high(0);
    edns.flags_mut().z &= 0x7f00;
    // NSID, EXPIRE, COOKIE, TCP keepalive, padding: what isn't known goes.
    edns.options_mut().options.retain(|(code, _)| [3, 9, 10, 11, 12].contains(&u16::from(*code)));
    answer.edns = Some(edns);
}

/// The bytes of an answer that fit into `size`; what doesn't goes from its end, and TC says so. Names
/// are compressed only if that is needed. miekg/dns: `Truncate`; CoreDNS: `Scrub`.
pub(super) fn fit(mut answer: Message, size: u16, client: &Client) -> Result<(Message, Vec<u8>), BadMessage> {
    let plain = dns::encode_plain(&answer)?;
    if plain.len() <= usize::from(size) {
        // So that datagrams aren't cut into fragments.
        let limit = if client.from.is_ipv4() { 1480 } else { 1220 };
        if client.transport == Transport::Udp && plain.len() > limit {
            let bytes = dns::encode(&answer)?;
            return Ok((answer, bytes));
        }
        return Ok((answer, plain));
    }
    let sections: [Vec<Record>; 3] = [
        std::mem::take(&mut answer.answers),
        std::mem::take(&mut answer.authorities),
        std::mem::take(&mut answer.additionals),
    ];
    let (answers, authorities) = (sections[0].len(), sections[1].len());
    let all: Vec<Record> = sections.into_iter().flatten().collect();
    let with = |count: usize| {
        let mut short = answer.clone();
        let records = |from: usize, to: usize| all[from.min(count)..to.min(count)].to_vec();
        short.answers = records(0, answers);
        short.authorities = records(answers, answers + authorities);
        short.additionals = records(answers + authorities, all.len());
        short.metadata.truncation |= count < all.len();
        let bytes = dns::encode(&short)?;
        Ok::<_, BadMessage>((short, bytes))
    };
    // The most records that fit: a message grows with each.
    let (mut most, mut too_many) = (0, all.len() + 1);
    while too_many - most > 1 {
        let half = (most + too_many) / 2;
        if with(half).is_ok_and(|(_, bytes)| bytes.len() <= usize::from(size)) {
            most = half;
        } else {
            too_many = half;
        }
    }
    with(most)
}

/// A message's length with names written out, as CoreDNS's log and metrics count it.
pub(super) fn length(message: &Message) -> usize {
    dns::encode_plain(message).map_or(0, |bytes| bytes.len())
}

/// As CoreDNS writes a type: `A`, `TYPE1234`.
pub(super) fn type_text(kind: RecordType) -> String {
    match kind {
        RecordType::Unknown(number) => format!("TYPE{number}"),
        known => known.to_string(),
    }
}

/// As CoreDNS writes a response code: `NOERROR`, `NXDOMAIN`.
pub(super) fn code_text(code: ResponseCode) -> String {
    match code {
        ResponseCode::NoError => "NOERROR",
        ResponseCode::FormErr => "FORMERR",
        ResponseCode::ServFail => "SERVFAIL",
        ResponseCode::NXDomain => "NXDOMAIN",
        ResponseCode::NotImp => "NOTIMP",
        ResponseCode::Refused => "REFUSED",
        ResponseCode::YXDomain => "YXDOMAIN",
        ResponseCode::YXRRSet => "YXRRSET",
        ResponseCode::NXRRSet => "NXRRSET",
        ResponseCode::NotAuth => "NOTAUTH",
        ResponseCode::NotZone => "NOTZONE",
        ResponseCode::BADVERS => "BADVERS",
        other => return u16::from(other).to_string(),
    }
    .to_owned()
}

/// The id of a query to another server.
pub(super) fn id(random: &mut dyn FnMut() -> u64) -> u16 {
    u16::try_from(random() & 0xffff).unwrap_or_default()
}
