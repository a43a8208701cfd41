use std::fmt;

use packet::Skb;

use super::{Extension, bang};
use crate::args::{ArgError, Args, Opt, negatable, value};
use crate::{EvalCx, Memory};

/// `-m statistic`: some of the packets.
/// Kernel: `net/netfilter/xt_statistic.c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statistic {
    /// `!`.
    pub invert: bool,
    /// Which.
    pub mode: Mode,
}

/// Which packets match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `--mode random --probability P`, in 1/2^31 as the kernel keeps it.
    Random(u32),
    /// `--mode nth --every N --packet P`: packets P, P+N, P+2N… counted from 0.
    Nth {
        /// From 1.
        every: u32,
        /// 0..every.
        packet: u32,
    },
}

/// 2^31, the kernel's probability 1.
const ONE: u64 = 0x8000_0000;
const DIGITS: u32 = 11;

/// Reads a decimal fraction in 0..=1 as a multiple of 2^-31, rounded to the nearest.
fn parse_probability(text: &str) -> Option<u32> {
    let (text, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent = exponent.parse::<i32>().ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    if !fraction.bytes().all(|b| b.is_ascii_digit()) || whole > 1 || text == "." || text.is_empty() {
        return None;
    }
    let digits: String = fraction.chars().take(18).collect();
    let scale = 10u128.pow(digits.len() as u32);
    let numerator = u128::from(whole) * scale + digits.parse::<u128>().unwrap_or(0);
    let shift = 10u128.pow(exponent.unsigned_abs().min(9));
    let (numerator, scale) =
        if exponent < 0 { (numerator, scale * shift) } else { (numerator * shift, scale) };
    let parts = (numerator * u128::from(ONE) * 2 + scale) / (scale * 2);
    (numerator <= scale).then(|| u32::try_from(parts).ok()).flatten()
}

/// The fraction with eleven digits, as `printf("%.11f")` rounds it.
fn probability(parts: u32) -> String {
    let scale = 10u128.pow(DIGITS);
    let numerator = u128::from(parts) * scale;
    let (quotient, rest) = (numerator / u128::from(ONE), numerator % u128::from(ONE));
    let half = u128::from(ONE / 2);
    let rounded = quotient + u128::from(rest > half || rest == half && quotient % 2 == 1);
    format!("{}.{:011}", rounded / scale, rounded % scale)
}

impl Extension for Statistic {
    const REMEMBERS: bool = true;
    const OPTIONS: &'static [Opt] = &[
        value("mode").mandatory(),
        negatable("probability").excludes(&["every", "packet"]).needs(&["mode"]),
        negatable("every").excludes(&["probability"]).needs(&["mode", "packet"]),
        value("packet").excludes(&["probability"]).needs(&["mode", "every"]),
    ];

    fn parse(args: &mut Args) -> Result<Self, ArgError> {
        let extension = args.extension;
        let mode = match args.take("mode")? {
            None => "random".to_owned(),
            Some(given) if matches!(given.text(), "random" | "nth") => given.text().to_owned(),
            Some(given) => return Err(ArgError::said(format!("Bad mode \"{}\"", given.text()))),
        };
        let mut invert = false;
        let mut parts = None;
        if let Some(given) = args.take("probability")? {
            let bad = ArgError::Range { extension, option: "probability", min: 0, max: 1 };
            parts = Some(parse_probability(given.text()).ok_or(bad)?);
            invert = given.invert;
        }
        let mut every = None;
        if let Some(given) = args.take("every")? {
            every = Some(args.number(&given, 1, u64::from(u32::MAX))? as u32);
            invert = given.invert;
        }
        let packet = args.optional_number("packet", 0, u64::from(u32::MAX))?.map(|packet| packet as u32);
        let mode = match (mode.as_str(), parts) {
            ("random", None) => {
                return Err(ArgError::said("--probability must be specified when using random mode"));
            }
            ("random", Some(parts)) => Mode::Random(parts),
            _ if every.is_none() && packet.is_none() => {
                return Err(ArgError::said("--every and --packet must be specified when using nth mode"));
            }
            _ => {
                let (every, packet) = (every.unwrap_or(1), packet.unwrap_or(0));
                if packet >= every {
                    return Err(ArgError::said("the --packet p must be 0 <= p <= n-1"));
                }
                Mode::Nth { every, packet }
            }
        };
        args.check(Self::OPTIONS)?;
        Ok(Self { invert, mode })
    }

    fn matches(&self, cx: &mut EvalCx<'_>, _: &Skb) -> bool {
        let hit = match self.mode {
            Mode::Random(parts) => cx.random.chance(parts),
            Mode::Nth { every, packet } => {
                let Memory([seen, _]) = cx.memory;
                cx.memory = Memory([(seen + 1) % u64::from(every), 0]);
                seen == u64::from(packet)
            }
        };
        hit != self.invert
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, _: bool) -> fmt::Result {
        match self.mode {
            Mode::Random(parts) => {
                write!(f, " statistic mode random {}probability {}", bang(self.invert), probability(parts))
            }
            Mode::Nth { every, packet } => {
                write!(f, " statistic mode nth {}every {every}", bang(self.invert))?;
                if packet == 0 { Ok(()) } else { write!(f, " packet {packet}") }
            }
        }
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mode {
            Mode::Random(parts) => {
                write!(f, " --mode random {}--probability {}", bang(self.invert), probability(parts))
            }
            Mode::Nth { every, packet } => {
                write!(f, " --mode nth {}--every {every} --packet {packet}", bang(self.invert))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_print_as_iptables_rounds_them() {
        for (typed, printed) in [
            ("0.3333333", "0.33333329996"),
            ("0.5", "0.50000000000"),
            ("0.33333333349", "0.33333333349"),
            ("1", "1.00000000000"),
            ("0", "0.00000000000"),
        ] {
            assert_eq!(probability(parse_probability(typed).expect(typed)), printed);
        }
        for wrong in ["1.1", "-0.5", "x", "", "."] {
            assert_eq!(parse_probability(wrong), None, "{wrong}");
        }
    }
}
