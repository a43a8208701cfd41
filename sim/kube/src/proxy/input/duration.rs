use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use tools::pflag::duration as parse;

/// A duration as Go writes it: `1m30s`. Go: `time.Duration`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct GoDuration {
    /// Nanoseconds.
    pub nanos: i64,
}

impl GoDuration {
    /// So many seconds.
    pub const fn seconds(seconds: i64) -> Self {
        Self { nanos: seconds * 1_000_000_000 }
    }

    /// The same as a duration that can't be negative.
    pub fn positive(self) -> Duration {
        Duration::from_nanos(u64::try_from(self.nanos).unwrap_or(0))
    }
}

/// Below a second with a unit of its own, otherwise hours, minutes and seconds.
impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.nanos.unsigned_abs();
        if self.nanos < 0 {
            f.write_str("-")?;
        }
        let part = |f: &mut fmt::Formatter<'_>, unit: u64, digits: usize, name: &str| {
            let fraction = format!("{:0digits$}", nanos % unit);
            let fraction = fraction.trim_end_matches('0');
            let point = if fraction.is_empty() { "" } else { "." };
            write!(f, "{}{point}{fraction}{name}", nanos / unit % 60_u64.max(1000 * u64::from(digits < 9)))
        };
        match nanos {
            0 => return f.write_str("0s"),
            1..1_000 => return write!(f, "{nanos}ns"),
            1_000..1_000_000 => return part(f, 1_000, 3, "µs"),
            1_000_000..1_000_000_000 => return part(f, 1_000_000, 6, "ms"),
            _ => {}
        }
        let minutes = nanos / 60_000_000_000;
        if minutes >= 60 {
            write!(f, "{}h", minutes / 60)?;
        }
        if minutes > 0 {
            write!(f, "{}m", minutes % 60)?;
        }
        part(f, 1_000_000_000, 9, "s")
    }
}

impl Serialize for GoDuration {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GoDuration {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let nanos = parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format_args!("time: invalid duration {text:?}")))?;
        Ok(Self { nanos })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_go_does() {
        for text in ["0s", "15ns", "1.5µs", "300ms", "1s", "1.25s", "-30s", "1m0s", "2h22m0s", "24h0m0s"] {
            assert_eq!(parse(text).map(|nanos| GoDuration { nanos }.to_string()).as_deref(), Some(text));
        }
    }
}
