use std::fmt;

use packet::Skb;

use super::{Extension, bang};
use crate::EvalCx;
use crate::args::{ArgError, Args, Opt, negatable};
use crate::conntrack::StateSet;

/// `-m state --state LIST`, the older word for `-m conntrack --ctstate`.
/// Kernel: `net/netfilter/xt_state.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// `!`.
    pub invert: bool,
    /// The states.
    pub states: StateSet,
}

impl Extension for State {
    const OPTIONS: &'static [Opt] = &[negatable("state")];
    const CONNTRACK: bool = true;

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let given = args.require("state")?;
        let states = StateSet::parse(given.text())
            .ok()
            .filter(|states| !states.has_nat())
            .ok_or_else(|| ArgError::said(format!("Bad state \"{}\"", given.text())))?;
        Ok(Self { invert: given.invert, states })
    }

    fn matches(&self, cx: &mut EvalCx<'_>, skb: &Skb) -> bool {
        self.states.intersects(cx.conntrack.state_of(skb)) != self.invert
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        write!(f, " {}state {}", bang(self.invert), self.states)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {}--state {}", bang(self.invert), self.states)
    }
}
