//! One batch on its way to one destination: attempts, waits, and cutting it into parts where the peer wants that.
//!
//! ```text
//!            ┌──────────── wait ◄──────────┐
//!            ▼                             │ retryable
//!  part ─► attempt ── taken ─► books       │
//!            ├─────────────────────────────┘
//!            ├── refused / too large ─► two halves, tried one after the other
//!            └── permanent, too late  ─► dropped for a reason
//! ```
//!
//! A refused batch was merged from many clients' items, so one bad span must not take the others with it: it is bisected.
//! The number of extra requests is bounded; past it, what is refused is dropped whole. Parts are cut depth first: at most
//! two copies of the batch exist at a time.
//!
//! The clock of `max_elapsed_time` starts at the first attempt, as otelcol's does, or, if that is earlier, when the batch
//! was offered to a destination that has not answered since: a dead destination gives up everything it has had for that
//! long, each batch after one attempt, instead of trying its whole queue for five minutes ten by ten.

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::destination::{DropReason, Phase, Shared, Sources, Taken};
use super::retry::Backoff;
use super::{Batch, Delivered, ExportError, Kind};
use crate::budget::{Charge, Class};

/// Sends one batch. Dropped before its end, it settles the rest as given up.
pub(super) struct Delivery {
    shared: Arc<Shared>,
    batch: Arc<Batch>,
    sources: Sources,
    offered_at: Instant,
    first_attempt_at: Option<Instant>,
    /// Items not settled yet.
    open_items: u32,
    /// Why the batch counts as dropped: the first loss.
    loss: Option<DropReason>,
    refused_requests: u32,
    oversize_requests: u32,
    /// The smallest body that the peer called too large: none that large is tried again.
    too_large_bytes: usize,
}

/// A piece of a batch, as a request of its own.
struct Part {
    body: Bytes,
    items: u32,
    /// Of a copy; the whole batch pays for itself.
    _charge: Option<Charge>,
}

/// How many requests of one batch may be refused before bisecting ends: enough to find four bad items among 65 536.
const REFUSED_REQUESTS_MAX: u32 = 64;

/// How many requests of one batch may be too large before halving ends: 4 MiB arrive at a peer that takes 8 KiB.
const OVERSIZE_REQUESTS_MAX: u32 = 512;

/// A single span below this that is "too large" says that the peer does not mean the size.
const OVERSIZE_CREDIBLE_BYTES: usize = 16 << 10;

impl Delivery {
    pub(super) fn new(shared: Arc<Shared>, taken: Taken) -> Option<Self> {
        let bytes = taken.iter().map(|offered| offered.batch.body.len() as u64).sum();
        let sources = Sources { batches: taken.len() as u64, bytes };
        let offered_at = taken.iter().map(|offered| offered.at).min().unwrap_or_else(Instant::now);
        let batch = joined(taken, shared.partition_keys())?;
        let open_items = batch.items;
        Some(Self {
            shared,
            batch,
            sources,
            offered_at,
            first_attempt_at: None,
            open_items,
            loss: None,
            refused_requests: 0,
            oversize_requests: 0,
            too_large_bytes: usize::MAX,
        })
    }

    /// Sends the batch to its end.
    pub(super) async fn run(mut self) {
        let mut parts = vec![Part { body: self.batch.body.clone(), items: self.batch.items, _charge: None }];
        while let Some(part) = parts.pop() {
            let too_large = part.body.len() >= self.too_large_bytes || self.shared.exceeds(part.items, part.body.len());
            if too_large && let Some((first, second)) = self.halves(&part) {
                parts.extend([second, first]);
                continue;
            }
            match self.deliver(&part).await {
                Ok(delivered) => self.took(&part, &delivered),
                Err((reason, error)) => match self.cut(&part, reason) {
                    Some((first, second)) => parts.extend([second, first]),
                    None => self.gave_up(&part, reason, &error),
                },
            }
        }
    }

    /// Tries until the peer takes the part or there is a reason to stop.
    async fn deliver(&mut self, part: &Part) -> Result<Delivered, (DropReason, ExportError)> {
        let mut backoff = Backoff::new(&self.shared.retry);
        loop {
            self.first_attempt_at.get_or_insert_with(Instant::now);
            let error = match self.shared.exporter.export(part.body.clone(), &self.batch).await {
                Ok(delivered) => return Ok(delivered),
                Err(error) => error,
            };
            let floor = match error.kind {
                Kind::Retry { after } if self.shared.retry.enabled => after,
                Kind::Retry { .. } => return Err((DropReason::RetryOff, error)),
                Kind::Refused => return Err((DropReason::Refused, error)),
                Kind::TooLarge => return Err((DropReason::TooLarge, error)),
                Kind::Permanent => return Err((DropReason::Permanent, error)),
            };
            let elapsed = self.clock_start().elapsed();
            let Some(wait) = backoff.wait(&self.shared.retry, elapsed, floor, rand::random()) else {
                return Err((DropReason::MaxElapsed, error));
            };
            self.shared.will_retry(wait, &error.message);
            // Far future where it does not fit: only a shutdown ends that wait.
            let now = Instant::now();
            let at = now.checked_add(wait).unwrap_or(now + std::time::Duration::from_secs(86_400 * 365));
            if !self.pause_until(at, floor.is_none()).await {
                return Err((DropReason::Shutdown, error));
            }
        }
    }

    /// Waits for the next attempt; false if that would come after the end of a drain.
    ///
    /// When a drain begins, a wait of our own making is cut short: the peer may be back, and there is no time to lose.
    async fn pause_until(&self, at: Instant, may_hurry: bool) -> bool {
        let mut phase = self.shared.phase.subscribe();
        let was_open = *phase.borrow_and_update() == Phase::Open;
        loop {
            let until = *phase.borrow_and_update();
            match until {
                Phase::Open => {}
                Phase::Draining(_) if was_open && may_hurry => return true,
                Phase::Draining(deadline) if at > deadline => return false,
                Phase::Draining(_) => {}
                Phase::Stopped => return false,
            }
            tokio::select! {
                () = tokio::time::sleep_until(at) => return true,
                changed = phase.changed() => if changed.is_err() { return false },
            }
        }
    }

    /// See the head of the file.
    fn clock_start(&self) -> Instant {
        let silent_since = self.offered_at.max(self.shared.answered_at());
        self.first_attempt_at.map_or(silent_since, |first| first.min(silent_since))
    }

    /// Halves to try instead, where halving may help and is still within its bound.
    fn cut(&mut self, part: &Part, reason: DropReason) -> Option<(Part, Part)> {
        match reason {
            DropReason::Refused => {
                self.refused_requests += 1;
                (self.refused_requests <= REFUSED_REQUESTS_MAX).then(|| self.halves(part))?
            }
            DropReason::TooLarge => {
                self.oversize_requests += 1;
                if part.items <= 1 && part.body.len() < OVERSIZE_CREDIBLE_BYTES {
                    self.oversize_requests = OVERSIZE_REQUESTS_MAX;
                }
                if self.oversize_requests >= OVERSIZE_REQUESTS_MAX {
                    self.too_large_bytes = usize::MAX;
                    return None;
                }
                self.too_large_bytes = self.too_large_bytes.min(part.body.len());
                self.halves(part)
            }
            _ => None,
        }
    }

    /// Two requests with half of the items each; `None` where there is nothing to halve.
    fn halves(&self, part: &Part) -> Option<(Part, Part)> {
        let ((first, first_items), (second, _)) = otlp::cut::split(self.batch.signal, &part.body)?;
        let first_items = u32::try_from(first_items).ok()?.min(part.items);
        let part_of = |body: Vec<u8>, items| {
            let charge = self.batch.charge.beside(Class::Scratch, body.len());
            Part { body: body.into(), items, _charge: Some(charge) }
        };
        Some((part_of(first, first_items), part_of(second, part.items - first_items)))
    }

    fn took(&mut self, part: &Part, delivered: &Delivered) {
        let items = part.items.min(self.open_items);
        let rejected = u32::try_from(delivered.rejected).unwrap_or(u32::MAX).min(items);
        self.open_items -= items;
        self.shared.took(items, part.body.len(), rejected);
        if rejected > 0 || !delivered.message.is_empty() {
            self.shared.remark(rejected, &delivered.message);
        }
    }

    fn gave_up(&mut self, part: &Part, reason: DropReason, error: &ExportError) {
        let items = part.items.min(self.open_items);
        self.open_items -= items;
        self.loss.get_or_insert(reason);
        self.shared.gave_up(items, reason, &error.message);
    }
}

/// One batch of several: requests of a signal, one after the other, are a request with the parts of all. As in otelcol,
/// nothing is known of their clients but what kept them together.
fn joined(taken: Taken, keys: &[String]) -> Option<Arc<Batch>> {
    let mut batches = taken.into_iter().map(|offered| offered.batch);
    let first = batches.next()?;
    let rest: Vec<_> = batches.collect();
    if rest.is_empty() {
        return Some(first);
    }
    let all = || std::iter::once(&first).chain(&rest);
    let mut body = Vec::with_capacity(all().map(|batch| batch.body.len()).sum());
    all().for_each(|batch| body.extend_from_slice(&batch.body));
    Some(Arc::new(Batch {
        signal: first.signal,
        items: all().map(|batch| batch.items).sum(),
        notes: all().flat_map(|batch| batch.notes.iter().cloned()).collect(),
        client: first.client.as_ref().filter(|_| !keys.is_empty()).map(|client| Arc::new(client.only(keys))),
        charge: first.charge.beside(Class::Batches, body.len()),
        // They go with the last destination that still holds one of them.
        tokens: all().flat_map(|batch| batch.tokens.iter().cloned()).collect(),
        body: body.into(),
    }))
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if self.open_items > 0 {
            let panicked = std::thread::panicking();
            self.loss.get_or_insert(if panicked { DropReason::Internal } else { DropReason::Shutdown });
        }
        self.shared.done(self.sources, self.open_items, self.loss);
    }
}
