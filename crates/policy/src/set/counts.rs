//! What each policy has said so far: one count a policy and answer, the source of contrib's per-policy metrics.

use super::rule::Outcome;

/// How often a top-level policy gave each answer. An answer is not the final verdict: any policy may keep a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyCounts {
    /// It wanted the trace.
    pub sampled: u64,
    /// It did not.
    pub not_sampled: u64,
    /// It dropped the trace.
    pub dropped: u64,
    /// It could not be asked, and was ignored.
    pub errors: u64,
}

impl PolicyCounts {
    pub(super) fn add(&mut self, outcome: &Outcome) {
        let count = match outcome {
            Outcome::Sampled(_) => &mut self.sampled,
            Outcome::NotSampled => &mut self.not_sampled,
            Outcome::Dropped(_) => &mut self.dropped,
            Outcome::Error => &mut self.errors,
        };
        *count += 1;
    }
}
