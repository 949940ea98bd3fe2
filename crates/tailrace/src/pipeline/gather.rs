//! The `batch` processor where nothing waits for verdicts: small requests become large ones.
//!
//! Two export requests of one signal, one behind the other, *are* one request with the parts of both, so gathering is
//! appending. What is gathered leaves when it has `send_batch_size` items, or when its first item is `timeout` old.

use net::budget::{Budget, Charge, Class};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// When what was gathered leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GatherSettings {
    /// It leaves when it is so old; zero is at once.
    pub(crate) timeout: Duration,
    /// It leaves when it has so many items; zero is at once.
    pub(crate) items_min: u64,
    /// It leaves in requests of so many items at most; zero is no limit.
    pub(crate) items_max: u64,
}

/// What has been gathered.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    body: Vec<u8>,
    items: u64,
    since: Option<Instant>,
    charge: Option<Charge>,
}

impl Gathered {
    /// How many items wait.
    pub(crate) fn items(&self) -> u64 {
        self.items
    }

    /// When they have to leave.
    pub(crate) fn due(&self, settings: &GatherSettings) -> Option<Instant> {
        self.since.map(|since| since + settings.timeout)
    }

    /// Appends a request.
    pub(crate) fn push(&mut self, request: &[u8], items: u64, budget: &Arc<Budget>) {
        self.body.extend_from_slice(request);
        self.items += items;
        self.since.get_or_insert_with(Instant::now);
        // Charged before the old charge is given back: the sum is never less than what is there.
        self.charge = Some(budget.charge_always(Class::Batches, self.body.capacity()));
    }

    /// Whether it is large enough to leave.
    pub(crate) fn is_full(&self, settings: &GatherSettings) -> bool {
        self.items >= settings.items_min.max(1)
    }

    /// Takes out what has been gathered, with the number of its items.
    pub(crate) fn take(&mut self) -> Option<(Vec<u8>, u64)> {
        self.since = None;
        self.charge = None;
        let items = std::mem::take(&mut self.items);
        let body = std::mem::take(&mut self.body);
        (items > 0).then_some((body, items))
    }
}
