use std::fmt;

use packet::Skb;

use super::Extension;
use super::mark::{list_set, parse_set};
use crate::args::{ArgError, Args, Opt, flag, value};
use crate::{Action, EvalCx, Refused, RuleSite};

/// `-j CONNMARK`: the mark of the packet's connection.
/// Kernel: `net/netfilter/xt_connmark.c`, `connmark_tg_v2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connmark {
    /// What is done.
    pub operation: Operation,
    /// `--left-shift-mark`, `--right-shift-mark`.
    pub shift: Option<Shift>,
}

/// By how many bits a mark is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// To the left.
    Left(u8),
    /// To the right.
    Right(u8),
}

impl Shift {
    fn of(self, mark: u32) -> u32 {
        match self {
            Self::Left(bits) => mark.checked_shl(bits.into()).unwrap_or(0),
            Self::Right(bits) => mark.checked_shr(bits.into()).unwrap_or(0),
        }
    }
}

/// ` left-shift-mark 4`, after dashes if any.
struct ShiftText(Option<Shift>, &'static str);

impl fmt::Display for ShiftText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dashes = self.1;
        match self.0 {
            Some(Shift::Left(bits)) => write!(f, " {dashes}left-shift-mark {bits}"),
            Some(Shift::Right(bits)) => write!(f, " {dashes}right-shift-mark {bits}"),
            None => Ok(()),
        }
    }
}

/// What is done to which mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `--set-xmark VALUE/MASK`.
    Set {
        /// Bits to flip after clearing.
        value: u32,
        /// Bits to clear first.
        mask: u32,
    },
    /// `--save-mark`: from the packet to the connection.
    Save {
        /// Bits of the packet's mark.
        nfmask: u32,
        /// Bits of the connection's mark.
        ctmask: u32,
    },
    /// `--restore-mark`: from the connection to the packet.
    Restore {
        /// Bits of the packet's mark.
        nfmask: u32,
        /// Bits of the connection's mark.
        ctmask: u32,
    },
}

impl Extension for Connmark {
    const OPTIONS: &'static [Opt] = &[
        value("set-xmark").excludes(&[
            "set-mark",
            "and-mark",
            "or-mark",
            "xor-mark",
            "save-mark",
            "restore-mark",
        ]),
        value("set-mark").excludes(&[
            "set-xmark",
            "and-mark",
            "or-mark",
            "xor-mark",
            "save-mark",
            "restore-mark",
        ]),
        value("and-mark").excludes(&[
            "set-xmark",
            "set-mark",
            "or-mark",
            "xor-mark",
            "save-mark",
            "restore-mark",
        ]),
        value("or-mark").excludes(&[
            "set-xmark",
            "set-mark",
            "and-mark",
            "xor-mark",
            "save-mark",
            "restore-mark",
        ]),
        value("xor-mark").excludes(&[
            "set-xmark",
            "set-mark",
            "and-mark",
            "or-mark",
            "save-mark",
            "restore-mark",
        ]),
        flag("save-mark").excludes(&[
            "set-xmark",
            "set-mark",
            "and-mark",
            "or-mark",
            "xor-mark",
            "restore-mark",
        ]),
        flag("restore-mark").excludes(&[
            "set-xmark",
            "set-mark",
            "and-mark",
            "or-mark",
            "xor-mark",
            "save-mark",
        ]),
        value("left-shift-mark").excludes(&["right-shift-mark"]),
        value("right-shift-mark").excludes(&["left-shift-mark"]),
        value("ctmask").excludes(&["mask"]),
        value("nfmask").excludes(&["mask"]),
        value("mask").excludes(&["ctmask", "nfmask"]),
    ];
    const CONNTRACK: bool = true;

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let set = parse_set(args)?;
        let (save, restore) = (args.has("save-mark")?, args.has("restore-mark")?);
        let mut bits = |option| args.optional_number(option, 0, 32).map(|n| n.map(|n| n as u8));
        let (left, right) = (bits("left-shift-mark")?, bits("right-shift-mark")?);
        let mut number =
            |option| args.optional_number(option, 0, u64::from(u32::MAX)).map(|n| n.map(|n| n as u32));
        let (nfmask, ctmask, both) = (number("nfmask")?, number("ctmask")?, number("mask")?);
        let mask = |own: Option<u32>| own.or(both).unwrap_or(u32::MAX);
        let operation = match (set, save, restore) {
            (Some((value, mask)), ..) => Operation::Set { value, mask: both.unwrap_or(mask) },
            (None, true, _) => Operation::Save { nfmask: mask(nfmask), ctmask: mask(ctmask) },
            (None, false, true) => Operation::Restore { nfmask: mask(nfmask), ctmask: mask(ctmask) },
            (None, false, false) => {
                return Err(ArgError::said("CONNMARK target: No operation specified"));
            }
        };
        args.check(Self::OPTIONS)?;
        Ok(Self { operation, shift: left.map(Shift::Left).or(right.map(Shift::Right)) })
    }

    /// Kernel: `connmark_tg_check`.
    fn check(&self, _: &RuleSite<'_>) -> Result<(), Refused> {
        match self.shift {
            Some(Shift::Left(32..) | Shift::Right(32..)) => Err(Refused::Invalid),
            _ => Ok(()),
        }
    }

    fn apply(&self, cx: &mut EvalCx<'_>, skb: &mut Skb) -> Action {
        let Some((id, current)) = cx.conntrack.of(skb).map(|(conn, _)| (conn.id, conn.mark)) else {
            return Action::Continue;
        };
        let shifted = |mark| self.shift.map_or(mark, |shift| shift.of(mark));
        let mark = match self.operation {
            Operation::Set { value, mask } => shifted((current & !mask) ^ value),
            Operation::Save { nfmask, ctmask } => (current & !ctmask) ^ shifted(skb.mark & nfmask),
            Operation::Restore { nfmask, ctmask } => {
                skb.mark = (skb.mark & !nfmask) ^ shifted(current & ctmask);
                return Action::Continue;
            }
        };
        if let Some(conn) = cx.conntrack.get_mut(id) {
            conn.set_mark(mark);
        }
        Action::Continue
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        f.write_str(" CONNMARK")?;
        match self.operation {
            Operation::Set { value, mask } => list_set(f, value, mask)?,
            Operation::Save { nfmask, ctmask } => {
                list_masks(f, "save", ("nfmask", nfmask), ("ctmask", ctmask))?;
            }
            Operation::Restore { nfmask, ctmask } => {
                list_masks(f, "restore", ("ctmask", ctmask), ("nfmask", nfmask))?;
            }
        }
        write!(f, "{}", ShiftText(self.shift, ""))
    }
}

/// The masks of where a mark comes from and where it goes to.
fn list_masks(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    (from, from_mask): (&str, u32),
    (to, to_mask): (&str, u32),
) -> fmt::Result {
    write!(f, " {what}")?;
    if from_mask == u32::MAX && to_mask == u32::MAX {
        Ok(())
    } else if from_mask == to_mask {
        write!(f, " mask {from_mask:#x}")
    } else {
        write!(f, " {from} {from_mask:#x} {to} ~{to_mask:#x}")
    }
}

impl fmt::Display for Connmark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.operation {
            Operation::Set { value, mask } => write!(f, " --set-xmark {value:#x}/{mask:#x}")?,
            Operation::Save { nfmask, ctmask } => {
                write!(f, " --save-mark --nfmask {nfmask:#x} --ctmask {ctmask:#x}")?;
            }
            Operation::Restore { nfmask, ctmask } => {
                write!(f, " --restore-mark --nfmask {nfmask:#x} --ctmask {ctmask:#x}")?;
            }
        }
        write!(f, "{}", ShiftText(self.shift, "--"))
    }
}
