//! Verdicts: what is known already, what stored spans have to say, and the policies' word on all that is open.

use super::{
    Due, Fate, Haste,
    stored::{Shelf, Stored},
};
use crate::{
    books::DropReason,
    decided::Remembered,
    engine::Engine,
    shard::Detached,
    slot::{Standing, Trace},
};
use policy::{Candidate, Now, PolicySet, Reason, Verdict};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// One a trace of a slot; nothing while it is open.
pub(super) type Fates = Vec<Option<Fate>>;

impl Due {
    /// What is known before the policies are asked, a list a slot; `asked` tells whether they were asked of each piece.
    pub(super) fn known_fates(&self, engine: &Engine, asked: bool, now: Now) -> Vec<Fates> {
        let presumed = if self.haste == Haste::Last && engine.settings().drop_pending {
            Some(Fate::Dropped(DropReason::Shutdown))
        } else if asked {
            // No piece of it was sampled; contrib, too, asks no more.
            Some(Fate::SampledOut)
        } else {
            None
        };
        let slots = self.slots.iter().map(|(shard, slot)| known_fates(engine, *shard, slot, presumed, now));
        slots.collect()
    }

    /// Runs the policies that look at stored spans, for the traces that the folds leave open. Gives the number of panics.
    pub(super) fn settle_whole(
        &mut self,
        engine: &Engine,
        policies: &PolicySet,
        fates: &mut [Fates],
        now: Now,
    ) -> usize {
        let mut panics = 0;
        for ((shard, slot), fates) in self.slots.iter_mut().zip(fates) {
            let open = catch_unwind(AssertUnwindSafe(|| open_traces(policies, slot, fates)));
            match open {
                Ok(open) if open.is_empty() => {}
                Ok(open) => panics += settle_slot(engine, policies, *shard, slot, &open, fates, now),
                Err(_) => panics += give_up(fates),
            }
        }
        panics
    }

    /// Asks the policies for all undecided traces together, in order of first arrival where that matters.
    pub(super) fn judge(&mut self, policies: &PolicySet, fates: &mut [Fates], now: Now) -> usize {
        let judged = catch_unwind(AssertUnwindSafe(|| self.verdicts(policies, fates, now)));
        let Ok((order, verdicts)) = judged else {
            return fates.iter_mut().map(give_up).max().unwrap_or(0);
        };
        for ((_, slot, index), verdict) in order.iter().zip(&verdicts) {
            let fate = match verdict {
                Verdict { keep: true, .. } => Fate::Kept(*verdict),
                Verdict { reason: Reason::NONE, .. } => Fate::SampledOut,
                _ => Fate::SampledOutByDrop,
            };
            fates[*slot as usize][*index as usize] = Some(fate);
        }
        0
    }

    /// The undecided traces, as (first seen, slot, index), with their verdicts.
    fn verdicts(&mut self, policies: &PolicySet, fates: &[Fates], now: Now) -> (Vec<(u64, u32, u32)>, Vec<Verdict>) {
        let words = policies.state_words();
        let mut order: Vec<(u64, u32, u32)> = Vec::with_capacity(self.traces());
        for (slot_index, ((_, slot), fates)) in self.slots.iter().zip(fates.iter()).enumerate() {
            for (index, trace) in slot.traces.iter().enumerate().filter(|(index, _)| fates[*index].is_none()) {
                order.push((trace.first_seen_ns, slot_index as u32, index as u32));
            }
        }
        if policies.order_matters() {
            order.sort_by_key(|(first_seen_ns, slot, _)| (*first_seen_ns, *slot));
        }
        let mut states: Vec<Vec<Option<&mut [u32]>>> = Vec::new();
        let mut traces = Vec::new();
        for (_, slot) in &mut self.slots {
            let count = slot.traces.len();
            let mut rest = &mut slot.states[..];
            states.push(
                (0..count)
                    .map(|_| {
                        let (state, left) = std::mem::take(&mut rest).split_at_mut(words);
                        rest = left;
                        Some(state)
                    })
                    .collect(),
            );
            traces.push(Arc::clone(&slot.traces));
        }
        let mut candidates: Vec<Candidate<'_>> = order
            .iter()
            .filter_map(|(_, slot, index)| {
                let state = states[*slot as usize][*index as usize].take()?;
                Some(traces[*slot as usize][*index as usize].candidate(state))
            })
            .collect();
        let verdicts = policies.decide(&mut candidates, now);
        (order, verdicts)
    }
}

/// Carried traces wait on, late ones follow the verdict, those that were kept over a piece have theirs.
fn known_fates(engine: &Engine, index: usize, slot: &Detached, presumed: Option<Fate>, now: Now) -> Fates {
    let mut fates = vec![presumed; slot.traces.len()];
    let mut shard = None;
    for (number, (trace, fate)) in (0u32..).zip(slot.traces.iter().zip(&mut fates)) {
        let known = match trace.standing {
            Standing::Waiting => None,
            Standing::Moved | Standing::Gone => Some(Fate::Gone),
            Standing::Kept => slot.past.get(&number).and_then(|past| past.kept).map(|kept| Fate::Kept(kept.verdict)),
            Standing::Follows => {
                let shard = shard.get_or_insert_with(|| engine.shards[index].lock());
                followed(shard.decided.recall(engine.position_of(trace.id), engine.tag_of(trace.id), now.mono_ns))
            }
        };
        *fate = known.or(*fate);
    }
    for (trace, place) in &slot.carried {
        fates[*trace as usize] = Some(Fate::Carried(*place));
    }
    fates
}

fn followed(remembered: Option<Remembered>) -> Option<Fate> {
    remembered.map(|remembered| match remembered {
        Remembered::SampledOut => Fate::SampledOut,
        Remembered::Kept(packed) => Fate::Kept(Verdict::unpack(packed)),
    })
}

/// Which traces hang on a policy that looks at stored spans, in ascending order.
fn open_traces(policies: &PolicySet, slot: &mut Detached, fates: &Fates) -> Vec<u32> {
    let words = policies.state_words();
    let mut open = Vec::new();
    for (index, trace) in slot.traces.iter().enumerate().filter(|(index, _)| fates[*index].is_none()) {
        let state = &mut slot.states[index * words..(index + 1) * words];
        if policies.needs_spans(&trace.candidate(state)) {
            open.push(index as u32);
        }
    }
    open
}

fn settle_slot(
    engine: &Engine,
    policies: &PolicySet,
    shard: usize,
    slot: &mut Detached,
    open: &[u32],
    fates: &mut Fates,
    now: Now,
) -> usize {
    let words = policies.state_words();
    let Detached { traces, older, blocks, states, .. } = slot;
    let mut panics = 0;
    let mut shelf = Shelf { shard, traces: traces.as_slice(), older, blocks };
    shelf.each(engine, open, &mut |trace, spans| {
        let index = trace as usize;
        let state = &mut states[index * words..(index + 1) * words];
        let trace: &Trace = &traces[index];
        let settle = || policies.settle(&mut trace.candidate(state), now, &mut spans.iter().map(Stored::view));
        if catch_unwind(AssertUnwindSafe(settle)).is_err() {
            fates[index] = Some(Fate::Dropped(DropReason::Internal));
            panics += 1;
        }
    });
    panics
}

/// Drops what is undecided, because deciding panicked.
fn give_up(fates: &mut Fates) -> usize {
    fates.iter_mut().for_each(|fate| *fate = Some(fate.unwrap_or(Fate::Dropped(DropReason::Internal))));
    1
}
