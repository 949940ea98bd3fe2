//! From what the policies say to verdicts: contrib's rules of combination, for all candidates of a decision.
//!
//! Drop policies have a pass of their own before the others, over all candidates, so that limiters are charged only for
//! what was not dropped. Then every other policy is asked of every trace, in order, limiters too, unless the first match
//! ends it. Any Sampled wins; the recorded policy is the one with the smallest reported threshold, the first among equals.
//! A policy that could not be asked says nothing.

use super::{
    counts::PolicyCounts,
    rule::{Bench, Ground, Outcome, Rule},
};
use crate::{
    bucket::Bucket,
    verdict::{Candidate, Now, Verdict},
};

/// What changes from decision to decision.
#[derive(Debug, Default)]
pub(super) struct Limiters {
    /// The limiters of the batch leaves.
    pub(super) limits: Vec<Bucket>,
    /// What each policy has said, in the set's order.
    pub(super) counts: Vec<PolicyCounts>,
}

pub(super) fn decide(
    policies: &[Rule],
    is_first_match: bool,
    limiters: &mut Limiters,
    candidates: &mut [Candidate<'_>],
    now: Now,
) -> Vec<Verdict> {
    let (drops, others) = policies.split_at(policies.iter().take_while(|policy| policy.is_drop()).count());
    limiters.counts.resize(policies.len(), PolicyCounts::default());
    let (drop_counts, other_counts) = limiters.counts.split_at_mut(drops.len());
    let mut bench = Bench { limits: &mut limiters.limits, now };
    let dropped: Vec<Option<Verdict>> = match drops {
        [] => Vec::new(),
        drops => candidates.iter().map(|candidate| drop_verdict(drops, drop_counts, candidate, &mut bench)).collect(),
    };
    let dropped = dropped.into_iter().chain(std::iter::repeat(None));
    let decided = candidates.iter().zip(dropped);
    decided
        .map(|(candidate, dropped)| {
            dropped.unwrap_or_else(|| verdict(others, other_counts, is_first_match, candidate, &mut bench))
        })
        .collect()
}

fn drop_verdict(
    drops: &[Rule],
    counts: &mut [PolicyCounts],
    candidate: &Candidate<'_>,
    bench: &mut Bench<'_>,
) -> Option<Verdict> {
    drops.iter().zip(counts).find_map(|(policy, counts)| {
        let outcome = policy.ask(candidate, bench);
        counts.add(&outcome);
        match outcome {
            Outcome::Dropped(ground) => Some(Verdict { reason: ground.reason, ..Verdict::SAMPLED_OUT }),
            _ => None,
        }
    })
}

fn verdict(
    policies: &[Rule],
    counts: &mut [PolicyCounts],
    is_first_match: bool,
    candidate: &Candidate<'_>,
    bench: &mut Bench<'_>,
) -> Verdict {
    let mut kept: Option<Ground> = None;
    for (policy, counts) in policies.iter().zip(counts) {
        let outcome = policy.ask(candidate, bench);
        counts.add(&outcome);
        let Outcome::Sampled(ground) = outcome else { continue };
        kept = Some(kept.map_or(ground, |kept| either(kept, ground)));
        if is_first_match {
            break;
        }
    }
    kept.map_or(Verdict::SAMPLED_OUT, |Ground { reason, weight, .. }| Verdict {
        keep: true,
        reason,
        weight,
        composite: u16::MAX,
    })
}

/// Two policies sampled the trace, `first` stands before `second`.
fn either(first: Ground, second: Ground) -> Ground {
    let recorded = if second.reported < first.reported { second } else { first };
    Ground { weight: first.weight.or(second.weight), ..recorded }
}
