//! How a rule stands before the limiters and the open whole leaves have spoken, to find the leaves that are worth running.

use super::{Rule, Test};
use crate::{
    set::{fold::FAILED, whole::MISSED},
    verdict::{Candidate, Weight},
};

/// What is known of a rule's answer.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Standing {
    Sampled,
    NotSampled,
    /// It could not be evaluated.
    Failed,
    /// A whole leaf has yet to say.
    Open,
    /// A limiter has yet to say.
    Unsure,
}

/// Calls `visit`, drop policies first as they stand in `rules`, with the whole leaves that have not run and on which the
/// verdict, its reason or a limiter hangs.
pub(in crate::set) fn each_open(
    rules: &[Rule],
    is_first_match: bool,
    candidate: &Candidate<'_>,
    visit: &mut dyn FnMut(usize),
) {
    let mut is_settled = false;
    for rule in rules {
        // The reason is that of the first certain policy; what stands behind it matters to limiters alone.
        if is_settled && !rule.has_limit() {
            continue;
        }
        match rule.standing(candidate) {
            Standing::Open => rule.visit_open(candidate, visit),
            Standing::Sampled if is_first_match || rule.is_drop() => return,
            Standing::Sampled => is_settled |= rule.is_certain(),
            Standing::NotSampled | Standing::Failed | Standing::Unsure => {}
        }
    }
}

impl Rule {
    fn standing(&self, candidate: &Candidate<'_>) -> Standing {
        let certain = |sampled: bool| if sampled { Standing::Sampled } else { Standing::NotSampled };
        let hit = |word: &usize| candidate.state.get(*word).copied().unwrap_or(FAILED);
        match &self.test {
            Test::Always => Standing::Sampled,
            Test::SpanCount(bounds) => certain(bounds.contains(candidate.spans)),
            Test::Chance(chance) => certain(chance.passes(&candidate.trace_id)),
            Test::Fold { word, inverted } => match hit(word) {
                FAILED => Standing::Failed,
                place => certain((place != 0) != *inverted),
            },
            Test::Whole { word, inverted, .. } => match hit(word) {
                0 => Standing::Open,
                FAILED => Standing::Failed,
                place => certain((place != MISSED) != *inverted),
            },
            Test::Limit { .. } => Standing::Unsure,
            Test::And(rules) | Test::Drop(rules) => Self::standing_together(rules, candidate),
            Test::Not { rule, .. } => match rule.standing(candidate) {
                Standing::Sampled => Standing::NotSampled,
                Standing::NotSampled => Standing::Sampled,
                other => other,
            },
            Test::Composite { parts, .. } => {
                Self::standing_in_turn(&mut parts.iter().map(|(rule, _)| rule), candidate, &mut |_| ())
            }
        }
    }

    /// Refused by one is refused, wherever it stands, for whole leaves have no effects that order could change. Unless a
    /// limiter stands between: whether it is charged hangs on those before it alone.
    fn standing_together(rules: &[Self], candidate: &Candidate<'_>) -> Standing {
        let mut together = Standing::Sampled;
        for rule in rules {
            if together == Standing::Open && rule.has_limit() {
                break;
            }
            match (rule.standing(candidate), together) {
                (end @ (Standing::NotSampled | Standing::Failed), _) => return end,
                (Standing::Open, _) | (_, Standing::Open) => together = Standing::Open,
                (Standing::Unsure, _) => together = Standing::Unsure,
                (Standing::Sampled, _) => {}
            }
        }
        together
    }

    /// Of a composite: what stands behind a part that samples for certain is not reached. Which parts have room is never
    /// known before. Calls `visit` with the open parts that may be reached.
    fn standing_in_turn<'a>(
        parts: &mut dyn Iterator<Item = &'a Self>,
        candidate: &Candidate<'_>,
        visit: &mut dyn FnMut(&'a Self),
    ) -> Standing {
        let mut so_far = Standing::NotSampled;
        for rule in parts {
            match rule.standing(candidate) {
                Standing::NotSampled => {}
                Standing::Open => {
                    visit(rule);
                    so_far = Standing::Open;
                }
                Standing::Unsure if so_far == Standing::NotSampled => so_far = Standing::Unsure,
                Standing::Unsure => {}
                Standing::Failed if so_far == Standing::NotSampled => return Standing::Failed,
                Standing::Sampled if so_far == Standing::NotSampled => return Standing::Unsure,
                Standing::Failed | Standing::Sampled => return so_far,
            }
        }
        so_far
    }

    /// Whether it does not sample, whatever the open leaves say.
    pub(super) fn refuses(&self, candidate: &Candidate<'_>) -> bool {
        self.standing(candidate) == Standing::NotSampled
    }

    /// Whether no other policy can add to its reason and weight, if it samples.
    fn is_certain(&self) -> bool {
        match &self.test {
            Test::Chance(chance) => chance.weight() == Weight::Exact(0),
            Test::Not { rule, seed } => rule.weight_of_opposite(*seed) == Weight::Exact(0),
            _ => self.parts().all(Self::is_certain),
        }
    }

    fn visit_open(&self, candidate: &Candidate<'_>, visit: &mut dyn FnMut(usize)) {
        match &self.test {
            Test::Whole { leaf, .. } if self.standing(candidate) == Standing::Open => visit(*leaf),
            Test::And(rules) | Test::Drop(rules) => rules.iter().for_each(|rule| rule.visit_open(candidate, visit)),
            Test::Not { rule, .. } => rule.visit_open(candidate, visit),
            Test::Composite { parts, .. } => {
                let mut open = Vec::new();
                Self::standing_in_turn(&mut parts.iter().map(|(rule, _)| rule), candidate, &mut |rule| open.push(rule));
                open.into_iter().for_each(|rule| rule.visit_open(candidate, visit));
            }
            _ => {}
        }
    }
}
