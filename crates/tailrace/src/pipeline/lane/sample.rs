//! The way through a lane that samples: into the engine, and out of it when a slot has been decided.

use super::{Lane, Parts};
use crate::pipeline::{Clock, outlet::Parcel};
use engine::{Batch, Due, Engine, Token, due::Limits};
use otlp::{
    assemble::Builder,
    scan::{Scan, Span},
};
use std::{
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::Ordering,
};

impl Lane {
    /// Takes in a request that has been scanned, in steps between which the task yields.
    pub(crate) async fn sample(
        &self,
        parts: &Parts,
        body: &[u8],
        scan: &Scan,
        scratch: &mut engine::Scratch,
        clock: Clock,
        step_bytes: usize,
    ) {
        let Some(engine) = self.engine().filter(|_| !scan.spans.is_empty()) else { return };
        let token = Token::none();
        let arrival = engine.begin(body, scan, &token);
        let first = engine.traces_waiting() == 0;
        let now = clock.now();
        let mut from = 0;
        while from < scan.spans.len() {
            if from > 0 {
                tokio::task::yield_now().await;
            }
            let step = next_step(scan, from, step_bytes, engine.is_by_piece());
            from = step.end;
            let pieces = engine.ingest(&arrival, step, now, scratch);
            if pieces > 0 {
                self.timings.add_pieces(pieces, clock.mono_ns().saturating_sub(now.mono_ns));
            }
        }
        self.wake_if_needed(parts, engine, first);
    }

    /// Takes in a request that has been scanned, at one go: nobody waits for it.
    pub(super) fn sample_all(&self, parts: &Parts, body: &[u8], scan: &Scan, clock: Clock) {
        let Some(engine) = self.engine().filter(|_| !scan.spans.is_empty()) else { return };
        let token = Token::none();
        let arrival = engine.begin(body, scan, &token);
        let first = engine.traces_waiting() == 0;
        engine.ingest(&arrival, 0..scan.spans.len(), clock.now(), &mut engine::Scratch::default());
        self.wake_if_needed(parts, engine, first);
    }

    fn wake_if_needed(&self, parts: &Parts, engine: &Engine, first: bool) {
        if first || engine.is_over_traces_max() || parts.outlet.budget.over_soft() {
            self.nudge.look();
        }
    }

    /// Decides a slot and sends on what is kept of it. Gives the number of panics that cost traces.
    pub(crate) fn decide(&self, engine: &Engine, due: Due, clock: Clock, scratch: &mut engine::Scratch) -> usize {
        let now = clock.now();
        let settled = due.decide(engine, now);
        self.timings.add(clock.mono_ns().saturating_sub(now.mono_ns));
        let parts = self.parts();
        let outlet = &parts.outlet;
        let limits = Limits { bytes_max: outlet.bytes_max, spans_max: outlet.items_max, notes: outlet.notes };
        let mut counts = self.counts.lock();
        let mut panics = 0;
        let mut send = |batch: Batch| {
            let Batch { body, spans: items, notes, tokens } = batch;
            // A trace's spans come from many clients.
            let parcel = Parcel { body, items, client: None, notes, tokens };
            let items = u64::from(parcel.items);
            let (bytes, full) = (parcel.body.len(), parcel.items >= outlet.items_max);
            let sent = catch_unwind(AssertUnwindSafe(|| self.send_kept(&parts, parcel, now.wall_ns, clock)));
            match sent {
                Ok(Some(sent)) => {
                    counts.sent += sent;
                    counts.batches.add(sent, bytes, full);
                }
                Ok(None) => counts.failed += items,
                Err(_) => {
                    counts.failed += items;
                    panics += 1;
                }
            }
        };
        let inner = settled.assemble(engine, limits, clock.mono_ns(), scratch, &mut send);
        inner + panics
    }

    /// Sends kept spans through the processors behind the sampler and on; gives how many went, unless a processor failed.
    fn send_kept(&self, parts: &Parts, parcel: Parcel, wall_ns: u64, clock: Clock) -> Option<u64> {
        let items = u64::from(parcel.items);
        if parts.after.is_empty() {
            parts.outlet.send(parcel, clock);
            return Some(items);
        }
        let passed = match parts.after.edit(self.id.signal, &parcel.body, None, wall_ns) {
            Ok(passed) => passed,
            Err(error) => {
                tracing::error!(pipeline = self.name, items, "a processor failed, its items are dropped: {error}");
                return None;
            }
        };
        let left = items.saturating_sub(passed.filtered());
        parts.after.count(&passed, left);
        self.filtered[1].fetch_add(items - left, Ordering::Relaxed);
        let body = passed.body.into_owned();
        let left_items = u32::try_from(left).unwrap_or(u32::MAX);
        parts.outlet.send(Parcel { body, items: left_items, ..parcel }, clock);
        Some(left)
    }
}

/// The spans from `from` on that are worked off before the task yields; with `whole`, no ResourceSpans is cut.
pub(super) fn next_step(scan: &Scan, from: usize, step_bytes: usize, whole: bool) -> Range<usize> {
    let resource_of = |span: &Span| scan.groups.get(span.group as usize).map(|group| group.resource);
    let mut bytes = 0;
    let mut to = from;
    while let Some(span) = scan.spans.get(to) {
        let cuts = || to > from && whole && resource_of(span) == resource_of(&scan.spans[to - 1]);
        if bytes >= step_bytes && !cuts() {
            break;
        }
        bytes += span.body.len as usize;
        to += 1;
    }
    from..to
}

/// The request without the spans that the scan rejected.
pub(crate) fn without_rejected(body: &[u8], scan: &Scan) -> Vec<u8> {
    let mut builder = Builder::new();
    for span in &scan.spans {
        let Some(group) = scan.groups.get(span.group as usize) else { continue };
        let Some(resource) = scan.resources.get(group.resource as usize) else { continue };
        let index = builder.group(scan.resource_header(body, resource), scan.scope_header(body, group));
        let start = span.body.start as usize;
        builder.push(index, body.get(start..start + span.body.len as usize).unwrap_or_default());
    }
    builder.finish()
}
