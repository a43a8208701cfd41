use std::fmt;

use packet::Skb;

use super::{Extension, bang};
use crate::EvalCx;
use crate::args::{ArgError, Args, Opt, negatable};

/// `-m mark --mark VALUE[/MASK]`.
/// Kernel: `net/netfilter/xt_mark.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// `!`.
    pub invert: bool,
    /// Value after masking.
    pub value: u32,
    /// Bits looked at.
    pub mask: u32,
}

/// `0x1` or `0x1/0xff`.
pub(super) struct MarkText(pub u32, pub u32);

impl fmt::Display for MarkText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.1 == u32::MAX { write!(f, "{:#x}", self.0) } else { write!(f, "{:#x}/{:#x}", self.0, self.1) }
    }
}

impl Extension for Mark {
    const OPTIONS: &'static [Opt] = &[negatable("mark")];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let given = args.require("mark")?;
        let (value, mask) = args.mark(&given)?;
        Ok(Self { invert: given.invert, value, mask })
    }

    fn matches(&self, _: &mut EvalCx<'_>, skb: &Skb) -> bool {
        (skb.mark & self.mask == self.value) != self.invert
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        write!(f, " mark match {}{}", bang(self.invert), MarkText(self.value, self.mask))
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {}--mark {}", bang(self.invert), MarkText(self.value, self.mask))
    }
}
