//! What became of everything offered to a destination, counted by batches and items.

use crate::exporter::queue::Sizer;

/// What became of everything offered to a destination.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DestinationStats {
    /// Everything ever offered.
    pub offered: Tally,
    /// Batches sent to their end without a loss, and items the peer took.
    pub delivered: Tally,
    /// Items the peer refused inside requests it took.
    pub rejected: u64,
    /// Given up, by reason; see [`DestinationStats::dropped_for`]. A batch of which a part was given up counts here.
    pub dropped: [Tally; DropReason::ALL.len()],
    /// In the queue or on the way.
    pub waiting: Tally,
    /// Bytes of what is waiting, uncompressed.
    pub waiting_bytes: u64,
    /// Attempts that failed and were, or will be, repeated.
    pub retries: u64,
    /// Items among the dropped ones that were never in the queue: it was full, or closed.
    pub never_queued: u64,
    /// Requests on their way, with their pauses between attempts.
    pub in_flight: u64,
}

/// A number of batches with the number of their items.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Batches.
    pub batches: u64,
    /// Spans, data points or log records.
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

/// How large the requests were that were sent, in the buckets of otelcol's `exporter_queue_batch_send_size` and
/// `…_size_bytes`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SentSizes {
    /// By items.
    pub items: SizeHistogram<22>,
    /// By bytes, uncompressed.
    pub bytes: SizeHistogram<18>,
}

/// Numbers counted in buckets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SizeHistogram<const BOUNDS: usize> {
    /// How many were at most as large as each bound and larger than the one before.
    pub buckets: [u64; BOUNDS],
    /// How many there were, those above the last bound included.
    pub count: u64,
    /// Their sum.
    pub sum: u64,
}

impl SentSizes {
    /// The upper bounds of the buckets by items.
    pub const ITEM_BOUNDS: [u64; 22] = [
        10, 25, 50, 75, 100, 250, 500, 750, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10_000, 20_000,
        30_000, 50_000, 100_000,
    ];

    /// The upper bounds of the buckets by bytes: 128 B to 16 MiB, each twice the one before.
    pub const BYTE_BOUNDS: [u64; 18] = {
        let mut bounds = [128; 18];
        let mut index = 1;
        while index < bounds.len() {
            bounds[index] = bounds[index - 1] * 2;
            index += 1;
        }
        bounds
    };

    /// A request of so many items and bytes was sent.
    pub fn add(&mut self, items: u64, bytes: u64) {
        self.items.add(items, &Self::ITEM_BOUNDS);
        self.bytes.add(bytes, &Self::BYTE_BOUNDS);
    }
}

impl<const BOUNDS: usize> SizeHistogram<BOUNDS> {
    fn add(&mut self, value: u64, bounds: &[u64; BOUNDS]) {
        let index = bounds.partition_point(|bound| *bound < value);
        if let Some(bucket) = self.buckets.get_mut(index) {
            *bucket += 1;
        }
        self.count += 1;
        self.sum += value;
    }
}

impl<const BOUNDS: usize> Default for SizeHistogram<BOUNDS> {
    fn default() -> Self {
        Self { buckets: [0; BOUNDS], count: 0, sum: 0 }
    }
}

impl DestinationStats {
    /// What otelcol calls `exporter_sent_…`: items in requests that the peer took, with those that it then rejected.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.delivered.items + self.rejected
    }

    /// What otelcol calls `exporter_send_failed_…`: items that were in the queue and were given up.
    #[must_use]
    pub fn send_failed(&self) -> u64 {
        self.dropped_total().items.saturating_sub(self.never_queued)
    }

    /// What otelcol calls `exporter_enqueue_failed_…`: items that the queue did not take.
    #[must_use]
    pub fn enqueue_failed(&self) -> u64 {
        self.never_queued
    }

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

    pub(in crate::exporter) fn waiting_in(&self, sizer: Sizer) -> u64 {
        match sizer {
            Sizer::Requests => self.waiting.batches,
            Sizer::Items => self.waiting.items,
            Sizer::Bytes => self.waiting_bytes,
        }
    }
}

impl Tally {
    pub(super) fn add(&mut self, batches: u64, items: u32) {
        self.batches += batches;
        self.items += u64::from(items);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_counted_in_otelcols_buckets() {
        let mut sizes = SentSizes::default();
        for (items, bytes) in [(10, 128), (11, 129), (100_001, 1 << 30)] {
            sizes.add(items, bytes);
        }
        assert_eq!(sizes.items.buckets[..3], [1, 1, 0]);
        assert_eq!((sizes.items.count, sizes.items.sum), (3, 100_022));
        assert_eq!((sizes.bytes.buckets[0], sizes.bytes.buckets[1], sizes.bytes.count), (1, 1, 3));
        assert_eq!(SentSizes::BYTE_BOUNDS[17], 16 << 20);
    }
}
