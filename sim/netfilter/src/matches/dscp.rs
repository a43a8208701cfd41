use std::fmt;

use packet::Skb;

use super::{Extension, bang, mark_of};
use crate::EvalCx;
use crate::args::{ArgError, Args, Opt, negatable};

/// `-m dscp --dscp VALUE`: the upper six bits of the TOS field.
/// Kernel: `net/netfilter/xt_dscp.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dscp {
    /// `!`.
    pub invert: bool,
    /// 0..=63.
    pub dscp: u8,
}

/// Reads the name of a DiffServ class: `BE`, `EF`, `CS0`..`CS7`, `AF11`..`AF43`.
///
/// # Errors
/// There is none of that name.
pub(crate) fn parse_class(text: &str) -> Result<u8, ArgError> {
    let upper = text.to_ascii_uppercase();
    let digits = |digits: &str| digits.bytes().map(|digit| digit.wrapping_sub(b'0')).collect::<Vec<u8>>();
    let class = match (upper.as_str(), upper.get(..2)) {
        ("BE", _) => Some(0),
        ("EF", _) => Some(0x2e),
        (name, Some("CS")) => match digits(&name[2..]).as_slice() {
            [class @ 0..=7] => Some(class << 3),
            _ => None,
        },
        (name, Some("AF")) => match digits(&name[2..]).as_slice() {
            [class @ 1..=4, drop @ 1..=3] => Some(class << 3 | drop << 1),
            _ => None,
        },
        _ => None,
    };
    class.ok_or_else(|| ArgError::said(format!("Invalid DSCP value `{text}'")))
}

impl Extension for Dscp {
    const OPTIONS: &'static [Opt] = &[
        negatable("dscp").excludes(&["dscp-class"]),
        negatable("dscp-class").excludes(&["dscp"]),
    ];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let value = args.take("dscp")?;
        let value = value.map(|given| Ok((given.invert, args.number(&given, 0, 63)? as u8))).transpose()?;
        let class = args.take("dscp-class")?;
        let class = class.map(|given| Ok((given.invert, parse_class(given.text())?))).transpose()?;
        let Some((invert, dscp)) = value.or(class) else {
            return Err(ArgError::said("DSCP match: Parameter --dscp is required"));
        };
        args.check(Self::OPTIONS)?;
        Ok(Self { invert, dscp })
    }

    fn matches(&self, _: &mut EvalCx<'_>, skb: &Skb) -> bool {
        (skb.ip().tos >> 2 == self.dscp) != self.invert
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        write!(f, " DSCP match {}0x{:02x}", mark_of(self.invert), self.dscp)
    }
}

impl fmt::Display for Dscp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {}--dscp 0x{:02x}", bang(self.invert), self.dscp)
    }
}
