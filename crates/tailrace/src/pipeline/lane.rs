//! One pipeline of the configuration: what happens to a request between its receivers and its exporters.
//!
//! A lane with `tail_sampling` keeps traces in an engine until their verdict is due; one without passes requests on.

use super::{Clock, decider::Nudge, outlet::Outlet, timings::Timings};
use engine::{Engine, Token};
use otlp::{
    assemble::Builder,
    scan::{Scan, Span},
};
use std::{
    ops::Range,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

/// A pipeline.
pub(crate) struct Lane {
    /// Its name in the configuration, such as `traces` or `traces/sampled`.
    pub(crate) name: String,
    pub(crate) stage: Stage,
    pub(crate) outlet: Outlet,
    /// Wakes the deciding thread.
    pub(crate) nudge: Arc<Nudge>,
    /// How long decisions took.
    pub(crate) timings: Timings,
    /// Told whenever traces have been decided, for requests that wait for room.
    pub(crate) room: Notify,
}

/// What a lane does with spans.
pub(crate) enum Stage {
    /// Holds traces until their verdict; with the processor's name.
    Sample { processor: String, engine: Arc<Engine> },
    /// Sends everything on at once, and counts it.
    Pass { spans: AtomicU64 },
}

impl Lane {
    pub(crate) fn new(name: String, stage: Stage, outlet: Outlet, nudge: Arc<Nudge>) -> Self {
        Self { name, stage, outlet, nudge, timings: Timings::default(), room: Notify::new() }
    }

    /// Whether there is room for a request, or will be within `patience`: with `block_on_overflow` there is none while
    /// `num_traces` traces wait. Room comes with every slot that falls due, so nobody waits for another request.
    pub(crate) async fn has_room(&self, patience: Duration) -> bool {
        let Some(engine) = self.engine() else { return true };
        let until = Instant::now() + patience;
        loop {
            // Listening begins before the look, so that no news is missed in between.
            let mut news = pin!(self.room.notified());
            news.as_mut().enable();
            if engine.has_room() {
                return true;
            }
            if timeout_at(until, news).await.is_err() {
                return engine.has_room();
            }
        }
    }

    /// Takes in a request that has been scanned, in steps between which the task yields.
    pub(crate) async fn take_in(
        &self,
        body: &[u8],
        scan: &Scan,
        scratch: &mut engine::Scratch,
        clock: Clock,
        step_bytes: usize,
    ) {
        if scan.spans.is_empty() {
            return;
        }
        match &self.stage {
            Stage::Sample { engine, .. } => {
                let token = Token::none();
                let arrival = engine.begin(body, scan, &token);
                let now = clock.now();
                let first = engine.traces_waiting() == 0;
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
                if first || engine.is_over_traces_max() || self.outlet.budget.over_soft() {
                    self.nudge.look();
                }
            }
            Stage::Pass { spans } => {
                let count = scan.spans.len() as u64;
                let whole = scan.rejected == 0;
                let request = if whole { body.to_vec() } else { without_rejected(body, scan) };
                self.outlet.together(|outlet| {
                    spans.fetch_add(count, Ordering::Relaxed);
                    outlet.send(request, u32::try_from(count).unwrap_or(u32::MAX), Vec::new(), Vec::new());
                });
            }
        }
    }

    /// The engine, if this lane samples.
    pub(crate) fn engine(&self) -> Option<&Arc<Engine>> {
        match &self.stage {
            Stage::Sample { engine, .. } => Some(engine),
            Stage::Pass { .. } => None,
        }
    }
}

/// The spans from `from` on that are worked off before the task yields; with `whole`, no ResourceSpans is cut.
fn next_step(scan: &Scan, from: usize, step_bytes: usize, whole: bool) -> Range<usize> {
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
fn without_rejected(body: &[u8], scan: &Scan) -> Vec<u8> {
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

#[cfg(test)]
mod tests;
