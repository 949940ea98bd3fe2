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
//! Invariant: at every moment, under the one lock, offered = delivered + rejected + dropped + waiting, in batches and in
//! items ([`DestinationStats::residue`] is zero). What is on its way counts as waiting.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use otlp::Signal;
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::delivery::Delivery;
use super::queue::{QueueSettings, Sizer};
use super::retry::RetrySettings;
use super::{Batch, Exporter};

/// Sends batches to one place.
pub struct Destination {
    shared: Arc<Shared>,
    consumers: Mutex<Vec<JoinHandle<()>>>,
}

/// What became of everything offered to a destination.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DestinationStats {
    /// Everything ever offered.
    pub offered: Tally,
    /// Batches sent to their end without a loss, and items the peer took.
    pub delivered: Tally,
    /// Spans the peer refused inside requests it took.
    pub rejected: u64,
    /// Given up, by reason; see [`DestinationStats::dropped_for`]. A batch of which a part was given up counts here.
    pub dropped: [Tally; DropReason::ALL.len()],
    /// In the queue or on the way.
    pub waiting: Tally,
    /// Bytes of what is waiting, uncompressed.
    pub waiting_bytes: u64,
    /// Attempts that failed and were, or will be, repeated.
    pub retries: u64,
}

/// A number of batches with the number of their items.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Batches.
    pub batches: u64,
    /// Spans.
    pub items: u64,
}

/// Why a destination gave items up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DropReason {
    /// Retried until `max_elapsed_time`.
    MaxElapsed,
    /// The peer refused these very items; a batch is bisected first, so that only they are lost.
    Refused,
    /// The peer will take nothing from us: credentials, permissions, no such service.
    Permanent,
    /// Larger than the peer allows, even alone.
    TooLarge,
    /// Above `queue_size`, where the user wrote `block_on_overflow: false`.
    QueueFull,
    /// The attempt failed and `retry_on_failure` is off.
    RetryOff,
    /// Not delivered before the end of the grace period.
    Shutdown,
    /// An exporter panicked. A fault of Tailrace.
    Internal,
}

impl DropReason {
    /// All of them, in the order of [`DestinationStats::dropped`].
    pub const ALL: [Self; 8] = [
        Self::MaxElapsed,
        Self::Refused,
        Self::Permanent,
        Self::TooLarge,
        Self::QueueFull,
        Self::RetryOff,
        Self::Shutdown,
        Self::Internal,
    ];

    /// The word used in metrics and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MaxElapsed => "max_elapsed",
            Self::Refused => "refused",
            Self::Permanent => "permanent",
            Self::TooLarge => "too_large",
            Self::QueueFull => "queue_full",
            Self::RetryOff => "retry_off",
            Self::Shutdown => "shutdown",
            Self::Internal => "internal",
        }
    }
}

/// What the consumers of a destination have in common.
pub(super) struct Shared {
    pub(super) name: String,
    signal: Signal,
    pub(super) exporter: Arc<dyn Exporter>,
    pub(super) retry: RetrySettings,
    queue: QueueSettings,
    books: Mutex<Books>,
    /// One permit for each batch in the queue.
    ready: Semaphore,
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
    closed: bool,
    /// When the peer last took a request; before that, when the destination was started.
    answered_at: Instant,
    warned_at: Option<Instant>,
}

/// A batch with the moment it was offered.
pub(super) struct Offered {
    pub(super) batch: Arc<Batch>,
    pub(super) at: Instant,
}

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
            ready: Semaphore::new(0),
            empty: Notify::new(),
            phase: watch::Sender::new(Phase::Open),
        });
        let consumers = (0..concurrency).map(|_| tokio::spawn(consume(shared.clone()))).collect();
        Arc::new(Self { shared, consumers: Mutex::new(consumers) })
    }

    /// Takes a batch, or drops it for a counted reason. Never waits.
    pub fn offer(&self, batch: Arc<Batch>) {
        if self.shared.offer(batch) {
            self.shared.ready.add_permits(1);
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
        self.shared.exporter.close().await;
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
        tokio::select! {
            biased;
            () = stopped(&mut phase) => return,
            permit = shared.ready.acquire() => match permit {
                Ok(permit) => permit.forget(),
                Err(_) => return,
            },
        }
        let Some(offered) = shared.books.lock().queue.pop_front() else { continue };
        // Its own task, so that a panicking exporter costs one batch and not a consumer. Ended early, `Delivery` settles
        // the rest of the batch when it is dropped.
        let mut task = tokio::spawn(Delivery::new(shared.clone(), offered).run());
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

async fn stopped(phase: &mut watch::Receiver<Phase>) {
    // An error is a sender that is gone, which is as good as stopped.
    let _ = phase.wait_for(|phase| *phase == Phase::Stopped).await;
}

impl Shared {
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
            books.queue.push_back(Offered { batch, at: Instant::now() });
            return true;
        };
        books.settle_rest(&batch, batch.items, Some(reason));
        let message = format_args!("{} items dropped on arrival ({})", batch.items, reason.name());
        self.warn(&mut books, message);
        false
    }

    /// The peer took a request of so many items.
    pub(super) fn took(&self, items: u32, rejected: u32) {
        let mut books = self.books.lock();
        books.answered_at = Instant::now();
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

    /// The batch is done. `rest` items of it are not settled yet; `loss` is why it counts as dropped, if it does.
    pub(super) fn done(&self, batch: &Batch, rest: u32, loss: Option<DropReason>) {
        let mut books = self.books.lock();
        books.settle_rest(batch, rest, loss);
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
        debug_assert!(rest == 0 || loss.is_some(), "BUG: items vanish without a reason");
        let stats = &mut self.stats;
        stats.waiting.batches -= 1;
        stats.waiting.items -= u64::from(rest);
        stats.waiting_bytes -= batch.body.len() as u64;
        match loss {
            Some(reason) => stats.dropped[reason as usize].add(1, rest),
            None => stats.delivered.batches += 1,
        }
        debug_assert_eq!(stats.residue(), (0, 0), "BUG: the books of a destination do not balance");
    }
}

impl DestinationStats {
    /// What was given up for this reason.
    #[must_use]
    pub fn dropped_for(&self, reason: DropReason) -> Tally {
        self.dropped[reason as usize]
    }

    /// Everything that was given up.
    #[must_use]
    pub fn dropped_total(&self) -> Tally {
        self.dropped.iter().fold(Tally::default(), |sum, one| Tally {
            batches: sum.batches + one.batches,
            items: sum.items + one.items,
        })
    }

    /// What the books do not explain, in batches and items: always zero.
    #[must_use]
    pub fn residue(&self) -> (i64, i64) {
        let dropped = self.dropped_total();
        let batches = self.delivered.batches + dropped.batches + self.waiting.batches;
        let items = self.delivered.items + self.rejected + dropped.items + self.waiting.items;
        (self.offered.batches.wrapping_sub(batches).cast_signed(), self.offered.items.wrapping_sub(items).cast_signed())
    }

    fn waiting_in(&self, sizer: Sizer) -> u64 {
        match sizer {
            Sizer::Requests => self.waiting.batches,
            Sizer::Items => self.waiting.items,
            Sizer::Bytes => self.waiting_bytes,
        }
    }
}

impl Tally {
    fn add(&mut self, batches: u64, items: u32) {
        self.batches += batches;
        self.items += u64::from(items);
    }
}

#[cfg(test)]
mod tests;
