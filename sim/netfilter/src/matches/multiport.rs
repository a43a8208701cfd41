use std::fmt;

use packet::{Proto, Skb};

use super::{Extension, bang};
use crate::args::{ArgError, Args, Opt, Ports, negatable};
use crate::{EvalCx, names, transport};

/// `-m multiport`: up to 15 ports, a range counting as two.
/// Kernel: `net/netfilter/xt_multiport.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Multiport {
    /// `!`.
    pub invert: bool,
    /// Which port is looked at.
    pub side: Side,
    /// The ports.
    pub ports: Vec<Ports>,
}

/// Which of the two ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `--sports`.
    Source,
    /// `--dports`.
    Destination,
    /// `--ports`.
    Either,
}

impl Side {
    const fn name(self) -> &'static str {
        match self {
            Self::Source => "sports",
            Self::Destination => "dports",
            Self::Either => "ports",
        }
    }
}

impl Extension for Multiport {
    const OPTIONS: &'static [Opt] = &[
        negatable("source-ports"),
        negatable("sports"),
        negatable("destination-ports"),
        negatable("dports"),
        negatable("ports"),
    ];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        if !matches!(args.proto, Some(Proto::TCP | Proto::UDP | Proto::SCTP | Proto(33) | Proto(136))) {
            return Err(ArgError::said(
                "multiport needs `-p tcp', `-p udp', `-p udplite', `-p sctp' or `-p dccp'",
            ));
        }
        if args.given.len() > 1 {
            return Err(ArgError::said("multiport can only have one option"));
        }
        let Some(given) = args.given.pop() else {
            return Err(ArgError::said("multiport expection an option"));
        };
        let side = match given.name {
            "source-ports" | "sports" => Side::Source,
            "destination-ports" | "dports" => Side::Destination,
            _ => Side::Either,
        };
        let ports = given.text().split(',').map(Ports::parse).collect::<Result<Vec<_>, _>>()?;
        if ports.iter().map(|p| if p.min == p.max { 1 } else { 2 }).sum::<usize>() > 15 {
            return Err(ArgError::said("too many ports specified"));
        }
        Ok(Self { invert: given.invert, side, ports })
    }

    fn matches(&self, _: &mut EvalCx<'_>, skb: &Skb) -> bool {
        let Some((src, dst)) = transport::ports(skb.ip()) else { return false };
        let found = self.ports.iter().any(|ports| match self.side {
            Side::Source => ports.contains(src),
            Side::Destination => ports.contains(dst),
            Side::Either => ports.contains(src) || ports.contains(dst),
        });
        found != self.invert
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, numeric: bool) -> fmt::Result {
        let port = |port: u16| match names::service(port) {
            Some(name) if !numeric => name.to_owned(),
            _ => port.to_string(),
        };
        let ports: Vec<String> = self
            .ports
            .iter()
            .map(|p| if p.min == p.max { port(p.min) } else { format!("{}:{}", port(p.min), port(p.max)) })
            .collect();
        let not = if self.invert { " !" } else { "" };
        write!(f, " multiport {} {not}{}", self.side.name(), ports.join(","))
    }
}

impl fmt::Display for Multiport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ports: Vec<String> = self.ports.iter().map(Ports::to_string).collect();
        write!(f, " {}--{} {}", bang(self.invert), self.side.name(), ports.join(","))
    }
}
