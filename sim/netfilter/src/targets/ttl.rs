use std::fmt;

use packet::Skb;

use super::Extension;
use crate::args::{ArgError, Args, Opt, value};
use crate::{Action, EvalCx, TableName};

/// `-j TTL`.
/// Kernel: `net/netfilter/xt_HL.c`, `ttl_tg`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ttl {
    /// `--ttl-set`.
    Set(u8),
    /// `--ttl-dec`, not below 0.
    Dec(u8),
    /// `--ttl-inc`, not above 255.
    Inc(u8),
}

impl Extension for Ttl {
    const OPTIONS: &'static [Opt] = &[
        value("ttl-set").excludes(&["ttl-dec", "ttl-inc"]),
        value("ttl-dec").excludes(&["ttl-set", "ttl-inc"]),
        value("ttl-inc").excludes(&["ttl-set", "ttl-dec"]),
    ];
    const TABLE: Option<TableName> = Some(TableName::Mangle);

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        for (name, make) in
            [("ttl-set", Self::Set as fn(u8) -> Self), ("ttl-dec", Self::Dec), ("ttl-inc", Self::Inc)]
        {
            let Some(given) = args.take(name)? else { continue };
            let least = u64::from(name != "ttl-set");
            let this = make(args.number(&given, least, 255)? as u8);
            args.check(Self::OPTIONS)?;
            return Ok(this);
        }
        Err(ArgError::said("TTL: You must specify an action"))
    }

    fn apply(&self, _: &mut EvalCx<'_>, skb: &mut Skb) -> Action {
        let packet = skb.ip_mut();
        packet.ttl = match *self {
            Self::Set(ttl) => ttl,
            Self::Dec(by) => packet.ttl.saturating_sub(by),
            Self::Inc(by) => packet.ttl.saturating_add(by),
        };
        Action::Continue
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        match self {
            Self::Set(ttl) => write!(f, " TTL set to {ttl}"),
            Self::Dec(by) => write!(f, " TTL decrement by {by}"),
            Self::Inc(by) => write!(f, " TTL increment by {by}"),
        }
    }
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(ttl) => write!(f, " --ttl-set {ttl}"),
            Self::Dec(by) => write!(f, " --ttl-dec {by}"),
            Self::Inc(by) => write!(f, " --ttl-inc {by}"),
        }
    }
}
