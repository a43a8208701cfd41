use std::fmt;

use packet::Skb;
use trace::HookName;

use super::Extension;
use super::snat::{PortText, check_ports, forget_base_port, parse_flags, parse_ports, write_flags};
use crate::args::{ArgError, Args, Opt, flag, value};
use crate::nat::{self, Manip, NatRange};
use crate::{Action, EvalCx, TableName};

/// `-j MASQUERADE`: the source becomes the output device's address.
/// Kernel: `net/netfilter/nf_nat_masquerade.c`, `nf_nat_masquerade_ipv4`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Masquerade {
    /// Ports to choose from, and how.
    pub range: NatRange,
}

impl Extension for Masquerade {
    const OPTIONS: &'static [Opt] = &[value("to-ports"), flag("random"), flag("random-fully")];
    const CONNTRACK: bool = true;
    const TABLE: Option<TableName> = Some(TableName::Nat);
    const HOOKS: &'static [HookName] = &[HookName::Postrouting];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let mut range = NatRange::default();
        if let Some(given) = args.take("to-ports")? {
            check_ports(&given)?;
            parse_ports(given.text(), &mut range)?;
            forget_base_port(&mut range);
        }
        parse_flags(args, &mut range)?;
        Ok(Self { range })
    }

    fn apply(&self, cx: &mut EvalCx<'_>, skb: &mut Skb) -> Action {
        let Some(out) = cx.outdev else { return Action::Accept };
        if skb.ip().src().is_unspecified() {
            return Action::Accept;
        }
        let Some(addr) = cx.env.masquerade_addr(out, skb.ip().dst()) else {
            cx.conntrack.notice(format!("{} ate my IP address", cx.out_name));
            return Action::Drop;
        };
        if let Some(conn) = skb.ct.and_then(|ct| cx.conntrack.get_mut(ct.conn)) {
            conn.nat.masquerade_dev = Some(out);
        }
        nat::setup(cx, &NatRange { addrs: Some((addr, addr)), ..self.range }, Manip::Src, skb)
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        if self.range.ports.is_some() {
            write!(f, " masq ports: {}", PortText(&self.range))?;
        }
        write_flags(f, &self.range, "")
    }
}

impl fmt::Display for Masquerade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.range.ports.is_some() {
            write!(f, " --to-ports {}", PortText(&self.range))?;
        }
        write_flags(f, &self.range, "--")
    }
}
