use std::net::{IpAddr, SocketAddr};

use dns::{Message, ResponseCode};

use super::typify::typify;
use crate::coredns::corefile::{Class, LogRule};
use crate::coredns::message::{self, Client, code_text, length, question, type_text, wants_dnssec};

/// A query and what came of it.
pub struct Logged<'a> {
    /// The query as it came.
    pub query: &'a Message,
    /// Who asked.
    pub client: &'a Client,
    /// The answer; none if a server above says the code.
    pub answer: Option<&'a Message>,
    /// The code.
    pub code: ResponseCode,
    /// How long it took.
    pub nanos: u64,
}

/// The rule for a query, by its name. The first one counts, whatever its classes.
pub fn rule<'a>(rules: &'a [LogRule], query: &Message) -> Option<&'a LogRule> {
    let name = message::name(query);
    rules.iter().find(|rule| rule.scope.zone_of(&name))
}

/// The line that a rule has for a query, if its class is wanted. CoreDNS: `plugin/log`.
pub fn line(rule: &LogRule, logged: &Logged<'_>) -> Option<String> {
    let made;
    let answer = match logged.answer {
        Some(answer) => answer,
        None => {
            made = message::reply(logged.query, logged.code);
            &made
        }
    };
    let class = typify(answer).class();
    let wanted = rule.classes.contains(&Class::All) || rule.classes.contains(&class);
    wanted.then(|| format!("[INFO] {}", fill(&rule.format, logged, answer)))
}

/// CoreDNS: `plugin/pkg/replacer`.
fn fill(format: &str, logged: &Logged<'_>, answer: &Message) -> String {
    let mut line = String::new();
    let mut rest = format;
    while let Some(end) = rest.find('}') {
        let Some(start) = rest[..end].rfind('{') else {
            line.push_str(&rest[..=end]);
            rest = &rest[end + 1..];
            continue;
        };
        let field = &rest[start + 1..end];
        match value(field, logged, answer) {
            Some(value) => {
                line.push_str(&rest[..start]);
                line.push_str(&value);
            }
            None => line.push_str(&rest[..=end]),
        }
        rest = &rest[end + 1..];
    }
    line + rest
}

fn value(field: &str, logged: &Logged<'_>, answer: &Message) -> Option<String> {
    let Logged { query, client, .. } = logged;
    let asked = question(query);
    Some(match field {
        "type" => asked.map_or(String::new(), |asked| type_text(asked.query_type)),
        "name" => message::name(query).to_string(),
        "class" => asked.map_or(String::new(), |asked| asked.query_class.to_string()),
        "proto" => client.transport.name().to_owned(),
        "size" => length(query).to_string(),
        "remote" => ip(client.from),
        "port" => client.from.port().to_string(),
        "local" => ip(client.to),
        ">id" => query.metadata.id.to_string(),
        ">opcode" => u8::from(query.metadata.op_code).to_string(),
        ">do" => wants_dnssec(query).to_string(),
        ">bufsize" => message::size(query, client.transport).to_string(),
        "rcode" => code_text(answer.metadata.response_code),
        "rsize" => length(answer).to_string(),
        "duration" => seconds(logged.nanos),
        ">rflags" => flags(answer),
        // What the metadata plugin would know: there is none.
        _ if field.starts_with('/') => "-".to_owned(),
        _ => return None,
    })
}

fn ip(address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// As Go's `FormatFloat(…, 'f', -1, 64)` writes them.
fn seconds(nanos: u64) -> String {
    let text = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned() + "s"
}

fn flags(answer: &Message) -> String {
    let header = &answer.metadata;
    let flags = [
        (true, "qr"),
        (header.authoritative, "aa"),
        (header.truncation, "tc"),
        (header.recursion_desired, "rd"),
        (header.recursion_available, "ra"),
        (header.authentic_data, "ad"),
        (header.checking_disabled, "cd"),
    ];
    let set: Vec<&str> = flags.into_iter().filter_map(|(set, name)| set.then_some(name)).collect();
    set.join(",")
}
