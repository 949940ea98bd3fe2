//! Which items are sampled: the modes, and what is written into those that are.
//!
//! Each item brings randomness, and may bring the threshold that an earlier sampler applied. The mode gives a threshold of
//! its own; an item is sampled if its randomness is not below. Thresholds only ever rise: what is kept bears the higher one.

use super::threshold::{Randomness, SHARE_MIN, Threshold};
use super::written::{Mode, ProbabilisticSamplerSettings};

/// A mode with its settings.
#[derive(Clone, Debug)]
pub(super) enum Sampler {
    /// Nothing is sampled, for the percentage is 0 or rounds to it.
    Never,
    /// By a hash of the trace ID, or of an attribute of a log record.
    Hash(Hash),
    /// All items come to have the same threshold.
    Equalizing(Threshold),
    /// Each item's share is multiplied by this one.
    Proportional {
        /// The share.
        share: f64,
        /// The digits of thresholds.
        digits: i64,
    },
}

/// What is hashed.
#[derive(Clone, Debug)]
pub(super) struct Hash {
    seed: u32,
    threshold: Threshold,
    /// Of log records: whether their trace ID counts.
    by_trace_id: bool,
    /// Of log records: the attribute that is hashed where there is no trace ID.
    attribute: Box<str>,
}

/// What an item brings that concerns sampling.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Brought {
    /// Whether all of it is right.
    pub(super) is_right: bool,
    /// The randomness that is written into it.
    pub(super) randomness: Option<Randomness>,
    /// The threshold that an earlier sampler wrote into it.
    pub(super) threshold: Option<Threshold>,
}

/// What becomes of an item.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fate {
    /// It goes.
    Dropped,
    /// It stays as it is.
    Kept,
    /// It stays, and this is written into it.
    Marked(Mark),
}

/// What is written into an item.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Mark {
    /// Its randomness, where it brought none and the mode is to say which it was.
    pub(super) randomness: Option<Randomness>,
    /// The threshold, unless it brought a higher one.
    pub(super) threshold: Option<Threshold>,
}

/// Percentages of hashes count in so many buckets.
const BUCKETS: u32 = 0x4000;

impl Sampler {
    pub(super) fn new(settings: &ProbabilisticSamplerSettings) -> Self {
        let percentage = settings.sampling_percentage.min(100.0);
        if percentage == 0.0 {
            return Self::Never;
        }
        let share = (f64::from(percentage) / 100.0).max(SHARE_MIN);
        let digits = settings.sampling_precision;
        match settings.mode {
            Mode::Equalizing => Self::Equalizing(Threshold::of_share(share, digits).unwrap_or(Threshold::ALWAYS)),
            Mode::Proportional => Self::Proportional { share, digits },
            Mode::Unset | Mode::HashSeed => {
                // In 32 bits and cut, so that all versions choose the same.
                let accepted = (percentage * (BUCKETS as f32 / 100.0)) as u32;
                if accepted == 0 {
                    return Self::Never;
                }
                Self::Hash(Hash {
                    seed: settings.hash_seed,
                    threshold: Threshold(u64::from(BUCKETS.saturating_sub(accepted)) << 42),
                    by_trace_id: settings.attribute_source == "traceID",
                    attribute: settings.from_attribute.as_str().into(),
                })
            }
        }
    }

    /// What is hashed, if something is.
    pub(super) fn hash(&self) -> Option<&Hash> {
        match self {
            Self::Hash(hash) => Some(hash),
            _ => None,
        }
    }

    /// Decides about an item. `known` is its randomness by its trace ID or by a hash; `writes_missing` says whether missing
    /// randomness is written, too. `forced` gives a threshold that counts instead of the mode's and despite all errors; it
    /// is told whether the threshold that the item brought is wrong, for the reference takes that away before it looks.
    pub(super) fn decide(
        &self,
        brought: Brought,
        known: Option<Randomness>,
        (fails_closed, writes_missing): (bool, bool),
        forced: impl FnOnce(bool) -> Option<Threshold>,
    ) -> Fate {
        let mut mark = Mark::default();
        let mut existing = brought.threshold;
        let mut is_threshold_wrong = false;
        let mut has_carrier = brought.is_right;
        let mut is_right = brought.is_right;
        let randomness = match self {
            Self::Never => {
                has_carrier = true;
                Some(Randomness::SAMPLED)
            }
            Self::Hash(_) if brought.is_right => {
                // Who uses consistent sampling should not use this mode, and what they wrote is left alone.
                if brought.randomness.is_some() || existing.is_some() {
                    (is_right, has_carrier) = (false, false);
                } else if known.is_some() || writes_missing {
                    mark.randomness = Some(known.unwrap_or(Randomness::SAMPLED));
                }
                known
            }
            Self::Hash(_) => known,
            Self::Equalizing(_) | Self::Proportional { .. } if !brought.is_right => None,
            Self::Equalizing(_) | Self::Proportional { .. } => brought.randomness.or(known),
        };
        if is_right {
            match randomness {
                None => is_right = false,
                Some(randomness) if existing.is_some_and(|existing| !existing.samples(randomness)) => {
                    is_right = false;
                    existing = None;
                    is_threshold_wrong = true;
                }
                Some(_) => {}
            }
        }
        let threshold = match (is_right, fails_closed) {
            (true, _) => self.threshold(existing),
            (false, true) => Threshold::NEVER,
            (false, false) => Threshold::ALWAYS,
        };
        let threshold = forced(is_threshold_wrong).unwrap_or(threshold);
        if !threshold.samples(randomness.unwrap_or(Randomness::SAMPLED)) {
            return Fate::Dropped;
        }
        if !has_carrier {
            return Fate::Kept;
        }
        mark.threshold = Some(threshold).filter(|threshold| existing.is_none_or(|existing| existing <= *threshold));
        Fate::Marked(mark)
    }

    /// The threshold of an item that brings one.
    fn threshold(&self, existing: Option<Threshold>) -> Threshold {
        match self {
            Self::Never => Threshold::NEVER,
            Self::Hash(hash) => hash.threshold,
            Self::Equalizing(threshold) => existing.unwrap_or(Threshold::ALWAYS).max(*threshold),
            Self::Proportional { share, digits } => {
                let share = existing.map_or(1.0, Threshold::share) * share;
                Threshold::of_share(share, *digits).unwrap_or(Threshold::NEVER)
            }
        }
    }
}

impl Hash {
    /// The randomness of what is hashed.
    pub(super) fn randomness(&self, bytes: &[u8]) -> Randomness {
        let fnv = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(16_777_619);
        let hash = self.seed.to_le_bytes().iter().chain(bytes).fold(2_166_136_261, fnv);
        Randomness::of_hash(hash)
    }

    /// Whether trace IDs of log records count.
    pub(super) fn by_trace_id(&self) -> bool {
        self.by_trace_id
    }

    /// The attribute of log records that counts where there is no trace ID.
    pub(super) fn attribute(&self) -> Option<&str> {
        Some(&*self.attribute).filter(|attribute| !attribute.is_empty())
    }
}
