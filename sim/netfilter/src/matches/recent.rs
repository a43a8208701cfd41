use std::fmt::{self, Write};
use std::net::{IpAddr, Ipv4Addr};

use packet::{HZ, SimTime, Skb};

use super::{Extension, bang};
use crate::args::{ArgError, Args, Opt, flag, value};
use crate::shared::jiffies;
use crate::{EvalCx, Held, Refused, RuleSite, Shared};

/// `-m recent`: addresses that were seen lately, in a table with a name.
/// Kernel: `net/netfilter/xt_recent.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent {
    /// `!`.
    pub invert: bool,
    /// What is done.
    pub operation: Operation,
    /// `--seconds`; 0 for any time.
    pub seconds: u32,
    /// `--reap`.
    pub reap: bool,
    /// `--hitcount`; 0 for any number.
    pub hitcount: u32,
    /// `--rttl`.
    pub rttl: bool,
    /// `--name`.
    pub name: String,
    /// `--mask`.
    pub mask: Ipv4Addr,
    /// Which address is looked up.
    pub side: Side,
}

/// What a rule does with its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `--set`: enters the address.
    Set,
    /// `--rcheck`: looks it up.
    Check,
    /// `--update`: looks it up and, if it is there, notes the time.
    Update,
    /// `--remove`: takes it out.
    Remove,
}

/// Which address of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `--rsource`.
    Source,
    /// `--rdest`.
    Destination,
}

const OPERATIONS: [(&str, &str, Operation); 4] = [
    ("set", "SET", Operation::Set),
    ("rcheck", "CHECK", Operation::Check),
    ("update", "UPDATE", Operation::Update),
    ("remove", "REMOVE", Operation::Remove),
];

/// Addresses a table holds. Kernel: parameter `ip_list_tot`.
const LIST_TOT: usize = 100;
/// Times kept for an address if no rule asks for more. Kernel: `recent_mt_check`.
const STAMPS: usize = 32;
/// Kernel: `XT_RECENT_MAX_NSTAMPS`.
const MAX_STAMPS: u32 = 65_536;

/// A table of addresses. Kernel: `struct recent_table`.
#[derive(Clone, Debug)]
pub struct RecentTable {
    mask: Ipv4Addr,
    /// Times kept for an address: a power of two.
    stamps_max: usize,
    /// In the order they came.
    entries: Vec<Entry>,
    uses: u64,
}

/// Kernel: `struct recent_entry`.
#[derive(Clone, Debug)]
struct Entry {
    addr: IpAddr,
    ttl: u8,
    /// Where the next time goes.
    index: usize,
    stamps: Vec<u64>,
    /// Orders entries by last use. Kernel: `lru_list`.
    used: u64,
}

/// What is written to /proc/net/xt_recent/NAME.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecentWrite {
    /// `+ADDR`.
    Add(Ipv4Addr),
    /// `-ADDR`.
    Remove(Ipv4Addr),
    /// `/`.
    Flush,
}

impl RecentWrite {
    /// Reads the text written; `None` if it is none of the three. Kernel: `recent_mt_proc_write`.
    pub fn parse(text: &str) -> Option<Self> {
        let addr = |rest: &str| rest.split('\n').next().and_then(|addr| addr.parse().ok());
        match text.chars().next()? {
            '/' => Some(Self::Flush),
            '+' => addr(&text[1..]).map(Self::Add),
            '-' => addr(&text[1..]).map(Self::Remove),
            _ => None,
        }
    }
}

/// As it is written.
impl fmt::Display for RecentWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Add(addr) => write!(f, "+{addr}"),
            Self::Remove(addr) => write!(f, "-{addr}"),
            Self::Flush => f.write_str("/"),
        }
    }
}

impl RecentTable {
    fn new(mask: Ipv4Addr, stamps_max: usize) -> Self {
        Self { mask, stamps_max, entries: Vec::new(), uses: 0 }
    }

    fn next_use(&mut self) -> u64 {
        self.uses += 1;
        self.uses
    }

    /// Kernel: `recent_entry_lookup`.
    fn find(&self, addr: IpAddr, ttl: u8) -> Option<usize> {
        let same = |e: &Entry| e.addr == addr && (ttl == e.ttl || ttl == 0 || e.ttl == 0);
        self.entries.iter().position(same)
    }

    /// The entry used longest ago.
    fn oldest(&self) -> Option<usize> {
        self.entries.iter().enumerate().min_by_key(|(_, entry)| entry.used).map(|(at, _)| at)
    }

    /// Kernel: `recent_entry_init`.
    fn enter(&mut self, addr: IpAddr, ttl: u8, now: u64) {
        if self.entries.len() >= LIST_TOT
            && let Some(oldest) = self.oldest()
        {
            self.entries.remove(oldest);
        }
        let used = self.next_use();
        self.entries.push(Entry { addr, ttl, index: 1, stamps: vec![now], used });
    }

    /// Kernel: `recent_entry_update`.
    fn touch(&mut self, at: usize, now: u64) {
        let used = self.next_use();
        let stamps_max = self.stamps_max;
        let Some(entry) = self.entries.get_mut(at) else { return };
        entry.index &= stamps_max - 1;
        match entry.stamps.get_mut(entry.index) {
            Some(stamp) => *stamp = now,
            None => entry.stamps.push(now),
        }
        entry.index += 1;
        entry.used = used;
    }

    /// Forgets the entry used longest ago if it is older than `time`; answers where the one at
    /// `working` is now. Kernel: `recent_entry_reap`.
    fn reap(&mut self, time: u64, working: usize, update: bool) -> usize {
        let Some(oldest) = self.oldest() else { return working };
        if oldest == working && update {
            return working;
        }
        let last = self.entries.get(oldest).and_then(|e| e.stamps.get(e.index.wrapping_sub(1)).copied());
        if last.is_some_and(|last| last < time) {
            self.entries.remove(oldest);
            return if oldest < working { working - 1 } else { working };
        }
        working
    }

    /// Carries out what was written to the table's file. Kernel: `recent_mt_proc_write`.
    pub fn write(&mut self, write: RecentWrite, now: SimTime) {
        let now = jiffies(now);
        match write {
            RecentWrite::Flush => self.entries.clear(),
            RecentWrite::Add(addr) => match self.find(addr.into(), 0) {
                Some(at) => self.touch(at, now),
                None => self.enter(addr.into(), 0, now),
            },
            RecentWrite::Remove(addr) => {
                if let Some(at) = self.find(addr.into(), 0) {
                    self.entries.remove(at);
                }
            }
        }
    }

    /// The text of the table's file. Kernel: `recent_seq_show`.
    ///
    /// Simplified: in the order the addresses came; the kernel's is that of a hash with a random key.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for Entry { addr, ttl, index, stamps, .. } in &self.entries {
            let last = stamps.get((index.wrapping_sub(1)) & (self.stamps_max - 1)).copied().unwrap_or(0);
            let stamps: Vec<String> = stamps.iter().map(u64::to_string).collect();
            let _ = writeln!(
                text,
                "src={addr} ttl: {ttl} last_seen: {last} oldest_pkt: {index} {}",
                stamps.join(", ")
            );
        }
        text
    }
}

impl Recent {
    fn stamps_max(&self) -> usize {
        if self.hitcount == 0 { STAMPS } else { (self.hitcount as usize).next_power_of_two() }
    }
}

/// Bytes of a table's name. Kernel: `XT_RECENT_NAME_LEN` less the final zero.
const MAX_NAME_LEN: usize = 199;

impl Extension for Recent {
    const OPTIONS: &'static [Opt] = &[
        flag("set").or_not().excludes(&["rcheck", "update", "remove"]),
        flag("rcheck").or_not().excludes(&["set", "update", "remove"]),
        flag("update").or_not().excludes(&["set", "rcheck", "remove"]),
        flag("remove").or_not().excludes(&["set", "rcheck", "update"]),
        value("seconds"),
        flag("reap").needs(&["seconds"]),
        value("hitcount"),
        flag("rttl").excludes(&["set", "remove"]),
        value("name"),
        flag("rsource"),
        flag("rdest"),
        value("mask"),
    ];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let max = u64::from(u32::MAX);
        let seconds = args.optional_number("seconds", 1, max)?.unwrap_or(0) as u32;
        let hitcount = args.optional_number("hitcount", 0, max)?.unwrap_or(0) as u32;
        let mask = match args.take("mask")? {
            Some(given) => args.host(&given)?,
            None => Ipv4Addr::BROADCAST,
        };
        let mut name = args.take("name")?.map_or("DEFAULT".to_owned(), |given| given.text().to_owned());
        name.truncate(name.floor_char_boundary(MAX_NAME_LEN));
        let (reap, rttl) = (args.has("reap")?, args.has("rttl")?);
        let mut side = Side::Source;
        for given in args.given.iter().filter(|given| matches!(given.name, "rsource" | "rdest")) {
            side = if given.name == "rdest" { Side::Destination } else { Side::Source };
        }
        let mut chosen = None;
        for (option, _, operation) in OPERATIONS {
            if let Some(given) = args.take(option)? {
                chosen = chosen.or(Some((given.invert, operation)));
            }
        }
        let Some((invert, operation)) = chosen else {
            return Err(ArgError::said(
                "recent: you must specify one of `--set', `--rcheck' `--update' or `--remove'",
            ));
        };
        args.check(Self::OPTIONS)?;
        Ok(Self { invert, operation, seconds, reap, hitcount, rttl, name, mask, side })
    }

    fn matches(&self, cx: &mut EvalCx<'_>, skb: &Skb) -> bool {
        let packet = skb.ip();
        let now = jiffies(cx.now);
        let Some(table) = cx.shared.recent.get_mut(&self.name) else { return false };
        let addr = match self.side {
            Side::Source => packet.src(),
            Side::Destination => packet.dst(),
        };
        let addr = match addr {
            IpAddr::V4(addr) => IpAddr::V4(Ipv4Addr::from_bits(addr.to_bits() & table.mask.to_bits())),
            IpAddr::V6(_) => addr,
        };
        // The TTL as it was before forwarding.
        let forwarded = cx.outdev.is_some() && skb.sk == packet::SkOwner::None;
        let ttl = if forwarded { packet.ttl.wrapping_add(1) } else { packet.ttl };
        let Some(mut at) = table.find(addr, if self.rttl { ttl } else { 0 }) else {
            if self.operation == Operation::Set {
                table.enter(addr, ttl, now);
                return !self.invert;
            }
            return self.invert;
        };
        let (found, update) = match self.operation {
            Operation::Set => (true, true),
            Operation::Remove => {
                table.entries.remove(at);
                return !self.invert;
            }
            Operation::Check | Operation::Update => {
                let time = now.saturating_sub(u64::from(self.seconds) * HZ);
                let seen = |stamp: &&u64| self.seconds == 0 || time <= **stamp;
                let hits = table.entries.get(at).map_or(0, |e| e.stamps.iter().filter(seen).count());
                let found = hits >= (self.hitcount as usize).max(1);
                let update = self.operation == Operation::Update && (found != self.invert);
                if self.reap {
                    at = table.reap(time, at, update);
                }
                (found, update)
            }
        };
        if update {
            table.touch(at, now);
            if let Some(entry) = table.entries.get_mut(at) {
                entry.ttl = ttl;
            }
        }
        found != self.invert
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        f.write_str(if self.invert { " ! recent:" } else { " recent:" })?;
        if let Some((_, listed, _)) = OPERATIONS.iter().find(|(.., operation)| *operation == self.operation) {
            write!(f, " {listed}")?;
        }
        if self.seconds != 0 {
            write!(f, " seconds: {}", self.seconds as i32)?;
        }
        if self.reap {
            f.write_str(" reap")?;
        }
        if self.hitcount != 0 {
            write!(f, " hit_count: {}", self.hitcount)?;
        }
        if self.rttl {
            f.write_str(" TTL-Match")?;
        }
        let side = if self.side == Side::Source { "source" } else { "dest" };
        write!(f, " name: {} side: {side} mask: {}", self.name, self.mask)
    }

    fn check(&self, _: &RuleSite<'_>) -> Result<(), Refused> {
        let plain = matches!(self.operation, Operation::Set | Operation::Remove);
        if plain && (self.seconds != 0 || self.hitcount != 0 || self.rttl || self.reap)
            || self.hitcount >= MAX_STAMPS
            // Kernel: `xt_check_proc_name`.
            || matches!(self.name.as_str(), "" | "." | "..")
            || self.name.contains('/')
        {
            return Err(Refused::Invalid);
        }
        Ok(())
    }

    fn held(&self) -> Option<Held> {
        Some(Held::Recent(self.name.clone()))
    }

    fn install(&self, shared: &mut Shared) {
        let stamps_max = self.stamps_max();
        let table =
            shared.recent.entry(self.name.clone()).or_insert_with(|| RecentTable::new(self.mask, stamps_max));
        if stamps_max > table.stamps_max {
            table.entries.clear();
            table.stamps_max = stamps_max;
        }
    }
}

impl fmt::Display for Recent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((option, ..)) = OPERATIONS.iter().find(|(.., operation)| *operation == self.operation) {
            write!(f, " {}--{option}", bang(self.invert))?;
        }
        if self.seconds != 0 {
            write!(f, " --seconds {}", self.seconds as i32)?;
        }
        if self.reap {
            f.write_str(" --reap")?;
        }
        if self.hitcount != 0 {
            write!(f, " --hitcount {}", self.hitcount)?;
        }
        if self.rttl {
            f.write_str(" --rttl")?;
        }
        let side = if self.side == Side::Source { "rsource" } else { "rdest" };
        write!(f, " --name {} --mask {} --{side}", self.name, self.mask)
    }
}
