use std::fmt;

use packet::Skb;

use super::{Extension, bang};
use crate::args::{ArgError, Args, Opt, negatable};
use crate::eval::counted_len;
use crate::{EvalCx, Memory};

/// `-m quota --quota BYTES`: fits until so many bytes have passed.
/// Kernel: `net/netfilter/xt_quota.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// `!`.
    pub invert: bool,
    /// Bytes.
    pub quota: u64,
}

impl Extension for Quota {
    const REMEMBERS: bool = true;
    const OPTIONS: &'static [Opt] = &[negatable("quota").mandatory()];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let given = args.require("quota")?;
        Ok(Self { invert: given.invert, quota: args.number(&given, 0, u64::MAX)? })
    }

    fn matches(&self, cx: &mut EvalCx<'_>, skb: &Skb) -> bool {
        // The memory holds what was used, so that a new rule has all of its quota.
        let Memory([used, _]) = cx.memory;
        let len = counted_len(skb);
        let enough = self.quota - used.min(self.quota) >= len;
        // A packet too many uses up the rest.
        cx.memory = Memory([if enough { used + len } else { self.quota }, 0]);
        enough != self.invert
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        write!(f, " quota: {} bytes", self.quota)
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {}--quota {}", bang(self.invert), self.quota)
    }
}
