use std::fmt;

use packet::{PktType, Skb};

use super::{Extension, bang, mark_of};
use crate::EvalCx;
use crate::args::{ArgError, Args, Opt, negatable};

/// `-m pkttype --pkt-type unicast|broadcast|multicast`: whom the frame was addressed to.
/// Kernel: `net/netfilter/xt_pkttype.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pkttype {
    /// `!`.
    pub invert: bool,
    /// The type.
    pub pkt_type: PktType,
}

const fn name(pkt_type: PktType) -> &'static str {
    match pkt_type {
        PktType::Broadcast => "broadcast",
        PktType::Multicast => "multicast",
        PktType::Host | PktType::OtherHost | PktType::Outgoing | PktType::Loopback => "unicast",
    }
}

impl Extension for Pkttype {
    const OPTIONS: &'static [Opt] = &[negatable("pkt-type")];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let given = args.require("pkt-type")?;
        let pkt_type = match given.text().to_ascii_lowercase().as_str() {
            "unicast" | "host" => PktType::Host,
            "broadcast" | "bcast" => PktType::Broadcast,
            "multicast" | "mcast" => PktType::Multicast,
            _ => return Err(ArgError::said(format!("Bad packet type '{}'", given.text()))),
        };
        Ok(Self { invert: given.invert, pkt_type })
    }

    fn matches(&self, _: &mut EvalCx<'_>, skb: &Skb) -> bool {
        let seen = match skb.pkt_type {
            // What a device looped back is judged by its destination. Kernel: `pkttype_mt`.
            PktType::Loopback => match skb.ip().dst() {
                std::net::IpAddr::V4(dst) if dst.is_multicast() => PktType::Multicast,
                std::net::IpAddr::V6(dst) if dst.is_multicast() => PktType::Multicast,
                _ => PktType::Broadcast,
            },
            other => other,
        };
        (seen == self.pkt_type) != self.invert
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        write!(f, " PKTTYPE {}= {}", mark_of(self.invert), name(self.pkt_type))
    }
}

impl fmt::Display for Pkttype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {}--pkt-type {}", bang(self.invert), name(self.pkt_type))
    }
}
