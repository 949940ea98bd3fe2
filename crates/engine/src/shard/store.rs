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
        let Incoming { arrival, policies, now, .. } = *incoming;
        let Arrival { body: request, scan, token, .. } = *arrival;
        let Some(group) = scan.groups.get(span.group as usize) else { return };
        let Some(resource) = scan.resources.get(group.resource as usize) else { return };
        let body = span.body.of(request);

        if *run != Some((place.seat, span.group)) {
            slot.open.run(scan.resource_header(request, resource), scan.scope_header(request, group));
            slot.add_token(token);
            *run = Some((place.seat, span.group));
        }
        slot.open.push(place.index, span.trace_id, body);
        slot.touched_ns = now.mono_ns;
        self.books.buffered += 1;
        self.books.bytes_live += body.len() as u64;
        let filled = if slot.open.is_full() { slot.close_block() } else { None };
        if let Some((index, raw)) = filled {
            self.books.blocks += 1;
            closed.push(Closed { seat: place.seat, number: slot.number, index, raw });
            *run = None;
        }

        let (trace, state) = slot.trace_mut(place.index);
        trace.spans = trace.spans.saturating_add(1);
        trace.bytes = trace.bytes.saturating_add(span.body.len);
        trace.has_root |= span.is_root;
        let piece = arrival.piece.wrapping_add(group.resource);
        let folded = Piece { request, scan, resource, now };
        let begins = trace.piece != piece;
        trace.piece = piece;
        let (first, standing) = (trace.spans, trace.standing);
        if begins {
            policies.fold_resource(state, first, &folded);
        }
        policies.fold_span(state, first, &folded, span);

        let growth = if standing != Standing::Waiting {
            Growth::Fine
        } else if policies.is_too_large(state) {
            Growth::TooLarge
        } else if u64::from(trace.bytes) > self.trace_bytes_max && !trace.is_early {
            Growth::OverCap
        } else {
            Growth::Fine
        };
        if begins && standing != Standing::Waiting {
            self.record_late_age(incoming, hash, span.trace_id);
        }
        if begins && self.is_by_piece && standing == Standing::Waiting {
            self.touched.push(Touched { hash, id: span.trace_id, first });
        }
        match growth {
            Growth::Fine => {}
            Growth::TooLarge => self.end(incoming, place, hash, Some(DropReason::TooLarge)),
            Growth::OverCap => self.decide_early(place, hash, now.mono_ns),
        }
    }
}
