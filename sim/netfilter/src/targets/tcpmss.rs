use std::fmt;

use packet::{Body, Proto, Skb, TcpFlags};
use trace::HookName;

use super::Extension;
use crate::args::{ArgError, Args, Opt, flag, value};
use crate::{Action, EvalCx, Refused, RuleSite};

/// `-j TCPMSS`: the MSS option of SYN segments.
/// Kernel: `net/netfilter/xt_TCPMSS.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tcpmss {
    /// `--set-mss`, bytes; never raises the MSS.
    Set(u16),
    /// `--clamp-mss-to-pmtu`: 40 bytes less than the path MTU of both directions.
    Clamp,
}

impl Extension for Tcpmss {
    const OPTIONS: &'static [Opt] = &[value("set-mss"), flag("clamp-mss-to-pmtu")];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let set = args.optional_number("set-mss", 0, 65_515)?;
        // The last of both counts; the kernel keeps them in one field.
        match (args.has("clamp-mss-to-pmtu")?, set) {
            (true, _) if args.seen.last() != Some(&"set-mss") => return Ok(Self::Clamp),
            (_, Some(mss)) => return Ok(Self::Set(mss as u16)),
            _ => {}
        }
        Err(ArgError::said("TCPMSS target: At least one parameter is required"))
    }

    fn apply(&self, cx: &mut EvalCx<'_>, skb: &mut Skb) -> Action {
        let (src, dst) = (skb.ip().src(), skb.ip().dst());
        let wanted = match self {
            Self::Set(mss) => *mss,
            Self::Clamp => {
                let mtu = cx.env.path_mtu(dst, cx.outdev).min(cx.env.path_mtu(src, None));
                u16::try_from(mtu.saturating_sub(40)).unwrap_or(u16::MAX)
            }
        };
        if let Body::Tcp(tcp) = &mut skb.ip_mut().body
            && tcp.flags.contains(TcpFlags::SYN)
        {
            let options = tcp.options.get_or_insert_default();
            // A SYN without the option gets one of at most the default MSS.
            options.mss = Some(options.mss.unwrap_or(536).min(wanted));
        }
        Action::Continue
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        match self {
            Self::Set(mss) => write!(f, " TCPMSS set {mss}"),
            Self::Clamp => f.write_str(" TCPMSS clamp to PMTU"),
        }
    }

    fn check(&self, site: &RuleSite<'_>) -> Result<(), Refused> {
        let knows_path = [HookName::Forward, HookName::Output, HookName::Postrouting];
        let tcp = site.rule.selector.proto.as_ref().is_some_and(|p| p.value == Proto::TCP && !p.invert);
        if !tcp {
            return Err(Refused::Invalid);
        }
        if *self == Self::Clamp && site.hooks.iter().any(|hook| !knows_path.contains(hook)) {
            return Err(Refused::Invalid);
        }
        Ok(())
    }
}

impl fmt::Display for Tcpmss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(mss) => write!(f, " --set-mss {mss}"),
            Self::Clamp => f.write_str(" --clamp-mss-to-pmtu"),
        }
    }
}
