use std::fmt;

use packet::Skb;

use super::mark::MarkText;
use super::{Extension, bang};
use crate::EvalCx;
use crate::args::{ArgError, Args, Opt, negatable};

/// `-m connmark --mark VALUE[/MASK]`: the mark of the packet's connection.
/// Kernel: `net/netfilter/xt_connmark.c`, `connmark_mt`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connmark {
    /// `!`.
    pub invert: bool,
    /// Value after masking.
    pub value: u32,
    /// Bits looked at.
    pub mask: u32,
}

impl Extension for Connmark {
    const OPTIONS: &'static [Opt] = &[negatable("mark")];
    const CONNTRACK: bool = true;

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let given = args.require("mark")?;
        let (value, mask) = args.mark(&given)?;
        Ok(Self { invert: given.invert, value, mask })
    }

    fn matches(&self, cx: &mut EvalCx<'_>, skb: &Skb) -> bool {
        cx.conntrack.of(skb).is_some_and(|(conn, _)| (conn.mark & self.mask == self.value) != self.invert)
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        let gap = if self.invert { "" } else { " " };
        write!(f, " connmark match {gap}{}{}", bang(self.invert), MarkText(self.value, self.mask))
    }
}

impl fmt::Display for Connmark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {}--mark {}", bang(self.invert), MarkText(self.value, self.mask))
    }
}
