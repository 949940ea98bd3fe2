//! What each policy has said so far: one count a policy and answer, the source of contrib's per-policy metrics.

use super::rule::Outcome;
use std::sync::atomic::{AtomicU64, Ordering};

/// How often a top-level policy gave each answer. An answer is not the final verdict: any policy may keep a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyCounts {
    /// It wanted the trace.
    pub sampled: u64,
    /// It did not.
    pub not_sampled: u64,
    /// It dropped the trace.
    pub dropped: u64,
    /// It could not be evaluated, and was ignored.
    pub errors: u64,
    /// It was not evaluated, because the verdict stood without it.
    pub unasked: u64,
}

/// The counts of all policies, in the set's order.
#[derive(Debug, Default)]
pub(super) struct Tally(Box<[[AtomicU64; ANSWERS]]>);

impl Tally {
    pub(super) fn new(policies: usize) -> Self {
        Self((0..policies).map(|_| Default::default()).collect())
    }

    pub(super) fn add(&self, policy: usize, outcome: &Outcome) {
        let answer = match outcome {
            Outcome::Sampled(_) => 0,
            Outcome::NotSampled => 1,
            Outcome::Dropped(_) => 2,
            Outcome::Error => 3,
            Outcome::Unasked => 4,
        };
        if let Some(counts) = self.0.get(policy) {
            counts[answer].fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn read(&self) -> impl Iterator<Item = PolicyCounts> {
        self.0.iter().map(|counts| {
            let [sampled, not_sampled, dropped, errors, unasked] =
                [0, 1, 2, 3, 4].map(|answer| counts[answer].load(Ordering::Relaxed));
            PolicyCounts { sampled, not_sampled, dropped, errors, unasked }
        })
    }
}

const ANSWERS: usize = 5;
