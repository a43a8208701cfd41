use std::collections::btree_map::Entry;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use packet::{CtInfo, CtRef, SimTime, Skb, Tuple};

use super::Extension;
use crate::args::{ArgError, Args, Opt, flag, negatable, value};
use crate::conntrack::{Conn, Conntrack, ProtoState, TcpState, Template, Zone, tuple_of};
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
        let count = self.count(cx, skb);
        cx.hotdrop = count == 0;
        count != 0 && (count > self.limit as usize) != self.upto
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        let side = if self.by_destination { "dst" } else { "src" };
        let compare = if self.upto { "<=" } else { ">" };
        write!(f, " #conn {side}/{} {compare} {}", self.mask, self.limit)
    }
}

impl Connlimit {
    /// How many connections the list of the packet's address has, with the packet's own; 0 drops it.
    /// Kernel: `count_tree`, `insert_tree`.
    fn count(&self, cx: &mut EvalCx<'_>, skb: &Skb) -> usize {
        let Some((own, age)) = own(cx, skb) else { return 0 };
        let Memory([list, _]) = cx.memory;
        let list = if list == 0 { cx.shared.new_list() } else { list };
        cx.memory = Memory([list, 0]);
        let addr = masked(if self.by_destination { skb.ip().dst() } else { skb.ip().src() }, self.mask);
        let tick = cx.now.jiffies();
        let lists = cx.shared.connlimit.entry(list).or_default();
        match lists.entry((addr, own.1.id)) {
            Entry::Vacant(place) => place.insert(ConnList { conns: vec![own], last_gc: tick }).conns.len(),
            Entry::Occupied(place) => {
                let list = place.into_mut();
                match age {
                    Age::New if list.last_gc == tick => list.conns.push(own),
                    Age::New | Age::Confirmed => list.add(own, cx.conntrack, cx.now),
                    Age::Assured if list.last_gc == tick => {}
                    Age::Assured => list.collect(cx.conntrack, cx.now),
                }
                list.conns.len()
            }
        }
    }
}

/// How far a packet's connection is.
enum Age {
    /// Not confirmed, or none.
    New,
    Confirmed,
    Assured,
}

/// What stands for the packet in a list. Kernel: `get_ct_or_tuple_from_skb`.
fn own(cx: &mut EvalCx<'_>, skb: &Skb) -> Option<((Tuple, Zone), Age)> {
    let conntrack = &mut *cx.conntrack;
    let (tuple, zone, found) = match skb.ct {
        None | Some(CtRef { info: CtInfo::Untracked | CtInfo::Template, .. }) => {
            let zone = match skb.ct {
                Some(CtRef { info: CtInfo::Template, conn }) => Template::unpack(conn.0).zone,
                _ => Zone::default(),
            };
            let tuple = tuple_of(skb.ip())?;
            (tuple, zone, conntrack.find(&tuple, zone, cx.now).map(|(id, _)| id))
        }
        Some(ct) => {
            let conn = conntrack.get(ct.conn)?;
            (conn.original, conn.zone, Some(ct.conn))
        }
    };
    Some(match found.and_then(|id| conntrack.get(id)) {
        None => ((tuple, zone), Age::New),
        Some(conn) => {
            let age = match (conn.confirmed, conn.assured) {
                (false, _) => Age::New,
                (true, false) => Age::Confirmed,
                (true, true) => Age::Assured,
            };
            ((conn.original, conn.zone), age)
        }
    })
}

impl ConnList {
    /// Adds what isn't there yet. What follows it in the list isn't looked at.
    /// Kernel: `__nf_conncount_add`.
    ///
    /// Simplified: there is one processor, so what isn't confirmed yet is taken out and added again.
    fn add(&mut self, own: (Tuple, Zone), conntrack: &mut Conntrack, now: SimTime) {
        let mut at = 0;
        while let Some(conn) = self.conns.get(at) {
            match conntrack.find(&conn.0, conn.1, now).and_then(|(id, _)| conntrack.get(id)) {
                Some(_) if *conn == own => return,
                Some(found) if is_open(found) => at += 1,
                Some(_) | None => drop(self.conns.remove(at)),
            }
        }
        self.last_gc = now.jiffies();
        self.conns.push(own);
    }

    /// Takes out what is gone. Kernel: `__nf_conncount_gc_list`.
    fn collect(&mut self, conntrack: &mut Conntrack, now: SimTime) {
        self.conns.retain(|(tuple, zone)| {
            let found = conntrack.find(tuple, *zone, now);
            found.and_then(|(id, _)| conntrack.get(id)).is_some_and(is_open)
        });
        self.last_gc = now.jiffies();
    }
}

/// Kernel: `already_closed`.
fn is_open(conn: &Conn) -> bool {
    !matches!(&conn.proto, ProtoState::Tcp(tcp) if matches!(tcp.state, TcpState::TimeWait | TcpState::Close))
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
