use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use packet::Skb;
use trace::HookName;

use super::Extension;
use super::snat::{PortText, check_ports, parse_flags, parse_ports, write_flags};
use crate::args::{ArgError, Args, Opt, flag, value};
use crate::nat::{self, Manip, NatRange};
use crate::{Action, EvalCx, TableName};

/// `-j REDIRECT`: to this host. The destination becomes the arrival device's first address, or
/// 127.0.0.1 for this host's own packets.
/// Kernel: `net/netfilter/nf_nat_redirect.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// Ports to choose from, and how.
    pub range: NatRange,
}

impl Extension for Redirect {
    const OPTIONS: &'static [Opt] = &[value("to-ports"), flag("random")];
    const CONNTRACK: bool = true;
    const TABLE: Option<TableName> = Some(TableName::Nat);
    const HOOKS: &'static [HookName] = &[HookName::Prerouting, HookName::Output];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let mut range = NatRange::default();
        if let Some(given) = args.take("to-ports")? {
            check_ports(&given)?;
            parse_ports(given.text(), &mut range)?;
            if range.base_port.is_some() {
                return Err(ArgError::said("Shifted portmap ranges not supported with this kernel"));
            }
        }
        parse_flags(args, &mut range)?;
        Ok(Self { range })
    }

    fn apply(&self, cx: &mut EvalCx<'_>, skb: &mut Skb) -> Action {
        let addr = match (cx.hook, cx.indev) {
            (HookName::Output, _) => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            (_, Some(dev)) => cx.env.primary_addr(dev),
            (_, None) => None,
        };
        let Some(addr) = addr else { return Action::Drop };
        nat::setup(cx, &NatRange { addrs: Some((addr, addr)), ..self.range }, Manip::Dst, skb)
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        if self.range.ports.is_some() {
            write!(f, " redir ports {}", PortText(&self.range))?;
        }
        write_flags(f, &self.range, "")
    }
}

impl fmt::Display for Redirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.range.ports.is_some() {
            write!(f, " --to-ports {}", PortText(&self.range))?;
        }
        write_flags(f, &self.range, "--")
    }
}
