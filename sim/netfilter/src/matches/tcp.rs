use std::fmt;

use packet::{Body, Proto, Skb, TcpFlags};

use super::udp::{asks, list_ports, parse_ports, ports_match, save_ports};
use super::{Extension, bang};
use crate::args::{ArgError, Args, Opt, Ports, flag, negatable};
use crate::selector::Not;
use crate::{EvalCx, Refused, RuleSite, transport};

/// `-m tcp`: ports, flags and options of a TCP segment.
/// Kernel: `net/netfilter/xt_tcpudp.c`, `tcp_mt`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TcpMatch {
    /// Source ports.
    pub sport: Option<Not<Ports>>,
    /// Destination ports.
    pub dport: Option<Not<Ports>>,
    /// Number of a TCP option that must be there.
    pub option: Option<Not<u8>>,
    /// Flags looked at and flags that must be set among them.
    pub flags: Option<Not<(TcpFlags, TcpFlags)>>,
}

const FLAGS: [(&str, TcpFlags); 6] = [
    ("FIN", TcpFlags::FIN),
    ("SYN", TcpFlags::SYN),
    ("RST", TcpFlags::RST),
    ("PSH", TcpFlags::PSH),
    ("ACK", TcpFlags::ACK),
    ("URG", TcpFlags::URG),
];

/// Reads `SYN,ACK`, `ALL` or `NONE`.
fn parse_flags(text: &str) -> Result<TcpFlags, ArgError> {
    let mut flags = TcpFlags::default();
    for name in text.split(',').filter(|name| !name.is_empty()) {
        flags = flags
            | match name.to_ascii_uppercase().as_str() {
                "ALL" => TcpFlags(0x3f),
                "NONE" => TcpFlags(0),
                upper => match FLAGS.iter().find(|(flag, _)| *flag == upper) {
                    Some((_, flag)) => *flag,
                    None => return Err(ArgError::said(format!("Unknown TCP flag `{name}'"))),
                },
            };
    }
    Ok(flags)
}

fn flag_names(flags: TcpFlags) -> String {
    let names: Vec<&str> = FLAGS.iter().filter(|(_, flag)| flags.contains(*flag)).map(|(name, _)| *name).collect();
    if names.is_empty() { "NONE".to_owned() } else { names.join(",") }
}

/// Whether the segment carries the option of that number.
fn has_option(skb: &Skb, number: u8) -> bool {
    let Body::Tcp(tcp) = &skb.ip().body else { return false };
    let Some(options) = &tcp.options else { return false };
    match number {
        2 => options.mss.is_some(),
        3 => options.window_scale.is_some(),
        4 => options.sack_permitted,
        5 => !options.sack.is_empty(),
        8 => options.timestamps.is_some(),
        _ => false,
    }
}

impl TcpMatch {
    /// Whether nf_tables compares ports and flags itself; a match that asks nothing or an option
    /// stays `xt_tcp`'s. iptables `add_nft_tcp`.
    pub(crate) fn is_native(&self) -> bool {
        let nothing = (TcpFlags(0), TcpFlags(0));
        let asks = asks(&self.sport)
            || asks(&self.dport)
            || self.flags.as_ref().is_some_and(|flags| flags.invert || flags.value != nothing);
        asks && self.option.is_none()
    }
}

impl Extension for TcpMatch {
    const OPTIONS: &'static [Opt] = &[
        negatable("source-port"),
        negatable("sport"),
        negatable("destination-port"),
        negatable("dport"),
        flag("syn").or_not(),
        Opt { values: 2, ..negatable("tcp-flags") },
        negatable("tcp-option"),
    ];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let (sport, dport) = parse_ports(args, Proto::TCP)?;
        let mut flags = None;
        for given in args.given.iter().filter(|given| matches!(given.name, "syn" | "tcp-flags")) {
            if flags.is_some() {
                return Err(ArgError::said("Only one of `--syn' or `--tcp-flags'  allowed"));
            }
            let value = match given.values.as_slice() {
                [mask, set] => (parse_flags(mask)?, parse_flags(set)?),
                _ => (TcpFlags(0x17), TcpFlags::SYN),
            };
            flags = Some(Not { invert: given.invert, value });
        }
        args.given.retain(|given| !matches!(given.name, "syn" | "tcp-flags"));
        if args.once("tcp-option").is_err() {
            return Err(ArgError::said("Only one `--tcp-option' allowed"));
        }
        let option = match args.take("tcp-option")? {
            Some(given) => {
                let bad = |_| ArgError::said(format!("Bad TCP option \"{}\"", given.text()));
                Some(Not { invert: given.invert, value: args.number(&given, 1, 255).map_err(bad)? as u8 })
            }
            None => None,
        };
        let flags = flags.filter(|flags| flags.invert || flags.value != (TcpFlags(0), TcpFlags(0)));
        let this = Self { sport, dport, option, flags };
        if this.is_native() && args.named_proto != Some(Proto::TCP) {
            return Err(ArgError::said("TCP match requires '-p tcp'"));
        }
        Ok(this)
    }

    fn matches(&self, _: &mut EvalCx<'_>, skb: &Skb) -> bool {
        let packet = skb.ip();
        let Some(flags) = transport::tcp_flags(packet) else { return false };
        transport::ports(packet).is_some_and(|ports| ports_match(&self.sport, &self.dport, ports))
            && self.flags.as_ref().is_none_or(|Not { invert, value: (mask, set) }| {
                (flags.0 & mask.0 == set.0) != *invert
            })
            && self.option.as_ref().is_none_or(|o| has_option(skb, o.value) != o.invert)
    }

    fn check(&self, site: &RuleSite<'_>) -> Result<(), Refused> {
        let named = site.rule.selector.proto.as_ref();
        let fits = named.is_some_and(|p| p.value == Proto::TCP && !p.invert);
        if fits || self.is_native() { Ok(()) } else { Err(Refused::Invalid) }
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, numeric: bool) -> fmt::Result {
        f.write_str(" tcp")?;
        list_ports(f, &self.sport, &self.dport, Proto::TCP, numeric)?;
        if let Some(Not { invert, value }) = &self.option {
            write!(f, " option={}{value}", super::mark_of(*invert))?;
        }
        if let Some(Not { invert, value: (mask, set) }) = &self.flags {
            let not = super::mark_of(*invert);
            if numeric {
                write!(f, " flags:{not}0x{:02X}/0x{:02X}", mask.0, set.0)?;
            } else {
                write!(f, " flags:{not}{}/{}", flag_names(*mask), flag_names(*set))?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for TcpMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        save_ports(f, &self.sport, &self.dport)?;
        if let Some(Not { invert, value }) = &self.option {
            write!(f, " {}--tcp-option {value}", bang(*invert))?;
        }
        if let Some(Not { invert, value: (mask, set) }) = &self.flags {
            write!(f, " {}--tcp-flags {} {}", bang(*invert), flag_names(*mask), flag_names(*set))?;
        }
        Ok(())
    }
}
