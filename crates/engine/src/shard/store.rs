//! Takes a span into its trace: its bytes into the slot's open block, its meaning into the policies' state.
//!
//! The books are brought up to date before the policies see the span, so that they add up even if a policy panics.

use super::{Closed, DropReason, Incoming, Seat, Shard, Touched};
use crate::{engine::Arrival, slot::Standing, table::Place};
use otlp::scan::Span;
use policy::Piece;

/// What has come of a trace by its latest span.
enum Growth {
    Fine,
    /// It is larger than the user allows.
    TooLarge,
    /// It holds more memory than any trace may.
    OverCap,
}

impl Shard {
    /// Copies a span's bytes into the open block of its trace's slot and folds it into the trace.
    pub(super) fn store(
        &mut self,
        incoming: &Incoming<'_>,
        span: &Span,
        hash: u64,
        place: Place,
        run: &mut Option<(u32, u32)>,
        closed: &mut Vec<Closed>,
    ) {
        let Seat::Live(slot) = &mut self.seats[place.seat as usize] else { return };
        let Incoming { arrival, scan, now, .. } = *incoming;
        let Arrival { body: request, token, .. } = arrival;
        let policies = self.regimes.policies_of(slot.terms.regime);
        let Some(group) = scan.groups.get(span.group as usize) else { return };
        let Some(resource) = scan.resources.get(group.resource as usize) else { return };
        let body = span.body.of(request);

        if *run != Some((place.seat, span.group)) {
            slot.open.run(scan.resource_header(request, resource), scan.scope_header(request, group));
            slot.add_token(token);
            *run = Some((place.seat, span.group));
        }
        let piece = arrival.piece.wrapping_add(group.resource);
        let begins = slot.traces[place.index as usize].piece != piece;
        slot.open.push(place.index, span.trace_id, body, begins);
        slot.touched_ns = now.mono_ns;
        self.books.buffered += 1;
        self.books.bytes_live += body.len() as u64;
        let filled = if slot.open.is_full() { slot.close_block() } else { None };
        if let Some((index, raw)) = filled {
            self.books.blocks += 1;
            closed.push(Closed { seat: place.seat, turn: slot.turn, index, raw });
            *run = None;
        }

        let trace_bytes_max = slot.terms.trace_bytes_max;
        let (trace, state) = slot.trace_mut(place.index);
        trace.spans = trace.spans.saturating_add(1);
        trace.bytes = trace.bytes.saturating_add(span.body.len);
        trace.has_root |= span.is_root;
        trace.piece = piece;
        let (number, standing) = (trace.spans, trace.standing);
        let mut is_too_large = false;
        let mut is_asked = false;
        // Without them the trace is only stored; the newest policies will fold it from its blocks.
        if let Some(policies) = policies {
            let folded = Piece { request, scan, resource, now };
            if begins {
                policies.fold_resource(state, number, &folded);
            }
            policies.fold_span(state, number, &folded, span);
            is_too_large = policies.is_too_large(state);
            is_asked = policies.is_span_ingest();
        }

        let growth = if standing != Standing::Waiting {
            Growth::Fine
        } else if is_too_large {
            Growth::TooLarge
        } else if u64::from(trace.bytes) > trace_bytes_max && !trace.is_early {
            Growth::OverCap
        } else {
            Growth::Fine
        };
        if begins && standing != Standing::Waiting {
            self.record_late_age(incoming, hash, span.trace_id);
        }
        if is_asked && standing == Standing::Waiting && (begins || self.is_asked_anew(incoming, group.resource, hash)) {
            self.touched.push(Touched { hash, id: span.trace_id, first: number });
        }
        match growth {
            Growth::Fine => {}
            Growth::TooLarge => self.end(incoming, place, hash, Some(DropReason::TooLarge)),
            Growth::OverCap => self.decide_early(place, hash, now.mono_ns),
        }
    }

    /// Whether a piece that goes on was not touched in this call yet: the call before ended within it, as it may when
    /// policies that are asked of pieces came in between. Then they are asked of it once more.
    fn is_asked_anew(&self, incoming: &Incoming<'_>, resource: u32, hash: u64) -> bool {
        incoming.cut == Some(resource) && !self.touched.iter().any(|touched| touched.hash == hash)
    }
}
