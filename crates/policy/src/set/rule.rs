//! A policy as it is asked for a verdict: a small tree over the words that the leaves left behind.

use super::whole::MISSED;
use crate::{
    bucket::Bucket,
    probabilistic::Chance,
    span_count::SpanCount,
    verdict::{Candidate, Now, Reason, Weight, Why},
};

/// A policy or a part of one.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Its name's number in the set's paths.
    pub(super) path: u16,
    pub(super) test: Test,
}

/// What a rule asks.
#[derive(Debug)]
pub(crate) enum Test {
    Always,
    Chance(Chance),
    SpanCount(SpanCount),
    /// Whether a fold leaf has hit, or has not.
    Fold {
        word: usize,
        inverted: bool,
    },
    /// Whether a whole leaf has hit, or has not; the leaf's number and its word.
    Whole {
        leaf: usize,
        word: usize,
        inverted: bool,
    },
    /// The limiter with this number.
    Limit(usize),
    And(Vec<Rule>),
    /// Like `And`, but what passes is dropped.
    #[cfg_attr(not(test), expect(dead_code, reason = "the kind `drop` is not in the table yet, the frame is"))]
    Drop(Vec<Rule>),
}

/// What a rule says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outcome {
    Sampled(Ground),
    NotSampled,
    Dropped(Ground),
    /// Could not be asked; neutral among policies, and an error of the container that holds it.
    Error,
}

/// Why a rule says Sampled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ground {
    pub(super) reason: Reason,
    /// The threshold that contrib has it report; the smallest among the policies names the recorded one.
    pub(super) reported: u64,
    pub(super) weight: Weight,
}

/// How a rule stands before the limiters and the open whole leaves have spoken.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Standing {
    Sampled,
    NotSampled,
    /// A whole leaf has yet to say.
    Open,
    /// A limiter has yet to say.
    Unsure,
}

/// What answers need besides the candidate.
pub(super) struct Bench<'a> {
    pub(super) limits: &'a mut [Bucket],
    pub(super) now: Now,
}

impl Rule {
    pub(super) fn ask(&self, candidate: &Candidate<'_>, bench: &mut Bench<'_>) -> Outcome {
        match &self.test {
            Test::Always => self.certain(true, 0),
            Test::SpanCount(bounds) => self.certain(bounds.contains(candidate.spans), 0),
            Test::Fold { word, inverted } => match candidate.state.get(*word) {
                Some(place) => self.certain((*place != 0) != *inverted, *place),
                None => Outcome::Error,
            },
            Test::Whole { word, inverted, .. } => match candidate.state.get(*word) {
                None | Some(0) => Outcome::Error,
                Some(&MISSED) => self.certain(*inverted, 0),
                Some(place) => self.certain(!inverted, *place),
            },
            Test::Chance(chance) if chance.passes(&candidate.trace_id) => {
                self.sampled(0, chance.threshold, chance.weight())
            }
            Test::Chance(_) => Outcome::NotSampled,
            Test::Limit(index) => {
                let bucket = bench.limits.get_mut(*index);
                let passes = bucket.is_some_and(|bucket| bucket.allow(u64::from(candidate.spans), bench.now.mono_ns));
                if passes { self.sampled(0, 0, Weight::Unknown(Why::Limited)) } else { Outcome::NotSampled }
            }
            Test::And(rules) => self.ask_all(rules, candidate, bench),
            Test::Drop(rules) => match self.ask_all(rules, candidate, bench) {
                Outcome::Sampled(ground) => Outcome::Dropped(ground),
                other => other,
            },
        }
    }

    /// The reason of all is that of the last one that matched at a spot, or else of the last one.
    fn ask_all(&self, rules: &[Rule], candidate: &Candidate<'_>, bench: &mut Bench<'_>) -> Outcome {
        let mut all = Ground { reason: Reason { path: self.path, place: 0 }, reported: 0, weight: Weight::Exact(0) };
        for rule in rules {
            let ground = match rule.ask(candidate, bench) {
                Outcome::Sampled(ground) => ground,
                other => return other,
            };
            if ground.reason.place != 0 || all.reason.place == 0 {
                all.reason = ground.reason;
            }
            all.reported = all.reported.max(ground.reported);
            all.weight = all.weight.and(ground.weight);
        }
        Outcome::Sampled(all)
    }

    fn certain(&self, sampled: bool, place: u32) -> Outcome {
        if sampled { self.sampled(place, 0, Weight::Exact(0)) } else { Outcome::NotSampled }
    }

    fn sampled(&self, place: u32, reported: u64, weight: Weight) -> Outcome {
        Outcome::Sampled(Ground { reason: Reason { path: self.path, place }, reported, weight })
    }

    fn standing(&self, candidate: &Candidate<'_>) -> Standing {
        let certain = |sampled: bool| if sampled { Standing::Sampled } else { Standing::NotSampled };
        let hit = |word: &usize| candidate.state.get(*word).copied().unwrap_or(0);
        match &self.test {
            Test::Always => Standing::Sampled,
            Test::SpanCount(bounds) => certain(bounds.contains(candidate.spans)),
            Test::Chance(chance) => certain(chance.passes(&candidate.trace_id)),
            Test::Fold { word, inverted } => certain((hit(word) != 0) != *inverted),
            Test::Whole { word, inverted, .. } => match hit(word) {
                0 => Standing::Open,
                place => certain((place != MISSED) != *inverted),
            },
            Test::Limit(_) => Standing::Unsure,
            Test::And(rules) | Test::Drop(rules) => Self::standing_together(rules, candidate),
        }
    }

    /// Refused by one is refused, wherever it stands, for whole leaves have no effects that order could change. Unless a
    /// limiter stands between: whether it is charged hangs on those before it alone.
    fn standing_together(rules: &[Rule], candidate: &Candidate<'_>) -> Standing {
        let mut together = Standing::Sampled;
        for rule in rules {
            if together == Standing::Open && rule.has_limit() {
                break;
            }
            together = together.and(rule.standing(candidate));
            if together == Standing::NotSampled {
                break;
            }
        }
        together
    }

    /// Whether it belongs to the drop pass, before all others.
    pub(super) fn is_drop(&self) -> bool {
        matches!(self.test, Test::Drop(_))
    }

    /// Whether a limiter is in it, so that it matters beyond its own verdict.
    fn has_limit(&self) -> bool {
        match &self.test {
            Test::Limit(_) => true,
            Test::And(rules) | Test::Drop(rules) => rules.iter().any(Self::has_limit),
            _ => false,
        }
    }

    /// The threshold that it reports if it samples.
    fn reported(&self) -> u64 {
        match &self.test {
            Test::Chance(chance) => chance.threshold,
            Test::And(rules) => rules.iter().map(Self::reported).max().unwrap_or(0),
            _ => 0,
        }
    }

    fn visit_open(&self, candidate: &Candidate<'_>, visit: &mut dyn FnMut(usize)) {
        match &self.test {
            Test::Whole { leaf, .. } if self.standing(candidate) == Standing::Open => visit(*leaf),
            Test::And(rules) | Test::Drop(rules) => rules.iter().for_each(|rule| rule.visit_open(candidate, visit)),
            _ => {}
        }
    }
}

impl Standing {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::NotSampled, _) | (_, Self::NotSampled) => Self::NotSampled,
            (Self::Open, _) | (_, Self::Open) => Self::Open,
            (Self::Unsure, _) | (_, Self::Unsure) => Self::Unsure,
            (Self::Sampled, Self::Sampled) => Self::Sampled,
        }
    }
}

/// Calls `visit`, drop policies first as they stand in `rules`, with the whole leaves that have not run and on which the verdict, its reason or a limiter hangs.
pub(super) fn each_open(rules: &[Rule], is_first_match: bool, candidate: &Candidate<'_>, visit: &mut dyn FnMut(usize)) {
    let mut is_settled = false;
    for rule in rules {
        // The reason is that of the first certain policy; what stands behind it matters to limiters alone.
        if is_settled && !rule.has_limit() {
            continue;
        }
        match rule.standing(candidate) {
            Standing::Open => rule.visit_open(candidate, visit),
            Standing::Sampled if is_first_match || rule.is_drop() => return,
            Standing::Sampled => is_settled |= rule.reported() == 0,
            Standing::NotSampled | Standing::Unsure => {}
        }
    }
}
