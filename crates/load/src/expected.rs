//! What a collector has to keep of the traffic that was sent, known without remembering the traffic.
//!
//! A set of spans is a [`Fingerprint`]: how many, and the wrapping sum and the exclusive or of a hash of each (trace ID, span
//! ID). Both are independent of order, so the sender adds spans as it makes them and the sink as they arrive. A span that is
//! missing, foreign or doubled changes the sum; the odds that two such faults cancel are those of a 64-bit collision.

use crate::{
    random::mix,
    trace::{Shape, Trace},
};

/// A set of spans, as a count and two order-free sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint {
    /// Spans.
    pub spans: u64,
    /// Wrapping sum of the spans' hashes.
    pub sum: u64,
    /// Exclusive or of the spans' hashes.
    pub xor: u64,
}

/// What should be kept of what was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Kept traces.
    pub traces: u64,
    /// Their spans.
    pub spans: Fingerprint,
}

/// The policies that the collector under test has, in the generator's own words.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Keep {
    /// `always_sample`.
    Everything,
    /// Kept for any of these reasons.
    AnyOf {
        /// `status_code: {status_codes: [ERROR]}`.
        errors: bool,
        /// `latency` with a threshold of one second.
        slow: bool,
        /// `probabilistic` with this `sampling_percentage` and the default salt.
        percentage: f64,
    },
}

impl Fingerprint {
    /// Adds one span.
    #[inline]
    pub fn add(&mut self, trace_id: [u8; 16], span_id: [u8; 8]) {
        let hash = span_hash(trace_id, span_id);
        self.spans += 1;
        self.sum = self.sum.wrapping_add(hash);
        self.xor ^= hash;
    }

    /// Adds the spans of another set.
    pub fn join(&mut self, other: &Self) {
        self.spans += other.spans;
        self.sum = self.sum.wrapping_add(other.sum);
        self.xor ^= other.xor;
    }
}

impl Expected {
    /// Adds one trace if `keep` keeps it.
    #[inline]
    pub(crate) fn add(&mut self, keep: &Keep, shape: &Shape, trace: &Trace) {
        if keep.keeps(trace) {
            self.traces += 1;
            for span in 0..shape.spans {
                self.spans.add(trace.id, trace.span_id(span));
            }
        }
    }
}

impl Keep {
    /// Whether the policies keep this trace.
    #[must_use]
    #[inline]
    pub fn keeps(&self, trace: &Trace) -> bool {
        match *self {
            Self::Everything => true,
            Self::AnyOf { errors, slow, percentage } => {
                (errors && trace.failed_span.is_some()) || (slow && trace.is_slow) || by_chance(trace.id, percentage)
            }
        }
    }
}

#[inline]
fn span_hash(trace_id: [u8; 16], span_id: [u8; 8]) -> u64 {
    let trace = u128::from_be_bytes(trace_id);
    mix(mix(trace as u64 ^ (trace >> 64) as u64).wrapping_add(u64::from_be_bytes(span_id)))
}

/// The verdict of a `probabilistic` policy with the default salt: 64-bit FNV-1a over salt and trace ID against the share of 2⁶⁴.
#[inline]
fn by_chance(trace_id: [u8; 16], percentage: f64) -> bool {
    fnv1a(DEFAULT_SALT_HASH, &trace_id) <= threshold(percentage)
}

const fn fnv1a(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut index = 0;
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u64).wrapping_mul(1_099_511_628_211);
        index += 1;
    }
    hash
}

/// floor(ratio × (2⁶⁴ − 1)), exactly: a float is an integer times a power of two, and 128 bits hold the product.
fn threshold(percentage: f64) -> u64 {
    let ratio = percentage / 100.0;
    if ratio >= 1.0 {
        return u64::MAX;
    }
    if ratio.is_nan() || ratio <= 0.0 {
        return 0;
    }
    let bits = ratio.to_bits();
    let mantissa = u128::from((bits & ((1 << 52) - 1)) | (1 << 52));
    let shift = 1075 - (bits >> 52);
    (mantissa * u128::from(u64::MAX)).checked_shr(shift as u32).unwrap_or(0) as u64
}

const DEFAULT_SALT_HASH: u64 = fnv1a(14_695_981_039_346_656_037, b"default-hash-seed");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_those_of_the_reference() {
        for (percentage, expected) in [
            (0.1, 18_446_744_073_709_551),
            (1.0, 184_467_440_737_095_519),
            (10.0, 1_844_674_407_370_955_263),
            (33.0, 6_087_425_544_324_152_319),
            (99.9, 18_428_297_329_635_844_095),
            (100.0, u64::MAX),
            (0.0, 0),
            (-1.0, 0),
        ] {
            assert_eq!(threshold(percentage), expected, "{percentage} %");
        }
    }

    #[test]
    fn hashes_are_those_of_the_reference() {
        let id = 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10_u128.to_be_bytes();
        assert_eq!(fnv1a(DEFAULT_SALT_HASH, &id), 0xdbcf_64d5_420f_4cad);
        assert_eq!(fnv1a(DEFAULT_SALT_HASH, &[0xff; 16]), 0x17be_c373_9634_fe2d);
    }

    #[test]
    fn a_fingerprint_ignores_order_and_nothing_else() {
        let of = |spans: &[(u8, u8)]| {
            let mut fingerprint = Fingerprint::default();
            for (trace, span) in spans {
                fingerprint.add([*trace; 16], [*span; 8]);
            }
            fingerprint
        };
        assert_eq!(of(&[(1, 1), (1, 2), (2, 1)]), of(&[(2, 1), (1, 1), (1, 2)]));
        for other in [&[(1, 1), (1, 2)][..], &[(1, 1), (1, 2), (1, 2)], &[(1, 1), (1, 2), (2, 2)]] {
            assert_ne!(of(&[(1, 1), (1, 2), (2, 1)]), of(other));
        }
    }
}
