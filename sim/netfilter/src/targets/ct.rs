use std::fmt;

use packet::{ConnId, CtInfo, CtRef, Skb};

use super::Extension;
use crate::args::{ArgError, Args, Opt, flag};
use crate::{Action, EvalCx, TableName};

/// `-j CT --notrack`: takes packets out of connection tracking.
/// Kernel: `net/netfilter/xt_CT.c`.
///
/// Simplified: helpers, zones and timeouts are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ct;

/// `-j NOTRACK`, the older word for `-j CT --notrack`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notrack;

/// Kernel: `nf_ct_set(skb, NULL, IP_CT_UNTRACKED)`.
fn untrack(skb: &mut Skb) -> Action {
    if skb.ct.is_none() {
        skb.ct = Some(CtRef { conn: ConnId(0), info: CtInfo::Untracked });
    }
    Action::Continue
}

impl Extension for Ct {
    const OPTIONS: &'static [Opt] = &[flag("notrack")];
    const TABLE: Option<TableName> = Some(TableName::Raw);

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        if args.has("notrack")? { Ok(Self) } else { Err(ArgError::said("CT: only --notrack is simulated")) }
    }

    fn apply(&self, _: &mut EvalCx<'_>, skb: &mut Skb) -> Action {
        untrack(skb)
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        f.write_str(" CT notrack")
    }
}

impl Extension for Notrack {
    const TABLE: Option<TableName> = Some(TableName::Raw);
    const LISTED: Option<&'static str> = Some("CT");

    fn parse(_: &mut Args) -> Result<Self, ArgError> {
        Ok(Self)
    }

    fn apply(&self, _: &mut EvalCx<'_>, skb: &mut Skb) -> Action {
        untrack(skb)
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        f.write_str(" NOTRACK")
    }
}

impl fmt::Display for Ct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(" --notrack")
    }
}

impl fmt::Display for Notrack {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}
