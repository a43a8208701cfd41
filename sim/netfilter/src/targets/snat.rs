use std::fmt;
use std::net::IpAddr;

use packet::{Proto, Skb};
use trace::HookName;

use super::Extension;
use crate::args::{ArgError, Args, Given, Opt, address, flag, number, value};
use crate::nat::{self, Manip, NatRange, RandomPort};
use crate::{Action, EvalCx, TableName};

/// `-j SNAT --to-source ADDR[-ADDR][:PORT[-PORT]]`.
/// Kernel: `net/netfilter/xt_nat.c`, `xt_snat_target_v2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snat {
    /// What the source becomes.
    pub range: NatRange,
}

/// Whether the rule's protocol has ports. Text of iptables' refusal otherwise.
pub(super) fn check_ports(args: &Args) -> Result<(), ArgError> {
    match args.proto {
        Some(Proto::TCP | Proto::UDP | Proto::SCTP | Proto(33) | Proto::ICMP) => Ok(()),
        _ => Err(ArgError::said("Need TCP, UDP, SCTP or DCCP with port specification")),
    }
}

/// Reads `PORT[-PORT]`.
pub(super) fn parse_port_range(text: &str) -> Result<(u16, u16), ArgError> {
    let invalid = || ArgError::said(format!("Port range `{text}' invalid\n"));
    let port = |text: &str| {
        number(text).and_then(|n| u16::try_from(n).ok()).filter(|port| *port > 0).ok_or_else(invalid)
    };
    match text.split_once('-') {
        None => port(text).map(|port| (port, port)),
        Some((min, max)) => {
            let (min, max) = (port(min)?, port(max)?);
            if min > max {
                Err(ArgError::said(format!("Port range `{text}' funky\n")))
            } else {
                Ok((min, max))
            }
        }
    }
}

/// Reads `[ADDR[-ADDR]][:PORT[-PORT[/PORT]]]`.
pub(super) fn parse_to(args: &Args, given: &Given) -> Result<NatRange, ArgError> {
    let mut range = NatRange::default();
    let (addrs, ports) =
        given.text().split_once(':').map_or((given.text(), None), |(addrs, ports)| (addrs, Some(ports)));
    if let Some(ports) = ports {
        check_ports(args)?;
        let (ports, base) = ports.split_once('/').map_or((ports, None), |(ports, base)| (ports, Some(base)));
        range.ports = Some(parse_port_range(ports)?);
        range.base_port = base.map(|base| parse_port_range(base).map(|(port, _)| port)).transpose()?;
    }
    if !addrs.is_empty() {
        let (min, max) = addrs.split_once('-').unwrap_or((addrs, addrs));
        let bad = |text: &str| ArgError::said(format!("Bad IP address \"{text}\"\n"));
        let read = |text: &str| address(text).map_err(|_| bad(text));
        range.addrs = Some((read(min)?, read(max)?));
    }
    Ok(range)
}

/// Reads `--random`, `--random-fully`, `--persistent`.
pub(super) fn parse_flags(args: &mut Args, range: &mut NatRange) -> Result<(), ArgError> {
    if args.has("random")? {
        range.random = RandomPort::Random;
    }
    if args.given.iter().any(|given| given.name == "random-fully") {
        args.has("random-fully")?;
        range.random = RandomPort::RandomFully;
    }
    range.persistent = args.has("persistent")?;
    Ok(())
}

/// `ADDR-ADDR:PORT-PORT/PORT`.
pub(super) struct To<'a>(pub &'a NatRange);

impl fmt::Display for To<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let same = |(min, max): (IpAddr, IpAddr)| min == max;
        match self.0.addrs {
            Some(addrs) if same(addrs) => write!(f, "{}", addrs.0)?,
            Some((min, max)) => write!(f, "{min}-{max}")?,
            None => {}
        }
        if let Some(ports) = self.0.ports {
            write!(f, ":{}", PortText(ports))?;
        }
        match self.0.base_port {
            Some(base) => write!(f, "/{base}"),
            None => Ok(()),
        }
    }
}

/// `80` or `80-90`.
pub(super) struct PortText(pub (u16, u16));

impl fmt::Display for PortText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (min, max) = self.0;
        if min == max { write!(f, "{min}") } else { write!(f, "{min}-{max}") }
    }
}

/// ` --random --persistent` with `dashes`, or without.
pub(super) fn write_flags(f: &mut fmt::Formatter<'_>, range: &NatRange, dashes: &str) -> fmt::Result {
    match range.random {
        RandomPort::Keep => {}
        RandomPort::Random => write!(f, " {dashes}random")?,
        RandomPort::RandomFully => write!(f, " {dashes}random-fully")?,
    }
    if range.persistent { write!(f, " {dashes}persistent") } else { Ok(()) }
}

impl Extension for Snat {
    const OPTIONS: &'static [Opt] =
        &[value("to-source"), flag("random"), flag("random-fully"), flag("persistent")];
    const CONNTRACK: bool = true;
    const TABLE: Option<TableName> = Some(TableName::Nat);
    const HOOKS: &'static [HookName] = &[HookName::Postrouting, HookName::Input];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let given = args.require("to-source")?;
        let mut range = parse_to(args, &given)?;
        parse_flags(args, &mut range)?;
        Ok(Self { range })
    }

    fn apply(&self, cx: &mut EvalCx<'_>, skb: &mut Skb) -> Action {
        nat::setup(cx, &self.range, Manip::Src, skb)
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        write!(f, " to:{}", To(&self.range))?;
        write_flags(f, &self.range, "")
    }
}

impl fmt::Display for Snat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " --to-source {}", To(&self.range))?;
        write_flags(f, &self.range, "--")
    }
}
