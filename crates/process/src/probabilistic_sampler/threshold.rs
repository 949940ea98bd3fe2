//! Thresholds and randomness of OpenTelemetry's consistent probability sampling: 56 bits each.
//!
//! A threshold says how many of 2⁵⁶ random numbers are refused; an item is sampled if its random number is not below. Both
//! are written in hexadecimal, a threshold (`th`) without its trailing zeros, randomness (`rv`) with all 14 digits.

use std::fmt::{self, Write};

/// How many of 2⁵⁶ random numbers are refused; [`Threshold::NEVER`] are all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Threshold(pub(super) u64);

/// A random number below 2⁵⁶.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Randomness(pub(super) u64);

/// How many random numbers there are.
const COUNT: u64 = 1 << 56;

/// Hexadecimal digits of 56 bits.
pub(super) const DIGITS_MAX: i64 = 14;

/// The smallest share that a threshold can say.
pub(super) const SHARE_MIN: f64 = 1.0 / COUNT as f64;

impl Threshold {
    /// All are sampled.
    pub(super) const ALWAYS: Self = Self(0);
    /// None is sampled.
    pub(super) const NEVER: Self = Self(COUNT);

    /// What a `th` says.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let value = hex(text).filter(|_| text.len() <= DIGITS_MAX as usize)?;
        Some(Self(value << (4 * (DIGITS_MAX as usize - text.len()))))
    }

    /// The threshold of a share, to this many digits that say something; `None` if no threshold says it.
    pub(super) fn of_share(share: f64, digits: i64) -> Option<Self> {
        if !(SHARE_MIN..=1.0).contains(&share) {
            return None;
        }
        if share == 1.0 {
            return Some(Self::ALWAYS);
        }
        // Near both ends the first digits are all `0` or all `f`, and do not count.
        let leading = (exponent(share) / -4).max(exponent(1.0 - share) / -4);
        let digits = digits.saturating_add(leading).min(DIGITS_MAX);
        let mut threshold = COUNT - (share * COUNT as f64).round() as u64;
        let shift = u32::try_from(4_i64.saturating_mul(DIGITS_MAX.saturating_sub(digits))).unwrap_or(u32::MAX);
        if shift != 0 {
            threshold += 1_u64.checked_shl(shift - 1).unwrap_or(0);
            let kept = threshold.checked_shr(shift).unwrap_or(0);
            threshold = kept.checked_shl(shift).unwrap_or(0);
        }
        Some(Self(threshold))
    }

    /// The share of items that are sampled.
    pub(super) fn share(self) -> f64 {
        COUNT.saturating_sub(self.0) as f64 / COUNT as f64
    }

    /// Whether an item of this randomness is sampled.
    pub(super) fn samples(self, randomness: Randomness) -> bool {
        self.0 <= randomness.0
    }
}

impl Randomness {
    /// The number that every threshold samples.
    pub(super) const SAMPLED: Self = Self(COUNT - 1);

    /// What an `rv` says.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        hex(text).filter(|_| text.len() == DIGITS_MAX as usize).map(Self)
    }

    /// The last 56 bits of a trace ID.
    pub(super) fn of_trace_id(id: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(id) as u64 & (COUNT - 1))
    }

    /// Of a hash that is sampled as the older ways of this processor do it: by its lowest 14 bits alone, the smallest first.
    pub(super) fn of_hash(hash: u32) -> Self {
        let bucket = u64::from(hash & 0x3fff);
        let other = u64::from(hash >> (32 - 14));
        let mixed = other ^ (other << 10);
        Self((0x3fff - bucket) << 42 | mixed << 14 | bucket)
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ALWAYS {
            return f.write_char('0');
        }
        let zeros = self.0.trailing_zeros() / 4;
        write!(f, "{:0width$x}", self.0 >> (4 * zeros), width = (DIGITS_MAX as usize).saturating_sub(zeros as usize))
    }
}

impl fmt::Display for Randomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:014x}", self.0)
    }
}

/// At most 16 digits.
fn hex(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 16 {
        return None;
    }
    text.iter().try_fold(0, |value: u64, byte| Some(value << 4 | u64::from(char::from(*byte).to_digit(16)?)))
}

/// The power of two above a number between 0 and 1, as `frexp` gives it.
fn exponent(number: f64) -> i64 {
    (number.to_bits() >> 52 & 0x7ff) as i64 - 1022
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_of_shares() {
        for (share, digits, expected) in [
            (1.0, 4, Some("0")),
            (0.5, 4, Some("8")),
            (0.25, 4, Some("c")),
            (0.1, 14, Some("e6666666666666")),
            (0.1, 4, Some("e666")),
            (1.0 / 3.0, 4, Some("aaab")),
            (0.01, 4, Some("fd70a")),
            (0.99, 4, Some("028f6")),
            (SHARE_MIN, 4, Some("ffffffffffffff")),
            (SHARE_MIN / 2.0, 4, None),
            (1.1, 4, None),
            (f64::NAN, 4, None),
            (0.3, 1, Some("b")),
            (0.3, -20, Some("0")),
        ] {
            let threshold = Threshold::of_share(share, digits);
            assert_eq!(threshold.map(|t| t.to_string()).as_deref(), expected, "{share} {digits}");
        }
    }

    #[test]
    fn texts() {
        for (text, expected) in [
            ("8", Some(1 << 55)),
            ("0", Some(0)),
            ("00F", Some(0xf << 44)),
            ("", None),
            ("g", None),
            ("123456789abcdef", None),
        ] {
            assert_eq!(Threshold::parse(text.as_bytes()).map(|t| t.0), expected, "{text}");
        }
        assert_eq!(Randomness::parse(b"0000000000000f"), Some(Randomness(15)));
        assert_eq!(Randomness::parse(b"000000000000f"), None);
        assert_eq!(Randomness(15).to_string(), "0000000000000f");
        assert_eq!(Threshold(1).to_string(), "00000000000001");
    }
}
