use std::fmt;
use std::net::IpAddr;

use packet::{PktType, Skb};
use trace::HookName;

use super::Extension;
use crate::args::{ArgError, Args, Opt, flag};
use crate::{EvalCx, Refused, ReversePath, RuleSite, TableName};

/// `-m rpfilter`: whether the way back to the source leaves by the device the packet came from.
/// Kernel: `net/ipv4/netfilter/ipt_rpfilter.c`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rpfilter {
    /// `--loose`: any device will do.
    pub loose: bool,
    /// `--validmark`: the packet's mark counts in the lookup.
    pub validmark: bool,
    /// `--accept-local`: own addresses as source are fine.
    pub accept_local: bool,
    /// `--invert`.
    pub invert: bool,
}

impl Extension for Rpfilter {
    const OPTIONS: &'static [Opt] =
        &[flag("loose"), flag("validmark"), flag("accept-local"), flag("invert")];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        Ok(Self {
            loose: args.has("loose")?,
            validmark: args.has("validmark")?,
            accept_local: args.has("accept-local")?,
            invert: args.has("invert")?,
        })
    }

    fn matches(&self, cx: &mut EvalCx<'_>, skb: &Skb) -> bool {
        let packet = skb.ip();
        let Some(indev) = cx.indev.filter(|_| cx.in_name != "lo" && skb.pkt_type != PktType::Loopback) else {
            return !self.invert;
        };
        let to_many = |addr: IpAddr| match addr {
            IpAddr::V4(addr) => addr.is_multicast() || addr.is_broadcast(),
            IpAddr::V6(addr) => addr.is_multicast(),
        };
        let zeronet = matches!(packet.src(), IpAddr::V4(src) if src.octets()[0] == 0);
        if zeronet && to_many(packet.dst()) {
            return !self.invert;
        }
        let mark = if self.validmark { skb.mark } else { 0 };
        let found = cx.env.reverse_path(packet.src(), packet.dst(), packet.tos, mark, indev);
        let fits = match found {
            ReversePath::None => false,
            ReversePath::Local { same } => self.accept_local && (same || self.loose),
            ReversePath::By { same } => same || self.loose,
        };
        fits != self.invert
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        f.write_str(" rpfilter")?;
        self.write(f, "")
    }

    fn check(&self, site: &RuleSite<'_>) -> Result<(), Refused> {
        let table = matches!(site.table, TableName::Mangle | TableName::Raw);
        let hooks = site.hooks.iter().all(|hook| *hook == HookName::Prerouting);
        if table && hooks { Ok(()) } else { Err(Refused::Invalid) }
    }
}

impl Rpfilter {
    fn write(&self, f: &mut fmt::Formatter<'_>, dashes: &str) -> fmt::Result {
        let Self { loose, validmark, accept_local, invert } = *self;
        for (name, given) in
            [("loose", loose), ("validmark", validmark), ("accept-local", accept_local), ("invert", invert)]
        {
            if given {
                write!(f, " {dashes}{name}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Rpfilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, "--")
    }
}
