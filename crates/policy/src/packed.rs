//! A keep-verdict in eight bytes, as the decided memory holds one for each kept trace.
//!
//! ```text
//! bits 63..62  kind of weight: exact · not consistent · limited · mixed
//! bits 61..56  hash seed of a weight that is not consistent
//! bits 55..42  path of the policy
//! bits 41..0   upper 42 of the threshold's 56 bits
//! ```
//! A threshold is rounded to 2⁻⁴², far below what a sampling percentage in a configuration says. Where the reason points to
//! a span, only the policy is remembered: a late span is another one.

use crate::verdict::{NO_PATH, Reason, Verdict, Weight, Why};

const PATH_BITS: u32 = 14;
const PATH_MAX: u64 = (1 << PATH_BITS) - 1;
/// How many policies, with their parts, verdicts can name.
pub(crate) const PATHS_MAX: usize = PATH_MAX as usize;
const THRESHOLD_BITS: u32 = 42;
const THRESHOLD_SHIFT: u32 = 56 - THRESHOLD_BITS;
const SEED_MAX: u16 = 63;

impl Verdict {
    /// The policy and the weight of a verdict to keep.
    #[must_use]
    pub fn pack(&self) -> u64 {
        let (kind, seed, threshold) = match self.weight {
            Weight::Exact(threshold) => (0, 0, threshold),
            Weight::Unknown(Why::NotConsistent { threshold, seed }) => (1, seed.min(SEED_MAX), threshold),
            Weight::Unknown(Why::Limited) => (2, 0, 0),
            Weight::Unknown(Why::Mixed | Why::NotKept) => (3, 0, 0),
        };
        let threshold = (threshold >> THRESHOLD_SHIFT).min((1 << THRESHOLD_BITS) - 1);
        let path = u64::from(self.reason.path).min(PATH_MAX);
        kind << 62 | u64::from(seed) << 56 | path << THRESHOLD_BITS | threshold
    }

    /// The verdict that was packed.
    #[must_use]
    pub fn unpack(packed: u64) -> Self {
        let threshold = (packed & ((1 << THRESHOLD_BITS) - 1)) << THRESHOLD_SHIFT;
        let path = packed >> THRESHOLD_BITS & PATH_MAX;
        let path = if path == PATH_MAX { Reason::NONE.path } else { path as u16 };
        let weight = match packed >> 62 {
            0 => Weight::Exact(threshold),
            1 => Weight::Unknown(Why::NotConsistent { threshold, seed: (packed >> 56 & 63) as u16 }),
            2 => Weight::Unknown(Why::Limited),
            _ => Weight::Unknown(Why::Mixed),
        };
        Self { keep: true, reason: Reason { path, place: 0 }, weight, composite: NO_PATH }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_survive_packing() {
        let threshold = 0xe6_6666_6666_6666 & !((1 << THRESHOLD_SHIFT) - 1);
        for weight in [
            Weight::Exact(0),
            Weight::Exact(threshold),
            Weight::Unknown(Why::NotConsistent { threshold, seed: 5 }),
            Weight::Unknown(Why::Limited),
            Weight::Unknown(Why::Mixed),
        ] {
            for path in [0, 7, 9_999, u16::MAX] {
                let verdict = Verdict { keep: true, reason: Reason { path, place: 0 }, weight, composite: NO_PATH };
                assert_eq!(Verdict::unpack(verdict.pack()), verdict);
            }
        }
    }
}
