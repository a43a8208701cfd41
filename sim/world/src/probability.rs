use std::fmt;

/// A probability: a multiple of 2^-124.
///
/// - Invariant: the two halves of a [`Self::split`] add up to the whole, so the probabilities of
///   all branches add up to exactly 1.
/// - Exact for four chances in a row (each is a multiple of 2^-31); later ones are cut off at
///   2^-124.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Probability(u128);

const BITS: u32 = 124;
/// Digits that are printed, as `iptables` prints a probability.
const DIGITS: usize = 11;

impl Probability {
    /// Certain.
    pub const ONE: Self = Self(1 << BITS);

    /// What of it comes true with `parts` in 2^31, and the rest.
    pub fn split(self, parts: u32) -> (Self, Self) {
        const MASK: u128 = (1 << 31) - 1;
        let parts = u128::from(parts.min(1 << 31));
        let hit = (self.0 >> 31) * parts + (((self.0 & MASK) * parts) >> 31);
        (Self(hit), Self(self.0 - hit))
    }

    /// The nearest floating-point number.
    pub fn to_f64(self) -> f64 {
        #[allow(clippy::cast_precision_loss)]
        let units = self.0 as f64;
        units / 2.0_f64.powi(124)
    }

    /// The probability that one or the other of two branches is taken.
    pub fn or(self, other: Self) -> Self {
        Self((self.0 + other.0).min(Self::ONE.0))
    }
}

/// A decimal fraction of at most eleven significant digits: `1`, `0.5`, `0.33333333349`.
impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ONE {
            return f.write_str("1");
        }
        let mut digits: Vec<u8> = Vec::new();
        let mut rest = self.0;
        let mut significant = 0;
        while rest != 0 && significant <= DIGITS {
            rest *= 10;
            let digit = (rest >> BITS) as u8;
            rest &= Self::ONE.0 - 1;
            digits.push(digit);
            significant += usize::from(digit != 0 || significant > 0);
        }
        if significant > DIGITS && digits.pop().is_some_and(|digit| digit >= 5) {
            while digits.last() == Some(&9) {
                digits.pop();
            }
            match digits.last_mut() {
                Some(digit) => *digit += 1,
                None => return f.write_str("1"),
            }
        }
        while digits.last() == Some(&0) {
            digits.pop();
        }
        let text: String = digits.into_iter().map(|digit| char::from(b'0' + digit)).collect();
        if text.is_empty() { f.write_str("0") } else { write!(f, "0.{text}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_short_decimals() {
        let of =
            |chances: &[u32]| chances.iter().fold(Probability::ONE, |p, &parts| p.split(parts).0).to_string();
        for (chances, printed) in [
            (&[][..], "1"),
            (&[1 << 30], "0.5"),
            (&[715_827_883], "0.33333333349"),
            (&[1 << 30, 1 << 30, 1 << 30], "0.125"),
            (&[21_474_836], "0.0099999997765"),
            (&[(1 << 31) - 1], "0.99999999953"),
            (&[0], "0"),
        ] {
            assert_eq!(of(chances), printed, "{chances:?}");
        }
    }

    #[test]
    fn halves_add_up() {
        let mut rest = Probability::ONE;
        let mut sum = Probability(0);
        for parts in (1..2000_u32).rev().map(|n| (1_u32 << 31) / n) {
            let (hit, missed) = rest.split(parts);
            (sum, rest) = (sum.or(hit), missed);
        }
        assert_eq!(sum.or(rest), Probability::ONE);
    }
}
