//! What each policy has said so far: one count a policy and answer, the source of contrib's per-policy metrics.

use super::rule::Outcome;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

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

/// What is counted of the traces that a policy was asked about, besides their number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Their spans.
    pub spans: bool,
    /// Their bytes, by pdata's rules.
    pub bytes: bool,
}

/// Spans or bytes by the answer that the policy gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Of traces that it wanted.
    pub sampled: u64,
    /// Of those that it did not.
    pub not_sampled: u64,
    /// Of those that it dropped.
    pub dropped: u64,
}

/// The counts of all policies, in the set's order. A set that follows another shares them with it.
#[derive(Debug, Default)]
pub(super) struct Tally {
    answers: Box<[Arc<[AtomicU64; ANSWERS]>]>,
    /// Spans and bytes.
    sums: Box<[Arc<[[AtomicU64; ANSWERS]; 2]>]>,
    pub(super) amounts: Amounts,
}

/// What the policies say in one decision over many traces. Counting every answer in the tally costs more than most answers.
#[derive(Debug)]
pub(super) struct Sheet {
    policies: Vec<Counted>,
    amounts: Amounts,
}

/// What one policy has said.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    answers: [u64; ANSWERS],
    spans: [u64; ANSWERS],
    bytes: [u64; ANSWERS],
}

impl Tally {
    pub(super) fn new(policies: usize, amounts: Amounts) -> Self {
        Self {
            answers: (0..policies).map(|_| Default::default()).collect(),
            sums: (0..policies).map(|_| Default::default()).collect(),
            amounts,
        }
    }

    /// Policy number `here` goes on counting where number `there` of the set before is.
    pub(super) fn follow(&mut self, here: usize, before: &Self, there: usize) {
        if let (Some(here), Some(there)) = (self.answers.get_mut(here), before.answers.get(there)) {
            *here = Arc::clone(there);
        }
        if let (Some(here), Some(there)) = (self.sums.get_mut(here), before.sums.get(there)) {
            *here = Arc::clone(there);
        }
    }

    /// `size` gives the trace's spans and bytes; it is only asked where they are counted.
    pub(super) fn add(&self, policy: usize, outcome: &Outcome, size: impl FnOnce() -> (u64, u64)) {
        let answer = outcome.number();
        if let Some(counts) = self.answers.get(policy) {
            counts[answer].fetch_add(1, Ordering::Relaxed);
        }
        if self.amounts != Amounts::default()
            && let Some(sums) = self.sums.get(policy)
        {
            let [spans, bytes] = &**sums;
            let (more_spans, more_bytes) = size();
            spans[answer].fetch_add(more_spans, Ordering::Relaxed);
            bytes[answer].fetch_add(more_bytes, Ordering::Relaxed);
        }
    }

    /// A sheet for the answers of one decision.
    pub(super) fn sheet(&self) -> Sheet {
        Sheet { policies: vec![Counted::default(); self.answers.len()], amounts: self.amounts }
    }

    /// Takes over what a sheet has counted.
    pub(super) fn enter(&self, sheet: &Sheet) {
        for ((answers, sums), counted) in self.answers.iter().zip(&self.sums).zip(&sheet.policies) {
            let [spans, bytes] = &**sums;
            add(answers, &counted.answers);
            add(spans, &counted.spans);
            add(bytes, &counted.bytes);
        }
    }

    /// Spans and bytes; zeros where they are not counted.
    pub(super) fn read_amounts(&self) -> impl Iterator<Item = [Amount; 2]> {
        self.sums.iter().map(|sums| {
            sums.each_ref().map(|sums| {
                let [sampled, not_sampled, dropped] = [0, 1, 2].map(|answer| sums[answer].load(Ordering::Relaxed));
                Amount { sampled, not_sampled, dropped }
            })
        })
    }

    pub(super) fn read(&self) -> impl Iterator<Item = PolicyCounts> {
        self.answers.iter().map(|counts| {
            let [sampled, not_sampled, dropped, errors, unasked] =
                [0, 1, 2, 3, 4].map(|answer| counts[answer].load(Ordering::Relaxed));
            PolicyCounts { sampled, not_sampled, dropped, errors, unasked }
        })
    }
}

impl Sheet {
    /// `size` gives the trace's spans and bytes; it is only asked where they are counted.
    pub(super) fn add(&mut self, policy: usize, outcome: &Outcome, size: impl FnOnce() -> (u64, u64)) {
        let Some(counted) = self.policies.get_mut(policy) else { return };
        let answer = outcome.number();
        counted.answers[answer] += 1;
        if self.amounts != Amounts::default() {
            let (spans, bytes) = size();
            counted.spans[answer] += spans;
            counted.bytes[answer] += bytes;
        }
    }
}

impl Outcome {
    fn number(&self) -> usize {
        match self {
            Self::Sampled(_) => 0,
            Self::NotSampled => 1,
            Self::Dropped(_) => 2,
            Self::Error => 3,
            Self::Unasked => 4,
        }
    }
}

fn add(counts: &[AtomicU64; ANSWERS], more: &[u64; ANSWERS]) {
    for (count, more) in counts.iter().zip(more).filter(|(_, more)| **more > 0) {
        count.fetch_add(*more, Ordering::Relaxed);
    }
}

const ANSWERS: usize = 5;
