use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use packet::Skb;
use trace::HookName;

use super::Extension;
use crate::args::{ArgError, Args, Opt, value};
use crate::nat::{self, Manip, NatRange};
use crate::selector::AddrMask;
use crate::{Action, EvalCx, TableName};

/// `-j NETMAP --to NET`: replaces the network part of an address, keeps the host part.
/// Kernel: `net/netfilter/xt_NETMAP.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Netmap {
    /// The new network.
    pub to: AddrMask,
}

impl Extension for Netmap {
    const OPTIONS: &'static [Opt] = &[value("to")];
    const CONNTRACK: bool = true;
    const TABLE: Option<TableName> = Some(TableName::Nat);
    const HOOKS: &'static [HookName] =
        &[HookName::Prerouting, HookName::Input, HookName::Output, HookName::Postrouting];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let given = args.require("to")?;
        Ok(Self { to: args.host_mask(&given)?.masked() })
    }

    fn apply(&self, cx: &mut EvalCx<'_>, skb: &mut Skb) -> Action {
        let manip = Manip::at(cx.hook);
        let old = match manip {
            Manip::Src => skb.ip().src(),
            Manip::Dst => skb.ip().dst(),
        };
        let (IpAddr::V4(old), IpAddr::V4(net), IpAddr::V4(mask)) = (old, self.to.addr, self.to.mask) else {
            return Action::Continue;
        };
        let new = IpAddr::V4(Ipv4Addr::from_bits(old.to_bits() & !mask.to_bits() | net.to_bits()));
        nat::setup(cx, &NatRange { addrs: Some((new, new)), ..NatRange::default() }, manip, skb)
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        write!(f, " to:{}", self.to)
    }
}

impl fmt::Display for Netmap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " --to {}", self.to)
    }
}
