//! The policies of one configuration, compiled: folds while spans come, verdicts when traces are due.
//!
//! ```text
//! spans ─► fold_resource / fold_span ─► state (u32 words of the trace)
//! due   ─► needs_spans? ─► settle (whole leaves, over the stored spans) ─► decide(candidates, now) ─► verdicts
//! ```
//!
//! Invariants: state that is all zero is a fresh trace; a slot of state is written only by its leaf; the set itself never
//! changes but for its limiters, which one mutex guards. A trace's pieces are folded in arrival order, because some leaves
//! see prefixes.

mod compile;
mod counts;
mod decide;
mod fold;
mod rule;
mod whole;

pub(crate) use compile::Compiler;
pub use counts::PolicyCounts;
pub(crate) use rule::Test;

use crate::{
    attribute::Owner,
    tail_sampling::TailSampling,
    verdict::{Candidate, Now, Piece, Place, Reason, Recorded, StoredSpan, Verdict},
};
use compile::Path;
use fold::Folds;
use otlp::{Keys, scan::Span};
use rule::Rule;
use std::sync::{Mutex, PoisonError};
use whole::Whole;

/// The compiled policies.
#[derive(Debug)]
pub struct PolicySet {
    policies: Vec<Rule>,
    folds: Folds,
    wholes: Vec<Whole>,
    /// Decisions come one at a time.
    limiters: Mutex<decide::Limiters>,
    has_limits: bool,
    paths: Vec<Path>,
    is_first_match: bool,
}

impl PolicySet {
    /// Compiles the policies, adding the attribute keys that they read to `keys`. Limiters are full at `start`.
    #[must_use]
    pub fn new(settings: &TailSampling, keys: &mut Keys, start: Now) -> Self {
        let mut compiler = Compiler::new(keys, start);
        let policies = settings.policies.iter().map(|policy| compiler.rule(policy)).collect();
        compiler.finish(policies, settings.sample_on_first_match)
    }

    /// Takes in the resource of a piece, before the piece's spans. `ordinal` is that of its first span.
    pub fn fold_resource(&self, state: &mut [u32], ordinal: u32, piece: &Piece<'_>) {
        let hits = piece.scan.resource_hits(piece.resource);
        if !hits.is_empty() {
            self.folds.attributes(state, ordinal | Place::RESOURCE, piece.request, hits, Owner::Resource);
        }
    }

    /// Takes in a span of the piece: the `ordinal`-th of its trace, counted from 1 in arrival order.
    #[inline]
    pub fn fold_span(&self, state: &mut [u32], ordinal: u32, piece: &Piece<'_>, span: &Span) {
        self.folds.span(state, ordinal, span);
        let hits = piece.scan.span_hits(span);
        if !hits.is_empty() {
            self.folds.attributes(state, ordinal, piece.request, hits, Owner::Span);
        }
    }

    /// Whether policies are asked piece by piece as spans come: then each piece, once folded, is to be given to
    /// [`decide_piece`](Self::decide_piece), and a trace that is still pending when it is due is not sampled.
    #[must_use]
    pub fn is_span_ingest(&self) -> bool {
        false
    }

    /// Asks the policies about the piece that was folded last. `None` = the trace stays pending.
    #[must_use]
    pub fn decide_piece(&self, _candidate: &Candidate<'_>, _now: Now) -> Option<Verdict> {
        None
    }

    /// Whether the trace has outgrown `maximum_trace_size_bytes`.
    #[must_use]
    pub fn is_too_large(&self, _state: &[u32]) -> bool {
        false
    }

    /// Why the verdict is as it is: the policy's path and what it found in `spans`, the trace's spans in arrival order.
    #[must_use]
    pub fn explain(&self, verdict: &Verdict, _spans: &mut dyn Iterator<Item = StoredSpan<'_>>) -> String {
        self.describe(verdict.reason)
    }

    /// The names that contrib writes to a trace with this verdict.
    #[must_use]
    pub fn recorded(&self, verdict: &Verdict) -> Recorded<'_> {
        let composite = self.paths.get(usize::from(verdict.composite));
        Recorded {
            policy: self.policy_name(verdict.reason),
            composite_policy: composite.map(|path| path.text.as_str()),
        }
    }

    /// Words of state that a trace needs.
    #[must_use]
    pub fn state_words(&self) -> usize {
        self.folds.words
    }

    /// Whether the verdict of this trace hangs on a whole leaf that has not run: then [`settle`](Self::settle) it.
    #[must_use]
    pub fn needs_spans(&self, candidate: &Candidate<'_>) -> bool {
        let mut needed = false;
        self.each_open(candidate, &mut |_| needed = true);
        needed
    }

    /// Runs the whole leaves that are open over the stored spans, given in arrival order. `now` is the decision's.
    pub fn settle(&self, candidate: &mut Candidate<'_>, _now: Now, spans: &mut dyn Iterator<Item = StoredSpan<'_>>) {
        let mut open: Vec<&Whole> = Vec::new();
        self.each_open(candidate, &mut |leaf| open.extend(self.wholes.get(leaf)));
        whole::settle(&open, candidate.state, spans);
    }

    /// Whether the order of the candidates matters, because limiters are charged in it.
    #[must_use]
    pub fn order_matters(&self) -> bool {
        self.has_limits
    }

    /// Decides traces together: one verdict each, in the given order, which should be that of first arrival.
    #[must_use]
    pub fn decide(&self, candidates: &mut [Candidate<'_>], now: Now) -> Vec<Verdict> {
        // A panic in here leaves the limiters as consistent as any moment does.
        let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        decide::decide(&self.policies, self.is_first_match, &mut limiters, candidates, now)
    }

    /// What each top-level policy has said so far, by name, in the order in which they are asked.
    #[must_use]
    pub fn counts(&self) -> Vec<(&str, PolicyCounts)> {
        let limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = limiters.counts.iter().copied().chain(std::iter::repeat(PolicyCounts::default()));
        let named = self.policies.iter().map(|rule| self.paths.get(usize::from(rule.path)));
        named.zip(counts).filter_map(|(path, counts)| path.map(|path| (path.policy.as_str(), counts))).collect()
    }

    /// The path of the policy behind a verdict: `errors`, or `checkout › slow` inside a container.
    #[must_use]
    pub fn describe(&self, reason: Reason) -> String {
        self.path(reason).map_or_else(|| "no policy matched".to_string(), |path| path.text.clone())
    }

    /// The name of the top-level policy behind a verdict; empty if there was none.
    #[must_use]
    pub fn policy_name(&self, reason: Reason) -> &str {
        self.path(reason).map_or("", |path| &path.policy)
    }

    fn path(&self, reason: Reason) -> Option<&Path> {
        self.paths.get(usize::from(reason.path))
    }

    /// Calls `visit` with each whole leaf that has not run and could matter to the verdict, its reason or a limiter.
    fn each_open(&self, candidate: &Candidate<'_>, visit: &mut dyn FnMut(usize)) {
        if !self.wholes.is_empty() {
            rule::each_open(&self.policies, self.is_first_match, candidate, visit);
        }
    }
}

#[cfg(test)]
mod tests;
