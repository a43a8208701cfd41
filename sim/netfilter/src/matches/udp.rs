use std::fmt;

use packet::{Proto, Skb};

use super::{Extension, bang};
use crate::args::{ArgError, Args, Given, Opt, Ports, negatable};
use crate::selector::Not;
use crate::{EvalCx, Refused, RuleSite, names, transport};

/// `-m udp`: ports of a UDP datagram.
/// Kernel: `net/netfilter/xt_tcpudp.c`, `udp_mt`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UdpMatch {
    /// Source ports.
    pub sport: Option<Not<Ports>>,
    /// Destination ports.
    pub dport: Option<Not<Ports>>,
}

/// The port options that tcp, udp and sctp share.
pub(super) fn parse_ports(
    args: &mut Args,
    proto: Proto,
) -> Result<(Option<Not<Ports>>, Option<Not<Ports>>), ArgError> {
    let mut take = |names: [&'static str; 2]| {
        let mut given = args.given.iter().filter(|given| names.contains(&given.name));
        let ports = match (given.next(), given.next()) {
            (Some(_), Some(_)) if proto == Proto::UDP => {
                return Err(ArgError::Twice { extension: args.extension, option: names[0] });
            }
            (Some(_), Some(_)) => return Err(ArgError::said(format!("Only one `--{}' allowed", names[0]))),
            (Some(given), None) if proto == Proto::UDP => {
                Some(Not { invert: given.invert, value: args.any_ports(&Given { name: names[0], ..given.clone() })? })
            }
            (Some(given), None) => {
                Some(Not { invert: given.invert, value: Ports::parse_of(given.text(), Some(proto))? })
            }
            (None, _) => None,
        };
        args.given.retain(|given| !names.contains(&given.name));
        Ok(ports)
    };
    Ok((take(["source-port", "sport"])?, take(["destination-port", "dport"])?))
}

/// A condition that says nothing is left out.
fn says_something(ports: &Option<Not<Ports>>) -> Option<&Not<Ports>> {
    ports.as_ref().filter(|ports| ports.invert || ports.value != Ports { min: 0, max: u16::MAX })
}

/// Whether both port conditions hold.
pub(super) fn ports_match(sport: &Option<Not<Ports>>, dport: &Option<Not<Ports>>, (src, dst): (u16, u16)) -> bool {
    sport.as_ref().is_none_or(|s| s.value.contains(src) != s.invert)
        && dport.as_ref().is_none_or(|d| d.value.contains(dst) != d.invert)
}

/// ` --sport … --dport …`; the range of all ports isn't written, even if it is ruled out.
/// Source: iptables 1.8.9 `extensions/libxt_udp.c`, `udp_save`.
pub(super) fn save_ports(
    f: &mut fmt::Formatter<'_>,
    sport: &Option<Not<Ports>>,
    dport: &Option<Not<Ports>>,
) -> fmt::Result {
    for (name, ports) in [("sport", sport), ("dport", dport)] {
        if let Some(ports) = ports.as_ref().filter(|ports| ports.value != Ports { min: 0, max: u16::MAX }) {
            write!(f, " {}--{name} {}", bang(ports.invert), ports.value)?;
        }
    }
    Ok(())
}

/// ` spt:… dpts:…`.
pub(super) fn list_ports(
    f: &mut fmt::Formatter<'_>,
    sport: &Option<Not<Ports>>,
    dport: &Option<Not<Ports>>,
    proto: Proto,
    numeric: bool,
) -> fmt::Result {
    for (name, ports) in [("spt", sport), ("dpt", dport)] {
        let Some(Not { invert, value }) = says_something(ports) else { continue };
        let port = |port: u16| match names::service(port, proto) {
            Some(name) if !numeric => name.to_owned(),
            _ => port.to_string(),
        };
        let not = super::mark_of(*invert);
        if value.min == value.max {
            write!(f, " {name}:{not}{}", port(value.min))?;
        } else {
            write!(f, " {name}s:{not}{}:{}", port(value.min), port(value.max))?;
        }
    }
    Ok(())
}

/// Whether a condition on ports differs from none at all.
pub(super) fn asks(ports: &Option<Not<Ports>>) -> bool {
    says_something(ports).is_some()
}

impl UdpMatch {
    /// Whether nf_tables compares the ports itself. iptables `add_nft_udp`.
    pub(crate) fn is_native(&self) -> bool {
        asks(&self.sport) || asks(&self.dport)
    }
}

impl Extension for UdpMatch {
    const OPTIONS: &'static [Opt] =
        &[negatable("source-port"), negatable("sport"), negatable("destination-port"), negatable("dport")];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let (sport, dport) = parse_ports(args, Proto::UDP)?;
        let this = Self { sport, dport };
        if this.is_native() && args.named_proto != Some(Proto::UDP) {
            return Err(ArgError::said("UDP match requires '-p udp'"));
        }
        Ok(this)
    }

    fn matches(&self, _: &mut EvalCx<'_>, skb: &Skb) -> bool {
        skb.ip().proto() == Proto::UDP
            && transport::ports(skb.ip()).is_some_and(|ports| ports_match(&self.sport, &self.dport, ports))
    }

    fn check(&self, site: &RuleSite<'_>) -> Result<(), Refused> {
        let named = site.rule.selector.proto.as_ref();
        let fits = named.is_some_and(|p| p.value == Proto::UDP && !p.invert);
        if fits || self.is_native() { Ok(()) } else { Err(Refused::Invalid) }
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, numeric: bool) -> fmt::Result {
        f.write_str(" udp")?;
        list_ports(f, &self.sport, &self.dport, Proto::UDP, numeric)
    }
}

impl fmt::Display for UdpMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        save_ports(f, &self.sport, &self.dport)
    }
}
