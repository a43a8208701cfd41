use std::fmt;

use packet::Skb;

use super::{Extension, bang, mark_of};
use crate::EvalCx;
use crate::args::{ArgError, Args, Opt, leading_number, negatable, number};

/// `-m tos --tos VALUE[/MASK]`.
/// Kernel: `net/netfilter/xt_dscp.c`, `tos_mt`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tos {
    /// `!`.
    pub invert: bool,
    /// Value.
    pub value: u8,
    /// Bits looked at.
    pub mask: u8,
}

const NAMES: [(&str, u8); 5] = [
    ("Minimize-Delay", 0x10),
    ("Maximize-Throughput", 0x08),
    ("Maximize-Reliability", 0x04),
    ("Minimize-Cost", 0x02),
    ("Normal-Service", 0x00),
];

/// The name of a value that looks at the six bits a name can say something of.
pub(crate) fn tos_name(value: u8, mask: u8) -> Option<&'static str> {
    NAMES.iter().find(|(_, known)| *known == value && mask == 0x3f).map(|(name, _)| *name)
}

/// Reads `VALUE[/MASK]` or a name. iptables `xtopt_parse_tosmask`.
///
/// # Errors
/// It is neither.
pub(crate) fn parse_tos(text: &str) -> Result<(u8, u8), ArgError> {
    let (value, rest) = leading_number(text);
    if let Some(value) = value.and_then(|value| u8::try_from(value).ok()) {
        let illegal = || ArgError::said(format!("Illegal value: \"{text}\""));
        return match rest.strip_prefix('/') {
            Some(mask) => number(mask).and_then(|n| u8::try_from(n).ok()).map(|mask| (value, mask)).ok_or_else(illegal),
            None if rest.is_empty() => Ok((value, 0xff)),
            None => Err(illegal()),
        };
    }
    match NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        Some((_, value)) => Ok((*value, 0x3f)),
        None => Err(ArgError::said(format!("Symbolic name \"{text}\" is unknown"))),
    }
}

impl Extension for Tos {
    const OPTIONS: &'static [Opt] = &[negatable("tos")];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let given = args.require("tos")?;
        let (value, mask) = parse_tos(given.text())?;
        Ok(Self { invert: given.invert, value, mask })
    }

    fn matches(&self, _: &mut EvalCx<'_>, skb: &Skb) -> bool {
        (skb.ip().tos & self.mask == self.value) != self.invert
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, numeric: bool) -> fmt::Result {
        if let Some(name) = tos_name(self.value, self.mask).filter(|_| !numeric) {
            return write!(f, " tos match{} {name}", mark_of(self.invert));
        }
        write!(f, " tos match{}0x{:02x}/0x{:02x}", mark_of(self.invert), self.value, self.mask)
    }
}

impl fmt::Display for Tos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {}--tos 0x{:02x}/0x{:02x}", bang(self.invert), self.value, self.mask)
    }
}
