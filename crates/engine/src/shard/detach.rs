//! Takes slots out to be decided, and carries on what has to wait longer.

use super::{Closed, Seat, Shard};
use crate::{
    block::{Block, StoredSpan},
    engine::hash_of,
    regime::{Terms, Turn},
    slot::{Origin, Past, Slot, Standing, Trace},
    table::Place,
    token::Token,
};
use std::{collections::BTreeMap, sync::Arc};

/// A slot taken out to be decided.
#[derive(Debug)]
pub(crate) struct Detached {
    pub(crate) seat: u32,
    pub(crate) traces: Arc<Vec<Trace>>,
    pub(crate) past: BTreeMap<u32, Past>,
    /// Spans of these traces that lie in other slots, in the order in which they came.
    pub(crate) older: Vec<Older>,
    /// How many of the traces had left.
    pub(crate) left: usize,
    pub(crate) states: Vec<u32>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) tokens: Vec<Token>,
    /// Memory behind all of it.
    pub(crate) bytes: usize,
    /// Traces that are not ready: (index here, where they wait now).
    pub(crate) carried: Vec<(u32, Place)>,
}

/// What a slot that still waits holds of traces that are decided with another: blocks and tokens are shared.
#[derive(Debug)]
pub(crate) struct Older {
    pub(crate) blocks: Vec<Block>,
    pub(crate) tokens: Vec<Token>,
    /// Index there and index here, ascending by the first.
    pub(crate) traces: Vec<(u32, u32)>,
}

impl Older {
    /// The index here of the trace with this index there.
    pub(crate) fn index_of(&self, there: u32) -> Option<u32> {
        let found = self.traces.binary_search_by_key(&there, |(there, _)| *there).ok()?;
        Some(self.traces[found].1)
    }
}

impl Older {
    /// The indices there of those traces, given in ascending order, that it holds spans of.
    pub(crate) fn indices(&self, here: &[u32]) -> Vec<u32> {
        let held = self.traces.iter().filter(|(_, index)| here.binary_search(index).is_ok());
        held.map(|(there, _)| *there).collect()
    }
}

impl Detached {
    /// How many traces are to be decided.
    pub(crate) fn due(&self) -> usize {
        self.traces.len() - self.carried.len() - self.left
    }
}

impl Slot {
    /// Shares the blocks that may hold these traces.
    fn share(&self, traces: Vec<(u32, u32)>) -> Older {
        let there: Vec<u32> = traces.iter().map(|(there, _)| *there).collect();
        let mut blocks: Vec<Block> = Vec::new();
        blocks.extend(self.blocks.iter().filter(|block| block.traces.may_hold(&there)).cloned());
        blocks.extend(self.carried.copy_of(&there).map(Block::carried));
        blocks.sort_by_key(|block| !block.is_carried);
        blocks.extend(self.open.copy_of(&there));
        Older { blocks, tokens: self.tokens.clone(), traces }
    }
}

impl Shard {
    /// Takes out the oldest slot if its turn is not after `turn` and its regime is the same; traces in it that must wait
    /// longer are seated anew, unless everything is to be decided `now`.
    pub(crate) fn detach(&mut self, turn: Turn, carry_ns: Option<u64>) -> Option<Detached> {
        let due = |oldest: Turn| oldest <= turn && oldest.regime == turn.regime;
        let (&oldest, &seat) = self.by_turn.iter().next().filter(|(oldest, _)| due(**oldest))?;
        self.by_turn.remove(&oldest);
        let Seat::Live(mut slot) = std::mem::replace(&mut self.seats[seat as usize], Seat::Free) else {
            return None;
        };
        let closed = [slot.close_carried().is_some(), slot.close_block().is_some()];
        self.books.blocks += closed.into_iter().map(u64::from).sum::<u64>();
        slot.blocks.sort_by_key(|block| !block.is_carried);
        let bytes = slot.bytes();
        let terms = slot.terms;
        self.expected = slot.traces.len();
        let traces = Arc::new(std::mem::take(&mut slot.traces));
        let past = std::mem::take(&mut slot.past);
        let older = self.older(&past);
        self.seats[seat as usize] = Seat::Deciding(Arc::clone(&traces));
        let mut carried = Vec::new();
        if let Some(now_ns) = carry_ns {
            for (index, trace) in (0u32..).zip(traces.iter()) {
                if terms.turn(trace.due_ns) > oldest && trace.standing == Standing::Waiting {
                    let from = Place { seat, index };
                    let state = &slot.states[index as usize * terms.words..(index as usize + 1) * terms.words];
                    debug_assert!(!past.contains_key(&index), "BUG: a trace that was pulled forward is carried back");
                    carried.push((index, self.carry(trace, &terms, state, from, now_ns)));
                }
            }
        }
        let Slot { states, blocks, tokens, left, .. } = *slot;
        Some(Detached { seat, traces, past, older, left, states, blocks, tokens, bytes, carried })
    }

    /// Seats a trace whose root has not come in a slot twice as far from its first span.
    fn carry(&mut self, trace: &Trace, terms: &Terms, state: &[u32], from: Place, now_ns: u64) -> Place {
        let doubled_ns = now_ns.saturating_add(now_ns.saturating_sub(trace.first_seen_ns).max(terms.slot_ns));
        let due_ns = if trace.has_root { trace.due_ns } else { trace.due_ns.min(doubled_ns) };
        let to = self.seat_trace(*trace, terms, due_ns);
        self.furnish(to, state, Past::default());
        self.table.replace(hash_of(&self.position, trace.id), from, to);
        to
    }

    /// Copies a carried trace's span into the block of the slot it waits in now.
    pub(crate) fn carry_span(&mut self, span: &StoredSpan<'_>, to: Place, now_ns: u64, closed: &mut Vec<Closed>) {
        let Seat::Live(slot) = &mut self.seats[to.seat as usize] else { return };
        slot.carried.run(span.resource_header, span.scope_header);
        let id = slot.traces[to.index as usize].id;
        slot.carried.push_stored(to.index, id, span);
        slot.touched_ns = now_ns;
        if slot.carried.is_full() {
            let turn = slot.turn;
            if let Some((index, raw)) = slot.close_carried() {
                self.books.blocks += 1;
                closed.push(Closed { seat: to.seat, turn, index, raw });
            }
        }
    }

    /// The blocks of other slots that hold spans of traces that were pulled out of them, those of the farthest slot first:
    /// a trace is only ever pulled nearer, so that is the order in which its spans came.
    fn older(&self, past: &BTreeMap<u32, Past>) -> Vec<Older> {
        let mut by_turn: BTreeMap<Turn, (u32, Vec<(u32, u32)>)> = BTreeMap::new();
        for (&index, past) in past {
            for Origin { turn, place } in &past.origins {
                by_turn.entry(*turn).or_insert((place.seat, Vec::new())).1.push((place.index, index));
            }
        }
        let older = by_turn.into_iter().rev().filter_map(|(turn, (seat, mut traces))| {
            traces.sort_unstable();
            let Some(Seat::Live(slot)) = self.seats.get(seat as usize) else { return None };
            debug_assert!(slot.turn == turn, "BUG: a slot was taken before one of an earlier turn");
            (slot.turn == turn).then(|| slot.share(traces))
        });
        older.collect()
    }

    /// Adds the tokens of a slot to another that now holds some of its traces.
    pub(crate) fn carry_tokens(&mut self, tokens: &[Token], to: Place) {
        if let Seat::Live(slot) = &mut self.seats[to.seat as usize] {
            tokens.iter().for_each(|token| slot.add_token(token));
        }
    }

    /// Frees the seat of a slot of which every trace is settled.
    pub(crate) fn release(&mut self, seat: u32) {
        self.seats[seat as usize] = Seat::Free;
        self.free.push(seat);
    }
}
