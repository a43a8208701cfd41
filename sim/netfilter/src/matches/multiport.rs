use std::fmt;

use packet::{Proto, Skb};

use super::{Extension, bang};
use crate::args::{ArgError, Args, Given, Opt, Ports, negatable, port_of};
use crate::{EvalCx, names, transport};

/// `-m multiport`: up to 15 ports, a range counting as two.
/// Kernel: `net/netfilter/xt_multiport.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Multiport {
    /// `!`.
    pub invert: bool,
    /// The rule's protocol, whose services are named.
    pub proto: Proto,
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
        let needs = "multiport needs `-p tcp', `-p udp', `-p udplite', `-p sctp' or `-p dccp'";
        let only = "multiport only works with TCP, UDP, UDPLITE, SCTP and DCCP";
        let proto = match args.proto.filter(|_| args.given.iter().all(|given| given.proto.is_some())) {
            Some(proto @ (Proto::TCP | Proto::UDP | Proto::SCTP | Proto(33) | Proto(136))) => proto,
            _ if args.given.is_empty() => return Err(ArgError::said("multiport expection an option")),
            Some(_) => return Err(ArgError::said(only)),
            None if args.given.iter().any(|given| given.proto.is_some()) => return Err(ArgError::said(only)),
            None => return Err(ArgError::said(needs)),
        };
        if let [first, second, ..] = args.given.as_slice() {
            // Named as the table of options has them, sources first.
            let long = |given: &Given| match given.name {
                "source-ports" | "sports" => "source-ports",
                "destination-ports" | "dports" => "destination-ports",
                other => other,
            };
            let (extension, option, other) = (args.extension, long(first), long(second));
            if option == other {
                return Err(ArgError::Twice { extension, option });
            }
            let swap = option == "ports" || other == "source-ports";
            let (option, other) = if swap { (other, option) } else { (option, other) };
            return Err(ArgError::Together { extension, option, other });
        }
        let Some(given) = args.given.pop() else {
            return Err(ArgError::said("multiport expection an option"));
        };
        let side = match given.name {
            "source-ports" | "sports" => Side::Source,
            "destination-ports" | "dports" => Side::Destination,
            _ => Side::Either,
        };
        let parse = |text: &str| match text.split_once(':') {
            None => port_of(text, Some(proto)).map(|port| Ports { min: port, max: port }),
            Some((min, max)) => {
                let (min, max) = (port_of(min, Some(proto))?, port_of(max, Some(proto))?);
                if min >= max {
                    return Err(ArgError::said("invalid portrange specified"));
                }
                Ok(Ports { min, max })
            }
        };
        let ports = given.text().split(',').map(parse).collect::<Result<Vec<_>, _>>()?;
        if ports.iter().map(|p| if p.min == p.max { 1 } else { 2 }).sum::<usize>() > 15 {
            return Err(ArgError::said("too many ports specified"));
        }
        Ok(Self { invert: given.invert, proto, side, ports })
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
        let port = |port: u16| match names::service(port, self.proto) {
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
