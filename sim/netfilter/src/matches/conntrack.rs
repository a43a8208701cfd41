use std::fmt;
use std::net::IpAddr;

use packet::{Proto, Skb};

use super::{Extension, bang};
use crate::args::{ArgError, Args, Given, Opt, Ports, abbreviated, names_between_commas, negatable, value};
use crate::conntrack::{Conn, Dir, StateSet, port_keys};
use crate::selector::{AddrMask, Not};
use crate::{EvalCx, names};

/// `-m conntrack`: what is known of the packet's connection.
/// Kernel: `net/netfilter/xt_conntrack.c`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConntrackMatch {
    /// `--ctstate`.
    pub states: Option<Not<StateSet>>,
    /// `--ctproto`.
    pub proto: Option<Not<Proto>>,
    /// `--ctorigsrc`, `--ctorigdst`, `--ctreplsrc`, `--ctrepldst`.
    pub addrs: Box<[Option<Not<AddrMask>>; 4]>,
    /// `--ctorigsrcport`, `--ctorigdstport`, `--ctreplsrcport`, `--ctrepldstport`.
    pub ports: [Option<Not<Ports>>; 4],
    /// `--ctstatus`.
    pub status: Option<Not<StatusSet>>,
    /// `--ctexpire`, seconds.
    pub expire: Option<Not<(u64, u64)>>,
    /// `--ctdir`.
    pub dir: Option<Dir>,
}

/// A set of connection flags. Kernel: `IPS_*`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusSet(u8);

const STATUSES: [(&str, u8); 4] = [("EXPECTED", 1), ("SEEN_REPLY", 2), ("ASSURED", 4), ("CONFIRMED", 8)];

impl StatusSet {
    fn parse(text: &str) -> Result<Self, ArgError> {
        let mut set = 0;
        let read = names_between_commas(text, |name| {
            let none = abbreviated(&[("NONE", 0)], name).is_some();
            let status = abbreviated(&STATUSES, name).filter(|_| !none);
            set |= status.map_or(0, |at| STATUSES[at].1);
            none || status.is_some()
        });
        match read {
            Ok(()) => Ok(Self(set)),
            Err(rest) => Err(ArgError::said(format!("Bad ctstatus \"{rest}\""))),
        }
    }

    fn of(conn: &Conn) -> Self {
        let mut set = 0;
        for (bit, on) in [(2, conn.seen_reply), (4, conn.assured), (8, conn.confirmed)] {
            if on {
                set |= bit;
            }
        }
        Self(set)
    }
}

impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = STATUSES.iter().filter(|(_, bit)| self.0 & bit != 0).map(|(name, _)| *name).collect();
        f.write_str(if names.is_empty() { "NONE".to_owned() } else { names.join(",") }.as_str())
    }
}

const ADDRS: [&str; 4] = ["ctorigsrc", "ctorigdst", "ctreplsrc", "ctrepldst"];
const PORTS: [&str; 4] = ["ctorigsrcport", "ctorigdstport", "ctreplsrcport", "ctrepldstport"];

impl Extension for ConntrackMatch {
    const OPTIONS: &'static [Opt] = &[
        negatable("ctstate"),
        negatable("ctproto"),
        negatable("ctorigsrc"),
        negatable("ctorigdst"),
        negatable("ctreplsrc"),
        negatable("ctrepldst"),
        negatable("ctorigsrcport"),
        negatable("ctorigdstport"),
        negatable("ctreplsrcport"),
        negatable("ctrepldstport"),
        negatable("ctstatus"),
        negatable("ctexpire"),
        value("ctdir"),
    ];
    const CONNTRACK: bool = true;

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        if args.given.is_empty() {
            return Err(ArgError::said("conntrack: At least one option is required"));
        }
        fn not<T>(
            given: Option<Given>,
            read: impl FnOnce(&Given) -> Result<T, ArgError>,
        ) -> Result<Option<Not<T>>, ArgError> {
            given.map(|given| Ok(Not { invert: given.invert, value: read(&given)? })).transpose()
        }
        let mut this = Self::default();
        let given = args.take("ctstate")?;
        this.states = not(given, |g| {
            StateSet::parse(g.text()).map_err(|word| ArgError::said(format!("Bad ctstate \"{word}\"")))
        })?;
        let given = args.take("ctproto")?;
        this.proto = not(given, |g| {
            names::protocol_number(g.text()).ok_or_else(|| ArgError::Protocol(g.text().to_owned()))
        })?;
        for (slot, name) in this.addrs.iter_mut().zip(ADDRS) {
            *slot = not(args.take(name)?, |g| args.host_mask(g))?;
        }
        for (slot, name) in this.ports.iter_mut().zip(PORTS) {
            *slot = not(args.take(name)?, |g| args.any_ports(g))?;
        }
        this.status = not(args.take("ctstatus")?, |g| StatusSet::parse(g.text()))?;
        let given = args.take("ctexpire")?;
        this.expire = not(given, |g| args.range(g, u64::from(u32::MAX)))?;
        this.dir = match args.take("ctdir")? {
            None => None,
            Some(given) if given.text().eq_ignore_ascii_case("ORIGINAL") => Some(Dir::Original),
            Some(given) if given.text().eq_ignore_ascii_case("REPLY") => Some(Dir::Reply),
            Some(given) => return Err(args.bad(&given)),
        };
        Ok(this)
    }

    fn matches(&self, cx: &mut EvalCx<'_>, skb: &Skb) -> bool {
        let Self { states, proto, addrs, ports, status, expire, dir } = self;
        if let Some(Not { invert, value }) = states
            && value.intersects(cx.conntrack.state_of(skb)) == *invert
        {
            return false;
        }
        // A packet without a connection fits by its state, whatever else is asked of it.
        let Some((conn, packet_dir)) = cx.conntrack.of(skb) else { return states.is_some() };
        let (orig, reply) = (&conn.original, &conn.reply);
        let addr: [IpAddr; 4] = [orig.src, orig.dst, reply.src, reply.dst];
        let (orig_ports, reply_ports) = (port_keys(orig), port_keys(reply));
        let port = [orig_ports.0, orig_ports.1, reply_ports.0, reply_ports.1];
        dir.is_none_or(|dir| dir == packet_dir)
            && proto.as_ref().is_none_or(|p| (p.value == orig.proto) != p.invert)
            && addrs.iter().zip(addr).all(|(a, addr)| a.as_ref().is_none_or(|a| a.value.contains(addr) != a.invert))
            && ports.iter().zip(port).all(|(p, port)| p.as_ref().is_none_or(|p| p.value.contains(port) != p.invert))
            && status.as_ref().is_none_or(|s| (s.value.0 & StatusSet::of(conn).0 != 0) != s.invert)
            && expire.as_ref().is_none_or(|Not { invert, value: (min, max) }| {
                (*min..=*max).contains(&conn.seconds_left(cx.now)) != *invert
            })
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        self.write(f, "")
    }
}

impl ConntrackMatch {
    fn write(&self, f: &mut fmt::Formatter<'_>, dashes: &str) -> fmt::Result {
        let Self { states, proto, addrs, ports, status, expire, dir } = self;
        let saved = !dashes.is_empty();
        if let Some(Not { invert, value }) = states {
            write!(f, " {}{dashes}ctstate {value}", bang(*invert))?;
        }
        if let Some(Not { invert, value }) = proto {
            write!(f, " {}{dashes}ctproto {}", bang(*invert), value.0)?;
        }
        for (addr, name) in addrs.iter().zip(ADDRS) {
            if let Some(Not { invert, value }) = addr {
                // A mask that is no prefix isn't written. Source: iptables 1.8.9
                // `extensions/libxt_conntrack.c`, `conntrack_dump_addr`.
                let text = match value.prefix_len() {
                    None => value.addr.to_string(),
                    Some(len) if saved && len != 32 => value.to_string(),
                    Some(_) => value.listed(),
                };
                write!(f, " {}{dashes}{name} {text}", bang(*invert))?;
            }
        }
        for (port, name) in ports.iter().zip(PORTS) {
            if let Some(Not { invert, value }) = port {
                write!(f, " {}{dashes}{name} {value}", bang(*invert))?;
            }
        }
        if let Some(Not { invert, value }) = status {
            write!(f, " {}{dashes}ctstatus {value}", bang(*invert))?;
        }
        if let Some(Not { invert, value: (min, max) }) = expire {
            write!(f, " {}{dashes}ctexpire {min}", bang(*invert))?;
            if min != max {
                write!(f, ":{max}")?;
            }
        }
        match dir {
            Some(Dir::Original) => write!(f, " {dashes}ctdir ORIGINAL"),
            Some(Dir::Reply) => write!(f, " {dashes}ctdir REPLY"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ConntrackMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, "--")
    }
}
