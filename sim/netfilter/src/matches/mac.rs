use std::fmt;

use packet::{MacAddr, Skb};
use trace::HookName;

use super::{Extension, bang};
use crate::args::{ArgError, Args, Opt, negatable};
use crate::{EvalCx, Refused, RuleSite};

/// `-m mac --mac-source ADDR`: source address of the received frame.
/// Kernel: `net/netfilter/xt_mac.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mac {
    /// `!`.
    pub invert: bool,
    /// The address.
    pub source: MacAddr,
}

impl Extension for Mac {
    const OPTIONS: &'static [Opt] = &[negatable("mac-source")];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let given = args.require("mac-source")?;
        let source = given.text().parse().map_err(|_| ArgError::said("Invalid MAC address specified."))?;
        Ok(Self { invert: given.invert, source })
    }

    fn matches(&self, cx: &mut EvalCx<'_>, skb: &Skb) -> bool {
        cx.indev.is_some() && cx.in_name != "lo" && (skb.frame.src == self.source) != self.invert
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        write!(f, " MAC {}{}", bang(self.invert), self.source)
    }

    fn check(&self, site: &RuleSite<'_>) -> Result<(), Refused> {
        let wrong = [HookName::Output, HookName::Postrouting];
        if site.hooks.iter().any(|hook| wrong.contains(hook)) { Err(Refused::Invalid) } else { Ok(()) }
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {}--mac-source {}", bang(self.invert), self.source)
    }
}
