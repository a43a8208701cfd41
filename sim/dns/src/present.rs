//! Messages and records as text, as dig of BIND 9.18 prints them.

use std::fmt::Write;

use hickory_proto::op::{Message, OpCode, Query};
use hickory_proto::rr::Record;

pub use self::data::data;
pub(crate) use self::data::{bytes, fits};
pub use self::edns::{COOKIE, cookie};
pub use self::kind::{class, opcode, parse_class, parse_record_type, rcode, record_type};
pub use self::name::{name, plain, quoted};

mod data;
mod edns;
pub(crate) mod fields;
mod kind;
mod name;

/// How a TTL is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ttl {
    /// `3600`.
    #[default]
    Seconds,
    /// `1h`.
    Units,
    /// Not at all.
    Hidden,
}

/// Whether a record may have several lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// One.
    #[default]
    Line,
    /// Several, with comments: `dig +multiline`.
    Multiline,
}

/// How a record is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    /// How its TTL is.
    pub ttl: Ttl,
    /// Whether its class is shown.
    pub class: bool,
    /// Its lines.
    pub layout: Layout,
    /// Shows all data as RFC 3597 does.
    pub unknown_format: bool,
    /// Shows all digits of IPv6 addresses.
    pub expand_aaaa: bool,
    /// The length of the words that long hex and base64 texts are cut into; 0 for one word.
    pub split: Option<usize>,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            ttl: Ttl::Seconds,
            class: true,
            layout: Layout::Line,
            unknown_format: false,
            expand_aaaa: false,
            split: None,
        }
    }
}

impl Style {
    /// What stands between the parts of a long record.
    fn line_break(&self) -> &'static str {
        match self.layout {
            Layout::Line => " ",
            Layout::Multiline => "\n\t\t\t\t",
        }
    }

    /// How long the words of hex and base64 texts are.
    fn word_length(&self) -> Option<usize> {
        self.split.or(Some(if self.layout == Layout::Line { 56 } else { 44 }))
    }

    /// The columns of TTL, class, type and data. Source: dig's `printmessage`.
    fn columns(&self) -> [usize; 4] {
        match (self.layout, self.ttl, self.class) {
            (Layout::Multiline, ..) | (_, Ttl::Hidden, false) => [24, 24, 24, 32],
            (_, Ttl::Hidden, _) | (_, _, false) => [24, 24, 32, 40],
            _ => [24, 32, 40, 48],
        }
    }
}

/// What of a message is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The records' form.
    pub style: Style,
    /// The header and the sections' names.
    pub comments: bool,
    /// The question.
    pub question: bool,
    /// The answers.
    pub answer: bool,
    /// The authority section.
    pub authority: bool,
    /// The additional section.
    pub additional: bool,
}

impl Default for View {
    fn default() -> Self {
        Self {
            style: Style::default(),
            comments: true,
            question: true,
            answer: true,
            authority: true,
            additional: true,
        }
    }
}

/// Goes on to a column with tabs, by a space at least. Source: `indent` in `masterdump.c`.
fn go_to(line: &mut String, column: &mut usize, to: usize) {
    let to = to.max(*column + 1);
    let tabs = (to / 8).saturating_sub(*column / 8);
    line.extend(std::iter::repeat_n('\t', tabs));
    let from = if tabs > 0 { to / 8 * 8 } else { *column };
    line.extend(std::iter::repeat_n(' ', to - from));
    *column = to;
}

/// A line whose words begin in columns.
fn line<'a>(words: impl IntoIterator<Item = (usize, &'a str)>) -> String {
    let (mut text, mut column) = (String::new(), 0);
    for (to, word) in words {
        if to > 0 {
            go_to(&mut text, &mut column, to);
        }
        text += word;
        column += word.len();
    }
    text
}

/// A record as a line, without the line's end.
pub fn record(record: &Record, style: &Style) -> String {
    let [ttl_at, class_at, type_at, data_at] = style.columns();
    let owner = name(&record.name);
    let ttl = match style.ttl {
        Ttl::Seconds => record.ttl.to_string(),
        Ttl::Units => data::ttl_units(record.ttl),
        Ttl::Hidden => String::new(),
    };
    let (class, kind) = match style.unknown_format {
        false => (class(record.dns_class), record_type(record.record_type())),
        true => (
            format!("CLASS{}", u16::from(record.dns_class)),
            format!("TYPE{}", u16::from(record.record_type())),
        ),
    };
    let data = data(&record.data, record.dns_class, style);
    let mut words = vec![(0, owner.as_str())];
    if style.ttl != Ttl::Hidden {
        words.push((ttl_at, &ttl));
    }
    if style.class {
        words.push((class_at, &class));
    }
    words.extend([(type_at, kind.as_str()), (data_at, data.as_str())]);
    line(words)
}

/// A question as a line with a semicolon before it.
pub fn question(query: &Query, style: &Style) -> String {
    let [_, class_at, type_at, _] = style.columns();
    let (class, kind) = (class(query.query_class()), record_type(query.query_type()));
    format!(
        ";{}",
        line([(0, name(query.name()).as_str()), (class_at, class.as_str()), (type_at, kind.as_str())])
    )
}

/// The lines of a message's header.
fn header(message: &Message, is_answer: bool) -> String {
    let head = &message.metadata;
    let mut text = String::new();
    let local = |query: &Query| {
        query.name().iter().next_back().is_some_and(|label| label.eq_ignore_ascii_case(b"local"))
    };
    if message.queries.iter().any(local) {
        text += ";; WARNING: .local is reserved for Multicast DNS\n;; You are currently testing what happens \
                 when an mDNS query is leaked to DNS\n";
    }
    let _ = write!(
        text,
        ";; ->>HEADER<<- opcode: {}, status: {}, id: {}\n;; flags:",
        opcode(head.op_code),
        rcode(head.response_code),
        head.id
    );
    for (set, flag) in [
        (head.message_type == hickory_proto::op::MessageType::Response, " qr"),
        (head.authoritative, " aa"),
        (head.truncation, " tc"),
        (head.recursion_desired, " rd"),
        (head.recursion_available, " ra"),
        (head.authentic_data, " ad"),
        (head.checking_disabled, " cd"),
    ] {
        text += if set { flag } else { "" };
    }
    let additional = message.additionals.len()
        + usize::from(message.edns.is_some())
        + usize::from(message.signature.is_some());
    let _ = writeln!(
        text,
        "; QUERY: {}, ANSWER: {}, AUTHORITY: {}, ADDITIONAL: {additional}",
        message.queries.len(),
        message.answers.len(),
        message.authorities.len(),
    );
    if is_answer && head.recursion_desired && !head.recursion_available {
        text += ";; WARNING: recursion requested but not available\n";
    }
    text
}

/// The lines for a message: an answer with the query that was sent for it, or a query.
/// Source: dig's `printmessage`.
pub fn message(message: &Message, view: &View, sent: Option<&Message>) -> String {
    let mut text = String::new();
    if view.comments {
        text += if sent.is_some() { ";; Got answer:\n" } else { ";; Sending:\n" };
        text += &header(message, sent.is_some());
        let code = rcode(message.metadata.response_code);
        if sent.is_some_and(|sent| sent.edns.is_some())
            && message.edns.is_none()
            && matches!(code.as_str(), "FORMERR" | "NOTIMP")
        {
            let _ = write!(text, "\n;; WARNING: EDNS query returned status {code} - retry with '+noedns'\n");
        }
        text.push('\n');
        if let Some(edns) = &message.edns {
            let cookie = sent.and_then(|sent| sent.edns.as_ref()).and_then(cookie);
            text += ";; OPT PSEUDOSECTION:\n";
            text += &edns::pseudosection(edns, cookie);
        }
    }
    let update = message.metadata.op_code == OpCode::Update;
    let name = |plain, update_name| if update { update_name } else { plain };
    let questions: Vec<String> = message.queries.iter().map(|query| question(query, &view.style)).collect();
    let lines = |records: &[Record]| records.iter().map(|one| record(one, &view.style)).collect();
    let sections: [(bool, &str, Vec<String>); 4] = [
        (view.question, name("QUESTION", "ZONE"), questions),
        (view.answer, name("ANSWER", "PREREQUISITE"), lines(&message.answers)),
        (view.authority, name("AUTHORITY", "UPDATE"), lines(&message.authorities)),
        (view.additional, "ADDITIONAL", lines(&message.additionals)),
    ];
    for (shown, name, lines) in sections {
        if !shown || lines.is_empty() {
            continue;
        }
        if view.comments {
            let _ = writeln!(text, ";; {name} SECTION:");
        }
        for line in &lines {
            text += line;
            text.push('\n');
        }
        if view.comments {
            text.push('\n');
        }
    }
    text
}

/// The data of the answers, a line each: `dig +short`.
pub fn short(message: &Message, style: &Style) -> String {
    let style = Style { layout: Layout::Line, ..style.clone() };
    let lines = message.answers.iter().map(|record| data(&record.data, record.dns_class, &style) + "\n");
    lines.collect()
}

#[cfg(test)]
mod tests;
