//! The policies of one configuration, compiled: folds while spans come, verdicts when traces are due.
//!
//! ```text
//! spans ─► fold_resource / fold_span ─► state (u32 words of the trace)
//! due   ─► needs_spans? ─► settle (whole leaves, over the stored spans) ─► decide(candidates, now) ─► verdicts
//! ```
//!
//! Invariants: state that is all zero is a fresh trace; a slot of state is written only by its leaf; the set itself never
//! changes but for its limiters and counts, which a set that follows it may share. A trace's pieces are folded in arrival
//! order, because some leaves see prefixes.

mod compile;
mod counts;
mod decide;
mod explain;
mod fold;
mod follow;
mod limiters;
mod meter;
mod rule;
mod size;
mod top;
mod whole;

pub(crate) use compile::{Compiler, Side};
pub use counts::{Amount, Amounts, PolicyCounts};
pub(crate) use explain::{Seen, counted, grouped, shown};
pub(crate) use limiters::{Share, Unit};
pub(crate) use meter::Failure;
pub(crate) use rule::Test;

use crate::{
    tail_sampling::TailSampling,
    verdict::{Candidate, Now, Piece, Reason, Recorded, StoredSpan, Verdict},
};
use compile::Path;
use counts::Tally;
use decide::Panel;
use fold::Folds;
use otlp::{Keys, scan::Span};
use rule::Rule;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use top::Top;
use whole::Whole;

/// The compiled policies.
#[derive(Debug)]
pub struct PolicySet {
    policies: Vec<Rule>,
    folds: Folds,
    wholes: Vec<Whole>,
    /// What stands beside each of the policies.
    tops: Vec<Top>,
    has_limits: bool,
    tally: Tally,
    /// By the numbers in reasons. After a set that followed others, some are of policies that are not here any more.
    paths: Vec<Path>,
    /// The keys whose ids the leaves hold, and maybe others.
    keys: Arc<Keys>,
    is_first_match: bool,
    is_by_piece: bool,
    /// 0 = no limit.
    trace_bytes_max: u64,
    /// Conditions that would have cost too much.
    cuts: Arc<AtomicU64>,
}

impl PolicySet {
    /// Compiles the policies, adding the attribute keys that they read to `keys`. Limiters are full at `start`.
    #[must_use]
    pub fn new(settings: &TailSampling, keys: &mut Keys, start: Now) -> Self {
        Self::counting(settings, keys, start, Amounts::default())
    }

    /// The same, which counts more than numbers of traces.
    #[must_use]
    pub fn counting(settings: &TailSampling, keys: &mut Keys, start: Now, amounts: Amounts) -> Self {
        let mut compiler = Compiler::new(settings, keys, start);
        compiler.amounts = amounts;
        let policies = compiler.in_turn(&settings.policies);
        compiler.finish(policies, settings)
    }

    /// Takes in the resource of a piece, before the piece's spans. `ordinal` is that of its first span.
    pub fn fold_resource(&self, state: &mut [u32], ordinal: u32, piece: &Piece<'_>) {
        let cuts = self.folds.begin(state, ordinal, piece);
        self.count_cuts(cuts);
    }

    /// Takes in a span of the piece: the `ordinal`-th of its trace, counted from 1 in arrival order.
    #[inline]
    pub fn fold_span(&self, state: &mut [u32], ordinal: u32, piece: &Piece<'_>, span: &Span) {
        let cuts = self.folds.span(state, ordinal, piece, span);
        self.count_cuts(cuts);
    }

    /// Words of state that a trace needs.
    #[must_use]
    pub fn state_words(&self) -> usize {
        self.folds.words
    }

    /// Whether the trace has outgrown `maximum_trace_size_bytes`: then it is not sampled, and not decided otherwise.
    #[must_use]
    pub fn is_too_large(&self, state: &[u32]) -> bool {
        self.trace_bytes_max > 0
            && self.folds.size.is_some_and(|first| size::bodies_bytes(state, first) > self.trace_bytes_max)
    }

    /// Whether policies are asked piece by piece as spans come: then each piece, once folded, is to be given to
    /// [`decide_piece`](Self::decide_piece), and a trace that is still pending when it is due is not sampled.
    #[must_use]
    pub fn is_span_ingest(&self) -> bool {
        self.is_by_piece
    }

    /// Asks the policies about the piece that was folded last. `None` = the trace stays pending.
    #[must_use]
    pub fn decide_piece(&self, candidate: &Candidate<'_>, now: Now) -> Option<Verdict> {
        self.panel().decide_piece(candidate, now)
    }

    /// Whether the verdict of this trace hangs on a whole leaf that has not run: then [`settle`](Self::settle) it.
    #[must_use]
    pub fn needs_spans(&self, candidate: &Candidate<'_>) -> bool {
        let mut needed = false;
        self.each_open(candidate, &mut |_| needed = true);
        needed
    }

    /// Runs the whole leaves that are open over the stored spans, given in arrival order. `now` is the decision's.
    pub fn settle(&self, candidate: &mut Candidate<'_>, now: Now, spans: &mut dyn Iterator<Item = StoredSpan<'_>>) {
        let mut open: Vec<&Whole> = Vec::new();
        self.each_open(candidate, &mut |leaf| open.extend(self.wholes.get(leaf)));
        let cuts = whole::settle(&open, candidate, self.folds.fuel, now, spans);
        self.count_cuts(cuts);
    }

    /// Whether the order of the candidates matters, because limiters are charged in it.
    #[must_use]
    pub fn order_matters(&self) -> bool {
        self.has_limits
    }

    /// Decides traces together: one verdict each, in the given order, which should be that of first arrival.
    #[must_use]
    pub fn decide(&self, candidates: &mut [Candidate<'_>], now: Now) -> Vec<Verdict> {
        self.panel().decide(candidates, now)
    }

    /// The keys that a request has to be scanned with before its spans are folded: these, or some that extend them.
    #[must_use]
    pub fn keys(&self) -> &Arc<Keys> {
        &self.keys
    }

    /// The spans and the bytes of the traces that each top-level policy was asked about, in the order of
    /// [`counts`](Self::counts); zeros where they are not counted.
    #[must_use]
    pub fn amounts(&self) -> Vec<[Amount; 2]> {
        self.tally.read_amounts().collect()
    }

    /// What each top-level policy has said so far, by name, in the order in which they are asked.
    #[must_use]
    pub fn counts(&self) -> Vec<(&str, PolicyCounts)> {
        self.tops.iter().map(|top| top.name.as_str()).zip(self.tally.read()).collect()
    }

    /// How many conditions were not evaluated, or not to their end, because their trace had cost too much. Each counts as
    /// an error of its policy.
    #[must_use]
    pub fn evaluation_cut(&self) -> u64 {
        self.cuts.load(Ordering::Relaxed)
    }

    /// Why the verdict is as it is: the policy's path and what it found in `spans`, the trace's spans in arrival order.
    #[must_use]
    pub fn explain(&self, verdict: &Verdict, spans: &mut dyn Iterator<Item = StoredSpan<'_>>) -> String {
        let Some(path) = self.path(verdict.reason) else { return self.describe(verdict.reason) };
        let explain = AssertUnwindSafe(|| explain::explain(path, verdict.reason.place(), spans));
        // Conditions are asked again; one that panics now must not keep the trace from going on.
        catch_unwind(explain).unwrap_or_else(|_| format!("`{}`", path.text))
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

    /// The names that contrib writes to a trace with this verdict.
    #[must_use]
    pub fn recorded(&self, verdict: &Verdict) -> Recorded<'_> {
        let composite = self.paths.get(usize::from(verdict.composite));
        Recorded {
            policy: self.policy_name(verdict.reason),
            composite_policy: composite.map(|path| path.name.as_str()),
        }
    }

    fn panel(&self) -> Panel<'_> {
        let Self { policies, tops, folds, is_first_match, tally, .. } = self;
        Panel { policies, tops, is_first_match: *is_first_match, size: folds.size, tally }
    }

    #[inline]
    fn count_cuts(&self, cuts: u64) {
        if cuts > 0 {
            self.cuts.fetch_add(cuts, Ordering::Relaxed);
        }
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
