use std::fmt;

use packet::Skb;

use super::Extension;
use crate::args::{ArgError, Args, Opt, negatable, value};
use crate::conntrack::CtCounter;
use crate::{EvalCx, Held, Shared};

/// `-m connbytes`: what a connection has carried so far.
/// Kernel: `net/netfilter/xt_connbytes.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connbytes {
    /// Least and greatest value; the other way round for what is outside.
    pub range: (u64, u64),
    /// What is counted.
    pub what: What,
    /// In which direction.
    pub direction: Direction,
}

/// `--connbytes-mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Packets.
    Packets,
    /// Bytes.
    Bytes,
    /// Bytes of a packet on average.
    Average,
}

/// `--connbytes-dir`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// As the first packet.
    Original,
    /// The answers.
    Reply,
    /// Both together.
    Both,
}

const MODES: [(&str, What); 3] =
    [("packets", What::Packets), ("bytes", What::Bytes), ("avgpkt", What::Average)];
const DIRECTIONS: [(&str, Direction); 3] =
    [("original", Direction::Original), ("reply", Direction::Reply), ("both", Direction::Both)];

fn named<T: Copy>(names: &[(&str, T)], option: &str, text: &str) -> Result<T, ArgError> {
    let found = names.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.ok_or_else(|| ArgError::said(format!("Unknown --{option} `{text}'")))
}

impl Extension for Connbytes {
    const OPTIONS: &'static [Opt] = &[
        negatable("connbytes").mandatory(),
        value("connbytes-dir").mandatory(),
        value("connbytes-mode").mandatory(),
    ];
    const CONNTRACK: bool = true;

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let mut range = (0, u64::MAX);
        if let Some(given) = args.take("connbytes")? {
            let (from, to) = args.bounds(&given, u64::MAX)?;
            let to = to.unwrap_or(u64::MAX);
            if to < from {
                return Err(ArgError::said(format!("{from} should be less than {to}")));
            }
            range = if given.invert { (to, from) } else { (from, to) };
        }
        let direction = args.take("connbytes-dir")?;
        let direction =
            direction.map(|given| named(&DIRECTIONS, "connbytes-dir", given.text())).transpose()?;
        let what = args.take("connbytes-mode")?;
        let what = what.map(|given| named(&MODES, "connbytes-mode", given.text())).transpose()?;
        args.check(Self::OPTIONS)?;
        let (what, direction) = (what.unwrap_or(What::Packets), direction.unwrap_or(Direction::Original));
        Ok(Self { range, what, direction })
    }

    fn matches(&self, cx: &mut EvalCx<'_>, skb: &Skb) -> bool {
        let Some([original, reply]) = cx.conntrack.of(skb).and_then(|(conn, _)| conn.acct.as_deref().copied())
        else {
            return false;
        };
        let CtCounter { packets, bytes } = match self.direction {
            Direction::Original => original,
            Direction::Reply => reply,
            Direction::Both => CtCounter {
                packets: original.packets + reply.packets,
                bytes: original.bytes + reply.bytes,
            },
        };
        let seen = match self.what {
            What::Packets => packets,
            What::Bytes => bytes,
            What::Average => bytes.checked_div(packets).unwrap_or(0),
        };
        let (from, to) = self.range;
        if to >= from { (from..=to).contains(&seen) } else { seen < to || seen > from }
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        self.write_range(f, "")?;
        write!(f, " connbytes mode {} connbytes direction {}", self.mode(), self.side())
    }

    fn held(&self) -> Option<Held> {
        Some(Held::Accounting)
    }

    fn install(&self, shared: &mut Shared) {
        shared.wants_accounting = true;
    }
}

impl Connbytes {
    fn mode(&self) -> &'static str {
        MODES.iter().find(|(_, what)| *what == self.what).map_or("", |(name, _)| name)
    }

    fn side(&self) -> &'static str {
        DIRECTIONS.iter().find(|(_, side)| *side == self.direction).map_or("", |(name, _)| name)
    }

    fn write_range(&self, f: &mut fmt::Formatter<'_>, dashes: &str) -> fmt::Result {
        let (from, to) = self.range;
        let (not, from, to) = if from > to { (" !", to, from) } else { ("", from, to) };
        write!(f, "{not} {dashes}connbytes {from}")?;
        if to != 0 && to < u64::MAX { write!(f, ":{to}") } else { Ok(()) }
    }
}

impl fmt::Display for Connbytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_range(f, "--")?;
        write!(f, " --connbytes-mode {} --connbytes-dir {}", self.mode(), self.side())
    }
}
