use std::fmt;

use packet::Skb;

use super::Extension;
use crate::args::{ArgError, Args, Opt, quoted, value};
use crate::{Action, EvalCx};

/// `-j NFLOG`: a copy for a process; nobody listens, so nothing happens.
/// Kernel: `net/netfilter/xt_NFLOG.c`.
///
/// Simplified: `--nflog-range` never had an effect, and isn't warned of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nflog {
    /// `--nflog-group`.
    pub group: u16,
    /// `--nflog-prefix`, at most 63 bytes.
    pub prefix: String,
    /// `--nflog-size`, bytes.
    pub size: Option<u32>,
    /// `--nflog-threshold`.
    pub threshold: u16,
}

const DEFAULT_THRESHOLD: u16 = 0;

const NO_RANGE: &str =
    "warn: --nflog-range has never worked and is no longer supported, please use --nflog-size instead";

impl Extension for Nflog {
    const OPTIONS: &'static [Opt] = &[
        value("nflog-group"),
        value("nflog-prefix"),
        value("nflog-range").excludes(&["nflog-size"]),
        value("nflog-size").excludes(&["nflog-range"]),
        value("nflog-threshold"),
    ];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let max = u64::from(u32::MAX);
        let group = args.optional_number("nflog-group", 0, 0xffff)?.unwrap_or(0) as u16;
        let prefix = args.take("nflog-prefix")?.map(|given| args.some_text(&given)).transpose()?;
        if args.optional_number("nflog-range", 0, max)?.is_some() {
            args.warnings.push(NO_RANGE.to_owned());
        }
        let size = args.optional_number("nflog-size", 0, max)?.map(|size| size as u32);
        let threshold = args.optional_number("nflog-threshold", 0, 0xffff)?;
        args.check(Self::OPTIONS)?;
        let threshold = threshold.map_or(DEFAULT_THRESHOLD, |threshold| threshold as u16);
        Ok(Self { group, prefix: prefix.unwrap_or_default(), size, threshold })
    }

    fn apply(&self, _: &mut EvalCx<'_>, _: &mut Skb) -> Action {
        Action::Continue
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        self.write(f, "")
    }
}

impl Nflog {
    fn write(&self, f: &mut fmt::Formatter<'_>, dashes: &str) -> fmt::Result {
        if !self.prefix.is_empty() {
            write!(f, " {dashes}nflog-prefix {}", quoted(&self.prefix))?;
        }
        if self.group != 0 {
            write!(f, " {dashes}nflog-group {}", self.group)?;
        }
        if let Some(size) = self.size {
            write!(f, " {dashes}nflog-size {size}")?;
        }
        if self.threshold != DEFAULT_THRESHOLD {
            write!(f, " {dashes}nflog-threshold {}", self.threshold)?;
        }
        Ok(())
    }
}

impl fmt::Display for Nflog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, "--")
    }
}
