use std::fmt;

use packet::Skb;

use super::Extension;
use crate::args::{ArgError, Args, Opt, value};
use crate::{Action, EvalCx, TableName};

/// `-j TOS`: `tos = (tos & !mask) ^ value`.
/// Kernel: `net/netfilter/xt_DSCP.c`, `tos_tg`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tos {
    /// Bits to flip after clearing.
    pub value: u8,
    /// Bits to clear first.
    pub mask: u8,
}

impl Extension for Tos {
    const OPTIONS: &'static [Opt] = &[
        value("set-tos").excludes(&["and-tos", "or-tos", "xor-tos"]),
        value("and-tos").excludes(&["set-tos", "or-tos", "xor-tos"]),
        value("or-tos").excludes(&["set-tos", "and-tos", "xor-tos"]),
        value("xor-tos").excludes(&["set-tos", "and-tos", "or-tos"]),
    ];
    const TABLE: Option<TableName> = Some(TableName::Mangle);

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let mut action = None;
        for given in &args.given {
            action = Some(match given.name {
                "set-tos" => crate::matches::parse_tos(given.text())?,
                name => {
                    let bits = args.number(given, 0, 255)? as u8;
                    match name {
                        "and-tos" => (0, !bits),
                        "or-tos" => (bits, bits),
                        _ => (bits, 0),
                    }
                }
            });
        }
        let (value, mask) = action.ok_or_else(|| ArgError::said("TOS: An action is required"))?;
        args.check(Self::OPTIONS)?;
        Ok(Self { value, mask })
    }

    fn apply(&self, _: &mut EvalCx<'_>, skb: &mut Skb) -> Action {
        let packet = skb.ip_mut();
        packet.tos = (packet.tos & !self.mask) ^ self.value;
        Action::Continue
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, numeric: bool) -> fmt::Result {
        let Self { value, mask } = *self;
        if numeric {
            return write!(f, " TOS set 0x{value:02x}/0x{mask:02x}");
        }
        if let Some(name) = crate::matches::tos_name(value, mask) {
            return write!(f, "  TOS set{name}");
        }
        if value == 0 {
            write!(f, " TOS and 0x{:02x}", !mask)
        } else if value == mask {
            write!(f, " TOS or 0x{value:02x}")
        } else if mask == 0 {
            write!(f, " TOS xor 0x{value:02x}")
        } else {
            write!(f, " TOS set 0x{value:02x}/0x{mask:02x}")
        }
    }
}

impl fmt::Display for Tos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " --set-tos 0x{:02x}/0x{:02x}", self.value, self.mask)
    }
}
