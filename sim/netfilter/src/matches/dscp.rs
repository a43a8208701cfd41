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

impl Extension for Dscp {
    const OPTIONS: &'static [Opt] = &[negatable("dscp")];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let given = args.require("dscp")?;
        Ok(Self { invert: given.invert, dscp: args.number(&given, 0, 63)? as u8 })
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
