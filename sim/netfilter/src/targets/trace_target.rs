use std::fmt;

use packet::Skb;

use super::Extension;
use crate::args::{ArgError, Args};
use crate::{Action, EvalCx};

/// `-j TRACE`: from here on rules say what they do with the packet, to `xtables-monitor --trace`.
/// Kernel: `net/netfilter/xt_TRACE.c`; iptables-nft uses `meta nftrace set 1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace;

impl Extension for Trace {
    fn parse(_: &mut Args) -> Result<Self, ArgError> {
        Ok(Self)
    }

    fn apply(&self, _: &mut EvalCx<'_>, skb: &mut Skb) -> Action {
        skb.nf_trace = true;
        Action::Continue
    }

    fn list(&self, _: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        Ok(())
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}
