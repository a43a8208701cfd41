use std::fmt;

use packet::{Skb, wire};

use super::{Extension, bang, mark_of};
use crate::args::{ArgError, Args, Opt, flag, negatable, value};
use crate::{EvalCx, Refused, RuleSite};

/// `-m string`: bytes somewhere in a packet.
/// Kernel: `net/netfilter/xt_string.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StringMatch {
    /// `!`.
    pub invert: bool,
    /// The bytes, at most 128.
    pub pattern: Vec<u8>,
    /// `--algo`: `bm` or `kmp`.
    pub algo: String,
    /// `--from`: where the search begins, bytes from the IP header.
    pub from: u16,
    /// `--to`: where the search ends; the bytes lie before it.
    pub to: u16,
    /// `--icase`.
    pub ignore_case: bool,
}

/// Kernel: `XT_STRING_MAX_PATTERN_SIZE`.
const MAX_PATTERN: usize = 128;

/// Reads `abc|0a 0b|def`.
fn parse_hex(text: &str) -> Result<Vec<u8>, ArgError> {
    let bytes = text.as_bytes();
    let mut pattern = Vec::new();
    if bytes.is_empty() {
        return Err(ArgError::said("STRING must contain at least one char"));
    }
    let (mut at, mut hex) = (0, false);
    while let Some(mut byte) = bytes.get(at).copied() {
        if pattern.len() >= MAX_PATTERN {
            return Err(ArgError::said(format!("STRING too long \"{text}\"")));
        }
        let literal = byte == b'\\' && !hex;
        if byte == b'\\' && hex {
            return Err(ArgError::said("Cannot include literals in hex data"));
        }
        if byte == b'|' {
            hex = !hex;
            while hex && bytes.get(at + 1) == Some(&b' ') {
                at += 1;
            }
            match bytes.get(at + 1) {
                None => break,
                Some(next) => byte = *next,
            }
            at += 1;
        }
        if literal {
            let next = bytes.get(at + 1).ok_or_else(|| ArgError::said("Bad literal placement at end of string"));
            pattern.push(*next?);
            at += 2;
        } else if hex {
            let Some(second) = bytes.get(at + 1).copied() else {
                return Err(ArgError::said("Odd number of hex digits"));
            };
            let Some(after) = bytes.get(at + 2) else { return Err(ArgError::said("Invalid hex block")) };
            let digit = |c: u8| {
                let digit = char::from(c).to_digit(16);
                digit.ok_or_else(|| ArgError::said(format!("Invalid hex char '{}'", char::from(c))))
            };
            pattern.push((digit(byte)? * 16 + digit(second)?) as u8);
            at += if *after == b' ' { 3 } else { 2 };
        } else {
            pattern.push(byte);
            at += 1;
        }
    }
    Ok(pattern)
}

impl Extension for StringMatch {
    const OPTIONS: &'static [Opt] = &[
        value("from"),
        value("to"),
        value("algo").mandatory(),
        negatable("string").excludes(&["hex-string"]),
        negatable("hex-string").excludes(&["string"]),
        flag("icase"),
    ];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let from = args.optional_number("from", 0, 0xffff)?.unwrap_or(0) as u16;
        let to = args.optional_number("to", 0, 0xffff)?.unwrap_or(0xffff) as u16;
        let mut chosen = None;
        if let Some(given) = args.take("string")? {
            let pattern = given.text().as_bytes().to_vec();
            if pattern.len() > MAX_PATTERN {
                return Err(ArgError::said(format!("STRING too long \"{}\"", given.text())));
            }
            chosen = Some((given.invert, pattern));
        }
        if let Some(given) = args.take("hex-string")? {
            chosen = Some((given.invert, parse_hex(given.text())?));
        }
        let ignore_case = args.has("icase")?;
        let algo = args.take("algo")?.map_or(String::new(), |given| given.text().to_owned());
        let Some((invert, pattern)) = chosen else {
            return Err(ArgError::said("STRING match: You must specify `--string' or `--hex-string'"));
        };
        args.check(Self::OPTIONS)?;
        Ok(Self { invert, pattern, algo, from, to, ignore_case })
    }

    /// Kernel: `skb_find_text`.
    fn matches(&self, _: &mut EvalCx<'_>, skb: &Skb) -> bool {
        let bytes = wire::emit_packet(skb.ip());
        let (from, to) = (usize::from(self.from), usize::from(self.to));
        let end = bytes.len().min(to);
        let same = |a: &u8, b: &u8| if self.ignore_case { a.eq_ignore_ascii_case(b) } else { a == b };
        let found = bytes.get(from..end).is_some_and(|area| {
            area.windows(self.pattern.len().max(1))
                .any(|window| window.iter().zip(&self.pattern).all(|(a, b)| same(a, b)))
        });
        found != self.invert
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        write!(f, " STRING match {}", mark_of(self.invert))?;
        self.write_pattern(f)?;
        write!(f, " ALGO name {}", self.algo)?;
        if self.from != 0 {
            write!(f, " FROM {}", self.from)?;
        }
        if self.to != u16::MAX {
            write!(f, " TO {}", self.to)?;
        }
        f.write_str(if self.ignore_case { " ICASE" } else { "" })
    }

    fn check(&self, _: &RuleSite<'_>) -> Result<(), Refused> {
        if self.from > self.to || self.pattern.is_empty() {
            return Err(Refused::Invalid);
        }
        match self.algo.as_str() {
            "bm" | "kmp" | "fsm" => Ok(()),
            _ => Err(Refused::NotFound),
        }
    }
}

impl StringMatch {
    /// Whether it must be written in hexadecimal.
    fn is_hex(&self) -> bool {
        !self.pattern.iter().all(|byte| matches!(byte, b' '..=b'~')) || self.pattern.last() == Some(&b'\\')
    }

    fn write_pattern(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_hex() {
            let digits: String = self.pattern.iter().map(|byte| format!("{byte:02x}")).collect();
            return write!(f, " \"|{digits}|\"");
        }
        f.write_str(" \"")?;
        for byte in &self.pattern {
            if matches!(byte, b'"' | b'\\') {
                f.write_str("\\")?;
            }
            write!(f, "{}", char::from(*byte))?;
        }
        f.write_str("\"")
    }
}

impl fmt::Display for StringMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let option = if self.is_hex() { "hex-string" } else { "string" };
        write!(f, " {}--{option}", bang(self.invert))?;
        self.write_pattern(f)?;
        write!(f, " --algo {}", self.algo)?;
        if self.from != 0 {
            write!(f, " --from {}", self.from)?;
        }
        if self.to != u16::MAX {
            write!(f, " --to {}", self.to)?;
        }
        f.write_str(if self.ignore_case { " --icase" } else { "" })
    }
}
