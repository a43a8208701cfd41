use std::fmt;

use packet::Skb;
use trace::HookName;

use super::Extension;
use crate::args::{ArgError, Args, Opt, value};
use crate::{Action, EvalCx, Refused, RuleSite};

/// `-j CLASSIFY --set-class MAJOR:MINOR`: the class for the queueing discipline.
/// Kernel: `net/netfilter/xt_CLASSIFY.c`.
///
/// Simplified: no queueing discipline looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classify {
    /// Upper 16 bits.
    pub major: u16,
    /// Lower 16 bits.
    pub minor: u16,
}

/// A hexadecimal number as `sscanf("%x")` reads it, and the rest.
fn leading_hex(text: &str) -> Option<(u32, &str)> {
    let text = text.trim_start();
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let len = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
    let rest = digits.get(len..)?;
    Some((u32::from_str_radix(digits.get(..len)?, 16).ok()?, rest))
}

impl Extension for Classify {
    const OPTIONS: &'static [Opt] = &[value("set-class").mandatory()];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let given = args.require("set-class")?;
        let class = leading_hex(given.text()).and_then(|(major, rest)| {
            let (minor, _) = leading_hex(rest.strip_prefix(':')?)?;
            Some(Self { major: major as u16, minor: minor as u16 })
        });
        class.ok_or_else(|| ArgError::said(format!("Bad class value \"{}\"", given.text())))
    }

    fn apply(&self, _: &mut EvalCx<'_>, _: &mut Skb) -> Action {
        Action::Continue
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        write!(f, " CLASSIFY set {:x}:{:x}", self.major, self.minor)
    }

    fn check(&self, site: &RuleSite<'_>) -> Result<(), Refused> {
        let allowed = [HookName::Output, HookName::Forward, HookName::Postrouting];
        if site.hooks.iter().all(|hook| allowed.contains(hook)) { Ok(()) } else { Err(Refused::Invalid) }
    }
}

impl fmt::Display for Classify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " --set-class {:04x}:{:04x}", self.major, self.minor)
    }
}
