use std::fmt;
use std::net::IpAddr;

use packet::{Proto, Skb};
use trace::HookName;

use super::Extension;
use crate::args::{ArgError, Args, Given, Opt, address, flag, leading_number, value};
use crate::nat::{self, Manip, NatRange, RandomPort};
use crate::{Action, EvalCx, TableName, names};

/// `-j SNAT --to-source ADDR[-ADDR][:PORT[-PORT]]`.
/// Kernel: `net/netfilter/xt_nat.c`, `xt_snat_target_v2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snat {
    /// What the source becomes.
    pub range: NatRange,
}

/// Whether the protocol named so far has ports. Text of iptables' refusal otherwise.
pub(super) fn check_ports(given: &Given) -> Result<(), ArgError> {
    match given.proto {
        Some(Proto::TCP | Proto::UDP | Proto::SCTP | Proto(33) | Proto::ICMP) => Ok(()),
        _ => Err(ArgError::said("Need TCP, UDP, SCTP or DCCP with port specification")),
    }
}

/// Reads `PORT[-PORT[/PORT]]` into `range`. iptables `parse_ports` of `libxt_nat.c`.
pub(super) fn parse_ports(text: &str, range: &mut NatRange) -> Result<(), ArgError> {
    let port = |text, least| match leading_number(text) {
        (Some(n @ 0..=0xffff), rest) if n >= least => Ok((n as u16, rest)),
        _ => match names::service_port(text, None) {
            Some(port) => Ok((port, "")),
            None => Err(ArgError::said(format!("Port `{text}' not valid"))),
        },
    };
    let (min, rest) = port(text, 0)?;
    range.ports = Some((min, min));
    let Some(text) = rest.strip_prefix('-') else {
        return match rest.chars().next() {
            None => Ok(()),
            Some(':') => Err(ArgError::said("Invalid port:port syntax - use dash")),
            Some(_) => Err(ArgError::said(format!("Garbage after port value: `{rest}'"))),
        };
    };
    // A service's name isn't looked up here.
    let (max, rest) = match leading_number(text) {
        (Some(max @ 0..=0xffff), rest) => (max as u16, rest),
        _ => return Err(ArgError::said(format!("Port `{text}' not valid"))),
    };
    if max < min {
        return Err(ArgError::said(format!("Port range `{text}' funky")));
    }
    range.ports = Some((min, max));
    match rest.strip_prefix('/') {
        None if rest.is_empty() => Ok(()),
        None => Err(ArgError::said(format!("Garbage after port range: `{rest}'"))),
        Some(base) => {
            range.base_port = Some(port(base, 1)?.0);
            Ok(())
        }
    }
}

/// What a target keeps whose kernel side knows no base port: that there is one.
/// Kernel: `nf_nat_ipv4_range` in `include/uapi/linux/netfilter/nf_nat.h`.
pub(super) fn forget_base_port(range: &mut NatRange) {
    range.base_port = range.base_port.map(|_| 0);
}

/// Reads `[ADDR[-ADDR]][:PORT[-PORT[/PORT]]]`. iptables `parse_to`.
pub(super) fn parse_to(given: &Given) -> Result<NatRange, ArgError> {
    let mut range = NatRange::default();
    let text = given.text();
    let (addrs, ports) = match text.split_once(':') {
        Some((addrs, ports)) if !ports.contains(':') => (addrs, Some(ports)),
        _ => (text, None),
    };
    if let Some(ports) = ports {
        check_ports(given)?;
        parse_ports(ports, &mut range)?;
        if addrs.is_empty() {
            return Ok(range);
        }
    }
    let (min, max) = addrs.split_once('-').unwrap_or((addrs, addrs));
    let bad = |text: &str| ArgError::said(format!("Bad IP address \"{text}\""));
    let read = |text: &str| address(text).map_err(|_| bad(text));
    range.addrs = Some((read(min)?, read(max)?));
    Ok(range)
}

/// Reads `--random`, `--random-fully`, `--persistent`.
pub(super) fn parse_flags(args: &mut Args, range: &mut NatRange) -> Result<(), ArgError> {
    range.random = match (args.has("random")?, args.has("random-fully")?) {
        (false, false) => RandomPort::Keep,
        (true, false) => RandomPort::Random,
        (false, true) => RandomPort::RandomFully,
        (true, true) => RandomPort::Both,
    };
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
        match self.0.ports {
            Some(_) => write!(f, ":{}", PortText(self.0)),
            None => Ok(()),
        }
    }
}

/// `80`, `80-90` or `80-90/100`; nothing without ports.
pub(super) struct PortText<'a>(pub &'a NatRange);

impl fmt::Display for PortText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((min, max)) = self.0.ports else { return Ok(()) };
        write!(f, "{min}")?;
        if min != max {
            write!(f, "-{max}")?;
        }
        match self.0.base_port {
            Some(base) => write!(f, "/{base}"),
            None => Ok(()),
        }
    }
}

/// ` --random --persistent` with `dashes`, or without.
pub(super) fn write_flags(f: &mut fmt::Formatter<'_>, range: &NatRange, dashes: &str) -> fmt::Result {
    match range.random {
        RandomPort::Keep => {}
        RandomPort::Random => write!(f, " {dashes}random")?,
        RandomPort::RandomFully => write!(f, " {dashes}random-fully")?,
        RandomPort::Both => write!(f, " {dashes}random {dashes}random-fully")?,
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
        let mut range = parse_to(&given)?;
        forget_base_port(&mut range);
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
