use std::fmt;

use packet::Skb;
use trace::HookName;

use super::{Extension, bang};
use crate::args::{ArgError, Args, Opt, flag, negatable};
use crate::selector::{DevPattern, Not};
use crate::{EvalCx, Refused, RuleSite};

/// `-m physdev`: the bridge ports of a bridged packet.
/// Kernel: `net/netfilter/xt_physdev.c`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Physdev {
    /// `--physdev-in`.
    pub input: Option<Not<DevPattern>>,
    /// `--physdev-is-in`: inverted or not.
    pub is_in: Option<bool>,
    /// `--physdev-out`.
    pub output: Option<Not<DevPattern>>,
    /// `--physdev-is-out`: inverted or not.
    pub is_out: Option<bool>,
    /// `--physdev-is-bridged`: inverted or not.
    pub is_bridged: Option<bool>,
}

impl Extension for Physdev {
    const OPTIONS: &'static [Opt] = &[
        negatable("physdev-in"),
        negatable("physdev-out"),
        flag("physdev-is-in").or_not(),
        flag("physdev-is-out").or_not(),
        flag("physdev-is-bridged").or_not(),
    ];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        if args.given.is_empty() {
            return Err(ArgError::said("PHYSDEV: no physdev option specified"));
        }
        let mut this = Self::default();
        for (slot, name) in [(&mut this.input, "physdev-in"), (&mut this.output, "physdev-out")] {
            let Some(given) = args.take(name)? else { continue };
            let value = DevPattern::parse(given.text())?;
            *slot = Some(Not { invert: given.invert, value });
        }
        for (slot, name) in [
            (&mut this.is_in, "physdev-is-in"),
            (&mut this.is_out, "physdev-is-out"),
            (&mut this.is_bridged, "physdev-is-bridged"),
        ] {
            *slot = args.take(name)?.map(|given| given.invert);
        }
        Ok(this)
    }

    fn matches(&self, cx: &mut EvalCx<'_>, skb: &Skb) -> bool {
        let Self { input, is_in, output, is_out, is_bridged } = self;
        let Some(info) = &skb.nf_bridge else {
            // Not bridged, or not known yet: only what is negated holds.
            return input.as_ref().is_none_or(|port| port.invert)
                && output.as_ref().is_none_or(|port| port.invert)
                && [is_in, is_out, is_bridged].into_iter().all(|flag| flag.unwrap_or(true));
        };
        let port_in = cx.env.dev_name(info.physindev);
        let port_out = info.physoutdev.map(|dev| cx.env.dev_name(dev));
        let holds = |flag: &Option<bool>, fact: bool| flag.is_none_or(|invert| fact != invert);
        holds(is_bridged, port_out.is_some())
            && holds(is_in, true)
            && holds(is_out, port_out.is_some())
            && input.as_ref().is_none_or(|port| port.value.matches(port_in) != port.invert)
            // Without a port to leave by, even a negated one doesn't hold.
            && output.as_ref().is_none_or(|port| {
                port_out.is_some_and(|name| port.value.matches(name) != port.invert)
            })
    }

    fn check(&self, site: &RuleSite<'_>) -> Result<(), Refused> {
        let asks_out = self.output.is_some() || self.is_out.is_some();
        let bridged = self.is_bridged == Some(false);
        if asks_out && !bridged && site.in_built_in && site.hooks.contains(&HookName::Output) {
            return Err(Refused::Invalid);
        }
        Ok(())
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        write!(f, " PHYSDEV match{self}")
    }
}

impl fmt::Display for Physdev {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { input, is_in, output, is_out, is_bridged } = self;
        let flag = |f: &mut fmt::Formatter<'_>, flag: &Option<bool>, name: &str| match flag {
            Some(invert) => write!(f, " {}--{name}", bang(*invert)),
            None => Ok(()),
        };
        flag(f, is_in, "physdev-is-in")?;
        if let Some(Not { invert, value }) = input {
            write!(f, " {}--physdev-in {}", bang(*invert), value.0)?;
        }
        flag(f, is_out, "physdev-is-out")?;
        if let Some(Not { invert, value }) = output {
            write!(f, " {}--physdev-out {}", bang(*invert), value.0)?;
        }
        flag(f, is_bridged, "physdev-is-bridged")
    }
}
