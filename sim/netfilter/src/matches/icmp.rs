use std::fmt;

use packet::{Proto, Skb};

use super::{Extension, bang};
use crate::args::{ArgError, Args, Opt, leading_number, negatable, number};
use crate::{EvalCx, Refused, RuleSite, transport};

/// `-m icmp --icmp-type TYPE[/CODE]`.
/// Kernel: `net/ipv4/netfilter/ip_tables.c`, `icmp_match`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IcmpMatch {
    /// `!`.
    pub invert: bool,
    /// Type; 255 is any.
    pub kind: u8,
    /// Codes, inclusive; 0..=255 is any.
    pub codes: (u8, u8),
}

/// Names of types and codes, in the order in which a prefix of one is looked up.
const NAMES: &[(&str, u8, Option<u8>)] = &[
    ("any", 255, None),
    ("echo-reply", 0, None),
    ("pong", 0, None),
    ("destination-unreachable", 3, None),
    ("network-unreachable", 3, Some(0)),
    ("host-unreachable", 3, Some(1)),
    ("protocol-unreachable", 3, Some(2)),
    ("port-unreachable", 3, Some(3)),
    ("fragmentation-needed", 3, Some(4)),
    ("source-route-failed", 3, Some(5)),
    ("network-unknown", 3, Some(6)),
    ("host-unknown", 3, Some(7)),
    ("network-prohibited", 3, Some(9)),
    ("host-prohibited", 3, Some(10)),
    ("TOS-network-unreachable", 3, Some(11)),
    ("TOS-host-unreachable", 3, Some(12)),
    ("communication-prohibited", 3, Some(13)),
    ("host-precedence-violation", 3, Some(14)),
    ("precedence-cutoff", 3, Some(15)),
    ("source-quench", 4, None),
    ("redirect", 5, None),
    ("network-redirect", 5, Some(0)),
    ("host-redirect", 5, Some(1)),
    ("TOS-network-redirect", 5, Some(2)),
    ("TOS-host-redirect", 5, Some(3)),
    ("echo-request", 8, None),
    ("ping", 8, None),
    ("router-advertisement", 9, None),
    ("router-solicitation", 10, None),
    ("time-exceeded", 11, None),
    ("ttl-exceeded", 11, None),
    ("ttl-zero-during-transit", 11, Some(0)),
    ("ttl-zero-during-reassembly", 11, Some(1)),
    ("parameter-problem", 12, None),
    ("ip-header-bad", 12, Some(0)),
    ("required-option-missing", 12, Some(1)),
    ("timestamp-request", 13, None),
    ("timestamp-reply", 14, None),
    ("address-mask-request", 17, None),
    ("address-mask-reply", 18, None),
];

fn parse_type(text: &str) -> Result<(u8, (u8, u8)), ArgError> {
    let lower = text.to_ascii_lowercase();
    let exact = NAMES.iter().find(|(name, ..)| name.eq_ignore_ascii_case(text));
    let mut fits = NAMES.iter().filter(|(name, ..)| name.to_ascii_lowercase().starts_with(&lower));
    let found = match (exact, fits.next(), fits.next()) {
        (Some(name), ..) | (None, Some(name), None) => Some(name),
        (None, Some(a), Some(b)) => {
            return Err(ArgError::said(format!("Ambiguous ICMP type `{text}': `{}' or `{}'?", a.0, b.0)));
        }
        _ => None,
    };
    if let Some((_, kind, code)) = found {
        return Ok((*kind, code.map_or((0, 255), |code| (code, code))));
    }
    let unknown = || ArgError::said(format!("Unknown ICMP type `{text}'"));
    let byte = |text: &str| number(text).and_then(|n| u8::try_from(n).ok());
    match text.split_once('/') {
        None => Ok((byte(text).ok_or_else(unknown)?, (0, 255))),
        Some((kind, code)) => {
            let bad = || ArgError::said(format!("Unknown ICMP code `{text}'"));
            Ok((byte(kind).ok_or_else(unknown)?, parse_codes(code).ok_or_else(bad)??))
        }
    }
}

/// `CODE` or `MIN:MAX`; an error of its own for what is no number at all.
fn parse_codes(text: &str) -> Option<Result<(u8, u8), ArgError>> {
    let (min, rest) = leading_number(text);
    let min = u8::try_from(min?).ok()?;
    let Some(more) = rest.strip_prefix(':') else {
        return Some(match rest.chars().next() {
            None => Ok((min, min)),
            Some(other) => Err(ArgError::said(format!("unknown character {other}"))),
        });
    };
    let (max, rest) = leading_number(more);
    let max = u8::try_from(max?).ok()?;
    rest.is_empty().then_some(Ok((min, max)))
}

impl Extension for IcmpMatch {
    const OPTIONS: &'static [Opt] = &[negatable("icmp-type")];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let given = args.require("icmp-type")?;
        let (invert, (kind, codes)) = (given.invert, parse_type(given.text())?);
        Ok(Self { invert, kind, codes })
    }

    fn matches(&self, _: &mut EvalCx<'_>, skb: &Skb) -> bool {
        transport::icmp_type(skb.ip()).is_some_and(|(kind, code)| {
            (self.kind == 255 || kind == self.kind && (self.codes.0..=self.codes.1).contains(&code)) != self.invert
        })
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, numeric: bool) -> fmt::Result {
        let wanted = (self.codes.0 == self.codes.1).then_some(self.codes.0);
        let named = NAMES.iter().find(|(_, kind, code)| *kind == self.kind && *code == wanted);
        if let (false, Some((name, ..))) = (numeric, named) {
            return write!(f, " icmp {}{name}", super::mark_of(self.invert));
        }
        if self.invert {
            write!(f, " icmp !type {}", self.kind)?;
        } else {
            write!(f, " icmptype {}", self.kind)?;
        }
        match wanted {
            Some(code) => write!(f, " code {code}"),
            None => Ok(()),
        }
    }

    fn check(&self, site: &RuleSite<'_>) -> Result<(), Refused> {
        let icmp = site.rule.selector.proto.as_ref().is_some_and(|p| p.value == Proto::ICMP && !p.invert);
        if icmp { Ok(()) } else { Err(Refused::Invalid) }
    }
}

impl fmt::Display for IcmpMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {}--icmp-type ", bang(self.invert))?;
        if self.kind == 255 {
            return f.write_str("any");
        }
        write!(f, "{}", self.kind)?;
        if self.codes.0 == self.codes.1 { write!(f, "/{}", self.codes.0) } else { Ok(()) }
    }
}
