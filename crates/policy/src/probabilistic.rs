//! `probabilistic`: a fixed share of the traces, by a hash of the trace ID.
//!
//! The hash is contrib's (64-bit FNV-1a over the salt and the ID), so that its verdicts are ours; it is not the one of W3C
//! probability sampling. Hence the weight: exact in probability, not consistent with other samplers.

use crate::{
    kinds::Class,
    set::{Compiler, Seen, Side, Test},
    verdict::{THRESHOLD_NEVER, Weight, Why},
};
use otlp::TraceId;
use settings::{Node, Problems};

/// Samples a share of the traces, chosen by a hash of the trace ID.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct Probabilistic {
    /// Hash seed; empty = contrib's own.
    pub hash_salt: String,
    /// Percent of the traces to keep; below 0 acts as 0, above 100 as 100.
    pub sampling_percentage: f64,
}

/// What runs: a function of the trace ID alone.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chance {
    /// FNV state after the salt.
    salted: u64,
    /// The largest hash that passes.
    hash_max: u64,
    /// The rejection threshold of the percentage, in 1/2^56.
    pub(crate) threshold: u64,
    /// Number of the salt in its policy set.
    seed: u16,
}

impl Probabilistic {
    /// The salt that runs.
    #[must_use]
    pub fn salt(&self) -> &str {
        if self.hash_salt.is_empty() { DEFAULT_SALT } else { &self.hash_salt }
    }

    pub(crate) fn decode(block: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = block.map("probabilistic", p)?;
        fields.describe::<Self>();
        let settings = Self {
            hash_salt: fields.take("hash_salt", String::new(), p),
            sampling_percentage: fields.take("sampling_percentage", 0.0, p),
        };
        let at = fields.node("sampling_percentage").map_or(block.at, |percentage| percentage.at);
        fields.finish(p);
        let percentage = settings.sampling_percentage;
        if percentage.is_nan() {
            p.error(&at, "`sampling_percentage` is not a number", "write a percentage from 0 to 100".to_string());
            return None;
        }
        if !(0.0..=100.0).contains(&percentage) {
            let acts_as = if percentage < 0.0 { 0 } else { 100 };
            p.warning(
                &at,
                format!("`sampling_percentage` is not between 0 and 100 and acts as {acts_as}"),
                "write a percentage from 0 to 100".to_string(),
            );
        }
        Some(settings)
    }

    #[expect(clippy::unnecessary_wraps, reason = "every kind has this signature, see the table of kinds")]
    pub(crate) fn effective(&self) -> Option<Node> {
        Some(Node::map_of([
            ("hash_salt", Node::from(&self.hash_salt)),
            ("sampling_percentage", Node::from(self.sampling_percentage)),
        ]))
    }

    pub(crate) fn class(&self) -> Class {
        Class::Stateless
    }

    pub(crate) fn explain(&self, seen: &Seen<'_>) -> String {
        let not = if seen.is_opposite { "not among " } else { "" };
        format!("{not}{} % by trace ID", self.sampling_percentage.clamp(0.0, 100.0))
    }

    pub(crate) fn compile(&self, compiler: &mut Compiler<'_>) -> Test {
        let seed = compiler.seed(self.salt(), Side::Passing);
        Test::Chance(Chance::new(self.salt(), self.sampling_percentage, seed))
    }
}

impl Chance {
    fn new(salt: &str, percentage: f64, seed: u16) -> Self {
        let ratio = percentage / 100.0;
        Self { salted: fnv(FNV_OFFSET, salt.as_bytes()), hash_max: hash_max(ratio), threshold: threshold(ratio), seed }
    }

    #[inline]
    pub(crate) fn passes(&self, trace_id: &TraceId) -> bool {
        fnv(self.salted, &trace_id.0) <= self.hash_max
    }

    pub(crate) fn weight(&self) -> Weight {
        if self.threshold == 0 {
            return Weight::Exact(0);
        }
        Weight::Unknown(Why::NotConsistent { threshold: self.threshold, seed: self.seed })
    }

    /// The weight of a trace that does not pass; `seed` is the number of the salt's other side.
    pub(crate) fn weight_of_opposite(&self, seed: u16) -> Weight {
        match THRESHOLD_NEVER - self.threshold {
            0 => Weight::Exact(0),
            threshold => Weight::Unknown(Why::NotConsistent { threshold, seed }),
        }
    }
}

/// floor(ratio × (2⁶⁴ − 1)), exactly: contrib multiplies with a 64-bit mantissa, which never rounds up here.
fn hash_max(ratio: f64) -> u64 {
    if ratio >= 1.0 {
        return u64::MAX;
    }
    if ratio <= 0.0 || ratio.is_nan() {
        return 0;
    }
    let bits = ratio.to_bits();
    let exponent = bits >> 52;
    // Below 2^-64 or so nothing is left; this takes subnormal ratios with it.
    let Some(shift) = 1075_u64.checked_sub(exponent).filter(|shift| *shift < 128) else { return 0 };
    let mantissa = u128::from(bits & ((1 << 52) - 1) | 1 << 52);
    u64::try_from((mantissa * u128::from(u64::MAX)) >> shift).unwrap_or(u64::MAX)
}

/// 2⁵⁶ − round(ratio × 2⁵⁶).
fn threshold(ratio: f64) -> u64 {
    // Saturates: below 0 and NaN are 0.
    THRESHOLD_NEVER.saturating_sub((ratio * THRESHOLD_NEVER as f64).round() as u64)
}

#[inline]
fn fnv(state: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(state, |state, byte| (state ^ u64::from(*byte)).wrapping_mul(FNV_PRIME))
}

const DEFAULT_SALT: &str = "default-hash-seed";
const FNV_OFFSET: u64 = 14_695_981_039_346_656_037;
const FNV_PRIME: u64 = 1_099_511_628_211;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_of_the_hash() {
        for (percentage, expected) in [
            (-5.0, 0),
            (0.0, 0),
            (0.1, 18_446_744_073_709_551),
            (1.0, 184_467_440_737_095_519),
            (5.0, 922_337_203_685_477_631),
            (10.0, 1_844_674_407_370_955_263),
            (12.5, 2_305_843_009_213_693_951),
            (20.0, 3_689_348_814_741_910_527),
            (25.0, 4_611_686_018_427_387_903),
            (33.0, 6_087_425_544_324_152_319),
            (50.0, 9_223_372_036_854_775_807),
            (75.0, 13_835_058_055_282_163_711),
            (90.0, 16_602_069_666_338_596_863),
            (99.9, 18_428_297_329_635_844_095),
            (100.0, u64::MAX),
            (150.0, u64::MAX),
        ] {
            assert_eq!(hash_max(percentage / 100.0), expected, "{percentage} %");
        }
        for tiny in [f64::MIN_POSITIVE, 5e-324, 1e-25, f64::NAN] {
            assert_eq!(hash_max(tiny), 0, "{tiny}");
        }
    }

    #[test]
    fn hashes() {
        for (id, default, test, custom) in [
            ("00000000000000000000000000000000", 0xe195_36ee_d1bb_ac3d, 0x8149_711e_6987_5cc0, 0x1211_e155_96f5_b0e5),
            ("0102030405060708090a0b0c0d0e0f10", 0xdbcf_64d5_420f_4cad, 0x08ee_52de_da92_3930, 0x71de_bceb_a3f6_b115),
            ("01020304000000000000000000000000", 0x14b5_7e9a_770e_d825, 0xc7ed_fa05_c4ce_b98c, 0x4532_2901_3c48_dccd),
            ("000000000000000052969a8955571a3f", 0x7728_3e41_55b1_a1f3, 0x7cfa_57d5_f574_3896, 0x715f_95c8_3f43_7f7b),
            ("4bf92f3577b34da6a3ce929d0e0e4736", 0xa545_33ba_2e49_70b5, 0xabb7_bd9f_983c_d93c, 0xfcb7_4add_d5ed_06fd),
            ("ffffffffffffffffffffffffffffffff", 0x17be_c373_9634_fe2d, 0x49f7_0bce_2849_74b0, 0xbc3c_d541_e27c_3ad5),
        ] {
            let id = TraceId::from_hex(id).unwrap();
            for (salt, expected) in [(DEFAULT_SALT, default), ("test-salt", test), ("custom-salt", custom)] {
                assert_eq!(fnv(fnv(FNV_OFFSET, salt.as_bytes()), &id.0), expected, "{id} {salt}");
            }
        }
    }

    #[test]
    fn half_of_the_first_ids() {
        let chance = Chance::new(DEFAULT_SALT, 50.0, 0);
        let id = |n: u64| TraceId((u128::from(n) << 64 | u128::from(n + 1)).to_be_bytes());
        let first: Vec<bool> = (0..10).map(|n| chance.passes(&id(n))).collect();
        assert_eq!(first, [false, true, false, true, false, true, true, false, true, false]);
        assert_eq!((0..128).filter(|n| chance.passes(&id(*n))).count(), 63);
        assert_eq!(fnv(chance.salted, &id(5).0), 0x0081_8e1a_eab4_e144);
    }

    #[test]
    fn weights() {
        for (percentage, threshold) in
            [(100.0, 0), (150.0, 0), (50.0, 1 << 55), (0.0, THRESHOLD_NEVER), (-50.0, THRESHOLD_NEVER)]
        {
            let chance = Chance::new(DEFAULT_SALT, percentage, 3);
            assert_eq!(chance.threshold, threshold, "{percentage} %");
        }
        assert_eq!(Chance::new(DEFAULT_SALT, 100.0, 3).weight(), Weight::Exact(0));
        let hashed = Weight::Unknown(Why::NotConsistent { threshold: 3 << 54, seed: 3 });
        assert_eq!(Chance::new(DEFAULT_SALT, 25.0, 3).weight(), hashed);
    }
}
