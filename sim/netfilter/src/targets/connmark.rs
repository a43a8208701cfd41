use std::fmt;

use packet::Skb;

use super::Extension;
use super::mark::{list_set, parse_set};
use crate::args::{ArgError, Args, Opt, flag, number, value};
use crate::{Action, EvalCx};

/// `-j CONNMARK`: the mark of the packet's connection.
/// Kernel: `net/netfilter/xt_connmark.c`, `connmark_tg`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connmark {
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
        value("set-xmark"),
        value("set-mark"),
        value("and-mark"),
        value("or-mark"),
        value("xor-mark"),
        flag("save-mark"),
        flag("restore-mark"),
        value("nfmask"),
        value("ctmask"),
        value("mask"),
    ];
    const CONNTRACK: bool = true;

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        if let Some((value, mask)) = parse_set(args)? {
            return Ok(Self::Set { value, mask });
        }
        let (save, restore) = (args.has("save-mark")?, args.has("restore-mark")?);
        let mut masks = [u32::MAX; 2];
        for (name, which) in [("nfmask", 0..1), ("ctmask", 1..2), ("mask", 0..2)] {
            if let Some(given) = args.take(name)? {
                let mask = number(given.text())
                    .and_then(|n| u32::try_from(n).ok())
                    .ok_or_else(|| args.bad(&given))?;
                masks[which].fill(mask);
            }
        }
        let [nfmask, ctmask] = masks;
        match (save, restore) {
            (true, false) => Ok(Self::Save { nfmask, ctmask }),
            (false, true) => Ok(Self::Restore { nfmask, ctmask }),
            _ => Err(ArgError::said("CONNMARK target: No operation specified")),
        }
    }

    fn apply(&self, cx: &mut EvalCx<'_>, skb: &mut Skb) -> Action {
        let Some((id, current)) = cx.conntrack.of(skb).map(|(conn, _)| (conn.id, conn.mark)) else {
            return Action::Continue;
        };
        let mark = match *self {
            Self::Set { value, mask } => (current & !mask) ^ value,
            Self::Save { nfmask, ctmask } => (current & !ctmask) ^ (skb.mark & nfmask),
            Self::Restore { nfmask, ctmask } => {
                skb.mark = (skb.mark & !nfmask) ^ (current & ctmask);
                return Action::Continue;
            }
        };
        if let Some(conn) = cx.conntrack.get_mut(id) {
            conn.mark = mark;
        }
        Action::Continue
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        let masks = |f: &mut fmt::Formatter<'_>, what: &str, nfmask: u32, ctmask: u32| {
            write!(f, " CONNMARK {what}")?;
            match (nfmask, ctmask) {
                (u32::MAX, u32::MAX) => Ok(()),
                (nfmask, ctmask) if nfmask == ctmask => write!(f, " mask {nfmask:#x}"),
                (nfmask, ctmask) => write!(f, " nfmask {nfmask:#x} ctmask ~{ctmask:#x}"),
            }
        };
        match *self {
            Self::Set { value, mask } => {
                f.write_str(" CONNMARK")?;
                list_set(f, value, mask)
            }
            Self::Save { nfmask, ctmask } => masks(f, "save", nfmask, ctmask),
            Self::Restore { nfmask, ctmask } => masks(f, "restore", nfmask, ctmask),
        }
    }
}

impl fmt::Display for Connmark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set { value, mask } => write!(f, " --set-xmark {value:#x}/{mask:#x}"),
            Self::Save { nfmask, ctmask } => {
                write!(f, " --save-mark --nfmask {nfmask:#x} --ctmask {ctmask:#x}")
            }
            Self::Restore { nfmask, ctmask } => {
                write!(f, " --restore-mark --nfmask {nfmask:#x} --ctmask {ctmask:#x}")
            }
        }
    }
}
