use std::fmt;

use packet::Skb;

use super::Extension;
use crate::args::{ArgError, Args, Opt, value};
use crate::{EvalCx, Memory};

/// `-m limit --limit N/UNIT --limit-burst N`: a token bucket.
/// Kernel: `net/netfilter/nft_limit.c`, which iptables-nft uses in place of `xt_limit.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Time for one packet, in 1/10000 seconds. Kernel: `XT_LIMIT_SCALE`.
    pub avg: u64,
    /// Packets that may pass at once.
    pub burst: u64,
}

/// Kernel: `XT_LIMIT_SCALE`.
const SCALE: u64 = 10_000;
const UNITS: [(&str, u64); 4] = [("day", 86_400), ("hour", 3600), ("min", 60), ("sec", 1)];

/// A number as `atoi(3)` reads it from the beginning of `text`, kept in 32 bits.
fn atoi(text: &str) -> Option<u64> {
    let text = text.trim_start();
    let (minus, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let len = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let number = digits[..len].parse::<u64>().ok()? as u32;
    Some(u64::from(if minus { number.wrapping_neg() } else { number }))
}

impl Limit {
    /// Reads `3/minute`; a bare number counts per second. Inside it is `None` for a rate that is too
    /// fast to be kept.
    fn parse_rate(text: &str) -> Option<Option<u64>> {
        let (count, unit) = text.split_once('/').unwrap_or((text, "second"));
        let unit = unit.to_ascii_lowercase();
        let unit = ["second", "minute", "hour", "day"].into_iter().find(|name| !unit.is_empty() && name.starts_with(&unit))?;
        let seconds = match unit {
            "second" => 1,
            "minute" => 60,
            "hour" => 3600,
            _ => 86_400,
        };
        let count = atoi(count).filter(|count| *count != 0)?;
        Some((seconds * SCALE).checked_div(count).filter(|avg| *avg > 0))
    }

    /// `7/min`: the greatest unit that gives a whole enough number.
    fn rate(&self) -> String {
        for (at, (name, seconds)) in UNITS.iter().enumerate().rev() {
            let scaled = seconds * SCALE;
            if self.avg <= scaled && (scaled % self.avg < scaled / self.avg || at == 0) {
                return format!("{}/{name}", scaled / self.avg);
            }
        }
        format!("{}/day", 86_400 * SCALE / self.avg.max(1))
    }
}

impl Extension for Limit {
    const REMEMBERS: bool = true;
    const OPTIONS: &'static [Opt] = &[value("limit"), value("limit-burst")];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let avg = match args.take("limit")? {
            Some(given) => Self::parse_rate(given.text())
                .ok_or_else(|| ArgError::said(format!("bad rate \"{}\"'", given.text())))?
                .ok_or_else(|| ArgError::said(format!("Rate too fast \"{}\"", given.text())))?,
            None => 3600 * SCALE / 3,
        };
        let burst = match args.take("limit-burst")? {
            Some(given) => args.number(&given, 0, 10_000)?,
            None => 5,
        };
        // The kernel keeps no burst of 0, and iptables reads back its default.
        let burst = if burst == 0 { 5 } else { burst };
        Ok(Self { avg, burst })
    }

    fn matches(&self, cx: &mut EvalCx<'_>, _: &Skb) -> bool {
        let cost = self.avg * (1_000_000_000 / SCALE);
        let full = cost * self.burst.max(1);
        let now = cx.now.as_nanos();
        // The second word is the time of the last packet plus one; zero means there was none.
        let Memory([tokens, last]) = cx.memory;
        let tokens = if last == 0 { full } else { full.min(tokens + (now + 1 - last)) };
        let enough = tokens >= cost;
        cx.memory = Memory([if enough { tokens - cost } else { tokens }, now + 1]);
        enough
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        write!(f, " limit: avg {} burst {}", self.rate(), self.burst)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " --limit {}", self.rate())?;
        if self.burst == 5 { Ok(()) } else { write!(f, " --limit-burst {}", self.burst) }
    }
}
