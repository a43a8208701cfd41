use std::fmt;

use packet::Skb;

use super::{Extension, bang, mark_of};
use crate::EvalCx;
use crate::args::{ArgError, Args, Opt, negatable};

/// `-m length --length MIN[:MAX]`: total length of the packet in bytes.
/// Kernel: `net/netfilter/xt_length.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Length {
    /// `!`.
    pub invert: bool,
    /// Least length.
    pub min: u16,
    /// Greatest length.
    pub max: u16,
}

impl Extension for Length {
    const OPTIONS: &'static [Opt] = &[negatable("length")];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let given = args.require("length")?;
        let (min, max) = args.range(&given, 0xffff)?;
        Ok(Self { invert: given.invert, min: min as u16, max: max as u16 })
    }

    fn matches(&self, _: &mut EvalCx<'_>, skb: &Skb) -> bool {
        (usize::from(self.min)..=usize::from(self.max)).contains(&skb.ip().len()) != self.invert
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        write!(f, " length {}{}", mark_of(self.invert), self.min)?;
        if self.min == self.max { Ok(()) } else { write!(f, ":{}", self.max) }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {}--length {}", bang(self.invert), self.min)?;
        if self.min == self.max { Ok(()) } else { write!(f, ":{}", self.max) }
    }
}
