use std::fmt;

use packet::Skb;

use super::{Extension, bang};
use crate::EvalCx;
use crate::args::{ArgError, Args, Opt, names_between_commas, negatable};
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
        let bad = |rest| match rest {
            "" => ArgError::said(
                "\"--state\" requires a list of states with no spaces, e.g. ESTABLISHED,RELATED",
            ),
            rest => ArgError::said(format!("Bad state \"{rest}\"")),
        };
        let mut states = StateSet::default();
        names_between_commas(given.text(), |name| match StateSet::parse(name) {
            Ok(state) if !state.has_nat() => {
                states = states.with(state);
                true
            }
            _ => false,
        })
        .map_err(bad)?;
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
