use std::fmt;

use packet::Skb;
use trace::HookName;

use super::Extension;
use super::snat::{To, parse_flags, parse_to, write_flags};
use crate::args::{ArgError, Args, Opt, flag, value};
use crate::nat::{self, Manip, NatRange};
use crate::{Action, EvalCx, TableName};

/// `-j DNAT --to-destination [ADDR[-ADDR]][:PORT[-PORT[/PORT]]]`.
/// Kernel: `net/netfilter/xt_nat.c`, `xt_dnat_target_v2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dnat {
    /// What the destination becomes.
    pub range: NatRange,
}

impl Extension for Dnat {
    const OPTIONS: &'static [Opt] = &[value("to-destination"), flag("random"), flag("persistent")];
    const CONNTRACK: bool = true;
    const TABLE: Option<TableName> = Some(TableName::Nat);
    const HOOKS: &'static [HookName] = &[HookName::Prerouting, HookName::Output];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let given = args.require("to-destination")?;
        let mut range = parse_to(&given)?;
        parse_flags(args, &mut range)?;
        Ok(Self { range })
    }

    fn apply(&self, cx: &mut EvalCx<'_>, skb: &mut Skb) -> Action {
        nat::setup(cx, &self.range, Manip::Dst, skb)
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        write!(f, " to:{}", To(&self.range))?;
        write_flags(f, &self.range, "")
    }
}

impl fmt::Display for Dnat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " --to-destination {}", To(&self.range))?;
        write_flags(f, &self.range, "--")
    }
}
