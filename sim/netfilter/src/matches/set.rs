use std::fmt;

use packet::Skb;

use super::{Extension, bang};
use crate::EvalCx;
use crate::args::{ArgError, Args, Given, Opt, flag, number, value};
use crate::set::{CounterMatch, CounterOp, Dirs, PacketOptions};

/// `-m set`: packets that are in a set of `ipset`.
/// Kernel: `net/netfilter/xt_set.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetMatch {
    /// `!`.
    pub invert: bool,
    /// The set.
    pub name: String,
    /// What is looked up, and how.
    pub options: PacketOptions,
}

/// An option before which `!` may stand, as far as getopt knows.
const fn any(opt: Opt) -> Opt {
    Opt { invert: true, ..opt }
}

/// Reads `NAME DIR[,DIR…]`.
pub(crate) fn parse_set(given: &Given, taken: bool) -> Result<(String, Dirs), ArgError> {
    if taken {
        return Err(ArgError::said(format!("--{} can be specified only once", given.name)));
    }
    let [name, dirs] = given.values.as_slice() else {
        return Err(ArgError::said(format!("--{} requires two args.", given.name)));
    };
    if name.len() > 31 {
        return Err(ArgError::said(format!("setname `{name}' too long, max 31 characters.")));
    }
    Ok((name.clone(), parse_dirs(dirs)?))
}

/// iptables `parse_dirs`.
fn parse_dirs(text: &str) -> Result<Dirs, ArgError> {
    let mut dirs = Dirs::default();
    for word in text.split(',') {
        if dirs.dim == 6 {
            return Err(ArgError::said("Can't be more src/dst options than 6."));
        }
        if word.starts_with("src") {
            dirs.src |= 1 << dirs.dim;
        } else if !word.starts_with("dst") {
            return Err(ArgError::said("You must spefify (the comma separated list of) 'src' or 'dst'."));
        }
        dirs.dim += 1;
    }
    Ok(dirs)
}

/// `src,dst`.
impl fmt::Display for Dirs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for dim in 0..self.dim {
            let word = if self.src & 1 << dim != 0 { "src" } else { "dst" };
            write!(f, "{}{word}", if dim == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

fn counter(given: &Given, slot: &mut Option<CounterMatch>, what: &str) -> Result<(), ArgError> {
    let said = |text: String| Err(ArgError::said(text));
    if slot.is_some() {
        return said(format!("only one of the --{what}-[eq|lt|gt] is allowed"));
    }
    let op = match (given.name.rsplit('-').next(), given.invert) {
        (Some("eq"), false) => CounterOp::Eq,
        (Some("eq"), true) => CounterOp::Ne,
        (_, true) => return said(format!("--{} option cannot be inverted", given.name)),
        (Some("lt"), false) => CounterOp::Lt,
        _ => CounterOp::Gt,
    };
    let text = given.text();
    let Some(value) = number(text) else { return said(format!("Cannot parse {text} as a counter value")) };
    *slot = Some(CounterMatch { op, value });
    Ok(())
}

impl Extension for SetMatch {
    const OPTIONS: &'static [Opt] = &[
        any(Opt { values: 2, ..value("match-set") }),
        any(flag("return-nomatch")),
        any(flag("update-counters")),
        any(flag("update-subcounters")),
        any(value("packets-eq")),
        any(value("packets-lt")),
        any(value("packets-gt")),
        any(value("bytes-eq")),
        any(value("bytes-lt")),
        any(value("bytes-gt")),
    ];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let mut set = None;
        let mut options = PacketOptions::default();
        for given in std::mem::take(&mut args.given) {
            match given.name {
                "match-set" => set = Some((given.invert, parse_set(&given, set.is_some())?)),
                "return-nomatch" if given.invert => {
                    return Err(ArgError::said("--return-nomatch flag cannot be inverted"));
                }
                "return-nomatch" => options.return_nomatch = true,
                "update-counters" => options.skip_counters |= given.invert,
                "update-subcounters" => options.skip_subcounters |= given.invert,
                name if name.starts_with("packets") => counter(&given, &mut options.packets, "packets")?,
                _ => counter(&given, &mut options.bytes, "bytes")?,
            }
        }
        let Some((invert, (name, dirs))) = set else {
            return Err(ArgError::said("You must specify `--match-set' with proper arguments"));
        };
        Ok(Self { invert, name, options: PacketOptions { dirs, ..options } })
    }

    fn matches(&self, cx: &mut EvalCx<'_>, skb: &Skb) -> bool {
        cx.sets.test(&self.name, skb, &self.options, cx.now).hit != self.invert
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        self.write(f, "")
    }
}

impl SetMatch {
    /// The options, each with `dashes` before it.
    fn write(&self, f: &mut fmt::Formatter<'_>, dashes: &str) -> fmt::Result {
        let PacketOptions { dirs, return_nomatch, skip_counters, skip_subcounters, packets, bytes, .. } =
            self.options;
        write!(f, " {}{dashes}match-set {} {dirs}", bang(self.invert), self.name)?;
        if return_nomatch {
            write!(f, " {dashes}return-nomatch")?;
        }
        if skip_counters {
            write!(f, " ! {dashes}update-counters")?;
        }
        if skip_subcounters {
            write!(f, " ! {dashes}update-subcounters")?;
        }
        for (name, wanted) in [("packets", packets), ("bytes", bytes)] {
            let Some(CounterMatch { op, value }) = wanted else { continue };
            match op {
                CounterOp::Eq => write!(f, " {dashes}{name}-eq {value}")?,
                CounterOp::Ne => write!(f, " ! {dashes}{name}-eq {value}")?,
                CounterOp::Lt => write!(f, " {dashes}{name}-lt {value}")?,
                CounterOp::Gt => write!(f, " {dashes}{name}-gt {value}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for SetMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, "--")
    }
}
