//! `sending_queue::batch`: how many waiting batches leave as one request, and when.
//!
//! Batches leave together as soon as they have `min_size`, when the first has waited for `flush_timeout`, or when the next
//! one would make them larger than `max_size` (or than [`BYTES_MAX`], which peers take by default). A batch that is larger
//! by itself is cut on its way. Nothing is taken out of the queue before it leaves, so the wait can be given up at any time.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::Offered;
use crate::exporter::queue::{BatchSettings, Sizer};

/// What can be done about a queue that is not empty.
pub(super) enum Gathered<T> {
    /// Take this.
    Ready(T),
    /// Look again at this time, if not sooner.
    Later(Option<Instant>),
}

/// Batches together are at most this large, unless the settings say how many bytes they want: what OTLP receivers take.
pub(super) const BYTES_MAX: u64 = 4 << 20;

/// How many of the batches leave now; without settings they leave one by one, without a clock none waits for more.
pub(super) fn gather(
    queue: &VecDeque<Offered>,
    settings: Option<&BatchSettings>,
    now: Option<Instant>,
) -> Gathered<usize> {
    let Some(settings) = settings else { return Gathered::Ready(1) };
    let size_of = |offered: &Offered| match settings.sizer {
        Sizer::Bytes => offered.batch.body.len() as u64,
        Sizer::Items => u64::from(offered.batch.items),
        Sizer::Requests => 1,
    };
    let size_max = if settings.max_size == 0 { u64::MAX } else { settings.max_size };
    let bytes_max = match settings.sizer {
        Sizer::Bytes => BYTES_MAX.max(settings.min_size).max(settings.max_size),
        Sizer::Items | Sizer::Requests => BYTES_MAX,
    };
    let (mut count, mut size, mut bytes, mut items) = (0, 0, 0, 0u32);
    for offered in queue {
        size += size_of(offered);
        bytes += offered.batch.body.len() as u64;
        let too_many = items.checked_add(offered.batch.items).is_none();
        if count > 0 && (size > size_max || bytes > bytes_max || too_many) {
            return Gathered::Ready(count);
        }
        items = items.saturating_add(offered.batch.items);
        count += 1;
        if size >= settings.min_size {
            return Gathered::Ready(count);
        }
    }
    match (queue.front().map(|first| first.at + settings.flush_timeout), now) {
        (Some(at), Some(now)) if at > now => Gathered::Later(Some(at)),
        _ => Gathered::Ready(count),
    }
}
