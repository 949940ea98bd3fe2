//! Traces that change their seat before their slot falls due: pulled forward, or out at once.
//!
//! ```text
//! root ────────────► due after_root from now ─┐
//! kept over a piece ► due now                 ├─► seated anew in the near slot, whose `past` names the seats before
//! too much memory ──► due now                 ┘
//! dropped over a piece, larger than the user allows ──► out at once, remembered for late spans
//! ```
//! Spans that lie in an old seat stay there. If they are to be kept, the slot of the trace's verdict reads them where they
//! are; after the verdict nobody will, and blocks in which nothing else lies are freed.

use super::{DropReason, Incoming, Seat, Shard, Touched};
use crate::{
    decided::Remembered,
    engine::hash_of,
    regime::Terms,
    slot::{Kept, Origin, Past, Slot, Standing},
    table::Place,
};
use otlp::scan::Span;
use std::panic::{AssertUnwindSafe, catch_unwind};

impl Shard {
    /// A root came: from now on its trace waits for `decision_wait_after_root_received` at most. Gives its place.
    pub(super) fn root_came(&mut self, place: Place, hash: u64, now_ns: u64) -> Place {
        let Some(slot) = self.slot_mut(place) else { return place };
        let Terms { after_root_ns: Some(after_root_ns), .. } = slot.terms else { return place };
        let (trace, _) = slot.trace_mut(place.index);
        if trace.has_root || trace.standing != Standing::Waiting {
            return place;
        }
        trace.has_root = true;
        trace.due_ns = trace.due_ns.min(now_ns.saturating_add(after_root_ns));
        let due_ns = trace.due_ns;
        self.pull(place, hash, due_ns)
    }

    /// A trace holds too much memory alone: it is decided as soon as may be.
    pub(super) fn decide_early(&mut self, place: Place, hash: u64, now_ns: u64) {
        let Some(slot) = self.slot_mut(place) else { return };
        let (trace, _) = slot.trace_mut(place.index);
        trace.is_early = true;
        trace.due_ns = trace.due_ns.min(now_ns);
        self.pull(place, hash, now_ns);
    }

    /// Ends the pieces at hand where a span of another ResourceSpans comes.
    pub(super) fn end_pieces_before(&mut self, incoming: &Incoming<'_>, span: &Span, resource: &mut u32) -> u32 {
        let of_span = incoming.scan.groups.get(span.group as usize).map_or(0, |group| group.resource);
        if std::mem::replace(resource, of_span) == of_span { 0 } else { self.end_pieces(incoming) }
    }

    /// Asks the policies about each piece that has come to its end. Gives how many there were.
    pub(super) fn end_pieces(&mut self, incoming: &Incoming<'_>) -> u32 {
        let mut touched = std::mem::take(&mut self.touched);
        touched.iter().for_each(|touched| self.end_piece(incoming, touched));
        let count = touched.len() as u32;
        touched.clear();
        self.touched = touched;
        count
    }

    fn end_piece(&mut self, incoming: &Incoming<'_>, touched: &Touched) {
        let Touched { hash, id, first } = *touched;
        let seats = &self.seats;
        let Some(place) = self.table.find(hash, |place| seats[place.seat as usize].holds(place.index, id)) else {
            return;
        };
        let now = incoming.now;
        let Some(Seat::Live(slot)) = self.seats.get_mut(place.seat as usize) else { return };
        let Some(policies) = self.regimes.policies_of(slot.terms.regime) else { return };
        let (trace, state) = slot.trace_mut(place.index);
        if trace.standing != Standing::Waiting {
            return;
        }
        let last = trace.spans;
        let candidate = trace.candidate(state);
        // A policy's panic is that piece's alone: the trace stays pending.
        let verdict = catch_unwind(AssertUnwindSafe(|| policies.decide_piece(&candidate, now)));
        match verdict.ok().flatten() {
            None => {}
            Some(verdict) if verdict.keep => {
                self.decided.remember(hash, hash_of(incoming.tag, id), Remembered::Kept(verdict.pack()), now.mono_ns);
                self.keep(place, hash, Kept { verdict, first, last }, now.mono_ns);
            }
            Some(_) => self.end(incoming, place, hash, None),
        }
    }

    /// Has a trace released with the next slot.
    fn keep(&mut self, place: Place, hash: u64, kept: Kept, now_ns: u64) {
        self.books.traces_kept += 1;
        let Some(slot) = self.slot_mut(place) else { return };
        let (trace, _) = slot.trace_mut(place.index);
        trace.standing = Standing::Kept;
        trace.due_ns = trace.due_ns.min(now_ns);
        slot.past.entry(place.index).or_default().kept = Some(kept);
        self.pull(place, hash, now_ns);
    }

    /// Takes a waiting trace out at once: dropped for this reason, or sampled out. Its late spans follow.
    pub(super) fn end(&mut self, incoming: &Incoming<'_>, place: Place, hash: u64, reason: Option<DropReason>) {
        let Some(slot) = self.slot_mut(place) else { return };
        let (trace, _, past) = slot.leave(place.index);
        slot.forget(place.index);
        self.forget(&past);
        let (spans, bytes, now_ns) = (u64::from(trace.spans), u64::from(trace.bytes), incoming.now.mono_ns);
        self.table.remove(hash, place);
        self.decided.remember(hash, hash_of(incoming.tag, trace.id), Remembered::SampledOut, now_ns);
        self.books.removal_age.record(trace.age_s(now_ns));
        self.books.traces_waiting -= 1;
        self.books.buffered -= spans;
        self.books.bytes_live = self.books.bytes_live.saturating_sub(bytes);
        match reason {
            None => {
                self.books.sampled_out += spans;
                self.books.traces_sampled_out += 1;
                // Nothing else ends a trace over a piece.
                self.books.traces_sampled_out_by_drop += 1;
            }
            Some(reason) => {
                self.books.drop_spans(reason, spans);
                self.books.traces_dropped_too_large += u64::from(reason == DropReason::TooLarge);
                self.books.traces_dropped += u64::from(reason != DropReason::TooLarge);
            }
        }
    }

    /// Seats a trace anew in the slot for this time if that falls due before its own. Gives where it is.
    fn pull(&mut self, from: Place, hash: u64, due_ns: u64) -> Place {
        let Some(slot) = self.slot_mut(from).filter(|slot| slot.terms.turn(due_ns) < slot.turn) else { return from };
        let terms = slot.terms;
        let origin = Origin { turn: slot.turn, place: from };
        let (trace, state, mut past) = slot.leave(from.index);
        past.origins.push(origin);
        let to = self.seat_trace(trace, &terms, due_ns);
        self.furnish(to, &state, past);
        self.table.replace(hash, from, to);
        to
    }

    /// Nobody will read the spans of a trace in the seats that it had before.
    pub(crate) fn forget(&mut self, past: &Past) {
        for Origin { turn, place } in &past.origins {
            if let Some(slot) = self.slot_mut(*place).filter(|slot| slot.turn == *turn) {
                slot.forget(place.index);
            }
        }
    }

    /// Gives a newly seated trace what it had.
    pub(super) fn furnish(&mut self, place: Place, state: &[u32], past: Past) {
        let Some(slot) = self.slot_mut(place) else { return };
        slot.trace_mut(place.index).1.copy_from_slice(state);
        if past.kept.is_some() || !past.origins.is_empty() {
            slot.past.insert(place.index, past);
        }
    }

    pub(super) fn slot_mut(&mut self, place: Place) -> Option<&mut Slot> {
        match self.seats.get_mut(place.seat as usize) {
            Some(Seat::Live(slot)) => Some(slot),
            _ => None,
        }
    }
}
