//! `sending_queue::batch`: how many waiting batches leave as one request, and when.
//!
//! Batches leave together as soon as they have `min_size`, when the first has waited for `flush_timeout`, or when the next
//! one would make them larger than `max_size` (or than [`BYTES_MAX`], which peers take by default). A batch that is larger
//! by itself is cut on its way. Nothing is taken out of the queue before it leaves, so the wait can be given up at any time.
//!
//! With `partition`, all of this holds for each part of the queue by itself: batches whose clients have the same values of the
//! metadata keys. The part of which the first batch has waited longest comes first.

use std::collections::{HashMap, VecDeque};

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

/// Where in the queue something stands that leaves together.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Portion {
    /// So many from the front.
    First(usize),
    /// These, in their order.
    These(Vec<usize>),
}

/// What leaves now; without settings batches leave one by one, without a clock none waits for more.
pub(super) fn gather(
    queue: &VecDeque<Offered>,
    settings: Option<&BatchSettings>,
    now: Option<Instant>,
) -> Gathered<Portion> {
    let Some(settings) = settings else { return Gathered::Ready(Portion::First(1)) };
    if settings.partition.metadata_keys.is_empty() {
        let mut sum = Sum::default();
        return match queue.iter().find_map(|offered| sum.add(offered, settings)).or_else(|| sum.due(now)) {
            Some(count) => Gathered::Ready(Portion::First(count)),
            None => Gathered::Later(sum.at),
        };
    }
    let mut parts: HashMap<&[u8], Sum> = HashMap::new();
    let full = queue.iter().find_map(|offered| {
        let count = parts.entry(&offered.key).or_default().add(offered, settings)?;
        Some((&*offered.key, count))
    });
    let due = || {
        let due = parts.iter().filter_map(|(key, sum)| Some((sum.at?, *key, sum.due(now)?)));
        due.min().map(|(_, key, count)| (key, count))
    };
    match full.or_else(due) {
        Some((key, count)) => {
            let of_part = queue.iter().enumerate().filter(|(_, offered)| *offered.key == *key);
            Gathered::Ready(Portion::These(of_part.map(|(index, _)| index).take(count).collect()))
        }
        None => Gathered::Later(parts.values().filter_map(|sum| sum.at).min()),
    }
}

/// Takes a portion out of the queue.
pub(super) fn take(queue: &mut VecDeque<Offered>, portion: Portion) -> Vec<Offered> {
    let indexes = match portion {
        Portion::First(count) => return queue.drain(..count).collect(),
        Portion::These(indexes) => indexes,
    };
    let mut next = indexes.into_iter().peekable();
    let mut taken = Vec::new();
    for (index, offered) in std::mem::take(queue).into_iter().enumerate() {
        match next.next_if_eq(&index) {
            Some(_) => taken.push(offered),
            None => queue.push_back(offered),
        }
    }
    taken
}

/// What batches come to that would leave together.
#[derive(Default)]
struct Sum {
    count: usize,
    size: u64,
    bytes: u64,
    items: u32,
    /// When they leave, however few they are.
    at: Option<Instant>,
}

impl Sum {
    /// Adds one; gives how many leave now, if they are enough.
    fn add(&mut self, offered: &Offered, settings: &BatchSettings) -> Option<usize> {
        let batch = &offered.batch;
        self.size += match settings.sizer {
            Sizer::Bytes => batch.body.len() as u64,
            Sizer::Items => u64::from(batch.items),
            Sizer::Requests => 1,
        };
        self.bytes += batch.body.len() as u64;
        let size_max = if settings.max_size == 0 { u64::MAX } else { settings.max_size };
        let bytes_max = match settings.sizer {
            Sizer::Bytes => BYTES_MAX.max(settings.min_size).max(settings.max_size),
            Sizer::Items | Sizer::Requests => BYTES_MAX,
        };
        let too_many = self.items.checked_add(batch.items).is_none();
        if self.count > 0 && (self.size > size_max || self.bytes > bytes_max || too_many) {
            return Some(self.count);
        }
        self.items = self.items.saturating_add(batch.items);
        self.count += 1;
        self.at.get_or_insert(offered.at + settings.flush_timeout);
        (self.size >= settings.min_size).then_some(self.count)
    }

    /// How many leave now because it is time.
    fn due(&self, now: Option<Instant>) -> Option<usize> {
        now.is_none_or(|now| self.at.is_none_or(|at| at <= now)).then_some(self.count)
    }
}
