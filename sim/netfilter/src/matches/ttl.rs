use std::fmt;

use packet::Skb;

use super::Extension;
use crate::EvalCx;
use crate::args::{ArgError, Args, Opt, negatable, value};

/// `-m ttl`.
/// Kernel: `net/netfilter/xt_hl.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ttl {
    /// How the packet's TTL is compared.
    pub compare: Compare,
    /// With what.
    pub ttl: u8,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// `--ttl-eq`.
    Equal,
    /// `! --ttl-eq`.
    NotEqual,
    /// `--ttl-lt`.
    Less,
    /// `--ttl-gt`.
    Greater,
}

impl Extension for Ttl {
    const OPTIONS: &'static [Opt] = &[
        value("ttl-lt").excludes(&["ttl-gt", "ttl-eq"]),
        value("ttl-gt").excludes(&["ttl-lt", "ttl-eq"]),
        negatable("ttl-eq").excludes(&["ttl-lt", "ttl-gt"]),
        negatable("ttl"),
    ];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let given = args.given.pop().ok_or_else(|| {
            ArgError::said("TTL match: You must specify one of `--ttl-eq', `--ttl-lt', `--ttl-gt")
        })?;
        args.check(Self::OPTIONS)?;
        let ttl = args.number(&given, 0, 255)? as u8;
        let compare = match (given.name, given.invert) {
            ("ttl-lt", _) => Compare::Less,
            ("ttl-gt", _) => Compare::Greater,
            (_, false) => Compare::Equal,
            (_, true) => Compare::NotEqual,
        };
        Ok(Self { compare, ttl })
    }

    fn matches(&self, _: &mut EvalCx<'_>, skb: &Skb) -> bool {
        let ttl = skb.ip().ttl;
        match self.compare {
            Compare::Equal => ttl == self.ttl,
            Compare::NotEqual => ttl != self.ttl,
            Compare::Less => ttl < self.ttl,
            Compare::Greater => ttl > self.ttl,
        }
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        let sign = match self.compare {
            Compare::Equal => "==",
            Compare::NotEqual => "!=",
            Compare::Less => "<",
            Compare::Greater => ">",
        };
        write!(f, " TTL match TTL {sign} {}", self.ttl)
    }
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let option = match self.compare {
            Compare::Equal => "--ttl-eq",
            Compare::NotEqual => "! --ttl-eq",
            Compare::Less => "--ttl-lt",
            Compare::Greater => "--ttl-gt",
        };
        write!(f, " {option} {}", self.ttl)
    }
}
