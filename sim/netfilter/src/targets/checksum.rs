use std::fmt;

use packet::Skb;

use super::Extension;
use crate::args::{ArgError, Args, Opt, flag};
use crate::{Action, EvalCx, TableName};

/// `-j CHECKSUM --checksum-fill`: computes a checksum that was left to the device. Checksums are
/// computed whenever bytes are made here, so there is none to fill.
/// Kernel: `net/netfilter/xt_CHECKSUM.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum;

impl Extension for Checksum {
    const OPTIONS: &'static [Opt] = &[flag("checksum-fill").mandatory()];
    const TABLE: Option<TableName> = Some(TableName::Mangle);

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        args.require("checksum-fill")?;
        Ok(Self)
    }

    fn apply(&self, _: &mut EvalCx<'_>, _: &mut Skb) -> Action {
        Action::Continue
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        f.write_str(" CHECKSUM fill")
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(" --checksum-fill")
    }
}
