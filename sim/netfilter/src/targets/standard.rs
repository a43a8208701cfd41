use std::fmt;

use packet::Skb;

use super::Extension;
use crate::args::{ArgError, Args};
use crate::{Action, EvalCx, Refused, RuleSite};

macro_rules! verdicts {
    ($($(#[$doc:meta])* $name:ident => $action:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq)]
            pub struct $name;

            impl Extension for $name {
                fn parse(_: &mut Args) -> Result<Self, ArgError> {
                    Ok(Self)
                }

                fn apply(&self, _: &mut EvalCx<'_>, _: &mut Skb) -> Action {
                    $action
                }

                fn list(&self, _: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
                    Ok(())
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                    Ok(())
                }
            }
        )*
    };
}

verdicts! {
    /// `-j ACCEPT`. Kernel: `NF_ACCEPT`.
    Accept => Action::Accept;
    /// `-j DROP`. Kernel: `NF_DROP`.
    Drop => Action::Drop;
    /// `-j RETURN`. Kernel: `XT_RETURN`.
    Return => Action::Return;
}

/// `-j QUEUE`: no target of the kernel, which refuses what iptables-nft makes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue;

impl Extension for Queue {
    fn parse(_: &mut Args) -> Result<Self, ArgError> {
        Ok(Self)
    }

    fn apply(&self, _: &mut EvalCx<'_>, _: &mut Skb) -> Action {
        Action::Queue
    }

    fn list(&self, _: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        Ok(())
    }

    fn check(&self, _: &RuleSite<'_>) -> Result<(), Refused> {
        Err(Refused::NotFound)
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}
