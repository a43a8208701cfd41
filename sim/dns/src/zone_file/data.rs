//! A record's data from text. Source: BIND's `dns_rdata_fromtext`, `lib/dns/rdata`.

use std::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine;
use hickory_proto::rr::{Name, RData, RecordType, rdata};
use hickory_proto::serialize::binary::{BinDecoder, Restrict};

use super::lex::{Lexer, Quotes, Token};
use super::name::{parse_name, parse_text};
use super::{Fault, ttl};
use crate::present::fields::{Field, fields};
use crate::present::parse_record_type;

/// Reads the data of a record up to the end of its line, which stays.
pub(super) fn parse_data(lexer: &mut Lexer<'_>, kind: RecordType, origin: &Name) -> Result<RData, Fault> {
    let number = u16::from(kind);
    let bytes = match fields(number) {
        known if generic(lexer)? => {
            let bytes = unknown(lexer)?;
            if known.is_some_and(|fields| !crate::present::fits(fields, &bytes)) {
                return Err(Fault::ExtraData);
            }
            bytes
        }
        Some(fields) => {
            let mut bytes = Vec::new();
            for field in fields {
                one(lexer, *field, origin, &mut bytes)?;
            }
            check_length(number, &bytes)?;
            bytes
        }
        None => {
            lexer.next(Quotes::Plain)?;
            lexer.unget();
            return Err(Fault::Unknown);
        }
    };
    Ok(from_bytes(kind, &bytes))
}

/// Data as hickory-proto has it, or as bytes if it doesn't know better.
pub(super) fn from_bytes(kind: RecordType, bytes: &[u8]) -> RData {
    let unknown = || RData::Unknown { code: kind, rdata: rdata::NULL::with(bytes.to_vec()) };
    let Ok(length) = u16::try_from(bytes.len()) else { return unknown() };
    let data = RData::read(&mut BinDecoder::new(bytes), kind, Restrict::new(length));
    data.ok().filter(|data| crate::present::bytes(data) == bytes).unwrap_or_else(unknown)
}

/// Whether the data is given as RFC 3597 §5 says.
fn generic(lexer: &mut Lexer<'_>) -> Result<bool, Fault> {
    match lexer.next(Quotes::Enclose) {
        Ok(Token::Word(word)) if word == b"\\#" => Ok(true),
        Ok(_) => {
            lexer.unget();
            Ok(false)
        }
        Err(fault) => Err(fault),
    }
}

fn unknown(lexer: &mut Lexer<'_>) -> Result<Vec<u8>, Fault> {
    let length = usize::from(number::<u16>(lexer)?);
    let bytes = hex(lexer, length == 0)?;
    match bytes.len() {
        found if found > length => Err(Fault::Space),
        found if found < length => Err(Fault::End),
        _ => Ok(bytes),
    }
}

/// The next word that is not quoted; what is no word stays.
fn word(lexer: &mut Lexer<'_>) -> Result<Vec<u8>, Fault> {
    match lexer.next(Quotes::Enclose)? {
        Token::Word(word) => Ok(word),
        token => {
            lexer.unget();
            Err(if matches!(token, Token::Quoted(_)) { Fault::Token } else { Fault::End })
        }
    }
}

/// The next word or quoted string; none at the line's end.
fn text(lexer: &mut Lexer<'_>) -> Result<Option<Vec<u8>>, Fault> {
    match lexer.next(Quotes::Enclose)? {
        Token::Word(text) | Token::Quoted(text) => {
            let bytes = parse_text(&text);
            if bytes.is_err() {
                lexer.unget();
            }
            bytes.map(Some)
        }
        _ => {
            lexer.unget();
            Ok(None)
        }
    }
}

/// A string of up to 255 bytes; none at the line's end.
fn string(lexer: &mut Lexer<'_>) -> Result<Option<Vec<u8>>, Fault> {
    let bytes = text(lexer)?;
    if bytes.as_ref().is_some_and(|bytes| bytes.len() > 255) {
        lexer.unget();
        return Err(Fault::Syntax);
    }
    Ok(bytes)
}

fn push_string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(u8::try_from(bytes.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(bytes);
}

/// What a word means; a word that means nothing stays, to be named.
fn parsed<T>(lexer: &mut Lexer<'_>, parse: impl FnOnce(&[u8]) -> Result<T, Fault>) -> Result<T, Fault> {
    let word = word(lexer)?;
    let value = parse(&word);
    if value.is_err() {
        lexer.unget();
    }
    value
}

fn number<T: TryFrom<u64>>(lexer: &mut Lexer<'_>) -> Result<T, Fault> {
    parsed(lexer, |word| {
        if word.is_empty() || !word.iter().all(u8::is_ascii_digit) {
            return Err(Fault::Number);
        }
        let text = std::str::from_utf8(word).map_err(|_| Fault::Number)?;
        let number: u64 = text.parse().map_err(|_| Fault::Range)?;
        T::try_from(number).map_err(|_| Fault::Range)
    })
}

fn kind(word: &[u8]) -> Result<u16, Fault> {
    let kind = std::str::from_utf8(word).ok().and_then(parse_record_type);
    kind.map(u16::from).ok_or(Fault::Unknown)
}

fn one(lexer: &mut Lexer<'_>, field: Field, origin: &Name, out: &mut Vec<u8>) -> Result<(), Fault> {
    match field {
        Field::U8 => out.push(number(lexer)?),
        Field::U16 => out.extend(number::<u16>(lexer)?.to_be_bytes()),
        Field::U32 => out.extend(number::<u32>(lexer)?.to_be_bytes()),
        Field::Ttl => out.extend(parsed(lexer, ttl)?.to_be_bytes()),
        Field::Date => out.extend(parsed(lexer, date)?.to_be_bytes()),
        Field::Ip4 => out.extend(parsed(lexer, |word| address::<Ipv4Addr>(word, Fault::Ip4))?.octets()),
        Field::Ip6 => out.extend(parsed(lexer, |word| address::<Ipv6Addr>(word, Fault::Ip6))?.octets()),
        Field::Name => {
            let name = parsed(lexer, |word| parse_name(word, origin))?;
            for label in name.iter() {
                push_string(out, label);
            }
            out.push(0);
        }
        Field::Text => push_string(out, &string(lexer)?.ok_or(Fault::End)?),
        Field::Tag => {
            let valid =
                |tag: &[u8]| !tag.is_empty() && tag.len() < 256 && tag.iter().all(u8::is_ascii_alphanumeric);
            let tag = parsed(lexer, |word| if valid(word) { Ok(word.to_vec()) } else { Err(Fault::Syntax) })?;
            push_string(out, &tag);
        }
        Field::Texts => {
            push_string(out, &string(lexer)?.ok_or(Fault::End)?);
            while let Some(text) = string(lexer)? {
                push_string(out, &text);
            }
        }
        Field::RestText => out.extend(text(lexer)?.ok_or(Fault::End)?),
        Field::Hex => out.extend(hex(lexer, false)?),
        Field::Base64 => {
            let text = rest(lexer)?;
            let bytes = base64::engine::general_purpose::STANDARD.decode(&text);
            out.extend(bytes.ok().filter(|bytes| !bytes.is_empty()).ok_or(Fault::Base64)?);
        }
        Field::Kind => out.extend(parsed(lexer, kind)?.to_be_bytes()),
        Field::Kinds => kinds(lexer, out)?,
        // Simplified: parameters of SVCB and HTTPS are read in RFC 3597's form only.
        Field::Params => match lexer.next(Quotes::Enclose)? {
            Token::EndOfLine | Token::EndOfFile => lexer.unget(),
            _ => {
                lexer.unget();
                return Err(Fault::NotSimulated);
            }
        },
    }
    Ok(())
}

fn address<T: std::str::FromStr>(word: &[u8], fault: Fault) -> Result<T, Fault> {
    std::str::from_utf8(word).ok().and_then(|text| text.parse().ok()).ok_or(fault)
}

/// All words up to the line's end as one.
fn rest(lexer: &mut Lexer<'_>) -> Result<Vec<u8>, Fault> {
    let mut all = Vec::new();
    loop {
        match lexer.next(Quotes::Enclose)? {
            Token::Word(word) => all.extend(word),
            Token::Quoted(_) => {
                lexer.unget();
                return Err(Fault::Token);
            }
            _ => {
                lexer.unget();
                return Ok(all);
            }
        }
    }
}

fn hex(lexer: &mut Lexer<'_>, may_be_empty: bool) -> Result<Vec<u8>, Fault> {
    let text = rest(lexer)?;
    if text.is_empty() && !may_be_empty {
        return Err(Fault::End);
    }
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let digits: Option<Vec<u32>> = text.iter().map(digit).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0).ok_or(Fault::Hex)?;
    Ok(digits.chunks(2).filter_map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect())
}

/// A bitmap of types. RFC 4034 §4.1.2.
fn kinds(lexer: &mut Lexer<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut numbers = Vec::new();
    loop {
        match lexer.next(Quotes::Enclose)? {
            Token::Word(word) => match kind(&word) {
                Ok(number) => numbers.push(number),
                Err(fault) => {
                    lexer.unget();
                    return Err(fault);
                }
            },
            _ => {
                lexer.unget();
                break;
            }
        }
    }
    numbers.sort_unstable();
    let mut windows: std::collections::BTreeMap<u8, Vec<u8>> = std::collections::BTreeMap::new();
    for number in numbers {
        let [window, low] = number.to_be_bytes();
        let map = windows.entry(window).or_default();
        let at = usize::from(low / 8);
        map.resize(map.len().max(at + 1), 0);
        map[at] |= 0x80 >> (low % 8);
    }
    for (window, map) in windows {
        out.push(window);
        push_string(out, &map);
    }
    Ok(())
}

/// Seconds since 1970, or `YYYYMMDDHHMMSS`.
fn date(word: &[u8]) -> Result<u32, Fault> {
    let text = std::str::from_utf8(word).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let text = text.ok_or(Fault::Syntax)?;
    if text.len() != 14 {
        return text.parse().map_err(|_| Fault::Syntax);
    }
    let part = |from: usize, to: usize| text[from..to].parse::<u64>().map_err(|_| Fault::Syntax);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    if year < 1970
        || !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return Err(Fault::Range);
    }
    // Howard Hinnant's days_from_civil, for dates after 1970.
    let year = if month <= 2 { year - 1 } else { year };
    let of_era = year % 400;
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let days = year / 400 * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let seconds = days * 86400 + hour * 3600 + minute * 60 + second;
    // Serial arithmetic (RFC 4034 §3.1.5): later times wrap around.
    Ok((seconds % (1 << 32)) as u32)
}

/// Digests have the length that their kind says.
fn check_length(kind: u16, bytes: &[u8]) -> Result<(), Fault> {
    let expected = match (kind, bytes) {
        (43 | 59 | 32769, [_, _, _, digest, rest @ ..]) => match digest {
            1 => (20, rest.len()),
            2 => (32, rest.len()),
            4 => (48, rest.len()),
            _ => return Ok(()),
        },
        (44, [_, digest, rest @ ..]) => match digest {
            1 => (20, rest.len()),
            2 => (32, rest.len()),
            _ => return Ok(()),
        },
        _ => return Ok(()),
    };
    match expected {
        (wanted, found) if found < wanted => Err(Fault::End),
        (wanted, found) if found > wanted => Err(Fault::ExtraData),
        _ => Ok(()),
    }
}
