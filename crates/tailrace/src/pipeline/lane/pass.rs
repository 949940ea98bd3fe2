//! The way through a lane that does not sample: on at once, or gathered first.

use super::{Counts, Lane, Parts};
use crate::pipeline::{
    Clock,
    gather::{GatherSettings, Load},
    outlet::Parcel,
};
use net::client::Client;
use otlp::Signal;
use std::{borrow::Cow, sync::Arc};
use tokio::time::{Instant, sleep_until};

impl Lane {
    /// Sends a request on, or gathers it.
    pub(crate) fn pass(&self, body: Cow<'_, [u8]>, items: u64, client: Option<Arc<Client>>, clock: Clock) {
        if items == 0 {
            return;
        }
        let mut counts = self.counts.lock();
        // Not those that the request was edited by: a reload may have come since, after which nobody looks after what is
        // gathered the old way, and the old destinations may have been closed.
        let parts = &*self.parts();
        counts.passed += items;
        let Some(gather) = &parts.gather else {
            send(parts, &mut counts, Load { body: body.into_owned(), items, client }, true, clock);
            return;
        };
        let first = counts.gathered.items() == 0;
        let key = gather.key(client.as_deref());
        let waiting = counts.gathered.push(key.clone(), (&body, items), client, &parts.outlet.budget);
        if gather.timeout.is_zero() || is_full(gather, waiting) {
            release(parts, gather, &mut counts, key, gather.timeout.is_zero(), clock);
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
            release_old(&parts, gather, counts, None, clock);
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
        release_old(&parts, gather, &mut counts, Some(Instant::now()), clock);
        counts.gathered.due(gather)
    }
}

/// Whether so many items are enough to leave.
fn is_full(gather: &GatherSettings, items: u64) -> bool {
    items >= gather.items_min.max(1)
}

/// Sends on what is old enough at this time; without one, everything.
fn release_old(parts: &Parts, gather: &GatherSettings, counts: &mut Counts, now: Option<Instant>, clock: Clock) {
    for key in counts.gathered.old(gather, now) {
        release(parts, gather, counts, key, true, clock);
    }
}

/// Sends on what has been gathered under a key, in requests of the size that is asked for. What is left of a full one and
/// too little by itself goes on waiting, unless `all` of it must go.
fn release(parts: &Parts, gather: &GatherSettings, counts: &mut Counts, key: Vec<u8>, all: bool, clock: Clock) {
    let Some(Load { mut body, mut items, client }) = counts.gathered.take(&key) else { return };
    if gather.items_max > 0 && items > gather.items_max {
        let mut portions = cut(parts.outlet.signal, body, items, gather.items_max);
        let last = portions.pop();
        for (body, items) in portions {
            send(parts, counts, Load { body, items, client: client.clone() }, true, clock);
        }
        let Some(last) = last else { return };
        (body, items) = last;
    }
    let full = is_full(gather, items);
    if all || full {
        send(parts, counts, Load { body, items, client }, full, clock);
    } else {
        counts.gathered.push(key, (&body, items), client, &parts.outlet.budget);
    }
}

/// A request in portions; whole, should it be none, which would be a bug of whoever let it in.
fn cut(signal: Signal, body: Vec<u8>, items: u64, items_max: u64) -> Vec<(Vec<u8>, u64)> {
    match otlp::cut::cut(signal, &body, items_max) {
        Ok(portions) if portions.iter().map(|(_, items)| items).sum::<u64>() == items => portions,
        _ => vec![(body, items)],
    }
}

fn send(parts: &Parts, counts: &mut Counts, load: Load, full: bool, clock: Clock) {
    let Load { body, items, client } = load;
    counts.sent += items;
    counts.batches.add(items, body.len(), full);
    let items = u32::try_from(items).unwrap_or(u32::MAX);
    parts.outlet.send(Parcel { body, items, client, notes: Vec::new(), tokens: Vec::new() }, clock);
}
