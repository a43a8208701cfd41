use std::fmt;

use packet::Skb;

use super::{Extension, bang, mark_of};
use crate::EvalCx;
use crate::args::{ArgError, Args, Opt, negatable, number};

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

/// Reads `VALUE[/MASK]` or a name; a name looks at the six bits that it can say something of.
pub(crate) fn parse_tos(text: &str, numeric_mask: u8) -> Option<(u8, u8)> {
    if let Some((_, value)) = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        return Some((*value, 0x3f));
    }
    let byte = |text: &str| number(text).and_then(|n| u8::try_from(n).ok());
    match text.split_once('/') {
        None => Some((byte(text)?, numeric_mask)),
        Some((value, mask)) => Some((byte(value)?, byte(mask)?)),
    }
}

impl Extension for Tos {
    const OPTIONS: &'static [Opt] = &[negatable("tos")];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let given = args.require("tos")?;
        let (value, mask) = parse_tos(given.text(), 0xff).ok_or_else(|| args.bad(&given))?;
        Ok(Self { invert: given.invert, value, mask })
    }

    fn matches(&self, _: &mut EvalCx<'_>, skb: &Skb) -> bool {
        (skb.ip().tos & self.mask == self.value) != self.invert
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        write!(f, " tos match{}0x{:02x}/0x{:02x}", mark_of(self.invert), self.value, self.mask)
    }
}

impl fmt::Display for Tos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {}--tos 0x{:02x}/0x{:02x}", bang(self.invert), self.value, self.mask)
    }
}
