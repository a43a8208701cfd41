//! A record's data as text. Source: BIND's `lib/dns/rdata`.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine;
use hickory_proto::rr::{DNSClass, RData};
use hickory_proto::serialize::binary::{BinEncodable, BinEncoder, NameEncoding};

use super::fields::{Field, fields};
use super::kind::kind_name;
use super::name::{bare, labels, quoted};
use super::{Layout, Style};

/// A record's data as it is in a message, with names written out.
pub(crate) fn bytes(data: &RData) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = BinEncoder::new(&mut bytes);
    encoder.set_name_encoding(NameEncoding::Uncompressed);
    // What can't be written (a string of 256 bytes) has no bytes.
    if data.emit(&mut encoder).is_err() {
        bytes.clear();
    }
    bytes
}

/// A record's data.
pub fn data(data: &RData, class: DNSClass, style: &Style) -> String {
    if let RData::Update0(_) = data {
        return String::new();
    }
    let kind = u16::from(data.record_type());
    let bytes = bytes(data);
    let known = if style.unknown_format { None } else { fields(kind) };
    // Types that are only the Internet's.
    let foreign = class != DNSClass::IN && matches!(kind, 1 | 28 | 33 | 36 | 64 | 65);
    let text = known.filter(|_| !foreign).and_then(|fields| text(fields, &bytes, style));
    text.unwrap_or_else(|| unknown(&bytes, style))
}

/// Any data. RFC 3597 §5.
fn unknown(bytes: &[u8], style: &Style) -> String {
    let mut text = format!("\\# {}", bytes.len());
    if !bytes.is_empty() {
        let hex = split(&hex(bytes), style);
        text += &match style.layout {
            Layout::Line => format!(" {hex}"),
            Layout::Multiline => format!(" ( {hex} )"),
        };
    }
    text
}

/// The bytes that are not yet printed.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// A byte of length and as many bytes.
    fn text(&mut self) -> Option<&'a [u8]> {
        let [length] = self.array()?;
        self.take(usize::from(length))
    }

    fn name(&mut self) -> Option<String> {
        let mut parts = Vec::new();
        loop {
            match self.text()? {
                [] => return Some(labels(parts.into_iter())),
                label if label.len() > 63 => return None,
                label => parts.push(label),
            }
        }
    }
}

/// All fields; none if the bytes don't fit them.
fn text(fields: &[Field], bytes: &[u8], style: &Style) -> Option<String> {
    let multiline = style.layout == Layout::Multiline;
    let mut rest = Rest(bytes);
    let mut words: Vec<String> = Vec::new();
    for field in fields {
        if *field == Field::Ttl && multiline {
            // The rest of an SOA record has a line for each number.
            let serial = words.pop()?;
            words.push(format!("({}", soa_numbers(&serial, &mut rest, style)?));
            break;
        }
        let word = one(*field, &mut rest, style)?;
        words.push(match field {
            Field::Hex | Field::Base64 if multiline => format!("({}{word} )", style.line_break()),
            _ => word,
        });
    }
    words.retain(|word| !word.is_empty());
    rest.0.is_empty().then(|| words.join(" "))
}

/// Whether data consists of these parts.
pub(crate) fn fits(fields: &[Field], bytes: &[u8]) -> bool {
    text(fields, bytes, &Style::default()).is_some()
}

/// The numbers of an SOA record with what they are.
fn soa_numbers(serial: &str, rest: &mut Rest<'_>, style: &Style) -> Option<String> {
    let start = style.line_break();
    let mut text = format!("{start}{serial:<10} ; serial");
    for name in ["refresh", "retry", "expire", "minimum"] {
        let seconds = rest.u32()?;
        let _ = write!(text, "{start}{seconds:<10} ; {name} ({})", ttl_words(seconds));
    }
    Some(format!("{text}{start})"))
}

fn one(field: Field, rest: &mut Rest<'_>, style: &Style) -> Option<String> {
    Some(match field {
        Field::U8 => rest.array::<1>()?[0].to_string(),
        Field::U16 => rest.u16()?.to_string(),
        Field::U32 | Field::Ttl => rest.u32()?.to_string(),
        Field::Date => date(rest.u32()?),
        Field::Ip4 => Ipv4Addr::from(rest.array::<4>()?).to_string(),
        Field::Ip6 if style.expand_aaaa => {
            let groups = Ipv6Addr::from(rest.array::<16>()?).segments();
            groups.map(|group| format!("{group:04x}")).join(":")
        }
        Field::Ip6 => Ipv6Addr::from(rest.array::<16>()?).to_string(),
        Field::Name => rest.name()?,
        Field::Text => quoted(rest.text()?),
        Field::Tag => bare(rest.text()?),
        Field::Texts => {
            let mut texts = vec![quoted(rest.text()?)];
            while !rest.0.is_empty() {
                texts.push(quoted(rest.text()?));
            }
            texts.join(" ")
        }
        Field::RestText => quoted(std::mem::take(&mut rest.0)),
        Field::Hex => split(&hex(std::mem::take(&mut rest.0)), style),
        Field::Base64 => split(&base64(std::mem::take(&mut rest.0)), style),
        Field::Kind => kind_name(rest.u16()?),
        Field::Kinds => kinds(rest)?,
        Field::Params => params(rest)?,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02X}");
        text
    })
}

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Long hex and base64 text in words.
fn split(text: &str, style: &Style) -> String {
    let Some(width) = style.word_length().filter(|width| *width > 0) else { return text.to_owned() };
    // All of it is ASCII.
    let words: Vec<&str> =
        text.as_bytes().chunks(width).filter_map(|word| std::str::from_utf8(word).ok()).collect();
    words.join(style.line_break())
}

/// The types of a bitmap. RFC 4034 §4.1.2.
fn kinds(rest: &mut Rest<'_>) -> Option<String> {
    let mut names = Vec::new();
    while !rest.0.is_empty() {
        let [window] = rest.array()?;
        for (at, byte) in (0_u16..).zip(rest.text()?) {
            for bit in 0..8 {
                if byte & (0x80 >> bit) != 0 {
                    names.push(kind_name((u16::from(window) << 8) + at * 8 + bit));
                }
            }
        }
    }
    Some(names.join(" "))
}

/// `alpn="h2" port=443`. RFC 9460 §2.1.
fn params(rest: &mut Rest<'_>) -> Option<String> {
    let mut words = Vec::new();
    while !rest.0.is_empty() {
        let key = rest.u16()?;
        let length = rest.u16()?;
        let value = rest.take(usize::from(length))?;
        let name = param_name(key);
        if value.is_empty() {
            words.push(name);
            continue;
        }
        let mut part = Rest(value);
        let value = match key {
            0 => list(&mut part, |part| part.u16().map(param_name))?,
            1 => {
                let list = list(&mut part, |part| part.text().map(protocol))?;
                format!("\"{list}\"")
            }
            2 => return None,
            3 => part.u16().filter(|_| part.0.is_empty())?.to_string(),
            4 => list(&mut part, |part| part.array::<4>().map(|ip| Ipv4Addr::from(ip).to_string()))?,
            5 => base64(value),
            6 => list(&mut part, |part| part.array::<16>().map(|ip| Ipv6Addr::from(ip).to_string()))?,
            _ => quoted(value),
        };
        words.push(format!("{name}={value}"));
    }
    Some(words.join(" "))
}

fn list(rest: &mut Rest<'_>, mut one: impl FnMut(&mut Rest<'_>) -> Option<String>) -> Option<String> {
    let mut items = Vec::new();
    while !rest.0.is_empty() {
        items.push(one(rest)?);
    }
    Some(items.join(","))
}

fn param_name(key: u16) -> String {
    const NAMES: [&str; 7] = ["mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint"];
    NAMES.get(usize::from(key)).map_or_else(|| format!("key{key}"), |name| (*name).to_owned())
}

/// A protocol in `alpn`, where commas and backslashes are escaped twice.
fn protocol(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        match byte {
            b'"' => text += "\\\"",
            b'\\' => text += "\\\\\\\\",
            b',' => text += "\\\\,",
            0x21..=0x7e => text.push(char::from(*byte)),
            _ => text += &format!("\\{byte:03}"),
        }
    }
    text
}

/// `20240131235959`.
fn date(seconds: u32) -> String {
    // Howard Hinnant's civil_from_days, for dates after 1970.
    let (days, of_day) = (u64::from(seconds) / 86400, seconds % 86400);
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}{month:02}{day:02}{:02}{:02}{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

const UNITS: [(u32, &str); 5] =
    [(604_800, "week"), (86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];

/// The parts of a time that are not 0, and at least seconds.
fn ttl_parts(seconds: u32) -> Vec<(u32, &'static str)> {
    let mut left = seconds;
    let mut parts = Vec::new();
    for (size, unit) in UNITS {
        let (count, rest) = (left / size, left % size);
        left = rest;
        if count > 0 || (size == 1 && parts.is_empty()) {
            parts.push((count, unit));
        }
    }
    parts
}

/// `1 week 2 days`.
pub(super) fn ttl_words(seconds: u32) -> String {
    let words = ttl_parts(seconds).into_iter();
    let words = words.map(|(count, unit)| format!("{count} {unit}{}", if count == 1 { "" } else { "s" }));
    words.collect::<Vec<_>>().join(" ")
}

/// `1w2d`.
pub(super) fn ttl_units(seconds: u32) -> String {
    ttl_parts(seconds).into_iter().map(|(count, unit)| format!("{count}{}", &unit[..1])).collect()
}
