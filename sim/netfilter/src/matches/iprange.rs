use std::fmt;
use std::net::IpAddr;

use packet::Skb;

use super::{Extension, bang};
use crate::EvalCx;
use crate::args::{ArgError, Args, Opt, negatable};
use crate::selector::{Not, short_address};

/// `-m iprange`: addresses from one to another.
/// Kernel: `net/netfilter/xt_iprange.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Iprange {
    /// `--src-range`.
    pub src: Option<Not<(IpAddr, IpAddr)>>,
    /// `--dst-range`.
    pub dst: Option<Not<(IpAddr, IpAddr)>>,
}

impl Extension for Iprange {
    const OPTIONS: &'static [Opt] = &[negatable("src-range"), negatable("dst-range")];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let mut range = |name| {
            let Some(given) = args.take(name)? else { return Ok(None) };
            // An address may be short here, as in `-s`.
            let (low, high) = given.text().split_once('-').unwrap_or((given.text(), given.text()));
            let bad = |text: &str| ArgError::Value {
                extension: "iprange",
                option: name,
                text: text.to_owned(),
            };
            let read = |text: &str| short_address(text).map(IpAddr::V4).ok_or_else(|| bad(text));
            let value = (read(low)?, read(high)?);
            if value.0 > value.1 {
                let range = format!("{}-{}", value.0, value.1);
                args.warnings.push(format!("xt_iprange: range {range} is reversed and will never match"));
            }
            Ok(Some(Not { invert: given.invert, value }))
        };
        let (src, dst) = (range("src-range")?, range("dst-range")?);
        if src.is_none() && dst.is_none() {
            return Err(ArgError::said("iprange match: You must specify `--src-range' or `--dst-range'"));
        }
        Ok(Self { src, dst })
    }

    fn matches(&self, _: &mut EvalCx<'_>, skb: &Skb) -> bool {
        let fits = |range: &Option<Not<(IpAddr, IpAddr)>>, addr: IpAddr| {
            range.as_ref().is_none_or(|Not { invert, value: (low, high) }| (*low <= addr && addr <= *high) != *invert)
        };
        fits(&self.src, skb.ip().src()) && fits(&self.dst, skb.ip().dst())
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        for (name, range) in [("source", &self.src), ("destination", &self.dst)] {
            if let Some(Not { invert, value: (low, high) }) = range {
                write!(f, " {name} IP range {}{low}-{high}", bang(*invert))?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Iprange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, range) in [("src", &self.src), ("dst", &self.dst)] {
            if let Some(Not { invert, value: (low, high) }) = range {
                write!(f, " {}--{name}-range {low}-{high}", bang(*invert))?;
            }
        }
        Ok(())
    }
}
