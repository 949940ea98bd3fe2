//! One place that kept items go to: its own queue, its own concurrency, its own books.
//!
//! Destinations share the batches and nothing else: each has its cursor (a queue of `Arc<Batch>`), so a dead one keeps
//! its batches alive and thereby fills the budget, while the others go on. [`Destination::offer`] never waits. A batch is
//! freed when the last destination has delivered or dropped it.
//!
//! ```text
//!  offer ─► waiting ─► on its way ─► delivered (of which rejected by the peer)
//!    │                     └───────► dropped{max_elapsed, refused, …, shutdown}
//!    └─► dropped{queue_full, shutdown}
//! ```
//!
//! With `sending_queue::batch`, what waits leaves in larger requests ([`gather`]).
//!
//! Invariant: at every moment, under the one lock, offered = delivered + rejected + dropped + waiting, in batches and in
//! items ([`DestinationStats::residue`] is zero). What is on its way counts as waiting.

mod books;
mod gather;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use otlp::Signal;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::delivery::Delivery;
use super::queue::{QueueSettings, Sizer};
use super::retry::RetrySettings;
use super::{Batch, Exporter};
use crate::client::Client;
use gather::{Gathered, gather};

pub use books::{DestinationStats, DropReason, SentSizes, SizeHistogram, Tally};

/// Sends batches to one place.
pub struct Destination {
    shared: Arc<Shared>,
    consumers: Mutex<Vec<JoinHandle<()>>>,
}

/// What the consumers of a destination have in common.
pub(super) struct Shared {
    pub(super) name: String,
    signal: Signal,
    pub(super) exporter: Arc<dyn Exporter>,
    pub(super) retry: RetrySettings,
    queue: QueueSettings,
    books: Mutex<Books>,
    /// Told for each batch that comes into the queue.
    arrived: Notify,
    /// Told whenever nothing is waiting any more.
    empty: Notify,
    pub(super) phase: watch::Sender<Phase>,
}

/// Where a destination stands in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// Takes batches.
    Open,
    /// Takes no more; tries to deliver until the deadline.
    Draining(Instant),
    /// Everything undelivered is given up.
    Stopped,
}

struct Books {
    queue: VecDeque<Offered>,
    stats: DestinationStats,
    sizes: SentSizes,
    closed: bool,
    /// When the peer last took a request; before that, when the destination was started.
    answered_at: Instant,
    warned_at: Option<Instant>,
}

/// A batch with the moment it was offered.
pub(super) struct Offered {
    pub(super) batch: Arc<Batch>,
    pub(super) at: Instant,
    /// What keeps it apart from others; empty where nothing does.
    key: Box<[u8]>,
}

/// Batches that leave together: one, or several of `sending_queue::batch`.
pub(super) type Taken = Vec<Offered>;

/// How many batches became one request, and how large they were.
#[derive(Clone, Copy)]
pub(super) struct Sources {
    pub(super) batches: u64,
    pub(super) bytes: u64,
}

/// Time for an exporter to write what it still holds back, after the deadline of a drain.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Failures are told at most this often, for each destination.
const WARNING_INTERVAL: Duration = Duration::from_secs(10);

impl Destination {
    /// Starts the consumers. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(
        name: impl Into<String>,
        signal: Signal,
        exporter: Arc<dyn Exporter>,
        queue: QueueSettings,
        retry: RetrySettings,
    ) -> Arc<Self> {
        let concurrency = queue.concurrency();
        let books = Books {
            queue: VecDeque::new(),
            stats: DestinationStats::default(),
            sizes: SentSizes::default(),
            closed: false,
            answered_at: Instant::now(),
            warned_at: None,
        };
        let shared = Arc::new(Shared {
            name: name.into(),
            signal,
            exporter,
            retry,
            queue,
            books: Mutex::new(books),
            arrived: Notify::new(),
            empty: Notify::new(),
            phase: watch::Sender::new(Phase::Open),
        });
        let consumers = (0..concurrency).map(|_| tokio::spawn(consume(shared.clone()))).collect();
        Arc::new(Self { shared, consumers: Mutex::new(consumers) })
    }

    /// Takes a batch, or drops it for a counted reason. Never waits.
    pub fn offer(&self, batch: Arc<Batch>) {
        if self.shared.offer(batch) {
            self.shared.arrived.notify_one();
        }
    }

    /// The name, as configured.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// What it takes: an exporter in pipelines of several signals is a destination for each.
    #[must_use]
    pub fn signal(&self) -> Signal {
        self.shared.signal
    }

    /// Whether batches should carry notes for this destination.
    #[must_use]
    pub fn wants_notes(&self) -> bool {
        self.shared.exporter.wants_notes()
    }

    /// The queue's settings.
    #[must_use]
    pub fn queue(&self) -> &QueueSettings {
        &self.shared.queue
    }

    /// The books, at one moment.
    #[must_use]
    pub fn stats(&self) -> DestinationStats {
        self.shared.books.lock().stats
    }

    /// How large the requests were that were sent.
    #[must_use]
    pub fn sizes(&self) -> SentSizes {
        self.shared.books.lock().sizes
    }

    /// How much is in the queue or on the way, in the units of `sending_queue::sizer`.
    #[must_use]
    pub fn queue_size(&self) -> u64 {
        self.shared.books.lock().stats.waiting_in(self.shared.queue.sizer)
    }

    /// Whether all consumers live. Only a fault of ours ends one before the destination is stopped.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        let is_stopped = *self.shared.phase.borrow() == Phase::Stopped;
        is_stopped || self.consumers.lock().iter().all(|consumer| !consumer.is_finished())
    }

    /// Ends a consumer as a fault would, for tests of whoever asks [`Destination::is_alive`]..
    pub fn lose_consumer(&self) {
        if let Some(consumer) = self.consumers.lock().first() {
            consumer.abort();
        }
    }

    /// Takes no more batches, delivers what waits until `deadline`, gives up the rest, and returns the final books.
    pub async fn drain(&self, deadline: Instant) -> DestinationStats {
        self.shared.books.lock().closed = true;
        self.shared.phase.send_replace(Phase::Draining(deadline));
        // An error is the deadline, and then the rest is given up just below.
        let _ = tokio::time::timeout_at(deadline, self.shared.until_empty()).await;
        self.stop();
        let consumers = std::mem::take(&mut *self.consumers.lock());
        for consumer in consumers {
            // A consumer ends by itself now; if it had panicked there would be nothing left to wait for.
            let _ = consumer.await;
        }
        // A disk that hangs must not hold up the end.
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, self.shared.exporter.close()).await;
        self.stats()
    }

    /// Gives up everything that waits in the queue and tells the consumers to give up what is on its way.
    fn stop(&self) {
        self.shared.phase.send_replace(Phase::Stopped);
        let mut books = self.shared.books.lock();
        books.closed = true;
        while let Some(offered) = books.queue.pop_front() {
            books.settle_rest(&offered.batch, offered.batch.items, Some(DropReason::Shutdown));
        }
    }
}

impl Drop for Destination {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Delivers one batch after the other until the destination is stopped.
async fn consume(shared: Arc<Shared>) {
    let mut phase = shared.phase.subscribe();
    loop {
        let taken = tokio::select! {
            biased;
            () = stopped(&mut phase) => return,
            taken = shared.next() => taken,
        };
        // Its own task, so that a panicking exporter costs one batch and not a consumer. Ended early, `Delivery` settles
        // the rest of the batch when it is dropped.
        let Some(delivery) = Delivery::new(shared.clone(), taken) else { continue };
        let mut task = tokio::spawn(delivery.run());
        let ended = tokio::select! {
            ended = &mut task => ended,
            () = stopped(&mut phase) => {
                task.abort();
                task.await
            }
        };
        if ended.is_err_and(|error| error.is_panic()) {
            tracing::error!(destination = %shared.name, "BUG: an exporter panicked, its batch is dropped");
        }
    }
}

/// Until a moment; for ever where there is none.
async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

async fn stopped(phase: &mut watch::Receiver<Phase>) {
    // An error is a sender that is gone, which is as good as stopped.
    let _ = phase.wait_for(|phase| *phase == Phase::Stopped).await;
}

impl Shared {
    /// Takes what is to be sent next, as soon as there is something. Dropped before its end, it has taken nothing.
    async fn next(&self) -> Taken {
        let mut phase = self.phase.subscribe();
        loop {
            let mut arrived = std::pin::pin!(self.arrived.notified());
            arrived.as_mut().enable();
            let is_open = *phase.borrow_and_update() == Phase::Open;
            let later = match self.take(is_open) {
                Gathered::Ready(taken) => return taken,
                Gathered::Later(at) => at,
            };
            tokio::select! {
                () = arrived => {}
                () = until(later) => {}
                _ = phase.changed() => {}
            }
        }
    }

    fn take(&self, is_open: bool) -> Gathered<Taken> {
        let mut books = self.books.lock();
        let gathered = match books.queue.front() {
            None => return Gathered::Later(None),
            Some(_) => gather(&books.queue, self.queue.batch.as_ref(), is_open.then(Instant::now)),
        };
        let portion = match gathered {
            Gathered::Later(at) => return Gathered::Later(at),
            Gathered::Ready(portion) => portion,
        };
        let batches = gather::take(&mut books.queue, portion);
        books.stats.in_flight += 1;
        if !books.queue.is_empty() {
            self.arrived.notify_one();
        }
        Gathered::Ready(batches)
    }

    /// Whether the batch was taken.
    fn offer(&self, batch: Arc<Batch>) -> bool {
        let mut books = self.books.lock();
        let stats = &mut books.stats;
        stats.offered.add(1, batch.items);
        stats.waiting.add(1, batch.items);
        stats.waiting_bytes += batch.body.len() as u64;
        let reason = if books.closed {
            DropReason::Shutdown
        } else if self.queue.drops_above().is_some_and(|size_max| books.stats.waiting_in(self.queue.sizer) > size_max) {
            DropReason::QueueFull
        } else {
            let key = self.key(&batch);
            books.queue.push_back(Offered { batch, at: Instant::now(), key });
            return true;
        };
        books.settle_rest(&batch, batch.items, Some(reason));
        books.stats.never_queued += u64::from(batch.items);
        let message = format_args!("{} items dropped on arrival ({})", batch.items, reason.name());
        self.warn(&mut books, message);
        false
    }

    /// What keeps a batch apart from others.
    fn key(&self, batch: &Batch) -> Box<[u8]> {
        match &batch.client {
            _ if self.partition_keys().is_empty() => Box::default(),
            Some(client) => client.key(self.partition_keys()).into(),
            None => Client::default().key(self.partition_keys()).into(),
        }
    }

    /// The metadata keys by which batches are kept apart.
    pub(super) fn partition_keys(&self) -> &[String] {
        self.queue.batch.as_ref().map_or(&[], |batch| &batch.partition.metadata_keys)
    }

    /// The peer took a request of so many items and bytes.
    pub(super) fn took(&self, items: u32, bytes: usize, rejected: u32) {
        let mut books = self.books.lock();
        books.answered_at = Instant::now();
        books.sizes.add(items.into(), bytes as u64);
        books.stats.delivered.items += u64::from(items - rejected);
        books.stats.rejected += u64::from(rejected);
        books.stats.waiting.items -= u64::from(items);
    }

    /// A part of a batch is given up.
    pub(super) fn gave_up(&self, items: u32, reason: DropReason, message: &str) {
        let mut books = self.books.lock();
        books.stats.dropped[reason as usize].items += u64::from(items);
        books.stats.waiting.items -= u64::from(items);
        self.warn(&mut books, format_args!("{items} items dropped ({}): {message}", reason.name()));
    }

    /// What was taken is done. `rest` items of it are not settled yet; `loss` is why it counts as dropped, if it does.
    pub(super) fn done(&self, sources: Sources, rest: u32, loss: Option<DropReason>) {
        let mut books = self.books.lock();
        books.stats.in_flight -= 1;
        books.settle(sources, rest, loss);
        if books.stats.waiting.batches == 0 {
            self.empty.notify_waiters();
        }
    }

    /// An attempt failed and will be repeated.
    pub(super) fn will_retry(&self, wait: Duration, message: &str) {
        let mut books = self.books.lock();
        books.stats.retries += 1;
        self.warn(&mut books, format_args!("cannot deliver, trying again in {wait:.1?}: {message}"));
    }

    /// The peer took the request but had something to say.
    pub(super) fn remark(&self, rejected: u32, message: &str) {
        let mut books = self.books.lock();
        self.warn(&mut books, format_args!("partial success, {rejected} items rejected: {message}"));
    }

    /// Whether a request is larger than `sending_queue::batch::max_size`.
    pub(super) fn exceeds(&self, items: u32, bytes: usize) -> bool {
        self.queue.batch.as_ref().filter(|batch| batch.max_size > 0).is_some_and(|batch| match batch.sizer {
            Sizer::Bytes => bytes as u64 > batch.max_size,
            Sizer::Items | Sizer::Requests => u64::from(items) > batch.max_size,
        })
    }

    /// When the peer last took a request.
    pub(super) fn answered_at(&self) -> Instant {
        self.books.lock().answered_at
    }

    async fn until_empty(&self) {
        loop {
            let mut told = std::pin::pin!(self.empty.notified());
            told.as_mut().enable();
            if self.books.lock().stats.waiting.batches == 0 {
                return;
            }
            told.await;
        }
    }

    /// Says it, unless something was said a moment ago: a dead destination must not fill the log. The books have it all.
    fn warn(&self, books: &mut Books, message: std::fmt::Arguments<'_>) {
        let now = Instant::now();
        if books.warned_at.is_none_or(|at| now.duration_since(at) >= WARNING_INTERVAL) {
            books.warned_at = Some(now);
            tracing::warn!(destination = %self.name, "{message}");
        }
    }
}

impl Books {
    fn settle_rest(&mut self, batch: &Batch, rest: u32, loss: Option<DropReason>) {
        self.settle(Sources { batches: 1, bytes: batch.body.len() as u64 }, rest, loss);
    }

    fn settle(&mut self, sources: Sources, rest: u32, loss: Option<DropReason>) {
        debug_assert!(rest == 0 || loss.is_some(), "BUG: items vanish without a reason");
        let stats = &mut self.stats;
        stats.waiting.batches -= sources.batches;
        stats.waiting.items -= u64::from(rest);
        stats.waiting_bytes -= sources.bytes;
        match loss {
            Some(reason) => stats.dropped[reason as usize].add(sources.batches, rest),
            None => stats.delivered.batches += sources.batches,
        }
        debug_assert_eq!(stats.residue(), (0, 0), "BUG: the books of a destination do not balance");
    }
}

#[cfg(test)]
mod tests;
