use std::fmt;

use packet::Skb;

use super::Extension;
use crate::args::{ArgError, Args, Opt, value};
use crate::{Action, EvalCx};

/// `-j MARK`: `mark = (mark & !mask) ^ value`.
/// Kernel: `net/netfilter/xt_mark.c`, `mark_tg`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Bits to flip after clearing.
    pub value: u32,
    /// Bits to clear first.
    pub mask: u32,
}

/// Options that MARK and CONNMARK share, as value and mask of the exclusive or.
pub(super) const SET_OPTIONS: [&str; 5] = ["set-xmark", "set-mark", "and-mark", "or-mark", "xor-mark"];

/// The same as options.
pub(super) const SET: [Opt; 5] = [
    value("set-xmark").excludes(&["set-mark", "and-mark", "or-mark", "xor-mark"]),
    value("set-mark").excludes(&["set-xmark", "and-mark", "or-mark", "xor-mark"]),
    value("and-mark").excludes(&["set-xmark", "set-mark", "or-mark", "xor-mark"]),
    value("or-mark").excludes(&["set-xmark", "set-mark", "and-mark", "xor-mark"]),
    value("xor-mark").excludes(&["set-xmark", "set-mark", "and-mark", "or-mark"]),
];

/// Reads one of [`SET_OPTIONS`].
pub(super) fn parse_set(args: &mut Args) -> Result<Option<(u32, u32)>, ArgError> {
    for name in SET_OPTIONS {
        let Some(given) = args.take(name)? else { continue };
        if name.starts_with("set-") {
            let (value, mask) = args.mark(&given)?;
            return Ok(Some((value, if name == "set-mark" { value | mask } else { mask })));
        }
        let value = args.number(&given, 0, u64::from(u32::MAX))? as u32;
        return Ok(Some(match name {
            "and-mark" => (0, !value),
            "or-mark" => (value, value),
            _ => (value, 0),
        }));
    }
    Ok(None)
}

/// ` set 0x1`, ` or 0x4`…, after the target's name.
pub(super) fn list_set(f: &mut fmt::Formatter<'_>, value: u32, mask: u32) -> fmt::Result {
    if value == 0 {
        write!(f, " and {:#x}", !mask)
    } else if value == mask {
        write!(f, " or {value:#x}")
    } else if mask == 0 {
        write!(f, " xor {value:#x}")
    } else if mask == u32::MAX {
        write!(f, " set {value:#x}")
    } else {
        write!(f, " xset {value:#x}/{mask:#x}")
    }
}

impl Extension for Mark {
    const OPTIONS: &'static [Opt] = &SET;

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        match parse_set(args)? {
            Some((value, mask)) => {
                args.check(Self::OPTIONS)?;
                Ok(Self { value, mask })
            }
            None => Err(ArgError::said(
                "MARK: One of the --set-xmark, --{and,or,xor,set}-mark options is required",
            )),
        }
    }

    fn apply(&self, _: &mut EvalCx<'_>, skb: &mut Skb) -> Action {
        skb.mark = (skb.mark & !self.mask) ^ self.value;
        Action::Continue
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        f.write_str(" MARK")?;
        list_set(f, self.value, self.mask)
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " --set-xmark {:#x}/{:#x}", self.value, self.mask)
    }
}
