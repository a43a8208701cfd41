use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use packet::Skb;

use super::Extension;
use crate::args::{ArgError, Args, Opt, flag, negatable, value};
use crate::conntrack::{Conn, ProtoState, TcpState};
use crate::shared::ConnList;
use crate::{EvalCx, Memory};

/// `-m connlimit`: connections of one address or network at a time.
/// Kernel: `net/netfilter/xt_connlimit.c`, `net/netfilter/nf_conncount.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connlimit {
    /// `--connlimit-upto`: fits while there are no more, not when there are.
    pub upto: bool,
    /// Number of connections.
    pub limit: u32,
    /// `--connlimit-mask`, bits.
    pub mask: u8,
    /// `--connlimit-daddr`: counts by destination.
    pub by_destination: bool,
}

impl Extension for Connlimit {
    const REMEMBERS: bool = true;
    const OPTIONS: &'static [Opt] = &[
        negatable("connlimit-upto").excludes(&["connlimit-above"]),
        negatable("connlimit-above").excludes(&["connlimit-upto"]),
        value("connlimit-mask"),
        flag("connlimit-saddr").excludes(&["connlimit-daddr"]),
        flag("connlimit-daddr").excludes(&["connlimit-saddr"]),
    ];
    const CONNTRACK: bool = true;

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let mut chosen = None;
        for option in ["connlimit-upto", "connlimit-above"] {
            if let Some(given) = args.take(option)? {
                let limit = args.number(&given, 0, u64::from(u32::MAX))? as u32;
                chosen = Some((given.invert != (option == "connlimit-upto"), limit));
            }
        }
        let mask = match args.take("connlimit-mask")? {
            Some(given) => args.network_mask(&given)?,
            None => 32,
        };
        let by_destination = args.has("connlimit-daddr")?;
        let Some((upto, limit)) = chosen else {
            return Err(ArgError::said(
                "You must specify \"--connlimit-above\" or \"--connlimit-upto\".",
            ));
        };
        args.check(Self::OPTIONS)?;
        Ok(Self { upto, limit, mask, by_destination })
    }

    fn matches(&self, cx: &mut EvalCx<'_>, skb: &Skb) -> bool {
        let Some(conn) = cx.conntrack.of(skb).map(|(conn, _)| conn.id) else {
            // Simplified: an untracked packet isn't counted by its addresses.
            cx.hotdrop = true;
            return false;
        };
        let Memory([list, _]) = cx.memory;
        let list = if list == 0 { cx.shared.new_list() } else { list };
        cx.memory = Memory([list, 0]);
        let key = masked(if self.by_destination { skb.ip().dst() } else { skb.ip().src() }, self.mask);
        let ConnList { conns, last_gc } = cx.shared.connlimit.entry(list).or_default().entry(key).or_default();
        let tick = Some(cx.now.jiffies());
        if *last_gc == tick {
            // Looked through in this tick already: counted, be it there or not.
            conns.push(conn);
        } else {
            let conntrack = &*cx.conntrack;
            conns.retain(|id| *id == conn || conntrack.get(*id).is_some_and(is_open));
            if !conns.contains(&conn) {
                conns.push(conn);
            }
            *last_gc = tick;
        }
        let above = conns.len() > self.limit as usize;
        above != self.upto
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        let side = if self.by_destination { "dst" } else { "src" };
        let compare = if self.upto { "<=" } else { ">" };
        write!(f, " #conn {side}/{} {compare} {}", self.mask, self.limit)
    }
}

/// Kernel: `already_closed`.
fn is_open(conn: &Conn) -> bool {
    conn.confirmed
        && !matches!(&conn.proto, ProtoState::Tcp(tcp) if matches!(tcp.state, TcpState::TimeWait | TcpState::Close))
}

fn masked(addr: IpAddr, len: u8) -> IpAddr {
    match addr {
        IpAddr::V4(addr) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
            Ipv4Addr::from_bits(addr.to_bits() & mask).into()
        }
        IpAddr::V6(_) => addr,
    }
}

impl fmt::Display for Connlimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let option = if self.upto { "upto" } else { "above" };
        let side = if self.by_destination { "daddr" } else { "saddr" };
        write!(f, " --connlimit-{option} {} --connlimit-mask {} --connlimit-{side}", self.limit, self.mask)
    }
}
