//! Traces whose policies do not live any more: folded from their blocks by the newest, as if they had come just now.
//!
//! Blocks remember where each piece of a trace begins, so a piece can be made a request again and scanned with the keys that
//! the newest policies read. What comes out is what they would have folded had they been there.

use super::{
    Due, Fate,
    judge::Fates,
    stored::{Shelf, Stored},
};
use crate::{books::DropReason, engine::Engine, shard::Detached, slot::Kept};
use otlp::{scan::Scan, wire};
use policy::{Candidate, Now, Piece, PolicySet};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

const RESOURCE_SPANS: u32 = 1;
const SCOPE_SPANS: u32 = 2;
const SPANS: u32 = 2;

/// Pieces being made requests again.
struct Refolder<'p> {
    policies: &'p PolicySet,
    now: Now,
    scan: Scan,
    request: Vec<u8>,
    resource: Vec<u8>,
    scope: Vec<u8>,
}

/// What came out for a trace before all of them are judged.
enum Outcome {
    Open,
    Known(Fate, Option<Kept>),
}

impl Due {
    /// Folds the undecided traces. Gives the number of panics.
    pub(super) fn refold(&mut self, engine: &Engine, policies: &PolicySet, fates: &mut [Fates], now: Now) -> usize {
        let mut refolder = Refolder {
            policies,
            now,
            scan: Scan::new(Arc::clone(policies.keys())),
            request: Vec::new(),
            resource: Vec::new(),
            scope: Vec::new(),
        };
        let slots = self.slots.iter_mut().zip(fates);
        slots.map(|((shard, slot), fates)| refolder.fold_slot(engine, *shard, slot, fates)).sum()
    }
}

impl Refolder<'_> {
    fn fold_slot(&mut self, engine: &Engine, shard: usize, slot: &mut Detached, fates: &mut Fates) -> usize {
        let words = self.policies.state_words();
        let open = (0u32..).zip(&*fates).filter(|(_, fate)| fate.is_none());
        let open: Vec<u32> = open.map(|(index, _)| index).collect();
        let Detached { traces, past, older, blocks, states, .. } = slot;
        *states = vec![0; traces.len() * words];
        let mut panics = 0;
        let mut shelf = Shelf { shard, traces: traces.as_slice(), older, blocks };
        shelf.each(engine, &open, &mut |trace, spans| {
            let index = trace as usize;
            let state = &mut states[index * words..(index + 1) * words];
            let (id, first_seen_ns) = (traces[index].id, traces[index].first_seen_ns);
            let mut candidate = Candidate { trace_id: id, first_seen_ns, spans: 0, bytes: 0, state };
            let folded = catch_unwind(AssertUnwindSafe(|| self.fold_trace(&mut candidate, spans)));
            match folded {
                Ok(Outcome::Open) => {}
                Ok(Outcome::Known(fate, kept)) => {
                    fates[index] = Some(fate);
                    if kept.is_some() {
                        past.entry(trace).or_default().kept = kept;
                    }
                }
                Err(_) => {
                    fates[index] = Some(Fate::Dropped(DropReason::Internal));
                    panics += 1;
                }
            }
        });
        if self.policies.is_span_ingest() {
            // No piece of them was sampled.
            open.iter().for_each(|index| fates[*index as usize] = fates[*index as usize].or(Some(Fate::SampledOut)));
        }
        panics
    }

    fn fold_trace(&mut self, candidate: &mut Candidate<'_>, spans: &[Stored]) -> Outcome {
        for piece in spans.chunk_by(|_, next| !next.begins) {
            let first = candidate.spans + 1;
            if self.fold_piece(candidate, piece) {
                return Outcome::Known(Fate::Dropped(DropReason::TooLarge), None);
            }
            if !self.policies.is_span_ingest() {
                continue;
            }
            match self.policies.decide_piece(candidate, self.now) {
                None => {}
                Some(verdict) if verdict.keep => {
                    let kept = Kept { verdict, first, last: candidate.spans };
                    return Outcome::Known(Fate::Kept(verdict), Some(kept));
                }
                Some(_) => return Outcome::Known(Fate::SampledOutByDrop, None),
            }
        }
        Outcome::Open
    }

    /// Folds a piece; tells whether the trace is too large with it.
    fn fold_piece(&mut self, candidate: &mut Candidate<'_>, piece: &[Stored]) -> bool {
        self.encode(piece);
        let Self { policies, now, scan, request, .. } = self;
        let scanned = scan.run(request);
        debug_assert!(scanned.is_ok() && scan.spans.len() == piece.len(), "BUG: what was stored is not what came");
        let Some(resource) = scan.resources.first() else { return false };
        let folded = Piece { request, scan, resource, now: *now };
        for (index, span) in scan.spans.iter().enumerate() {
            candidate.spans = candidate.spans.saturating_add(1);
            candidate.bytes += u64::from(span.body.len);
            if index == 0 {
                policies.fold_resource(candidate.state, candidate.spans, &folded);
            }
            policies.fold_span(candidate.state, candidate.spans, &folded, span);
            if policies.is_too_large(candidate.state) {
                return true;
            }
        }
        false
    }

    /// Writes the request that brought the piece, without what it brought of others.
    fn encode(&mut self, piece: &[Stored]) {
        let Self { request, resource, scope, .. } = self;
        request.clear();
        resource.clear();
        resource.extend_from_slice(piece.first().map_or(&[], |first| &first.resource_header));
        for spans in piece.chunk_by(|one, next| one.scope_header == next.scope_header) {
            scope.clear();
            scope.extend_from_slice(&spans[0].scope_header);
            spans.iter().for_each(|span| wire::put_len(scope, SPANS, &span.body));
            wire::put_len(resource, SCOPE_SPANS, scope);
        }
        wire::put_len(request, RESOURCE_SPANS, resource);
    }
}
