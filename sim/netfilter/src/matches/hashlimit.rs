use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::net::Ipv4Addr;

use packet::{HZ, Packet, Proto, SimTime, Skb};

use super::Extension;
use crate::args::{ArgError, Args, Given, Opt, flag, leading_number, negatable, value};
use crate::shared::jiffies;
use crate::{EvalCx, Held, Refused, RuleSite, Shared, transport};

/// `-m hashlimit`: a rate for each address or port, in a table with a name.
/// Kernel: `net/netfilter/xt_hashlimit.c`, revision 3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hashlimit {
    /// `--hashlimit-above`: fits what is over the limit.
    pub above: bool,
    /// `--hashlimit-name`.
    pub name: String,
    /// The rest, which the first rule that names a table lends to it.
    pub config: Config,
}

/// What a table is made with. Kernel: `struct hashlimit_cfg3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What makes a key.
    pub keys: Keys,
    /// The rate counts bytes.
    pub bytes: bool,
    /// `--hashlimit-rate-match`.
    pub rate_match: bool,
    /// Time for one packet in microseconds, or 2^32 divided by units of 16 bytes per second.
    pub avg: u64,
    /// Packets that may pass at once; for bytes, how often a second's credit is filled again.
    pub burst: u64,
    /// `--hashlimit-htable-size`; 0 lets the kernel choose.
    pub size: u32,
    /// `--hashlimit-htable-max`; 0 lets the kernel choose.
    pub max: u32,
    /// `--hashlimit-htable-gcinterval`, milliseconds.
    pub gc_interval: u32,
    /// `--hashlimit-htable-expire`, milliseconds.
    pub expire: u32,
    /// `--hashlimit-srcmask`, bits.
    pub srcmask: u8,
    /// `--hashlimit-dstmask`, bits.
    pub dstmask: u8,
    /// `--hashlimit-rate-interval`, seconds.
    pub interval: u32,
}

/// `--hashlimit-mode`: what makes a key, one bit each in the order of listings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keys(u8);

const KEYS: [&str; 4] = ["srcip", "srcport", "dstip", "dstport"];

impl Keys {
    const SRC_IP: u8 = 1;
    const SRC_PORT: u8 = 2;
    const DST_IP: u8 = 4;
    const DST_PORT: u8 = 8;

    fn parse(text: &str) -> Option<Self> {
        text.split([',', '|']).filter(|name| !name.is_empty()).try_fold(Self(0), |keys, name| {
            KEYS.iter().position(|key| *key == name).map(|bit| Self(keys.0 | 1 << bit))
        })
    }

    const fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }

    fn joined(self, separator: &str) -> String {
        let names: Vec<&str> =
            KEYS.iter().enumerate().filter(|(bit, _)| self.has(1 << bit)).map(|(_, name)| *name).collect();
        names.join(separator)
    }
}

/// Microseconds in a second. Kernel: `XT_HASHLIMIT_SCALE_v2`.
const SCALE: u64 = 1_000_000;
/// Bytes are counted in units of 16. Kernel: `XT_HASHLIMIT_BYTE_SHIFT`.
const BYTE_SHIFT: u32 = 4;
/// The power of two below 2^64 / a day in ticks. Kernel: `CREDITS_PER_JIFFY`.
const CREDITS_PER_JIFFY: u64 = 1 << (u64::MAX / (HZ * 86_400)).ilog2();
/// The power of two below 2^32 / a second in ticks. Kernel: `CREDITS_PER_JIFFY_BYTES`.
const CREDITS_PER_JIFFY_BYTES: u64 = 1 << (u32::MAX as u64 / HZ).ilog2();
/// Kernel: `HASHLIMIT_MAX_SIZE`.
const MAX_SIZE: u32 = 1_048_576;
/// Buckets of a table on a machine with more than 1 GB. Kernel: `htable_create`.
const DEFAULT_SIZE: u32 = 8192;

const LIMITS: [&str; 3] = ["hashlimit-upto", "hashlimit", "hashlimit-above"];
const BURST: u64 = 5;
const BURST_MAX: u64 = 1_000_000;
const GC_INTERVAL: u32 = 1000;
const BYTE_EXPIRE: u64 = 15;
const BYTE_EXPIRE_BURST: u64 = 60;
const RATES: [(&str, u64); 4] = [("day", 86_400), ("hour", 3600), ("min", 60), ("sec", 1)];
const UNITS: [(&str, u64); 3] = [("m", 1024 * 1024), ("k", 1024), ("", 1)];

fn cost_to_bytes(cost: u64) -> u64 {
    let units = u64::from(u32::MAX).checked_div(cost).unwrap_or(u64::from(u32::MAX));
    units.wrapping_sub(1) << BYTE_SHIFT
}

fn bytes_to_cost(bytes: u64) -> u64 {
    let units = (bytes >> BYTE_SHIFT) as u32;
    u64::from(u32::MAX) / u64::from(units.wrapping_add(1).max(1))
}

/// Kernel: `user2credits`.
const fn user2credits(user: u64) -> u64 {
    user.wrapping_mul(HZ * CREDITS_PER_JIFFY / SCALE)
}

/// Kernel: `user2credits_byte`.
const fn user2credits_byte(user: u64) -> u64 {
    ((user & 0xffff_ffff) * HZ * CREDITS_PER_JIFFY_BYTES) >> 32
}

/// The number at the beginning, as `atoll(3)` reads it.
fn leading_decimal(text: &str) -> u64 {
    let text = text.trim_start();
    let len = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..len].parse().unwrap_or(0)
}

fn factor(unit: Option<char>) -> u64 {
    match unit {
        Some('m') => 1024 * 1024,
        Some('k') => 1024,
        _ => 1,
    }
}

/// A rate and the seconds that an entry lives by default.
struct Rate {
    avg: u64,
    bytes: bool,
    seconds: u64,
}

impl Rate {
    /// `512kb/s`, `5/minute`. iptables `parse_bytes`, `parse_rate`.
    fn parse(args: &Args, given: &Given) -> Result<Self, ArgError> {
        let text = given.text();
        if let Some(at) = text.find("b/s").filter(|at| *at > 0)
            && leading_decimal(text) > 0
        {
            let rate = leading_decimal(text).wrapping_mul(factor(text[..at].chars().last()));
            let avg = bytes_to_cost(rate);
            if avg == 0 {
                return Err(ArgError::said(format!("Rate too high \"{text}\"")));
            }
            return Ok(Self { avg, bytes: true, seconds: BYTE_EXPIRE });
        }
        let bad = || ArgError::Value { extension: args.extension, option: given.name, text: text.to_owned() };
        let seconds = match text.split_once('/') {
            None => 1,
            Some((_, unit)) => {
                let unit = unit.to_ascii_lowercase();
                let names = [("second", 1), ("minute", 60), ("hour", 3600), ("day", 86_400)];
                let found = names.into_iter().find(|(name, _)| !unit.is_empty() && name.starts_with(&unit));
                found.ok_or_else(bad)?.1
            }
        };
        // `strtoull` makes a huge number of one with a sign.
        let negative = text.strip_prefix('-').is_some_and(|rest| leading_decimal(rest) > 0);
        let count = if negative { u64::MAX } else { leading_decimal(text) };
        let avg = (SCALE * seconds).checked_div(count).ok_or_else(bad)?;
        if avg == 0 {
            return Err(ArgError::said(format!("Rate too fast \"{text}\"")));
        }
        Ok(Self { avg, bytes: false, seconds })
    }
}

fn burst_error() -> ArgError {
    ArgError::said(format!(
        "bad value for option \"--hashlimit-burst\", or out of range (1-{BURST_MAX})."
    ))
}

fn parse_burst(text: &str) -> Result<u64, ArgError> {
    let (number, rest) = leading_number(text);
    let number = number.filter(|n| *n >= 1 && (!rest.is_empty() || *n <= BURST_MAX)).ok_or_else(burst_error)?;
    Ok(number.wrapping_mul(factor(rest.chars().next())))
}

/// A table. Kernel: `struct xt_hashlimit_htable`.
#[derive(Clone, Debug)]
pub struct HashlimitTable {
    config: Config,
    /// Tick of its making, from which garbage collection counts.
    made: Option<u64>,
    entries: BTreeMap<Key, Entry>,
    /// Numbers the entries in the order they came.
    last: u64,
}

/// Kernel: `struct dsthash_dst`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    src: Ipv4Addr,
    sport: u16,
    dst: Ipv4Addr,
    dport: u16,
}

/// Kernel: `struct dsthash_ent`.
#[derive(Clone, Debug)]
struct Entry {
    number: u64,
    /// Tick.
    expires: u64,
    /// Tick of the last packet.
    prev: u64,
    credit: u64,
    credit_cap: u64,
    cost: u64,
    /// With `--hashlimit-rate-match`: what the interval has seen, and whether the last was over.
    current_rate: u64,
    prev_over: bool,
}

const fn ticks(milliseconds: u32) -> u64 {
    (milliseconds as u64 * HZ).div_ceil(1000)
}

impl Config {
    /// Kernel: `rateinfo_init`; with rate-match, cap is the rate and credit what may pass at once.
    fn entry(&self, number: u64, now: u64) -> Entry {
        let (credit, credit_cap, cost) = if self.rate_match && self.bytes {
            let rate = cost_to_bytes(self.avg);
            (if self.burst == 0 { rate } else { self.burst.wrapping_mul(rate) }, rate, 0)
        } else if self.rate_match {
            let rate = SCALE / self.avg.max(1);
            (self.burst + rate, rate, 0)
        } else if self.bytes {
            (CREDITS_PER_JIFFY_BYTES * HZ, self.burst, user2credits_byte(self.avg))
        } else {
            let credit = user2credits(self.avg.wrapping_mul(self.burst));
            (credit, credit, user2credits(self.avg))
        };
        let expires = now + ticks(self.expire);
        Entry { number, expires, prev: now, credit, credit_cap, cost, current_rate: 0, prev_over: false }
    }

    /// Kernel: `rateinfo_recalc`.
    fn recalc(&self, entry: &mut Entry, now: u64) {
        let delta = now.saturating_sub(entry.prev);
        if delta == 0 {
            return;
        }
        if self.rate_match {
            let interval = u64::from(self.interval) * HZ;
            if delta >= interval {
                entry.prev = now;
                let seen = entry.current_rate.wrapping_mul(interval);
                entry.prev_over = seen > delta.wrapping_mul(entry.credit_cap);
                entry.current_rate = 0;
            }
            return;
        }
        entry.prev = now;
        let (per_jiffy, cap) = if self.bytes {
            (CREDITS_PER_JIFFY_BYTES, CREDITS_PER_JIFFY_BYTES * HZ)
        } else {
            (CREDITS_PER_JIFFY, entry.credit_cap)
        };
        entry.credit = entry.credit.saturating_add(per_jiffy.saturating_mul(delta)).min(cap);
    }

    /// Kernel: `hashlimit_init_dst`; `None` for a packet whose ports can't be seen.
    fn key(&self, packet: &Packet) -> Option<Key> {
        let masked = |addr: std::net::IpAddr, bit: u8, len: u8| match addr {
            std::net::IpAddr::V4(addr) if self.keys.has(bit) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
                Ipv4Addr::from_bits(addr.to_bits() & mask)
            }
            _ => Ipv4Addr::UNSPECIFIED,
        };
        let mut key = Key {
            src: masked(packet.src(), Keys::SRC_IP, self.srcmask),
            sport: 0,
            dst: masked(packet.dst(), Keys::DST_IP, self.dstmask),
            dport: 0,
        };
        if self.keys.has(Keys::SRC_PORT | Keys::DST_PORT) {
            if packet.frag.offset != 0 {
                return None;
            }
            let ported = matches!(packet.proto(), Proto::TCP | Proto::UDP | Proto::SCTP | Proto(33) | Proto(136));
            let (sport, dport) = if ported { transport::ports(packet)? } else { (0, 0) };
            if self.keys.has(Keys::SRC_PORT) {
                key.sport = sport;
            }
            if self.keys.has(Keys::DST_PORT) {
                key.dport = dport;
            }
        }
        Some(key)
    }
}

impl HashlimitTable {
    /// Forgets what has expired by the last time that garbage was collected. Kernel: `htable_gc`.
    fn collect(&mut self, now: u64) {
        let made = *self.made.get_or_insert(now);
        let interval = ticks(self.config.gc_interval).max(1);
        let last = made + (now.saturating_sub(made)) / interval * interval;
        self.entries.retain(|_, entry| entry.expires > last);
    }

    /// Whether a packet is within the limit; `None` drops it. Kernel: `hashlimit_mt_common`.
    fn within(&mut self, rule: &Config, packet: &Packet, now: u64) -> Option<bool> {
        let key = self.config.key(packet)?;
        self.collect(now);
        if !self.entries.contains_key(&key) {
            let size = if self.config.size == 0 { DEFAULT_SIZE } else { self.config.size.min(MAX_SIZE) };
            let max = if self.config.max == 0 { size.saturating_mul(8) } else { self.config.max.clamp(size, MAX_SIZE) };
            if self.entries.len() >= max as usize {
                return None;
            }
            self.last += 1;
            self.entries.insert(key, self.config.entry(self.last, now));
        }
        let entry = self.entries.get_mut(&key)?;
        entry.expires = now + ticks(self.config.expire);
        self.config.recalc(entry, now);
        let len = packet.len() as u64;
        if rule.rate_match {
            entry.current_rate += if rule.bytes { len } else { 1 };
            return Some(!entry.prev_over && entry.current_rate <= entry.credit);
        }
        let cost = if rule.bytes {
            // Kernel: `hashlimit_byte_cost`.
            let full = CREDITS_PER_JIFFY_BYTES * HZ;
            let cost = ((len >> BYTE_SHIFT) + 1).wrapping_mul(entry.cost).min(full);
            if entry.credit < cost && entry.credit_cap > 0 {
                entry.credit_cap -= 1;
                entry.credit = full;
            }
            cost
        } else {
            entry.cost
        };
        let enough = entry.credit >= cost;
        if enough {
            entry.credit -= cost;
        }
        Some(enough)
    }

    /// The text of the table's file. Kernel: `dl_seq_show`.
    ///
    /// Simplified: in the order the keys came; the kernel's is that of a hash with a random key.
    pub fn text(&self, now: SimTime) -> String {
        let now = jiffies(now);
        let mut table = self.clone();
        table.collect(now);
        let mut entries: Vec<(&Key, Entry)> =
            table.entries.iter().map(|(key, entry)| (key, entry.clone())).collect();
        entries.sort_by_key(|(_, entry)| entry.number);
        let mut text = String::new();
        for (Key { src, sport, dst, dport }, mut entry) in entries {
            self.config.recalc(&mut entry, now);
            let Entry { expires, credit, credit_cap, cost, .. } = entry;
            let left = expires.saturating_sub(now) / HZ;
            let _ = writeln!(text, "{left} {src}:{sport}->{dst}:{dport} {credit} {credit_cap} {cost}");
        }
        text
    }
}

impl Extension for Hashlimit {
    const OPTIONS: &'static [Opt] = &[
        negatable("hashlimit-upto").excludes(&["hashlimit-above"]),
        negatable("hashlimit-above").excludes(&["hashlimit-upto"]),
        negatable("hashlimit").excludes(&["hashlimit-above"]),
        value("hashlimit-srcmask"),
        value("hashlimit-dstmask"),
        value("hashlimit-burst"),
        value("hashlimit-htable-size"),
        value("hashlimit-htable-max"),
        value("hashlimit-htable-gcinterval"),
        value("hashlimit-htable-expire"),
        value("hashlimit-mode"),
        value("hashlimit-name").mandatory(),
        flag("hashlimit-rate-match"),
        value("hashlimit-rate-interval"),
    ];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let mut rate = None;
        let limits: Vec<Given> = args.given.iter().filter(|given| LIMITS.contains(&given.name)).cloned().collect();
        for given in limits {
            let above = given.name == "hashlimit-above";
            if rate.as_ref().is_some_and(|(_, other, _)| *other == above) {
                return Err(ArgError::Twice { extension: args.extension, option: given.name });
            }
            rate = Some((given.invert, above, Rate::parse(args, &given)?));
        }
        let burst = args.take("hashlimit-burst")?.map(|given| parse_burst(given.text())).transpose()?;
        let mut number = |option| {
            args.optional_number(option, 0, u64::from(u32::MAX)).map(|n| n.map(|n| n as u32))
        };
        let (size, max) = (number("hashlimit-htable-size")?, number("hashlimit-htable-max")?);
        let (gc, expire) = (number("hashlimit-htable-gcinterval")?, number("hashlimit-htable-expire")?);
        let keys = match args.take("hashlimit-mode")? {
            Some(given) => Keys::parse(given.text()).ok_or_else(|| args.bad(&given))?,
            None => Keys::default(),
        };
        let mut mask = |option| match args.take(option)? {
            Some(given) => args.prefix_len(&given),
            None => Ok(32),
        };
        let (srcmask, dstmask) = (mask("hashlimit-srcmask")?, mask("hashlimit-dstmask")?);
        let name = args.take("hashlimit-name")?.map(|given| args.some_text(&given)).transpose()?;
        let rate_match = args.has("hashlimit-rate-match")?;
        let mut interval = match args.take("hashlimit-rate-interval")? {
            Some(given) => match u32::try_from(leading_decimal(given.text())) {
                Ok(seconds) if seconds > 0 => seconds,
                _ => return Err(args.bad(&given)),
            },
            None => 0,
        };
        let Some((invert, above, Rate { mut avg, bytes, seconds })) = rate else {
            return Err(ArgError::said("You have to specify --hashlimit"));
        };
        let mut lifetime = seconds;
        let burst = match burst {
            Some(burst) if bytes => {
                let unit = cost_to_bytes(avg);
                if burst < unit {
                    return Err(ArgError::said(format!("burst cannot be smaller than {unit}b")));
                }
                lifetime = BYTE_EXPIRE_BURST;
                burst.div_ceil(unit.max(1))
            }
            None if bytes => 0,
            Some(burst) if burst > BURST_MAX => return Err(burst_error()),
            burst => burst.unwrap_or(BURST),
        };
        if rate_match {
            if !bytes {
                avg /= seconds;
            }
            if interval == 0 {
                interval = if bytes { 1 } else { seconds as u32 };
            }
        }
        args.check(Self::OPTIONS)?;
        let name = name.unwrap_or_default();
        let config = Config {
            keys,
            bytes,
            rate_match,
            avg,
            burst,
            size: size.unwrap_or(0).min(MAX_SIZE),
            max: max.unwrap_or(0).min(MAX_SIZE),
            gc_interval: gc.unwrap_or(GC_INTERVAL),
            expire: expire.unwrap_or((lifetime * 1000) as u32),
            srcmask,
            dstmask,
            interval,
        };
        Ok(Self { above: above != invert, name, config })
    }

    fn matches(&self, cx: &mut EvalCx<'_>, skb: &Skb) -> bool {
        let now = jiffies(cx.now);
        let Some(table) = cx.shared.hashlimit.get_mut(&self.name) else { return false };
        match table.within(&self.config, skb.ip(), now) {
            Some(within) => within != self.above,
            None => {
                cx.hotdrop = true;
                false
            }
        }
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        let config = &self.config;
        f.write_str(if self.above { " limit: above" } else { " limit: up to" })?;
        let lifetime = if config.bytes {
            config.write_bytes(f, "")?
        } else {
            let lifetime = write_rate(f, config.avg.wrapping_mul(u64::from(config.interval.max(1))))?;
            write!(f, " burst {}", config.burst)?;
            lifetime
        };
        if config.keys.0 != 0 {
            write!(f, " mode {}", config.keys.joined("-"))?;
        }
        config.write_rest(f, "", lifetime)
    }

    fn check(&self, _: &RuleSite<'_>) -> Result<(), Refused> {
        let Config { bytes, rate_match, avg, burst, gc_interval, expire, .. } = self.config;
        let overflow = if rate_match {
            avg == 0 || avg > u64::from(u32::MAX)
        } else {
            !bytes && (burst == 0 || user2credits(avg.wrapping_mul(burst)) < user2credits(avg))
        };
        if overflow {
            return Err(Refused::OutOfRange);
        }
        if gc_interval == 0
            || expire == 0
            || bytes && !rate_match && user2credits_byte(avg) == 0
            || self.config.srcmask > 32
            || self.config.dstmask > 32
            || matches!(self.name.as_str(), "" | "." | "..")
            || self.name.contains('/')
        {
            return Err(Refused::Invalid);
        }
        Ok(())
    }

    fn held(&self) -> Option<Held> {
        Some(Held::Hashlimit(self.name.clone()))
    }

    /// Simplified: a rule whose table has the other kind of rate is not refused.
    fn install(&self, shared: &mut Shared) {
        shared.hashlimit.entry(self.name.clone()).or_insert_with(|| HashlimitTable {
            config: self.config.clone(),
            made: None,
            entries: BTreeMap::new(),
            last: 0,
        });
    }
}

/// Writes the greatest unit that gives a whole enough number; answers its milliseconds.
fn write_rate(f: &mut fmt::Formatter<'_>, period: u64) -> Result<u64, fmt::Error> {
    if period == 0 {
        f.write_str(" inf")?;
        return Ok(0);
    }
    let fits = |(_, seconds): &(&str, u64)| {
        let unit = seconds * SCALE;
        period <= unit && unit / period >= unit % period
    };
    let count = RATES.iter().skip(1).take_while(|rate| fits(rate)).count();
    let (name, seconds) = RATES.get(count).copied().unwrap_or(("sec", 1));
    write!(f, " {}/{name}", seconds * SCALE / period)?;
    Ok(seconds * 1000)
}

impl Config {
    /// Writes a rate and burst of bytes; answers the milliseconds that an entry lives by default.
    fn write_bytes(&self, f: &mut fmt::Formatter<'_>, prefix: &str) -> Result<u64, fmt::Error> {
        let rate = cost_to_bytes(self.avg);
        let fits =
            |(_, unit): &&(&str, u64)| rate >= *unit && bytes_to_cost(rate & !(unit - 1)) == self.avg;
        let (name, unit) = UNITS.iter().take(2).find(fits).copied().unwrap_or(("", 1));
        write!(f, " {}{name}b/s", rate / unit)?;
        if self.burst == 0 {
            return Ok(BYTE_EXPIRE * 1000);
        }
        let burst = rate.wrapping_mul(self.burst);
        let (name, unit) = UNITS.iter().take(2).find(|(_, unit)| burst >= *unit).copied().unwrap_or(("", 1));
        write!(f, " {prefix}burst {}{name}b", burst / unit)?;
        Ok(BYTE_EXPIRE_BURST * 1000)
    }

    fn write_rest(&self, f: &mut fmt::Formatter<'_>, prefix: &str, lifetime: u64) -> fmt::Result {
        let Self { size, max, gc_interval, expire, srcmask, dstmask, interval, .. } = *self;
        for (name, value, default) in [
            ("htable-size", size, 0),
            ("htable-max", max, 0),
            ("htable-gcinterval", gc_interval, GC_INTERVAL),
            ("htable-expire", expire, lifetime as u32),
            ("srcmask", u32::from(srcmask), 32),
            ("dstmask", u32::from(dstmask), 32),
        ] {
            if value != default {
                write!(f, " {prefix}{name} {value}")?;
            }
        }
        if self.rate_match {
            write!(f, " {prefix}rate-match")?;
            if interval != 1 {
                write!(f, " {prefix}rate-interval {interval}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Hashlimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const PREFIX: &str = "--hashlimit-";
        let config = &self.config;
        write!(f, " {PREFIX}{}", if self.above { "above" } else { "upto" })?;
        let lifetime = if config.bytes {
            config.write_bytes(f, PREFIX)?
        } else {
            let lifetime = write_rate(f, config.avg)?;
            write!(f, " {PREFIX}burst {}", config.burst)?;
            lifetime
        };
        if config.keys.0 != 0 {
            write!(f, " {PREFIX}mode {}", config.keys.joined(","))?;
        }
        write!(f, " {PREFIX}name {}", self.name)?;
        config.write_rest(f, PREFIX, lifetime)
    }
}
