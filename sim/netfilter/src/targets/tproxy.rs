use std::fmt;
use std::net::Ipv4Addr;

use packet::{Proto, Skb};
use trace::HookName;

use super::Extension;
use crate::args::{ArgError, Args, Opt, value};
use crate::{Action, EvalCx, Refused, RuleSite, TableName};

/// `-j TPROXY --on-port PORT`: gives a packet to a local socket without changing its addresses.
/// Kernel: `net/netfilter/xt_TPROXY.c`.
///
/// Simplified: no socket is transparent here (`IP_TRANSPARENT`), so none is found and the packet is
/// dropped, as in Linux when nobody listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tproxy {
    /// `--on-port`; 0 is the packet's own.
    pub port: u16,
    /// `--on-ip`; 0.0.0.0 is an address of the device.
    pub addr: Ipv4Addr,
    /// `--tproxy-mark`: value and mask.
    pub mark: (u32, u32),
}

impl Extension for Tproxy {
    const OPTIONS: &'static [Opt] = &[value("on-port").mandatory(), value("on-ip"), value("tproxy-mark")];
    const TABLE: Option<TableName> = Some(TableName::Mangle);
    const HOOKS: &'static [HookName] = &[HookName::Prerouting];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let on_port = match args.take("on-port")? {
            Some(given) => Some(args.any_port(given.text())?),
            None => None,
        };
        let addr = match args.take("on-ip")? {
            Some(given) => args.host(&given)?,
            None => Ipv4Addr::UNSPECIFIED,
        };
        let mark = match args.take("tproxy-mark")? {
            Some(given) => args.mark(&given)?,
            None => (0, 0),
        };
        args.check(Self::OPTIONS)?;
        Ok(Self { port: on_port.unwrap_or(0), addr, mark })
    }

    fn apply(&self, _: &mut EvalCx<'_>, _: &mut Skb) -> Action {
        Action::Drop
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        let (value, mask) = self.mark;
        write!(f, " TPROXY redirect {}:{} mark {value:#x}/{mask:#x}", self.addr, self.port)
    }

    fn check(&self, site: &RuleSite<'_>) -> Result<(), Refused> {
        let proto = site.rule.selector.proto.as_ref().filter(|p| !p.invert).map(|p| p.value);
        if matches!(proto, Some(Proto::TCP | Proto::UDP)) { Ok(()) } else { Err(Refused::Invalid) }
    }
}

impl fmt::Display for Tproxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (value, mask) = self.mark;
        write!(f, " --on-port {} --on-ip {} --tproxy-mark {value:#x}/{mask:#x}", self.port, self.addr)
    }
}
