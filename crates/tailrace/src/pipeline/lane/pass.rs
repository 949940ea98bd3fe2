//! The way through a lane that does not sample: on at once, or gathered first.

use super::{Counts, Lane, Parts};
use crate::pipeline::{Clock, gather::GatherSettings, outlet::Parcel};
use otlp::Signal;
use std::{borrow::Cow, sync::Arc};
use tokio::time::{Instant, sleep_until};

impl Lane {
    /// Sends a request on, or gathers it.
    pub(crate) fn pass(&self, body: Cow<'_, [u8]>, items: u64, clock: Clock) {
        if items == 0 {
            return;
        }
        let mut counts = self.counts.lock();
        // Not those that the request was edited by: a reload may have come since, after which nobody looks after what is
        // gathered the old way, and the old destinations may have been closed.
        let parts = &*self.parts();
        counts.passed += items;
        let Some(gather) = &parts.gather else {
            send(parts, &mut counts, body.into_owned(), items, true, clock);
            return;
        };
        let first = counts.gathered.items() == 0;
        counts.gathered.push(&body, items, &parts.outlet.budget);
        if gather.timeout.is_zero() || counts.gathered.is_full(gather) {
            release(parts, gather, &mut counts, gather.timeout.is_zero(), clock);
        }
        drop(counts);
        if first {
            self.gathering.notify_one();
        }
    }

    /// Sends on what has been gathered, whatever its age.
    pub(crate) fn flush(&self, clock: Clock) {
        self.flush_locked(&mut self.counts.lock(), clock);
    }

    pub(super) fn flush_locked(&self, counts: &mut Counts, clock: Clock) {
        let parts = self.parts();
        if let Some(gather) = &parts.gather {
            release(&parts, gather, counts, true, clock);
        }
    }

    /// Sends on what has been gathered when it is old enough; never ends.
    pub(crate) async fn watch_gathered(self: Arc<Self>, clock: Clock) {
        loop {
            match self.release_due(clock) {
                None => self.gathering.notified().await,
                Some(due) => sleep_until(due).await,
            }
        }
    }

    /// Sends on what is old enough; gives when the next look is due.
    fn release_due(&self, clock: Clock) -> Option<Instant> {
        let mut counts = self.counts.lock();
        // Read under the lock: a reload changes them under it.
        let parts = self.parts();
        let gather = parts.gather.as_ref()?;
        if counts.gathered.due(gather)? <= Instant::now() {
            release(&parts, gather, &mut counts, true, clock);
        }
        counts.gathered.due(gather)
    }
}

/// Sends on what has been gathered, in requests of the size that is asked for. What is left of a full one and too little
/// by itself goes on waiting, unless `all` of it must go.
fn release(parts: &Parts, gather: &GatherSettings, counts: &mut Counts, all: bool, clock: Clock) {
    let Some((mut body, mut items)) = counts.gathered.take() else { return };
    if gather.items_max > 0 && items > gather.items_max {
        let mut portions = cut(parts.outlet.signal, body, items, gather.items_max);
        let last = portions.pop();
        for (body, items) in portions {
            send(parts, counts, body, items, true, clock);
        }
        let Some(last) = last else { return };
        (body, items) = last;
    }
    let full = items >= gather.items_min.max(1);
    if all || full {
        send(parts, counts, body, items, full, clock);
    } else {
        counts.gathered.push(&body, items, &parts.outlet.budget);
    }
}

/// A request in portions; whole, should it be none, which would be a bug of whoever let it in.
fn cut(signal: Signal, body: Vec<u8>, items: u64, items_max: u64) -> Vec<(Vec<u8>, u64)> {
    match otlp::cut::cut(signal, &body, items_max) {
        Ok(portions) if portions.iter().map(|(_, items)| items).sum::<u64>() == items => portions,
        _ => vec![(body, items)],
    }
}

fn send(parts: &Parts, counts: &mut Counts, body: Vec<u8>, items: u64, full: bool, clock: Clock) {
    counts.sent += items;
    counts.batches.add(items, body.len(), full);
    let items = u32::try_from(items).unwrap_or(u32::MAX);
    parts.outlet.send(Parcel { body, items, notes: Vec::new(), tokens: Vec::new() }, clock);
}
