//! One pipeline of the configuration: what happens to a request between its receivers and its exporters.
//!
//! A lane with `tail_sampling` keeps traces in an engine until their verdict is due; one without passes requests on, by
//! themselves or gathered into larger ones. A lane lives as long as its pipeline is in the configuration: a reload puts
//! other [`Parts`] into it, and what is on its way through the old ones ends there.
//!
//! Locks: a lane's counts are locked while items move from its books to those of destinations or of lanes behind it.
//! Nobody who holds them takes those of a lane further in front.

mod pass;
mod sample;

pub(crate) use sample::without_rejected;

use super::{
    Clock,
    chain::{Chain, LinkCounts, LinkReading, Passed},
    decider::Nudge,
    gather::{GatherSettings, Gathered},
    outlet::Outlet,
    timings::Timings,
};
use crate::configuration::PipelineId;
use engine::Engine;
use net::{budget::Charge, client::Client, exporter::SentSizes};
use otlp::{Keys, scan::Scan};
use parking_lot::{Mutex, RwLock};
use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{Instant, timeout_at},
};

/// A pipeline.
pub(crate) struct Lane {
    /// Its ID in the configuration, such as `traces` or `metrics/2`.
    pub(crate) id: PipelineId,
    /// The same as metrics and logs show it.
    pub(crate) name: String,
    /// Holds traces until their verdict; with the processor's name.
    pub(crate) sampler: Option<(String, Arc<Engine>)>,
    parts: RwLock<Arc<Parts>>,
    pub(crate) counts: Mutex<Counts>,
    /// Wakes the deciding thread.
    pub(crate) nudge: Arc<Nudge>,
    /// How long decisions took.
    pub(crate) timings: Timings,
    /// Told whenever traces have been decided, for requests that wait for room.
    pub(crate) room: Notify,
    /// Told when the first item was gathered.
    pub(crate) gathering: Notify,
    /// The task that looks after what has been gathered.
    watcher: Mutex<Option<JoinHandle<()>>>,
    /// Items that processors took away: in front of the sampler, and behind it.
    filtered: [AtomicU64; 2],
}

/// What a reload may change of a lane.
pub(crate) struct Parts {
    /// The processors in front of the sampler; all of them, where there is none.
    pub(crate) before: Chain,
    /// The processors behind it.
    pub(crate) after: Chain,
    pub(crate) outlet: Outlet,
    /// How requests are gathered where nothing is sampled.
    pub(crate) gather: Option<GatherSettings>,
    /// What the scanner looks for.
    pub(crate) keys: Arc<Keys>,
}

/// What a lane itself counts, in items. Where it samples, the engine counts what it holds and decides.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Taken in and, where nothing is sampled, through all processors.
    pub(crate) passed: u64,
    /// Sent on.
    pub(crate) sent: u64,
    /// Lost because a processor failed on them after they had been accepted.
    pub(crate) failed: u64,
    pub(crate) gathered: Gathered,
    pub(crate) batches: Batches,
}

/// The requests that a lane sent on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Batches {
    /// How large they were.
    pub(crate) sizes: SentSizes,
    /// How many were sent because they were full.
    pub(crate) full: u64,
    /// How many were sent because it was time.
    pub(crate) timed: u64,
}

/// A request that was checked for one lane, ready to be taken in.
pub(crate) struct Admitted<'a> {
    pub(crate) lane: &'a Arc<Lane>,
    pub(crate) parts: Arc<Parts>,
    pub(crate) passed: Passed<'a>,
    /// Items that are left of it.
    pub(crate) items: u64,
    /// Which of the request's scans is its own.
    pub(crate) scan: usize,
    /// Of an edited copy; the request itself is charged by its receiver.
    pub(crate) _charge: Option<Charge>,
}

impl Lane {
    pub(crate) fn new(
        id: PipelineId,
        sampler: Option<(String, Arc<Engine>)>,
        parts: Arc<Parts>,
        nudge: Arc<Nudge>,
    ) -> Self {
        Self {
            name: id.to_string(),
            id,
            sampler,
            parts: RwLock::new(parts),
            counts: Mutex::default(),
            nudge,
            timings: Timings::default(),
            room: Notify::new(),
            gathering: Notify::new(),
            watcher: Mutex::new(None),
            filtered: Default::default(),
        }
    }

    /// The parts now.
    pub(crate) fn parts(&self) -> Arc<Parts> {
        Arc::clone(&self.parts.read())
    }

    /// Puts other parts in the place of the present ones. What has been gathered leaves the old way.
    pub(crate) fn set_parts(&self, parts: Arc<Parts>, clock: Clock) {
        let mut counts = self.counts.lock();
        self.flush_locked(&mut counts, clock);
        *self.parts.write() = parts;
        drop(counts);
        // The timer looks at the new settings.
        self.gathering.notify_one();
    }

    /// Has `task` look after what has been gathered, until [`Lane::unwatch`].
    pub(crate) fn watch(&self, task: JoinHandle<()>) {
        *self.watcher.lock() = Some(task);
    }

    /// Ends the task that looks after what has been gathered: nothing comes any more.
    pub(crate) fn unwatch(&self) {
        if let Some(task) = self.watcher.lock().take() {
            task.abort();
        }
    }

    /// Whether the task that looks after what has been gathered lives; where nothing is gathered, there is none.
    pub(crate) fn is_watched(&self) -> bool {
        self.watcher.lock().as_ref().is_none_or(|task| !task.is_finished())
    }

    /// Ends that task as a fault would.
    pub(crate) fn lose_watcher(&self) {
        if let Some(task) = &*self.watcher.lock() {
            task.abort();
        }
    }

    /// The engine, if this lane samples.
    pub(crate) fn engine(&self) -> Option<&Arc<Engine>> {
        self.sampler.as_ref().map(|(_, engine)| engine)
    }

    /// Whether there is room for a request, or will be within `patience`: with `block_on_overflow` there is none while
    /// `num_traces` traces wait. Room comes with every slot that falls due, so nobody waits for another request.
    pub(crate) async fn has_room(&self, patience: Duration) -> bool {
        match self.engine() {
            // There nearly always is; the wait is a large future that others need not carry along.
            Some(engine) if !engine.has_room() => Box::pin(self.wait_for_room(engine, patience)).await,
            _ => true,
        }
    }

    async fn wait_for_room(&self, engine: &Engine, patience: Duration) -> bool {
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

    /// Takes what a pipeline in front of this one sends through a connector. It was accepted there, so it cannot be
    /// refused here: what a processor fails on is lost, and counted. So is what a panic hits, which must not reach the lane in
    /// front: that has sent its items.
    pub(crate) fn take_forwarded(&self, body: &[u8], items: u64, client: Option<&Arc<Client>>, clock: Clock) {
        let parts = self.parts();
        let edited = catch_unwind(AssertUnwindSafe(|| self.edit_forwarded(&parts, body, client, clock)));
        let (passed, scan) = match edited {
            Ok(Ok(edited)) => edited,
            Ok(Err(error)) => return self.lose(items, &error),
            Err(_) => return self.lose(items, &"BUG: it panicked"),
        };
        let Some(scan) = scan else {
            let left = items.saturating_sub(passed.filtered());
            self.count_before(&parts, &passed, left);
            return self.pass(passed.body, left, passed.client, clock);
        };
        self.count_before(&parts, &passed, scan.spans.len() as u64 + scan.rejected);
        if scan.rejected > 0 {
            self.lose(scan.rejected, &"spans have no valid trace ID any more");
        }
        self.sample_all(&parts, &passed.body, &scan, clock);
    }

    /// A request behind the processors in front of the sampler; scanned, if there is a sampler.
    fn edit_forwarded<'a>(
        &self,
        parts: &Parts,
        body: &'a [u8],
        client: Option<&Arc<Client>>,
        clock: Clock,
    ) -> Result<(Passed<'a>, Option<Scan>), String> {
        let edited = parts.before.edit(self.id.signal, body, client, clock.now().wall_ns);
        let passed = edited.map_err(|error| error.to_string())?;
        if self.engine().is_none() {
            return Ok((passed, None));
        }
        let mut scan = Scan::new(Arc::clone(&parts.keys));
        scan.run(&passed.body).map_err(|error| error.error.to_string())?;
        Ok((passed, Some(scan)))
    }

    /// Items are lost because a processor failed on them.
    fn lose(&self, items: u64, error: &dyn std::fmt::Display) {
        let mut counts = self.counts.lock();
        counts.passed += items;
        counts.failed += items;
        drop(counts);
        tracing::error!(pipeline = self.name, items, "a processor failed, its items are dropped: {error}");
    }

    /// Counts a request that went through the processors in front of the sampler.
    pub(crate) fn count_before(&self, parts: &Parts, passed: &Passed<'_>, items: u64) {
        parts.before.count(passed, items);
        self.filtered[0].fetch_add(passed.filtered(), Ordering::Relaxed);
    }

    /// Items that processors took away, in front of the sampler and behind it.
    pub(crate) fn filtered(&self) -> [u64; 2] {
        [0, 1].map(|side: usize| self.filtered[side].load(Ordering::Relaxed))
    }

    /// Whether nothing waits here.
    pub(crate) fn is_empty(&self) -> bool {
        self.counts.lock().gathered.items() == 0 && self.engine().is_none_or(|engine| engine.books().buffered == 0)
    }
}

impl Batches {
    /// A request of so many items and bytes was sent.
    pub(crate) fn add(&mut self, items: u64, bytes: usize, full: bool) {
        self.sizes.add(items, bytes as u64);
        *(if full { &mut self.full } else { &mut self.timed }) += 1;
    }
}

impl Parts {
    /// What its editing processors counted.
    pub(crate) fn readings(&self) -> Vec<LinkReading> {
        [self.before.readings(), self.after.readings()].concat()
    }

    /// How many combinations of metadata values each of its `batch` processors has met.
    pub(crate) fn combinations(&self) -> Vec<(String, usize)> {
        self.before.combinations()
    }

    /// The counters of its editing processors by their names, for the parts that take the place of these.
    pub(crate) fn counters(&self) -> BTreeMap<String, Arc<LinkCounts>> {
        self.before.counters().into_iter().chain(self.after.counters()).collect()
    }
}

#[cfg(test)]
mod tests;
