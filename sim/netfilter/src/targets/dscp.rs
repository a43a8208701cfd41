use std::fmt;

use packet::Skb;

use super::Extension;
use crate::args::{ArgError, Args, Opt, value};
use crate::{Action, EvalCx, TableName};

/// `-j DSCP --set-dscp VALUE`.
/// Kernel: `net/netfilter/xt_DSCP.c`, `dscp_tg`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dscp {
    /// 0..=63.
    pub dscp: u8,
}

impl Extension for Dscp {
    const OPTIONS: &'static [Opt] =
        &[value("set-dscp").excludes(&["set-dscp-class"]), value("set-dscp-class").excludes(&["set-dscp"])];
    const TABLE: Option<TableName> = Some(TableName::Mangle);

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let value = args.optional_number("set-dscp", 0, 63)?.map(|value| value as u8);
        let class = args.take("set-dscp-class")?;
        let class = class.map(|given| crate::matches::parse_class(given.text())).transpose()?;
        let dscp = value.or(class);
        let dscp = dscp.ok_or_else(|| ArgError::said("DSCP target: Parameter --set-dscp is required"))?;
        args.check(Self::OPTIONS)?;
        Ok(Self { dscp })
    }

    fn apply(&self, _: &mut EvalCx<'_>, skb: &mut Skb) -> Action {
        let packet = skb.ip_mut();
        packet.tos = packet.tos & 0x03 | self.dscp << 2;
        Action::Continue
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        write!(f, " DSCP set 0x{:02x}", self.dscp)
    }
}

impl fmt::Display for Dscp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " --set-dscp 0x{:02x}", self.dscp)
    }
}
