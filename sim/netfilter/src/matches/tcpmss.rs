use std::fmt;

use packet::{Body, Proto, Skb};

use super::{Extension, bang, mark_of};
use crate::args::{ArgError, Args, Opt, negatable};
use crate::{EvalCx, Refused, RuleSite};

/// `-m tcpmss --mss MIN[:MAX]`: the MSS option of a TCP segment.
/// Kernel: `net/netfilter/xt_tcpmss.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpmssMatch {
    /// `!`.
    pub invert: bool,
    /// Least MSS, bytes.
    pub min: u16,
    /// Greatest MSS, bytes.
    pub max: u16,
}

impl Extension for TcpmssMatch {
    const OPTIONS: &'static [Opt] = &[negatable("mss").mandatory()];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let given = args.require("mss")?;
        let (min, max) = args.range(&given, 0xffff)?;
        if max < min {
            return Err(ArgError::said("tcpmss: invalid range given"));
        }
        Ok(Self { invert: given.invert, min: min as u16, max: max as u16 })
    }

    fn matches(&self, _: &mut EvalCx<'_>, skb: &Skb) -> bool {
        let Body::Tcp(tcp) = &skb.ip().body else { return false };
        match tcp.options.as_ref().and_then(|options| options.mss) {
            Some(mss) => (self.min..=self.max).contains(&mss) != self.invert,
            None => self.invert,
        }
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        write!(f, " tcpmss match {}{}", mark_of(self.invert), self.min)?;
        if self.min == self.max { Ok(()) } else { write!(f, ":{}", self.max) }
    }

    fn check(&self, site: &RuleSite<'_>) -> Result<(), Refused> {
        let tcp = site.rule.selector.proto.as_ref().is_some_and(|p| p.value == Proto::TCP && !p.invert);
        if tcp { Ok(()) } else { Err(Refused::Invalid) }
    }
}

impl fmt::Display for TcpmssMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {}--mss {}", bang(self.invert), self.min)?;
        if self.min == self.max { Ok(()) } else { write!(f, ":{}", self.max) }
    }
}
