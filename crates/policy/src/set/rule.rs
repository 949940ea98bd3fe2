//! A policy as it is asked for a verdict: a small tree over the words that the leaves left behind.
//!
//! Answers come in contrib's order of evaluation, because limiters are charged on the way. How a rule stands before that
//! ([`standing`]) is found out without any effect.

mod standing;

pub(super) use standing::each_open;

use super::{
    fold::FAILED,
    limiters::{Limiters, Share, Unit},
    whole::MISSED,
};
use crate::{
    probabilistic::Chance,
    span_count::SpanCount,
    verdict::{Candidate, NO_PATH, Now, Reason, Weight, Why},
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
    Limit {
        index: usize,
        unit: Unit,
    },
    And(Vec<Rule>),
    /// The opposite; `seed` names the traces that a hash does not pass.
    Not {
        rule: Box<Rule>,
        seed: u16,
    },
    /// Like `And`, but what passes is dropped.
    Drop(Vec<Rule>),
    /// The counters with this number, and the parts with their shares.
    Composite {
        index: usize,
        parts: Vec<(Rule, Share)>,
    },
}

/// What a rule says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outcome {
    Sampled(Ground),
    NotSampled,
    Dropped(Ground),
    /// Could not be evaluated; neutral among policies, and an error of the container that holds it.
    Error,
    /// Was not evaluated, because the verdict stands without it; neutral, too.
    Unasked,
}

/// Why a rule says Sampled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ground {
    pub(super) reason: Reason,
    /// The threshold that contrib has it report; the smallest among the policies names the recorded one.
    pub(super) reported: u64,
    pub(super) weight: Weight,
}

/// What answers need besides the candidate.
pub(super) struct Bench<'a> {
    pub(super) limiters: &'a mut Limiters,
    pub(super) now: Now,
    /// Where the candidate's size is in its state.
    pub(super) size: Option<usize>,
    /// The part of a composite that accepted the candidate last.
    pub(super) composite: u16,
}

impl Rule {
    pub(super) fn ask(&self, candidate: &Candidate<'_>, bench: &mut Bench<'_>) -> Outcome {
        match &self.test {
            Test::Always => self.certain(true, 0),
            Test::SpanCount(bounds) => self.certain(bounds.contains(candidate.spans), 0),
            Test::Fold { word, inverted } => match candidate.state.get(*word) {
                None | Some(&FAILED) => Outcome::Error,
                Some(place) => self.certain((*place != 0) != *inverted, *place),
            },
            Test::Whole { word, inverted, .. } => match candidate.state.get(*word) {
                None | Some(&FAILED) => Outcome::Error,
                Some(0) => Outcome::Unasked,
                Some(&MISSED) => self.certain(*inverted, 0),
                Some(place) => self.certain(!inverted, *place),
            },
            Test::Chance(chance) if chance.passes(&candidate.trace_id) => {
                self.sampled(0, chance.threshold, chance.weight())
            }
            Test::Chance(_) => Outcome::NotSampled,
            Test::Limit { index, unit } => {
                let cost = unit.cost(candidate, bench.size);
                let passes = bench.limiters.allow(*index, cost, bench.now.mono_ns);
                if passes { self.sampled(0, 0, Weight::Unknown(Why::Limited)) } else { Outcome::NotSampled }
            }
            Test::And(rules) => self.ask_all(rules, candidate, bench),
            Test::Not { rule, seed } => match rule.ask(candidate, bench) {
                Outcome::Sampled(_) => Outcome::NotSampled,
                Outcome::NotSampled => rule.sampled(0, 0, rule.weight_of_opposite(*seed)),
                other => other,
            },
            Test::Drop(rules) => match self.ask_all(rules, candidate, bench) {
                Outcome::Sampled(ground) => Outcome::Dropped(ground),
                other => other,
            },
            Test::Composite { index, parts } => self.ask_parts(*index, parts, candidate, bench),
        }
    }

    /// The reason of all is that of the last one that matched at a spot, or else of the last one.
    fn ask_all(&self, rules: &[Rule], candidate: &Candidate<'_>, bench: &mut Bench<'_>) -> Outcome {
        let mut all = Ground { reason: Reason { path: self.path, place: 0 }, reported: 0, weight: Weight::Exact(0) };
        for rule in rules {
            let ground = match rule.ask(candidate, bench) {
                Outcome::Sampled(ground) => ground,
                // One that stands further on refuses; that is why nobody asked.
                Outcome::Unasked if self.refuses(candidate) => return Outcome::NotSampled,
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

    /// The first part that samples has the say: it accepts the trace or refuses it for want of room in this second.
    fn ask_parts(
        &self,
        index: usize,
        parts: &[(Rule, Share)],
        candidate: &Candidate<'_>,
        bench: &mut Bench<'_>,
    ) -> Outcome {
        for (part, (rule, share)) in parts.iter().enumerate() {
            match rule.ask(candidate, bench) {
                Outcome::Sampled(ground) => {
                    if !bench.limiters.count(index, part, *share, candidate.spans, bench.now.wall_ns) {
                        return Outcome::NotSampled;
                    }
                    bench.composite = rule.path;
                    let weight = Weight::Unknown(Why::Limited);
                    return Outcome::Sampled(Ground { reason: ground.reason, reported: 0, weight });
                }
                Outcome::NotSampled => {}
                other => return other,
            }
        }
        Outcome::NotSampled
    }

    fn certain(&self, sampled: bool, place: u32) -> Outcome {
        if sampled { self.sampled(place, 0, Weight::Exact(0)) } else { Outcome::NotSampled }
    }

    fn sampled(&self, place: u32, reported: u64, weight: Weight) -> Outcome {
        Outcome::Sampled(Ground { reason: Reason { path: self.path, place }, reported, weight })
    }

    /// The weight of a trace that this rule did not sample.
    fn weight_of_opposite(&self, seed: u16) -> Weight {
        match &self.test {
            Test::Chance(chance) => chance.weight_of_opposite(seed),
            _ if self.has_limit() => Weight::Unknown(Why::Limited),
            _ => Weight::Exact(0),
        }
    }

    /// Whether it belongs to the drop pass, before all others.
    pub(super) fn is_drop(&self) -> bool {
        matches!(self.test, Test::Drop(_))
    }

    /// Whether a limiter is in it, so that it matters beyond its own verdict.
    pub(super) fn has_limit(&self) -> bool {
        matches!(self.test, Test::Limit { .. } | Test::Composite { .. }) || self.parts().any(Self::has_limit)
    }

    /// Moves its limiters from `all` to `own`.
    pub(super) fn claim(&mut self, all: &Limiters, own: &mut Limiters) {
        match &mut self.test {
            Test::Limit { index, .. } => move_to(index, &all.buckets, &mut own.buckets),
            Test::Composite { index, .. } => move_to(index, &all.composites, &mut own.composites),
            _ => {}
        }
        self.each_part(&mut |part| part.claim(all, own));
    }

    /// Gives it and its parts the names' new numbers, by the old ones.
    pub(super) fn renumber(&mut self, numbers: &[u16]) {
        self.path = numbers.get(usize::from(self.path)).copied().unwrap_or(NO_PATH);
        self.each_part(&mut |part| part.renumber(numbers));
    }

    fn each_part(&mut self, visit: &mut dyn FnMut(&mut Self)) {
        match &mut self.test {
            Test::And(rules) | Test::Drop(rules) => rules.iter_mut().for_each(visit),
            Test::Not { rule, .. } => visit(rule),
            Test::Composite { parts, .. } => parts.iter_mut().for_each(|(rule, _)| visit(rule)),
            _ => {}
        }
    }

    /// The rules in it.
    pub(super) fn parts(&self) -> Box<dyn Iterator<Item = &Self> + '_> {
        match &self.test {
            Test::And(rules) | Test::Drop(rules) => Box::new(rules.iter()),
            Test::Not { rule, .. } => Box::new(std::iter::once(&**rule)),
            Test::Composite { parts, .. } => Box::new(parts.iter().map(|(rule, _)| rule)),
            _ => Box::new(std::iter::empty()),
        }
    }
}

fn move_to<T: Clone>(index: &mut usize, from: &[T], to: &mut Vec<T>) {
    // An index beyond them stays beyond: the limiter then refuses.
    let moved = from.get(*index).cloned();
    *index = if moved.is_some() { to.len() } else { usize::MAX };
    to.extend(moved);
}
