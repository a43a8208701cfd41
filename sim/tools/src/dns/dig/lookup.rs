//! A lookup that is to be done, and the query for it. Source: `setup_lookup` of `dighost.c`.

use dns::rdata::opt::{ClientSubnet, EdnsOption};
use dns::{DNSClass, Edns, Message, MessageType, Name, OpCode, Query, RecordType, present};

use super::settings::{Server, Settings};

/// `DEFAULT_EDNS_BUFSIZE`.
const UDP_SIZE: u16 = 1232;

/// The header bits that a query can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dns) struct Bits {
    pub recurse: bool,
    pub authoritative: bool,
    pub authentic: bool,
    pub checking_disabled: bool,
    pub recursion_available: bool,
    pub truncated: bool,
}

/// The cookie of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dns) enum Cookie {
    /// None is sent.
    None,
    /// The process's own.
    Client,
    /// This one, which a server has completed or the user gives.
    Bytes(Vec<u8>),
}

/// The EDNS part of a query.
#[derive(Clone, Debug)]
pub(in crate::dns) struct EdnsPart {
    /// The version; none for no OPT record, unless something else asks for it.
    pub version: Option<u8>,
    pub udp_size: Option<u16>,
    pub flags: u16,
    pub dnssec: bool,
    pub compact: bool,
    pub cookie: Cookie,
    pub subnet: Option<ClientSubnet>,
    pub nsid: bool,
    pub expire: bool,
    pub keepalive: bool,
    /// `+ednsopt`.
    pub options: Vec<(u16, Vec<u8>)>,
    /// Whether a lower version is tried when a server says BADVERS.
    pub negotiate: bool,
}

/// A lookup.
#[derive(Clone, Debug)]
pub(in crate::dns) struct Lookup {
    /// The name as it was given.
    pub text: String,
    /// dig's first lines, until they are printed.
    pub greeting: String,
    pub kind: RecordType,
    pub kind_set: bool,
    pub class: DNSClass,
    pub class_set: bool,
    pub bits: Bits,
    pub opcode: OpCode,
    pub id: Option<u16>,
    pub edns: EdnsPart,
    /// Over TCP.
    pub tcp: bool,
    pub tcp_set: bool,
    /// Whether truncated answers are taken as they are.
    pub ignore_truncation: bool,
    /// Whether SERVFAIL ends it, instead of the next server being asked.
    pub servfail_stops: bool,
    pub retries: u32,
    pub retry_bad_cookie: bool,
    pub show_bad_cookie: bool,
    pub seen_bad_cookie: bool,
    /// What of the answer is printed.
    pub view: present::View,
    pub stats: bool,
    /// Whether the query is printed.
    pub show_query: bool,
    pub identify: bool,
    pub microseconds: bool,
    /// Servers of its own.
    pub servers: Vec<Server>,
    /// Where in the search list it is.
    pub origin: Option<usize>,
    /// The search list comes after the name itself.
    pub need_search: bool,
    /// The name itself was or is asked for.
    pub done_as_is: bool,
    /// It is the first of its name.
    pub new_search: bool,
}

/// Why a lookup can't begin.
pub(in crate::dns) enum NoQuery {
    /// With the search list's name it is too long.
    TooLong,
    /// A message to end with.
    Fatal(String),
    /// A message to end with, of the tool's milder kind.
    Warn(String),
}

impl Lookup {
    /// Source: `make_empty_lookup`.
    pub fn new(tries: u32) -> Self {
        Self {
            text: String::new(),
            greeting: String::new(),
            kind: RecordType::A,
            kind_set: false,
            class: DNSClass::IN,
            class_set: false,
            bits: Bits {
                recurse: true,
                authoritative: false,
                authentic: false,
                checking_disabled: false,
                recursion_available: false,
                truncated: false,
            },
            opcode: OpCode::Query,
            id: None,
            edns: EdnsPart {
                version: None,
                udp_size: None,
                flags: 0,
                dnssec: false,
                compact: false,
                cookie: Cookie::None,
                subnet: None,
                nsid: false,
                expire: false,
                keepalive: false,
                options: Vec::new(),
                negotiate: true,
            },
            tcp: false,
            tcp_set: false,
            ignore_truncation: false,
            servfail_stops: true,
            retries: tries,
            retry_bad_cookie: true,
            show_bad_cookie: false,
            seen_bad_cookie: false,
            view: present::View::default(),
            stats: true,
            show_query: false,
            identify: false,
            microseconds: false,
            servers: Vec::new(),
            origin: None,
            need_search: false,
            done_as_is: false,
            new_search: false,
        }
    }

    /// A copy for another try or another type. Source: `clone_lookup`.
    pub fn again(&self) -> Self {
        Self { new_search: false, ..self.clone() }
    }

    /// Decides where a new lookup begins: with the name itself or with the search list.
    pub fn begin_search(&mut self, settings: &Settings) {
        if !self.new_search {
            return;
        }
        let dots = self.text.matches('.').count();
        if dots >= settings.ndots || !settings.use_search {
            self.origin = None;
            self.done_as_is = true;
            self.need_search = settings.use_search;
        } else if self.origin.is_none() && settings.use_search {
            self.origin = (!settings.search.is_empty()).then_some(0);
            self.need_search = false;
        }
    }

    /// The next lookup of the search. Source: `next_origin`.
    pub fn next_origin(&self, settings: &Settings) -> Option<Self> {
        if !settings.use_search {
            return None;
        }
        // A name that is absolute, or has dots enough.
        let labels = dns::zone_file::parse_name(self.text.as_bytes(), &Name::root());
        let absolute = self.text.ends_with('.');
        if labels.is_ok_and(|name| absolute || name.iter().len() > settings.ndots) {
            return None;
        }
        let at = |index: usize| (index < settings.search.len()).then_some(index);
        let mut next = self.again();
        match self.origin {
            None if !self.need_search => return None,
            None => {
                next.origin = at(0);
                next.need_search = false;
            }
            Some(origin) => {
                next.origin = at(origin + 1);
                if next.origin.is_none() && self.done_as_is {
                    return None;
                }
            }
        }
        Some(next)
    }

    /// The name that is asked for now.
    pub fn name(&self, settings: &Settings) -> Result<Name, NoQuery> {
        let parse = |text: &str, origin: &Name| dns::zone_file::parse_name(text.as_bytes(), origin);
        let Some(origin) = self.origin.and_then(|at| settings.search.get(at)) else {
            return parse(&self.text, &Name::root())
                .map_err(|fault| NoQuery::Warn(format!("'{}' is not a legal name ({fault})", self.text)));
        };
        let illegal =
            |text: &str, fault| NoQuery::Fatal(format!("'{text}' is not in legal name syntax ({fault})"));
        let below = parse(origin, &Name::root()).map_err(|fault| illegal(origin, fault))?;
        parse(&self.text, &below).map_err(|fault| match fault {
            dns::zone_file::Fault::Space => NoQuery::TooLong,
            fault => illegal(&self.text, fault),
        })
    }

    /// The query.
    pub fn message(&self, name: &Name, id: u16, own_cookie: [u8; 8]) -> Message {
        let mut message = Message::new(id, MessageType::Query, self.opcode);
        let head = &mut message.metadata;
        head.recursion_desired = self.bits.recurse;
        head.authoritative = self.bits.authoritative;
        head.authentic_data = self.bits.authentic;
        head.checking_disabled = self.bits.checking_disabled;
        head.recursion_available = self.bits.recursion_available;
        head.truncation = self.bits.truncated;
        let mut question = Query::query(name.clone(), self.kind);
        question.set_query_class(self.class);
        message.add_query(question);
        let part = &self.edns;
        if part.version.is_some() || part.udp_size.is_some() || part.dnssec || part.subnet.is_some() {
            message.set_edns(part.opt(own_cookie));
        }
        message
    }
}

impl EdnsPart {
    fn opt(&self, own_cookie: [u8; 8]) -> Edns {
        let mut edns = Edns::new();
        edns.set_version(self.version.unwrap_or(0));
        edns.set_max_payload(self.udp_size.unwrap_or(UDP_SIZE));
        let flags = edns.flags_mut();
        flags.dnssec_ok = self.dnssec;
        flags.z = self.flags & 0x3fff | if self.compact { 0x4000 } else { 0 };
        let options = edns.options_mut();
        let empty = |wanted: bool, code| wanted.then(|| EdnsOption::Unknown(code, Vec::new()));
        if let Some(option) = empty(self.nsid, 3) {
            options.insert(option);
        }
        if let Some(subnet) = self.subnet {
            options.insert(EdnsOption::Subnet(subnet));
        }
        match &self.cookie {
            Cookie::None => {}
            Cookie::Client => options.insert(EdnsOption::Unknown(present::COOKIE, own_cookie.to_vec())),
            Cookie::Bytes(bytes) => options.insert(EdnsOption::Unknown(present::COOKIE, bytes.clone())),
        }
        for option in empty(self.expire, 9).into_iter().chain(empty(self.keepalive, 11)) {
            options.insert(option);
        }
        for (code, bytes) in &self.options {
            options.insert(EdnsOption::Unknown(*code, bytes.clone()));
        }
        edns
    }
}

/// The name under which an address is looked up. `strict` takes addresses only, else anything with
/// dots is turned round. Source: `get_reverse`.
pub(in crate::dns) fn reverse(text: &str, strict: bool) -> Option<String> {
    if let Ok(ip) = text.parse::<std::net::Ipv6Addr>() {
        let digits = ip.octets().into_iter().rev().flat_map(|byte| [byte & 15, byte >> 4]);
        let labels: String = digits.map(|digit| format!("{digit:x}.")).collect();
        return Some(format!("{labels}ip6.arpa"));
    }
    if strict && text.parse::<std::net::Ipv4Addr>().is_err() {
        return None;
    }
    let turned: Vec<&str> = text.split('.').rev().collect();
    Some(format!("{}.in-addr.arpa.", turned.join(".")))
}
