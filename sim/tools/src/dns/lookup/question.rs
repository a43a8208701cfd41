//! One question as a resolver sends it, and what it takes for its answer.

use dns::{Edns, Family, Message, Name, RecordType};
use world::Sys;

/// Bytes of the longest datagram.
pub(super) const MAX_DATAGRAM: usize = 65_535;

/// A query that is ready to go.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub name: Name,
    pub kind: RecordType,
    pub id: u16,
    pub bytes: Vec<u8>,
}

/// What a query says beside its question.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extras {
    /// The size of answers that may come, by EDNS.
    pub edns: Option<u16>,
    /// The AD bit.
    pub authentic: bool,
}

impl Question {
    /// `None` if the name can't be written: an empty label, one of more than 63 bytes, or more than
    /// 255 in all.
    pub(super) fn new(sys: &mut dyn Sys, name: &str, kind: RecordType, extras: Extras) -> Option<Self> {
        let name = name_of(name)?;
        let id = sys.random() as u16;
        let mut message = dns::query(id, name.clone(), kind);
        message.metadata.authentic_data = extras.authentic;
        if let Some(size) = extras.edns {
            let mut edns = Edns::new();
            edns.set_max_payload(size);
            message.set_edns(edns);
        }
        Some(Self { name, kind, id, bytes: dns::encode(&message).ok()? })
    }

    /// Whether a message asks the same. glibc: `__libc_res_queriesmatch`.
    pub(super) fn is_asked_by(&self, message: &Message) -> bool {
        let [query] = &message.queries[..] else { return false };
        query.query_type() == self.kind && query.name() == &self.name
    }
}

/// The name of that text, without escapes; a dot at the end says nothing.
pub(super) fn name_of(text: &str) -> Option<Name> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.is_empty() {
        return Some(Name::root());
    }
    let mut name = Name::from_labels(text.split('.').map(str::as_bytes)).ok()?;
    name.set_fqdn(true);
    Some(name)
}

/// A name as the libraries give it to programs: without the dot at its end.
pub(super) fn text_of(name: &Name) -> String {
    let text = name.to_ascii();
    match text.strip_suffix('.') {
        Some("") | None => text,
        Some(text) => text.to_owned(),
    }
}

/// The types of the records that hold those addresses, in the order in which they are asked.
pub(super) fn kinds(family: Family) -> &'static [RecordType] {
    match family {
        Family::Any => &[RecordType::A, RecordType::AAAA],
        Family::V4 => &[RecordType::A],
        Family::V6 => &[RecordType::AAAA],
    }
}

/// Whether a name may be a host's: letters, digits, hyphens and underscores, no hyphen first.
/// glibc: `__libc_res_hnok`.
pub(super) fn is_host_name(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !text.starts_with('-') && text.chars().all(good) && name_of(text).is_some()
}
