use std::fmt;

use packet::{Proto, Skb};
use trace::HookName;

use super::Extension;
use crate::args::{ArgError, Args, Opt, value};
use crate::{Action, EvalCx, Refused, RuleSite, TableName};

/// `-j REJECT --reject-with TYPE`: drops the packet and tells its sender.
/// Kernel: `net/ipv4/netfilter/ipt_REJECT.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// What the sender is told.
    pub with: RejectWith,
}

/// The answer to a rejected packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectWith {
    /// ICMP type 3 with this code.
    Icmp(u8),
    /// A TCP RST.
    TcpReset,
}

const NAMES: [(&str, &str, RejectWith); 8] = [
    ("icmp-net-unreachable", "net-unreach", RejectWith::Icmp(0)),
    ("icmp-host-unreachable", "host-unreach", RejectWith::Icmp(1)),
    ("icmp-proto-unreachable", "proto-unreach", RejectWith::Icmp(2)),
    ("icmp-port-unreachable", "port-unreach", RejectWith::Icmp(3)),
    ("icmp-net-prohibited", "net-prohib", RejectWith::Icmp(9)),
    ("icmp-host-prohibited", "host-prohib", RejectWith::Icmp(10)),
    ("tcp-reset", "tcp-rst", RejectWith::TcpReset),
    ("icmp-admin-prohibited", "admin-prohib", RejectWith::Icmp(13)),
];

impl Extension for Reject {
    const OPTIONS: &'static [Opt] = &[value("reject-with")];
    const TABLE: Option<TableName> = Some(TableName::Filter);
    const HOOKS: &'static [HookName] = &[HookName::Input, HookName::Forward, HookName::Output];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let Some(given) = args.take("reject-with")? else { return Ok(Self { with: RejectWith::Icmp(3) }) };
        let text = given.text().to_ascii_lowercase();
        let mut fits = NAMES
            .iter()
            .filter(|(long, short, _)| long.starts_with(text.as_str()) || short.starts_with(text.as_str()));
        match fits.next() {
            Some((_, _, with)) => Ok(Self { with: *with }),
            None => Err(ArgError::said(format!("unknown reject type \"{}\"", given.text()))),
        }
    }

    fn apply(&self, _: &mut EvalCx<'_>, _: &mut Skb) -> Action {
        Action::Reject(self.with)
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        write!(f, " reject-with {}", self.name())
    }

    fn check(&self, site: &RuleSite<'_>) -> Result<(), Refused> {
        let tcp = site.rule.selector.proto.as_ref().is_some_and(|p| p.value == Proto::TCP && !p.invert);
        if self.with == RejectWith::TcpReset && !tcp { Err(Refused::Invalid) } else { Ok(()) }
    }
}

impl Reject {
    fn name(&self) -> &'static str {
        self.with.name().unwrap_or("icmp-port-unreachable")
    }
}

impl RejectWith {
    /// The word after `--reject-with`; `None` for an ICMP code that no rule asks for.
    pub fn name(self) -> Option<&'static str> {
        NAMES.iter().find(|(.., with)| *with == self).map(|(name, ..)| *name)
    }

    /// Every word after `--reject-with`.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, ..)| *name)
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " --reject-with {}", self.name())
    }
}
