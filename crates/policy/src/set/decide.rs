//! From what the policies say to verdicts: contrib's rules of combination, for all candidates of a decision or for a piece.
//!
//! Drop policies have a pass of their own before the others, over all candidates, so that limiters are charged only for
//! what was not dropped. Then every other policy is asked of every trace, in order, limiters too, unless the first match
//! ends it. Any Sampled wins; the recorded policy is the one with the smallest reported threshold, the first among equals.
//! A policy that could not be asked says nothing.
//!
//! In span-ingest the first policy that samples or drops a piece ends it. A drop policy that does neither, nor fails, keeps
//! the others from being asked about the piece.

use super::{
    counts::{Sheet, Tally},
    limiters::Limiters,
    rule::{Bench, Ground, Outcome, Rule},
    size,
    top::Top,
};
use crate::verdict::{Candidate, NO_PATH, Now, Verdict};

/// What decides.
pub(super) struct Panel<'a> {
    /// Drop policies first.
    pub(super) policies: &'a [Rule],
    /// What stands beside each of them.
    pub(super) tops: &'a [Top],
    pub(super) is_first_match: bool,
    /// Where a trace's size is in its state.
    pub(super) size: Option<usize>,
    pub(super) tally: &'a Tally,
}

/// A run over candidates: what the panel needs besides them.
struct Run {
    now: Now,
    /// Counts the answers; without it, the tally does at once.
    sheet: Option<Sheet>,
    /// For policies without limiters.
    none: Limiters,
    /// The part of a composite that accepted the candidate at hand last.
    composite: u16,
}

impl Run {
    fn new(now: Now) -> Self {
        Self { now, sheet: None, none: Limiters::default(), composite: NO_PATH }
    }
}

impl Panel<'_> {
    pub(super) fn decide(&self, candidates: &mut [Candidate<'_>], now: Now) -> Vec<Verdict> {
        let mut run = Run { sheet: Some(self.tally.sheet()), ..Run::new(now) };
        let drops = self.policies.iter().take_while(|policy| policy.is_drop()).count();
        let mut dropped: Vec<Option<Verdict>> = Vec::new();
        if drops > 0 {
            dropped.extend(candidates.iter().map(|candidate| self.dropped(drops, candidate, &mut run)));
        }
        let dropped = dropped.into_iter().chain(std::iter::repeat(None));
        let decided = candidates.iter().zip(dropped);
        let decided =
            decided.map(|(candidate, dropped)| dropped.unwrap_or_else(|| self.verdict(drops, candidate, &mut run)));
        let decided = decided.collect();
        run.sheet.iter().for_each(|sheet| self.tally.enter(sheet));
        decided
    }

    /// The verdict on a trace by its last piece; `None` if it is open.
    pub(super) fn decide_piece(&self, candidate: &Candidate<'_>, now: Now) -> Option<Verdict> {
        let mut run = Run::new(now);
        let mut is_blocked = false;
        for (number, policy) in self.policies.iter().enumerate() {
            if is_blocked && !policy.is_drop() {
                break;
            }
            match self.ask(number, candidate, &mut run) {
                Outcome::Dropped(ground) => return Some(ground.dropped()),
                Outcome::Sampled(ground) => return Some(ground.kept(run.composite)),
                Outcome::NotSampled => is_blocked |= policy.is_drop(),
                Outcome::Error | Outcome::Unasked => {}
            }
        }
        None
    }

    fn ask(&self, number: usize, candidate: &Candidate<'_>, run: &mut Run) -> Outcome {
        let Run { now, sheet, none, composite } = run;
        let outcome = match (self.policies.get(number), self.tops.get(number)) {
            (Some(policy), Some(top)) => top.with_limiters(&candidate.trace_id, none, |limiters| {
                let mut bench = Bench { limiters, now: *now, size: self.size, composite: *composite };
                let outcome = policy.ask(candidate, &mut bench);
                *composite = bench.composite;
                outcome
            }),
            _ => Outcome::Error,
        };
        let amounts = || {
            let bytes = self.size.map_or(0, |first| size::bodies_bytes(candidate.state, first));
            (u64::from(candidate.spans), bytes)
        };
        match sheet {
            Some(sheet) => sheet.add(number, &outcome, amounts),
            None => self.tally.add(number, &outcome, amounts),
        }
        outcome
    }

    fn dropped(&self, drops: usize, candidate: &Candidate<'_>, run: &mut Run) -> Option<Verdict> {
        run.composite = NO_PATH;
        (0..drops).find_map(|number| match self.ask(number, candidate, run) {
            Outcome::Dropped(ground) => Some(ground.dropped()),
            _ => None,
        })
    }

    fn verdict(&self, drops: usize, candidate: &Candidate<'_>, run: &mut Run) -> Verdict {
        run.composite = NO_PATH;
        let mut kept: Option<Ground> = None;
        for number in drops..self.policies.len() {
            let Outcome::Sampled(ground) = self.ask(number, candidate, run) else { continue };
            kept = Some(kept.map_or(ground, |kept| kept.or(ground)));
            if self.is_first_match {
                break;
            }
        }
        kept.map_or(Verdict::SAMPLED_OUT, |ground| ground.kept(run.composite))
    }
}

impl Ground {
    /// Two policies sampled the trace, this one stands before `second`.
    fn or(self, second: Self) -> Self {
        let recorded = if second.reported < self.reported { second } else { self };
        Self { weight: self.weight.or(second.weight), ..recorded }
    }

    fn kept(self, composite: u16) -> Verdict {
        Verdict { keep: true, reason: self.reason, weight: self.weight, composite }
    }

    fn dropped(self) -> Verdict {
        Verdict { reason: self.reason, ..Verdict::SAMPLED_OUT }
    }
}
